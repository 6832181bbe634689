//! `Content-Type`, and the lines that separate parts.

/// A `Content-Type` field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    /// Type and subtype in small letters: `text/plain`.
    pub kind: Vec<u8>,
    /// `boundary`, for multipart types.
    pub boundary: Option<Vec<u8>>,
    is_plain_text: bool,
}

impl ContentType {
    /// Reads the text of a field; what is missing is `text/plain`.
    pub fn parse(text: &[u8]) -> Self {
        let kind: Vec<u8> = text
            .iter()
            .take_while(|b| **b != b';')
            .filter(|b| !b.is_ascii_whitespace())
            .map(u8::to_ascii_lowercase)
            .collect();
        let token = text.trim_ascii_start().split(|b| matches!(b, b';' | b' ' | b'\t' | b'\n' | b'(')).next();
        let is_plain_text = token.is_some_and(|word| word.eq_ignore_ascii_case(b"text/plain"));
        let kind = if kind.contains(&b'/') { kind } else { b"text/plain".to_vec() };
        Self { kind, boundary: parameter(text, b"boundary"), is_plain_text }
    }

    /// Whether the field says `text/plain` and nothing else.
    pub fn is_plain_text(&self) -> bool {
        self.is_plain_text
    }

    /// Whether the type is `class/…`.
    pub fn is_class(&self, class: &str) -> bool {
        self.kind.strip_prefix(class.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
    }
}

/// What a line is to a multipart body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Part of a part.
    Text,
    /// Begins a part of the boundary with this index.
    Part(usize),
    /// Ends the body of the boundary with this index.
    End(usize),
}

/// Judges a line (its end may be there) by the boundaries that are open, the innermost last.
pub fn judge(line: &[u8], open: &[Vec<u8>]) -> Line {
    let Some(rest) = line.strip_prefix(b"--") else { return Line::Text };
    for (index, boundary) in open.iter().enumerate().rev() {
        let Some(tail) = rest.strip_prefix(boundary.as_slice()) else { continue };
        let tail = tail.trim_ascii_end();
        if tail.is_empty() {
            return Line::Part(index);
        }
        if tail == b"--" {
            return Line::End(index);
        }
    }
    Line::Text
}

/// Value of a parameter, quotes taken off.
fn parameter(text: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b';', rest) {
        rest = rest.get(at + 1..)?.trim_ascii_start();
        let Some(tail) = rest.get(..name.len()).filter(|head| head.eq_ignore_ascii_case(name)) else { continue };
        let tail = rest.get(tail.len()..)?.trim_ascii_start();
        let Some(value) = tail.strip_prefix(b"=") else { continue };
        let value = value.trim_ascii_start();
        let value = match value.strip_prefix(b"\"") {
            Some(quoted) => unquoted(quoted),
            None => value.iter().take_while(|b| **b != b';' && !b.is_ascii_whitespace()).copied().collect(),
        };
        return (!value.is_empty()).then_some(value);
    }
    None
}

/// Text up to the closing quote.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.iter();
    while let Some(b) = bytes.next() {
        match b {
            b'"' => break,
            b'\\' => out.extend(bytes.next()),
            other => out.push(*other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_behind_any_other() {
        for (text, kind, boundary) in [
            (" multipart/mixed; boundary=\"b b\"", "multipart/mixed", Some("b b")),
            (" Multipart/Mixed;\n\tcharset=x; Boundary=abc; y=z", "multipart/mixed", Some("abc")),
            (" text/plain (comment); charset=utf-8", "text/plain(comment)", None),
            (" nonsense", "text/plain", None),
            (" multipart/mixed; boundary=", "multipart/mixed", None),
        ] {
            let found = ContentType::parse(text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&found.kind), kind, "{text}");
            assert_eq!(found.boundary.as_deref(), boundary.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn an_outer_boundary_ends_an_inner_part() {
        let open = [b"outer".to_vec(), b"in".to_vec()];
        for (line, expected) in [
            ("--in\n", Line::Part(1)),
            ("--in--\n", Line::End(1)),
            ("--outer\r\n", Line::Part(0)),
            ("--inner\n", Line::Text),
            ("-- in\n", Line::Text),
        ] {
            assert_eq!(judge(line.as_bytes(), &open), expected, "{line}");
        }
    }
}
