//! mail-local.

fn main() {}
