//! What a SOURCE of the command line turns out to be, once the file system has been asked.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::source::buffer::pipe::{PipeSource, is_pipe};
use crate::source::buffer::sample::Instrument;
use crate::source::buffer::serial::Serial;
use crate::source::error::SpecError;
use crate::source::file::path::FilePath;
use crate::source::file::pattern::PathPattern;
use crate::source::glob::Glob;
use crate::source::os::fs::FileSystem;
use crate::source::spec::{Spec, SpecKind};

/// What a stream is made of.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// A file that grows.
    File(FilePath),
    /// Something that holds one reading.
    Sample(Instrument),
    /// Something that gives bytes once.
    Pipe(PipeSource),
    /// The files that match a pattern, now and later.
    Glob(Glob),
    /// The streams that a URL names elsewhere, and the name that was given for them.
    Remote(String, Option<String>),
}

impl SourceKind {
    /// The files that it stands for now, also those that are not there yet. Blocks.
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::File(place) | Self::Sample(Instrument::File(place)) => {
                let now = place.now().map(|place| place.path.clone());
                vec![now.unwrap_or_else(|_| place.path.clone())]
            }
            Self::Pipe(PipeSource::Path { path, .. }) => vec![path.clone()],
            Self::Pipe(PipeSource::Input) | Self::Sample(Instrument::Vitals) | Self::Remote(..) => {
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
pub fn recognise(named: Spec) -> Result<(String, SourceKind), SpecError> {
    let Spec {
        name,
        given,
        apart,
        kind,
    } = named;
    let origin = match kind {
        SpecKind::Vitals => SourceKind::Sample(Instrument::Vitals),
        SpecKind::Input => SourceKind::Pipe(PipeSource::Input),
        SpecKind::Remote(url) => SourceKind::Remote(url, given.then(|| name.clone())),
        SpecKind::Newest(path) => match PathPattern::new(&path)? {
            Some(pattern) => SourceKind::File(FilePath::newest(path, pattern)),
            None => return Err(SpecError::NoWildcard(path)),
        },
        SpecKind::Sample(path) => {
            if let Some(metadata) = look(&path)? {
                if !metadata.is_file() {
                    return Err(SpecError::NotAReading(path));
                }
                readable(&path)?;
            }
            SourceKind::Sample(Instrument::File(FilePath::named(path)))
        }
        SpecKind::Serial(path, serial) => {
            if let Some(metadata) = look(&path)? {
                if !is_pipe(&metadata) {
                    return Err(SpecError::NotSerial(path));
                }
                readable(&path)?;
            }
            SourceKind::Pipe(PipeSource::Path { path, serial })
        }
        SpecKind::Path(path) => match look(&path)? {
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

fn there(path: PathBuf, metadata: &Metadata) -> Result<SourceKind, SpecError> {
    if is_pipe(metadata) {
        readable(&path)?;
        return Ok(SourceKind::Pipe(PipeSource::Path {
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
            Ok(SourceKind::Sample(Instrument::File(FilePath::named(path))))
        }
        Ok(_) => Ok(SourceKind::File(FilePath::named(path))),
    }
}

/// What will stand at `path` when it comes, by the place that it will have.
fn missing(
    path: PathBuf,
    given: Option<&String>,
    apart: Option<String>,
) -> Result<SourceKind, SpecError> {
    if let Some(glob) = Glob::new(&path, given.cloned(), apart)? {
        return Ok(SourceKind::Glob(glob));
    }
    if FileSystem::of_name(&path).holds_readings() {
        return Ok(SourceKind::Sample(Instrument::File(FilePath::named(path))));
    }
    if is_device(&path) {
        return Ok(SourceKind::Pipe(PipeSource::Path {
            path,
            serial: Serial::default(),
        }));
    }
    Ok(SourceKind::File(FilePath::named(path)))
}

/// Whether a device is meant, such as a serial adapter that is not plugged in yet.
fn is_device(path: &Path) -> bool {
    path.starts_with("/dev") && !path.starts_with("/dev/shm")
}
