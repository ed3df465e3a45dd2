//! What stands behind an option, checked, and what would be right where it is wrong.

use std::time::Duration;

use crate::cli::args::Listen;
use tailcast::auth::host::{Host, Origin};

/// A shorter period would be a busy loop, a longer one a typing error.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The contract's; a smaller one would hold less than a page of lines, a larger one is more than a
/// small board has.
const HISTORY_MIN: usize = 1 << 10;
const HISTORY_MAX: usize = 64 << 20;

/// The longest name of a board, in bytes: it is a part of every subject.
const BOARD_MAX: usize = 64;

pub(super) fn address(text: &str) -> Result<Listen, String> {
    if text == "none" {
        return Ok(Listen::Nowhere);
    }
    text.parse()
        .map(Listen::At)
        .map_err(|_| "expected ADDR:PORT such as 0.0.0.0:8080 or [::]:8080".to_owned())
}

/// The board's name is a token of subjects and topics: anything goes in there, encoded, but people
/// have to read it.
pub(super) fn board(text: &str) -> Result<String, String> {
    let is_one = (1..=BOARD_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    is_one
        .then(|| text.to_owned())
        .ok_or_else(|| "expected a name such as kitchen, of at most 64 bytes".to_owned())
}

pub(super) fn host(text: &str) -> Result<Host, String> {
    Host::parse(text).ok_or_else(|| "expected a name such as pi.example, without a port".to_owned())
}

pub(super) fn origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text)
        .ok_or_else(|| "expected an origin such as https://example.com, without a path".to_owned())
}

pub(super) fn count(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "expected a whole number such as 10".to_owned())
}

pub(super) fn places(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&places| places > 0)
        .ok_or_else(|| "expected a whole number from 1 on".to_owned())
}

/// Bytes, `K` or `M` (of 1,024).
pub(super) fn size(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<usize> = digits.parse().ok().filter(|_| is_number);
    number
        .and_then(|number| number.checked_mul(unit))
        .filter(|size| (HISTORY_MIN..=HISTORY_MAX).contains(size))
        .ok_or_else(|| "expected a size such as 256K or 4M, from 1K to 64M".to_owned())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = humantime::parse_duration(text).ok();
    parsed
        .filter(|duration| (SHORTEST..=LONGEST).contains(duration))
        .ok_or_else(|| "expected a duration such as 250ms, 2s or 1m, from 10ms to 1day".to_owned())
}
