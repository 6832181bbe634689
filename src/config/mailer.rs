//! `M` lines.

use std::time::Duration;

use bytes::Bytes;

use super::rules::RulesetId;
use super::values::UserSpec;
use crate::base::letters::LetterSet;
use crate::macros::Template;

/// Index of a mailer in [`super::Config::mailers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailerId(pub usize);

/// Rulesets of an `S=` or `R=` equate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RulesetPair {
    /// For envelope addresses.
    pub envelope: Option<RulesetId>,
    /// For header addresses.
    pub header: Option<RulesetId>,
}

/// A mailer. Source: op guide 5.4.
#[derive(Debug, Clone)]
pub struct Mailer {
    /// Name.
    pub name: Bytes,
    /// `P=`: program, `[IPC]` or `[FILE]`.
    pub path: Bytes,
    /// `F=`: flag letters, see [`super::mailer`] of the op guide; `LetterSet::has(b'm')`.
    pub flags: LetterSet,
    /// `S=`: sender rewriting.
    pub sender: RulesetPair,
    /// `R=`: recipient rewriting.
    pub recipient: RulesetPair,
    /// `A=`: argument vector; words are split at blanks before expansion.
    pub argv: Vec<Template>,
    /// `E=`: line ending.
    pub eol: Bytes,
    /// `M=`: largest message, bytes; 0 for any.
    pub max_size: i64,
    /// `m=`: messages per connection; 0 for any.
    pub max_messages: i64,
    /// `r=`: recipients per transaction; 0 for any.
    pub max_recipients: i64,
    /// `L=`: longest line, bytes; 0 for any.
    pub line_limit: usize,
    /// `D=`: working directories to try, colon separated.
    pub directory: Option<Template>,
    /// `U=`: user and group of the program.
    pub user: Option<UserSpec>,
    /// `N=`: nice increment.
    pub nice: i32,
    /// `C=`: character set of 8-bit mail from this mailer.
    pub charset: Option<Bytes>,
    /// `T=`: type of MTA for DSNs.
    pub mta_type: Bytes,
    /// `T=`: type of addresses for DSNs.
    pub address_type: Bytes,
    /// `T=`: type of diagnostics for DSNs.
    pub diagnostic_type: Bytes,
    /// `W=`: longest wait for the program to end.
    pub wait: Option<Duration>,
    /// `Q=`: default queue group.
    pub queue_group: Option<Bytes>,
    /// `/=`: new root directory.
    pub root: Option<Template>,
}

impl Mailer {
    /// Whether the mailer has the flag letter.
    pub fn has(&self, flag: u8) -> bool {
        self.flags.has(flag)
    }

    /// Whether mail leaves through a network connection.
    pub fn is_network(&self) -> bool {
        self.path.as_ref() == b"[IPC]"
    }

    /// Whether mail is appended to a file.
    pub fn is_file(&self) -> bool {
        self.path.as_ref() == b"[FILE]"
    }
}
