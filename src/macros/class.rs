//! Classes: sets of words and phrases.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;

use super::names::MacroId;

/// Members of all classes. Comparison ignores letter case; a word is shown in the case it was first written in, in
/// whichever class that was.
#[derive(Debug, Clone, Default)]
pub struct ClassTable {
    classes: HashMap<MacroId, BTreeSet<Bytes>>,
    /// Words by their lower case form.
    spellings: HashMap<Vec<u8>, Bytes>,
}

impl ClassTable {
    /// Adds a word or phrase to a class; empty ones are ignored.
    pub fn add(&mut self, class: MacroId, member: &[u8]) {
        if member.is_empty() {
            return;
        }
        let word = self.spellings.entry(member.to_ascii_lowercase()).or_insert_with(|| Bytes::copy_from_slice(member));
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

    /// Whether a word is a member, letter case aside.
    pub fn contains(&self, class: MacroId, word: &[u8]) -> bool {
        let Some(spelling) = self.spellings.get(&word.to_ascii_lowercase()) else { return false };
        self.classes.get(&class).is_some_and(|members| members.contains(spelling))
    }

    /// Numbers of the classes known.
    pub fn known(&self) -> impl Iterator<Item = MacroId> {
        self.classes.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
