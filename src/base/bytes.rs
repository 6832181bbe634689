//! Foreign bytes: showing, trimming, comparing.

use std::fmt;

use bytes::Bytes;

/// Wraps foreign bytes for a log line or message: control characters are escaped, the rest stays.
///
/// Shape: printable ASCII and bytes above 0x9f as they are (invalid UTF-8 replaced), others as `\ooo`.
pub fn shown(bytes: &[u8]) -> Shown<'_> {
    Shown(bytes)
}

/// See [`shown`].
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() { write!(f, "\\{:03o}", u32::from(c))? } else { write!(f, "{c}")? }
            }
            for b in chunk.invalid() {
                write!(f, "\\{b:03o}")?;
            }
        }
        Ok(())
    }
}

/// Without blanks and tabs at both ends.
pub fn trim(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// A copy of a text; one of a single byte takes no memory.
pub fn compact(text: &[u8]) -> Bytes {
    match text {
        [byte] => Bytes::from_static(SINGLE.get(usize::from(*byte)..=usize::from(*byte)).unwrap_or_default()),
        _ => Bytes::copy_from_slice(text),
    }
}

static SINGLE: [u8; 256] = {
    let mut all = [0; 256];
    let mut byte = 0u8;
    while byte < u8::MAX {
        byte += 1;
        all[byte as usize] = byte;
    }
    all
};

/// Splits at the first `byte`; `None` when it does not occur.
pub fn split_once(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(byte, text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// True when `text` begins with `prefix`, letter case aside.
pub fn starts_with_ignore_case(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

/// Decimal digits at the start, as `strtol` reads them: blanks, sign, digits; 0 when there are none; saturates.
pub fn leading_number(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let value = digits
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .fold(0i64, |n, b| n.saturating_mul(10).saturating_add(i64::from(b - b'0')));
    if negative { value.saturating_neg() } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_as_octal() {
        assert_eq!(shown(b"a\x07b\xffc").to_string(), "a\\007b\\377c");
    }

    #[test]
    fn numbers_stop_at_the_first_other_character() {
        for (text, value) in [("12abc", 12), (" -7", -7), ("x", 0), ("99999999999999999999", i64::MAX)] {
            assert_eq!(leading_number(text.as_bytes()), value, "{text}");
        }
    }
}
