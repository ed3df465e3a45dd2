//! What may block, off the executor's thread.

use std::any::Any;

/// Does `work` on another thread some time, as [`unblock`]; nobody waits for it.
pub(crate) fn later(work: impl FnOnce() + Send + 'static) {
    let work: Box<dyn FnOnce() + Send> = Box::new(work);
    smol::unblock(work).detach();
}

/// Does `work` on another thread, as `smol::unblock`. It goes on to its end even if nobody waits
/// for it any more.
///
/// Boxed, so that the machinery of tasks is in the binary once, not once for each kind of work: 1.5
/// KiB each.
///
/// # Panics
/// When `work` does.
pub(crate) async fn unblock<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let work: Box<dyn FnOnce() -> Box<dyn Any + Send> + Send> = Box::new(|| Box::new(work()));
    match smol::unblock(work).await.downcast() {
        Ok(done) => *done,
        Err(_) => unreachable!("it is what `work` gave"),
    }
}
