//! Tables: lines of cells between delimiters, and the head that names them.
//! Pure: no runtime, no file, no socket.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::engine::mqtt::numbers::{Form, SHARE, number};

/// The delimiter that stands equally often in nearly all lines.
pub(crate) fn of_cells(lines: &[&str]) -> Option<Form> {
    for delimiter in ["\t", ";", ",", "  "] {
        let mut counts = BTreeMap::new();
        for line in lines {
            *counts.entry(split(line, delimiter).len()).or_insert(0) += 1;
        }
        let most = counts.into_iter().max_by_key(|&(_, often)| often);
        let Some((count, often)) = most.filter(|&(count, _)| count > 1) else {
            continue;
        };
        if often * 100 >= lines.len() * SHARE {
            return Some(Form::Cells { delimiter, count });
        }
    }
    None
}

/// The cells of `line`: delimiters within double quotes are text.
pub(crate) fn split<'a>(line: &'a str, delimiter: &str) -> Vec<&'a str> {
    if delimiter == "  " {
        return line
            .trim()
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
    }
    let (mut is_quoted, mut cells, mut start) = (false, Vec::new(), 0);
    for (at, c) in line.char_indices() {
        is_quoted ^= c == '"';
        if !is_quoted && delimiter.starts_with(c) {
            cells.push(&line[start..at]);
            start = at + 1;
        }
    }
    cells.push(&line[start..]);
    cells
}

/// A cell without its quotes; a decimal comma is one where the comma is not the delimiter.
pub(crate) fn unquoted<'a>(cell: &'a str, delimiter: &str) -> Cow<'a, str> {
    let cell = cell.trim().trim_matches('"').trim();
    match delimiter {
        ";" | "\t" => cell.replace(',', ".").into(),
        _ => cell.into(),
    }
}

/// The names of the cells, where the first line holds no number.
pub(crate) fn header(head: &str, form: &Form) -> Vec<String> {
    let Form::Cells { delimiter, count } = form else {
        return Vec::new();
    };
    let cells = split(head.trim_start_matches('#'), delimiter);
    let cells: Vec<_> = cells
        .into_iter()
        .map(|cell| unquoted(cell, delimiter))
        .collect();
    let is_header = cells.len() == *count && cells.iter().all(|cell| number(cell).is_none());
    let names = cells.into_iter().map(Cow::into_owned).collect();
    if is_header { names } else { Vec::new() }
}
