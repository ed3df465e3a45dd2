//! The last lines of a file, from its end.

use crate::bytes::lines::LineEnd;

/// Finds where the last N lines of a file begin, from pieces handed over last one first. As in
/// `tail -n`, a last line without a newline counts as a line.
#[derive(Debug)]
pub struct LastLines {
    ends: LineEnd,
    newlines_left: u64,
    at_file_end: bool,
    /// The piece behind begins with a newline, which belongs to a carriage return before it.
    newline_behind: bool,
}

impl LastLines {
    /// Looks for the last `count` lines.
    pub fn new(count: u64, ends: LineEnd) -> Self {
        Self {
            ends,
            newlines_left: count,
            at_file_end: true,
            newline_behind: false,
        }
    }

    /// Takes the piece before the ones taken so far. `Some(i)`: the lines begin at byte `i` of this
    /// piece (`i` may be its length).
    pub fn feed(&mut self, piece: &[u8]) -> Option<usize> {
        let mut end = piece.len();
        if std::mem::take(&mut self.at_file_end) {
            if self.newlines_left == 0 {
                return Some(end);
            }
            // The newline that ends the last line does not begin another.
            end -= usize::from(self.ends.is_end(piece.last()));
            if end < piece.len() && piece[end] == b'\n' {
                end = self.before_newline(piece, end);
            }
        } else if std::mem::take(&mut self.newline_behind) {
            end -= usize::from(self.ends == LineEnd::Return && piece.last() == Some(&b'\r'));
        }
        while let Some(newline) = self.ends.last(&piece[..end]) {
            self.newlines_left -= 1;
            if self.newlines_left == 0 {
                return Some(newline + 1);
            }
            end = newline;
            if piece[newline] == b'\n' {
                end = self.before_newline(piece, newline);
            }
        }
        None
    }

    /// Where to go on before the newline at `newline`: a carriage return before it is a part of the
    /// same end, also where it stands in the piece before.
    fn before_newline(&mut self, piece: &[u8], newline: usize) -> usize {
        if self.ends == LineEnd::Newline {
            return newline;
        }
        self.newline_behind = newline == 0;
        newline - usize::from(newline > 0 && piece[newline - 1] == b'\r')
    }
}
