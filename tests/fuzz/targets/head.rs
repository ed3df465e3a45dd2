//! Request heads: whatever comes, a head is whole at one length only, and what it says is within
//! the limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tailcast::http::head::{BODY_MAX, HEAD_MAX, parse};
use tailcast::http::response::reason;

fuzz_target!(|bytes: &[u8]| {
    match parse(bytes) {
        Ok(Some((request, length))) => {
            assert!(length <= bytes.len() && length <= HEAD_MAX);
            // What follows a head does not change it, and nothing shorter is one.
            assert_eq!(parse(&bytes[..length]), Ok(Some((request, length))));
            assert_eq!(parse(&bytes[..length - 1]), Ok(None));
            let (request, _) = parse(bytes).unwrap().unwrap();
            assert!(request.body <= BODY_MAX);
            assert!(request.path.starts_with('/') || request.path == "*");
            // What is sent back in a field must not end it.
            for text in [&request.path, &request.host] {
                assert!(!text.contains(['\r', '\n', '\0']), "{text:?}");
            }
            for name in ["key", "from", "wait", ""] {
                let _ = (request.parameter(name), request.raw_parameter(name));
            }
            let _ = (
                request.is_websocket(),
                request.preferred_wait(),
                request.accepts("text/html"),
            );
            if request.one_one {
                assert_eq!(request.fields("Host").count(), 1);
            }
            if request.field("Transfer-Encoding").is_some() {
                assert!(!request.keep_alive && request.field("Content-Length").is_none());
            }
        }
        Ok(None) => assert!(bytes.len() < HEAD_MAX),
        Err(status) => {
            assert!(
                (400..600).contains(&status) && reason(status) != "Unknown",
                "{status}"
            );
        }
    }
});
