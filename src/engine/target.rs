//! Where an engine is, and who we are there, as it is written on the command line. Pure.

use std::fmt;

/// What is spoken with an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// MQTT 5, or 3.1.1.
    Mqtt,
    /// NATS with JetStream.
    Nats,
}

/// The schemes of URLs, each with its protocol and the port that it has by default.
const SCHEMES: [(&str, Protocol, u16); 2] = [
    ("nats", Protocol::Nats, 4222),
    ("mqtt", Protocol::Mqtt, 1883),
];

/// An engine's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What is spoken there.
    pub protocol: Protocol,
    /// A name or an address; that of IPv6 without its brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl Target {
    /// Whether `text` is meant for a URL of an engine.
    pub fn is_meant(text: &str) -> bool {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| SCHEMES.iter().any(|known| known.0 == scheme))
    }

    /// Reads `SCHEME://HOST[:PORT][/REST]`; gives REST, too.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn parse(text: &str) -> Result<(Self, &str), TargetError> {
        let (scheme, rest) = text.split_once("://").ok_or(TargetError::NoUrl)?;
        let known = SCHEMES.iter().find(|known| known.0 == scheme);
        let &(_, protocol, default) =
            known.ok_or_else(|| TargetError::Scheme(scheme.to_owned()))?;
        let (authority, rest) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(TargetError::Login);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(six) => six.split_once(']').ok_or(TargetError::NoHost)?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => default,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let port = digits.parse().ok().filter(|&port| port > 0);
                port.ok_or(TargetError::NoPort)?
            }
            _ => return Err(TargetError::NoPort),
        };
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(TargetError::NoHost);
        }
        let host = host.to_owned();
        Ok((
            Self {
                protocol,
                host,
                port,
            },
            rest,
        ))
    }

    /// Whether it is this machine itself.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.starts_with("127.") || self.host == "::1"
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = SCHEMES.iter().find(|known| known.1 == self.protocol);
        let scheme = scheme.map_or("", |known| known.0);
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

/// Why a text is no engine's URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetError {
    /// There is no `://`.
    NoUrl,
    /// Another scheme.
    Scheme(String),
    /// User or password stand in it.
    Login,
    /// No host that could be one.
    NoHost,
    /// No port that could be one.
    NoPort,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUrl => write!(f, "expected a URL such as nats://hub:4222"),
            Self::Scheme(scheme) if scheme == "mqtts" => write!(
                f,
                "there is no TLS of its own here; a broker beside the board speaks it upwards as a bridge, and mqtt://localhost reaches that"
            ),
            Self::Scheme(scheme) if scheme == "tls" || scheme == "wss" => {
                write!(
                    f,
                    "there is no TLS of its own here; a leaf node beside the board speaks it upwards, and nats://localhost reaches that"
                )
            }
            Self::Scheme(scheme) => {
                let known: Vec<&str> = SCHEMES.iter().map(|known| known.0).collect();
                let known = known.join("://, ");
                write!(f, "`{scheme}://` is not spoken here, but {known}:// is")
            }
            Self::Login => write!(
                f,
                "others on this machine can read the command line; write USER:PASSWORD into a file of your own and name it with `--credentials`"
            ),
            Self::NoHost => write!(f, "there is no host in it; expected nats://HOST:PORT"),
            Self::NoPort => write!(f, "its port must be a number from 1 to 65535"),
        }
    }
}

/// Who we are to an engine.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// A name and a password.
    User(String, String),
    /// One secret without a name.
    Token(String),
}

impl Login {
    /// Reads `USER:PASSWORD`, or a token, which holds no colon.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.starts_with("-----BEGIN") {
            return Err(
                "holds keys of NATS's operator mode, which is not spoken here; expected USER:PASSWORD or a token",
            );
        }
        if text.trim().is_empty() {
            return Err("is empty; expected USER:PASSWORD or a token");
        }
        if text.chars().any(char::is_control) {
            return Err("holds more than one line; expected USER:PASSWORD or a token");
        }
        Ok(match text.split_once(':') {
            Some((user, password)) => Self::User(user.to_owned(), password.to_owned()),
            None => Self::Token(text.to_owned()),
        })
    }
}

/// A secret is not shown, not by accident either.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (text, host, port, rest, shown) in [
            ("nats://hub", "hub", 4222, "", "nats://hub:4222"),
            ("nats://hub:4333/", "hub", 4333, "", "nats://hub:4333"),
            (
                "nats://10.0.0.1/tailcast.*.a",
                "10.0.0.1",
                4222,
                "tailcast.*.a",
                "nats://10.0.0.1:4222",
            ),
            ("nats://[::1]:5", "::1", 5, "", "nats://[::1]:5"),
            ("mqtt://hub", "hub", 1883, "", "mqtt://hub:1883"),
        ] {
            let (target, found) = Target::parse(text).unwrap();
            assert_eq!(
                (target.host.as_str(), target.port, found),
                (host, port, rest)
            );
            assert_eq!(target.to_string(), shown);
        }
        for (text, want) in [
            ("hub:4222", "expected a URL"),
            ("tls://hub", "leaf node"),
            ("mqtts://hub", "bridge"),
            ("http://hub", "`http://` is not spoken"),
            ("nats://me:secret@hub", "--credentials"),
            ("nats://", "no host"),
            ("nats://:4222", "no host"),
            ("nats://[::1", "no host"),
            ("nats://h ub", "no host"),
            ("nats://hub:", "port"),
            ("nats://hub:0", "port"),
            ("nats://hub:65536", "port"),
            ("nats://hub:+1", "port"),
            ("nats://[::1]x", "port"),
        ] {
            let error = Target::parse(text).unwrap_err().to_string();
            assert!(
                error.contains(want) && !error.contains("secret"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn logins() {
        let user = |user: &str, password: &str| Login::User(user.into(), password.into());
        assert_eq!(Login::parse("pi1:a:b"), Ok(user("pi1", "a:b")));
        assert_eq!(Login::parse("s3cret"), Ok(Login::Token("s3cret".into())));
        for text in ["", " ", "a\nb", "-----BEGIN NATS USER JWT-----\nx"] {
            assert!(Login::parse(text).is_err(), "{text:?}");
        }
        assert!(!format!("{:?}", user("pi1", "secret")).contains("secret"));
    }
}
