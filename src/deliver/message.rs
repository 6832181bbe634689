//! The header of a message as a mailer sees it.

use bytes::{Bytes, BytesMut};

use crate::config::Mailer;
use crate::macros::Scope;
use crate::message::{Condition, Header, HeaderList, HeaderValue};
use crate::route::Kind;

/// A field that will be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name as written.
    pub name: Bytes,
    /// What it says.
    pub value: Value,
}

/// Text of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Written as it is, its blank in front included.
    Text(Bytes),
    /// Addresses, still to be rewritten or rewritten already, each with its phrase and comments.
    Addresses(Kind, Vec<Bytes>),
}

/// Fields that are written for a mailer, in order; macros expanded, addresses listed.
///
/// `$g` and `$u` in `scope` are those of the batch. Source: op guide 5.5 (H lines), header_table: `Return-Path`, `Full-Name`
/// and `Content-Length` need a flag of the mailer.
pub fn fields(headers: &HeaderList, mailer: &Mailer, scope: &Scope, delete_bcc: bool) -> Vec<Field> {
    headers
        .iter()
        .filter(|header| is_written(header, mailer, scope))
        .filter_map(|header| {
            // The text of a blind copy is never shown; an empty field stays when nobody else is named.
            if header.is("Bcc") || header.is("Resent-Bcc") {
                return (!delete_bcc).then(|| Field { name: header.name.clone(), value: Value::Text(Bytes::new()) });
            }
            field(header, mailer, scope)
        })
        .collect()
}

/// Kind of the addresses in a field; `None` for one that has none to rewrite. Source: header_table.tsv.
pub fn kind_of(name: &[u8]) -> Option<Kind> {
    const SENDERS: &[&str] = &[
        "from",
        "sender",
        "reply-to",
        "errors-to",
        "disposition-notification-to",
        "resent-from",
        "resent-sender",
        "resent-reply-to",
    ];
    const RECIPIENTS: &[&str] = &["to", "cc", "bcc", "apparently-to", "resent-to", "resent-cc", "resent-bcc"];
    let is_in = |names: &[&str]| names.iter().any(|n| n.as_bytes().eq_ignore_ascii_case(name));
    if is_in(SENDERS) {
        Some(Kind::HEADER_SENDER)
    } else if is_in(RECIPIENTS) {
        Some(Kind::HEADER_RECIPIENT)
    } else {
        None
    }
}

/// The header as bytes, without the blank line behind it.
pub fn render(fields: &[Field], mailer: &Mailer) -> BytesMut {
    let mut out = BytesMut::with_capacity(fields.len() * 64);
    for field in fields {
        match &field.value {
            Value::Text(text) => text_field(&field.name, text, mailer, &mut out),
            Value::Addresses(_, list) => list_field(&field.name, list, mailer, &mut out),
        }
    }
    if mailer.has(b'6') || mailer.has(b'7') {
        out.iter_mut().for_each(|b| *b &= 0x7f);
    }
    out
}

/// The `From ` line in front of a message, when the mailer wants one. Source: op guide 5.4 (flags n, U).
pub fn from_line(mailer: &Mailer, line: &[u8]) -> Option<BytesMut> {
    (!mailer.has(b'n')).then(|| {
        let mut out = BytesMut::from(line);
        out.extend_from_slice(&mailer.eol);
        out
    })
}

fn is_written(header: &Header, mailer: &Mailer, scope: &Scope) -> bool {
    let needs_flag = ["Return-Path", "Full-Name", "Content-Length"].iter().any(|n| header.is(n));
    match header.condition {
        Condition::Always => !needs_flag,
        Condition::MailerFlags(letters) => mailer.flags.intersects(letters),
        Condition::Macro(id) => !scope.text(id).is_empty(),
    }
}

fn field(header: &Header, mailer: &Mailer, scope: &Scope) -> Option<Field> {
    let text = match &header.value {
        HeaderValue::Text(text) => text.clone(),
        HeaderValue::Template(template) => {
            let text = Bytes::from(template.expand(scope));
            if text.trim_ascii().is_empty() {
                return None;
            }
            text
        }
    };
    let value = match kind_of(&header.name) {
        Some(kind) => {
            let list = crate::route::list::split(&unfolded(&text)).into_iter().map(|a| a.slice_ref(a.trim_ascii_end()));
            let list = list.map(|a| if mailer.has(b'c') { without_comments(&a) } else { a }).collect();
            Value::Addresses(kind, list)
        }
        None => Value::Text(text),
    };
    Some(Field { name: header.name.clone(), value })
}

fn text_field(name: &[u8], text: &[u8], mailer: &Mailer, out: &mut BytesMut) {
    out.extend_from_slice(name);
    out.extend_from_slice(b":");
    let mut lines = text.split(|b| *b == b'\n');
    out.extend_from_slice(lines.next().unwrap_or_default());
    for line in lines {
        out.extend_from_slice(&mailer.eol);
        out.extend_from_slice(line);
    }
    out.extend_from_slice(&mailer.eol);
}

/// Addresses separated by commas, folded before the line gets longer than 78 (or the mailer's limit).
fn list_field(name: &[u8], list: &[Bytes], mailer: &Mailer, out: &mut BytesMut) {
    out.extend_from_slice(name);
    out.extend_from_slice(b":");
    let width = match mailer.line_limit {
        0 => FOLD,
        limit => limit.saturating_sub(2).min(FOLD),
    };
    let mut column = name.len() + 2;
    for (n, address) in list.iter().enumerate() {
        if n == 0 {
            out.extend_from_slice(b" ");
        } else if column + 2 + address.len() > width {
            out.extend_from_slice(b",");
            out.extend_from_slice(&mailer.eol);
            out.extend_from_slice(b"        ");
            column = 8;
        } else {
            out.extend_from_slice(b", ");
            column += 2;
        }
        out.extend_from_slice(address);
        column += address.len();
    }
    out.extend_from_slice(&mailer.eol);
}

fn unfolded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for (n, line) in text.split(|b| *b == b'\n').enumerate() {
        if n > 0 {
            out.push(b' ');
            out.extend_from_slice(line.trim_ascii_start());
        } else {
            out.extend_from_slice(line);
        }
    }
    out
}

/// An address without parts in parentheses, and without its phrase when it has angle brackets (`F=c`).
fn without_comments(address: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(address.len());
    let (mut depth, mut quoted) = (0usize, false);
    for b in address {
        match b {
            b'"' if depth == 0 => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted && depth > 0 => {
                depth -= 1;
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            out.push(*b);
        }
    }
    let bare = match (out.iter().position(|b| *b == b'<'), out.iter().rposition(|b| *b == b'>')) {
        (Some(open), Some(close)) if open < close => out.get(open + 1..close).unwrap_or_default().to_vec(),
        _ => out,
    };
    Bytes::copy_from_slice(bare.trim_ascii())
}

/// Longest line of addresses.
const FOLD: usize = 78;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::letters::LetterSet;
    use crate::macros::{Template, names};

    fn header(name: &str, value: &str) -> Header {
        Header::new(Bytes::copy_from_slice(name.as_bytes()), Bytes::copy_from_slice(value.as_bytes()))
    }

    fn rendered(headers: Vec<Header>, flags: &str) -> String {
        let mut list = HeaderList::default();
        for header in headers {
            list.push(header);
        }
        let mailer = super::super::plan::tests::mailer("m", "/bin/x", flags);
        let mut scope = Scope::new(Arc::default());
        scope.set(names::SENDER_FOR_RECIPIENT, "joe@x");
        let delete_bcc = list.first("To").is_some();
        String::from_utf8(render(&fields(&list, &mailer, &scope, delete_bcc), &mailer).to_vec()).unwrap()
    }

    #[test]
    fn conditions_choose_the_fields() {
        let mut return_path = header("Return-Path", "");
        return_path.condition = Condition::MailerFlags(LetterSet::from_bytes(b"P"));
        let mut table = crate::macros::NameTable::default();
        return_path.value = HeaderValue::Template(Template::parse(b" <$g>", &mut table));
        let list = || vec![return_path.clone(), header("Full-Name", " Joe"), header("Subject", " a\n\tb")];
        assert_eq!(rendered(list(), "P"), "Return-Path: <joe@x>\nSubject: a\n\tb\n");
        assert_eq!(rendered(list(), ""), "Subject: a\n\tb\n");
    }

    #[test]
    fn bcc_is_emptied_only_when_it_is_alone() {
        assert_eq!(rendered(vec![header("Bcc", " a")], ""), "Bcc:\n");
        assert_eq!(rendered(vec![header("Bcc", " a"), header("To", "b")], ""), "To: b\n");
    }

    #[test]
    fn address_lists_are_folded_anew() {
        let value = " bob@mta.example.test,carol@mta.example.test ,\n\t\"Dave D.\" <dave@mta.example.test>,  e (the e)";
        assert_eq!(
            rendered(vec![header("To", value)], ""),
            "To: bob@mta.example.test, carol@mta.example.test,\n        \"Dave D.\" <dave@mta.example.test>, e (the e)\n"
        );
        assert_eq!(rendered(vec![header("From", " F N <a@b> (c)")], "c"), "From: a@b\n");
    }
}
