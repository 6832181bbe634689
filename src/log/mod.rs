//! Log lines and debug output.
//!
//! In: what happened. Out: lines in the original's form to syslog. Documents: op guide 2.1, RFC 3164. Never: blocks a
//! session on a slow log for longer than the socket does.
