//! Enhanced status codes and the four readers of an error.

use std::fmt;

use super::exit::Exit;

/// Enhanced status code: class, subject, detail. Source: RFC 3463 §2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u8, pub u16, pub u16);

impl Status {
    /// Reads `d.ddd.ddd` at the start of `text`; also returns what follows the code (its blank kept).
    pub fn parse_prefix(text: &[u8]) -> Option<(Self, &[u8])> {
        let (class, rest) = number(text)?;
        let (subject, rest) = number(rest.strip_prefix(b".")?)?;
        let (detail, rest) = number(rest.strip_prefix(b".")?)?;
        if !matches!(class, 2 | 4 | 5) || rest.first().is_some_and(|b| !b.is_ascii_whitespace()) {
            return None;
        }
        Some((Self(u8::try_from(class).ok()?, subject, detail), rest))
    }

    /// True for class 4.
    pub fn is_temporary(self) -> bool {
        self.0 == 4
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// What an error says to each of its readers: peer and DSN, calling program, peer's eyes, log (its `Display`).
pub trait Classify: fmt::Display {
    /// Three-digit reply and enhanced code for a peer or a DSN.
    fn status(&self) -> (u16, Status);
    /// Exit code for a calling program.
    fn exit(&self) -> Exit;
    /// Text for a peer: no paths, users or versions.
    fn peer_text(&self) -> String;
    /// Whether another try makes sense.
    fn is_temporary(&self) -> bool {
        self.status().0 < 500
    }
}

fn number(text: &[u8]) -> Option<(u16, &[u8])> {
    let len = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(len)?;
    let value = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (len <= 3).then_some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_needs_a_blank_or_the_end_behind_it() {
        assert_eq!(Status::parse_prefix(b"5.1.1 no"), Some((Status(5, 1, 1), &b" no"[..])));
        assert_eq!(Status::parse_prefix(b"4.7.0"), Some((Status(4, 7, 0), &b""[..])));
        for bad in ["5.1", "9.1.1", "5.1.1x", "5.1.1234", "x"] {
            assert_eq!(Status::parse_prefix(bad.as_bytes()), None, "{bad}");
        }
    }
}
