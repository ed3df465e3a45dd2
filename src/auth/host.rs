//! Who is meant by a `Host` header, and which page an `Origin` header stands for.

use core::net::{IpAddr, Ipv6Addr};

/// A host as a URL names it (RFC 3986 section 3.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// An IP literal.
    Address(IpAddr),
    /// A name, lower case, without the dot that may end it.
    Name(String),
}

/// A host and a port, as in `pi.local:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The host.
    pub host: Host,
    /// The port, where one is said.
    pub port: Option<u16>,
}

impl Host {
    /// Reads a host that no port follows; IPv6 addresses stand in brackets. `None` for what no
    /// browser writes: other spellings of addresses (`127.1`, `0x7f000001`) are names here, and
    /// nobody's.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('[') {
            let address: Ipv6Addr = rest.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(address.into()));
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Address(IpAddr::V4(address)));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        (!name.is_empty() && name.bytes().all(letter))
            .then(|| Self::Name(name.to_ascii_lowercase()))
    }
}

impl Authority {
    /// Reads `HOST` or `HOST:PORT`. A user name before an `@` has no place in a `Host` (RFC 9110
    /// section 7.2).
    ///
    /// ```
    /// use tailcast::auth::host::Authority;
    /// assert_eq!(Authority::parse("PI.local.:8080"), Authority::parse("pi.local:8080"));
    /// assert_eq!(Authority::parse("pi@evil.example"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let host_ends = text.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match text[host_ends..].split_once(':') {
            Some((rest, port)) => (&text[..host_ends + rest.len()], port),
            None => (text, ""),
        };
        let port = match port {
            "" => None,
            _ if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(port.parse().ok()?),
            _ => return None,
        };
        Some(Self {
            host: Host::parse(host)?,
            port,
        })
    }
}

/// The origin of a page (RFC 6454), or what a client that is no browser says in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `http` for `ws`, too, and `https` for `wss`: the same server is meant.
    scheme: String,
    /// `None` where there is none, as in `file://`.
    host: Option<Host>,
    /// The scheme's own where none is said.
    port: Option<u16>,
}

impl Origin {
    /// Reads `SCHEME://HOST[:PORT]`, with nothing behind it, or `SCHEME://` alone where the scheme
    /// is not the web's, as in the `file://` of small WebSocket clients. `null`, the origin of
    /// pages that have none, is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        if scheme.is_empty() || !scheme.bytes().all(letter) {
            return None;
        }
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "ws" => "http".to_owned(),
            "wss" => "https".to_owned(),
            other => other.to_owned(),
        };
        let usual = usual_port(&scheme);
        if authority.is_empty() && usual.is_none() {
            return Some(Self {
                scheme,
                host: None,
                port: None,
            });
        }
        let Authority { host, port } = Authority::parse(authority)?;
        Some(Self {
            scheme,
            host: Some(host),
            port: port.or(usual),
        })
    }

    /// Whether pages of the server that `own` names, in a `Host` field, have this origin. The
    /// scheme may be either of the web's: we speak plain HTTP, a proxy before us perhaps not.
    pub fn is_of(&self, own: &Authority) -> bool {
        let usual = usual_port(&self.scheme);
        usual.is_some() && self.host.as_ref() == Some(&own.host) && self.port == own.port.or(usual)
    }
}

fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        let name = |text: &str| Some(Host::Name(text.to_owned()));
        let address = |text: &str| Some(Host::Address(text.parse().unwrap()));
        for (text, host, port) in [
            ("pi", name("pi"), None),
            ("PI.Local:8080", name("pi.local"), Some(8080)),
            ("pi.local.:8080", name("pi.local"), Some(8080)),
            ("pi:", name("pi"), None),
            ("192.168.1.5:80", address("192.168.1.5"), Some(80)),
            ("[::1]", address("::1"), None),
            ("[FE80::1]:8080", address("fe80::1"), Some(8080)),
            ("[::ffff:127.0.0.1]", address("::ffff:127.0.0.1"), None),
            // Not the addresses that they look like: no browser sends them.
            ("127.1", name("127.1"), None),
            ("127.0.0.1.", name("127.0.0.1"), None),
            ("0x7f000001", name("0x7f000001"), None),
        ] {
            let parsed = Authority::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((Some(parsed.host), parsed.port), (host, port), "{text}");
        }
        for text in [
            "",
            ".",
            ":80",
            "a b",
            "a/b",
            "a@b",
            "a:b@c",
            "a:+80",
            "a:65536",
            "a:1:2",
            "::1",
            "[::1",
            "[::1]x",
            "x[::1]",
            "[pi]",
            "[::1%eth0]",
            "p\u{456}",
            "a,b",
            "a%2eb",
            "a..]:1",
            "\0",
        ] {
            assert_eq!(Authority::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn origins() {
        let same = |a: &str, b: &str| Origin::parse(a).unwrap() == Origin::parse(b).unwrap();
        assert!(same("http://pi", "HTTP://PI:80"));
        assert!(same("https://pi:443", "https://pi"));
        assert!(same("http://[0:0::1]", "http://[::1]"));
        assert!(!same("http://pi", "https://pi"));
        assert!(!same("http://pi:443", "https://pi"));
        assert!(!same("http://pi", "http://pi:8080"));
        assert!(same("ws://pi:80", "http://pi"));
        assert!(same("file://", "FILE://"));
        assert!(!same("file://", "capacitor://localhost"));
        let is_of = |origin: &str, host: &str| {
            Origin::parse(origin)
                .unwrap()
                .is_of(&Authority::parse(host).unwrap())
        };
        for (origin, host, want) in [
            ("http://pi:8080", "pi:8080", true),
            ("ws://pi:8080", "pi:8080", true),
            ("http://pi", "pi", true),
            ("https://pi", "pi", true),
            ("wss://pi", "pi:443", true),
            ("http://pi", "pi:8080", false),
            ("http://pi:8081", "pi:8080", false),
            ("http://evil", "pi", false),
            ("file://", "pi", false),
            ("ftp://pi", "pi", false),
        ] {
            assert_eq!(is_of(origin, host), want, "{origin} at {host}");
        }
        for text in [
            "null",
            "",
            "pi",
            "//pi",
            "://pi",
            "http://",
            "http://pi/",
            "http://a http://b",
            "http://a@b",
            "*",
        ] {
            assert_eq!(Origin::parse(text), None, "{text:?}");
        }
    }
}
