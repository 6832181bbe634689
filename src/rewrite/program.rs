//! The compiled rulesets: symbols, patterns, results, classes.

use bytes::Bytes;

use super::class::Class;
use super::symbol::{SymbolId, SymbolTable, Token};
use crate::address::scan::Alphabet;
use crate::config::RulesetId;
use crate::config::rules::Rule;
use crate::macros::MacroId;

/// Part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    Symbol(SymbolId),
    /// Symbols of the program's list `runs`, from here to there.
    Run(u32, u32),
    /// `$*` and `$+`: `least` tokens or more.
    Any {
        least: u32,
        until: Until,
    },
    One,
    InClass(u32),
    NotInClass(u32),
    Nothing,
    Macro(MacroId),
    Never,
}

/// What tells where a `$*` or `$+` can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Nothing.
    Anywhere,
    /// Before this symbol, with which the next part begins.
    Symbol(SymbolId),
    /// Before a member of this class, which is the next part.
    Class(u32),
    /// So many tokens before the end: what follows has one length only.
    End(u32),
}

/// Part of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// Tokens of the program's list `literals`, from here to there.
    Tokens(u32, u32),
    /// A piece of the workspace.
    Piece(Piece),
    Deferred(MacroId),
}

/// A piece of the workspace as the pattern matched it: `$1`, or what stands in the result just as in the pattern.
///
/// It reaches from `before` tokens before wildcard `first` to `after` tokens behind wildcard `last`, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) first: u8,
    pub(crate) before: u8,
    pub(crate) last: u8,
    pub(crate) after: u8,
}

/// What a rule does once it matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    Again,
    NextRule,
    Leave,
}

/// What of a workspace rules out a rule at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter {
    /// Symbols that must be in the workspace, those that must be there twice, and pairs of them.
    pub(crate) needs: u64,
    pub(crate) twice: u64,
    pub(crate) pairs: u64,
    /// Classes of which a member must be there.
    pub(crate) classes: u64,
    /// Symbols it must begin and end with; 0 for any.
    pub(crate) first: SymbolId,
    pub(crate) last: SymbolId,
    /// Fewest and most tokens that can match.
    pub(crate) at_least: u32,
    pub(crate) at_most: u32,
}

/// A set of classes in one word: no false misses, some false hits.
pub(crate) fn class_mark(class: u32) -> u64 {
    1 << (class % u64::BITS)
}

/// A compiled rule; its parts stand in the program's lists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code {
    pub(crate) pattern: (u32, u32),
    pub(crate) result: (u32, u32),
    pub(crate) after: After,
    /// Symbols that its result may hold, whatever was matched.
    pub(crate) gives: u64,
    pub(crate) line: u32,
}

/// A compiled ruleset.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    pub(crate) rules: (u32, u32),
    pub(crate) name: Bytes,
}

/// All rulesets of a configuration, compiled. Immutable.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) table: SymbolTable,
    pub(crate) entries: Vec<Entry>,
    /// One for each rule.
    pub(crate) filters: Vec<Filter>,
    pub(crate) rules: Vec<Code>,
    pub(crate) patterns: Vec<Match>,
    pub(crate) runs: Vec<SymbolId>,
    pub(crate) results: Vec<Put>,
    pub(crate) literals: Vec<Token>,
    pub(crate) classes: Vec<Class>,
    pub(crate) class_numbers: Vec<MacroId>,
    /// By symbol: the classes with a member that begins with it, as [`class_mark`]s.
    pub(crate) class_marks: Vec<u64>,
    pub(crate) names: Vec<(Bytes, RulesetId)>,
    /// Ruleset by symbol of its name; the token must have the name's letter case.
    pub(crate) calls: Vec<Option<RulesetId>>,
    /// Symbol of `host`, the map of `$[ $]`.
    pub(crate) host: SymbolId,
    /// What the configuration's `OperatorChars` make of each character.
    pub alphabet: Alphabet,
    /// What stands between two words that are joined.
    pub blank_sub: u8,
    pub(crate) sources: Vec<Rule>,
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
    #[inline]
    pub fn name(&self, id: RulesetId) -> &[u8] {
        self.entries.get(id.0).map_or(b"", |e| &e.name)
    }

    /// A rule as the cf file has it.
    pub fn source(&self, rule: usize) -> Option<&Rule> {
        self.sources.get(rule)
    }

    /// The ruleset that a token names when it is one of the names entered, as written.
    #[inline]
    pub(crate) fn named_by(&self, id: SymbolId, text: &[u8]) -> Option<RulesetId> {
        let ruleset = (*self.calls.get(id as usize)?)?;
        (self.entries.get(ruleset.0)?.name.as_ref() == text).then_some(ruleset)
    }

    #[inline]
    pub(crate) fn entry(&self, id: RulesetId) -> (u32, u32) {
        self.entries.get(id.0).map_or((0, 0), |e| e.rules)
    }

    /// Whether the ruleset has any rule.
    pub fn has_rules(&self, id: RulesetId) -> bool {
        let (from, to) = self.entry(id);
        to > from
    }
}
