//! The traffic log of `-X`: everything that comes in and goes out.
//!
//! ```text
//! 00512 === CONNECT mx1.remote.test.     the process, a sign, the line without its end
//! 00512 <<< 220 mx1 ready
//! 00512 >>> EHLO mta
//! 00512 <<< Subject: a                   of standard input, too; behind its last line, or on it: [EOF]
//! ```
//!
//! Source: sendmail(8), -X; observed.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

/// Which way a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `<<<`: to us.
    In,
    /// `>>>`: from us.
    Out,
    /// `===`: a connection or program begins.
    Start,
}

impl Sign {
    fn text(self) -> &'static str {
        match self {
            Self::In => "<<<",
            Self::Out => ">>>",
            Self::Start => "===",
        }
    }
}

/// A traffic log. Lines of several processes and sessions come whole, in the order they were written.
pub struct Traffic {
    file: File,
}

impl fmt::Debug for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traffic").finish_non_exhaustive()
    }
}

impl Traffic {
    /// Lines are added to `file`, which was opened for appending.
    pub fn new(file: File) -> Self {
        Self { file }
    }

    /// One line. A log that cannot be written has nowhere to say so.
    pub fn line(&self, sign: Sign, text: &[u8]) {
        let mut line = format!("{:05} {} ", std::process::id(), sign.text()).into_bytes();
        line.extend_from_slice(text);
        line.push(b'\n');
        drop((&self.file).write_all(&line));
    }

    /// Text of several lines.
    pub fn lines(&self, sign: Sign, text: &[u8]) {
        for line in text.strip_suffix(b"\n").unwrap_or(text).split(|b| *b == b'\n') {
            self.line(sign, line.strip_suffix(b"\r").unwrap_or(line));
        }
    }
}

/// A stream that is watched: blocks become lines.
#[derive(Debug)]
pub struct Tap {
    traffic: Arc<Traffic>,
    sign: Sign,
    rest: Vec<u8>,
}

impl Tap {
    /// Lines of one direction.
    pub fn new(traffic: &Arc<Traffic>, sign: Sign) -> Self {
        Self { traffic: Arc::clone(traffic), sign, rest: Vec::new() }
    }

    /// A block passed. A line that does not end is written in pieces.
    pub fn feed(&mut self, block: &[u8]) {
        let begun = self.rest.len();
        self.rest.extend_from_slice(block);
        if let Some(end) = self.rest.get(begun..).and_then(|new| memchr::memrchr(b'\n', new)) {
            let behind = self.rest.split_off(begun + end + 1);
            self.traffic.lines(self.sign, &self.rest);
            self.rest = behind;
        }
        if self.rest.len() >= PIECE {
            self.traffic.line(self.sign, &self.rest);
            self.rest.clear();
        }
    }

    /// The input ended without being told to.
    pub fn end_of_input(&mut self) {
        self.rest.extend_from_slice(b"[EOF]");
        self.traffic.line(self.sign, &self.rest);
        self.rest.clear();
    }
}

/// Bytes of a line without an end that are kept.
const PIECE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::file;

    #[test]
    fn blocks_become_lines_with_process_and_sign() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("traffic");
        let traffic = Arc::new(Traffic::new(file::open_append(&path, 0o600).unwrap()));
        traffic.line(Sign::Start, b"CONNECT mx1.");
        traffic.lines(Sign::Out, b"250-a\r\n250 b\r\n");
        let mut tap = Tap::new(&traffic, Sign::In);
        for block in [&b"Subj"[..], b"ect: a\n\n", b"no e", b"nd"] {
            tap.feed(block);
        }
        tap.end_of_input();
        let pid = format!("{:05}", std::process::id());
        let expected = "P === CONNECT mx1.\nP >>> 250-a\nP >>> 250 b\nP <<< Subject: a\nP <<< \nP <<< no end[EOF]\n";
        let text = file::read(&path, 4096).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), expected.replace('P', &pid));
    }

    #[test]
    fn a_line_without_an_end_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("traffic");
        let mut tap = Tap::new(&Arc::new(Traffic::new(file::open_append(&path, 0o600).unwrap())), Sign::In);
        for _ in 0..40 {
            tap.feed(&[b'a'; 8192]);
            assert!(tap.rest.len() < PIECE);
        }
        tap.feed(b"\n");
        let text = file::read(&path, 1 << 20).unwrap();
        assert_eq!(memchr::memchr_iter(b'a', &text).count(), 40 * 8192);
    }
}
