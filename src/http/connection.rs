//! One connection: requests in, answers out, until either side ends it.

use std::borrow::Cow;
use std::io;
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

use async_tungstenite::tungstenite::handshake::derive_accept_key;
use futures_lite::future::BoxedLocal;
use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use smol::{Async, Timer};

use crate::http::head;
use crate::http::head::{Fields, Request, Status, reason};
use crate::server::Shutdown;
use crate::websocket::session::Session;
use crate::websocket::socket::{SEND_TIME, part};

/// How long a request head may take from its first byte. A phone on bad Wi-Fi needs one.
const HEAD_TIME: Duration = Duration::from_secs(5);

/// How long a kept connection may idle before its next request.
const IDLE_TIME: Duration = Duration::from_secs(60);

/// How much is read of a request at once, in bytes: most heads come in one piece.
const READ_AT_ONCE: usize = 1024;

/// A plain-text body.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// A connection between two requests.
pub struct Connection {
    /// The socket.
    pub socket: Async<TcpStream>,
    /// The other end; an IPv4 address in its own form, not mapped into IPv6.
    pub address: IpAddr,
    /// What was read from it and belongs to the next request.
    unread: Vec<u8>,
}

/// An answer that is at hand: status, fields, body.
#[derive(Debug)]
pub struct Whole(pub Status, pub Fields, pub Cow<'static, [u8]>);

impl Whole {
    /// A status with a sentence for a body.
    pub fn sentence(status: Status, text: &str) -> Self {
        Self(
            status,
            vec![("Content-Type", TEXT.into())],
            format!("{text}\n").into_bytes().into(),
        )
    }

    /// A status with its own name for a body.
    pub fn bare(status: Status) -> Self {
        Self::sentence(status, &reason(status).to_ascii_lowercase())
    }

    /// The same with one more field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.1.push((name, value.into()));
        self
    }
}

/// One request and the connection to answer it on. A handler gives the connection back if it may be kept.
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// Where it came from.
    pub connection: Connection,
    /// Header fields that every answer to it carries.
    pub shared: Fields,
}

/// What became of a request at [`Exchange::accept_websocket`].
pub enum Accepted {
    /// An open WebSocket.
    WebSocket(Session),
    /// An ordinary request, for the handler to answer.
    Plain(Exchange),
    /// An upgrade that breaks the rules; it has been answered.
    Refused(Option<Connection>),
}

impl Exchange {
    /// Takes WebSockets and ordinary requests both. `message_max`: the longest message that the client may send, in bytes.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn accept_websocket(self, message_max: usize) -> io::Result<Accepted> {
        if !self.request.asks_for_websocket() {
            return Ok(Accepted::Plain(self));
        }
        match handshake(&self.request) {
            Ok(fields) => Ok(Accepted::WebSocket(
                self.upgrade(&fields, message_max).await?,
            )),
            Err(refusal) => Ok(Accepted::Refused(self.answer(refusal).await?)),
        }
    }

    /// Insists on WebSocket: an ordinary request is answered 426. `Err` holds the connection that was answered.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn require_websocket(
        self,
        message_max: usize,
    ) -> io::Result<Result<Session, Option<Connection>>> {
        Ok(match self.accept_websocket(message_max).await? {
            Accepted::WebSocket(session) => Ok(session),
            Accepted::Plain(exchange) => Err(exchange.answer(upgrade_required()).await?),
            Accepted::Refused(connection) => Err(connection),
        })
    }

    /// Switches to WebSocket with the `fields` that [`handshake`] gave.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn upgrade(self, fields: &Fields, message_max: usize) -> io::Result<Session> {
        let Connection { socket, unread, .. } = self.connection;
        write(&socket, &head::response(101, fields)).await?;
        Ok(Session::new(socket, unread, message_max).await)
    }

    /// Sends an answer that is at hand.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn answer(
        self,
        Whole(status, mut fields, body): Whole,
    ) -> io::Result<Option<Connection>> {
        if status != 204 {
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
        head::response(status, &fields)
    }
}

/// The answer to one who should have asked for WebSocket (RFC 9110 section 15.5.22).
pub fn upgrade_required() -> Whole {
    Whole::sentence(426, "this is a websocket; ask with `Upgrade: websocket`")
        .with("Upgrade", "websocket")
        .with("Connection", "Upgrade")
}

/// The server's side of the opening handshake (RFC 6455 section 4.2): the fields of the 101, or the refusal.
///
/// # Errors
/// 400 where the request breaks the rules, 426 where it speaks another version.
pub fn handshake(request: &Request) -> Result<Fields, Whole> {
    // A body would be taken for frames.
    let has_body = request.body > 0 || request.field("Transfer-Encoding").is_some();
    if !request.is_websocket() || has_body {
        let text = "an upgrade to websocket needs GET, HTTP/1.1, `Connection: Upgrade` and no body";
        return Err(Whole::sentence(400, text));
    }
    if request.field("Sec-WebSocket-Version") != Some("13") {
        let refusal = Whole::sentence(426, "websocket version 13 is spoken here");
        return Err(refusal
            .with("Sec-WebSocket-Version", "13")
            .with("Upgrade", "websocket")
            .with("Connection", "Upgrade"));
    }
    let Some(key) = request.field("Sec-WebSocket-Key").filter(|key| is_key(key)) else {
        let text = "an upgrade to websocket needs a `Sec-WebSocket-Key` of 16 bytes in base64";
        return Err(Whole::sentence(400, text));
    };
    Ok(vec![
        ("Upgrade", "websocket".into()),
        ("Connection", "Upgrade".into()),
        ("Sec-WebSocket-Accept", derive_accept_key(key.as_bytes())),
    ])
}

/// Whether `key` is 16 bytes in base64: 22 characters that mean something and two `=`.
fn is_key(key: &str) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.strip_suffix("==")
        .is_some_and(|digits| digits.len() == 22 && digits.bytes().all(base64))
}

/// Answers a request, and gives the connection back if it may be kept.
pub type Handler = dyn Fn(Exchange) -> BoxedLocal<io::Result<Option<Connection>>>;

/// Serves one connection to its end: each request goes to `handle`.
///
/// # Errors
/// When the client breaks off; it ends this connection only.
pub async fn serve(
    mut connection: Connection,
    shutdown: &Shutdown,
    handle: &Handler,
) -> io::Result<()> {
    loop {
        let stopped = async {
            shutdown.wait().await;
            Ok(None)
        };
        let request = match future::or(connection.read_head(), stopped).await? {
            Some(Ok(request)) => request,
            Some(Err(status)) => {
                connection.refuse(Whole::bare(status)).await?;
                return Ok(());
            }
            None => return Ok(()),
        };
        let (keep_alive, body) = (request.keep_alive, request.body);
        let Some(kept) = handle(Exchange {
            request,
            connection,
            shared: Fields::new(),
        })
        .await?
        else {
            return Ok(());
        };
        connection = kept;
        if !keep_alive || !connection.skip_body(body).await? {
            break;
        }
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
    pub async fn refuse(&self, Whole(status, mut fields, body): Whole) -> io::Result<()> {
        fields.push(("Content-Length", body.len().to_string()));
        fields.push(("Connection", "close".into()));
        let mut bytes = head::response(status, &fields);
        bytes.extend_from_slice(&body);
        write(&self.socket, &bytes).await?;
        part(&self.socket).await;
        Ok(())
    }

    /// The next request, the status to refuse it with, or `None` where the client has left.
    async fn read_head(&mut self) -> io::Result<Option<Result<Request, Status>>> {
        let mut socket = &self.socket;
        let unread = &mut self.unread;
        let mut deadline = None;
        loop {
            match head::parse(unread) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        assert!(is_key("dGhlIHNhbXBsZSBub25jZQ=="));
        for key in [
            "",
            "==",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZ===",
            "dGhlIHNhbXBsZSBub25jZQ==\n",
            "dGhlIHNhbXBsZSBub25j Q==",
        ] {
            assert!(!is_key(key), "{key:?}");
        }
    }
}
