//! Header fields as a list that keeps order, case and folding.

use bytes::Bytes;

use crate::base::letters::LetterSet;
use crate::macros::{MacroId, Template};

/// When a header is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Condition {
    /// Always.
    #[default]
    Always,
    /// `H?letters?`: when the mailer has one of these flags.
    MailerFlags(LetterSet),
    /// `H?${macro}?`: when the macro has a value.
    Macro(MacroId),
}

/// Text of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// As it came in, or already expanded.
    Text(Bytes),
    /// Macros in it are expanded at delivery (`$g` in `Return-Path: <$g>`).
    Template(Template),
}

/// A header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Field name as written.
    pub name: Bytes,
    /// What follows the colon.
    ///
    /// Shape: bytes as they came, the blank behind the colon kept; folded lines are joined by `\n` and keep their leading
    /// white space; no newline at the end.
    pub value: HeaderValue,
    /// When it is written.
    pub condition: Condition,
    /// Made by an `H` line of the configuration, not found in the message.
    pub is_default: bool,
}

impl Header {
    /// A header that is always written.
    pub fn new(name: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        Self {
            name: name.into(),
            value: HeaderValue::Text(value.into()),
            condition: Condition::Always,
            is_default: false,
        }
    }

    /// Whether this is the field of that name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Its text; empty for one that is still a template.
    pub fn text(&self) -> &[u8] {
        match &self.value {
            HeaderValue::Text(text) => text,
            HeaderValue::Template(_) => &[],
        }
    }
}

/// The header of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderList {
    fields: Vec<Header>,
}

impl HeaderList {
    /// Adds at the end.
    pub fn push(&mut self, header: Header) {
        self.fields.push(header);
    }

    /// Adds in front of the field at `at`, or at the end.
    pub fn insert(&mut self, at: usize, header: Header) {
        self.fields.insert(at.min(self.fields.len()), header);
    }

    /// Drops the fields for which `keep` is false.
    pub fn retain(&mut self, keep: impl FnMut(&Header) -> bool) {
        self.fields.retain(keep);
    }

    /// Fields in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.fields.iter()
    }

    /// Fields in order, to change.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Header> {
        self.fields.iter_mut()
    }

    /// First field of that name.
    pub fn first(&self, name: &str) -> Option<&Header> {
        self.fields.iter().find(|h| h.is(name))
    }

    /// Last field of that name.
    pub fn last(&self, name: &str) -> Option<&Header> {
        self.fields.iter().rev().find(|h| h.is(name))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl<'a> IntoIterator for &'a HeaderList {
    type Item = &'a Header;
    type IntoIter = std::slice::Iter<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut HeaderList {
    type Item = &'a mut Header;
    type IntoIter = std::slice::IterMut<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name_in_any_case() {
        let mut list = HeaderList::default();
        list.push(Header::new("Subject", " one"));
        list.push(Header::new("subject", " two"));
        assert_eq!(list.first("SUBJECT").unwrap().text(), b" one");
        list.retain(|h| h.text() != b" one");
        assert_eq!(list.first("Subject").unwrap().text(), b" two");
    }
}
