//! What the engine may ask for.

use std::path::PathBuf;

use bytes::Bytes;

use crate::config::MailerId;
use crate::sys::file::Facts;
use crate::sys::safefile::{Fault, Purpose};
use crate::sys::spawn::Ended;

/// A kind of request.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Name, as in logs.
    pub name: &'static str,
    /// What is asked.
    pub asks: &'static str,
    /// What is checked before it is done.
    pub check: &'static str,
}

/// All requests. Whoever adds one adds its check in `check.rs`.
#[rustfmt::skip]
pub static REQUESTS: &[Row] = &[
    Row { name: "AppendAsUser", asks: "append a message to a file as a user", check: "the user; the file as itself, SafeFileEnvironment" },
    Row { name: "OpenListener", asks: "a listening socket", check: "the port stands in DaemonPortOptions" },
    Row { name: "OpenProtected", asks: "a file that only root may read", check: "safe-file rules of its purpose" },
    Row { name: "ReadAsUser", asks: "a .forward or :include: file", check: "safe-file rules, size, time" },
    Row { name: "RunMailer", asks: "the program of a mailer", check: "the mailer exists and names a program; the user; the root" },
    Row { name: "RunMapProgram", asks: "the program of a map", check: "a K line of class program names it" },
];

/// A mailer's program. Path, nice value and default user come from the mailer itself.
#[derive(Debug, Clone)]
pub struct RunMailer {
    /// The mailer.
    pub mailer: MailerId,
    /// Arguments, expanded, the name first.
    pub argv: Vec<Bytes>,
    /// Controlling user: user and group number.
    pub controller: Option<(u32, u32)>,
    /// Owner of the recipient's mailbox, which counts for mailers with `F=o`.
    pub owner: Option<(u32, u32)>,
    /// Working directories to try, expanded.
    pub directories: Vec<Bytes>,
    /// New root, expanded.
    pub root: Option<Bytes>,
    /// Whether the program speaks SMTP or LMTP, so that its standard error is kept apart.
    pub is_dialogue: bool,
}

/// A message for a file.
#[derive(Debug, Clone)]
pub struct AppendAsUser {
    /// The file.
    pub path: Bytes,
    /// The file mailer (`[FILE]`), for its `U=`; `None` for the built-in `*file*`.
    pub mailer: Option<MailerId>,
    /// Controlling user.
    pub controller: Option<(u32, u32)>,
}

/// A file to be read as its user.
#[derive(Debug, Clone)]
pub struct ReadAsUser {
    /// The file.
    pub path: PathBuf,
    /// [`Purpose::Forward`] or [`Purpose::Include`].
    pub purpose: Purpose,
    /// User and group who reads.
    pub user: (u32, u32),
    /// Most bytes.
    pub limit: usize,
}

/// A file of a user as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFile {
    /// Its text.
    pub text: Bytes,
    /// Facts about it: owner, mode.
    pub facts: Facts,
    /// What makes it unfit to name programs and files, though it may be read.
    pub is_unsafe: Option<Fault>,
}

/// A program map's question.
#[derive(Debug, Clone)]
pub struct MapProgram {
    /// Index in [`crate::config::Config::maps`].
    pub map: usize,
    /// The program and its fixed arguments, as in the K line.
    pub argv: Vec<Bytes>,
    /// What is looked up.
    pub arguments: Vec<Bytes>,
    /// Most bytes of an answer.
    pub limit: usize,
}

/// What a program said and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramOutput {
    /// How it ended.
    pub ended: Ended,
    /// What it wrote, cut at the limit.
    pub text: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_sorted() {
        assert!(REQUESTS.is_sorted_by_key(|r| r.name));
    }
}
