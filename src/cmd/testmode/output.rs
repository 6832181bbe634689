//! What test mode prints: one buffer, sent before input is waited for.

use std::io::Write;

use crate::address::visible;

/// A buffered output.
pub(super) struct Output<'a> {
    buffer: Vec<u8>,
    out: &'a mut dyn Write,
}

/// Bytes after which the buffer is sent.
const FULL: usize = 60 * 1024;

impl<'a> Output<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { buffer: Vec::with_capacity(FULL + 4096), out }
    }

    /// Text as it is.
    pub(super) fn text(&mut self, text: &[u8]) {
        self.buffer.extend_from_slice(text);
    }

    /// Foreign text: bytes that a terminal may act on are written out.
    pub(super) fn shown(&mut self, text: &[u8]) {
        visible::push(text, &mut self.buffer);
    }

    /// The buffer, for those who write much.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// A line of our own words.
    pub(super) fn line(&mut self, text: &str) {
        self.text(text.as_bytes());
        self.end();
    }

    /// The end of a line.
    pub(super) fn end(&mut self) {
        self.buffer.push(b'\n');
        self.flush_if_full();
    }

    /// Sends what is there when it is much.
    pub(super) fn flush_if_full(&mut self) {
        if self.buffer.len() >= FULL {
            self.flush();
        }
    }

    /// Sends what is there. A reader who has gone is not told.
    pub(super) fn flush(&mut self) {
        let _ = self.out.write_all(&self.buffer);
        let _ = self.out.flush();
        self.buffer.clear();
    }
}
