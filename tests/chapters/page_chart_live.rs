//! Charts of what comes: of two streams, over rotations and a restart, from a clock that was not
//! set, in a file that begins.

use super::page_chart::{LEGEND, SAID, VALUES, make, open, scene};
use crate::folder::Folder;
use crate::server::Server;
use crate::viewer::Viewer;
use serde_json::json;
use std::fs;

/// Rotated while one looks and before, the server restarted: each reading once, none lost.
#[test]
pub fn over_rotations_and_a_restart() {
    let folder = Folder::new();
    let mut written = 0;
    let mut write = |folder: &Folder, count: u32| {
        folder.append(make(count, |_, _| {
            written += 1;
            format!(
                "2026-11-25T00:{:02}:{:02}Z {written}.5",
                written / 60,
                written % 60
            )
        }));
        (1..=written)
            .map(|i| f64::from(i) + 0.5)
            .collect::<Vec<_>>()
    };
    write(&folder, 100);
    folder.rotate();
    write(&folder, 100);
    folder.rotate();
    write(&folder, 100);
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let mut server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    open(&mut viewer, "all");
    let all = |values: &[f64]| {
        format!(
            "JSON.stringify({VALUES}) === JSON.stringify({})",
            json!(values)
        )
    };
    let values = write(&folder, 10);
    viewer.until("live", &all(&values));
    folder.rotate();
    let values = write(&folder, 10);
    viewer.until("what came after a rotation", &all(&values));
    server.stop();
    write(&folder, 10);
    folder.rotate();
    let values = write(&folder, 10);
    server.start_again();
    viewer.until("what came while the server was away", &all(&values));
    // Each that came was told to the alerts, none of those from before.
    assert_eq!(
        viewer.browser.evaluate("told"),
        json!(
            values[300..]
                .iter()
                .map(|value| json!(["app.log", value]))
                .collect::<Vec<_>>()
        )
    );
    viewer.assert_no_complaints_but_of_the_network();
}

/// A clock that was not set is no reading in 1970, and a gap is none in between.
#[test]
pub fn before_the_clock_was_set() {
    let lines = make(50, |i, time| {
        let time = if i < 20 {
            time.replace("2026-11-25", "1970-01-01")
        } else {
            time.to_owned()
        };
        let value = if i == 30 {
            "nan".to_owned()
        } else {
            format!("{i}")
        };
        format!("{time} t={value}")
    });
    let Some((_folder, _server, mut viewer)) = scene(&lines) else {
        return;
    };
    viewer.until(
        "the note",
        &format!("/20 from before the clock was set left out/.test({SAID})"),
    );
    assert_eq!(
        viewer.browser.evaluate(&format!(
            "{VALUES}.map((value) => Number.isNaN(value) ? 'gap' : value).join()"
        )),
        json!(
            (20..50)
                .map(|i| if i == 30 {
                    "gap".to_owned()
                } else {
                    i.to_string()
                })
                .collect::<Vec<_>>()
                .join(",")
        )
    );
}

/// Nothing is there at first; what the lines hold is told by those that come.
#[test]
pub fn a_file_that_begins() {
    let Some((folder, _server, mut viewer)) = scene("") else {
        return;
    };
    viewer.until(
        "words",
        &format!("{SAID} === 'No numbers in these lines yet.'"),
    );
    folder.append("a=1 b=2\n");
    viewer.until("the first", &format!("{LEGEND}.join() === 'a 1,b 2'"));
    for i in 2..70 {
        folder.append(format!("a={}.5 b=2 c=3.5\n", i % 7));
    }
    viewer.until("a third series", &format!("{LEGEND}.at(-1) === 'c 3.5'"));
    viewer.until("all", &format!("{VALUES}.length === 69"));
    viewer.assert_no_complaints();
}

#[test]
pub fn two_streams_over_each_other() {
    let folder = Folder::new();
    folder.append(make(100, |i, time| format!("{time} in_c={i}")));
    fs::write(
        folder.path("out.log"),
        make(100, |i, time| format!("{time} out_c={}", 200 - i)),
    )
    .unwrap();
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let out = folder.path("out.log");
    let server = Server::start(&[folder.arg(), out.to_str().unwrap()]);
    viewer.look_at(&server);
    open(&mut viewer, "24-h~~out.log");
    let both = format!("{LEGEND}.join() === 'app.log: in 99 °C,out.log: out 101 °C'");
    viewer.until(
        "both in one chart",
        &format!("{both} && document.querySelectorAll('#charts canvas').length === 1"),
    );
    fs::OpenOptions::new()
        .append(true)
        .open(&out)
        .and_then(|mut log| std::io::Write::write_all(&mut log, b"2026-11-25T00:01:40Z out_c=7\n"))
        .unwrap();
    viewer.until(
        "the other lives, too",
        &format!("{LEGEND}[1] === 'out.log: out 7 °C'"),
    );
    viewer.assert_no_complaints();
}
