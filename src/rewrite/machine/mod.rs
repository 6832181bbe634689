//! The machine: evaluates a ruleset on a workspace, with a stack of its own.
//!
//! A called ruleset works on the tail of its caller's tokens, in place: the argument of `$>` is everything to its right,
//! and what the callee leaves there replaces the call. When a rule asks a map the machine stops with a
//! [`Step::Lookup`]; [`Workspace::answer`] lets it go on.

use std::borrow::Cow;

use bytes::Bytes;

use super::pattern::{Attempt, Bindings, Dead};
use super::program::{After, Code, Program, Put, SymbolId, Token, index, mark, symbols};
use super::trace::Observer;
use super::workspace::{View, Workspace, add_tokens, text_of};
use crate::address::scan::{self, Mode, Tokens};
use crate::address::{quote, shortened_bytes};
use crate::base::exit::Exit;
use crate::base::limits;
use crate::config::RulesetId;
use crate::config::rules::GIVEN_RULESETS;
use crate::macros::Scope;

/// How an evaluation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A map is asked: see [`Workspace::question`].
    Lookup,
    /// It is over; not OK when a message was said.
    Done(Exit),
}

/// What a rule asks.
#[derive(Debug, Default)]
pub struct Question {
    /// Symbol of the map's name, for tables built in advance; 0 when rules name it only by what they matched.
    pub symbol: SymbolId,
    /// Name of the map; `host` for `$[ $]`.
    pub map: Vec<u8>,
    /// The key, words joined with `BlankSub`.
    pub key: Vec<u8>,
    /// The `$@` arguments.
    pub args: Vec<Bytes>,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply<'a> {
    /// A value.
    Found(&'a [u8]),
    /// A value in place of one that the map could not give: marks the evaluation.
    Instead(&'a [u8]),
    /// No such key.
    NotFound,
    /// The map could not say: counts as a miss, and marks the evaluation.
    Temporary,
    /// There is no map of that name.
    NoMap,
}

/// A ruleset at work.
#[derive(Debug, Clone, Copy)]
struct Frame {
    ruleset: RulesetId,
    /// First token of its workspace.
    base: usize,
    rule: u32,
    end: u32,
    first: u32,
    repeats: usize,
    phase: Phase,
    after: After,
    /// Whether the result may hold calls.
    calls: bool,
    /// Calls noted by rulesets below.
    calls_below: usize,
    /// Of this ruleset and those it called.
    status: Exit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Trying rules.
    Rules,
    /// Asking maps; see [`Pending`].
    Maps,
    /// Noting calls, from this token on.
    Calls(usize),
    /// Making the calls noted, the last one first.
    Calling,
}

/// A result whose maps are being asked.
#[derive(Debug, Default)]
struct Pending {
    /// Next token of `source`.
    at: usize,
    /// The key's tokens in `source`.
    key: (usize, usize),
    /// The default's tokens, when there is one.
    default: Option<(usize, usize)>,
    /// Behind the closing operator.
    behind: usize,
}

/// What of a workspace rules out most rules at once.
#[derive(Debug, Clone, Copy)]
struct Shape {
    marks: u64,
    count: usize,
    first: SymbolId,
    last: SymbolId,
}

impl Shape {
    fn may_match(self, code: &Code) -> bool {
        let least = code.at_least as usize;
        code.needs & !self.marks == 0
            && self.count >= least
            && !(code.exact && self.count > least)
            && (code.first == symbols::UNKNOWN || code.first == self.first)
            && (code.last == symbols::UNKNOWN || code.last == self.last)
    }
}

/// Memory of evaluations.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    frames: Vec<Frame>,
    status: Exit0,
    source: Vec<Token>,
    result: Vec<Token>,
    pending: Pending,
    question: Question,
    dead: Dead,
    /// Places of `$>`, outermost first.
    calls: Vec<usize>,
    scanned: Tokens,
    plain: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Exit0(Exit);

impl Default for Exit0 {
    fn default() -> Self {
        Self(Exit::OK)
    }
}

impl Workspace {
    /// Begins to evaluate a ruleset; go on with [`Self::run`].
    pub fn start(&mut self, ruleset: RulesetId, observer: &mut impl Observer) {
        self.machine.frames.clear();
        self.machine.calls.clear();
        self.machine.status = Exit0::default();
        self.enter(ruleset, 0, observer);
    }

    /// What the rule at work asks.
    pub fn question(&self) -> &Question {
        &self.machine.question
    }

    /// Evaluates up to the next question or the end.
    pub fn run(&mut self, scope: &Scope, observer: &mut impl Observer) -> Step {
        while let Some(frame) = self.machine.frames.last().copied() {
            match frame.phase {
                Phase::Rules => self.rule(frame, scope, observer),
                Phase::Maps => {
                    if self.ask() {
                        return Step::Lookup;
                    }
                    self.replace(observer);
                }
                Phase::Calls(at) => self.note_calls(frame, at, observer),
                Phase::Calling => self.call(frame, observer),
            }
        }
        Step::Done(self.machine.status.0)
    }

    fn enter(&mut self, ruleset: RulesetId, base: usize, observer: &mut impl Observer) {
        let (first, end) = self.program.entry(ruleset);
        observer.enter(&self.program, ruleset, self.view_from(base));
        self.machine.frames.push(Frame {
            ruleset,
            base,
            rule: first,
            end,
            first,
            repeats: 0,
            phase: Phase::Rules,
            after: After::Again,
            calls: false,
            calls_below: self.machine.calls.len(),
            status: Exit::OK,
        });
        if self.machine.frames.len() > limits::RULESET_DEPTH + 1 {
            let name = String::from_utf8_lossy(self.program.name(ruleset)).into_owned();
            let limit = limits::RULESET_DEPTH;
            observer.message(&format!("rewrite: excessive recursion (max {limit}), ruleset {name}"));
            self.abort(Exit::CONFIG);
        }
    }

    fn view_from(&self, base: usize) -> View<'_> {
        View { program: &self.program, own: &self.own, tokens: self.tokens.get(base..).unwrap_or_default() }
    }

    /// The ruleset on top is done.
    fn leave(&mut self, frame: Frame, observer: &mut impl Observer) {
        observer.leave(&self.program, frame.ruleset, self.view_from(frame.base));
        self.pop(frame.status);
    }

    /// Takes the ruleset on top away. When it failed (not for now only) its caller makes no more calls for the rule at work.
    fn pop(&mut self, status: Exit) {
        self.machine.frames.pop();
        match self.machine.frames.last_mut() {
            None => self.machine.status = Exit0(status),
            Some(caller) if status != Exit::OK => {
                caller.status = status;
                if status != Exit::TEMPFAIL {
                    self.machine.calls.truncate(caller.calls_below);
                }
            }
            Some(_) => {}
        }
    }

    /// The ruleset on top cannot go on: its caller does.
    fn abort(&mut self, status: Exit) {
        self.pop(status);
    }

    /// Tries rules until one matches, and puts its result in place.
    fn rule(&mut self, mut frame: Frame, scope: &Scope, observer: &mut impl Observer) {
        let program = std::sync::Arc::clone(&self.program);
        let tokens = self.tokens.get(frame.base..).unwrap_or_default();
        if tokens.first().is_some_and(|t| t.id == symbols::HASH) {
            return self.leave(frame, observer);
        }
        let marks = tokens.iter().fold(0, |marks, t| marks | mark(t.id));
        let shape = Shape {
            marks,
            count: tokens.len(),
            first: tokens.first().map_or(symbols::UNKNOWN, |t| t.id),
            last: tokens.last().map_or(symbols::UNKNOWN, |t| t.id),
        };
        let tracing = observer.wants_rules();
        let (code, bound) = loop {
            if frame.rule >= frame.end {
                return self.leave(frame, observer);
            }
            let Some(code) = program.rules.get(frame.rule as usize) else { return self.leave(frame, observer) };
            if tracing {
                observer.attempt(&program, frame.rule as usize, code.line);
            }
            if let Some(bound) = self.matches(&program, code, frame.base, shape, scope) {
                break (code, bound);
            }
            if tracing {
                observer.failed();
            }
            frame.rule += 1;
            frame.repeats = 0;
        };
        frame.repeats += 1;
        if frame.repeats > limits::RULE_REPEATS {
            let name = String::from_utf8_lossy(program.name(frame.ruleset)).into_owned();
            observer.message(&format!("Infinite loop in ruleset {name}, rule {}", frame.rule - frame.first + 1));
            return self.leave(frame, observer);
        }
        if tracing {
            let all = self.view_from(frame.base);
            let parts: Vec<View<'_>> =
                (0..bound.len()).filter_map(|n| bound.get(n)).map(|(at, len)| all.part(at, at + len)).collect();
            observer.matched(&program, frame.rule as usize, &parts);
        }
        frame.after = code.after;
        if code.after != After::Again {
            frame.rule += 1;
            frame.repeats = 0;
        }
        if let Err(status) = self.substitute(&program, code, &bound, frame.base, scope, observer) {
            return self.abort(status);
        }
        let operators = code.gives | shape.marks;
        frame.calls = operators & mark(symbols::CALL) != 0;
        let asks = operators & (mark(symbols::MAP_BEGIN) | mark(symbols::HOST_BEGIN)) != 0;
        if asks {
            std::mem::swap(&mut self.machine.source, &mut self.machine.result);
            self.machine.result.clear();
            self.machine.pending = Pending::default();
        }
        frame.phase = if asks { Phase::Maps } else { Phase::Rules };
        if let Some(top) = self.machine.frames.last_mut() {
            *top = frame;
        }
        if !asks {
            self.replace(observer);
        }
    }

    fn matches(
        &mut self,
        program: &Program,
        code: &Code,
        base: usize,
        shape: Shape,
        scope: &Scope,
    ) -> Option<Bindings> {
        if !shape.may_match(code) {
            return None;
        }
        let (from, to) = code.pattern;
        let attempt = Attempt {
            program,
            pattern: program.patterns.get(from as usize..to as usize)?,
            tokens: self.tokens.get(base..)?,
            text: &self.own,
            scope,
        };
        attempt.run(&mut self.machine.dead)
    }

    /// Builds the result with parameters and `$&x` put in.
    fn substitute(
        &mut self,
        program: &Program,
        code: &Code,
        bound: &Bindings,
        base: usize,
        scope: &Scope,
        observer: &mut impl Observer,
    ) -> Result<(), Exit> {
        let (from, to) = code.result;
        let Machine { result, scanned, .. } = &mut self.machine;
        result.clear();
        for part in program.results.get(from as usize..to as usize).unwrap_or_default() {
            match part {
                Put::Token(token) => result.push(*token),
                Put::Parameter(n) => {
                    let part = usize::from(*n).checked_sub(1).and_then(|n| bound.get(n));
                    let Some((at, len)) = part else { continue };
                    result.extend_from_slice(self.tokens.get(base + at..base + at + len).unwrap_or_default());
                }
                Put::Deferred(id) => {
                    let value = scope.text(*id);
                    observer.deferred(program, *id, scope.value(*id).map(|_| value.as_ref()));
                    tokenise(program, &mut self.own, result, scanned, &value, observer)?;
                }
            }
            if result.len() > limits::TOKENS {
                observer.message("rewrite: expansion too long");
                return Err(Exit::DATAERR);
            }
        }
        Ok(())
    }

    /// Moves on to the next map call of the result; whether there is one.
    fn ask(&mut self) -> bool {
        let Machine { source, result, pending, question, .. } = &mut self.machine;
        while let Some(token) = source.get(pending.at) {
            let closing = match token.id {
                symbols::MAP_BEGIN => symbols::MAP_END,
                symbols::HOST_BEGIN => symbols::HOST_END,
                _ => {
                    result.push(*token);
                    pending.at += 1;
                    continue;
                }
            };
            let mut at = pending.at + 1;
            question.map.clear();
            if token.id == symbols::HOST_BEGIN {
                question.symbol = program_symbol(&self.program, b"host");
                question.map.extend_from_slice(b"host");
            } else if let Some(name) = source.get(at).filter(|t| t.id != symbols::MAP_END) {
                question.symbol = name.id;
                question.map.extend_from_slice(text_of(&self.program, &self.own, *name));
                at += 1;
            } else {
                question.symbol = symbols::UNKNOWN;
            }
            let parts = Parts::find(source, at, closing);
            let join = |(from, to): (usize, usize), out: &mut Vec<u8>| {
                let tokens = source.get(from..to).unwrap_or_default();
                View { program: &self.program, own: &self.own, tokens }.join_into(out);
            };
            question.key.clear();
            join(parts.key, &mut question.key);
            question.args.clear();
            for arg in &parts.args {
                let mut text = Vec::new();
                join(*arg, &mut text);
                question.args.push(text.into());
            }
            pending.key = parts.key;
            pending.default = parts.default;
            pending.behind = parts.behind;
            return true;
        }
        false
    }

    /// Strings the key of the question together with `blank` between words.
    pub fn string_key(&mut self, blank: u8) {
        let Machine { source, pending, question, .. } = &mut self.machine;
        let tokens = source.get(pending.key.0..pending.key.1).unwrap_or_default();
        question.key = View { program: &self.program, own: &self.own, tokens }.join_with(blank);
    }

    /// Answers the question that stopped [`Self::run`].
    pub fn answer(&mut self, reply: Reply<'_>, observer: &mut impl Observer) {
        let program = std::sync::Arc::clone(&self.program);
        let Machine { frames, source, result, pending, question, scanned, plain, .. } = &mut self.machine;
        match reply {
            Reply::Temporary | Reply::Instead(_) => {
                if let Some(top) = frames.last_mut() {
                    top.status = Exit::TEMPFAIL;
                }
            }
            Reply::NoMap => {
                observer.message(&format!("rewrite: map {} not found", seven_bits(&question.map)));
            }
            Reply::Found(_) | Reply::NotFound => {}
        }
        let outcome = match (reply, pending.default) {
            (Reply::Found(value) | Reply::Instead(value), _) => {
                tokenise(&program, &mut self.own, result, scanned, value, observer)
            }
            (_, Some((from, to))) => {
                // The default goes through text: words that stand beside each other are joined.
                let default = source.get(from..to).unwrap_or_default();
                plain.clear();
                View { program: &program, own: &self.own, tokens: default }.write_into(plain);
                tokenise(&program, &mut self.own, result, scanned, plain, observer)
            }
            (_, None) => {
                result.extend_from_slice(source.get(pending.key.0..pending.key.1).unwrap_or_default());
                Ok(())
            }
        };
        pending.at = pending.behind;
        let too_long = result.len() > limits::TOKENS;
        match outcome {
            Err(status) => self.abort(status),
            Ok(()) if too_long => {
                observer.message("rewrite: expansion too long");
                self.abort(Exit::DATAERR);
            }
            Ok(()) => {}
        }
    }

    /// Puts the finished result where the workspace was.
    fn replace(&mut self, observer: &mut impl Observer) {
        let Some(frame) = self.machine.frames.last_mut() else { return };
        self.tokens.truncate(frame.base);
        self.tokens.append(&mut self.machine.result);
        frame.phase = Phase::Calls(frame.base);
        if !frame.calls {
            self.finish_rule(observer);
        }
    }

    /// All calls of the result are done.
    fn finish_rule(&mut self, observer: &mut impl Observer) {
        let Some(frame) = self.machine.frames.last_mut() else { return };
        frame.phase = Phase::Rules;
        let frame = *frame;
        if observer.wants_rules() {
            observer.rewritten(self.view_from(frame.base));
        }
        if frame.after == After::Leave {
            self.leave(frame, observer);
        }
    }

    /// Notes the calls of the result from `at` on.
    ///
    /// A name that is unknown ends the rule before any call is made. A call of a ruleset without rules is taken out at
    /// once, and the token that follows it is passed over.
    fn note_calls(&mut self, frame: Frame, mut at: usize, observer: &mut impl Observer) {
        while let Some(found) = self.next_call(at) {
            match self.called(found, observer) {
                None => {
                    self.machine.calls.truncate(frame.calls_below);
                    break;
                }
                Some(ruleset) if self.program.has_rules(ruleset) => {
                    self.machine.calls.push(found);
                    at = found + 2;
                }
                Some(ruleset) => {
                    observer.skipped(&self.program, ruleset);
                    self.tokens.drain(found..found + 2);
                    at = found + 1;
                }
            }
        }
        if let Some(top) = self.machine.frames.last_mut() {
            top.phase = Phase::Calling;
        }
    }

    fn next_call(&self, from: usize) -> Option<usize> {
        let at = from + self.tokens.get(from..)?.iter().position(|t| t.id == symbols::CALL)?;
        (at + 1 < self.tokens.len()).then_some(at)
    }

    /// The ruleset that the call at `at` names; when it is unknown that is said, and the name left as it was read.
    fn called(&mut self, at: usize, observer: &mut impl Observer) -> Option<RulesetId> {
        let token = self.tokens.get(at + 1).copied()?;
        let text = text_of(&self.program, &self.own, token);
        if let Some(ruleset) = self.program.named_by(token.id, text) {
            return Some(ruleset);
        }
        let complaint = match self.program.called(&without_quotes(text)) {
            Ok(ruleset) => return Some(ruleset),
            Err(complaint) => complaint,
        };
        let name = call_name(text);
        if let Some(complaint) = complaint {
            observer.message(&complaint);
        }
        observer.message(&format!("Unknown ruleset {}", seven_bits(&name)));
        if let Cow::Owned(name) = name {
            let start = index(self.program.table.text.len() + self.own.len());
            self.own.extend_from_slice(&name);
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
    fn call(&mut self, frame: Frame, observer: &mut impl Observer) {
        if self.machine.calls.len() <= frame.calls_below {
            return self.finish_rule(observer);
        }
        let Some(at) = self.machine.calls.pop() else { return };
        let Some(ruleset) = self.called(at, observer) else { return };
        self.tokens.drain(at..at + 2);
        self.enter(ruleset, at, observer);
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

/// Foreign text as messages show it: the eighth bit off.
fn seven_bits(text: &[u8]) -> String {
    text.iter().map(|b| char::from(b & 0x7f)).collect()
}

/// As [`seven_bits`], without the bytes that stand for operators.
fn visible(text: &[u8]) -> String {
    let is_operator = |b: &u8| (scan::FIRST_OPERATOR..0xa0).contains(b);
    text.iter().filter(|b| !is_operator(b)).map(|b| char::from(b & 0x7f)).collect()
}

fn program_symbol(program: &Program, text: &[u8]) -> SymbolId {
    program.table.find(text)
}

/// Parts of a map call: ranges of tokens.
struct Parts {
    key: (usize, usize),
    args: Vec<(usize, usize)>,
    default: Option<(usize, usize)>,
    behind: usize,
}

impl Parts {
    /// From the first token of the key to the closing operator, or to the end when there is none.
    fn find(source: &[Token], from: usize, closing: SymbolId) -> Self {
        let len = source.get(from..).map_or(0, |rest| rest.iter().take_while(|t| t.id != closing).count());
        let end = from + len;
        let mut parts = Self { key: (from, end), args: Vec::new(), default: None, behind: (end + 1).min(source.len()) };
        let mut kind = symbols::UNKNOWN;
        let mut start = from;
        for at in from..=end {
            let id = source.get(at).map_or(symbols::UNKNOWN, |t| t.id);
            if at < end && id != symbols::AT && id != symbols::COLON {
                continue;
            }
            match kind {
                symbols::AT => parts.args.push((start, at)),
                symbols::COLON => parts.default = Some((start, at)),
                _ => parts.key = (start, at),
            }
            kind = id;
            start = at + 1;
        }
        parts
    }
}

/// Adds the tokens of a value.
fn tokenise(
    program: &Program,
    own: &mut Vec<u8>,
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
