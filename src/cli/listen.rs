//! The socket that the server listens on.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType, sockopt};

use crate::cli::args::Listen;
use crate::cli::error;
use crate::cli::error::Error;

/// The port that `--listen` has by default.
const PORT: u16 = 8080;

/// Connections that the kernel holds until they are accepted: a burst waits here while descriptors
/// are short.
const BACKLOG: i32 = 1024;

/// Listens on `asked`, if anywhere; by default on every address, IPv6 and IPv4, and on those of
/// IPv4 where there is no IPv6.
///
/// # Errors
/// Names the address and the cause.
pub(crate) fn listen(asked: Listen) -> Result<Option<TcpListener>, Error> {
    let said = |address| move |error: Errno| error::cannot_listen(address, &error.into());
    match asked {
        Listen::Nowhere => return Ok(None),
        Listen::At(address) => return bind(address).map(Some).map_err(said(address)),
        Listen::Default => {}
    }
    let six = SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT));
    let four = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
    match bind(six) {
        Err(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) => bind(four).map_err(said(four)),
        bound => bound.map_err(said(six)),
    }
    .map(Some)
}

fn bind(address: SocketAddr) -> Result<TcpListener, Errno> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let socket = net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // Connections of the server before us may still be waiting for their end.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        // The kernel's default may have been changed.
        sockopt::set_ipv6_v6only(&socket, false)?;
    }
    net::bind(&socket, &address)?;
    net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}
