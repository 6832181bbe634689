//! Classes: sets of words and phrases.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;

use super::names::MacroId;

/// Members of all classes. Members keep the case they were written in; comparison ignores it.
#[derive(Debug, Clone, Default)]
pub struct ClassTable {
    classes: HashMap<MacroId, BTreeSet<Bytes>>,
}

impl ClassTable {
    /// Adds a word or phrase to a class; empty ones are ignored.
    pub fn add(&mut self, class: MacroId, member: &[u8]) {
        if !member.is_empty() {
            self.classes.entry(class).or_default().insert(Bytes::copy_from_slice(member));
        }
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
        self.members(class).any(|m| m.eq_ignore_ascii_case(word))
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
    }
}
