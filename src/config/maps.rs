//! `K` lines.

use bytes::Bytes;

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
