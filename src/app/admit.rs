//! At the door: what the gate says about a request, carried out.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::app::page;
use crate::app::route::route;
use crate::app::state::App;
use crate::auth;
use crate::auth::guesses::{SPAN, Wrong};
use crate::auth::{Peer, Verdict};
use crate::http::connection::{Answered, Exchange};
use crate::http::head::Request;
use crate::http::response::Fields;
use crate::http::response::{Response, TEXT};

/// How much of a name that a stranger sent is shown to him again, in characters.
const SHOWN_MAX: usize = 80;

/// Serves a request, if it may come in; gives the connection back if it may be kept.
///
/// # Errors
/// When the connection is broken, or what is being sent can't be read any more.
pub(crate) async fn enter(app: Rc<App>, mut exchange: Exchange) -> io::Result<Answered> {
    let address = exchange.connection.address;
    let minds_privacy = app.rules.minds_privacy(address);
    let path = exchange.request.path.trim_start_matches('/');
    let looks_at_globs = minds_privacy && page::asset(path).is_none();
    if looks_at_globs {
        // What a glob has found since the last visit counts, too.
        app.sources.refresh().await;
    }
    let private = minds_privacy && app.sources.any_private().await;
    let now = Instant::now();
    let locked = app.wrong_keys.borrow().locked(address, now);
    let peer = Peer {
        address,
        locked: locked.is_some(),
        private,
    };
    exchange.shared = app.rules.shared(&exchange.request);
    let answer = match auth::admit(&exchange.request, &peer, &app.rules) {
        Verdict::In => {
            // Whom it lets in without a key, it lets in to what everybody on this machine may read.
            let private = Peer {
                private: true,
                ..peer
            };
            let without_key = minds_privacy
                && auth::admit(&exchange.request, &private, &app.rules) != Verdict::In;
            return route(app, exchange, looks_at_globs, without_key).await;
        }
        Verdict::Misdirected => misdirected(&exchange.request),
        Verdict::Foreign => foreign(&exchange.request),
        Verdict::Locked => too_many(locked.unwrap_or(SPAN)),
        Verdict::Preflight => Response::new(204, auth::preflight(), &b""[..]),
        Verdict::Unknown(wrong) => {
            if app.wrong_keys.borrow_mut().note(address, &wrong, now) {
                (app.say)(&format!(
                    "too many wrong keys from `{address}`: nobody there is listened to for a minute"
                ));
            }
            unknown(&wrong)
        }
        Verdict::Strip { location, cookie } => stripped(location, cookie),
    };
    exchange.answer(answer).await.map(Answered::Done)
}

fn misdirected(request: &Request) -> Response {
    let host = shown(&request.host);
    Response::sentence(
        421,
        &format!("this server does not answer to `{host}`; its owner can add a name with `--host`"),
    )
}

fn foreign(request: &Request) -> Response {
    let origin = shown(request.field("Origin").unwrap_or_default());
    Response::sentence(
        403,
        &format!("a page of `{origin}` may not connect; its owner can allow one with `--origin`"),
    )
}

fn too_many(left: Duration) -> Response {
    let seconds = left.as_secs() + 1;
    let text = "too many wrong keys came from your address; wait a minute";
    Response::sentence(429, text).with("Retry-After", seconds.to_string())
}

/// The page that asks for the key: a form that comes back with `?key=`.
fn unknown(wrong: &Wrong) -> Response {
    let Some(page) = page::asset("key.html") else {
        return Response::bare(401);
    };
    let mut text = String::from_utf8_lossy(&page.plain()).into_owned();
    if wrong.given > 0 {
        text = text.replacen(
            "<form>",
            "<p role=\"alert\">That is not the key.</p>\n<form>",
            1,
        );
    }
    let mut fields = no_store(page.media);
    fields.push(("WWW-Authenticate", "Bearer".to_owned()));
    Response::new(401, fields, text.into_bytes())
}

fn stripped(location: String, cookie: Option<String>) -> Response {
    let mut fields = no_store(TEXT);
    fields.push(("Location", location));
    fields.extend(cookie.map(|cookie| ("Set-Cookie", cookie)));
    Response::new(303, fields, &b"the same page without the key\n"[..])
}

fn no_store(media: &str) -> Fields {
    vec![
        ("Content-Type", media.to_owned()),
        ("Cache-Control", "no-store".to_owned()),
    ]
}

fn shown(text: &str) -> String {
    text.chars()
        .take(SHOWN_MAX)
        .collect::<String>()
        .escape_debug()
        .to_string()
}
