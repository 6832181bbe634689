//! Log lines of a session.

use crate::log::{Level, Priority};

/// A line to be logged under the session's queue id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// From which `LogLevel` on.
    pub level: Level,
    /// Importance.
    pub priority: Priority,
    /// Queue id that stands in front; `None` for no id.
    pub id: Option<String>,
    /// The line.
    pub text: String,
}
