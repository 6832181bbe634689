//! Text of tokens in one piece of memory.

/// Tokens' text, one behind the other.
///
/// Shape: behind the last byte there are [`ROOM`] more, so that a short token can be copied as a block of that size.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    bytes: Vec<u8>,
    plain: bool,
}

/// Bytes that can be read behind the end of any token.
pub const ROOM: usize = 16;

impl Default for Text {
    fn default() -> Self {
        Self { bytes: vec![0; ROOM], plain: true }
    }
}

impl Text {
    /// Adds text; where it begins.
    pub(crate) fn add(&mut self, text: &[u8]) -> usize {
        let start = self.len();
        self.bytes.truncate(start);
        self.bytes.extend_from_slice(text);
        self.bytes.extend_from_slice(&[0; ROOM]);
        self.plain &= text.iter().fold(true, |plain, byte| plain & (b' '..0x7f).contains(byte));
        start
    }

    /// Memory, bytes.
    pub(crate) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// Forgets all text, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.resize(ROOM, 0);
        self.plain = true;
    }

    /// How much there is.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(ROOM)
    }

    /// Whether every byte is one that a terminal shows as it is.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Everything from `start` on, the room behind the end with it.
    #[inline]
    pub(crate) fn from(&self, start: usize) -> &[u8] {
        self.bytes.get(start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_at_the_end_can_be_read_as_a_block() {
        let mut text = Text::default();
        assert_eq!((text.add(b"joe"), text.add(b"@")), (0, 3));
        assert!(text.from(3).starts_with(b"@\0") && text.from(3).len() == ROOM + 1 && text.is_plain());
        text.add("\u{e4}".as_bytes());
        assert!(!text.is_plain() && text.len() == 6);
        text.clear();
        assert!(text.is_plain() && text.len() == 0 && text.from(1).len() == ROOM - 1);
    }
}
