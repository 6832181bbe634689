//! Matching a pattern against tokens.
//!
//! A wildcard takes as little as it can and grows from the last one backwards when the rest fails. The search is
//! bounded: past a number of steps the failures are noted, so that no pattern looks twice at the same place.

use super::class::Class;
use super::program::{Match, Program, Until};
use super::symbol::Token;
use super::text::Text;
use crate::config::rules::WILDCARDS;
use crate::macros::{MacroId, Scope};

/// What a wildcard matched.
#[derive(Debug, Clone, Copy, Default)]
struct Bound {
    /// Place of the wildcard in the pattern.
    place: usize,
    start: usize,
    end: usize,
}

/// What the wildcards of a pattern matched.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    bound: [Bound; WILDCARDS],
    len: usize,
}

impl Bindings {
    /// Where the tokens of wildcard `n`, counted from 0, begin and end.
    #[inline]
    pub(crate) fn get(&self, n: usize) -> Option<(usize, usize)> {
        let bound = self.bound.get(..self.len)?.get(n)?;
        Some((bound.start, bound.end))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn push(&mut self, place: usize, start: usize, end: usize) {
        if let Some(slot) = self.bound.get_mut(self.len) {
            *slot = Bound { place, start, end };
            self.len += 1;
        }
    }

    fn pop(&mut self) -> Option<Bound> {
        self.len = self.len.checked_sub(1)?;
        self.bound.get(self.len).copied()
    }
}

/// Places known to fail, one bit each; used once a search takes long.
#[derive(Debug, Default)]
pub(crate) struct Dead {
    bits: Vec<u64>,
    steps: usize,
    width: usize,
}

/// Steps after which failures are noted.
const PATIENCE: usize = 4096;

impl Dead {
    fn start(&mut self, tokens: usize) {
        self.steps = 0;
        self.width = tokens + 1;
    }

    /// Counts a step; true from the one on at which failures are to be noted.
    fn is_on(&mut self, pattern: usize) -> bool {
        self.steps += 1;
        if self.steps == PATIENCE {
            self.bits.clear();
            self.bits.resize(((pattern + 1) * self.width).div_ceil(64), 0);
        }
        self.steps >= PATIENCE
    }

    fn note(&mut self, place: usize, token: usize) {
        let at = place * self.width + token;
        if let Some(word) = self.bits.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn has(&self, place: usize, token: usize) -> bool {
        let at = place * self.width + token;
        self.bits.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }
}

/// Memory of a search.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// What the wildcards matched, when the last attempt came true.
    pub(crate) bindings: Bindings,
    dead: Dead,
}

/// A pattern, and what it is held against.
pub(crate) struct Attempt<'a> {
    pub(crate) program: &'a Program,
    pub(crate) pattern: &'a [Match],
    pub(crate) tokens: &'a [Token],
    /// The workspace's own text.
    pub(crate) text: &'a Text,
    pub(crate) scope: &'a Scope,
    /// Told of the value of each macro.
    pub(crate) tell: Option<Tell<'a>>,
}

type Tell<'a> = &'a mut dyn FnMut(MacroId, Option<&[u8]>);

impl Attempt<'_> {
    /// Whether the whole pattern matches all tokens; what its wildcards matched is in `search` then.
    pub(crate) fn run(&mut self, search: &mut Search) -> bool {
        let Search { bindings, dead } = search;
        bindings.len = 0;
        dead.start(self.tokens.len());
        let (mut place, mut at) = (0, 0);
        while !self.forward(place, at, bindings) {
            let Some(next) = self.back(bindings, dead) else { return false };
            (place, at) = next;
        }
        true
    }

    /// Matches everything from part `place` and token `at` on, each wildcard as short as it can be.
    fn forward(&mut self, place: usize, at: usize, bindings: &mut Bindings) -> bool {
        let Some(parts) = self.pattern.get(place..) else { return false };
        let tokens = self.tokens;
        let mut at = at;
        for (place, part) in (place..).zip(parts) {
            let rest = tokens.get(at..).unwrap_or_default();
            let len = match part {
                Match::Symbol(id) => {
                    if rest.first().is_none_or(|token| token.id != *id) {
                        return false;
                    }
                    at += 1;
                    continue;
                }
                Match::Run(from, to) => {
                    let run = self.program.runs.get(*from as usize..*to as usize).unwrap_or_default();
                    let Some(head) = rest.get(..run.len()) else { return false };
                    if !run.iter().zip(head).all(|(id, token)| token.id == *id) {
                        return false;
                    }
                    at += run.len();
                    continue;
                }
                Match::Any { least, until } => match self.length(*least as usize, *until, rest) {
                    Some(len) => len,
                    None => return false,
                },
                Match::One => 1,
                Match::InClass(class) => match self.class(*class).and_then(|class| class.begins(rest, 1)) {
                    Some(len) => len,
                    None => return false,
                },
                Match::NotInClass(class) => {
                    let Some(token) = rest.first() else { return false };
                    if self.class(*class).is_some_and(|class| class.has_word(token.id)) {
                        return false;
                    }
                    1
                }
                Match::Nothing => continue,
                Match::Macro(id) => {
                    let Some(next) = self.macro_value(*id, at) else { return false };
                    at = next;
                    continue;
                }
                Match::Never => return false,
            };
            if len > rest.len() {
                return false;
            }
            bindings.push(place, at, at + len);
            at += len;
        }
        at == tokens.len()
    }

    /// Makes the last wildcard that can still grow longer; where the search goes on.
    fn back(&self, bindings: &mut Bindings, dead: &mut Dead) -> Option<(usize, usize)> {
        let noting = dead.is_on(self.pattern.len());
        loop {
            let Bound { place, start, end } = bindings.pop()?;
            if noting {
                dead.note(place + 1, end);
            }
            let rest = self.tokens.get(start..)?;
            let least = end - start + 1;
            let longer = match self.pattern.get(place)? {
                Match::Any { until: Until::End(_), .. } => None,
                Match::Any { until, .. } => self.length(least, *until, rest),
                Match::InClass(class) => self.class(*class).and_then(|class| class.begins(rest, least)),
                _ => None,
            };
            let Some(len) = longer else { continue };
            let end = start + len;
            bindings.push(place, start, end);
            if noting && dead.has(place + 1, end) {
                // Known to fail there: go on growing this one.
                continue;
            }
            return Some((place + 1, end));
        }
    }

    #[inline]
    fn class(&self, number: u32) -> Option<&Class> {
        self.program.classes.get(number as usize)
    }

    /// Tokens that strung together are the value of a macro; where they end. Where no token is left not even an empty value
    /// is found. Source: observed.
    fn macro_value(&mut self, id: MacroId, at: usize) -> Option<usize> {
        self.tokens.get(at)?;
        let value = self.scope.text(id);
        if let Some(tell) = &mut self.tell {
            tell(id, self.scope.value(id).map(|_| &*value));
        }
        let mut rest: &[u8] = &value;
        let mut at = at;
        while !rest.is_empty() {
            let token = self.tokens.get(at)?;
            let text = super::workspace::text_of(self.program, self.text, *token);
            let head = rest.get(..text.len())?;
            if !head.eq_ignore_ascii_case(text) {
                return None;
            }
            rest = rest.get(text.len()..)?;
            at += 1;
        }
        Some(at)
    }
    /// The shortest length, of `least` tokens or more, at which a `$*` or `$+` can end.
    #[inline]
    fn length(&self, least: usize, until: Until, tokens: &[Token]) -> Option<usize> {
        match until {
            Until::Anywhere => (least <= tokens.len()).then_some(least),
            Until::Symbol(id) => Some(least + tokens.get(least..)?.iter().position(|token| token.id == id)?),
            Until::Class(class) => {
                let class = self.class(class)?;
                Some(least + tokens.get(least..)?.iter().position(|token| class.may_begin(token.id))?)
            }
            Until::End(behind) => tokens.len().checked_sub(behind as usize).filter(|len| *len >= least),
        }
    }
}
