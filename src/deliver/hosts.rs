//! Which hosts take mail for a triple, and in which order.

use std::net::IpAddr;

use bytes::Bytes;

use crate::net::dns::{Mx, MxAnswer};

/// A host named in `$h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Name or address, without brackets.
    pub name: Bytes,
    /// In brackets: no MX look-up.
    pub is_literal: bool,
}

/// Hosts of `$h`, parted by colons outside of brackets. Source: op guide 5.1.1 (`$@ host1:host2`).
pub fn targets(host: &[u8]) -> Vec<Target> {
    let mut found = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for (at, b) in host.iter().enumerate() {
        match b {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => {
                push(&mut found, host.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    push(&mut found, host.get(start..));
    found
}

/// The address of a literal (`127.0.0.1`, `IPv6:::1`).
pub fn literal(name: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(name).ok()?;
    let head = text.get(..5).filter(|h| h.eq_ignore_ascii_case("ipv6:"));
    text.get(head.map_or(0, str::len)..)?.parse().ok()
}

/// Names to connect to, or why there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// In this order.
    Use(Vec<Bytes>),
    /// The best mail exchanger is this host itself.
    Loop,
    /// The host says that it takes no mail.
    Null,
}

/// Names for an MX answer. Exchangers that are this host cut the list: what is not better than ourselves is left out.
///
/// `is_own` tells our names. With `try_host` (`TryNullMXList`, of a host that has an address) a host whose best exchanger we are is connected to itself.
/// Source: RFC 5321 §5.1; golden bounce/host-unknown.
pub fn names(answer: &MxAnswer, asked: &Bytes, is_own: impl Fn(&[u8]) -> bool, try_host: bool) -> Names {
    match answer {
        MxAnswer::Null => Names::Null,
        MxAnswer::Host(name) => Names::Use(vec![name.clone()]),
        MxAnswer::Alias => Names::Use(vec![asked.clone()]),
        MxAnswer::List(list) => {
            let own = list.iter().filter(|mx| is_own(&mx.host)).map(|mx| mx.preference).min();
            let better = |mx: &&Mx| own.is_none_or(|limit| mx.preference < limit);
            let names: Vec<Bytes> = list.iter().filter(better).map(|mx| mx.host.clone()).collect();
            match (names.is_empty(), try_host) {
                (false, _) => Names::Use(names),
                (true, true) => Names::Use(vec![asked.clone()]),
                (true, false) => Names::Loop,
            }
        }
    }
}

/// Where a mailer's `A=` sends its connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// `TCP host [port]`.
    Tcp {
        /// Hosts, as `$h` writes them.
        host: Bytes,
        /// Port number or service name.
        port: Option<Bytes>,
    },
    /// `FILE path`: a local socket.
    Local(Bytes),
}

/// Reads expanded arguments of an `[IPC]` mailer; `None` when they say neither `TCP` nor `FILE`.
pub fn way(argv: &[Bytes]) -> Option<Way> {
    let kind = argv.first()?;
    let place = argv.get(1).filter(|p| !p.is_empty())?.clone();
    if kind.eq_ignore_ascii_case(b"FILE") {
        Some(Way::Local(place))
    } else if kind.eq_ignore_ascii_case(b"TCP") || kind.eq_ignore_ascii_case(b"IPC") {
        Some(Way::Tcp { host: place, port: argv.get(2).filter(|p| !p.is_empty()).cloned() })
    } else {
        None
    }
}

fn push(found: &mut Vec<Target>, name: Option<&[u8]>) {
    let name = name.unwrap_or_default();
    let inner = name.strip_prefix(b"[").map(|rest| {
        let end = rest.iter().position(|b| *b == b']').unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    });
    let target = Target { name: Bytes::copy_from_slice(inner.unwrap_or(name)), is_literal: inner.is_some() };
    if !target.name.is_empty() {
        found.push(target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_parted_outside_of_brackets() {
        let found = targets(b"a.test:[b.test]:[IPv6:::1]:");
        let shown: Vec<(&[u8], bool)> = found.iter().map(|t| (t.name.as_ref(), t.is_literal)).collect();
        assert_eq!(shown, vec![(&b"a.test"[..], false), (b"b.test", true), (b"IPv6:::1", true)]);
        assert_eq!(literal(b"IPv6:::1"), Some("::1".parse().unwrap()));
        assert_eq!(literal(b"b.test"), None);
    }

    #[test]
    fn our_own_name_cuts_the_list() {
        let mx = |preference, host: &'static str| Mx { preference, host: host.into() };
        let list = MxAnswer::List(vec![mx(5, "a."), mx(10, "b."), mx(10, "us."), mx(20, "c.")]);
        let asked = Bytes::from_static(b"x");
        let own = |name: &[u8]| name == b"us.";
        assert_eq!(names(&list, &asked, own, false), Names::Use(vec!["a.".into()]));
        let only = MxAnswer::List(vec![mx(10, "us.")]);
        assert_eq!(names(&only, &asked, own, false), Names::Loop);
        assert_eq!(names(&only, &asked, own, true), Names::Use(vec![asked.clone()]));
        assert_eq!(names(&MxAnswer::Null, &asked, own, true), Names::Null);
    }

    #[test]
    fn arguments_say_the_way() {
        let argv = |words: &[&'static str]| words.iter().map(|w| Bytes::from_static(w.as_bytes())).collect::<Vec<_>>();
        let tcp = Way::Tcp { host: "h".into(), port: Some("2525".into()) };
        assert_eq!(way(&argv(&["TCP", "h", "2525"])), Some(tcp));
        assert_eq!(way(&argv(&["FILE", "/run/lmtp"])), Some(Way::Local("/run/lmtp".into())));
        assert_eq!(way(&argv(&["TCP"])), None);
    }
}
