//! Command lines of the companion programs that clap reads.

use std::ffi::OsString;
use std::io::Write;

use clap::Parser;

use crate::base::exit::Exit;

/// Reads a command line. What was asked for (`--help`, `--version`) or is wrong is written; then the exit code is the error.
pub(super) fn parse<T: Parser>(args: Vec<OsString>, out: &mut dyn Write, errors: &mut dyn Write) -> Result<T, Exit> {
    T::try_parse_from(args).map_err(|error| told(&error, out, errors))
}

/// Writes what a command line asked for instead of work, or what is wrong with it; the exit code.
pub(super) fn told(error: &clap::Error, out: &mut dyn Write, errors: &mut dyn Write) -> Exit {
    let is_misuse = error.use_stderr();
    let written = if is_misuse { write!(errors, "{error}") } else { write!(out, "{error}") };
    match (is_misuse, written) {
        (_, Err(_)) => Exit::IOERR,
        (true, Ok(())) => Exit::USAGE,
        (false, Ok(())) => Exit::OK,
    }
}
