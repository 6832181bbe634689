//! The operating system.
//!
//! In: paths, descriptors, users. Out: the same, checked. Documents: POSIX, the man pages named in each file. Never: knows
//! mail. `unsafe` lives here alone, one file per foreign interface.
