//! Parameters of MAIL and RCPT: `KEYWORD` or `KEYWORD=value`, separated by blanks.

use crate::base::bytes::shown;
use crate::base::status::Status;

/// A parameter as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// The keyword; empty when something else stands there.
    pub keyword: &'a [u8],
    /// What follows `=`, up to a blank, a control character or another `=`.
    pub value: Option<&'a [u8]>,
}

/// A parameter that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Reply code.
    pub code: u16,
    /// Enhanced code.
    pub status: Status,
    /// Words.
    pub text: String,
}

impl Fault {
    /// From its parts.
    pub fn new(code: u16, status: Status, text: impl Into<String>) -> Self {
        Self { code, status, text: text.into() }
    }

    /// `501 5.5.2 SIZE requires a value`.
    pub fn no_value(keyword: &str) -> Self {
        Self::new(501, Status(5, 5, 2), format!("{keyword} requires a value"))
    }

    /// `501 5.5.0 Duplicate RET parameter`.
    pub fn duplicate(keyword: &str) -> Self {
        Self::new(501, Status(5, 5, 0), format!("Duplicate {keyword} parameter"))
    }

    /// `501 5.5.4 Syntax error in ENVID parameter value`.
    pub fn syntax(keyword: &str) -> Self {
        Self::new(501, Status(5, 5, 4), format!("Syntax error in {keyword} parameter value"))
    }

    /// `555 5.5.4 FOO parameter unrecognized`.
    pub fn unrecognized(keyword: &[u8]) -> Self {
        Self::new(555, Status(5, 5, 4), format!("{} parameter unrecognized", shown(keyword)))
    }
}

/// Takes the first parameter off `text`; `None` at its end.
pub fn next<'a>(text: &mut &'a [u8]) -> Option<Parameter<'a>> {
    let rest = text.trim_ascii_start();
    if rest.is_empty() {
        *text = rest;
        return None;
    }
    let end = rest.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'-')).unwrap_or(rest.len());
    let (keyword, rest) = rest.split_at_checked(end)?;
    let Some(rest) = rest.strip_prefix(b"=") else {
        *text = rest.get(1..).unwrap_or_default();
        return Some(Parameter { keyword, value: None });
    };
    let end = rest.iter().position(|b| *b == b' ' || *b == b'=' || b.is_ascii_control()).unwrap_or(rest.len());
    let (value, rest) = rest.split_at_checked(end)?;
    *text = rest.get(1..).unwrap_or_default();
    Some(Parameter { keyword, value: Some(value) })
}

/// Where the path at the start of an argument ends: at the first blank outside of quotes and angle brackets.
pub fn path_end(text: &[u8]) -> usize {
    let (mut angles, mut comments, mut quoted, mut escaped) = (0usize, 0usize, false, false);
    for (at, b) in text.iter().enumerate() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match b {
            b'\\' => escaped = true,
            b'"' if comments == 0 => quoted = !quoted,
            _ if quoted => {}
            b'(' => comments += 1,
            b')' => comments = comments.saturating_sub(1),
            b'<' if comments == 0 => angles += 1,
            b'>' if comments == 0 => angles = angles.saturating_sub(1),
            b' ' | b'\t' if angles == 0 && comments == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(String, Option<String>)> {
        let mut rest = text.as_bytes();
        let mut found = Vec::new();
        while let Some(p) = next(&mut rest) {
            let own = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
            found.push((own(p.keyword), p.value.map(own)));
        }
        found
    }

    #[test]
    fn values_end_at_blanks_and_equal_signs() {
        let some = |k: &str, v: &str| (k.to_owned(), Some(v.to_owned()));
        let none = |k: &str| (k.to_owned(), None);
        for (text, want) in [
            ("SIZE=10  BODY=8BITMIME ", vec![some("SIZE", "10"), some("BODY", "8BITMIME")]),
            ("SIZE", vec![none("SIZE")]),
            ("ENVID=", vec![some("ENVID", "")]),
            ("AUTH=bad=x", vec![some("AUTH", "bad"), none("x")]),
            ("=x", vec![some("", "x")]),
            ("garbage here", vec![none("garbage"), none("here")]),
        ] {
            assert_eq!(all(text), want, "{text}");
        }
    }

    #[test]
    fn paths_end_at_a_blank_outside_of_brackets() {
        for (text, path) in [
            ("<a b@c> SIZE=1", "<a b@c>"),
            ("<\"a b\"@c> X", "<\"a b\"@c>"),
            ("a@b (x)", "a@b"),
            ("<a@b", "<a@b"),
            ("<a@b>SIZE=1 X", "<a@b>SIZE=1"),
            ("<\"a>b\"@c> X", "<\"a>b\"@c>"),
        ] {
            assert_eq!(&text[..path_end(text.as_bytes())], path);
        }
    }
}
