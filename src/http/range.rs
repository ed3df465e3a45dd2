//! Which bytes of a file a `Range` field asks for (RFC 9110 section 14). Pure.

use std::ops::Range;

/// What to do about a `Range` field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Send the whole: another unit, or several ranges, which a server may pass over (section
    /// 14.2).
    Whole,
    /// Send these bytes: 206.
    Part(Range<u64>),
    /// There are no such bytes: 416.
    Unsatisfiable,
    /// The field breaks the grammar: 400.
    Invalid,
}

/// Reads the value of a `Range` field for a file of `length` bytes.
///
/// ```
/// use tailcast::http::range::{Asked, parse};
/// assert_eq!(parse("bytes=-3", 10), Asked::Part(7..10));
/// ```
pub fn parse(value: &str, length: u64) -> Asked {
    let Some((unit, ranges)) = value.split_once('=') else {
        return Asked::Invalid;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Asked::Whole;
    }
    let mut parsed = ranges
        .split(',')
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .map(|range| one(range, length));
    match (parsed.next(), parsed.next()) {
        (None, _) => Asked::Invalid,
        (Some(only), None) => only,
        (Some(first), Some(second)) => {
            let invalid = [first, second]
                .into_iter()
                .chain(parsed)
                .any(|range| range == Asked::Invalid);
            if invalid {
                Asked::Invalid
            } else {
                Asked::Whole
            }
        }
    }
}

/// The last position of a range that never ends: the largest number that JavaScript counts to (RFC
/// 8673 section 3.1).
pub const ENDLESS: u64 = 9_007_199_254_740_991;

/// The first position of a `Range` that asks for all bytes from there on, those to come included
/// (RFC 8673 section 2).
pub fn endless(value: &str) -> Option<u64> {
    let (unit, range) = value.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u64>().ok()).flatten()
    };
    let is_endless = unit.trim().eq_ignore_ascii_case("bytes") && number(last)? == ENDLESS;
    number(first).filter(|first| is_endless && *first <= ENDLESS)
}

fn one(range: &str, length: u64) -> Asked {
    let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large for 64 bits lies behind the end of any file.
        true => Some(text.parse().unwrap_or(u64::MAX)),
        false => None,
    };
    let bounds = match range.split_once('-') {
        Some(("", "")) | None => None,
        Some(("", suffix)) => {
            number(suffix).map(|suffix: u64| (length - suffix.min(length), length))
        }
        Some((first, "")) => number(first).map(|first| (first, length)),
        Some((first, last)) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => {
                Some((first, last.saturating_add(1).min(length)))
            }
            _ => None,
        },
    };
    match bounds {
        None => Asked::Invalid,
        Some((start, end)) if start < end => Asked::Part(start..end),
        Some(_) => Asked::Unsatisfiable,
    }
}

#[cfg(test)]
mod tests {
    use super::Asked::*;
    use super::*;

    #[test]
    fn ranges_without_an_end() {
        for (value, want) in [
            ("bytes=0-9007199254740991", Some(0)),
            ("Bytes = 1234-9007199254740991", Some(1234)),
            (
                "bytes=9007199254740991-9007199254740991",
                Some(9_007_199_254_740_991),
            ),
            ("bytes=9007199254740992-9007199254740991", None),
            ("bytes=-9007199254740991", None),
            ("bytes=1-9007199254740990", None),
            ("bytes=1-9007199254740992", None),
            ("bytes=1-", None),
            ("bytes=0-1,5-9007199254740991", None),
            ("lines=1-9007199254740991", None),
            ("bytes=+1-9007199254740991", None),
        ] {
            assert_eq!(endless(value), want, "{value}");
        }
    }

    #[test]
    fn ranges() {
        for (value, length, want) in [
            ("bytes=0-0", 10, Part(0..1)),
            ("bytes=2-5", 10, Part(2..6)),
            ("bytes=5-", 10, Part(5..10)),
            ("bytes=-3", 10, Part(7..10)),
            ("bytes=-30", 10, Part(0..10)),
            ("bytes=0-99", 10, Part(0..10)),
            ("Bytes = 1-1", 10, Part(1..2)),
            ("bytes=9-99999999999999999999999", 10, Part(9..10)),
            ("bytes=10-", 10, Unsatisfiable),
            ("bytes=10-20", 10, Unsatisfiable),
            ("bytes=-0", 10, Unsatisfiable),
            ("bytes=0-", 0, Unsatisfiable),
            ("bytes=-5", 0, Unsatisfiable),
            ("bytes=99999999999999999999999-", 10, Unsatisfiable),
            ("bytes=0-1,4-5", 10, Whole),
            ("lines=0-1", 10, Whole),
            ("bytes=5-2", 10, Invalid),
            ("bytes=", 10, Invalid),
            ("bytes=-", 10, Invalid),
            ("bytes=a-b", 10, Invalid),
            ("bytes=1-2,x", 10, Invalid),
            ("bytes=+1-2", 10, Invalid),
            ("bytes", 10, Invalid),
            ("", 10, Invalid),
        ] {
            assert_eq!(parse(value, length), want, "{value} of {length}");
        }
    }
}
