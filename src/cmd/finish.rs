//! The end of a program.

use std::process::ExitCode;

use crate::base::exit::Exit;

/// The process's exit code.
pub fn finish(exit: Exit) -> ExitCode {
    ExitCode::from(exit.0)
}
