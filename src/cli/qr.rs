//! A link as a QR code for a terminal, so that a phone need not be typed on.

use qrcodegen::{QrCode, QrCodeEcc, QrSegment};

/// Light modules around the code (ISO/IEC 18004 asks for four; scanners are content with two, and a
/// terminal is small).
const QUIET: i32 = 2;

/// Black on white whatever the terminal's own colours are: many scanners don't take it the other
/// way round.
const BEGIN: &str = "\x1b[30;107m";
const END: &str = "\x1b[0m";

/// The code for `link`, two rows of modules in a line of half blocks. `None` for a link too long to
/// be one.
pub(crate) fn draw(link: &str) -> Option<String> {
    // As bytes: a link has lower-case letters, so that no denser form would fit it.
    let text = [QrSegment::make_bytes(link.as_bytes())];
    let code = QrCode::encode_segments(&text, QrCodeEcc::Low).ok()?;
    let end = code.size() + QUIET;
    let mut drawn = String::new();
    let mut y = -QUIET;
    while y < end {
        drawn.push_str(BEGIN);
        for x in -QUIET..end {
            drawn.push(match (code.get_module(x, y), code.get_module(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        drawn.push_str(END);
        drawn.push('\n');
        y += 2;
    }
    Some(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_fits_a_terminal_of_80_by_24() {
        let link = format!("http://192.168.100.100:65535/?key={}", "a".repeat(26));
        let drawn = draw(&link).unwrap();
        let lines: Vec<&str> = drawn.lines().collect();
        assert!(lines.len() <= 20, "{}", lines.len());
        let widths = lines.iter().map(|line| {
            line.trim_start_matches(BEGIN)
                .trim_end_matches(END)
                .chars()
                .count()
        });
        assert!(
            widths.clone().all(|width| width <= 40),
            "{:?}",
            widths.collect::<Vec<_>>()
        );
        // The corner that every code has: seven dark modules in a row.
        assert!(lines[1].contains("  █▀▀▀▀▀█"), "{}", lines[1]);
        assert_eq!(draw(&"a".repeat(5000)), None);
    }
}
