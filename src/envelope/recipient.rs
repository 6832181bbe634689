//! Recipients.

use bytes::Bytes;

use crate::base::status::Status;
use crate::base::time::UnixTime;
use crate::config::MailerId;

/// Where ruleset 0 sends an address. Source: op guide 5.1.1 ($#).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triple {
    /// Mailer.
    pub mailer: MailerId,
    /// Host (`$h`); empty when the mailer needs none. Several hosts are separated by colons.
    pub host: Bytes,
    /// User (`$u`).
    pub user: Bytes,
}

/// `NOTIFY=` of RCPT; without it failures and delays are reported. Source: RFC 3461 §4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notify {
    /// The parameter was given.
    pub is_given: bool,
    /// `SUCCESS`.
    pub success: bool,
    /// `FAILURE`.
    pub failure: bool,
    /// `DELAY`.
    pub delay: bool,
}

impl Notify {
    /// Nothing is reported.
    pub const NEVER: Self = Self { is_given: true, success: false, failure: false, delay: false };
}

impl Default for Notify {
    fn default() -> Self {
        Self { is_given: false, success: false, failure: true, delay: true }
    }
}

/// For whom files and programs are touched: the user who owns the alias, `.forward` or `:include:` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controller {
    /// Login name.
    pub user: Bytes,
    /// User number.
    pub uid: u32,
    /// Group number.
    pub gid: u32,
    /// The address that brought this user in (`ctladdr=`).
    pub address: Bytes,
}

/// How far delivery to a recipient has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// To be tried.
    #[default]
    Queued,
    /// Delivered, relayed or expanded: nothing more to do but reports.
    Sent,
    /// Replaced by what its alias, list or `.forward` expands to.
    Expanded,
    /// Failed for good.
    Failed,
    /// The same as another recipient of this envelope.
    Duplicate,
    /// Dropped by a ruleset.
    Discarded,
}

/// A recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Address as the queue file and `to=` show it (`<a@b>`, `"|prog"`, `bob`).
    pub address: Bytes,
    /// Where it goes; `None` until it was resolved.
    pub route: Option<Triple>,
    /// It has a route, but its aliases, lists and `.forward` were not looked at yet.
    pub is_open: bool,
    /// State.
    pub state: State,
    /// `NOTIFY=`.
    pub notify: Notify,
    /// `ORCPT=` as `type;address`, xtext (`Q`).
    pub original: Option<Bytes>,
    /// Final recipient for DSNs as `RFC822; address` (`r`).
    pub final_recipient: Option<Bytes>,
    /// Index in [`super::Envelope::recipients`] of the recipient that this one was expanded from.
    pub parent: Option<usize>,
    /// Whether it was named by the sender, not found by expansion (`P`).
    pub is_primary: bool,
    /// Whether it came out of an alias, so that it is not aliased again where that would loop (`A`).
    pub is_from_alias: bool,
    /// Controlling user (`C`).
    pub controller: Option<Controller>,
    /// Where it was read, when that was a file: `/etc/mail/list: line 3: `.
    pub place: Option<Bytes>,
    /// Owner of the list it came from, as a return address (`owner-LIST`); inherited by what it expands to.
    pub owner: Option<Bytes>,
    /// Status of the last attempt (`M` in front of the recipient), in words; what DSNs give as reason.
    pub message: Option<Bytes>,
    /// What was said of an address that the message was not taken for, with codes, for the transcript.
    pub complaint: Option<Bytes>,
    /// Enhanced code of the last attempt.
    pub status: Option<Status>,
    /// Reply of the server in the last attempt, for `Diagnostic-Code`.
    pub remote_reply: Option<Bytes>,
    /// Server that gave it, for `Remote-MTA`.
    pub remote_mta: Option<Bytes>,
    /// Exit code of a program that failed, for `Diagnostic-Code: X-Unix`.
    pub program_exit: Option<u8>,
    /// When it was last tried.
    pub last_try: Option<UnixTime>,
    /// What success meant, for success DSNs.
    pub success: Option<Success>,
}

/// Kinds of success. Source: RFC 3464 §2.3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Success {
    /// Into a mailbox.
    Delivered,
    /// To a next hop that promised to report by itself.
    Passed,
    /// To a next hop without DSN.
    Relayed,
    /// Expanded to several addresses.
    Expanded,
    /// To a mailing list with an owner.
    List,
    /// To the end of its way, or to a next hop without DELIVERBY: `BY=…;N`.
    ByNotify,
    /// To the end of its way, or to a next hop: `BY=…;…T`.
    ByTrace,
}

impl Recipient {
    /// A recipient named by the sender, not yet resolved.
    pub fn new(address: impl Into<Bytes>) -> Self {
        Self {
            address: address.into(),
            route: None,
            is_open: false,
            state: State::Queued,
            notify: Notify::default(),
            original: None,
            final_recipient: None,
            parent: None,
            is_primary: true,
            is_from_alias: false,
            controller: None,
            place: None,
            owner: None,
            message: None,
            complaint: None,
            status: None,
            remote_reply: None,
            remote_mta: None,
            program_exit: None,
            last_try: None,
            success: None,
        }
    }

    /// Whether it was named by the sender and only a lookup keeps it from having a route.
    pub fn waits(&self) -> bool {
        self.parent.is_none() && self.route.is_none() && self.state == State::Queued
    }

    /// The same of one that was named so, with or without angle brackets.
    pub fn waits_as(&self, path: &[u8]) -> bool {
        fn bare(path: &[u8]) -> &[u8] {
            path.strip_prefix(b"<").and_then(|path| path.strip_suffix(b">")).unwrap_or(path)
        }
        self.waits() && bare(&self.address).eq_ignore_ascii_case(bare(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_known_by_name() {
        let mut recipient = Recipient::new("<Joe@later.test>");
        for (path, is_meant) in
            [("<joe@later.test>", true), ("joe@LATER.test", true), ("jo@later.test", false), ("<joe@later.test", false)]
        {
            assert_eq!(recipient.waits_as(path.as_bytes()), is_meant, "{path}");
        }
        recipient.state = State::Sent;
        assert!(!recipient.waits() && !recipient.waits_as(b"joe@later.test"));
    }
}
