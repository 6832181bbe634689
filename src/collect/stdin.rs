//! Standard input as a message: CR in front of LF dropped, a lone dot as its end.

/// Turns input of a command line into lines ended by LF.
#[derive(Debug, Clone)]
pub struct Filter {
    ends_at_dot: bool,
    /// A dot at the beginning of a line stands for the dot behind it, as in SMTP.
    unstuffs: bool,
    at_line_start: bool,
    /// A CR or a dot whose meaning the next byte decides.
    held: Held,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    Cr,
    Dot,
    DotCr,
}

impl Filter {
    /// `ends_at_dot`: neither `-i` nor `IgnoreDots` was given.
    pub fn new(ends_at_dot: bool) -> Self {
        Self { ends_at_dot, unstuffs: false, at_line_start: true, held: Held::Nothing }
    }

    /// The same for programs that write as in SMTP (`-ba`): a dot at the beginning of a line is dropped. Source: observed.
    #[must_use]
    pub fn unstuffing(self, unstuffs: bool) -> Self {
        Self { unstuffs, ..self }
    }

    /// Adds what the block says to `out`; true when a lone dot ended the message.
    pub fn feed(&mut self, block: &[u8], out: &mut Vec<u8>) -> bool {
        for byte in block {
            if self.byte(*byte, out) {
                return true;
            }
        }
        false
    }

    /// The input ended: what was held back belongs to the message, but for a dot that ends it without a newline. Source: observed.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if !matches!(self.held, Held::Dot | Held::DotCr) {
            self.release(out);
        }
        self.held = Held::Nothing;
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) -> bool {
        match (byte, self.held) {
            (b'\n', Held::Dot | Held::DotCr) => return true,
            (b'\n', Held::Cr) => self.held = Held::Nothing,
            (b'\r', Held::Dot) => {
                self.held = Held::DotCr;
                return false;
            }
            _ => self.release(out),
        }
        match byte {
            b'\r' => self.held = Held::Cr,
            b'.' if self.at_line_start && self.ends_at_dot => self.held = Held::Dot,
            other => out.push(other),
        }
        self.at_line_start = byte == b'\n';
        false
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        match self.held {
            Held::Nothing => {}
            Held::Cr => out.push(b'\r'),
            Held::Dot if self.unstuffs => {}
            Held::Dot => out.push(b'.'),
            Held::DotCr => out.extend_from_slice(b".\r"),
        }
        self.held = Held::Nothing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_write_as_in_smtp_double_their_dots() {
        let (mut filter, mut out) = (Filter::new(true).unstuffing(true), Vec::new());
        assert!(filter.feed(b"..\r\n.x\r\n...y\r\n.\r\nrest", &mut out));
        assert_eq!(out, b".\nx\n..y\n");
    }

    #[test]
    fn a_lone_dot_ends_unless_dots_are_ignored() {
        for (input, dots, expected, ended) in [
            ("a\n.\nb\n", true, "a\n", true),
            ("a\n.\nb\n", false, "a\n.\nb\n", false),
            ("a\r\n.\r\nb", true, "a\n", true),
            ("..\n.x\n", true, "..\n.x\n", false),
            ("a\rb\r\r\n.", true, "a\rb\r\n", false),
            ("a\n.\r", true, "a\n", false),
            ("a\n..", true, "a\n..", false),
            ("a\n.", false, "a\n.", false),
        ] {
            for size in 1..4 {
                let (mut filter, mut out, mut end) = (Filter::new(dots), Vec::new(), false);
                for block in input.as_bytes().chunks(size) {
                    end = filter.feed(block, &mut out);
                    if end {
                        break;
                    }
                }
                if !end {
                    filter.finish(&mut out);
                }
                assert_eq!((String::from_utf8(out).unwrap().as_str(), end), (expected, ended), "{input:?} {size}");
            }
        }
    }
}
