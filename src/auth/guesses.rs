//! Who has said wrong keys, and for how long nobody there is listened to.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use core::net::IpAddr;

use crate::http::peer::network;

/// How many wrong keys an address may say within [`SPAN`]: a person mistypes it three times, a
/// program tries millions.
pub const WRONG_MAX: u32 = 10;

/// The time over which wrong keys are counted, from the first one on, and for the rest of which the
/// address is refused.
pub const SPAN: Duration = Duration::from_secs(60);

/// How many addresses are remembered, some 64 KiB in all. Where more than these guess at once, the
/// oldest is forgotten: it comes back with ten tries, as any new one has.
const ADDRESSES_MAX: usize = 1024;

/// The wrong keys of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// How many were said by `?key=` or `Authorization`.
    pub given: u32,
    /// What its cookies given: the same again is not counted again.
    pub cookies: Vec<String>,
}

/// The wrong keys of the last minute.
#[derive(Default)]
pub struct WrongKeys {
    rows: HashMap<IpAddr, Row>,
    hashes: RandomState,
}

struct Row {
    since: Instant,
    count: u32,
    /// The last wrong cookies, hashed: an open page says the key of yesterday's server at each
    /// attempt, and is no guesser.
    kept: Option<u64>,
}

impl WrongKeys {
    /// How long `address` is still refused, if it is.
    pub fn locked(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let row = self
            .rows
            .get(&network(address))
            .filter(|row| row.count >= WRONG_MAX)?;
        SPAN.checked_sub(now.saturating_duration_since(row.since))
            .filter(|left| !left.is_zero())
    }

    /// Counts a request with wrong keys. Says whether the address is refused from now on.
    pub fn note(&mut self, address: IpAddr, wrong: &Wrong, now: Instant) -> bool {
        let address = network(address);
        let is_over = |row: &Row| now.saturating_duration_since(row.since) >= SPAN;
        if !self.rows.contains_key(&address) && self.rows.len() >= ADDRESSES_MAX {
            self.rows.retain(|_, row| !is_over(row));
            if self.rows.len() >= ADDRESSES_MAX
                && let Some(oldest) = self
                    .rows
                    .iter()
                    .min_by_key(|(_, row)| row.since)
                    .map(|(address, _)| *address)
            {
                self.rows.remove(&oldest);
            }
        }
        let new = || Row {
            since: now,
            count: 0,
            kept: None,
        };
        let row = self.rows.entry(address).or_insert_with(new);
        if is_over(row) {
            (row.since, row.count) = (now, 0);
        }
        let was_open = row.count < WRONG_MAX;
        row.count = row.count.saturating_add(wrong.given);
        let kept = (!wrong.cookies.is_empty()).then(|| self.hashes.hash_one(&wrong.cookies));
        if kept.is_some() && kept != row.kept {
            row.kept = kept;
            let guesses = u32::try_from(wrong.cookies.len()).unwrap_or(u32::MAX);
            row.count = row.count.saturating_add(guesses);
        }
        was_open && row.count >= WRONG_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    fn said(count: u32) -> Wrong {
        Wrong {
            given: count,
            cookies: Vec::new(),
        }
    }

    fn kept(cookie: &str) -> Wrong {
        Wrong {
            given: 0,
            cookies: vec![cookie.to_owned()],
        }
    }

    #[test]
    fn ten_in_a_minute() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut wrong = WrongKeys::default();
        for second in 0..9 {
            assert!(!wrong.note(address(1), &said(1), at(second)));
            assert_eq!(wrong.locked(address(1), at(second)), None);
        }
        assert!(wrong.note(address(1), &said(1), at(50)));
        assert_eq!(
            wrong.locked(address(1), at(51)),
            Some(Duration::from_secs(9))
        );
        assert_eq!(wrong.locked(address(2), at(51)), None);
        assert_eq!(wrong.locked(address(1), at(60)), None);
        assert!(
            !wrong.note(address(1), &said(1), at(61)),
            "the next minute counts anew"
        );
        assert_eq!(wrong.locked(address(1), at(61)), None);
    }

    #[test]
    fn several_in_one_request() {
        let now = Instant::now();
        let mut wrong = WrongKeys::default();
        assert!(!wrong.note(address(1), &said(9), now));
        assert!(wrong.note(address(1), &said(3), now));
        assert!(
            !wrong.note(address(1), &said(3), now),
            "it is refused already"
        );
    }

    #[test]
    fn the_same_cookie_again_and_again() {
        let now = Instant::now();
        let mut wrong = WrongKeys::default();
        for _ in 0..1000 {
            wrong.note(address(1), &kept("yesterday's"), now);
        }
        assert_eq!(wrong.locked(address(1), now), None);
        for guess in 0..9 {
            wrong.note(address(1), &kept(&guess.to_string()), now);
        }
        assert!(
            wrong.locked(address(1), now).is_some(),
            "other cookies are guesses"
        );
    }

    #[test]
    fn two_cookies_are_two_guesses_and_a_neighbour_has_one_network() {
        let now = Instant::now();
        let mut wrong = WrongKeys::default();
        let from = |number: u16| IpAddr::from([0x2001, 0xdb8, 1, 2, 0, 0, 0, number]);
        for guess in 0..5 {
            let kept = vec![format!("a{guess}"), format!("b{guess}")];
            wrong.note(
                from(guess),
                &Wrong {
                    given: 0,
                    cookies: kept,
                },
                now,
            );
        }
        assert!(wrong.locked(from(77), now).is_some());
        assert!(
            wrong
                .locked(IpAddr::from([0x2001, 0xdb8, 1, 3, 0, 0, 0, 1]), now)
                .is_none()
        );
    }

    #[test]
    fn no_more_addresses_than_there_is_room_for() {
        let start = Instant::now();
        let mut wrong = WrongKeys::default();
        for number in 0..3000 {
            wrong.note(
                address(number),
                &said(1),
                start + Duration::from_millis(u64::from(number)),
            );
            assert!(wrong.rows.len() <= ADDRESSES_MAX);
        }
        assert!(wrong.rows.contains_key(&address(2999)));
        assert!(!wrong.rows.contains_key(&address(0)));
        wrong.note(address(9999), &said(1), start + Duration::from_secs(120));
        assert_eq!(wrong.rows.len(), 1, "old rows go when room is needed");
    }
}
