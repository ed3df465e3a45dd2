//! Where the kernel sends no notice: looked at every `--poll`, and `/sources` says so.

use crate::client::{Client, Plain};
use crate::deadline::until_true;
use crate::folder::Folder;
use crate::http::source;
use crate::require;
use crate::server::Server;
use crate::writer::{Writer, lines};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A directory that is seen through FUSE at `view`; unmounted when dropped.
pub struct Mount {
    pub view: PathBuf,
    process: Child,
}

impl Mount {
    /// `None`, after having said so, where there is no FUSE.
    pub fn of(directory: &Path, view: PathBuf, more: &[&str]) -> Option<Mount> {
        let bindfs = require::tool("bindfs")?;
        if !Path::new("/dev/fuse").exists() {
            require::skip("there is no /dev/fuse");
            return None;
        }
        fs::create_dir(&view).unwrap();
        let mut process = Command::new(bindfs)
            .args(["-f", "--no-allow-other"])
            .args(more)
            .args([directory, &view])
            .stderr(Stdio::null())
            .spawn()
            .expect("bindfs");
        let is_there = |process: &mut Child| {
            process.try_wait().expect("wait").is_some() || view.join("app.log").exists()
        };
        until_true("the mount", || is_there(&mut process));
        if process.try_wait().expect("wait").is_some() {
            require::skip("FUSE can't be mounted here");
            return None;
        }
        Some(Mount { view, process })
    }

    /// It answers nobody, for as long as the guard is kept. That has to go before a server: not even
    /// a process that is killed ends while it waits for an answer to what such a file system has
    /// taken.
    pub fn stop(&self) -> Stopped<'_> {
        self.signal(Signal::STOP);
        Stopped(self)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("kill");
    }
}

/// A mount that answers nobody.
pub struct Stopped<'a>(&'a Mount);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.signal(Signal::CONT);
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
        // It unmounts as it ends.
        self.signal(Signal::TERM);
        let _ = self.process.wait();
    }
}

/// A folder with an empty log, and its view.
pub fn scene() -> Option<(Folder, Mount)> {
    let folder = Folder::new();
    fs::create_dir(folder.path("real")).unwrap();
    fs::write(folder.path("real/app.log"), "").unwrap();
    let mount = Mount::of(&folder.path("real"), folder.path("view"), &[])?;
    Some((folder, mount))
}

#[test]
fn on_fuse() {
    let Some((folder, mount)) = scene() else {
        return;
    };
    let real = folder.path("real/app.log");
    let log = mount.view.join("app.log");
    let mut writer = Writer::start(&real);
    writer.write(100);
    let server = Server::start(&[log.to_str().unwrap(), "--poll=20ms"]);
    assert_eq!(source(&server, "app.log")["watch"], "polling");
    assert_eq!(source(&server, "app.log")["kind"], "file");
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    assert_eq!(client.bytes_until(writer.last()), writer.everything());
    assert_eq!(source(&server, "app.log")["watch"], "polling");
    writer.write(50);
    assert_eq!(client.bytes_until(writer.last()), lines(101..=150));
    assert!(client.events.is_empty(), "{:?}", client.events);

    fs::write(&real, "").unwrap();
    client.event("truncated");
    writer.write(5);
    assert_eq!(client.bytes_until(writer.last()), lines(151..=155));

    fs::remove_file(&real).unwrap();
    client.event("missing");
}

/// A sensor that hangs, as a bus does: it holds up nobody but itself, and is there again when it
/// answers.
#[test]
fn a_sensor_that_hangs() {
    let Some((folder, mount)) = scene() else {
        return;
    };
    fs::write(folder.path("real/app.log"), "48312\n").unwrap();
    fs::write(folder.path("fast"), "1\n").unwrap();
    let (slow, fast) = (mount.view.join("app.log"), folder.path("fast"));
    let slow = format!("slow=sample:{}", slow.display());
    let fast = format!("fast=sample:{}", fast.display());
    let server = Server::start(&[&slow, &fast, "--sample=20ms", "--public"]);
    let mut sick = Plain::connect(&server, "/stream/slow");
    let mut well = Plain::connect(&server, "/stream/fast");
    sick.line();
    let stopped = mount.stop();
    while sick.line_within(Duration::from_millis(500)).is_some() {}
    let threads = server.threads();
    well.lines(20);
    let mut late = Plain::connect(&server, "/stream/slow");
    assert!(late.line().ends_with(" 48312"), "its history is there");
    assert!(server.threads() <= threads + 1, "one reading at a time");
    drop(stopped);
    fs::write(folder.path("real/app.log"), "50000\n").unwrap();
    until_true("a reading again", || sick.line().ends_with(" 50000"));
}

/// A change in a lower layer of an overlay, which inotify does not tell.
#[test]
fn on_an_overlay() {
    let Some(unshare) = require::tool("unshare") else {
        return;
    };
    // Not every file system can be a layer; one in memory can.
    let folder = Folder::each().pop().unwrap();
    for name in ["lower", "upper", "work", "view"] {
        fs::create_dir(folder.path(name)).unwrap();
    }
    let (lower, view) = (folder.path("lower/app.log"), folder.path("view/app.log"));
    fs::write(&lower, "one\n").unwrap();
    let place = folder.path("");
    let mount = format!(
        "cd {} && mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work view || exit 77; exec \"$@\"",
        place.display()
    );
    let before = [unshare.to_str().unwrap(), "-Urm", "sh", "-c", &mount, "sh"];
    let allowed = Command::new(before[0])
        .args(&before[1..])
        .arg("true")
        .output()
        .unwrap();
    if !allowed.status.success() {
        require::skip("no overlay can be mounted here");
        return;
    }
    let server = Server::start_under(&before, &[view.to_str().unwrap(), "--poll=20ms"]);
    assert_eq!(source(&server, "app.log")["watch"], "polling");
    let mut client = Client::connect(&server, "/stream/app.log?from=start");
    client.bytes_until("one\n");
    fs::OpenOptions::new()
        .append(true)
        .open(&lower)
        .and_then(|mut log| std::io::Write::write_all(&mut log, b"two\n"))
        .unwrap();
    assert_eq!(client.bytes_until("two\n"), b"two\n");
    assert!(client.events.is_empty(), "{:?}", client.events);
}
