//! Addresses as text: tokens, quoting, lists, phrases.
//!
//! In: bytes of headers, commands and rules. Out: tokens, single addresses, repaired text. Documents: RFC 5322 §3.4,
//! RFC 5321 §4.1.2, op guide 5.1. Never: rewrites an address, and knows no host.

pub mod list;
pub mod mailbox;
pub mod quote;
pub mod scan;
pub mod visible;

pub use scan::{Alphabet, ScanError, Scanned, Tokens, prescan};

/// Foreign text for a message: from 203 bytes on the middle is left out.
///
/// Source: observed.
pub fn shortened(text: &[u8]) -> String {
    String::from_utf8_lossy(&shortened_bytes(text)).into_owned()
}

/// See [`shortened`].
pub fn shortened_bytes(text: &[u8]) -> Vec<u8> {
    const KEPT: usize = 203;
    if text.len() <= KEPT {
        return text.to_vec();
    }
    let half = (KEPT - 3) / 2;
    let mut out = text.get(..half).unwrap_or_default().to_vec();
    out.extend_from_slice(b"...");
    out.extend_from_slice(text.get(text.len() - half..).unwrap_or_default());
    out
}
