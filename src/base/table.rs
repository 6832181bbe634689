//! Looking up names in tables: exact, abbreviated, nearest.

/// What a name that may be abbreviated turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match<'a> {
    /// The whole name, letter case aside.
    Exact(&'a str),
    /// An unambiguous beginning.
    Abbreviation(&'a str),
    /// A beginning of several names; the first two in table order.
    Ambiguous(&'a str, &'a str),
    /// Nothing begins like this.
    Unknown,
}

/// Finds `name` in `names`, as the original matches option names: letter case ignored, unique beginnings accepted.
pub fn abbreviated<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Match<'a> {
    let mut found: Option<&'a str> = None;
    let mut second: Option<&'a str> = None;
    for candidate in names {
        if candidate.eq_ignore_ascii_case(name) {
            return Match::Exact(candidate);
        }
        if candidate.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)) {
            match found {
                None => found = Some(candidate),
                Some(_) if second.is_none() => second = Some(candidate),
                Some(_) => {}
            }
        }
    }
    match (found, second) {
        (None, _) => Match::Unknown,
        (Some(one), None) => Match::Abbreviation(one),
        (Some(one), Some(two)) => Match::Ambiguous(one, two),
    }
}

/// The legal name nearest to a misspelt one, when it is near enough to be what was meant.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_ascii_lowercase();
    let limit = (wanted.len() / 3).max(1);
    names
        .into_iter()
        // So many edits it takes at least; a long text is near to nothing and not looked at for long.
        .filter(|n| n.len().abs_diff(wanted.len()) <= limit)
        .map(|n| (distance(wanted.as_bytes(), n.to_ascii_lowercase().as_bytes()), n))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, n)| n)
}

/// Edits that turn one text into the other (insert, delete, replace).
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_must_be_unique() {
        let names = ["Timeout", "TimeZoneSpec", "LogLevel"];
        assert_eq!(abbreviated("loglevel", names), Match::Exact("LogLevel"));
        assert_eq!(abbreviated("Log", names), Match::Abbreviation("LogLevel"));
        assert_eq!(abbreviated("Time", names), Match::Ambiguous("Timeout", "TimeZoneSpec"));
        assert_eq!(abbreviated("Nope", names), Match::Unknown);
    }

    #[test]
    fn nearest_finds_the_misspelt_name() {
        assert_eq!(nearest("CACertPth", ["CACertPath", "CACertFile"]), Some("CACertPath"));
        assert_eq!(nearest("zzz", ["CACertPath"]), None);
        assert_eq!(nearest(&"x".repeat(1_000_000), ["CACertPath"; 100]), None);
    }
}
