//! The door: who is let in over the wire, and what the others hear.

use crate::browser::Browser;
use crate::client::Plain;
use crate::folder::Folder;
use crate::http::{Answer, Connection, get};
use crate::server::Server;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

pub const KEY: &str = "correct horse/battery";
pub const ENCODED: &str = "correct%20horse%2Fbattery";

pub fn scene(args: &[&str]) -> (Folder, Server) {
    let folder = Folder::new();
    folder.append("hello\n");
    let server = Server::start(&[args, &[folder.arg()]].concat());
    (folder, server)
}

/// A GET with these header lines and no others.
pub fn ask(server: &Server, target: &str, lines: &[&str]) -> Answer {
    let mut connection = Connection::open(server);
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    connection.send(format!("GET {target} HTTP/1.1\r\n{lines}\r\n"));
    connection.answer()
}

/// The key in the banner's links.
pub(super) fn key(server: &Server) -> String {
    let banner = server.banner().join("\n");
    let (_, rest) = banner.split_once("?key=").expect("a key in a link");
    rest.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_key_of_the_user_s_is_asked_of_everyone() {
    let (_folder, server) = scene(&["--key", KEY]);
    for target in [
        "/",
        "/stream",
        "/stream/app.log",
        "/sources",
        "/health",
        "/metrics",
        "/page.js",
        "/nothing",
    ] {
        let answer = get(&server, target);
        assert_eq!(answer.status, 401, "{target}");
        assert_eq!(answer.header("WWW-Authenticate"), Some("Bearer"));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        assert!(
            answer.text().contains("<input name=\"key\""),
            "{target}: {answer:?}"
        );
    }
    let mut connection = Connection::open(&server);
    assert_eq!(connection.ask_for_upgrade("/stream", "").status, 401);
    // On the same connection: it is kept.
    let bearer = format!("Authorization: Bearer {KEY}\r\n");
    assert_eq!(
        connection.request("GET", "/stream", &bearer).text(),
        "hello\n"
    );
    let target = format!("/stream?key={ENCODED}");
    assert_eq!(connection.get(&target).text(), "hello\n");
    assert_eq!(Plain::connect(&server, &target).line(), "hello");
}

/// A link is opened: the key moves from the address into a cookie.
#[test]
fn a_link_becomes_a_cookie() {
    let (_folder, server) = scene(&["--key", KEY]);
    let port = server.addr().port();
    let answer = get(&server, &format!("/?key={ENCODED}&stream=app.log"));
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("Location"), Some("./?stream=app.log"));
    let cookie = format!("tailcast-{port}={ENCODED}");
    let set = format!("{cookie}; HttpOnly; SameSite=Lax");
    assert_eq!(answer.header("Set-Cookie"), Some(set.as_str()));
    assert!(!answer.text().contains("horse"));

    let mut connection = Connection::open(&server);
    let with_cookie = format!("Cookie: a=b; {cookie}\r\n");
    assert_eq!(
        connection
            .request("GET", "/?stream=app.log", &with_cookie)
            .status,
        200
    );
    assert_eq!(
        connection.request("GET", "/sources", &with_cookie).status,
        200
    );
    assert_eq!(
        connection.ask_for_upgrade("/stream", &with_cookie).status,
        101
    );
    // A plain stream that is opened in a browser is a page, too.
    let mut connection = Connection::open(&server);
    let answer = connection.request(
        "GET",
        &format!("/stream/app.log?key={ENCODED}"),
        "Accept: text/html,*/*\r\n",
    );
    assert_eq!(
        (answer.status, answer.header("Location")),
        (303, Some("./app.log"))
    );
}

#[test]
fn three_ways_to_give_a_key() {
    let folder = Folder::new();
    folder.append("hello\n");
    let file = folder.path("key");
    fs::write(&file, format!("{KEY}\n")).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let by_file = format!("--key-file={}", file.display());
    let from_environment = ["env", &format!("TAILCAST_KEY={KEY}")];
    for (before, args) in [
        (&[][..], &["--key", KEY][..]),
        (&[], &[&by_file]),
        (&from_environment, &[]),
        (&["env", "TAILCAST_KEY=another"], &["--key", KEY]),
    ] {
        let server = Server::start_under(before, &[args, &[folder.arg()]].concat());
        assert_eq!(key(&server), ENCODED);
        assert_eq!(get(&server, "/health").status, 401, "{args:?}");
        assert_eq!(
            get(&server, &format!("/health?key={ENCODED}")).status,
            200,
            "{args:?}"
        );
    }
}

/// A key made at start is for others: who is on the board can read the file anyway, if everybody
/// there can.
#[test]
fn a_key_made_at_start_is_not_asked_on_the_board_itself() {
    let (folder, server) = scene(&[]);
    assert_eq!(get(&server, "/stream").text(), "hello\n");
    let key = key(&server);
    let mut connection = Connection::open(&server);
    for line in [
        "Forwarded: for=192.0.2.7\r\n",
        "X-Forwarded-For: 192.0.2.7\r\n",
    ] {
        assert_eq!(
            connection.request("GET", "/stream", line).status,
            401,
            "{line}"
        );
        let answer = connection.request("GET", &format!("/stream?key={key}"), line);
        assert_eq!(answer.status, 200, "{line}");
    }
    // As soon as others on the board may not read it, they need the key.
    for (mode, status) in [(0o640, 401), (0o600, 401), (0o644, 200)] {
        fs::set_permissions(&folder.log, Permissions::from_mode(mode)).unwrap();
        assert_eq!(get(&server, "/health").status, status, "{mode:o}");
        assert_eq!(
            get(&server, &format!("/health?key={key}")).status,
            200,
            "{mode:o}"
        );
    }
}

/// The key is shown in the links of the banner and nowhere else.
#[test]
fn the_key_is_told_to_nobody() {
    let (_folder, mut server) = scene(&["--key", KEY, "--verbose"]);
    for target in [
        format!("/?key={ENCODED}"),
        format!("/nothing?key={ENCODED}"),
        "/?key=horse".to_owned(),
    ] {
        get(&server, &target);
    }
    let metrics = get(&server, &format!("/metrics?key={ENCODED}")).text();
    let sources = get(&server, &format!("/sources?key={ENCODED}")).text();
    let ended = server.stop();
    for (place, text) in [
        ("metrics", metrics),
        ("sources", sources),
        ("standard error", ended.stderr),
    ] {
        assert!(!text.contains("horse"), "{place}: {text}");
    }
    let shown = ended.stdout.iter().filter(|line| line.contains("horse"));
    assert!(
        shown.clone().all(|line| line.starts_with("open http://")),
        "{:?}",
        ended.stdout
    );
    assert!(shown.count() > 0);
}

#[test]
fn a_browser_with_a_key() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    folder.append("hello\n");
    let file = folder.path("key");
    let write_key = |key: &str| {
        fs::write(&file, key).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    };
    write_key(KEY);
    let by_file = format!("--key-file={}", file.display());
    let mut server = Server::start(&[&by_file, folder.arg()]);
    let asks = "!!document.querySelector('input[name=key]')";
    let heading = "document.querySelector('h1')?.textContent";
    let shows_hello = "document.getElementById('rows')?.textContent.includes('hello')";
    // Without it: a page with one field, which takes it.
    browser.go(&server.url("/"));
    browser.until("the page that asks", asks);
    let submit = |key: &str| {
        format!(
            "document.querySelector('input[name=key]').value = {}; document.querySelector('button').click(); true",
            serde_json::json!(key)
        )
    };
    browser.evaluate(&submit("wrong"));
    browser.until(
        "that it was wrong",
        "!!document.querySelector('[role=alert]')",
    );
    browser.evaluate(&submit(KEY));
    browser.until("the log", shows_hello);
    assert_eq!(browser.evaluate("location.href"), server.url("/"));
    assert_eq!(
        browser.evaluate("document.cookie"),
        "",
        "the cookie is HttpOnly"
    );
    assert_eq!(browser.evaluate("history.length > 0"), true);
    assert!(browser.evaluate(heading).is_string());
    // With it, by a link: nothing of it stays in the address.
    browser.go("about:blank");
    browser.go(&server.url(&format!("/?key={ENCODED}&stream=app.log")));
    browser.until("the log", shows_hello);
    assert_eq!(
        browser.evaluate("location.href"),
        server.url("/?stream=app.log")
    );
    // And it lasts.
    browser.go(&server.url("/"));
    browser.until("the log", shows_hello);
    // Until there is another: then the open page asks for that.
    write_key("another");
    server.restart();
    browser.until("the page that asks", asks);
    browser.evaluate(&submit("another"));
    browser.until("the log", shows_hello);
}
