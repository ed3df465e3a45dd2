//! NATS with JetStream: streams go to the subjects `tailcast.BOARD.NAME` of the stream `TAILCAST`.

pub(crate) mod client;
pub(crate) mod dial;
pub(crate) mod failure;
pub(crate) mod jetstream;
pub(crate) mod members;
pub mod protocol;
pub(crate) mod publish;
pub(crate) mod say;
pub mod subject;

use std::rc::Rc;
use std::time::Duration;

use futures_lite::{FutureExt, future};
use smol::lock::Semaphore;
use smol::{Task, Timer};

use crate::engine::Engine;
use crate::engine::backoff::Backoff;
use crate::engine::nats::client::Client;
use crate::engine::nats::failure::Failure;
use crate::engine::nats::members::Members;
use crate::engine::nats::publish::{Publisher, idle_time};
use crate::engine::status::Status;
use crate::source::{Runtime, Source, Sources};

/// Batches on their way at once, of all streams of a board: what it costs in memory is this many
/// times 256 KiB.
const BATCHES_MAX: usize = 4;

/// How often it is looked what globs stand for, where there are any.
const LOOK_TIME: Duration = Duration::from_secs(5);

/// Publishes all streams of `sources` for ever.
pub(crate) async fn run(
    engine: Engine,
    sources: Rc<Sources>,
    runtime: Runtime,
    status: Rc<Status>,
) {
    let mut backoff = Backoff::default();
    let members = Rc::new(Members::new(engine.target.clone()));
    loop {
        let connected = Client::connect(&members, engine.login.as_ref(), &engine.board);
        let connected = connected.boxed_local().await;
        let failure = match connected {
            Ok(client) => {
                let before = status.messages.get();
                let failure = connection(client, &engine, &sources, &runtime, &status).await;
                if status.messages.get() > before {
                    backoff.reset();
                }
                failure
            }
            Err(failure) => failure,
        };
        status.away(&failure.sentence());
        Timer::after(backoff.wait()).await;
    }
}

/// One connection to its end.
async fn connection(
    client: Rc<Client>,
    engine: &Engine,
    sources: &Sources,
    runtime: &Runtime,
    status: &Rc<Status>,
) -> Failure {
    let permits = Rc::new(Semaphore::new(BATCHES_MAX));
    let publishing = async {
        let idle = match jetstream::check(&client).await {
            Ok(max_age) => idle_time(max_age),
            Err(failure) => return failure,
        };
        status.here(&client.server);
        // Dropped with the connection.
        let mut tasks: Vec<(Rc<Source>, Task<()>)> = Vec::new();
        loop {
            sources.refresh().await;
            let mut list = sources.list();
            // What lies elsewhere is there already.
            list.retain(|source| source.standing().is_none());
            let is_one = |source: &Rc<Source>| list.iter().any(|other| Rc::ptr_eq(source, other));
            tasks.retain(|(source, _)| {
                let stays = is_one(source);
                if !stays {
                    status.forget(&source.name);
                }
                stays
            });
            for source in &list {
                if tasks.iter().any(|(other, _)| Rc::ptr_eq(source, other)) {
                    continue;
                }
                let publisher = Publisher {
                    source: source.clone(),
                    subject: jetstream::subject(&engine.board, &source.name),
                    client: client.clone(),
                    idle,
                    permits: permits.clone(),
                    runtime: runtime.clone(),
                    status: status.clone(),
                };
                let task = runtime.executor.spawn(publisher.run().boxed_local());
                tasks.push((source.clone(), task));
            }
            if sources.is_fixed() {
                future::pending::<()>().await;
            }
            Timer::after(LOOK_TIME).await;
        }
    };
    future::or(client.run(), publishing).await
}
