//! Any place of 2 GB.

use super::{A_SECOND, LARGE, Page, ROUNDS, SIGHT, row, slowest};
use crate::table::{Row, Target};

/// Places of the scrollbar that are jumped to.
const JUMPS: usize = 100;

/// A place of the scrollbar is met within so many lines, which are 64 kB.
const NEAR: u64 = 1_000;

/// A time in the file: 04:20:00.
const TIME: &str = "04:20";
const ITS_LINE: u64 = (4 * 3600 + 20 * 60) * A_SECOND;

impl Page {
    /// ms until a line between these is the first in sight, and how often the board was asked.
    fn jump(&mut self, how: &str, least: u64, most: u64) -> (f64, f64) {
        self.evaluate("performance.clearResourceTimings()");
        let met = format!("((line) => line >= {least} && line <= {most})({SIGHT})");
        let ms = self.until_frame(how, &met);
        let asked = "performance.getEntriesByType('resource')
            .filter(({ name }) => name.includes('/stream/')).length";
        (ms, self.number(asked))
    }
}

pub(super) fn rows(page: &mut Page) -> Vec<Row> {
    let start = "document.getElementById('view').dispatchEvent(
        new KeyboardEvent('keydown', { key: 'g', bubbles: true }))";
    let go_to = |place: &str| {
        format!(
            "document.getElementById('goto').value = '{place}';
             document.getElementById('goto-form').requestSubmit()"
        )
    };
    // A line that was gone to stands a third of the page below its top.
    let time = (ITS_LINE - 100, ITS_LINE);
    let middle = (LARGE / 2 - NEAR, LARGE / 2 + NEAR);
    let ways = [
        ("byte 0", start.to_owned(), (0, 0), 300.0, Some(4.0)),
        ("50 %", go_to("50%"), middle, 500.0, None),
        ("a time", go_to(TIME), time, 500.0, Some(21.0)),
    ];
    let mut rows = Vec::new();
    for (place, how, (least, most), limit, requests) in ways {
        let (mut took, mut asked) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            page.open();
            let (ms, count) = page.jump(&how, least, most);
            took.push(ms);
            asked.push(count);
        }
        let name = format!("jump to {place} of 2 GB");
        rows.push(row(name, "ms", Target::Below(limit), &took));
        if let Some(requests) = requests {
            let name = format!("requests for {place}");
            rows.push(row(name, "", Target::Below(requests), &asked));
        }
    }
    rows.extend(scrollbar(page));
    rows
}

/// Places without an order, the same ones in each run. What stands there is what the file has
/// there: each line in sight is the one behind the line above it.
fn scrollbar(page: &mut Page) -> [Row; 2] {
    page.open();
    let mut took = Vec::new();
    let mut place: u32 = 1;
    for _ in 0..JUMPS {
        place = place.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let part = f64::from(place) / f64::from(u32::MAX);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a line of the file"
        )]
        let line = (part * LARGE as f64) as u64;
        let how = format!(
            "const view = document.getElementById('view');
             view.scrollTop = (view.scrollHeight - view.clientHeight) * {part}"
        );
        took.push(page.jump(&how, line.saturating_sub(NEAR), line + NEAR).0);
        let neighbours = "[...document.querySelectorAll('.row')]
            .map((row) => Number(row.textContent.split(' ').at(-1)))
            .every((line, i, all) => i === 0 || line === all[i - 1] + 1)";
        assert_eq!(page.evaluate(neighbours), true, "at {part}");
    }
    let name = "100 places of the scrollbar of 2 GB";
    [
        row(format!("{name}: median"), "ms", Target::None, &took),
        row(
            format!("{name}: the slowest"),
            "ms",
            Target::Below(200.0),
            &[slowest(&took)],
        ),
    ]
}
