//! Workspaces: tokens under rewriting, with the memory their evaluation needs.

use std::sync::Arc;

use bytes::Bytes;

use super::program::Program;
use super::resolution::{Resolution, ResolutionError};
use super::symbol::{SymbolId, Token, Written, index, operator_of, symbols};
pub use super::text::ROOM;
use super::text::Text;
use crate::address::scan::{self, Complaint, Mode, ScanError, Tokens};

/// Text of a token: in the program's memory, or behind it in the workspace's own.
#[inline]
pub(crate) fn text_of<'a>(program: &'a Program, own: &'a Text, token: Token) -> &'a [u8] {
    text_from(program, own, token).get(..token.len as usize).unwrap_or_default()
}

/// The same with everything that stands behind it.
#[inline]
fn text_from<'a>(program: &'a Program, own: &'a Text, token: Token) -> &'a [u8] {
    let start = token.start as usize;
    match start.checked_sub(program.table.text.len()) {
        None => program.table.text.from(start),
        Some(start) => own.from(start),
    }
}

/// Tokens to look at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub(crate) program: &'a Program,
    pub(crate) own: &'a Text,
    pub(crate) tokens: &'a [Token],
}

/// A token's text for whoever copies a lot of them.
#[derive(Debug, Clone, Copy)]
pub struct Word<'a> {
    /// The text and whatever stands behind it, [`ROOM`] bytes at least.
    pub from: &'a [u8],
    /// How much of that is the text.
    pub len: usize,
}

impl<'a> View<'a> {
    /// How many tokens.
    pub fn len(self) -> usize {
        self.tokens.len()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.tokens.is_empty()
    }

    /// Texts in order; operators as rules write them (`$#`).
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        self.tokens.iter().map(move |t| text_of(self.program, self.own, *t))
    }

    /// Where the tokens' text lies.
    pub fn places(self) -> impl Iterator<Item = u32> {
        self.tokens.iter().map(|token| token.start)
    }

    /// As [`Self::iter`].
    #[inline]
    pub fn words(self) -> impl Iterator<Item = Word<'a>> {
        let fixed = self.program.table.text.len();
        self.tokens.iter().map(move |token| {
            let (text, start) = match (token.start as usize).checked_sub(fixed) {
                None => (&self.program.table.text, token.start as usize),
                Some(start) => (self.own, start),
            };
            Word { from: text.from(start), len: token.len as usize }
        })
    }

    /// Whether every byte of it is one that a terminal shows as it is; false may be wrong.
    #[inline]
    pub fn is_plain(self) -> bool {
        self.own.is_plain() && self.program.table.text.is_plain()
    }

    /// Symbols in order.
    pub fn symbols(self) -> impl Iterator<Item = SymbolId> {
        self.tokens.iter().map(|t| t.id)
    }

    /// Part of it.
    #[must_use]
    pub fn part(self, from: usize, to: usize) -> Self {
        Self { tokens: self.tokens.get(from..to).unwrap_or_default(), ..self }
    }

    /// As text: two words that stand beside each other are joined with `BlankSub`.
    pub fn join_into(self, out: &mut Vec<u8>) {
        self.write_into(self.program.blank_sub, Written::Shown, out);
    }

    /// As text: two words that stand beside each other are joined with `blank`.
    pub fn join_with(self, blank: u8) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_into(blank, Written::Shown, &mut out);
        out
    }

    /// As text, with a say in how operators are written.
    pub(crate) fn write_into(self, blank: u8, written: Written, out: &mut Vec<u8>) {
        let mut after_word = false;
        for token in self.tokens {
            let text = text_of(self.program, self.own, *token);
            let word = !token.is_operator() && scan::is_word(text, &self.program.alphabet);
            if word && after_word {
                out.push(blank);
            }
            match written.byte(token.id) {
                Some(byte) => out.push(byte),
                None => out.extend_from_slice(text),
            }
            after_word = word;
        }
    }

    /// See [`Self::join_into`].
    pub fn join(self) -> Vec<u8> {
        let mut out = Vec::new();
        self.join_into(&mut out);
        out
    }
}

/// Tokens under rewriting. Reuse one for many addresses: its memory stays.
#[derive(Debug)]
pub struct Workspace {
    pub(crate) program: Arc<Program>,
    pub(crate) own: Text,
    pub(crate) tokens: Vec<Token>,
    pub(crate) machine: super::machine::Machine,
    scanned: Tokens,
    complaints: Vec<Complaint>,
}

impl Workspace {
    /// An empty workspace for a program.
    pub fn new(program: Arc<Program>) -> Self {
        Self {
            program,
            own: Text::default(),
            tokens: Vec::new(),
            machine: super::machine::Machine::default(),
            scanned: Tokens::default(),
            complaints: Vec::new(),
        }
    }

    /// Puts a text in place of what is there. Returns the bytes used and what was repaired.
    pub fn load(
        &mut self,
        text: &[u8],
        mode: Mode,
        delimiter: Option<u8>,
    ) -> Result<(usize, Vec<Complaint>), ScanError> {
        self.clear();
        self.add_text(text, mode, delimiter)
    }

    /// Puts several texts in place of what is there, parted by `$|`.
    pub fn load_parts(&mut self, parts: &[&[u8]], mode: Mode) -> Result<Vec<Complaint>, ScanError> {
        self.clear();
        let mut complaints = Vec::new();
        for (n, part) in parts.iter().enumerate() {
            if n > 0 {
                self.add_operator(symbols::BAR);
            }
            complaints.extend(self.add_text(part, mode, None)?.1);
        }
        Ok(complaints)
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.own.clear();
        self.tokens.clear();
    }

    /// Whether no evaluation was left in the middle.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.machine.is_at_rest()
    }

    /// Memory of texts and tokens, bytes, about.
    pub(crate) fn memory(&self) -> usize {
        self.own.memory() + size_of::<Token>() * self.tokens.capacity() + self.machine.memory()
    }

    fn add_operator(&mut self, id: SymbolId) {
        self.tokens.push(self.program.table.operator(id));
    }

    fn add_text(
        &mut self,
        text: &[u8],
        mode: Mode,
        delimiter: Option<u8>,
    ) -> Result<(usize, Vec<Complaint>), ScanError> {
        self.scanned.clear();
        self.complaints.clear();
        let alphabet = &self.program.alphabet;
        let used = scan::prescan_into(text, alphabet, mode, delimiter, &mut self.scanned, &mut self.complaints);
        let Some(used) = used else { return Err(ScanError(std::mem::take(&mut self.complaints))) };
        add_tokens(&self.program, &mut self.own, &mut self.tokens, &self.scanned);
        Ok((used, std::mem::take(&mut self.complaints)))
    }

    /// The tokens.
    pub fn view(&self) -> View<'_> {
        View { program: &self.program, own: &self.own, tokens: &self.tokens }
    }

    /// As text, words joined with `BlankSub`.
    pub fn text(&self) -> Bytes {
        self.view().join().into()
    }

    /// As [`Self::text`], operators as the bytes that stand for them.
    pub fn raw_text(&self) -> Bytes {
        let mut out = Vec::new();
        self.view().write_into(self.program.blank_sub, Written::InText, &mut out);
        out.into()
    }

    /// Whether it begins with `$#`.
    pub fn is_resolved(&self) -> bool {
        self.tokens.first().is_some_and(|t| t.id == symbols::HASH)
    }

    /// Leaves what stands behind `$:` alone.
    pub fn keep_user(&mut self) {
        if let Some(at) = self.tokens.iter().position(|t| t.id == symbols::COLON) {
            self.tokens.drain(..=at);
        }
    }

    /// Takes the first token away.
    pub fn drop_first(&mut self) {
        if !self.tokens.is_empty() {
            self.tokens.remove(0);
        }
    }

    /// The triple it is, when it begins with `$#`.
    pub fn resolution(&self) -> Result<Resolution, ResolutionError> {
        Resolution::from_view(self.view())
    }
}

/// Adds scanned tokens to a list of tokens, their text to the workspace's own.
pub(crate) fn add_tokens(program: &Program, own: &mut Text, tokens: &mut Vec<Token>, scanned: &Tokens) {
    let base = index(program.table.text.len() + own.add(scanned.text()));
    tokens.extend(scanned.spans().map(|(start, text)| {
        if let [byte] = text
            && let Some(id) = operator_of(*byte)
        {
            return program.table.operator(id);
        }
        Token { start: base + start, len: index(text.len()), id: program.table.find(text) }
    }));
}
