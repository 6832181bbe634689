//! Filters: programs that see a session as it goes on and may refuse or change what comes in.
//!
//! In: what a client said and what a message holds. Out: decisions, and edits of header, body and envelope. Documents: the
//! milter protocol, versions 2 to 6 (libmilter's manual); op guide 5.11 (`X` lines), 5.6 (`InputMailFilters`,
//! `Milter.…`). Never: applies an edit to an envelope, writes a queue file or answers a client itself.
//!
//! *Step*: one thing a filter is told of. *Decision*: what the filters together say to it. *Edit*: a change that a filter
//! asks for at the end of a message. *Done*: a filter that said its last word about a message; *over*: about a session.

pub mod drive;
pub mod edit;
pub mod lines;
pub mod reply;
pub mod session;
pub mod stage;
pub mod wire;

use bytes::Bytes;

/// What the filters say to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Continue,
    /// Refuse, with the words that fit the step.
    Reject,
    /// Refuse for now.
    TempFail,
    /// Take it and throw it away.
    Discard,
    /// Refuse with this reply: lines as the filter gave them.
    Reply(Bytes),
    /// End the session.
    Shutdown,
}
