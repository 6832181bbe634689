//! What the `authinfo` ruleset says.

use crate::smtp::client::auth::Credentials;

/// Reads `"U:user" "I:identity" "P:secret" "R:realm" "M:PLAIN LOGIN"`, a value after `=` in base64. `None` when
/// something else stands there, or a user or the secret is missing.
///
/// Source: op guide 5.1.4.13 (authinfo); builtin_rulesets.tsv; observed.
pub fn parse(text: &[u8]) -> Option<Credentials> {
    let mut found = Credentials::default();
    let mut has_secret = false;
    for (n, word) in text.split(|b| *b == b'"').enumerate() {
        if n % 2 == 0 {
            if !word.trim_ascii().is_empty() {
                return None;
            }
            continue;
        }
        let (letter, kind, value) = (word.first()?, word.get(1)?, word.get(2..)?);
        let value = match kind {
            b':' => value.to_vec(),
            b'=' => decoded(value)?,
            _ => return None,
        };
        let slot = match letter.to_ascii_uppercase() {
            b'U' => &mut found.user,
            b'I' => &mut found.identity,
            b'P' => &mut found.password,
            b'R' => &mut found.realm,
            b'M' => &mut found.mechanisms,
            _ => return None,
        };
        *slot = value;
        has_secret |= letter.eq_ignore_ascii_case(&b'P');
    }
    let has_user = !found.user.is_empty() || !found.identity.is_empty();
    (has_user && has_secret).then_some(found)
}

/// Reads the file of `DefaultAuthInfo`: user, identity, secret, realm and mechanisms, a line each; later ones may be missing.
///
/// Source: op guide 5.6 (DefaultAuthInfo).
pub fn parse_file(text: &[u8]) -> Option<Credentials> {
    let mut lines = text.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec());
    let mut next = || lines.next().unwrap_or_default();
    let found = Credentials { user: next(), identity: next(), password: next(), realm: next(), mechanisms: next() };
    (!found.user.is_empty() && !found.password.is_empty()).then_some(found)
}

/// Base64 as RFC 4648 §4 writes it; `None` when it is none.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for b in text.iter().take_while(|b| **b != b'=') {
        let value = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6 | u32::from(value)) & 0x00ff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_value_on_each_line() {
        let found = parse_file(b"me\nid\nsecret\n\nPLAIN\n").unwrap();
        assert_eq!((found.user.as_slice(), found.identity.as_slice()), (&b"me"[..], &b"id"[..]));
        assert_eq!((found.password.as_slice(), found.realm.as_slice()), (&b"secret"[..], &b""[..]));
        assert_eq!(found.mechanisms, b"PLAIN");
        assert!(parse_file(b"me\nid\n").is_none());
    }

    #[test]
    fn values_are_plain_or_base64() {
        let found = parse(b"\"U:root\" \"I=YWxpY2U=\" \"P:a b\" \"M:PLAIN LOGIN\"").unwrap();
        assert_eq!((found.user.as_slice(), found.identity.as_slice()), (&b"root"[..], &b"alice"[..]));
        assert_eq!((found.password.as_slice(), found.mechanisms.as_slice()), (&b"a b"[..], &b"PLAIN LOGIN"[..]));
        assert!(parse(b"").is_none());
        for bad in [
            &b"\"I=?\" \"P:x\""[..],
            b"\"U:u\"",
            b"\"P:x\"",
            b"\"X:y\" \"U:u\" \"P:x\"",
            b"U:u P:x",
            b"authinfo \"U:u\" \"P:x\"",
            b"\"U\" \"P:x\"",
        ] {
            assert!(parse(bad).is_none(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
