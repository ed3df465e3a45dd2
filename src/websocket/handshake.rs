//! The server's side of the opening handshake (RFC 6455 section 4.2), as ways to answer an
//! [`Exchange`].

use std::io;

use async_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::http::close::write;
use crate::http::connection::{Connection, Exchange};
use crate::http::head::Request;
use crate::http::response::{Fields, Response, response};
use crate::websocket::session::Session;

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
    /// Takes WebSockets and ordinary requests both. `message_max`: the longest message that the
    /// client may send, in bytes.
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

    /// Insists on WebSocket: an ordinary request is answered 426. `Err` holds the connection that
    /// was answered.
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

    /// Switches to WebSocket with the `fields` that the handshake gave.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn upgrade(self, fields: &Fields, message_max: usize) -> io::Result<Session> {
        let Connection { socket, unread, .. } = self.connection;
        write(&socket, &response(101, fields, "")).await?;
        Ok(Session::new(socket, unread, message_max).await)
    }
}

/// The answer to one who should have asked for WebSocket (RFC 9110 section 15.5.22).
pub(crate) fn upgrade_required() -> Response {
    Response::sentence(426, "this is a websocket; ask with `Upgrade: websocket`")
        .with("Upgrade", "websocket")
        .with("Connection", "Upgrade")
}

/// The server's side of the opening handshake (RFC 6455 section 4.2): the fields of the 101, or the
/// refusal.
///
/// # Errors
/// 400 where the request breaks the rules, 426 where it speaks another version.
pub(crate) fn handshake(request: &Request) -> Result<Fields, Response> {
    // A body would be taken for frames.
    let has_body = request.body > 0 || request.field("Transfer-Encoding").is_some();
    if !request.is_websocket() || has_body {
        let text = "an upgrade to websocket needs GET, HTTP/1.1, `Connection: Upgrade` and no body";
        return Err(Response::sentence(400, text));
    }
    if request.field("Sec-WebSocket-Version") != Some("13") {
        let refusal = Response::sentence(426, "websocket version 13 is spoken here");
        return Err(refusal
            .with("Sec-WebSocket-Version", "13")
            .with("Upgrade", "websocket")
            .with("Connection", "Upgrade"));
    }
    let Some(key) = request.field("Sec-WebSocket-Key").filter(|key| is_key(key)) else {
        let text = "an upgrade to websocket needs a `Sec-WebSocket-Key` of 16 bytes in base64";
        return Err(Response::sentence(400, text));
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
