//! TLS for both sides.
//!
//! In: key material and lists as values, plain streams. Out: encrypted streams and what is known about the peer.
//! Documents: RFC 3207, RFC 8446, op guide §5.3. Never: reads a key file, asks for a pass phrase, decides what a
//! verification result means for mail (rulesets do).
