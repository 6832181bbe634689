//! Templates: text with macro references and conditionals.

use bytes::Bytes;

use super::names::{MacroId, NameError, NameTable};
use super::scope::{Scope, Value};

/// Part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<T = Bytes> {
    /// Plain text.
    Text(T),
    /// `$x`, `${name}`.
    Macro(MacroId),
    /// `$&x`: in a rule the value at run time, elsewhere the same as `$x`.
    Deferred(MacroId),
    /// `$` and a character that names no macro: `$1`, `$*`, `$@` …, which only rules give a meaning.
    Operator(u8),
    /// `$?x`: what follows counts only when the macro has a value that is not empty.
    If(MacroId),
    /// `$|`.
    Else,
    /// `$.`.
    EndIf,
}

/// Text with macro references, parsed once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    pieces: Vec<Piece>,
}

impl Template {
    /// Text without references.
    pub fn literal(text: impl Into<Bytes>) -> Self {
        let text = text.into();
        Self { pieces: if text.is_empty() { Vec::new() } else { vec![Piece::Text(text)] } }
    }

    /// From parts.
    pub fn from_pieces(pieces: Vec<Piece>) -> Self {
        Self { pieces }
    }

    /// Parses text as a configuration line writes it (`$x`, `${name}`, `$&x`, `$?x…$|…$.`, `$$`).
    ///
    /// Names that are new are added to `names`. A `$` that names nothing stays as it is, and so does `\$`.
    pub fn parse(text: &[u8], names: &mut NameTable) -> Self {
        Self::parse_with(text, names, &mut Vec::new())
    }

    /// As [`Self::parse`]; names that cannot be are reported in the original's words.
    pub fn parse_with(text: &[u8], names: &mut NameTable, complaints: &mut Vec<String>) -> Self {
        Self::parse_as(text, true, names, complaints)
    }

    fn parse_as(text: &[u8], backslash: bool, names: &mut NameTable, complaints: &mut Vec<String>) -> Self {
        let mut pieces = Vec::new();
        let mut plain = Vec::new();
        for part in (Parts { rest: text, backslash, names, complaints }) {
            let piece = match part {
                Piece::Text(text) => {
                    plain.extend_from_slice(text);
                    continue;
                }
                Piece::Macro(id) => Piece::Macro(id),
                Piece::Deferred(id) => Piece::Deferred(id),
                Piece::Operator(byte) => Piece::Operator(byte),
                Piece::If(id) => Piece::If(id),
                Piece::Else => Piece::Else,
                Piece::EndIf => Piece::EndIf,
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain).into()));
            }
            pieces.push(piece);
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain.into()));
        }
        Self { pieces }
    }

    /// Its parts.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Its parts, borrowed.
    pub fn parts(&self) -> impl Iterator<Item = Piece<&[u8]>> {
        self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => Piece::Text(&text[..]),
            Piece::Macro(id) => Piece::Macro(*id),
            Piece::Deferred(id) => Piece::Deferred(*id),
            Piece::Operator(byte) => Piece::Operator(*byte),
            Piece::If(id) => Piece::If(*id),
            Piece::Else => Piece::Else,
            Piece::EndIf => Piece::EndIf,
        })
    }

    /// Whether it is only text; then that text.
    pub fn as_literal(&self) -> Option<Bytes> {
        match self.pieces.as_slice() {
            [] => Some(Bytes::new()),
            [Piece::Text(text)] => Some(text.clone()),
            _ => None,
        }
    }

    /// Whether it names the macro.
    pub fn mentions(&self, id: MacroId) -> bool {
        self.pieces.iter().any(|p| matches!(p, Piece::Macro(m) | Piece::Deferred(m) | Piece::If(m) if *m == id))
    }

    /// As a configuration line writes it.
    pub fn source(&self, names: &NameTable) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Macro(id) => out.extend_from_slice(format!("${}", names.shown(*id)).as_bytes()),
                Piece::Deferred(id) => out.extend_from_slice(format!("$&{}", names.shown(*id)).as_bytes()),
                Piece::If(id) => out.extend_from_slice(format!("$?{}", names.shown(*id)).as_bytes()),
                Piece::Operator(byte) => out.extend_from_slice(&[b'$', *byte]),
                Piece::Else => out.extend_from_slice(b"$|"),
                Piece::EndIf => out.extend_from_slice(b"$."),
            }
        }
        out
    }

    /// Its text under the values of `scope`. Templates within templates are followed to a depth of 10.
    pub fn expand(&self, scope: &Scope) -> Vec<u8> {
        let mut out = Vec::new();
        self.expand_into(scope, &mut out, 0);
        out
    }

    fn expand_into(&self, scope: &Scope, out: &mut Vec<u8>, depth: usize) {
        // One entry per open conditional: whether text counts, and whether it would without this conditional.
        let mut open: Vec<(bool, bool)> = Vec::new();
        let mut live = true;
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) if live => out.extend_from_slice(text),
                Piece::Operator(byte) if live => out.extend_from_slice(&[b'$', *byte]),
                Piece::Macro(id) | Piece::Deferred(id) if live => match scope.value(*id) {
                    Some(Value::Text(text)) => out.extend_from_slice(text),
                    Some(Value::Template(inner)) if depth < MAX_DEPTH => inner.expand_into(scope, out, depth + 1),
                    _ => {}
                },
                Piece::If(id) => {
                    open.push((live && is_set(scope, *id), live));
                    live = live && is_set(scope, *id);
                }
                Piece::Else => {
                    if let Some((taken, outer)) = open.last() {
                        live = *outer && !taken;
                    }
                }
                Piece::EndIf => live = open.pop().map_or(live, |(_, outer)| outer),
                Piece::Text(_) | Piece::Macro(_) | Piece::Deferred(_) | Piece::Operator(_) => {}
            }
        }
    }
}

/// The parts of a text in the order they stand there; text may come in several.
#[derive(Debug)]
pub struct Parts<'t, 'n> {
    rest: &'t [u8],
    /// Whether `\$` is text.
    backslash: bool,
    names: &'n mut NameTable,
    complaints: &'n mut Vec<String>,
}

impl<'t, 'n> Parts<'t, 'n> {
    /// Of a field of a rule, where a backslash hides nothing from a `$` (observed). New names are added to `names`; those
    /// that cannot be are reported in the original's words.
    pub fn of_field(text: &'t [u8], names: &'n mut NameTable, complaints: &'n mut Vec<String>) -> Self {
        Self { rest: text, backslash: false, names, complaints }
    }

    /// Takes so many bytes as text.
    fn text(&mut self, len: usize) -> Piece<&'t [u8]> {
        let (text, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, b""));
        self.rest = rest;
        Piece::Text(text)
    }
}

impl<'t> Iterator for Parts<'t, '_> {
    type Item = Piece<&'t [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match *self.rest {
                [] => return None,
                [b'\\', b'$', ..] if self.backslash => return Some(self.text(2)),
                [b'$'] => return Some(self.text(1)),
                [b'$', b'$', ref behind @ ..] => {
                    self.rest = behind;
                    return Some(Piece::Text(b"$"));
                }
                [b'$', first, ref behind @ ..] => {
                    let (piece, behind) = reference(first, behind, self.names, self.complaints);
                    self.rest = behind;
                    if piece.is_some() {
                        return piece;
                    }
                }
                [_, ref tail @ ..] => {
                    // Everything up to the next byte that may mean something.
                    let len =
                        if self.backslash { memchr::memchr2(b'$', b'\\', tail) } else { memchr::memchr(b'$', tail) };
                    return Some(self.text(len.map_or(self.rest.len(), |len| len + 1)));
                }
            }
        }
    }
}

/// Whether the macro has a value that is not empty.
pub fn is_set(scope: &Scope, id: MacroId) -> bool {
    match scope.value(id) {
        None => false,
        Some(Value::Text(text)) => !text.is_empty(),
        Some(Value::Template(template)) => !template.pieces.is_empty(),
    }
}

/// What `$` and `first` stand for, and what follows; nothing for a name that cannot be.
fn reference<'a, T>(
    first: u8,
    tail: &'a [u8],
    names: &mut NameTable,
    complaints: &mut Vec<String>,
) -> (Option<Piece<T>>, &'a [u8]) {
    match first {
        b'|' => (Some(Piece::Else), tail),
        b'.' => (Some(Piece::EndIf), tail),
        b'*' | b'+' | b'-' | b'=' | b'~' | b'#' | b'@' | b':' | b'>' | b'[' | b']' | b'(' | b')' | b'0'..=b'9' => {
            (Some(Piece::Operator(first)), tail)
        }
        b'?' | b'&' => {
            let Some((byte, rest)) = tail.split_first() else {
                complaints.push("Name required for macro/class".to_owned());
                return (Some(Piece::Operator(first)), tail);
            };
            let (id, rest) = name(*byte, rest, names, complaints);
            (id.map(if first == b'?' { Piece::If } else { Piece::Deferred }), rest)
        }
        _ => {
            let (id, rest) = name(first, tail, names, complaints);
            (id.map(Piece::Macro), rest)
        }
    }
}

/// A macro or class name: one character, or several in braces; and what follows.
///
/// For a name that cannot be the original's words are added to `complaints`.
pub fn name<'a>(
    first: u8,
    tail: &'a [u8],
    names: &mut NameTable,
    complaints: &mut Vec<String>,
) -> (Option<MacroId>, &'a [u8]) {
    if first != b'{' {
        return (Some(MacroId(u16::from(first))), tail);
    }
    let end = memchr::memchr(b'}', tail).unwrap_or(tail.len());
    let (inner, rest) = tail.split_at_checked(end).unwrap_or((tail, b""));
    let mut long = Vec::with_capacity(inner.len());
    for b in inner {
        if b.is_ascii_alphanumeric() || *b == b'_' {
            long.push(*b);
        } else {
            complaints.push(NameError::Character(char::from(*b & 0x7f).to_string()).to_string());
        }
    }
    let Some(rest) = rest.strip_prefix(b"}") else {
        complaints.push(format!("Unbalanced {{ on {}", String::from_utf8_lossy(&long)));
        complaints.push(NO_ID.to_owned());
        return (None, b"");
    };
    match names.intern(&long) {
        Ok(id) => (Some(id), rest),
        Err(error) => {
            complaints.push(error.to_string());
            if error != NameError::Missing {
                complaints.push(NO_ID.to_owned());
            }
            (None, rest)
        }
    }
}

const NO_ID: &str = "Unable to assign macro/class ID (mid = 0xffffffff)";

/// How deep templates within templates are followed.
pub const MAX_DEPTH: usize = 10;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::macros::names;

    fn expanded(template: &str, values: &[(MacroId, &str)]) -> String {
        let mut table = NameTable::default();
        let template = Template::parse(template.as_bytes(), &mut table);
        let mut scope = Scope::new(Arc::default());
        for (id, text) in values {
            scope.set(*id, text.as_bytes().to_vec());
        }
        String::from_utf8(template.expand(&scope)).unwrap()
    }

    #[test]
    fn conditionals_nest_and_have_an_else() {
        let text = "a$?i<$i>$?j+$j$|-$.$|none$.b";
        assert_eq!(expanded(text, &[]), "anoneb");
        assert_eq!(expanded(text, &[(names::QUEUE_ID, "x")]), "a<x>-b");
        assert_eq!(expanded(text, &[(names::QUEUE_ID, "x"), (names::HOST, "h")]), "a<x>+hb");
    }

    /// What rules use is no macro: it stays as it is.
    #[test]
    fn names_of_operators_expand_to_themselves() {
        for operator in ["$*", "$+", "$-", "$=", "$~", "$#", "$@", "$:", "$>", "$[", "$]", "$(", "$)", "$0", "$9"] {
            assert_eq!(expanded(operator, &[]), operator);
        }
    }

    #[test]
    fn values_set_at_run_time_are_not_expanded_again() {
        assert_eq!(expanded("<${client_name}>", &[(names::CLIENT_NAME, "$j")]), "<$j>");
        assert_eq!(expanded("$$j", &[(names::HOST, "h")]), "$j");
    }
}
