//! Maps: lookups by name.
//!
//! In: a key and arguments. Out: a value, a miss, or a temporary failure. Documents: op guide 5.7. Never: changes what a
//! map holds, except that `makemap` and `newaliases` write whole files.
//!
//! A *class* is a kind of map (`hash`, `regex`); a *map* is one declared under a name. Flags that all classes share (key
//! folding, `-m`, `-a` …) act in `set.rs`, once; a class sees the prepared key and returns the raw value.

pub mod alias_file;
pub mod aliases;
pub mod answer;
mod arith;
mod arpa;
pub mod class_words;
pub mod classes;
mod dequote;
pub mod file;
pub mod flags;
mod ldap;
mod open;
mod outside;
mod regex;
pub mod set;
mod stored;
pub mod userdb;

pub use answer::Answer;
pub use open::AliasName;
pub use set::{MapId, MapSet, Services};
