//! The engine that `--to`, `--as` and `--credentials` mean.

use std::ffi::OsString;

use tailcast::engine::Engine;
use tailcast::engine::hub::HubSource;
use tailcast::engine::target::{Login, Target};
use tailcast::source::detect::SourceKind;

use crate::cli::args::{Args, Listen};
use crate::cli::error::Error;
use crate::cli::key::read_secret;

/// The environment's name for what stands in the file of `--credentials`.
pub(crate) const VARIABLE: &str = "TAILCAST_CREDENTIALS";

/// The longest credentials, in bytes: tokens are long ones, but not that long.
const CREDENTIALS_MAX: usize = 4096;

/// Who we are to engines, by a file or by the `environment`.
///
/// # Errors
/// Where the file can't be read or is not secret, or neither holds what it should.
pub(crate) fn login(args: &Args, environment: Option<OsString>) -> Result<Option<Login>, Error> {
    let (place, text) = match (&args.credentials, environment) {
        (Some(path), _) => (
            format!("the credentials file `{}`", path.display()),
            read_secret("credentials file", path, CREDENTIALS_MAX)?,
        ),
        (None, Some(text)) => {
            let text = text.into_string();
            let text = text.map_err(|_| Error::usage(format!("`{VARIABLE}` is not UTF-8")))?;
            (format!("`{VARIABLE}`"), text)
        }
        (None, None) => return Ok(None),
    };
    let login = Login::parse(&text);
    login
        .map(Some)
        .map_err(|wrong| Error::usage(format!("{place} {wrong}")))
}

/// The engine that the streams go to, if to any.
///
/// # Errors
/// Where one of the options needs another one.
pub(crate) fn engine(args: &Args, login: Option<Login>) -> Result<Option<Engine>, Error> {
    let usage = |text: &str| Err(Error::usage(text.to_owned()));
    match (&args.to, &args.board) {
        (Some(url), Some(board)) => Ok(Some(Engine {
            target: target(url)?,
            board: board.clone(),
            login,
        })),
        (Some(_), None) => usage(
            "`--to` needs `--as NAME`: what this board is called there, unlike every other board",
        ),
        (None, Some(_)) => usage("`--as` names this board to an engine; `--to URL` says which"),
        (None, None) if args.listen == Listen::Nowhere => {
            usage("`--listen none` serves nobody; it is for `--to URL`")
        }
        (None, None) => Ok(None),
    }
}

/// The hubs whose streams are among `sources`.
///
/// # Errors
/// Where a URL names no subject of a hub.
pub(crate) fn hubs<'a>(
    sources: impl IntoIterator<Item = &'a SourceKind>,
) -> Result<Vec<Target>, Error> {
    let urls = sources.into_iter().filter_map(|source| match source {
        SourceKind::Remote(url, _) => Some(url),
        _ => None,
    });
    urls.map(|url| match HubSource::parse(url) {
        Ok(hub) => Ok(hub.target),
        Err(wrong) => Err(Error::usage(wrong)),
    })
    .collect()
}

/// Where `--to` leads. It is not shown where it may hold a password: errors end up in logs.
fn target(url: &str) -> Result<Target, Error> {
    match Target::parse(url) {
        Ok((target, "")) => Ok(target),
        Ok((target, rest)) => Err(Error::usage(format!(
            "`--to {target}` takes no `/{rest}`: each stream's subject is made of `--as` and its name"
        ))),
        Err(error) => Err(Error::usage(format!("`--to`: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_url_is_not_shown() {
        for (url, want) in [
            ("hub:4222", "expected a URL"),
            ("tls://hub", "leaf node"),
            ("nats://hub/tailcast.pi1.a", "takes no `/tailcast.pi1.a`"),
            ("nats://me:secret@hub", "--credentials"),
        ] {
            let error = target(url).unwrap_err().to_string();
            assert!(error.contains(want) && !error.contains("secret"), "{error}");
        }
    }
}
