//! `S` and `R` lines: rulesets and rules as parsed symbols.
//!
//! Source: op guide 5.1.1, 5.1.4; observed (texts of complaints, what a bad line leaves behind).

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::address::scan::{self, Alphabet, Mode, ScanError, Tokens};
use crate::base::bytes::{compact, split_once, trim};
use crate::macros::expand::{self, Parts};
use crate::macros::{MacroId, NameTable, Piece, Scope, Value};

/// Number of a ruleset: 0 to 99 as given, 199 downwards for names without a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RulesetId(pub usize);

/// Numbers below this one may be given.
pub const GIVEN_RULESETS: usize = 100;
/// Numbers are below this one.
pub const ALL_RULESETS: usize = 200;
/// Most operators of a pattern that match a part of the workspace.
pub const WILDCARDS: usize = 9;

/// All rulesets.
#[derive(Debug, Clone, Default)]
pub struct RulesetTable {
    /// Names in the order they were entered.
    names: Vec<(Bytes, RulesetId)>,
    /// Rules by number; `None` for numbers never entered.
    rules: Vec<Option<Vec<Rule>>>,
    named_without_number: usize,
}

/// What became of a ruleset's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// The ruleset; `None` when the name cannot be.
    pub id: Option<RulesetId>,
    /// The original's complaint.
    pub complaint: Option<String>,
}

impl RulesetTable {
    /// Enters a ruleset by what an `S` line, `S=`, `R=` or a header's `$>` calls it: `3`, `name`, `name=3`.
    pub fn enter(&mut self, text: &[u8]) -> Entered {
        let text = trim(text);
        match text.first() {
            Some(b'0'..=b'9') => self.enter_number(text),
            Some(b) if b.is_ascii_alphabetic() => self.enter_name(text),
            _ => refuse(format!("invalid ruleset name: \"{}\"", String::from_utf8_lossy(text))),
        }
    }

    fn enter_number(&mut self, text: &[u8]) -> Entered {
        match leading_number(text) {
            Some(n) if n < GIVEN_RULESETS => {
                self.slot(n);
                Entered { id: Some(RulesetId(n)), complaint: None }
            }
            Some(n) => refuse(format!("bad ruleset {n} ({GIVEN_RULESETS} max)")),
            None => refuse(format!("bad ruleset definition \"{}\"", String::from_utf8_lossy(text))),
        }
    }

    fn enter_name(&mut self, text: &[u8]) -> Entered {
        let end = text.iter().position(|b| !is_name_byte(*b)).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end).unwrap_or((text, b""));
        let shown = || String::from_utf8_lossy(text).into_owned();
        let known = self.named(name);
        let Some(number) = rest.trim_ascii_start().strip_prefix(b"=") else {
            return match known.map_or_else(|| self.next_free(), Ok) {
                Ok(id) => {
                    self.name_it(name, id);
                    Entered { id: Some(id), complaint: None }
                }
                Err(complaint) => refuse(complaint),
            };
        };
        match leading_number(number.trim_ascii_start()) {
            None => {
                if let (None, Ok(id)) = (known, self.next_free()) {
                    self.name_it(name, id);
                }
                refuse(format!("bad ruleset definition \"{}\" (number required after `=')", shown()))
            }
            Some(n) if n >= GIVEN_RULESETS => {
                refuse(format!("bad ruleset number {n} in \"{}\" ({GIVEN_RULESETS} max)", shown()))
            }
            Some(n) => match known {
                Some(old) if old != RulesetId(n) => Entered {
                    id: Some(old),
                    complaint: Some(format!("{}: ruleset changed value (old {}, new {n})", shown(), old.0)),
                },
                _ => {
                    self.name_it(name, RulesetId(n));
                    Entered { id: Some(RulesetId(n)), complaint: None }
                }
            },
        }
    }

    fn next_free(&mut self) -> Result<RulesetId, String> {
        let left = ALL_RULESETS - GIVEN_RULESETS;
        if self.named_without_number >= left {
            return Err(format!("too many named rulesets ({left} max)"));
        }
        self.named_without_number += 1;
        Ok(RulesetId(ALL_RULESETS - self.named_without_number))
    }

    fn name_it(&mut self, name: &[u8], id: RulesetId) {
        self.slot(id.0);
        if self.named(name).is_none() {
            self.names.push((Bytes::copy_from_slice(name), id));
        }
    }

    fn slot(&mut self, number: usize) -> Option<&mut Vec<Rule>> {
        if self.rules.is_empty() {
            self.rules = vec![None; ALL_RULESETS];
        }
        Some(self.rules.get_mut(number)?.get_or_insert_default())
    }

    fn named(&self, name: &[u8]) -> Option<RulesetId> {
        self.names.iter().find(|(n, _)| n.as_ref() == name).map(|(_, id)| *id)
    }

    /// Adds a rule behind those that are there.
    pub fn add(&mut self, id: RulesetId, rule: Rule) {
        if let Some(rules) = self.slot(id.0) {
            rules.push(rule);
        }
    }

    /// The ruleset a call names: a name that was entered, or any number below 200, entered or not.
    pub fn find(&self, name: &[u8]) -> Option<RulesetId> {
        if name.first().is_some_and(u8::is_ascii_digit) {
            return leading_number(name).filter(|n| *n < ALL_RULESETS).map(RulesetId);
        }
        let end = name.iter().position(|b| !is_name_byte(*b)).unwrap_or(name.len());
        self.named(name.get(..end)?)
    }

    /// Its name as traces show it: the one entered last, else the number.
    pub fn name(&self, id: RulesetId) -> Bytes {
        self.names
            .iter()
            .rev()
            .find(|(_, other)| *other == id)
            .map_or_else(|| Bytes::from(id.0.to_string()), |(name, _)| name.clone())
    }

    /// Its rules; none for one that was never entered.
    pub fn rules(&self, id: RulesetId) -> &[Rule] {
        self.rules.get(id.0).and_then(Option::as_deref).unwrap_or_default()
    }

    /// Whether an `S` line or an equate names it.
    pub fn is_known(&self, id: RulesetId) -> bool {
        self.rules.get(id.0).is_some_and(Option::is_some)
    }

    /// Whether any ruleset has a rule.
    pub fn has_rules(&self) -> bool {
        self.rules.iter().flatten().any(|rules| !rules.is_empty())
    }

    /// Numbers of all rulesets entered, ascending.
    pub fn known(&self) -> impl Iterator<Item = RulesetId> {
        self.rules.iter().enumerate().filter(|(_, rules)| rules.is_some()).map(|(n, _)| RulesetId(n))
    }

    /// All names with their numbers, in the order they were entered.
    pub fn names(&self) -> impl Iterator<Item = (&Bytes, RulesetId)> {
        self.names.iter().map(|(name, id)| (name, *id))
    }
}

fn refuse(complaint: String) -> Entered {
    Entered { id: None, complaint: Some(complaint) }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn leading_number(text: &[u8]) -> Option<usize> {
    text.first()?.is_ascii_digit().then(|| {
        text.iter()
            .take_while(|b| b.is_ascii_digit())
            .fold(0usize, |n, b| n.saturating_mul(10).saturating_add(usize::from(b - b'0')))
    })
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Line in the cf file, from 1.
    pub line: u32,
    /// Pattern.
    pub lhs: Arc<[Symbol]>,
    /// Result.
    pub rhs: Arc<[Symbol]>,
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
    /// `$0` to `$9`; of use in a result only.
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
    /// `$.`, `$?` or `$&` where it means nothing: the character.
    Stray(u8),
}

impl Symbol {
    /// As the cf file writes it.
    pub fn render(&self, names: &NameTable) -> Bytes {
        Bytes::from_static(match self {
            Self::Token(text) => return text.clone(),
            Self::InClass(id) => return Bytes::from(format!("$={}", names.shown(*id))),
            Self::NotInClass(id) => return Bytes::from(format!("$~{}", names.shown(*id))),
            Self::Deferred(id) => return Bytes::from(format!("$&{}", names.shown(*id))),
            Self::Parameter(n) => return Bytes::from(format!("${n}")),
            Self::Stray(byte) => return Bytes::from(vec![b'$', *byte]),
            Self::ZeroOrMore => b"$*",
            Self::OneOrMore => b"$+",
            Self::One => b"$-",
            Self::At => b"$@",
            Self::Hash => b"$#",
            Self::Colon => b"$:",
            Self::Bar => b"$|",
            Self::Call => b"$>",
            Self::HostBegin => b"$[",
            Self::HostEnd => b"$]",
            Self::MapBegin => b"$(",
            Self::MapEnd => b"$)",
        })
    }

    /// Whether it matches a part of the workspace that a result can name.
    pub fn is_wildcard(&self) -> bool {
        matches!(self, Self::ZeroOrMore | Self::OneOrMore | Self::One | Self::InClass(_) | Self::NotInClass(_))
    }
}

/// What a rule is read under.
#[derive(Debug)]
pub struct Reading<'a> {
    /// Macro and class names; new ones are added.
    pub names: &'a mut NameTable,
    /// Macro values as the lines before set them.
    pub scope: &'a Scope,
    /// Kinds of characters, from the `OperatorChars` in force.
    pub alphabet: &'a Alphabet,
    /// Level of the configuration language.
    pub level: u8,
    /// Memory that rules share.
    pub scratch: &'a mut Scratch,
}

/// A rule line as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleLine {
    /// The rule; it stays in even when something is wrong with it. `None` when the line has no fields.
    pub rule: Option<Rule>,
    /// What is wrong, in the original's words.
    pub complaints: Vec<String>,
}

/// Reads an `R` line; `text` is everything behind the `R`, continuation lines included, comments (`#`) taken off,
/// macro references as written.
///
/// Fields are parted by tabs before macros are expanded, and a tab in a macro's value cuts the field off.
pub fn parse_rule(text: &[u8], line: u32, reading: &mut Reading<'_>) -> RuleLine {
    let mut complaints = Vec::new();
    let Some((lhs, rest)) = split_once(text, b'\t') else {
        complaints.push(format!("invalid rewrite line \"R{}\" (tab expected)", marked(text)));
        return RuleLine { rule: None, complaints };
    };
    let rest = rest.get(rest.iter().take_while(|b| **b == b'\t').count()..).unwrap_or_default();
    let rhs = rest.split(|b| *b == b'\t').next().unwrap_or_default();
    reading.symbols(without_bare_mark(lhs), &mut complaints);
    let wildcards = check_pattern(&mut reading.scratch.symbols, &mut complaints);
    let lhs = reading.scratch.symbols.drain(..).collect();
    reading.symbols(rhs, &mut complaints);
    check_result(&reading.scratch.symbols, wildcards, &mut complaints);
    RuleLine { rule: Some(Rule { line, lhs, rhs: reading.scratch.symbols.drain(..).collect() }), complaints }
}

/// A pattern that ends in a bare `$` names the tab behind it, which is no macro: nothing is left of it. Source: observed.
fn without_bare_mark(lhs: &[u8]) -> &[u8] {
    let marks = lhs.iter().rev().take_while(|b| **b == b'$').count();
    lhs.get(..lhs.len() - marks % 2).unwrap_or(lhs)
}

/// Text as complaints show it: references with the original's mark in place of the `$`.
pub fn marked(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail.first()) {
            (b'$', Some(b'$')) => {
                out.push(b'$');
                rest = tail.get(1..).unwrap_or_default();
            }
            (b'$', Some(_)) => out.push(1),
            _ => out.push(*byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A field with its macros expanded: text, and what stands in it that is none.
#[derive(Debug, Default)]
struct Field {
    text: Vec<u8>,
    /// With their places in the text.
    marks: Vec<(usize, Mark)>,
}

#[derive(Debug, Clone, Copy)]
enum Mark {
    Operator(u8),
    Deferred(MacroId),
}

impl Field {
    fn mark(&mut self, mark: Mark) {
        self.marks.push((self.text.len(), mark));
    }

    /// Cuts the field off at a tab.
    fn cut(&mut self) {
        if let Some(end) = memchr::memchr(b'\t', &self.text) {
            self.text.truncate(end);
            self.marks.retain(|(at, _)| *at <= end);
        }
    }
}

/// What a text leaves open behind it.
#[derive(Debug, Default)]
struct Quoting {
    quoted: bool,
    escaped: bool,
}

impl Quoting {
    fn pass(&mut self, text: &[u8]) {
        if !self.escaped && memchr::memchr2(b'"', b'\\', text).is_none() {
            return;
        }
        for byte in text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.quoted = !self.quoted,
                _ => {}
            }
        }
    }
}

/// The conditionals that a text has open.
#[derive(Debug)]
struct Conditions {
    /// One entry each: whether it was taken, and whether text counts around it.
    open: SmallVec<[(bool, bool); 4]>,
    live: bool,
}

impl Default for Conditions {
    fn default() -> Self {
        Self { open: SmallVec::new(), live: true }
    }
}

/// Expands macros; `$&x` and the operators stay.
fn expand<'t>(parts: impl Iterator<Item = Piece<&'t [u8]>>, scope: &Scope, out: &mut Field, depth: usize) {
    let mut conditions = Conditions::default();
    for part in parts {
        let Conditions { open, live } = &mut conditions;
        match part {
            Piece::If(id) => {
                let set = expand::is_set(scope, id);
                open.push((set, *live));
                *live = *live && set;
            }
            Piece::Else if !open.is_empty() => {
                if let Some((taken, outer)) = open.last() {
                    *live = *outer && !taken;
                }
            }
            Piece::EndIf if !open.is_empty() => *live = open.pop().map_or(*live, |(_, outer)| outer),
            _ if !*live => {}
            Piece::Else => out.mark(Mark::Operator(b'|')),
            Piece::EndIf => out.mark(Mark::Operator(b'.')),
            Piece::Operator(byte) => out.mark(Mark::Operator(byte)),
            Piece::Deferred(id) => out.mark(Mark::Deferred(id)),
            Piece::Text(text) => out.text.extend_from_slice(text),
            Piece::Macro(id) => match scope.value(id) {
                Some(Value::Template(inner)) if depth < expand::MAX_DEPTH => {
                    expand(inner.parts(), scope, out, depth + 1);
                }
                Some(Value::Text(text)) => out.text.extend_from_slice(text),
                _ => {}
            },
        }
    }
}

/// Memory for the fields of rules, kept from one to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    field: Field,
    plain: Vec<u8>,
    tokens: Tokens,
    symbols: Vec<Symbol>,
}

impl Reading<'_> {
    /// Reads the symbols of a field, which are in `scratch` then.
    fn symbols(&mut self, field: &[u8], complaints: &mut Vec<String>) {
        let Scratch { field: expanded, symbols, .. } = &mut *self.scratch;
        expanded.text.clear();
        expanded.marks.clear();
        symbols.clear();
        expand(Parts::of_field(field, self.names, complaints), self.scope, expanded, 0);
        expanded.cut();
        self.tokenise(complaints);
    }

    fn tokenise(&mut self, complaints: &mut Vec<String>) {
        let Self { names, alphabet, level, scratch, .. } = self;
        let Scratch { field, plain, tokens, symbols } = &mut **scratch;
        let mode = if *level >= 9 { Mode::Rule } else { Mode::OldRule };
        let mut flush = |plain: &mut Vec<u8>, symbols: &mut Vec<Symbol>, complaints: &mut Vec<String>| {
            if !plain.is_empty() {
                tokens.clear();
                add_tokens(plain, alphabet, mode, tokens, symbols, complaints);
                plain.clear();
            }
        };
        plain.clear();
        let mut quoting = Quoting::default();
        let mut at = 0;
        let names_before = complaints.len();
        for (n, (place, mark)) in field.marks.iter().enumerate() {
            let text = field.text.get(at..*place).unwrap_or_default();
            quoting.pass(text);
            plain.extend_from_slice(text);
            at = *place;
            match mark {
                Mark::Deferred(id) if quoting.quoted || quoting.escaped => {
                    plain.push(scan::MARK);
                    plain.extend_from_slice(format!("&{}", names.shown(*id)).as_bytes());
                }
                Mark::Operator(byte) if quoting.quoted || quoting.escaped => {
                    plain.extend_from_slice(&[scan::MARK, *byte]);
                    quoting.escaped = false;
                }
                Mark::Deferred(id) => {
                    flush(plain, symbols, complaints);
                    symbols.push(Symbol::Deferred(*id));
                }
                Mark::Operator(byte @ (b'=' | b'~')) => {
                    flush(plain, symbols, complaints);
                    let end = field.marks.get(n + 1).map_or(field.text.len(), |(place, _)| *place);
                    let text = field.text.get(at..end).unwrap_or_default();
                    let (id, used) = class(text, names, complaints);
                    at += used;
                    symbols.extend(id.map(if *byte == b'=' { Symbol::InClass } else { Symbol::NotInClass }));
                }
                Mark::Operator(byte) => {
                    flush(plain, symbols, complaints);
                    symbols.push(operator(*byte));
                }
            }
        }
        plain.extend_from_slice(field.text.get(at..).unwrap_or_default());
        flush(plain, symbols, complaints);
        if complaints.get(names_before..).is_some_and(|new| new.iter().any(|c| c.contains("... prescan: "))) {
            symbols.clear();
        }
    }
}

/// Adds the symbols of a text without operators.
fn add_tokens(
    text: &[u8],
    alphabet: &Alphabet,
    mode: Mode,
    tokens: &mut Tokens,
    symbols: &mut Vec<Symbol>,
    complaints: &mut Vec<String>,
) {
    let mut repairs = Vec::new();
    match scan::prescan_into(text, alphabet, mode, None, tokens, &mut repairs) {
        Some(_) => symbols.extend(tokens.iter().map(|t| Symbol::Token(compact(t)))),
        None => complaints.push(format!("{}... {}", crate::address::shortened(text), ScanError(repairs))),
    }
}

/// The class name behind `$=` or `$~`, and how much of the text it takes.
fn class(text: &[u8], names: &mut NameTable, complaints: &mut Vec<String>) -> (Option<MacroId>, usize) {
    let Some((first, tail)) = text.split_first() else {
        complaints.push("Name required for macro/class".to_owned());
        return (None, 0);
    };
    let (id, behind) = expand::name(*first, tail, names, complaints);
    (id, text.len() - behind.len())
}

fn operator(byte: u8) -> Symbol {
    match byte {
        b'*' => Symbol::ZeroOrMore,
        b'+' => Symbol::OneOrMore,
        b'-' => Symbol::One,
        b'@' => Symbol::At,
        b'#' => Symbol::Hash,
        b':' => Symbol::Colon,
        b'|' => Symbol::Bar,
        b'>' => Symbol::Call,
        b'[' => Symbol::HostBegin,
        b']' => Symbol::HostEnd,
        b'(' => Symbol::MapBegin,
        b')' => Symbol::MapEnd,
        b'0'..=b'9' => Symbol::Parameter(byte - b'0'),
        _ => Symbol::Stray(byte),
    }
}

/// Complaints about a pattern; the number of its wildcards. A pattern with too many is emptied.
fn check_pattern(lhs: &mut Vec<Symbol>, complaints: &mut Vec<String>) -> usize {
    if lhs.is_empty() {
        complaints.push("R line: null LHS".to_owned());
    }
    let mut wildcards = 0;
    for symbol in lhs.iter() {
        let shown = match symbol {
            Symbol::Parameter(_) => "$1-$9",
            Symbol::Colon => "$:",
            Symbol::Call => "$>",
            Symbol::HostBegin => "$[",
            Symbol::HostEnd => "$]",
            Symbol::MapBegin => "$(",
            Symbol::MapEnd => "$)",
            Symbol::Stray(b'.') => "$.",
            Symbol::Stray(b'?') => "$?",
            other => {
                wildcards += usize::from(other.is_wildcard());
                continue;
            }
        };
        complaints.push(format!("Inappropriate use of {shown} on LHS"));
    }
    if wildcards > WILDCARDS {
        complaints.push("R line: too many wildcards".to_owned());
        lhs.clear();
        return WILDCARDS;
    }
    wildcards
}

fn check_result(rhs: &[Symbol], wildcards: usize, complaints: &mut Vec<String>) {
    if rhs.is_empty() {
        complaints.push("R line: null RHS".to_owned());
    }
    let mut closing: Option<&Symbol> = None;
    for symbol in rhs {
        let shown = match symbol {
            Symbol::ZeroOrMore => "$*",
            Symbol::OneOrMore => "$+",
            Symbol::One => "$-",
            Symbol::InClass(_) => "$=",
            Symbol::NotInClass(_) => "$~",
            Symbol::Parameter(n) => {
                if *n == 0 || usize::from(*n) > wildcards {
                    complaints.push(format!("replacement ${n} out of bounds"));
                }
                continue;
            }
            Symbol::HostBegin | Symbol::MapBegin => {
                if closing.is_some() {
                    complaints.push("cannot nest map lookups".to_owned());
                } else {
                    closing = Some(if *symbol == Symbol::HostBegin { &Symbol::HostEnd } else { &Symbol::MapEnd });
                }
                continue;
            }
            Symbol::HostEnd | Symbol::MapEnd => {
                if closing == Some(symbol) {
                    closing = None;
                }
                continue;
            }
            _ => continue,
        };
        complaints.push(format!("Inappropriate use of {shown} on RHS"));
    }
    if closing.is_some() {
        complaints.push("missing map closing token".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macros::Template;

    fn read(text: &str) -> (String, Vec<String>) {
        let mut names = NameTable::default();
        let mut scope = Scope::new(Arc::default());
        scope.set_template(MacroId(u16::from(b'A')), Template::literal("alpha"));
        let nested = Template::parse(b"n$A$*m", &mut names);
        scope.set_template(MacroId(u16::from(b'N')), nested);
        scope.set_template(MacroId(u16::from(b'T')), Template::literal("a\tb"));
        let alphabet = Alphabet::new(b".:@[]!%^/+");
        let mut reading = Reading {
            names: &mut names,
            scope: &scope,
            alphabet: &alphabet,
            level: 10,
            scratch: &mut Scratch::default(),
        };
        let read = parse_rule(text.as_bytes(), 1, &mut reading);
        let side = |symbols: &[Symbol]| {
            symbols
                .iter()
                .map(|s| s.render(&names).iter().map(|b| if *b == scan::MARK { '$' } else { char::from(*b) }).collect())
                .collect::<Vec<String>>()
                .join(" ")
        };
        let shown = read.rule.map(|r| format!("{} | {}", side(&r.lhs), side(&r.rhs))).unwrap_or_default();
        (shown, read.complaints)
    }

    #[test]
    fn rules_are_read_as_the_original_lists_them() {
        for (text, shown, complaint) in [
            ("$*\tx\tcomment", "$* | x", ""),
            ("$+\n\tfoo\n\tbar", "$+ | foo", ""),
            ("$* $+ \tx y\tz\tw", "$* $+ | x y", ""),
            ("$=A$=A\t$1$2", "$=A $=A | $1 $2", ""),
            ("$+$N\tx", "$+ nalpha $* m | x", ""),
            ("$?A a$| b$.\t$?q z$|w$.", "a | w", ""),
            ("$Tq\tx", "a | x", ""),
            ("$|\t$$1 $11", "$| | $1 $1 1", "replacement $1 out of bounds"),
            ("\\$1\t\"x\"", "\\$1 | \"x\"", ""),
            ("\\$A \\$|\t\"\\$A\" $$A", "\\alpha \\$| | \"\\alpha\" $A", ""),
            ("\\$x", "", "invalid rewrite line \"R\\\u{1}x\" (tab expected)"),
            ("$*", "", "invalid rewrite line \"R\u{1}*\" (tab expected)"),
            ("\tx", " | x", "R line: null LHS"),
            ("$*\t$*", "$* | $*", "Inappropriate use of $* on RHS"),
            ("$1\tx", "$1 | x", "Inappropriate use of $1-$9 on LHS"),
            ("$*\t$2", "$* | $2", "replacement $2 out of bounds"),
            ("$+\t$(x $1 $]", "$+ | $( x $1 $]", "missing map closing token"),
            ("$+\t$( x $( y $) $)", "$+ | $( x $( y $) $)", "cannot nest map lookups"),
            ("$-$-$-$-$-$-$-$-$-$-\tx", " | x", "R line: too many wildcards"),
            ("$!\tx", " | x", "R line: null LHS"),
            ("$.\tx", "$. | x", "Inappropriate use of $. on LHS"),
        ] {
            let (rule, complaints) = read(text);
            assert_eq!((rule.as_str(), complaints.join("; ").as_str()), (shown, complaint), "{text}");
        }
    }

    #[test]
    fn names_and_numbers_of_rulesets() {
        let mut table = RulesetTable::default();
        for (text, id, complaint) in [
            ("3", Some(3), None),
            ("03 comment", Some(3), None),
            ("named=77", Some(77), None),
            ("auto", Some(199), None),
            ("EnvS-x", Some(198), None),
            ("auto = 7", Some(199), Some("auto = 7: ruleset changed value (old 199, new 7)")),
            ("-1", None, Some("invalid ruleset name: \"-1\"")),
            ("100", None, Some("bad ruleset 100 (100 max)")),
            ("foo=300", None, Some("bad ruleset number 300 in \"foo=300\" (100 max)")),
            ("foo=x", None, Some("bad ruleset definition \"foo=x\" (number required after `=')")),
        ] {
            let entered = table.enter(text.as_bytes());
            assert_eq!(entered.id.map(|i| i.0), id, "{text}");
            assert_eq!(entered.complaint.as_deref(), complaint, "{text}");
        }
        assert_eq!(table.find(b"EnvS"), Some(RulesetId(198)));
        assert_eq!(table.find(b"5"), Some(RulesetId(5)));
        assert_eq!(table.name(RulesetId(77)), "named");
        assert!(table.find(b"nosuch").is_none() && !table.is_known(RulesetId(5)));
    }
}
