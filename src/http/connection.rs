//! One connection: requests in, answers out, until either side ends it.

use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};
use std::{io, mem};

use futures_lite::future::BoxedLocal;
use futures_lite::{AsyncReadExt, future};
use smol::{Async, Timer};

use crate::http::close::{part, write};
use crate::http::head;
use crate::http::head::Request;
use crate::http::response::{Fields, Response, Status, response};
use crate::shutdown::Shutdown;

/// How long a request head may take from its first byte. A phone on bad Wi-Fi needs one.
const HEAD_TIME: Duration = Duration::from_secs(5);

/// How long a kept connection may idle before its next request.
const IDLE_TIME: Duration = Duration::from_secs(60);

/// How much is read of a request at once, in bytes: most heads come in one piece.
const READ_AT_ONCE: usize = 1024;

/// A connection between two requests.
pub struct Connection {
    /// The socket.
    pub socket: Async<TcpStream>,
    /// The other end; an IPv4 address in its own form, not mapped into IPv6.
    pub address: IpAddr,
    /// What was read from it and belongs to the next request.
    pub unread: Vec<u8>,
}

/// One request and the connection to answer it on. A handler gives the connection back if it may be
/// kept.
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// Where it came from.
    pub connection: Connection,
    /// Header fields that every answer to it carries.
    pub shared: Fields,
}

impl Exchange {
    /// Sends an answer that is at hand.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn answer(self, answer: Response) -> io::Result<Option<Connection>> {
        let Response {
            status,
            mut fields,
            body,
        } = answer;
        if !matches!(status, 204 | 304) {
            fields.push(("Content-Length", body.len().to_string()));
        }
        let mut bytes = self.head(status, fields);
        if self.request.method != "HEAD" {
            bytes.extend_from_slice(&body);
        }
        write(&self.connection.socket, &bytes).await?;
        Ok(Some(self.connection))
    }

    /// The head of an answer to this request.
    pub fn head(&self, status: Status, mut fields: Fields) -> Vec<u8> {
        fields.extend_from_slice(&self.shared);
        if !self.request.keep_alive {
            fields.push(("Connection", "close".into()));
        }
        response(status, &fields, &self.request.host)
    }
}

/// What has become of a request.
pub enum Answered {
    /// It is over; the connection, if it may be kept.
    Done(Option<Connection>),
    /// What is left to do may take long: it is awaited when all that led to it is gone from memory.
    /// Gives the same.
    Then(BoxedLocal<io::Result<Option<Connection>>>),
}

/// Answers a request.
pub type Handler = dyn Fn(Exchange) -> BoxedLocal<io::Result<Answered>>;

/// Serves one connection to its end: each request goes to `handle`.
///
/// # Errors
/// When the client breaks off; it ends this connection only.
pub(crate) async fn serve(
    mut connection: Connection,
    shutdown: &Shutdown,
    handle: &Handler,
) -> io::Result<()> {
    let mut first = true;
    loop {
        let stopped = async {
            shutdown.wait().await;
            Ok(None)
        };
        let head = connection.read_head(mem::take(&mut first));
        let request = match future::or(head, stopped).await? {
            Some(Ok(request)) => request,
            Some(Err(status)) => {
                connection.refuse(Response::bare(status)).await?;
                return Ok(());
            }
            None => return Ok(()),
        };
        let (keep_alive, body) = (request.keep_alive, request.body);
        let answered = handle(Exchange {
            request,
            connection,
            shared: Fields::new(),
        })
        .await?;
        let kept = match answered {
            Answered::Done(kept) => kept,
            Answered::Then(rest) => rest.await?,
        };
        let Some(kept) = kept else { return Ok(()) };
        connection = kept;
        if !keep_alive || !connection.skip_body(body).await? {
            break;
        }
        // The next request may be here already, and the one behind it: first everybody else has a
        // turn.
        future::yield_now().await;
    }
    part(&connection.socket).await;
    Ok(())
}

impl Connection {
    /// A connection from `address` on which nothing has been read.
    pub fn new(socket: Async<TcpStream>, address: IpAddr) -> Self {
        Self {
            socket,
            address,
            unread: Vec::new(),
        }
    }

    /// Answers without a request to answer to, and parts in peace.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn refuse(&self, answer: Response) -> io::Result<()> {
        let Response {
            status,
            mut fields,
            body,
        } = answer;
        fields.push(("Content-Length", body.len().to_string()));
        fields.push(("Connection", "close".into()));
        let mut bytes = response(status, &fields, "");
        bytes.extend_from_slice(&body);
        write(&self.socket, &bytes).await?;
        part(&self.socket).await;
        Ok(())
    }

    /// The next request, the status to refuse it with, or `None` where the client has left.
    /// A client that has just come has no more time to begin its `first` request than to send it.
    async fn read_head(&mut self, first: bool) -> io::Result<Option<Result<Request, Status>>> {
        let mut socket = &self.socket;
        let unread = &mut self.unread;
        let mut deadline = None;
        loop {
            match head::parse(unread) {
                Ok(Some((request, length))) => {
                    unread.drain(..length);
                    // An answer may go on for days.
                    unread.shrink_to_fit();
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
                let idle_time = if first { HEAD_TIME } else { IDLE_TIME };
                Timer::at(deadline.unwrap_or_else(|| Instant::now() + idle_time)).await;
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
    async fn skip_body(&mut self, length: u64) -> io::Result<bool> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let at_hand = length.min(self.unread.len());
        self.unread.drain(..at_hand);
        let mut left = length - at_hand;
        let mut socket = &self.socket;
        let skip = async {
            let mut sink = vec![0; READ_AT_ONCE];
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
}
