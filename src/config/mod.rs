//! The configuration: a cf file, read whole, in one immutable value.
//!
//! In: the text of `sendmail.cf` or `submit.cf`, the class files it names, `-O`/`-o`/`-M` of the command line. Out: a
//! [`Config`] and every diagnostic in one pass. Documents: op guide §5. Never: opens maps, keys or sockets.

pub mod daemon_port;
pub mod diagnostic;
pub mod dontblame;
pub mod drive;
pub mod headers;
pub mod mailer;
pub mod maps;
pub mod milter;
pub mod options;
pub mod privacy;
pub mod queue_group;
pub mod rules;
pub mod timeouts;
pub mod values;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::macros::{ClassTable, MacroTable, NameTable, Scope};

pub use diagnostic::Diagnostic;
pub use headers::HeaderRule;
pub use mailer::{Mailer, MailerId};
pub use options::Options;
pub use rules::{Rule, RulesetId, RulesetTable, Symbol};
pub use timeouts::Timeouts;

/// A cf file as read. Immutable once loaded.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// `V` line: level of the configuration language.
    pub level: u8,
    /// `V` line: vendor behind the slash.
    pub vendor: Option<Bytes>,
    /// Macro and class names.
    pub names: NameTable,
    /// Values of macros.
    pub macros: Arc<MacroTable>,
    /// Members of classes.
    pub classes: ClassTable,
    /// `O` lines.
    pub options: Options,
    /// `O Timeout.…` lines.
    pub timeouts: Timeouts,
    /// `M` lines; `error` and `discard` are not among them.
    pub mailers: Vec<Mailer>,
    /// `H` lines in file order.
    pub headers: Vec<HeaderRule>,
    /// `S` and `R` lines.
    pub rulesets: RulesetTable,
    /// `K` lines, and the maps that exist without one.
    pub maps: Vec<maps::MapDeclaration>,
    /// `Q` lines; the first is the default group.
    pub queue_groups: Vec<queue_group::QueueGroup>,
    /// `X` lines.
    pub filters: Vec<milter::Filter>,
    /// `O Milter.…` lines.
    pub milter: milter::MilterOptions,
    /// `P` lines: name and number.
    pub precedences: Vec<(Bytes, i64)>,
    /// `E` lines: name, and the value when the line gives one.
    pub environment: Vec<(Bytes, Option<Bytes>)>,
}

impl Config {
    /// Macro values as the configuration sets them.
    pub fn scope(&self) -> Scope {
        Scope::new(Arc::clone(&self.macros))
    }

    /// The mailer of that name, letter case aside.
    pub fn mailer(&self, name: &[u8]) -> Option<MailerId> {
        self.mailers.iter().position(|m| m.name.eq_ignore_ascii_case(name)).map(MailerId)
    }

    /// The ruleset of that name or number, as `$>` and `S=` name it.
    pub fn ruleset(&self, name: &[u8]) -> Option<RulesetId> {
        self.rulesets.find(name)
    }
}
