//! FIFOs, serial lines, standard input: read from the server's start on, whoever listens; their
//! writers never wait.

use crate::client::{Client, Plain};
use crate::deadline::until_true;
use crate::folder::{Folder, rename};
use crate::http::{Connection, get, source};
use crate::require;
use crate::server::Server;
use crate::writer::{line, lines, sha256};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

pub fn make_fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from(0o644), 0).expect("mkfifo");
}

/// Comes, writes, goes.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    let mut writer = File::options().write(true).open(path).expect("open");
    writer.write_all(bytes.as_ref()).expect("write");
}

/// A FIFO as the source, and a server that reads it.
fn scene() -> (Folder, Server) {
    let folder = Folder::new();
    make_fifo(&folder.log);
    let server = Server::start(&[folder.arg()]);
    (folder, server)
}

#[test]
fn writers_come_and_go() {
    let (folder, server) = scene();
    assert_eq!(source(&server, "app.log")["kind"], "pipe");
    // Nobody listens: it is kept.
    write(&folder.log, lines(1..=3));
    until_true("the lines to be read", || {
        source(&server, "app.log")["size"] != 0
    });
    let answer = get(&server, "/stream/app.log");
    assert_eq!(answer.body, lines(1..=3));
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    assert_eq!(client.open["kind"], "pipe");
    assert_eq!(client.bytes_until(line(3)), lines(1..=3));
    for number in 4..10 {
        write(&folder.log, line(number));
        assert_eq!(client.bytes_until(line(number)), line(number).into_bytes());
    }
    let mut late = Plain::connect(&server, "/stream/app.log?from=-2");
    for number in 8..10 {
        assert_eq!(late.line() + "\n", line(number));
    }
    client.disconnect();
    client.resume(&server);
    write(&folder.log, line(10));
    assert_eq!(client.bytes_until(line(10)), line(10).into_bytes());
    assert!(client.events.is_empty(), "{:?}", client.events);
}

/// A FIFO without a writer is at its end at every read: that must be no reason to read it again and
/// again.
#[test]
fn no_busy_loop_between_writers() {
    let (folder, server) = scene();
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    for number in 1..=3 {
        write(&folder.log, line(number));
        client.bytes_until(line(number));
    }
    until_true("a second without a wake-up", || {
        let before = (server.threads(), server.sleeps());
        // Time is what is measured.
        thread::sleep(Duration::from_secs(1));
        before == (server.threads(), server.sleeps())
    });
    write(&folder.log, line(4));
    client.bytes_until(line(4));
}

/// A program that makes its FIFO anew when it starts.
#[test]
fn made_anew() {
    let (folder, server) = scene();
    let mut client = Client::connect(&server, "/stream/app.log");
    write(&folder.log, "old\n");
    client.bytes_until("old\n");
    let new = folder.path("new");
    make_fifo(&new);
    rename(&new, &folder.log);
    write(&folder.log, "new\n");
    client.bytes_until("new\n");
    assert!(client.events.is_empty(), "{:?}", client.events);

    fs::remove_file(&folder.log).unwrap();
    client.event("missing");
    make_fifo(&folder.log);
    write(&folder.log, "newer\n");
    client.bytes_until("newer\n");
    assert_eq!(client.event_names(), ["missing", "found", "rotated"]);
}

/// 64 MiB through a history of 256 KiB, past one who does not read: the writer is not held up, and
/// the one who was away is told to the byte what is gone.
#[test]
fn a_writer_never_waits_for_a_reader() {
    let (folder, server) = scene();
    let narrow = Connection::narrow(&server);
    let mut stuck = Client::over(narrow, "/stream/app.log?from=start");
    let rss = server.own_memory();
    let piece = vec![b'x'; 1 << 20];
    let mut writer = File::options().write(true).open(&folder.log).unwrap();
    for _ in 0..64 {
        writer.write_all(&piece).unwrap();
    }
    writer.write_all(b"the end\n").unwrap();
    drop(writer);
    let total = (64 << 20) + 8;
    until_true("all of it to be read", || {
        let whole = get(&server, "/stream/app.log");
        whole.body.ends_with(b"the end\n") && whole.body.len() == 256 << 10
    });
    if !crate::server::is_emulated() {
        assert!(
            server.own_memory() < rss + (2 << 20),
            "{rss} became {}",
            server.own_memory()
        );
    }

    stuck.bytes_until("the end\n");
    let lost = |event: &serde_json::Value| event["bytes"].as_u64().expect("a number");
    let events = stuck.events.iter();
    let lost: u64 = events
        .inspect(|(_, event)| assert_eq!(event["event"], "lost"))
        .map(|(_, event)| lost(event))
        .sum();
    assert!(lost > 0);
    assert_eq!(stuck.count + lost, total);
    assert_eq!(stuck.place().offset, total);

    // A poll from a place that is gone.
    let inode = stuck.place().inode;
    let poll = get(&server, &format!("/stream/app.log?from={inode:x}-0"));
    assert_eq!(
        poll.header("Tailcast-Lost"),
        Some((total - (256 << 10)).to_string().as_str())
    );
    assert_eq!(poll.body.len(), 256 << 10);
}

/// Not one byte of what fits is lost to one who listens.
#[test]
fn everything_arrives() {
    let (folder, server) = scene();
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    let path = folder.log.clone();
    let writer = thread::spawn(move || {
        let mut writer = File::options().write(true).open(path).unwrap();
        for number in 1..=5_000 {
            writer.write_all(line(number).as_bytes()).unwrap();
            // A program that thinks between its lines.
            if number % 100 == 0 {
                thread::sleep(Duration::from_millis(5));
            }
        }
    });
    let bytes = client.bytes_until(line(5_000));
    writer.join().unwrap();
    assert_eq!(sha256(bytes), sha256(lines(1..=5_000)));
    assert!(client.events.is_empty(), "{:?}", client.events);
}

#[test]
fn standard_input() {
    let folder = Folder::new();
    make_fifo(&folder.log);
    // The shell opens the FIFO as soon as somebody writes to it.
    let path = folder.log.clone();
    let opening = thread::spawn(move || File::options().write(true).open(path).unwrap());
    let script = format!("exec \"$@\" <{}", folder.arg());
    let mut server = Server::start_under(&["sh", "-c", &script, "sh"], &["-"]);
    let mut input = opening.join().unwrap();
    assert_eq!(source(&server, "stdin")["kind"], "pipe");
    let mut client = Client::connect(&server, "/stream/stdin?from=start");
    input.write_all(b"one\ntwo\n").unwrap();
    client.bytes_until("two\n");

    // The command ends. Its last words stay, and so does the server.
    input.write_all(b"three").unwrap();
    drop(input);
    assert_eq!(client.bytes_until("three"), b"three");
    client.event("missing");
    let answer = get(&server, "/stream/stdin");
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, "one\ntwo\nthree")
    );
    let mut late = Client::connect(&server, "/stream/stdin?from=start");
    assert_eq!(late.bytes_until("three"), b"one\ntwo\nthree");
    late.event("missing");
    let ended = server.stop();
    assert!(ended.status.success());
    assert!(
        ended.stdout[0].contains("standard input"),
        "{:?}",
        ended.stdout
    );
}

#[test]
fn standard_input_that_is_no_pipe() {
    let folder = Folder::new();
    folder.append("a file\n");
    let script = format!("exec \"$@\" <{}", folder.arg());
    let server = Server::start_under(&["sh", "-c", &script, "sh"], &["kernel=-"]);
    let mut client = Client::connect(&server, "/stream/kernel?from=start");
    assert_eq!(client.bytes_until("a file\n"), b"a file\n");
    client.event("missing");

    // The harness gives `/dev/null`.
    let server = Server::start(&["-"]);
    let mut client = Client::connect(&server, "/stream/stdin");
    client.event("missing");
    assert_eq!(get(&server, "/stream/stdin").status, 404);
}

/// A pseudo-terminal stands in for the serial port: it has a line discipline like one, and ours
/// must leave the bytes alone.
#[test]
fn serial_line() {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
        .expect("a pseudo-terminal");
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    // Held open, so that its settings can be seen, and nobody hangs up by looking.
    let other_end = File::options().read(true).write(true).open(&path).unwrap();
    let mut device = File::from(master);
    let before = match require::tool("setsid") {
        Some(setsid) => vec![setsid.to_str().unwrap().to_owned()],
        None => Vec::new(),
    };
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    let server = Server::start_under(&before, &["--public", &format!("gps={path},baud=115200")]);
    until_true("the line to be raw", || {
        let line = tcgetattr(&other_end).unwrap();
        line.output_speed() == 115_200
            && !line
                .local_modes
                .intersects(LocalModes::ICANON | LocalModes::ECHO)
    });
    let mut client = Client::connect(&server, "/stream/gps?from=start");
    assert_eq!(client.open["kind"], "pipe");
    // End of text, end of transmission, XOFF, carriage returns, NUL: a terminal would act on each
    // of them.
    let bytes = b"$GPGGA,123519\r\n\x03\x04\x13\x11\0\x7f\xff\xfe\x1a end";
    device.write_all(bytes).unwrap();
    assert_eq!(client.bytes_until("end"), bytes);
    // Nothing was sent to the device, no echo either.
    rustix::io::ioctl_fionbio(&device, true).unwrap();
    let echo = device.read(&mut [0; 16]).unwrap_err();
    assert_eq!(echo.kind(), std::io::ErrorKind::WouldBlock);
    // A session of its own without a terminal would have got this one. proc_pid_stat(5): field 7 is
    // the terminal.
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap();
    let terminal = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .nth(4)
        .unwrap();
    if !before.is_empty() {
        assert_eq!(terminal, "0", "{stat}");
    }

    // The adapter is pulled out.
    drop((device, other_end));
    client.event("missing");
    let mut late = Plain::connect(&server, "/stream/gps?from=start");
    assert_eq!(late.line(), "$GPGGA,123519");
}

/// A device that is not plugged in yet is waited for as a device, not as a file.
#[test]
fn a_device_that_is_not_there_yet() {
    let mut server = Server::start(&["/dev/ttyUSB987"]);
    assert_eq!(source(&server, "ttyUSB987")["kind"], "pipe");
    let mut client = Client::connect(&server, "/stream/ttyUSB987");
    client.event("missing");
    assert!(server.stop().stdout[0].contains("waiting"));
}

#[test]
fn what_gives_no_bytes() {
    let folder = Folder::new();
    folder.append("");
    let socket = folder.path("socket");
    let _socket = UnixListener::bind(&socket).unwrap();
    for (source, status, said) in [
        (socket.to_str().unwrap(), 1, "character device"),
        (&format!("{},baud=9600", folder.arg()), 1, "no device"),
        ("/dev/ttyS0,baud=fast", 2, "`fast`"),
    ] {
        let output = crate::chapters::cli::run(&["--listen=127.0.0.1:0", source]);
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(said) && text.lines().count() == 1, "{text}");
    }
    let output = crate::chapters::cli::run(&["--listen=127.0.0.1:0", "-", "again=-"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
