//! `M` lines.

use std::time::Duration;

use bytes::Bytes;

use super::lines;
use super::reader::Reader;
use super::rules::RulesetId;
use super::values::UserSpec;
use crate::base::bytes::{leading_number, split_once, trim};
use crate::base::letters::LetterSet;
use crate::base::limits;
use crate::macros::{Template, names};

/// Index of a mailer in [`super::Config::mailers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailerId(pub usize);

/// Rulesets of an `S=` or `R=` equate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RulesetPair {
    /// For envelope addresses.
    pub envelope: Option<RulesetId>,
    /// For header addresses.
    pub header: Option<RulesetId>,
}

/// A mailer. Source: op guide 5.4.
#[derive(Debug, Clone)]
pub struct Mailer {
    /// Name.
    pub name: Bytes,
    /// `P=`: program, `[IPC]` or `[FILE]`.
    pub path: Bytes,
    /// `F=`: flag letters, see [`super::mailer`] of the op guide; `LetterSet::has(b'm')`.
    pub flags: LetterSet,
    /// `S=`: sender rewriting.
    pub sender: RulesetPair,
    /// `R=`: recipient rewriting.
    pub recipient: RulesetPair,
    /// `A=`: argument vector; words are split at blanks before expansion.
    pub argv: Vec<Template>,
    /// `E=`: line ending.
    pub eol: Bytes,
    /// `M=`: largest message, bytes; 0 for any.
    pub max_size: i64,
    /// `m=`: messages per connection; 0 for any.
    pub max_messages: i64,
    /// `r=`: recipients per transaction; 0 for any.
    pub max_recipients: i64,
    /// `L=`: longest line, bytes; 0 for any.
    pub line_limit: usize,
    /// `D=`: working directories to try, colon separated.
    pub directory: Option<Template>,
    /// `U=`: user and group of the program.
    pub user: Option<UserSpec>,
    /// `N=`: nice increment.
    pub nice: i32,
    /// `C=`: character set of 8-bit mail from this mailer.
    pub charset: Option<Bytes>,
    /// `T=`: type of MTA for DSNs.
    pub mta_type: Bytes,
    /// `T=`: type of addresses for DSNs.
    pub address_type: Bytes,
    /// `T=`: type of diagnostics for DSNs.
    pub diagnostic_type: Bytes,
    /// `W=`: longest wait for the program to end.
    pub wait: Option<Duration>,
    /// `Q=`: default queue group.
    pub queue_group: Option<Bytes>,
    /// `/=`: new root directory.
    pub root: Option<Template>,
}

impl Mailer {
    /// Whether the mailer has the flag letter.
    pub fn has(&self, flag: u8) -> bool {
        self.flags.has(flag)
    }

    /// Whether mail leaves through a network connection.
    pub fn is_network(&self) -> bool {
        self.path.as_ref() == b"[IPC]"
    }

    /// Whether mail is appended to a file.
    pub fn is_file(&self) -> bool {
        self.path.as_ref() == b"[FILE]"
    }
}

impl Default for Mailer {
    /// A mailer as an `M` line without any equate would make it.
    fn default() -> Self {
        Self {
            name: Bytes::new(),
            path: Bytes::new(),
            flags: LetterSet::EMPTY,
            sender: RulesetPair::default(),
            recipient: RulesetPair::default(),
            argv: Vec::new(),
            eol: Bytes::new(),
            max_size: 0,
            max_messages: 0,
            max_recipients: 100,
            line_limit: 0,
            directory: None,
            user: None,
            nice: 0,
            charset: None,
            mta_type: Bytes::new(),
            address_type: Bytes::new(),
            diagnostic_type: Bytes::new(),
            wait: None,
            queue_group: None,
            root: None,
        }
    }
}

impl Reader<'_> {
    /// `Mname, P=path, F=flags, …`.
    pub(super) fn mailer_line(&mut self, text: &[u8]) {
        let (name, rest) = line_name(text);
        if name.is_empty() {
            return self.error("name required for mailer".to_owned());
        }
        let mut mailer = Mailer { name: Bytes::copy_from_slice(name), ..Mailer::default() };
        let shown = String::from_utf8_lossy(name).into_owned();
        let mut equates = Equates(rest);
        while let Some(equate) = equates.next_equate() {
            let Ok((letter, value)) = equate else {
                return self.error(format!("mailer {shown}: `=' expected"));
            };
            if self.mailer_equate(&mut mailer, &shown, letter, &value).is_err() {
                return;
            }
        }
        if self.is_usable(&mut mailer, &shown) {
            self.put_mailer(mailer);
        }
    }

    /// Sets one field. Errors: the whole line is given up; what is wrong has been said.
    fn mailer_equate(&mut self, m: &mut Mailer, shown: &str, letter: u8, value: &[u8]) -> Result<(), Abandoned> {
        let number = leading_number(value);
        match letter {
            b'P' => m.path = Bytes::copy_from_slice(value),
            b'F' => m.flags = LetterSet::from_bytes(value),
            b'S' => m.sender = self.ruleset_pair(value)?,
            b'R' => m.recipient = self.ruleset_pair(value)?,
            b'A' => {
                let words = value.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
                m.argv = words.take(ARGUMENTS).map(|w| Template::parse(w, &mut self.config.names)).collect();
            }
            b'E' if value.is_empty() => {
                self.error(format!("mailer {shown}: null end-of-line string"));
            }
            b'E' => m.eol = Bytes::copy_from_slice(value),
            b'M' => m.max_size = number,
            b'm' => m.max_messages = number,
            b'r' if number > 0 => m.max_recipients = number,
            b'r' => {}
            b'L' => m.line_limit = usize::try_from(number).unwrap_or(0),
            b'N' => m.nice = i32::try_from(number).unwrap_or(0),
            b'W' => m.wait = self.interval(value, b's').filter(|span| !span.is_zero()),
            b'D' | b'/' if value.is_empty() => {
                let what = if letter == b'D' { "working" } else { "root" };
                self.error(format!("mailer {shown}: null {what} directory"));
            }
            b'D' | b'/' => {
                let template = Some(Template::parse(value, &mut self.config.names));
                *(if letter == b'D' { &mut m.directory } else { &mut m.root }) = template;
            }
            b'U' if value.first().is_none_or(|b| matches!(b, b':' | b'.' | b'/')) => {
                self.error(format!("mailer {shown}: null user name"));
            }
            b'U' => m.user = self.user_spec(&without_blanks(value), "readcf: mailer U= flag"),
            b'C' | b'Q' if value.is_empty() => {
                self.error(format!("mailer {shown}: null {}", if letter == b'C' { "charset" } else { "queue" }));
            }
            b'C' => m.charset = Some(Bytes::copy_from_slice(value)),
            b'Q' if !self.config.queue_groups.iter().any(|g| g.name == value) && value != b"mqueue" => {
                self.error(format!("mailer {shown}: unknown queue {}", String::from_utf8_lossy(value)));
            }
            b'Q' => m.queue_group = Some(Bytes::copy_from_slice(value)),
            b'T' => set_types(m, value),
            other => {
                self.error(format!("M{shown}: unknown mailer equate {}=", char::from(other)));
            }
        }
        Ok(())
    }

    /// `envelope/header`, or one for both; what stands behind a character of no name is not looked at (observed).
    fn ruleset_pair(&mut self, value: &[u8]) -> Result<RulesetPair, Abandoned> {
        let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'=' | b'/');
        let end = value.iter().skip(1).position(|b| !is_name(b)).map_or(value.len(), |at| at + 1);
        let value = value.get(..end).unwrap_or(value);
        match split_once(value, b'/') {
            Some((b"", _)) => {
                self.error(format!("invalid ruleset name: \"{}\"", lines::quoted(value)));
                Err(Abandoned)
            }
            Some((envelope, header)) => {
                Ok(RulesetPair { envelope: self.ruleset_of(envelope)?, header: self.ruleset_of(header)? })
            }
            None => {
                let both = self.ruleset_of(value)?;
                Ok(RulesetPair { envelope: both, header: both })
            }
        }
    }

    /// The ruleset that an equate names; number 0 is none.
    fn ruleset_of(&mut self, text: &[u8]) -> Result<Option<RulesetId>, Abandoned> {
        let id = self.ruleset_named(text).ok_or(Abandoned)?;
        Ok(Some(id).filter(|id| id.0 != 0))
    }

    /// Checks what a mailer needs and fills in what follows from it; complains when something is missing.
    fn is_usable(&mut self, m: &mut Mailer, shown: &str) -> bool {
        let first = m.argv.first().and_then(Template::as_literal).unwrap_or_default();
        let fault = match m.path.as_ref() {
            _ if m.argv.is_empty() => Some("A= argument required"),
            b"" => Some("P= argument required"),
            b"[TCP]" => Some("P=[TCP] must be replaced by P=[IPC]"),
            b"[IPC]" if m.argv.len() < 2 => Some("too few parameters for [IPC] mailer"),
            b"[FILE]" if m.argv.len() < 2 => Some("too few parameters for [FILE] mailer"),
            b"[FILE]" if first != "FILE" => Some("first argument in [FILE] mailer must be FILE"),
            _ => None,
        };
        if let Some(fault) = fault {
            self.error(format!("M{shown}: {fault}"));
            return false;
        }
        if m.is_network() && first != "TCP" && first != "FILE" {
            self.note(format!("M{shown}: Warning: first argument in [IPC] mailer must be TCP or FILE"));
        }
        if m.eol.is_empty() {
            // Without the recipient among its arguments a mailer is spoken to in SMTP or LMTP.
            let speaks = !m.argv.iter().any(|word| word.mentions(names::RCPT_USER));
            m.eol = Bytes::from_static(if speaks { b"\r\n" } else { b"\n" });
        }
        if m.is_network() && m.mta_type.is_empty() {
            set_types(m, b"");
        }
        if m.has(b'L') && m.line_limit == 0 {
            m.line_limit = OLD_LINE_LIMIT;
        }
        if m.name.as_ref() == b"prog" {
            // A program takes one recipient at a time, whatever its line says.
            m.flags.remove(b'm');
        }
        true
    }

    /// Flags that old levels of the language imply. Source: op guide 5.6 (V lines); observed (the level that the file
    /// ends with counts).
    pub(super) fn add_implied_flags(&mut self) {
        let level = self.config.level;
        let old: &[u8] = if level < 6 { b"Aw5:|/@" } else { b"" };
        let older: &[u8] = if level < 7 { b"q" } else { b"" };
        if let Some(local) = self.config.mailers.iter_mut().find(|m| m.name.eq_ignore_ascii_case(b"local")) {
            old.iter().chain(older).for_each(|flag| local.flags.insert(*flag));
        }
    }

    fn put_mailer(&mut self, mailer: Mailer) {
        let mailers = &mut self.config.mailers;
        if let Some(slot) = mailers.iter_mut().find(|m| m.name.eq_ignore_ascii_case(&mailer.name)) {
            *slot = mailer;
        } else if mailers.len() < limits::MAILERS {
            mailers.push(mailer);
        } else {
            self.error(format!("too many mailers defined ({} max)", limits::MAILERS));
        }
    }
}

/// `T=mta/address/diagnostic`; the first alone implies the other two.
fn set_types(m: &mut Mailer, value: &[u8]) {
    let mut parts = value.splitn(3, |b| *b == b'/').map(trim);
    let mut next = |default: &'static str| match parts.next() {
        Some(part) if !part.is_empty() => Bytes::copy_from_slice(part),
        _ => Bytes::from_static(default.as_bytes()),
    };
    m.mta_type = next("dns");
    m.address_type = next("rfc822");
    m.diagnostic_type = next("smtp");
}

/// `U=` may have blanks around its colon, other users not. Source: observed.
fn without_blanks(value: &[u8]) -> Vec<u8> {
    value.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect()
}

/// The line is not looked at any further.
#[derive(Debug, Clone, Copy)]
pub(super) struct Abandoned;

/// Name at the start of an `M`, `Q` or `X` line, and what stands behind the character that ends it.
pub(super) fn line_name(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| *b == b',' || b.is_ascii_whitespace()).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).unwrap_or((text, b""));
    (name, rest.get(1..).unwrap_or_default())
}

/// `x=value` pairs between commas.
pub(super) struct Equates<'a>(pub(super) &'a [u8]);

impl Equates<'_> {
    /// The next pair; `Err` when there is no `=` where one should be.
    pub(super) fn next_equate(&mut self) -> Option<Result<(u8, Vec<u8>), Abandoned>> {
        if self.0.is_empty() {
            return None;
        }
        let start = self.0.iter().position(|b| *b != b',' && !b.is_ascii_whitespace()).unwrap_or(self.0.len());
        let text = self.0.get(start..)?;
        let letter = text.first().copied().unwrap_or_default();
        let end = text.iter().position(|b| *b == b',' || *b == b'=').unwrap_or(text.len());
        let Some(value) = text.get(end..).and_then(|rest| rest.strip_prefix(b"=")) else {
            self.0 = b"";
            return Some(Err(Abandoned));
        };
        let (value, rest) = lines::munch(value.trim_ascii_start(), Some(b','));
        self.0 = rest;
        Some(Ok((letter, value)))
    }
}

/// Most words of `A=`. Source: op guide (MAXPV); observed.
const ARGUMENTS: usize = 255;

/// Line limit that flag `L` sets. Source: observed.
const OLD_LINE_LIMIT: usize = 990;
