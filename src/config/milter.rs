//! `X` lines and `O Milter.…`.

use std::time::Duration;

use bytes::Bytes;

/// An `X` line.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Name.
    pub name: Bytes,
    /// `S=`: socket as written.
    pub socket: Bytes,
    /// `F=`: what happens when it fails: `R`, `T`, `4` or nothing.
    pub on_failure: Option<u8>,
    /// `T=C:`.
    pub connect: Duration,
    /// `T=S:`.
    pub send: Duration,
    /// `T=R:`.
    pub read: Duration,
    /// `T=E:`.
    pub end_of_message: Duration,
}

/// `O Milter.…`.
#[derive(Debug, Clone, Default)]
pub struct MilterOptions {
    /// `Milter.LogLevel`.
    pub log_level: Option<i64>,
    /// `Milter.macros.STAGE`: stage and macro names (without `$`).
    pub macros: Vec<(Bytes, Vec<Bytes>)>,
}
