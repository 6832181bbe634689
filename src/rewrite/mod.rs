//! The rewriting machine: rulesets compiled to a flat program over interned tokens.
//!
//! In: a workspace and the number of a ruleset. Out: the workspace as the rules left it; a question whenever a rule asks a
//! map. Documents: op guide 5.1. Never: opens a map, recurses, or allocates while it matches.
//!
//! A *workspace* is the list of tokens under rewriting; a *triple* is what begins with `$#`: mailer, host, user. An
//! *observer* is told what happens; traces come from there and from nowhere else.

pub(crate) mod class;
pub mod compile;
pub mod drive;
pub mod machine;
pub mod pattern;
pub(crate) mod pieces;
pub mod print;
pub mod program;
pub mod resolution;
pub mod symbol;
pub(crate) mod text;
pub mod trace;
pub mod workspace;

pub use program::Program;
pub use resolution::Resolution;
pub use trace::{Messages, Observer};
pub use workspace::Workspace;
