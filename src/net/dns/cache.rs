//! Answers kept for as long as they may be.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A bounded table of values that grow stale.
///
/// Never: grows past its bound; when full, stale entries go first, then everything.
pub struct Cache<K, V> {
    entries: Mutex<HashMap<K, (Instant, V)>>,
    bound: usize,
}

impl<K: std::hash::Hash + Eq, V: Clone> Cache<K, V> {
    /// An empty table for at most `bound` entries.
    pub fn new(bound: usize) -> Self {
        Self { entries: Mutex::new(HashMap::new()), bound }
    }

    /// The value, when it is still fresh at `now`.
    pub fn get(&self, key: &K, now: Instant) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).filter(|(until, _)| *until > now).map(|(_, value)| value.clone())
    }

    /// Keeps a value for `ttl`; not at all when that is zero.
    pub fn put(&self, key: K, value: V, ttl: Duration, now: Instant) {
        if ttl.is_zero() || self.bound == 0 {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.bound {
            entries.retain(|_, (until, _)| *until > now);
            if entries.len() >= self.bound {
                entries.clear();
            }
        }
        entries.insert(key, (now + ttl, value));
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl<K, V> std::fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cache(at most {})", self.bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_end_with_their_time_and_never_exceed_the_bound() {
        let cache = Cache::new(2);
        let now = Instant::now();
        cache.put(1, "a", Duration::from_secs(5), now);
        cache.put(2, "b", Duration::ZERO, now);
        assert_eq!((cache.get(&1, now), cache.get(&2, now)), (Some("a"), None));
        let later = now + Duration::from_secs(6);
        assert_eq!(cache.get(&1, later), None);
        for n in 3..9 {
            cache.put(n, "x", Duration::from_secs(60), later);
        }
        assert!(cache.entries.lock().unwrap().len() <= 2);
    }
}
