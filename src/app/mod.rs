//! Tailcast on the server: configuration, shared state, admission, routes, page, metrics.

pub(crate) mod admit;
pub(crate) mod engine;
pub(crate) mod live;
pub(crate) mod page;
pub(crate) mod route;
pub(crate) mod sources;
pub(crate) mod state;

use std::cell::{Cell, RefCell};
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_lite::FutureExt;

use crate::app::state::App;
use crate::auth::Rules;
use crate::deliver::Context;
use crate::engine::Engine;
use crate::engine::hub::{Hub, HubSource};
use crate::engine::status::Status;
use crate::engine::target::Login;
use crate::metrics::Counter;
use crate::server::Server;
use crate::source::detect::SourceKind;
use crate::source::os::inotify::Notices;
use crate::source::remote::Catalog;
use crate::source::{Runtime, Sources};

/// What a server is run with. All of it has been checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Names and origins of what is streamed; the names differ.
    pub sources: Vec<(String, SourceKind)>,
    /// The engine that the streams are handed to.
    pub engine: Option<Engine>,
    /// Who we are at hubs whose streams are sources.
    pub login: Option<Login>,
    /// Lines of history that a stream starts with.
    pub lines: u64,
    /// How often to look at a file that the kernel sends no notice for.
    pub poll: Duration,
    /// How often to read a sample.
    pub sample: Duration,
    /// Samples are read though nobody listens.
    pub record: bool,
    /// How much is kept of each sample and pipe, in bytes.
    pub history: usize,
    /// The period of pings.
    pub heartbeat: Duration,
    /// Connections held at once.
    pub max_clients: usize,
    /// A stream's URL answers plain HTTP with 426.
    pub websocket_only: bool,
    /// Who may come in.
    pub rules: Rules,
    /// Takes what should be said on standard error.
    pub say: fn(&str),
}

/// Serves `config` on a bound `listener`, if on any, until `shutdown` resolves; clients then get
/// their close, and it returns within two seconds.
///
/// # Errors
/// When the listener can't be used. What a client does is never an error here.
pub async fn run(
    listener: Option<TcpListener>,
    config: Config,
    shutdown: impl Future<Output = ()> + 'static,
) -> io::Result<()> {
    let server = Server::new(config.max_clients, config.say);
    let notices = Notices::new();
    let looks = Rc::new(Counter::default());
    let (ends, executor) = (server.shutdown.clone(), server.executor.clone());
    let context = Rc::new(Context::new(config.heartbeat, ends, executor));
    let runtime = Runtime {
        executor: server.executor.clone(),
        notices: notices.clone(),
        serials: Rc::new(Cell::new(1)),
        cache: context.cache.clone(),
        looks: looks.clone(),
        poll: config.poll,
        anyway: config.heartbeat.max(config.poll),
        sample: config.sample,
        // What an engine is to have is read whether or not anybody looks.
        record: config.record || config.engine.is_some(),
        history: config.history,
        started: Instant::now(),
        say: config.say,
    };
    let hub = |url: &str| {
        let source = HubSource::parse(url).ok()?;
        let hub = Hub::start(source, config.login.clone(), &runtime);
        Some(Rc::new(hub) as Rc<dyn Catalog>)
    };
    let sources = Rc::new(Sources::new(config.sources, &runtime, hub));
    let status = config.engine.as_ref().map(|engine| {
        let name = engine.target.to_string();
        Rc::new(Status::new(name, config.say))
    });
    let publishing = config.engine.zip(status.clone()).map(|(engine, status)| {
        let publishing = crate::engine::run(engine, sources.clone(), runtime.clone(), status);
        server.executor.spawn(publishing.boxed_local())
    });
    let app = Rc::new(App {
        sources,
        engine: status,
        lines: config.lines,
        websocket_only: config.websocket_only,
        context: context.clone(),
        rules: config.rules,
        wrong_keys: RefCell::default(),
        say: config.say,
        server: server.clone(),
        looks,
    });
    let mounts = notices.clone();
    let mounting = server
        .executor
        .spawn(async move { mounts.run_mounts().await }.boxed_local());
    let noticing = server
        .executor
        .spawn(async move { notices.run().await }.boxed_local());
    let beats = context.clone();
    let beating = server
        .executor
        .spawn(async move { beats.run_beats().await }.boxed_local());
    let handle = move |exchange| admit::enter(app.clone(), exchange).boxed_local();
    let served = server.run(listener, shutdown, Rc::new(handle)).await;
    drop((mounting, noticing, beating, publishing));
    served
}
