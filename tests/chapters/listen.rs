//! Where it listens, and the links that lead there.

use crate::chapters::cli::Running;
use crate::deadline::until;
use crate::folder::Folder;
use crate::http::Connection;
use crate::require;
use crate::server::{command, words};
use crate::strace::injecting;
use std::fs::{self, File};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// Runs Tailcast behind the words `before`; what it prints is read by the second value.
fn start(
    folder: &Folder,
    before: &[&str],
    args: &[&str],
) -> (Running, impl Fn() -> String + use<>) {
    let before = before.iter().map(|&word| word.to_owned());
    let all: Vec<String> = before.chain(words()).collect();
    let mut tailcast = command(&all, Path::new("/"));
    tailcast.args(args).arg(folder.arg());
    let out = folder.path("stdout");
    tailcast.stdout(File::create(&out).unwrap());
    let printed = move || fs::read_to_string(&out).unwrap();
    (Running(tailcast.spawn().unwrap()), printed)
}

/// The port in the first link, once it is printed.
fn port(printed: impl Fn() -> String) -> u16 {
    until("a link", || {
        let printed = printed();
        let (_, rest) = printed.split_once("http://127.0.0.1:")?;
        rest.split_once('/').map(|(port, _)| port.parse().unwrap())
    })
}

/// The local addresses in this file of `/proc/PID/net` where somebody listens.
fn listening(process: &Running, file: &str) -> Vec<String> {
    let table = fs::read_to_string(format!("/proc/{}/net/{file}", process.0.id())).unwrap();
    let rows = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row[3] == "0A")
        .map(|row| row[1].to_owned())
        .collect()
}

#[test]
fn both_kinds_of_address_on_one_socket() {
    let folder = Folder::new();
    folder.append("hello\n");
    let (_running, printed) = start(&folder, &[], &["--listen=[::]:0"]);
    let port = port(&printed);
    for address in [
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        (Ipv6Addr::LOCALHOST, port).into(),
    ] {
        assert_eq!(
            Connection::to(address).get("/stream").text(),
            "hello\n",
            "{address}"
        );
    }
    // Every link is one that works, with the key in it.
    let printed = printed();
    let links: Vec<&str> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("open http://"))
        .collect();
    assert!(links.len() >= 2, "{printed}");
    for link in links {
        let (authority, path) = link.split_at(link.find('/').unwrap());
        if let Ok(address) = authority.parse::<SocketAddr>() {
            let mut connection = Connection::to(address);
            assert_eq!(connection.get(path).status, 303, "{link}");
            let target = path.replace("/?", "/stream?");
            assert_eq!(connection.get(&target).text(), "hello\n", "{link}");
        }
    }
}

/// In a network of its own, so that the port is free.
#[test]
fn by_default() {
    let Some(unshare) = require::tool("unshare") else {
        return;
    };
    let folder = Folder::new();
    let alone = [unshare.to_str().unwrap(), "--net", "--map-root-user"];
    let (running, printed) = start(&folder, &alone, &[]);
    assert_eq!(port(printed), 8080);
    assert_eq!(
        listening(&running, "tcp6"),
        ["00000000000000000000000000000000:1F90"]
    );
    assert!(listening(&running, "tcp").is_empty());

    let Some(without_six) = injecting("inject=socket:error=EAFNOSUPPORT:when=1") else {
        return;
    };
    let (running, printed) = start(&folder, &[&alone, &without_six[..]].concat(), &[]);
    assert_eq!(port(&printed), 8080);
    assert!(listening(&running, "tcp6").is_empty());
    assert_eq!(listening(&running, "tcp"), ["00000000:1F90"]);
}

/// What a scanner reads off the terminal, where two modules stand above each other in one
/// character.
fn scan(shown: &str) -> Option<String> {
    let drawn: Vec<Vec<char>> = shown
        .lines()
        .filter_map(|line| line.split_once("\x1b[30;107m")?.1.split_once("\x1b[0m"))
        .map(|(modules, _)| modules.chars().collect())
        .collect();
    let (height, width) = (drawn.len() * 2, drawn.first()?.len());
    // Four pixels for a module, as no camera sees less.
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width * 4, height * 4, |x, y| {
        let dark = match drawn[y / 8].get(x / 4) {
            Some('█') => true,
            Some('▀') => y % 8 < 4,
            Some('▄') => y % 8 >= 4,
            _ => false,
        };
        if dark { 0 } else { 255 }
    });
    let grids = picture.detect_grids();
    Some(grids.first()?.decode().ok()?.1)
}

/// A terminal gets a code for the phone; a pipe gets lines.
#[test]
fn a_code_for_the_phone() {
    let (Some(script), Some(unshare), Some(_)) = (
        require::tool("script"),
        require::tool("unshare"),
        require::tool("ip"),
    ) else {
        return;
    };
    let folder = Folder::new();
    let network = "ip link set lo up && ip address add 198.51.100.7 dev lo && exec \"$0\" \"$@\"";
    let alone = [
        unshare.to_str().unwrap(),
        "--net",
        "--map-root-user",
        "sh",
        "-c",
        network,
    ];
    let (_piped, printed) = start(&folder, &alone, &[]);
    port(&printed);

    let shown = folder.path("terminal");
    let line = format!("{} {}", words().join(" "), folder.arg());
    let words: Vec<String> = alone.iter().map(|&word| word.to_owned()).collect();
    let mut terminal = command(&words, Path::new("/"));
    terminal
        .arg(script)
        .args(["--quiet", "--flush", "--command", &line]);
    terminal
        .arg(&shown)
        .stdout(File::create("/dev/null").unwrap());
    let _terminal = Running(terminal.spawn().unwrap());
    let link = until("the code", || scan(&fs::read_to_string(&shown).ok()?));
    assert!(link.starts_with("http://198.51.100.7:8080/?key="), "{link}");
    let lines = fs::read_to_string(&shown).unwrap();
    assert!(
        lines.contains(&format!("open {link}")),
        "the same link as text: {lines}"
    );
    assert!(!printed().contains('\x1b'), "{}", printed());
}
