//! A body as a mailer wants its lines.

use bytes::{Bytes, BytesMut};

use crate::config::Mailer;

/// Turns a body with `\n` line ends into what a mailer reads: its line ends, dots, `From` quoting, length and bit limits.
///
/// Bytes go in by blocks of any size and come out as they are ready; memory is bounded by one line of the limit.
#[derive(Debug, Clone)]
pub struct LineWriter {
    eol: Bytes,
    limit: usize,
    doubles_dots: bool,
    quotes_from: bool,
    strips_8bit: bool,
    strips_nul: bool,
    ends_blank: bool,
    /// Bytes of the line written so far.
    column: usize,
    /// Up to five bytes at the start of a line, kept until it is known whether they are `From `.
    start: Vec<u8>,
    is_at_start: bool,
}

impl LineWriter {
    /// For a mailer. Dots are doubled only when `doubles_dots` (a client may do that by itself).
    pub fn new(mailer: &Mailer, doubles_dots: bool) -> Self {
        Self {
            eol: mailer.eol.clone(),
            limit: mailer.line_limit,
            doubles_dots,
            quotes_from: mailer.has(b'E'),
            strips_8bit: mailer.has(b'7'),
            strips_nul: mailer.has(b'1'),
            ends_blank: mailer.has(b'b'),
            column: 0,
            start: Vec::with_capacity(5),
            is_at_start: true,
        }
    }

    /// For a message that is kept or sent back within another: lines that begin with `From ` are quoted, nothing else.
    pub fn quoting_from() -> Self {
        Self { quotes_from: true, ..Self::cutting(Bytes::from_static(b"\n"), 0) }
    }

    /// For lines that are cut at a length, 0 for none, and otherwise stay as they are.
    pub fn cutting(eol: Bytes, limit: usize) -> Self {
        Self {
            eol,
            limit,
            doubles_dots: false,
            quotes_from: false,
            strips_8bit: false,
            strips_nul: false,
            ends_blank: false,
            column: 0,
            start: Vec::new(),
            is_at_start: true,
        }
    }

    /// Whether bytes go out as they come in, except for line ends.
    fn is_plain(&self) -> bool {
        !self.strips_8bit && !self.strips_nul
    }

    /// Takes a block.
    pub fn push(&mut self, block: &[u8], out: &mut BytesMut) {
        let mut rest = block;
        while !rest.is_empty() {
            if self.is_at_start {
                rest = self.begin_line(rest, out);
                continue;
            }
            if let Some(at) = memchr::memchr(b'\n', rest) {
                let (line, tail) = rest.split_at(at);
                self.text(line, out);
                self.end_line(out);
                rest = tail.get(1..).unwrap_or_default();
            } else {
                self.text(rest, out);
                rest = &[];
            }
        }
    }

    /// Ends the last line; a body that did so itself gets the blank line that some mailers want. Source: observed.
    pub fn finish(&mut self, out: &mut BytesMut) {
        if !self.start.is_empty() {
            self.release_start(out);
        }
        if !self.is_at_start {
            self.end_line(out);
        } else if self.ends_blank {
            out.extend_from_slice(&self.eol);
        }
    }

    /// Handles bytes at the start of a line; returns what is left of the block.
    fn begin_line<'a>(&mut self, rest: &'a [u8], out: &mut BytesMut) -> &'a [u8] {
        if !self.quotes_from {
            let Some(first) = rest.first() else { return rest };
            self.is_at_start = false;
            if *first == b'.' && self.doubles_dots {
                out.extend_from_slice(b".");
            }
            return rest;
        }
        let wanted = FROM.len() - self.start.len();
        let (head, tail) = rest.split_at(wanted.min(rest.len()));
        let upto = head.iter().position(|b| *b == b'\n').unwrap_or(head.len());
        self.start.extend(head.iter().take(upto));
        if upto < head.len() || self.start.len() == FROM.len() || !FROM.starts_with(&self.start) {
            self.release_start(out);
            return rest.get(upto..).unwrap_or_default();
        }
        tail
    }

    fn release_start(&mut self, out: &mut BytesMut) {
        let start = std::mem::take(&mut self.start);
        self.is_at_start = false;
        if start == FROM {
            out.extend_from_slice(b">");
            self.column += 1;
        } else if start.first() == Some(&b'.') && self.doubles_dots {
            out.extend_from_slice(b".");
        }
        self.text(&start, out);
    }

    fn text(&mut self, text: &[u8], out: &mut BytesMut) {
        if self.is_plain() && (self.limit == 0 || self.column + text.len() <= self.limit) {
            out.extend_from_slice(text);
            self.column += text.len();
            return;
        }
        for b in text {
            if *b == 0 && self.strips_nul {
                continue;
            }
            if self.limit > 0 && self.column >= self.limit.saturating_sub(1) && self.limit > 1 {
                out.extend_from_slice(b"!");
                out.extend_from_slice(&self.eol);
                // The rest begins with a blank, which counts. Source: observed.
                out.extend_from_slice(b" ");
                self.column = 1;
            }
            out.extend_from_slice(&[if self.strips_8bit { b & 0x7f } else { *b }]);
            self.column += 1;
        }
    }

    fn end_line(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(&self.eol);
        self.column = 0;
        self.is_at_start = true;
    }
}

const FROM: &[u8] = b"From ";

#[cfg(test)]
mod tests {
    use super::*;

    fn written(flags: &str, eol: &'static str, limit: usize, dots: bool, blocks: &[&str]) -> String {
        let mut mailer = super::super::plan::tests::mailer("m", "[IPC]", flags);
        mailer.eol = Bytes::from_static(eol.as_bytes());
        mailer.line_limit = limit;
        let mut writer = LineWriter::new(&mailer, dots);
        let mut out = BytesMut::new();
        for block in blocks {
            writer.push(block.as_bytes(), &mut out);
        }
        writer.finish(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn lines_get_the_mailer_s_ends_dots_and_quotes() {
        let cases: &[(&str, &str, bool, &[&str], &str)] = &[
            ("", "\n", false, &["a\nb"], "a\nb\n"),
            ("", "\r\n", true, &[".a\n", "\n.", "\nx"], "..a\r\n\r\n..\r\nx\r\n"),
            ("E", "\n", false, &["From a\nFro", "m b\nFrom", "\n\nFr\n"], ">From a\n>From b\nFrom\n\nFr\n"),
            ("E", "\n", true, &[".x\nFrom "], "..x\n>From \n"),
            ("b", "\n", false, &["a\n"], "a\n\n"),
            ("b", "\n", false, &["a\n\n"], "a\n\n\n"),
            ("b", "\n", false, &["a"], "a\n"),
            ("b", "\n", false, &[], "\n"),
            ("", "\n", false, &[], ""),
        ];
        for (flags, eol, dots, blocks, want) in cases {
            assert_eq!(written(flags, eol, 0, *dots, blocks), *want, "{flags} {blocks:?}");
        }
    }

    #[test]
    fn long_lines_are_cut_with_an_exclamation_mark() {
        assert_eq!(written("", "\n", 5, true, &["abcdefgh.i\nxy\n"]), "abcd!\n efg!\n h.i\nxy\n");
        assert_eq!(written("", "\n", 5, false, &["abcde\n"]), "abcde\n");
    }

    #[test]
    fn the_eighth_bit_goes_when_the_mailer_says_so() {
        let mut mailer = super::super::plan::tests::mailer("m", "[IPC]", "71");
        mailer.eol = Bytes::from_static(b"\n");
        let mut out = BytesMut::new();
        LineWriter::new(&mailer, false).push(b"a\xe9\0b", &mut out);
        assert_eq!(out.as_ref(), b"aib");
    }
}
