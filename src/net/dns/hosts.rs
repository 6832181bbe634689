//! The hosts file.

use std::collections::HashMap;
use std::net::IpAddr;

use bytes::Bytes;

/// Names and addresses of a hosts file, indexed.
///
/// Shape: `ADDRESS NAME [NAME…] [# comment]`, one a line, blanks or tabs between.
#[derive(Debug, Default)]
pub struct Hosts {
    addresses: HashMap<Bytes, Vec<IpAddr>>,
    canonical: HashMap<Bytes, Bytes>,
    names: HashMap<IpAddr, Bytes>,
}

impl Hosts {
    /// Reads the text of a hosts file; lines without an address are left out.
    pub fn parse(text: &[u8]) -> Self {
        let mut hosts = Self::default();
        for line in text.split(|b| *b == b'\n') {
            let line = line.split(|b| *b == b'#').next().unwrap_or_default();
            let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
            let address = words.next().and_then(|w| std::str::from_utf8(w).ok()).and_then(|w| w.parse().ok());
            let Some(address) = address else { continue };
            let names: Vec<Bytes> = words.map(|w| Bytes::from(w.to_ascii_lowercase())).collect();
            hosts.add(address, &names);
        }
        hosts
    }

    fn add(&mut self, address: IpAddr, names: &[Bytes]) {
        let Some(first) = names.first() else { return };
        // The canonical name is the first that is qualified. Source: observed (`gate` leads to gate.example.net).
        let canonical = names.iter().find(|n| n.contains(&b'.')).unwrap_or(first);
        self.names.entry(address).or_insert_with(|| first.clone());
        for name in names {
            self.canonical.entry(name.clone()).or_insert_with(|| canonical.clone());
            let all = self.addresses.entry(name.clone()).or_default();
            if !all.contains(&address) {
                all.push(address);
            }
        }
    }

    /// Addresses of a name (lower case, no dot at the end).
    pub fn addresses(&self, name: &[u8]) -> &[IpAddr] {
        self.addresses.get(name).map_or(&[], Vec::as_slice)
    }

    /// Canonical name of a name.
    pub fn canonical(&self, name: &[u8]) -> Option<&Bytes> {
        self.canonical.get(name)
    }

    /// First name of an address.
    pub fn name(&self, address: IpAddr) -> Option<&Bytes> {
        self.names.get(&address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_qualified_name_is_canonical() {
        let hosts =
            Hosts::parse(b"# x\n192.0.2.10\tgate gate.example.net # y\n192.0.2.1 Plain\n192.0.2.9 gate\nbad line\n");
        assert_eq!(hosts.canonical(b"gate").unwrap(), "gate.example.net");
        assert_eq!(hosts.canonical(b"plain").unwrap(), "plain");
        assert_eq!(hosts.addresses(b"gate").len(), 2);
        assert_eq!(hosts.name("192.0.2.10".parse().unwrap()).unwrap(), "gate");
        assert!(hosts.addresses(b"line").is_empty());
    }
}
