//! The text of alias files.
//!
//! ```text
//! name: target, target,      lines that begin with a blank, and lines behind a backslash at the end, continue;
//!     target                 # in the first column is a comment, with its continuations
//! ```

/// One alias of a file, or what is wrong in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Last line that belongs to it, from 1.
    pub line: u32,
    /// The line, continuations joined.
    pub text: Vec<u8>,
    /// What it comes to.
    pub content: Content,
}

/// What an entry comes to; offsets are into its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A name, which ends at `colon`, and its targets from `value` on.
    Alias {
        /// Where the name ends.
        colon: usize,
        /// Where the targets begin.
        value: usize,
    },
    /// No colon.
    MissingColon,
    /// It begins with a blank, yet continues nothing.
    Stray,
}

impl Entry {
    /// The name as written, and the targets; empty for lines that are no alias.
    pub fn parts(&self) -> (&[u8], &[u8]) {
        match self.content {
            Content::Alias { colon, value } => {
                (self.text.get(..colon).unwrap_or_default(), self.text.get(value..).unwrap_or_default())
            }
            Content::MissingColon | Content::Stray => (&[], &[]),
        }
    }
}

/// Reads the entries of a file, in order.
pub fn entries(text: &[u8]) -> impl Iterator<Item = Entry> {
    let mut lines = text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n').zip(1u32..).peekable();
    std::iter::from_fn(move || {
        loop {
            let (first, mut line) = lines.next()?;
            let mut text = first.to_vec();
            loop {
                let escaped = text.last() == Some(&b'\\');
                let Some((next, number)) =
                    lines.next_if(|(next, _)| escaped || matches!(next.first(), Some(b' ' | b'\t')))
                else {
                    break;
                };
                if escaped {
                    text.pop();
                }
                text.extend_from_slice(next);
                line = number;
            }
            if text.is_empty() || text.first() == Some(&b'#') {
                continue;
            }
            let content = content(&text);
            return Some(Entry { line, text, content });
        }
    })
}

fn content(text: &[u8]) -> Content {
    if matches!(text.first(), Some(b' ' | b'\t')) {
        return Content::Stray;
    }
    let mut quoted = false;
    let mut bytes = text.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'"' => quoted = !quoted,
            b':' if !quoted => {
                let rest = text.get(at + 1..).unwrap_or_default();
                return Content::Alias { colon: at, value: text.len() - rest.trim_ascii_start().len() };
            }
            _ => {}
        }
    }
    Content::MissingColon
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuations_belong_to_the_line_above_even_to_a_comment() {
        let text = b" start: x\na: b\\\nc\nd: e\n  \n\nw: a,\n\t b,\n#c\n c\nbad\n\"x:y\" : z\n";
        let found: Vec<_> = entries(text)
            .map(|e| {
                let (name, value) = e.parts();
                (
                    e.line,
                    String::from_utf8_lossy(name).into_owned(),
                    String::from_utf8_lossy(value).into_owned(),
                    e.content,
                )
            })
            .collect();
        let alias = |line, name: &str, value: &str| (line, name.to_owned(), value.to_owned());
        let plain: Vec<_> = found.iter().cloned().map(|(line, name, value, _)| (line, name, value)).collect();
        assert_eq!(
            plain,
            [
                alias(1, "", ""),
                alias(3, "a", "bc"),
                alias(5, "d", "e  "),
                alias(8, "w", "a,\t b,"),
                alias(11, "", ""),
                alias(12, "\"x:y\" ", "z"),
            ]
        );
        assert_eq!((found[0].3, found[4].3), (Content::Stray, Content::MissingColon));
    }
}
