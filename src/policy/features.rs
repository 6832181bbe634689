//! `srv_features`: letters that a server session goes by.

use crate::base::letters::LetterSet;

/// What a letter does when it is given.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The letter; upper case turns off what is on, lower case turns on what is off, `h` and `2` aside.
    pub letter: u8,
    /// What it is about.
    pub effect: &'static str,
}

/// All letters, sorted. Source: op guide 5.1.4.15.
#[rustfmt::skip]
pub static LETTERS: &[Row] = &[
    Row { letter: b'A', effect: "AUTH is not offered" },
    Row { letter: b'B', effect: "VERB is not offered" },
    Row { letter: b'C', effect: "plain passwords need no security layer" },
    Row { letter: b'D', effect: "DSN is not offered" },
    Row { letter: b'E', effect: "ETRN is not offered" },
    Row { letter: b'F', effect: "clients may talk before the reply to EHLO and DATA" },
    Row { letter: b'G', effect: "a bare LF is taken" },
    Row { letter: b'L', effect: "AUTH is not needed" },
    Row { letter: b'O', effect: "nothing: other line ends never end a message" },
    Row { letter: b'P', effect: "PIPELINING is not offered" },
    Row { letter: b'R', effect: "revocation is not checked" },
    Row { letter: b'S', effect: "STARTTLS is not offered" },
    Row { letter: b'U', effect: "a bare CR is taken" },
    Row { letter: b'V', effect: "no client certificate is asked for" },
    Row { letter: b'X', effect: "EXPN is not offered" },
    Row { letter: b'a', effect: "AUTH is offered" },
    Row { letter: b'b', effect: "VERB is offered" },
    Row { letter: b'c', effect: "plain passwords need a security layer" },
    Row { letter: b'd', effect: "DSN is offered" },
    Row { letter: b'e', effect: "ETRN is offered" },
    Row { letter: b'f', effect: "clients must wait for the reply to EHLO and DATA" },
    Row { letter: b'g', effect: "a bare LF is refused; g2 makes it a blank" },
    Row { letter: b'h', effect: "words of open proxies close the session at any time" },
    Row { letter: b'l', effect: "AUTH is needed" },
    Row { letter: b'o', effect: "only CRLF.CRLF ends a message" },
    Row { letter: b'p', effect: "PIPELINING is offered" },
    Row { letter: b'r', effect: "revocation is checked" },
    Row { letter: b's', effect: "STARTTLS is offered" },
    Row { letter: b't', effect: "nothing; the word temp refuses all for now" },
    Row { letter: b'u', effect: "a bare CR is refused; u2 makes it a blank" },
    Row { letter: b'v', effect: "a client certificate is asked for" },
    Row { letter: b'x', effect: "EXPN is offered" },
];

/// How a bare CR or LF in message data is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bare {
    /// The message is refused and the session ends.
    #[default]
    Refuse,
    /// It stays.
    Keep,
    /// It becomes a blank.
    Blank,
}

/// Letters in effect for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Features {
    given: LetterSet,
    /// How a bare LF is taken.
    pub bare_lf: Bare,
    /// How a bare CR is taken.
    pub bare_cr: Bare,
    /// All is refused for now.
    pub is_temporary: bool,
}

impl Features {
    /// Reads the answer of the ruleset; also returns letters and variants that mean nothing, as the log names them.
    pub fn parse(text: &[u8]) -> (Self, Vec<String>) {
        let mut features = Self::default();
        let mut unknown = Vec::new();
        if text.eq_ignore_ascii_case(b"temp") {
            features.is_temporary = true;
            return (features, unknown);
        }
        let mut rest = text;
        while let Some((letter, tail)) = rest.split_first() {
            rest = tail;
            if letter.is_ascii_whitespace() || *letter == b',' {
                continue;
            }
            let variant = tail.first().copied().filter(u8::is_ascii_digit);
            if variant.is_some() {
                rest = tail.get(1..).unwrap_or_default();
            }
            if LETTERS.binary_search_by_key(letter, |r| r.letter).is_err() {
                unknown.push(format!("srv_features: unknown feature {}", char::from(*letter)));
                continue;
            }
            features.given.insert(*letter);
            match (letter, variant) {
                (b'g', Some(b'2')) => features.bare_lf = Bare::Blank,
                (b'u', Some(b'2')) => features.bare_cr = Bare::Blank,
                (_, Some(v)) => {
                    unknown.push(format!("srv_features: unknown variant {}{}", char::from(*letter), char::from(v)));
                }
                _ => {}
            }
            // A variant that means nothing takes nothing from the letter. Source: observed.
            match letter {
                b'G' => features.bare_lf = Bare::Keep,
                b'U' => features.bare_cr = Bare::Keep,
                _ => {}
            }
        }
        (features, unknown)
    }

    /// Whether the letter was given.
    pub fn has(self, letter: u8) -> bool {
        self.given.has(letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_variants_are_read() {
        assert!(LETTERS.is_sorted_by_key(|r| r.letter));
        let (features, unknown) = Features::parse(b"S v g2 u2");
        assert!(features.has(b'S') && features.has(b'v') && unknown.is_empty());
        assert_eq!((features.bare_lf, features.bare_cr), (Bare::Blank, Bare::Blank));
        assert!(Features::parse(b"temp").0.is_temporary && !Features::parse(b"t").0.is_temporary);
        assert_eq!(Features::parse(b"q3").1.len(), 1);
    }
}
