//! Observers: who is told what the machine does.

use super::program::Program;
use super::workspace::View;
use crate::config::RulesetId;
use crate::macros::MacroId;
use crate::maps::Answer;

/// Told what happens. Every method may be left out.
pub trait Observer {
    /// Something is wrong with a rule or a value: the original's words.
    fn message(&mut self, _text: &str) {}

    /// A ruleset begins.
    fn enter(&mut self, _program: &Program, _ruleset: RulesetId, _workspace: View<'_>) {}

    /// A ruleset is done.
    fn leave(&mut self, _program: &Program, _ruleset: RulesetId, _workspace: View<'_>) {}

    /// Whether [`Self::deferred`] is called.
    fn wants_macros(&self) -> bool {
        false
    }

    /// A `$&x` on one side of a rule (`LHS`, `RHS`) was given a macro's value; none when it is not defined.
    fn deferred(&mut self, _side: &str, _name: MacroId, _value: Option<&[u8]>) {}

    /// A rule went on matching for too long; the message has been given.
    fn endless(&mut self, _workspace: View<'_>) {}

    /// A call was left out, for the ruleset has no rules.
    fn skipped(&mut self, _program: &Program, _ruleset: RulesetId) {}

    /// A map was asked.
    fn looked_up(&mut self, _map: &[u8], _key: &[u8], _answer: &Answer) {}

    /// Whether the methods below are called.
    fn wants_rules(&self) -> bool {
        false
    }

    /// A rule is tried; its number in the program and its line in the cf file.
    fn attempt(&mut self, _program: &Program, _rule: usize, _line: u32) {}

    /// It did not match.
    fn failed(&mut self) {}

    /// It matched; `parameters` are what `$1` and on stand for.
    fn matched(&mut self, _program: &Program, _rule: usize, _parameters: &[View<'_>]) {}

    /// What it made of the workspace.
    fn rewritten(&mut self, _workspace: View<'_>) {}
}

/// Keeps the messages, nothing else.
#[derive(Debug, Default)]
pub struct Messages(pub Vec<String>);

impl Observer for Messages {
    fn message(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
}

/// Hears nothing.
#[derive(Debug, Default)]
pub struct Nobody;

impl Observer for Nobody {}
