//! Bytes of a stream into lines, each with the place behind it.
//! Pure: no runtime, no file, no socket.

use crate::bytes::cursor::{CHECK_SPAN, Cursor, fnv1a};
use crate::bytes::lines::Splitter;

/// A line with its newline taken off, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its text.
    pub(crate) text: String,
    /// The place behind it.
    pub(crate) cursor: Cursor,
    /// How many bytes of the file it stands for.
    pub(crate) bytes: u64,
}

/// Cuts one file, or what is kept of a pipe or a sample, into lines.
pub(crate) struct Lines {
    splitter: Splitter,
    inode: u64,
    /// Where the splitter began to count.
    origin: u64,
    /// How many bytes behind the origin the last line ended.
    passed: u64,
    /// What is held of a line, and before it what a cursor's check covers.
    window: Vec<u8>,
    /// Where the window begins.
    window_at: u64,
}

impl Lines {
    /// Lines of a stream that begins at `cursor`, behind the bytes `before`.
    pub(crate) fn new(cursor: Cursor, before: Vec<u8>) -> Self {
        Self {
            splitter: Splitter::behind(&before),
            inode: cursor.inode,
            origin: cursor.offset,
            passed: 0,
            window_at: cursor.offset.saturating_sub(before.len() as u64),
            window: before,
        }
    }

    /// The lines that `bytes` complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Line> {
        self.window.extend_from_slice(bytes);
        self.cut(|splitter, line| splitter.push(bytes, line))
    }

    /// The line whose newline will not come: its file is over.
    pub(crate) fn finish(&mut self) -> Vec<Line> {
        self.cut(|splitter, line| splitter.finish(line))
    }

    fn cut(&mut self, split: impl FnOnce(&mut Splitter, &mut dyn FnMut(&str, u64))) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut splitter = std::mem::take(&mut self.splitter);
        split(&mut splitter, &mut |text, passed| {
            lines.push(Line {
                text: text.to_owned(),
                cursor: self.cursor(passed),
                bytes: passed - self.passed,
            });
            self.passed = passed;
        });
        self.splitter = splitter;
        let end = self.origin + self.passed;
        let surplus = end
            .saturating_sub(CHECK_SPAN)
            .saturating_sub(self.window_at);
        self.window.drain(..usize::try_from(surplus).unwrap_or(0));
        self.window_at += surplus;
        lines
    }

    /// The cursor `passed` bytes behind the origin; without a check where too little before it is known.
    fn cursor(&self, passed: u64) -> Cursor {
        let offset = self.origin + passed;
        let from = offset.saturating_sub(CHECK_SPAN);
        let span = from.checked_sub(self.window_at).and_then(|start| {
            let start = usize::try_from(start).ok()?;
            let length = usize::try_from(offset - from).ok()?;
            self.window.get(start..start + length)
        });
        Cursor {
            inode: self.inode,
            offset,
            check: span.map(fnv1a),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_behind_a_line_however_it_is_cut() {
        let file: Vec<u8> = (0..40)
            .flat_map(|n| format!("line {n}\r\n").into_bytes())
            .collect();
        let whole = Lines::new(Cursor::new(7, 0, b""), Vec::new()).push(&file);
        assert_eq!(whole.len(), 40);
        let last = whole.last().unwrap();
        assert_eq!(last.text, "line 39");
        assert_eq!(
            last.cursor,
            Cursor::new(7, file.len() as u64, &file[file.len() - 64..])
        );
        assert_eq!(
            whole.iter().map(|line| line.bytes).sum::<u64>(),
            file.len() as u64
        );
        for piece in [1, 7, 64, 100] {
            let mut lines = Lines::new(Cursor::new(7, 0, b""), Vec::new());
            let cut: Vec<Line> = file
                .chunks(piece)
                .flat_map(|bytes| lines.push(bytes))
                .collect();
            assert_eq!(cut, whole, "in pieces of {piece}");
            assert!(lines.window.len() as u64 <= CHECK_SPAN + 9, "what it keeps");
        }
        // Whoever goes on behind a line sees the same from there.
        let at = whole[20].cursor;
        let (head, rest) = file.split_at(usize::try_from(at.offset).unwrap());
        let mut lines = Lines::new(at, head[head.len() - 64..].to_vec());
        assert_eq!(lines.push(rest), whole[21..]);
    }

    #[test]
    fn a_line_without_an_end() {
        let mut lines = Lines::new(Cursor::new(7, 0, b""), Vec::new());
        assert_eq!(lines.push(b"half"), []);
        let line = Line {
            text: "half".to_owned(),
            cursor: Cursor::new(7, 4, b"half"),
            bytes: 4,
        };
        assert_eq!(lines.finish(), [line]);
        assert_eq!(lines.finish(), []);
    }
}
