//! Macros and classes that a line names.

/// What a reference does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// `$x`, `$&x`.
    Macro,
    /// `$?x`: asks whether it is set.
    Test,
    /// `$=x`, `$~x`.
    Class,
}

/// A reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// What it does.
    pub(super) what: Use,
    /// The name, without braces.
    pub(super) name: Vec<u8>,
    /// As it is written.
    pub(super) shown: String,
}

/// All references of a text.
pub(super) fn scan(text: &[u8]) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'\\' && tail.first() == Some(&b'$') {
            rest = tail.get(1..).unwrap_or_default();
            continue;
        }
        if *first != b'$' {
            continue;
        }
        let Some((second, behind)) = tail.split_first() else { break };
        let (what, name_at) = match second {
            b'$' => {
                rest = behind;
                continue;
            }
            b'=' | b'~' => (Use::Class, behind),
            b'?' => (Use::Test, behind),
            b'&' => (Use::Macro, behind),
            b if b.is_ascii_alphabetic() || *b == b'{' || *b == b'_' => (Use::Macro, tail),
            _ => {
                rest = behind;
                continue;
            }
        };
        let Some((name, after)) = name(name_at) else { continue };
        let length = text.len() - rest.len() - 1;
        let end = text.len() - after.len();
        let shown = String::from_utf8_lossy(text.get(length..end).unwrap_or_default()).into_owned();
        found.push(Reference { what, name, shown });
        rest = after;
    }
    found
}

/// A name and what follows it.
pub(super) fn name(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (first, rest) = text.split_first()?;
    if *first != b'{' {
        return first.is_ascii_graphic().then(|| (vec![*first], rest));
    }
    let end = rest.iter().position(|b| *b == b'}')?;
    Some((rest.get(..end)?.to_vec(), rest.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_operators() {
        let found = scan(b"$* $=w <$~{Foo}> $1 $$x \\$y $&{bar} $?z $j$|$.$#local $@ $: $>3 ${a}");
        let shown: Vec<&str> = found.iter().map(|r| r.shown.as_str()).collect();
        assert_eq!(shown, ["$=w", "$~{Foo}", "$&{bar}", "$?z", "$j", "${a}"]);
        assert_eq!(found[1].name, b"Foo");
        assert_eq!(found[3].what, Use::Test);
    }
}
