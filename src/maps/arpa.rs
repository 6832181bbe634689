//! Class `arpa`: the reversed form of an address, as DNS block lists and reverse zones use it.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Reverses `192.0.2.1` or `IPv6:2001:db8::1`; `None` for anything else.
pub(crate) fn reversed(key: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(key).ok()?;
    if let Some(address) = text.get(..5).filter(|p| p.eq_ignore_ascii_case("ipv6:")).and_then(|_| text.get(5..)) {
        let address: Ipv6Addr = address.parse().ok()?;
        let mut out = String::with_capacity(63);
        for byte in address.octets().iter().rev() {
            let dot = if out.is_empty() { "" } else { "." };
            write!(out, "{dot}{:x}.{:x}", byte & 15, byte >> 4).ok()?;
        }
        return Some(out);
    }
    let address: Ipv4Addr = text.parse().ok()?;
    let [a, b, c, d] = address.octets();
    Some(format!("{d}.{c}.{b}.{a}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_turned_round() {
        assert_eq!(reversed(b"192.0.2.10").unwrap(), "10.2.0.192");
        assert_eq!(
            reversed(b"IPv6:2001:db8::10").unwrap(),
            "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
        );
        assert!(reversed(b"2001:db8::10").is_none() && reversed(b"foo").is_none());
    }
}
