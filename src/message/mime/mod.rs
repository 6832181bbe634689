//! MIME: structure of a message, and its body for hosts that take 7 or 8 bits.
//!
//! Both conversions work part by part on a body that is held whole and keep every byte that they do not encode.

pub mod structure;
pub mod to7bit;
pub mod to8bit;

pub use to7bit::to_7bit;
pub use to8bit::to_8bit;

/// Who converts: for `X-MIME-Autoconverted` and the character set of what has none.
#[derive(Debug, Clone, Copy)]
pub struct Converter<'a> {
    /// Our name.
    pub host: &'a [u8],
    /// Queue id.
    pub id: &'a str,
    /// `DefaultCharSet`, or the mailer's `C=`.
    pub charset: &'a [u8],
}

impl Converter<'_> {
    /// Text of `X-MIME-Autoconverted`.
    fn note(&self, from: &str, to: &str) -> Vec<u8> {
        [b" from ".as_slice(), from.as_bytes(), b" to ", to.as_bytes(), b" by ", self.host, b" id ", self.id.as_bytes()]
            .concat()
    }
}
