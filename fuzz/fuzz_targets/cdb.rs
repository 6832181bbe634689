//! Any bytes as a constant database: answers or errors, in bounded time and memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sendmail::maps::file::{Database, Kind};

fuzz_target!(|bytes: &[u8]| {
    let Ok(database) = Database::from_bytes(Some(Kind::Cdb), bytes.to_vec()) else { return };
    let mut keys = vec![b"k".to_vec(), Vec::new()];
    let _ = database.for_each(&mut |key, _| {
        keys.push(key.to_vec());
        keys.len() < 50
    });
    for key in &keys {
        let _ = database.get(key);
        let _ = database.each_value(key, &mut |_| {});
    }
});
