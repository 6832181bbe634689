//! Replies as the wire shows them.

use crate::base::status::Status;

/// Replies waiting to be sent together.
#[derive(Debug, Default)]
pub struct Replies {
    bytes: Vec<u8>,
}

impl Replies {
    /// `250 2.0.0 text`; lines of a text with line feeds become lines of one reply.
    pub fn say(&mut self, code: u16, status: Status, text: impl AsRef<[u8]>) {
        self.lines(code, Some(status), text.as_ref().split(|b| *b == b'\n'));
    }

    /// `250 text`, without an enhanced code (greeting, EHLO, 354).
    pub fn plain(&mut self, code: u16, text: impl AsRef<[u8]>) {
        self.lines(code, None, text.as_ref().split(|b| *b == b'\n'));
    }

    /// One reply of several lines.
    pub fn lines<'a>(&mut self, code: u16, status: Option<Status>, lines: impl IntoIterator<Item = &'a [u8]>) {
        let mut lines = lines.into_iter().peekable();
        while let Some(line) = lines.next() {
            let separator = if lines.peek().is_some() { '-' } else { ' ' };
            self.bytes.extend_from_slice(format!("{code:03}{separator}").as_bytes());
            if let Some(status) = status {
                self.bytes.extend_from_slice(format!("{status} ").as_bytes());
            }
            self.push_clean(line);
        }
    }

    /// A line that has its code already.
    pub fn line(&mut self, line: &[u8]) {
        self.push_clean(line);
    }

    /// Lines of one reply, complete in themselves.
    pub fn refuse(&mut self, lines: impl IntoIterator<Item = Vec<u8>>) {
        lines.into_iter().for_each(|line| self.push_clean(&line));
    }

    /// What is waiting.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether nothing is waiting.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes what is waiting, and the memory with it.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Foreign text must not end the line early or start another.
    fn push_clean(&mut self, line: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(line);
        for b in self.bytes.iter_mut().skip(start) {
            if matches!(*b, b'\r' | b'\n' | 0) {
                *b = b' ';
            }
        }
        self.bytes.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_reply_has_a_blank() {
        let mut replies = Replies::default();
        replies.plain(220, "one\ntwo");
        replies.say(250, Status(2, 0, 0), "OK");
        assert_eq!(replies.bytes(), b"220-one\r\n220 two\r\n250 2.0.0 OK\r\n");
    }

    #[test]
    fn foreign_text_cannot_add_a_line() {
        let mut replies = Replies::default();
        replies.line(b"550 5.1.1 a\r\n250 ok");
        assert_eq!(replies.bytes(), b"550 5.1.1 a  250 ok\r\n");
    }
}
