//! Which lines a viewer wants: those that hold every `match` and no `not`.
//! Pure: no runtime, no file, no socket.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use memchr::memmem::Finder;
use regex_lite::{Regex, RegexBuilder};

use crate::bytes::lines::LineEnd;

/// The longest text of one term, in bytes. Nobody types more, and a request's head has room for 8
/// KiB in all.
pub const PATTERN_MAX: usize = 256;
/// The most terms of one request: each costs a look at every line.
pub const TERMS_MAX: usize = 8;
/// How deep groups may stand in each other. The pattern's compiler calls itself for each.
pub const NESTING_MAX: u32 = 16;
/// The most `|` in one pattern: each is a way that has to be tried at every character.
pub const ALTERNATIVES_MAX: usize = 64;
/// How large a compiled pattern may be, in bytes: what `{1000}` unfolds to would be searched for a
/// step at a time. Some 400 characters and classes.
pub const COMPILED_MAX: usize = 16 * 1024;
/// How many bytes of lines are looked at without a break for the others, where a pattern is a
/// regular expression: it takes fifty times as long as plain text.
const PATTERN_BLOCK: usize = 8 * 1024;

/// What a term does to a line that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// `match`: a line without it is left out.
    Wanted,
    /// `not`: a line with it is left out.
    Unwanted,
}

impl Sense {
    /// Its name in a query.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wanted => "match",
            Self::Unwanted => "not",
        }
    }
}

/// The terms of one request, compiled.
///
/// ```
/// use tailcast::bytes::matcher::{Matcher, Sense};
/// let terms = [(Sense::Wanted, "error".into()), (Sense::Unwanted, "/^cron/".into())];
/// let matcher = Matcher::new(&terms).unwrap();
/// assert!(matcher.is_match(b"An ERROR") && !matcher.is_match(b"cron: error"));
/// ```
pub struct Matcher {
    terms: Vec<Term>,
    /// The plain text to look for in whole blocks: lines are counted only where it is found.
    anchor: Option<usize>,
    /// Some term is for any case.
    lowers: bool,
    /// Where a block in lower case is made.
    lowered: RefCell<Vec<u8>>,
}

struct Term {
    sense: Sense,
    pattern: Pattern,
}

enum Pattern {
    /// This very text.
    Exact(Finder<'static>),
    /// The text, which is in lower case, in whatever case it stands in a line (ASCII letters).
    AnyCase(Finder<'static>),
    /// A regular expression, on the line as text.
    Regex(Regex),
}

/// Why a term is not taken: a sentence that shows where.
#[derive(Debug, PartialEq, Eq)]
pub struct BadPattern(String);

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Matcher {
    /// Compiles terms: `/RE/` is a regular expression, any other text is plain, and in any case
    /// where it has no capital.
    ///
    /// # Errors
    /// A term that is empty, has a line's end in it, is over a limit or is no regular expression.
    pub fn new(terms: &[(Sense, String)]) -> Result<Self, BadPattern> {
        if terms.len() > TERMS_MAX {
            let sentence = format!("`match` and `not` may stand {TERMS_MAX} times in all");
            return Err(BadPattern(sentence));
        }
        let terms: Vec<Term> = terms
            .iter()
            .map(|(sense, text)| {
                let pattern = Pattern::new(text).map_err(|why| {
                    let shown = text.chars().take(PATTERN_MAX).collect::<String>();
                    BadPattern(format!("`{}={}` {why}", sense.name(), shown.escape_debug()))
                })?;
                Ok(Term {
                    sense: *sense,
                    pattern,
                })
            })
            .collect::<Result<_, _>>()?;
        let lengths = terms.iter().map(|term| match (&term.sense, &term.pattern) {
            (Sense::Wanted, Pattern::Exact(it) | Pattern::AnyCase(it)) => it.needle().len(),
            _ => 0,
        });
        let anchor = lengths.enumerate().max_by_key(|(_, length)| *length);
        Ok(Self {
            anchor: anchor.filter(|(_, length)| *length > 0).map(|(at, _)| at),
            lowers: terms
                .iter()
                .any(|term| matches!(term.pattern, Pattern::AnyCase(_))),
            lowered: RefCell::default(),
            terms,
        })
    }

    /// Whether a line is wanted, given without its newline; a CR at its end is not a part of it.
    pub fn is_match(&self, line: &[u8]) -> bool {
        self.with_lowered(line, |lowered| self.fits(line, lowered))
    }

    /// Whether a line that begins so is wanted, however it goes on.
    pub fn is_match_already(&self, beginning: &[u8]) -> bool {
        self.grows() && self.is_match(beginning)
    }

    /// Whether a line that is wanted once stays so however it goes on: plain text that it has to
    /// hold, and nothing else.
    pub fn grows(&self) -> bool {
        self.terms
            .iter()
            .all(|term| term.sense == Sense::Wanted && !matches!(term.pattern, Pattern::Regex(_)))
    }

    /// Calls `hit` for each wanted line of `block`, in order, with where it stands there, its
    /// newline left out. The block begins with a line and ends with one, the last newline may be
    /// missing.
    pub fn lines(&self, block: &[u8], ends: LineEnd, mut hit: impl FnMut(Range<usize>)) {
        self.with_lowered(block, |lowered| {
            let mut start = 0;
            while start < block.len() {
                if let Some(anchor) = self.anchor {
                    let found = match &self.terms[anchor].pattern {
                        Pattern::Exact(finder) => finder.find(&block[start..]),
                        Pattern::AnyCase(finder) => finder.find(&lowered[start..]),
                        Pattern::Regex(_) => Some(0),
                    };
                    let Some(found) = found else { return };
                    let before = ends.last(&block[start..start + found]);
                    start += before.map_or(0, |end| end + 1);
                }
                let length = ends.first(&block[start..]);
                let end = length.map_or(block.len(), |length| start + length);
                let lowered = lowered.get(start..end).unwrap_or_default();
                if self.fits(&block[start..end], lowered) {
                    hit(start..end);
                }
                start = match length {
                    Some(_) => ends.behind(block, end),
                    None => block.len(),
                };
            }
        });
    }

    /// How much of `bytes`, lines in a row, is to be looked at before others have their turn.
    pub fn share(&self, bytes: &[u8], ends: LineEnd) -> usize {
        let is_plain = |term: &Term| !matches!(term.pattern, Pattern::Regex(_));
        if bytes.len() <= PATTERN_BLOCK || self.terms.iter().all(is_plain) {
            return bytes.len();
        }
        // Whole lines; one that is longer than that is looked at as a whole.
        let end = ends
            .last(&bytes[..PATTERN_BLOCK])
            .or_else(|| ends.first(bytes));
        end.map_or(bytes.len(), |end| ends.behind(bytes, end))
    }

    /// `look` gets `bytes` in lower case, or nothing where no term needs that.
    fn with_lowered<T>(&self, bytes: &[u8], look: impl FnOnce(&[u8]) -> T) -> T {
        if !self.lowers {
            return look(&[]);
        }
        let mut lowered = self.lowered.borrow_mut();
        lowered.clear();
        lowered.extend_from_slice(bytes);
        lowered.make_ascii_lowercase();
        look(&lowered)
    }

    fn fits(&self, line: &[u8], lowered: &[u8]) -> bool {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let lowered = lowered.strip_suffix(b"\r").unwrap_or(lowered);
        // Made once, for all regular expressions.
        let mut text = None;
        self.terms.iter().all(|term| {
            let found = match &term.pattern {
                Pattern::Exact(finder) => finder.find(line).is_some(),
                Pattern::AnyCase(finder) => finder.find(lowered).is_some(),
                Pattern::Regex(regex) => {
                    regex.is_match(text.get_or_insert_with(|| String::from_utf8_lossy(line)))
                }
            };
            found == (term.sense == Sense::Wanted)
        })
    }
}

impl Pattern {
    fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty: name the text that is looked for".into());
        }
        if text.len() > PATTERN_MAX {
            return Err(format!("has more than {PATTERN_MAX} bytes"));
        }
        if text.contains('\n') {
            return Err("has the end of a line in it: lines are looked at one by one".into());
        }
        let regex = text
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'));
        if let Some(regex) = regex.filter(|regex| !regex.is_empty()) {
            return compile(regex).map(Self::Regex);
        }
        let has_letters = text.bytes().any(|byte| byte.is_ascii_lowercase());
        let finder = Finder::new(text).into_owned();
        Ok(match has_letters && !text.chars().any(char::is_uppercase) {
            true => Self::AnyCase(finder),
            false => Self::Exact(finder),
        })
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.matches('|').count() > ALTERNATIVES_MAX {
        return Err(format!("has more than {ALTERNATIVES_MAX} alternatives"));
    }
    let build = |pattern: &str| {
        let mut builder = RegexBuilder::new(pattern);
        builder.size_limit(COMPILED_MAX).nest_limit(NESTING_MAX);
        builder.build()
    };
    build(pattern).map_err(|why| {
        // The compiler does not say where. What stands before the mistake is right.
        let cuts = pattern.char_indices().rev().map(|(at, _)| at);
        let mut right = cuts.filter(|&at| build(&pattern[..at]).is_ok());
        let at = right.next().unwrap_or(0);
        let (before, from) = pattern.split_at(at);
        let from: String = from.chars().take(20).collect();
        format!(
            "is no regular expression that can be used: at character {} of it, `{}`: {why}",
            before.chars().count() + 1,
            from.escape_debug()
        )
    })
}
