//! Numbers: what `/proc` says of a server, and the middle of several runs.

use std::fs;
use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The kernel gives CPU time in `/proc` in hundredths of a second on every architecture (USER_HZ).
const TICKS_PER_SECOND: f64 = 100.0;

/// The middle of the values; `None` of none.
pub fn median(values: &[f64]) -> Option<f64> {
    percentile(values, 50)
}

/// The value that `percent` of the values do not exceed.
pub fn percentile(values: &[f64], percent: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    sorted
        .get((sorted.len() * percent / 100).min(last))
        .copied()
}

/// User and system time of a process so far, all its threads, living and gone.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = read(format!("/proc/{pid}/stat"));
    // The name in brackets may hold anything; the fields are counted from behind it (proc(5): 14
    // utime, 15 stime).
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let ticks = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|n| n.parse::<f64>().expect("ticks"));
    ticks.sum::<f64>() / TICKS_PER_SECOND
}

/// Resident memory in KiB. `VmRSS` in `status` may be off by some 100 KiB on several cores, the
/// roll-up is counted.
pub fn resident_kib(pid: u32) -> f64 {
    field(&read(format!("/proc/{pid}/smaps_rollup")), "Rss:")
}

/// How often the process' threads went to sleep of their own accord, which is how often they were
/// woken. A thread that has ended takes its number with it.
pub fn voluntary_switches(pid: u32) -> f64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("a running server");
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok())
        .map(|status| field(&status, "voluntary_ctxt_switches:"))
        .sum()
}

/// The file's size in KiB.
pub fn size_kib(path: &Path) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "no program is that large")]
    fs::metadata(path)
        .ok()
        .map(|file| file.len() as f64 / 1024.0)
}

/// Lets this process, and the servers it starts, hold as many descriptors as the kernel allows.
pub fn raise_descriptor_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    )
    .expect("the soft limit up to the hard one");
}

fn read(path: String) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn field(text: &str, name: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .expect(name);
    line.split_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .expect(name)
}
