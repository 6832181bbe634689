//! Traces of rulesets, as test mode and `-d21` print them.

use super::output::Output;
use crate::config::{RulesetId, Symbol};
use crate::macros::NameTable;
use crate::rewrite::workspace::View;
use crate::rewrite::{Observer, Program};

/// Prints what the machine does.
pub(super) struct Trace<'a, 'b> {
    pub(super) output: &'a mut Output<'b>,
    pub(super) names: &'a NameTable,
    /// Level of `-d21`.
    pub(super) level: u32,
}

/// Levels of `-d21` from which something is told. Source: observed.
const REWRITTEN: u32 = 4;
const RULES: u32 = 12;
const LINES: u32 = 15;

impl Trace<'_, '_> {
    fn ruleset(&mut self, program: &Program, ruleset: RulesetId, words: &[u8], workspace: View<'_>) {
        self.output.column(program.name(ruleset), 16);
        self.output.text(words);
        self.tokens(workspace);
        self.output.end();
    }

    fn tokens(&mut self, workspace: View<'_>) {
        for token in workspace.iter() {
            self.output.text(b" ");
            self.output.shown(token);
        }
    }

    fn symbols(&mut self, symbols: &[Symbol]) {
        for symbol in symbols {
            self.output.text(b" ");
            self.output.shown(&symbol.render(self.names));
        }
        self.output.end();
    }
}

impl Observer for Trace<'_, '_> {
    fn message(&mut self, text: &str) {
        self.output.line(text);
    }

    fn enter(&mut self, program: &Program, ruleset: RulesetId, workspace: View<'_>) {
        self.ruleset(program, ruleset, b"   input:", workspace);
    }

    fn leave(&mut self, program: &Program, ruleset: RulesetId, workspace: View<'_>) {
        self.ruleset(program, ruleset, b" returns:", workspace);
    }

    fn wants_rules(&self) -> bool {
        self.level >= REWRITTEN
    }

    fn attempt(&mut self, program: &Program, rule: usize, line: u32) {
        if self.level < RULES {
            return;
        }
        let Some((lhs, _)) = program.source(rule) else { return };
        self.output.text(b"-----trying rule");
        if self.level >= LINES {
            self.output.text(format!(" (line {line})").as_bytes());
        }
        self.output.text(b":");
        self.symbols(lhs);
    }

    fn failed(&mut self) {
        if self.level >= RULES {
            self.output.line("----- rule fails");
        }
    }

    fn matched(&mut self, program: &Program, rule: usize, parameters: &[View<'_>]) {
        if self.level < RULES {
            return;
        }
        let Some((_, rhs)) = program.source(rule) else { return };
        self.output.text(b"-----rule matches:");
        self.symbols(rhs);
        if self.level < LINES {
            return;
        }
        for (n, parameter) in parameters.iter().enumerate() {
            self.output.text(format!("${}:", n + 1).as_bytes());
            for token in parameter.iter() {
                self.output.text(b" \"");
                self.output.shown(token);
                self.output.text(b"\"");
            }
            self.output.end();
        }
    }

    fn rewritten(&mut self, workspace: View<'_>) {
        self.output.text(b"rewritten as:");
        self.tokens(workspace);
        self.output.end();
    }
}
