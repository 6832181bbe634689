//! Command lines out of a byte stream.

/// What the front of a buffer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front<'a> {
    /// A line without its end, and how many bytes it takes with it.
    Line(&'a [u8], usize),
    /// The line is not complete.
    More,
    /// More than the limit without a line end; holds the bytes there are up to the line end or the end of the buffer.
    TooLong(usize),
}

/// Looks for a command line at the front of a buffer.
///
/// Lines end with LF; one CR in front of it belongs to the end. A line with its end may have `limit` bytes.
pub fn front(buffer: &[u8], limit: usize) -> Front<'_> {
    match memchr::memchr(b'\n', buffer) {
        Some(at) if at < limit => {
            let line = buffer.get(..at).unwrap_or_default();
            Front::Line(line.strip_suffix(b"\r").unwrap_or(line), at + 1)
        }
        Some(at) => Front::TooLong(at + 1),
        None if buffer.len() >= limit => Front::TooLong(buffer.len()),
        None => Front::More,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_a_line_feed() {
        assert_eq!(front(b"NOOP\r\nQUIT", 100), Front::Line(b"NOOP", 6));
        assert_eq!(front(b"NOOP\n", 100), Front::Line(b"NOOP", 5));
        assert_eq!(front(b"\r\n", 100), Front::Line(b"", 2));
        assert_eq!(front(b"NOOP\r", 100), Front::More);
        assert_eq!(front(b"NOOP", 4), Front::TooLong(4));
        assert_eq!(front(b"NOOP x\r\n", 4), Front::TooLong(8));
    }
}
