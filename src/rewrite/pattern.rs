//! Matching: a pattern against a workspace.
//!
//! Every wildcard takes as little as it can and grows from the last one backwards when the rest fails. The search is
//! bounded: past a number of steps the failures are noted, so that no pattern looks twice at the same place.

use super::program::{Class, Match, Program, Token, phrase_hash};
use crate::config::rules::WILDCARDS;
use crate::macros::{MacroId, Scope};

/// What the wildcards of a pattern matched: start and length, in tokens.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bindings {
    parts: [(u32, u32); WILDCARDS],
    /// Place of the wildcard in the pattern.
    places: [u8; WILDCARDS],
    len: usize,
}

impl Bindings {
    pub(crate) fn get(&self, n: usize) -> Option<(usize, usize)> {
        let (start, len) = *self.parts.get(..self.len)?.get(n)?;
        Some((start as usize, len as usize))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn push(&mut self, place: usize, start: usize, len: usize) {
        if let (Some(part), Some(slot)) = (self.parts.get_mut(self.len), self.places.get_mut(self.len)) {
            *part = (super::program::index(start), super::program::index(len));
            *slot = u8::try_from(place).unwrap_or(u8::MAX);
            self.len += 1;
        }
    }

    fn pop(&mut self) -> Option<(usize, usize, usize)> {
        self.len = self.len.checked_sub(1)?;
        let (start, len) = *self.parts.get(self.len)?;
        Some((usize::from(*self.places.get(self.len)?), start as usize, len as usize))
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

/// A pattern, and what it is held against.
pub(crate) struct Attempt<'a> {
    pub(crate) program: &'a Program,
    pub(crate) pattern: &'a [Match],
    pub(crate) tokens: &'a [Token],
    /// The workspace's own text.
    pub(crate) text: &'a [u8],
    pub(crate) scope: &'a Scope,
}

impl Attempt<'_> {
    /// What each wildcard matched, when the whole pattern matches the whole workspace.
    pub(crate) fn run(&self, dead: &mut Dead) -> Option<Bindings> {
        let mut bound = Bindings::default();
        let (mut place, mut at) = (0, 0);
        dead.start(self.tokens.len());
        loop {
            match self.step(place, at, &mut bound) {
                Some(next) => {
                    place += 1;
                    at = next;
                }
                None if place == self.pattern.len() && at == self.tokens.len() => return Some(bound),
                None => (place, at) = self.back(&mut bound, dead)?,
            }
        }
    }

    /// Matches one part at `at`; where the next one begins.
    fn step(&self, place: usize, at: usize, bound: &mut Bindings) -> Option<usize> {
        let left = self.tokens.len() - at;
        let part = self.pattern.get(place)?;
        match part {
            Match::Symbol(id) => (self.tokens.get(at)?.id == *id).then_some(at + 1),
            Match::ZeroOrMore => {
                let len = if place + 1 == self.pattern.len() { left } else { 0 };
                bound.push(place, at, len);
                Some(at + len)
            }
            Match::OneOrMore => {
                if left == 0 {
                    return None;
                }
                let len = if place + 1 == self.pattern.len() { left } else { 1 };
                bound.push(place, at, len);
                Some(at + len)
            }
            Match::One => {
                if left == 0 {
                    return None;
                }
                bound.push(place, at, 1);
                Some(at + 1)
            }
            Match::InClass(class) => {
                let len = self.member(*class, at, 1)?;
                bound.push(place, at, len);
                Some(at + len)
            }
            Match::NotInClass(class) => {
                let token = self.tokens.get(at)?;
                if self.program.classes.get(*class as usize).is_some_and(|c| c.has_word(token.id)) {
                    return None;
                }
                bound.push(place, at, 1);
                Some(at + 1)
            }
            Match::Nothing => Some(at),
            Match::Macro(id) => self.macro_value(*id, at),
            Match::Never => None,
        }
    }

    /// Makes the last wildcard that can still grow longer; where the search goes on.
    fn back(&self, bound: &mut Bindings, dead: &mut Dead) -> Option<(usize, usize)> {
        let noting = dead.is_on(self.pattern.len());
        loop {
            let (place, start, len) = bound.pop()?;
            let end = start + len;
            if noting {
                dead.note(place + 1, end);
            }
            let longer = match self.pattern.get(place)? {
                Match::ZeroOrMore | Match::OneOrMore => self.grown(place, start, len),
                Match::InClass(class) => self.member(*class, start, len + 1),
                _ => None,
            };
            let Some(mut len) = longer else { continue };
            if noting && dead.has(place + 1, start + len) {
                // Known to fail there: go on growing this one.
                bound.push(place, start, len);
                continue;
            }
            len = len.min(self.tokens.len() - start);
            bound.push(place, start, len);
            return Some((place + 1, start + len));
        }
    }

    /// Next length of `$*` or `$+` that can lead to a match: before a plain token it ends where that token stands.
    fn grown(&self, place: usize, start: usize, len: usize) -> Option<usize> {
        let from = start + len + 1;
        let rest = self.tokens.get(from..)?;
        match self.pattern.get(place + 1) {
            Some(Match::Symbol(id)) => Some(len + 1 + rest.iter().position(|t| t.id == *id)?),
            _ => Some(len + 1),
        }
    }

    /// Length of the shortest member of a class, of `least` tokens or more, that stands at `start`.
    fn member(&self, class: u32, start: usize, least: usize) -> Option<usize> {
        let class: &Class = self.program.classes.get(class as usize)?;
        let first = self.tokens.get(start)?.id;
        if least <= 1 && class.has_word(first) {
            return Some(1);
        }
        if !class.starts_with(first) {
            return None;
        }
        let mut hash = 0;
        let rest = self.tokens.get(start..)?;
        for (n, token) in rest.iter().enumerate().take(class.longest) {
            hash = phrase_hash(hash, token.id);
            let len = n + 1;
            if len > 1 && len >= least && class.has_phrase(hash, &rest.iter().take(len).map(|t| t.id)) {
                return Some(len);
            }
        }
        None
    }

    /// Tokens that strung together are the value of a macro.
    fn macro_value(&self, id: MacroId, at: usize) -> Option<usize> {
        let value = self.scope.text(id);
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
}
