//! What streams are called whose paths end alike. Pure.

use std::collections::{BTreeSet, HashMap};

/// What stands between the part of a path that tells it apart and its last part.
pub(crate) const JOINT: &str = ":";

/// Whether `part` of a path is a pattern. What it matches tells its files apart by itself.
pub(crate) fn is_wild(part: &str) -> bool {
    part.contains(['*', '?', '['])
}

/// What one SOURCE brings to be called by.
pub(crate) struct Wish<'a> {
    given: Option<&'a str>,
    /// Its path's parts, the last one first.
    parts: Vec<&'a str>,
}

impl<'a> Wish<'a> {
    /// The name that was `given`, if one was, and the path.
    pub(crate) fn new(given: Option<&'a str>, path: &'a str) -> Self {
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        let mut parts: Vec<&str> = parts.collect();
        parts.reverse();
        if parts.is_empty() {
            parts.push(path);
        }
        Self { given, parts }
    }

    fn wanted(&self) -> &'a str {
        self.given.unwrap_or(self.parts[0])
    }

    /// The part `depth` steps above the last one.
    fn above(&self, depth: usize) -> &'a str {
        match self.parts.get(depth) {
            Some(part) if is_wild(part) => "*",
            Some(part) => part,
            None => "",
        }
    }
}

/// Names that are taken, each with the number that the next one of the same name gets: of many
/// alike none is compared with all the others.
#[derive(Default)]
pub(crate) struct Taken(HashMap<String, u64>);

impl Taken {
    /// `name`, with a number behind it where it is taken; from now on it is.
    pub(crate) fn unused(&mut self, name: String) -> String {
        let mut number = self.0.get(&name).copied().unwrap_or(2);
        let mut unused = name.clone();
        while self.0.contains_key(&unused) {
            unused = format!("{name}-{number}");
            number += 1;
        }
        self.0.insert(name, number);
        self.0.entry(unused.clone()).or_insert(2);
        unused
    }
}

impl FromIterator<String> for Taken {
    fn from_iter<T: IntoIterator<Item = String>>(names: T) -> Self {
        Self(names.into_iter().map(|name| (name, 2)).collect())
    }
}

/// A name for each of `wishes`, no two the same, and the part of its path that was put before it.
pub(crate) fn names(wishes: &[Wish]) -> Vec<(String, Option<String>)> {
    let mut taken = Taken::default();
    let mut names = vec![(String::new(), None); wishes.len()];
    // Those that were given first: they stay as they are.
    let (given, made): (Vec<usize>, Vec<usize>) =
        (0..wishes.len()).partition(|&at| wishes[at].given.is_some());
    for at in given.into_iter().chain(made) {
        let wish = &wishes[at];
        let apart = wish.given.is_none().then(|| apart(wish, wishes)).flatten();
        let name = match &apart {
            Some(apart) => format!("{apart}{JOINT}{}", wish.wanted()),
            None => wish.wanted().to_owned(),
        };
        names[at] = (taken.unused(name), apart);
    }
    names
}

/// The part of its path that tells `wish` from all others that would be called the same; `None`
/// where there are none, or nothing does. One part where one is enough, the nearest; else as many
/// as it takes.
fn apart(wish: &Wish, wishes: &[Wish]) -> Option<String> {
    let alike = wishes
        .iter()
        .filter(|other| other.wanted() == wish.wanted());
    let alike: Vec<&Wish> = alike.collect();
    let depths = alike.iter().map(|one| one.parts.len()).max().unwrap_or(0);
    let differing = |depths: &[usize]| {
        let parts = alike
            .iter()
            .map(|one| depths.iter().map(|&at| one.above(at)).collect::<Vec<_>>());
        parts.collect::<BTreeSet<_>>().len()
    };
    let all: Vec<usize> = (1..depths).collect();
    let most = differing(&all);
    let one = all.iter().find(|&&depth| differing(&[depth]) == most);
    let mut chosen = Vec::new();
    match one {
        _ if most < 2 => {}
        Some(&depth) => chosen.push(depth),
        None => {
            for depth in all {
                let with = [&chosen[..], &[depth]].concat();
                if differing(&with) > differing(&chosen) {
                    chosen = with;
                }
            }
        }
    }
    let parts = chosen.iter().rev().map(|&depth| wish.above(depth));
    let parts: Vec<&str> = parts.filter(|part| !matches!(*part, "" | "*")).collect();
    (!parts.is_empty()).then(|| parts.join(JOINT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_given_twice() {
        let mut taken = Taken::from_iter(["a".to_owned(), "a-3".to_owned()]);
        for (name, want) in [
            ("b", "b"),
            ("a", "a-2"),
            ("a", "a-4"),
            ("a-2", "a-2-2"),
            ("b-2", "b-2"),
            ("b", "b-3"),
        ] {
            assert_eq!(taken.unused(name.to_owned()), want);
        }
        // Compared each with each, these would take an hour.
        for number in 1..300_000 {
            let name = taken.unused("c".to_owned());
            assert!(number == 1 || name == format!("c-{number}"), "{name}");
        }
    }

    #[test]
    fn what_tells_paths_apart() {
        for (sources, want) in [
            (&["/a/x.log", "/b/y.log"][..], &["x.log", "y.log"][..]),
            (
                &[
                    "/sys/bus/w1/devices/28-0316a/w1_slave",
                    "/sys/bus/w1/devices/28-0416b/w1_slave",
                ],
                &["28-0316a:w1_slave", "28-0416b:w1_slave"],
            ),
            // The part that differs, not the nearest.
            (
                &["/home/a/logs/app.log", "/home/b/logs/app.log"],
                &["a:app.log", "b:app.log"],
            ),
            // No one part is enough.
            (
                &["/a/x/log", "/b/x/log", "/a/y/log"],
                &["a:x:log", "b:x:log", "a:y:log"],
            ),
            // One path has no such part.
            (&["/var/log/a", "a", "./a"], &["log:a", "a", "a-2"]),
            (&["/a/x", "/a/x", "/b/x"], &["a:x", "a:x-2", "b:x"]),
            (&["/a/x", "/a//x"], &["x", "x-2"]),
            (&["/x", "x"], &["x", "x-2"]),
            (&["/", "/"], &["/", "/-2"]),
            // A given name stays, wherever it stands.
            (&["/a/x", "x=/b/y"], &["a:x", "x"]),
            (&["/a/x", "x=/a/y", "x=/c/z"], &["a:x", "x", "x-2"]),
            (&["a:x=/q", "/a/x", "/b/x"], &["a:x", "a:x-2", "b:x"]),
            // What a pattern matches tells its files apart; what is written out tells patterns
            // apart.
            (
                &["/w1/28-*/w1_slave", "/w1/10-*/w1_slave"],
                &["w1_slave", "w1_slave-2"],
            ),
            (&["/a/*.log", "/b/*.log"], &["a:*.log", "b:*.log"]),
            (&["/a/*/x.log", "/b/*/x.log"], &["a:x.log", "b:x.log"]),
        ] {
            let wishes = sources.iter().map(|source| match source.split_once('=') {
                Some((name, path)) => Wish::new(Some(name), path),
                None => Wish::new(None, source),
            });
            let got = names(&wishes.collect::<Vec<_>>());
            let got: Vec<&str> = got.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(got, want, "{sources:?}");
        }
    }
}
