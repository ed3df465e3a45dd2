//! What a SOURCE of the command line turns out to be, once the file system has been means.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::source::buffer::pipe::{Outlet, is_outlet};
use crate::source::buffer::sample::Instrument;
use crate::source::buffer::serial::Serial;
use crate::source::error::SpecError;
use crate::source::file::path::Place;
use crate::source::file::pattern::PathPattern;
use crate::source::glob::Glob;
use crate::source::os::fs::FileSystem;
use crate::source::spec::{Means, Named};

/// What a stream is made of.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A file that grows.
    File(Place),
    /// Something that holds one reading.
    Sample(Instrument),
    /// Something that gives bytes once.
    Pipe(Outlet),
    /// The files that match a pattern, now and later.
    Glob(Glob),
    /// The streams that a URL names elsewhere, and the name that was given for them.
    Remote(String, Option<String>),
}

impl Origin {
    /// The files that it stands for now, also those that are not there yet. Blocks.
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::File(place) | Self::Sample(Instrument::File(place)) => {
                let now = place.now().map(|place| place.path.clone());
                vec![now.unwrap_or_else(|_| place.path.clone())]
            }
            Self::Pipe(Outlet::Path { path, .. }) => vec![path.clone()],
            Self::Pipe(Outlet::Input) | Self::Sample(Instrument::Vitals) | Self::Remote(..) => {
                Vec::new()
            }
            Self::Glob(glob) => {
                let names = glob.matches().names;
                names.iter().map(|name| glob.place(name).path).collect()
            }
        }
    }
}

/// Finds out what was named. A missing file is no error: it is waited for. Blocks.
///
/// # Errors
/// In one sentence, what can't be streamed and why.
pub fn recognise(named: Named) -> Result<(String, Origin), SpecError> {
    let Named {
        name,
        given,
        apart,
        means,
    } = named;
    let origin = match means {
        Means::Vitals => Origin::Sample(Instrument::Vitals),
        Means::Input => Origin::Pipe(Outlet::Input),
        Means::Remote(url) => Origin::Remote(url, given.then(|| name.clone())),
        Means::Newest(path) => match PathPattern::new(&path)? {
            Some(pattern) => Origin::File(Place::newest(path, pattern)),
            None => return Err(SpecError::NoWildcard(path)),
        },
        Means::Sample(path) => {
            if let Some(metadata) = look(&path)? {
                if !metadata.is_file() {
                    return Err(SpecError::NotAReading(path));
                }
                readable(&path)?;
            }
            Origin::Sample(Instrument::File(Place::named(path)))
        }
        Means::Serial(path, serial) => {
            if let Some(metadata) = look(&path)? {
                if !is_outlet(&metadata) {
                    return Err(SpecError::NotSerial(path));
                }
                readable(&path)?;
            }
            Origin::Pipe(Outlet::Path { path, serial })
        }
        Means::Path(path) => match look(&path)? {
            Some(metadata) => there(path, &metadata)?,
            None => missing(path, given.then_some(&name), apart)?,
        },
    };
    Ok((name, origin))
}

/// What stands at `path`; `None` where there is nothing yet.
fn look(path: &Path) -> Result<Option<Metadata>, SpecError> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(SpecError::Directory(path.to_owned())),
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(SpecError::unreadable(path, &error)),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn readable(path: &Path) -> Result<(), SpecError> {
    // Asked, not tried: opening a serial line resets many a board at its other end.
    access(path, Access::READ_OK).map_err(|error| SpecError::unreadable(path, &error.into()))
}

fn there(path: PathBuf, metadata: &Metadata) -> Result<Origin, SpecError> {
    if is_outlet(metadata) {
        readable(&path)?;
        return Ok(Origin::Pipe(Outlet::Path {
            path,
            serial: Serial::default(),
        }));
    }
    if !metadata.is_file() {
        return Err(SpecError::NoStream(path));
    }
    match File::open(&path) {
        Err(error) => Err(SpecError::unreadable(&path, &error)),
        Ok(_) if FileSystem::of_path(&path).holds_readings() => {
            Ok(Origin::Sample(Instrument::File(Place::named(path))))
        }
        Ok(_) => Ok(Origin::File(Place::named(path))),
    }
}

/// What will stand at `path` when it comes, by the place that it will have.
fn missing(
    path: PathBuf,
    given: Option<&String>,
    apart: Option<String>,
) -> Result<Origin, SpecError> {
    if let Some(glob) = Glob::new(&path, given.cloned(), apart)? {
        return Ok(Origin::Glob(glob));
    }
    if FileSystem::of_name(&path).holds_readings() {
        return Ok(Origin::Sample(Instrument::File(Place::named(path))));
    }
    if is_device(&path) {
        return Ok(Origin::Pipe(Outlet::Path {
            path,
            serial: Serial::default(),
        }));
    }
    Ok(Origin::File(Place::named(path)))
}

/// Whether a device is meant, such as a serial adapter that is not plugged in yet.
fn is_device(path: &Path) -> bool {
    path.starts_with("/dev") && !path.starts_with("/dev/shm")
}
