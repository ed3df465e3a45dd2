//! Names, links and what they lead to.

use super::*;
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn a_confined_place_does_not_lead_out() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "x").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("real"), "x").unwrap();
    fs::create_dir(at("sub")).unwrap();
    fs::write(at("sub/deep"), "x").unwrap();
    symlink("real", at("inside")).unwrap();
    symlink("sub/deep", at("below")).unwrap();
    symlink(outside.path().join("secret"), at("absolute")).unwrap();
    let up = outside.path().file_name().unwrap();
    symlink(Path::new("..").join(up).join("secret"), at("relative")).unwrap();
    symlink(outside.path(), at("sub/away")).unwrap();
    symlink("sub/away/secret", at("roundabout")).unwrap();
    symlink("/proc/self/root", at("magic")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();

    for (name, named, confined) in [
        ("real", true, true),
        ("inside", true, true),
        ("below", true, true),
        ("absolute", true, false),
        ("relative", true, false),
        ("roundabout", true, false),
        ("magic", false, false),
        ("dangling", false, false),
        ("sub", false, false),
    ] {
        let within = directory.path().to_owned();
        for (within, want) in [(None, named), (Some(within), confined)] {
            let place = FilePath {
                within,
                ..FilePath::named(at(name))
            };
            assert_eq!(place.seen().is_ok(), want, "stat {place:?}");
            assert_eq!(place.open().is_ok(), want, "open {place:?}");
        }
    }

    // Also by a directory on the way, with and without the help of the kernel.
    symlink("sub", at("link")).unwrap();
    for (below, with, without) in [
        ("sub/deep", true, true),
        ("link/deep", true, false),
        ("sub/away/secret", false, false),
        ("sub/../real", true, true),
    ] {
        let within = directory.path().to_owned();
        let place = FilePath::within(at(below), &within);
        assert_eq!(place.seen().is_ok(), with, "{below}");
        assert_eq!(place.open().is_ok(), with, "{below}");
        let within = File::open(within).unwrap();
        let opened = without_links(within, Path::new(below), OFlags::RDONLY);
        assert_eq!(opened.is_ok(), without, "{below}");
    }
}

/// Links of sysfs lead up and down again; magic ones of procfs lead out.
#[test]
fn the_kernels_own_links() {
    let place = |within: &str, below: &str| {
        FilePath::within(Path::new(within).join(below), Path::new(within))
    };
    assert!(place("/proc/self/task", "../status").open().is_ok());
    let root = place("/proc/self", "root/etc/passwd");
    assert!(Path::new("/proc/self/root/etc/passwd").exists() && root.open().is_err());
    let net = Path::new("/sys/class/net");
    // In a container there may be no sysfs.
    if net.join("lo/mtu").exists() {
        assert!(net.join("lo").is_symlink());
        assert!(place("/sys/class/net", "lo/mtu").open().is_ok());
    }
}
