//! The page's find, filters and highlights: over the whole file, and the address is the view.

use crate::folder::Folder;
use crate::server::Server;
use crate::viewer::{SIZES, Viewer};
use serde_json::json;
use std::fmt::Write;

/// Lines of which one in a thousand holds a needle.
fn hay(lines: usize) -> String {
    let mut text = String::new();
    for n in 0..lines {
        let what = if n % 1000 == 7 { "needle" } else { "hay" };
        writeln!(text, "line {n} {what}").unwrap();
    }
    text
}

/// The line that was found: its text.
const CURRENT: &str = "document.querySelector('.row.current')?.textContent";

fn until_current(viewer: &mut Viewer, line: &str) {
    viewer.until(line, &format!("{CURRENT} === {}", json!(line)));
}

fn scene(lines: usize) -> Option<(Folder, Server, Viewer)> {
    let folder = Folder::new();
    folder.append(hay(lines));
    let (server, mut viewer) = Viewer::of(&folder)?;
    viewer.until_last(&format!("line {} hay", lines - 1));
    Some((folder, server, viewer))
}

#[test]
pub fn from_hit_to_hit() {
    let Some((_folder, _server, mut viewer)) = scene(20_000) else {
        return;
    };
    viewer.press("/");
    viewer.write("needle");
    viewer.until(
        "a count",
        "document.getElementById('hits').textContent === '20 hits'",
    );
    viewer.press("Enter");
    until_current(&mut viewer, "line 19007 needle");
    viewer.press("N");
    until_current(&mut viewer, "line 18007 needle");
    viewer.press("N");
    until_current(&mut viewer, "line 17007 needle");
    viewer.press("n");
    until_current(&mut viewer, "line 18007 needle");
    viewer.until(
        "its number",
        "document.getElementById('hits').textContent === '19 of 20 hits'",
    );
    // Each hit in sight is coloured, with no element for it.
    let coloured = "[...CSS.highlights.get('found') ?? []].map(String).join() === 'needle'";
    viewer.until("the hit to be coloured", coloured);
    viewer.press("Escape");
    viewer.until(
        "the box to be closed",
        "document.getElementById('search').hidden",
    );
    viewer.assert_no_complaints();
}

#[test]
pub fn a_filter_shows_hits_alone_and_one_leads_to_its_place() {
    for (width, height) in SIZES {
        let Some((folder, _server, mut viewer)) = scene(5_000) else {
            return;
        };
        viewer.size(width, height);
        viewer.press("&");
        viewer.write("needle");
        viewer.press("Enter");
        let hits = ["line 7", "line 1007", "line 2007", "line 3007", "line 4007"];
        let mut expected: Vec<String> = hits.iter().map(|hit| format!("{hit} needle")).collect();
        viewer.until_shown(&expected);
        assert_eq!(
            viewer.browser.evaluate("location.hash"),
            "#app.log&f=needle"
        );
        // What comes is looked at, too.
        folder.append("no such thing\nhalf a nee");
        folder.append("dle\nmore hay\n");
        expected.push("half a needle".into());
        viewer.until_shown(&expected);
        // One tap, and it stands among its neighbours, where it stood.
        let top = viewer.browser.evaluate(
            "(() => { const row = document.querySelectorAll('.row')[2];
                const top = row.getBoundingClientRect().top; row.click(); return top; })()",
        );
        until_current(&mut viewer, "line 2007 needle");
        let row = "document.querySelector('.row.current')";
        let still = format!("Math.abs({row}.getBoundingClientRect().top - {top}) <= 1");
        viewer.until("it to stand where it stood", &still);
        assert_eq!(
            viewer
                .browser
                .evaluate(&format!("{row}.nextSibling.textContent")),
            "line 2008 hay"
        );
        // And the way back.
        viewer.browser.evaluate("history.back()");
        viewer.until_shown(&expected);
        viewer.assert_no_complaints();
    }
}

/// Nothing of the old file waits to be looked at when the new one begins, or half a line does.
#[test]
pub fn a_filter_goes_on_over_a_rotation() {
    for last in ["all of it\n", "half a needle"] {
        let Some((folder, _server, mut viewer)) = scene(10) else {
            return;
        };
        viewer.press("&");
        viewer.write("needle");
        viewer.press("Enter");
        let mut expected = vec!["line 7 needle".to_owned()];
        viewer.until_shown(&expected);
        folder.append(format!("one needle\n{last}"));
        expected.push("one needle".into());
        viewer.until_shown(&expected);
        folder.rotate();
        folder.append("the needle of the new file\n");
        if last.contains("needle") {
            expected.push(last.into());
        }
        expected.push("the needle of the new file".into());
        viewer.until_shown(&expected);
        viewer.assert_no_complaints();
    }
}

/// A hit in a stack trace shows the record that it is a part of; more around it where that is
/// wanted.
#[test]
pub fn what_stands_around_a_hit() {
    let folder = Folder::new();
    let event = |n: usize| format!("2026-11-25 20:{:02}:{:02} INFO event {n}", n / 60, n % 60);
    let trace = [
        "2026-11-25 20:00:30 ERROR it failed",
        "Traceback (most recent call last):",
        "  File \"pump.py\", line 3",
        "ValueError: needle",
    ]
    .map(str::to_owned);
    let before: Vec<String> = (0..30).map(event).collect();
    let behind: Vec<String> = (31..60).map(event).collect();
    folder.append([&before[..], &trace, &behind].concat().join("\n") + "\n");
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last(&behind[28]);
    viewer.press("&");
    viewer.write("needle");
    viewer.press("Enter");
    viewer.until_shown(&trace);
    let quiet = "[...document.querySelectorAll('.row')].filter(row => !row.matches('.around')).map(row => row.textContent)";
    assert_eq!(viewer.browser.evaluate(quiet), json!([trace[3]]));
    let wider = "document.getElementById('around').click()";
    viewer.browser.evaluate(wider);
    let three = [&before[27..], &trace, &behind[..3]].concat();
    viewer.until_shown(&three);
    viewer.browser.evaluate(wider);
    let ten = [&before[20..], &trace, &behind[..10]].concat();
    viewer.until_shown(&ten);
    // Two that are near each other have what is between them once; what comes later is looked at,
    // too.
    let again = format!("{} is a needle again", event(61));
    folder.append(format!("{}\n{again}\n", event(60)));
    let more: Vec<String> = (51..61).map(event).collect();
    let both = [&ten[..], &more, std::slice::from_ref(&again)].concat();
    viewer.until_shown(&both);
    folder.append(format!("{}\n", event(62)));
    let both = [&both[..], &[event(62)]].concat();
    viewer.until_shown(&both);
    viewer.until(
        "the address",
        "location.hash === '#app.log&f=needle&around=10'",
    );
    viewer.browser.reload();
    viewer.until_shown(&both);
    viewer.browser.evaluate(wider);
    viewer.until_shown(&[&trace[..], &[again]].concat());
    viewer.assert_no_complaints();
}

#[test]
pub fn the_address_is_the_view() {
    let folder = Folder::new();
    folder.append("one apple\ntwo pears\nthree apples and pears\nfour Apples\n");
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    viewer
        .browser
        .go(&server.url("/#app.log&f=apple&f=-pear&hl=one&hl=ap"));
    viewer.until_shown(&["one apple".into(), "four Apples".into()]);
    let colours = "[...CSS.highlights.keys()].sort().join() === 'found,mark-0,mark-1'";
    viewer.until("the colours", colours);
    // Capitals mean capitals; an expression is one.
    for (filter, shown) in [
        ("Apple", vec!["four Apples"]),
        ("apples%20and", vec!["three apples and pears"]),
        ("%2F^t%2F", vec!["two pears", "three apples and pears"]),
    ] {
        viewer
            .browser
            .evaluate(&format!("location.hash = 'app.log&f={filter}', true"));
        let shown: Vec<String> = shown.into_iter().map(str::to_owned).collect();
        viewer.until_shown(&shown);
    }
    viewer.press("Escape");
    viewer.until(
        "all lines",
        "document.querySelectorAll('.row').length === 4",
    );
    assert_eq!(viewer.browser.evaluate("location.hash"), "#app.log");
    viewer.assert_no_complaints();
}

#[test]
pub fn an_evil_pattern_stops_nothing() {
    let folder = Folder::new();
    folder.append(format!("{}!\n", "a".repeat(40)));
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    viewer
        .browser
        .go(&server.url("/#app.log&hl=%2F(a%2B)%2B$%2F"));
    viewer.until_last(&format!("{}!", "a".repeat(40)));
    let told = "document.getElementById('news').textContent === 'pattern too slow'";
    viewer.until("the page to say so", told);
    folder.append("and on\n");
    viewer.until_last("and on");
    viewer.assert_no_complaints();
}

#[test]
pub fn levels_and_errors() {
    let folder = Folder::new();
    let mut text = String::new();
    for n in 0..3_000 {
        let level = match n % 500 {
            3 => "ERROR",
            4 => "WARN",
            _ => "INFO",
        };
        writeln!(text, "2026-11-25 20:26:01 {level} event {n}").unwrap();
    }
    folder.append(&text);
    let Some((_server, mut viewer)) = Viewer::of(&folder) else {
        return;
    };
    viewer.until_last("2026-11-25 20:26:01 INFO event 2999");
    viewer.press("E");
    until_current(&mut viewer, "2026-11-25 20:26:01 ERROR event 2503");
    viewer.press("E");
    until_current(&mut viewer, "2026-11-25 20:26:01 ERROR event 2003");
    viewer.press("e");
    until_current(&mut viewer, "2026-11-25 20:26:01 ERROR event 2503");
    viewer
        .browser
        .evaluate("document.getElementById('levels').click()");
    viewer.until(
        "the levels",
        "document.querySelectorAll('#level-panel input').length === 5",
    );
    viewer
        .browser
        .evaluate("document.querySelectorAll('#level-panel input')[3].click()");
    let expected: Vec<String> = (0..3_000)
        .filter(|n| matches!(n % 500, 3 | 4))
        .map(|n| {
            let level = if n % 500 == 3 { "ERROR" } else { "WARN" };
            format!("2026-11-25 20:26:01 {level} event {n}")
        })
        .collect();
    viewer.until_shown(&expected);
    viewer.assert_no_complaints();
}

/// To a time, with no index.
#[test]
pub fn to_a_part_and_to_a_time() {
    let folder = Folder::new();
    let mut text = String::new();
    for second in 0..86_400 {
        let (hour, minute) = (second / 3600, second / 60 % 60);
        let second = second % 60;
        writeln!(text, "2026-11-24T{hour:02}:{minute:02}:{second:02}Z tick").unwrap();
    }
    folder.append(&text);
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let zone = json!({ "timezoneId": "UTC" });
    viewer.browser.call("Emulation.setTimezoneOverride", zone);
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    viewer.until_last("2026-11-24T23:59:59Z tick");
    for (typed, line) in [
        ("14:30", "2026-11-24T14:30:00Z tick"),
        ("2026-11-24 03:04:05", "2026-11-24T03:04:05Z tick"),
    ] {
        viewer.press("%");
        viewer.until(
            "the field",
            "document.activeElement?.matches('#goto-panel input')",
        );
        viewer.write(typed);
        viewer.press("Enter");
        until_current(&mut viewer, line);
        viewer.until(
            "the log to have the focus",
            "document.activeElement?.id === 'view'",
        );
    }
    viewer.press("%");
    viewer.until(
        "the field",
        "document.activeElement?.matches('#goto-panel input')",
    );
    viewer.write("50%");
    viewer.press("Enter");
    viewer.until(
        "the middle",
        "/T1[12]:/.test(document.querySelectorAll('.row')[30]?.textContent)",
    );
    viewer.assert_no_complaints();
}
