//! The address within a header item: `Joe <joe@x> (home)` is `joe@x` between `Joe <` and `> (home)`.

/// An item taken apart. Joined in this order it is the item again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cracked<'a> {
    /// Phrase, comments, bracket in front.
    pub before: &'a [u8],
    /// The address.
    pub address: &'a [u8],
    /// Bracket, comments behind.
    pub after: &'a [u8],
}

/// Finds the address. Source: RFC 5322 §3.4; engine_semantics §6 (`Cracked address`).
pub fn crack(item: &[u8]) -> Cracked<'_> {
    if let Some(open) = outside(item, 0).find(|(_, b)| *b == b'<').map(|(at, _)| at) {
        let close = outside(item, open + 1).find(|(_, b)| *b == b'>').map_or(item.len(), |(at, _)| at);
        let inner = item.get(open + 1..close).unwrap_or_default();
        let (start, end) = trimmed(inner, open + 1);
        return cut(item, start, end);
    }
    let group = outside(item, 0)
        .find(|(_, b)| matches!(b, b':' | b'@'))
        .filter(|(at, b)| *b == b':' && item.get(at + 1) != Some(&b':'));
    let from = group.map_or(0, |(at, _)| at + 1);
    let mut start = None;
    let mut end = from;
    for (at, b) in outside(item, from) {
        if !b.is_ascii_whitespace() && b != b';' {
            start.get_or_insert(at);
            end = at + 1;
        }
    }
    match start {
        // Within an address comments are rare; what begins and ends it counts.
        Some(start) => cut(item, start, end),
        None => cut(item, item.len(), item.len()),
    }
}

/// What stands in front of an address (`Joe B. <`), the phrase in quotes when it has characters of `MustQuoteChars` that
/// are not quoted yet. Phrases with comments stay. Source: observed: cli/t-recipients.
pub fn quoted_phrase(before: &[u8], must_quote: &[u8]) -> Vec<u8> {
    let Some(phrase) = before.strip_suffix(b"<").map(<[u8]>::trim_ascii) else { return before.to_vec() };
    let mut is_inside = false;
    let needs_quotes = phrase.iter().any(|b| {
        is_inside ^= *b == b'"';
        !is_inside && (must_quote.contains(b) || b"@,;[]".contains(b))
    });
    if !needs_quotes || phrase.iter().any(|b| matches!(b, b'(' | b')' | b'\\' | b':')) {
        return before.to_vec();
    }
    let start = before.len() - before.trim_ascii_start().len();
    let mut out = before.get(..start).unwrap_or_default().to_vec();
    out.push(b'"');
    out.extend(phrase.iter().filter(|b| **b != b'"'));
    out.push(b'"');
    out.extend_from_slice(before.get(start + phrase.len()..).unwrap_or_default());
    out
}

fn cut(item: &[u8], start: usize, end: usize) -> Cracked<'_> {
    let (rest, after) = item.split_at(end.min(item.len()));
    let (before, address) = rest.split_at(start.min(rest.len()));
    Cracked { before, address, after }
}

fn trimmed(inner: &[u8], base: usize) -> (usize, usize) {
    let front = inner.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let back = inner.iter().rev().take_while(|b| b.is_ascii_whitespace()).count();
    (base + front, (base + inner.len()).saturating_sub(back).max(base + front))
}

/// Bytes outside of comments from `from` on. Within quotes every byte comes as a quote, so that nothing in there counts.
fn outside(item: &[u8], from: usize) -> impl Iterator<Item = (usize, u8)> + '_ {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    item.iter().copied().enumerate().skip(from).filter_map(move |(at, b)| {
        if std::mem::take(&mut escaped) {
            return (depth == 0).then_some((at, b'"'));
        }
        match b {
            b'\\' => escaped = true,
            b'"' if depth == 0 => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted && depth > 0 => {
                depth -= 1;
                return None;
            }
            _ => {}
        }
        (depth == 0).then_some((at, if quoted { b'"' } else { b }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_with_dots_are_quoted() {
        for (before, quoted) in [
            ("Carol C. <", "\"Carol C.\" <"),
            (" Joe <", " Joe <"),
            ("\"Al, Ice\" <", "\"Al, Ice\" <"),
            ("<", "<"),
            ("Al (b.) C. <", "Al (b.) C. <"),
        ] {
            assert_eq!(quoted_phrase(before.as_bytes(), b"@,;:\\()[].'"), quoted.as_bytes(), "{before}");
        }
    }

    #[test]
    fn the_address_is_found_among_phrases_and_comments() {
        let cases = [
            ("bob", ("", "bob", "")),
            (" bob ", (" ", "bob", " ")),
            ("(pre) \"Al, <Ice>\" <alice> (post)", ("(pre) \"Al, <Ice>\" <", "alice", "> (post)")),
            ("erin (the (e))", ("", "erin", " (the (e))")),
            ("grp: bob", ("grp: ", "bob", "")),
            ("carol;", ("", "carol", ";")),
            ("@a,@b:u@c", ("", "@a,@b:u@c", "")),
            ("Joe < a@b >", ("Joe < ", "a@b", " >")),
            ("a@b (x) c", ("", "a@b (x) c", "")),
            ("\"unbalanced <bob>", ("", "\"unbalanced <bob>", "")),
            ("(only)", ("(only)", "", "")),
            ("", ("", "", "")),
        ];
        for (item, (before, address, after)) in cases {
            let cracked = crack(item.as_bytes());
            let shown = |b: &[u8]| String::from_utf8(b.to_vec()).unwrap();
            assert_eq!(
                (shown(cracked.before), shown(cracked.address), shown(cracked.after)),
                (before.to_owned(), address.to_owned(), after.to_owned()),
                "{item}"
            );
        }
    }
}
