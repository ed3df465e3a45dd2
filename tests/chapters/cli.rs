//! The command: its options, what it prints, how it ends.

use crate::client::{Client, Plain, close_code};
use crate::deadline::{DEADLINE, until};
use crate::folder::Folder;
use crate::http::{Connection, get};
use crate::server::{Server, command, words};
use crate::writer::Writer;
use rustix::process::Signal;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Runs a command that must end by itself.
pub fn ended(mut command: Command) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("spawn");
    let (mut tries, patience) = (0, crate::deadline::DEADLINE);
    while child.try_wait().expect("wait").is_none() {
        std::thread::sleep(Duration::from_millis(10));
        tries += 1;
        if Duration::from_millis(10) * tries > patience {
            child.kill().expect("kill");
            panic!("{command:?} did not end: {:?}", child.wait_with_output());
        }
    }
    child.wait_with_output().expect("output")
}

/// Runs Tailcast with these arguments; it must end by itself.
pub fn run(args: &[&str]) -> Output {
    let mut tailcast = command(&words(), Path::new("/"));
    tailcast.args(args);
    ended(tailcast)
}

#[test]
fn help_and_version() {
    let help = run(&["--help"]);
    assert_eq!((help.status.code(), &help.stderr[..]), (Some(0), &b""[..]));
    let text = String::from_utf8(help.stdout).unwrap();
    for word in [
        "--listen",
        "--lines",
        "--poll",
        "--heartbeat",
        "--max-clients",
        "--version",
        "[::]:8080",
    ] {
        assert!(text.contains(word), "no {word} in {text}");
    }
    let version = run(&["--version"]);
    assert_eq!(
        (version.status.code(), &version.stderr[..]),
        (Some(0), &b""[..])
    );
    let text = String::from_utf8(version.stdout).unwrap();
    assert_eq!(
        text.trim_end(),
        format!("tailcast {}", env!("CARGO_PKG_VERSION"))
    );
}

/// Facts in prose are tested: the README's options are the command's own words.
#[test]
fn readme_shows_the_options() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("README.md");
    let (_, after) = readme
        .split_once("<!-- options: tailcast --help -->\n")
        .expect("the mark of the options");
    let block = after.trim_start().strip_prefix("```").expect("a fence");
    let (_, block) = block.split_once('\n').expect("a fence's line");
    let (block, _) = block.split_once("\n```").expect("the other fence");
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    assert_eq!(block.trim_end(), help.trim_end());
}

#[test]
fn both_ways_to_give_a_value() {
    let folder = Folder::new();
    folder.append("1\n2\n3\n");
    for args in [
        &["--lines=1", "--poll=1s"][..],
        &["--lines", "1", "--poll", "1s"],
    ] {
        let server = Server::start(&[args, &[folder.arg()]].concat());
        let mut plain = Plain::connect(&server, "/stream/app.log");
        assert_eq!(plain.line(), "3", "{args:?}");
    }
    // Options may stand behind the source, and a value may look like one of them.
    let server = Server::start(&[&format!("a=b={}", folder.arg()), "--lines=1"]);
    assert_eq!(get(&server, "/sources").json()[0]["name"], "a");
}

#[test]
fn names_of_sources() {
    let folder = Folder::new();
    for directory in ["a", "b", "c"] {
        fs::create_dir(folder.path(directory)).unwrap();
        fs::write(
            folder.path(&format!("{directory}/app.log")),
            format!("{directory}\n"),
        )
        .unwrap();
    }
    fs::write(folder.path("x=y"), "equals\n").unwrap();
    let here = folder.path("");
    let before = [
        "sh",
        "-c",
        "cd \"$0\" && exec \"$@\"",
        here.to_str().unwrap(),
    ];
    let sources = [
        "a/app.log",
        "b/app.log",
        "./x=y",
        "boiler=c/app.log",
        "c/app.log",
        "not/yet.log",
    ];
    let server = Server::start_under(&before, &sources);
    let listed = get(&server, "/sources").json();
    let names: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|source| source["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "a:app.log",
            "b:app.log",
            "x=y",
            "boiler",
            "c:app.log",
            "yet.log"
        ]
    );
    for (url, content) in [
        ("/stream/a:app.log", "a\n"),
        ("/stream/b:app.log", "b\n"),
        ("/stream/x=y", "equals\n"),
        ("/stream/boiler", "c\n"),
        ("/stream/c:app.log", "c\n"),
    ] {
        assert_eq!(get(&server, url).text(), content, "{url}");
    }
}

/// SIGTERM from a service manager, SIGINT from a keyboard: everyone is told, and it is over within
/// two seconds.
#[test]
fn signals_end_it_in_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = Folder::new();
        // More than sockets hold, for the one who does not read.
        folder.append(vec![b'x'; 32 << 20]);
        let mut server = Server::start(&[folder.arg()]);
        let mut exact = Client::connect(&server, "/stream/app.log?from=end");
        let mut plain = Plain::connect(&server, "/stream/app.log?from=end");
        plain.send("ping");
        assert_eq!(plain.line(), "pong");
        let _stuck = Client::connect(&server, "/stream/app.log?from=start");
        let _idle = Connection::open(&server);
        let mut half = Connection::open(&server);
        half.send("GET / HT");

        let ended = server.end(signal);
        assert_eq!(ended.status.code(), Some(0), "{signal:?}: {}", ended.stderr);
        // Not within two seconds, for the machine may have other things to do: whoever does not
        // read is not waited for.
        assert!(ended.took < DEADLINE / 3, "{signal:?}: {:?}", ended.took);
        assert_eq!(close_code(exact.socket()), Some(1001), "{signal:?}");
        assert_eq!(close_code(&mut plain.socket), Some(1001), "{signal:?}");
    }
}

#[test]
fn banner() {
    let folder = Folder::new();
    let missing = folder.path("missing.log");
    let sources = [
        &format!("boiler={}", folder.arg()),
        missing.to_str().unwrap(),
    ];
    let mut server = Server::start(&sources);
    let printed = server.stop().stdout;
    let [first, second, link] = &printed[..] else {
        panic!("{printed:?}");
    };
    assert!(
        first.contains("boiler") && first.contains(folder.arg()),
        "{first}"
    );
    assert!(second.contains("missing.log"), "{second}");
    assert!(link.contains(&server.url("/")), "{link}");

    // On every address: this machine's own first, then those that others can use, all of them
    // working links.
    let mut server = Server::start_on(Ipv4Addr::UNSPECIFIED, &[], &[folder.arg()]);
    assert_eq!(get(&server, "/health").status, 200);
    let printed = server.stop().stdout;
    let links: Vec<&str> = printed
        .iter()
        .filter_map(|line| line.split(' ').find(|word| word.starts_with("http://")))
        .collect();
    assert_eq!(links.len(), printed.len() - 1, "{printed:?}");
    let start = server.url("/?key=");
    let key = links[0].strip_prefix(&start).expect("the key in the link");
    assert!(
        key.len() >= 22,
        "128 bits take 22 characters of base64 at least: {key}"
    );
    let end = format!(":{}/?key={key}", server.addr().port());
    assert!(links.iter().all(|link| link.ends_with(&end)), "{printed:?}");
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let local = format!("http://{}.local{end}", host.trim());
    assert!(links.contains(&local.as_str()), "{local} in {printed:?}");
    assert!(
        !links.iter().any(|link| link.contains("0.0.0.0")),
        "{printed:?}"
    );
}

/// Killed when dropped.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Port 0 picks one and prints it.
#[test]
fn port_0() {
    let folder = Folder::new();
    let mut tailcast = command(&words(), Path::new("/"));
    tailcast.args(["--listen=127.0.0.1:0", folder.arg()]);
    let out = folder.path("stdout");
    tailcast.stdout(File::create(&out).unwrap());
    let _running = Running(tailcast.spawn().unwrap());
    // A file, not a terminal: what a script reads is flushed, too.
    let port = until("a link", || {
        let printed = fs::read_to_string(&out).unwrap();
        let link = printed.split("http://127.0.0.1:").nth(1)?;
        link.split_once('/').map(|(port, _)| port.parse().unwrap())
    });
    assert_ne!(port, 0);
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
}

/// What is followed is only read: nothing in its directory is written, created, or left behind.
#[test]
fn nothing_is_written() {
    let folder = Folder::new();
    let mut writer = Writer::start(&folder.log);
    writer.write(100);
    let listing = || {
        let mut names: Vec<_> = fs::read_dir(folder.path(""))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (
                    entry.file_name(),
                    entry.metadata().unwrap().modified().unwrap(),
                )
            })
            .collect();
        names.sort();
        names
    };
    let before = listing();
    let mut server = Server::start(&[folder.arg()]);
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    client.bytes_until(writer.last());
    assert_eq!(get(&server, "/stream/app.log").status, 200);
    server.restart();
    client.resume(&server);
    server.stop();
    assert_eq!(listing(), before);
}
