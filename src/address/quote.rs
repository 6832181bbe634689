//! Quoting: phrases in front of an address, local parts.
//!
//! Source: RFC 5322 §3.2.4, §3.2.5; observed.

use bytes::Bytes;

/// Characters that a phrase may hold only in quotes, besides those of `MustQuoteChars`.
const ALWAYS_QUOTED: &[u8] = b"@,;:\\()[]";
/// The same for what stands in front of a bracket: brackets, too.
const BRACKETS: &[u8] = b"<>";

/// Which characters a phrase may hold only in quotes.
#[derive(Debug, Clone, Copy)]
pub struct Specials<'a> {
    /// `MustQuoteChars`.
    pub option: &'a [u8],
    /// `<` and `>` as well.
    pub brackets: bool,
}

impl Specials<'_> {
    /// Whether the byte must be quoted.
    pub fn has(&self, byte: u8) -> bool {
        ALWAYS_QUOTED.contains(&byte) || self.option.contains(&byte) || (self.brackets && BRACKETS.contains(&byte))
    }
}

/// A phrase, quoted when it holds one of `special` outside of quotes and comments; blanks behind it stay behind.
pub fn phrase(text: &[u8], special: Specials<'_>) -> Vec<u8> {
    if !needs_quotes(text, special) {
        return text.to_vec();
    }
    let end = text.len() - text.iter().rev().take_while(|b| b.is_ascii_whitespace()).count();
    let (words, blanks) = text.split_at_checked(end).unwrap_or((text, b""));
    let mut out = vec![b'"'];
    for byte in words {
        if *byte == b'"' {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
    out.extend_from_slice(blanks);
    out
}

fn needs_quotes(text: &[u8], special: Specials<'_>) -> bool {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0usize);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted || depth > 0 => escaped = true,
            b'"' if depth == 0 => quoted = !quoted,
            _ if quoted => {}
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            _ if special.has(*byte) => return true,
            _ => {}
        }
    }
    quoted
}

/// Text without its quotes and without the backslashes that quote; what is not quoted stays as it is.
pub fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut escaped = false;
    for byte in text {
        match byte {
            _ if escaped => {
                out.push(*byte);
                escaped = false;
            }
            b'\\' => escaped = true,
            b'"' => {}
            _ => out.push(*byte),
        }
    }
    out
}

/// A full name as a phrase of an address: quoted when it has characters that need it outside quotes and comments of its own
/// (`MustQuoteChars` besides).
pub fn full_name(name: &[u8]) -> Bytes {
    let (mut is_inside, mut depth) = (false, 0usize);
    for byte in name {
        match byte {
            b'"' if depth == 0 => is_inside = !is_inside,
            _ if is_inside => {}
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            _ if depth == 0 && NAME_SPECIALS.contains(byte) => return quoted(name),
            _ => {}
        }
    }
    if is_inside || depth > 0 { quoted(name) } else { Bytes::copy_from_slice(name) }
}

/// The text as one quoted string. Source: RFC 5322 §3.2.4.
pub fn quoted(text: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    for b in text {
        if matches!(b, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*b);
    }
    out.push(b'"');
    out.into()
}

/// Characters that a full name may hold only in quotes.
const NAME_SPECIALS: &[u8] = b"@,;:\\()[].'<>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_quoted_when_they_must_be() {
        for (text, quoted) in [
            ("Joe Blow ", "Joe Blow "),
            ("Joe B. Blow ", "\"Joe B. Blow\" "),
            ("\"Joe, Jr.\" ", "\"Joe, Jr.\" "),
            ("Joe (a.b) ", "Joe (a.b) "),
            ("Joe \"x\" B. ", "\"Joe \\\"x\\\" B.\" "),
        ] {
            assert_eq!(
                String::from_utf8(phrase(text.as_bytes(), Specials { option: b".'", brackets: true })).unwrap(),
                quoted,
                "{text}"
            );
        }
        assert_eq!(unquoted(b"\"553 bad\" joe \\\"x"), b"553 bad joe \"x");
    }

    #[test]
    fn full_names_with_special_characters_are_quoted() {
        assert_eq!(full_name(b"Alice Example"), "Alice Example");
        assert_eq!(full_name(b"Bob B. (the Builder)"), "\"Bob B. (the Builder)\"");
        assert_eq!(full_name(b"Erin \"E. D.\" Example"), "Erin \"E. D.\" Example");
        for plain in ["x (y)", "a (b.c) d", "\"q\" (r)", "(p)"] {
            assert_eq!(full_name(plain.as_bytes()), plain);
        }
        assert_eq!(full_name(b"un(bal"), "\"un(bal\"");
        assert_eq!(full_name(b"un)bal"), "\"un)bal\"");
        assert_eq!(full_name(b"half \" quoted"), "\"half \\\" quoted\"");
    }
}
