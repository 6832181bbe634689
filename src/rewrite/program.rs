//! The compiled rulesets: symbols, patterns, results, classes.

use bytes::Bytes;

use crate::address::scan::Alphabet;
use crate::config::rules::ALL_RULESETS;
use crate::config::{RulesetId, Symbol};
use crate::macros::MacroId;

/// Number of a symbol: a text that rules or classes name, letter case aside; 0 for all other texts.
pub type SymbolId = u32;

/// Operators as they stand in workspaces; their symbols are their places here plus one.
pub static OPERATORS: &[&str] =
    &["$#", "$@", "$:", "$|", "$>", "$[", "$]", "$(", "$)", "$*", "$+", "$-", "$.", "$?", "$&"];

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

/// A set of symbols in one word: no false misses, some false hits. Operators never collide.
pub(crate) fn mark(id: SymbolId) -> u64 {
    match id {
        symbols::UNKNOWN => 0,
        id if id <= symbols::LAST_OPERATOR => 1 << id,
        // Two bits each, no division: this runs for every token of every workspace.
        id => (1 << (16 + (id & 31))) | (1 << (48 + ((id >> 5) & 15))),
    }
}

/// Part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    Symbol(SymbolId),
    ZeroOrMore,
    OneOrMore,
    One,
    InClass(u32),
    NotInClass(u32),
    Nothing,
    Macro(MacroId),
    Never,
}

/// Part of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    Token(Token),
    Parameter(u8),
    Deferred(MacroId),
}

/// What a rule does once it matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    Again,
    NextRule,
    Leave,
}

/// A compiled rule; its parts stand in the program's lists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code {
    pub(crate) pattern: (u32, u32),
    pub(crate) result: (u32, u32),
    pub(crate) after: After,
    /// Symbols that must be in the workspace.
    pub(crate) needs: u64,
    /// Operators that its result may hold, whatever was matched.
    pub(crate) gives: u64,
    /// Symbols the workspace must begin and end with; 0 for any.
    pub(crate) first: SymbolId,
    pub(crate) last: SymbolId,
    /// Fewest tokens that can match.
    pub(crate) at_least: u32,
    /// Whether no more tokens than `at_least` can match.
    pub(crate) exact: bool,
    pub(crate) line: u32,
}

/// A compiled ruleset.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    pub(crate) rules: (u32, u32),
    pub(crate) name: Bytes,
}

/// A class as the matcher sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Class {
    /// Bit per symbol: members of one token.
    pub(crate) words: Vec<u64>,
    /// Bit per symbol: first tokens of longer members.
    pub(crate) starts: Vec<u64>,
    /// Hashes of the symbols of longer members, sorted, with the place in `phrase_symbols`.
    pub(crate) phrases: Vec<(u64, u32, u32)>,
    /// Symbols of all longer members.
    pub(crate) phrase_symbols: Vec<SymbolId>,
    /// Tokens of the longest member.
    pub(crate) longest: usize,
}

impl Class {
    pub(crate) fn has_word(&self, id: SymbolId) -> bool {
        bit(&self.words, id)
    }

    pub(crate) fn starts_with(&self, id: SymbolId) -> bool {
        bit(&self.starts, id)
    }

    pub(crate) fn has_phrase(&self, hash: u64, ids: &(impl Iterator<Item = SymbolId> + Clone)) -> bool {
        let first = self.phrases.partition_point(|(h, _, _)| *h < hash);
        self.phrases.get(first..).unwrap_or_default().iter().take_while(|(h, _, _)| *h == hash).any(|(_, at, len)| {
            let (at, len) = (*at as usize, *len as usize);
            self.phrase_symbols.get(at..at + len).is_some_and(|s| s.iter().copied().eq(ids.clone()))
        })
    }
}

/// Hash of a phrase: start with 0 and add its symbols in order.
pub(crate) fn phrase_hash(hash: u64, id: SymbolId) -> u64 {
    (hash.rotate_left(5) ^ u64::from(id)).wrapping_mul(0x517c_c1b7_2722_0a95)
}

fn bit(set: &[u64], id: SymbolId) -> bool {
    set.get(id as usize / 64).is_some_and(|word| word & (1 << (id % 64)) != 0)
}

pub(crate) fn set_bit(set: &mut Vec<u64>, id: SymbolId) {
    let at = id as usize / 64;
    if set.len() <= at {
        set.resize(at + 1, 0);
    }
    if let Some(word) = set.get_mut(at) {
        *word |= 1 << (id % 64);
    }
}

/// Texts with numbers; letter case does not count.
#[derive(Debug, Clone)]
pub(crate) struct SymbolTable {
    /// Texts, one behind the other, in the letter case they were first seen in.
    pub(crate) text: Vec<u8>,
    /// Place of each symbol; 0 is nobody's.
    spans: Vec<(u32, u32)>,
    /// Open addressing: symbol numbers, 0 for a free place. A power of two long.
    slots: Vec<SymbolId>,
}

impl Default for SymbolTable {
    fn default() -> Self {
        let mut table = Self { text: Vec::new(), spans: vec![(0, 0)], slots: vec![0; 1024] };
        for operator in OPERATORS {
            table.append(operator.as_bytes());
        }
        table
    }
}

impl SymbolTable {
    fn append(&mut self, text: &[u8]) -> SymbolId {
        let start = index(self.text.len());
        self.text.extend_from_slice(text);
        self.spans.push((start, index(text.len())));
        index(self.spans.len() - 1)
    }

    /// The symbol of a text; 0 when it has none.
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
            if let (Err(at), slots) = (self.probe(&text), &mut self.slots)
                && let Some(slot) = slots.get_mut(at)
            {
                *slot = id;
            }
        }
    }

    pub(crate) fn text_of(&self, id: SymbolId) -> &[u8] {
        let Some((start, len)) = self.spans.get(id as usize) else { return b"" };
        self.text.get(*start as usize..(*start + *len) as usize).unwrap_or_default()
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
        let start = index(self.text.len());
        self.text.extend_from_slice(text);
        Token { start, len, id }
    }

    pub(crate) fn operator(&self, id: SymbolId) -> Token {
        let (start, len) = self.spans.get(id as usize).copied().unwrap_or_default();
        Token { start, len, id }
    }
}

fn fold_hash(text: &[u8]) -> usize {
    let mut hash = 0u64;
    for byte in text {
        hash = (hash.rotate_left(5) ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    usize::try_from(hash >> 20).unwrap_or_default()
}

/// Places in lists are 32 bits wide; a configuration is far smaller.
pub(crate) fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// All rulesets of a configuration, compiled. Immutable.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) table: SymbolTable,
    pub(crate) entries: Vec<Entry>,
    pub(crate) rules: Vec<Code>,
    pub(crate) patterns: Vec<Match>,
    pub(crate) results: Vec<Put>,
    pub(crate) classes: Vec<Class>,
    pub(crate) class_numbers: Vec<MacroId>,
    pub(crate) names: Vec<(Bytes, RulesetId)>,
    /// Ruleset by symbol of its name; the token must have the name's letter case.
    pub(crate) calls: Vec<Option<RulesetId>>,
    /// What the configuration's `OperatorChars` make of each character.
    pub alphabet: Alphabet,
    /// What stands between two words that are joined.
    pub blank_sub: u8,
    pub(crate) sources: Vec<(Vec<Symbol>, Vec<Symbol>)>,
}

impl Program {
    /// Symbol of a text.
    pub fn symbol(&self, text: &[u8]) -> SymbolId {
        self.table.find(text)
    }

    /// How many symbols there are; numbers are below this.
    pub fn symbol_count(&self) -> usize {
        self.table.len()
    }

    /// Text of a symbol.
    pub fn symbol_text(&self, id: SymbolId) -> &[u8] {
        self.table.text_of(id)
    }

    /// The ruleset's name as traces show it.
    pub fn name(&self, id: RulesetId) -> &[u8] {
        self.entries.get(id.0).map_or(b"", |e| &e.name)
    }

    /// The ruleset's rules in the cf file: pattern, result.
    pub fn source(&self, rule: usize) -> Option<&(Vec<Symbol>, Vec<Symbol>)> {
        self.sources.get(rule)
    }

    /// The ruleset that a token names when it is one of the names entered, as written.
    pub(crate) fn named_by(&self, id: SymbolId, text: &[u8]) -> Option<RulesetId> {
        let ruleset = (*self.calls.get(id as usize)?)?;
        (self.entries.get(ruleset.0)?.name.as_ref() == text).then_some(ruleset)
    }

    pub(crate) fn entry(&self, id: RulesetId) -> (u32, u32) {
        self.entries.get(id.0).map_or((0, 0), |e| e.rules)
    }

    /// Whether the ruleset has any rule.
    pub fn has_rules(&self, id: RulesetId) -> bool {
        let (from, to) = self.entry(id);
        to > from
    }
}

const _: () = assert!(OPERATORS.len() == symbols::LAST_OPERATOR as usize && ALL_RULESETS > 0);
