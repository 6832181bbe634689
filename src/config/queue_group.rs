//! `Q` lines.

use std::time::Duration;

use bytes::Bytes;

use crate::base::letters::LetterSet;

/// A queue group.
#[derive(Debug, Clone)]
pub struct QueueGroup {
    /// Name; `mqueue` for the default one.
    pub name: Bytes,
    /// `P=`: directory, may end in `*`.
    pub path: Bytes,
    /// `F=`.
    pub flags: LetterSet,
    /// `N=`.
    pub nice: i32,
    /// `I=`.
    pub interval: Option<Duration>,
    /// `R=`.
    pub runners: Option<i64>,
    /// `J=`.
    pub jobs: Option<i64>,
    /// `r=`: recipients per envelope; 0 for any.
    pub recipients: i64,
}
