//! Macros and classes: names, values, expansion.
//!
//! In: templates from the configuration, values from sessions and envelopes. Out: expanded bytes, class membership.
//! Documents: op guide 5.1.2 (macros), 5.3 (classes). Never: decides what a value means.
//!
//! A *template* is text with macro references still in it; a *value* set at run time is plain text and is never expanded,
//! whatever a peer put into it.

pub mod class;
pub mod expand;
pub mod names;
pub mod scope;

pub use class::ClassTable;
pub use expand::{Piece, Template};
pub use names::{MacroId, NameTable};
pub use scope::{MacroTable, Scope, Value};
