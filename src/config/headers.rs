//! `H` lines.

use bytes::Bytes;

use super::rules::RulesetId;
use crate::macros::Template;
use crate::message::Condition;

/// An `H` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderRule {
    /// Field name as written; `*` for the ruleset of all headers without their own.
    pub name: Bytes,
    /// Its condition.
    pub condition: Condition,
    /// Text of the header to add; continuation lines keep their newline. `None` for a line that only names a ruleset.
    pub template: Option<Template>,
    /// Ruleset for a header that came in; the flag says whether comments are kept (`$>+`).
    pub check: Option<(RulesetId, bool)>,
}
