//! What only root may do, and what is done as somebody else.
//!
//! In: typed requests. Out: descriptors, running programs, bytes. Documents: op guide 4.8, PRIVILEGES in the design. Never:
//! parses what came from the network, calls TLS or DNS code.
