//! Collecting: the text of a message, from its first header line to its end.
//!
//! In: lines of DATA or of standard input. Out: a header list and a body, completed as the configuration says. Documents:
//! RFC 5322, RFC 5321 §4.5.2, op guide 5.5 (H lines). Never: commits or delivers.
