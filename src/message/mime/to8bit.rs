//! An encoded text for a mailer that wants it plain (`F=9`).

use super::Converter;
use super::structure::ContentType;
use crate::message::{Header, HeaderList};

/// Decodes a message that is one `text/plain` part in quoted-printable or base64; `None` for all others.
///
/// Changes the header accordingly. The text ends with a line of its own, as that of the original does.
/// Source: op guide 5.4 (F=9); observed (hdr/mime-7to8).
pub fn to_8bit(headers: &mut HeaderList, body: &[u8], by: &Converter<'_>) -> Option<Vec<u8>> {
    let kind = ContentType::parse(headers.first("Content-Type")?.text());
    if !kind.is_plain_text() {
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

/// What is not hexadecimal behind a `=` ends its line as a soft break does. Source: observed.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 1);
    for line in text.split_inclusive(|b| *b == b'\n') {
        let mut rest = line;
        while let Some((first, tail)) = rest.split_first() {
            rest = tail;
            match (first, tail) {
                (b'=', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    out.push(hex(*high) << 4 | hex(*low));
                    rest = after;
                }
                (b'=', _) => break,
                _ => out.push(*first),
            }
        }
    }
    let mut plain = canonical(&out);
    plain.push(b'\n');
    plain
}

/// White space aside, characters count by fours; four that begin with padding say nothing, nor do fewer than four.
///
/// What is no digit counts as the last one. CRLF becomes a newline. Source: observed.
fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let digits: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    for group in digits.chunks_exact(4) {
        let [first, second, third, fourth] = group else { break };
        if *first == b'=' || *second == b'=' {
            continue;
        }
        out.push(sextet(*first) << 2 | sextet(*second) >> 4);
        if *third == b'=' {
            continue;
        }
        out.push(sextet(*second) << 4 | sextet(*third) >> 2);
        if *fourth == b'=' {
            continue;
        }
        out.push(sextet(*third) << 6 | sextet(*fourth));
    }
    let mut plain = canonical(&out);
    if plain.last().is_some_and(|b| *b != b'\n') {
        if plain.last() == Some(&b'\r') {
            plain.pop();
        }
        plain.push(b'\n');
    }
    plain.push(b'\n');
    plain
}

/// With newlines for CRLF.
fn canonical(text: &[u8]) -> Vec<u8> {
    let mut plain: Vec<u8> = Vec::with_capacity(text.len() + 2);
    for b in text {
        if *b == b'\n' && plain.last() == Some(&b'\r') {
            plain.pop();
        }
        plain.push(*b);
    }
    plain
}

fn sextet(digit: u8) -> u8 {
    match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        _ => 63,
    }
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
    fn only_single_parts_of_plain_text_are_decoded() {
        let by = super::super::tests::converter();
        for (kind, encoding, body, expected) in [
            ("text/plain", "quoted-printable", "caf=E9 soft=\nbreak =3D\n", Some(&b"caf\xe9 softbreak =\n\n"[..])),
            ("text/plain", "Quoted-Printable", "a=zz\nb= \nc \n=0D=0Ad=", Some(b"abc \n\nd\n")),
            ("Text/Plain; charset=x", "Base64", "Y2Fm6QpzZWNvbmQK\n", Some(b"caf\xe9\nsecond\n\n")),
            ("text/plain (c)", "base64", "not base64 !!\n", Some(b"\x9e\x8b[j\xc7\xba\n\n")),
            ("text/plain", "base64", "Y2!F Y2=m\nY=Y2\nYQ0KDQ==YQ", Some(b"co\xc5ca\n\n\n")),
            ("text/plain", "base64", "", Some(b"\n")),
            ("text/plain", "base64 (c)", "YQ==\n", None),
            ("text/html", "base64", "YQ==\n", None),
            ("text / plain", "base64", "YQ==\n", None),
            ("application/pdf", "base64", "AAEC\n", None),
            ("multipart/mixed; boundary=x", "quoted-printable", "=E9\n", None),
            ("text/plain", "7bit", "a\n", None),
        ] {
            let mut list = HeaderList::default();
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
