//! Answers: a status, header fields, a body, and their bytes.

use std::borrow::Cow;
use std::fmt::Write;

/// A status code (RFC 9110 section 15).
pub type Status = u16;

/// The words that go with a status on the status line and in a short body.
pub fn reason(status: Status) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        303 => "See Other",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        416 => "Range Not Satisfiable",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Unknown",
    }
}

/// Header fields of a response, in order.
pub type Fields = Vec<(&'static str, String)>;

/// What every answer carries: no guessing of types, no referrer, no frame, no other site.
const ALWAYS: &str = "X-Content-Type-Options: nosniff\r\n\
     Referrer-Policy: no-referrer\r\n\
     X-Frame-Options: DENY\r\n\
     Cross-Origin-Resource-Policy: same-origin\r\n";

/// What lets a page of `host` open WebSockets there: Safari before 15.4 does not count `ws:` as
/// `'self'`. Nothing for a text that is no host, which a stranger may send.
fn sockets(host: &str) -> String {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(letter) {
        return String::new();
    }
    format!("; connect-src 'self' ws://{host} wss://{host}")
}

/// A response's head (RFC 9112 section 4), with the blank line that ends it, for a client that
/// asked for `host`.
///
/// No `Date` is sent: a Raspberry Pi has no clock of its own and starts in the past (RFC 9110
/// section 6.6.1).
pub fn response(status: Status, fields: &Fields, host: &str) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {status} {}\r\nContent-Security-Policy: default-src 'self'{}\r\n{ALWAYS}",
        reason(status),
        sockets(host)
    );
    for (name, value) in fields {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// A plain-text body.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// An answer that is at hand: status, fields, body.
#[derive(Debug)]
pub struct Response {
    /// Its status.
    pub status: Status,
    /// Header fields, but for those that every answer carries.
    pub fields: Fields,
    /// The body; a HEAD is answered without it.
    pub body: Cow<'static, [u8]>,
}

impl Response {
    /// An answer of these parts.
    pub fn new(status: Status, fields: Fields, body: impl Into<Cow<'static, [u8]>>) -> Self {
        Self {
            status,
            fields,
            body: body.into(),
        }
    }

    /// A status with a sentence for a body.
    pub fn sentence(status: Status, text: &str) -> Self {
        Self::new(
            status,
            vec![("Content-Type", TEXT.into())],
            format!(
                "{text}
"
            )
            .into_bytes(),
        )
    }

    /// A status with its own name for a body.
    pub fn bare(status: Status) -> Self {
        Self::sentence(status, &reason(status).to_ascii_lowercase())
    }

    /// The same with one more field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}
