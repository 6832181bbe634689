//! The text of the configuration, by logical lines, and where things stand in it.

use std::ops::Range;

use super::finding::Place;
use crate::base::bytes::split_once;
use crate::base::table::{Match, abbreviated};
use crate::config::options;

/// A logical line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// First and last physical line, from 1.
    pub(super) physical: (u32, u32),
    /// Its first letter.
    pub(super) kind: u8,
    /// What follows the letter, without comments.
    pub(super) text: Vec<u8>,
}

/// A configuration's text.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Physical lines as shown: bytes that are no text are replaced.
    physical: Vec<String>,
    /// Logical lines.
    pub(super) lines: Vec<Line>,
}

impl Source {
    /// Cuts a text into lines, as level `level` of the language sees them.
    pub(super) fn new(text: &[u8], level: u8) -> Self {
        let cut = || text.split(|b| *b == b'\n');
        let physical: Vec<String> = cut().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        let mut raw: Vec<(u32, u32, Vec<u8>)> = Vec::new();
        for (line, number) in cut().zip(1u32..) {
            match raw.last_mut() {
                Some((_, last, text)) if matches!(line.first(), Some(b' ' | b'\t')) => {
                    *last = number;
                    text.push(b'\n');
                    text.extend_from_slice(line);
                }
                _ => raw.push((number, number, line.to_vec())),
            }
        }
        let mut lines = Vec::new();
        for (first, last, text) in raw.into_iter().filter(|(_, _, text)| text.first() != Some(&b'#')) {
            let text = without_comments(&text, level);
            if let Some((kind, rest)) = text.split_first() {
                lines.push(Line { physical: (first, last), kind: *kind, text: rest.to_vec() });
            }
        }
        Self { physical, lines }
    }

    /// Lines of one kind.
    pub(super) fn of_kind(&self, kind: u8) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.kind == kind)
    }

    /// Whether the m4 library made the file: it notes its version in `$Z`.
    pub(super) fn is_made_by_library(&self) -> bool {
        self.of_kind(b'D').any(|line| line.text.starts_with(b"Z"))
    }

    /// The logical line that a diagnostic names, which is by its last physical one.
    pub(super) fn ending_at(&self, number: u32) -> Option<&Line> {
        self.lines.iter().find(|line| line.physical.1 == number)
    }

    /// The last line that sets an option, and its value.
    pub(super) fn option(&self, name: &str) -> Option<(&Line, &[u8])> {
        self.options(name).pop()
    }

    /// All lines that set an option, by its name, a beginning of it or its letter, and their values.
    pub(super) fn options(&self, name: &str) -> Vec<(&Line, &[u8])> {
        let lines = self.of_kind(b'O').filter_map(|line| {
            let (found, value) = option_of(&line.text)?;
            (found == name).then_some((line, value.trim_ascii()))
        });
        lines.collect()
    }

    /// Where `needle` stands in a logical line; the whole of its first physical line when it does not.
    pub(super) fn place(&self, line: &Line, needle: &str) -> Place {
        let numbers = line.physical.0..=line.physical.1;
        if !needle.is_empty() {
            for number in numbers {
                if let Some(at) = self.physical(number).find(needle) {
                    return Place { line: number, columns: at..at + needle.len() };
                }
            }
        }
        Place { line: line.physical.0, columns: self.extent(line.physical.0) }
    }

    /// The whole of a logical line's first physical line.
    pub(super) fn whole(&self, line: &Line) -> Place {
        self.place(line, "")
    }

    /// A physical line.
    pub(super) fn physical(&self, number: u32) -> &str {
        let at = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        self.physical.get(at).map_or("", String::as_str)
    }

    /// The part of a physical line that is no blank at its ends.
    fn extent(&self, number: u32) -> Range<usize> {
        let text = self.physical(number);
        let start = text.len() - text.trim_start().len();
        start..text.trim_end().len().max(start)
    }
}

/// The option that a line sets, and its value.
fn option_of(text: &[u8]) -> Option<(&'static str, &[u8])> {
    let Some(long) = text.strip_prefix(b" ") else {
        let (letter, value) = text.split_first()?;
        return options::by_letter(*letter).map(|row| (row.name, value));
    };
    let (name, value) = split_once(long, b'=').unwrap_or((long, b""));
    let name = String::from_utf8_lossy(name.split(|b| *b == b'.').next()?.trim_ascii()).into_owned();
    match abbreviated(&name, options::OPTIONS.iter().map(|row| row.name)) {
        Match::Exact(name) | Match::Abbreviation(name) => Some((name, value)),
        Match::Ambiguous(..) | Match::Unknown => None,
    }
}

/// As the reader of configurations does it: `#` begins a comment unless `\` or `$` stands before it, from level 3 on.
fn without_comments(text: &[u8], level: u8) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut in_comment = false;
    for b in text {
        match b {
            b'\n' => in_comment = false,
            b'#' if level >= 3 && !matches!(out.last(), Some(b'$' | b'\\')) => in_comment = true,
            _ => {}
        }
        if !in_comment {
            out.push(*b);
        }
    }
    out.truncate(out.trim_ascii_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_their_words_are_found() {
        let source =
            Source::new(b"# c\nMx, P=/bin/cat, # why\n\tA=cat\nO  MaxHopCount = 5\nR$#x\t$1\nOQ/q\nO Priv=x\n", 10);
        let kinds: Vec<u8> = source.lines.iter().map(|line| line.kind).collect();
        assert_eq!(kinds, b"MOROO");
        assert_eq!(source.lines[0].physical, (2, 3));
        assert_eq!(source.place(&source.lines[0], "A=cat"), Place { line: 3, columns: 1..6 });
        assert_eq!(source.place(&source.lines[0], "nosuch"), Place { line: 2, columns: 0..21 });
        for (name, value) in [("MaxHopCount", "5"), ("QueueDirectory", "/q"), ("PrivacyOptions", "x")] {
            assert_eq!(source.option(name).unwrap().1, value.as_bytes());
        }
        assert_eq!(source.ending_at(3).unwrap().kind, b'M');
        assert_eq!(source.lines[2].text, b"$#x\t$1");
    }
}
