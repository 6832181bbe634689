//! Ruleset calls of a result: `$>name`.

use std::borrow::Cow;

use super::{Evaluation, Phase, seven_bits};
use crate::address::quote;
use crate::base::exit::Exit;
use crate::config::RulesetId;
use crate::config::rules::GIVEN_RULESETS;
use crate::rewrite::program::Program;
use crate::rewrite::symbol::{Token, index, symbols};
use crate::rewrite::trace::Observer;
use crate::rewrite::workspace::text_of;

impl<O: Observer> Evaluation<'_, O> {
    /// Notes the calls of the result.
    ///
    /// A name that is unknown ends the rule before any call is made. A call of a ruleset without rules is taken out at
    /// once, and the token that follows it is passed over.
    pub(super) fn note_calls(&mut self, base: usize, calls_below: usize) {
        let mut at = base;
        while let Some(found) = self.next_call(at) {
            match self.called(found) {
                None => {
                    self.machine.calls.truncate(calls_below);
                    break;
                }
                Some(ruleset) if self.program.has_rules(ruleset) => {
                    self.machine.calls.push(found);
                    at = found + 2;
                }
                Some(ruleset) => {
                    self.observer.skipped(self.program, ruleset);
                    self.tokens.drain(found..found + 2);
                    at = found + 1;
                }
            }
        }
        self.set_phase(Phase::Calling);
    }

    fn next_call(&self, from: usize) -> Option<usize> {
        let at = from + self.tokens.get(from..)?.iter().position(|t| t.id == symbols::CALL)?;
        (at + 1 < self.tokens.len()).then_some(at)
    }

    /// The ruleset that the call at `at` names; when it is unknown that is said, and the name left as it was read.
    fn called(&mut self, at: usize) -> Option<RulesetId> {
        let token = self.tokens.get(at + 1).copied()?;
        let text = text_of(self.program, self.own, token);
        if let Some(ruleset) = self.program.named_by(token.id, text) {
            return Some(ruleset);
        }
        let complaint = match self.program.called(&without_quotes(text)) {
            Ok(ruleset) => return Some(ruleset),
            Err(complaint) => complaint,
        };
        let name = call_name(text);
        if let Some(complaint) = complaint {
            self.observer.message(&complaint);
        }
        self.observer.message(&format!("Unknown ruleset {}", seven_bits(&name)));
        if let Cow::Owned(name) = name {
            let start = index(self.program.table.text.len() + self.own.add(&name));
            if let Some(slot) = self.tokens.get_mut(at + 1) {
                *slot = Token { start, len: index(name.len()), id: symbols::UNKNOWN };
            }
        }
        if let Some(top) = self.machine.frames.last_mut() {
            top.status = Exit::CONFIG;
        }
        None
    }

    /// Makes the last call noted, or finishes the rule.
    pub(super) fn call(&mut self, calls_below: usize) {
        if self.machine.calls.len() <= calls_below {
            return self.finish_rule();
        }
        let Some(at) = self.machine.calls.pop() else { return };
        let Some(ruleset) = self.called(at) else { return };
        self.tokens.drain(at..at + 2);
        self.enter(ruleset, at);
    }
}

impl Program {
    /// The ruleset that a call names; else what is wrong with the name beside being unknown.
    pub fn called(&self, name: &[u8]) -> Result<RulesetId, Option<String>> {
        let name = name.trim_ascii_start();
        let digits: usize = name.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits > 0 {
            let number = name
                .iter()
                .take(digits)
                .fold(0usize, |n, b| n.saturating_mul(10).saturating_add(usize::from(b - b'0')));
            return if number < GIVEN_RULESETS {
                Ok(RulesetId(number))
            } else {
                Err(Some(format!("bad ruleset {number} ({GIVEN_RULESETS} max)")))
            };
        }
        if !name.first().is_some_and(u8::is_ascii_alphabetic) {
            return Err(Some(format!("invalid ruleset name: \"{}\"", seven_bits(name))));
        }
        let end = name.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').unwrap_or(name.len());
        let name = name.get(..end).unwrap_or(name);
        self.names.iter().find(|(n, _)| n.as_ref() == name).map(|(_, id)| *id).ok_or(None)
    }
}

/// The name a token gives to a call: without quotes; what a blank parts from the word is dropped.
fn call_name(token: &[u8]) -> Cow<'_, [u8]> {
    let Cow::Owned(mut text) = without_quotes(token) else { return Cow::Borrowed(token) };
    let blanks = text.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let word = text.iter().skip(blanks).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    if text.get(blanks + word).is_some_and(u8::is_ascii_whitespace) {
        text.truncate(blanks + word);
    }
    Cow::Owned(text)
}

fn without_quotes(token: &[u8]) -> Cow<'_, [u8]> {
    if token.contains(&b'"') || token.contains(&b'\\') {
        Cow::Owned(quote::unquoted(token))
    } else {
        Cow::Borrowed(token)
    }
}
