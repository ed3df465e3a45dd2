//! The key: where a visitor says it, and whether it is the right one.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use subtle::ConstantTimeEq;

use crate::http::head::{Request, decode};

/// How many cookies of one request are tried: two where one server stands under a path of another,
/// as seen through a proxy. More would be a way to guess by the hundred.
const COOKIES_MAX: usize = 2;

/// What a visitor needs to come in. Never shown by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    text: String,
    /// Made by us at start, not chosen by the user: on the board itself it need not be said.
    pub made: bool,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("made", &self.made)
            .finish_non_exhaustive()
    }
}

impl Key {
    /// A key of the user's choice, or one `made` at start.
    pub fn new(text: String, made: bool) -> Self {
        Self { text, made }
    }

    /// As it stands in a URL's query or in a cookie.
    pub fn encoded(&self) -> String {
        utf8_percent_encode(&self.text, NON_ALPHANUMERIC).to_string()
    }

    /// Whether `said` is this key. The time that it takes tells the length at most.
    pub fn fits(&self, said: &str) -> bool {
        self.text.as_bytes().ct_eq(said.as_bytes()).into()
    }
}

/// One key that a request says.
#[derive(Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// By `?key=` or `Authorization`: somebody says it now.
    Given(Cow<'a, str>),
    /// By a cookie: a browser says it again and again.
    Cookie(Cow<'a, str>),
}

/// The keys that a request says, by `?key=`, by `Authorization: Bearer` (RFC 6750 section 2.1) and
/// by cookie.
pub fn credentials<'a>(
    request: &'a Request,
    cookie: &'a str,
) -> impl Iterator<Item = Credential<'a>> {
    let raw = request.raw_parameter("key");
    // A form writes a space as `+`, a person a plus.
    let spaced = raw
        .filter(|raw| raw.contains('+'))
        .map(|raw| raw.replace('+', "%20"));
    let query = raw
        .map(plain)
        .into_iter()
        .chain(spaced.map(|text| plain(&text).into_owned().into()));
    let bearer = request.field("Authorization").and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| Cow::Borrowed(key.trim()))
    });
    let kept = request
        .fields("Cookie")
        .flat_map(|value| value.split(';'))
        .filter_map(move |pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == cookie).then(|| Credential::Cookie(plain(value)))
        });
    query
        .chain(bearer)
        .map(Credential::Given)
        .chain(kept.take(COOKIES_MAX))
}

fn plain(text: &str) -> Cow<'_, str> {
    decode(text).unwrap_or(Cow::Borrowed(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head;

    #[test]
    fn what_is_said() {
        let now = |text: &'static str| Credential::Given(text.into());
        let kept = |text: &'static str| Credential::Cookie(text.into());
        for (head, want) in [
            ("GET / HTTP/1.1\r\n", vec![]),
            ("GET /?key HTTP/1.1\r\n", vec![now("")]),
            ("GET /?a=b&key=c%20d&key=e HTTP/1.1\r\n", vec![now("c d")]),
            ("GET /?key=a+b HTTP/1.1\r\n", vec![now("a+b"), now("a b")]),
            ("GET /?key=%ff HTTP/1.1\r\n", vec![now("%ff")]),
            (
                "GET / HTTP/1.1\r\nAuthorization: bearer  a=b \r\n",
                vec![now("a=b")],
            ),
            ("GET / HTTP/1.1\r\nAuthorization: Basic a\r\n", vec![]),
            (
                "GET / HTTP/1.1\r\nCookie: a=b; tailcast=c%3bd;tailcast-1=e\r\n",
                vec![kept("c;d")],
            ),
            (
                "GET /?key=1 HTTP/1.1\r\nAuthorization: Bearer 2\r\n\
                 Cookie: tailcast=3\r\nCookie: tailcast=4; tailcast=5\r\n",
                vec![now("1"), now("2"), kept("3"), kept("4")],
            ),
        ] {
            let head = format!("{head}Host: pi\r\n\r\n");
            let (request, _) = head::parse(head.as_bytes()).unwrap().unwrap();
            assert_eq!(
                credentials(&request, "tailcast").collect::<Vec<_>>(),
                want,
                "{head}"
            );
        }
    }

    #[test]
    fn only_the_same_fits_and_nothing_shows() {
        let key = Key::new("a secret; 100%".to_owned(), false);
        assert_eq!(key.encoded(), "a%20secret%3B%20100%25");
        assert!(key.fits("a secret; 100%"));
        for wrong in [
            "",
            "a",
            "a secret; 100",
            "a secret; 100%%",
            "A secret; 100%",
        ] {
            assert!(!key.fits(wrong), "{wrong:?}");
        }
        assert!(!format!("{key:?}").contains("secret"));
    }
}
