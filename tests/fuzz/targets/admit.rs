//! The gate: nobody comes in without the key, by a name that is not ours, or from a page that is
//! not ours.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use percent_encoding_of::decoded;
use tailcast::auth::{Peer, Rules, Verdict, admit};
use tailcast::auth::host::{Host, Origin};
use tailcast::auth::key::Key;
use tailcast::http::head::parse;

const KEY: &str = "sesame";
const NAMES: [&str; 2] = ["localhost", "pi.local"];
const ORIGIN: &str = "https://dash.example";

/// Percent-decoding by other code than the server's.
mod percent_encoding_of {
    /// Every `%XX` as its byte, as often as there are any, and `+` as a blank.
    pub fn decoded(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let hex = bytes
                .get(at + 1..at + 3)
                .and_then(|hex| std::str::from_utf8(hex).ok());
            match hex
                .filter(|_| bytes[at] == b'%')
                .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            {
                Some(byte) => {
                    out.push(byte);
                    at += 3;
                }
                None => {
                    out.push(bytes[at]);
                    at += 1;
                }
            }
        }
        out
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(Some((request, length))) = parse(bytes) else {
        return;
    };
    let head = &bytes[..length];
    let says_key = |head: &[u8]| head.windows(KEY.len()).any(|part| part == KEY.as_bytes());
    let knows = says_key(head) || says_key(&decoded(head));
    for (key, address, locked, private) in [
        (Some(false), "192.0.2.1", false, false),
        (Some(false), "127.0.0.1", false, false),
        (Some(true), "192.0.2.1", false, false),
        (Some(true), "::1", false, true),
        (Some(true), "::1", false, false),
        (Some(true), "127.0.0.1", true, false),
        (None, "192.0.2.1", false, false),
    ] {
        let rules = Rules {
            names: NAMES.iter().filter_map(|name| Host::parse(name)).collect(),
            origins: Origin::parse(ORIGIN).into_iter().collect(),
            key: key.map(|made| Key::new(KEY.to_owned(), made)),
        };
        let address: IpAddr = address.parse().unwrap();
        let verdict = admit(
            &request,
            &Peer {
                address,
                locked,
                private,
            },
            &rules,
        );
        let (comes_in, gets_key) = match &verdict {
            Verdict::In => (true, false),
            Verdict::Strip { location, cookie } => {
                assert!(
                    location.starts_with("./") && !location.contains(['\r', '\n']),
                    "{location:?}"
                );
                assert!(
                    !location[2..].split('?').next().unwrap().contains('/'),
                    "{location:?}"
                );
                (true, cookie.is_some())
            }
            _ => (false, false),
        };
        let excused = key.is_none() || key == Some(true) && address.is_loopback() && !private;
        assert!(!comes_in || knows || excused, "{verdict:?} without the key");
        assert!(
            !gets_key || knows,
            "the key is given to one who does not know it"
        );
        assert!(!(locked && comes_in), "{verdict:?} though locked");
        if comes_in || matches!(verdict, Verdict::Unknown(_) | Verdict::Preflight) {
            let host = request.host.to_ascii_lowercase();
            let named = host
                .rsplit_once(':')
                .map_or(host.as_str(), |(name, _)| name)
                .trim_end_matches('.');
            let literal = host.parse::<std::net::SocketAddr>().is_ok()
                || host.trim_end_matches(':').parse::<IpAddr>().is_ok()
                || named.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
                || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
            let ours =
                literal || NAMES.contains(&named) || NAMES.contains(&host.trim_end_matches('.'));
            assert!(
                ours || !request.one_one && request.field("Host").is_none(),
                "{host:?} is not ours"
            );
            for origin in request.fields("Origin") {
                let origin = origin.to_ascii_lowercase();
                let (_, page) = origin.split_once("://").expect("an origin");
                let name = |text: &str| {
                    text.split(':')
                        .next()
                        .unwrap()
                        .trim_end_matches('.')
                        .to_owned()
                };
                assert!(
                    page.starts_with('[')
                        || name(page) == "dash.example"
                        || name(page) == name(&host),
                    "{origin:?}"
                );
            }
        }
        let shared = rules.shared(&request);
        assert!(
            shared.is_empty() || shared[0].1.to_ascii_lowercase().starts_with(ORIGIN),
            "{shared:?}"
        );
    }
});
