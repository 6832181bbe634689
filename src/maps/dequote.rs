//! Class `dequote`: takes the quotes off a key when what remains is one thing.

use bytes::Bytes;

/// Removes quotes; `None` when there were none, when a blank stays (unless `space` replaces it), or when brackets or quotes do
/// not match up.
///
/// Source: observed (`"a.b"` gives `a.b`, `"a b"` nothing, `-s_` makes it `a_b`, `"a\"b"` gives `a\"b`, `a"b"` gives `ab`).
pub(crate) fn dequote(key: &[u8], space: Option<u8>) -> Option<Bytes> {
    let mut out = Vec::with_capacity(key.len());
    let (mut quotes, mut angles, mut parentheses) = (0usize, 0i32, 0i32);
    let mut quoted = false;
    let mut bytes = key.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                quotes += 1;
                quoted = !quoted;
                continue;
            }
            b'\\' => {
                out.push(byte);
                out.push(bytes.next()?);
                continue;
            }
            b'(' => parentheses += 1,
            b')' => parentheses -= 1,
            b'<' => angles += 1,
            b'>' => angles -= 1,
            _ => {}
        }
        if parentheses < 0 || angles < 0 {
            return None;
        }
        out.push(match byte {
            b' ' => space?,
            other => other,
        });
    }
    (quotes > 0 && !quoted && parentheses == 0 && angles == 0).then(|| out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_go_when_one_thing_remains() {
        for (key, space, value) in [
            (r#""a.b""#, None, Some("a.b")),
            (r#""a b""#, None, None),
            (r#""a b""#, Some(b'_'), Some("a_b")),
            (r#""a\"b""#, None, Some(r#"a\"b"#)),
            (r#"a"b""#, None, Some("ab")),
            ("ab", None, None),
            (r#""""#, None, Some("")),
            (r#""a(b""#, None, None),
            (r#""a<b""#, None, None),
            (r#"a"b"#, None, None),
        ] {
            assert_eq!(dequote(key.as_bytes(), space).as_deref(), value.map(str::as_bytes), "{key}");
        }
    }
}
