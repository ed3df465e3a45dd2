//! Cursors and `from`: what is read is written the same way and read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tailcast::bytes::cursor::{Cursor, From};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match text.parse::<From>() {
        Ok(From::Cursor(cursor)) => {
            assert_eq!(text.parse(), Ok(cursor));
            let written = cursor.to_string();
            assert_eq!(written.parse(), Ok(cursor), "{text:?} as {written:?}");
            assert!(
                text.bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')),
                "{text:?}"
            );
        }
        Ok(From::Lines(count)) => {
            // More lines than can be counted are all of them.
            let digits = text.strip_prefix('-').expect("a minus");
            let exact = digits.parse().unwrap_or(u64::MAX);
            assert!(
                digits.bytes().all(|byte| byte.is_ascii_digit()) && count == exact,
                "{text:?}"
            );
        }
        Ok(From::Start) => assert_eq!(text, "start"),
        Ok(From::End) => assert_eq!(text, "end"),
        Err(_) => assert!(text.parse::<Cursor>().is_err()),
    }
});
