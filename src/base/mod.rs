//! Values every other folder may use.
//!
//! In: bytes and numbers. Out: typed values and their text. Documents: RFC 3463 (enhanced status codes), RFC 3461 §4
//! (xtext), RFC 5322 §3.3 (dates), sysexits(3). Never: touches the operating system.

pub mod base64;
pub mod bytes;
pub mod date;
pub mod domain;
pub mod exit;
pub mod letters;
pub mod limits;
pub mod status;
pub mod table;
pub mod time;
pub mod xtext;
