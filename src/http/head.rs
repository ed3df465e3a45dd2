//! HTTP/1.1 heads: bytes into a request, a response into bytes (RFC 9110, RFC 9112).
//! Pure: no runtime, no file, no socket.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::http::response::Status;

/// The longest request head, in bytes. Browsers send one or two KiB; what is longer is no visitor
/// of ours.
pub const HEAD_MAX: usize = 8 * 1024;
/// The most header fields in a head. A browser behind two proxies sends some thirty.
const FIELDS_MAX: usize = 64;
/// The longest request body that is read over so that its connection can be kept, in bytes. Nothing
/// here takes one.
pub const BODY_MAX: u64 = 64 * 1024;

/// The head of a request, checked.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// As sent: `GET`, `HEAD` or another token.
    pub method: String,
    /// Whom the request is for: of an absolute-form target, else of the `Host` field (RFC 9112
    /// section 3.2.2); empty in HTTP/1.0 without either.
    pub host: String,
    /// The target's path, still percent-encoded.
    pub path: String,
    /// What stands behind the `?`.
    pub query: Option<String>,
    /// Length of the body that follows the head, in bytes.
    pub body: u64,
    /// Whether the connection may serve another request (RFC 9112 section 9.3).
    pub keep_alive: bool,
    /// HTTP/1.1, not 1.0.
    pub one_one: bool,
    fields: Vec<(String, String)>,
}

impl Request {
    /// The value of the first header field `name`, whatever its case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|field| field.0.eq_ignore_ascii_case(name))
            .map(|field| field.1.as_str())
    }

    /// The values of all header fields `name`, whatever its case.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        self.fields
            .iter()
            .filter(named)
            .map(|field| field.1.as_str())
    }

    /// Whether the comma-separated list in the header fields `name` holds `token`, whatever its
    /// case.
    pub fn lists(&self, name: &str, token: &str) -> bool {
        self.list(name).any(|item| item.eq_ignore_ascii_case(token))
    }

    /// The items of the comma-separated list in the header fields `name` (RFC 9110 section 5.6.1).
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields(name)
            .flat_map(|value| value.split(','))
            .map(str::trim)
    }

    /// The value of the query parameter `name`, percent-decoded; empty for a parameter without `=`.
    pub fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = self.raw_parameter(name)?;
        Some(decode(value).unwrap_or(Cow::Borrowed("\u{fffd}")))
    }

    /// The values of all query parameters that `named` has a word for, in order, each with its
    /// word. They are text that people type into forms: a `+` is a space there (WHATWG URL, section
    /// 5.1).
    pub fn parameters<T>(&self, named: impl Fn(&str) -> Option<T>) -> Vec<(T, String)> {
        let pairs = self.query.as_deref().unwrap_or_default().split('&');
        pairs
            .filter_map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                let value = value.replace('+', " ");
                let text = decode(&value).unwrap_or(Cow::Borrowed("\u{fffd}"));
                Some((named(&decode(key)?)?, text.into_owned()))
            })
            .collect()
    }

    /// As [`parameter`](Self::parameter), as it was sent, still percent-encoded.
    pub fn raw_parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.query.as_deref()?.split('&');
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find_map(|(key, value)| (decode(key)? == name).then_some(value))
    }

    /// Whether this is a WebSocket's opening handshake (RFC 6455 section 4.2.1).
    pub fn is_websocket(&self) -> bool {
        self.asks_for_websocket()
            && self.method == "GET"
            && self.one_one
            && self.lists("Connection", "upgrade")
    }

    /// Whether the client means a WebSocket, be its handshake right or wrong.
    pub fn asks_for_websocket(&self) -> bool {
        self.lists("Upgrade", "websocket")
    }

    /// The seconds that the client is ready to wait: `Prefer: wait=N` (RFC 7240 section 4.3). What
    /// can't be read is passed over, as there.
    pub fn preferred_wait(&self) -> Option<u64> {
        self.list("Prefer").find_map(|preference| {
            let (name, value) = preference.split(';').next()?.split_once('=')?;
            let value = value.trim().trim_matches('"');
            name.trim()
                .eq_ignore_ascii_case("wait")
                .then(|| whole_number(value))
                .flatten()
        })
    }

    /// Whether the client takes `media`, by name.
    pub fn accepts(&self, media: &str) -> bool {
        self.takes("Accept", media)
    }

    /// Whether the list in the header fields `name` has `wanted` with a weight that is not 0 (RFC
    /// 9110 section 12.4.2).
    pub fn takes(&self, name: &str, wanted: &str) -> bool {
        self.list(name).any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let named = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(wanted));
            let refused = |part: &str| {
                // `0`, `0.` or up to `0.000`: no need for floating point, which has tables of its
                // own.
                part.strip_prefix("q=")
                    .is_some_and(|weight| weight.trim_matches(['0', '.']).is_empty())
            };
            named && !parts.any(refused)
        })
    }
}

/// Digits and nothing else, as in `Content-Length` or a number of seconds; more than fits is as
/// many as fit.
pub fn whole_number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Percent-decodes `text` (RFC 3986 section 2.1); `None` where the bytes are not UTF-8.
pub fn decode(text: &str) -> Option<Cow<'_, str>> {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .ok()
}

/// Reads a head from the start of `bytes`: the request and the head's length, `None` where more is
/// needed, or the status to refuse it with.
///
/// ```
/// use tailcast::http::head::parse;
/// let head = b"GET /a?from=end HTTP/1.1\r\nHost: pi\r\n\r\n";
/// let (request, length) = parse(head).unwrap().unwrap();
/// assert_eq!((request.path.as_str(), length), ("/a", 38));
/// assert_eq!(request.parameter("from").as_deref(), Some("end"));
/// ```
pub fn parse(bytes: &[u8]) -> Result<Option<(Request, usize)>, Status> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut head = httparse::Request::new(&mut fields);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= HEAD_MAX => length,
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_MAX => return Ok(None),
        Ok(_) => return Err(over_limit(bytes)),
        Err(httparse::Error::TooManyHeaders) => return Err(431),
        Err(httparse::Error::Version) if names_version(bytes) => return Err(505),
        Err(_) => return Err(400),
    };
    let (Some(method), Some(target), Some(minor)) = (head.method, head.path, head.version) else {
        return Err(400);
    };
    let fields = head
        .headers
        .iter()
        .map(|field| {
            (
                field.name.to_owned(),
                String::from_utf8_lossy(field.value).into_owned(),
            )
        })
        .collect();
    let (host, path, query) = split_target(target, method)?;
    let mut request = Request {
        method: method.to_owned(),
        host: host.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        body: 0,
        keep_alive: false,
        one_one: minor == 1,
        fields,
    };
    // RFC 9112 section 3.2: exactly one Host, and HTTP/1.1 must have it.
    match request.fields("Host").count() {
        1 => {}
        0 if minor == 0 => {}
        _ => return Err(400),
    }
    if host.is_none() {
        request.host = request.field("Host").unwrap_or_default().to_owned();
    }
    let body = body_length(&request)?;
    request.body = body.unwrap_or(0);
    // A client that was told to expect a 100 and gets its answer at once may or may not send its
    // body.
    let unsure = body.is_none() || (request.body > 0 && request.lists("Expect", "100-continue"));
    request.keep_alive = request.one_one && !request.lists("Connection", "close") && !unsure;
    Ok(Some((request, length)))
}

/// Whether the request line ends in the version that it speaks. `GET /a b HTTP/1.1` does not: its
/// target holds a space (RFC 9112 section 3).
fn names_version(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| matches!(byte, b'\r' | b'\n'));
    let line = lines.find(|line| !line.is_empty()).unwrap_or_default();
    let mut words = line.split(|&byte| byte == b' ').skip(2);
    words.next().is_some_and(|word| word.starts_with(b"HTTP/")) && words.next().is_none()
}

/// 414 where the request line alone is over the limit, else 431 (RFC 6585 section 5).
fn over_limit(bytes: &[u8]) -> Status {
    let line = bytes
        .iter()
        .take(HEAD_MAX)
        .skip_while(|byte| matches!(byte, b'\r' | b'\n'));
    if line.copied().any(|byte| byte == b'\n') {
        431
    } else {
        414
    }
}

/// Origin-form, absolute-form or `OPTIONS *` (RFC 9112 section 3.2) into host, path and query.
fn split_target<'t>(
    target: &'t str,
    method: &str,
) -> Result<(Option<&'t str>, &'t str, Option<&'t str>), Status> {
    if target == "*" && method == "OPTIONS" {
        return Ok((None, target, None));
    }
    let scheme = target
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("http://"));
    let (host, target) = match scheme {
        Some(_) => {
            let end = target[7..]
                .find(['/', '?', '#'])
                .map_or(target.len(), |at| 7 + at);
            (Some(&target[7..end]), &target[end..])
        }
        None => (None, target),
    };
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    match (path, host) {
        (_, Some("")) => Err(400),
        ("", Some(_)) => Ok((host, "/", query)),
        _ if path.starts_with('/') => Ok((host, path, query)),
        _ => Err(400),
    }
}

/// The body's length, refusing every shape that two servers could read differently (RFC 9112
/// section 6.3). `None`: it is chunked, and nothing here has a use for it, so the connection ends
/// with the answer.
fn body_length(request: &Request) -> Result<Option<u64>, Status> {
    let mut lengths = request.fields("Content-Length");
    let length = lengths.next();
    if request.field("Transfer-Encoding").is_some() {
        let mut codings = request.list("Transfer-Encoding");
        // With a length beside it this is request smuggling (section 6.1).
        return match (codings.next(), codings.next()) {
            _ if length.is_some() || !request.one_one => Err(400),
            (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Ok(None),
            _ => Err(501),
        };
    }
    match (length, lengths.next()) {
        (None, _) => Ok(Some(0)),
        (Some(text), None) => match whole_number(text) {
            Some(length) if length <= BODY_MAX => Ok(Some(length)),
            Some(_) => Err(413),
            None => Err(400),
        },
        _ => Err(400),
    }
}
