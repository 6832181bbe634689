//! Classes: sets of words and phrases.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;

use super::names::MacroId;

/// Members of all classes. Comparison ignores letter case; a word is shown in the case it was first written in, in
/// whichever class that was.
#[derive(Debug, Clone, Default)]
pub struct ClassTable {
    classes: HashMap<MacroId, BTreeSet<Bytes>>,
    /// Words by their lower case form, with their number in the order they were first written in.
    spellings: HashMap<Vec<u8>, (usize, Bytes)>,
}

impl ClassTable {
    /// Adds a word or phrase to a class; empty ones are ignored.
    pub fn add(&mut self, class: MacroId, member: &[u8]) {
        if member.is_empty() {
            return;
        }
        let number = self.spellings.len();
        let spelled = || (number, Bytes::copy_from_slice(member));
        let (_, word) = self.spellings.entry(member.to_ascii_lowercase()).or_insert_with(spelled);
        self.classes.entry(class).or_default().insert(word.clone());
    }

    /// Makes the class known, though it may have no member.
    pub fn declare(&mut self, class: MacroId) {
        self.classes.entry(class).or_default();
    }

    /// Members of a class, sorted by bytes; nothing for an unknown class.
    pub fn members(&self, class: MacroId) -> impl Iterator<Item = &Bytes> {
        self.classes.get(&class).into_iter().flatten()
    }

    /// Members of a class in the order of the original's hash table, as it lists them. Source: observed (`$=w` in test mode).
    pub fn listed(&self, class: MacroId) -> Vec<&Bytes> {
        let mut members: Vec<&Bytes> = self.members(class).collect();
        members.sort_by_cached_key(|word| {
            let lower = word.to_ascii_lowercase();
            (slot(&lower), self.spellings.get(&lower).map(|(number, _)| *number))
        });
        members
    }

    /// Whether a word is a member, letter case aside.
    pub fn contains(&self, class: MacroId, word: &[u8]) -> bool {
        let Some((_, spelling)) = self.spellings.get(&word.to_ascii_lowercase()) else { return false };
        self.classes.get(&class).is_some_and(|members| members.contains(spelling))
    }

    /// Numbers of the classes known.
    pub fn known(&self) -> impl Iterator<Item = MacroId> {
        self.classes.keys().copied()
    }
}

/// Where the original's table keeps a word of a class; words of one slot stand in the order they came in.
fn slot(lower: &[u8]) -> u32 {
    lower.iter().fold(1, |hash, b| ((hash << 1) ^ u32::from(*b)) % SLOTS)
}

/// Source: found by listing some thousand words with the original.
const SLOTS: u32 = 2003;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_listed_in_the_order_of_the_original() {
        let mut classes = ClassTable::default();
        let z = MacroId(u16::from(b'Z'));
        for word in "b c a a1 b1 c1 A1 B1 BB AB BA AC CA".split(' ') {
            classes.add(z, word.as_bytes());
        }
        let listed: Vec<&[u8]> = classes.listed(z).into_iter().map(AsRef::as_ref).collect();
        let expected = "b c a BA BB CA AB AC b1 c1 a1";
        assert_eq!(listed.join(&b' '), expected.as_bytes());
    }

    #[test]
    fn membership_ignores_letter_case() {
        let mut classes = ClassTable::default();
        let w = MacroId(u16::from(b'w'));
        classes.add(w, b"Example.COM");
        assert!(classes.contains(w, b"example.com") && !classes.contains(w, b"com"));
        assert_eq!(classes.members(w).count(), 1);
        let t = MacroId(u16::from(b't'));
        classes.add(t, b"EXAMPLE.com");
        assert_eq!(classes.members(t).next().unwrap(), "Example.COM");
    }
}
