//! Workspaces: tokens under rewriting, with the memory their evaluation needs.

use std::sync::Arc;

use bytes::Bytes;

use super::program::{Program, SymbolId, Token, index, symbols};
use super::resolution::{Resolution, ResolutionError};
use crate::address::scan::{self, Complaint, Mode, ScanError, Tokens};

/// Text of a token: in the program's memory, or behind it in the workspace's own.
pub(crate) fn text_of<'a>(program: &'a Program, own: &'a [u8], token: Token) -> &'a [u8] {
    let fixed = program.table.text.as_slice();
    let (start, len) = (token.start as usize, token.len as usize);
    match start.checked_sub(fixed.len()) {
        None => fixed.get(start..start + len).unwrap_or_default(),
        Some(start) => own.get(start..start + len).unwrap_or_default(),
    }
}

/// Tokens to look at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub(crate) program: &'a Program,
    pub(crate) own: &'a [u8],
    pub(crate) tokens: &'a [Token],
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
        self.join_with_into(self.program.blank_sub, out);
    }

    /// As text: two words that stand beside each other are joined with `blank`.
    pub fn join_with(self, blank: u8) -> Vec<u8> {
        let mut out = Vec::new();
        self.join_with_into(blank, &mut out);
        out
    }

    /// As text to be read again: operators are single bytes.
    pub(crate) fn write_into(self, out: &mut Vec<u8>) {
        let mut after_word = false;
        for token in self.tokens {
            if token.is_operator() {
                let number = u8::try_from(token.id - symbols::HASH).unwrap_or_default();
                out.push(scan::FIRST_OPERATOR + number);
                after_word = false;
                continue;
            }
            let text = text_of(self.program, self.own, *token);
            let word = scan::is_word(text, &self.program.alphabet);
            if word && after_word {
                out.push(self.program.blank_sub);
            }
            out.extend_from_slice(text);
            after_word = word;
        }
    }

    fn join_with_into(self, blank: u8, out: &mut Vec<u8>) {
        let mut after_word = false;
        for token in self.tokens {
            let text = text_of(self.program, self.own, *token);
            let word = !token.is_operator() && scan::is_word(text, &self.program.alphabet);
            if word && after_word {
                out.push(blank);
            }
            out.extend_from_slice(text);
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
    pub(crate) own: Vec<u8>,
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
            own: Vec::new(),
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
        let program = Arc::clone(&self.program);
        let used =
            scan::prescan_into(text, &program.alphabet, mode, delimiter, &mut self.scanned, &mut self.complaints);
        let Some(used) = used else { return Err(ScanError(std::mem::take(&mut self.complaints))) };
        add_tokens(&program, &mut self.own, &mut self.tokens, &self.scanned);
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
pub(crate) fn add_tokens(program: &Program, own: &mut Vec<u8>, tokens: &mut Vec<Token>, scanned: &Tokens) {
    for text in scanned.iter() {
        if let [byte] = text
            && let Some(number) = byte.checked_sub(scan::FIRST_OPERATOR)
            && number < symbols::LAST_OPERATOR.to_le_bytes()[0]
        {
            tokens.push(program.table.operator(SymbolId::from(number) + symbols::HASH));
            continue;
        }
        let id = program.table.find(text);
        let start = index(program.table.text.len() + own.len());
        own.extend_from_slice(text);
        tokens.push(Token { start, len: index(text.len()), id });
    }
}
