//! At the door: what the gate says about a request, carried out.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::gate::wrong::{SPAN, Wrong};
use crate::gate::{self, Peer, Verdict};
use crate::http::{Fields, Request};
use crate::page;
use crate::route::{Answer, TEXT, bare, route, sentence};
use crate::server::Site;

/// How much of a name that a stranger sent is shown to him again, in characters.
const SHOWN_MAX: usize = 80;

/// Answers a request from `address`, if it may come in.
pub async fn answer(site: &Site, address: IpAddr, request: &Request) -> Answer {
    let now = Instant::now();
    let locked = site.wrong_keys.borrow().locked(address, now);
    let peer = Peer {
        address,
        locked: locked.is_some(),
        private: site.rules.minds_privacy(address) && site.sources.any_private().await,
    };
    let mut answer = match gate::admit(request, &peer, &site.rules) {
        Verdict::In => route(site, request).await,
        Verdict::Misdirected => misdirected(request),
        Verdict::Foreign => foreign(request),
        Verdict::Locked => too_many(locked.unwrap_or(SPAN)),
        Verdict::Preflight => Answer::Whole(204, gate::preflight(), b"".into()),
        Verdict::Unknown(wrong) => {
            if site.wrong_keys.borrow_mut().note(address, &wrong, now) {
                (site.say)(&format!(
                    "too many wrong keys from `{address}`: nobody there is listened to for a minute"
                ));
            }
            unknown(&wrong)
        }
        Verdict::Strip { location, cookie } => stripped(location, cookie),
    };
    answer.add(site.rules.shared(request));
    answer
}

fn misdirected(request: &Request) -> Answer {
    let host = shown(request.authority.as_deref());
    sentence(
        421,
        &format!("this server does not answer to `{host}`; its owner can add a name with `--host`"),
    )
}

fn foreign(request: &Request) -> Answer {
    let origin = shown(request.field("Origin"));
    sentence(
        403,
        &format!("a page of `{origin}` may not connect; its owner can allow one with `--origin`"),
    )
}

fn too_many(left: Duration) -> Answer {
    let seconds = left.as_secs() + 1;
    let mut answer = sentence(
        429,
        "too many wrong keys came from your address; wait a minute",
    );
    answer.add(vec![("Retry-After", seconds.to_string())]);
    answer
}

/// The page that asks for the key: a form that comes back with `?key=`.
fn unknown(wrong: &Wrong) -> Answer {
    let Some(page) = page::asset("key.html") else {
        return bare(401);
    };
    let mut text = String::from_utf8_lossy(page.content).into_owned();
    if wrong.said > 0 {
        text = text.replacen(
            "<form>",
            "<p role=\"alert\">That is not the key.</p>\n<form>",
            1,
        );
    }
    let mut fields = no_store(page.media);
    fields.push(("WWW-Authenticate", "Bearer".to_owned()));
    Answer::Whole(401, fields, text.into_bytes().into())
}

fn stripped(location: String, cookie: Option<String>) -> Answer {
    let mut fields = no_store(TEXT);
    fields.push(("Location", location));
    fields.extend(cookie.map(|cookie| ("Set-Cookie", cookie)));
    Answer::Whole(303, fields, b"the same page without the key\n".into())
}

fn no_store(media: &str) -> Fields {
    vec![
        ("Content-Type", media.to_owned()),
        ("Cache-Control", "no-store".to_owned()),
    ]
}

fn shown(text: Option<&str>) -> String {
    text.unwrap_or_default()
        .chars()
        .take(SHOWN_MAX)
        .collect::<String>()
        .escape_debug()
        .to_string()
}
