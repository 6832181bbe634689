//! Bytes as a Berkeley DB file: answers or errors, in bounded time and memory.

use sendmail::maps::file::{Database, Kind};

pub fn run(bytes: &[u8]) {
    look(None, bytes);
}

/// Asks a file everything that can be asked.
pub fn look(kind: Option<Kind>, bytes: &[u8]) {
    let Ok(database) = Database::from_bytes(kind, bytes.to_vec()) else { return };
    let mut keys = vec![b"k".to_vec(), b"key1".to_vec(), b"key200".to_vec(), Vec::new()];
    let mut seen = 0usize;
    let _ = database.for_each(&mut |key, value| {
        seen += key.len() + value.len();
        if keys.len() < 50 {
            keys.push(key.to_vec());
        }
        true
    });
    // A file whose pages are named over and over is circular: it cannot say much more than it holds.
    assert!(seen <= (bytes.len() + 4096) * 256, "{} bytes gave {seen}", bytes.len());
    let _ = database.has_duplicates();
    for key in &keys {
        let _ = database.get(key);
        let _ = database.each_value(key, &mut |_| {});
    }
}
