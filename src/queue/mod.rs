//! The queue: durable messages.
//!
//! In: envelopes and bodies. Out: the same, after any crash. Documents: op guide 2.3 and appendix B (queue files), RFC
//! 5321 §4.5.4, §6.1 (responsibility). Never: delivers.
//!
//! A message in the queue is a *qf* (control file: envelope and header) and a *df* (body). A *tf* is a qf being written,
//! an *hf* a quarantined qf, a *Qf* one that was found damaged and set aside, an *xf* a transcript.
//! A daemon keeps what it delivers at once in a *journal* instead, until it is delivered or comes to rest.

pub mod drive;
pub mod journal;
pub mod list;
pub mod order;
pub mod qf;
pub mod schedule;
pub mod waiting;

use std::io;
use std::path::PathBuf;

use crate::base::exit::Exit;
use crate::base::status::{Classify, Status};
use crate::envelope::QueueId;
use crate::log::{Id, Logger, Priority};

/// What can go wrong in the queue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of a message could not be read, written, synced or renamed.
    #[error("{name}: cannot {action}: {source}")]
    File {
        /// What was to be done.
        action: &'static str,
        /// File name as `qfID` or `dfID`.
        name: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A queue directory cannot be used.
    #[error("can not chdir({}/): {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A control file that cannot be trusted.
    #[error("{}", fault.text(name))]
    Damaged {
        /// The message.
        id: QueueId,
        /// Its control file, as `./qfID`.
        name: String,
        /// What is wrong with it.
        fault: qf::Fault,
    },
    /// The queue is being closed.
    #[error("queue is closed")]
    Closed,
}

impl Error {
    /// The disk, or the share of its user, is full.
    pub fn is_out_of_space(&self) -> bool {
        let Self::File { source, .. } = self else { return false };
        matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }

    /// Writes what an operator must know; `id` is the message that was worked on.
    pub fn log(&self, log: &Logger, id: Id<'_>) {
        let Self::Damaged { name, fault, .. } = self else { return log.system_error(id, "root", self) };
        if let qf::Fault::Ownership { .. } = fault {
            log.write_always(Priority::Alert, id, fault);
        } else {
            log.system_error(id, "root", self);
        }
        if let Some(reason) = fault.loss() {
            log.write_always(Priority::Alert, id, format_args!("Losing {name}: {reason}"));
        }
    }
}

impl Classify for Error {
    /// Without space the connection ends, as the original ends it; observed.
    fn status(&self) -> (u16, Status) {
        if self.is_out_of_space() { (421, Status(4, 3, 1)) } else { (451, Status(4, 3, 0)) }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Directory { .. } => Exit::CONFIG,
            Self::File { .. } | Self::Closed => Exit::IOERR,
            Self::Damaged { .. } => Exit::SOFTWARE,
        }
    }

    fn peer_text(&self) -> String {
        if self.is_out_of_space() { "Out of disk space for temp file" } else { "queue file write error" }.to_owned()
    }
}

/// What kind of control file a message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `qf`: to be delivered.
    Normal,
    /// `hf`: quarantined.
    Quarantined,
    /// `Qf`: damaged, set aside.
    Lost,
}

impl Kind {
    /// First letter of the control file's name; the second is `f`.
    pub fn letter(self) -> char {
        match self {
            Self::Normal => 'q',
            Self::Quarantined => 'h',
            Self::Lost => 'Q',
        }
    }
}

/// A message found in a queue directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Queue id.
    pub id: QueueId,
    /// Its queue group in the configuration.
    pub group: usize,
    /// Number of the queue directory in the spool.
    pub directory: usize,
    /// Its control file.
    pub kind: Kind,
    /// What a scheduler needs from the control file; `None` when it could not be read.
    pub summary: Option<order::Summary>,
}
