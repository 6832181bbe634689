//! DELIVERBY. Source: RFC 2852; observed.

use bytes::Bytes;

use super::parameter::Fault;
use crate::base::bytes::{leading_number, shown, split_once};
use crate::base::status::Status;

/// Line of the EHLO reply; `None` when it is not offered.
pub fn line(min: i64) -> Option<String> {
    match min {
        ..0 => None,
        0 => Some("DELIVERBY".to_owned()),
        _ => Some(format!("DELIVERBY {min}")),
    }
}

/// The value of `BY=`: seconds and mode letters (`R` or `N`, then perhaps `T`).
pub fn parse(value: Option<&[u8]>, min: i64) -> Result<(i64, Bytes), Fault> {
    let value = value.ok_or_else(|| Fault::new(501, Status(5, 5, 2), "BY= requires a value"))?;
    let digits = value.iter().skip(usize::from(matches!(value.first(), Some(b'+' | b'-'))));
    let count = digits.take_while(|b| b.is_ascii_digit()).count();
    if count > MOST_DIGITS {
        return Err(Fault::new(501, Status(5, 5, 2), format!("BY={} out of range", shown(value))));
    }
    let missing = || Fault::new(501, Status(5, 5, 2), "BY= missing ';'");
    let (number, mode) = split_once(value, b';').ok_or_else(missing)?;
    if number.iter().any(|b| !b.is_ascii_digit() && !matches!(b, b'+' | b'-')) {
        return Err(missing());
    }
    let seconds = leading_number(number);
    let letter = mode.first().copied().unwrap_or(b'?').to_ascii_uppercase();
    if !matches!(letter, b'R' | b'N') {
        return Err(Fault::new(501, Status(5, 5, 2), format!("illegal by-mode '{}'", shown(&[letter]))));
    }
    let trace = mode.get(1).copied().map(|b| b.to_ascii_uppercase());
    if let Some(trace) = trace.filter(|b| *b != b'T') {
        return Err(Fault::new(501, Status(5, 5, 2), format!("illegal by-trace '{}'", shown(&[trace]))));
    }
    if letter == b'R' && seconds <= 0 {
        return Err(Fault::new(501, Status(5, 5, 4), "mode R requires BY time > 0"));
    }
    if letter == b'R' && min > 0 && seconds < min {
        let text = format!("time {seconds} less than {min}");
        return Err(Fault::new(555, Status(5, 5, 2), text));
    }
    let mut letters = vec![letter];
    letters.extend(trace);
    Ok((seconds, letters.into()))
}

/// Most digits of the time. Source: RFC 2852 §4; observed.
const MOST_DIGITS: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_their_faults() {
        for (value, want) in [
            ("120;R", Ok((120, "R"))),
            ("120;N", Ok((120, "N"))),
            ("120;RT", Ok((120, "RT"))),
            ("-5;N", Ok((-5, "N"))),
            ("120", Err("BY= missing ';'")),
            (";R", Err("mode R requires BY time > 0")),
            ("x;R", Err("BY= missing ';'")),
            ("0;R", Err("mode R requires BY time > 0")),
            ("9999999999;R", Err("BY=9999999999;R out of range")),
            ("120;Q", Err("illegal by-mode 'Q'")),
            ("5;", Err("illegal by-mode '?'")),
            ("5;RX", Err("illegal by-trace 'X'")),
        ] {
            let got = parse(Some(value.as_bytes()), 0).map_err(|f| f.text);
            let want = want.map(|(n, m)| (n, Bytes::from_static(m.as_bytes()))).map_err(str::to_owned);
            assert_eq!(got, want, "{value}");
        }
    }
}
