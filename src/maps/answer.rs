//! What a lookup comes to.

use bytes::Bytes;

use crate::base::exit::Exit;

/// Result of a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A value, with `-a` or `-T` text appended and arguments put in.
    Found(Bytes),
    /// The map could not say, and `-T` gives this in place of a value.
    Instead(Bytes),
    /// No such key; the code is what `-bt` shows for `/map`.
    NotFound(Exit),
    /// The map could not say; the text is for the log.
    Temporary(String),
}

impl Answer {
    /// A plain miss.
    pub const MISS: Self = Self::NotFound(Exit::OK);

    /// The code that `-bt` shows for `/map`.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Found(_) => Exit::OK,
            Self::NotFound(exit) => *exit,
            Self::Instead(_) | Self::Temporary(_) => Exit::TEMPFAIL,
        }
    }

    /// The value, when there is one.
    pub fn found(self) -> Option<Bytes> {
        match self {
            Self::Found(value) | Self::Instead(value) => Some(value),
            Self::NotFound(_) | Self::Temporary(_) => None,
        }
    }
}
