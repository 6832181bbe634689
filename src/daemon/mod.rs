//! The daemon: listeners, sessions, queue runs, signals.
//!
//! In: a loaded site, signals. Out: running sessions and attempts until it is told to stop. Documents: op guide 2.4–2.6.
//! Never: parses what a peer says.
