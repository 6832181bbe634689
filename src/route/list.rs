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

/// Addresses of a file: one list per line, `#` at the start of a line for comments.
///
/// Source: delivery.md. A quoted string may not cross a line.
pub fn split_file(text: &[u8]) -> Vec<Bytes> {
    text.split(|b| *b == b'\n').filter(|line| !line.starts_with(b"#")).flat_map(split).collect()
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
        assert_eq!(split_file(b"alice\n# no\nbob, carol\n\n"), vec!["alice", "bob", "carol"]);
    }
}
