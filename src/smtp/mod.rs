//! SMTP: the protocol, the server session, the client session.
//!
//! In: bytes of a peer. Out: replies, envelopes, outcomes. Documents: RFC 5321, 1870, 2034, 2920, 3207, 3461, 6152. Never:
//! touches a queue file itself.

pub mod client;
pub mod data;
pub mod extension;
pub mod help;
pub mod line;
pub mod reply;
pub mod server;
pub mod verbs;
