//! The environment and arguments that the program was started with.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// A variable of the environment.
#[allow(clippy::disallowed_methods, reason = "this is the function that others are sent to")]
pub fn var(name: impl AsRef<OsStr>) -> Option<OsString> {
    std::env::var_os(name)
}

/// All variables, in the order in which they stand.
pub fn vars() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

/// Arguments, the program's name first.
pub fn args() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// The file that this program runs from, also after it was renamed or replaced.
pub fn own_executable() -> PathBuf {
    // Not the path: an upgrade may have put another version there, whose role arguments differ.
    PathBuf::from("/proc/self/exe")
}

/// The path that this program was started from, for a restart that is to take up a new version.
pub fn own_path() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

/// The working directory.
pub fn current_directory() -> std::io::Result<PathBuf> {
    std::env::current_dir()
}
