//! The README's commands of "More than one board", run as they stand there but for names and
//! places.

use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::get;
use crate::nats::{Nats, credentials};
use crate::require::tool;
use crate::server::{Server, reserve};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

/// The lines of the section's shell blocks that begin with this.
fn commands(beginning: &str) -> Vec<String> {
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("\n## More than one board\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let blocks = section.split("```sh\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
    let lines = lines.filter(|line| line.starts_with(beginning));
    let bare = lines.map(|line| line.split(" #").next().unwrap().trim().to_owned());
    bare.collect()
}

/// Starts the `tailcast` of that command.
fn tailcast(command: &str, places: &[(&str, &str)]) -> Server {
    let mut command = command.strip_prefix("tailcast ").unwrap().replace('\'', "");
    for (name, place) in places {
        assert!(command.contains(name), "{command}: {name}");
        command = command.replace(name, place);
    }
    let mut args = vec!["--public"];
    args.extend(command.split(' '));
    Server::start(&args)
}

/// A log's folder and a file with these credentials, as the command names it.
fn folder(text: &str) -> (Folder, String) {
    let folder = Folder::new();
    let option = credentials(&folder, text);
    let file = option.strip_prefix("--credentials=").unwrap().to_owned();
    (folder, file)
}

fn until_shown(hub: &Server, want: &str) {
    until_true("the page's machine to have it", || {
        get(hub, "/stream/kitchen:app.log").text() == want
    });
}

#[test]
fn a_hub_a_board_and_a_page_with_all_boards() {
    assert_eq!(commands("nats-server")[0], "nats-server -c hub.conf");
    assert_eq!(
        commands("tests/nats/stream.sh"),
        ["tests/nats/stream.sh hub 4222 admin secret"]
    );
    // Which runs these two.
    let Some(nats) = Nats::start() else { return };
    let (log, file) = folder("kitchen:cook");
    log.append("hello\n");
    let url = nats.url();
    let tailcasts = commands("tailcast");
    let places = [
        ("nats://hub", &*url),
        ("FILE", &file),
        ("/var/log/syslog", log.arg()),
    ];
    let _board = tailcast(&tailcasts[0], &places);
    let (_folder, file) = folder("hub:look");
    let page = tailcast(&tailcasts[1], &[("nats://hub", &url), ("FILE", &file)]);
    until_shown(&page, "hello\n");
}

#[test]
fn a_site_behind_a_leaf_node_that_speaks_tls() {
    let both = ["nats-server -c hub-tls.conf", "nats-server -c site.conf"];
    assert_eq!(commands("nats-server")[1..], both);
    if tool("openssl").is_none() {
        return;
    }
    let (log, file) = folder("kitchen:cook");
    crate::chapters::tls::certify(&log.path(""));
    let certificate = log.path("certificate.pem");
    let (_port, leaves) = reserve(Ipv4Addr::LOCALHOST);
    let config = include_str!("../nats/hub-tls.conf")
        .replace("0.0.0.0:7422", &leaves.to_string())
        .replace("/etc/nats/certificate.pem", certificate.to_str().unwrap())
        .replace("/etc/nats/key.pem", log.path("key.pem").to_str().unwrap());
    let Some(hub) = Nats::bare(&config) else {
        return;
    };
    hub.create(serde_json::json!({}));
    // Nobody gets in there without TLS.
    assert!(greeting(leaves).contains("\"tls_required\":true"));
    let config = include_str!("../nats/site.conf")
        .replace("hub:7422", &leaves.to_string())
        .replace("/etc/nats/ca.pem", certificate.to_str().unwrap());
    let mut site = Nats::bare(&config).unwrap();
    assert!(!fs::exists(site.store()).unwrap());
    log.append("hello\n");
    let url = site.url();
    let places = [
        ("nats://localhost", &*url),
        ("FILE", &file),
        ("/var/log/syslog", log.arg()),
    ];
    let _board = tailcast(&commands("tailcast")[2], &places);
    let (_folder, file) = folder("hub:look");
    let url = hub.url();
    let page = tailcast(
        &commands("tailcast")[1],
        &[("nats://hub", &url), ("FILE", &file)],
    );
    until_shown(&page, "hello\n");
    // The site's uplink fails, with its server; what is written meanwhile comes later.
    site.kill();
    log.append("meanwhile\n");
    site.start_again();
    until_shown(&page, "hello\nmeanwhile\n");
}

/// What a server says first.
fn greeting(addr: SocketAddr) -> String {
    let mut line = String::new();
    let socket = TcpStream::connect(addr).unwrap();
    BufReader::new(socket).read_line(&mut line).unwrap();
    line
}
