//! Submission: the client queue and the daemon on port 587.
//!
//! In: messages of local users and of mail programs. Out: messages handed to the MTA. Documents: RFC 6409, op guide 4.8
//! and SECURITY of the original. Never: needs root.
