//! Routing: from an address to mailer, host and user; aliases, lists and `.forward` files; rewriting for a mailer.
//!
//! In: addresses of sessions, command lines, headers and queue files. Out: triples, expanded envelopes, rewritten
//! addresses. Documents: op guide 5.1 (rulesets 0–5), 4.2 (aliases), 4.4 (`.forward`); RFC 5321 §3.9. Never: opens a
//! connection, writes a file, decides when a message is tried.
//!
//! *Controlling user*: the one whose alias, list or `.forward` file brought a recipient in; files and programs are touched
//! as that user.

pub mod alias;
pub mod drive;
pub mod error;
pub mod list;
pub mod recipient;
pub mod triple;

pub use error::{RouteError, Waits};

use bytes::Bytes;

use crate::envelope::Triple;

/// An address as rulesets 3 and 0 (and 5) left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Where it goes.
    pub triple: Triple,
    /// Its text as the queue file and `to=` show it: as given, without phrase and comments.
    pub address: Bytes,
    /// Name of the local user's mailbox owner, when the mailer asks for one (`F=w`) and it was looked up.
    pub owner: Option<Owner>,
    /// Whether an alias exists for it, so that it stands for other addresses.
    pub is_alias: bool,
}

/// The user who owns a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Login name.
    pub name: Bytes,
    /// User number.
    pub uid: u32,
    /// Group number.
    pub gid: u32,
    /// Home directory.
    pub home: Bytes,
    /// Login shell.
    pub shell: Bytes,
    /// Full name, from the password file.
    pub real_name: Bytes,
}

/// Which address of a message is rewritten, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// In a header field; else in the envelope.
    pub in_header: bool,
    /// A sender; else a recipient.
    pub is_sender: bool,
}

#[allow(missing_docs, reason = "the names say it")]
impl Kind {
    pub const ENVELOPE_SENDER: Self = Self { in_header: false, is_sender: true };
    pub const ENVELOPE_RECIPIENT: Self = Self { in_header: false, is_sender: false };
    pub const HEADER_SENDER: Self = Self { in_header: true, is_sender: true };
    pub const HEADER_RECIPIENT: Self = Self { in_header: true, is_sender: false };

    /// `${addr_type}`. Source: op guide 5.2 (`e s`, `e r`, `h s`, `h r`).
    pub fn addr_type(self) -> &'static str {
        match (self.in_header, self.is_sender) {
            (false, true) => "e s",
            (false, false) => "e r",
            (true, true) => "h s",
            (true, false) => "h r",
        }
    }
}

/// How far an address is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Rulesets alone (deferred delivery mode).
    Rulesets,
    /// Also whether an alias or mailbox exists, without what it stands for (RCPT when delivery comes later).
    Existence,
    /// Everything that it stands for: interactive delivery, VRFY.
    Mailbox,
}
