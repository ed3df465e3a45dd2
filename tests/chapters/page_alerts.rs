//! Alerts in the page: off until they are asked for, seen by who looks elsewhere; and a screen that
//! stays on.

use crate::folder::Folder;
use crate::server::Server;
use crate::viewer::Viewer;
use serde_json::json;

/// What nobody has asked for, and would be heard or felt.
const LOUD: &str = "globalThis.loud = [];
    for (const [of, name] of [[globalThis, 'AudioContext'], [globalThis, 'Notification']]) {
        of[name] &&= new Proxy(of[name], { construct(made, all) { loud.push(name); return new made(...all); } });
    }
    if (globalThis.Notification) Notification.requestPermission = async () => { loud.push('permission'); return 'denied'; };";

/// A screen lock: what was asked of it is in `locks`.
const LOCKS: &str = "globalThis.locks = [];
    Object.defineProperty(navigator, 'wakeLock', { value: { async request(kind) {
        locks.push(kind);
        return { released: false, async release() { this.released = true; locks.push('released'); } };
    } } });";

/// An origin that browsers do not trust, as a board's is on a network.
const INSECURE: &str = "Object.defineProperty(globalThis, 'isSecureContext', { value: false });";

const BANNER: &str = "document.getElementById('banner')";
const ICON: &str = "document.getElementById('icon').getAttribute('href')";

fn open_more(viewer: &mut Viewer) {
    viewer
        .browser
        .evaluate("document.getElementById('more').click()");
    viewer.until(
        "the panel",
        "document.querySelector('#more-panel:popover-open .alerts form') !== null",
    );
}

/// Says in the panel what to be told of.
fn ask_for(viewer: &mut Viewer, rule: &str) {
    open_more(viewer);
    viewer.browser.evaluate(&format!(
        "{{ const form = document.querySelector('#more-panel .alerts form');
            form.querySelector('input').value = {};
            form.requestSubmit();
            document.getElementById('more-panel').hidePopover(); }}",
        json!(rule)
    ));
}

#[test]
pub fn a_pattern_is_told_in_title_icon_and_row() {
    let folder = Folder::new();
    folder.append("disk full, long ago\n");
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    viewer.browser.run_in_every_page(LOUD);
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    viewer.until_last("disk full, long ago");
    ask_for(&mut viewer, "disk full");
    folder.append("all is well\n");
    viewer.until_last("all is well");
    let mut is = |what: &str| viewer.browser.evaluate(what);
    assert_eq!(is("document.title"), "app.log · Tailcast");
    assert_eq!(is(ICON), "icon.svg");
    assert_eq!(is(&format!("{BANNER}.hidden")), true);

    folder.append("kernel: Disk full on /dev/sda\n");
    let told = "'Alert · disk full · kernel: Disk full on /dev/sda'";
    viewer.until(
        "the row",
        &format!("{BANNER}.textContent.startsWith({told})"),
    );
    let mut is = |what: &str| viewer.browser.evaluate(what);
    assert_eq!(is("document.title"), "(1) app.log · Tailcast");
    assert_eq!(is(ICON), "icon-alert.svg");
    assert_eq!(is("loud"), json!([]), "nobody asked for these");

    is(&format!("{BANNER}.querySelector('button').click()"));
    viewer.until(
        "its line",
        "/Disk full on/.test(document.querySelector('.row.current')?.textContent)",
    );
    let mut is = |what: &str| viewer.browser.evaluate(what);
    assert_eq!(is("document.title"), "app.log · Tailcast");
    assert_eq!(is(ICON), "icon.svg");
    assert_eq!(is(&format!("{BANNER}.hidden")), true);

    // It is kept for this stream.
    viewer.browser.reload();
    viewer.until_last("kernel: Disk full on /dev/sda");
    viewer.until_state("live|live, paused");
    folder.append("disk full again\n");
    viewer.until(
        "the row again",
        &format!("{BANNER}.textContent.includes('disk full again')"),
    );
    viewer.assert_no_complaints();
}

#[test]
pub fn a_threshold_needs_no_chart() {
    let folder = Folder::new();
    for second in 0..30 {
        folder.append(format!("2026-11-25T00:00:{second:02}Z attic_c=21.5\n"));
    }
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    viewer.until_state("live");
    viewer.browser.evaluate(
        "localStorage.setItem('tailcast app.log',
            JSON.stringify({ chart: false, alerts: [{ series: 'attic', above: 30 }] }))",
    );
    viewer
        .browser
        .evaluate("history.replaceState(null, '', '#app.log')");
    viewer.browser.reload();
    viewer.until_last("2026-11-25T00:00:29Z attic_c=21.5");
    // Lines of before are no news; the first of now is looked at once the alerts are there.
    let hidden = format!("{BANNER}.hidden");
    folder.append("2026-11-25T00:00:30Z attic_c=29.5\n");
    viewer.until_last("2026-11-25T00:00:30Z attic_c=29.5");
    assert_eq!(viewer.browser.evaluate(&hidden), true);
    folder.append("2026-11-25T00:00:31Z attic_c=30.5\n");
    let told = format!("{BANNER}.textContent.startsWith('Alert · attic > 30 · attic: 30.5')");
    viewer.until("the alert", &told);
    let chart = "document.getElementById('chart-panel').hidden";
    assert_eq!(viewer.browser.evaluate(chart), true);
    // It has to come back before it can cross again.
    folder.append("2026-11-25T00:00:32Z attic_c=31\n2026-11-25T00:00:33Z attic_c=22\n");
    folder.append("2026-11-25T00:00:34Z attic_c=32\n");
    let twice = format!("{BANNER}.textContent.startsWith('2 alerts · attic > 30 · attic: 32')");
    viewer.until("the second alert", &twice);
    viewer
        .browser
        .evaluate(&format!("{BANNER}.querySelector('button').click()"));
    viewer.until(
        "its line",
        "/attic_c=32$/.test(document.querySelector('.row.current')?.textContent)",
    );
    viewer.assert_no_complaints();
}

/// The words of the switches in the panel.
const SWITCHES: &str = "[...document.querySelectorAll('#more-panel label:has([type=checkbox])')].map((one) => one.textContent)";

/// A page whose screen can be kept on, its panel open.
fn with_locks() -> Option<(Folder, Server, Viewer)> {
    let folder = Folder::new();
    folder.append("a line\n");
    let mut viewer = Viewer::start()?;
    viewer.browser.run_in_every_page(LOCKS);
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    viewer.until_last("a line");
    open_more(&mut viewer);
    Some((folder, server, viewer))
}

#[test]
pub fn the_screen_stays_on_while_one_follows() {
    let Some((_folder, _server, mut viewer)) = with_locks() else {
        return;
    };
    assert_eq!(viewer.browser.evaluate("locks"), json!([]));
    viewer.browser.evaluate(
        "[...document.querySelectorAll('#more-panel label')]
            .find((one) => one.textContent === 'Keep the screen on').querySelector('input').click();
         document.getElementById('more-panel').hidePopover()",
    );
    let mut asked = |asked: &str| {
        viewer.until(asked, &format!("locks.join() === '{asked}'"));
        viewer.press(if asked.ends_with("screen") { "p" } else { "G" });
    };
    asked("screen");
    asked("screen,released");
    asked("screen,released,screen");
    asked("screen,released,screen,released");
    // It is kept, and asked for again at the next visit.
    viewer.browser.reload();
    viewer.until("the lock", "locks.join() === 'screen'");
    viewer.assert_no_complaints();
}

#[test]
pub fn what_does_not_work_on_plain_http_is_not_offered() {
    let Some((_folder, _server, mut viewer)) = with_locks() else {
        return;
    };
    let offered = viewer.browser.evaluate(SWITCHES).to_string();
    assert!(offered.contains("Keep the screen on"), "{offered}");
    viewer.browser.run_in_every_page(INSECURE);
    viewer.browser.reload();
    viewer.until_last("a line");
    open_more(&mut viewer);
    let offered = viewer.browser.evaluate(SWITCHES).to_string();
    assert!(offered.contains("Sound"), "{offered}");
    assert!(!offered.contains("Keep the screen on"), "{offered}");
    assert!(!offered.contains("Notification"), "{offered}");
    viewer
        .browser
        .evaluate("document.getElementById('more-panel').hidePopover()");
    viewer.press("?");
    viewer.until(
        "why",
        "document.getElementById('help-panel').textContent.includes('ssh -L 8080:localhost:8080')",
    );
    viewer.assert_no_complaints();
}
