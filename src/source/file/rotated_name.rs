//! Which names rotation makes of a name, and which of two is older. Pure: names alone, no file.
//!
//! A cursor is a stranger's input, and the family is what it may reach: a name that belongs to it
//! without being made by rotation would be somebody else's file.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

/// How rotation made one name of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RotatedName {
    /// Names of one series are each other's neighbours in time.
    pub(crate) series: Series,
    /// The numbers of the name in their order: one of a number, several of a date.
    turn: Vec<u64>,
}

/// What the names of a series have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Series {
    base: Base,
    joint: &'static str,
    count: Count,
}

/// What the number or date was put to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Base {
    /// The whole name: `app.log.1`.
    Name,
    /// The name without its extension, which follows behind: `app.1.log`. Also what a neighbour's
    /// own log may look like, so it counts only where it is proved.
    Stem,
    /// A directory of its own: `@4000...s` beside `current`.
    Directory,
    /// The target of a link: `app-2026-11-24.log` beside `app-2026-11-25.log`.
    Target,
}

/// What its numbers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Count {
    /// The larger one is older: `app.log.2` than `app.log.1`.
    Down,
    /// The larger one is newer: a date.
    Up,
    /// Nothing: `old`, or a date that two countries read in two ways.
    Silent,
}

/// The joints between a name and what is put to it, longest first.
const JOINTS: [&str; 4] = ["__", ".", "-", "_"];

/// The years that a date may be of.
const YEARS: std::ops::RangeInclusive<u64> = 1970..=2199;

impl RotatedName {
    /// How `candidate` was made of `name`; `None` where it was not.
    pub(crate) fn of(name: &str, candidate: &str) -> Option<Self> {
        if name == "current" {
            return tai(candidate);
        }
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem, Some(extension)),
            _ => (name, None),
        };
        let behind = |base: &str| {
            let rest = candidate.strip_prefix(base)?;
            JOINTS
                .iter()
                .find_map(|joint| Some((*joint, rest.strip_prefix(joint)?)))
        };
        let bare = |rest: &'_ str| -> Option<String> {
            Some(rest.strip_suffix(extension?)?.strip_suffix('.')?.to_owned())
        };
        if let Some((joint, rest)) = behind(name) {
            let turn = turn(rest).or_else(|| turn(&bare(rest)?));
            return turn.map(|(count, turn)| Self::new(Base::Name, joint, count, turn));
        }
        let (joint, rest) = behind(stem)?;
        let (count, turn) = turn(&bare(rest)?)?;
        Some(Self::new(Base::Stem, joint, count, turn))
    }

    /// How `candidate` stands beside the `target` of a link: it differs in dates or numbers alone,
    /// as what loggers write that keep a link to their newest file.
    pub(crate) fn beside(target: &str, candidate: &str) -> Option<Self> {
        if target == candidate || !target.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        (shape(target) == shape(candidate))
            .then(|| Self::new(Base::Target, "", Count::Up, numbers(candidate)))
    }

    /// What `target` itself would be in the series of [`beside`](Self::beside).
    pub(crate) fn target(target: &str) -> Self {
        Self::new(Base::Target, "", Count::Up, numbers(target))
    }

    /// One of a series in which names say nothing, and times tell.
    pub(crate) fn silent() -> Self {
        Self::new(Base::Target, "", Count::Silent, Vec::new())
    }

    fn new(base: Base, joint: &'static str, count: Count, turn: Vec<u64>) -> Self {
        let series = Series { base, joint, count };
        Self { series, turn }
    }

    /// Of two of one series: whether this one is older (`Less`) or newer; `Equal` where their names
    /// do not say.
    pub(crate) fn age(&self, other: &Self) -> Ordering {
        match self.series.count {
            Count::Down => other.turn.cmp(&self.turn),
            Count::Up => self.turn.cmp(&other.turn),
            Count::Silent => Ordering::Equal,
        }
    }

    /// Whether no third one may stand between this one and a `newer` one: their numbers follow each
    /// other.
    pub(crate) fn is_next(&self, newer: &Self) -> bool {
        match (self.turn.as_slice(), newer.turn.as_slice()) {
            ([older], [newer]) => newer.checked_add(1) == Some(*older),
            _ => true,
        }
    }

    /// Whether its numbers may be counted up as well as down: some loggers give the newest file the
    /// largest.
    pub(crate) fn may_count_up(&self) -> bool {
        self.series.base == Base::Stem && self.series.count == Count::Down
    }

    /// Whether its name counts only where something else proves that it belongs.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.series.base == Base::Stem
    }

    /// Whether times that contradict its numbers tell that something is unknown.
    pub(crate) fn is_numbered(&self) -> bool {
        self.series.count == Count::Down
    }
}

/// Multilog, svlogd and s6-log: `@`, a TAI64N time of 24 hexadecimal digits, `.s` (whole) or `.u`
/// (cut off).
fn tai(candidate: &str) -> Option<RotatedName> {
    let rest = candidate.strip_prefix('@')?;
    let time = rest
        .strip_suffix(".s")
        .or_else(|| rest.strip_suffix(".u"))?;
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if time.len() != 24 || !time.bytes().all(is_hex) {
        return None;
    }
    let (seconds, nanoseconds) = time.split_at(16);
    let turn = [seconds, nanoseconds].map(|part| u64::from_str_radix(part, 16).unwrap_or(0));
    Some(RotatedName::new(
        Base::Directory,
        "",
        Count::Up,
        turn.to_vec(),
    ))
}

/// A number, a date or `old`.
fn turn(text: &str) -> Option<(Count, Vec<u64>)> {
    if text == "old" {
        return Some((Count::Silent, Vec::new()));
    }
    let dated = |byte| matches!(byte, b'0'..=b'9' | b'-' | b'_' | b'.' | b'T');
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    if !bytes.iter().all(|&byte| dated(byte)) || !is_digit(bytes.first()) || !is_digit(bytes.last())
    {
        return None;
    }
    let turn = numbers(text);
    let first = text.bytes().take_while(u8::is_ascii_digit).count();
    let is_year = first == 4 && YEARS.contains(&turn[0]);
    // `202611`, `20261125`, `2026112510`, seconds since 1970.
    let is_stamp = first >= 6;
    match turn.as_slice() {
        [_] if is_year || is_stamp => Some((Count::Up, turn)),
        [_] => Some((Count::Down, turn)),
        _ if is_year || is_stamp => Some((Count::Up, turn)),
        // `25-11-2026`, `11-25-2026`: a date, and nobody knows of which order.
        [_, _, year, ..] if YEARS.contains(year) && first <= 2 => Some((Count::Silent, turn)),
        _ => None,
    }
}

/// What names have in common that differ in their numbers alone.
pub(crate) fn shape(name: &str) -> String {
    let mut shape = String::new();
    for c in name.chars() {
        let c = if c.is_ascii_digit() { '0' } else { c };
        if c != '0' || !shape.ends_with('0') {
            shape.push(c);
        }
    }
    shape
}

/// The runs of digits in `text`, as numbers; one that is too long is as large as fits.
fn numbers(text: &str) -> Vec<u64> {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    let runs = runs.filter(|run| !run.is_empty());
    runs.map(|run| run.parse().unwrap_or(u64::MAX)).collect()
}
