//! Maps: lookups by name.
//!
//! In: a key and arguments. Out: a value, a miss, or a temporary failure. Documents: op guide 5.7. Never: changes what a
//! map holds, except that `makemap` and `newaliases` write whole files.
