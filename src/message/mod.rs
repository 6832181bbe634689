//! Messages: header fields, bodies, MIME.
//!
//! In: bytes of a message. Out: a header list, fields, converted bodies. Documents: RFC 5322, RFC 2045–2047. Never:
//! rewrites an address or decides what a header means for delivery.

pub mod fields;
pub mod header;
pub mod mime;

pub use header::{Condition, Header, HeaderList, HeaderValue};
