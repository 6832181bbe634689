//! From a configuration to a program.

use bytes::Bytes;

use super::program::{
    After, Class, Code, Entry, Match, Program, Put, SymbolTable, index, mark, phrase_hash, set_bit, symbols,
};
use crate::address::scan::{self, Alphabet, Mode};
use crate::config::rules::{ALL_RULESETS, Rule};
use crate::config::{Config, RulesetId, Symbol};
use crate::macros::MacroId;

impl Program {
    /// Compiles the rulesets and classes of a configuration.
    pub fn compile(config: &Config) -> Self {
        let alphabet = Alphabet::new(&config.options.operator_chars);
        let mut build = Build {
            config,
            program: Self {
                table: SymbolTable::default(),
                entries: Vec::with_capacity(ALL_RULESETS),
                rules: Vec::new(),
                patterns: Vec::new(),
                results: Vec::new(),
                classes: Vec::new(),
                class_numbers: Vec::new(),
                names: config.rulesets.names().map(|(name, id)| (name.clone(), id)).collect(),
                alphabet,
                blank_sub: config.options.blank_sub,
                sources: Vec::new(),
                calls: Vec::new(),
            },
        };
        // The commonest operators come first: their marks then differ.
        for text in ["@", "<", ">", ".", "[", "]", ":", ";", ",", "!", "%", "+", "?", "OK", "REJECT", "localhost"] {
            build.program.table.intern(text.as_bytes());
        }
        for number in 0..ALL_RULESETS {
            build.ruleset(RulesetId(number));
        }
        build.calls();
        build.program
    }
}

struct Build<'a> {
    config: &'a Config,
    program: Program,
}

impl Build<'_> {
    fn ruleset(&mut self, id: RulesetId) {
        let from = index(self.program.rules.len());
        for rule in self.config.rulesets.rules(id) {
            let code = self.rule(rule);
            self.program.rules.push(code);
            self.program.sources.push((rule.lhs.clone(), rule.rhs.clone()));
        }
        let rules = (from, index(self.program.rules.len()));
        self.program.entries.push(Entry { rules, name: self.config.rulesets.name(id) });
    }

    /// Makes the table of rulesets by symbol.
    fn calls(&mut self) {
        let program = &mut self.program;
        for (name, _) in &program.names {
            program.table.intern(name);
        }
        program.calls = vec![None; program.table.len()];
        for number in 0..program.entries.len() {
            let id = program.entries.get(number).map_or(0, |entry| program.table.find(&entry.name));
            let is_name =
                program.entries.get(number).is_some_and(|e| e.name.first().is_some_and(u8::is_ascii_alphabetic));
            if let Some(slot) = program.calls.get_mut(id as usize).filter(|_| is_name) {
                *slot = Some(RulesetId(number));
            }
        }
    }

    fn rule(&mut self, rule: &Rule) -> Code {
        let pattern_from = index(self.program.patterns.len());
        let (mut needs, mut at_least, mut exact) = (0, 0, true);
        for symbol in &rule.lhs {
            let part = self.pattern(symbol);
            match part {
                Match::Symbol(id) => {
                    needs |= mark(id);
                    at_least += 1;
                }
                Match::One | Match::NotInClass(_) => at_least += 1,
                Match::OneOrMore | Match::InClass(_) => {
                    at_least += 1;
                    exact = false;
                }
                Match::ZeroOrMore | Match::Macro(_) => exact = false,
                Match::Nothing | Match::Never => {}
            }
            self.program.patterns.push(part);
        }
        let pattern = (pattern_from, index(self.program.patterns.len()));
        let anchor = |part: Option<&Match>| match part {
            Some(Match::Symbol(id)) => *id,
            _ => symbols::UNKNOWN,
        };
        let parts = self.program.patterns.get(pattern_from as usize..).unwrap_or_default();
        let (first, last) = (anchor(parts.first()), anchor(parts.last()));
        let (after, rhs) = match rule.rhs.split_first() {
            Some((Symbol::Colon, rest)) => (After::NextRule, rest),
            Some((Symbol::At, rest)) => (After::Leave, rest),
            _ => (After::Again, rule.rhs.as_slice()),
        };
        let result_from = index(self.program.results.len());
        for symbol in rhs {
            let part = self.result(symbol);
            self.program.results.push(part);
        }
        let gives = self
            .program
            .results
            .get(result_from as usize..)
            .unwrap_or_default()
            .iter()
            .fold(0, |gives, part| gives | if let Put::Token(token) = part { mark(token.id) } else { 0 });
        let result = (result_from, index(self.program.results.len()));
        Code { pattern, result, after, needs, gives, first, last, at_least, exact, line: rule.line }
    }

    fn pattern(&mut self, symbol: &Symbol) -> Match {
        match symbol {
            Symbol::Token(text) => Match::Symbol(self.program.table.intern(text)),
            Symbol::ZeroOrMore => Match::ZeroOrMore,
            Symbol::OneOrMore => Match::OneOrMore,
            Symbol::One => Match::One,
            Symbol::InClass(id) => Match::InClass(self.class(*id)),
            Symbol::NotInClass(id) => Match::NotInClass(self.class(*id)),
            Symbol::At => Match::Nothing,
            Symbol::Deferred(id) => Match::Macro(*id),
            Symbol::Parameter(_) => Match::Never,
            other => Match::Symbol(operator(other)),
        }
    }

    fn result(&mut self, symbol: &Symbol) -> Put {
        match symbol {
            Symbol::Token(text) => Put::Token(self.program.table.token(text)),
            Symbol::Parameter(n) => Put::Parameter(*n),
            Symbol::Deferred(id) => Put::Deferred(*id),
            Symbol::InClass(id) | Symbol::NotInClass(id) => {
                let text = if matches!(symbol, Symbol::InClass(_)) { "$=" } else { "$~" };
                let text = format!("{text}{}", self.config.names.shown(*id));
                Put::Token(self.program.table.token(text.as_bytes()))
            }
            other => Put::Token(self.program.table.operator(operator(other))),
        }
    }

    fn class(&mut self, id: MacroId) -> u32 {
        if let Some(known) = self.program.class_numbers.iter().position(|n| *n == id) {
            return index(known);
        }
        let mut class = Class::default();
        for member in self.config.classes.members(id) {
            self.member(&mut class, member);
        }
        class.phrases.sort_unstable();
        self.program.class_numbers.push(id);
        self.program.classes.push(class);
        index(self.program.classes.len() - 1)
    }

    fn member(&mut self, class: &mut Class, member: &Bytes) {
        // A member that makes no tokens can match none.
        let Ok(scanned) = scan::prescan(member, &self.program.alphabet, Mode::Rule, None) else { return };
        let ids: Vec<_> = scanned.tokens.iter().map(|t| self.program.table.intern(t)).collect();
        match ids.as_slice() {
            [] => {}
            [one] => set_bit(&mut class.words, *one),
            [first, ..] => {
                set_bit(&mut class.starts, *first);
                let hash = ids.iter().fold(0, |hash, id| phrase_hash(hash, *id));
                class.phrases.push((hash, index(class.phrase_symbols.len()), index(ids.len())));
                class.phrase_symbols.extend_from_slice(&ids);
                class.longest = class.longest.max(ids.len());
            }
        }
    }
}

/// The symbol of an operator.
fn operator(symbol: &Symbol) -> u32 {
    match symbol {
        Symbol::Hash => symbols::HASH,
        Symbol::At => symbols::AT,
        Symbol::Colon => symbols::COLON,
        Symbol::Bar => symbols::BAR,
        Symbol::Call => symbols::CALL,
        Symbol::HostBegin => symbols::HOST_BEGIN,
        Symbol::HostEnd => symbols::HOST_END,
        Symbol::MapBegin => symbols::MAP_BEGIN,
        Symbol::MapEnd => symbols::MAP_END,
        Symbol::ZeroOrMore => 10,
        Symbol::OneOrMore => 11,
        Symbol::One => 12,
        Symbol::Stray(b'.') => 13,
        Symbol::Stray(b'?') => 14,
        Symbol::Stray(_)
        | Symbol::Token(_)
        | Symbol::InClass(_)
        | Symbol::NotInClass(_)
        | Symbol::Parameter(_)
        | Symbol::Deferred(_) => 15,
    }
}
