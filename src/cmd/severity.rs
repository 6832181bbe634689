//! How bad something is that a checker found.

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// True and harmless; shown with `--notes`.
    Note,
    /// Works, and is not what was meant or not safe.
    Warning,
    /// Does not work.
    Error,
}

impl Severity {
    /// As it is shown and written to JSON.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}
