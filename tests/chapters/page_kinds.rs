//! The page beside logs: files of one value, sensors, pipes, many streams, file systems without
//! notices.

use super::pipes::{make_fifo, write};
use crate::deadline::until_true;
use crate::folder::{Folder, rename};
use crate::http::source;
use crate::server::Server;
use crate::viewer::Viewer;
use std::fs;
use std::os::unix::fs::symlink;

/// A file of one value is no wall of marks: one says what happens, then each reading is a line.
#[test]
pub fn a_value_that_is_written_anew() {
    for mark in ["truncated", "rotated"] {
        let write = |folder: &Folder, value: &str| match mark {
            "truncated" => fs::write(&folder.log, value).unwrap(),
            _ => folder.replace(value),
        };
        let folder = Folder::new();
        write(&folder, "21.0\n");
        let Some((_server, mut viewer)) = Viewer::of(&folder) else {
            return;
        };
        viewer.until_last("21.0");
        // The first times it could be a log.
        let mark = &format!("<mark {mark}>");
        for value in ["21.5", "21.75"] {
            write(&folder, value);
            viewer.until_last(value);
        }
        assert_eq!(viewer.shown(), ["21.0", mark, "21.5", mark, "21.75"]);
        // Longer, shorter, with and without a newline.
        let values = ["22.0\n", "121.25\n", "9.5", "10.25", "-3\n", "4\n"];
        for value in values {
            write(&folder, value);
            viewer.until_last(value);
        }
        let mut expected = vec!["21.0", mark, "21.5", "<mark readings>", "21.75"];
        expected.extend(values.map(str::trim));
        assert_eq!(viewer.shown(), expected);

        // It grows: a log after all. The next break is one.
        folder.append("more\nand more\n");
        viewer.until_last("and more");
        write(&folder, "anew\n");
        viewer.until_last("anew");
        expected.extend(["more", "and more", mark, "anew"]);
        assert_eq!(viewer.shown(), expected);
        viewer.assert_no_complaints();
    }
}

/// A sensor is no file to the reader, and one that is back goes on where it was.
#[test]
pub fn a_sensor_that_is_away() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let folder = Folder::new();
    let plug = |target: &str| {
        symlink(target, folder.path("~")).unwrap();
        rename(&folder.path("~"), &folder.log);
    };
    plug("/proc/sys/kernel/ostype");
    let server = Server::start(&[folder.arg(), "--sample=20ms"]);
    viewer.look_at(&server);
    viewer.until_state("live");
    viewer.until(
        "a reading",
        "/Linux$/.test(document.querySelector('.row')?.textContent)",
    );
    plug("/proc/nothing");
    viewer.until_last("<mark missing>");
    viewer.until_state("waiting for a reading");
    plug("/proc/sys/kernel/hostname");
    viewer.until(
        "it to be back",
        "document.querySelector('.found')?.parentNode.lastChild.matches('.row')",
    );
    viewer.until_state("live");
    let marks: Vec<String> = viewer
        .shown()
        .into_iter()
        .filter(|row| row.starts_with('<'))
        .collect();
    assert_eq!(marks, ["<mark missing>", "<mark found>"]);
    viewer.assert_no_complaints();
}

/// What has come since is there for who opens the list, under whatever name.
#[test]
pub fn the_list_of_a_glob() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let folder = Folder::new();
    fs::write(folder.path("a.log"), "first\n").unwrap();
    let pattern = format!("web={}", folder.path("*.log").display());
    let server = Server::start(&[&pattern, "/proc/uptime"]);
    viewer.look_at(&server);
    viewer.until_last("first");
    assert_eq!(viewer.text("name"), "web/a.log");
    fs::write(folder.path("ß 100% #1.log"), "second\n").unwrap();
    let choose = "document.getElementById('choice').focus(), true";
    viewer.until("the list to be touched", choose);
    let offered = "[...document.getElementById('choice').options].map(({ value }) => value).join()";
    viewer.until(
        "the new name",
        &format!("{offered} === 'web/a.log,web/ß 100% #1.log,uptime'"),
    );
    let choice = "const list = document.getElementById('choice');
        list.value = 'web/ß 100% #1.log'; list.dispatchEvent(new Event('change')); true";
    viewer.until(
        "the choice",
        &format!(
            "(() => {{ {} }})()",
            choice.replace("; true", "; return true")
        ),
    );
    viewer.until_last("second");
    viewer.assert_no_complaints();
}

/// Where the kernel sends no notice the page says so, quietly.
#[test]
pub fn polled() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let Some((_folder, mount)) = crate::chapters::polled::scene() else {
        return;
    };
    let log = mount.view.join("app.log");
    let server = Server::start(&[log.to_str().unwrap(), "/proc/uptime"]);
    viewer.look_at(&server);
    viewer.until_state("live");
    let shown = "!document.getElementById('polled').hidden";
    viewer.until("the word", shown);
    assert_eq!(viewer.text("polled"), "polled");
    let other = "location.hash = 'uptime', true";
    viewer.until("the other stream", other);
    viewer.until("no such word", &format!("!({shown})"));
    viewer.assert_no_complaints();
}

/// Where a history was asked for, a pipe and a sensor are read and searched as a file is: to their
/// first line.
#[test]
pub fn a_long_history() {
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let folder = Folder::new();
    make_fifo(&folder.log);
    let sensor = folder.path("status");
    let reading = |words: &str| fs::write(&sensor, words.repeat(600)).unwrap();
    reading("first ");
    let options = ["--history=2M", "--sample=20ms"];
    let sample = format!("status=sample:{}", sensor.display());
    let server = Server::start(&[&options[..], &[folder.arg(), &sample]].concat());
    let line = |n| {
        format!(
            "line {n} {}\n",
            if n % 5000 == 7 {
                "needle"
            } else {
                "of the pipe"
            }
        )
    };
    write(&folder.log, (0..30_000).map(line).collect::<String>());
    let size = |name| source(&server, name)["size"].as_u64().unwrap();
    until_true("more than is kept unasked", || size("app.log") > 600 << 10);
    viewer.browser.go(&server.url("/#app.log"));
    viewer.until_last("line 29999 of the pipe");
    // Nobody is as quick as to press a key while the first lines are being drawn.
    viewer.browser.evaluate(
        "new Promise((done) => requestIdleCallback(() => requestIdleCallback(() => done())))",
    );
    viewer.press("g");
    viewer.until(
        "the first line",
        "document.querySelector('.row')?.textContent === 'line 0 of the pipe'",
    );
    viewer.press("&");
    viewer.write("needle");
    viewer.press("Enter");
    viewer.until_shown(&[0, 1, 2, 3, 4, 5].map(|n| format!("line {} needle", n * 5000 + 7)));

    // A sensor is read while somebody looks.
    viewer.browser.go(&server.url("/#status&f=first"));
    let hit = "/Z first /.test(document.querySelector('.row')?.textContent)";
    viewer.until("the first readings", hit);
    reading("later ");
    until_true("more of the sensor", || size("status") > 600 << 10);
    viewer.browser.reload();
    viewer.until("the first readings, found", hit);
    viewer.browser.evaluate("location.hash = '#status'");
    viewer.until(
        "the last readings",
        "/Z later /.test([...document.querySelectorAll('.row')].at(-1)?.textContent)",
    );
    viewer.press("g");
    viewer.until("the first readings, scrolled to", hit);
    viewer.assert_no_complaints();
}
