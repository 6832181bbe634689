//! How often a client did what clients do rarely.

use std::time::Duration;

/// Counts of one session.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counters {
    /// NOOP.
    pub noop: u64,
    /// HELO and EHLO.
    pub helo: u64,
    /// VRFY and EXPN.
    pub vrfy: u64,
    /// ETRN.
    pub etrn: u64,
    /// AUTH.
    pub auth: u64,
    /// Commands that mean nothing.
    pub bad: u64,
    /// Recipients refused in this transaction.
    pub bad_recipients: u64,
}

/// What a count leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// How long the reply waits.
    pub pause: Duration,
    /// Whether this is the time to log it.
    pub is_first: bool,
}

/// Adds one; past the limit each further one waits twice as long as the one before. A limit of 0 is none.
pub fn add(count: &mut u64, limit: u64) -> Option<Excess> {
    *count += 1;
    let over = count.checked_sub(limit).filter(|_| limit > 0)?;
    let seconds = 1u64.checked_shl(u32::try_from(over.min(32)).unwrap_or(32)).unwrap_or(u64::MAX).min(LONGEST_PAUSE);
    Some(Excess { pause: Duration::from_secs(seconds), is_first: over == 0 })
}

/// Introductions before a client is slowed down. Source: observed.
pub const MOST_HELO: u64 = 3;
/// VRFY and EXPN before a client is slowed down. Source: observed.
pub const MOST_VRFY: u64 = 6;
/// ETRN before a client is slowed down. Source: observed.
pub const MOST_ETRN: u64 = 8;
/// AUTH before a client is slowed down. Source: observed.
pub const MOST_AUTH: u64 = 7;
/// Unknown commands answered before the session is closed. Source: observed.
pub const MOST_BAD: u64 = 25;
/// Longest pause, seconds. Source: limits.
const LONGEST_PAUSE: u64 = 240;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_past_the_limit() {
        let mut count = 0;
        let pauses: Vec<Option<(u64, bool)>> =
            (0..12).map(|_| add(&mut count, 3).map(|e| (e.pause.as_secs(), e.is_first))).collect();
        assert_eq!(pauses[..6], [None, None, Some((1, true)), Some((2, false)), Some((4, false)), Some((8, false))]);
        assert_eq!(pauses[11], Some((240, false)));
        assert_eq!(add(&mut count, 0), None);
    }
}
