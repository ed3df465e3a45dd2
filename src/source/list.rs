//! All streams of the command line, with those that globs find.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use crate::bytes::cursor::Cursor;
use crate::source::buffer::sample::Instrument;
use crate::source::detect::SourceKind;
use crate::source::file::path::{FilePath, Privacy};
use crate::source::glob::{FILES_MAX, Glob, Matches};
use crate::source::name::Taken;
use crate::source::os::bulkhead::{ANSWER_TIME, Bulkhead, FIRST_ANSWER_TIME};
use crate::source::remote::{Catalog, Stream};
use crate::source::{Runtime, Source};

/// How long a stream of a glob is still offered after its file has gone and its last viewer has
/// left: over a rotation that has not made the new file yet, and a viewer's way back to it.
const GONE_TIME: Duration = Duration::from_secs(60);

/// How often a glob is looked at, at most, where its directory has not changed: each look reads
/// that, and opens what is in it.
const REFRESH_TIME: Duration = Duration::from_secs(1);

/// More than one tick of the kernel's clock, by which directories have their times (100 Hz at the
/// least).
const TICK: Duration = Duration::from_millis(20);

/// All streams, in the order of the command line.
pub struct Sources {
    groups: Vec<Group>,
    runtime: Runtime,
    /// It was said that a glob matches more than is offered.
    said: Cell<bool>,
    privacy: Bulkhead,
    /// What was found last of the files' privacy.
    private: Cell<Option<bool>>,
}

/// A look at what a glob stands for.
#[derive(Clone, Copy)]
struct Look {
    at: Instant,
    /// When its directory had changed last; `None`: too short a time before to tell.
    changed: Option<SystemTime>,
}

/// Looks what `glob` stands for: `None` where that was found just now, and nothing has come or gone
/// since. Blocks.
fn look(glob: &Glob, last: Option<Look>) -> (Look, Option<Matches>) {
    let now = SystemTime::now();
    // Within one tick of the file system's clock something may still come.
    let is_past = |changed: &SystemTime| now.duration_since(*changed).is_ok_and(|age| age > TICK);
    let changed = glob.changed().filter(is_past);
    match last {
        Some(last)
            if last.at.elapsed() < REFRESH_TIME && changed.is_some() && last.changed == changed =>
        {
            (last, None)
        }
        _ => {
            let at = Instant::now();
            (Look { at, changed }, Some(glob.matches()))
        }
    }
}
/// A stream that lies elsewhere, and what it is here.
type Remote = (Rc<dyn Stream>, Rc<Source>);

/// What one SOURCE stands for.
enum Group {
    One(Rc<Source>),
    Many(Glob, Bulkhead, Cell<Option<Look>>, RefCell<Vec<Found>>),
    /// Those of a catalog, and the name that was given for them.
    Elsewhere(Rc<dyn Catalog>, Option<String>, RefCell<Vec<Remote>>),
}

/// A file that a glob has found; they are kept in the order of their names.
struct Found {
    name: OsString,
    source: Rc<Source>,
    /// Since when it is not found any more.
    gone: Option<Instant>,
}

impl Sources {
    /// The streams of these names and origins; the names differ.
    ///
    /// What lies elsewhere is reached by `connect`, which gets the URL; one that it does not know
    /// is left out.
    pub fn new(
        named: Vec<(String, SourceKind)>,
        runtime: &Runtime,
        connect: impl Fn(&str) -> Option<Rc<dyn Catalog>>,
    ) -> Self {
        let group = |(name, origin)| {
            Some(match origin {
                SourceKind::File(place) => Group::One(Rc::new(Source::file(name, place, runtime))),
                SourceKind::Sample(it) => Group::One(Rc::new(Source::sample(name, it, runtime))),
                SourceKind::Pipe(outlet) => {
                    Group::One(Rc::new(Source::pipe(name, outlet, runtime)))
                }
                SourceKind::Glob(glob) => Group::Many(
                    glob,
                    Bulkhead::default(),
                    Cell::default(),
                    RefCell::default(),
                ),
                SourceKind::Remote(url, given) => {
                    Group::Elsewhere(connect(&url)?, given, RefCell::default())
                }
            })
        };
        let sources = Self {
            groups: named.into_iter().filter_map(group).collect(),
            runtime: runtime.clone(),
            said: Cell::new(false),
            privacy: Bulkhead::default(),
            private: Cell::new(None),
        };
        sources.update_elsewhere();
        sources
    }

    /// Takes over what the catalogs have.
    fn update_elsewhere(&self) {
        for group in &self.groups {
            let Group::Elsewhere(catalog, given, known) = group else {
                continue;
            };
            let streams = catalog.streams();
            let is_alone = streams.len() == 1;
            known
                .borrow_mut()
                .retain(|(known, _)| streams.iter().any(|(_, stream)| Rc::ptr_eq(known, stream)));
            for (title, stream) in streams {
                if known
                    .borrow()
                    .iter()
                    .any(|(known, _)| Rc::ptr_eq(known, &stream))
                {
                    continue;
                }
                let title = match given {
                    Some(given) if is_alone => given.clone(),
                    Some(given) => format!("{given}/{title}"),
                    None => title,
                };
                let mut taken = self.names();
                let source = Source::remote(taken.unused(title), stream.clone());
                known.borrow_mut().push((stream, Rc::new(source)));
            }
            known
                .borrow_mut()
                .sort_by(|one, other| one.1.name.cmp(&other.1.name));
        }
    }

    fn names(&self) -> Taken {
        let list = self.list();
        list.iter().map(|source| source.name.clone()).collect()
    }

    /// The one that was written last; where none has been yet, the first. Who comes back with a
    /// `cursor` gets the one that it is of.
    pub async fn newest(&self, cursor: Option<Cursor>) -> Option<Rc<Source>> {
        let list = self.list();
        if let [one] = &*list {
            return Some(one.clone());
        }
        let mut newest: Option<(Option<SystemTime>, &Rc<Source>)> = None;
        for source in &list {
            if let Some(cursor) = cursor {
                let generations = source.generations().await;
                if generations.iter().any(|one| one.inode == cursor.inode) {
                    return Some(source.clone());
                }
            }
            let modified = source.extent().await.modified;
            if newest.is_none_or(|(before, _)| modified > before) {
                newest = Some((modified, source));
            }
        }
        newest.map(|(_, source)| source.clone())
    }

    /// The one of this name.
    pub fn find(&self, name: &str) -> Option<Rc<Source>> {
        self.list().into_iter().find(|source| source.name == name)
    }

    /// All of them now; files of one glob by name.
    pub fn list(&self) -> Vec<Rc<Source>> {
        let mut list = Vec::new();
        for group in &self.groups {
            match group {
                Group::One(source) => list.push(source.clone()),
                Group::Many(.., found) => {
                    list.extend(found.borrow().iter().map(|found| found.source.clone()));
                }
                Group::Elsewhere(.., known) => {
                    list.extend(known.borrow().iter().map(|known| known.1.clone()));
                }
            }
        }
        list
    }

    /// Whether no others will come.
    pub(crate) fn is_fixed(&self) -> bool {
        let is_one = |group: &Group| matches!(group, Group::One(_));
        self.groups.iter().all(is_one)
    }

    /// Whether one of them is not for everybody on this machine. What is not there yet is nobody's
    /// secret. Where a file system hangs, what it said last counts.
    pub async fn any_private(&self) -> bool {
        let list = self.list();
        let places = list.iter().filter_map(|source| source.place.clone());
        let places: Vec<FilePath> = places.collect();
        // What was open before is not closed by a log that logrotate is making now: every viewer
        // would be asked for the key.
        let (least, time) = match self.private.get() {
            Some(false) => (Privacy::Private, ANSWER_TIME),
            Some(true) => (Privacy::BeingMade, ANSWER_TIME),
            None => (Privacy::BeingMade, FIRST_ANSWER_TIME),
        };
        let answer = self.privacy.ask(time, move || {
            places.iter().any(|place| place.privacy() >= least)
        });
        let is_elsewhere =
            |group: &Group| matches!(group, Group::Elsewhere(catalog, ..) if catalog.is_private());
        let elsewhere = self.groups.iter().any(is_elsewhere);
        if let Some(private) = answer.await {
            self.private.set(Some(private || elsewhere));
        }
        // Before anything was found, the careful answer.
        self.private.get().unwrap_or(true)
    }

    /// Looks what the globs stand for now. They are not watched: a look when somebody asks is
    /// enough, and nothing runs while nobody does.
    pub async fn refresh(&self) {
        for group in &self.groups {
            if let Group::Elsewhere(catalog, ..) = group {
                catalog.refresh().await;
                self.update_elsewhere();
            }
            if let Group::Many(glob, bulkhead, last, found) = group {
                let (looking, last_look) = (glob.clone(), last.get());
                let look = move || look(&looking, last_look);
                if let Some((look, matches)) = bulkhead.ask(ANSWER_TIME, look).await {
                    last.set(Some(look));
                    if let Some(matches) = matches {
                        self.update(glob, found, matches);
                    }
                }
            }
        }
    }

    fn update(&self, glob: &Glob, found: &RefCell<Vec<Found>>, matches: Matches) {
        if matches.more && !self.said.replace(true) {
            (self.runtime.say)(&format!(
                "`{glob}` matches more than {FILES_MAX} files; the first {FILES_MAX} by name are offered"
            ));
        }
        found.borrow_mut().retain_mut(|known| {
            let is_there = matches.names.binary_search(&known.name).is_ok();
            let since = known.gone.unwrap_or_else(Instant::now);
            known.gone = (!is_there).then_some(since);
            is_there || since.elapsed() < GONE_TIME || known.source.clients() > 0
        });
        let mut taken = self.names();
        for name in matches.names {
            let place = |known: &Found| known.name.cmp(&name);
            let Err(at) = found.borrow().binary_search_by(place) else {
                continue;
            };
            let title = taken.unused(glob.title(&name));
            let place = glob.place(&name);
            let source = Rc::new(if matches.readings {
                Source::sample(title, Instrument::File(place), &self.runtime)
            } else {
                Source::file(title, place, &self.runtime)
            });
            // Until it has been looked at.
            self.private.set(None);
            let new = Found {
                name,
                source,
                gone: None,
            };
            found.borrow_mut().insert(at, new);
        }
    }
}
