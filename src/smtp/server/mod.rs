//! The server session.
//!
//! In: command lines and the outcomes of what was asked for. Out: replies, log lines, and what to do next. Documents: RFC
//! 5321 §3, §4; op guide 5.6 (privacy flags, limits); observed replies. Never: reads a socket, runs a ruleset or writes a
//! file itself; `drive` does.
//!
//! *Refused session*: one whose client was turned away (`check_relay`, talked too early); it goes on, but every command
//! that matters gets the same refusal.

pub mod auth;
pub mod counters;
pub mod data;
pub mod drive;
pub mod etrn;
pub mod filter;
pub mod greet;
pub mod helo;
pub mod mail;
pub mod note;
pub mod rcpt;
pub mod session;
pub mod setting;
pub mod starttls;
pub mod verb;
pub mod vrfy;

#[cfg(test)]
mod tests;

pub use note::Note;
pub use session::{Action, Input, Session};
pub use setting::{Client, Setting};
