//! `F` lines: where the words of a class come from, and the words of a class file.

use bytes::Bytes;

use super::reader::Reader;
use super::{ClassLookup, lines};
use crate::base::bytes::{split_once, trim};
use crate::base::exit::Exit;
use crate::macros::MacroId;

impl Reader<'_> {
    /// `Fc[-o ]/path [pattern]`, `Fc|program`, `Fckey@class:spec`.
    ///
    /// The path ends at the first blank outside of quotes; so a program with arguments stands in quotes. Macros are not
    /// expanded in either (observed).
    pub(super) fn class_file_line(&mut self, text: &[u8]) {
        let Some((id, rest)) = self.name(text) else { return };
        self.config.classes.declare(id);
        let mut rest = trim(rest);
        let optional = rest.starts_with(b"-o");
        if optional {
            let word = rest.iter().take_while(|b| !b.is_ascii_whitespace()).count();
            rest = trim(rest.get(word..).unwrap_or_default());
        }
        if rest.is_empty() {
            return self.error("fileclass: missing file name".to_owned());
        }
        let is_path = matches!(rest.first(), Some(b'/' | b'|' | b'"'));
        if let Some((key, spec)) = split_once(rest, b'@').filter(|_| !is_path) {
            // Everything else without a colon is a file's name.
            if spec == b"LDAP" || spec.contains(&b':') {
                return self.class_lookup(id, key, spec, optional);
            }
        }
        let (path, pattern) = lines::munch(rest, Some(b' '));
        if rest.strip_suffix(pattern).is_some_and(|path| path.ends_with(b"\\")) {
            return self.error(format!("illegal filename '{}'", lines::quoted(rest)));
        }
        let pattern = Some(trim(pattern)).filter(|pattern| !pattern.is_empty()).unwrap_or(b"%s");
        let result = match path.strip_prefix(b"|") {
            Some(command) => {
                let options = &self.config.options;
                self.outside.class_program(trim(command), &options.default_user, options.queue_directory.as_deref())
            }
            None => self.outside.class_file(&path, self.config.options.dont_blame_sendmail),
        };
        match result {
            Ok(text) => {
                for word in words(&text, pattern) {
                    self.config.classes.add(id, &word);
                }
            }
            Err(_) if optional => {}
            Err(reason) => {
                let path = lines::quoted(&path);
                self.error_with(format!("fileclass: cannot open '{path}': {reason}"), Exit::OSERR);
            }
        }
    }

    fn class_lookup(&mut self, class: MacroId, key: &[u8], spec: &[u8], optional: bool) {
        let spec = self.expand(spec);
        let (map, arguments) = split_once(&spec, b':').unwrap_or((&spec, b""));
        let map = if map == b"LDAP" { &b"ldap"[..] } else { map };
        let line = self.place.as_ref().map_or(0, |(_, line)| *line);
        self.config.class_lookups.push(ClassLookup {
            class,
            key: Bytes::copy_from_slice(key),
            map_class: Bytes::copy_from_slice(map),
            arguments: Bytes::copy_from_slice(arguments),
            optional,
            line,
        });
    }
}

/// Words that the lines of `text` give under a scanf pattern; lines that begin with `#` are comments.
///
/// Shape: the pattern is `%s` (first word of the line), `%c`, `%[set]` or `%[^set]`, with an optional width, between
/// literal text; a blank in it matches any number of blanks. What the first conversion read is cut into words at blanks.
/// A set that is not closed takes the whole pattern; so `%[^#]`, which ends at its `#`, takes whole lines.
/// Source: op guide 5.3; scanf(3); observed.
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
    let width = std::str::from_utf8(width).ok()?.parse().ok();
    let sizes = tail.iter().take_while(|b| matches!(b, b'h' | b'l' | b'L')).count();
    let (kind, tail) = tail.get(sizes..)?.split_first()?;
    let (input, length, tail) = match kind {
        b'c' => (input, width.unwrap_or(1), tail),
        b's' => {
            let input = input.trim_ascii_start();
            (input, input.iter().take_while(|b| !b.is_ascii_whitespace()).count(), tail)
        }
        b'[' => {
            let (negated, set) = tail.strip_prefix(b"^").map_or((false, tail), |set| (true, set));
            // A bracket that stands first is a member.
            let end = set.iter().skip(1).position(|b| *b == b']').map_or(set.len(), |at| at + 1);
            let (members, after) = set.split_at_checked(end)?;
            let length = input.iter().take_while(|b| is_member(members, **b) != negated).count();
            (input, length, after.get(1..).unwrap_or_default())
        }
        _ => return None,
    };
    let (value, left) = input.split_at(length.min(width.unwrap_or(usize::MAX)).min(input.len()));
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
            ("%2c", vec!["10", "ho", "la"]),
            ("%ls", vec!["10.0.0.1", "host:two", "last"]),
            ("%[^", vec!["10.0.0.1", "host", "one", "host:two", "words", "last"]),
        ] {
            let found: Vec<String> =
                words(text.as_bytes(), pattern.as_bytes()).into_iter().map(|w| String::from_utf8(w).unwrap()).collect();
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
