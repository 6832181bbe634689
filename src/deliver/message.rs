//! The header of a message as a mailer sees it.

use bytes::{Bytes, BytesMut};

use crate::address::list::{FOLD, List};
use crate::config::Mailer;
use crate::deliver::body::LineWriter;
use crate::envelope::Flags;
use crate::macros::Scope;
use crate::message::{Condition, Header, HeaderList, HeaderValue, fields};
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
    Addresses(Kind, List),
}

/// Fields that are written for a mailer, in order; macros expanded, addresses listed.
///
/// `$g` and `$u` in `scope` are those of the batch. Source: op guide 5.5 (H lines), header_table: `Return-Path`, `Full-Name`
/// and `Content-Length` need a flag of the mailer.
pub fn written(headers: &HeaderList, mailer: &Mailer, scope: &Scope, flags: Flags) -> Vec<Field> {
    headers
        .iter()
        .filter(|header| is_written(header, mailer, scope))
        .filter_map(|header| {
            // The text of a blind copy is never shown; an empty field stays when nobody else is named.
            if header.is("Bcc") || header.is("Resent-Bcc") {
                return (!flags.delete_bcc)
                    .then(|| Field { name: header.name.clone(), value: Value::Text(Bytes::new()) });
            }
            field(header, mailer, scope, flags.old_style)
        })
        .collect()
}

/// Kind of the addresses in a field; `None` for one that has none to rewrite.
pub fn kind_of(name: &[u8]) -> Option<Kind> {
    let bits = fields::bits(name);
    if bits & fields::SENDER != 0 {
        Some(Kind::HEADER_SENDER)
    } else if bits & fields::RECIPIENT != 0 {
        Some(Kind::HEADER_RECIPIENT)
    } else {
        None
    }
}

/// The header as bytes, without the blank line behind it.
pub fn render(fields: &[Field], mailer: &Mailer) -> Vec<u8> {
    let mut out = Vec::with_capacity(fields.len() * 64);
    let width = match mailer.line_limit {
        0 => FOLD,
        limit => limit.saturating_sub(2).min(FOLD),
    };
    for field in fields {
        match &field.value {
            Value::Text(text) => text_field(&field.name, text, mailer, &mut out),
            Value::Addresses(_, list) => list.write(&mut out, &field.name, width, &mailer.eol),
        }
    }
    if mailer.has(b'6') || mailer.has(b'7') {
        for b in &mut out {
            *b &= 0x7f;
        }
    }
    out
}

/// The `From ` line in front of a message, when the mailer wants one; `line` is `UnixFromLine` expanded.
///
/// A UUCP mailer gets the first host of a path with bangs at the end. Source: op guide 5.4 (flags n, U); observed.
pub fn from_line(mailer: &Mailer, line: &[u8], sender: &[u8], date: &str) -> Option<BytesMut> {
    if mailer.has(b'n') {
        return None;
    }
    let bang = sender.iter().position(|b| *b == b'!').filter(|_| mailer.has(b'U'));
    let mut out = match bang.and_then(|at| sender.split_at_checked(at)) {
        Some((host, path)) => {
            let path = path.strip_prefix(b"!").unwrap_or(path);
            BytesMut::from([b"From ", path, b"  ", date.as_bytes(), b" remote from ", host].concat().as_slice())
        }
        None => BytesMut::from(line),
    };
    out.extend_from_slice(&mailer.eol);
    Some(out)
}

fn is_written(header: &Header, mailer: &Mailer, scope: &Scope) -> bool {
    let needs_flag = fields::has(&header.name, fields::NEEDS_FLAG);
    match header.condition {
        Condition::Always => !needs_flag,
        Condition::MailerFlags(letters) => mailer.flags.intersects(letters),
        Condition::Macro(id) => !scope.text(id).is_empty(),
    }
}

fn field(header: &Header, mailer: &Mailer, scope: &Scope, old_style: bool) -> Option<Field> {
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
        // A field without text stays as it is.
        Some(kind) if !text.trim_ascii().is_empty() => {
            let mut list = List::parse(&text, old_style && !kind.is_sender);
            if mailer.has(b'c') {
                list.items.iter_mut().for_each(|a| *a = without_comments(a));
            }
            Value::Addresses(kind, list)
        }
        _ => Value::Text(text),
    };
    Some(Field { name: header.name.clone(), value })
}

/// Writes a field. Lines behind its first are continuations, whatever a macro's value holds: no text becomes a field of its
/// own or ends the header. Lines are cut like those of a body.
fn text_field(name: &[u8], text: &[u8], mailer: &Mailer, out: &mut Vec<u8>) {
    let mut whole = [name, b":"].concat();
    let mut lines = text.split(|b| *b == b'\n');
    whole.extend_from_slice(lines.next().unwrap_or_default());
    for line in lines {
        whole.push(b'\n');
        if !line.starts_with(b" ") {
            whole.push(b'\t');
        }
        whole.extend_from_slice(line.strip_prefix(b"\t").unwrap_or(line));
    }
    let mut writer = LineWriter::cutting(mailer.eol.clone(), mailer.line_limit);
    let mut written = BytesMut::with_capacity(whole.len() + 2);
    writer.push(&whole, &mut written);
    writer.finish(&mut written);
    out.extend_from_slice(&written);
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
        let flags_of = Flags { delete_bcc: list.first("To").is_some(), ..Flags::default() };
        String::from_utf8(render(&written(&list, &mailer, &scope, flags_of), &mailer)).unwrap()
    }

    #[test]
    fn a_value_makes_no_field_of_its_own() {
        let folded = header("X-Folded", " a\n b\n\tc");
        let forged = header("X-Macro", " a\nX-Evil: yes\n\nbody");
        assert_eq!(rendered(vec![folded, forged], ""), "X-Folded: a\n b\n\tc\nX-Macro: a\n\tX-Evil: yes\n\t\n\tbody\n");
    }

    #[test]
    fn fields_are_cut_where_lines_of_the_body_would_be() {
        let mut list = HeaderList::default();
        list.push(header("X-Word", " abcdefghijkl\n mnop"));
        let mut mailer = super::super::plan::tests::mailer("m", "/bin/x", "");
        mailer.line_limit = 12;
        let fields = written(&list, &mailer, &Scope::new(Arc::default()), Flags::default());
        assert_eq!(render(&fields, &mailer), b"X-Word: abc!\n defghijkl\n mnop\n");
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
    fn uucp_mailers_get_the_first_host_at_the_end_of_the_from_line() {
        let line = |flags, sender: &str| {
            let mailer = super::super::plan::tests::mailer("m", "/bin/x", flags);
            from_line(&mailer, b"From x now", sender.as_bytes(), "now").map(|l| String::from_utf8(l.to_vec()).unwrap())
        };
        assert_eq!(line("U", "a!b!c").as_deref(), Some("From b!c  now remote from a\n"));
        assert_eq!(line("U", "x@y").as_deref(), Some("From x now\n"));
        assert_eq!(line("", "a!b").as_deref(), Some("From x now\n"));
        assert_eq!(line("nU", "a!b"), None);
    }

    #[test]
    fn bcc_is_emptied_only_when_it_is_alone() {
        assert_eq!(rendered(vec![header("Bcc", " a")], ""), "Bcc:\n");
        assert_eq!(rendered(vec![header("Bcc", " a"), header("To", " b")], ""), "To: b\n");
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
