//! Reads the lines of a cf file into a [`Config`]: dispatch by the first letter, and the short kinds of lines.
//!
//! The longer kinds stand in the files of what they declare (`mailer.rs`, `headers.rs`, `assign.rs` …).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::diagnostic::Severity;
use super::lines::{self, Line};
use super::maps::MapDeclaration;
use super::outside::Outside;
use super::queue_group::QueueGroup;
use super::rules::{self, RulesetId};
use super::values::{DeliveryMode, SuperSafe};
use super::{Config, Diagnostic, Trace, VERSION};
use crate::address::scan::Alphabet;
use crate::base::bytes::{leading_number, split_once, trim};
use crate::base::domain;
use crate::base::exit::Exit;
use crate::base::limits;
use crate::macros::names::{self, NameError};
use crate::macros::{MacroId, MacroTable, Scope, Template, Value, expand};

/// A configuration in the making.
pub(super) struct Reader<'a> {
    /// What is known so far.
    pub(super) config: Config,
    /// The machine.
    pub(super) outside: &'a dyn Outside,
    /// Findings in the order of their lines.
    pub(super) findings: Vec<Diagnostic>,
    /// Options that the command line set: the file does not change them.
    pub(super) fixed: Vec<&'static str>,
    /// The command line may raise `LogLevel`, not lower it: the caller is neither root nor trusted.
    pub(super) only_raises: bool,
    /// The same for `Timeout.…`.
    pub(super) fixed_timeouts: Vec<String>,
    /// `OperatorChars` has been set.
    pub(super) operators_set: bool,
    /// Letter of the operation mode.
    pub(super) mode: Option<u8>,
    /// Whether lines for `-d` are kept.
    pub(super) is_traced: bool,
    /// File and line of what is being read; `None` for the command line.
    pub(super) place: Option<(PathBuf, u32)>,
    /// Ruleset of the rules that come.
    ruleset: Option<RulesetId>,
    /// Operator characters, and the kinds of characters that follow from them.
    alphabet: (Bytes, Alphabet),
    /// Memory for rules.
    scratch: rules::Scratch,
}

impl<'a> Reader<'a> {
    /// A reader that knows what the program knows before any file.
    pub(super) fn new(path: &Path, mode: Option<u8>, outside: &'a dyn Outside) -> Self {
        let config = Config { path: path.to_owned(), ..Config::default() };
        let mut reader = Self {
            config,
            outside,
            findings: Vec::new(),
            fixed: Vec::new(),
            only_raises: false,
            fixed_timeouts: Vec::new(),
            operators_set: false,
            mode,
            is_traced: false,
            place: None,
            ruleset: None,
            alphabet: (Bytes::new(), Alphabet::new(b"")),
            scratch: rules::Scratch::default(),
        };
        reader.define_built_in();
        reader
    }

    /// Reads the text of the file.
    pub(super) fn read(&mut self, text: &[u8]) {
        self.place = Some((self.config.path.clone(), 0));
        for line in lines::logical(text) {
            if let Some((_, number)) = &mut self.place {
                *number = line.number;
            }
            let text = lines::without_comments(&line.text, self.config.level);
            self.line(&Line { number: line.number, text });
            if self.has_ended() {
                break;
            }
        }
        self.place = None;
    }

    /// Keeps a line for `-d`.
    pub(super) fn trace(&mut self, category: u8, level: u16, parts: &[&[u8]]) {
        if self.is_traced {
            self.config.traces.push(Trace { category, level, text: parts.concat() });
        }
    }

    /// Whether something was found that ends the program where it stands.
    pub(super) fn has_ended(&self) -> bool {
        self.findings.last().is_some_and(|finding| finding.severity == Severity::Fatal)
    }

    /// The line that is being read; 0 for the command line.
    pub(super) fn line_number(&self) -> u32 {
        self.place.as_ref().map_or(0, |(_, line)| *line)
    }

    /// Whether a file is being read, not the command line.
    pub(super) fn reading_file(&self) -> bool {
        self.place.is_some()
    }

    /// What follows from the whole of the file.
    pub(super) fn finish(&mut self) {
        self.take_old_macros();
        self.add_implied_flags();
        let level = self.config.level;
        if level < LEVEL && self.mode == Some(b't') {
            self.note(format!(
                "Warning: .cf file is out of date: sendmail {VERSION} supports version {LEVEL}, .cf file is version {level}"
            ));
        }
        let options = &mut self.config.options;
        let interactive = options.super_safe == SuperSafe::Interactive;
        let mismatch = interactive && options.delivery_mode != DeliveryMode::Interactive;
        let is_disabled = options.host_status_directory.is_some() && options.connection_cache_size <= 0;
        if is_disabled {
            options.host_status_directory = None;
        }
        let lonely = options.single_thread_delivery && options.host_status_directory.is_none();
        options.single_thread_delivery &= !lonely;
        if is_disabled {
            self.note("Warning: HostStatusDirectory disabled with ConnectionCacheSize = 0".to_owned());
        }
        if lonely {
            self.note("Warning: HostStatusDirectory required for SingleThreadDelivery".to_owned());
        }
        if mismatch {
            self.note(SUPER_SAFE.to_owned());
        }
        if !MAILBOX_DATABASES.iter().any(|known| known.as_bytes() == self.config.options.mailbox_database) {
            let name = String::from_utf8_lossy(&self.config.options.mailbox_database).into_owned();
            let text = format!("Can't initialize mailbox database \"{name}\": Service unavailable");
            self.find(text, Severity::Error, Exit::UNAVAILABLE, false);
        }
        if self.config.mailer(b"local").is_none() {
            self.bare_error("No local mailer defined".to_owned());
        }
        self.add_default_queue_group();
        let host = self.config.maps.iter().any(|map| map.name.eq_ignore_ascii_case(b"host"));
        if !host {
            self.config.maps.push(MapDeclaration {
                name: Bytes::from_static(b"host"),
                class: Bytes::from_static(b"host"),
                arguments: Bytes::from_static(b"-a. -D"),
                line: 0,
            });
        }
    }

    fn add_default_queue_group(&mut self) {
        let groups = &mut self.config.queue_groups;
        let group = match groups.iter().position(|g| g.name.as_ref() == DEFAULT_GROUP) {
            Some(at) => groups.remove(at),
            None => QueueGroup::new(DEFAULT_GROUP, self.config.options.queue_directory.clone().unwrap_or_default()),
        };
        groups.insert(0, group);
    }

    fn line(&mut self, line: &Line<'_>) {
        let Some((kind, rest)) = line.text.split_first() else { return };
        match kind {
            b'D' => self.define(rest),
            b'C' => self.class_words(rest),
            b'F' => self.class_file_line(rest),
            b'S' => self.ruleset_line(rest),
            b'R' => self.rule_line(line),
            b'M' => self.mailer_line(rest),
            b'H' => self.header_line(rest),
            b'O' => self.option_line(rest),
            b'P' => self.precedence_line(line, rest),
            b'T' => self.trusted_users(rest),
            b'V' => self.version_line(rest),
            b'K' => self.map_line(rest, line.number),
            b'Q' => self.queue_line(rest),
            b'X' => self.filter_line(rest),
            b'E' => self.environment_line(rest),
            _ => self.unknown_line(line),
        }
    }

    fn unknown_line(&mut self, line: &Line<'_>) {
        self.error(format!("unknown configuration line \"{}\"", lines::quoted(&line.text)));
    }

    /// What `-M` gives: the value as it stands, with quotes, backslashes and dollar signs. Source: observed.
    pub(super) fn define_as_text(&mut self, text: &[u8]) {
        let Some((id, rest)) = self.name(text) else { return };
        self.macros().insert(id, Value::Text(Bytes::copy_from_slice(rest)));
    }

    /// `Dxvalue`.
    pub(super) fn define(&mut self, text: &[u8]) {
        let Some((id, rest)) = self.name(text) else { return };
        let (value, _) = lines::munch(rest, None);
        let mut complaints = Vec::new();
        let template = Template::parse_with(&value, &mut self.config.names, &mut complaints);
        self.complain(complaints);
        if self.is_traced {
            let word = if self.config.macros.get(&id).is_some() { "redefine" } else { "define" };
            let name = self.config.names.name(id);
            self.trace(35, 9, &[word.as_bytes(), b"(", &name, b" as ", value.as_ref(), b")"]);
        }
        self.macros().insert(id, Value::Template(Arc::new(template)));
    }

    fn class_words(&mut self, text: &[u8]) {
        let Some((id, rest)) = self.name(text) else { return };
        self.add_words(id, rest);
    }

    /// `Tuser user …`: words as they stand, macros are not expanded (observed).
    fn trusted_users(&mut self, text: &[u8]) {
        let class = MacroId(u16::from(b't'));
        self.config.classes.declare(class);
        for word in text.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()) {
            self.config.classes.add(class, word);
        }
    }

    /// Adds the words of `text`; `$=x` adds the members of another class.
    fn add_words(&mut self, class: MacroId, text: &[u8]) {
        self.config.classes.declare(class);
        let text = self.expand(text);
        for word in text.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()) {
            let Some(mut rest) = word.strip_prefix(b"$=") else {
                self.config.classes.add(class, word);
                continue;
            };
            while let Some((other, tail)) = self.name(rest) {
                let members: Vec<Bytes> = self.config.classes.members(other).cloned().collect();
                for member in members {
                    self.config.classes.add(class, &member);
                }
                let Some(next) = tail.strip_prefix(b"$=") else { break };
                rest = next;
            }
        }
    }

    fn ruleset_line(&mut self, text: &[u8]) {
        self.ruleset = self.ruleset_named(text);
        let Some(id) = self.ruleset else { return };
        if !self.config.rulesets.rules(id).is_empty() && self.mode == Some(b't') {
            let name = String::from_utf8_lossy(text.trim_ascii_end()).into_owned();
            self.note(format!("WARNING: Ruleset {name} has multiple definitions"));
        }
    }

    /// The ruleset that `text` names, made when it is new. Complains and returns nothing when that is no name.
    pub(super) fn ruleset_named(&mut self, text: &[u8]) -> Option<RulesetId> {
        let entered = self.config.rulesets.enter(text);
        if let Some(complaint) = entered.complaint {
            self.error(complaint);
        }
        entered.id
    }

    fn rule_line(&mut self, line: &Line<'_>) {
        let Some(ruleset) = self.ruleset else {
            return self.error(format!("missing valid ruleset for \"{}\"", lines::quoted(&line.text)));
        };
        let text = line.text.get(1..).unwrap_or_default();
        self.take_old_macros();
        if self.alphabet.0 != self.config.options.operator_chars {
            let operators = self.config.options.operator_chars.clone();
            self.alphabet = (operators.clone(), Alphabet::new(&operators));
        }
        let scope = Scope::new(Arc::clone(&self.config.macros));
        let mut reading = rules::Reading {
            names: &mut self.config.names,
            scope: &scope,
            alphabet: &self.alphabet.1,
            level: self.config.level,
            scratch: &mut self.scratch,
        };
        let parsed = rules::parse_rule(text, line.number, &mut reading);
        if let Some(rule) = parsed.rule {
            self.config.rulesets.add(ruleset, rule);
        }
        self.complain(parsed.complaints);
    }

    /// `Pname=number`.
    fn precedence_line(&mut self, line: &Line<'_>, text: &[u8]) {
        let Some((name, number)) = split_once(text, b'=') else { return self.unknown_line(line) };
        if self.config.precedences.len() >= limits::PRECEDENCES {
            return self.error(format!("too many P lines, {} max", limits::PRECEDENCES));
        }
        self.config.precedences.push((Bytes::copy_from_slice(trim(name)), leading_number(number)));
    }

    /// `Vlevel` or `Vlevel/vendor`.
    fn version_line(&mut self, text: &[u8]) {
        let text = trim(text);
        let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return self.error(format!("invalid argument to V line: \"{}\"", lines::quoted(text)));
        }
        let level = leading_number(text);
        if level > i64::from(LEVEL) {
            self.bare_error(format!(
                "Warning: .cf version level ({level}) exceeds sendmail version {VERSION} functionality ({LEVEL})"
            ));
        }
        self.config.level = u8::try_from(level).unwrap_or(LEVEL);
        if self.config.level >= SHORT_HOST {
            self.shorten_host();
        }
        let Some(vendor) = text.get(digits..).and_then(|rest| rest.strip_prefix(b"/")) else { return };
        let end = vendor.iter().position(u8::is_ascii_whitespace).unwrap_or(vendor.len());
        let vendor = vendor.get(..end).unwrap_or(vendor);
        if VENDORS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(vendor)) {
            self.config.vendor = Some(Bytes::copy_from_slice(vendor));
        } else {
            self.error(format!("invalid V line vendor code: \"{}\"", lines::quoted(vendor)));
        }
    }

    /// `$w` is the first label of the host's name, from level 5 of the language on.
    fn shorten_host(&mut self) {
        if let Some(Value::Text(full)) = self.config.macros.get(&names::HOST_LABEL) {
            let label = Bytes::copy_from_slice(domain::first_label(full));
            self.macros().insert(names::HOST_LABEL, Value::Text(label));
        }
    }

    /// Before level 7 of the language macros stood where options stand now: `$o $e $l`.
    fn take_old_macros(&mut self) {
        if self.config.level >= OPTIONS_FOR_MACROS {
            return;
        }
        if !self.operators_set && self.config.macros.get(&names::OPERATORS).is_some() {
            self.config.options.operator_chars = self.config.scope().text(names::OPERATORS);
        }
        let (greeting, from_line) = (self.template(names::GREETING), self.template(names::FROM_LINE));
        let options = &mut self.config.options;
        for (option, old) in [(&mut options.smtp_greeting_message, greeting), (&mut options.unix_from_line, from_line)]
        {
            if let Some(old) = old {
                *option = old;
            }
        }
    }

    fn template(&self, id: MacroId) -> Option<Template> {
        match self.config.macros.get(&id)? {
            Value::Template(template) => Some(Template::clone(template)),
            Value::Text(_) => None,
        }
    }

    /// `Ename` or `Ename=value`.
    fn environment_line(&mut self, text: &[u8]) {
        let (text, _) = lines::munch(text, None);
        let (name, value) = match split_once(&text, b'=') {
            Some((name, value)) => (name, Some(Bytes::copy_from_slice(value))),
            None => (text.as_slice(), None),
        };
        if !name.is_empty() {
            self.config.environment.push((Bytes::copy_from_slice(name), value));
        }
    }

    /// A macro or class name at the start of `text`, and what follows it; complains when there is none.
    pub(super) fn name<'t>(&mut self, text: &'t [u8]) -> Option<(MacroId, &'t [u8])> {
        let mut complaints = Vec::new();
        let Some((first, rest)) = text.split_first() else {
            self.error(NameError::Missing.to_string());
            return None;
        };
        let (id, rest) = expand::name(*first, rest, &mut self.config.names, &mut complaints);
        self.complain(complaints);
        Some((id?, rest))
    }

    /// Text with the macros it names put in, as they are now.
    pub(super) fn expand(&mut self, text: &[u8]) -> Vec<u8> {
        let template = Template::parse(text, &mut self.config.names);
        match template.as_literal() {
            Some(text) => text.to_vec(),
            None => template.expand(&Scope::new(Arc::clone(&self.config.macros))),
        }
    }

    /// Macro values, to change.
    pub(super) fn macros(&mut self) -> &mut MacroTable {
        Arc::make_mut(&mut self.config.macros)
    }

    /// Errors at the current line, in their order.
    pub(super) fn complain(&mut self, complaints: Vec<String>) {
        for complaint in complaints {
            self.error(complaint);
        }
    }

    /// An error at the current line; start-up ends with EX_SOFTWARE.
    pub(super) fn error(&mut self, text: String) {
        self.error_with(text, Exit::SOFTWARE);
    }

    /// An error at the current line.
    pub(super) fn error_with(&mut self, text: String, exit: Exit) {
        self.find(text, Severity::Error, exit, true);
    }

    /// An error at the current line; the program ends with it.
    pub(super) fn fatal(&mut self, text: String, exit: Exit) {
        self.find(text, Severity::Fatal, exit, true);
    }

    /// An error that names no line.
    pub(super) fn bare_error(&mut self, text: String) {
        self.find(text, Severity::Error, Exit::SOFTWARE, false);
    }

    /// Something to say about the current line that ends nothing.
    pub(super) fn remark(&mut self, text: String, exit: Exit) {
        self.find(text, Severity::Warning, exit, true);
    }

    /// Something to say that names no line and ends nothing.
    pub(super) fn note(&mut self, text: String) {
        self.find(text, Severity::Warning, Exit::OK, false);
    }

    fn find(&mut self, text: String, severity: Severity, exit: Exit, placed: bool) {
        let place = self.place.clone().filter(|_| placed);
        let line = place.as_ref().map_or(0, |(_, line)| *line);
        self.findings.push(Diagnostic { path: place.map(|(path, _)| path), line, text, severity, exit });
    }

    /// Mailers, classes and macros that exist before any file. Source: observed.
    fn define_built_in(&mut self) {
        let built_in: &[(MacroId, &str)] = &[(names::DAEMON_USER, "MAILER-DAEMON"), (names::VERSION, VERSION)];
        for (id, text) in built_in {
            self.macros().insert(*id, Value::Text(Bytes::from_static(text.as_bytes())));
        }
        if let Some(mode) = self.mode {
            self.macros().insert(names::OP_MODE, Value::Text(Bytes::copy_from_slice(&[mode])));
        }
        for (class, words) in CLASSES {
            let id = self.config.names.intern(class.as_bytes());
            for word in *words {
                if let Ok(id) = id {
                    self.config.classes.add(id, word.as_bytes());
                }
            }
        }
        for line in MAILERS {
            self.mailer_line(line.as_bytes());
        }
        self.config.names.forget_mentions();
    }
}

/// The queue group that is there without a `Q` line.
pub(super) const DEFAULT_GROUP: &[u8] = b"mqueue";

/// Where local users may be looked up. Source: observed.
const MAILBOX_DATABASES: &[&str] = &["pw", "ldap"];

const SUPER_SAFE: &str = "WARNING: SuperSafe=interactive should only be used with\n         DeliveryMode=interactive";

/// Level of the configuration language understood.
pub(super) const LEVEL: u8 = 10;

/// Level from which on `$w` is the first label of the name. Source: op guide 5.6 (V lines).
const SHORT_HOST: u8 = 5;

/// Level from which on options stand where macros stood. Source: op guide 5.6 (V lines).
const OPTIONS_FOR_MACROS: u8 = 7;

/// Vendors that a `V` line may name.
const VENDORS: &[&str] = &["Berkeley"];

/// Class members that are there before any file. Source: observed.
const CLASSES: &[(&str, &[&str])] = &[
    ("n", &["multipart/signed"]),
    ("s", &["rfc822"]),
    ("e", &["7bit", "8bit", "binary"]),
    ("checkMIMEFieldHeaders", &["content-disposition", "content-type"]),
    ("checkMIMETextHeaders", &["content-description"]),
    (
        "checkMIMEHeaders",
        &["content-disposition", "content-id", "content-transfer-encoding", "content-type", "mime-version"],
    ),
    ("persistentMacros", &["r", "s", "_", "{if_addr}", "{daemon_flags}"]),
];

/// Mailers that are there before any file. Source: observed.
const MAILERS: &[&str] = &[
    "prog, P=/bin/sh, F=lsouDq9, T=X-Unix/X-Unix/X-Unix, A=sh -c $u",
    "*file*, P=[FILE], F=lsDFMPEouq9, T=X-Unix/X-Unix/X-Unix, A=FILE $u",
    "*include*, P=/dev/null, F=su, A=INCLUDE $u",
];
