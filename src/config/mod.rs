//! The configuration: a cf file, read whole, in one immutable value.
//!
//! In: the text of `sendmail.cf` or `submit.cf`, the class files it names, `-O`/`-o`/`-M` of the command line. Out: a
//! [`Config`] and every diagnostic in one pass. Documents: op guide §5. Never: opens maps, keys or sockets.

mod assign;
mod class_file;
pub mod daemon_port;
pub mod diagnostic;
pub mod dontblame;
pub mod drive;
pub mod headers;
mod lines;
pub mod mailer;
pub mod mailer_flags;
pub mod maps;
pub mod milter;
pub mod options;
mod outside;
pub mod privacy;
pub mod queue_group;
mod reader;
pub mod rules;
pub mod timeouts;
mod users;
pub mod values;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::macros::{ClassTable, MacroId, MacroTable, NameTable, Scope};

pub use assign::Setting;
pub use diagnostic::Diagnostic;
pub use headers::HeaderRule;
pub use mailer::{Mailer, MailerId};
pub use options::Options;
pub use rules::{Rule, RulesetId, RulesetTable, Symbol};
pub use timeouts::Timeouts;

/// Version of the program, the value of `$v`: the release of the original that it is measured by, and our own number.
pub const VERSION: &str = "8.18.2.1";

/// An `F` line that reads a class from a map: `F{Name}key@class:spec`. Filled in once when maps are open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassLookup {
    /// The class.
    pub class: MacroId,
    /// The key; empty for a whole LDAP class.
    pub key: Bytes,
    /// Class of the map.
    pub map_class: Bytes,
    /// Its arguments.
    pub arguments: Bytes,
    /// `-o`: a failure is no error.
    pub optional: bool,
    /// Line in the cf file, from 1.
    pub line: u32,
}

/// A line of debug output about the reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Category of `-d`.
    pub category: u8,
    /// Level from which on it is shown.
    pub level: u16,
    /// The line.
    pub text: Vec<u8>,
}

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
    /// `F` lines that name a map.
    pub class_lookups: Vec<ClassLookup>,
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
    /// What `-d` shows of the reading; empty unless it is asked for.
    pub traces: Vec<Trace>,
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

/// Reads the text of a cf file apart from any machine: names of users, files and programs in it stand for nothing.
///
/// Findings as from [`drive::load`].
pub fn parse(text: &[u8]) -> (Config, Vec<Diagnostic>) {
    let mut reader = reader::Reader::new(std::path::Path::new("-"), None, &outside::Nowhere);
    reader.read(text);
    if !reader.has_ended() {
        reader.finish();
    }
    (reader.config, reader.findings)
}

#[cfg(test)]
mod tests;
