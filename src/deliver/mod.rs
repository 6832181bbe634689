//! Delivery: one envelope to its next hops, and what came of it.
//!
//! In: an envelope at rest. Out: an outcome per recipient, reports, a shorter or empty queue entry. Documents: op guide
//! 5.4 (mailers), RFC 5321 §5, RFC 3461 §5. Never: forgets a recipient without an outcome.
//!
//! A *batch* is what goes to one next hop in one transaction; an *agent* is what speaks to that next hop: a connection, a
//! program, a file.

pub mod body;
pub mod credentials;
pub mod deliver_by;
pub mod drive;
pub mod hops;
pub mod host_status;
pub mod hosts;
pub mod message;
pub mod outcome;
pub mod owners;
pub mod plan;
pub mod refusal;
pub mod retry;
pub mod settled;
