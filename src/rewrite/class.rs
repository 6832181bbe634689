//! Classes as the matcher sees them.

use super::symbol::{SymbolId, SymbolTable, Token, index};
use crate::address::scan::{self, Alphabet, Mode};

/// A class as the matcher sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Class {
    /// Bit per symbol: members of one token.
    words: Vec<u64>,
    /// Bit per symbol: first tokens of longer members.
    starts: Vec<u64>,
    /// Hashes of the symbols of longer members, sorted, with the place in `phrase_symbols`.
    phrases: Vec<(u64, u32, u32)>,
    /// Symbols of all longer members.
    phrase_symbols: Vec<SymbolId>,
    /// Tokens of the longest member.
    longest: usize,
}

impl Class {
    /// From its members, cut into tokens as rules are. A member that makes no tokens can match none.
    pub(crate) fn new<'m>(
        members: impl Iterator<Item = &'m [u8]>,
        alphabet: &Alphabet,
        table: &mut SymbolTable,
    ) -> Self {
        let mut class = Self::default();
        for member in members {
            if let Ok(scanned) = scan::prescan(member, alphabet, Mode::Rule, None) {
                class.add(&scanned.tokens.iter().map(|t| table.intern(t)).collect::<Vec<_>>());
            }
        }
        class.phrases.sort_unstable();
        class
    }

    fn add(&mut self, member: &[SymbolId]) {
        match member {
            [] => {}
            [one] => set_bit(&mut self.words, *one),
            [first, ..] => {
                set_bit(&mut self.starts, *first);
                let hash = member.iter().fold(0, |hash, id| phrase_hash(hash, *id));
                self.phrases.push((hash, index(self.phrase_symbols.len()), index(member.len())));
                self.phrase_symbols.extend_from_slice(member);
                self.longest = self.longest.max(member.len());
            }
        }
    }

    /// Length of the shortest member, of `least` tokens or more, that `tokens` begin with.
    pub(crate) fn begins(&self, tokens: &[Token], least: usize) -> Option<usize> {
        let first = tokens.first()?.id;
        if least <= 1 && self.has_word(first) {
            return Some(1);
        }
        if !bit(&self.starts, first) {
            return None;
        }
        let mut hash = 0;
        for (n, token) in tokens.iter().enumerate().take(self.longest) {
            hash = phrase_hash(hash, token.id);
            let len = n + 1;
            if len > 1 && len >= least && self.has_phrase(hash, &tokens.iter().take(len).map(|t| t.id)) {
                return Some(len);
            }
        }
        None
    }

    /// Whether a member begins with this token.
    #[inline]
    pub(crate) fn may_begin(&self, id: SymbolId) -> bool {
        self.has_word(id) || bit(&self.starts, id)
    }

    /// The symbols that members begin with.
    pub(crate) fn first_symbols(&self) -> impl Iterator<Item = SymbolId> {
        let sets = [&self.words, &self.starts].map(|set| (0..).step_by(64).zip(set));
        sets.into_iter()
            .flatten()
            .filter(|(_, word)| **word != 0)
            .flat_map(|(first, word)| (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| first + bit))
    }

    /// Whether it has a member of this one token.
    #[inline]
    pub(crate) fn has_word(&self, id: SymbolId) -> bool {
        bit(&self.words, id)
    }

    fn has_phrase(&self, hash: u64, ids: &(impl Iterator<Item = SymbolId> + Clone)) -> bool {
        let first = self.phrases.partition_point(|(h, _, _)| *h < hash);
        self.phrases.get(first..).unwrap_or_default().iter().take_while(|(h, _, _)| *h == hash).any(|(_, at, len)| {
            let (at, len) = (*at as usize, *len as usize);
            self.phrase_symbols.get(at..at + len).is_some_and(|s| s.iter().copied().eq(ids.clone()))
        })
    }
}

/// Hash of a phrase: start with 0 and add its symbols in order.
fn phrase_hash(hash: u64, id: SymbolId) -> u64 {
    (hash.rotate_left(5) ^ u64::from(id)).wrapping_mul(0x517c_c1b7_2722_0a95)
}

#[inline]
fn bit(set: &[u64], id: SymbolId) -> bool {
    set.get(id as usize / 64).is_some_and(|word| word & (1 << (id % 64)) != 0)
}

fn set_bit(set: &mut Vec<u64>, id: SymbolId) {
    let at = id as usize / 64;
    if set.len() <= at {
        set.resize(at + 1, 0);
    }
    if let Some(word) = set.get_mut(at) {
        *word |= 1 << (id % 64);
    }
}
