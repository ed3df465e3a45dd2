//! Which numbers the lines of a stream hold, so that a home's dashboard can show them without a
//! question. Pure: no runtime, no file, no socket.

use std::borrow::Cow;
use std::collections::BTreeMap;

use miniserde::json::{self, Number, Value};

use crate::engine::mqtt::cells::{header, of_cells, split, unquoted};

/// How many lines a survey looks at.
pub(crate) const SURVEY_LINES: usize = 50;

/// A column that fewer than this many of a hundred lines have is none.
pub(crate) const SHARE: usize = 80;

/// The most columns of one stream, so that a line of a thousand words does not become a thousand
/// entities.
const COLUMNS_MAX: usize = 32;

/// After how many whole numbers, each greater than the one before, they are taken for a count.
const GROWTH_MIN: usize = 10;

/// How deep the objects of a JSON line are looked into.
const DEPTH_MAX: usize = 4;

/// Where in a line its numbers stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The line is one number.
    Bare,
    /// A JSON object.
    Json,
    /// `name=value` or `name:value`, anywhere.
    Pairs,
    /// Cells between delimiters; two or more spaces are one delimiter, written here as two.
    Cells {
        /// What stands between them.
        delimiter: &'static str,
        /// How many there are in a line.
        count: usize,
    },
}

/// What a survey found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Survey {
    /// Each line begins with a time (RFC 3339) and a space, as a sample's does.
    pub is_stamped: bool,
    /// Where its numbers stand.
    pub form: Form,
    /// The numbers, in the order in which the line has them; of JSON, by name.
    pub columns: Vec<Column>,
}

/// One number of each line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    /// The way to it: keys of nested objects, or the group and the name of a pair, or nothing but
    /// its own name.
    pub path: Vec<String>,
    /// Which cell it is, from 0 on.
    pub index: usize,
    /// The unit that is glued to its values, as the line has it.
    pub suffix: String,
    /// It only ever grew, or is called so that it is a number without a size: an identifier, a
    /// port, a line.
    pub is_counter: bool,
    /// Every value is over 1,000, as thousandths of a degree are.
    pub is_large: bool,
}

impl Column {
    /// Its name, the parts joined by dots; empty where the line is one number.
    pub(crate) fn name(&self) -> String {
        self.path.join(".")
    }
}

/// One value as a line has it: the way to it, its cell, its text.
struct Found<'a> {
    path: Vec<String>,
    index: usize,
    text: Cow<'a, str>,
}

/// Looks at `lines` for numbers. `head` is the first line of the file, which may name the cells.
/// The first form that fits wins; `None`: this is a log.
pub(crate) fn survey(lines: &[String], head: Option<&str>) -> Option<Survey> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    let is_stamped = !lines.is_empty() && lines.iter().all(|line| stamp(line).is_some());
    let rests: Vec<&str> = match is_stamped {
        true => lines.iter().filter_map(|line| stamp(line)).collect(),
        false => lines,
    };
    for form in [Form::Bare, Form::Json, Form::Pairs] {
        let found: Vec<_> = rests.iter().map(|line| of_line(&form, line)).collect();
        let columns = columns(&found);
        if !columns.is_empty() {
            return Some(Survey {
                is_stamped,
                form,
                columns,
            });
        }
    }
    let form = of_cells(&rests)?;
    let names = head.map(|head| header(head, &form)).unwrap_or_default();
    let is_row = |line: &&&str| names.is_empty() || head != Some(line);
    let found: Vec<_> = rests
        .iter()
        .filter(is_row)
        .map(|line| of_line(&form, line))
        .collect();
    let mut columns = columns(&found);
    if columns.is_empty() {
        return None;
    }
    for column in &mut columns {
        let number = || format!("column {}", column.index + 1);
        let name = names.get(column.index).filter(|name| !name.is_empty());
        column.path = vec![name.cloned().unwrap_or_else(number)];
    }
    Some(Survey {
        is_stamped,
        form,
        columns,
    })
}

/// What follows the time that a line begins with, such as `2026-11-23T20:15:00.250Z `.
fn stamp(line: &str) -> Option<&str> {
    let (time, rest) = line.split_once(' ')?;
    let digits = time.bytes().take(10).filter(u8::is_ascii_digit).count();
    let is_time = digits == 8 && time.as_bytes().get(10) == Some(&b'T') && time.len() >= 19;
    is_time.then_some(rest)
}

/// The number that `text` begins with, and the unit behind it. `None`: it is no number, or says
/// that there is none.
pub(crate) fn number(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let digits = |from: usize| (from..).take_while(|&at| is_digit(at)).count();
    let mut end = usize::from(text.starts_with(['-', '+']));
    let whole = digits(end);
    end += whole;
    if text[end..].starts_with('.') {
        let fraction = digits(end + 1);
        if whole + fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    } else if whole == 0 {
        return None;
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['-', '+']));
        let exponent = digits(end + 1 + sign);
        end += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    let glued = &text[end..];
    if !glued.is_empty() && glued.bytes().all(|byte| matches!(byte, b'a'..=b'f')) {
        // `7f` is a hexadecimal number.
        return None;
    }
    let unit = glued.trim_start();
    let is_unit = unit.chars().count() <= 8
        && unit
            .chars()
            .all(|c| c.is_alphabetic() || "%°²³/·".contains(c));
    let value: f64 = text[..end].parse().ok()?;
    (is_unit && value.is_finite()).then_some((value, unit))
}

/// The values of one line of that form.
fn of_line<'a>(form: &Form, line: &'a str) -> Vec<Found<'a>> {
    match form {
        Form::Bare => vec![Found {
            path: Vec::new(),
            index: 0,
            text: line.into(),
        }],
        Form::Json => of_json(line),
        Form::Pairs => of_pairs(line),
        Form::Cells { delimiter, count } => {
            let cells = split(line, delimiter);
            // A line with another number of cells is skipped.
            let cells = if cells.len() == *count {
                cells
            } else {
                Vec::new()
            };
            let found = |(index, cell): (usize, &'a str)| Found {
                path: vec![index.to_string()],
                index,
                text: unquoted(cell, delimiter),
            };
            cells.into_iter().enumerate().map(found).collect()
        }
    }
}

fn of_json(line: &str) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    if line.starts_with('{')
        && let Ok(Value::Object(object)) = json::from_str::<Value>(line)
    {
        flatten(&object, &mut Vec::new(), &mut found);
    }
    found
}

fn flatten(object: &json::Object, path: &mut Vec<String>, found: &mut Vec<Found<'_>>) {
    for (key, value) in object {
        path.push(key.clone());
        let text = match value {
            Value::Number(Number::U64(number)) => Some(number.to_string()),
            Value::Number(Number::I64(number)) => Some(number.to_string()),
            Value::Number(Number::F64(number)) => Some(number.to_string()),
            Value::Object(inner) if path.len() < DEPTH_MAX => {
                flatten(inner, path, found);
                None
            }
            _ => None,
        };
        if let Some(text) = text {
            found.push(Found {
                path: path.clone(),
                index: 0,
                text: text.into(),
            });
        }
        path.pop();
    }
}

/// A word that ends in a colon and has no value is the name of the number behind it, else the group
/// of what follows.
fn of_pairs(line: &str) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let (mut group, mut is_open) = (None, false);
    for word in line
        .split([' ', '\t', ',', ';'])
        .filter(|word| !word.is_empty())
    {
        let (name, text) = word.split_once(['=', ':']).unwrap_or(("", word));
        let was_open = std::mem::take(&mut is_open);
        if is_name(name) && text.is_empty() {
            (group, is_open) = (Some(name), true);
        } else if is_name(name) {
            let path = group.into_iter().chain([name]).map(str::to_owned).collect();
            let text = text.trim_matches('"');
            found.push(Found {
                path,
                index: 0,
                text: text.into(),
            });
        } else if let Some(name) = group.filter(|_| was_open && name.is_empty()) {
            group = None;
            found.push(Found {
                path: vec![name.to_owned()],
                index: 0,
                text: text.into(),
            });
        }
    }
    found
}

/// Names are letters first: `20:26:01` is a time.
fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(is_part)
}

/// The columns that nearly all lines have as a number. A time is none.
fn columns(lines: &[Vec<Found>]) -> Vec<Column> {
    let mut order: Vec<(&[String], usize)> = Vec::new();
    let mut values: BTreeMap<&[String], Vec<(f64, &str)>> = BTreeMap::new();
    for found in lines.iter().flatten() {
        if let Some(value) = number(&found.text) {
            let known = values.entry(&found.path).or_default();
            if known.is_empty() {
                order.push((&found.path, found.index));
            }
            known.push(value);
        }
    }
    let mut columns = Vec::new();
    for (path, index) in order {
        let values = &values[path];
        let is_everywhere = values.len() * 100 >= lines.len() * SHARE;
        if is_everywhere && !values.iter().all(|&(value, _)| is_epoch(value)) {
            columns.push(Column {
                path: path.to_vec(),
                index,
                suffix: suffix(values),
                is_counter: is_identifier(path) || grows(values),
                is_large: values.iter().all(|&(value, _)| value.abs() > 1000.0),
            });
        }
    }
    columns.truncate(COLUMNS_MAX);
    columns
}

/// The unit of all of them, if it is one.
fn suffix(values: &[(f64, &str)]) -> String {
    let first = values.first().map_or("", |&(_, unit)| unit);
    let is_same = values.iter().all(|&(_, unit)| unit == first);
    if is_same {
        first.to_owned()
    } else {
        String::new()
    }
}

/// Seconds, or thousandths, millionths, billionths of them, since 1970, between 2014 and 2033.
fn is_epoch(value: f64) -> bool {
    [1.0, 1e3, 1e6, 1e9]
        .iter()
        .any(|scale| (1.4e9..2.0e9).contains(&(value / scale)))
}

fn is_identifier(path: &[String]) -> bool {
    let last = path
        .last()
        .map(|name| name.to_ascii_lowercase())
        .unwrap_or_default();
    let last = last.rsplit(['_', '.', '-']).next().unwrap_or_default();
    matches!(
        last,
        "crc" | "id" | "pid" | "tid" | "uid" | "port" | "line" | "seq"
    )
}

/// Whole numbers of which each is greater than the one before: a count of lines or of bytes.
fn grows(values: &[(f64, &str)]) -> bool {
    values.len() >= GROWTH_MIN
        && values.iter().all(|(value, _)| value.fract() == 0.0)
        && values.is_sorted_by(|(before, _), (after, _)| before < after)
}

#[cfg(test)]
mod tests;
