//! Charts for everybody: what axe-core finds, numbers in a table, series told apart by more than
//! colour.

use super::page_access::{AXE, axe};
use super::page_chart::make;
use crate::folder::Folder;
use crate::server::Server;
use crate::viewer::{SIZES, Viewer};
use serde_json::{Value, json};

/// Two of one unit in one chart, one of another, one that is not shown.
fn lines(count: u32) -> String {
    make(count, |i, time| {
        format!(
            "{time} attic_c={}.5 cellar_c=1{}.25 hum_pct=48 pid=7",
            20 + i % 3,
            i % 5
        )
    })
}

const OPEN: &str = "document.querySelectorAll('#chart-panel canvas').length === 2
    && document.querySelector('#chart-panel strong').textContent !== '–'";

/// Opens what lies below the charts: the choice of series and the table.
fn unfold(viewer: &mut Viewer) {
    viewer.browser.evaluate(
        "for (const one of document.querySelectorAll('#chart-panel details')) one.open = true",
    );
    viewer.until(
        "series and table",
        "document.querySelectorAll('#chart-panel [type=checkbox]').length === 4
            && document.querySelectorAll('#chart-panel tbody tr').length > 3",
    );
}

#[test]
pub fn axe_finds_nothing_in_charts() {
    let Some(axe) = axe() else {
        return;
    };
    let folder = Folder::new();
    folder.append(lines(600));
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    for (width, height) in SIZES {
        for theme in ["light", "dark"] {
            viewer.size(width, height);
            viewer.theme(theme);
            viewer.browser.reload();
            viewer.until("the charts", OPEN);
            viewer.browser.evaluate(&axe);
            let check = |viewer: &mut Viewer, state: &str| {
                let found = viewer.browser.evaluate(AXE);
                assert_eq!(found, Value::Array(vec![]), "{state}, {theme}, {width} px");
            };
            check(&mut viewer, "charts");
            unfold(&mut viewer);
            check(&mut viewer, "series and table");
        }
    }
    viewer.assert_no_complaints();
}

/// On a phone: each thing that can be touched in a chart is large enough, and nothing is cut off at
/// the side.
#[test]
pub fn every_target_of_a_chart_is_large_enough_for_a_thumb() {
    let folder = Folder::new();
    folder.append(lines(600));
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    viewer.size(360, 640);
    viewer.look_at(&server);
    viewer.until("the charts", OPEN);
    unfold(&mut viewer);
    let small = "[...document.querySelectorAll('#chart-panel :is(button, summary, input, select)')]
        .filter((one) => one.checkVisibility())
        .map((one) => [one.ariaLabel ?? one.textContent, one.getBoundingClientRect()])
        .filter(([, { width, height }]) => width < 44 || height < 44)
        .map(([name, { width, height }]) => `${name} ${width}x${height}`)";
    assert_eq!(viewer.browser.evaluate(small), json!([]));
    let wide = "document.documentElement.scrollWidth";
    assert_eq!(viewer.browser.evaluate(wide), 360);
    viewer.assert_no_complaints();
}

/// The table has what the lines show: at each of its times the file's own value, of every series,
/// under its name.
#[test]
pub fn the_table_has_the_files_own_values() {
    let folder = Folder::new();
    let lines = lines(600);
    folder.append(&lines);
    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    let server = Server::start(&[folder.arg()]);
    viewer.look_at(&server);
    viewer.until("the charts", OPEN);
    viewer
        .browser
        .evaluate("[...document.querySelectorAll('#chart-panel details')].at(-1).open = true");
    let rows = "[...document.querySelectorAll('#chart-panel tr')].map((row) => [...row.children].map((cell) => cell.textContent))";
    viewer.until("the table", &format!("({rows}).length > 8"));
    let table: Vec<Vec<String>> = serde_json::from_value(viewer.browser.evaluate(rows)).unwrap();
    assert_eq!(table[0], ["Time", "attic (°C)", "cellar (°C)", "hum (%)"]);
    let zone = "new Date('2026-11-25T00:00:00Z').getTimezoneOffset()";
    assert_eq!(viewer.browser.evaluate(zone), 0, "these tests run in UTC");
    for row in &table[1..] {
        let time = row[0].strip_prefix("Wed 25 Nov ").unwrap();
        let line = lines
            .lines()
            .find(|line| line.contains(&format!("T{time}Z ")));
        let line = line.unwrap_or_else(|| panic!("no line of {time}"));
        let written: Vec<&str> = line
            .split(' ')
            .skip(1)
            .take(3)
            .map(|pair| pair.split_once('=').unwrap().1)
            .collect();
        assert_eq!(row[1..], written, "{time}");
    }
    // In one chart each has a shape of its own, in the legend as in the picture.
    let shapes = "[...document.querySelectorAll('#chart-panel figure')].map((figure) => [...figure.querySelectorAll('li span:first-child')].map((one) => one.textContent).join(''))";
    assert_eq!(viewer.browser.evaluate(shapes), json!(["●■", "▲"]));
    viewer.assert_no_complaints();
}
