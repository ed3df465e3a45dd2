//! Under which names and addresses this board is reached: what the gate answers to, and the links
//! to open.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tailcast::auth::host::Host;
use tailcast::auth::key::Key;

/// The links under which a browser reaches a server.
#[derive(Debug)]
pub(crate) struct Links {
    all: Vec<String>,
    lan: Option<String>,
}

impl Links {
    /// Those of a server bound to `bound`, with the key in them.
    pub(crate) fn new(bound: SocketAddr, key: Option<&Key>) -> Self {
        let query = key.map_or_else(String::new, |key| format!("?key={}", key.encoded()));
        let link = |host: String| format!("http://{host}/{query}");
        let addresses = addresses(bound.ip());
        let by_address = |ip: &IpAddr| link(SocketAddr::new(*ip, bound.port()).to_string());
        let mut all: Vec<String> = addresses.iter().map(by_address).collect();
        if bound.ip().is_unspecified()
            && let Some(name) = local_name()
        {
            all.push(link(format!("{name}:{}", bound.port())));
        }
        Self {
            lan: addresses
                .iter()
                .find(|ip| !ip.is_loopback())
                .map(by_address),
            all,
        }
    }

    /// All of them, the one for this machine itself first.
    pub(crate) fn all(&self) -> &[String] {
        &self.all
    }

    /// The one for a phone in the same network, if this server is reached from there.
    pub(crate) fn lan(&self) -> Option<&str> {
        self.lan.as_deref()
    }
}

/// The addresses of this machine that lead to a server bound to `ip`; loopback first, IPv4 before
/// IPv6.
fn addresses(ip: IpAddr) -> Vec<IpAddr> {
    if !ip.is_unspecified() {
        return vec![ip];
    }
    let mut found: Vec<IpAddr> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .iter()
        .map(if_addrs::Interface::ip)
        .collect();
    found.sort_unstable();
    found.dedup();
    let reached = |found: &IpAddr| match found {
        IpAddr::V4(four) => !four.is_loopback() && !four.is_link_local(),
        IpAddr::V6(six) => ip.is_ipv6() && !six.is_loopback() && !is_link_local(*six),
    };
    let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
    std::iter::once(loopback)
        .chain(found.into_iter().filter(reached))
        .collect()
}

/// `fe80::/10`: a link to it needs the name of an interface, which browsers don't take.
fn is_link_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

/// The top-level names under which a home's router or mDNS gives a board's name, and which nobody
/// can register: RFC 6762, RFC 8375, ICANN's `.internal`, and what routers have used for long.
const HOME_DOMAINS: [&str; 5] = ["local", "lan", "home.arpa", "internal", "localdomain"];

/// The names that this board has by itself: `localhost`, its hostname, and that under the names of
/// homes.
pub(crate) fn names() -> Vec<Host> {
    let hostname = hostname();
    let first = hostname.as_deref().and_then(|name| name.split('.').next());
    let first = first.filter(|first| !first.is_empty());
    let at_home = first.filter(|first| *first != "localhost").into_iter();
    let at_home = at_home.flat_map(|first| HOME_DOMAINS.map(|domain| format!("{first}.{domain}")));
    ["localhost", hostname.as_deref().unwrap_or_default()]
        .into_iter()
        .chain(first)
        .map(str::to_owned)
        .chain(at_home)
        .filter_map(|name| Host::parse(&name))
        .collect()
}

/// The first part of the hostname under `.local`: what mDNS responders announce.
fn local_name() -> Option<String> {
    let hostname = hostname()?;
    let first = hostname.split('.').next().unwrap_or_default();
    (!first.is_empty() && first != "localhost").then(|| format!("{first}.local"))
}

fn hostname() -> Option<String> {
    let names = rustix::system::uname();
    names.nodename().to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(bound: &str, key: Option<&str>) -> Links {
        let key = key.map(|key| Key::new(key.to_owned(), false));
        Links::new(bound.parse().unwrap(), key.as_ref())
    }

    #[test]
    fn of_one_address() {
        let one = links("127.0.0.1:80", None);
        assert_eq!(
            (one.all(), one.lan()),
            (&["http://127.0.0.1:80/".to_owned()][..], None)
        );
        let one = links("[fd00::1]:8080", Some("a b"));
        assert_eq!(one.lan(), Some("http://[fd00::1]:8080/?key=a%20b"));
    }

    #[test]
    fn of_all_addresses_begin_with_loopback() {
        let all = links("0.0.0.0:8080", Some("secret"));
        assert_eq!(all.all()[0], "http://127.0.0.1:8080/?key=secret");
        assert!(all.all().iter().all(|link| link.ends_with("?key=secret")));
        let others = &all.all()[1..];
        assert!(
            others
                .iter()
                .all(|link| !link.contains("127.0.0.1") && !link.contains('['))
        );
    }

    #[test]
    fn names_of_this_board() {
        let names = names();
        assert!(names.contains(&Host::Name("localhost".to_owned())));
        let hostname = hostname().unwrap();
        assert!(names.contains(&Host::parse(&hostname).unwrap()));
    }
}
