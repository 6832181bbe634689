//! Directories of authorities (`CACertPath`) and revocation lists (`CRLPath`): how OpenSSL finds a file by its name.
//!
//! Shape: a link (or file) is called `HASH.N` for a certificate and `HASH.rN` for a list; `HASH` is the subject's or issuer's
//! name hashed, 8 hexadecimal digits, and `N` counts from 0 where hashes collide. Before OpenSSL 1.0 the hash was another
//! one: such links are not found any more. Source: openssl-rehash(1), X509_LOOKUP_hash_dir(3).

use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::x509::{X509, X509Crl, X509NameRef};

/// What stands in a file of such a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A certificate.
    Certificate,
    /// A revocation list.
    List,
}

/// A hash, and its form before OpenSSL 1.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashes {
    /// What is looked for today.
    pub current: u32,
    /// What was looked for then.
    pub old: u32,
}

/// The name of a link, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkName {
    /// The hash.
    pub hash: u32,
    /// Certificate or list.
    pub kind: Kind,
    /// Which of those with the same hash.
    pub number: u32,
}

impl LinkName {
    /// Reads a file name; `None` when it is not of this form.
    pub fn parse(name: &str) -> Option<Self> {
        let (hash, rest) = name.split_once('.')?;
        if hash.len() != 8 || !hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return None;
        }
        let (kind, digits) = match rest.strip_prefix('r') {
            Some(digits) => (Kind::List, digits),
            None => (Kind::Certificate, rest),
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(Self { hash: u32::from_str_radix(hash, 16).ok()?, kind, number: digits.parse().ok()? })
    }
}

impl std::fmt::Display for LinkName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letter = if self.kind == Kind::List { "r" } else { "" };
        write!(f, "{:08x}.{letter}{}", self.hash, self.number)
    }
}

/// Kind and hashes of what a PEM file holds first; `None` when it is neither certificate nor list.
pub fn identify(pem: &[u8]) -> Option<(Kind, Hashes)> {
    if let Ok(certificate) = X509::from_pem(pem) {
        return Some((Kind::Certificate, certificate_hashes(&certificate).ok()?));
    }
    let list = X509Crl::from_pem(pem).ok()?;
    Some((Kind::List, name_hashes(list.issuer_name()).ok()?))
}

/// Hashes of a certificate's subject.
pub fn certificate_hashes(certificate: &X509) -> Result<Hashes, ErrorStack> {
    // The old one is the MD5 of the name as it stands in the certificate, its first four bytes, least significant first.
    let digest = hash(MessageDigest::md5(), &certificate.subject_name().to_der()?)?;
    let mut first = [0; 4];
    first.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    Ok(Hashes { current: certificate.subject_name_hash(), old: u32::from_le_bytes(first) })
}

/// Hashes of a name. The library hashes subjects only, so the name becomes one.
fn name_hashes(name: &X509NameRef) -> Result<Hashes, ErrorStack> {
    let mut builder = X509::builder()?;
    builder.set_subject_name(name)?;
    certificate_hashes(&builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_links_go_both_ways() {
        for name in ["fea4e1bb.0", "0000000a.12", "fea4e1bb.r3"] {
            assert_eq!(LinkName::parse(name).unwrap().to_string(), name);
        }
        for other in ["cacert.pem", "FEA4E1BB.0", "fea4e1b.0", "fea4e1bb.", "fea4e1bb.r", "fea4e1bb.0x", "fea4e1bb"] {
            assert_eq!(LinkName::parse(other), None, "{other}");
        }
    }
}
