//! Where the key comes from: the command line, a file, the environment, or the kernel's random
//! source.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::rand::{GetRandomFlags, getrandom};

use crate::cli::args::Args;
use crate::cli::error::{Error, cause};
use tailcast::auth::key::Key;

/// The environment's name for `--key`.
pub(crate) const VARIABLE: &str = "TAILCAST_KEY";

/// The longest key, in bytes: it has to fit into a request head twice, percent-encoded.
const KEY_MAX: usize = 256;

/// The characters of a key made at start: none that looks like another, none that a URL would have
/// to encode.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// How many of them, 5 bits each: 130 bits, more than anyone can try.
const MADE_LENGTH: usize = 26;

/// What others may do with a key's file for it to be refused: read it, or put their own key into
/// it.
const OTHERS: u32 = 0o006;

/// The key that `args` and the `environment` ask for: one of the user's, `None` under `--public`,
/// else a new one.
///
/// # Errors
/// Where a key is empty, can't be read or is not secret.
pub(crate) fn key(args: &Args, environment: Option<OsString>) -> Result<Option<Key>, Error> {
    let given = match (&args.key, &args.key_file) {
        (Some(_), Some(_)) => {
            return Err(Error::usage(
                "`--key` and `--key-file` are both given; one key is enough".to_owned(),
            ));
        }
        (Some(key), None) => Some(check("`--key`", key.clone())?),
        (None, Some(path)) => {
            let key = read_secret("key file", path, KEY_MAX)?;
            Some(check(&format!("`{}`", path.display()), key)?)
        }
        (None, None) => None,
    };
    if args.public {
        return match given {
            None => Ok(None),
            Some(_) => Err(Error::usage(
                "`--public` asks nobody for a key; leave it or the key out".to_owned(),
            )),
        };
    }
    let given = match (given, environment) {
        (None, Some(key)) => {
            let key = key
                .into_string()
                .map_err(|_| Error::usage(format!("the key in `{VARIABLE}` is not UTF-8")))?;
            Some(check(&format!("`{VARIABLE}`"), key)?)
        }
        (given, _) => given,
    };
    match given {
        Some(key) => Ok(Some(Key::new(key, false))),
        None => Ok(Some(Key::new(make()?, true))),
    }
}

/// Refuses a key that protects nothing or can't be said in a header field. It is not shown: errors
/// end up in logs.
fn check(place: &str, key: String) -> Result<String, Error> {
    let wrong = match () {
        () if key.trim().is_empty() => "is empty",
        () if key.len() > KEY_MAX => "is longer than 256 bytes",
        () if key.chars().any(char::is_control) => {
            "holds a line break or another control character"
        }
        () if key.trim() != key => "begins or ends with a space",
        () => return Ok(key),
    };
    Err(Error::usage(format!(
        "the key in {place} {wrong}; a good one is some twenty random letters"
    )))
}

/// Reads a file that holds one secret of at most `most` bytes; the newline at its end is no part of
/// it. `what` it is stands in the sentences.
///
/// # Errors
/// Where it can't be read, or others can.
pub(crate) fn read_secret(what: &str, path: &Path, most: usize) -> Result<String, Error> {
    let shown = path.display();
    let refused = |error: io::Error| {
        Error::usage(format!(
            "the {what} `{shown}` can't be read: {}",
            cause(&error)
        ))
    };
    let file = File::open(path).map_err(refused)?;
    let mode = file.metadata().map_err(refused)?.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(Error::usage(format!(
            "the {what} `{shown}` is open to others (mode {:03o}); `chmod 600 {shown}` makes it yours alone",
            mode & 0o777
        )));
    }
    let mut secret = String::new();
    // One byte and a line's end more than the longest: what is longer still shows.
    file.take(most as u64 + 3)
        .read_to_string(&mut secret)
        .map_err(refused)?;
    let line = secret.strip_suffix('\n').unwrap_or(&secret);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// A new key out of the kernel's random source; it may wait for it on a board that has just been
/// switched on.
fn make() -> Result<String, Error> {
    let mut bytes = [0; MADE_LENGTH];
    let filled = getrandom(&mut bytes, GetRandomFlags::empty());
    if filled != Ok(MADE_LENGTH) {
        return Err(Error::refused(
            "the kernel gives no random bytes for a key; give one with `--key-file`".to_owned(),
        ));
    }
    let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 32)]);
    Ok(bytes.iter().map(letter).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_keys_differ_and_need_no_encoding() {
        let keys: Vec<String> = (0..100).map(|_| make().unwrap()).collect();
        let mut unique = keys.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), keys.len());
        for key in keys {
            assert_eq!(Key::new(key.clone(), true).encoded(), key);
            assert_eq!(key.len(), MADE_LENGTH);
        }
    }

    #[test]
    fn bad_keys_are_named_but_not_shown() {
        for (key, want) in [
            ("", "empty"),
            (" \t", "empty"),
            (" secret", "space"),
            ("sec\nret", "control"),
            (&"secret".repeat(100), "longer"),
        ] {
            let error = check("`--key`", key.to_owned()).unwrap_err().to_string();
            assert!(error.contains(want) && !error.contains("secret"), "{error}");
        }
        assert!(check("`--key`", "pass wörd+/=".to_owned()).is_ok());
    }
}
