//! Everything loaded: configuration, compiled rules, maps, TLS contexts, resolver, queue. One `Arc`, replaced as a whole.
//!
//! In: a cf path and command-line options. Out: a `Site`. Documents: op guide 2.5. Never: changes once loaded.
//!
