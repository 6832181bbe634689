//! flock(2), as the original locks queue, map and mailbox files.

use std::fs::File;
use std::io;
use std::thread;
use std::time::Duration;

use super::clock;

/// Kind of lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Several holders that read.
    Shared,
    /// One holder.
    Exclusive,
}

/// Takes the lock; waits until it is free. It goes with the last descriptor of the open file.
pub fn lock(file: &File, kind: Kind) -> io::Result<()> {
    loop {
        let result = match kind {
            Kind::Shared => file.lock_shared(),
            Kind::Exclusive => file.lock(),
        };
        match result {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Takes the lock when it is free; false when another holds it.
pub fn try_lock(file: &File, kind: Kind) -> io::Result<bool> {
    let result = match kind {
        Kind::Shared => file.try_lock_shared(),
        Kind::Exclusive => file.try_lock(),
    };
    match result {
        Ok(()) => Ok(true),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(e)) => Err(e),
    }
}

/// Takes the lock, trying for at most `limit`; false when it was never free.
pub fn lock_within(file: &File, kind: Kind, limit: Duration) -> io::Result<bool> {
    let start = clock::monotonic();
    loop {
        if try_lock(file, kind)? {
            return Ok(true);
        }
        if start.elapsed() >= limit {
            return Ok(false);
        }
        thread::sleep(PAUSE);
    }
}

/// Gives the lock back.
pub fn unlock(file: &File) -> io::Result<()> {
    file.unlock()
}

const PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_open_file_does_not_get_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let one = File::create(&path).unwrap();
        let two = File::options().read(true).open(&path).unwrap();
        assert!(try_lock(&one, Kind::Exclusive).unwrap());
        assert!(!try_lock(&two, Kind::Exclusive).unwrap());
        assert!(!lock_within(&two, Kind::Shared, Duration::ZERO).unwrap());
        unlock(&one).unwrap();
        lock(&two, Kind::Shared).unwrap();
        assert!(try_lock(&one, Kind::Shared).unwrap());
    }
}
