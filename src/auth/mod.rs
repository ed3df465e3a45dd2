//! Who may come in: `Host`, `Origin` and key of one request against the rules. Pure: no runtime, no
//! file, no socket.

pub mod guesses;
pub mod host;
pub mod key;
#[cfg(test)]
mod tests;

use core::net::IpAddr;

use crate::http::head::{Request, decode};
use crate::http::response::Fields;
use guesses::Wrong;
use host::{Authority, Host, Origin};
use key::{Credential, Key};

/// What this server asks of its visitors.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The names that it answers to, beside every IP literal.
    pub names: Vec<Host>,
    /// The pages that may connect, beside its own.
    pub origins: Vec<Origin>,
    /// What a visitor must say; `None` where all may come in.
    pub key: Option<Key>,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The other end of the connection; an IPv4 address in its own form, not mapped into IPv6.
    pub address: IpAddr,
    /// It has said too many wrong keys.
    pub locked: bool,
    /// Some followed file is not everybody's to read on this machine.
    pub private: bool,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is served.
    In,
    /// 421: `Host` names another server. A page that has its own name resolve to this address (DNS
    /// rebinding) ends here.
    Misdirected,
    /// 403: a page of another site asks, by a script or a WebSocket.
    Foreign,
    /// 429: too many wrong keys came from there.
    Locked,
    /// 204: a browser asks whether a page of an allowed origin may ask (a CORS preflight). It can't
    /// say a key.
    Preflight,
    /// 401: no key, or only wrong ones.
    Unknown(Wrong),
    /// 303: the same page at `location`, without the key, which `cookie` keeps from now on.
    Strip {
        /// Relative, so that any sub-path of a proxy works.
        location: String,
        /// A `Set-Cookie` value, where the key was the right one.
        cookie: Option<String>,
    },
}

/// What a reverse proxy adds to a request that it passes on.
const FORWARDED: [&str; 2] = ["Forwarded", "X-Forwarded-For"];

/// Header fields of ours that a page of another origin may read.
const EXPOSED: &str =
    "Tailcast-Cursor, Tailcast-Lost, Tailcast-Missing, Content-Range, Retry-After";

/// Header fields that a page of another origin may send.
const ALLOWED: &str = "Authorization, Last-Event-ID, Prefer, Range";

/// How long a browser may go by the answer to a preflight, in seconds.
const PREFLIGHT_AGE: &str = "600";

/// Decides about one request: `Host` first, then `Origin`, the lock, the preflight, the key.
pub fn admit(request: &Request, peer: &Peer, rules: &Rules) -> Verdict {
    let is_said = !request.host.is_empty() || request.field("Host").is_some();
    let authority = is_said.then(|| Authority::parse(&request.host));
    let authority = match authority {
        // HTTP/1.0 without a `Host`: no browser, so no page that was led here.
        None => None,
        Some(Some(authority)) if rules.answers_to(&authority.host) => Some(authority),
        Some(_) => return Verdict::Misdirected,
    };
    let cookie = cookie_name(authority.as_ref());
    let is_own = |origin: &Origin| authority.as_ref().is_some_and(|own| origin.is_of(own));
    let mut origins = request.fields("Origin").map(Origin::parse);
    if !origins.all(|origin| {
        origin.is_some_and(|origin| is_own(&origin) || rules.origins.contains(&origin))
    }) {
        return Verdict::Foreign;
    }
    if peer.locked {
        return Verdict::Locked;
    }
    if request.method == "OPTIONS"
        && request.field("Access-Control-Request-Method").is_some()
        && !rules.shared(request).is_empty()
    {
        return Verdict::Preflight;
    }
    let mut knows = false;
    if let Some(key) = &rules.key {
        let mut wrong = Wrong::default();
        for credential in key::credentials(request, &cookie) {
            match credential {
                Credential::Given(text) | Credential::Cookie(text) if key.fits(&text) => {
                    knows = true
                }
                Credential::Given(_) => wrong.given += 1,
                Credential::Cookie(text) => wrong.cookies.push(text.into_owned()),
            }
        }
        if !knows && rules.asks(request, peer) {
            return Verdict::Unknown(wrong);
        }
    }
    if !is_page_link(request) {
        return Verdict::In;
    }
    let key = rules.key.as_ref().filter(|_| knows);
    Verdict::Strip {
        location: stripped(request),
        cookie: key.map(|key| set_cookie(&cookie, key, request)),
    }
}

impl Rules {
    fn answers_to(&self, host: &Host) -> bool {
        matches!(host, Host::Address(_)) || self.names.contains(host)
    }

    /// Whether this request needs a key. One made at start is not asked of programs on the board
    /// itself, which could read the file anyway; what a proxy there passes on is not theirs.
    fn asks(&self, request: &Request, peer: &Peer) -> bool {
        let from_here = peer.address.is_loopback() && !is_forwarded(request);
        match &self.key {
            None => false,
            Some(key) => !(key.made && from_here && !peer.private),
        }
    }

    /// Whether anything depends on [`Peer::private`], which costs a look at the files.
    pub fn minds_privacy(&self, address: IpAddr) -> bool {
        address.is_loopback() && self.key.as_ref().is_some_and(|key| key.made)
    }

    /// What an answer to a page of an allowed origin carries, whatever else it says (the Fetch
    /// standard, section 3.3).
    pub fn shared(&self, request: &Request) -> Fields {
        let origin = request.field("Origin").filter(|origin| {
            Origin::parse(origin).is_some_and(|origin| self.origins.contains(&origin))
        });
        origin.map_or_else(Vec::new, |origin| {
            vec![
                ("Access-Control-Allow-Origin", origin.to_owned()),
                ("Access-Control-Allow-Credentials", "true".to_owned()),
                ("Access-Control-Expose-Headers", EXPOSED.to_owned()),
                ("Vary", "Origin".to_owned()),
            ]
        })
    }
}

/// What the answer to a preflight carries beside [`Rules::shared`].
pub fn preflight() -> Fields {
    vec![
        ("Access-Control-Allow-Methods", "GET, HEAD".to_owned()),
        ("Access-Control-Allow-Headers", ALLOWED.to_owned()),
        ("Access-Control-Max-Age", PREFLIGHT_AGE.to_owned()),
    ]
}

/// How the visitor's browser came: we speak plain HTTP, a proxy before us perhaps not. No page can
/// set these fields on a WebSocket, nor on anything else without a preflight, which does not list
/// them.
fn scheme(request: &Request) -> &'static str {
    let forwarded = request.list("Forwarded").flat_map(|hop| hop.split(';'));
    let mut proto = forwarded.filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("proto")
            .then(|| value.trim_matches('"'))
    });
    let said = proto
        .next()
        .or_else(|| request.list("X-Forwarded-Proto").next());
    match said {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        _ => "http",
    }
}

/// Cookies know no ports (RFC 6265 section 8.5): two servers on one board would overwrite each
/// other's.
fn cookie_name(authority: Option<&Authority>) -> String {
    match authority.and_then(|authority| authority.port) {
        Some(port) => format!("tailcast-{port}"),
        None => "tailcast".to_owned(),
    }
}

/// For all of this server, also where the link led to one stream. Else no `Path`: the browser takes
/// the folder of the link, which is right under any sub-path of a proxy (RFC 6265 section 5.1.4).
fn set_cookie(name: &str, key: &Key, request: &Request) -> String {
    let secure = if scheme(request) == "https" {
        "; Secure"
    } else {
        ""
    };
    let is_below = request.path.matches('/').count() > 1;
    let path = if is_below && !is_forwarded(request) {
        "; Path=/"
    } else {
        ""
    };
    format!(
        "{name}={}; HttpOnly; SameSite=Lax{secure}{path}",
        key.encoded()
    )
}

fn is_forwarded(request: &Request) -> bool {
    FORWARDED.iter().any(|name| request.field(name).is_some())
}

/// Whether this is a link with a key in it that was opened as a page: the key must not stay in the
/// address bar.
fn is_page_link(request: &Request) -> bool {
    let takes_page = request.path == "/" || request.accepts("text/html");
    takes_page
        && matches!(request.method.as_str(), "GET" | "HEAD")
        && !request.asks_for_websocket()
        && request.raw_parameter("key").is_some()
}

/// The request's own URL, relative to itself, without its keys.
fn stripped(request: &Request) -> String {
    let (_, page) = request.path.rsplit_once('/').unwrap_or_default();
    let mut location = format!("./{page}");
    let is_key =
        |pair: &&str| decode(pair.split('=').next().unwrap_or_default()).as_deref() == Some("key");
    let pairs = request.query.as_deref().unwrap_or_default().split('&');
    for (number, pair) in pairs.filter(|pair| !is_key(pair)).enumerate() {
        location.push(if number == 0 { '?' } else { '&' });
        location.push_str(pair);
    }
    location
}
