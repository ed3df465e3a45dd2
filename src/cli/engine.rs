//! The engine that `--to`, `--as` and `--credentials` mean.

use std::ffi::OsString;

use tailcast::engine::Engine;
use tailcast::engine::target::Login;

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
        (Some(target), Some(board)) => Ok(Some(Engine {
            target: target.clone(),
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
