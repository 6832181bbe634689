//! Flags of `K` lines.

use bytes::Bytes;

/// What follows a flag letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing; text up to the next blank is ignored.
    Nothing,
    /// Text up to the next blank, perhaps empty.
    Text,
    /// A word, blanks in front of it skipped.
    Word,
    /// As a word, but blanks may stand in double quotes.
    Quoted,
    /// One character; `\n` and `\t` are known.
    Character,
}

/// A flag.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its letter.
    pub letter: u8,
    /// What follows it.
    pub takes: Takes,
    /// What it does.
    pub effect: &'static str,
}

/// Flags that all classes share, sorted by letter. Source: op guide 5.7; observed (letters that are refused).
#[rustfmt::skip]
pub static COMMON: &[Row] = &[
    Row { letter: b'A', takes: Takes::Nothing,   effect: "a rebuild merges the values of one key" },
    Row { letter: b'D', takes: Takes::Nothing,   effect: "no lookup in DeliveryMode d" },
    Row { letter: b'N', takes: Takes::Nothing,   effect: "keys end in NUL" },
    Row { letter: b'O', takes: Takes::Nothing,   effect: "keys do not end in NUL" },
    Row { letter: b'S', takes: Takes::Character, effect: "replaces blanks in the key made by a rule" },
    Row { letter: b'T', takes: Takes::Text,      effect: "on temporary failure the value is the key with this text" },
    Row { letter: b'a', takes: Takes::Text,      effect: "appended to a found value" },
    Row { letter: b'd', takes: Takes::Text,      effect: "time limit" },
    Row { letter: b'f', takes: Takes::Nothing,   effect: "letter case of the key counts" },
    Row { letter: b'k', takes: Takes::Word,      effect: "column of the key" },
    Row { letter: b'm', takes: Takes::Nothing,   effect: "the value is the key" },
    Row { letter: b'o', takes: Takes::Nothing,   effect: "a map that cannot be opened is empty" },
    Row { letter: b'q', takes: Takes::Nothing,   effect: "quotes stay in the key" },
    Row { letter: b't', takes: Takes::Nothing,   effect: "temporary failure is a miss" },
    Row { letter: b'v', takes: Takes::Word,      effect: "column of the value" },
    Row { letter: b'z', takes: Takes::Character, effect: "delimiter of columns or values" },
];

/// Flags of the `dns` class beside the common ones.
#[rustfmt::skip]
pub static DNS: &[Row] = &[
    Row { letter: b'B', takes: Takes::Word, effect: "domain appended to every key" },
    Row { letter: b'R', takes: Takes::Word, effect: "record type" },
    Row { letter: b'Z', takes: Takes::Text, effect: "most values returned" },
    Row { letter: b'r', takes: Takes::Text, effect: "resolver retries" },
];

/// Flags of the `ldap` class; they win over common ones of the same letter.
#[rustfmt::skip]
pub static LDAP: &[Row] = &[
    Row { letter: b'1', takes: Takes::Nothing,   effect: "several entries are none" },
    Row { letter: b'H', takes: Takes::Quoted,    effect: "servers, as addresses" },
    Row { letter: b'K', takes: Takes::Nothing,   effect: "arguments stand in the filter" },
    Row { letter: b'M', takes: Takes::Word,      effect: "method of the bind" },
    Row { letter: b'P', takes: Takes::Quoted,    effect: "file with the password" },
    Row { letter: b'R', takes: Takes::Nothing,   effect: "referrals are not followed, as they never are here" },
    Row { letter: b'V', takes: Takes::Character, effect: "names and values, with this between them" },
    Row { letter: b'Z', takes: Takes::Word,      effect: "most entries" },
    Row { letter: b'b', takes: Takes::Quoted,    effect: "where the search begins" },
    Row { letter: b'c', takes: Takes::Word,      effect: "time limit of connecting" },
    Row { letter: b'd', takes: Takes::Quoted,    effect: "name of the bind" },
    Row { letter: b'h', takes: Takes::Quoted,    effect: "servers, as names" },
    Row { letter: b'k', takes: Takes::Quoted,    effect: "filter" },
    Row { letter: b'l', takes: Takes::Word,      effect: "time limit of a search" },
    Row { letter: b'n', takes: Takes::Nothing,   effect: "names of attributes alone" },
    Row { letter: b'p', takes: Takes::Word,      effect: "port" },
    Row { letter: b'r', takes: Takes::Word,      effect: "when aliases of the directory are followed" },
    Row { letter: b's', takes: Takes::Word,      effect: "scope" },
    Row { letter: b'v', takes: Takes::Quoted,    effect: "attributes" },
    Row { letter: b'w', takes: Takes::Word,      effect: "version of the protocol; it always is 3" },
];

/// Flags of the `regex` class; they win over common ones of the same letter.
#[rustfmt::skip]
pub static REGEX: &[Row] = &[
    Row { letter: b'b', takes: Takes::Nothing, effect: "basic syntax" },
    Row { letter: b'd', takes: Takes::Text,    effect: "between substrings" },
    Row { letter: b'n', takes: Takes::Nothing, effect: "matches when the expression does not" },
    Row { letter: b's', takes: Takes::Text,    effect: "substrings returned" },
];

/// Flags of the `dequote` class.
#[rustfmt::skip]
pub static DEQUOTE: &[Row] = &[
    Row { letter: b's', takes: Takes::Character, effect: "stands in for blanks" },
];

/// Flags of the `syslog` class.
#[rustfmt::skip]
pub static SYSLOG: &[Row] = &[
    Row { letter: b'L', takes: Takes::Word, effect: "priority" },
];

/// Flags of the `host` class.
#[rustfmt::skip]
pub static HOST: &[Row] = &[
    Row { letter: b'r', takes: Takes::Text, effect: "resolver retries" },
];

/// Flags and arguments of one map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    given: Vec<(u8, Bytes)>,
    /// What follows the flags.
    pub rest: Bytes,
}

impl Flags {
    /// Whether the flag is given.
    pub fn has(&self, letter: u8) -> bool {
        self.given.iter().any(|(given, _)| *given == letter)
    }

    /// Counts flags that were given before these; what is given here wins.
    pub fn follow(&mut self, before: Self) {
        let own = std::mem::replace(&mut self.given, before.given);
        self.given.extend(own);
    }

    /// Leaves the flags that mean the same for every class.
    pub fn retain_common(&mut self) {
        self.given.retain(|(letter, _)| COMMON.iter().any(|row| row.letter == *letter));
    }

    /// The letters given.
    pub fn letters(&self) -> impl Iterator<Item = u8> {
        self.given.iter().map(|(letter, _)| *letter)
    }

    /// Text of the flag, the last one when it is given again.
    pub fn text(&self, letter: u8) -> Option<&Bytes> {
        self.given.iter().rev().find(|(given, _)| *given == letter).map(|(_, text)| text)
    }

    /// Character of the flag.
    pub fn character(&self, letter: u8) -> Option<u8> {
        self.text(letter).and_then(|text| text.first().copied())
    }

    /// Number that the flag's text begins with.
    pub fn number(&self, letter: u8) -> Option<i64> {
        self.text(letter).map(|text| crate::base::bytes::leading_number(text))
    }

    /// First word behind the flags.
    pub fn word(&self) -> &[u8] {
        self.rest.split(u8::is_ascii_whitespace).next().unwrap_or_default()
    }
}

/// Reads the arguments of a `K` line; the second value holds the letters that are no flags.
pub fn parse(arguments: &[u8], own: &[Row]) -> (Flags, Vec<u8>) {
    let mut flags = Flags::default();
    let mut unknown = Vec::new();
    let mut text = arguments.trim_ascii_start();
    while let Some((letter, rest)) = text.strip_prefix(b"-").and_then(<[u8]>::split_first) {
        let row = own.iter().chain(COMMON).find(|row| row.letter == *letter);
        let (value, rest) = match row.map(|row| row.takes) {
            Some(Takes::Word) => word(rest.trim_ascii_start()),
            Some(Takes::Quoted) => quoted(rest.trim_ascii_start()),
            Some(Takes::Character) => character(rest),
            Some(Takes::Text | Takes::Nothing) | None => word(rest),
        };
        match row {
            Some(_) => flags.given.push((*letter, Bytes::copy_from_slice(&value))),
            None => unknown.push(*letter),
        }
        text = rest.trim_ascii_start();
    }
    flags.rest = Bytes::copy_from_slice(text.trim_ascii_end());
    (flags, unknown)
}

fn word(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word.to_vec(), rest)
}

fn quoted(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(inner) = text.strip_prefix(b"\"") else { return word(text) };
    let end = inner.iter().position(|byte| *byte == b'"').unwrap_or(inner.len());
    (inner.get(..end).unwrap_or_default().to_vec(), inner.get(end + 1..).unwrap_or_default())
}

fn character(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let (_, rest) = word(text.get(1..).unwrap_or_default());
    let value = match text {
        [b'\\', b'n', ..] => b'\n',
        [b'\\', b't', ..] => b'\t',
        [b'\\', other, ..] | [other, ..] => *other,
        [] => return (Vec::new(), rest),
    };
    (vec![value], rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_end_at_blanks_and_words_may_stand_apart() {
        let (flags, unknown) = parse(b"-a.x -k 2 -z\\t -o -Y -T<TMP> /etc/mail/x y", &[]);
        assert_eq!(flags.text(b'a').unwrap(), ".x");
        assert_eq!(flags.number(b'k'), Some(2));
        assert_eq!(flags.character(b'z'), Some(b'\t'));
        assert!(flags.has(b'o') && !flags.has(b'm'));
        assert_eq!(flags.text(b'T').unwrap(), "<TMP>");
        assert_eq!((flags.word(), flags.rest.as_ref()), (&b"/etc/mail/x"[..], &b"/etc/mail/x y"[..]));
        assert_eq!(unknown, b"Y");
    }

    #[test]
    fn own_flags_win() {
        let (flags, _) = parse(b"-d: -s1,2 ^(.)-x$ ", REGEX);
        assert_eq!(flags.text(b'd').unwrap(), ":");
        assert_eq!(flags.rest, "^(.)-x$");
    }

    #[test]
    fn flags_of_an_earlier_line_go_on() {
        let (mut flags, _) = parse(b"-a.B -o /b", &[]);
        let (mut before, _) = parse(b"-n -a.A -T<TMP> /a", REGEX);
        before.retain_common();
        flags.follow(before);
        assert_eq!(flags.text(b'a').unwrap(), ".B");
        assert_eq!(flags.text(b'T').unwrap(), "<TMP>");
        assert!(flags.has(b'o') && !flags.has(b'n'));
        assert_eq!(flags.word(), b"/b");
    }

    #[test]
    fn letters_are_sorted() {
        assert!([COMMON, DNS, LDAP, REGEX].iter().all(|rows| rows.is_sorted_by_key(|row| row.letter)));
    }
}
