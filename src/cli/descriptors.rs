//! How many file descriptors the process may have, and how many of them are for connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that connections never take, beside two for each source: the listener, epoll,
/// inotify, and files of a rotation that has to be opened though all places are taken.
const KEPT: u64 = 96;

/// Raises the limit of descriptors to what the process may have. Which limit that is.
pub(crate) fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Where that is refused, the limit stays as it is.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// How many of `wanted` connections a limit of `descriptors` leaves room for, beside so many
/// `sources`.
pub(crate) fn connections(wanted: usize, descriptors: u64, sources: usize) -> usize {
    let kept = (KEPT + 2 * sources as u64).min(descriptors / 2);
    let room = usize::try_from(descriptors - kept).unwrap_or(usize::MAX);
    wanted.min(room).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_kept_back() {
        for (wanted, descriptors, sources, want) in [
            (256, 1024, 1, 256),
            (2000, 1024, 1, 926),
            (2000, u64::MAX, 1, 2000),
            (256, 128, 1, 64),
            (256, 1024, 450, 256),
            (1000, 1024, 450, 512),
            (256, 1, 1, 1),
        ] {
            let got = connections(wanted, descriptors, sources);
            assert_eq!(got, want, "{wanted} of {descriptors} beside {sources}");
        }
    }
}
