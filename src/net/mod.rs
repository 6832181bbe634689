//! The network: names, TLS.
//!
//! In: names, sockets, key files. Out: addresses, encrypted streams, what is known about a peer. Documents: RFC 5321 §5.1,
//! RFC 3207, RFC 8446. Never: knows a configuration file; settings come as values.
