//! Roles of the executable that no command line of a user asks for; see [`crate::monitor::child`].

use std::process::ExitCode;

use crate::monitor::{role_from_args, run_role};
use crate::sys::env;

/// Runs a role when the arguments ask for one. The first thing in `main` of `sendmail` and `sendmail-msp`, before
/// anything is read or opened.
pub fn run_if_asked() -> Option<ExitCode> {
    role_from_args(&env::args()).map(|role| ExitCode::from(run_role(role).0))
}
