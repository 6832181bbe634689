//! The operating system.
//!
//! In: paths, descriptors, names. Out: bytes, files, users, children, sockets, time. Documents: the manual pages of each
//! call; op guide 5.6 (`DontBlameSendmail`). Never: knows what a message, an option or a mailer is.
//!
//! `unsafe` stands only here, one file per foreign interface. Files are opened relative to a directory descriptor and
//! judged on the descriptor; children start with an environment built from nothing and their own descriptors only.

pub mod allocator;
pub mod clock;
pub mod daemonize;
pub mod env;
pub mod file;
pub mod handover;
pub mod host;
pub mod load;
pub mod lock;
pub mod nice;
pub mod openssl_extra;
pub mod posix;
pub mod safefile;
pub mod sasl;
pub mod signal;
pub mod socket;
pub mod spawn;
pub mod title;
pub mod user;
