//! What is wrong with a configuration.

use std::fmt;
use std::path::PathBuf;

use crate::base::exit::Exit;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Said, then forgotten (`Option X used as abbreviation for Y`, `WARNING: …`).
    Warning,
    /// Start-up goes on, `-bt` and `-bC` end with EX_CONFIG or EX_SOFTWARE.
    Error,
    /// Start-up ends.
    Fatal,
}

/// One finding, in the original's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file; `None` when the finding is about no file.
    pub path: Option<PathBuf>,
    /// Line in the file, from 1; 0 when it is about no line.
    pub line: u32,
    /// What is wrong.
    pub text: String,
    /// How bad it is.
    pub severity: Severity,
    /// Exit code of a program that it ends; for a warning the one that a program ends with which goes on all the same.
    pub exit: Exit,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) if self.line > 0 => write!(f, "{}: line {}: {}", path.display(), self.line, self.text),
            Some(path) => write!(f, "{}: {}", path.display(), self.text),
            None => f.write_str(&self.text),
        }
    }
}
