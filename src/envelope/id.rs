//! Queue ids.

use std::fmt::{self, Write as _};

use crate::base::time::UnixTime;

/// Name of a message in the queue.
///
/// Shape: `YMDhmsNNpppppp`, 14 characters: year from 1900 modulo 60, month from 0, day, hour, minute, second (UTC is not
/// used: local time), two for a sequence number, all base 60 (`0-9A-Za-x`), then six decimal digits of the process id.
/// Read back, 14 to 20 letters and digits are accepted. Source: observed; PRIVILEGES, file rules 4.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueId(String);

/// Calendar parts of a moment, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Year, all digits.
    pub year: i32,
    /// Month from 0.
    pub month: u32,
    /// Day from 1.
    pub day: u32,
    /// Hour.
    pub hour: u32,
    /// Minute.
    pub minute: u32,
    /// Second.
    pub second: u32,
}

impl QueueId {
    /// Makes an id from local time, a sequence number and a process id.
    pub fn new(at: LocalTime, sequence: u32, pid: u32) -> Self {
        let mut text = String::with_capacity(14);
        let year = u32::try_from((at.year - 1900).rem_euclid(60)).unwrap_or(0);
        for n in [year, at.month, at.day, at.hour, at.minute, at.second, sequence / 60 % 60, sequence % 60] {
            text.push(digit(n));
        }
        let _ = write!(text, "{:06}", pid % 1_000_000);
        Self(text)
    }

    /// Accepts an id read from a file name, a command line or a queue file.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        ((14..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()))
            .then(|| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl LocalTime {
    /// Parts of a moment in a zone.
    pub fn new(at: UnixTime, zone: &jiff::tz::TimeZone) -> Self {
        let t = crate::base::date::zoned(at, zone);
        let number = |n: i8| u32::try_from(n).unwrap_or(0);
        Self {
            year: i32::from(t.year()),
            month: number(t.month()).saturating_sub(1),
            day: number(t.day()),
            hour: number(t.hour()),
            minute: number(t.minute()),
            second: number(t.second()),
        }
    }
}

fn digit(n: u32) -> char {
    let b = u8::try_from(n % 60).unwrap_or(0);
    char::from(match b {
        0..=9 => b'0' + b,
        10..=35 => b'A' + b - 10,
        _ => b'a' + b - 36,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_has_the_original_s_shape() {
        let at = LocalTime { year: 2026, month: 10, day: 22, hour: 8, minute: 32, second: 58 };
        assert_eq!(QueueId::new(at, 51 * 60 + 46, 5225).as_str(), "6AM8Wwpk005225");
    }

    #[test]
    fn foreign_ids_are_checked() {
        assert!(QueueId::parse(b"6AM8Wwpk005225").is_some());
        for bad in ["", "short", "../../etc/passwd1", "6AM8Wwpk00522/", "6AM8Wwpk0052256AM8Wwpk0"] {
            assert!(QueueId::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
