//! The table of the gate: every visitor and every attack by name. A line is the status that it
//! gets, its name, the request line and the header fields.
//!
//! A status stands with its details: the wrong keys after a 401, `+cookie` where those were in
//! cookies; the location after a 303, `+cookie` where one is set. 200 says that the request is let
//! in.

use super::*;
use crate::http::head;

/// The visitor's address on the network at home.
const LAN: &str = "192.168.1.7";
const HERE: &str = "127.0.0.1";
const KEY: &str = "made-at-start";

fn rules(key: Option<Key>) -> Rules {
    let names = ["localhost", "pi", "pi.local", "pi.example"];
    Rules {
        names: names
            .iter()
            .map(|name| Host::parse(name).unwrap())
            .collect(),
        origins: vec![Origin::parse("https://dash.example").unwrap()],
        key,
    }
}

fn made() -> Rules {
    rules(Some(Key::new(KEY.to_owned(), true)))
}

fn given() -> Rules {
    rules(Some(Key::new(KEY.to_owned(), false)))
}

fn public() -> Rules {
    rules(None)
}

fn peer(address: &str) -> Peer {
    Peer {
        address: address.parse().unwrap(),
        locked: false,
        private: false,
    }
}

fn locked(address: &str) -> Peer {
    Peer {
        locked: true,
        ..peer(address)
    }
}

fn private(address: &str) -> Peer {
    Peer {
        private: true,
        ..peer(address)
    }
}

/// A request line and header fields, each behind a `|`.
fn request(line: &str) -> Request {
    let parts: Vec<&str> = line.split('|').map(str::trim).collect();
    let head = format!(
        "{} HTTP/1.1\r\n{}\r\n\r\n",
        parts[0],
        parts[1..].join("\r\n")
    );
    let parsed = head::parse(head.as_bytes());
    parsed
        .unwrap_or_else(|status| panic!("{line}: {status}"))
        .unwrap()
        .0
}

fn word(verdict: &Verdict) -> String {
    let cookie = |is_there: bool| if is_there { "+cookie" } else { "" };
    match verdict {
        Verdict::In => "200".to_owned(),
        Verdict::Misdirected => "421".to_owned(),
        Verdict::Foreign => "403".to_owned(),
        Verdict::Locked => "429".to_owned(),
        Verdict::Preflight => "204".to_owned(),
        Verdict::Unknown(wrong) => {
            format!("401 {}{}", wrong.given, cookie(!wrong.cookies.is_empty()))
        }
        Verdict::Strip {
            location,
            cookie: set,
        } => format!("303 {location} {}", cookie(set.is_some())),
    }
}

fn judge(rules: &Rules, peer: &Peer, table: &str) {
    let mut cases = 0;
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (status, rest) = line.split_once('|').expect(line);
        let (_, asked) = rest.split_once('|').expect(line);
        let verdict = word(&admit(&request(asked), peer, rules));
        assert_eq!(verdict.trim(), status.trim(), "{line}");
        cases += 1;
    }
    assert!(cases > 0);
}

#[test]
fn hosts() {
    let table = "
200 | an address typed by hand           | GET / | Host: 192.168.1.5:8080
200 | the same over IPv6                 | GET / | Host: [fd00::5]:8080
200 | an address mapped into IPv6        | GET / | Host: [::ffff:192.168.1.5]
200 | the board itself                   | GET / | Host: localhost:8080
200 | the board's name                   | GET / | Host: pi
200 | the board's name by mDNS           | GET / | Host: pi.local:8080
200 | the same in capitals               | GET / | Host: PI.LOCAL
200 | a name with its root's dot         | GET / | Host: pi.local.:8080
200 | a name of the user's               | GET / | Host: pi.example
200 | port forwarding                    | GET / | Host: pi.example:12345
200 | a proxy's absolute form            | GET http://pi.local/ | Host: pi.local
421 | DNS rebinding                      | GET / | Host: evil.example:8080
421 | DNS rebinding of a WebSocket       | GET /stream | Host: evil.example | Origin: http://evil.example
421 | DNS rebinding below our name       | GET / | Host: pi.local.evil.example
421 | DNS rebinding, our name as its end | GET / | Host: evil-pi.local
421 | DNS rebinding of a subdomain       | GET / | Host: a.localhost
421 | DNS rebinding with two dots        | GET / | Host: evil.example..
421 | our name as the user before an `@` | GET / | Host: pi.local@evil.example
421 | our name behind a user             | GET / | Host: a:b@pi.local
421 | a name that looks like an address  | GET / | Host: 127.0.0.1.nip.example
421 | an address with a root's dot       | GET / | Host: 127.0.0.1.
421 | an address in another spelling     | GET / | Host: 2130706433
421 | IPv6 without its brackets          | GET / | Host: ::1
421 | a name in brackets                 | GET / | Host: [pi]
421 | a port that is none                | GET / | Host: pi.local:evil
421 | two hosts in one field             | GET / | Host: pi.local, evil.example
421 | an empty host                      | GET / | Host:
421 | a foreign absolute form            | GET http://evil.example/ | Host: pi.local
";
    judge(&public(), &peer(LAN), table);
    let (old, _) = head::parse(b"GET / HTTP/1.0\r\n\r\n").unwrap().unwrap();
    let verdict = admit(&old, &peer(LAN), &public());
    assert_eq!(verdict, Verdict::In, "HTTP/1.0 without a host");
}

#[test]
fn origins() {
    let table = "
200 | our own page                 | GET /stream | Host: pi:8080 | Origin: http://pi:8080
200 | our own page, in capitals    | GET /stream | Host: PI:8080 | Origin: http://pi:8080
200 | our own page at port 80      | GET /stream | Host: pi | Origin: http://pi
200 | our own page over IPv6       | GET /stream | Host: [::1]:80 | Origin: http://[::1]
200 | our own page behind TLS      | GET /stream | Host: pi | Origin: https://pi | X-Forwarded-Proto: https
200 | the same by RFC 7239         | GET /stream | Host: pi | Origin: https://pi | Forwarded: for=1.2.3.4;proto=\"https\"
200 | an allowed page              | GET /stream | Host: pi:8080 | Origin: https://dash.example
200 | an allowed page and its port | GET /stream | Host: pi:8080 | Origin: https://dash.example:443
403 | WebSocket hijacking          | GET /stream | Host: pi | Origin: https://evil.example | Connection: Upgrade | Upgrade: websocket
403 | cross-site fetch             | GET /sources | Host: pi | Origin: https://evil.example
403 | cross-site form              | POST / | Host: pi | Origin: https://evil.example | Content-Length: 0
403 | cross-site HEAD              | HEAD / | Host: pi | Origin: https://evil.example
403 | cross-site preflight         | OPTIONS / | Host: pi | Origin: https://evil.example | Access-Control-Request-Method: GET
403 | a sandboxed frame            | GET /stream | Host: pi | Origin: null
403 | an empty origin              | GET /stream | Host: pi | Origin:
403 | another port of this board   | GET /stream | Host: pi:8080 | Origin: http://pi:3000
200 | its own behind a TLS proxy   | GET /stream | Host: pi | Origin: https://pi
403 | an allowed page without TLS  | GET /stream | Host: pi | Origin: http://dash.example
403 | below an allowed page        | GET /stream | Host: pi | Origin: https://a.dash.example
403 | an allowed name as a start   | GET /stream | Host: pi | Origin: https://dash.example.evil.example
403 | an allowed name as a user    | GET /stream | Host: pi | Origin: https://dash.example@evil.example
403 | another name of ours         | GET /stream | Host: pi | Origin: http://pi.local
403 | two origins, one of them our | GET /stream | Host: pi | Origin: http://pi | Origin: http://evil.example
204 | an allowed page asks first   | OPTIONS /stream | Host: pi | Origin: https://dash.example | Access-Control-Request-Method: GET
200 | OPTIONS that is no preflight | OPTIONS /stream | Host: pi | Origin: https://dash.example
";
    judge(&public(), &peer(LAN), table);
}

#[test]
fn keys() {
    let table = "
401 0 | no key                           | GET / | Host: pi
401 0 | no key for a WebSocket           | GET /stream | Host: pi | Connection: Upgrade | Upgrade: websocket
401 0 | no key for /health               | GET /health | Host: pi
401 0 | no key for what is not there     | GET /nothing | Host: pi
401 0 | no key for another method        | DELETE / | Host: pi
200   | a script with the key            | GET /stream | Host: pi | Authorization: Bearer made-at-start
200   | the same, scheme in lower case   | GET /stream | Host: pi | Authorization: bearer made-at-start
200   | curl with the key                | GET /stream?key=made-at-start | Host: pi
200   | a percent-encoded key            | GET /stream?key=made%2dat%2Dstart | Host: pi
200   | the page with its cookie         | GET / | Host: pi | Cookie: theme=dark; tailcast=made-at-start
200   | its cookie at a port             | GET / | Host: pi:8080 | Cookie: tailcast-8080=made-at-start
200   | a WebSocket with the key         | GET /?key=made-at-start | Host: pi | Connection: Upgrade | Upgrade: websocket
200   | yesterday's cookie and the key   | GET /stream?key=made-at-start | Host: pi | Cookie: tailcast=old
200   | another path's cookie first      | GET / | Host: pi | Cookie: tailcast=other; tailcast=made-at-start
401 0+cookie | yesterday's cookie        | GET / | Host: pi | Cookie: tailcast=old
401 0 | the cookie of another port       | GET / | Host: pi:8081 | Cookie: tailcast-8080=other
401 1 | a wrong key                      | GET /?key=guess | Host: pi
401 1 | an empty key                     | GET /?key= | Host: pi
401 1 | a key cut short                  | GET /?key=made-at-star | Host: pi
401 1 | a key in capitals                | GET /?key=MADE-AT-START | Host: pi
401 2 | two wrong keys                   | GET /?key=a | Host: pi | Authorization: Bearer b
401 0+cookie | guesses by the hundred    | GET / | Host: pi | Cookie: tailcast=1; tailcast=2; tailcast=made-at-start
401 0 | the key as a password            | GET / | Host: pi | Authorization: Basic made-at-start
401 0 | the key as a path                | GET /made-at-start | Host: pi
401 0 | an allowed page without the key  | GET /stream | Host: pi | Origin: https://dash.example
204   | a preflight can't say a key      | OPTIONS /stream | Host: pi | Origin: https://dash.example | Access-Control-Request-Method: GET
421   | the key at a wrong host          | GET /stream?key=made-at-start | Host: evil.example
403   | the key from a foreign page      | GET /stream?key=made-at-start | Host: pi | Origin: http://evil.example
";
    judge(&given(), &peer(LAN), table);
    judge(&made(), &peer(LAN), table);
}

#[test]
fn links_that_are_opened() {
    let table = "
303 ./ +cookie           | the banner's link             | GET /?key=made-at-start | Host: pi
303 ./?a=b&c=%26 +cookie | a link with more in it        | GET /?a=b&key=made-at-start&c=%26 | Host: pi
303 ./ +cookie           | a link with the key twice     | GET /?key=made-at-start&k%65y=made-at-start | Host: pi
303 ./a:b?from=end +cookie | a plain stream in a browser | GET /stream/a:b?key=made-at-start&from=end | Host: pi | Accept: text/html,*/*;q=0.8
200                      | a plain stream in curl        | GET /stream/a?key=made-at-start | Host: pi | Accept: */*
303 ./ +cookie           | an open redirect              | GET //evil.example/?key=made-at-start | Host: pi | Accept: text/html
303 ./\\e.example +cookie | an open redirect, backslash   | GET /\\e.example?key=made-at-start | Host: pi | Accept: text/html
303 ./%0d%0aX:1?%0d%0a +cookie | a smuggled header field | GET /%0d%0aX:1?key=made-at-start&%0d%0a | Host: pi | Accept: text/html
303 ./ +cookie           | an old link and the cookie    | GET /?key=old | Host: pi | Cookie: tailcast=made-at-start
401 1                    | an old link                   | GET /?key=old | Host: pi
";
    judge(&given(), &peer(LAN), table);
    let table = "303 ./ | a link with a key that nobody needs | GET /?key=x | Host: pi";
    judge(&public(), &peer(LAN), table);
    judge(&made(), &peer(HERE), table);
}

#[test]
fn what_the_cookie_is() {
    for (asked, want) in [
        (
            "Host: pi",
            "tailcast=made%2Dat%2Dstart; HttpOnly; SameSite=Lax",
        ),
        (
            "Host: pi:8080",
            "tailcast-8080=made%2Dat%2Dstart; HttpOnly; SameSite=Lax",
        ),
        (
            "Host: pi | X-Forwarded-Proto: https",
            "tailcast=made%2Dat%2Dstart; HttpOnly; SameSite=Lax; Secure",
        ),
    ] {
        let request = request(&format!("GET /?key=made-at-start | {asked}"));
        let Verdict::Strip { cookie, .. } = admit(&request, &peer(LAN), &given()) else {
            panic!("{asked}");
        };
        assert_eq!(cookie.as_deref(), Some(want));
    }
    for (asked, path) in [
        ("Host: pi | Accept: text/html", "; Path=/"),
        // Behind a proxy the folder of the link is what is known to be ours.
        (
            "Host: pi | Accept: text/html | X-Forwarded-For: 1.2.3.4",
            "",
        ),
    ] {
        let request = request(&format!("GET /stream/x?key=made-at-start | {asked}"));
        let Verdict::Strip { cookie, .. } = admit(&request, &peer(LAN), &given()) else {
            panic!("{asked}");
        };
        let want = format!("tailcast=made%2Dat%2Dstart; HttpOnly; SameSite=Lax{path}");
        assert_eq!(cookie, Some(want));
    }
}

#[test]
fn on_the_board_itself() {
    let table = "
200   | curl on the board          | GET /stream | Host: localhost:8080
200   | curl with an old key       | GET /stream?key=old | Host: localhost:8080
401 0 | a proxy on the board       | GET / | Host: localhost | Forwarded: for=1.2.3.4
401 0 | a proxy, the old way       | GET / | Host: localhost | X-Forwarded-For: 1.2.3.4
401 0 | a proxy that says nothing  | GET / | Host: localhost | x-forwarded-for:
200   | a proxy's visitor, his key | GET /x?key=made-at-start | Host: localhost | X-Forwarded-For: 1.2.3.4
421   | DNS rebinding to loopback  | GET / | Host: evil.example
403   | 0.0.0.0 day                | GET /stream | Host: 0.0.0.0:8080 | Origin: https://evil.example
";
    for address in [HERE, "127.3.2.1", "::1"] {
        judge(&made(), &peer(address), table);
    }
    let asked = "
401 0 | a visitor without a key | GET / | Host: localhost
200   | a visitor with the key  | GET /x?key=made-at-start | Host: localhost
";
    // A key of the user's is asked of everyone.
    judge(&given(), &peer(HERE), asked);
    // A stranger may say `localhost`, too.
    judge(&made(), &peer(LAN), asked);
    // A file that not everybody on the board may read.
    judge(&made(), &private(HERE), asked);
    // Who asks has to unmap addresses before.
    judge(&made(), &peer("::ffff:127.0.0.1"), asked);
}

#[test]
fn who_guessed_too_often() {
    let table = "
429 | a guesser                   | GET /?key=guess | Host: pi
429 | a guesser who got it right  | GET /?key=made-at-start | Host: pi
429 | a guesser without a key     | GET / | Host: pi
429 | a guesser's preflight       | OPTIONS / | Host: pi | Origin: https://dash.example | Access-Control-Request-Method: GET
421 | a guesser at the wrong host | GET / | Host: evil.example
";
    judge(&given(), &locked(LAN), table);
    judge(&made(), &locked(HERE), table);
}

#[test]
fn what_an_allowed_page_gets_to_know() {
    let shared = |line: &str| public().shared(&request(line));
    let fields = shared("GET / | Host: pi | Origin: https://dash.example");
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let want = [
        "Access-Control-Allow-Origin",
        "Access-Control-Allow-Credentials",
        "Access-Control-Expose-Headers",
        "Vary",
    ];
    assert_eq!(names, want);
    assert_eq!(fields[0].1, "https://dash.example");
    for origin in ["", "Origin: http://pi", "Origin: http://evil.example"] {
        let line = format!("GET / | Host: pi | {origin}");
        assert!(
            shared(line.trim_end_matches(['|', ' '])).is_empty(),
            "{origin}"
        );
    }
}
