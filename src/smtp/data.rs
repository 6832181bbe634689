//! Message data: from the wire's form (CRLF, dots doubled, `.` CRLF at the end) to lines ended by LF, and back.

use crate::policy::features::Bare;

/// Where the decoder stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// At the start of a line.
    LineStart,
    /// Within a line.
    Line,
    /// Behind a CR; the flag says that only a dot stood before it in its line.
    Cr { behind_dot: bool },
    /// Behind a dot at the start of a line.
    Dot,
}

/// What became of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All bytes were taken; more is to come.
    More,
    /// The message ended; so many bytes of the block belong to it.
    End(usize),
    /// A LF without CR stands where it may not.
    BareLf,
    /// A CR without LF stands where it may not.
    BareCr,
}

/// Decodes message data block by block.
///
/// Shape in: lines ended by CRLF, a leading dot doubled, `.` CRLF ends. Out: lines ended by LF. Memory: none but the caller's
/// buffer. Source: RFC 5321 §4.1.1.4, §4.5.2; observed: bare CR and LF are refused unless the features say otherwise.
#[derive(Debug, Clone)]
pub struct Decoder {
    at: At,
    bare_lf: Bare,
    bare_cr: Bare,
}

impl Decoder {
    /// At the start of a message.
    pub fn new(bare_lf: Bare, bare_cr: Bare) -> Self {
        Self { at: At::LineStart, bare_lf, bare_cr }
    }

    /// Takes a block; decoded bytes are added to `out`, also when the answer is a refusal.
    pub fn feed(&mut self, block: &[u8], out: &mut Vec<u8>) -> Progress {
        let mut used = 0;
        while let Some(rest) = block.get(used..).filter(|r| !r.is_empty()) {
            match self.step(rest, out) {
                Step::Took(n) => used += n,
                Step::End(n) => return Progress::End(used + n),
                Step::Lf => return Progress::BareLf,
                Step::Cr => return Progress::BareCr,
            }
        }
        Progress::More
    }

    fn step(&mut self, rest: &[u8], out: &mut Vec<u8>) -> Step {
        match self.at {
            At::LineStart => {
                self.at = if rest.first() == Some(&b'.') { At::Dot } else { At::Line };
                Step::Took(usize::from(self.at == At::Dot))
            }
            At::Dot => self.behind_dot(rest),
            At::Cr { behind_dot } => self.behind_cr(rest, behind_dot, out),
            At::Line => self.within(rest, out),
        }
    }

    /// The first dot of a line is dropped; alone in its line it ends the message.
    fn behind_dot(&mut self, rest: &[u8]) -> Step {
        match rest.first() {
            Some(b'\r') => {
                self.at = At::Cr { behind_dot: true };
                Step::Took(1)
            }
            Some(b'\n') if self.bare_lf == Bare::Refuse => Step::Lf,
            _ => {
                self.at = At::Line;
                Step::Took(0)
            }
        }
    }

    fn behind_cr(&mut self, rest: &[u8], behind_dot: bool, out: &mut Vec<u8>) -> Step {
        if rest.first() == Some(&b'\n') {
            if behind_dot {
                return Step::End(1);
            }
            out.push(b'\n');
            self.at = At::LineStart;
            return Step::Took(1);
        }
        match self.bare_cr {
            Bare::Refuse => return Step::Cr,
            Bare::Keep => out.push(b'\r'),
            Bare::Blank => out.push(b' '),
        }
        self.at = At::Line;
        Step::Took(0)
    }

    /// Copies up to the next CR or LF, whole lines at a time.
    fn within(&mut self, rest: &[u8], out: &mut Vec<u8>) -> Step {
        let Some(at) = memchr::memchr2(b'\r', b'\n', rest) else {
            out.extend_from_slice(rest);
            return Step::Took(rest.len());
        };
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        if rest.get(at) == Some(&b'\r') {
            if rest.get(at + 1) == Some(&b'\n') {
                out.push(b'\n');
                self.at = At::LineStart;
                return Step::Took(at + 2);
            }
            self.at = At::Cr { behind_dot: false };
            return Step::Took(at + 1);
        }
        match self.bare_lf {
            Bare::Refuse => Step::Lf,
            // No dot behind it ends the message. Source: observed.
            Bare::Keep => {
                out.push(b'\n');
                Step::Took(at + 1)
            }
            Bare::Blank => {
                out.push(b' ');
                Step::Took(at + 1)
            }
        }
    }
}

enum Step {
    Took(usize),
    End(usize),
    Lf,
    Cr,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(blocks: &[&[u8]]) -> (Vec<u8>, Progress) {
        let mut decoder = Decoder::new(Bare::Refuse, Bare::Refuse);
        let mut out = Vec::new();
        let mut last = Progress::More;
        for block in blocks {
            last = decoder.feed(block, &mut out);
            if last != Progress::More {
                break;
            }
        }
        (out, last)
    }

    #[test]
    fn only_a_dot_alone_between_crlf_ends_the_message() {
        for (wire, text, end) in [
            (&b"a\r\n..b\r\n.c\r\n.\r\nNOOP"[..], &b"a\n.b\nc\n"[..], Progress::End(15)),
            (b".\r\n", b"", Progress::End(3)),
            (b"a\n.\n", b"a", Progress::BareLf),
            (b"a\r\n.\n", b"a\n", Progress::BareLf),
            (b"a\r.\r", b"a", Progress::BareCr),
            (b"a\r\n.\r.", b"a\n", Progress::BareCr),
            (b"a\r\r\n.\r\n", b"a", Progress::BareCr),
            (b"a\r\n.\r", b"a\n", Progress::More),
        ] {
            assert_eq!(decode(&[wire]), (text.to_vec(), end), "{}", wire.escape_ascii());
        }
    }

    #[test]
    fn features_turn_bare_ends_into_blanks_or_keep_them() {
        let mut out = Vec::new();
        let mut decoder = Decoder::new(Bare::Blank, Bare::Blank);
        assert_eq!(decoder.feed(b"a\nb\rc\r\n.\r\n", &mut out), Progress::End(10));
        assert_eq!(out, b"a b c\n");
        let mut out = Vec::new();
        let mut decoder = Decoder::new(Bare::Keep, Bare::Keep);
        assert_eq!(decoder.feed(b"a\nb\rc\r\n.\r\n", &mut out), Progress::End(10));
        assert_eq!(out, b"a\nb\rc\n");
    }

    proptest! {
        #[test]
        fn the_cut_into_blocks_does_not_matter(text: Vec<u8>, cut in 0usize..64) {
            let mut wire = text.clone();
            wire.extend_from_slice(b"\r\nx\r\n..\r\n.\r\n");
            let cut = cut.min(wire.len());
            let whole = decode(&[&wire]);
            let (head, tail) = wire.split_at(cut);
            let parts = decode(&[head, tail]);
            prop_assert_eq!(&whole.0, &parts.0);
            match (whole.1, parts.1) {
                (Progress::End(a), Progress::End(b)) => prop_assert!(a == b || a == b + cut),
                (a, b) => prop_assert_eq!(a, b),
            }
        }
    }
}
