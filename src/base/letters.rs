//! Sets of flag letters (`F=` of mailers, `H?…?` conditions, daemon modifiers).

use std::fmt;

use bytes::Bytes;

/// A set of ASCII characters used as flags. Order is not kept; rendering sorts by code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct LetterSet(u128);

impl LetterSet {
    /// No letters.
    pub const EMPTY: Self = Self(0);

    /// Every ASCII byte of `text` that is neither blank nor comma; other bytes are ignored.
    pub fn from_bytes(text: &[u8]) -> Self {
        let mut set = Self::EMPTY;
        for b in text.iter().filter(|b| !b.is_ascii_whitespace() && **b != b',') {
            set.insert(*b);
        }
        set
    }

    /// Adds a letter; bytes above 127 are ignored.
    pub fn insert(&mut self, letter: u8) {
        if letter < 128 {
            self.0 |= 1 << letter;
        }
    }

    /// Takes a letter out.
    pub fn remove(&mut self, letter: u8) {
        if letter < 128 {
            self.0 &= !(1 << letter);
        }
    }

    /// Whether the letter is in the set.
    pub fn has(self, letter: u8) -> bool {
        letter < 128 && self.0 & (1 << letter) != 0
    }

    /// Whether the two sets share a letter.
    pub fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// No letter at all.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Letters in order of their codes.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..128u8).filter(move |b| self.has(*b))
    }
}

/// Letters in the order in which they were given: modifiers of ports, and of what the command line submits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Modifiers(Bytes);

impl Modifiers {
    /// Every byte of `text` that is neither blank nor comma.
    pub fn from_bytes(text: &[u8]) -> Self {
        Self(text.iter().copied().filter(|b| !b.is_ascii_whitespace() && *b != b',').collect())
    }

    /// Whether the letter is among them.
    pub fn has(&self, letter: u8) -> bool {
        self.0.contains(&letter)
    }

    /// As `${daemon_flags}` and `${client_flags}` show them: blanks between, capitals doubled.
    pub fn as_flags(&self) -> String {
        let shown = |letter: &u8| match char::from(*letter) {
            letter if letter.is_ascii_uppercase() => format!("{letter}{letter}"),
            letter => letter.to_string(),
        };
        self.0.iter().map(shown).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for LetterSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|b| write!(f, "{}", char::from(b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_no_letters() {
        let set = LetterSet::from_bytes(b"l s,D\xff9");
        assert_eq!(set.to_string(), "9Dls");
        assert_eq!(Modifiers::from_bytes(b"fC a").as_flags(), "f CC a");
        assert!(!set.has(b',') && set.intersects(LetterSet::from_bytes(b"xs")));
    }
}
