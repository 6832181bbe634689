//! Now, the monotonic clock, and time zones.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;

use super::file;
use crate::base::time::UnixTime;

/// Seconds since the epoch.
pub fn now() -> UnixTime {
    UnixTime(i64::try_from(since_epoch().as_secs()).unwrap_or(i64::MAX))
}

/// Time since the epoch with its fraction.
#[allow(clippy::disallowed_methods, reason = "this is the function that others are sent to")]
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A point on a clock that never goes back; for intervals and deadlines.
pub fn monotonic() -> Instant {
    Instant::now()
}

/// The machine's zone: `/etc/localtime`, whatever `TZ` says; UTC when there is none. Read once.
pub fn system_zone() -> TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    ZONE.get_or_init(|| {
        let Ok(data) = file::read_following("/etc/localtime".as_ref(), ZONE_FILE_LIMIT) else { return TimeZone::UTC };
        TimeZone::tzif("", &data).unwrap_or(TimeZone::UTC)
    })
    .clone()
}

/// The zone that a `TZ` value names: a name of the zone database, a POSIX rule, or `:path`; the system's zone for an
/// empty value; UTC for one that means nothing, as tzset(3) does.
pub fn named_zone(spec: &[u8]) -> TimeZone {
    let Ok(text) = std::str::from_utf8(spec) else { return TimeZone::UTC };
    let name = text.strip_prefix(':').unwrap_or(text);
    if name.is_empty() {
        return TimeZone::UTC;
    }
    if name.starts_with('/') {
        return file::read_following(name.as_ref(), ZONE_FILE_LIMIT)
            .ok()
            .and_then(|data| TimeZone::tzif("", &data).ok())
            .unwrap_or(TimeZone::UTC);
    }
    // Without a rule the days are those of the C library.
    let with_rule = || TimeZone::posix(&format!("{name},M3.2.0,M11.1.0"));
    TimeZone::get(name).or_else(|_| TimeZone::posix(name)).or_else(|_| with_rule()).unwrap_or(TimeZone::UTC)
}

/// The zone of the caller's `TZ`; the system's when it is unset.
pub fn caller_zone() -> TimeZone {
    super::env::var("TZ").map_or_else(system_zone, |tz| named_zone(tz.as_encoded_bytes()))
}

const ZONE_FILE_LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::date;

    #[test]
    fn a_posix_rule_names_a_zone() {
        assert_eq!(date::rfc822(UnixTime(1_795_334_727), &named_zone(b"CET-1")), "Sun, 22 Nov 2026 09:05:27 +0100");
        assert_eq!(date::rfc822(UnixTime(1_795_334_727), &named_zone(b"XST5XDT")), "Sun, 22 Nov 2026 03:05:27 -0500");
        assert_eq!(named_zone(b"no such zone"), TimeZone::UTC);
    }
}
