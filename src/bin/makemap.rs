//! makemap.

fn main() {}
