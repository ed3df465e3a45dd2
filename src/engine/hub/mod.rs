//! A hub: subjects of NATS as streams that are read like files. Any number of Tailcasts may be hubs
//! of the same subjects; none keeps anything that another does not know.

pub(crate) mod cache;
pub(crate) mod link;
pub(crate) mod message;
mod pattern;
pub(crate) mod reader;
pub(crate) mod search;
pub(crate) mod subject;

pub use pattern::HubSource;

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_lite::{FutureExt, future};
use smol::{Task, Timer};

use crate::bytes::cursor::{Cursor, From};
use crate::engine::backoff::Backoff;
use crate::engine::hub::link::Link;
use crate::engine::hub::reader::HubReader;
use crate::engine::hub::subject::Subject;
use crate::engine::nats::client::Client;
use crate::engine::nats::failure::Failure;
use crate::engine::nats::jetstream;
use crate::engine::nats::members::Members;
use crate::engine::nats::subject::is_match;
use crate::engine::status::{State, Status};
use crate::engine::target::Login;
use crate::source::remote::{Catalog, Fetched, RemoteReader, Standing, Stream};
use crate::source::{Extent, Runtime};

/// What a hub is called in inboxes, and so in the permissions of its user.
const NAME: &str = "hub";

/// How often it is asked where the subjects end that somebody looks at: a message of a cluster may
/// get lost on its way to us, without a word.
const ANYWAY: Duration = Duration::from_secs(20);

/// The same after a subscription, which other servers of a cluster hear of a moment later.
const SETTLED: Duration = Duration::from_secs(1);

/// How soon it is asked again for a message that came live and is not in the stream yet, and how
/// often.
const STORED: Duration = Duration::from_millis(20);
const STORED_TRIES: u32 = 20;

/// How often it is asked where a subject ends that is said to end before where it was.
const BACK_STEP: Duration = Duration::from_millis(200);

/// How often at most it is looked which subjects there are.
const LOOK_TIME: Duration = Duration::from_secs(1);

/// How long a visitor waits for a hub that is slow to say which subjects there are.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// The most subjects that one SOURCE offers, as of a glob.
const SUBJECTS_MAX: usize = 1000;

/// The streams of one SOURCE at a hub.
pub(crate) struct Hub {
    source: HubSource,
    login: Option<Login>,
    link: Rc<Link>,
    /// Sorted by name.
    subjects: RefCell<Vec<Rc<Subject>>>,
    looked: Cell<Option<Instant>>,
    /// The last sequence of the whole stream at the last look.
    sequence: Cell<u64>,
    said: Cell<bool>,
}

/// A hub that is kept in touch with; the handle's end is the end of that.
pub(crate) struct Kept {
    hub: Rc<Hub>,
    _keeping: Task<()>,
}

impl Hub {
    /// Begins to keep in touch.
    pub(crate) fn start(source: HubSource, login: Option<Login>, runtime: &Runtime) -> Kept {
        let status = Rc::new(Status::new(source.target.to_string(), runtime.say));
        let link = Rc::new(Link::new(runtime.clone(), status));
        let hub = Rc::new(Self {
            source,
            login,
            link,
            subjects: RefCell::default(),
            looked: Cell::new(None),
            sequence: Cell::new(0),
            said: Cell::new(false),
        });
        if !hub.source.is_wild() {
            hub.add(&hub.source.pattern);
        }
        let keeping = hub.clone().keep().boxed_local();
        Kept {
            _keeping: runtime.executor.spawn(keeping),
            hub,
        }
    }

    fn add(&self, name: &str) {
        let mut subjects = self.subjects.borrow_mut();
        if let Err(at) = subjects.binary_search_by(|subject| subject.name.as_str().cmp(name)) {
            subjects.insert(at, Subject::new(name.to_owned(), self.link.clone()));
        }
    }

    fn list(&self) -> Vec<Rc<Subject>> {
        self.subjects.borrow().clone()
    }

    async fn keep(self: Rc<Self>) {
        let mut backoff = Backoff::default();
        let members = Rc::new(Members::new(self.source.target.clone()));
        loop {
            let connected = Client::connect(&members, self.login.as_ref(), NAME);
            let connected = connected.boxed_local().await;
            let failure = match connected {
                Ok(client) => {
                    let attending = async {
                        if let Err(failure) = jetstream::check(&client).await {
                            return failure;
                        }
                        self.link.status.here(&client.server);
                        self.link.set_client(Some(client.clone()));
                        backoff.reset();
                        self.attend(&client).await
                    };
                    future::or(client.run(), attending).await
                }
                Err(failure) => failure,
            };
            for subject in self.list() {
                subject.sid.set(None);
                subject.fresh.set(false);
            }
            self.link.status.away(&failure.sentence());
            self.link.set_client(None);
            Timer::after(backoff.wait()).await;
        }
    }

    /// Subscribes for those who listen, and asks where it is doubtful what there is.
    async fn attend(&self, client: &Client) -> Failure {
        let mut work = self.link.work.listen();
        loop {
            let mut wait = ANYWAY;
            for subject in self.list() {
                match self.attend_to(&subject, client).await {
                    Ok(again) => wait = wait.min(again),
                    Err(Failure::Refused(cause)) => {
                        self.link.status.trouble(&subject.name, Some(cause));
                    }
                    Err(failure) => return failure,
                }
            }
            self.link.came.ring();
            let news = async {
                work.rung().await;
                false
            };
            let late = async {
                Timer::after(wait).await;
                true
            };
            if future::or(news, late).await {
                for subject in self.list() {
                    subject.doubtful.set(subject.sid.get().is_some());
                }
            }
        }
    }

    /// Returns how long it may be left alone.
    async fn attend_to(&self, subject: &Rc<Subject>, client: &Client) -> Result<Duration, Failure> {
        let mut again = ANYWAY;
        match subject.sid.get() {
            None if subject.listeners() > 0 => {
                // Before it is asked where it ends, so that nothing comes in between.
                let sid = client.subscribe(&subject.name, subject.hearer()).await?;
                subject.sid.set(Some(sid));
                subject.doubtful.set(true);
                again = SETTLED;
            }
            Some(sid) if subject.listeners() == 0 => {
                subject.sid.set(None);
                subject.fresh.set(false);
                subject.doubtful.set(false);
                client.unsubscribe(sid).await?;
            }
            _ => {}
        }
        if subject.doubtful.get() {
            subject.refresh(client).await?;
            subject.fresh.set(subject.sid.get().is_some());
            self.link.status.trouble(&subject.name, None);
            if subject.is_back() {
                again = again.min(BACK_STEP);
                subject.doubtful.set(true);
            }
            if subject.expected.get() > subject.end() {
                // It will be there in a moment, or never.
                let tries = subject.tries.get() + 1;
                subject.tries.set(tries);
                match tries < STORED_TRIES {
                    true => again = again.min(STORED * tries),
                    false => subject.expected.set(0),
                }
            }
        }
        Ok(again)
    }

    /// Looks which subjects there are, and where they end.
    async fn look(&self) {
        let is_new = |at: Instant| at.elapsed() < LOOK_TIME;
        if self.looked.get().is_some_and(is_new) {
            return;
        }
        let Some(client) = self.link.client() else {
            return;
        };
        self.looked.set(Some(Instant::now()));
        let Ok((sequence, mut names)) = jetstream::subjects(&client, &self.source.pattern).await
        else {
            return;
        };
        if sequence == self.sequence.get() {
            return;
        }
        names.retain(|name| is_match(&self.source.pattern, name));
        names.sort();
        if names.len() > SUBJECTS_MAX && !self.said.replace(true) {
            (self.link.runtime.say)(&format!(
                "`{}` matches more than {SUBJECTS_MAX} subjects; the first {SUBJECTS_MAX} by name are offered",
                self.source.pattern
            ));
        }
        names.truncate(SUBJECTS_MAX);
        if self.source.is_wild() {
            names.iter().for_each(|name| self.add(name));
            self.subjects.borrow_mut().retain(|subject| {
                subject.listeners() > 0 || names.binary_search(&subject.name).is_ok()
            });
        }
        for subject in self.list() {
            if !subject.fresh.get() && subject.refresh(&client).await.is_err() {
                return;
            }
        }
        // What is doubted is asked for once more.
        if !self.list().iter().any(|subject| subject.is_back()) {
            self.sequence.set(sequence);
        }
    }
}

impl Catalog for Kept {
    fn streams(&self) -> Vec<(String, Rc<dyn Stream>)> {
        let subjects = self.hub.list().into_iter();
        let named = subjects.map(|subject| {
            let title = self.hub.source.title(&subject.name);
            (title, subject as Rc<dyn Stream>)
        });
        named.collect()
    }

    fn refresh(&self) -> Fetched<'_, ()> {
        // A visitor waits for it.
        let late = async { _ = Timer::after(ANSWER_TIME).await };
        self.hub.look().or(late).boxed_local()
    }

    fn is_private(&self) -> bool {
        self.hub.login.is_some()
    }
}

impl Stream for Subject {
    fn open(self: Rc<Self>, from: From) -> Fetched<'static, io::Result<Box<dyn RemoteReader>>> {
        async move {
            let reader = HubReader::open(&self, from).await?;
            Ok(Box::new(reader) as Box<dyn RemoteReader>)
        }
        .boxed_local()
    }

    fn extent(&self) -> Extent {
        let tail = self.tail();
        Extent {
            size: tail.as_ref().map(|tail| tail.end),
            missing: self.missing(),
            modified: tail.map(|tail| tail.time),
            watch: "subscription",
        }
    }

    fn id(&self) -> u64 {
        self.id
    }

    fn standing(&self) -> Standing {
        let status = &self.link.status;
        let (state, since) = status.state();
        let trouble = status
            .progress(&self.name)
            .and_then(|progress| progress.trouble);
        let (is_here, cause) = match state {
            State::New => (None, None),
            State::Here => (Some(true), trouble),
            State::Away(cause) => (Some(false), Some(cause)),
        };
        Standing {
            url: status.name.clone(),
            is_here,
            since,
            cause,
        }
    }

    fn clients(&self) -> usize {
        self.listeners()
    }

    fn bounds(self: Rc<Self>) -> Fetched<'static, io::Result<(u64, u64)>> {
        async move { Self::bounds(&self).await }.boxed_local()
    }

    fn read(self: Rc<Self>, offset: u64, length: usize) -> Fetched<'static, io::Result<Vec<u8>>> {
        async move { Self::read(&self, offset, length).await }.boxed_local()
    }

    fn cursor(self: Rc<Self>, offset: u64) -> Fetched<'static, io::Result<Cursor>> {
        async move { Self::cursor(&self, offset).await }.boxed_local()
    }
}
