//! `-ba`: what is said to the caller looks like replies, and the header says who the sender is.
//!
//! Source: sendmail(8); observed (codes, and that the sender is looked for in these fields, in this order).

use std::io::{self, Write};

use bytes::Bytes;

use crate::base::bytes::trim;
use crate::message::HeaderList;
use crate::route::RouteError;

/// Gives lines a reply code where they have none, and ends them with CRLF.
pub(super) struct Replies<'a> {
    out: &'a mut dyn Write,
    line: Vec<u8>,
}

impl<'a> Replies<'a> {
    /// In front of that output.
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, line: Vec::new() }
    }
}

impl Write for Replies<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        for byte in text {
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let has_code = line.len() > 3 && line.iter().take(3).all(u8::is_ascii_digit) && line.get(3) == Some(&b' ');
            self.out.write_all(if has_code { b"" } else { b"050 " })?;
            self.out.write_all(line.strip_suffix(b"\r").unwrap_or(&line))?;
            self.out.write_all(b"\r\n")?;
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// An error with its codes.
pub(in crate::cmd) fn reply(error: &RouteError) -> String {
    error.shown_line()
}

/// The text that names the sender, unfolded (RFC 5322 2.2.3); none when the header does not.
pub(super) fn sender(headers: &HeaderList) -> Option<Bytes> {
    let fields = FIELDS.iter().filter_map(|name| headers.first(name));
    fields.map(|field| unfolded(trim(field.text()))).find(|text| !text.is_empty())
}

/// A line break goes when a blank or a tab follows it; others are left for whoever judges them.
fn unfolded(text: &[u8]) -> Bytes {
    let is_fold = |at: usize| matches!(text.get(at..at + 2), Some([b'\n', b' ' | b'\t']));
    text.iter().enumerate().filter(|(at, _)| !is_fold(*at)).map(|(_, byte)| *byte).collect()
}

/// Fields that name it, the first one counts.
const FIELDS: &[&str] = &["Resent-Sender", "Resent-From", "Sender", "From"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Header;

    #[test]
    fn lines_become_replies() {
        let mut out = Vec::new();
        let mut replies = Replies::new(&mut out);
        replies.write_all(b"550 5.1.1 nouser... User unknown\nalice... ").unwrap();
        replies.write_all(b"Sent\n550 No\r\n").unwrap();
        assert_eq!(out, b"550 5.1.1 nouser... User unknown\r\n050 alice... Sent\r\n550 No\r\n");
    }

    #[test]
    fn the_sender_goes_before_the_author() {
        let mut headers = HeaderList::default();
        assert_eq!(sender(&headers), None);
        headers.push(Header::new("From", " carol"));
        assert_eq!(sender(&headers).as_deref(), Some(&b"carol"[..]));
        headers.push(Header::new("Sender", " dave (x)"));
        assert_eq!(sender(&headers).as_deref(), Some(&b"dave (x)"[..]));
        headers.push(Header::new("Resent-From", " erin\n\t(of\n X)\nZ"));
        // Folds are undone, another line break is none of them.
        assert_eq!(sender(&headers).as_deref(), Some(&b"erin\t(of X)\nZ"[..]));
    }
}
