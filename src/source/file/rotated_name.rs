//! Which names rotation makes of a name, and which of two is older. Pure: names alone, no file.
//!
//! A cursor is a stranger's input, and the family is what it may reach: a name that belongs to it without
//! being made by rotation would be somebody else's file.

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
    /// The name without its extension, which follows behind: `app.1.log`. Also what a neighbour's own log
    /// may look like, so it counts only where it is proved.
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

    /// How `candidate` stands beside the `target` of a link: it differs in dates or numbers alone, as what
    /// loggers write that keep a link to their newest file.
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

    /// Of two of one series: whether this one is older (`Less`) or newer; `Equal` where their names do not say.
    pub(crate) fn age(&self, other: &Self) -> Ordering {
        match self.series.count {
            Count::Down => other.turn.cmp(&self.turn),
            Count::Up => self.turn.cmp(&other.turn),
            Count::Silent => Ordering::Equal,
        }
    }

    /// Whether no third one may stand between this one and a `newer` one: their numbers follow each other.
    pub(crate) fn is_next(&self, newer: &Self) -> bool {
        match (self.turn.as_slice(), newer.turn.as_slice()) {
            ([older], [newer]) => newer.checked_add(1) == Some(*older),
            _ => true,
        }
    }

    /// Whether its numbers may be counted up as well as down: some loggers give the newest file the largest.
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

/// Multilog, svlogd and s6-log: `@`, a TAI64N time of 24 hexadecimal digits, `.s` (whole) or `.u` (cut off).
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_belong() {
        for (name, candidates) in [
            (
                "app.log",
                // logrotate, newsyslog, Python's handlers, BusyBox, winston.
                &[
                    "app.log.0",
                    "app.log.1",
                    "app.log.2",
                    "app.log.12",
                    "app.log.100",
                    "app.log.old",
                    "app.log-1",
                    "app.log-20261125",
                    "app.log-2026112510",
                    "app.log-1795634761",
                    "app.log-20261125-1",
                    "app.log.20261125",
                    "app.log.2026-11-25",
                    "app.log.2026-11-25_10",
                    "app.log.2026-11-25_10-15",
                    "app.log.2026-11-25_10-15-30",
                    "app.log.2026-11-25T10_15",
                    "app.log.2026-11-25.1",
                    "app.log.2026-11",
                    "app.log.2026",
                    "app.log.202611",
                    "app.log_1",
                    "app.log_20261125",
                    "app.log__2026-11-25_00-00-00",
                    "app.log-old",
                    "app.log.25-11-2026",
                    "app.log.1.log",
                    // Before the extension: spdlog, logback, log4j2, tracing, pm2, logrotate's `extension`.
                    "app.1.log",
                    "app.2.log",
                    "app.10.log",
                    "app-1.log",
                    "app-2.log",
                    "app_1.log",
                    "app_12.log",
                    "app.old.log",
                    "app-old.log",
                    "app-20261125.log",
                    "app-2026-11-25.log",
                    "app.2026-11-25.log",
                    "app.2026-11-25.0.log",
                    "app.2026-11-25.12.log",
                    "app-2026-11-25-1.log",
                    "app-2026-11-25.1.log",
                    "app-11-25-2026.log",
                    "app-11-25-2026-1.log",
                    "app_2026-11-25.log",
                    "app_2026-11-25_10-15-30.log",
                    "app__2026-11-25_00-00-00.log",
                    "app.2026-11-25-10.log",
                    "app.20261125.log",
                    "app.20261125-101530.log",
                    "app.2026-11-25T10_15_30.log",
                    "app.2026-11-25_10.log",
                ][..],
            ),
            (
                "syslog",
                &[
                    "syslog.1",
                    "syslog.7",
                    "syslog-1",
                    "syslog_1",
                    "syslog-20261125",
                    "syslog.old",
                    "syslog.2026-11-25",
                ],
            ),
            (
                "app.err.log",
                &[
                    "app.err.log.1",
                    "app.err.1.log",
                    "app.err-2026-11-25.log",
                    "app.err__2026-11-25_00-00-00.log",
                ],
            ),
            ("app 1.log", &["app 1.log.1", "app 1.2.log"]),
            (
                "current",
                &[
                    "@4000000065f0c3a20bd2f3c4.s",
                    "@4000000065f0c3a20bd2f3c4.u",
                    "@400000003b4a39c23294b13c.s",
                ],
            ),
        ] {
            for candidate in candidates {
                assert!(
                    RotatedName::of(name, candidate).is_some(),
                    "{candidate} of {name}"
                );
            }
        }
    }

    #[test]
    fn names_that_do_not() {
        for (name, candidates) in [
            (
                "app.log",
                &[
                    "app.log",
                    "app.log.",
                    "app.log-",
                    "app.log_",
                    "app.log.1.gz",
                    "app.log.2.xz",
                    "app.log.1.zst",
                    "app.log-20261125.gz",
                    "app.1.log.gz",
                    "app.log.secret",
                    "app.log.1~",
                    "app.log~",
                    "app.log.bak",
                    "app.log.1.bak",
                    "app.log.swp",
                    ".app.log.swp",
                    "app.log.T",
                    "app.log.1T",
                    "app.log.T1",
                    "app.log1",
                    "app.log 1",
                    "app.log.-1",
                    "app.log.1-",
                    "app.log..1",
                    "app.log.1.2.3",
                    "app.log.10.0.0.1",
                    "app.10.0.0.1.log",
                    "app-192.168.1.7.log",
                    "app.log.0x1",
                    "app.log.1a",
                    "app.log.a1",
                    "app.log.new",
                    "app.log.OLD",
                    "app.log.old.1",
                    "app.log.older",
                    "app-other.log",
                    "app-v2.log",
                    "app.v1.log",
                    "app-2.0-beta.log",
                    "app-error.log",
                    "app.error.log",
                    "app_error.log",
                    "app.1",
                    "app-1",
                    "app_1",
                    "app",
                    "app.old",
                    "app-20261125",
                    "app1.log",
                    "app.log.1.txt",
                    "app.1.txt",
                    "myapp.log.1",
                    "my-app.log.1",
                    "xapp.1.log",
                    "App.log.1",
                    "secret.txt",
                    "secret.1.log",
                    "app.log/1",
                    "../app.log.1",
                    "app.log.1/x",
                    "app.log.\u{661}",
                    "app.log.1\n",
                    "app..log",
                    "app.-.log",
                    "app.log.2026-",
                    "1.log",
                    "",
                ][..],
            ),
            (".log", &["-1.log", "1.log", ".1", ".log1"]),
            (
                "syslog",
                &[
                    "syslog",
                    "syslog1",
                    "syslog.conf",
                    "syslog-ng",
                    "syslog.1.gz",
                    "sys.1",
                ],
            ),
            (
                "current",
                &[
                    "current.1",
                    "previous",
                    "state",
                    "lock",
                    "@4000000065f0c3a20bd2f3c4",
                    "@4000000065f0c3a20bd2f3c4.t",
                    "@4000000065F0C3A20BD2F3C4.s",
                    "@40000000.s",
                    "4000000065f0c3a20bd2f3c4.s",
                    "@4000000065f0c3a20bd2f3cg.s",
                ],
            ),
        ] {
            for candidate in candidates {
                assert_eq!(
                    RotatedName::of(name, candidate),
                    None,
                    "{candidate} of {name}"
                );
            }
        }
    }

    #[test]
    fn the_older_one() {
        for (name, oldest_first) in [
            (
                "app.log",
                &["app.log.12", "app.log.2", "app.log.1", "app.log.0"][..],
            ),
            (
                "app.log",
                &["app.log-20251231", "app.log-20260101", "app.log-20261125"],
            ),
            (
                "app.log",
                &[
                    "app.2026-11-25.0.log",
                    "app.2026-11-25.1.log",
                    "app.2026-11-25.10.log",
                    "app.2026-11-26.0.log",
                ],
            ),
            (
                "app.log",
                &[
                    "app__2026-11-25_00-00-00.log",
                    "app__2026-11-25_10-00-00.log",
                ],
            ),
            (
                "current",
                &["@4000000065f0c3a20bd2f3c4.s", "@4000000065f0c3a30bd2f3c4.u"],
            ),
        ] {
            let rotated_name: Vec<RotatedName> = oldest_first
                .iter()
                .map(|c| RotatedName::of(name, c).unwrap())
                .collect();
            for pair in rotated_name.windows(2) {
                assert_eq!(pair[0].series, pair[1].series, "{oldest_first:?}");
                assert_eq!(pair[0].age(&pair[1]), Ordering::Less, "{pair:?}");
                assert_eq!(pair[1].age(&pair[0]), Ordering::Greater, "{pair:?}");
            }
        }
        let rotated_name = |candidate| RotatedName::of("app.log", candidate).unwrap();
        assert!(rotated_name("app.log.3").is_next(&rotated_name("app.log.2")));
        assert!(!rotated_name("app.log.3").is_next(&rotated_name("app.log.1")));
    }

    #[test]
    fn beside_the_target_of_a_link() {
        for (target, candidate, want) in [
            ("app-2026-11-25.log", "app-2026-11-24.log", true),
            ("app.20261125", "app.20261124", true),
            (
                "glog.INFO.20261125-101530.77",
                "glog.INFO.20261124-081530.1234",
                true,
            ),
            ("app3.log", "app12.log", true),
            ("2026-11-25.csv", "2026-11-24.csv", true),
            ("app-2026-11-25.log", "app-2026-11-25.log", false),
            ("app-2026-11-25.log", "app-2026-11-25.log.gz", false),
            ("app-2026-11-25.log", "other-2026-11-24.log", false),
            ("app-2026-11-25.log", "app-2026-11.log", false),
            ("app-2026-11-25.log", "secret", false),
            ("app.log", "app.txt", false),
            ("app.log", "app1.log", false),
            ("1app.log", "app1.log", false),
        ] {
            assert_eq!(
                RotatedName::beside(target, candidate).is_some(),
                want,
                "{candidate} of {target}"
            );
        }
        let older = RotatedName::beside("a-2026-11-25", "a-2026-11-09").unwrap();
        assert_eq!(
            older.age(&RotatedName::target("a-2026-11-25")),
            Ordering::Less
        );
    }
}
