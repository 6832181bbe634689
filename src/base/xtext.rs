//! xtext and the `+XX` form of macro values. Source: RFC 3461 §4.

use std::fmt::Write as _;

/// Encodes as xtext: every byte outside `!`..`~`, and `+` and `=`, as `+XX`; `also` names further bytes to encode.
pub fn encode(text: &[u8], also: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text {
        if (b'!'..=b'~').contains(b) && *b != b'+' && *b != b'=' && !also.contains(b) {
            out.push(char::from(*b));
        } else {
            let _ = write!(out, "+{b:02X}");
        }
    }
    out
}

/// Decodes xtext; `None` when it is malformed (a `+` without two upper-case hexadecimal digits, a bare `=`, a control).
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => {
                let (pair, tail) = rest.split_at_checked(2)?;
                let (high, low) = (hex(*pair.first()?)?, hex(*pair.get(1)?)?);
                out.push(high << 4 | low);
                rest = tail;
            }
            b'!'..=b'~' if *first != b'=' => out.push(*first),
            _ => return None,
        }
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn malformed_xtext_is_refused() {
        for bad in ["+", "+Z1", "+4", "a=b", "a b", "+4f"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn decode_undoes_encode(text: Vec<u8>) {
            prop_assert_eq!(decode(encode(&text, b"").as_bytes()), Some(text));
        }
    }
}
