//! The queue: durable messages.
//!
//! In: envelopes and bodies. Out: the same, after any crash. Documents: op guide 2.3 and appendix B (queue files), RFC
//! 5321 §4.5.4, §6.1 (responsibility). Never: delivers.
