//! Files that hold one reading: each look at them is a line of its stream, with its time.

use crate::client::{Client, Heard, Plain};
use crate::deadline::{DEADLINE, until, until_true};
use crate::folder::{Folder, rename};
use crate::http::{Connection, get, source};
use crate::require;
use crate::server::Server;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Child, Command};
use std::time::{Duration, SystemTime};

/// Takes a line apart: when, and what. The time is RFC 3339, UTC, with milliseconds.
fn reading(line: &str) -> (SystemTime, String) {
    let (time, value) = line.split_once(' ').expect("time, blank, value");
    assert!(time.len() == 24 && time.ends_with('Z'), "{line}");
    let time = humantime::parse_rfc3339(time).unwrap_or_else(|error| panic!("{line}: {error}"));
    (time, value.to_owned())
}

/// A value of procfs, known by its file system: no word on the command line says that it is no log.
#[test]
fn a_line_each_time() {
    let server = Server::start(&["/proc/uptime", "--sample=50ms"]);
    assert_eq!(source(&server, "uptime")["kind"], "sample");
    assert_eq!(source(&server, "uptime")["watch"], "sampling");
    let before = SystemTime::now() - Duration::from_millis(1);
    let mut plain = Plain::connect(&server, "/stream/uptime");
    let readings: Vec<_> = plain.lines(5).iter().map(|line| reading(line)).collect();
    for pair in readings.windows(2) {
        assert!(pair[0].0 < pair[1].0, "{pair:?}");
        let uptime = |value: &str| value.split(' ').next().unwrap().parse::<f64>().unwrap();
        assert!(uptime(&pair[0].1) < uptime(&pair[1].1), "{pair:?}");
    }
    assert!(before <= readings[0].0 && readings[4].0 <= SystemTime::now());

    // The same bytes for all, under one cursor.
    let mut exact = Client::connect(&server, "/stream/uptime?from=start");
    assert_eq!(exact.open["kind"], "sample");
    let told = exact.bytes_until("\n");
    let first = String::from_utf8(told).unwrap();
    assert_eq!(reading(first.lines().next().unwrap()), readings[0]);
    exact.bytes_until("\n");
    exact.disconnect();
    exact.resume(&server);
    exact.bytes_until("\n");
    assert!(exact.events.is_empty(), "{:?}", exact.events);
}

#[test]
fn any_file_can_be_named_as_one() {
    let folder = Folder::new();
    fs::write(&folder.log, "a0 01 : crc=7f YES\na0 01 t=26000\n").unwrap();
    let server = Server::start(&[&format!("water=sample:{}", folder.arg()), "--sample=20ms"]);
    let mut plain = Plain::connect(&server, "/stream/water");
    for _ in 0..2 {
        assert_eq!(reading(&plain.line()).1, "a0 01 : crc=7f YES a0 01 t=26000");
    }
    // Written over, renamed over: what is there now is what is read next.
    fs::write(&folder.log, "21.5").unwrap();
    until_true("the new value", || reading(&plain.line()).1 == "21.5");
    folder.replace("22.0\n");
    until_true("the newer value", || reading(&plain.line()).1 == "22.0");
}

/// Who asks gets a reading, though nobody has listened before; more often than `--sample` says it
/// is not read.
#[test]
fn a_plain_get_is_a_reading() {
    let folder = Folder::new();
    fs::write(&folder.log, "48312\n").unwrap();
    let server = Server::start(&[&format!("sample:{}", folder.arg()), "--sample=1h"]);
    assert_eq!(source(&server, "app.log")["size"], 0);
    let answer = get(&server, "/stream/app.log");
    assert_eq!(answer.status, 200);
    assert_eq!(reading(answer.text().trim_end()).1, "48312");
    fs::write(&folder.log, "50000\n").unwrap();
    assert_eq!(get(&server, "/stream/app.log").body, answer.body);
    assert_eq!(source(&server, "app.log")["size"], answer.body.len());

    let cursor = answer.header("Tailcast-Cursor").unwrap();
    let poll = get(&server, &format!("/stream/app.log?from={cursor}"));
    assert_eq!((poll.status, poll.header("Tailcast-Lost")), (204, None));
    let range = Connection::open(&server).request("GET", "/stream/app.log", "Range: bytes=-6\r\n");
    assert_eq!((range.status, range.text().as_str()), (206, "48312\n"));
}

/// A process, gone when dropped, and with it its files in procfs.
struct Process(Child);

impl Process {
    fn start() -> Process {
        Process(Command::new("sleep").arg("1000").spawn().expect("sleep"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A sensor that is pulled out: reads fail, and then there is no such file. The stream goes on
/// where it was when it is back.
#[test]
fn unplugged_and_plugged_in_again() {
    let folder = Folder::new();
    let plug = |process: &Process| {
        symlink(format!("/proc/{}/comm", process.0.id()), folder.path("~")).unwrap();
        rename(&folder.path("~"), &folder.log);
    };
    let sensor = Process::start();
    plug(&sensor);
    let server = Server::start(&[folder.arg(), "--sample=20ms"]);
    assert_eq!(source(&server, "app.log")["kind"], "sample");
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    client.bytes_until(" sleep\n");
    drop(sensor);
    while !matches!(client.next(), Heard::Event(event) if event["event"] == "missing") {}

    // It can't be read now, and nothing old is given as its reading.
    let answer = get(&server, "/stream/app.log");
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("Tailcast-Missing"), Some("absent"));
    // What it has shown before is still there, for those who ask for the past.
    let answer = get(&server, "/stream/app.log?from=start");
    assert_eq!(
        (answer.status, answer.body.len() as u64),
        (200, client.count)
    );
    assert_eq!(answer.header("Tailcast-Missing"), Some("absent"));
    let mut late = Client::connect(&server, "/stream/app.log");
    late.bytes_until(" sleep\n");
    until_true(
        "the news that it is gone",
        || matches!(late.next(), Heard::Event(event) if event["event"] == "missing"),
    );

    let sensor = Process::start();
    plug(&sensor);
    client.bytes_until(" sleep\n");
    assert_eq!(client.event_names(), ["missing", "found", "rotated"]);
}

#[test]
fn not_there_yet() {
    let folder = Folder::new();
    let server = Server::start(&[&format!("sample:{}", folder.arg()), "--sample=20ms"]);
    assert_eq!(get(&server, "/stream/app.log").status, 404);
    assert!(source(&server, "app.log")["size"].is_null());
    let mut client = Client::connect(&server, "/stream/app.log");
    client.event("missing");
    fs::write(&folder.log, "1\n").unwrap();
    client.bytes_until(" 1\n");
    assert_eq!(client.event_names(), ["missing", "found", "rotated"]);
}

/// Readings are in memory only: after a restart a cursor leads to what there is, and that is said.
#[test]
fn a_cursor_of_another_run() {
    let mut server = Server::start(&["/proc/uptime", "--sample=20ms"]);
    let mut client = Client::connect(&server, "/stream/uptime?from=start");
    client.bytes_until("\n");
    client.disconnect();
    server.restart();
    client.resume(&server);
    assert_eq!(client.event_names(), ["lost"]);
    assert!(client.events[0].1["bytes"].is_null(), "{:?}", client.events);
    client.bytes_until("\n");
}

#[test]
fn nothing_is_read_while_nobody_listens_unless_it_is_recorded() {
    let lines = |server: &Server| source(server, "uptime")["size"].as_u64().unwrap() / 26;
    let mut server = Server::start(&["/proc/uptime", "--sample=20ms"]);
    let mut plain = Plain::connect(&server, "/stream/uptime");
    plain.lines(3);
    drop(plain);
    until_true("the viewer to be gone", || {
        source(&server, "uptime")["clients"] == 0
    });
    let quiet = Duration::from_secs(1);
    until_true("a second without a wake-up", || {
        let before = (server.threads(), server.sleeps());
        // Time is what is measured.
        std::thread::sleep(quiet);
        before == (server.threads(), server.sleeps())
    });
    server.stop();

    let server = Server::start(&["/proc/uptime", "--sample=20ms", "--record"]);
    until_true("readings that nobody has asked for", || lines(&server) > 20);
    assert_eq!(source(&server, "uptime")["clients"], 0);
}

/// What always fails to be read, and what is no file at all.
#[test]
fn unreadable() {
    // Reading at 0 fails with EIO: nothing is mapped there.
    let server = Server::start(&["/proc/self/mem", "--public", "--sample=20ms"]);
    let mut client = Client::connect(&server, "/stream/mem");
    client.event("missing");
    let folder = Folder::new();
    for (source, status, said) in [
        (
            format!("sample:{}", folder.path("").display()),
            1,
            "directory",
        ),
        ("sample:/dev/null".to_owned(), 1, "regular file"),
        ("sample:".to_owned(), 2, "no path"),
    ] {
        let output = crate::chapters::cli::run(&["--listen=127.0.0.1:0", &source]);
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(said) && text.lines().count() == 1, "{text}");
    }
}

/// The first run of a newcomer: no source, and something that moves.
#[test]
fn vitals() {
    let mut server = Server::start(&["--sample=50ms"]);
    assert_eq!(source(&server, "vitals")["kind"], "sample");
    let mut plain = Plain::connect(&server, "/stream");
    let (_, value) = reading(&plain.line());
    let pairs: Vec<(&str, f64)> = value
        .split(' ')
        .map(|pair| pair.split_once('=').expect("key=value"))
        .map(|(key, value)| (key, value.parse().expect("a number")))
        .collect();
    let of = |key| pairs.iter().find(|pair| pair.0 == key).map(|pair| pair.1);
    let memory = fs::read_to_string("/proc/meminfo").unwrap();
    let total = memory
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1024.0;
    let available = of("memory_available_mib").expect("memory");
    assert!((1.0..total).contains(&available), "{available} of {total}");
    assert!(of("load").is_some_and(|load| load >= 0.0), "{pairs:?}");
    assert_eq!(plain.lines(2).len(), 2);
    assert!(server.stop().stdout[0].contains("vitals"));
}

/// On a machine with a thermometer, or with one that is put there for it alone.
#[test]
fn vitals_with_a_temperature() {
    let Some(unshare) = require::tool("unshare") else {
        return;
    };
    let folder = Folder::new();
    let zone = folder.path("thermal_zone0");
    fs::create_dir(&zone).unwrap();
    fs::write(zone.join("type"), "cpu-thermal\n").unwrap();
    fs::write(zone.join("temp"), "48312\n").unwrap();
    let place = folder.path("").to_str().unwrap().to_owned();
    let mount = format!("mount --bind {place} /sys/class/thermal || exit 77; exec \"$@\"");
    let before = [unshare.to_str().unwrap(), "-Urm", "sh", "-c", &mount, "sh"];
    let allowed = Command::new(before[0])
        .args(&before[1..])
        .arg("true")
        .output();
    if !allowed.unwrap().status.success() {
        require::skip("nothing can be mounted over /sys/class/thermal here");
        return;
    }
    let server = Server::start_under(&before, &["--sample=50ms"]);
    let mut plain = Plain::connect(&server, "/stream/vitals");
    let value = until("a temperature", || Some(reading(&plain.line()).1));
    assert!(value.starts_with("cpu_celsius=48.3 load="), "{value}");
    assert!(plain.line_within(DEADLINE).is_some());
}

#[test]
fn a_sensor_that_fails_again_and_again_buries_no_reading() {
    let folder = Folder::new();
    let path = folder.path("sensor");
    std::fs::write(&path, "1\n").unwrap();
    let server = Server::start(&["--sample=20ms", &format!("s=sample:{}", path.display())]);
    let mut client = Client::connect(&server, "/stream/s?from=end");
    client.bytes_until("1\n");
    for number in 2..12 {
        std::fs::remove_file(&path).unwrap();
        until_true("the failure to be known", || {
            source(&server, "s")["missing"] == "absent"
        });
        // What was read last is not given as if it were new.
        let answer = get(&server, "/stream/s?from=-1");
        assert_eq!(answer.header("Tailcast-Missing"), Some("absent"));
        let value = format!("{number}\n");
        std::fs::write(folder.path("new"), &value).unwrap();
        crate::folder::rename(&folder.path("new"), &path);
        client.bytes_until(&value);
        assert_eq!(source(&server, "s")["missing"], serde_json::Value::Null);
    }
    let told = client.event_names();
    let missing = told.iter().filter(|name| **name == "missing").count();
    assert_eq!(missing, 1, "{told:?}");
}

#[test]
fn as_much_is_kept_as_was_asked_for() {
    let folder = Folder::new();
    let path = folder.path("status.json");
    // A status file of many lines, as receivers of aeroplanes write it, over and over.
    let status = format!(
        "{{\n{}\"end\": 0\n}}\n",
        "\"hex\": \"4b1900\",\n".repeat(4000)
    );
    std::fs::write(&path, &status).unwrap();
    let server = Server::start(&[
        "--sample=20ms",
        "--history=1M",
        &format!("s=sample:{}", path.display()),
    ]);
    let mut client = Client::connect(&server, "/stream/s?from=end");
    let reading = client.bytes_until("\"end\": 0 }\n");
    let reading = String::from_utf8(reading).unwrap();
    let last = reading.lines().last().unwrap().split_once(' ').unwrap().1;
    let read: serde_json::Value = serde_json::from_str(last).expect("it comes whole");
    assert_eq!(read["end"], 0);
    until_true("more than the usual to be kept", || {
        source(&server, "s")["size"].as_u64().unwrap() > 600 << 10
    });
    until_true("no more than that to be kept", || {
        source(&server, "s")["size"].as_u64().unwrap() == 1 << 20
    });
}
