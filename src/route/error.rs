//! Why an address has no route.

use std::fmt;

use bytes::Bytes;

use crate::address::shortened_bytes;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::status::{Classify, Status};
use crate::envelope::Triple;

/// An address that cannot be delivered to, in the original's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct RouteError {
    /// Three-digit reply code.
    pub reply: u16,
    /// Enhanced code.
    pub status: Status,
    /// Exit code for a calling program.
    pub exit: Exit,
    /// The words alone (`User unknown`), without code and address.
    pub text: String,
    /// The address that failed, as shown in front of the words; it may have come out of an alias.
    pub address: Bytes,
    /// Where it stands, for one that was read from a file: `/etc/mail/list: line 3: `.
    pub place: String,
    /// Enhanced code that reports give, where it is not the reply's.
    pub reported: Option<Status>,
    /// What a rule gave the `error` mailer: host and user.
    pub by_mailer: Option<Box<(Bytes, Bytes)>>,
    /// It is the answer about a mailbox, which reports quote; anything else is a complaint about the address.
    pub is_answer: bool,
    /// Only a lookup failed for now. A queue run finds out what is right.
    pub waits: Option<Box<Waits>>,
}

/// An address that waits for the answer to a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// Where it leads without the answer.
    pub triple: Triple,
    /// What the queue says of it: `host map: lookup (down.test): deferred`. Source: observed.
    pub why: String,
}

impl RouteError {
    /// From its parts.
    pub fn new(reply: u16, status: Status, exit: Exit, text: impl Into<String>) -> Self {
        Self {
            reply,
            status,
            exit,
            text: text.into(),
            address: Bytes::new(),
            place: String::new(),
            reported: None,
            by_mailer: None,
            is_answer: false,
            waits: None,
        }
    }

    /// The words that go with an exit code.
    pub fn from_exit(exit: Exit) -> Self {
        match exit.row() {
            Some(row) => Self::new(row.reply, row.status, exit, row.text),
            None => Self::new(554, Status(5, 3, 0), exit, format!("unknown mailer error {}", exit.0)),
        }
    }

    /// `550 5.1.1 User unknown`.
    pub fn user_unknown() -> Self {
        Self { is_answer: true, ..Self::from_exit(Exit::NOUSER) }
    }

    /// The same for this address.
    #[must_use]
    pub fn at(mut self, address: &[u8]) -> Self {
        self.address = Bytes::copy_from_slice(address);
        self
    }

    /// The same for this address, unless it is about one already.
    #[must_use]
    pub fn or_at(self, address: &[u8]) -> Self {
        if self.address.is_empty() { self.at(address) } else { self }
    }

    /// `bob... User unknown`; the words alone when no address is known, and for codes that are not about one.
    ///
    /// Source: observed, for the codes that the error mailer may give.
    pub fn shown(&self) -> String {
        let words = if self.names_address() {
            format!("{}... {}", shown(&shortened_bytes(&self.address)), self.text)
        } else {
            self.text.clone()
        };
        format!("{}{words}", self.place)
    }

    /// Whether the words stand behind the address.
    pub fn names_address(&self) -> bool {
        !self.address.is_empty() && matches!(self.reply, 450 | 550 | 553)
    }

    /// `550 5.1.1 bob... User unknown`: the whole reply, and the line of a transcript.
    pub fn shown_line(&self) -> String {
        format!("{:03} {} {}", self.reply, self.status, self.shown())
    }

    /// What is said of the message as a whole.
    pub fn of_message(&self) -> String {
        if self.is_answer { self.text.clone() } else { self.shown() }
    }

    /// The enhanced code for reports.
    pub fn reported(&self) -> Status {
        self.reported.unwrap_or(self.status)
    }

    /// `550 5.1.1 User unknown`, as a line of a reply or transcript shows it.
    pub fn line(&self) -> String {
        format!("{:03} {} {}", self.reply, self.status, self.text)
    }
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Classify for RouteError {
    fn status(&self) -> (u16, Status) {
        (self.reply, self.status)
    }

    fn exit(&self) -> Exit {
        self.exit
    }

    fn peer_text(&self) -> String {
        self.text.clone()
    }

    /// Either the reply or, for what a rule decided, its exit code says so. Source: observed (error mailers where they disagree).
    fn is_temporary(&self) -> bool {
        self.reply < 500 || (self.by_mailer.is_some() && self.exit == Exit::TEMPFAIL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_some_codes_name_the_address() {
        for (reply, shown) in [(450, "a... x"), (550, "a... x"), (553, "a... x"), (554, "x"), (501, "x"), (551, "x")] {
            assert_eq!(RouteError::new(reply, Status(5, 0, 0), Exit::USAGE, "x").at(b"a").shown(), shown, "{reply}");
        }
    }

    #[test]
    fn exit_codes_bring_their_words() {
        assert_eq!(RouteError::user_unknown().line(), "550 5.1.1 User unknown");
        assert_eq!(RouteError::from_exit(Exit(127)).line(), "554 5.3.0 unknown mailer error 127");
        assert!(RouteError::from_exit(Exit::TEMPFAIL).is_temporary());
    }
}
