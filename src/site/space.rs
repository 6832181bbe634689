//! Room in the queue, as `MinFreeBlocks` wants it.

use super::Site;
use crate::sys::load;

/// A queue that has too little room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// Bytes that were asked for.
    pub bytes: i64,
    /// `MinFreeBlocks`.
    pub least: i64,
    /// Blocks that are free.
    pub free: i64,
    /// The queue directory.
    pub directory: String,
}

impl Shortage {
    /// The line of the log; `client` is who wanted the room. Source: observed.
    pub fn line(&self, client: &str) -> String {
        let Self { bytes, least, free, directory } = self;
        format!("low on space ({client} needs {bytes} bytes + {least} blocks in {directory}), max avail: {free}")
    }
}

impl Site {
    /// What the queue lacks for a message of `bytes` (0: unknown) and `MinFreeBlocks` beside it; `None` when it has room, and
    /// when nobody can tell. Source: op guide 5.6 (MinFreeBlocks).
    pub fn shortage(&self, bytes: i64) -> Option<Shortage> {
        let (bytes, least) = (bytes.max(0), self.config.options.min_free_blocks.max(0));
        if bytes == 0 && least == 0 {
            return None;
        }
        let directory = self.spool().ok()?.path_of(0)?.to_owned();
        let space = load::space(&directory).ok()?;
        let free = i64::try_from(space.free_blocks).unwrap_or(i64::MAX);
        let block = i64::try_from(space.block_bytes).unwrap_or(i64::MAX).max(1);
        let is_low = least.saturating_add(bytes / block) > free;
        is_low.then(|| Shortage { bytes, least, free, directory: directory.display().to_string() })
    }
}
