//! The command: arguments, listener, banner, run, exit status. The only place that prints or exits.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{IsTerminal, Write};
use std::net::TcpListener;
use std::process::ExitCode;

use async_signal::{Signal, Signals};
use futures_lite::StreamExt;
use rustix::thread::disable_transparent_huge_pages;
use tailcast::account::Account;
use tailcast::config::{self, Args, Asked};
use tailcast::gate::key::Key;
use tailcast::links::Links;
use tailcast::report::{self, Error};
use tailcast::source::named;
use tailcast::source::origin::{self, Origin};
use tailcast::{confine, listen, qr, secret, server};

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.status)
        }
    }
}

fn start() -> Result<(), Error> {
    let arguments = config::words(std::env::args_os().skip(1))?;
    match config::parse(&arguments)? {
        Asked::Run(args) => begin(*args),
        Asked::Print(text) => {
            print(&text);
            Ok(())
        }
    }
}

/// Opens what takes rights, gives the rights up, and runs. No thread may have been made before.
fn begin(args: Args) -> Result<(), Error> {
    // Where the kernel gives everybody huge pages, one of 2 MiB is more than all that is needed here.
    let _ = disable_transparent_huge_pages(true);
    let key = secret::key(&args, std::env::var_os(secret::VARIABLE))?;
    let account = args.user.as_deref().map(Account::find).transpose()?;
    let named = named::sources(&args.sources)?;
    let sources = named.into_iter().map(origin::recognise);
    let sources = sources.collect::<Result<Vec<_>, Error>>()?;
    let listener = listen::listen(args.listen)?;
    let files: Vec<_> = sources.iter().flat_map(|source| source.1.files()).collect();
    let confinement = confine::confine(sources.iter().map(|source| &source.1));
    if let Some(account) = account {
        account.assume()?.give_up(&files, confinement.holds())?;
    }
    if args.verbose {
        eprintln!("tailcast: {}", report::rights(&confinement));
    }
    smol::block_on(run(args, key, sources, listener))
}

async fn run(
    args: Args,
    key: Option<Key>,
    sources: Vec<(String, Origin)>,
    listener: TcpListener,
) -> Result<(), Error> {
    // Before the banner: who has read it may send a signal.
    let mut signals = Signals::new([Signal::Int, Signal::Term])
        .map_err(|error| Error::refused(format!("cannot wait for signals: {error}")))?;
    let bound = listener
        .local_addr()
        .map_err(|error| report::no_name(&error))?;
    if !args.quiet {
        let links = Links::new(bound, key.as_ref());
        print(&report::banner(&sources, args.sample, &links));
        if std::io::stdout().is_terminal() {
            print(&links.lan().and_then(qr::draw).unwrap_or_default());
        }
    }
    let config = args.checked(key, sources, |text| eprintln!("tailcast: {text}"));
    let shutdown = async move { _ = signals.next().await };
    server::run(listener, config, shutdown)
        .await
        .map_err(|error| report::cannot_listen(bound, &error))
}

/// A closed standard output (`tailcast ... | head -1`) is no reason to end.
fn print(text: &str) {
    let mut output = std::io::stdout().lock();
    let _ = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}
