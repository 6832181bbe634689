//! Command lines of the companion programs that clap reads.

use std::ffi::OsString;
use std::io::{self, Write};

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
        // Who closed the pipe has seen what he wanted.
        (false, Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::OK,
        (_, Err(_)) => Exit::IOERR,
        (true, Ok(())) => Exit::USAGE,
        (false, Ok(())) => Exit::OK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    struct Args {}

    struct Closed(io::ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn help_into_a_closed_pipe_is_no_fault() {
        let exit = |word: &str, kind| {
            parse::<Args>(vec!["x".into(), word.into()], &mut Closed(kind), &mut Closed(kind)).unwrap_err()
        };
        assert_eq!(exit("--help", io::ErrorKind::BrokenPipe), Exit::OK);
        assert_eq!(exit("--help", io::ErrorKind::StorageFull), Exit::IOERR);
        assert_eq!(exit("--wrong", io::ErrorKind::BrokenPipe), Exit::IOERR);
    }
}
