//! `.D` and `.C`: macros and classes changed for the session.

use std::sync::Arc;

use super::TestMode;
use crate::macros::{MacroId, Template, expand};
use crate::rewrite::Program;
use crate::rewrite::drive::Rewriter;

impl TestMode<'_> {
    pub(super) fn dot(&mut self, line: &[u8], rest: &[u8]) {
        match rest.split_first() {
            Some((b'D', text)) => self.define(text),
            Some((b'C', [])) => {}
            Some((b'C', text)) => self.add_to_class(text),
            None => self.output.line("Usage: .[DC]macro value(s)"),
            Some(_) => {
                self.output.text(b"Unknown \".\" command ");
                self.output.shown(line);
                self.output.end();
            }
        }
    }

    /// The macro or class a text begins with, and what follows; the complaint is printed.
    pub(super) fn name<'t>(&mut self, text: &'t [u8]) -> Option<(MacroId, &'t [u8])> {
        let Some((first, rest)) = text.split_first() else {
            self.fault("Name required for macro/class");
            return None;
        };
        let mut complaints = Vec::new();
        let (id, rest) = expand::name(*first, rest, &mut self.names, &mut complaints);
        for complaint in complaints {
            self.fault(&complaint);
        }
        Some((id?, rest))
    }

    fn define(&mut self, text: &[u8]) {
        let Some((id, value)) = self.name(text) else { return };
        let template = Template::parse(value, &mut self.names);
        self.scope.set_template(id, template);
    }

    fn add_to_class(&mut self, text: &[u8]) {
        let Some((id, words)) = self.name(text) else { return };
        let words = Template::parse(words, &mut self.names).expand(&self.scope);
        self.config.classes.declare(id);
        for word in words.split(u8::is_ascii_whitespace) {
            self.config.classes.add(id, word);
        }
        self.config.names = self.names.clone();
        let program = Arc::new(Program::compile(&self.config));
        self.rewriter = Rewriter::new(program, self.site.maps.clone().undeferred());
        self.workspace = self.rewriter.workspace();
    }
}
