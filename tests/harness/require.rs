//! Outside programs: found on `PATH`, or the test is skipped in plain words.
//!
//! `TAILCAST_REQUIRE=logrotate,chromium` turns the skipping of these into a failure, for machines
//! that must have them.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::thread;

/// The program of that name; `None` (the test should return) after having said so where there is
/// none.
pub fn tool(name: &str) -> Option<PathBuf> {
    let found = env::var_os("PATH")
        .iter()
        .flat_map(env::split_paths)
        // Root's tools are not on everybody's PATH.
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|directory| directory.join(name))
        .find(|path| path.is_file());
    require(name, found.is_some());
    found
}

/// Whether it is `there`, whatever it is that is called so; `false` (the test should return) after
/// having said so.
pub fn require(name: &str, there: bool) -> bool {
    if !there {
        assert!(
            !is_required(name),
            "`{name}` is not installed, but TAILCAST_REQUIRE names it"
        );
        skip(&format!("{name} is not installed"));
    }
    there
}

/// Whether this machine must have it.
pub fn is_required(name: &str) -> bool {
    let required = env::var("TAILCAST_REQUIRE").unwrap_or_default();
    required.split(',').any(|required| required.trim() == name)
}

/// Says why this test is not run, past the test runner, which would swallow it.
pub fn skip(cause: &str) {
    let current = thread::current();
    let test = current.name().unwrap_or("this test");
    let _ = writeln!(std::io::stderr(), "skipped: {cause}, {test} was not tested");
}
