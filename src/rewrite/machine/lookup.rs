//! Map calls of a result: `$( … $)` and `$[ … $]`.

use bytes::Bytes;

use super::{Evaluation, Machine, seven_bits, tokenise};
use crate::base::exit::Exit;
use crate::base::limits;
use crate::rewrite::program::Program;
use crate::rewrite::symbol::{SymbolId, Token, Written, symbols};
use crate::rewrite::text::Text;
use crate::rewrite::trace::Observer;
use crate::rewrite::workspace::{View, Workspace, text_of};

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

/// A result whose maps are being asked; places are those of the machine's `source`.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Next token.
    at: usize,
    /// The key.
    key: (usize, usize),
    /// The default, when there is one.
    default: Option<(usize, usize)>,
    /// Behind the closing operator.
    behind: usize,
}

impl<O: Observer> Evaluation<'_, O> {
    /// Moves on to the next map call of the result; whether there is one.
    pub(super) fn ask(&mut self) -> bool {
        let (program, own) = (self.program, &*self.own);
        let Machine { source, result, pending, question, plain, .. } = &mut *self.machine;
        let rest = source.get(pending.at..).unwrap_or_default();
        let is_call = |token: &Token| matches!(token.id, symbols::MAP_BEGIN | symbols::HOST_BEGIN);
        let Some(before) = rest.iter().position(is_call) else {
            result.extend_from_slice(rest);
            pending.at = source.len();
            return false;
        };
        result.extend_from_slice(rest.get(..before).unwrap_or_default());
        let mut at = pending.at + before + 1;
        question.map.clear();
        question.args.clear();
        let is_host = rest.get(before).is_some_and(|token| token.id == symbols::HOST_BEGIN);
        let closing = if is_host { symbols::HOST_END } else { symbols::MAP_END };
        if is_host {
            question.symbol = program.host;
            question.map.extend_from_slice(b"host");
        } else if let Some(name) = source.get(at).filter(|t| t.id != symbols::MAP_END) {
            question.symbol = name.id;
            question.map.extend_from_slice(text_of(program, own, *name));
            at += 1;
        } else {
            question.symbol = symbols::UNKNOWN;
        }
        let parts = Parts::find(source, at, closing, |range| {
            plain.clear();
            part(program, own, source, range).write_into(program.blank_sub, Written::InText, plain);
            question.args.push(Bytes::copy_from_slice(plain));
        });
        question.key.clear();
        part(program, own, source, parts.key).write_into(program.blank_sub, Written::InText, &mut question.key);
        *pending = parts;
        true
    }
}

impl Workspace {
    /// What the rule at work asks.
    pub fn question(&self) -> &Question {
        &self.machine.question
    }

    /// Strings the key of the question together with `blank` between words.
    pub fn string_key(&mut self, blank: u8) {
        let Machine { source, pending, question, .. } = &mut self.machine;
        question.key.clear();
        part(&self.program, &self.own, source, pending.key).write_into(blank, Written::InText, &mut question.key);
    }

    /// Answers the question that stopped [`Self::run`].
    pub fn answer(&mut self, reply: Reply<'_>, observer: &mut impl Observer) {
        let mut evaluation = self.evaluation(observer);
        let Evaluation { program, own, machine, observer, .. } = &mut evaluation;
        let Machine { frames, source, result, pending, question, scanned, plain, .. } = &mut **machine;
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
                tokenise(program, own, result, scanned, value, *observer)
            }
            (_, Some(default)) => {
                // The default goes through text: words that stand beside each other are joined.
                plain.clear();
                part(program, own, source, default).write_into(program.blank_sub, Written::Apart, plain);
                tokenise(program, own, result, scanned, plain, *observer)
            }
            (_, None) => {
                result.extend_from_slice(source.get(pending.key.0..pending.key.1).unwrap_or_default());
                Ok(())
            }
        };
        pending.at = pending.behind;
        let too_long = result.len() > limits::TOKENS;
        let outcome = match outcome {
            Ok(()) if too_long => {
                observer.message("rewrite: expansion too long");
                Err(Exit::DATAERR)
            }
            outcome => outcome,
        };
        if let Err(status) = outcome {
            evaluation.abort(status);
        }
    }
}

fn part<'v>(program: &'v Program, own: &'v Text, source: &'v [Token], (from, to): (usize, usize)) -> View<'v> {
    View { program, own, tokens: source.get(from..to).unwrap_or_default() }
}

/// Finds the parts of a map call.
struct Parts;

impl Parts {
    /// From the first token of the key to the closing operator, or to the end when there is none; `argument` is told of
    /// each argument.
    fn find(source: &[Token], from: usize, closing: SymbolId, mut argument: impl FnMut((usize, usize))) -> Pending {
        let rest = source.get(from..).unwrap_or_default();
        let end = from + rest.iter().position(|token| token.id == closing).unwrap_or(rest.len());
        let mut parts = Pending { at: from, key: (from, end), default: None, behind: (end + 1).min(source.len()) };
        let mut kind = symbols::UNKNOWN;
        let mut start = from;
        loop {
            let inner = source.get(start..end).unwrap_or_default();
            let next = inner.iter().position(|token| matches!(token.id, symbols::AT | symbols::COLON));
            let stop = next.map_or(end, |n| start + n);
            match kind {
                symbols::AT => argument((start, stop)),
                symbols::COLON => parts.default = Some((start, stop)),
                _ => parts.key = (start, stop),
            }
            if next.is_none() {
                return parts;
            }
            kind = source.get(stop).map_or(symbols::UNKNOWN, |token| token.id);
            start = stop + 1;
        }
    }
}
