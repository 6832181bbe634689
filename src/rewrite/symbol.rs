//! Symbols: texts that rules or classes name, as numbers; and tokens, which carry them.

use super::text::Text;
use crate::address::scan;

/// Number of a symbol: a text that rules or classes name, letter case aside; 0 for all other texts.
pub type SymbolId = u32;

/// Operators as they stand in workspaces; their symbols are their places here plus one.
pub static OPERATORS: &[&str] =
    &["$#", "$@", "$:", "$|", "$>", "$[", "$]", "$(", "$)", "$*", "$+", "$-", "$.", "$?", "$&"];
/// The bytes that stand for them in text that leaves a workspace: keys, values of macros, addresses. They are parts of
/// words there; one that is alone is the operator when it is read again. Source: observed.
static IN_TEXT: [u8; OPERATORS.len()] =
    [0x96, 0x97, 0x98, 0x9b, 0x99, 0x9d, 0x9e, 0x85, 0x86, 0x90, 0x91, 0x92, 0x9c, 0x9a, 0x9f];

/// How operators are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// As rules write them.
    Shown,
    /// As the original hands them out.
    InText,
    /// So that they are operators when the text is read again.
    Apart,
}

impl Written {
    /// How the operator with this symbol is written, where that is one byte.
    pub(crate) fn byte(self, id: SymbolId) -> Option<u8> {
        let bytes = match self {
            Self::Shown => return None,
            Self::InText => &IN_TEXT,
            Self::Apart => &scan::OPERATORS,
        };
        bytes.get(id.checked_sub(symbols::HASH)? as usize).copied()
    }
}

/// The operator that a byte stands for when it is a token.
pub(crate) fn operator_of(byte: u8) -> Option<SymbolId> {
    if !(0x82..0xa0).contains(&byte) {
        return None;
    }
    let place = |bytes: &[u8]| bytes.iter().position(|b| *b == byte);
    place(&IN_TEXT).or_else(|| place(&scan::OPERATORS)).map(|n| index(n) + symbols::HASH)
}

#[allow(missing_docs, reason = "the table above says what they are")]
pub mod symbols {
    use super::SymbolId;
    pub const UNKNOWN: SymbolId = 0;
    pub const HASH: SymbolId = 1;
    pub const AT: SymbolId = 2;
    pub const COLON: SymbolId = 3;
    pub const BAR: SymbolId = 4;
    pub const CALL: SymbolId = 5;
    pub const HOST_BEGIN: SymbolId = 6;
    pub const HOST_END: SymbolId = 7;
    pub const MAP_BEGIN: SymbolId = 8;
    pub const MAP_END: SymbolId = 9;
    pub const LAST_OPERATOR: SymbolId = 15;
}

/// A token of a workspace: where its text stands, and its symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Place in the program's text, or behind it in the workspace's.
    pub(crate) start: u32,
    /// Length, bytes.
    pub(crate) len: u32,
    /// Symbol.
    pub(crate) id: SymbolId,
}

impl Token {
    /// Whether it is an operator (`$#`, `$|` …), not text.
    pub fn is_operator(self) -> bool {
        self.id != symbols::UNKNOWN && self.id <= symbols::LAST_OPERATOR
    }
}

/// A set of symbols in one word: no false misses, some false hits. The first symbols share their bit with none.
#[inline]
pub(crate) fn mark(id: SymbolId) -> u64 {
    1 << (id % MARKS)
}

/// As [`mark`], for two symbols that stand beside each other.
#[inline]
pub(crate) fn pair(first: SymbolId, second: SymbolId) -> u64 {
    1 << (first.wrapping_mul(5).wrapping_add(second) % MARKS)
}

const MARKS: SymbolId = 64;
/// Symbols below this one have a bit of their own: numbers of others that would share one are nobody's.
const OWN_MARKS: SymbolId = 32;
/// What rules name all the time gets the symbols, and the marks, behind the operators.
const COMMON: &[&str] = &["@", "<", ">", ".", "[", "]", ":", ";", ",", "!", "%", "+", "error", "local", "OK", "REJECT"];

/// Texts with numbers; letter case does not count.
#[derive(Debug, Clone)]
pub(crate) struct SymbolTable {
    /// Texts, one behind the other, in the letter case they were first seen in.
    pub(crate) text: Text,
    /// Place of each symbol; 0 is nobody's.
    spans: Vec<(u32, u32)>,
    /// Open addressing: symbol numbers, 0 for a free place. A power of two long.
    slots: Vec<SymbolId>,
}

impl Default for SymbolTable {
    fn default() -> Self {
        let mut table = Self { text: Text::default(), spans: vec![(0, 0)], slots: vec![0; 4096] };
        for operator in OPERATORS {
            table.append(operator.as_bytes());
        }
        for text in COMMON {
            table.intern(text.as_bytes());
        }
        table
    }
}

impl SymbolTable {
    fn append(&mut self, text: &[u8]) -> SymbolId {
        while self.spans.len() >= MARKS as usize && mark(index(self.spans.len())) < mark(OWN_MARKS) {
            self.spans.push((0, 0));
        }
        let start = index(self.text.add(text));
        self.spans.push((start, index(text.len())));
        index(self.spans.len() - 1)
    }

    /// The symbol of a text; 0 when it has none.
    #[inline]
    pub(crate) fn find(&self, text: &[u8]) -> SymbolId {
        self.probe(text).unwrap_or(symbols::UNKNOWN)
    }

    /// The symbol, or the free place where it would stand.
    fn probe(&self, text: &[u8]) -> Result<SymbolId, usize> {
        let mask = self.slots.len() - 1;
        let mut at = fold_hash(text) & mask;
        loop {
            match self.slots.get(at) {
                None | Some(0) => return Err(at),
                Some(id) if self.text_of(*id).eq_ignore_ascii_case(text) => return Ok(*id),
                Some(_) => at = (at + 1) & mask,
            }
        }
    }

    pub(crate) fn intern(&mut self, text: &[u8]) -> SymbolId {
        if self.spans.len() * 2 > self.slots.len() {
            self.grow();
        }
        match self.probe(text) {
            Ok(id) => id,
            Err(at) => {
                let id = self.append(text);
                if let Some(slot) = self.slots.get_mut(at) {
                    *slot = id;
                }
                id
            }
        }
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 4];
        for id in symbols::LAST_OPERATOR + 1..index(self.spans.len()) {
            let text = self.text_of(id).to_vec();
            if text.is_empty() {
                continue;
            }
            if let (Err(at), slots) = (self.probe(&text), &mut self.slots)
                && let Some(slot) = slots.get_mut(at)
            {
                *slot = id;
            }
        }
    }

    #[inline]
    pub(crate) fn text_of(&self, id: SymbolId) -> &[u8] {
        let Some((start, len)) = self.spans.get(id as usize) else { return b"" };
        self.text.from(*start as usize).get(..*len as usize).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// A token that stands in the table's own text, in exactly this letter case.
    pub(crate) fn token(&mut self, text: &[u8]) -> Token {
        let id = self.intern(text);
        let (start, len) = self.spans.get(id as usize).copied().unwrap_or_default();
        if self.text_of(id) == text {
            return Token { start, len, id };
        }
        let start = index(self.text.add(text));
        Token { start, len, id }
    }

    #[inline]
    pub(crate) fn operator(&self, id: SymbolId) -> Token {
        let (start, len) = self.spans.get(id as usize).copied().unwrap_or_default();
        Token { start, len, id }
    }
}

/// Hash of a text that is the same for both cases of a letter.
fn fold_hash(text: &[u8]) -> usize {
    const FOLD: u64 = 0x2020_2020_2020_2020;
    let (blocks, rest) = text.as_chunks::<8>();
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let hash = blocks.iter().fold(text.len() as u64, |hash, block| mix(hash, u64::from_le_bytes(*block) | FOLD));
    let last = rest.iter().fold(0, |word, byte| word << 8 | u64::from(byte | 0x20));
    usize::try_from(mix(hash, last) >> 20).unwrap_or_default()
}

/// Places in lists are 32 bits wide; a configuration is far smaller.
pub(crate) fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

const _: () = assert!(OPERATORS.len() == symbols::LAST_OPERATOR as usize);
const _: () = assert!(OPERATORS.len() + 1 + COMMON.len() <= OWN_MARKS as usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letter_case_does_not_count() {
        let mut table = SymbolTable::default();
        let id = table.intern(b"Example-Host");
        assert_eq!(table.find(b"eXAMPLE-hOST"), id);
        assert_eq!(table.text_of(id), b"Example-Host");
        assert_eq!((table.find(b"Example\rHost"), table.find(b"@")), (symbols::UNKNOWN, symbols::LAST_OPERATOR + 1));
        for n in 0..5000 {
            table.intern(format!("x{n}").as_bytes());
        }
        assert_eq!(table.find(b"EXAMPLE-HOST"), id);
        let token = table.token(b"example-host");
        assert_eq!(token.id, id);
        assert_eq!(table.text.from(token.start as usize).get(..12), Some(&b"example-host"[..]));
    }

    #[test]
    fn the_first_symbols_share_their_mark_with_none() {
        let mut table = SymbolTable::default();
        let ids: Vec<_> = (0..1000).map(|n| table.intern(format!("x{n}").as_bytes())).collect();
        assert!(ids.iter().all(|id| mark(*id) >= mark(OWN_MARKS) || *id < OWN_MARKS), "{ids:?}");
    }
}
