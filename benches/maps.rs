//! Map files: a million keys written, and looked up in an order that knows nothing of the file.
//!
//! `cargo bench --bench maps`. The program's aim: below 1.8 microseconds a lookup, and a file written in less time than the
//! original's makemap needs. An argument sets how many keys there are.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench that cannot measure has nothing to say")]

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use sendmail::maps::file::build::{Duplicates, Entries};
use sendmail::maps::file::{Database, Kind};

fn main() {
    let count = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(1_000_000u32);
    let key = |n: u32| format!("user{n:07}@domain{}.example", n % 977);
    let mut entries = Entries::default();
    for n in 0..count {
        entries.push(key(n).as_bytes(), format!("mailbox{n}@host{}.internal.example", n % 13).as_bytes(), n + 1);
    }
    for kind in [Kind::Hash, Kind::Btree, Kind::Cdb] {
        let file = tempfile::tempfile().unwrap();
        let start = Instant::now();
        entries.write(kind, Duplicates::Refuse, &file).unwrap();
        let written = start.elapsed();
        let database = Database::open_as(Some(kind), file).unwrap();
        // A step that has no factor in common with the number of keys visits all of them.
        let keys: Vec<String> = (0..count).map(|n| key((n.wrapping_mul(2_654_435)) % count)).collect();
        print!("{:6} {count} keys: written in {:.2} s;", kind.name(), written.as_secs_f64());
        // The first round meets pages that were not looked at before.
        for round in ["first", "second"] {
            let (start, work) = (Instant::now(), processor_time());
            let found = keys.iter().filter(|key| database.get(key.as_bytes()).unwrap().is_some()).count();
            assert_eq!(found, keys.len());
            let of_one = |whole: Duration| whole.as_secs_f64() * 1e9 / f64::from(count);
            let (passed, worked) = (of_one(start.elapsed()), of_one(processor_time().checked_sub(work).unwrap()));
            print!(" {round} round {passed:.0} ns a lookup, {worked:.0} ns of processor time;");
        }
        println!();
    }
}

/// What this thread has used so far: tells the work apart from that of other programs.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}
