//! The page in a real browser, through everything that breaks a stream: nothing lost, nothing
//! twice, each gap marked.

use crate::cursor::Place;
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::server::Server;
use crate::viewer::{Viewer, rows};
use crate::writer::Writer;
use rustix::process::Signal;
use serde_json::json;
use std::fs;

#[test]
pub fn restarts_lose_and_repeat_nothing() {
    let folder = Folder::new();
    let mut writer = Writer::start(&folder.log);
    let Some((mut server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    for signal in [Signal::TERM, Signal::KILL, Signal::TERM] {
        writer.begin(300);
        server.end(signal);
        writer.wait();
        writer.write(100);
        viewer.until_state(r"connecting|reconnecting in \d+ s");
        writer.begin(300);
        server.start_again();
        writer.wait();
        viewer.until_state("live");
    }
    viewer.until_last(&writer.last());
    let mut shown = viewer.everything();
    let marks = shown.len();
    shown.retain(|row| row != "<mark reconnected>");
    assert_eq!(marks - shown.len(), 3);
    assert_eq!(shown, rows(writer.everything()));
    viewer.assert_no_complaints_but_of_the_network();
}

/// Find is fetched when it is asked for. Asked for while the server is away, it opens once that is
/// back.
#[test]
pub fn what_is_asked_for_while_the_server_is_away() {
    let folder = Folder::new();
    folder.append("hay\nneedle\nhay\n");
    let Some((mut server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("hay");
    viewer.until_state("live");
    server.stop();
    viewer.until_state(r"connecting|reconnecting in \d+ s");
    viewer.press("/");
    viewer.write("needle");
    let failed = "import(new URL('find.js', document.baseURI)).then(() => false, () => true)";
    assert_eq!(viewer.browser.evaluate(failed), true);
    server.start_again();
    viewer.until(
        "the count",
        "document.getElementById('hits').textContent === '1 hit'",
    );
    viewer.assert_no_complaints_but_of_the_network();
}

#[test]
pub fn rotation_shows_each_line_once_and_a_mark() {
    let folder = Folder::new();
    let mut writer = Writer::start(&folder.log);
    writer.write(50);
    let Some((server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last(&writer.last());
    server.between_two_looks(|| {
        folder.rotate();
        // A daemon goes on in the old file until it is told.
        writer.write(20);
        writer.reopen();
        writer.write(50);
    });
    viewer.until_last(&writer.last());
    let mut expected = rows(writer.everything());
    expected.insert(70, "<mark rotated>".to_owned());
    assert_eq!(viewer.everything(), expected);
    viewer.assert_no_complaints();
}

#[test]
pub fn truncation_and_absence_leave_a_mark() {
    let folder = Folder::new();
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    folder.append("first\nhalf");
    viewer.until_last("half");
    viewer.until_state("live");
    folder.truncate();
    viewer.until_last("<mark truncated>");
    folder.append("again\n");
    viewer.until_last("again");
    fs::remove_file(&folder.log).expect("remove");
    viewer.until_last("<mark missing>");
    viewer.until_state("waiting for the file");
    folder.append("back\n");
    viewer.until_last("back");
    let expected = [
        "<mark missing>",
        "<mark found>",
        "<mark rotated>",
        "first",
        "half",
        "<mark truncated>",
        "again",
        "<mark missing>",
        "<mark found>",
        "<mark rotated>",
        "back",
    ];
    assert_eq!(viewer.shown(), expected);
    viewer.assert_no_complaints();
}

#[test]
pub fn a_gap_leaves_a_mark() {
    let folder = Folder::new();
    folder.append("before\n");
    let Some((mut server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("before");
    server.stop();
    fs::remove_file(&folder.log).expect("remove");
    folder.append("after\n");
    server.start_again();
    viewer.until_last("after");
    assert_eq!(viewer.shown(), ["before", "<mark lost>", "after"]);
    viewer.assert_no_complaints_but_of_the_network();
}

#[test]
pub fn a_character_cut_in_half_survives_a_restart() {
    let pine = "🌲".as_bytes();
    // Shorter and longer than what the cursor's check covers.
    for start in ["grün ".to_owned(), format!("grün\n{} ", "ß".repeat(100))] {
        let folder = Folder::new();
        folder.append(&start);
        let Some((mut server, mut viewer)) = Viewer::of(&folder) else {
            return;
        };
        let mut content = start.clone().into_bytes();
        for piece in [&pine[..1], &pine[1..3]] {
            folder.append(piece);
            content.extend_from_slice(piece);
            until_true("all bytes to come", || viewer.received() == content.len());
            server.restart();
            let place = Place::behind(folder.inode(), &content).to_string();
            until_true(&format!("the page to ask for {place}"), || {
                viewer.asked().last() == Some(&place)
            });
            viewer.until_state("live");
            assert_eq!(viewer.shown(), rows(&start));
        }
        folder.append(&pine[3..]);
        folder.append(" end\n");
        let whole = format!("{start}🌲 end");
        viewer.until_last(whole.lines().last().unwrap());
        assert_eq!(viewer.shown(), rows(&whole));
        viewer.assert_no_complaints_but_of_the_network();
    }
}

#[test]
pub fn the_cursor_of_a_large_file_is_exact() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let folder = Folder::new();
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    let told = viewer.browser.evaluate(
        "import(new URL('cursor.js', document.baseURI)).then(({ Cursor }) => {
            const told = (cursor, ...texts) => {
                const place = new Cursor(cursor);
                for (const text of texts) place.push(new TextEncoder().encode(text));
                return place.toString();
            };
            return [
                told('ffffffffffffffff-1fffffffff-1234abcd'),
                told('ffffffffffffffff-1fffffffff-1234abcd', 'a'),
                told('ffffffffffffffff-fffffffff0', '-'.repeat(32), 'foobar'.repeat(16)),
                told('1-0', 'foo', 'bar'),
                told('1-0', ''),
            ];
        })",
    );
    let large = Place::behind(0, "foobar".repeat(16).as_bytes());
    let expected = [
        "ffffffffffffffff-1fffffffff-1234abcd".to_owned(),
        // Joined in the middle, and has not seen enough for a check.
        "ffffffffffffffff-2000000000".to_owned(),
        format!("ffffffffffffffff-10000000070-{:x}", large.check().unwrap()),
        "1-6-bf9cf968".to_owned(),
        "1-0".to_owned(),
    ];
    assert_eq!(told, json!(expected));
}

/// Time in the page runs this many times faster, so that nobody waits for heartbeats.
const HASTE: &str = "{
    const [now, wait, haste, start] = [Date.now, setTimeout, 10, Date.now()];
    Date.now = () => start + (now() - start) * haste;
    window.setTimeout = (call, delay) => wait(call, delay / haste);
}";

#[test]
pub fn a_silent_server_is_noticed() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    viewer.browser.run_in_every_page(HASTE);
    let folder = Folder::new();
    folder.append("before\n");
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    viewer.until_last("before");
    until_true("three beats", || {
        let events = viewer.events();
        events.iter().filter(|text| text.contains("pong")).count() >= 3
    });
    assert!(viewer.sent().iter().all(|text| text == "ping"));
    assert_eq!(viewer.asked(), ["-1000"], "a quiet log is no dead server");
    server.between_two_looks(|| {
        viewer.until_state(r"connecting|reconnecting in \d+ s");
        folder.append("meanwhile\n");
    });
    viewer.until_last("meanwhile");
    assert_eq!(
        viewer.shown(),
        ["before", "<mark reconnected>", "meanwhile"]
    );
    viewer.assert_no_complaints_but_of_the_network();
}

/// Timers that would not be due for a while never are.
const PATIENCE: &str = "{
    const wait = setTimeout;
    window.setTimeout = (call, delay) => (delay > 50 ? 0 : wait(call, delay));
}";

#[test]
pub fn being_looked_at_again_ends_the_wait() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    viewer.browser.run_in_every_page(PATIENCE);
    let folder = Folder::new();
    folder.append("before\n");
    let mut server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    let wakes: [fn(&mut Viewer); 2] = [
        |viewer| {
            viewer.browser.hide();
            viewer.until("the tab to be hidden", "document.hidden");
            viewer.browser.show();
        },
        |viewer| {
            viewer
                .browser
                .evaluate("dispatchEvent(new Event('online'))");
        },
    ];
    for wake in wakes {
        viewer.until_state("live");
        server.stop();
        viewer.until_state(r"reconnecting in \d+ s");
        server.start_again();
        wake(&mut viewer);
        viewer.until_state("live");
    }
    viewer.assert_no_complaints_but_of_the_network();
}
