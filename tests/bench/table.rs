//! What was measured, as one plain table.

use crate::measure::median;
use crate::sides::Side;

/// What a row is held to.
pub enum Target {
    /// Only looked at.
    None,
    /// At most so many times the bare server's.
    RatioAtMost(f64),
    /// At least so many times the bare server's.
    RatioAtLeast(f64),
    /// Tailcast's value itself, below this.
    Below(f64),
    /// Tailcast's value itself, this or more.
    AtLeast(f64),
    /// Tailcast's value itself, nothing at all.
    Zero,
}

/// Values of one row, a round each, by side.
#[derive(Default, Clone)]
pub struct Values {
    tailcast: Vec<Option<f64>>,
    bare: Vec<Option<f64>>,
    websocketd: Vec<Option<f64>>,
}

/// One line of the table.
pub struct Row {
    name: String,
    unit: &'static str,
    target: Target,
    values: Values,
}

/// Runs the sides in turn, A B C A B C, so that what else the machine does meets all of them;
/// values by row.
pub fn alternate<const N: usize>(
    rounds: usize,
    sides: &[Side],
    mut run: impl FnMut(Side) -> [Option<f64>; N],
) -> [Values; N] {
    let mut rows = std::array::from_fn(|_| Values::default());
    for _ in 0..rounds {
        for side in sides {
            for (values, value) in rows.iter_mut().zip(run(*side)) {
                values.add(*side, value);
            }
        }
    }
    rows
}

impl Values {
    /// One more round of a side.
    pub fn add(&mut self, side: Side, value: Option<f64>) {
        match side {
            Side::Tailcast => self.tailcast.push(value),
            Side::Bare => self.bare.push(value),
            Side::Websocketd => self.websocketd.push(value),
        }
    }

    /// The middle of the ratios, each of two neighbouring runs.
    fn ratio(&self) -> Option<f64> {
        let pairs = self
            .tailcast
            .iter()
            .flatten()
            .zip(self.bare.iter().flatten());
        let ratios: Vec<f64> = pairs
            .filter(|(_, bare)| **bare > 0.0)
            .map(|(ours, bare)| ours / bare)
            .collect();
        median(&ratios)
    }
}

fn middle(values: &[Option<f64>]) -> Option<f64> {
    median(&values.iter().flatten().copied().collect::<Vec<_>>())
}

impl Row {
    /// A line with its values.
    pub fn new(
        name: impl Into<String>,
        unit: &'static str,
        target: Target,
        values: Values,
    ) -> Self {
        Self {
            name: name.into(),
            unit,
            target,
            values,
        }
    }

    fn cells(&self) -> [String; 8] {
        let (ours, ratio) = (middle(&self.values.tailcast), self.values.ratio());
        let (target, met) = match self.target {
            Target::None => (String::new(), None),
            Target::RatioAtMost(most) => (
                format!("<= {most:.2} x bare"),
                ratio.map(|ratio| ratio <= most),
            ),
            Target::RatioAtLeast(least) => (
                format!(">= {least:.2} x bare"),
                ratio.map(|ratio| ratio >= least),
            ),
            Target::Below(limit) => (format!("< {limit}"), ours.map(|value| value < limit)),
            Target::AtLeast(least) => (format!(">= {least}"), ours.map(|value| value >= least)),
            Target::Zero => ("= 0".into(), ours.map(|value| value == 0.0)),
        };
        [
            self.name.clone(),
            self.unit.into(),
            number(ours),
            number(middle(&self.values.bare)),
            number(ratio),
            number(middle(&self.values.websocketd)),
            target,
            met.map_or("", |met| if met { "met" } else { "NOT MET" })
                .into(),
        ]
    }
}

/// Three digits that count.
fn number(value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(0.0) => "0".into(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

/// Prints it: names to the left, numbers to the right.
pub fn print(rows: &[Row]) {
    let heads = [
        "",
        "unit",
        "tailcast",
        "bare TCP",
        "ratio",
        "websocketd",
        "target",
        "",
    ]
    .map(String::from);
    let lines: Vec<_> = std::iter::once(heads)
        .chain(rows.iter().map(Row::cells))
        .collect();
    let widths: [usize; 8] = std::array::from_fn(|column| {
        lines
            .iter()
            .map(|line| line[column].len())
            .max()
            .unwrap_or(0)
    });
    for line in &lines {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            let (width, right) = (widths[column], (2..6).contains(&column));
            text += &if right {
                format!("{cell:>width$}   ")
            } else {
                format!("{cell:<width$}   ")
            };
        }
        println!("{}", text.trim_end());
    }
}
