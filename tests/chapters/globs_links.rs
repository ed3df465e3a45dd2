//! Links in a glob: which are followed, and that none leads out.

use crate::chapters::globs::{glob, names};
use crate::client::{Client, Heard, Plain};
use crate::folder::{Folder, rename};
use crate::http::{get, source};
use crate::server::Server;
use std::fs::{self};
use std::os::unix::fs::symlink;
use std::time::Duration;

/// Directories of sysfs are links to elsewhere in it, and have to be let in; those that a stranger
/// makes are not.
#[test]
fn links_to_directories() {
    let (outside, folder) = (Folder::new(), Folder::new());
    outside.append("secret\n");
    fs::write(outside.path("app.log.1"), "older secret\n").unwrap();
    fs::create_dir(folder.path("real")).unwrap();
    fs::write(folder.path("real/app.log"), "mine\n").unwrap();
    symlink("real", folder.path("inside")).unwrap();
    symlink(outside.path(""), folder.path("out")).unwrap();
    let server = Server::start(&[&glob(&folder, "*/app.log"), "--poll=20ms"]);
    assert_eq!(names(&server), ["inside:app.log", "real:app.log"]);
    assert_eq!(get(&server, "/stream/inside:app.log").text(), "mine\n");

    // A directory that is followed into turns into such a link.
    let mut client = Client::connect(&server, "/stream/real:app.log?from=start");
    client.bytes_until("mine\n");
    rename(&folder.path("real"), &folder.path("kept"));
    rename(&folder.path("out"), &folder.path("real"));
    client.event("missing");
    assert_eq!(get(&server, "/stream/real:app.log").status, 404);
    for name in ["app.log", "app.log.1"] {
        let inode = crate::folder::inode(&outside.path(name));
        let url = format!("/stream/real:app.log?from={inode:x}-0");
        let heard = Client::connect(&server, &url).next_within(Duration::from_millis(300));
        assert!(!matches!(heard, Some(Heard::Bytes(_))), "{heard:?}");
    }
    let listed = get(&server, "/stream/real:app.log?generations").text();
    assert!(!listed.contains("\"size\":13"), "{listed}");

    if !std::path::Path::new("/sys/class/net/lo/mtu").exists() {
        crate::require::skip("there is no `/sys/class/net/lo`");
        return;
    }
    let server = Server::start(&["/sys/class/net/l*/mtu", "--sample=20ms"]);
    assert_eq!(source(&server, "lo:mtu")["kind"], "sample");
    let mtu = fs::read_to_string("/sys/class/net/lo/mtu").unwrap();
    let mut plain = Plain::connect(&server, "/stream/lo:mtu");
    assert!(plain.line().ends_with(mtu.trim()));
}

/// Whoever may write in the directory decides on names there, not on what else is served.
#[test]
fn no_link_leads_out() {
    let outside = Folder::new();
    outside.append("secret\n");
    fs::write(outside.path("app.log.1"), "older secret\n").unwrap();
    let folder = Folder::new();
    fs::create_dir(folder.path("sub")).unwrap();
    fs::write(folder.path("sub/deep"), "deep\n").unwrap();
    symlink("sub/deep", folder.path("inside.log")).unwrap();
    symlink(&outside.log, folder.path("out.log")).unwrap();
    symlink(outside.path(""), folder.path("sub/away")).unwrap();
    symlink("sub/away/app.log", folder.path("roundabout.log")).unwrap();
    folder.append("mine\n");
    let server = Server::start(&[&glob(&folder, "*.log"), "--poll=20ms"]);
    assert_eq!(names(&server), ["app.log", "inside.log"]);
    assert_eq!(get(&server, "/stream/inside.log").text(), "deep\n");
    for name in ["out.log", "roundabout.log"] {
        assert_eq!(
            get(&server, &format!("/stream/{name}")).status,
            404,
            "{name}"
        );
    }

    // One that is followed turns into such a link.
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    client.bytes_until("mine\n");
    symlink(&outside.log, folder.path("link")).unwrap();
    rename(&folder.path("link"), &folder.log);
    client.event("missing");
    outside.append("more secrets\n");
    assert_eq!(get(&server, "/stream/app.log").status, 404);
    // A cursor of the file at the link's end, and of one of its family.
    for inode in [
        outside.inode(),
        crate::folder::inode(&outside.path("app.log.1")),
    ] {
        let mut thief = Client::connect(&server, &format!("/stream/app.log?from={inode:x}-0"));
        let heard = thief.next_within(Duration::from_millis(300));
        assert!(!matches!(heard, Some(Heard::Bytes(_))), "{heard:?}");
    }
    assert!(client.next_within(Duration::from_millis(300)).is_none());
    fs::remove_file(&folder.log).unwrap();
    folder.append("mine again\n");
    assert_eq!(client.bytes_until("mine again\n"), b"mine again\n");
}

/// A named link may lead anywhere: that is its owner's word.
#[test]
fn a_link_that_was_named() {
    let (outside, folder) = (Folder::new(), Folder::new());
    outside.append("named\n");
    symlink(&outside.log, &folder.log).unwrap();
    let server = Server::start(&[folder.arg()]);
    assert_eq!(get(&server, "/stream/app.log").text(), "named\n");
}
