//! `K` lines.

use bytes::Bytes;

use super::reader::Reader;
use crate::base::bytes::trim;

/// A declared map. The class decides what the arguments mean; see `maps::classes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapDeclaration {
    /// Name, as rules write it.
    pub name: Bytes,
    /// Class name.
    pub class: Bytes,
    /// Everything behind the class: flags and arguments, macros expanded.
    pub arguments: Bytes,
    /// Line in the cf file, from 1; 0 for maps that exist without a line.
    pub line: u32,
}

impl Reader<'_> {
    /// `Kname class arguments`.
    pub(super) fn map_line(&mut self, text: &[u8], line: u32) {
        let text = self.expand(text);
        let text = trim(&text);
        let length = text.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).count();
        let (name, rest) = text.split_at_checked(length).unwrap_or((text, b""));
        if name.is_empty() {
            return self.error("readcf: config K line: no map name".to_owned());
        }
        // The character behind the name only ends it, whatever it is.
        let rest = trim(rest.get(1..).unwrap_or_default());
        let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        let (class, arguments) = rest.split_at_checked(length).unwrap_or((rest, b""));
        if class.is_empty() {
            let name = String::from_utf8_lossy(name);
            return self.error(format!("readcf: config K line, map {name}: no map class"));
        }
        let declaration = MapDeclaration {
            name: Bytes::copy_from_slice(name),
            class: Bytes::copy_from_slice(class),
            arguments: Bytes::copy_from_slice(trim(arguments)),
            line,
        };
        // A later line for the same map wins when maps are opened; what is wrong with the earlier one is said all the same.
        self.config.maps.push(declaration);
    }
}
