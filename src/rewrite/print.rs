//! Traces of rulesets, as test mode and `-d21` print them, and of map lookups (`-d60`).

use super::program::Program;
use super::trace::Observer;
use super::workspace::{ROOM, View, Word};
use crate::address::visible;
use crate::base::exit::Exit;
use crate::config::{RulesetId, Symbol};
use crate::log::debug::Tracer;
use crate::macros::{MacroId, NameTable};
use crate::maps::Answer;

/// Levels of the two categories.
#[derive(Debug, Clone, Copy, Default)]
pub struct Levels {
    /// 21: rulesets.
    pub rules: u16,
    /// 60: map lookups.
    pub lookups: u16,
}

impl Levels {
    /// What a tracer wants to see.
    pub fn of(tracer: &Tracer) -> Self {
        Self { rules: tracer.level(RULES_CATEGORY), lookups: tracer.level(LOOKUPS_CATEGORY) }
    }
}

/// Prints what the machine does.
pub struct Printer<'a> {
    /// Where lines go.
    pub out: &'a mut Vec<u8>,
    /// Names of macros and classes.
    pub names: &'a NameTable,
    /// How much is told.
    pub levels: Levels,
    /// Whether rulesets are shown whatever the level is, their names without a word before: test mode.
    pub is_test: bool,
}

const RULES_CATEGORY: u8 = 21;
const LOOKUPS_CATEGORY: u8 = 60;
/// Levels of 21 from which something is told. Source: observed.
const RULESETS: u16 = 1;
const VALUES: u16 = 2;
const SKIPPED: u16 = 3;
const REWRITTEN: u16 = 4;
const RULES: u16 = 12;
const LINES: u16 = 15;
/// Width of a ruleset's name.
const NAME: usize = 16;

impl Printer<'_> {
    fn ruleset(&mut self, program: &Program, ruleset: RulesetId, words: &[u8], workspace: View<'_>) {
        if !self.is_test {
            if self.levels.rules < RULESETS {
                return;
            }
            self.text(b"rewrite: ruleset ");
        }
        visible::push_column(program.name(ruleset), NAME, self.out);
        self.text(words);
        self.tokens(workspace);
        self.text(b"\n");
    }

    fn text(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    fn shown(&mut self, text: &[u8]) {
        visible::push(text, self.out);
    }

    fn line(&mut self, text: &str) {
        self.text(text.as_bytes());
        self.text(b"\n");
    }

    fn tokens(&mut self, workspace: View<'_>) {
        if workspace.is_plain() {
            return self.plain_tokens(workspace);
        }
        for token in workspace.iter() {
            self.text(b" ");
            self.shown(token);
        }
    }

    /// Tokens that need not be looked at: blocks of one length are copied in one move, whatever of it counts.
    fn plain_tokens(&mut self, workspace: View<'_>) {
        let room = workspace.len() * (ROOM + 1);
        let mut end = self.out.len();
        self.out.resize(end + room, b' ');
        for Word { from, len } in workspace.words() {
            let place = self.out.get_mut(end..).and_then(<[u8]>::first_chunk_mut::<{ ROOM + 1 }>);
            match (from.first_chunk::<ROOM>(), place) {
                (Some(block), Some([blank, place @ ..])) if len <= ROOM => {
                    *blank = b' ';
                    *place = *block;
                    end += 1 + len;
                }
                _ => {
                    self.out.truncate(end);
                    self.out.push(b' ');
                    self.out.extend_from_slice(from.get(..len).unwrap_or_default());
                    end = self.out.len();
                    self.out.resize(end + room, b' ');
                }
            }
        }
        self.out.truncate(end);
    }

    fn symbols(&mut self, symbols: &[Symbol]) {
        for symbol in symbols {
            self.text(b" ");
            self.shown(&symbol.render(self.names));
        }
        self.text(b"\n");
    }
}

impl Observer for Printer<'_> {
    fn message(&mut self, text: &str) {
        // Elsewhere whoever runs the ruleset says it.
        if self.is_test {
            self.line(text);
        }
    }

    fn enter(&mut self, program: &Program, ruleset: RulesetId, workspace: View<'_>) {
        self.ruleset(program, ruleset, b"   input:", workspace);
    }

    fn leave(&mut self, program: &Program, ruleset: RulesetId, workspace: View<'_>) {
        self.ruleset(program, ruleset, b" returns:", workspace);
    }

    fn wants_macros(&self) -> bool {
        self.levels.rules >= VALUES
    }

    fn endless(&mut self, workspace: View<'_>) {
        if self.levels.rules >= RULESETS {
            self.text(b"workspace: ");
            self.tokens(workspace);
            self.text(b"\n");
        }
    }

    fn deferred(&mut self, side: &str, name: MacroId, value: Option<&[u8]>) {
        if self.levels.rules < VALUES {
            return;
        }
        let name = self.names.name(name);
        self.text(format!("rewrite: {side} $&{{").as_bytes());
        self.shown(&name);
        self.text(b"} => \"");
        self.shown(value.unwrap_or(b"(NULL)"));
        self.line("\"");
    }

    fn skipped(&mut self, program: &Program, ruleset: RulesetId) {
        if self.levels.rules < SKIPPED {
            return;
        }
        self.text(b"-----skip subr ");
        self.shown(program.name(ruleset));
        self.line(&format!(" ({})", ruleset.0));
    }

    fn looked_up(&mut self, map: &[u8], key: &[u8], answer: &Answer) {
        if self.levels.lookups == 0 {
            return;
        }
        self.text(b"map_lookup(");
        self.shown(map);
        self.text(b", ");
        self.shown(key);
        self.text(b") => ");
        match answer {
            Answer::Found(value) | Answer::Instead(value) => self.shown(value),
            Answer::NotFound(_) | Answer::Temporary(_) => self.text(b"NOT FOUND"),
        }
        let exit: Exit = answer.exit();
        self.line(&format!(" ({}), ad=0", exit.0));
    }

    fn wants_rules(&self) -> bool {
        self.levels.rules >= REWRITTEN
    }

    fn attempt(&mut self, program: &Program, rule: usize, line: u32) {
        if self.levels.rules < RULES {
            return;
        }
        let Some(rule) = program.source(rule) else { return };
        self.text(b"-----trying rule");
        if self.levels.rules >= LINES {
            self.text(format!(" (line {line})").as_bytes());
        }
        self.text(b":");
        self.symbols(&rule.lhs);
    }

    fn failed(&mut self) {
        if self.levels.rules >= RULES {
            self.line("----- rule fails");
        }
    }

    fn matched(&mut self, program: &Program, rule: usize, parameters: &[View<'_>]) {
        if self.levels.rules < RULES {
            return;
        }
        let Some(rule) = program.source(rule) else { return };
        self.text(b"-----rule matches:");
        self.symbols(&rule.rhs);
        if self.levels.rules < LINES {
            return;
        }
        // One line each time a parameter is put into the result; the original shows where in its memory a token lies.
        for symbol in rule.rhs.iter() {
            let Symbol::Parameter(n) = symbol else { continue };
            let Some(parameter) = usize::from(*n).checked_sub(1).and_then(|n| parameters.get(n)) else { continue };
            self.text(format!("${n}:").as_bytes());
            for (place, token) in parameter.places().zip(parameter.iter()) {
                self.text(format!(" {place:#x}=\"").as_bytes());
                self.text(token);
                self.text(b"\"");
            }
            self.text(b"\n");
        }
    }

    fn rewritten(&mut self, workspace: View<'_>) {
        self.text(b"rewritten as:");
        self.tokens(workspace);
        self.text(b"\n");
    }
}

/// Tells two observers.
pub struct Both<'a, O>(pub &'a mut O, pub Printer<'a>);

impl<O: Observer> Observer for Both<'_, O> {
    fn message(&mut self, text: &str) {
        self.0.message(text);
        self.1.message(text);
    }

    fn enter(&mut self, program: &Program, ruleset: RulesetId, workspace: View<'_>) {
        self.0.enter(program, ruleset, workspace);
        self.1.enter(program, ruleset, workspace);
    }

    fn leave(&mut self, program: &Program, ruleset: RulesetId, workspace: View<'_>) {
        self.0.leave(program, ruleset, workspace);
        self.1.leave(program, ruleset, workspace);
    }

    fn wants_macros(&self) -> bool {
        self.0.wants_macros() || self.1.wants_macros()
    }

    fn deferred(&mut self, side: &str, name: MacroId, value: Option<&[u8]>) {
        self.0.deferred(side, name, value);
        self.1.deferred(side, name, value);
    }

    fn endless(&mut self, workspace: View<'_>) {
        self.0.endless(workspace);
        self.1.endless(workspace);
    }

    fn skipped(&mut self, program: &Program, ruleset: RulesetId) {
        self.0.skipped(program, ruleset);
        self.1.skipped(program, ruleset);
    }

    fn looked_up(&mut self, map: &[u8], key: &[u8], answer: &Answer) {
        self.0.looked_up(map, key, answer);
        self.1.looked_up(map, key, answer);
    }

    fn wants_rules(&self) -> bool {
        self.0.wants_rules() || self.1.wants_rules()
    }

    fn attempt(&mut self, program: &Program, rule: usize, line: u32) {
        self.0.attempt(program, rule, line);
        self.1.attempt(program, rule, line);
    }

    fn failed(&mut self) {
        self.0.failed();
        self.1.failed();
    }

    fn matched(&mut self, program: &Program, rule: usize, parameters: &[View<'_>]) {
        self.0.matched(program, rule, parameters);
        self.1.matched(program, rule, parameters);
    }

    fn rewritten(&mut self, workspace: View<'_>) {
        self.0.rewritten(workspace);
        self.1.rewritten(workspace);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::address::scan::Mode;
    use crate::config::Config;
    use crate::rewrite::workspace::Workspace;

    #[test]
    fn tokens_of_every_length_are_printed_whole() {
        let mut workspace = Workspace::new(Arc::new(Program::compile(&Config::default())));
        for address in ["a@b.c", &format!("{0}@{0}.x{0}.{0}", "y".repeat(ROOM)), &"z".repeat(200), "a b@c", "\u{e4}@b"]
        {
            workspace.load(address.as_bytes(), Mode::Address, None).unwrap();
            let mut out = b"before".to_vec();
            let (names, levels) = (NameTable::default(), Levels::default());
            Printer { out: &mut out, names: &names, levels, is_test: true }.tokens(workspace.view());
            let mut expected = b"before".to_vec();
            for token in workspace.view().iter() {
                expected.push(b' ');
                visible::push(token, &mut expected);
            }
            assert_eq!(out, expected, "{address}");
        }
    }
}
