//! Words of a class file.

/// Words that the lines of `text` give under a scanf pattern; lines that begin with `#` are comments.
///
/// Shape: the pattern is `%s` (first word of the line), `%[set]` or `%[^set]`, with an optional width, between literal
/// text; a blank in it matches any number of blanks. What the first conversion read is cut into words at blanks.
/// Source: op guide 5.3; scanf(3).
pub(super) fn words(text: &[u8], pattern: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for line in text.split(|b| *b == b'\n').filter(|l| l.first() != Some(&b'#')) {
        let Some(value) = scan(line, pattern) else { continue };
        found.extend(value.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).map(<[u8]>::to_vec));
    }
    found
}

/// What the first conversion of `pattern` reads from `line`.
fn scan<'a>(line: &'a [u8], pattern: &[u8]) -> Option<&'a [u8]> {
    let mut input = line;
    let mut rest = pattern;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match *first {
            b if b.is_ascii_whitespace() => input = input.trim_ascii_start(),
            b'%' if tail.first() == Some(&b'%') => {
                input = input.strip_prefix(b"%")?;
                rest = tail.get(1..)?;
            }
            b'%' => {
                let (skip, tail) = tail.strip_prefix(b"*").map_or((false, tail), |tail| (true, tail));
                let (value, left, after) = convert(input, tail)?;
                if !skip {
                    return Some(value);
                }
                input = left;
                rest = after;
            }
            literal => input = input.strip_prefix(&[literal])?,
        }
    }
    None
}

/// Reads one conversion: its value, the input behind it, the pattern behind it.
fn convert<'i, 'p>(input: &'i [u8], pattern: &'p [u8]) -> Option<(&'i [u8], &'i [u8], &'p [u8])> {
    let digits = pattern.iter().take_while(|b| b.is_ascii_digit()).count();
    let (width, tail) = pattern.split_at_checked(digits)?;
    let width = std::str::from_utf8(width).ok()?.parse().unwrap_or(usize::MAX);
    let (kind, tail) = tail.split_first()?;
    let (input, length, tail) = match kind {
        b's' => {
            let input = input.trim_ascii_start();
            (input, input.iter().take_while(|b| !b.is_ascii_whitespace()).count(), tail)
        }
        b'[' => {
            let (negated, set) = tail.strip_prefix(b"^").map_or((false, tail), |set| (true, set));
            // A bracket that stands first is a member.
            let end = set.iter().skip(1).position(|b| *b == b']')? + 1;
            let (members, after) = set.split_at_checked(end)?;
            let length = input.iter().take_while(|b| is_member(members, **b) != negated).count();
            (input, length, after.get(1..)?)
        }
        _ => return None,
    };
    let (value, left) = input.split_at_checked(length.min(width))?;
    (!value.is_empty()).then_some((value, left, tail))
}

fn is_member(set: &[u8], byte: u8) -> bool {
    let range = set.windows(3).any(|w| matches!(w, [low, b'-', high] if (*low..=*high).contains(&byte)));
    range || set.contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose_a_part_of_each_line() {
        let text = "# comment\n10.0.0.1 host one\nhost:two words\n\nlast";
        for (pattern, expected) in [
            ("%s", vec!["10.0.0.1", "host:two", "last"]),
            ("%[0-9.]", vec!["10.0.0.1"]),
            ("%*s %s", vec!["host", "words"]),
            ("host:%[^\n]", vec!["two", "words"]),
            ("%2s", vec!["10", "ho", "la"]),
        ] {
            let found: Vec<String> =
                words(text.as_bytes(), pattern.as_bytes()).into_iter().map(|w| String::from_utf8(w).unwrap()).collect();
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
