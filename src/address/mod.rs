//! Addresses as text: tokens, quoting, lists, phrases.
//!
//! In: bytes of headers, commands and rules. Out: tokens, single addresses, repaired text. Documents: RFC 5322 §3.4,
//! RFC 5321 §4.1.2, op guide 5.1. Never: rewrites an address, and knows no host.

pub mod mailbox;
pub mod quote;
pub mod scan;

pub use scan::{Alphabet, ScanError, Scanned, Tokens, prescan};

/// Foreign text for a message: from 203 bytes on the middle is left out.
///
/// Source: observed.
pub fn shortened(text: &[u8]) -> String {
    const KEPT: usize = 203;
    if text.len() <= KEPT {
        return String::from_utf8_lossy(text).into_owned();
    }
    let head = text.get(..(KEPT - 3) / 2).unwrap_or_default();
    let tail = text.get(text.len() - (KEPT - 3) / 2..).unwrap_or_default();
    format!("{}...{}", String::from_utf8_lossy(head), String::from_utf8_lossy(tail))
}
