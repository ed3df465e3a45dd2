//! The servers of a cluster: the one that was named, and those that it names itself. Pure.

use std::cell::{Cell, RefCell};

use crate::engine::nats::protocol::Info;
use crate::engine::target::Target;

/// The most servers that are remembered beside the one that was named: clusters have three or five,
/// each perhaps with several addresses.
const OTHERS_MAX: usize = 15;

/// The longest address of one, in bytes: a name of the DNS, and a port.
const ADDRESS_MAX: usize = 253 + ":65535".len();

/// The servers of a cluster, which take turns.
pub(crate) struct Members {
    named: Target,
    others: RefCell<Vec<Target>>,
    turn: Cell<usize>,
}

impl Members {
    /// Nothing but the one that was named is known yet.
    pub(crate) fn new(named: Target) -> Self {
        Self {
            named,
            others: RefCell::default(),
            turn: Cell::new(0),
        }
    }

    /// How many are known.
    pub(crate) fn count(&self) -> usize {
        1 + self.others.borrow().len()
    }

    /// The one whose turn it is.
    pub(crate) fn next(&self) -> Target {
        let turn = self.turn.get() % self.count();
        self.turn.set(turn + 1);
        match turn.checked_sub(1) {
            None => self.named.clone(),
            Some(other) => self.others.borrow()[other].clone(),
        }
    }

    /// Takes what a server that knows us says of its cluster, `HOST:PORT` each. Those on another
    /// port are left out: of all ports, Landlock lets us connect to the one that was named, and a
    /// server can send us nowhere else.
    pub(crate) fn learn(&self, info: &Info) {
        let Some(addresses) = &info.connect_urls else {
            return;
        };
        let mut others = self.others.borrow_mut();
        others.clear();
        for address in addresses {
            if others.len() < OTHERS_MAX
                && let Some(other) = self.parse(address)
            {
                others.push(other);
            }
        }
    }

    fn parse(&self, address: &str) -> Option<Target> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        if address.len() > ADDRESS_MAX || !address.bytes().all(is_plain) {
            return None;
        }
        let (target, _) = Target::parse(&format!("nats://{address}")).ok()?;
        (target.port == self.named.port && target != self.named).then_some(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members() -> Members {
        Members::new(Target::parse("nats://a").unwrap().0)
    }

    fn turns(members: &Members, count: usize) -> Vec<String> {
        (0..count).map(|_| members.next().host).collect()
    }

    fn learn(members: &Members, addresses: &[&str]) {
        let addresses = addresses.iter().map(|&address| address.to_owned());
        members.learn(&Info {
            connect_urls: Some(addresses.collect()),
            ..Info::default()
        });
    }

    #[test]
    fn they_take_turns() {
        let members = members();
        assert_eq!(turns(&members, 2), ["a", "a"]);
        learn(&members, &["a:4222", "10.0.0.2:4222", "[fd00::3]:4222"]);
        assert_eq!(members.count(), 3);
        assert_eq!(turns(&members, 4), ["10.0.0.2", "fd00::3", "a", "10.0.0.2"]);
        // A server that knows of no cluster does not say that there is none.
        members.learn(&Info::default());
        assert_eq!(turns(&members, 2), ["fd00::3", "a"]);
        // One that went is forgotten, and the turn goes on with those that are left.
        learn(&members, &["b:4222"]);
        assert_eq!(turns(&members, 3), ["b", "a", "b"]);
    }

    #[test]
    fn what_a_stranger_says() {
        let long = format!("{}:4222", "b".repeat(255));
        for address in [
            "",
            "b:4223",
            "b:0",
            ":4222",
            "b:4222/x",
            "me:pw@b:4222",
            "nats://b:4222",
            "b c:4222",
            "b\u{1b}[31m:4222",
            "b\u{202e}:4222",
            "[::1:4222",
            &long,
        ] {
            let members = members();
            learn(&members, &[address]);
            assert_eq!(members.count(), 1, "{address:?}");
        }
        let members = members();
        let many: Vec<String> = (0..1000).map(|number| format!("b{number}:4222")).collect();
        learn(
            &members,
            &many.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        assert_eq!(members.count(), 1 + OTHERS_MAX);
    }
}
