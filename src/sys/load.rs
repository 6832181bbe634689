//! Load average and free space.
#![allow(unsafe_code, reason = "getloadavg(3) has no safe wrapper")]

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::statvfs::{FsFlags, Statvfs, fstatvfs, statvfs};

use super::{clock, file};

/// Load average of the last minute, rounded to the nearest whole number as `QueueLA` and `RefuseLA` compare it; `None`
/// when the system does not tell.
///
/// Looked up once a second at most: the kernel counts it anew every five, and each session and each message asks.
pub fn average() -> Option<i64> {
    static KNOWN: Mutex<Option<(Instant, Option<i64>)>> = Mutex::new(None);
    let now = clock::monotonic();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match *known {
        Some((at, average)) if now.duration_since(at) < Duration::from_secs(1) => average,
        _ => {
            #[allow(clippy::cast_possible_truncation, reason = "a load average is small; the cast saturates")]
            let average = load().map(|load| load.round() as i64);
            *known = Some((now, average));
            average
        }
    }
}

fn load() -> Option<f64> {
    // Where there is no such file the C library knows another way.
    let told = file::read_following("/proc/loadavg".as_ref(), LOAD_BYTES).ok();
    let told = told.and_then(|text| std::str::from_utf8(&text).ok()?.split_whitespace().next()?.parse().ok());
    told.or_else(of_system)
}

fn of_system() -> Option<f64> {
    let mut values = [0f64; 1];
    // SAFETY: the array has room for the one value that is asked for.
    let count = unsafe { libc::getloadavg(values.as_mut_ptr(), 1) };
    (count == 1).then_some(values[0])
}

/// Most of `/proc/loadavg`.
const LOAD_BYTES: usize = 4096;

/// Space of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Blocks that an ordinary user may still take.
    pub free_blocks: u64,
    /// Size of a block, bytes.
    pub block_bytes: u64,
}

impl Space {
    /// Free space in bytes.
    pub fn free_bytes(self) -> u64 {
        self.free_blocks.saturating_mul(self.block_bytes)
    }

    fn of(stat: &Statvfs) -> Self {
        Self { free_blocks: stat.blocks_available(), block_bytes: stat.fragment_size() }
    }
}

/// Space of the file system that holds the path.
pub fn space(path: &Path) -> io::Result<Space> {
    Ok(Space::of(&statvfs(path)?))
}

/// Whether the file system that holds the path takes no writes; false when that cannot be told.
pub fn is_read_only(path: &Path) -> bool {
    statvfs(path).is_ok_and(|stat| stat.flags().contains(FsFlags::ST_RDONLY))
}

/// Space of the file system that holds the open file or directory.
pub fn space_at(fd: impl AsFd) -> io::Result<Space> {
    Ok(Space::of(&fstatvfs(fd)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_has_blocks_of_some_size() {
        assert!(space("/".as_ref()).unwrap().block_bytes > 0);
        assert!(average().is_none_or(|n| n >= 0));
    }
}
