//! What needs privileges: mailers, files of users, protected files, listening sockets.
//!
//! In: typed requests of the engine. Out: descriptors, bytes, exit codes. Documents: PRIVILEGES, ARCHITECTURE §1; op guide
//! 5.4 (`U=`, `F=S`), 5.6 (`DefaultUser`, `SafeFileEnvironment`). Never: parses anything that came from the network; names
//! TLS, DNS or SMTP code.
//!
//! [`Port`] is the face that the engine sees. Behind it requests are checked against the configuration (`check.rs`) and
//! served (`serve.rs`). What touches a file as another user is done by a *role*: a child of the same executable, started
//! as that user, because a process with threads never changes its identity.

pub mod append;
pub mod check;
pub mod child;
pub mod port;
pub mod request;
pub mod serve;

use std::io;

use crate::base::exit::Exit;
use crate::base::status::{Classify, Status};
use crate::sys::safefile::{self, Refusal};

pub use check::identity_of;
pub use child::{Role, role_from_args, run_role};
pub use port::{Appending, Dialogue, Port, Running, Waiting};
pub use request::{AppendAsUser, MapProgram, ProgramOutput, ReadAsUser, RunMailer, UserFile};

/// Why a request was not served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration does not allow it.
    #[error("not allowed: {0}")]
    Refused(String),
    /// A file did not pass its checks.
    #[error("{0}")]
    File(#[from] Refusal),
    /// A program could not be started.
    #[error("cannot exec {path}: {}", safefile::error_text(.source))]
    Start {
        /// The program.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Something of the system failed.
    #[error("{}", safefile::error_text(.0))]
    System(#[from] io::Error),
    /// It took too long.
    #[error("Timeout on file open")]
    TimedOut,
}

impl Error {
    /// The file does not exist.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::File(refusal) if refusal.is_absent())
    }
}

impl Classify for Error {
    fn status(&self) -> (u16, Status) {
        match self {
            Self::Refused(_) => (554, Status(5, 3, 5)),
            Self::File(refusal) if !refusal.is_temporary() => (550, Status(5, 0, 0)),
            Self::Start { source, .. }
                if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) =>
            {
                (554, Status(5, 3, 5))
            }
            _ => (451, Status(4, 3, 0)),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Refused(_) => Exit::CONFIG,
            Self::File(refusal) if !refusal.is_temporary() => Exit::CANTCREAT,
            Self::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::OSFILE,
            Self::Start { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => Exit::NOPERM,
            _ => Exit::TEMPFAIL,
        }
    }

    fn peer_text(&self) -> String {
        if self.is_temporary() { "Please try again later".to_owned() } else { "Local configuration error".to_owned() }
    }
}

#[cfg(test)]
pub(crate) mod tests_support {
    //! Configurations for the tests of this folder.

    use crate::base::letters::LetterSet;
    use crate::config::mailer::RulesetPair;
    use crate::config::{Config, Mailer};
    use bytes::Bytes;

    pub(crate) fn mailer_named(name: &'static str, path: &'static str, flags: &[u8]) -> Mailer {
        Mailer {
            name: Bytes::from_static(name.as_bytes()),
            path: Bytes::from_static(path.as_bytes()),
            flags: LetterSet::from_bytes(flags),
            sender: RulesetPair::default(),
            recipient: RulesetPair::default(),
            argv: Vec::new(),
            eol: Bytes::from_static(b"\n"),
            max_size: 0,
            max_messages: 0,
            max_recipients: 0,
            line_limit: 0,
            directory: None,
            user: None,
            nice: 0,
            charset: None,
            mta_type: Bytes::new(),
            address_type: Bytes::new(),
            diagnostic_type: Bytes::new(),
            wait: None,
            queue_group: None,
            root: None,
        }
    }

    pub(crate) fn config_with_mailers() -> Config {
        Config {
            mailers: vec![
                mailer_named("prog", "/bin/sh", b""),
                mailer_named("smtp", "[IPC]", b""),
                mailer_named("file", "[FILE]", b""),
            ],
            ..Config::default()
        }
    }

    pub(crate) fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }
}
