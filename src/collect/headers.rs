//! Telling header from body.

use bytes::Bytes;

use super::limits::{Fault, Limits};
use crate::message::{Header, HeaderList, fields};

/// Takes a message block by block.
///
/// Memory: the header alone, bounded by its limit; body bytes pass through.
#[derive(Debug)]
pub struct Collector {
    limits: Limits,
    headers: HeaderList,
    /// Header lines of the field that may still go on, and a line that has not ended.
    open: Vec<u8>,
    /// Where the unfinished line begins in `open`.
    line_start: usize,
    from_line: Option<Bytes>,
    is_first_line: bool,
    in_header: bool,
    header_bytes: usize,
    size: u64,
    has_8bit: bool,
    ends_with_newline: bool,
    fault: Option<Fault>,
}

/// A message as collected.
#[derive(Debug)]
pub struct Collected {
    /// Its header, as it came.
    pub headers: HeaderList,
    /// A Unix `From ` line in front of it.
    pub from_line: Option<Bytes>,
    /// Bytes of the whole message, line ends counted as one byte.
    pub size_bytes: u64,
    /// Whether header or body has bytes above 127.
    pub has_8bit: bool,
    /// Why it is refused.
    pub fault: Option<Fault>,
}

impl Collector {
    /// For one message.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            headers: HeaderList::default(),
            open: Vec::new(),
            line_start: 0,
            from_line: None,
            is_first_line: true,
            in_header: true,
            header_bytes: 0,
            size: 0,
            has_8bit: false,
            ends_with_newline: true,
            fault: None,
        }
    }

    /// Takes a block of lines ended by LF, cut anywhere; adds what belongs to the body to `body`.
    ///
    /// After a fault nothing more is added: the rest of the message is read and thrown away.
    pub fn feed(&mut self, block: &[u8], body: &mut Vec<u8>) {
        if self.limits.is_seven_bit && !block.is_ascii() {
            let cleared: Vec<u8> = block.iter().map(|b| b & 0x7f).collect();
            self.take(&cleared, body);
        } else {
            self.take(block, body);
        }
    }

    /// Why the message will be refused, as far as is known.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Whether the header is complete.
    pub fn is_in_body(&self) -> bool {
        !self.in_header
    }

    /// The message ended. A last line without its end gets one, which does not count.
    pub fn finish(mut self, body: &mut Vec<u8>) -> Collected {
        let size_bytes = self.size;
        if !self.ends_with_newline {
            self.take(b"\n", body);
        }
        if self.in_header {
            self.close_field();
        }
        let is_undeclared = self.has_8bit && self.headers.first("MIME-Version").is_none();
        if self.limits.rejects_undeclared && is_undeclared {
            self.refuse(Fault::EightBit);
        }
        Collected {
            headers: self.headers,
            from_line: self.from_line,
            size_bytes,
            has_8bit: self.has_8bit,
            fault: self.fault,
        }
    }

    fn take(&mut self, block: &[u8], body: &mut Vec<u8>) {
        let Some(last) = block.last() else { return };
        self.ends_with_newline = *last == b'\n';
        self.size = self.size.saturating_add(block.len() as u64);
        self.has_8bit |= !block.is_ascii();
        if self.limits.rejects_nul && memchr::memchr(0, block).is_some() {
            self.refuse(Fault::Nul);
        }
        if self.limits.message > 0 && self.size > self.limits.message {
            self.refuse(Fault::MessageTooLarge(self.limits.message));
        }
        let mut rest = block;
        while self.in_header && !rest.is_empty() {
            rest = self.header_bytes(rest, body);
        }
        if self.keeps_body() {
            body.extend_from_slice(rest);
        }
    }

    /// Takes bytes up to the end of a line; gives back what follows.
    fn header_bytes<'a>(&mut self, bytes: &'a [u8], body: &mut Vec<u8>) -> &'a [u8] {
        let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
        let (piece, rest) = bytes.split_at_checked(end).unwrap_or((bytes, b""));
        self.header_bytes += piece.len();
        let limit = if self.limits.headers > 0 { self.limits.headers } else { HEADERS };
        if self.header_bytes > limit {
            self.refuse(Fault::HeadersTooLarge(limit));
            self.open.truncate(self.line_start);
            self.close_field();
            // What is wrong is known; the rest needs no look.
            self.in_header = false;
            return rest;
        }
        self.open.extend_from_slice(piece);
        if piece.ends_with(b"\n") {
            self.line(body);
        }
        rest
    }

    /// A line is complete: it goes on with a field, begins one, or ends the header.
    fn line(&mut self, body: &mut Vec<u8>) {
        let line = self.open.get(self.line_start..).unwrap_or_default();
        let is_first = std::mem::replace(&mut self.is_first_line, false);
        if is_first && line.starts_with(b"From ") && !self.limits.keeps_from_line {
            self.from_line = Some(Bytes::copy_from_slice(line.trim_ascii_end()));
            self.open.clear();
            self.is_first_line = false;
            return;
        }
        let goes_on = self.line_start > 0 && matches!(line.first(), Some(b' ' | b'\t'));
        if goes_on {
            self.line_start = self.open.len();
            return;
        }
        let is_field = field_name(line).is_some_and(|name| !fields::has(name, fields::END));
        if is_field {
            let line = self.open.split_off(self.line_start);
            self.close_field();
            self.open = line;
            self.line_start = self.open.len();
            return;
        }
        let line = self.open.split_off(self.line_start);
        self.close_field();
        self.in_header = false;
        if line != b"\n" && self.keeps_body() {
            body.extend_from_slice(&line);
        }
    }

    /// Of several faults the header's size counts first, then the message's: so that it does not matter how the message is cut
    /// into blocks.
    fn refuse(&mut self, fault: Fault) {
        let rank = |fault: Fault| match fault {
            Fault::HeadersTooLarge(_) => 2,
            Fault::MessageTooLarge(_) => 1,
            Fault::Nul | Fault::EightBit => 0,
        };
        if self.fault.is_none_or(|known| rank(known) < rank(fault)) {
            self.fault = Some(fault);
        }
    }

    /// What is refused for its size is not kept; the rest may be returned to its sender.
    fn keeps_body(&self) -> bool {
        matches!(self.fault, None | Some(Fault::Nul | Fault::EightBit))
    }

    fn close_field(&mut self) {
        let mut field = std::mem::take(&mut self.open);
        self.line_start = 0;
        field.retain(|b| *b != 0);
        if let Some(header) = parse_field(&field) {
            self.headers.push(header);
        }
    }
}

/// One field with its continuation lines.
pub fn parse_field(field: &[u8]) -> Option<Header> {
    let name = field_name(field)?;
    let colon = memchr::memchr(b':', field)?;
    let value = field.get(colon + 1..)?;
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    Some(Header::new(Bytes::copy_from_slice(name), Bytes::copy_from_slice(value)))
}

/// Name of the field that the line begins: printable characters up to a colon, blanks in front of the colon aside.
fn field_name(line: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', line)?;
    let name = line.get(..colon)?.trim_ascii_end();
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(name)
}

/// Longest header when the configuration sets no limit, bytes.
const HEADERS: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(text: &[u8], limits: Limits, size: usize) -> (Collected, Vec<u8>) {
        let (mut collector, mut body) = (Collector::new(limits), Vec::new());
        for block in text.chunks(size) {
            collector.feed(block, &mut body);
        }
        let message = collector.finish(&mut body);
        (message, body)
    }

    fn shown(message: &Collected) -> Vec<String> {
        let text = |h: &Header| format!("{}:{}", String::from_utf8_lossy(&h.name), String::from_utf8_lossy(h.text()));
        message.headers.iter().map(text).collect()
    }

    #[test]
    fn of_several_faults_the_same_one_counts_whatever_the_blocks() {
        let limits = Limits { headers: 20, message: 40, rejects_nul: true, ..Limits::default() };
        let text = [&b"X: long enough for that\n\n\0"[..], &[b'x'; 40]].concat();
        for size in [1, 7, 30, 100] {
            assert_eq!(collected(&text, limits, size).0.fault, Some(Fault::HeadersTooLarge(20)), "{size}");
        }
        for size in [1, 7, 30, 100] {
            assert_eq!(collected(&text[23..], limits, size).0.fault, Some(Fault::MessageTooLarge(40)), "{size}");
        }
    }

    #[test]
    fn a_from_line_that_is_kept_ends_the_header() {
        let limits = Limits { keeps_from_line: true, ..Limits::default() };
        let (message, body) = collected(b"From a@b now\nX: y\n\nb\n", limits, 100);
        assert!(message.headers.is_empty() && message.from_line.is_none());
        assert_eq!(body, b"From a@b now\nX: y\n\nb\n");
    }

    #[test]
    fn header_ends_where_the_original_ends_it() {
        let cases: &[(&str, &[&str], &str)] = &[
            ("Subject: x\n\nb\n", &["Subject: x"], "b\n"),
            ("Subject:nospace\nX-Odd : y\nEmpty:\n\nb", &["Subject:nospace", "X-Odd: y", "Empty:"], "b\n"),
            ("A: one\n two\n\tthree\nB: x\n\n\nb\n", &["A: one\n two\n\tthree", "B: x"], "\nb\n"),
            ("no header here\nsecond\n", &[], "no header here\nsecond\n"),
            ("\nbody\n", &[], "body\n"),
            ("", &[], ""),
            ("From a b c\nSubject: x\n\nb\n", &["Subject: x"], "b\n"),
            (">From me\nSubject: x\n\nb\n", &[], ">From me\nSubject: x\n\nb\n"),
            ("A: b\nnot a field\n\nb\n", &["A: b"], "not a field\n\nb\n"),
            (" leading\nA: b\n\nb\n", &[], " leading\nA: b\n\nb\n"),
            (": x\nA: b\n", &[], ": x\nA: b\n"),
            ("A: b", &["A: b"], ""),
            ("A: b\nX bad: y\n", &["A: b"], "X bad: y\n"),
        ];
        for (text, headers, body) in cases {
            for size in [1, 2, 3, 7, 1000] {
                let (message, found) = collected(text.as_bytes(), Limits::default(), size);
                assert_eq!(shown(&message), *headers, "{text:?} in pieces of {size}");
                assert_eq!(String::from_utf8(found).unwrap(), *body, "{text:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn size_counts_every_byte_once() {
        for (text, size) in [("From: bob\nSubject: none\n\nb\n", 27), ("", 0), ("\n", 1), ("A: b\n\nx", 7)] {
            assert_eq!(collected(text.as_bytes(), Limits::default(), 4).0.size_bytes, size, "{text:?}");
        }
    }

    #[test]
    fn limits_refuse_and_stop_the_body() {
        let limits = Limits { headers: 20, message: 30, rejects_nul: true, ..Limits::default() };
        for (text, fault) in [
            (&b"A: 0123456789012345678\n\nb\n"[..], Some(Fault::HeadersTooLarge(20))),
            (b"A: b\n\n0123456789012345678901234567890\n", Some(Fault::MessageTooLarge(30))),
            (b"A: b\n\nx\0y\n", Some(Fault::Nul)),
            (b"A: b\n\nxy\n", None),
        ] {
            let (message, _) = collected(text, limits, 5);
            assert_eq!(message.fault, fault);
        }
    }

    #[test]
    fn undeclared_eight_bits_are_refused_when_asked_for() {
        let limits = Limits { rejects_undeclared: true, ..Limits::default() };
        for (text, fault) in [
            (&b"A: b\n\ncaf\xe9\n"[..], Some(Fault::EightBit)),
            (b"A: caf\xe9\n\nb\n", Some(Fault::EightBit)),
            (b"A: b\nMIME-Version: 1.0\n\ncaf\xe9\n", None),
            (b"A: b\n\ncafe\n", None),
        ] {
            assert_eq!(collected(text, limits, 5).0.fault, fault);
        }
    }

    #[test]
    fn eight_bits_are_noticed_or_cleared() {
        assert!(collected(b"A: b\n\ncaf\xe9\n", Limits::default(), 100).0.has_8bit);
        let limits = Limits { is_seven_bit: true, ..Limits::default() };
        let (message, body) = collected(b"A: b\n\ncaf\xe9\n", limits, 100);
        assert!(!message.has_8bit);
        assert_eq!(body, b"cafi\n");
    }
}
