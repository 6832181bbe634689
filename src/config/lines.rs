//! Logical lines of a cf file, and the small syntax that many kinds of lines share.

use std::borrow::Cow;

/// A logical line: continuations joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'t> {
    /// Number of its last physical line, from 1; that is the one diagnostics name.
    pub(super) number: u32,
    /// Its text; continuations keep their newline. `$` is as written.
    pub(super) text: Cow<'t, [u8]>,
}

/// Cuts a file into logical lines; comment lines do not appear.
///
/// Shape: a physical line that begins with a blank or tab continues the one before; a NUL ends it.
/// Source: op guide 5; observed (a comment line can be continued, too).
pub(super) fn logical(text: &[u8]) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut number = 0u32;
    let mut rest = Some(text);
    while let Some(text) = rest {
        let end = memchr::memchr(b'\n', text);
        let physical = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
        rest = end.and_then(|end| text.get(end + 1..));
        number = number.saturating_add(1);
        let physical = memchr::memchr(0, physical).and_then(|end| physical.get(..end)).unwrap_or(physical);
        let physical = physical.strip_suffix(b"\r").unwrap_or(physical);
        match lines.last_mut() {
            Some(open) if matches!(physical.first(), Some(b' ' | b'\t')) => {
                open.number = number;
                let text = open.text.to_mut();
                text.push(b'\n');
                text.extend_from_slice(physical);
            }
            _ => lines.push(Line { number, text: physical.into() }),
        }
    }
    lines.retain(|line| line.text.first().is_some_and(|b| *b != b'#'));
    lines
}

/// Takes comments and the blanks at the end away.
///
/// `#` begins a comment that goes to the end of its physical line, unless it is written `\#` or `$#`; before level 3 of
/// the language it is a character like others.
pub(super) fn without_comments(text: &[u8], level: u8) -> Cow<'_, [u8]> {
    if level < COMMENTS || memchr::memchr(b'#', text).is_none() {
        return text.trim_ascii_end().into();
    }
    strip(text).into()
}

fn strip(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(b) = bytes.next() {
        match b {
            b'\\' if bytes.peek() == Some(&b'#') => out.extend(bytes.next()),
            b'#' if out.last() != Some(&b'$') => {
                while bytes.peek().is_some_and(|b| *b != b'\n') {
                    bytes.next();
                }
            }
            _ => out.push(b),
        }
    }
    out.truncate(out.trim_ascii_end().len());
    out
}

/// Reads a value up to `delimiter` or the end: quotes are taken away and hide the delimiter, a backslash takes the next
/// character as it is or as `\b \f \n \r`. Returns the value and what stands behind it, the delimiter included.
pub(super) fn munch(text: &[u8], delimiter: Option<u8>) -> (Vec<u8>, &[u8]) {
    let mut out = Vec::new();
    let mut quoted = false;
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        match *first {
            b if !quoted && delimiter == Some(b) => break,
            b'"' => {
                quoted = !quoted;
                rest = tail;
            }
            b'\\' => {
                let Some((next, tail)) = tail.split_first() else {
                    rest = tail;
                    continue;
                };
                out.push(match next {
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    other => *other,
                });
                rest = tail;
            }
            b => {
                out.push(b);
                rest = tail;
            }
        }
    }
    (out, rest)
}

/// The line as diagnostics quote it: the original shows its inner code for `$`, a control-A, and seven bits.
pub(super) fn quoted(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(b) = bytes.next() {
        match b {
            b'$' if bytes.peek() == Some(&b'$') => out.extend(bytes.next()),
            b'$' => out.push(1),
            _ => out.push(b & 0x7f),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Level of the language from which on comments stand behind text. Source: op guide 5.6 (V lines).
const COMMENTS: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(file: &str) -> Vec<(u32, String)> {
        let text = |line: Line<'_>| String::from_utf8(without_comments(&line.text, 10).into_owned()).unwrap();
        logical(file.as_bytes()).into_iter().map(|line| (line.number, text(line))).collect()
    }

    #[test]
    fn continuations_are_joined_and_carry_the_last_number() {
        let lines = texts("Db2\n x\n\ty\n\nDc3\n#\nDd4");
        assert_eq!(lines, [(3, "Db2\n x\n\ty".into()), (5, "Dc3".into()), (7, "Dd4".into())]);
    }

    #[test]
    fn a_comment_line_swallows_its_continuations() {
        assert_eq!(texts("Da1\n# comment\n  more\nDb2"), [(1, "Da1".into()), (4, "Db2".into())]);
    }

    #[test]
    fn comments_end_with_their_physical_line() {
        assert_eq!(texts("CX a b # c\n d # e"), [(2, "CX a b \n d".into())]);
        assert_eq!(texts("Da#b"), [(1, "Da".into())]);
        assert_eq!(texts("Da\\#b c  "), [(1, "Da#b c".into())]);
        assert_eq!(texts("R$*\t$#local"), [(1, "R$*\t$#local".into())]);
    }

    #[test]
    fn old_levels_know_no_comments_behind_text() {
        assert_eq!(*without_comments(b"DXa # b ", 2), *b"DXa # b");
        assert_eq!(*without_comments(b"DXa # b ", 3), *b"DXa");
    }

    #[test]
    fn munching_takes_quotes_and_backslashes_away() {
        for (text, value) in [(r#""quoted x""#, "quoted x"), (r#""a \"b" c\"d"#, "a \"b c\"d"), (r"a\\b\n", "a\\b\n")] {
            assert_eq!(munch(text.as_bytes(), None).0, value.as_bytes(), "{text}");
        }
        assert_eq!(munch(br"cat a\, b, T=x", Some(b',')), (b"cat a, b".to_vec(), &b", T=x"[..]));
    }
}
