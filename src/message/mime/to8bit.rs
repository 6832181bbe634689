//! An encoded text for a mailer that wants it plain (`F=9`).

use super::Converter;
use super::structure::ContentType;
use crate::message::{Header, HeaderList};

/// Decodes a message that is one text part in quoted-printable or base64; `None` for all others.
///
/// Changes the header accordingly. Source: op guide 5.4 (F=9); observed (hdr/mime-7to8).
pub fn to_8bit(headers: &mut HeaderList, body: &[u8], by: &Converter<'_>) -> Option<Vec<u8>> {
    headers.first("MIME-Version")?;
    let kind = ContentType::parse(headers.first("Content-Type").map_or(b"", Header::text));
    if !kind.is_class("text") {
        return None;
    }
    let encoding = headers.first("Content-Transfer-Encoding")?.text().trim_ascii().to_ascii_lowercase();
    let (name, decoded) = match encoding.as_slice() {
        b"quoted-printable" => ("quoted-printable", quoted_printable(body)),
        b"base64" => ("base64", base64(body)),
        _ => return None,
    };
    headers.retain(|h| !h.is("Content-Transfer-Encoding"));
    headers.push(Header::new("Content-Transfer-Encoding", " 8bit"));
    headers.push(Header::new("X-MIME-Autoconverted", by.note(name, "8bit")));
    Some(decoded)
}

/// What is not hexadecimal behind a `=` stays as it is.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut lines = text.split(|b| *b == b'\n').peekable();
    while let Some(line) = lines.next() {
        let is_last = lines.peek().is_none();
        let line = line.trim_ascii_end();
        let (line, is_soft) = match line.strip_suffix(b"=") {
            Some(head) => (head, true),
            None => (line, false),
        };
        let mut rest = line;
        while let Some((first, tail)) = rest.split_first() {
            rest = tail;
            match (first, tail) {
                (b'=', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    out.push(hex(*high) << 4 | hex(*low));
                    rest = after;
                }
                _ => out.push(*first),
            }
        }
        if !is_soft && !is_last {
            out.push(b'\n');
        }
    }
    out
}

/// Characters that are no digits are skipped; CRLF becomes a newline, and the last line gets its end.
fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0u32);
    for digit in text.iter().take_while(|b| **b != b'=').filter_map(|b| sextet(*b)) {
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).unwrap_or(0));
        }
    }
    let mut plain: Vec<u8> = Vec::with_capacity(out.len());
    for b in out {
        if b == b'\n' && plain.last() == Some(&b'\r') {
            plain.pop();
        }
        plain.push(b);
    }
    if plain.last().is_some_and(|b| *b != b'\n') {
        plain.push(b'\n');
    }
    plain
}

fn sextet(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.saturating_sub(b'A').saturating_add(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_single_text_parts_are_decoded() {
        let by = Converter { host: b"mta.example.test", id: "QID", charset: b"x" };
        for (kind, encoding, body, expected) in [
            ("text/plain", "quoted-printable", "caf=E9 soft=\nbreak =3D\n", Some(&b"caf\xe9 softbreak =\n"[..])),
            ("text/plain", "Base64", "Y2Fm6QpzZWNvbmQK\n", Some(b"caf\xe9\nsecond\n")),
            ("text/plain", "base64", "not base64 !!\n", Some(b"\x9e\x8b[j\xc7\xba\n")),
            ("application/pdf", "base64", "AAEC\n", None),
            ("multipart/mixed; boundary=x", "quoted-printable", "=E9\n", None),
            ("text/plain", "7bit", "a\n", None),
        ] {
            let mut list = HeaderList::default();
            list.push(Header::new("MIME-Version", " 1.0"));
            list.push(Header::new("Content-Type", format!(" {kind}")));
            list.push(Header::new("Content-Transfer-Encoding", format!(" {encoding}")));
            let found = to_8bit(&mut list, body.as_bytes(), &by);
            assert_eq!(found.as_deref(), expected, "{kind} {encoding}");
            let note = list.first("X-MIME-Autoconverted").map(|h| String::from_utf8_lossy(h.text()).into_owned());
            let encoding = encoding.to_ascii_lowercase();
            let said = expected.map(|_| format!(" from {encoding} to 8bit by mta.example.test id QID"));
            assert_eq!(note, said);
        }
    }
}
