//! Class `regex`: POSIX regular expressions.

use std::ffi::CString;

use bytes::Bytes;

use crate::sys::posix;

use super::flags::Flags;

/// Between substrings unless `-d` says otherwise: the original's byte for `$|`, which is no operator within a token.
const DELIMITER: &[u8] = b"\x9b";

/// An expression with what becomes of a match.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: posix::Regex,
    negated: bool,
    fields: Option<Vec<usize>>,
    delimiter: Bytes,
}

impl Pattern {
    /// Compiles the expression behind the flags; errors in the original's words.
    pub(crate) fn new(flags: &Flags) -> Result<Self, String> {
        let failed = |why: &str| format!("pattern-compile-error: {why}");
        let source = CString::new(flags.rest.as_ref()).map_err(|_| failed("Invalid regular expression"))?;
        let syntax = posix::Flags { extended: !flags.has(b'b'), ignore_case: !flags.has(b'f') };
        let regex = posix::Regex::new(&source, syntax).map_err(|why| failed(&why))?;
        let groups = regex.groups();
        let fields = match flags.text(b's') {
            None => None,
            Some(list) if list.is_empty() => Some((0..=groups).collect()),
            Some(list) => Some(fields(list, groups)?),
        };
        let delimiter = flags.text(b'd').cloned().unwrap_or(Bytes::from_static(DELIMITER));
        Ok(Self { regex, negated: flags.has(b'n'), fields, delimiter })
    }

    /// Matches; the value is empty when no substrings are asked for. `args` may choose other substrings than `-s` does.
    ///
    /// Errors: a substring that the expression does not have, in the original's words; nothing is found then. Source: observed.
    pub(crate) fn find(&self, key: &[u8], args: &[Bytes]) -> Result<Option<Bytes>, String> {
        let Ok(subject) = CString::new(key) else { return Ok(None) };
        let found = self.regex.find(&subject);
        if self.negated {
            return Ok(found.is_none().then(Bytes::new));
        }
        let Some(found) = found else { return Ok(None) };
        let Some(own) = &self.fields else { return Ok(Some(Bytes::new())) };
        Ok(match args.first() {
            Some(chosen) => self.substrings(key, &found, &fields(chosen, self.regex.groups())?),
            None => self.substrings(key, &found, own),
        })
    }

    /// The substrings in the order asked for. A blank outside of quotes makes the value none that a rule could take.
    fn substrings(&self, key: &[u8], found: &[Option<(usize, usize)>], fields: &[usize]) -> Option<Bytes> {
        let mut out = Vec::new();
        let mut quoted = false;
        for (nth, field) in fields.iter().enumerate() {
            if nth > 0 {
                out.extend_from_slice(&self.delimiter);
            }
            let Some((start, end)) = found.get(*field).copied().flatten() else { continue };
            let mut bytes = key.get(start..end)?.iter().copied();
            while let Some(byte) = bytes.next() {
                out.push(byte);
                match byte {
                    b'\\' => out.extend(bytes.next()),
                    b'"' => quoted = !quoted,
                    b' ' | b'\t' if !quoted => return None,
                    _ => {}
                }
            }
        }
        if quoted {
            out.push(b'"');
        }
        Some(out.into())
    }
}

/// Numbers of a list like `1,3`, each at most `groups`. Errors: in the original's words.
fn fields(list: &[u8], groups: usize) -> Result<Vec<usize>, String> {
    let number = |item: &[u8]| {
        let number = crate::base::bytes::leading_number(item);
        usize::try_from(number)
            .ok()
            .filter(|number| *number <= groups)
            .ok_or_else(|| format!("field ({number}) out of range, only {} substrings in pattern", groups + 1))
    };
    list.split(|byte| *byte == b',').map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::flags;

    fn find(line: &str, key: &str, args: &[&str]) -> Option<String> {
        let (flags, _) = flags::parse(line.as_bytes(), flags::REGEX);
        let args: Vec<Bytes> = args.iter().map(|a| Bytes::from((*a).to_owned())).collect();
        let value = Pattern::new(&flags).unwrap().find(key.as_bytes(), &args).unwrap()?;
        let shown = value.iter().map(|b| if *b == 0x9b { b'^' } else { *b }).collect();
        Some(String::from_utf8(shown).unwrap())
    }

    #[test]
    fn substrings_come_as_asked() {
        for (line, key, args, value) in [
            ("-s1,3 -d: ^(.)(.)(.)$", "abc", &[][..], Some("a:c")),
            ("-s2,1 -d, ^(.)(.)", "abc", &[], Some("b,a")),
            ("-s2,1 -d, ^(.)(.)", "abc", &["one"], Some("ab")),
            ("-s (a)(b)", "xaby", &[], Some("ab^a^b")),
            (r"-b -s1 ^a\(b*\)c", "abbc", &[], Some("bb")),
            ("^K", "k1", &[], Some("")),
            ("-f ^K", "k1", &[], None),
            ("-n ^k", "x", &[], Some("")),
            ("-n ^k", "k", &[], None),
            ("-s1,2 -d, ^(.)(.*)$", "a b", &[], None),
            ("-s1,2 -d, ^(.)(.*)$", "\"a b\"", &[], Some("\",a b\"")),
        ] {
            assert_eq!(find(line, key, args).as_deref(), value, "{line} on {key}");
        }
    }

    #[test]
    fn bad_patterns_are_told_in_the_original_words() {
        for (line, text) in [
            ("[a", "pattern-compile-error: Unmatched [, [^, [:, [., or [="),
            ("-s1,5 (a)", "field (5) out of range, only 2 substrings in pattern"),
            ("-s-1 (a)", "field (-1) out of range, only 2 substrings in pattern"),
        ] {
            let (flags, _) = flags::parse(line.as_bytes(), flags::REGEX);
            assert_eq!(Pattern::new(&flags).unwrap_err(), text);
        }
    }

    #[test]
    fn substrings_that_are_not_there_are_told() {
        let (flags, _) = flags::parse(b"-s1 ^(.)(.)$", flags::REGEX);
        let pattern = Pattern::new(&flags).unwrap();
        for number in ["3", "-1", "2,3"] {
            let bad = number.trim_start_matches("2,");
            let told = format!("field ({bad}) out of range, only 3 substrings in pattern");
            assert_eq!(pattern.find(b"ab", &[Bytes::from(number)]), Err(told));
            assert_eq!(pattern.find(b"abc", &[Bytes::from(number)]), Ok(None), "what does not match chooses nothing");
        }
    }
}
