//! DANE: TLSA records in place of authorities.
//!
//! Only usages 2 (DANE-TA) and 3 (DANE-EE) count for SMTP. A host with signed records, usable or not, is spoken to in TLS or
//! not at all. Source: RFC 6698, RFC 7671, RFC 7672 §2 and §3.

use bytes::Bytes;
use openssl::ssl::SslRef;

use super::context::first_reason;
use crate::sys::openssl_extra;

/// A TLSA record.
///
/// Shape: `usage selector matching data`, as in `3 1 1 0123…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// 2: trust anchor; 3: the certificate itself.
    pub usage: u8,
    /// 0: the certificate; 1: its public key.
    pub selector: u8,
    /// 0: the data itself; 1: SHA-256; 2: SHA-512.
    pub matching: u8,
    /// What must match.
    pub data: Bytes,
}

/// What a server must show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dane {
    /// Host name whose records they are; asked for by SNI and, with usage 2, looked for in the certificate.
    pub domain: String,
    /// Other names that the certificate may have with usage 2.
    pub names: Vec<String>,
    /// Signed records, all of them.
    pub records: Vec<Record>,
}

impl Dane {
    /// Whether any record may count; without one the server need not be known.
    pub fn is_usable(&self) -> bool {
        self.usable().next().is_some()
    }

    fn usable(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|r| matches!((r.usage, r.selector, r.matching), (2 | 3, 0 | 1, 0..=2)))
    }

    /// Sets the records for a handshake; whether any of them can be used.
    ///
    /// Errors: the call that failed, as the log shows it.
    pub(super) fn apply(&self, ssl: &mut SslRef) -> Result<bool, String> {
        if !self.is_usable() {
            return Ok(false);
        }
        let failed =
            |call: &str, error: &openssl::error::ErrorStack| format!("error={call}, reason={}", first_reason(error));
        openssl_extra::enable_dane(ssl, &self.domain).map_err(|e| failed("SSL_dane_enable", &e))?;
        for name in &self.names {
            openssl_extra::add_host(ssl, name).map_err(|e| failed("SSL_add1_host", &e))?;
        }
        let mut any = false;
        for record in self.usable() {
            let Record { usage, selector, matching, data } = record;
            let added = openssl_extra::add_tlsa(ssl, *usage, *selector, *matching, data);
            // A record that the library cannot take does not keep the others from counting.
            any |= added.unwrap_or(false);
        }
        Ok(any)
    }
}
