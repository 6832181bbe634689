//! The machine: evaluates a ruleset on a workspace, with a stack of its own.
//!
//! A called ruleset works on the tail of its caller's tokens, in place: the argument of `$>` is everything to its right,
//! and what the callee leaves there replaces the call. When a rule asks a map the machine stops with a
//! [`Step::Lookup`]; [`Workspace::answer`] lets it go on.

mod call;
mod lookup;

use self::lookup::Pending;
pub use self::lookup::{Question, Reply};
use super::pattern::{Attempt, Search};
use super::program::{After, Code, Filter, Piece, Program, Put};
use super::symbol::{SymbolId, Token, mark, pair, symbols};
use super::text::Text;
use super::trace::Observer;
use super::workspace::{View, Workspace, add_tokens};
use crate::address::scan::{self, Mode, Tokens};
use crate::address::shortened_bytes;
use crate::base::exit::Exit;
use crate::base::limits;
use crate::config::RulesetId;
use crate::macros::Scope;

/// How an evaluation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A map is asked: see [`Workspace::question`].
    Lookup,
    /// It is over; not OK when a message was said.
    Done(Exit),
}

/// A ruleset at work.
#[derive(Debug, Clone, Copy)]
struct Frame {
    ruleset: RulesetId,
    /// First token of its workspace.
    base: usize,
    /// Calls noted by rulesets below.
    calls_below: usize,
    /// Of this ruleset and those it called.
    status: Exit,
    at: Place,
    phase: Phase,
    after: After,
    /// Whether the result may hold calls.
    calls: bool,
}

/// Where in its rules a ruleset is.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The rule at work, and where the ruleset's rules begin and end.
    rule: u32,
    first: u32,
    end: u32,
    /// Times in a row that the rule at work has matched.
    repeats: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Trying rules.
    Rules,
    /// Asking maps; see [`Pending`].
    Maps,
    /// Noting the calls of the result.
    Calls,
    /// Making the calls noted, the last one first.
    Calling,
}

/// What of a workspace rules out most rules at once.
#[derive(Debug, Clone, Copy)]
struct Shape {
    marks: u64,
    twice: u64,
    pairs: u64,
    classes: u64,
    count: u32,
    first: SymbolId,
    last: SymbolId,
}

impl Shape {
    #[inline]
    fn of(tokens: &[Token], program: &Program) -> Self {
        let mut shape = Self {
            marks: 0,
            twice: 0,
            pairs: 0,
            classes: 0,
            count: u32::try_from(tokens.len()).unwrap_or(u32::MAX),
            first: tokens.first().map_or(symbols::UNKNOWN, |token| token.id),
            last: symbols::UNKNOWN,
        };
        for Token { id, .. } in tokens {
            let mark = mark(*id);
            shape.twice |= shape.marks & mark;
            shape.marks |= mark;
            shape.pairs |= pair(shape.last, *id);
            shape.classes |= program.class_marks.get(*id as usize).copied().unwrap_or_default();
            shape.last = *id;
        }
        shape
    }

    #[inline]
    fn may_match(self, filter: &Filter) -> bool {
        (filter.needs & !self.marks) | (filter.twice & !self.twice) | (filter.pairs & !self.pairs) == 0
            && filter.classes & !self.classes == 0
            && self.count >= filter.at_least
            && self.count <= filter.at_most
            && (filter.first == symbols::UNKNOWN || filter.first == self.first)
            && (filter.last == symbols::UNKNOWN || filter.last == self.last)
    }
}

/// Memory of evaluations.
#[derive(Debug)]
pub(crate) struct Machine {
    frames: Vec<Frame>,
    /// Of the evaluation as a whole.
    status: Exit,
    search: Search,
    result: Vec<Token>,
    /// The result before maps are asked.
    source: Vec<Token>,
    pending: Pending,
    question: Question,
    /// Places of `$>`, outermost first.
    calls: Vec<usize>,
    scanned: Tokens,
    plain: Vec<u8>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            frames: Vec::new(),
            status: Exit::OK,
            search: Search::default(),
            result: Vec::new(),
            source: Vec::new(),
            pending: Pending::default(),
            question: Question::default(),
            calls: Vec::new(),
            scanned: Tokens::default(),
            plain: Vec::new(),
        }
    }
}

impl Machine {
    /// Whether no evaluation was left in the middle.
    pub(super) fn is_at_rest(&self) -> bool {
        self.frames.is_empty()
    }

    /// Memory of results, bytes, about.
    pub(super) fn memory(&self) -> usize {
        size_of::<Token>() * (self.result.capacity() + self.source.capacity()) + self.plain.capacity()
    }
}

impl Workspace {
    /// Begins to evaluate a ruleset; go on with [`Self::run`].
    pub fn start(&mut self, ruleset: RulesetId, observer: &mut impl Observer) {
        self.machine.frames.clear();
        self.machine.calls.clear();
        self.machine.status = Exit::OK;
        self.evaluation(observer).enter(ruleset, 0);
    }

    /// Evaluates up to the next question or the end.
    pub fn run(&mut self, scope: &Scope, observer: &mut impl Observer) -> Step {
        let mut evaluation = self.evaluation(observer);
        while let Some(frame) = evaluation.machine.frames.last() {
            let (base, calls_below, calls) = (frame.base, frame.calls_below, frame.calls);
            match frame.phase {
                Phase::Rules => {
                    let (at, ruleset) = (frame.at, frame.ruleset);
                    evaluation.rules(at, base, ruleset, scope);
                }
                Phase::Maps => {
                    if evaluation.ask() {
                        return Step::Lookup;
                    }
                    evaluation.replace(base);
                    if calls {
                        evaluation.set_phase(Phase::Calls);
                    } else {
                        evaluation.finish_rule();
                    }
                }
                Phase::Calls => evaluation.note_calls(base, calls_below),
                Phase::Calling => evaluation.call(calls_below),
            }
        }
        Step::Done(self.machine.status)
    }

    fn evaluation<'w, O: Observer>(&'w mut self, observer: &'w mut O) -> Evaluation<'w, O> {
        let Self { program, own, tokens, machine, .. } = self;
        Evaluation { program, own, tokens, machine, observer }
    }
}

/// A machine at work: the parts of a workspace, and who is told.
struct Evaluation<'w, O> {
    program: &'w Program,
    own: &'w mut Text,
    tokens: &'w mut Vec<Token>,
    machine: &'w mut Machine,
    observer: &'w mut O,
}

impl<'w, O: Observer> Evaluation<'w, O> {
    fn enter(&mut self, ruleset: RulesetId, base: usize) {
        let (first, end) = self.program.entry(ruleset);
        self.observer.enter(self.program, ruleset, view(self.program, self.own, self.tokens, base));
        self.machine.frames.push(Frame {
            ruleset,
            base,
            calls_below: self.machine.calls.len(),
            status: Exit::OK,
            at: Place { rule: first, first, end, repeats: 0 },
            phase: Phase::Rules,
            after: After::Again,
            calls: false,
        });
        if self.machine.frames.len() > limits::RULESET_DEPTH + 1 {
            let name = String::from_utf8_lossy(self.program.name(ruleset));
            let limit = limits::RULESET_DEPTH;
            self.observer.message(&format!("rewrite: excessive recursion (max {limit}), ruleset {name}"));
            self.abort(Exit::CONFIG);
        }
    }

    /// The ruleset on top is done.
    fn leave(&mut self) {
        let Some(Frame { ruleset, base, status, .. }) = self.machine.frames.last() else { return };
        let status = *status;
        self.observer.leave(self.program, *ruleset, view(self.program, self.own, self.tokens, *base));
        self.pop(status);
    }

    /// The ruleset on top cannot go on: its caller does. Nothing of its workspace is left.
    fn abort(&mut self, status: Exit) {
        if let Some(top) = self.machine.frames.last().filter(|_| status == Exit::DATAERR) {
            self.tokens.truncate(top.base);
        }
        self.pop(status);
    }

    /// Takes the ruleset on top away. When it failed (not for now only) its caller makes no more calls for the rule at work.
    fn pop(&mut self, status: Exit) {
        self.machine.frames.pop();
        match self.machine.frames.last_mut() {
            None => self.machine.status = status,
            Some(caller) if status != Exit::OK => {
                caller.status = status;
                if status != Exit::TEMPFAIL {
                    self.machine.calls.truncate(caller.calls_below);
                }
            }
            Some(_) => {}
        }
    }

    fn set_phase(&mut self, phase: Phase) {
        if let Some(top) = self.machine.frames.last_mut() {
            top.phase = phase;
        }
    }

    /// Applies rules until one asks or calls, or the ruleset is done.
    fn rules(&mut self, mut at: Place, base: usize, ruleset: RulesetId, scope: &Scope) {
        loop {
            let tokens = self.tokens.get(base..).unwrap_or_default();
            if tokens.first().is_some_and(|token| token.id == symbols::HASH) {
                return self.leave();
            }
            let shape = Shape::of(tokens, self.program);
            let Some(code) = self.matching(&mut at, base, shape, scope) else { return self.leave() };
            at.repeats += 1;
            if at.repeats > limits::RULE_REPEATS {
                let name = String::from_utf8_lossy(self.program.name(ruleset));
                let number = at.rule - at.first + 1;
                self.observer.message(&format!("Infinite loop in ruleset {name}, rule {number}"));
                self.observer.endless(view(self.program, self.own, self.tokens, base));
                return self.leave();
            }
            if self.observer.wants_rules() {
                self.tell_match(at.rule, base);
            }
            if code.after != After::Again {
                at.rule += 1;
                at.repeats = 0;
            }
            if let Err(status) = self.substitute(code, base, scope) {
                return self.abort(status);
            }
            let operators = code.gives | shape.marks;
            let calls = operators & mark(symbols::CALL) != 0;
            let asks = operators & (mark(symbols::MAP_BEGIN) | mark(symbols::HOST_BEGIN)) != 0;
            if asks {
                std::mem::swap(&mut self.machine.source, &mut self.machine.result);
                self.machine.result.clear();
                self.machine.pending = Pending::default();
            } else {
                self.replace(base);
            }
            if asks || calls {
                if let Some(top) = self.machine.frames.last_mut() {
                    let phase = if asks { Phase::Maps } else { Phase::Calls };
                    *top = Frame { at, phase, calls, after: code.after, ..*top };
                }
                return;
            }
            if self.rewritten(base, code.after) {
                return;
            }
        }
    }

    /// The next rule that matches; `at` is moved on to it.
    fn matching(&mut self, at: &mut Place, base: usize, shape: Shape, scope: &Scope) -> Option<&'w Code> {
        let program = self.program;
        let tracing = self.observer.wants_rules();
        let filters = program.filters.get(at.rule as usize..at.end as usize)?;
        for (rule, filter) in (at.rule..).zip(filters) {
            let may_match = shape.may_match(filter);
            if !may_match && !tracing {
                continue;
            }
            let code = program.rules.get(rule as usize)?;
            if tracing {
                self.observer.attempt(program, rule as usize, code.line);
            }
            if may_match && self.matches(code, base, scope) {
                if rule != at.rule {
                    at.rule = rule;
                    at.repeats = 0;
                }
                return Some(code);
            }
            if tracing {
                self.observer.failed();
            }
        }
        None
    }

    fn tell_match(&mut self, rule: u32, base: usize) {
        let all = view(self.program, self.own, self.tokens, base);
        let bindings = &self.machine.search.bindings;
        let parts: Vec<View<'_>> =
            (0..bindings.len()).filter_map(|n| bindings.get(n)).map(|(from, to)| all.part(from, to)).collect();
        self.observer.matched(self.program, rule as usize, &parts);
    }

    fn matches(&mut self, code: &Code, base: usize, scope: &Scope) -> bool {
        let (from, to) = code.pattern;
        let program = self.program;
        let Some(pattern) = program.patterns.get(from as usize..to as usize) else { return false };
        let wants_macros = self.observer.wants_macros();
        let Some(tokens) = self.tokens.get(base..) else { return false };
        let Evaluation { own, machine, observer, .. } = self;
        let mut tell = |id, value: Option<&[u8]>| observer.deferred("LHS", id, value);
        let mut attempt = Attempt { program, pattern, tokens, text: own, scope, tell: None };
        if wants_macros {
            attempt.tell = Some(&mut tell);
        }
        attempt.run(&mut machine.search)
    }

    /// Builds the result with parameters and `$&x` put in.
    fn substitute(&mut self, code: &Code, base: usize, scope: &Scope) -> Result<(), Exit> {
        let (from, to) = code.result;
        let program = self.program;
        let Machine { result, scanned, search, .. } = &mut *self.machine;
        let tokens = self.tokens.get(base..).unwrap_or_default();
        result.clear();
        for put in program.results.get(from as usize..to as usize).unwrap_or_default() {
            match put {
                Put::Tokens(from, to) => {
                    append(result, program.literals.get(*from as usize..*to as usize).unwrap_or_default());
                }
                Put::Piece(Piece { first, before, last, after }) => {
                    let start = search.bindings.get(usize::from(*first)).map(|(start, _)| start);
                    let end = search.bindings.get(usize::from(*last)).map(|(_, end)| end);
                    let (Some(start), Some(end)) = (start, end) else { continue };
                    let (start, end) = (start - usize::from(*before), end + usize::from(*after));
                    append(result, tokens.get(start..end).unwrap_or_default());
                }
                Put::Deferred(id) => {
                    let value = scope.text(*id);
                    if self.observer.wants_macros() {
                        self.observer.deferred("RHS", *id, scope.value(*id).map(|_| &*value));
                    }
                    tokenise(program, self.own, result, scanned, &value, self.observer)?;
                }
            }
            if result.len() > limits::TOKENS {
                self.observer.message("rewrite: expansion too long");
                return Err(Exit::DATAERR);
            }
        }
        Ok(())
    }

    /// Puts the finished result where the workspace of the ruleset was.
    fn replace(&mut self, base: usize) {
        if base == 0 {
            std::mem::swap(self.tokens, &mut self.machine.result);
        } else {
            self.tokens.truncate(base);
            self.tokens.extend_from_slice(&self.machine.result);
        }
    }

    /// All calls of the result are done.
    fn finish_rule(&mut self) {
        let Some(frame) = self.machine.frames.last_mut() else { return };
        frame.phase = Phase::Rules;
        let (base, after) = (frame.base, frame.after);
        self.rewritten(base, after);
    }

    /// A rule is done; whether the ruleset is, too.
    fn rewritten(&mut self, base: usize, after: After) -> bool {
        if self.observer.wants_rules() {
            self.observer.rewritten(view(self.program, self.own, self.tokens, base));
        }
        let leaves = after == After::Leave;
        if leaves {
            self.leave();
        }
        leaves
    }
}

fn view<'v>(program: &'v Program, own: &'v Text, tokens: &'v [Token], base: usize) -> View<'v> {
    View { program, own, tokens: tokens.get(base..).unwrap_or_default() }
}

/// Adds tokens, mostly few of them.
#[inline]
fn append(tokens: &mut Vec<Token>, more: &[Token]) {
    if let [token] = more {
        tokens.push(*token);
    } else {
        tokens.extend_from_slice(more);
    }
}

/// Foreign text as messages show it: the eighth bit off.
fn seven_bits(text: &[u8]) -> String {
    text.iter().map(|b| char::from(b & 0x7f)).collect()
}

/// As [`seven_bits`], without the bytes that stand for operators.
fn visible(text: &[u8]) -> String {
    let is_operator = |b: &u8| (0x82..0xa0).contains(b);
    text.iter().filter(|b| !is_operator(b)).map(|b| char::from(b & 0x7f)).collect()
}

/// Adds the tokens of a value.
fn tokenise(
    program: &Program,
    own: &mut Text,
    tokens: &mut Vec<Token>,
    scanned: &mut Tokens,
    text: &[u8],
    observer: &mut impl Observer,
) -> Result<(), Exit> {
    if text.is_empty() {
        return Ok(());
    }
    scanned.clear();
    let mut complaints = Vec::new();
    let used = scan::prescan_into(text, &program.alphabet, Mode::Address, None, scanned, &mut complaints);
    for complaint in &complaints {
        observer.message(&format!("{}... {complaint}", visible(&shortened_bytes(text))));
    }
    if used.is_none() || scanned.is_empty() {
        return Err(Exit::DATAERR);
    }
    add_tokens(program, own, tokens, scanned);
    Ok(())
}

#[cfg(test)]
mod tests;
