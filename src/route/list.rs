//! Lists of addresses: values of aliases, lines of `.forward` and `:include:` files.

use bytes::Bytes;

pub use crate::address::list::split;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_comments_and_lines() {
        let found = lines(b"alice\n# no\nbob, carol\n\n");
        let shown: Vec<_> = found.iter().map(|line| (line.number, line.addresses.len())).collect();
        assert_eq!(shown, [(1, 1), (3, 2)]);
        assert_eq!(found[1].text, "bob, carol");
    }
}
