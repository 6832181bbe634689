//! `S` and `R` lines: rulesets and rules as parsed symbols.

use bytes::Bytes;

use crate::macros::MacroId;

/// Index of a ruleset in [`super::Config::rulesets`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RulesetId(pub usize);

/// A ruleset.
#[derive(Debug, Clone, Default)]
pub struct Ruleset {
    /// Name; digits for one that has only a number.
    pub name: Bytes,
    /// Number, given or assigned (199 downwards).
    pub number: Option<u16>,
    /// Its rules in file order.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Line in the cf file, from 1.
    pub line: u32,
    /// Pattern.
    pub lhs: Vec<Symbol>,
    /// Result.
    pub rhs: Vec<Symbol>,
}

/// A token or operator of a rule. Source: op guide 5.1.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Symbol {
    /// A plain token.
    Token(Bytes),
    /// `$*`.
    ZeroOrMore,
    /// `$+`.
    OneOrMore,
    /// `$-`.
    One,
    /// `$=x`.
    InClass(MacroId),
    /// `$~x`.
    NotInClass(MacroId),
    /// `$@`.
    At,
    /// `$#`.
    Hash,
    /// `$:`.
    Colon,
    /// `$|`.
    Bar,
    /// `$1` to `$9`, in a result.
    Parameter(u8),
    /// `$>`, in a result.
    Call,
    /// `$[`.
    HostBegin,
    /// `$]`.
    HostEnd,
    /// `$(`.
    MapBegin,
    /// `$)`.
    MapEnd,
    /// `$&x`: the value at run time.
    Deferred(MacroId),
}
