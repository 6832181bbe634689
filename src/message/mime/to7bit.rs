//! A body of 8 bits for a host that takes 7: quoted-printable or base64, part by part.

use super::Converter;
use super::structure::{ContentType, Line, judge};
use crate::base::limits;
use crate::message::{Header, HeaderList};

/// Converts a message; `None` when its body has no byte above 127, or may not be encoded.
///
/// Changes the header of the message accordingly. Source: RFC 2045 §6; observed (hdr/mime-8to7).
pub fn to_7bit(headers: &mut HeaderList, body: &[u8], by: &Converter<'_>) -> Option<Vec<u8>> {
    if body.is_ascii() {
        return None;
    }
    label(headers, by);
    let part = Part {
        kind: ContentType::parse(headers.first("Content-Type").map_or(b"", Header::text)),
        encoding: headers.first("Content-Transfer-Encoding").map_or(Vec::new(), |h| word(h.text())),
    };
    let mut out = Vec::with_capacity(body.len() + body.len() / 4);
    let mut rest = body;
    match part.treatment(by) {
        Treatment::Keep => return None,
        Treatment::Multipart => {
            headers.retain(|h| !h.is("Content-Transfer-Encoding"));
            multipart(&mut out, &mut rest, &part, &mut Vec::new(), 0, by);
            out.extend_from_slice(rest);
        }
        Treatment::Message => {
            headers.retain(|h| !h.is("Content-Transfer-Encoding"));
            message(&mut out, body, b"", 0, by);
        }
        Treatment::Encode => {
            let encoding = Encoding::choose(body, body.len(), &part, by);
            headers.retain(|h| !h.is("Content-Transfer-Encoding"));
            headers.push(Header::new("Content-Transfer-Encoding", format!(" {}", encoding.name())));
            headers.push(Header::new("X-MIME-Autoconverted", by.note("8bit", encoding.name())));
            encoding.encode(&mut out, body);
        }
    }
    Some(out)
}

/// Says of a message with 8 bits that it is MIME, and of what type.
pub fn label(headers: &mut HeaderList, by: &Converter<'_>) {
    if headers.first("MIME-Version").is_none() {
        headers.push(Header::new("MIME-Version", " 1.0"));
    }
    if headers.first("Content-Type").is_none() {
        let value = [b" text/plain; charset=".as_slice(), by.charset].concat();
        headers.push(Header::new("Content-Type", value));
    }
}

/// Says it of one that nobody declared and that stays in 8 bits (`EightBitMode=mimefy`). Source: observed.
pub fn label_8bit(headers: &mut HeaderList, by: &Converter<'_>) {
    if headers.first("MIME-Version").is_some() {
        return;
    }
    label(headers, by);
    if headers.first("Content-Transfer-Encoding").is_none() {
        headers.push(Header::new("Content-Transfer-Encoding", " 8bit"));
    }
}

struct Part {
    kind: ContentType,
    encoding: Vec<u8>,
}

/// What is done with a part that has bytes above 127.
enum Treatment {
    /// It goes as it is.
    Keep,
    /// Its parts are looked at.
    Multipart,
    /// It is a message with parts of its own.
    Message,
    /// It is encoded.
    Encode,
}

impl Part {
    /// From the fields of a part; without a type it is of the type that its surroundings imply.
    fn of(fields: &[&[u8]], default: &[u8]) -> Self {
        Self {
            kind: ContentType::parse(field(fields, b"content-type").unwrap_or(default)),
            encoding: field(fields, b"content-transfer-encoding").map_or(Vec::new(), word),
        }
    }

    /// Source: op guide 5.3 (classes e, n, s).
    fn treatment(&self, by: &Converter<'_>) -> Treatment {
        let kind = self.kind.kind.as_slice();
        if by.is_in(b'n', kind) {
            return Treatment::Keep;
        }
        if self.kind.is_class("multipart") && self.kind.boundary.is_some() {
            return Treatment::Multipart;
        }
        if let Some(subtype) = kind.strip_prefix(b"message/") {
            return if by.is_in(b's', subtype) { Treatment::Message } else { Treatment::Keep };
        }
        if self.encoding.is_empty() || by.is_in(b'e', &self.encoding) { Treatment::Encode } else { Treatment::Keep }
    }

    /// What parts of a multipart are that do not say it. Source: RFC 2046 §5.1.5.
    fn default_of_parts(&self) -> &'static [u8] {
        if self.kind.kind == b"multipart/digest" { b"message/rfc822" } else { b"" }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    QuotedPrintable,
    Base64,
}

impl Encoding {
    /// Base64 when more than an eighth of `length`, the newline of a boundary included, has the top bit set, but for types of class `q`. Source: op guide 5.3; observed.
    fn choose(text: &[u8], length: usize, part: &Part, by: &Converter<'_>) -> Self {
        let high = text.iter().fold(0usize, |n, b| n + usize::from(*b > 127));
        if high <= length / 8 || by.is_in(b'q', &part.kind.kind) { Self::QuotedPrintable } else { Self::Base64 }
    }

    fn name(self) -> &'static str {
        match self {
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
        }
    }

    fn encode(self, out: &mut Vec<u8>, text: &[u8]) {
        match self {
            Self::QuotedPrintable => quoted_printable(out, text),
            Self::Base64 => base64(out, text),
        }
    }
}

/// Takes a multipart body up to its end, or to a line of a boundary outside of it, which is left in `rest`.
///
/// Lines of boundaries are written anew; a body that just ends is closed.
fn multipart(
    out: &mut Vec<u8>,
    rest: &mut &[u8],
    part: &Part,
    open: &mut Vec<Vec<u8>>,
    depth: usize,
    by: &Converter<'_>,
) {
    let Some(boundary) = part.kind.boundary.clone() else { return };
    if depth >= limits::MIME_DEPTH {
        return;
    }
    open.push(boundary.clone());
    let own = open.len() - 1;
    // What stands in front of the first part is shown by nobody.
    strip_until_boundary(out, rest, open);
    loop {
        let line = first_line(rest);
        match judge(line, open) {
            Line::Part(index) if index == own => {
                skip_line(rest);
                separator(out, &boundary, b"");
                one_part(out, rest, part.default_of_parts(), open, depth + 1, by);
            }
            Line::End(index) if index == own => {
                skip_line(rest);
                separator(out, &boundary, b"--");
                break;
            }
            _ => {
                separator(out, &boundary, b"--");
                break;
            }
        }
    }
    open.pop();
    // Behind the last part as in front of the first.
    strip_until_boundary(out, rest, open);
}

fn separator(out: &mut Vec<u8>, boundary: &[u8], end: &[u8]) {
    if out.last().is_some_and(|last| *last != b'\n') {
        out.push(b'\n');
    }
    for piece in [b"--", boundary, end, b"\n"] {
        out.extend_from_slice(piece);
    }
}

/// Header and body of one part, up to the next line of any open boundary.
fn one_part(
    out: &mut Vec<u8>,
    rest: &mut &[u8],
    default: &[u8],
    open: &mut Vec<Vec<u8>>,
    depth: usize,
    by: &Converter<'_>,
) {
    let (header, fields) = part_header(rest, open);
    let part = Part::of(&fields, default);
    let treatment = part.treatment(by);
    if matches!(treatment, Treatment::Multipart) {
        copy_without_encoding(out, header, &fields);
        return multipart(out, rest, &part, open, depth, by);
    }
    let text = until_boundary(rest, open);
    // The newline in front of a boundary belongs to it.
    let (text, end) = if rest.is_empty() { (text, &b""[..]) } else { without_last_newline(text) };
    match treatment {
        Treatment::Message if !text.is_ascii() => {
            copy_without_encoding(out, header, &fields);
            message(out, text, end, depth, by);
        }
        Treatment::Encode if !text.is_ascii() => encoded(out, &fields, &part, text, end, by),
        _ => {
            copy_header(out, header);
            out.extend_from_slice(text);
            out.extend_from_slice(end);
        }
    }
}

/// A message inside of a message; `end` is the newline of the boundary behind it.
fn message(out: &mut Vec<u8>, text: &[u8], end: &[u8], depth: usize, by: &Converter<'_>) {
    let mut rest = text;
    let (header, mut fields) = part_header(&mut rest, &[]);
    let part = Part::of(&fields, b"");
    match part.treatment(by) {
        Treatment::Encode if !rest.is_ascii() => {
            let version: &[u8] = b"MIME-Version: 1.0\n";
            if field(&fields, b"mime-version").is_none() {
                fields.push(version);
            }
            encoded(out, &fields, &part, rest, end, by);
        }
        Treatment::Multipart if !rest.is_ascii() && depth < limits::MIME_DEPTH => {
            copy_without_encoding(out, header, &fields);
            multipart(out, &mut rest, &part, &mut Vec::new(), depth, by);
            out.extend_from_slice(rest);
        }
        Treatment::Message if !rest.is_ascii() && depth < limits::MIME_DEPTH => {
            copy_without_encoding(out, header, &fields);
            message(out, rest, end, depth + 1, by);
        }
        _ => {
            copy_header(out, header);
            out.extend_from_slice(rest);
            out.extend_from_slice(end);
        }
    }
}

/// A header with its encoding, and the encoded text.
fn encoded(out: &mut Vec<u8>, fields: &[&[u8]], part: &Part, text: &[u8], end: &[u8], by: &Converter<'_>) {
    let encoding = Encoding::choose(text, text.len() + end.len(), part, by);
    for field in fields.iter().filter(|f| !is_field(f, b"content-transfer-encoding")) {
        out.extend_from_slice(field);
    }
    encoding_fields(out, encoding, by);
    encoding.encode(out, text);
    // Base64 has ended its last line already.
    if encoding == Encoding::QuotedPrintable || text.is_empty() {
        out.extend_from_slice(end);
    }
}

/// Copies the header of what has parts, which are encoded each by itself: what it says of its encoding is true no more.
///
/// Source: observed (multipart and message/rfc822 that say 8bit, binary or 7bit); RFC 2045 §6.4.
fn copy_without_encoding(out: &mut Vec<u8>, header: &[u8], fields: &[&[u8]]) {
    if field(fields, b"content-transfer-encoding").is_none() {
        return copy_header(out, header);
    }
    for field in fields.iter().filter(|f| !is_field(f, b"content-transfer-encoding")) {
        out.extend_from_slice(field);
    }
    out.push(b'\n');
}

/// Copies a header; a body that began without an empty line gets one in front.
fn copy_header(out: &mut Vec<u8>, header: &[u8]) {
    out.extend_from_slice(header);
    let ends_blank = header.ends_with(b"\n\n") || header.ends_with(b"\n\r\n") || matches!(header, b"\n" | b"\r\n");
    if !ends_blank {
        out.push(b'\n');
    }
}

fn encoding_fields(out: &mut Vec<u8>, encoding: Encoding, by: &Converter<'_>) {
    out.extend_from_slice(format!("Content-Transfer-Encoding: {}\n", encoding.name()).as_bytes());
    out.extend_from_slice(b"X-MIME-Autoconverted:");
    out.extend_from_slice(&by.note("8bit", encoding.name()));
    out.extend_from_slice(b"\n\n");
}

/// Header lines with the blank line behind them, taken from `rest`, and its fields with their continuation lines.
fn part_header<'a>(rest: &mut &'a [u8], open: &[Vec<u8>]) -> (&'a [u8], Vec<&'a [u8]>) {
    let whole = *rest;
    let mut fields: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    loop {
        let line = first_line(whole.get(at..).unwrap_or_default());
        if line.is_empty() || judge(line, open) != Line::Text {
            break;
        }
        let start = at;
        at += line.len();
        if line == b"\n" || line == b"\r\n" {
            break;
        }
        match fields.last_mut() {
            Some(last) if matches!(line.first(), Some(b' ' | b'\t')) => last.1 = at,
            _ if is_field_line(line) => fields.push((start, at)),
            _ => {
                // No field: the body begins here.
                at = start;
                break;
            }
        }
    }
    let (header, tail) = whole.split_at_checked(at).unwrap_or((whole, b""));
    *rest = tail;
    (header, fields.iter().filter_map(|(start, end)| whole.get(*start..*end)).collect())
}

fn field<'a>(fields: &[&'a [u8]], name: &[u8]) -> Option<&'a [u8]> {
    fields.iter().find(|f| is_field(f, name)).and_then(|f| f.get(name.len() + 1..))
}

fn is_field(field: &[u8], name: &[u8]) -> bool {
    field.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)) && field.get(name.len()) == Some(&b':')
}

/// Whether a line begins a field: printable characters up to a colon.
fn is_field_line(line: &[u8]) -> bool {
    let name = line.iter().take_while(|b| b.is_ascii_graphic() && **b != b':').count();
    name > 0 && line.get(name..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"))
}

fn word(text: &[u8]) -> Vec<u8> {
    text.trim_ascii().to_ascii_lowercase()
}

fn first_line(text: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', text).map_or(text.len(), |at| at + 1);
    text.get(..end).unwrap_or(text)
}

fn skip_line(rest: &mut &[u8]) {
    *rest = rest.get(first_line(rest).len()..).unwrap_or_default();
}

/// Text up to the next line of an open boundary, taken from `rest`.
fn until_boundary<'a>(rest: &mut &'a [u8], open: &[Vec<u8>]) -> &'a [u8] {
    let whole = *rest;
    let mut at = 0;
    loop {
        let line = first_line(whole.get(at..).unwrap_or_default());
        if line.is_empty() || judge(line, open) != Line::Text {
            break;
        }
        at += line.len();
    }
    let (text, tail) = whole.split_at_checked(at).unwrap_or((whole, b""));
    *rest = tail;
    text
}

/// Nobody reads it, but a host that takes 7 bits must not get 8.
fn strip_until_boundary(out: &mut Vec<u8>, rest: &mut &[u8], open: &[Vec<u8>]) {
    let text = until_boundary(rest, open);
    out.extend(text.iter().map(|b| b & 0x7f));
}

fn without_last_newline(text: &[u8]) -> (&[u8], &[u8]) {
    match text.strip_suffix(b"\n") {
        Some(head) => (head, b"\n"),
        None => (text, b""),
    }
}

/// Source: RFC 2045 §6.7; observed: lines of 73 characters before the soft break.
fn quoted_printable(out: &mut Vec<u8>, text: &[u8]) {
    let mut column = 0;
    for (at, b) in text.iter().enumerate() {
        let ends_line = matches!(text.get(at + 1), None | Some(b'\n'));
        let is_plain = match b {
            b'\n' => {
                out.push(b'\n');
                column = 0;
                continue;
            }
            b'=' => false,
            // A lone dot could end the message somewhere.
            b'.' if column == 0 => !ends_line,
            b' ' | b'\t' => !ends_line,
            other => (b'!'..=b'~').contains(other),
        };
        let width = if is_plain { 1 } else { 3 };
        if column + width > QUOTED_LINE {
            out.extend_from_slice(b"=\n");
            column = 0;
        }
        column += width;
        if is_plain {
            out.push(*b);
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            let digit = |n: u8| HEX.get(usize::from(n)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'=', digit(b >> 4), digit(b & 15)]);
        }
    }
}

/// Base64 in lines, line ends of the text as CRLF; ends with a newline.
fn base64(out: &mut Vec<u8>, text: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut canonical = Vec::with_capacity(text.len() + text.len() / 32);
    for b in text {
        if *b == b'\n' {
            canonical.push(b'\r');
        }
        canonical.push(*b);
    }
    let digit = |n: u32| DIGITS.get((n & 63) as usize).copied().unwrap_or(b'A');
    for line in canonical.chunks(BASE64_LINE / 4 * 3) {
        for group in line.chunks(3) {
            let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            let mut four = [digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)];
            for pad in four.iter_mut().skip(group.len() + 1) {
                *pad = b'=';
            }
            out.extend_from_slice(&four);
        }
        out.push(b'\n');
    }
}

/// Longest line of quoted-printable without its soft break.
const QUOTED_LINE: usize = 73;
/// Longest line of base64.
const BASE64_LINE: usize = 72;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::mime::to_8bit;

    fn by() -> Converter<'static> {
        super::super::tests::converter()
    }

    fn converted(header: &[(&'static str, &'static str)], body: &[u8]) -> Option<(String, String)> {
        let mut list = HeaderList::default();
        for (name, text) in header {
            list.push(Header::new(*name, *text));
        }
        let body = to_7bit(&mut list, body, &by())?;
        let lines: Vec<String> = list
            .iter()
            .map(|h| format!("{}:{}\n", String::from_utf8_lossy(&h.name), String::from_utf8_lossy(h.text())))
            .collect();
        Some((lines.concat(), String::from_utf8(body).unwrap()))
    }

    const MIME: (&str, &str) = ("MIME-Version", " 1.0");

    #[test]
    fn text_becomes_quoted_printable_or_base64() {
        let long = b"long ".repeat(30);
        let body = [&b"caf\xe9 = plain\ntrailing blank \nFrom x\n.dot\n"[..], &long, b"\xe9\n"];
        let header =
            [MIME, ("Content-Type", " text/plain; charset=iso-8859-1"), ("Content-Transfer-Encoding", " 8bit")];
        let (head, text) = converted(&header, &body.concat()).unwrap();
        assert_eq!(
            head,
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: \
             quoted-printable\nX-MIME-Autoconverted: from 8bit to quoted-printable by mta.example.test id QID\n"
        );
        assert_eq!(
            text,
            "caf=E9 =3D plain\ntrailing blank=20\nFrom x\n.dot\n\
             long long long long long long long long long long long long long long lon=\n\
             g long long long long long long long long long long long long long long l=\n\
             ong =E9\n"
        );
        let (head, text) = converted(&[], b"caf\xe9\n").unwrap();
        assert_eq!(
            head,
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=unknown-8bit\nContent-Transfer-Encoding: base64\n\
             X-MIME-Autoconverted: from 8bit to base64 by mta.example.test id QID\n"
        );
        assert_eq!(text, "Y2Fm6Q0K\n");
    }

    #[test]
    fn undeclared_text_gets_the_fields_that_it_lacks() {
        for (given, wanted) in [
            (
                vec![],
                "MIME-Version: 1.0\nContent-Type: text/plain; charset=unknown-8bit\nContent-Transfer-Encoding: 8bit\n",
            ),
            (
                vec![("Content-Type", " text/x")],
                "Content-Type: text/x\nMIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n",
            ),
            (vec![MIME], "MIME-Version: 1.0\n"),
        ] {
            let mut list = HeaderList::default();
            for (name, text) in given {
                list.push(Header::new(name, text));
            }
            label_8bit(&mut list, &by());
            let lines = list
                .iter()
                .map(|h| format!("{}:{}\n", String::from_utf8_lossy(&h.name), String::from_utf8_lossy(h.text())));
            assert_eq!(lines.collect::<String>(), wanted);
        }
    }

    #[test]
    fn what_has_parts_says_nothing_of_its_encoding() {
        let encoding = ("Content-Transfer-Encoding", " 8bit");
        let inner = "--n\nContent-Type: text/plain\n\nx\u{e9}\n--n--\n";
        let body = format!(
            "--m\nContent-Type: multipart/mixed; boundary=n\nContent-Transfer-Encoding: 8bit\n\n{inner}--m--\n"
        );
        let header = [MIME, ("Content-Type", " multipart/mixed; boundary=m"), encoding];
        let (head, text) = converted(&header, body.as_bytes()).unwrap();
        assert_eq!(head, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=m\n");
        assert!(text.starts_with("--m\nContent-Type: multipart/mixed; boundary=n\n\n--n\n"), "{text}");
        let header = [MIME, ("Content-Type", " message/rfc822"), encoding];
        let (head, _) = converted(&header, "Subject: in\n\nx\u{e9}\n".as_bytes()).unwrap();
        assert_eq!(head, "MIME-Version: 1.0\nContent-Type: message/rfc822\n");
        let (head, _) = converted(&[MIME, encoding], "x\u{e9}\n".as_bytes()).unwrap();
        assert!(head.contains("quoted-printable") || head.contains("base64"), "{head}");
    }

    #[test]
    fn each_part_is_converted_by_itself() {
        let header = [MIME, ("Content-Type", " multipart/mixed; boundary=\"bb\"")];
        let body = b"pre\n--bb\nContent-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\ncaf\xe9\n--bb\n\
            Content-Type: application/octet-stream\n\n\xff\xfe\xfd\n--bb\nContent-Type: message/rfc822\n\n\
            Subject: inner\n\ninner \xe9\n--bb--\npost\n";
        let (head, text) = converted(&header, body).unwrap();
        assert_eq!(head, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"bb\"\n");
        assert_eq!(
            text,
            "pre\n--bb\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\
             X-MIME-Autoconverted: from 8bit to base64 by mta.example.test id QID\n\nY2Fm6Q==\n--bb\n\
             Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\
             X-MIME-Autoconverted: from 8bit to base64 by mta.example.test id QID\n\n//79\n--bb\n\
             Content-Type: message/rfc822\n\nSubject: inner\nMIME-Version: 1.0\n\
             Content-Transfer-Encoding: quoted-printable\n\
             X-MIME-Autoconverted: from 8bit to quoted-printable by mta.example.test id QID\n\ninner =E9\n--bb--\npost\n"
        );
    }

    #[test]
    fn messages_in_messages_come_to_an_end() {
        let header = [MIME, ("Content-Type", " message/rfc822")];
        let level = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n";
        let body = [level.repeat(20_000).as_bytes(), b"Subject: x\n\n\xe9\n"].concat();
        let mut list = HeaderList::default();
        for (name, text) in header {
            list.push(Header::new(name, text));
        }
        let converted = to_7bit(&mut list, &body, &by()).unwrap();
        assert!(converted.len() > body.len() / 2);
    }

    #[test]
    fn classes_say_what_is_never_encoded() {
        let raw = "--bb\n\n\u{e9}\n--bb--\n".as_bytes();
        for kind in [" multipart/signed; boundary=bb", " message/delivery-status", " message/partial; id=x"] {
            assert!(converted(&[MIME, ("Content-Type", kind)], raw).is_none(), "{kind}");
        }
        let digest = b"--bb\n\nSubject: x\n\n\xe9\n--bb--\n";
        let (_, text) = converted(&[MIME, ("Content-Type", " multipart/digest; boundary=bb")], digest).unwrap();
        assert!(
            text.starts_with("--bb\n\nSubject: x\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64\n"),
            "{text}"
        );
    }

    #[test]
    fn broken_multiparts_are_closed_and_keep_their_text() {
        let header = [MIME, ("Content-Type", " multipart/mixed; boundary=bb")];
        for (body, expected) in [
            (&b"pre \xe9\n--bb \n\nx\n"[..], "pre i\n--bb\n\nx\n--bb--\n"),
            (b"no parts \xe9\n", "no parts i\n--bb--\n"),
            (b"--bb\n\n\xe9\xe9\xe9\n", "\n6enpDQo=\n--bb--\n"),
            (b"--bb\nno field \xe9 in front of this text\n--bb--\n", "\nno field =E9 in front of this text\n--bb--\n"),
        ] {
            let (_, text) = converted(&header, body).unwrap();
            assert!(text.ends_with(expected), "{text}");
        }
    }

    #[test]
    fn a_lone_dot_is_encoded() {
        let (_, text) = converted(&[MIME, ("Content-Type", " text/plain")], b"long enough \xe9\n.\n.x\n").unwrap();
        assert_eq!(text, "long enough =E9\n=2E\n.x\n");
    }

    #[test]
    fn what_is_encoded_or_plain_is_left_alone() {
        assert!(converted(&[], b"plain\n").is_none());
        let header = [MIME, ("Content-Type", " text/plain"), ("Content-Transfer-Encoding", " base64")];
        assert!(converted(&header, b"\xe9\n").is_none());
    }

    proptest! {
        #[test]
        fn the_result_has_seven_bits_and_short_lines(body: Vec<u8>, boundary in "[a-z]{0,3}") {
            let mut list = HeaderList::default();
            list.push(Header::new("MIME-Version", " 1.0"));
            list.push(Header::new("Content-Type", format!(" multipart/mixed; boundary={boundary}")));
            let part = [format!("--{boundary}\n\n").as_bytes(), &body, format!("\n--{boundary}--\n").as_bytes()].concat();
            if let Some(out) = to_7bit(&mut list, &part, &by()) {
                prop_assert!(out.is_ascii());
            }
        }

        #[test]
        fn eight_bits_come_back(text in proptest::collection::vec(any::<u8>().prop_filter("no CR", |b| *b != b'\r'), 1..400)) {
            let body = [&text[..], b"\xe9\n"].concat();
            let mut list = HeaderList::default();
            list.push(Header::new("MIME-Version", " 1.0"));
            list.push(Header::new("Content-Type", " text/plain; charset=x"));
            let seven = to_7bit(&mut list, &body, &by()).unwrap();
            prop_assert!(seven.split(|b| *b == b'\n').all(|line| line.len() <= 74));
            list.retain(|h| !h.is("X-MIME-Autoconverted"));
            prop_assert_eq!(to_8bit(&mut list, &seven, &by()), Some([&body[..], b"\n"].concat()));
        }
    }
}
