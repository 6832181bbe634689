//! From a configuration to a program.

use super::class::Class;
use super::pieces::{self, Part};
use super::program::{After, Code, Entry, Filter, Match, Program, Put, Until, class_mark};
use super::symbol::{SymbolId, SymbolTable, Token, index, mark, pair, symbols};
use crate::address::scan::Alphabet;
use crate::config::rules::{ALL_RULESETS, Rule};
use crate::config::{Config, RulesetId, Symbol};
use crate::macros::MacroId;

impl Program {
    /// Compiles the rulesets and classes of a configuration.
    pub fn compile(config: &Config) -> Self {
        let alphabet = Alphabet::new(&config.options.operator_chars);
        let rules = (0..ALL_RULESETS).map(|number| config.rulesets.rules(RulesetId(number)).len()).sum();
        let mut build = Build {
            config,
            program: Self {
                table: SymbolTable::default(),
                entries: Vec::with_capacity(ALL_RULESETS),
                filters: Vec::with_capacity(rules),
                rules: Vec::with_capacity(rules),
                patterns: Vec::with_capacity(8 * rules),
                runs: Vec::new(),
                results: Vec::with_capacity(4 * rules),
                literals: Vec::new(),
                classes: Vec::new(),
                class_numbers: Vec::new(),
                class_marks: Vec::new(),
                names: config.rulesets.names().map(|(name, id)| (name.clone(), id)).collect(),
                alphabet,
                blank_sub: config.options.blank_sub,
                sources: Vec::with_capacity(rules),
                calls: Vec::new(),
                host: symbols::UNKNOWN,
            },
        };
        for number in 0..ALL_RULESETS {
            build.ruleset(RulesetId(number));
        }
        build.calls();
        build.program.host = build.program.table.intern(b"host");
        build.class_marks();
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
            self.rule(rule);
            self.program.sources.push(rule.clone());
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

    /// Makes the table of classes by symbol.
    fn class_marks(&mut self) {
        let Program { class_marks, classes, table, .. } = &mut self.program;
        class_marks.resize(table.len(), 0);
        for (number, class) in (0..).zip(classes.iter()) {
            for id in class.first_symbols() {
                if let Some(marks) = class_marks.get_mut(id as usize) {
                    *marks |= class_mark(number);
                }
            }
        }
    }

    fn rule(&mut self, rule: &Rule) {
        let pattern = self.lhs(&rule.lhs);
        let (after, rhs) = match rule.rhs.split_first() {
            Some((Symbol::Colon, rest)) => (After::NextRule, rest),
            Some((Symbol::At, rest)) => (After::Leave, rest),
            _ => (After::Again, &*rule.rhs),
        };
        let (result, gives) = self.rhs(&rule.lhs, rhs);
        self.program.rules.push(Code { pattern, result, after, gives, line: rule.line });
    }

    /// Compiles a pattern, and the filter that goes with it.
    fn lhs(&mut self, lhs: &[Symbol]) -> (u32, u32) {
        let from = self.program.patterns.len();
        let runs_from = self.program.runs.len();
        for symbol in lhs {
            let part = self.pattern(symbol);
            // Symbols that stand beside each other are one part.
            if let Match::Run(at, to) = part
                && let Some(Match::Run(_, end)) = self.program.patterns.get_mut(from..).and_then(<[Match]>::last_mut)
                && *end == at
            {
                *end = to;
                continue;
            }
            self.program.patterns.push(part);
        }
        let Program { patterns, runs, filters, .. } = &mut self.program;
        let parts = patterns.get_mut(from..).unwrap_or_default();
        tell_ends(parts, runs);
        filters.push(filter(parts, runs, runs.get(runs_from..).unwrap_or_default()));
        for part in parts {
            if let Match::Run(from, to) = *part
                && let Some([only]) = runs.get(from as usize..to as usize)
            {
                *part = Match::Symbol(*only);
            }
        }
        (index(from), index(patterns.len()))
    }

    /// Compiles a result; the symbols it may hold whatever was matched come with it.
    fn rhs(&mut self, lhs: &[Symbol], rhs: &[Symbol]) -> ((u32, u32), u64) {
        let from = index(self.program.results.len());
        let mut gives = 0;
        for part in pieces::parts(lhs, rhs) {
            let put = match part {
                Part::Piece(piece) => Put::Piece(piece),
                Part::Plain(at) => match rhs.get(at) {
                    Some(Symbol::Deferred(id)) => Put::Deferred(*id),
                    Some(symbol) => {
                        let token = self.literal(symbol);
                        gives |= mark(token.id);
                        self.program.literals.push(token);
                        let end = index(self.program.literals.len());
                        if let Some(Put::Tokens(_, to)) =
                            self.program.results.get_mut(from as usize..).and_then(|p| p.last_mut())
                        {
                            *to = end;
                            continue;
                        }
                        Put::Tokens(end - 1, end)
                    }
                    None => continue,
                },
            };
            self.program.results.push(put);
        }
        ((from, index(self.program.results.len())), gives)
    }

    fn pattern(&mut self, symbol: &Symbol) -> Match {
        match symbol {
            Symbol::Token(text) => {
                let id = self.program.table.intern(text);
                self.run(id)
            }
            Symbol::ZeroOrMore => Match::Any { least: 0, until: Until::Anywhere },
            Symbol::OneOrMore => Match::Any { least: 1, until: Until::Anywhere },
            Symbol::One => Match::One,
            Symbol::InClass(id) => Match::InClass(self.class(*id)),
            Symbol::NotInClass(id) => Match::NotInClass(self.class(*id)),
            Symbol::At => Match::Nothing,
            Symbol::Deferred(id) => Match::Macro(*id),
            Symbol::Parameter(_) => Match::Never,
            other => self.run(operator(other)),
        }
    }

    fn run(&mut self, id: SymbolId) -> Match {
        self.program.runs.push(id);
        let end = index(self.program.runs.len());
        Match::Run(end - 1, end)
    }

    /// A symbol of a result as a token.
    fn literal(&mut self, symbol: &Symbol) -> Token {
        match symbol {
            Symbol::Token(text) => self.program.table.token(text),
            Symbol::InClass(id) | Symbol::NotInClass(id) => {
                let text = if matches!(symbol, Symbol::InClass(_)) { "$=" } else { "$~" };
                let text = format!("{text}{}", self.config.names.shown(*id));
                self.program.table.token(text.as_bytes())
            }
            other => self.program.table.operator(operator(other)),
        }
    }

    fn class(&mut self, id: MacroId) -> u32 {
        if let Some(known) = self.program.class_numbers.iter().position(|n| *n == id) {
            return index(known);
        }
        let members = self.config.classes.members(id).map(AsRef::as_ref);
        let class = Class::new(members, &self.program.alphabet, &mut self.program.table);
        self.program.class_numbers.push(id);
        self.program.classes.push(class);
        index(self.program.classes.len() - 1)
    }
}

/// Notes what is known of the end of each `$*` and `$+`.
fn tell_ends(parts: &mut [Match], runs: &[SymbolId]) {
    // How many tokens all parts behind take, as long as that is one number.
    let mut behind = Some(0);
    for at in (0..parts.len()).rev() {
        let next = parts.get(at + 1).copied();
        let Some(part) = parts.get_mut(at) else { return };
        match part {
            Match::Any { until, .. } => {
                *until = match (behind, next) {
                    (Some(tokens), _) => Until::End(tokens),
                    (None, Some(Match::Run(first, _))) => {
                        runs.get(first as usize).map_or(Until::Anywhere, |id| Until::Symbol(*id))
                    }
                    (None, Some(Match::InClass(class))) => Until::Class(class),
                    _ => Until::Anywhere,
                };
                behind = None;
            }
            Match::Run(from, to) => behind = behind.map(|tokens| tokens + *to - *from),
            Match::One | Match::NotInClass(_) | Match::Symbol(_) => behind = behind.map(|tokens| tokens + 1),
            Match::InClass(_) | Match::Macro(_) => behind = None,
            Match::Nothing | Match::Never => {}
        }
    }
}

/// The filter of a pattern; `needed` are all its symbols.
fn filter(parts: &[Match], runs: &[SymbolId], needed: &[SymbolId]) -> Filter {
    let first = match parts.first() {
        Some(Match::Run(from, _)) => runs.get(*from as usize).copied(),
        _ => None,
    };
    let last = match parts.last() {
        Some(Match::Run(_, to)) => needed.last().copied().filter(|_| *to as usize == runs.len()),
        _ => None,
    };
    let mut filter = Filter {
        needs: needed.iter().fold(0, |needs, id| needs | mark(*id)),
        twice: 0,
        pairs: 0,
        classes: 0,
        first: first.unwrap_or(symbols::UNKNOWN),
        last: last.unwrap_or(symbols::UNKNOWN),
        at_least: 0,
        at_most: 0,
    };
    // Whoever is told of macros' values is told of all that are met.
    if !parts.iter().any(|part| matches!(part, Match::Macro(_))) {
        let again = |at: usize, id: &SymbolId| needed.get(..at).is_some_and(|before| before.contains(id));
        let again = needed.iter().enumerate().filter(|(at, id)| again(*at, id));
        filter.twice = again.fold(0, |twice, (_, id)| twice | mark(*id));
        for part in parts {
            match part {
                Match::Run(from, to) => {
                    let run = runs.get(*from as usize..*to as usize).unwrap_or_default();
                    filter.pairs |= run.windows(2).fold(0, |pairs, two| match two {
                        [first, second] => pairs | pair(*first, *second),
                        _ => pairs,
                    });
                }
                Match::InClass(class) => filter.classes |= class_mark(*class),
                _ => {}
            }
        }
    }
    for part in parts {
        let (least, most) = match part {
            Match::Run(from, to) => (to - from, to - from),
            Match::One | Match::NotInClass(_) | Match::Symbol(_) => (1, 1),
            Match::InClass(_) => (1, u32::MAX),
            Match::Any { least, .. } => (*least, u32::MAX),
            Match::Macro(_) => (0, u32::MAX),
            Match::Nothing => (0, 0),
            // More than there can be.
            Match::Never => (u32::MAX, 0),
        };
        filter.at_least = filter.at_least.saturating_add(least);
        filter.at_most = filter.at_most.saturating_add(most);
    }
    filter
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
