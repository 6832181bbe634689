//! SIZE. Source: RFC 1870.

use super::parameter::Fault;
use crate::base::status::Status;

/// Line of the EHLO reply.
pub fn line(max: i64) -> String {
    if max > 0 { format!("SIZE {max}") } else { "SIZE".to_owned() }
}

/// The value of the parameter: its digits; what follows them is ignored. Source: observed.
///
/// Errors: a number that no size can have.
pub fn parse(value: Option<&[u8]>) -> Result<i64, Fault> {
    let value = value.ok_or_else(|| Fault::no_value("SIZE"))?;
    let mut digits = value.iter().take_while(|b| b.is_ascii_digit());
    digits
        .try_fold(0i64, |n, b| n.checked_mul(10)?.checked_add(i64::from(b - b'0')))
        .filter(|n| *n < i64::MAX)
        .ok_or_else(|| Fault::new(552, Status(5, 2, 3), "Message size exceeds maximum value"))
}

/// Refuses a size above the limit.
pub fn check(size: i64, max: i64) -> Result<(), Fault> {
    if max > 0 && size > max {
        let text = format!("Message size exceeds fixed maximum message size ({max})");
        return Err(Fault::new(552, Status(5, 2, 3), text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_count_and_junk_does_not() {
        for (value, size) in [("10", 10), ("10x", 10), ("abc", 0), ("", 0)] {
            assert_eq!(parse(Some(value.as_bytes())), Ok(size));
        }
        assert!(parse(Some(b"99999999999999999999")).is_err() && parse(None).is_err());
        assert!(check(2001, 2000).is_err() && check(2000, 2000).is_ok() && check(5, 0).is_ok());
    }
}
