//! How long a client may take, and how a connection is closed without a reset.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use smol::{Async, Timer};

/// How long a client may take over what was sent to it at once: after that it is as good as gone.
pub const SEND_TIME: Duration = Duration::from_secs(60);

/// Writes it all, unless the client takes longer than anyone should.
///
/// # Errors
/// When the connection is broken, or with `TimedOut` after [`SEND_TIME`].
pub async fn write(mut socket: &Async<TcpStream>, bytes: &[u8]) -> io::Result<()> {
    future::or(socket.write_all(bytes), async {
        Timer::after(SEND_TIME).await;
        Err(io::ErrorKind::TimedOut.into())
    })
    .await
}

/// What a client may still send while its connection is being closed, in bytes and in time: past
/// either it is cut off.
const PARTING_BYTES: usize = 64 * 1024;
const PARTING_TIME: Duration = Duration::from_secs(2);

/// Closes our side and reads over what still comes (RFC 9112 section 9.6): a connection closed with
/// bytes unread is reset, and a reset can overtake the answer.
pub async fn part(socket: &Async<TcpStream>) {
    let read_over = async {
        let mut socket = socket;
        // On the heap: within a future it would be a part of every client's task.
        let mut sink = vec![0; 1024];
        let mut left = PARTING_BYTES;
        while let Ok(read @ 1..) = socket.read(&mut sink).await {
            left = left.saturating_sub(read);
            if left == 0 {
                break;
            }
        }
    };
    if socket.get_ref().shutdown(std::net::Shutdown::Write).is_ok() {
        future::or(read_over, async { _ = Timer::after(PARTING_TIME).await }).await;
    }
}
