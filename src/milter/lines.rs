//! Bodies between our form (lines ended by LF) and that of filters (CRLF, in pieces).

use super::wire::CHUNK;

/// Cuts a body into pieces for a filter, all but the last of them full, wherever a line ends. Source: observed.
///
/// Memory: one piece.
#[derive(Debug, Default)]
pub struct Chunks {
    out: Vec<u8>,
    /// The CR of a line end was the last byte of a piece.
    owes_line_feed: bool,
}

impl Chunks {
    /// Takes what it can of `text` until a piece is full; gives back the rest.
    pub fn fill<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        if std::mem::take(&mut self.owes_line_feed) {
            self.out.push(b'\n');
        }
        let mut rest = text;
        while !rest.is_empty() && !self.is_full() {
            let room = CHUNK.saturating_sub(self.out.len());
            let line = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let (piece, tail) = rest.split_at_checked(line.min(room)).unwrap_or((rest, b""));
            self.out.extend_from_slice(piece);
            rest = tail;
            if self.is_full() {
                break;
            }
            if let Some(tail) = rest.strip_prefix(b"\n") {
                self.out.push(b'\r');
                rest = tail;
                if self.is_full() {
                    self.owes_line_feed = true;
                } else {
                    self.out.push(b'\n');
                }
            }
        }
        rest
    }

    /// Whether the piece can take no more.
    pub fn is_full(&self) -> bool {
        self.out.len() >= CHUNK
    }

    /// The piece, `None` when there is nothing; the next begins.
    pub fn piece(&mut self) -> Option<Vec<u8>> {
        if self.out.is_empty() && std::mem::take(&mut self.owes_line_feed) {
            self.out.push(b'\n');
        }
        let piece = std::mem::take(&mut self.out);
        (!piece.is_empty()).then_some(piece)
    }
}

/// Brings a new body back into our form, piece by piece. A CR that stands alone stays.
#[derive(Debug, Default)]
pub struct Unix {
    has_cr: bool,
}

impl Unix {
    /// Takes a piece.
    pub fn take(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for part in piece.split_inclusive(|b| *b == b'\r' || *b == b'\n') {
            let is_line_feed = part == b"\n";
            if std::mem::take(&mut self.has_cr) && !is_line_feed {
                out.push(b'\r');
            }
            match part.strip_suffix(b"\r") {
                Some(text) => {
                    out.extend_from_slice(text);
                    self.has_cr = true;
                }
                None => out.extend_from_slice(part),
            }
        }
    }

    /// The body ended.
    pub fn finish(self, out: &mut Vec<u8>) {
        if self.has_cr {
            out.push(b'\r');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(text: &[u8]) -> Vec<Vec<u8>> {
        let (mut chunks, mut rest, mut out) = (Chunks::default(), text, Vec::new());
        while !rest.is_empty() {
            rest = chunks.fill(rest);
            if chunks.is_full() {
                out.extend(chunks.piece());
            }
        }
        while let Some(piece) = chunks.piece() {
            out.push(piece);
        }
        out
    }

    #[test]
    fn pieces_are_full_wherever_lines_end() {
        for (letters, sizes, last) in [
            (CHUNK - 2, &[CHUNK][..], &b"a\r\n"[..]),
            (CHUNK - 1, &[CHUNK, 1], b"\n"),
            (CHUNK, &[CHUNK, 2], b"\r\n"),
            (CHUNK + 1, &[CHUNK, 3], b"a\r\n"),
        ] {
            let cut = pieces(&[vec![b'a'; letters], b"\n".to_vec()].concat());
            assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
            assert!(cut.last().unwrap().ends_with(last), "{letters}");
        }
        assert!(pieces(b"").is_empty());
    }

    proptest! {
        #[test]
        fn bodies_come_back_as_they_went(text in "([ab\n]|\r[ab]){0,200}", cut in 1usize..7) {
            // A CR in front of a line end is not told apart from one that we added.
            let text = text.into_bytes();
            let wire: Vec<u8> = pieces(&text).concat();
            let (mut unix, mut out) = (Unix::default(), Vec::new());
            for piece in wire.chunks(cut) {
                unix.take(piece, &mut out);
            }
            unix.finish(&mut out);
            prop_assert_eq!(out, text);
        }
    }
}
