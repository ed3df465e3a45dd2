//! Subjects of NATS: names as their tokens, and patterns that name many. Pure.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What has a meaning in a subject, or could not be told from it on a line: a name's token has it
/// as `%XX`.
const TOKEN: &AsciiSet = &CONTROLS.add(b' ').add(b'.').add(b'*').add(b'>').add(b'%');

/// `name` as one token of a subject.
pub fn token(name: &str) -> String {
    utf8_percent_encode(name, TOKEN).to_string()
}

/// The name that a token stands for.
pub fn name(token: &str) -> String {
    percent_decode_str(token).decode_utf8_lossy().into_owned()
}

/// Whether `subject` is one of those that `pattern` means: `*` stands for one token, `>` at the end
/// for one or more.
pub fn is_match(pattern: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    let mut parts = pattern.split('.').peekable();
    while let Some(part) = parts.next() {
        match (part, tokens.next()) {
            (">", Some(_)) if parts.peek().is_none() => return true,
            ("*", Some(_)) => {}
            (part, Some(token)) if part == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

/// Whether `text` can be subscribed to.
pub fn is_pattern(text: &str) -> bool {
    let mut tokens = text.split('.').peekable();
    while let Some(token) = tokens.next() {
        let is_last = tokens.peek().is_none();
        let wild = token.contains(['*', '>']);
        let is_wildcard = token == "*" || token == ">" && is_last;
        if token.is_empty() || wild && !is_wildcard {
            return false;
        }
    }
    !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_tokens_and_back() {
        for (text, want) in [
            ("syslog", "syslog"),
            ("app.log", "app%2Elog"),
            ("a b*c>d%", "a%20b%2Ac%3Ed%25"),
            ("gr\u{fc}n/x:y", "gr%C3%BCn/x:y"),
        ] {
            assert_eq!(token(text), want);
            assert_eq!(name(want), text);
        }
    }

    #[test]
    fn patterns() {
        for (pattern, subject, want) in [
            ("a.b", "a.b", true),
            ("a.b", "a.bc", false),
            ("a.*", "a.b", true),
            ("a.*", "a.b.c", false),
            ("a.*", "a", false),
            ("*.b", "a.b", true),
            ("a.>", "a.b.c", true),
            ("a.>", "a", false),
            (">", "a", true),
        ] {
            assert_eq!(is_match(pattern, subject), want, "{subject} of {pattern}");
        }
        for text in ["a", "a.b", "*.b", "a.>", ">"] {
            assert!(is_pattern(text), "{text}");
        }
        for text in [
            "", "a.", ".a", "a..b", "a.>.b", "a*", "a>", "a b", "a\u{7f}",
        ] {
            assert!(!is_pattern(text), "{text:?}");
        }
    }
}
