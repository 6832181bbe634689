//! What a check found.

use std::ops::Range;
use std::path::PathBuf;

use super::checks::{self, Check};
pub(super) use crate::cmd::severity::Severity;

/// A place in the file that is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Physical line, from 1.
    pub(super) line: u32,
    /// Bytes of that line.
    pub(super) columns: Range<usize>,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// The row of its check.
    pub(super) check: &'static Check,
    /// Where in the configuration; `None` when it is about no line.
    pub(super) place: Option<Place>,
    /// Another file that it is about.
    pub(super) file: Option<PathBuf>,
    /// What is wrong.
    pub(super) text: String,
    /// What would be right.
    pub(super) fix: Option<String>,
}

impl Finding {
    /// A finding of the check `id`.
    pub(super) fn new(id: &str, place: Option<Place>, text: impl Into<String>) -> Self {
        Self { check: checks::find(id), place, file: None, text: text.into(), fix: None }
    }

    /// With what would be right.
    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// About another file.
    pub(super) fn about(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }
}
