//! Names that rotation gives: whether one was made of another, and which of two is older. Pure.

use std::cmp::Ordering;

/// What rotation added to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// A count. Rotation counts on: 2 is older than 1.
    Number(u64),
    /// A date, its largest unit first, and what may follow it: a time, a sequence, a process.
    Date(Vec<u64>),
    /// A word, or a date whose order of day and month nobody can tell: it says nothing of age.
    Unclear,
}

/// What the addition stands behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// The whole name: `app.log.1`.
    Name,
    /// The name without its extension, which follows: `app.1.log`. A neighbour's own log may look like
    /// that, so it counts only where it is proved.
    Stem,
    /// `current`, by time of its end (TAI64N): svlogd, s6-log, multilog.
    Label,
    /// Another target of the same link: another date or number in the same place.
    Sibling,
}

/// How a name was made of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rotated {
    /// What it was added to.
    pub(crate) base: Base,
    joint: &'static str,
    /// What was added.
    pub(crate) turn: Turn,
}

/// What may stand between a name and what rotation adds; the longer one first.
const JOINTS: [&str; 4] = ["__", "_", ".", "-"];

impl Rotated {
    /// How rotation made `candidate` of `name`; `None` where it did not.
    pub(crate) fn of(name: &str, candidate: &str) -> Option<Self> {
        if name == "current"
            && let Some(turn) = label(candidate)
        {
            return Some(Self {
                base: Base::Label,
                joint: "@",
                turn,
            });
        }
        let added = |base: &str, extension: &str| {
            let rest = candidate.strip_prefix(base)?;
            let rest = rest.strip_suffix(extension)?;
            JOINTS.iter().find_map(|joint| {
                let turn = turn(rest.strip_prefix(joint)?)?;
                Some((*joint, turn))
            })
        };
        let made = |base, (joint, turn)| Self { base, joint, turn };
        if let Some(found) = added(name, "") {
            return Some(made(Base::Name, found));
        }
        let dot = name.rfind('.').filter(|&dot| dot > 0)?;
        let (stem, extension) = name.split_at(dot);
        added(stem, extension).map(|found| made(Base::Stem, found))
    }

    /// Whether `candidate` differs from `target`, which a link leads to, in its date or number alone and
    /// is older.
    pub(crate) fn sibling(target: &str, candidate: &str) -> Option<Self> {
        let (before, now, behind) = dated(target)?;
        let (behind, count) = counted(behind);
        let rest = candidate.strip_prefix(before)?;
        let at = rest.rfind(behind).filter(|&at| at > 0)?;
        let (then, rest) = rest.split_at(at);
        let (same, then_count) = counted(rest);
        if same != behind {
            return None;
        }
        let (now, then) = (turn(now)?, turn(then)?);
        let key = |turn, count: Option<u64>| match turn {
            Turn::Number(number) => Some((false, [vec![number], Vec::from_iter(count)].concat())),
            Turn::Date(fields) => Some((true, [fields, Vec::from_iter(count)].concat())),
            Turn::Unclear => None,
        };
        let (now, then) = (key(now, count)?, key(then, then_count)?);
        // A file that is written beside others keeps its name: the larger number is the newer one.
        (now.0 == then.0 && then.1 < now.1).then_some(Self {
            base: Base::Sibling,
            joint: "",
            turn: Turn::Date(then.1),
        })
    }

    /// Whether both were made in one way, so that their turns can be compared.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.base == other.base
            && self.joint == other.joint
            && std::mem::discriminant(&self.turn) == std::mem::discriminant(&other.turn)
    }

    /// Which of two that are alike is older (`Less`); `Equal` where their names do not tell.
    pub(crate) fn age(&self, other: &Self) -> Ordering {
        match (&self.turn, &other.turn) {
            (Turn::Number(one), Turn::Number(other)) => other.cmp(one),
            (Turn::Date(one), Turn::Date(other)) => one.cmp(other),
            _ => Ordering::Equal,
        }
    }
}

/// `@`, 24 hexadecimal digits (TAI64N), `.s` or `.u`.
fn label(name: &str) -> Option<Turn> {
    let digits = name.strip_prefix('@')?;
    let digits = digits.strip_suffix(".s").or(digits.strip_suffix(".u"))?;
    let is_hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != 24 || !digits.bytes().all(is_hex) {
        return None;
    }
    let (seconds, rest) = digits.split_at(16);
    let number = |text| u64::from_str_radix(text, 16).ok();
    Some(Turn::Date(vec![number(seconds)?, number(rest)?]))
}

/// A number, a date or `old`.
fn turn(text: &str) -> Option<Turn> {
    if text == "old" {
        return Some(Turn::Unclear);
    }
    let runs: Vec<&str> = text.split(['-', '_', '.', 'T']).collect();
    let values: Vec<u64> = runs.iter().map(|run| number(run)).collect::<Option<_>>()?;
    if let Some(date) = date(&runs, &values) {
        return Some(Turn::Date(date));
    }
    match (runs.len(), &values[..]) {
        (1, [number]) => return Some(Turn::Number(*number)),
        (3.., [day, month, ..]) if runs[0].len() == 2 && runs[1].len() == 2 => {
            // Day, month and year in whatever order.
            // With dots and a short year it is a version.
            let year = runs[2].len() == 4 || (runs[2].len() == 2 && !text.contains('.'));
            let is_date = year && (1..=31).contains(month) && *day <= 99;
            return is_date.then_some(Turn::Unclear);
        }
        _ => {}
    }
    // A count in front of the date: within one date it counts up.
    let mut fields = date(&runs[1..], &values[1..])?;
    fields.push(values[0]);
    Some(Turn::Date(fields))
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Digits of a year, with or without month and day in the same run, or seconds since 1970; then more.
fn date(runs: &[&str], values: &[u64]) -> Option<Vec<u64>> {
    let (first, rest) = (*runs.first()?, values.get(1..)?);
    let is_year = first.starts_with("19") || first.starts_with("20");
    let day = |at: usize| {
        let (month, day) = (first.get(at..at + 2)?, first.get(at + 2..at + 4)?);
        let (month, day) = (number(month)?, number(day)?);
        let valid = (1..=12).contains(&month) && (1..=31).contains(&day);
        valid.then_some([month, day])
    };
    let mut fields = match (first.len(), day(4)) {
        (4, _) if is_year => vec![values[0]],
        (8 | 10 | 12 | 14, Some(day)) if is_year => {
            let more = first.get(8..).and_then(number);
            let year = number(first.get(..4)?)?;
            [vec![year], day.to_vec(), Vec::from_iter(more)].concat()
        }
        // Year and month, or a year of two digits, month and day; seconds, and parts of one.
        (6 | 10 | 13, _) => vec![values[0]],
        _ => return None,
    };
    fields.extend(rest);
    Some(fields)
}

/// What stands before the date of a name, or before its last number where it has no date; that; and
/// what stands behind it.
fn dated(name: &str) -> Option<(&str, &str, &str)> {
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let bytes = name.as_bytes();
    let mut spans = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !is_digit(bytes[at]) {
            at += 1;
            continue;
        }
        let of_turn = |byte: &u8| is_digit(*byte) || b"-_.T".contains(byte);
        let length = bytes[at..].iter().take_while(|byte| of_turn(byte)).count();
        let end = at + bytes[at..at + length].iter().rposition(|&b| is_digit(b))? + 1;
        // A number in front of the date is a part of the name: `pi4-2026-11-25`.
        let mut from = at;
        while from < end {
            spans.push(from..end);
            let run = bytes[from..end].iter().take_while(|&&byte| is_digit(byte));
            from += run.count() + 1;
        }
        at += length;
    }
    let is_date = |text: &str| {
        let runs: Vec<&str> = text.split(['-', '_', '.', 'T']).collect();
        let values: Option<Vec<u64>> = runs.iter().map(|run| number(run)).collect();
        values.is_some_and(|values| date(&runs, &values).is_some())
    };
    let span = (spans.iter().find(|span| is_date(&name[(*span).clone()]))).or_else(|| {
        spans
            .iter()
            .rfind(|span| number(&name[(*span).clone()]).is_some())
    })?;
    Some((&name[..span.start], &name[span.clone()], &name[span.end..]))
}

/// What stands behind a date, and the count at its end: `.log.2` is `.log` and 2.
fn counted(behind: &str) -> (&str, Option<u64>) {
    match behind.rsplit_once('.') {
        Some((rest, count)) if !rest.is_empty() && number(count).is_some() => (rest, number(count)),
        _ => (behind, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_belong() {
        let table = [
            // logrotate, its `dateext`, `dateformat` and `extension`; newsyslog, savelog, busybox syslogd.
            (
                "app.log",
                "app.log.1 app.log.2 app.log.12 app.log.0 app.log.100 app.log.old",
            ),
            (
                "app.log",
                "app.log-20261125 app.log-20261125-1767225600 app.log-1767225600",
            ),
            (
                "app.log",
                "app.log-20261125-10 app.log-2026-11-25 app.log.20261125 app.log-old",
            ),
            (
                "app.log",
                "app-20261125.log app-1.log app-old.log app.1.log app.20261125.log",
            ),
            (
                "syslog",
                "syslog.1 syslog.0 syslog-20261125 syslog.old syslog_1 syslog__1",
            ),
            ("messages", "messages.0 messages.9 messages-20261101"),
            // Python's handlers.
            (
                "app.log",
                "app.log.2026-11-25 app.log.2026-11-25_10 app.log.2026-11-25_10-15",
            ),
            ("app.log", "app.log.2026-11-25_10-15-59 app.log.3"),
            // spdlog, log4j2, logback, serilog, NLog.
            (
                "app.log",
                "app.2.log app_2026-11-25.log app_20261125.log app-7.log app_1.log",
            ),
            (
                "app.log",
                "app-2026-11-25.log app-2026-11-25-1.log app-11-25-2026.log",
            ),
            (
                "app.log",
                "app.2026-11-25.log app.2026-11-25.0.log app.2026-11-25.12.log",
            ),
            (
                "app.log",
                "app-2026-11-25.3.log app.2026-11.log app.2026-48.log app.log.2026-11-25.1",
            ),
            (
                "app.log",
                "app-1.2026-11-25.log app.25.11.2026.log app.26-11-25.log",
            ),
            // tracing, chrono formats, pm2-logrotate, winston, rotating-file-stream, cronolog, rotatelogs.
            (
                "app.log",
                "app.log.2026-11-25-10 app.log.2026-11-25-10-15 app.2026-11-25-10.log",
            ),
            (
                "app-out.log",
                "app-out__2026-11-25_00-00-00.log app-out-1.log",
            ),
            (
                "app.log",
                "app__2026-11-25_00-00-00.log app.log.2026-11-25T20_15 app.202611.log",
            ),
            (
                "app.log",
                "app.log.2026-11-25T10-15-00 app-20261125T101500.log app.log.2026112510",
            ),
            (
                "access_log",
                "access_log.1767225600 access_log-20261125 access_log.2026.11.25",
            ),
            (
                "access.log",
                "access.log.2026 access.20261125101500.log access.log_20261125",
            ),
            // svlogd, s6-log, multilog.
            (
                "current",
                "@400000006745c3e52f3a1b2c.s @400000006745c3e52f3a1b2c.u current.1",
            ),
            ("a.b.log", "a.b.1.log a.b.log.1 a.b-2026-11-25.log"),
            ("out", "out.1 out-2026-11-25 out_2 out__2 out.old"),
        ];
        let mut count = 0;
        for (name, candidates) in table {
            for candidate in candidates.split(' ') {
                assert!(
                    Rotated::of(name, candidate).is_some(),
                    "{candidate} of {name}"
                );
                count += 1;
            }
        }
        assert!(count >= 60, "{count}");
    }

    #[test]
    fn names_that_do_not() {
        let table = [
            (
                "app.log",
                "app.log app.log. app.log- app.log_ app.log__ app.log.- app app. app-",
            ),
            (
                "app.log",
                "app.log.1.gz app.log.2.xz app.log.3.zst app.log.4.bz2 app.1.log.gz",
            ),
            (
                "app.log",
                "app.log.bak app.log~ app.log.swp .app.log.swp app.log.1~ app.log.1.bak",
            ),
            (
                "app.log",
                "app.logs app.log1 app1.log app.log.private app.log.1.key app.log.1x",
            ),
            (
                "app.log",
                "app-private.log other.log.1 xapp.log.1 .app.log.1 my-app.log.1",
            ),
            (
                "app.log",
                "app.log.older app.log.olds app.log.Old app-older.log app.log.old.1",
            ),
            (
                "app.log",
                "app.log.T app.log.T1 app.log.1T app.log.1. app.log.1- app.log..1",
            ),
            (
                "app.log",
                "app.log.1..2 app-1.2.3.log app-10.15.20.log app.log.192.168.1.1",
            ),
            (
                "app.log",
                "app-v1.log app.1 app-20261125 app.log.1.log app.log.x1 app.error.log",
            ),
            (
                "app.log",
                "app-error-20261125.log app.log.+1 app.log.-1 app.log.0x1 app-.log",
            ),
            (
                "app.log",
                "app.log.99999999999999999999999999 APP.LOG.1 app.Log.1 app.log.1,2",
            ),
            (
                "current",
                "@400000006745c3e52f3a1b2.s @400000006745c3e52f3a1b2c @4000.s lock state",
            ),
            (
                "current",
                "@400000006745C3E52F3A1B2C.s @400000006745c3e52f3a1b2c.t previous",
            ),
            (
                "app.log",
                "@400000006745c3e52f3a1b2c.s secret.txt log.1 .log.1 app.log.1/x",
            ),
            (".log", "-1.log .1.log"),
        ];
        let mut count = 0;
        for (name, candidates) in table {
            for candidate in candidates.split(' ') {
                assert_eq!(Rotated::of(name, candidate), None, "{candidate} of {name}");
                count += 1;
            }
        }
        assert!(count >= 60, "{count}");
    }

    #[test]
    fn what_a_link_meant_before() {
        for (target, candidate, want) in [
            ("app-2026-11-25.log", "app-2026-11-24.log", true),
            ("app-2026-11-25.log", "app-2026-11-26.log", false),
            ("app-2026-11-25.log", "app-2026-11-25.log", false),
            ("app-2026-11-25.log", "web-2026-11-24.log", false),
            ("app-2026-11-25.log", "app-2026-11-24.txt", false),
            ("app-2026-11-25.log", "app-2026-11-24.log.gz", false),
            ("app-2026-11-25.log", "app-7.log", false),
            ("app-2026-11-25.log", "app-2026-11-24.log.3", true),
            ("app-2026-11-25.log.1", "app-2026-11-25.log", true),
            ("app-2026-11-25.log.1", "app-2026-11-25.log.2", false),
            ("pi4-2026-11-25.log", "pi4-2026-11-24.log", true),
            ("pi4-2026-11-25.log", "pi3-2026-11-24.log", false),
            ("app.2026-11-25", "app.2026-11-24", true),
            ("20261125.csv", "20261124.csv", true),
            ("20261125.csv", "secret.csv", false),
            (
                "log.INFO.20261125-101010.77",
                "log.INFO.20261124-101010.99",
                true,
            ),
            (
                "log.INFO.20261125-101010.77",
                "log.WARN.20261124-101010.99",
                false,
            ),
            ("run-12.log", "run-9.log", true),
            ("run-12.log", "run-13.log", false),
            ("first.log", "second.log", false),
        ] {
            let is = Rotated::sibling(target, candidate).is_some();
            assert_eq!(is, want, "{candidate} before {target}");
        }
    }

    #[test]
    fn older_to_newer() {
        let orders = [
            ("app.log", "app.log.12 app.log.2 app.log.1 app.log.0"),
            ("app.log", "app.10.log app.9.log app.1.log"),
            (
                "app.log",
                "app.log-20251231 app.log-20260101 app.log-20261125-1 app.log-20261125-10",
            ),
            (
                "app.log",
                "app.2026-11-24.7.log app.2026-11-25.log app.2026-11-25.9.log app.2026-11-25.10.log",
            ),
            ("app.log", "app.log-1767225599 app.log-1767225600"),
            ("app.log", "app.2026-11-25T23.log app.2026-11-26T01.log"),
            (
                "current",
                "@400000006745c3e52f3a1b2c.s @400000006745c3e52f3a1b2d.u @400000006845c3e500000000.s",
            ),
        ];
        for (name, order) in orders {
            let turns = order
                .split(' ')
                .map(|name_of| Rotated::of(name, name_of).unwrap());
            let turns: Vec<Rotated> = turns.collect();
            for pair in turns.windows(2) {
                assert!(pair[0].is_like(&pair[1]), "{pair:?}");
                assert_eq!(pair[0].age(&pair[1]), Ordering::Less, "{pair:?}");
                assert_eq!(pair[1].age(&pair[0]), Ordering::Greater, "{pair:?}");
            }
        }
    }
}
