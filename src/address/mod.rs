//! Addresses as text and as tokens.
//!
//! In: bytes of an address, a header value, a workspace. Out: tokens, phrases, lists, mailboxes. Documents: RFC 5321
//! §4.1.2, RFC 5322 §3.4, op guide 5.1 (tokens). Never: knows a mailer or a ruleset.
