//! Text to tokens: the tokenizer that rules, addresses, map values and macro values all go through.
//!
//! Source: op guide 5.1 (`OperatorChars`), 5.1.1; observed (repairs and their messages).

use std::fmt;

use crate::base::limits;

/// What a character is to the tokenizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Part of a word.
    Atom,
    /// A token by itself.
    Operator,
    /// Separates tokens and is lost.
    Blank,
    /// Starts and ends a quoted string.
    Quote,
}

/// Kinds of all 256 characters under one `OperatorChars`.
#[derive(Clone)]
pub struct Alphabet {
    kinds: [Kind; 256],
}

impl fmt::Debug for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operators: Vec<u8> = (0..=255u8).filter(|b| self.kind(*b) == Kind::Operator).collect();
        write!(f, "Alphabet({})", operators.escape_ascii())
    }
}

impl Default for Alphabet {
    fn default() -> Self {
        Self::new(b".:@[]")
    }
}

impl Alphabet {
    /// From the value of `OperatorChars`; `( ) < > , ;`, quotes and white space are always special.
    pub fn new(operator_chars: &[u8]) -> Self {
        let mut kinds = [Kind::Atom; 256];
        for (chars, kind) in [
            (operator_chars, Kind::Operator),
            (b"()<>,;", Kind::Operator),
            (b" \t\r\n\x0b\x0c", Kind::Blank),
            (b"\"", Kind::Quote),
        ] {
            for byte in chars {
                if let Some(slot) = kinds.get_mut(usize::from(*byte)) {
                    *slot = kind;
                }
            }
        }
        for byte in OPERATORS {
            if let Some(slot) = kinds.get_mut(usize::from(byte)) {
                *slot = Kind::Operator;
            }
        }
        Self { kinds }
    }

    /// What the character is.
    #[inline]
    pub fn kind(&self, byte: u8) -> Kind {
        self.kinds.get(usize::from(byte)).copied().unwrap_or(Kind::Atom)
    }
}

/// What is done with parentheses and brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Comments are dropped, angle brackets repaired: addresses, values of maps and macros.
    Address,
    /// Parentheses are tokens, angle brackets repaired: addresses asked about in test mode from level 9 on.
    KeepComments,
    /// Parentheses and brackets are tokens, and what is open stays open: rules, members of classes.
    Rule,
    /// As [`Mode::Rule`], but comments are dropped: rules below level 9.
    OldRule,
}

impl Mode {
    fn drops_comments(self) -> bool {
        matches!(self, Self::Address | Self::OldRule)
    }

    fn repairs_brackets(self) -> bool {
        matches!(self, Self::Address | Self::KeepComments)
    }

    fn closes_quotes(self) -> bool {
        !matches!(self, Self::Rule | Self::OldRule)
    }
}

/// Something that was repaired, or that could not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    /// A quoted string without end, a comment without end, a bracket without partner: the character.
    Unbalanced(u8),
    /// More tokens than a workspace holds.
    TooManyTokens,
    /// A token longer than a name may be.
    TokenTooLong,
    /// More text than an address may have, tokens counted with a byte each.
    AddressTooLong,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbalanced(byte) => write!(f, "Unbalanced '{}'", char::from(*byte)),
            Self::TooManyTokens => f.write_str("prescan: too many tokens"),
            Self::TokenTooLong => f.write_str("prescan: token too long"),
            Self::AddressTooLong => f.write_str("Address too long"),
        }
    }
}

/// Text that makes no tokens; every complaint up to the fatal one, which is last.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.last().map(ToString::to_string).unwrap_or_default())]
pub struct ScanError(pub Vec<Complaint>);

/// Tokens, one behind the other in one piece of memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tokens {
    text: Vec<u8>,
    ends: Vec<u32>,
}

impl Tokens {
    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The token at `index`.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).and_then(|i| self.ends.get(i)).map_or(0, |e| *e as usize);
        self.text.get(start..end)
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.spans().map(|(_, token)| token)
    }

    /// All of them in order, each with its place in [`Self::text`].
    #[inline]
    pub fn spans(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let token = self.text.get(start as usize..*end as usize).unwrap_or_default();
            (std::mem::replace(&mut start, *end), token)
        })
    }

    /// Text of all of them, one behind the other.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Adds one.
    pub fn push(&mut self, token: &[u8]) {
        self.text.extend_from_slice(token);
        self.finish();
    }

    /// Forgets all, keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// As text: two words that stand beside each other are joined with `blank_sub`, all else without anything.
    pub fn join(&self, blank_sub: u8, alphabet: &Alphabet) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.text.len() + 8);
        let mut after_word = false;
        for token in self.iter() {
            let word = is_word(token, alphabet);
            if word && after_word {
                out.push(blank_sub);
            }
            out.extend_from_slice(token);
            after_word = word;
        }
        out
    }

    fn finish(&mut self) {
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    fn started(&self) -> bool {
        self.text.len() > self.ends.last().map_or(0, |e| *e as usize)
    }

    #[inline]
    fn current_len(&self) -> usize {
        self.text.len() - self.ends.last().map_or(0, |e| *e as usize)
    }
}

/// Stands for the `$` of an operator within a quoted string of a rule, where it has no meaning. No address holds it.
pub const MARK: u8 = 0x81;

/// The bytes that stand for operators where a workspace is written as text and read again.
pub const OPERATORS: [u8; 15] =
    [0x82, 0x83, 0x84, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x93, 0x94, 0x95];

/// Whether a token is a word: neither operator nor quoted string.
#[inline]
pub fn is_word(token: &[u8], alphabet: &Alphabet) -> bool {
    token.first().is_some_and(|b| alphabet.kind(*b) == Kind::Atom)
}

/// Outcome of [`prescan`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scanned {
    /// The tokens.
    pub tokens: Tokens,
    /// Bytes of the text used; the one at this place is the delimiter, when there is one.
    pub used: usize,
    /// What was repaired.
    pub complaints: Vec<Complaint>,
}

/// Cuts text into tokens, up to `delimiter` (outside of quotes and comments) or the end.
pub fn prescan(text: &[u8], alphabet: &Alphabet, mode: Mode, delimiter: Option<u8>) -> Result<Scanned, ScanError> {
    let mut scanned = Scanned::default();
    let Scanned { tokens, complaints, .. } = &mut scanned;
    let used = prescan_into(text, alphabet, mode, delimiter, tokens, complaints);
    match used {
        Some(used) => Ok(Scanned { used, ..scanned }),
        None => Err(ScanError(scanned.complaints)),
    }
}

/// As [`prescan`], into memory that is there already; `None` when the last complaint is fatal.
pub fn prescan_into(
    text: &[u8],
    alphabet: &Alphabet,
    mode: Mode,
    delimiter: Option<u8>,
    tokens: &mut Tokens,
    complaints: &mut Vec<Complaint>,
) -> Option<usize> {
    let mut scan = Scan {
        text,
        at: 0,
        alphabet,
        mode,
        delimiter,
        tokens,
        complaints,
        open_brackets: 0,
        in_route: false,
        is_escaped: false,
        too_long: false,
    };
    scan.run()?;
    // A backslash at the very end is taken with what should follow it.
    Some(scan.at.min(text.len()))
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    alphabet: &'a Alphabet,
    mode: Mode,
    delimiter: Option<u8>,
    tokens: &'a mut Tokens,
    complaints: &'a mut Vec<Complaint>,
    open_brackets: usize,
    /// Within `<@a,@b:`, where commas part hosts.
    in_route: bool,
    /// The text ended in a backslash.
    is_escaped: bool,
    /// A quoted string was longer than a token may be.
    too_long: bool,
}

/// A byte that is a token by itself, with the character behind it, in addresses asked about in test mode.
const ALONE: u8 = 0xff;
/// Longest token, bytes. Source: observed.
const LONGEST_TOKEN: usize = limits::ADDRESS + 1;

impl Scan<'_> {
    fn run(&mut self) -> Option<()> {
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.backslash(),
                _ if Some(byte) == self.delimiter && !self.in_route => break,
                b'(' | b')' if self.mode.drops_comments() => self.parenthesis(byte),
                _ => {
                    self.at += 1;
                    self.character(byte);
                }
            }
            if self.tokens.current_len() > LONGEST_TOKEN || self.too_long {
                return self.fail(Complaint::TokenTooLong);
            }
            if self.tokens.text.len() + self.tokens.len() > limits::SCANNED {
                return self.fail(Complaint::AddressTooLong);
            }
            if self.tokens.len() >= limits::TOKENS {
                return self.fail(Complaint::TooManyTokens);
            }
        }
        if self.open_brackets > 0 && self.is_escaped {
            // The bracket that would close is taken for the escaped character; another one follows.
            self.complaints.push(Complaint::Unbalanced(b'<'));
            self.tokens.text.extend_from_slice(b"\\>");
        }
        self.end_word();
        for _ in 0..self.open_brackets {
            self.complaints.push(Complaint::Unbalanced(b'<'));
            self.tokens.push(b">");
        }
        Some(())
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn fail(&mut self, complaint: Complaint) -> Option<()> {
        self.complaints.push(complaint);
        None
    }

    fn end_word(&mut self) {
        if self.tokens.started() {
            self.tokens.finish();
        }
    }

    /// A backslash stays with the character behind it and makes it part of a word; `\!` is the operator, and a
    /// backslash at the end is nothing.
    fn backslash(&mut self) {
        self.at += 1;
        match self.peek() {
            None => self.is_escaped = true,
            byte if byte == self.delimiter => {}
            Some(b'!') => {
                self.at += 1;
                self.character(b'!');
            }
            Some(byte) => {
                self.at += 1;
                self.tokens.text.extend_from_slice(&[b'\\', byte]);
            }
        }
    }

    fn character(&mut self, byte: u8) {
        match self.alphabet.kind(byte) {
            Kind::Atom if byte == ALONE && self.mode == Mode::KeepComments => self.alone(),
            Kind::Atom => self.atoms(),
            Kind::Blank => self.end_word(),
            Kind::Quote => {
                self.end_word();
                self.quoted();
            }
            Kind::Operator => {
                if byte == b'>' && self.open_brackets == 0 && self.mode.repairs_brackets() {
                    // Dropped, and the word goes on behind it.
                    self.complaints.push(Complaint::Unbalanced(b'>'));
                    return;
                }
                self.end_word();
                if self.mode.repairs_brackets() {
                    match byte {
                        b'<' => {
                            self.open_brackets += 1;
                            let rest = self.text.get(self.at..).unwrap_or_default();
                            self.in_route = rest.iter().find(|b| **b != b' ') == Some(&b'@');
                        }
                        b'>' => {
                            self.open_brackets -= 1;
                            self.in_route = false;
                        }
                        b':' => self.in_route = false,
                        _ => {}
                    }
                }
                self.tokens.push(&[byte]);
            }
        }
    }

    /// A token of the byte just passed and the character behind it, whatever that is. Source: observed.
    fn alone(&mut self) {
        self.end_word();
        self.tokens.text.push(ALONE);
        if let Some(byte) = self.peek().filter(|byte| Some(*byte) != self.delimiter) {
            self.at += 1;
            self.tokens.text.push(byte);
            if byte == b'\\' {
                self.tokens.text.extend(self.peek());
                self.at += 1;
            }
        }
        self.tokens.finish();
    }

    /// Adds the character just passed and those of the same word that follow, up to where a limit may be met.
    fn atoms(&mut self) {
        let start = self.at - 1;
        let limit = (LONGEST_TOKEN + 1).saturating_sub(self.tokens.current_len());
        let limit = limit.min((limits::SCANNED + 1).saturating_sub(self.tokens.text.len() + self.tokens.len())).max(1);
        let rest = self.text.get(start..).unwrap_or_default();
        let ends = |byte: &u8| {
            self.alphabet.kind(*byte) != Kind::Atom || matches!(*byte, b'\\' | ALONE) || Some(*byte) == self.delimiter
        };
        let len = 1 + rest.iter().take(limit).skip(1).position(ends).unwrap_or(rest.len().min(limit) - 1);
        self.tokens.text.extend_from_slice(rest.get(..len).unwrap_or_default());
        self.at = start + len;
    }

    /// The rest of a quoted string; the quote itself is behind us.
    fn quoted(&mut self) {
        self.tokens.text.push(b'"');
        let mut escaped = false;
        loop {
            let byte = match self.peek() {
                Some(byte) => {
                    self.at += 1;
                    byte
                }
                None if !self.mode.closes_quotes() => break,
                None => {
                    self.complaints.push(Complaint::Unbalanced(b'"'));
                    b'"'
                }
            };
            self.tokens.text.push(byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => break,
                _ => {}
            }
        }
        self.too_long |= self.tokens.current_len() > LONGEST_TOKEN;
        self.tokens.finish();
    }

    /// Drops a comment, nested ones with it; a `)` without partner is dropped alone and does not end a word.
    fn parenthesis(&mut self, byte: u8) {
        self.at += 1;
        if byte == b')' {
            self.complaints.push(Complaint::Unbalanced(b')'));
            return;
        }
        self.end_word();
        let mut depth = 1usize;
        while depth > 0 {
            let Some(byte) = self.peek() else {
                self.complaints.push(Complaint::Unbalanced(b'('));
                break;
            };
            self.at += 1;
            match byte {
                b'\\' => {
                    if self.peek().is_none() {
                        self.complaints.push(Complaint::Unbalanced(b'('));
                    }
                    self.at += 1;
                }
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, mode: Mode) -> String {
        match prescan(text.as_bytes(), &Alphabet::new(b".:@[]!%^/+"), mode, Some(b',')) {
            Ok(scanned) => {
                let mut out: Vec<String> = scanned.complaints.iter().map(ToString::to_string).collect();
                out.extend(scanned.tokens.iter().map(|t| String::from_utf8_lossy(t).into_owned()));
                out.join(" ")
            }
            Err(error) => format!("fails: {error}"),
        }
    }

    #[test]
    fn words_operators_and_quoted_strings_are_tokens() {
        for (text, tokens) in [
            ("a=b/c^d[e]+f*g?h", "a=b / c ^ d [ e ] + f*g?h"),
            ("a  b\tc", "a b c"),
            ("a\"b\"c", "a \"b\" c"),
            ("a\\x b", "a\\x b"),
            ("\\(a\\)", "\\(a\\)"),
            ("joe\\", "joe"),
            ("a\\!b", "a ! b"),
            ("a.\\(b c\\", "a . \\(b c"),
            ("a(c)b", "a ( c ) b"),
            ("a,b", "a"),
            ("\"a,b\"", "\"a,b\""),
            ("<@a,@b:c@d>,e", "< @ a , @ b : c @ d >"),
        ] {
            assert_eq!(shown(text, Mode::KeepComments), tokens, "{text}");
        }
    }

    #[test]
    fn what_is_open_is_closed_with_a_complaint() {
        for (text, tokens) in [
            ("\"unbal", "Unbalanced '\"' \"unbal\""),
            ("\"a\\", "Unbalanced '\"' Unbalanced '\"' \"a\\\"\""),
            ("<a", "Unbalanced '<' < a >"),
            ("a>", "Unbalanced '>' a"),
            ("<a>b>c", "Unbalanced '>' < a > bc"),
            ("a<<b", "Unbalanced '<' Unbalanced '<' a < < b > >"),
            ("a<b\\", "Unbalanced '<' Unbalanced '<' a < b\\> >"),
            ("a\\,b", "a"),
            ("joe>@foo.com", "Unbalanced '>' joe @ foo . com"),
        ] {
            assert_eq!(shown(text, Mode::Address), tokens, "{text}");
        }
        assert_eq!(shown("<a", Mode::Rule), "< a");
    }

    #[test]
    fn comments_are_dropped_from_addresses() {
        for (text, tokens) in [
            ("a (c) b", "a b"),
            ("a(b)c", "a c"),
            ("(a (n) \\) b)x", "x"),
            ("a (joe@foo.com", "Unbalanced '(' a"),
            ("joe)x@foo.com", "Unbalanced ')' joex @ foo . com"),
        ] {
            assert_eq!(shown(text, Mode::Address), tokens, "{text}");
        }
    }

    #[test]
    fn words_beside_each_other_are_joined_with_blank_sub() {
        let alphabet = Alphabet::new(b".@");
        let tokens = prescan(b"a b . c \"d\" e", &alphabet, Mode::Address, None).unwrap().tokens;
        assert_eq!(tokens.join(b'_', &alphabet), b"a_b.c\"d\"e");
    }
}
