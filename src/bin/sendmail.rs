//! sendmail.

fn main() {}
