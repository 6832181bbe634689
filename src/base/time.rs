//! Points in time and intervals in the original's notation.

use std::fmt::Write as _;
use std::time::Duration;

/// Seconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// Time passed since `earlier`; zero when the clock went back.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Reads an interval such as `1h30m`, a bare number counting in `unit` (`s m h d w`). A negative one counts as none.
///
/// Errors: the unit letters that are none, as the original names them (`Invalid time unit`).
pub fn parse_interval(text: &[u8], unit: u8) -> Result<Duration, Vec<u8>> {
    let mut total = 0u64;
    let mut wrong = Vec::new();
    let mut rest = text.trim_ascii_end();
    let is_negative = rest.first() == Some(&b'-');
    rest = rest.strip_prefix(b"-").unwrap_or(rest);
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let (number, tail) = rest.split_at(digits);
        let value = number.iter().fold(0u64, |n, b| n.saturating_mul(10).saturating_add(u64::from(b - b'0')));
        let (letter, tail) = match tail.split_first() {
            Some((b, tail)) => (*b, tail),
            None => (unit, tail),
        };
        let seconds = match letter.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => {
                wrong.push(letter);
                0
            }
        };
        total = total.saturating_add(value.saturating_mul(seconds));
        rest = tail;
    }
    match wrong.is_empty() {
        true if is_negative => Ok(Duration::ZERO),
        true => Ok(Duration::from_secs(total)),
        false => Err(wrong),
    }
}

/// `HH:MM:SS`, with `N+` in front for whole days, as log lines and `${queue_interval}` show it.
pub fn clock_form(span: Duration) -> String {
    let s = span.as_secs();
    let mut out = String::new();
    if s >= 86_400 {
        let _ = write!(out, "{}+", s / 86_400);
    }
    let _ = write!(out, "{:02}:{:02}:{:02}", s / 3600 % 24, s / 60 % 60, s % 60);
    out
}

/// Words for people: `4 hours`, `5 days`, `1 hour, 30 minutes`. Source: observed in delay and return notices.
pub fn word_form(span: Duration) -> String {
    let s = span.as_secs();
    let parts = [
        (s / 604_800, "week"),
        (s / 86_400 % 7, "day"),
        (s / 3600 % 24, "hour"),
        (s / 60 % 60, "minute"),
        (s % 60, "second"),
    ];
    // The original says "14 days", never weeks, when the span is a whole number of days.
    let parts: Vec<(u64, &str)> = if s >= 604_800 {
        vec![(s / 86_400, "day"), (s / 3600 % 24, "hour"), (s / 60 % 60, "minute"), (s % 60, "second")]
    } else {
        parts.to_vec()
    };
    let words: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, unit)| format!("{n} {unit}{}", if *n == 1 { "" } else { "s" }))
        .collect();
    if words.is_empty() { "0 seconds".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_add_up_and_default_to_the_unit() {
        for (text, unit, seconds) in
            [("30m", b's', 1800), ("1h30m", b's', 5400), ("5", b'm', 300), ("2w", b'd', 1_209_600)]
        {
            assert_eq!(parse_interval(text.as_bytes(), unit), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_interval(b"5x", b's'), Err(b"x".to_vec()));
    }

    #[test]
    fn days_stand_in_front_of_the_clock() {
        assert_eq!(clock_form(Duration::from_secs(59)), "00:00:59");
        assert_eq!(clock_form(Duration::from_secs(86_400 + 3661)), "1+01:01:01");
    }
}
