//! What test mode prints: one buffer, sent before input is waited for.

use std::io::Write;

use crate::address::scan;

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
    ///
    /// Shape: C escapes for line ends and tabs, nothing for other control characters, `M-x` for what has the eighth bit.
    /// Source: observed.
    pub(super) fn shown(&mut self, text: &[u8]) {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(text);
        if text.iter().all(|b| (b' '..0x7f).contains(b)) {
            return;
        }
        self.buffer.truncate(start);
        for byte in text {
            shown_byte(*byte, &mut self.buffer);
        }
    }

    /// Foreign text padded with blanks to a width, and cut there.
    pub(super) fn column(&mut self, text: &[u8], width: usize) {
        let text = text.get(..width).unwrap_or(text);
        self.text(text);
        self.text(b"                ".get(text.len()..width).unwrap_or_default());
    }

    /// A line of our own words.
    pub(super) fn line(&mut self, text: &str) {
        self.text(text.as_bytes());
        self.end();
    }

    /// The end of a line.
    pub(super) fn end(&mut self) {
        self.buffer.push(b'\n');
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

fn shown_byte(byte: u8, out: &mut Vec<u8>) {
    let byte = match byte {
        0xff => return,
        scan::MARK => {
            out.push(b'$');
            return;
        }
        0x9b => {
            out.extend_from_slice(b"$|");
            return;
        }
        0x80..=0x9f => {
            out.extend_from_slice(format!("\\{byte:03o}").as_bytes());
            return;
        }
        0xa0.. => {
            out.extend_from_slice(b"M-");
            byte & 0x7f
        }
        _ => byte,
    };
    match byte {
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0..0x20 | 0x7f => {}
        _ => out.push(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_bytes_are_written_out() {
        let mut sink = Vec::new();
        let mut output = Output::new(&mut sink);
        output.shown(b"a\tb\x01\xe4\xff\r\n");
        output.column(b"Basic_check_relay", 16);
        output.column(b"ab", 3);
        output.flush();
        assert_eq!(sink, b"a\\tbM-d\\r\\nBasic_check_relaab ");
    }
}
