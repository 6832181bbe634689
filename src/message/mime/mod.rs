//! MIME: structure of a message, and its body for hosts that take 7 or 8 bits.
//!
//! Both conversions work part by part on a body that is held whole and keep every byte that they do not encode.

pub mod limits;
pub mod structure;
pub mod to7bit;
pub mod to8bit;

use crate::macros::{ClassTable, MacroId};

pub use to7bit::{label, label_8bit, to_7bit};
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
    /// Classes `n`, `q`, `s` and `e`, which say what may be encoded and how. Source: op guide 5.3.
    pub classes: &'a ClassTable,
}

impl Converter<'_> {
    fn is_in(&self, class: u8, word: &[u8]) -> bool {
        self.classes.contains(MacroId(u16::from(class)), word)
    }

    /// Text of `X-MIME-Autoconverted`.
    fn note(&self, from: &str, to: &str) -> Vec<u8> {
        [b" from ".as_slice(), from.as_bytes(), b" to ", to.as_bytes(), b" by ", self.host, b" id ", self.id.as_bytes()]
            .concat()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;

    /// With the classes that are built in.
    pub(super) fn converter() -> Converter<'static> {
        static CLASSES: OnceLock<ClassTable> = OnceLock::new();
        let classes = CLASSES.get_or_init(|| {
            let mut classes = ClassTable::default();
            for (class, word) in
                [(b'n', "multipart/signed"), (b's', "rfc822"), (b'e', "7bit"), (b'e', "8bit"), (b'e', "binary")]
            {
                classes.add(MacroId(u16::from(class)), word.as_bytes());
            }
            classes
        });
        Converter { host: b"mta.example.test", id: "QID", charset: b"unknown-8bit", classes }
    }
}
