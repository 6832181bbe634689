//! Dates as mail writes them.

use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::time::UnixTime;

/// RFC 5322 date: `Sun, 22 Nov 2026 09:05:27 +0100`, or `… GMT` where the offset is zero.
///
/// Source: observed (`$b`, trace fields, reports): the name of the zone does not appear.
pub fn rfc822(at: UnixTime, zone: &TimeZone) -> String {
    let t = zoned(at, zone);
    let form = if t.offset().is_zero() { "%a, %-d %b %Y %H:%M:%S GMT" } else { "%a, %-d %b %Y %H:%M:%S %z" };
    t.strftime(form).to_string()
}

/// `ctime(3)` form without the newline: `Sun Nov 22 08:05:27 2026` (the day padded with a blank).
pub fn ctime(at: UnixTime, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%a %b %e %H:%M:%S %Y").to_string()
}

/// `YYYYMMDDhhmm` in UTC, the value of `$t`.
pub fn compact(at: UnixTime) -> String {
    zoned(at, &TimeZone::UTC).strftime("%Y%m%d%H%M").to_string()
}

/// The moment in the zone; moments outside the representable range are clamped.
pub fn zoned(at: UnixTime, zone: &TimeZone) -> Zoned {
    let clamped = at.0.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(clamped).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_its_offset_and_zero_is_gmt() {
        let cet = TimeZone::posix("CET-1").unwrap();
        assert_eq!(rfc822(UnixTime(1_795_334_727), &cet), "Sun, 22 Nov 2026 09:05:27 +0100");
        assert_eq!(ctime(UnixTime(1_793_779_527), &TimeZone::UTC), "Wed Nov  4 08:05:27 2026");
        assert_eq!(compact(UnixTime(1_795_334_727)), "202611220805");
    }
}
