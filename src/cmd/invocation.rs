//! The sendmail command line, parsed as the original's getopt does.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use super::clean;
use super::modes::{Mode, PERSONALITIES, Role};
use crate::base::bytes::{leading_number, split_once};
use crate::base::exit::Exit;
use crate::base::time::parse_interval;
use crate::base::xtext;
use crate::config::Setting;
use crate::config::options::{self, OPTIONS, Safe};
use crate::envelope::Notify;

/// Where a complaint goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Standard output, as most of what the original says.
    Output,
    /// Standard error.
    Error,
    /// Standard error when it is a terminal: the original says nothing, and scripts get nothing else either.
    Terminal,
}

/// Something wrong with a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is said.
    pub text: String,
    /// Where.
    pub channel: Channel,
    /// Whether nothing is done after it.
    pub ends: bool,
}

/// `DSN` requests of the command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dsn {
    /// `-V`: envelope identifier, in xtext as given.
    pub envelope_id: Option<Bytes>,
    /// `-R`: `F` for the full message, `H` for its header.
    pub return_part: Option<u8>,
    /// `-N`: events; `None` when not given.
    pub notify: Option<Notify>,
}

/// What a queue run or listing looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// `I` queue id, `R` recipient, `S` sender, `Q` quarantine reason.
    pub kind: u8,
    /// `-q!…`: entries without it.
    pub negated: bool,
    /// Text that occurs in it.
    pub text: Bytes,
}

/// The `-q` family.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueRequest {
    /// `-q` was given.
    pub given: bool,
    /// `-q30m`: time between runs; `None` for one run.
    pub interval: Option<Duration>,
    /// `-qp`: persistent runners.
    pub persistent: bool,
    /// `-qf`: in the foreground.
    pub foreground: bool,
    /// `-qG`: one group.
    pub group: Option<Bytes>,
    /// `-qI -qR -qS -qQ…`.
    pub selections: Vec<Selection>,
    /// `-qQ`: quarantined entries.
    pub quarantined: bool,
    /// `-qL`: lost entries.
    pub lost: bool,
}

/// A parsed command line.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// `argv[0]`.
    pub program: Bytes,
    /// Everything behind it, for the pid file and a restart.
    pub arguments: Vec<Bytes>,
    /// What is to be done.
    pub mode: Mode,
    /// `-Ac`, `-Am`.
    pub role: Option<Role>,
    /// `-C`.
    pub config_path: Option<PathBuf>,
    /// Options and macros, in order.
    pub settings: Vec<Setting>,
    /// A setting or flag only for trusted users was given: privileges are dropped for others.
    pub is_unsafe: bool,
    /// `-f`, `-r`.
    pub sender: Option<Bytes>,
    /// `-F`.
    pub full_name: Option<Bytes>,
    /// `-h`.
    pub hop_count: i64,
    /// `-B`.
    pub body_type: Option<Bytes>,
    /// `-N -R -V`.
    pub dsn: Dsn,
    /// `-p`: protocol and host.
    pub protocol: Option<(Bytes, Option<Bytes>)>,
    /// `-L`.
    pub log_tag: Option<Bytes>,
    /// `-X`.
    pub traffic_log: Option<PathBuf>,
    /// `-d` values in order.
    pub debug: Vec<Bytes>,
    /// `-D`.
    pub debug_file: Option<PathBuf>,
    /// `-t`.
    pub recipients_in_header: bool,
    /// `-n`.
    pub no_aliases: bool,
    /// `-G`.
    pub is_gateway: bool,
    /// `-v`.
    pub is_verbose: bool,
    /// The `-q` family.
    pub queue: QueueRequest,
    /// `-Q`: reason; empty to free entries.
    pub quarantine: Option<Bytes>,
    /// What follows the flags.
    pub recipients: Vec<Bytes>,
    /// Texts that had line feeds, without them: somebody may try to add header fields.
    pub attacks: Vec<Bytes>,
    /// What is wrong, in order.
    pub faults: Vec<Fault>,
    /// Exit code that the faults ask for.
    pub exit: Exit,
}

impl Invocation {
    /// Parses a command line, the program's name first.
    pub fn parse(argv: &[Bytes]) -> Self {
        let program = argv.first().cloned().unwrap_or_default();
        let mut found = Self::new(program, argv.get(1..).unwrap_or_default().to_vec());
        let mut rest = argv.get(1..).unwrap_or_default();
        while let Some((word, tail)) = rest.split_first() {
            if word.as_ref() == b"--" {
                rest = tail;
                break;
            }
            if word.len() < 2 || !word.starts_with(b"-") {
                break;
            }
            rest = found.word(word, tail);
        }
        found.recipients.extend_from_slice(rest);
        found
    }

    fn new(program: Bytes, arguments: Vec<Bytes>) -> Self {
        let name = Path::new(std::str::from_utf8(&program).unwrap_or_default()).file_name().unwrap_or_default();
        let personality = PERSONALITIES.iter().find(|(known, _)| name == *known);
        Self {
            program,
            arguments,
            mode: personality.map_or(Mode::Deliver, |(_, mode)| *mode),
            role: None,
            config_path: None,
            settings: Vec::new(),
            is_unsafe: false,
            sender: None,
            full_name: None,
            hop_count: 0,
            body_type: None,
            dsn: Dsn::default(),
            protocol: None,
            log_tag: None,
            traffic_log: None,
            debug: Vec::new(),
            debug_file: None,
            recipients_in_header: false,
            no_aliases: false,
            is_gateway: false,
            is_verbose: false,
            queue: QueueRequest::default(),
            quarantine: None,
            recipients: Vec::new(),
            attacks: Vec::new(),
            faults: Vec::new(),
            exit: Exit::OK,
        }
    }

    /// One word of flags; returns the words that are left.
    fn word<'a>(&mut self, word: &Bytes, tail: &'a [Bytes]) -> &'a [Bytes] {
        let mut at = 1;
        while let Some(letter) = word.get(at).copied() {
            at += 1;
            let Some(row) = FLAGS.iter().find(|row| row.0 == letter) else {
                self.illegal(letter);
                return tail;
            };
            let attached = word.slice(at..);
            match row.1 {
                Value::None => self.switch(letter),
                Value::Attached => {
                    self.flag(letter, attached);
                    return tail;
                }
                Value::Required if !attached.is_empty() => {
                    self.flag(letter, attached);
                    return tail;
                }
                Value::Required => {
                    let Some((value, tail)) = tail.split_first() else {
                        self.without_value(letter);
                        return tail;
                    };
                    self.flag(letter, value.clone());
                    return tail;
                }
            }
        }
        tail
    }

    fn illegal(&mut self, letter: u8) {
        let program = String::from_utf8_lossy(&self.program);
        let text = format!("{program}: illegal option -- {}", char::from(letter));
        self.complain(text, Channel::Error, true);
    }

    fn without_value(&mut self, letter: u8) {
        if letter == b'b' {
            // The original looks at a blank then.
            return self.say("Invalid operation mode  ");
        }
        let program = String::from_utf8_lossy(&self.program);
        let text = format!("{program}: option requires an argument -- {}", char::from(letter));
        self.complain(text, Channel::Error, true);
    }

    /// Flags without a value.
    fn switch(&mut self, letter: u8) {
        match letter {
            b'G' => self.is_gateway = true,
            b'T' | b'c' | b'i' | b'm' => self.set(letter, b"T"),
            b's' => self.set(b'f', b"T"),
            b'n' => self.no_aliases = true,
            b't' => self.recipients_in_header = true,
            b'v' => {
                self.is_verbose = true;
                self.set(b'v', b"T");
            }
            // As the original without it, which says nothing. Source: observed.
            b'U' => self.complain(WITHOUT_UTF8.to_owned(), Channel::Terminal, true),
            // The old form of -bi. Source: observed.
            b'I' => self.complain(String::new(), Channel::Output, true),
            _ => {}
        }
    }

    /// Flags with a value.
    fn flag(&mut self, letter: u8, value: Bytes) {
        match letter {
            b'A' => match value.first() {
                Some(b'c') => self.role = Some(Role::Submission),
                Some(b'm') => self.role = Some(Role::Transfer),
                // Observed: the original says nothing to others.
                _ => {}
            },
            b'B' => self.body(&value),
            b'b' => self.set_mode(&value),
            b'C' => {
                self.config_path = Some(path(&value));
                self.is_unsafe = true;
            }
            b'D' if !self.debug.is_empty() => self.say("-D file must be before -d"),
            b'D' => {
                self.is_unsafe = true;
                self.debug_file = Some(path(&value));
            }
            b'd' => self.debug.push(value),
            b'e' => self.option(b'e', &value),
            b'F' => self.full_name = Some(self.one_line(value)),
            b'f' | b'r' => {
                let sender = self.one_line(value);
                self.set_sender(sender);
            }
            b'h' => self.hops(&value),
            b'L' => self.log_tag = Some(value),
            b'M' => {
                // Only the protocol and the sending host are harmless.
                self.is_unsafe |= !matches!(value.first(), Some(b'r' | b's'));
                self.settings.push(Setting::Macro(value));
            }
            b'N' => self.notify(&value),
            b'O' => self.long_option(value),
            b'o' => {
                let letter = value.first().copied().unwrap_or(0);
                self.option(letter, value.get(1..).unwrap_or_default());
            }
            b'p' => {
                let (protocol, host) = match split_once(&value, b':') {
                    Some((protocol, host)) => (value.slice_ref(protocol), Some(value.slice_ref(host))),
                    None => (value, None),
                };
                self.protocol = Some((self.trace_word(protocol), host.map(|host| self.trace_word(host))));
            }
            b'Q' => self.quarantine = Some(value),
            b'q' => self.queue_flag(&value),
            b'R' => self.return_part(&value),
            b'V' => self.envelope_id(value),
            b'X' => {
                self.is_unsafe = true;
                self.traffic_log = Some(path(&value));
            }
            _ => {}
        }
    }

    fn set_mode(&mut self, value: &[u8]) {
        let letter = value.first().copied().unwrap_or(b' ');
        match Mode::from_letter(letter) {
            Some(mode) => self.mode = mode,
            None if letter == b'z' => self.say("Frozen configurations unsupported"),
            None => self.say(&format!("Invalid operation mode {}", char::from(letter))),
        }
    }

    fn body(&mut self, value: &Bytes) {
        if value.eq_ignore_ascii_case(b"7BIT") || value.eq_ignore_ascii_case(b"8BITMIME") {
            self.body_type = Some(value.to_ascii_uppercase().into());
            return;
        }
        let text = format!("Illegal body type {}", String::from_utf8_lossy(value));
        self.complain(text, Channel::Output, false);
    }

    /// Text that may not begin a line of its own.
    fn one_line(&mut self, value: Bytes) -> Bytes {
        clean::one_line(value).unwrap_or_else(|line| {
            self.attacks.push(line.clone());
            line
        })
    }

    fn trace_word(&mut self, value: Bytes) -> Bytes {
        clean::trace_word(&self.one_line(value))
    }

    fn set_sender(&mut self, value: Bytes) {
        if self.sender.is_some() {
            return self.say("More than one \"from\" person");
        }
        self.sender = Some(value);
    }

    fn hops(&mut self, value: &[u8]) {
        let number = value.trim_ascii_start();
        let (is_negative, digits) = match number.split_first() {
            Some((b'-', rest)) => (true, rest),
            Some((b'+', rest)) => (false, rest),
            _ => (false, number),
        };
        if (digits.is_empty() && !value.is_empty()) || !digits.iter().all(u8::is_ascii_digit) {
            return self.say(&format!("Bad hop count ({})", String::from_utf8_lossy(value)));
        }
        let count = leading_number(digits);
        self.hop_count = if is_negative { count.saturating_neg() } else { count };
    }

    fn notify(&mut self, value: &[u8]) {
        let mut events = Notify::NEVER;
        if !value.eq_ignore_ascii_case(b"never") {
            for word in value.split(|b| *b == b',') {
                match word.to_ascii_lowercase().as_slice() {
                    b"success" => events.success = true,
                    b"failure" => events.failure = true,
                    b"delay" => events.delay = true,
                    _ => return self.say("Invalid -N argument"),
                }
            }
        }
        // Those of several flags count together; `never` takes nothing back. Source: observed.
        let before = self.dsn.notify.unwrap_or(Notify::NEVER);
        events.success |= before.success;
        events.failure |= before.failure;
        events.delay |= before.delay;
        self.dsn.notify = Some(events);
    }

    fn return_part(&mut self, value: &[u8]) {
        if self.dsn.return_part.is_some() {
            return self.say("Duplicate -R flag");
        }
        match value.to_ascii_lowercase().as_slice() {
            b"hdrs" => self.dsn.return_part = Some(b'H'),
            b"full" => self.dsn.return_part = Some(b'F'),
            _ => self.say("Invalid -R value"),
        }
    }

    fn envelope_id(&mut self, value: Bytes) {
        if xtext::decode(&value).is_none() {
            return self.say("Invalid syntax in -V flag");
        }
        self.dsn.envelope_id = Some(value);
    }

    /// `-oXvalue` and the flags that stand for one.
    fn option(&mut self, letter: u8, value: &[u8]) {
        let safe = options::by_letter(letter).map(|row| row.safe);
        let is_safe_macro = letter == b'M' && matches!(value.first(), Some(b'r' | b's'));
        self.is_unsafe |= !is_safe_macro && matches!(safe, None | Some(Safe::No));
        self.set(letter, value);
    }

    fn set(&mut self, letter: u8, value: &[u8]) {
        self.settings.push(Setting::Short(letter, Bytes::copy_from_slice(value)));
    }

    /// `-O Name=value`.
    fn long_option(&mut self, text: Bytes) {
        let name = split_once(&text, b'=').map_or(text.as_ref(), |(name, _)| name).trim_ascii();
        let name = split_once(name, b'.').map_or(name, |(name, _)| name);
        let begins = |row: &&options::Row| {
            row.name.as_bytes().get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name))
        };
        let safe = OPTIONS.iter().find(begins).map(|row| row.safe);
        self.is_unsafe |= matches!(safe, None | Some(Safe::No));
        self.settings.push(Setting::Long(text));
    }

    /// `-q…`.
    fn queue_flag(&mut self, value: &Bytes) {
        self.queue.given = true;
        let (negated, rest) = match value.strip_prefix(b"!") {
            Some(rest) => (true, rest),
            None => (false, value.as_ref()),
        };
        let text = || Bytes::copy_from_slice(rest.get(1..).unwrap_or_default());
        match rest.first() {
            None => {}
            Some(b'G') => self.queue.group = Some(text()),
            Some(b'L') => self.queue.lost = true,
            Some(b'Q') if rest.len() == 1 => self.queue.quarantined = true,
            Some(kind @ (b'I' | b'R' | b'S' | b'Q')) => {
                self.queue.quarantined |= *kind == b'Q';
                self.queue.selections.push(Selection { kind: *kind, negated, text: text() });
            }
            Some(b'f') => self.queue.foreground = true,
            Some(b'p') => {
                self.queue.persistent = true;
                let interval = text();
                self.queue_interval(if interval.is_empty() { b"1s" } else { &interval });
            }
            Some(_) => self.queue_interval(rest),
        }
    }

    fn queue_interval(&mut self, text: &[u8]) {
        match parse_interval(text, b'm') {
            Ok(span) => self.queue.interval = Some(span).filter(|span| !span.is_zero()),
            Err(units) => {
                for unit in units {
                    self.say(&format!("Invalid time unit `{}'", char::from(unit)));
                }
            }
        }
    }

    fn say(&mut self, text: &str) {
        self.complain(text.to_owned(), Channel::Output, true);
    }

    fn complain(&mut self, text: String, channel: Channel, ends: bool) {
        self.exit = Exit::USAGE;
        self.faults.push(Fault { text, channel, ends });
    }

    /// Whether the command line names a queue directory.
    pub fn names_queue(&self) -> bool {
        self.settings.iter().any(|setting| match setting {
            Setting::Short(letter, _) => *letter == b'Q',
            Setting::Long(text) => {
                let name = split_once(text, b'=').map_or(text.as_ref(), |(name, _)| name).trim_ascii();
                name.eq_ignore_ascii_case(b"QueueDirectory")
            }
            Setting::Macro(_) => false,
        })
    }

    /// Whether nothing is to be done because of what is wrong.
    pub fn is_hopeless(&self) -> bool {
        self.faults.iter().any(|fault| fault.ends)
    }

    /// The same command line as one line of text, for the pid file.
    pub fn command_line(&self) -> Vec<u8> {
        let mut line = self.program.to_vec();
        for word in &self.arguments {
            line.push(b' ');
            line.extend_from_slice(word);
        }
        line
    }
}

/// What `-U` is answered.
const WITHOUT_UTF8: &str = "-U: submission of internationalised mail (SMTPUTF8) is not built in; leave the flag away when all addresses and header fields are ASCII";

fn path(value: &Bytes) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(value))
}

/// Whether a flag takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// It does not.
    None,
    /// It does: the rest of the word, else the next word.
    Required,
    /// The rest of the word only, which may be empty.
    Attached,
}

/// All flags, sorted. Source: the original's option string; observed (`-d -o -Q -q` take no value from the next word).
#[rustfmt::skip]
pub static FLAGS: &[(u8, Value)] = &[
    (b'A', Value::Required), (b'B', Value::Required), (b'C', Value::Required), (b'D', Value::Required),
    (b'F', Value::Required), (b'G', Value::None),     (b'I', Value::None),     (b'L', Value::Required),
    (b'M', Value::Required), (b'N', Value::Required), (b'O', Value::Required), (b'Q', Value::Attached),
    (b'R', Value::Required), (b'T', Value::None),     (b'U', Value::None),     (b'V', Value::Required),
    (b'X', Value::Required), (b'b', Value::Required), (b'c', Value::None),     (b'd', Value::Attached),
    (b'e', Value::Required), (b'f', Value::Required), (b'h', Value::Required), (b'i', Value::None),
    (b'm', Value::None),     (b'n', Value::None),     (b'o', Value::Required), (b'p', Value::Required),
    (b'q', Value::Attached), (b'r', Value::Required), (b's', Value::None),     (b't', Value::None),
    (b'v', Value::None),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Invocation {
        let argv: Vec<Bytes> = words.iter().map(|w| Bytes::copy_from_slice(w.as_bytes())).collect();
        Invocation::parse(&argv)
    }

    #[test]
    fn values_stand_in_the_same_word_or_the_next() {
        for words in [&["sendmail", "-fa@b", "-i", "x"][..], &["sendmail", "-f", "a@b", "-i", "--", "x"]] {
            let found = parsed(words);
            assert_eq!(found.sender.as_deref(), Some(&b"a@b"[..]));
            assert_eq!(found.recipients, [Bytes::from_static(b"x")]);
            assert!(found.faults.is_empty());
        }
    }

    #[test]
    fn a_bare_q_or_d_does_not_eat_the_recipient() {
        let found = parsed(&["sendmail", "-q", "-d", "x"]);
        assert!(found.queue.given && found.queue.interval.is_none());
        assert_eq!(found.recipients, [Bytes::from_static(b"x")]);
    }

    #[test]
    fn flags_of_programs_in_the_wild_are_taken() {
        let found = parsed(&["/usr/sbin/sendmail", "-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "bob"]);
        assert!(found.recipients_in_header && found.faults.is_empty() && !found.is_unsafe);
        assert_eq!(found.full_name.as_deref(), Some(&b"CronDaemon"[..]));
        assert_eq!(found.settings.len(), 4);
    }

    #[test]
    fn names_choose_the_mode_and_flags_overrule_it() {
        assert_eq!(parsed(&["/usr/bin/mailq"]).mode, Mode::PrintQueue);
        assert_eq!(parsed(&["newaliases"]).mode, Mode::Aliases);
        assert_eq!(parsed(&["smtpd", "-bs"]).mode, Mode::Smtp);
        assert_eq!(parsed(&["sendmail", "-bd", "-bs", "-bv"]).mode, Mode::Verify);
    }

    #[test]
    fn what_is_wrong_is_said_in_the_originals_words() {
        for (words, said) in [
            (&["sendmail", "-Z", "a"][..], &["sendmail: illegal option -- Z"][..]),
            (&["sendmail", "-bx"], &["Invalid operation mode x"]),
            (&["sendmail", "-b"], &["Invalid operation mode  "]),
            (&["sendmail", "-q1x"], &["Invalid time unit `x'"]),
            (
                &["sendmail", "-qZfoo"],
                &["Invalid time unit `Z'", "Invalid time unit `f'", "Invalid time unit `o'", "Invalid time unit `o'"],
            ),
            (&["sendmail", "-Btext", "a"], &["Illegal body type text"]),
            (&["sendmail", "-R", "all", "-V", "a b", "x"], &["Invalid -R value", "Invalid syntax in -V flag"]),
            (&["sendmail", "-f"], &["sendmail: option requires an argument -- f"]),
            (&["sendmail", "-fa", "-rb"], &["More than one \"from\" person"]),
            (&["sendmail", "-hx"], &["Bad hop count (x)"]),
            (&["sendmail", "-h", "-3 "], &["Bad hop count (-3 )"]),
            (&["sendmail", "-d0.1", "-D", "x"], &["-D file must be before -d"]),
            (&["sendmail", "-T1h"], &["sendmail: illegal option -- 1"]),
            (&["sendmail", "-I"], &[""]),
            (&["sendmail", "-N", "success, delay"], &["Invalid -N argument"]),
            (&["sendmail", "-N", "bogus"], &["Invalid -N argument"]),
        ] {
            let found = parsed(words);
            let texts: Vec<&str> = found.faults.iter().map(|f| f.text.as_str()).collect();
            assert_eq!(texts, said, "{words:?}");
            assert_eq!(found.exit, Exit::USAGE);
        }
    }

    #[test]
    fn flags_may_come_again_and_the_last_one_counts() {
        let found = parsed(&["sendmail", "-V", "x", "-V", "y", "-N", "never", "-Nsuccess", "-h-3", "-Ax", "a"]);
        assert!(found.faults.is_empty(), "{:?}", found.faults);
        assert_eq!(found.dsn.envelope_id.as_deref(), Some(&b"y"[..]));
        assert!(found.dsn.notify.is_some_and(|n| n.success));
        let words = |words: &[&str]| parsed(words).dsn.notify.map(Notify::words).unwrap_or_default();
        assert_eq!(words(&["sendmail", "-N", "delay", "-Nsuccess", "-Nnever"]), "SUCCESS,DELAY");
        assert_eq!(words(&["sendmail", "-N", "never"]), "NEVER");
        assert_eq!((found.hop_count, found.role), (-3, None));
    }

    #[test]
    fn settings_that_are_not_for_everybody_are_noticed() {
        for (word, is_unsafe) in [
            ("-OLogLevel=14", false),
            ("-OTimeout.command=1s", true),
            ("-oQ/tmp", true),
            ("-odq", false),
            ("-C/x", true),
            ("-Mrsmtp", false),
            ("-MFoo", true),
            ("-X/x", true),
            ("-D/x", true),
        ] {
            assert_eq!(parsed(&["sendmail", word]).is_unsafe, is_unsafe, "{word}");
        }
    }
}
