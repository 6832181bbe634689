//! The control file, version 8.
//!
//! Shape: one field a line, its letter first ([`fields::FIELDS`]); a header may go on in lines that begin with white space;
//! a lone dot ends the file. A macro reference inside a header is the octet 0x81 and the macro's letter; 0xff quotes
//! the next octet.

pub mod fields;
pub mod quarantine;
pub mod read;
pub mod write;

use std::sync::{Arc, PoisonError, RwLock};

use crate::config::Config;
use crate::macros::{MacroId, MacroTable, NameTable, names};

pub use read::read;
pub use write::render;

/// What reading and writing need to know of the configuration.
#[derive(Debug, Clone)]
pub struct Codec {
    /// Names of macros: those of the configuration, and those that only control files know, which an earlier
    /// configuration may have left there.
    names: Arc<RwLock<NameTable>>,
    /// Values that an envelope's own lie on.
    pub base: Arc<MacroTable>,
    /// Macros kept in the file, in the order they are written.
    pub persistent: Vec<MacroId>,
}

impl Codec {
    /// From a configuration.
    pub fn new(config: &Config) -> Self {
        let mut persistent =
            vec![names::CLIENT_INFO, names::PROTOCOL, names::HELO, names::DAEMON_FLAGS, names::IF_ADDR];
        for name in config.classes.members(names::PERSISTENT_MACROS) {
            let bare = name.strip_prefix(b"{").and_then(|n| n.strip_suffix(b"}")).unwrap_or(name);
            if let Some(id) = config.names.lookup(bare)
                && !persistent.contains(&id)
            {
                persistent.push(id);
            }
        }
        Self { names: Arc::new(RwLock::new(config.names.clone())), base: Arc::clone(&config.macros), persistent }
    }

    /// The macro of that name; `None` when there cannot be one.
    fn macro_of(&self, name: &[u8]) -> Option<MacroId> {
        // Other names could not be written as they were read.
        if !name.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        if let Some(known) = self.names.read().unwrap_or_else(PoisonError::into_inner).lookup(name) {
            return Some(known);
        }
        self.names.write().unwrap_or_else(PoisonError::into_inner).intern(name).ok()
    }

    /// The name of a macro as a file has it.
    fn shown(&self, id: MacroId) -> String {
        self.names.read().unwrap_or_else(PoisonError::into_inner).shown(id)
    }
}

/// Where the df is: what a control file says of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct DataFile<'a> {
    /// Its directory, when it is not the control file's.
    pub directory: Option<&'a [u8]>,
    /// Its device (major and minor) and inode, once it is known to lie on disk.
    pub inode: Option<(u64, u64, u64)>,
}

/// What is wrong with a control file. The words are the original's where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No final dot: written by a process that died.
    #[error("incomplete queue file read")]
    Incomplete,
    /// A version that is newer than ours.
    #[error("Version number in queue file ({0}) greater than max (8)")]
    Version(i64),
    /// A line with a letter that has no meaning, and its number.
    #[error("line {0}: bad line \"{1}\"")]
    BadLine(usize, String),
    /// Text behind the end: somebody wrote where he should not.
    #[error("SECURITY ALERT: extra or bogus data in queue file: {0}")]
    Extra(String),
    /// A NUL byte or a line that is too long.
    #[error("SECURITY ALERT: bogus qf line {0}")]
    Bogus(String),
    /// Wrong owner or permission bits, or not a plain file.
    #[error("bogus queue file, uid={uid}, gid={gid}, mode={mode:o}")]
    Ownership {
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
        /// Type and permission bits.
        mode: u32,
    },
    /// Larger than any control file we write.
    #[error("queue file too large")]
    TooLarge,
    /// Instead of the body lies something that is no file.
    #[error("no data file")]
    NoBody,
}

impl Fault {
    /// Why the file is set aside as `Qf…`; `None` when it is left alone, because its writer may not be done.
    pub fn loss(&self) -> Option<&'static str> {
        match self {
            Self::Incomplete => None,
            Self::Version(_) => Some("unsupported queue file version"),
            Self::BadLine(..) => Some("unrecognized line"),
            Self::Extra(_) | Self::Bogus(_) => Some("bogus queue line"),
            Self::Ownership { .. } => Some("bogus file uid/gid in mqueue"),
            Self::TooLarge => Some("queue file too large"),
            Self::NoBody => Some("no data file"),
        }
    }

    /// The complaint, with the file's name where the original names it.
    pub fn text(&self, name: &str) -> String {
        match self {
            Self::Incomplete | Self::BadLine(..) => format!("readqf: {name}: {self}"),
            _ => self.to_string(),
        }
    }
}

/// Octet that stands for `$` in headers.
const MACRO: u8 = 0x81;
/// Octet in front of one that would mean something else: 0x80 to 0x9f, and itself. Source: observed.
const QUOTE: u8 = 0xff;
/// Mode letters of `BY=` and their bits in a `!` line. Source: observed.
const DELIVER_BY: &[(u8, u8)] = &[(b'N', 0x01), (b'R', 0x02), (b'T', 0x10)];
/// How the null sender of a report is written. Source: observed.
const NULL_SENDER: &[u8] = b"MAILER-DAEMON";
