//! Replies of a server.

use bytes::{Bytes, BytesMut};

use crate::base::bytes::shown;
use crate::base::limits;
use crate::base::status::Status;

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three-digit code.
    pub code: u16,
    /// Lines as they came, without their ends; never empty.
    pub lines: Vec<Bytes>,
}

impl Reply {
    /// First digit of the code.
    pub fn class(&self) -> u16 {
        self.code / 100
    }

    /// The enhanced code of the first line.
    pub fn status(&self) -> Option<Status> {
        Status::parse_prefix(self.first_text()).map(|(status, _)| status)
    }

    /// What the first line says behind the code.
    fn first_text(&self) -> &[u8] {
        self.lines.first().and_then(|line| line.get(4..)).unwrap_or_default()
    }

    /// `550 5.1.1 no such user`: the first line, a blank behind its code. For `reply=`, `Diagnostic-Code` and the queue file.
    pub fn log_form(&self) -> String {
        let code = self.lines.first().and_then(|line| line.get(..3)).unwrap_or_default();
        format!("{} {}", shown(code), shown(self.first_text())).trim_end().to_owned()
    }

    /// Whether the first line, which is what is shown, is a refusal.
    pub fn shows_refusal(&self) -> bool {
        self.lines.first().is_some_and(|line| line.first().is_some_and(|digit| *digit >= b'4'))
    }

    /// The words for `Sent (…)`: without the enhanced code when the server announced such codes.
    pub fn words(&self, has_enhanced_codes: bool) -> &[u8] {
        match Status::parse_prefix(self.first_text()) {
            Some((_, rest)) if has_enhanced_codes => rest.trim_ascii_start(),
            _ => self.first_text(),
        }
    }
}

/// Puts replies together from what comes in.
///
/// Bounded: a line by [`limits::REPLY_LINE`], what is kept of a reply by [`limits::REPLY_LINES`], all that comes before its end,
/// lines that are passed over among it, by [`limits::REPLY_LINES_READ`].
#[derive(Debug, Default)]
pub struct Parser {
    buffer: BytesMut,
    lines: Vec<Bytes>,
    /// Lines taken since the last whole reply.
    read: usize,
}

/// What came is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAReply;

impl Parser {
    /// Where bytes from the server are added.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Throws away what has come; after STARTTLS nothing sent before may count.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.lines.clear();
        self.read = 0;
    }

    /// Whether something came that was not asked for.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.lines.is_empty()
    }

    /// The next whole reply, when it is there.
    pub fn take(&mut self) -> Result<Option<Reply>, NotAReply> {
        while let Some(at) = memchr::memchr(b'\n', &self.buffer) {
            self.read += 1;
            if self.read > limits::REPLY_LINES_READ {
                return Err(NotAReply);
            }
            let line = self.buffer.split_to(at + 1).freeze();
            let end = line.len() - if line.ends_with(b"\r\n") { 2 } else { 1 };
            let line = line.slice(..end);
            // A line ends where the original's strings end.
            let line = line.slice(..memchr::memchr(0, &line).unwrap_or(line.len()));
            let Some(code) = code(&line) else {
                // Empty lines, and whatever stands between the lines of a reply, are passed over. Source: observed.
                if self.lines.is_empty() && !line.is_empty() {
                    return Err(NotAReply);
                }
                continue;
            };
            let more = line.get(3) == Some(&b'-');
            if self.lines.len() < limits::REPLY_LINES {
                self.lines.push(line);
            } else if more {
                // Lines beyond the limit are dropped, but their end is found.
                self.buffered()?;
            }
            if !more {
                self.read = 0;
                let lines = std::mem::take(&mut self.lines);
                return Ok(Some(Reply { code, lines }));
            }
        }
        self.buffered().map(|()| None)
    }

    fn buffered(&self) -> Result<(), NotAReply> {
        if self.buffer.len() > limits::REPLY_LINE { Err(NotAReply) } else { Ok(()) }
    }
}

fn code(line: &[u8]) -> Option<u16> {
    let digits = line.get(..3)?;
    let separator = line.get(3);
    if !digits.iter().all(u8::is_ascii_digit) || !matches!(separator, None | Some(b' ' | b'-')) {
        return None;
    }
    let code: u16 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (100..).contains(&code).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Option<Reply>, NotAReply> {
        let mut parser = Parser::default();
        parser.buffer().extend_from_slice(text.as_bytes());
        parser.take()
    }

    #[test]
    fn a_reply_ends_at_the_line_with_a_blank() {
        let reply = parsed("550-5.7.1 first line\r\n550 5.7.1 second\r\n250 next\r\n").unwrap().unwrap();
        assert_eq!((reply.code, reply.lines.len(), reply.status()), (550, 2, Some(Status(5, 7, 1))));
        assert_eq!(reply.log_form(), "550 5.7.1 first line");
        assert_eq!(parsed("250\r\n").unwrap().unwrap().log_form(), "250");
        assert_eq!(parsed("250-a\r\n250 b").unwrap(), None);
    }

    #[test]
    fn words_lose_the_code_only_when_it_was_announced() {
        let reply = parsed("250 2.0.0 sink took it\n").unwrap().unwrap();
        assert_eq!(reply.words(true), b"sink took it");
        assert_eq!(reply.words(false), b"2.0.0 sink took it");
    }

    #[test]
    fn what_is_no_reply_is_told() {
        for text in ["HTTP/1.1 400 x\r\n", "25\r\n", "099 x\r\n", "250x\r\n", "2500 x\r\n", "250\tx\r\n"] {
            assert_eq!(parsed(text), Err(NotAReply), "{text}");
        }
        assert_eq!(parsed("999 x\r\n").unwrap().unwrap().code, 999);
        let mixed = parsed("\r\n451-a\r\nHello\r\n\r\n250 b\0c\r\n").unwrap().unwrap();
        assert_eq!((mixed.code, mixed.lines.len(), mixed.log_form().as_str()), (250, 2, "451 a"));
        assert_eq!(mixed.lines[1], "250 b");
        assert_eq!(parsed(&"2".repeat(limits::REPLY_LINE + 1)), Err(NotAReply));
    }

    #[test]
    fn endless_replies_are_cut() {
        let text = format!("{}250 end\r\n", "250-x\r\n".repeat(10_000));
        assert_eq!(parsed(&text), Err(NotAReply));
        let text = format!("{}250 end\r\n", "250-x\r\n".repeat(limits::REPLY_LINES + 5));
        assert_eq!(parsed(&text).unwrap().unwrap().lines.len(), limits::REPLY_LINES);
    }

    #[test]
    fn what_never_becomes_a_reply_is_not_read_for_ever() {
        for lines in [&["\r\n"][..], &["250-x\r\n"], &["250-x\r\n", "junk\r\n", "\r\n"]] {
            let mut parser = Parser::default();
            let mut taken = 0;
            let end = lines.iter().cycle().take(100 * limits::REPLY_LINES_READ).find_map(|line| {
                parser.buffer().extend_from_slice(line.as_bytes());
                taken += 1;
                parser.take().transpose()
            });
            assert_eq!((end, taken), (Some(Err(NotAReply)), limits::REPLY_LINES_READ + 1), "{lines:?}");
        }
        // Each reply begins anew.
        let mut parser = Parser::default();
        for _ in 0..limits::REPLY_LINES_READ {
            parser.buffer().extend_from_slice(b"\r\n250-x\r\n\r\n250 x\r\n");
            assert_eq!(parser.take().unwrap().unwrap().lines.len(), 2);
        }
    }
}
