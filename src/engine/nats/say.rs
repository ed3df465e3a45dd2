//! What is said to a server of NATS, in its client protocol: a line each, with a payload behind
//! some of them. Pure.

use std::fmt::Write;

use miniserde::{Serialize, json};

#[derive(Serialize)]
struct Connect<'a> {
    verbose: bool,
    pedantic: bool,
    headers: bool,
    no_responders: bool,
    echo: bool,
    lang: &'a str,
    version: &'a str,
    name: &'a str,
    user: Option<&'a str>,
    pass: Option<&'a str>,
    auth_token: Option<&'a str>,
}

/// `CONNECT`, with a user and a password, or with a token, or with neither.
pub(crate) fn connect(name: &str, user: Option<(&str, &str)>, token: Option<&str>) -> String {
    let connect = Connect {
        verbose: false,
        pedantic: false,
        headers: true,
        no_responders: true,
        echo: false,
        lang: "tailcast",
        version: env!("CARGO_PKG_VERSION"),
        name,
        user: user.map(|user| user.0),
        pass: user.map(|user| user.1),
        auth_token: token,
    };
    format!("CONNECT {}\r\n", json::to_string(&connect))
}

/// `SUB`: what is published to `subject` from now on comes with `sid`.
pub(crate) fn subscribe(subject: &str, sid: u64) -> String {
    format!("SUB {subject} {sid}\r\n")
}

/// `UNSUB`.
pub(crate) fn unsubscribe(sid: u64) -> String {
    format!("UNSUB {sid}\r\n")
}

/// The line and the headers of a `HPUB`, or of a `PUB` where there are none; then come the payload
/// and a line's end. Values hold no line's end.
pub(crate) fn publish(
    subject: &str,
    reply: &str,
    headers: &[(&str, String)],
    length: usize,
) -> String {
    if headers.is_empty() {
        return format!("PUB {subject} {reply} {length}\r\n");
    }
    let mut block = "NATS/1.0\r\n".to_owned();
    for (name, value) in headers {
        let _ = write!(block, "{name}: {value}\r\n");
    }
    block.push_str("\r\n");
    let (head, total) = (block.len(), block.len() + length);
    format!("HPUB {subject} {reply} {head} {total}\r\n{block}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_to_it() {
        assert_eq!(subscribe("a.*", 3), "SUB a.* 3\r\n");
        assert_eq!(unsubscribe(3), "UNSUB 3\r\n");
        assert_eq!(publish("a", "r", &[], 7), "PUB a r 7\r\n");
        assert_eq!(
            publish("a", "r", &[("X", "1".to_owned())], 7),
            "HPUB a r 18 25\r\nNATS/1.0\r\nX: 1\r\n\r\n"
        );
        let said = connect("pi1", Some(("me", "a\"b")), None);
        assert!(said.starts_with("CONNECT {") && said.ends_with("}\r\n"));
        assert!(
            said.contains(r#""user":"me","pass":"a\"b","auth_token":null"#),
            "{said}"
        );
    }
}
