//! Lines of every kind that boards write, and the numbers in them.

use super::*;

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|&line| line.to_owned()).collect()
}

fn names(survey: &Survey) -> Vec<String> {
    survey.columns.iter().map(Column::name).collect()
}

#[test]
fn a_number_and_what_is_glued_to_it() {
    for (text, want) in [
        ("21.5", Some((21.5, ""))),
        ("-3", Some((-3.0, ""))),
        (".5", Some((0.5, ""))),
        ("5.", Some((5.0, ""))),
        ("1e3", Some((1000.0, ""))),
        ("1e", None),
        ("7f", None),
        ("70F", Some((70.0, "F"))),
        ("21.5 °C", Some((21.5, "°C"))),
        ("48%", Some((48.0, "%"))),
        ("312MiB", Some((312.0, "MiB"))),
        ("nan", None),
        ("null", None),
        ("unavailable", None),
        ("inf", None),
        ("1e999", None),
        ("", None),
        ("-", None),
        (".", None),
        ("127.0.0.1", None),
        ("2026-11-25", None),
        ("0x1f", None),
        ("7YES1", None),
    ] {
        assert_eq!(number(text), want, "{text:?}");
    }
}

#[test]
fn the_form_and_the_names_of_each_kind_of_line() {
    let cells = |delimiter, count| Form::Cells { delimiter, count };
    let table: &[(&[&str], bool, Form, &[&str])] = &[
        (&["2026-11-23T20:15:00.250Z 48312"], true, Form::Bare, &[""]),
        (&["21.5 °C", "21.6 °C"], false, Form::Bare, &[""]),
        (
            &["2026-11-23T20:15:00.250Z cpu_celsius=48.3 load=0.42 memory_available_mib=312"],
            true,
            Form::Pairs,
            &["cpu_celsius", "load", "memory_available_mib"],
        ),
        (
            &["2026-11-23T20:15:00Z a0 01 : crc=7f YES a0 01 t=26000"],
            true,
            Form::Pairs,
            &["t"],
        ),
        (
            &[r#"{"temp":21.5,"bme":{"hum":48,"ok":true},"name":"x","a":[1]}"#],
            false,
            Form::Json,
            &["bme.hum", "temp"],
        ),
        (&["temp:21.5,hum:48"], false, Form::Pairs, &["temp", "hum"]),
        (
            &["temp: 21.5, hum: 48"],
            false,
            Form::Pairs,
            &["temp", "hum"],
        ),
        (
            &["Stats 944.7: gcodein=0 mcu: mcu_awake=0.056 heater_bed: target=0 temp=17.2"],
            false,
            Form::Pairs,
            &[
                "gcodein",
                "mcu.mcu_awake",
                "heater_bed.target",
                "heater_bed.temp",
            ],
        ),
        (
            &["12:30:01 temp=\"21.5\" hum=nan"],
            false,
            Form::Pairs,
            &["temp"],
        ),
        (
            &["1,2,3", "4,5,6"],
            false,
            cells(",", 3),
            &["column 1", "column 2", "column 3"],
        ),
        (
            &["1795634761,21.5", "1795634762,21.6"],
            false,
            cells(",", 2),
            &["column 2"],
        ),
        (&["x;21,5", "y;21,6"], false, cells(";", 2), &["column 2"]),
        (&["a\t1", "b\t2"], false, cells("\t", 2), &["column 2"]),
        (
            &["up   12   3.5", "dn  9  4"],
            false,
            cells("  ", 3),
            &["column 2", "column 3"],
        ),
        (
            &["\"a,b\",1", "\"c\",2"],
            false,
            cells(",", 2),
            &["column 2"],
        ),
    ];
    for (sample, is_stamped, form, columns) in table {
        let found = survey(&lines(sample), None).unwrap_or_else(|| panic!("{sample:?}"));
        assert_eq!(
            (found.is_stamped, &found.form),
            (*is_stamped, form),
            "{sample:?}"
        );
        assert_eq!(names(&found), *columns, "{sample:?}");
    }
}

#[test]
fn logs_have_no_numbers() {
    for sample in [
        &["Nov 25 20:26:01 pi systemd[1]: Started cron.service."][..],
        &["2026-11-25 20:26:01.123 [INFO ] [org.openhab] - started"],
        &["1594215148: New connection from 192.168.0.124 on port 1883."],
        &["a, b", "c d e", "f"],
        &["{\"broken\": 1", "{}"],
        &[""],
        &[],
        &["x=1", "nothing", "nothing", "nothing", "x=2"],
    ] {
        assert_eq!(survey(&lines(sample), None), None, "{sample:?}");
    }
}

#[test]
fn the_first_line_names_the_cells() {
    let head = "time,temperature (°C),hum_percent";
    for sample in [
        &[head, "12:00,21.5,48"][..],
        &["12:00,21.5,48", "12:01,21.5,47", "broken,line"][..2],
    ] {
        let found = survey(&lines(sample), Some(head)).unwrap();
        assert_eq!(names(&found), ["temperature (°C)", "hum_percent"]);
    }
    let found = survey(&lines(&["1,2"]), Some("a,b,c")).unwrap();
    assert_eq!(
        names(&found),
        ["column 1", "column 2"],
        "another number of names"
    );
    assert_eq!(survey(&lines(&[head]), Some(head)), None, "names alone");
    let row = "x;21,5";
    let found = survey(&lines(&[row]), Some(row)).unwrap();
    assert_eq!(names(&found), ["column 2"], "the first line is a row");
}

#[test]
fn four_lines_of_five_are_enough() {
    let mut sample = vec!["t=1", "t=2", "t=3", "t=4", "rebooting"];
    assert!(survey(&lines(&sample), None).is_some());
    sample.push("again");
    assert!(survey(&lines(&sample), None).is_none());
}

#[test]
fn counters_identifiers_and_thousandths() {
    let counted: Vec<String> = (0..12)
        .map(|n| format!("n={n} pid=7 t={}", n % 3))
        .collect();
    let found = survey(&counted, None).unwrap();
    let counters: Vec<bool> = found
        .columns
        .iter()
        .map(|column| column.is_counter)
        .collect();
    assert_eq!(counters, [true, true, false]);
    let large = |text: &str| survey(&lines(&[text]), None).unwrap().columns[0].is_large;
    assert!(large("48312") && large("-5250") && !large("48.3"));
    let found = survey(&lines(&["t=21.5C h=48%", "t=21.6C h=5"]), None).unwrap();
    let units: Vec<&str> = found.columns.iter().map(|column| &*column.suffix).collect();
    assert_eq!(units, ["C", ""]);
}

#[test]
fn a_line_of_a_thousand_numbers_is_cut() {
    let wide: Vec<String> = (0..1000).map(|n| format!("n{n}=1")).collect();
    let found = survey(&[wide.join(" ")], None).unwrap();
    assert_eq!(found.columns.len(), COLUMNS_MAX);
}
