//! Lists of addresses: values of aliases, lines of `.forward` and `:include:` files.

use bytes::Bytes;

/// Addresses of a list separated by commas; what stands in quotes, parentheses or angle brackets is not cut.
pub fn split(text: &[u8]) -> Vec<Bytes> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut state = Nesting::default();
    for (at, b) in text.iter().enumerate() {
        if *b == b',' && state.is_outside() {
            push(&mut found, text.get(start..at));
            start = at + 1;
        } else {
            state.step(*b);
        }
    }
    push(&mut found, text.get(start..));
    found
}

/// A line of a file of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// All of it.
    pub text: Bytes,
    /// Its addresses.
    pub addresses: Vec<Bytes>,
}

/// The lines of a file that name somebody: one list each, `#` at the start of a line for comments.
///
/// Source: delivery.md. A quoted string may not cross a line.
pub fn lines(text: &[u8]) -> Vec<Line> {
    let lines = text.split(|b| *b == b'\n').zip(1..).filter(|(line, _)| !line.starts_with(b"#"));
    let read = |(line, number): (&[u8], usize)| Line {
        number,
        text: Bytes::copy_from_slice(line.trim_ascii()),
        addresses: split(line),
    };
    lines.map(read).filter(|line| !line.addresses.is_empty()).collect()
}

#[derive(Default)]
struct Nesting {
    quoted: bool,
    escaped: bool,
    comments: usize,
    angles: usize,
}

impl Nesting {
    fn is_outside(&self) -> bool {
        !self.quoted && !self.escaped && self.comments == 0 && self.angles == 0
    }

    fn step(&mut self, b: u8) {
        if std::mem::take(&mut self.escaped) {
            return;
        }
        match b {
            b'\\' => self.escaped = true,
            b'"' if self.comments == 0 => self.quoted = !self.quoted,
            _ if self.quoted => {}
            b'(' => self.comments += 1,
            b')' => self.comments = self.comments.saturating_sub(1),
            b'<' if self.comments == 0 => self.angles += 1,
            b'>' if self.comments == 0 => self.angles = self.angles.saturating_sub(1),
            _ => {}
        }
    }
}

fn push(found: &mut Vec<Bytes>, item: Option<&[u8]>) {
    // Blanks behind an address stay with it, in log lines, too. Source: observed.
    let item = item.unwrap_or_default().trim_ascii_start();
    if !item.is_empty() {
        found.push(Bytes::copy_from_slice(item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_cut_only_outside_of_brackets_and_quotes() {
        let cases = [
            ("a, b ,, ,c", vec!["a", "b ", "c"]),
            ("\"|x a, b\", c", vec!["\"|x a, b\"", "c"]),
            ("Joe (a, b) <j@x,y>, z\\,w", vec!["Joe (a, b) <j@x,y>", "z\\,w"]),
            ("", vec![]),
        ];
        for (text, want) in cases {
            assert_eq!(split(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn files_have_comments_and_lines() {
        let found = lines(b"alice\n# no\nbob, carol\n\n");
        let shown: Vec<_> = found.iter().map(|line| (line.number, line.addresses.len())).collect();
        assert_eq!(shown, [(1, 1), (3, 2)]);
        assert_eq!(found[1].text, "bob, carol");
    }
}
