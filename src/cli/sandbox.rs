//! What the process may still do once its sources are known and its port is bound: read there, and
//! nothing else.
//!
//! Landlock (Linux 5.13 and later) takes every other right to the file system away, and from 6.7 on
//! that of connecting anywhere but to an engine's port; `no_new_privs` holds on every kernel. It
//! holds for threads made later, so it has to come before the first.

use std::fs;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use tailcast::engine::target::Target;
use tailcast::source::buffer::pipe::PipeSource;
use tailcast::source::buffer::sample::Instrument;
use tailcast::source::detect::SourceKind;

/// The newest rights that this was tried with. Older kernels take what they know of them.
const TRIED: ABI = ABI::V6;

/// What `/metrics` and vitals read.
const OWN: [&str; 5] = [
    "/proc/self",
    "/proc/loadavg",
    "/proc/meminfo",
    "/sys/class/thermal",
    "/sys/devices/virtual/thermal",
];

/// Where it stands who answers for names: these files are made anew by others, so their directories
/// count.
const RESOLVER: [&str; 4] = [
    "/etc",
    "/run/systemd/resolve",
    "/run/NetworkManager",
    "/run/resolvconf",
];

/// The confinement. It can't be undone; dropping this only gives a few descriptors back.
pub(crate) struct Confinement {
    /// What may still be read. Empty: everything, this kernel has no Landlock.
    pub readable: Vec<PathBuf>,
    /// Rules for files of procfs hold as long as the kernel remembers these files, that is while
    /// they are open.
    _open: Vec<PathFd>,
}

impl Confinement {
    /// Whether anything was taken away.
    pub(crate) fn holds(&self) -> bool {
        !self.readable.is_empty()
    }
}

/// Takes away what streaming `sources`, and reaching the engines `targets`, does not need.
pub(crate) fn confine<'a>(
    sources: impl IntoIterator<Item = &'a SourceKind>,
    targets: &[Target],
) -> Confinement {
    let mut readable: Vec<PathBuf> = OWN.iter().map(PathBuf::from).collect();
    if !targets.is_empty() {
        readable.extend(RESOLVER.iter().map(PathBuf::from));
    }
    readable.extend(sources.into_iter().flat_map(needed));
    readable.sort();
    readable.dedup();
    let open = readable
        .iter()
        .filter_map(|path| PathFd::new(path).ok())
        .collect::<Vec<_>>();
    match restrict(&open, targets) {
        Ok(RulesetStatus::NotEnforced) | Err(_) => readable.clear(),
        Ok(_) => {}
    }
    Confinement {
        readable,
        _open: open,
    }
}

fn restrict(open: &[PathFd], targets: &[Target]) -> Result<RulesetStatus, RulesetError> {
    // Devices want `ioctl` for the speed of a serial line.
    let read = AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::IoctlDev;
    let rules = open
        .iter()
        .map(|path| Ok::<_, RulesetError>(PathBeneath::new(path, read)));
    let ports = targets
        .iter()
        .map(|target| Ok::<_, RulesetError>(NetPort::new(target.port, AccessNet::ConnectTcp)));
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(TRIED))?
        .handle_access(AccessNet::from_all(TRIED))?
        .scope(Scope::from_all(TRIED))?
        .create()?
        .add_rules(rules)?
        .add_rules(ports)?
        .restrict_self()?;
    Ok(status.ruleset)
}

/// The directories that a source is read from.
fn needed(source: &SourceKind) -> Vec<PathBuf> {
    match source {
        SourceKind::File(place) | SourceKind::Sample(Instrument::File(place)) => {
            match &place.within {
                Some(within) => around(&within.join("x")),
                None => around(&place.path),
            }
        }
        SourceKind::Pipe(PipeSource::Path { path, .. }) => around(path),
        SourceKind::Glob(glob) => around(&glob.directory().join("x")),
        // It is opened once more by name.
        SourceKind::Pipe(PipeSource::Input) => fs::read_link("/proc/self/fd/0")
            .into_iter()
            .filter(|path| path.is_absolute())
            .collect(),
        SourceKind::Sample(Instrument::Vitals) | SourceKind::Remote(..) => Vec::new(),
    }
}

/// The directories of the root that are there before any service is started, and that nothing is
/// mounted over later.
const SETTLED: [&str; 8] = [
    "/dev", "/etc", "/home", "/root", "/run", "/tmp", "/usr", "/var",
];

/// Where what `path` means may stand, now and later. Directories on the way are renamed and made
/// anew, and sticks, shares and memory are mounted over them: to Landlock each is another one then,
/// and only what lies above it counts. So it is the directory of the root, or the root itself where
/// that one may be covered, too; where a symbolic link is on the way, anywhere.
fn around(path: &Path) -> Vec<PathBuf> {
    let Ok(path) = std::path::absolute(path) else {
        return vec!["/".into()];
    };
    if path.starts_with("/proc") {
        return vec!["/proc".into()];
    }
    let directory = path.parent().unwrap_or(Path::new("/"));
    if path.starts_with("/sys") {
        // Full of links, all of them to here.
        return vec![directory.to_owned(), "/sys/devices".into()];
    }
    if path.ancestors().any(Path::is_symlink) {
        return vec!["/".into()];
    }
    let mut settled = SETTLED.iter().map(Path::new).filter(|top| top.is_dir());
    let top = settled.find(|top| directory.starts_with(top));
    vec![top.unwrap_or(Path::new("/")).to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn where_a_file_may_stand() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let top = folder.path().canonicalize().unwrap();
        let below = top.join("logs");
        fs::create_dir(&below).unwrap();
        symlink("logs", top.join("link")).unwrap();
        symlink("logs/a.log", top.join("a.log")).unwrap();
        for (path, want) in [
            (below.join("a.log"), PathBuf::from("/tmp")),
            (below.join("not/yet/a.log"), "/tmp".into()),
            (top.join("link/a.log"), "/".into()),
            (top.join("a.log"), "/".into()),
            ("/a.log".into(), "/".into()),
            ("/nowhere/a.log".into(), "/".into()),
            ("/mnt/a.log".into(), "/".into()),
            ("/mnt/usb/a.log".into(), "/".into()),
            ("/data/not/yet/a.log".into(), "/".into()),
            ("/var/log/app/a.log".into(), "/var".into()),
            ("/varnish/a.log".into(), "/".into()),
            ("/dev/ttyS0".into(), "/dev".into()),
            ("/proc/net/dev".into(), "/proc".into()),
        ] {
            assert_eq!(around(&path), [want], "{path:?}");
        }
        let sensor = around(Path::new("/sys/class/thermal/thermal_zone0/temp"));
        assert_eq!(sensor[1], Path::new("/sys/devices"));
    }
}
