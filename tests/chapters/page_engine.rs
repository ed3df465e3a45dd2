//! The page says how a stream stands at its engine, on the board and at a hub.

use crate::chapters::engine::{SUBJECT, board};
use crate::chapters::hub::hub;
use crate::folder::Folder;
use crate::nats::Nats;
use crate::viewer::Viewer;
use crate::writer::{line, lines};

/// Waits until the page says this beside the name, given as a regular expression.
fn until_said(viewer: &mut Viewer, words: &str) {
    let said = "(line => line.hidden ? '' : line.textContent)(document.getElementById('engine'))";
    viewer.until(words, &format!("/^({words})$/.test({said})"));
}

#[test]
pub fn on_the_board() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let folder = Folder::new();
    folder.append(lines(1..=20));
    let board = board(&folder, &nats.url());
    viewer.look_at(&board);
    until_said(&mut viewer, "publishing");
    nats.kill();
    until_said(&mut viewer, "engine away since [0-9:]+( [AP]M)?");
    let more = lines(21..=1000);
    folder.append(&more);
    let digits = more.len().to_string();
    let (thousands, rest) = digits.split_at(digits.len() - 3);
    let behind = format!("engine away since [0-9:]+( [AP]M)?, {thousands},{rest} bytes behind");
    until_said(&mut viewer, &behind);
    // Why, for who points at it.
    viewer.until(
        "the cause",
        "/ behind: nats:.*: .+/.test(document.getElementById('engine').title)",
    );
    viewer.until_last(&line(1000));
    // In a small window the name stays, and the page as wide as the window.
    viewer.size(780, 500);
    viewer.until(
        "the name beside it, and nothing to scroll sideways",
        "document.getElementById('name').clientWidth > 40 && document.documentElement.scrollWidth <= innerWidth",
    );
    nats.start_again();
    until_said(&mut viewer, "publishing");
    viewer.assert_no_complaints();
}

#[test]
pub fn at_a_hub() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let Some(mut nats) = Nats::start() else {
        return;
    };
    let folder = Folder::new();
    folder.append(lines(1..=2));
    let _board = board(&folder, &nats.url());
    nats.bytes(SUBJECT, lines(1..=2).len());
    let hub = hub(&folder, nats.addr, "tailcast.>");
    viewer.look_at(&hub);
    viewer.until_last(&line(2));
    until_said(&mut viewer, "");
    folder.rotate();
    folder.append(lines([3]));
    viewer.until_last(&line(3));
    folder.truncate();
    folder.append(lines([4]));
    viewer.until_last(&line(4));
    let text = |number| line(number).trim_end().to_owned();
    let mark = || "<mark rotated>".to_owned();
    viewer.until_shown(&[text(1), text(2), mark(), text(3), mark(), text(4)]);
    nats.kill();
    until_said(&mut viewer, "engine away since [0-9:]+( [AP]M)?");
    folder.append(lines([5]));
    nats.start_again();
    viewer.until_last(&line(5));
    until_said(&mut viewer, "");
    viewer.assert_no_complaints();
}
