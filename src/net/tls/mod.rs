//! TLS for both sides.
//!
//! In: key material and lists as values, plain streams. Out: encrypted streams and what is known about the peer.
//! Documents: RFC 3207, RFC 8446, op guide §5.3 and STARTTLS. Never: reads a key file, asks for a pass phrase, decides what a
//! verification result means for mail (rulesets do).
//!
//! *Verification result*: the word in `${verify}`; it tells what was found and stops nothing by itself.

pub mod context;
pub mod dane;
pub mod features;
pub mod hash_directory;
mod held;
pub mod peer;
pub mod session;
pub mod stream;
mod tolerance;

use std::path::PathBuf;

use bytes::Bytes;

pub use context::{ClientContext, Refusal, ServerContext};
pub use dane::Dane;
pub use peer::{PeerInfo, Verify};
pub use session::SessionSettings;
pub use stream::{HandshakeError, Plain, Stream};

/// A PEM file that was judged and read by whoever may read it.
#[derive(Clone, PartialEq, Eq)]
pub struct PemFile {
    /// Where it was read; for log lines.
    pub path: PathBuf,
    /// What it holds.
    pub pem: Bytes,
}

impl std::fmt::Debug for PemFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys must not reach a log.
        write!(f, "PemFile({}, {} bytes)", self.path.display(), self.pem.len())
    }
}

/// A certificate with its key. Both may stand in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and behind it the intermediate ones to send along.
    pub certificate: PemFile,
    /// Its key, not encrypted.
    pub key: PemFile,
}

/// `DHParameters`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DhParameters {
    /// The default: parameters known to the library that fit the key.
    #[default]
    BuiltIn,
    /// The same, asked for by this letter: `i`, `2`, `1`, `5`. Shorter ones than 2048 bits are not made.
    Named(char),
    /// `n`: no Diffie-Hellman over finite fields.
    None,
    /// A file.
    File(PemFile),
}

/// What both contexts are built from.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `CACertFile`: trusted authorities; a server names them to clients.
    pub ca_file: Option<PemFile>,
    /// `CACertPath`: more authorities, by subject hash (`HASH.0`, `.1` …), looked up during a handshake.
    pub ca_path: Option<PathBuf>,
    /// `CRLFile`.
    pub crl_file: Option<PemFile>,
    /// `CRLPath`: lists by hash (`HASH.r0` …).
    pub crl_path: Option<PathBuf>,
    /// `ServerCertFile` and `ServerKeyFile`: one pair, or two of different kinds.
    pub server: Vec<Identity>,
    /// `ClientCertFile` and `ClientKeyFile`.
    pub client: Vec<Identity>,
    /// `CipherList`.
    pub cipher_list: Option<String>,
    /// `CipherSuites`.
    pub cipher_suites: Option<String>,
    /// `DHParameters`.
    pub dh: DhParameters,
    /// `ServerSSLOptions` as bits; [`features::DEFAULT_OPTIONS`] when unset.
    pub server_options: u64,
    /// `ClientSSLOptions` as bits.
    pub client_options: u64,
    /// `TLSSrvOptions` without `V`: ask clients for a certificate.
    pub ask_client_certificate: bool,
    /// `CertFingerprintAlgorithm`; `None` for md5.
    pub fingerprint_algorithm: Option<String>,
    /// `SetCertAltnames`.
    pub set_alternative_names: bool,
}

/// A log line about TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The line is written when `LogLevel` is at least this.
    pub level: i32,
    /// It tells of something wrong or missing.
    pub is_warning: bool,
    /// Text, from `STARTTLS` on.
    pub text: String,
}

impl Notice {
    /// A line about something that is wrong, written at every usual level.
    pub(crate) fn warning(text: String) -> Self {
        Self { level: 1, is_warning: true, text }
    }

    /// A line for those who look for details.
    pub(crate) fn detail(text: String) -> Self {
        Self { level: 14, is_warning: false, text }
    }

    /// A line about something that was not set.
    pub(crate) fn missing(name: &str) -> Self {
        Self { level: 13, is_warning: true, text: format!("STARTTLS: {name} missing") }
    }

    /// The line about the outcome.
    pub(crate) fn init(role: Role, is_done: bool) -> Self {
        Self { level: 13, is_warning: false, text: format!("STARTTLS={}, init={}", role.word(), i32::from(is_done)) }
    }
}

/// Which side we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// We accept.
    Server,
    /// We connect.
    Client,
}

impl Role {
    /// As `STARTTLS=` shows it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

#[cfg(test)]
pub(crate) use context::tests::test_settings;
