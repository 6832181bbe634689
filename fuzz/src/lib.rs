//! What each fuzz target does with its bytes. `fuzz_targets/NAME.rs` gives them to libFuzzer, `tests/fuzz.rs` of the program
//! gives them inputs that once found something.
//!
//! A target may panic for one reason only: the program broke a promise.

pub mod address;
pub mod berkeley_db;
pub mod cdb;
pub mod cf;
pub mod dns;
pub mod journal;
pub mod makemap;
pub mod map_round_trip;
pub mod milter;
pub mod mime;
pub mod names;
pub mod parameters;
pub mod qf;
pub mod rewriting;
pub mod smtp_client;
pub mod smtp_data;
pub mod smtp_server;
pub mod texts;
pub mod tls;

mod input;

/// A target: its name, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, sorted by name.
pub const TARGETS: &[Target] = &[
    ("address", address::run),
    ("berkeley_db", berkeley_db::run),
    ("cdb", cdb::run),
    ("cf", cf::run),
    ("dns", dns::run),
    ("journal", journal::run),
    ("makemap", makemap::run),
    ("map_round_trip", map_round_trip::run),
    ("milter", milter::run),
    ("mime", mime::run),
    ("names", names::run),
    ("parameters", parameters::run),
    ("qf", qf::run),
    ("rewriting", rewriting::run),
    ("smtp_client", smtp_client::run),
    ("smtp_data", smtp_data::run),
    ("smtp_server", smtp_server::run),
    ("texts", texts::run),
    ("tls_client", tls::client),
    ("tls_server", tls::server),
];
