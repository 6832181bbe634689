//! A message while it is taken in: small ones in memory, large ones in a file without a name.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use jiff::tz::TimeZone;

use crate::base::date;
use crate::base::time::UnixTime;
use crate::sys::file::Dir;

/// A message in mbox form.
///
/// Shape: `From sender date`, the text with `>` before every `From ` that follows an empty line, an empty line.
#[derive(Debug)]
pub(super) struct Message {
    memory: Vec<u8>,
    file: Option<File>,
    after_empty_line: bool,
    at_line_start: bool,
}

impl Message {
    pub(super) fn new(from: &[u8], now: UnixTime, zone: &TimeZone) -> io::Result<Self> {
        let from = if from.is_empty() { b"MAILER-DAEMON" } else { from };
        let mut message = Self { memory: Vec::new(), file: None, after_empty_line: true, at_line_start: true };
        let from: Vec<u8> = from.iter().map(|b| if b.is_ascii_control() { b'?' } else { *b }).collect();
        message.put(&[b"From ", &from[..], b" ", date::ctime(now, zone).as_bytes(), b"\n"].concat())?;
        Ok(message)
    }

    /// Adds a line, or a part of a long one; the last part ends in a newline.
    pub(super) fn line(&mut self, line: &[u8]) -> io::Result<()> {
        if self.at_line_start && self.after_empty_line && line.starts_with(b"From ") {
            self.put(b">")?;
        }
        self.after_empty_line = self.at_line_start && line == b"\n";
        self.at_line_start = line.ends_with(b"\n");
        self.put(line)
    }

    /// Adds everything up to the end of the input.
    pub(super) fn take_all(&mut self, input: &mut impl Read) -> io::Result<()> {
        let mut input = io::BufReader::with_capacity(64 * 1024, input);
        let mut line = Vec::new();
        loop {
            line.clear();
            if io::BufRead::read_until(&mut input.by_ref().take(LINE_PART), b'\n', &mut line)? == 0 {
                return Ok(());
            }
            self.line(&line)?;
        }
    }

    /// Ends the message.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if !self.at_line_start {
            self.put(b"\n")?;
        }
        self.put(b"\n")
    }

    /// Writes the message out.
    pub(super) fn copy_to(&self, output: &mut File) -> io::Result<()> {
        let Some(file) = &self.file else { return output.write_all(&self.memory) };
        let mut file = file;
        file.seek(SeekFrom::Start(0))?;
        io::copy(&mut file, output)?;
        output.write_all(&self.memory)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.memory.extend_from_slice(bytes);
        if self.memory.len() < IN_MEMORY {
            return Ok(());
        }
        if self.file.is_none() {
            self.file = Some(Dir::open("/tmp".as_ref())?.unnamed(0o600)?);
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.memory)?;
            self.memory.clear();
        }
        Ok(())
    }
}

const IN_MEMORY: usize = 256 * 1024;
const LINE_PART: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(text: &[u8]) -> Vec<u8> {
        let mut message = Message::new(b"a@b", UnixTime(1_793_779_527), &TimeZone::UTC).unwrap();
        message.take_all(&mut &*text).unwrap();
        message.end().unwrap();
        let tmp = tempfile::tempdir().unwrap();
        let mut file = Dir::open(tmp.path()).unwrap().create("f", 0o600).unwrap();
        message.copy_to(&mut file).unwrap();
        Dir::open(tmp.path()).unwrap().read("f", 1 << 24).unwrap()
    }

    #[test]
    fn only_a_from_after_an_empty_line_is_marked() {
        let text = stored(b"From me\nSubject: x\nFrom here\n\nFrom there\n>From y\n\n\nFrom z");
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "From a@b Wed Nov  4 08:05:27 2026\n>From me\nSubject: x\nFrom here\n\n>From there\n>From y\n\n\n>From z\n\n"
        );
    }

    #[test]
    fn large_messages_come_out_whole() {
        let mut text = vec![b'x'; 1_000_000];
        text.extend(b"\n\nFrom y\n");
        let out = stored(&text);
        assert_eq!(out.len(), 34 + text.len() + 2);
        assert!(out.ends_with(b"x\n\n>From y\n\n"));
    }
}
