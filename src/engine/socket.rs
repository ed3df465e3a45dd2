//! The socket to an engine.

use std::io;
use std::net::TcpStream;

use smol::Async;

use crate::engine::target::Target;

/// Connects to the first of the target's addresses that takes a connection.
///
/// # Errors
/// That of the last address where none does, or that its name means nothing.
pub(crate) async fn connect(target: &Target) -> io::Result<Async<TcpStream>> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in smol::net::resolve((target.host.as_str(), target.port)).await? {
        match Async::<TcpStream>::connect(address).await {
            Ok(socket) => {
                // Lines go out at once.
                let _ = socket.get_ref().set_nodelay(true);
                return Ok(socket);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}
