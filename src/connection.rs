//! One connection: requests in, answers out, until either side ends it.

use std::io;
use std::net::{IpAddr, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use smol::{Async, Timer};

use crate::door;
use crate::http::{self, Request, Status};
use crate::live::session::{SEND_TIME, Session};
use crate::live::websocket;
use crate::live::wire::part;
use crate::route::{Answer, bare};
use crate::server::Site;
use crate::source::reader::{Next, Reader};

/// How long a request head may take from its first byte. A phone on bad Wi-Fi needs one.
const HEAD_TIME: Duration = Duration::from_secs(5);

/// How long a kept connection may idle before its next request.
const IDLE_TIME: Duration = Duration::from_secs(60);

/// How much is read of a request at once, in bytes: most heads come in one piece.
const READ_AT_ONCE: usize = 1024;

/// Serves one connection, from `address`, to its end.
///
/// # Errors
/// When the client breaks off; it ends this connection only.
pub async fn serve(site: &Rc<Site>, socket: Async<TcpStream>, address: IpAddr) -> io::Result<()> {
    let mut unread = Vec::new();
    loop {
        let stopped = async {
            site.shutdown.wait().await;
            Ok(None)
        };
        let head = match future::or(read_head(&socket, &mut unread), stopped).await? {
            Some(Ok(head)) => head,
            Some(Err(status)) => {
                send(&socket, &bare(status), true, false).await?;
                break;
            }
            None => return Ok(()),
        };
        let is_head = head.method == "HEAD";
        let answer = door::answer(site, address, &head).await;
        match answer {
            Answer::WebSocket(fields, reader, open) => {
                write(&socket, &http::response(101, &fields)).await?;
                let session = Session::new(socket, unread).await;
                websocket::serve(site, session, reader, open).await;
                return Ok(());
            }
            Answer::File(mut fields, reader, length) => {
                fields.push(("Content-Length", length.to_string()));
                add_connection(&mut fields, head.keep_alive);
                write(&socket, &http::response(200, &fields)).await?;
                if !is_head {
                    send_file(site, &socket, reader, length).await?;
                }
            }
            whole => send(&socket, &whole, !head.keep_alive, is_head).await?,
        }
        if !head.keep_alive || !skip_body(&socket, &mut unread, head.body).await? {
            break;
        }
    }
    part(&socket).await;
    Ok(())
}

/// The next request, the status to refuse it with, or `None` where the client has left.
async fn read_head(
    mut socket: &Async<TcpStream>,
    unread: &mut Vec<u8>,
) -> io::Result<Option<Result<Request, Status>>> {
    let mut deadline = None;
    loop {
        match http::parse(unread) {
            Ok(Some((request, length))) => {
                unread.drain(..length);
                return Ok(Some(Ok(request)));
            }
            Ok(None) => {}
            Err(status) => return Ok(Some(Err(status))),
        }
        let idle = unread.is_empty();
        if !idle && deadline.is_none() {
            deadline = Some(Instant::now() + HEAD_TIME);
        }
        let filled = unread.len();
        unread.resize(filled + READ_AT_ONCE, 0);
        let read = async { Some(socket.read(&mut unread[filled..]).await) };
        let late = async {
            Timer::at(deadline.unwrap_or_else(|| Instant::now() + IDLE_TIME)).await;
            None
        };
        let read = future::or(read, late).await;
        unread.truncate(
            filled
                + read
                    .as_ref()
                    .and_then(|read| read.as_ref().ok())
                    .copied()
                    .unwrap_or(0),
        );
        match read {
            None if idle => return Ok(None),
            None => return Ok(Some(Err(408))),
            Some(Ok(0)) if idle => return Ok(None),
            // Half a request and then nothing more: it can still be answered.
            Some(Ok(0)) => return Ok(Some(Err(400))),
            Some(read) => drop(read?),
        }
    }
}

/// Reads over a body that nobody asked for. `false`: the client has left or takes too long.
async fn skip_body(
    mut socket: &Async<TcpStream>,
    unread: &mut Vec<u8>,
    length: u64,
) -> io::Result<bool> {
    let at_hand = usize::try_from(length)
        .unwrap_or(usize::MAX)
        .min(unread.len());
    unread.drain(..at_hand);
    let mut left = usize::try_from(length).unwrap_or(usize::MAX) - at_hand;
    let mut sink = [0; READ_AT_ONCE];
    let skip = async {
        while left > 0 {
            let most = left.min(sink.len());
            match socket.read(&mut sink[..most]).await? {
                0 => return Ok(false),
                read => left -= read,
            }
        }
        Ok(true)
    };
    let late = async {
        Timer::after(HEAD_TIME).await;
        Ok(false)
    };
    future::or(skip, late).await
}

/// Sends an answer that is at hand.
pub async fn send(
    socket: &Async<TcpStream>,
    answer: &Answer,
    close: bool,
    is_head: bool,
) -> io::Result<()> {
    let Answer::Whole(status, fields, body) = answer else {
        return Ok(());
    };
    let mut fields = fields.clone();
    fields.push(("Content-Length", body.len().to_string()));
    add_connection(&mut fields, !close);
    let mut bytes = http::response(*status, &fields);
    if !is_head {
        bytes.extend_from_slice(body);
    }
    write(socket, &bytes).await
}

fn add_connection(fields: &mut http::Fields, keep_alive: bool) {
    if !keep_alive {
        fields.push(("Connection", "close".into()));
    }
}

/// Sends `length` bytes from the reader. What is appended meanwhile belongs to the next answer.
async fn send_file(
    site: &Site,
    socket: &Async<TcpStream>,
    mut reader: Reader,
    length: u64,
) -> io::Result<()> {
    let mut left = length;
    while left > 0 {
        let piece = {
            let mut scratch = site.scratch.borrow_mut();
            match reader.next(&mut scratch)? {
                Next::Bytes => {
                    let bytes = scratch.bytes();
                    let most = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    Some(bytes[..most].to_vec())
                }
                Next::Cold => None,
                // The file was cut under the answer; only the end of the connection can tell now.
                Next::Marker(_) | Next::End => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        };
        match piece {
            Some(piece) => {
                write(socket, &piece).await?;
                left -= piece.len() as u64;
                future::yield_now().await;
            }
            None => reader.warm().await?,
        }
    }
    Ok(())
}

/// Writes it all, unless the client takes longer than anyone should.
async fn write(mut socket: &Async<TcpStream>, bytes: &[u8]) -> io::Result<()> {
    future::or(socket.write_all(bytes), async {
        Timer::after(SEND_TIME).await;
        Err(io::ErrorKind::TimedOut.into())
    })
    .await
}
