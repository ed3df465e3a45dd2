//! What a NATS server says: whatever comes, one thing at a time, whole or not at all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tailcast::engine::nats::{protocol::{Info, LINE_MAX, MESSAGE_MAX, Op, parse}, subject::{is_match, name, token}};

fuzz_target!(|bytes: &[u8]| {
    match parse(bytes) {
        Ok(Some((op, length))) => {
            assert!(length > 0 && length <= bytes.len());
            // What follows does not change it, and nothing shorter is one.
            assert_eq!(parse(&bytes[..length]), Ok(Some((op.clone(), length))));
            assert_eq!(parse(&bytes[..length - 1]), Ok(None));
            match op {
                Op::Message(message) => {
                    assert!(message.headers.0.len() + message.payload.len() <= MESSAGE_MAX);
                    let _ = (message.headers.status(), message.headers.number("Nats-Sequence"));
                    assert_eq!(name(&token(message.subject)), message.subject);
                    assert!(!token(message.subject).contains(['.', '*', '>', ' ', '\r', '\n']));
                    let _ = is_match(message.subject, message.subject);
                }
                Op::Info(text) => _ = Info::parse(text),
                _ => {}
            }
        }
        Ok(None) => assert!(bytes.len() < LINE_MAX + MESSAGE_MAX + 2),
        Err(_) => {}
    }
});
