//! sendmail-msp.

fn main() {}
