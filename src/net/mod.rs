//! The network: names, TLS, SASL, ident.
//!
//! In: names, sockets, key files. Out: addresses, encrypted streams, what is known about a peer. Documents: RFC 5321 §5.1,
//! RFC 3207, RFC 8446, RFC 1413. Never: knows a configuration file; settings come as values.

pub mod dns;
pub mod ident;
pub mod sasl;
pub mod tls;
