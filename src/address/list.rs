//! Lists of addresses, taken apart and written.

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

/// Words of a list that nothing but blanks separates.
pub fn split_at_blanks(text: &[u8]) -> Vec<Bytes> {
    let mut found: Vec<Vec<u8>> = vec![Vec::new()];
    let mut state = Nesting::default();
    for b in text {
        if b.is_ascii_whitespace() && state.is_outside() {
            found.push(Vec::new());
            continue;
        }
        state.step(*b);
        if let Some(last) = found.last_mut() {
            last.push(*b);
        }
    }
    found.into_iter().filter(|word| !word.is_empty()).map(Bytes::from).collect()
}

/// Addresses of a list that blanks separate, as old mail has them (`OldStyleHeaders`); those around an `@` do not.
pub fn split_old_style(text: &[u8]) -> Vec<Bytes> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut state = Nesting::default();
    let (mut joins, mut at_blank) = (true, true);
    for (at, byte) in text.iter().enumerate() {
        if byte.is_ascii_whitespace() && state.is_outside() {
            at_blank = true;
            continue;
        }
        if at_blank {
            let begins = !joins && *byte != b'@';
            match found.last_mut() {
                Some(last) if !begins => last.extend_from_slice(b" "),
                _ => found.push(Vec::new()),
            }
        }
        at_blank = false;
        joins = *byte == b'@' && state.is_outside();
        state.step(*byte);
        if let Some(last) = found.last_mut() {
            last.extend(text.get(at));
        }
    }
    found.into_iter().map(Bytes::from).collect()
}

/// Whether a list has commas, brackets or comments, so that blanks do not separate its addresses. Source: op guide 5.6
/// (OldStyleHeaders).
pub fn is_new_style(text: &[u8]) -> bool {
    text.iter().any(|b| b",;<(".contains(b))
}

/// The addresses of a header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Blanks in front of the first address.
    pub lead: usize,
    /// The addresses, each with its phrase and comments.
    pub items: Vec<Bytes>,
}

impl List {
    /// From the text of a field, which may be folded; blanks separate addresses when `old_style`.
    pub fn parse(text: &[u8], old_style: bool) -> Self {
        let lead = text.iter().take_while(|b| b.is_ascii_whitespace()).count();
        let items = if old_style { split_old_style(text) } else { split(text) };
        Self { lead, items: items.into_iter().map(|item| item.slice_ref(item.trim_ascii_end())).collect() }
    }

    /// The list behind `name:`, folded before a line gets longer than `width`.
    ///
    /// Shape: white space in front as it was, as blanks; `, ` between addresses; eight blanks at the start of a line that
    /// goes on. Source: observed.
    pub fn write(&self, out: &mut Vec<u8>, name: &[u8], width: usize, eol: &[u8]) {
        out.extend_from_slice(name);
        out.push(b':');
        out.extend(std::iter::repeat_n(b' ', self.lead));
        let mut column = name.len() + 2;
        for (n, address) in self.items.iter().enumerate() {
            if n > 0 && column + 2 + address.len() > width {
                out.push(b',');
                out.extend_from_slice(eol);
                out.extend_from_slice(b"        ");
                column = 8;
            } else if n > 0 {
                out.extend_from_slice(b", ");
                column += 2;
            }
            for (at, line) in address.split(|b| *b == b'\n').enumerate() {
                // A phrase that was folded stays so.
                out.extend_from_slice(if at > 0 { eol } else { b"" });
                out.extend_from_slice(line);
            }
            column += address.len();
        }
        out.extend_from_slice(eol);
    }
}

/// Longest line of addresses.
pub const FOLD: usize = 78;

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
    fn blanks_separate_addresses_of_old_mail() {
        for (text, want) in [
            (" alice bob\n\tcarol ", vec!["alice", "bob", "carol"]),
            ("bob @ x.test dave", vec!["bob @ x.test", "dave"]),
            ("\"a b\"@x c", vec!["\"a b\"@x", "c"]),
            ("  ", vec![]),
        ] {
            assert_eq!(split_old_style(text.as_bytes()), want, "{text}");
        }
        assert!(is_new_style(b"a, b") && is_new_style(b"a (b)") && !is_new_style(b"a b"));
    }

    #[test]
    fn lists_keep_the_blanks_in_front_and_fold_anew() {
        for (text, written) in [
            (" bob,carol ,\n\td", "To: bob, carol, d\n"),
            ("bob", "To:bob\n"),
            ("\n bob", "To:  bob\n"),
            (" Joe\n Blow\n\t<bob>", "To: Joe\n Blow\n\t<bob>\n"),
            (" , ,", "To: \n"),
            (
                " u@example.test, abcdefgh <abcdefgh@example.test>, abcdefghijklmno@example.test",
                "To: u@example.test, abcdefgh <abcdefgh@example.test>,\n        abcdefghijklmno@example.test\n",
            ),
        ] {
            let mut out = Vec::new();
            List::parse(text.as_bytes(), false).write(&mut out, b"To", FOLD, b"\n");
            assert_eq!(String::from_utf8(out).unwrap(), written, "{text:?}");
        }
    }
}
