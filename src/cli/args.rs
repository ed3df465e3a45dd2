//! The command line into a checked configuration. Every default and every limit on a value stands
//! here, with its unit.

#[cfg(test)]
mod tests;
mod values;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use argh::{ArgsInfo, FlagInfoKind, FromArgs};

use crate::cli::args::values::{address, board, count, duration, host, origin, places, size};
use crate::cli::error::Error;
use crate::cli::links;
use tailcast::Config;
use tailcast::auth::Rules;
use tailcast::auth::host::{Host, Origin};
use tailcast::auth::key::Key;
use tailcast::engine::Engine;
use tailcast::engine::target::Login;
use tailcast::source;
use tailcast::source::buffer::history::HISTORY;
use tailcast::source::spec::INPUT;

/// Stream a file, live, to browsers on the network. A SOURCE is PATH, NAME=PATH or - (standard
/// input); with none, this machine's own vitals are streamed.
#[derive(ArgsInfo, FromArgs, Debug)]
#[argh(help_triggers("--help", "-h"))]
pub(crate) struct Args {
    /// where to listen (default [::]:8080, IPv4 too); port 0 picks one and prints it; none, with
    /// --to: nowhere
    #[argh(
        option,
        arg_name = "ADDR:PORT",
        default = "Listen::Default",
        from_str_fn(address)
    )]
    pub listen: Listen,

    /// the key that a visitor needs (default: one made at start); others on this machine can see it
    /// in `ps`
    #[argh(option, arg_name = "KEY")]
    pub key: Option<String>,

    /// a file with the key, closed to others; the environment's TAILCAST_KEY is a third way
    #[argh(option, arg_name = "FILE")]
    pub key_file: Option<PathBuf>,

    /// no key needed by anyone
    #[argh(switch)]
    pub public: bool,

    /// one more name that this server answers to; may be repeated
    #[argh(option, arg_name = "NAME", from_str_fn(host))]
    pub host: Vec<Host>,

    /// one more page origin that may connect, such as https://example.com; may be repeated
    #[argh(option, arg_name = "ORIGIN", from_str_fn(origin))]
    pub origin: Vec<Origin>,

    /// hand every stream to an engine: nats://HOST:PORT (see More than one board) or
    /// mqtt://HOST:PORT (see MQTT)
    #[argh(option, arg_name = "URL")]
    pub to: Option<String>,

    /// what this board is called there
    #[argh(option, long = "as", arg_name = "NAME", from_str_fn(board))]
    pub board: Option<String>,

    /// a file, closed to others, with USER:PASSWORD or a token for the engine; the environment's
    /// TAILCAST_CREDENTIALS is another way
    #[argh(option, arg_name = "FILE")]
    pub credentials: Option<PathBuf>,

    /// started as root, go on as this user
    #[argh(option, arg_name = "NAME")]
    pub user: Option<String>,

    /// lines of history that a live stream starts with (default 10)
    #[argh(option, arg_name = "N", default = "10", from_str_fn(count))]
    pub lines: u64,

    /// how often to look at a file that the kernel sends no notice for (default 250ms)
    #[argh(option, arg_name = "DURATION", default = "POLL", from_str_fn(duration))]
    pub poll: Duration,

    /// how often to read a file that is a reading, not a log (default 1s)
    #[argh(
        option,
        arg_name = "DURATION",
        default = "SAMPLE",
        from_str_fn(duration)
    )]
    pub sample: Duration,

    /// read these while nobody listens, too
    #[argh(switch)]
    pub record: bool,

    /// how much is kept of each sample and pipe, up to 64M (default 256K)
    #[argh(option, arg_name = "SIZE", default = "HISTORY", from_str_fn(size))]
    pub history: usize,

    /// period of the server's pings; who is silent for three is dropped (default 20s)
    #[argh(
        option,
        arg_name = "DURATION",
        default = "HEARTBEAT",
        from_str_fn(duration)
    )]
    pub heartbeat: Duration,

    /// connections held at once; the next one gets a 503 (default 256)
    #[argh(option, arg_name = "N", default = "256", from_str_fn(places))]
    pub max_clients: usize,

    /// a stream's URL answers plain HTTP with 426 Upgrade Required
    #[argh(switch)]
    pub websocket_only: bool,

    /// print nothing but errors
    #[argh(switch)]
    pub quiet: bool,

    /// print more on standard error
    #[argh(switch)]
    pub verbose: bool,

    /// print the version
    #[argh(switch)]
    pub version: bool,

    /// files, quoted globs, the newest file of one (newest:GLOB), sensors (sample:PATH), pipes,
    /// serial lines (PATH,baud=N)
    #[argh(positional, arg_name = "SOURCE")]
    pub sources: Vec<String>,
}

/// A look costs one `stat`; four a second are not felt, and not waited for.
const POLL: Duration = Duration::from_millis(250);
/// What a person can follow with the eye.
const SAMPLE: Duration = Duration::from_secs(1);
/// Below the 30 to 60 s after which home routers forget an idle connection.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Standard input, as the parser gets it: it takes any word that begins with a dash for an option.
/// No argument holds a NUL.
const INPUT_HIDDEN: &str = "\0-";

impl Args {
    /// What a server is run with: the `sources` that were recognised, the `key` that was found or
    /// made.
    pub(crate) fn checked(
        self,
        key: Option<Key>,
        sources: Vec<(String, source::detect::SourceKind)>,
        engine: Option<Engine>,
        login: Option<Login>,
        say: fn(&str),
    ) -> Config {
        Config {
            sources,
            engine,
            login,
            lines: self.lines,
            poll: self.poll,
            sample: self.sample,
            record: self.record,
            history: self.history,
            heartbeat: self.heartbeat,
            max_clients: self.max_clients,
            websocket_only: self.websocket_only,
            rules: Rules {
                names: [links::names(), self.host].concat(),
                origins: self.origin,
                key,
            },
            say,
        }
    }
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    /// Where it was not said.
    Default,
    /// Here.
    At(SocketAddr),
    /// Nowhere: the streams go to an engine alone.
    Nowhere,
}

/// What the arguments ask for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// To run.
    Run(Box<Args>),
    /// To print this text and be done.
    Print(String),
}

/// The command line as text.
///
/// # Errors
/// Where it is not UTF-8; exit status 2.
pub(crate) fn words(arguments: impl Iterator<Item = OsString>) -> Result<Vec<String>, Error> {
    let said = |argument: OsString| Error::usage(format!("{argument:?} is not UTF-8"));
    arguments
        .map(|argument| argument.into_string().map_err(said))
        .collect()
}

/// Reads the command line without the program's name.
///
/// # Errors
/// One that names the argument and what would be right; exit status 2.
pub(crate) fn parse(arguments: &[String]) -> Result<Asked, Error> {
    let words = split(arguments)?;
    match Args::from_args(&["tailcast"], &words) {
        Ok(args) if args.version => Ok(Asked::Print(format!(
            "tailcast {}\n",
            env!("CARGO_PKG_VERSION")
        ))),
        Ok(mut args) => {
            for source in &mut args.sources {
                *source = source.replace(INPUT_HIDDEN, INPUT);
            }
            Ok(Asked::Run(Box::new(args)))
        }
        Err(exit) if exit.status.is_ok() => Ok(Asked::Print(exit.output)),
        Err(exit) => Err(Error::usage(tidy(&exit.output))),
    }
}

/// The words as argh wants them: `--name=value` in two, where an option may stand. The word behind
/// an option is its value, whatever it looks like.
fn split(arguments: &[String]) -> Result<Vec<&str>, Error> {
    let flags = Args::get_args_info().flags;
    let takes_value = |name: &str| {
        let flag = flags.iter().find(|flag| flag.long == name)?;
        Some(!matches!(flag.kind, FlagInfoKind::Switch))
    };
    let mut words: Vec<&str> = Vec::new();
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            words.push(argument);
            words.extend(arguments.map(hide_input));
            break;
        }
        match argument.split_once('=') {
            Some((name, _)) if takes_value(name) == Some(false) => {
                return Err(Error::usage(format!("`{name}` takes no value")));
            }
            Some((name, value)) if name.starts_with("--") => words.extend([name, value]),
            _ => words.push(hide_input(argument)),
        }
        if takes_value(argument) == Some(true) {
            words.extend(arguments.next());
        }
    }
    Ok(words)
}

fn hide_input(argument: &str) -> &str {
    if argument == INPUT {
        INPUT_HIDDEN
    } else {
        argument
    }
}

/// One line in the form of our own errors out of what argh says.
fn tidy(output: &str) -> String {
    let line = output
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('.');
    let mut line = line.to_owned();
    if let Some(first) = line.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    line.replace(INPUT_HIDDEN, INPUT)
        .replace(['\'', '"'], "`")
        .replace("unrecognized argument: -", "unrecognized argument -")
}
