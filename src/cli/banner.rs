//! What the program says at its start: what is followed, under which links, and with which rights.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use tailcast::engine::Engine;
use tailcast::source::buffer::pipe::PipeSource;
use tailcast::source::buffer::sample::Instrument;
use tailcast::source::detect::SourceKind;

use crate::cli::links::Links;
use crate::cli::sandbox::Confinement;

/// What is said of a file that is not there.
const WAITED: &str = " (not there yet, waiting for it)";

/// What is left to the process.
pub(crate) fn rights(confinement: &Confinement) -> String {
    if !confinement.holds() {
        return "this kernel has no Landlock; what this user may read can be read".to_owned();
    }
    let shown = |path: &PathBuf| format!("`{}`", path.display());
    let readable: Vec<String> = confinement.readable.iter().map(shown).collect();
    format!(
        "all rights but to read are given up, beneath {}",
        readable.join(", ")
    )
}

/// What is printed at start: a line for each source, one for the engine that they go to, then one
/// for each link.
pub(crate) fn banner(
    sources: &[(String, SourceKind)],
    sample: Duration,
    engine: Option<&Engine>,
    links: Option<&Links>,
) -> String {
    let mut text = String::new();
    for (name, origin) in sources {
        let (what, path) = match origin {
            SourceKind::File(place) if place.newest.is_some() => {
                let shown = place.path.display();
                let waited = if place.now().is_ok() { "" } else { WAITED };
                let _ = writeln!(
                    text,
                    "following the newest of `{shown}` as `{name}`{waited}"
                );
                continue;
            }
            SourceKind::File(place) => (
                format!("following `{}`", place.path.display()),
                Some(&place.path),
            ),
            SourceKind::Sample(Instrument::File(place)) => {
                let every = humantime::format_duration(sample);
                let shown = place.path.display();
                (
                    format!("reading `{shown}` every {every}"),
                    Some(&place.path),
                )
            }
            SourceKind::Sample(Instrument::Vitals) => {
                ("reading this machine's vitals".to_owned(), None)
            }
            SourceKind::Pipe(PipeSource::Path { path, .. }) => {
                (format!("reading `{}`", path.display()), Some(path))
            }
            SourceKind::Pipe(PipeSource::Input) => ("reading standard input".to_owned(), None),
            SourceKind::Remote(url, _) => {
                let _ = writeln!(text, "following `{url}`");
                continue;
            }
            SourceKind::Glob(glob) => {
                let _ = writeln!(text, "following every file that matches `{glob}`");
                continue;
            }
        };
        let waited = match path {
            Some(path) if !path.exists() => WAITED,
            _ => "",
        };
        let _ = writeln!(text, "{what} as `{name}`{waited}");
    }
    if let Some(engine) = engine {
        let _ = writeln!(
            text,
            "publishing to `{}` as `{}`",
            engine.target, engine.board
        );
    }
    for link in links.iter().flat_map(|links| links.all()) {
        let _ = writeln!(text, "open {link}");
    }
    text
}
