//! The command: arguments, listener, banner, run, exit status. The only place that prints or exits.
#![allow(clippy::print_stdout, clippy::print_stderr)]
// A unit test that can't unwrap has failed, and says where.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod cli;

use std::io::{IsTerminal, Write};
use std::net::TcpListener;
use std::process::ExitCode;

use crate::cli::args::{Args, Asked};
use crate::cli::error::Error;
use crate::cli::links::Links;
use crate::cli::user::Account;
use crate::cli::{args, banner, descriptors, engine, error, key, listen, qr, sandbox};
use async_signal::{Signal, Signals};
use futures_lite::StreamExt;
use rustix::thread::disable_transparent_huge_pages;
use tailcast::auth::key::Key;
use tailcast::engine::Engine;
use tailcast::engine::target::Login;
use tailcast::source::detect::SourceKind;
use tailcast::source::{detect, spec};

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
    let words = args::words(std::env::args_os().skip(1))?;
    match args::parse(&words)? {
        Asked::Run(args) => begin(*args),
        Asked::Print(text) => {
            print(&text);
            Ok(())
        }
    }
}

/// Opens what takes rights, gives the rights up, and runs. No thread may have been made before.
fn begin(mut args: Args) -> Result<(), Error> {
    // Where the kernel gives everybody huge pages, one of 2 MiB is more than all that is needed
    // here.
    let _ = disable_transparent_huge_pages(true);
    let descriptors = descriptors::raise();
    let key = key::key(&args, std::env::var_os(key::VARIABLE))?;
    let account = args.user.as_deref().map(Account::find).transpose()?;
    let login = engine::login(&args, std::env::var_os(engine::VARIABLE))?;
    let engine = engine::engine(&args, login.clone())?;
    let named = spec::sources(&args.sources)?;
    let sources = named.into_iter().map(detect::recognise);
    let sources = sources.collect::<Result<Vec<_>, _>>()?;
    let listener = listen::listen(args.listen)?;
    let files: Vec<_> = sources.iter().flat_map(|source| source.1.files()).collect();
    let mut targets = engine::hubs(sources.iter().map(|source| &source.1))?;
    targets.extend(engine.iter().map(|engine| engine.target.clone()));
    let confinement = sandbox::confine(sources.iter().map(|source| &source.1), &targets);
    if let Some(account) = account {
        account.assume()?.give_up(&files, confinement.holds())?;
    }
    if args.verbose {
        eprintln!("tailcast: {}", banner::rights(&confinement));
    }
    let connections = descriptors::connections(args.max_clients, descriptors, sources.len());
    if connections < args.max_clients {
        let wanted = args.max_clients;
        eprintln!(
            "tailcast: `--max-clients {wanted}` is more than {descriptors} file descriptors leave room for; \
             {connections} are served at once (`ulimit -n`, `LimitNOFILE=`)"
        );
        args.max_clients = connections;
    }
    smol::block_on(run(args, key, sources, (engine, login), listener))
}

async fn run(
    args: Args,
    key: Option<Key>,
    sources: Vec<(String, SourceKind)>,
    (engine, login): (Option<Engine>, Option<Login>),
    listener: Option<TcpListener>,
) -> Result<(), Error> {
    // Before the banner: who has read it may send a signal.
    let mut signals = Signals::new([Signal::Int, Signal::Term])
        .map_err(|error| Error::refused(format!("cannot wait for signals: {error}")))?;
    let bound = listener.as_ref().map(TcpListener::local_addr).transpose();
    let bound = bound.map_err(|error| error::no_name(&error))?;
    if !args.quiet {
        let links = bound.map(|bound| Links::new(bound, key.as_ref()));
        print(&banner::banner(
            &sources,
            args.sample,
            engine.as_ref(),
            links.as_ref(),
        ));
        let link = links.as_ref().and_then(Links::lan);
        if std::io::stdout().is_terminal() {
            print(&link.and_then(qr::draw).unwrap_or_default());
        }
    }
    let config = args.checked(key, sources, engine, login, |text| {
        eprintln!("tailcast: {text}")
    });
    let shutdown = async move { _ = signals.next().await };
    tailcast::run(listener, config, shutdown)
        .await
        .map_err(|error| error::cannot_run(bound, &error))
}

/// A closed standard output (`tailcast ... | head -1`) is no reason to end.
fn print(text: &str) {
    let mut output = std::io::stdout().lock();
    let _ = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}
