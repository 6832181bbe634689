//! Collecting: the text of a message, from its first header line to its end.
//!
//! In: blocks of DATA or of standard input, lines ended by LF. Out: a header list and a body, completed as the
//! configuration says. Documents: RFC 5322, RFC 5321 §4.5.2, op guide 5.5 (H lines). Never: commits or delivers.

pub mod fixup;
pub mod headers;
pub mod limits;
pub mod stdin;

pub use headers::{Collected, Collector};
pub use limits::{Fault, Limits};
