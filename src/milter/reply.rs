//! Replies that filters give in their own words.

use bytes::Bytes;

use crate::base::status::Status;

/// A reply of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three-digit code, 4xx or 5xx.
    pub code: u16,
    /// Enhanced code.
    pub status: Status,
    /// Words of all lines, joined by `\n`.
    pub text: Bytes,
}

impl Reply {
    /// Reads `CODE[ -][D.D.D ]words`, one or more lines, `%%` for a percent sign.
    ///
    /// `None` when it is no refusal. Without an enhanced code it is `4.0.0` or `5.0.0`. Source: libmilter's manual
    /// (`smfi_setreply`, `smfi_setmlreply`); observed.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end);
        let (code, status, words) = line(lines.next()?)?;
        let mut whole = unescaped(words)?;
        for rest in lines.filter(|l| !l.is_empty()) {
            whole.push(b'\n');
            // What does not begin with a code is taken as words.
            let words = line(rest).map_or(rest, |(_, _, words)| words);
            whole.extend_from_slice(&unescaped(words)?);
        }
        Some(Self { code, status, text: whole.into() })
    }
}

fn line(text: &[u8]) -> Option<(u16, Status, &[u8])> {
    let (digits, rest) = text.split_at_checked(3)?;
    if !matches!(digits, [b'4' | b'5', b'0'..=b'9', b'0'..=b'9']) {
        return None;
    }
    let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let words = match rest.split_first() {
        Some((b' ' | b'-', words)) => words,
        None => b"",
        Some(_) => return None,
    };
    let class = u8::try_from(code / 100).unwrap_or(5);
    match Status::parse_prefix(words) {
        Some((status, rest)) if matches!(status.0, 4 | 5) => Some((code, status, rest.trim_ascii_start())),
        _ => Some((code, Status(class, 0, 0), words)),
    }
}

/// `%%` as `%`; `None` for a percent sign alone.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(b) = bytes.next() {
        if *b == b'%' && bytes.next() != Some(&b'%') {
            return None;
        }
        out.push(*b);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read_and_nothing_else_is() {
        let reply = |code, status, text: &'static str| Some(Reply { code, status, text: text.into() });
        for (text, expected) in [
            ("550 5.7.1 own words", reply(550, Status(5, 7, 1), "own words")),
            ("451 4.7.1 own later", reply(451, Status(4, 7, 1), "own later")),
            ("550 nodsn", reply(550, Status(5, 0, 0), "nodsn")),
            ("550 4.1.1 other class", reply(550, Status(4, 1, 1), "other class")),
            ("550-5.7.1 one\r\n550 5.7.1 two", reply(550, Status(5, 7, 1), "one\ntwo")),
            ("550 5.7.1 100%% sure", reply(550, Status(5, 7, 1), "100% sure")),
            ("550 5.7.1 100% sure", None),
            ("999 5.1.1 odd", None),
            ("250 2.0.0 fine", None),
            ("5505.1.1", None),
            ("junk", None),
            ("", None),
        ] {
            assert_eq!(Reply::parse(text.as_bytes()), expected, "{text}");
        }
    }
}
