//! The command line into a checked configuration. Every default and every limit on a value stands here, with its unit.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use argh::{ArgsInfo, FlagInfoKind, FromArgs};

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

/// Stream a file, live, to browsers on the network. A SOURCE is PATH, NAME=PATH or - (standard input); with none, this
/// machine's own vitals are streamed.
#[derive(ArgsInfo, FromArgs, Debug)]
#[argh(help_triggers("--help", "-h"))]
pub(crate) struct Args {
    /// where to listen (default [::]:8080, IPv4 too); port 0 picks one and prints it; none, with --to: nowhere
    #[argh(
        option,
        arg_name = "ADDR:PORT",
        default = "Listen::Default",
        from_str_fn(address)
    )]
    pub listen: Listen,

    /// the key that a visitor needs (default: one made at start); others on this machine can see it in `ps`
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

    /// hand every stream to an engine: nats://HOST:PORT (see More than one board) or mqtt://HOST:PORT (see MQTT)
    #[argh(option, arg_name = "URL")]
    pub to: Option<String>,

    /// what this board is called there
    #[argh(option, long = "as", arg_name = "NAME", from_str_fn(board))]
    pub board: Option<String>,

    /// a file, closed to others, with USER:PASSWORD or a token for the engine; the environment's TAILCAST_CREDENTIALS
    /// is another way
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

    /// files, quoted globs, the newest file of one (newest:GLOB), sensors (sample:PATH), pipes, serial lines (PATH,baud=N)
    #[argh(positional, arg_name = "SOURCE")]
    pub sources: Vec<String>,
}

/// A look costs one `stat`; four a second are not felt, and not waited for.
const POLL: Duration = Duration::from_millis(250);
/// What a person can follow with the eye.
const SAMPLE: Duration = Duration::from_secs(1);
/// Below the 30 to 60 s after which home routers forget an idle connection.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// A shorter period would be a busy loop, a longer one a typing error.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The contract's; a smaller one would hold less than a page of lines, a larger one is more than a small board has.
const HISTORY_MIN: usize = 1 << 10;
const HISTORY_MAX: usize = 64 << 20;

/// The longest name of a board, in bytes: it is a part of every subject.
const BOARD_MAX: usize = 64;

/// Standard input, as the parser gets it: it takes any word that begins with a dash for an option. No argument holds a NUL.
const INPUT_HIDDEN: &str = "\0-";

impl Args {
    /// What a server is run with: the `sources` that were recognised, the `key` that was found or made.
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

/// The words as argh wants them: `--name=value` in two, where an option may stand. The word behind an option is its value,
/// whatever it looks like.
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

fn address(text: &str) -> Result<Listen, String> {
    if text == "none" {
        return Ok(Listen::Nowhere);
    }
    text.parse()
        .map(Listen::At)
        .map_err(|_| "expected ADDR:PORT such as 0.0.0.0:8080 or [::]:8080".to_owned())
}

/// The board's name is a token of subjects and topics: anything goes in there, encoded, but people have to read it.
fn board(text: &str) -> Result<String, String> {
    let is_one = (1..=BOARD_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    is_one
        .then(|| text.to_owned())
        .ok_or_else(|| "expected a name such as kitchen, of at most 64 bytes".to_owned())
}

fn host(text: &str) -> Result<Host, String> {
    Host::parse(text).ok_or_else(|| "expected a name such as pi.example, without a port".to_owned())
}

fn origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text)
        .ok_or_else(|| "expected an origin such as https://example.com, without a path".to_owned())
}

fn count(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "expected a whole number such as 10".to_owned())
}

fn places(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&places| places > 0)
        .ok_or_else(|| "expected a whole number from 1 on".to_owned())
}

/// Bytes, `K` or `M` (of 1,024).
fn size(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<usize> = digits.parse().ok().filter(|_| is_number);
    number
        .and_then(|number| number.checked_mul(unit))
        .filter(|size| (HISTORY_MIN..=HISTORY_MAX).contains(size))
        .ok_or_else(|| "expected a size such as 256K or 4M, from 1K to 64M".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = humantime::parse_duration(text).ok();
    parsed
        .filter(|duration| (SHORTEST..=LONGEST).contains(duration))
        .ok_or_else(|| "expected a duration such as 250ms, 2s or 1m, from 10ms to 1day".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str]) -> Result<Args, String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        match parse(&words) {
            Ok(Asked::Run(args)) => Ok(*args),
            Ok(Asked::Print(text)) => Err(text),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn both_ways_to_give_a_value() {
        for words in [
            ["--lines", "3", "--poll=1m", "x"].as_slice(),
            &["x", "--lines=3", "--poll", "60s"],
        ] {
            let args = run(words).unwrap();
            assert_eq!(
                (args.lines, args.poll, args.sources),
                (3, Duration::from_secs(60), vec!["x".to_owned()])
            );
        }
        let args = run(&["--", "--lines=3", "a=b"]).unwrap();
        assert_eq!(args.sources, ["--lines=3", "a=b"]);
    }

    #[test]
    fn the_word_behind_an_option_is_its_value() {
        let args = run(&["--key", "--pass=word", "app.log"]).unwrap();
        assert_eq!(args.key.as_deref(), Some("--pass=word"));
        assert_eq!(args.sources, ["app.log"]);
        assert!(run(&["--host", "--origin=x"]).is_err());
        let args = run(&["--key-file", "-"]).unwrap();
        assert_eq!(args.key_file, Some(PathBuf::from("-")));
        let args = run(&["--key=a=b", "x=y"]).unwrap();
        assert_eq!(args.key.as_deref(), Some("a=b"));
        assert_eq!(args.sources, ["x=y"]);
    }

    #[test]
    fn sizes() {
        for (text, want) in [
            ("1024", Some(1024)),
            ("256K", Some(256 << 10)),
            ("4m", Some(4 << 20)),
            ("64M", Some(64 << 20)),
            ("1", None),
            ("64.5M", None),
            ("99999999999999999999", None),
            ("M", None),
            ("", None),
            ("4MiB", None),
        ] {
            assert_eq!(size(text).ok(), want, "{text:?}");
        }
    }

    #[test]
    fn errors_are_one_line_that_names_the_argument() {
        for (words, name) in [
            (["--nonsense"].as_slice(), "--nonsense"),
            (&["--lines"], "--lines"),
            (&["--lines", "many"], "--lines"),
            (&["--lines=-1"], "--lines"),
            (&["--poll", "5"], "--poll"),
            (&["--poll=0s"], "--poll"),
            (&["--heartbeat=1y"], "--heartbeat"),
            (&["--history=65M"], "--history"),
            (&["--history=K"], "--history"),
            (&["--history=+1K"], "--history"),
            (&["--history=0"], "--history"),
            (&["--max-clients=0"], "--max-clients"),
            (&["--listen", "8080"], "--listen"),
            (&["--as="], "--as"),
            (&["--as=a\nb"], "--as"),
            (&["--listen", "localhost:1"], "--listen"),
            (&["--quiet=yes"], "--quiet"),
            (&["--public=no"], "--public"),
            (&["--host=pi:80"], "--host"),
            (&["--origin=pi.example"], "--origin"),
            (&["--origin=http://pi.example/"], "--origin"),
            (&["--origin=null"], "--origin"),
            (&["--origin=*"], "--origin"),
        ] {
            let error = run(words).unwrap_err();
            assert!(
                error.contains(name) && error.lines().count() == 1,
                "{words:?}: {error}"
            );
        }
    }

    #[test]
    fn standard_input_is_no_option() {
        for words in [&["-"][..], &["--", "-"], &["--quiet", "-"]] {
            assert_eq!(run(words).unwrap().sources, ["-"], "{words:?}");
        }
        let error = run(&["--lines", "-"]).unwrap_err();
        assert!(
            error.contains("--lines") && error.contains("`-`"),
            "{error}"
        );
    }
}
