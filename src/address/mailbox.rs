//! The address within a header item: `Joe <joe@x> (home)` is `Joe <$g> (home)` around `joe@x`.
//!
//! Source: RFC 5322 §3.4; observed (`Cracked address` of test mode), quoting of phrases included.

use super::quote::{self, Specials};

/// What stands around the address of an item. The item with another address is `before`, the address, `after`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// Phrase, comments, opening bracket.
    pub before: Vec<u8>,
    /// Closing bracket, comments.
    pub after: Vec<u8>,
    /// Whether there is an address at all.
    pub has_address: bool,
}

impl Frame {
    /// The item with `address` in it.
    pub fn around(&self, address: &[u8]) -> Vec<u8> {
        let mut out = self.before.clone();
        if self.has_address {
            out.extend_from_slice(address);
        }
        out.extend_from_slice(&self.after);
        out
    }
}

/// Finds what stands around the address of an item; `must_quote` is `MustQuoteChars`.
pub fn crack(item: &[u8], must_quote: &[u8]) -> Frame {
    let mut crack = Crack {
        item,
        must_quote,
        at: 0,
        out: Frame::default(),
        in_brackets: false,
        closed: false,
        grouped: false,
        literals: 0,
    };
    crack.at = item.iter().take_while(|b| b.is_ascii_whitespace()).count();
    crack.run(crack.at);
    if crack.in_brackets {
        crack.push(b'>');
    }
    if crack.out.before.len() + crack.out.after.len() > LONGEST {
        return Frame { before: b"<".to_vec(), after: b">".to_vec(), has_address: true };
    }
    crack.out
}

/// Most bytes around an address; what has more loses its phrase and comments.
const LONGEST: usize = crate::base::limits::ADDRESS;

/// The address of an item alone: without comments, and what stands in brackets when there are any.
pub fn bare(item: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(item.len());
    let (mut depth, mut quoted, mut escaped, mut open) = (0usize, false, false, None);
    for byte in item {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' if depth == 0 => quoted = !quoted,
            _ if quoted => {}
            b'(' => depth += 1,
            b')' if depth > 0 => {
                depth -= 1;
                continue;
            }
            b'<' if depth == 0 && open.is_none() => open = Some(out.len() + 1),
            b'>' if depth == 0 && open.is_some() => break,
            _ => {}
        }
        if depth == 0 {
            out.push(*byte);
        }
    }
    out.get(open.unwrap_or(0)..).unwrap_or_default().trim_ascii().to_vec()
}

/// An address without the route in front of it: `@a,@b:c@d` is `c@d` (`DontPruneRoutes` keeps it).
pub fn pruned(address: &[u8]) -> &[u8] {
    let colon = address.iter().rposition(|b| *b == b':').filter(|_| address.starts_with(b"@"));
    let rest = colon.and_then(|at| address.get(at + 1..)).filter(|rest| rest.contains(&b'@'));
    rest.unwrap_or(address)
}

struct Crack<'a> {
    item: &'a [u8],
    must_quote: &'a [u8],
    at: usize,
    out: Frame,
    in_brackets: bool,
    closed: bool,
    grouped: bool,
    /// Square brackets open.
    literals: i32,
}

impl Crack<'_> {
    fn run(&mut self, mut phrase: usize) {
        while let Some(byte) = self.item.get(self.at).copied() {
            let at = self.at;
            self.at += 1;
            match byte {
                b'(' => self.comment(),
                b'"' => self.quoted(),
                b'\\' => {
                    self.at += 1;
                    self.address();
                    self.copy_if_closed(at);
                }
                b':' if !self.in_brackets && !self.grouped && self.literals <= 0 => {
                    if self.item.get(self.at) == Some(&b':') {
                        self.at += 1;
                        self.address();
                        continue;
                    }
                    self.phrase(phrase, at, !self.closed);
                    self.closed = false;
                    self.push(b':');
                    while let Some(blank) = self.item.get(self.at).filter(|b| b.is_ascii_whitespace()) {
                        self.push(*blank);
                        self.at += 1;
                    }
                    phrase = self.at;
                    self.grouped = true;
                }
                b';' => {
                    self.push(b';');
                    self.address();
                }
                b'<' => {
                    self.phrase(phrase_start(self.item, phrase), at, true);
                    self.push(b'<');
                    self.in_brackets = true;
                    self.closed = false;
                }
                b'>' => {
                    if self.in_brackets {
                        self.push(b'>');
                        self.in_brackets = false;
                        self.closed = true;
                    }
                }
                _ if self.closed => self.push(byte),
                _ if byte.is_ascii_whitespace() && !self.in_brackets && !self.out.has_address => {
                    match self.out.before.last() {
                        Some(b')') => self.push(b' '),
                        Some(last) if !last.is_ascii_whitespace() => self.push(byte),
                        _ => {}
                    }
                }
                _ => {
                    match byte {
                        b'[' => self.literals += 1,
                        b']' => self.literals -= 1,
                        _ => {}
                    }
                    self.address();
                }
            }
        }
    }

    fn copy_if_closed(&mut self, from: usize) {
        if self.closed {
            let text = self.item.get(from..self.at.min(self.item.len())).unwrap_or_default().to_vec();
            for b in text {
                self.push(b);
            }
        }
    }

    /// Adds a byte of the frame.
    fn push(&mut self, byte: u8) {
        let side = if self.out.has_address { &mut self.out.after } else { &mut self.out.before };
        side.push(byte);
    }

    /// The address stands here, unless it stood before.
    fn address(&mut self) {
        if self.out.has_address || self.closed {
            return;
        }
        if self.out.before.last() == Some(&b')') {
            self.out.before.push(b' ');
        }
        self.out.has_address = true;
    }

    /// Makes what was read from `from` to `to` the phrase, quoted when it must be.
    fn phrase(&mut self, from: usize, to: usize, brackets: bool) {
        let text = self.item.get(from..to).unwrap_or_default();
        let kept = if self.grouped && from > 0 { self.group_text(from) } else { Vec::new() };
        self.out = Frame { before: kept, ..Frame::default() };
        self.out.before.extend(quote::phrase(text, self.specials(brackets)));
    }

    fn specials(&self, brackets: bool) -> Specials<'_> {
        Specials { option: self.must_quote, brackets }
    }

    fn group_text(&self, from: usize) -> Vec<u8> {
        let head = self.item.get(..from).unwrap_or_default();
        let at = head.iter().rposition(|b| *b == b':').unwrap_or(0);
        let mut out = quote::phrase(head.get(..at).unwrap_or_default().trim_ascii_start(), self.specials(false));
        out.extend_from_slice(head.get(at..).unwrap_or_default());
        out
    }

    /// Copies a comment; one that is open at the end is closed.
    fn comment(&mut self) {
        let side = if self.out.has_address { &self.out.after } else { &self.out.before };
        let needs_blank = match side.last() {
            Some(last) => !last.is_ascii_whitespace() && *last != b':' && !self.closed,
            None => self.out.has_address,
        };
        if needs_blank {
            self.push(b' ');
        }
        self.push(b'(');
        let mut depth = 1;
        while depth > 0 {
            let Some(byte) = self.item.get(self.at).copied() else {
                (0..depth).for_each(|_| self.push(b')'));
                return;
            };
            self.at += 1;
            self.push(byte);
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\\' => {
                    if let Some(next) = self.item.get(self.at).copied() {
                        self.push(next);
                        self.at += 1;
                    }
                }
                _ => {}
            }
        }
    }

    /// Passes over a quoted string; an empty one is no address.
    fn quoted(&mut self) {
        let from = self.at;
        let mut escaped = false;
        while let Some(byte) = self.item.get(self.at).copied() {
            self.at += 1;
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => break,
                _ => {}
            }
        }
        let is_closed = self.item.get(self.at - 1) == Some(&b'"');
        if self.at > from + usize::from(is_closed) {
            self.address();
        }
        self.copy_if_closed(from - 1);
    }
}

fn phrase_start(item: &[u8], from: usize) -> usize {
    from + item.get(from..).map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_whitespace()).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_pruned() {
        for (address, short) in [
            ("@a.test,@b.test:u@c.test", "u@c.test"),
            ("@a.test:u", "@a.test:u"),
            ("u@a.test", "u@a.test"),
            ("x:u@a.test", "x:u@a.test"),
        ] {
            assert_eq!(pruned(address.as_bytes()), short.as_bytes());
        }
    }

    #[test]
    fn the_address_alone_has_no_phrase_and_no_comment() {
        for (item, address) in [
            ("<>", ""),
            ("Joe <joe@x.test>", "joe@x.test"),
            (" joe (x (y)) @ z", "joe  @ z"),
            ("\"a <b>\" <c@d> (e)", "c@d"),
            ("<a", "a"),
            ("a\\(b", "a\\(b"),
        ] {
            assert_eq!(String::from_utf8(bare(item.as_bytes())).unwrap(), address, "{item}");
        }
    }

    #[test]
    fn items_are_framed_as_the_original_frames_them() {
        for (item, framed) in [
            ("joe@foo.com", "$g"),
            ("<joe@foo.com>(c)", "<$g>(c)"),
            ("Joe Blow <joe@foo.com>", "Joe Blow <$g>"),
            ("\"Joe, Jr.\" <joe@foo.com>", "\"Joe, Jr.\" <$g>"),
            ("Joe <joe@foo.com> (comment)", "Joe <$g> (comment)"),
            ("(c) joe (d) @ (e) foo.com (f)", "(c) $g (d) (e) (f)"),
            ("(joe@foo.com)", "(joe@foo.com)"),
            ("joe(no space)@foo.com", "$g (no space)"),
            ("< joe @ foo . com >", "<$g>"),
            ("<<joe@foo.com>>", "\"<\"<$g>"),
            ("<a<b<joe@foo.com>>>", "\"<a<b\"<$g>"),
            ("a <b> <c@d>", "\"a <b>\" <$g>"),
            ("<joe@foo.com> trailing", "<$g> trailing"),
            ("<joe@foo.com", "<$g>"),
            ("<>", "<>"),
            ("< >", "<$g>"),
            ("<><>", "\"<>\"<>"),
            ("<>@foo.com", "<>@foo.com"),
            ("\"\"", ""),
            ("\"\" <joe@foo.com>", "\"\" <$g>"),
            ("Joe <>", "Joe <>"),
            ("<joe@foo.com>, <bob@foo.com>", "\"<joe@foo.com>,\" <$g>"),
            ("joe;bob", "$g;"),
            ("a:b:c", "a:$g"),
            ("group: joe@foo.com, bob@bar.com;", "group: $g;"),
            ("group:;", "group:;$g"),
            ("<group:;>", "<$g;>"),
            (":include: /etc/list@foo.com", ":$g"),
            ("((joe)", "((joe))"),
            ("<@a.com,@b.com:joe@c.com>", "<$g>"),
            ("@foo.com:", "\"@foo.com\":"),
            ("joe@IPv6:2001:db8::1", "\"joe@IPv6\":$g"),
            (";", ";$g"),
            (":", ":"),
            ("joe:", "joe:"),
            ("$#local $@ h $: u", "\"$#local $@ h $\": $g"),
            ("a ((n) c) b", "$g ((n) c)"),
            ("joe@[IPv6:2001:db8::1]", "$g"),
            ("joe@[1.2.3.4]:[5.6.7.8]", "\"joe@[1.2.3.4]\":$g"),
            ("a <b>: c", "a <b>: $g"),
            ("a.b: c d <e>", "\"a.b\": c d <$g>"),
            ("g: x, y <z>;", "g: \"x, y\" <$g>;"),
            ("(c, d) Joe <a@b>", "(c, d) Joe <$g>"),
            ("(c) Joe, Q <a@b>", "\"(c) Joe, Q\" <$g>"),
            ("a\\,b <c>", "\"a\\,b\" <$g>"),
            ("<a (x", "<$g (x)>"),
            ("a (b) <c> (d)", "a (b) <$g> (d)"),
            ("a <b> \\x", "a <$g> \\x"),
            ("a:(b)", "a:(b)"),
            ("<(a>) x>", "< (a>) $g>"),
            ("<<a> b>", "\"<\"<$g> b"),
        ] {
            let frame = crack(item.as_bytes(), b".'");
            assert_eq!(String::from_utf8_lossy(&frame.around(b"$g")), framed, "{item}");
        }
    }
}
