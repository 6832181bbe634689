//! What the tests stand on: a folder with a configuration, daemons, a next hop that does as told, a client.

pub mod client;
pub mod daemon;
pub mod fake_dns;
pub mod fake_host;
pub mod fake_milter;
pub mod mask;
pub mod private_etc;
pub mod sandbox;
pub mod tls;

use std::time::{Duration, Instant};

/// Waits until `met` says yes; fails the test when that takes longer than `limit`.
#[track_caller]
pub fn until(limit: Duration, what: &str, mut met: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !met() {
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Long enough for a busy machine; nothing waits this long when all is well.
pub const LIMIT: Duration = Duration::from_secs(40);
