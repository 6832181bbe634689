//! The rewriting machine.
//!
//! In: rulesets, tokens, macro values. Out: rewritten tokens, and lookups for the driver to answer. Documents: op guide
//! 5.1. Never: waits; its driver does.
