//! The load average, asked at most once a second.

use std::sync::Mutex;
use std::time::Duration;

use crate::sys::{clock, load};

/// Keeps the last answer.
#[derive(Debug, Default)]
pub(super) struct Load {
    last: Mutex<Option<(std::time::Instant, i64)>>,
}

impl Load {
    /// The load average now; 0 when the system does not say.
    pub(super) fn average(&self) -> i64 {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = clock::monotonic();
        if let Some((at, value)) = *last
            && now.duration_since(at) < Duration::from_secs(1)
        {
            return value;
        }
        let value = load::average().unwrap_or(0);
        *last = Some((now, value));
        value
    }
}
