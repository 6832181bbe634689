//! `O` lines and what the command line says of options: names, abbreviations, and the values that have a form of their own.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;

use super::daemon_port::DaemonPort;
use super::dontblame;
use super::options::{self, Kind, OPTIONS, Row, Safe};
use super::privacy;
use super::reader::Reader;
use super::timeouts::ByPrecedence;
use super::values::{
    AliasSource, DeliveryMode, EightBitMode, ErrorMode, FileMode, NoRecipientAction, ProbeInterfaces, QueueSortOrder,
    SuperSafe, TimeZoneSpec,
};
use crate::base::bytes::{leading_number, split_once, trim};
use crate::base::exit::Exit;
use crate::base::letters::{LetterSet, Modifiers};
use crate::base::table::{Match, abbreviated};
use crate::base::time::parse_interval;
use crate::macros::Template;

/// An option or macro set on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// `-O Name=value`.
    Long(Bytes),
    /// `-oXvalue`, and flags such as `-i`, `-m`.
    Short(u8, Bytes),
    /// `-Mxvalue`: as behind a `D`.
    Macro(Bytes),
}

/// A name and a value, not yet looked at.
struct Assignment<'a> {
    row: &'static Row,
    /// What follows the dot of a name, when there is a dot.
    part: Option<&'a [u8]>,
    value: &'a [u8],
    from_command_line: bool,
}

impl Reader<'_> {
    /// Everything behind the `O` of a line.
    pub(super) fn option_line(&mut self, text: &[u8]) {
        match text.split_first() {
            Some((b' ', long)) => self.long_option(long, false),
            Some((letter, value)) => self.short_option(*letter, value, false),
            None => self.short_option(0, b"", false),
        }
    }

    /// What the command line sets; it wins over the file.
    pub(super) fn command_line(&mut self, setting: &Setting) {
        match setting {
            Setting::Long(text) => self.long_option(text, true),
            Setting::Short(letter, value) => self.short_option(*letter, value, true),
            Setting::Macro(text) => self.define_as_text(text),
        }
    }

    fn long_option(&mut self, text: &[u8], from_command_line: bool) {
        let (name, value) = split_once(text, b'=').unwrap_or((text, b""));
        let blanks = name.iter().rev().take_while(|b| **b == b' ').count();
        let name = name.get(..name.len() - blanks).unwrap_or(name);
        if name.is_empty() && !text.is_empty() {
            return self.error("readcf: null option name".to_owned());
        }
        let (name, part) = split_once(name, b'.').map_or((name, None), |(name, part)| (name, Some(part)));
        let shown = String::from_utf8_lossy(name).into_owned();
        let found = match abbreviated(&shown, OPTIONS.iter().map(|row| row.name)) {
            _ if text.is_empty() => return self.error("readcf: unknown option name 0x0".to_owned()),
            Match::Exact(name) => name,
            Match::Abbreviation(name) => {
                self.remark(format!("Option {shown} used as abbreviation for {name}"), Exit::OK);
                name
            }
            Match::Ambiguous(one, two) => {
                return self.error(format!("readcf: ambiguous option name {shown} (matches {one} and {two})"));
            }
            Match::Unknown => return self.error(format!("readcf: unknown option name {shown}")),
        };
        let Some(row) = OPTIONS.iter().find(|row| row.name == found) else { return };
        self.assign(&Assignment { row, part, value: value.trim_ascii_start(), from_command_line });
    }

    fn short_option(&mut self, letter: u8, value: &[u8], from_command_line: bool) {
        match (letter, options::by_letter(letter)) {
            (_, Some(row)) => self.assign(&Assignment { row, part: None, value, from_command_line }),
            (b'M', None) => self.define(value),
            (b'g', None) => {
                if let Some(gid) = self.group(value, "readcf: option g") {
                    self.config.options.default_user.gid = gid;
                }
            }
            _ => self.error(format!("readcf: unknown option name {letter:#x}")),
        }
    }

    fn assign(&mut self, a: &Assignment<'_>) {
        if self.is_traced {
            let letter = a.row.letter.map(|letter| [b' ', b'(', letter, b')']);
            let letter = letter.as_ref().map_or(&b""[..], |text| text.as_slice());
            let (dot, part) = a.part.map_or((&b""[..], &b""[..]), |part| (b".", part));
            self.trace(37, 1, &[b"setoption ", a.row.name.as_bytes(), letter, dot, part, b"=", a.value]);
        }
        let adds = matches!(a.row.name, "PrivacyOptions" | "Timeout" | "Milter");
        let is_fixed = !adds && self.fixed.contains(&a.row.name);
        if a.row.safe == Safe::Raise && self.only_raises && (a.from_command_line || is_fixed) {
            // Whatever the user asks for, the file's own value is the least.
            if leading_number(a.value) <= self.config.options.log_level {
                return;
            }
        } else if is_fixed && !a.from_command_line {
            return;
        }
        if a.from_command_line {
            self.fixed.push(a.row.name);
        }
        let text = Some(Bytes::copy_from_slice(a.value)).filter(|value| !value.is_empty());
        let options = &mut self.config.options;
        match a.row.kind {
            Kind::Bool(field) => *field(options) = truth(a.value),
            Kind::Number(field) => *field(options) = leading_number(a.value),
            Kind::MaybeNumber(field) => *field(options) = Some(leading_number(a.value)),
            Kind::Text(field) => *field(options) = Bytes::copy_from_slice(a.value),
            Kind::MaybeText(field) => *field(options) = text,
            Kind::Mode(field) => *field(options) = FileMode(octal(a.value)),
            Kind::Seconds(field) => self.time(a.value, b's', field),
            Kind::Minutes(field) => self.time(a.value, b'm', field),
            Kind::Hours(field) => self.time(a.value, b'h', field),
            Kind::Template(field) => {
                *field(options) = Template::parse(a.value, &mut self.config.names);
            }
            Kind::MaybeTemplate(field) => {
                *field(options) = text.map(|text| Template::parse(&text, &mut self.config.names));
            }
            Kind::Own => self.assign_own(a, text),
        }
    }

    fn time(&mut self, value: &[u8], unit: u8, field: fn(&mut super::Options) -> &mut Duration) {
        if let Some(span) = self.interval(value, unit) {
            *field(&mut self.config.options) = span;
        }
    }

    /// Values with a form of their own.
    fn assign_own(&mut self, a: &Assignment<'_>, text: Option<Bytes>) {
        let value = a.value;
        let line = self.line_number();
        let o = &mut self.config.options;
        match a.row.name {
            "HelpFile" => o.help_file = Some(text.unwrap_or(Bytes::from_static(b"helpfile"))),
            "StatusFile" => o.status_file = Some(text.unwrap_or(Bytes::from_static(b"statistics"))),
            "BlankSub" => o.blank_sub = value.first().copied().unwrap_or(b' '),
            "AliasFile" => {
                o.alias_file.extend(list(value, b",").into_iter().map(|text| AliasSource { text, line }));
            }
            "InputMailFilters" => o.input_mail_filters = list(value, b", \t;"),
            "ServerCertFile" => o.server_cert_file = list(value, b","),
            "ServerKeyFile" => o.server_key_file = list(value, b","),
            "ClientCertFile" => o.client_cert_file = list(value, b","),
            "ClientKeyFile" => o.client_key_file = list(value, b","),
            "UnsafeGroupWrites" => o.unsafe_group_writes = truth(value),
            "ColonOkInAddr" => o.colon_ok_in_addr = Some(truth(value)),
            "Verbose" => o.verbose = truth(value),
            "SuperSafe" => o.super_safe = super_safe(value),
            "ErrorMode" => o.error_mode = error_mode(value),
            "DirectSubmissionModifiers" => o.direct_submission_modifiers = Some(Modifiers::from_bytes(value)),
            "TimeZoneSpec" => o.time_zone_spec = text.map_or(TimeZoneSpec::Caller, TimeZoneSpec::Named),
            "DontProbeInterfaces" => {
                o.dont_probe_interfaces = match truth(value) {
                    _ if value.eq_ignore_ascii_case(b"loopback") => ProbeInterfaces::NotLoopback,
                    true => ProbeInterfaces::None,
                    false => ProbeInterfaces::All,
                }
            }
            // Below zero the extension is off.
            "DeliverByMin" if value.starts_with(b"-") && value.iter().any(|b| (b'1'..=b'9').contains(b)) => {
                o.deliver_by_min = -1;
            }
            "DeliverByMin" => {
                if let Some(span) = self.interval(value, b's') {
                    self.config.options.deliver_by_min = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
                }
            }
            "Timeout" => self.timeout(a.part, value),
            "QueueTimeout" => self.queue_timeout(value),
            "Milter" => self.milter_option(a.part, value),
            _ => self.assign_checked(a.row.name, value, text),
        }
    }

    /// Values that can be wrong.
    fn assign_checked(&mut self, name: &str, value: &[u8], text: Option<Bytes>) {
        match name {
            "EightBitMode" => match value.first() {
                Some(b'm') => self.config.options.eight_bit_mode = EightBitMode::Mimefy,
                Some(b'p') => self.config.options.eight_bit_mode = EightBitMode::Pass,
                Some(b's') => self.config.options.eight_bit_mode = EightBitMode::Strict,
                other => self.fatal(format!("Unknown 8-bit mode {}", letter(other)), Exit::USAGE),
            },
            "DeliveryMode" => match value.first().copied().unwrap_or(b'i') {
                b @ (b'i' | b'b' | b'q' | b'd') => {
                    if let Some(mode) = DeliveryMode::from_letter(b) {
                        self.config.options.delivery_mode = mode;
                    }
                }
                other => self.fatal(format!("Unknown delivery mode {}", char::from(other)), Exit::USAGE),
            },
            "QueueSortOrder" => match queue_order(value) {
                Some(order) => self.config.options.queue_sort_order = order,
                None => self.error(format!("Invalid queue sort order \"{}\"", shown(value))),
            },
            "NoRecipientAction" => match no_recipient_action(value) {
                Some(action) => self.config.options.no_recipient_action = action,
                None => self.error(format!("Invalid NoRecipientAction: {}", shown(value))),
            },
            "DefaultUser" => {
                if let Some(user) = self.user_spec(value, "readcf: option u") {
                    self.config.options.default_user = user;
                }
            }
            "RunAsUser" => {
                if let Some(user) = self.user_spec(value, "readcf: option RunAsUser") {
                    self.config.options.run_as_user = Some(user);
                }
            }
            "TrustedUser" => {
                if let Some(uid) = self.user_alone(value, "readcf: option TrustedUser") {
                    self.config.options.trusted_user = Some(uid);
                }
            }
            // `always` asks for the same: records that are there count. Source: release notes of 8.18.
            "DANE" => self.config.options.dane = truth(value) || matches!(value.first(), Some(b'a' | b'A')),
            "PrivacyOptions" => self.privacy(value),
            "DontBlameSendmail" => self.dont_blame(value),
            "ResolverOptions" => self.resolver_options(value),
            "DaemonPortOptions" => {
                let name = format!("Daemon{}", self.config.options.daemon_port_options.len());
                let port = self.port(value, name);
                self.config.options.daemon_port_options.push(port);
            }
            "ClientPortOptions" => {
                let name = format!("Client{}", self.config.options.client_port_options.len());
                let port = self.port(value, name);
                let ports: &mut Vec<DaemonPort> = &mut self.config.options.client_port_options;
                ports.retain(|other| other.family != port.family);
                ports.push(port);
            }
            "AuthOptions" => {
                self.config.options.auth_options = Some(self.option_letters("AuthOptions", value, b"Aacdfmpy"));
            }
            "TLSSrvOptions" => {
                self.config.options.tls_srv_options = Some(self.option_letters("TLSSrvOptions", value, b"CV"));
            }
            "ServerSSLOptions" => {
                self.check_ssl_options(name, value);
                self.config.options.server_ssl_options = text;
            }
            "ClientSSLOptions" => {
                self.check_ssl_options(name, value);
                self.config.options.client_ssl_options = text;
            }
            _ => self.assign_warned(name, value, text),
        }
    }

    /// Values that the original warns about.
    fn assign_warned(&mut self, name: &str, value: &[u8], text: Option<Bytes>) {
        match name {
            "OperatorChars" => {
                if self.config.rulesets.has_rules() || self.operators_set {
                    self.note(OPERATORS_REDEFINED.to_owned());
                }
                self.config.options.operator_chars = Bytes::copy_from_slice(value);
                self.operators_set = true;
            }
            "MustQuoteChars" => {
                if value.len() > MUST_QUOTE_MAX {
                    return self.note("Warning: MustQuoteChars too long, ignored.".to_owned());
                }
                self.config.options.must_quote_chars = Bytes::copy_from_slice(value);
            }
            "MaxHeadersLength" => {
                let limit = leading_number(value);
                self.config.options.max_headers_length = limit;
                if limit > 0 && limit < 16384 {
                    self.note("Warning: MaxHeadersLength: headers length limit set lower than 16384".to_owned());
                }
            }
            "MaxMimeHeaderLength" => {
                let header = leading_number(value);
                let field = split_once(value, b'/').map_or(header / 2, |(_, field)| leading_number(field));
                self.config.options.max_mime_header_length = (header, field);
                for (limit, least, what) in [(header, 128, "header"), (field, 40, "field")] {
                    if limit > 0 && limit < least {
                        self.note(format!("Warning: MaxMimeHeaderLength: {what} length limit set lower than {least}"));
                    }
                }
            }
            "LDAPDefaultSpec" => {
                let words = || value.split(u8::is_ascii_whitespace);
                if words().any(|w| w.starts_with(b"-k")) {
                    return self.error(format!("{LDAP_SPEC}: Do not set the LDAP search filter"));
                }
                if words().any(|w| w.starts_with(b"-v")) {
                    return self.error(format!("{LDAP_SPEC}: Do not set the requested LDAP attributes"));
                }
                if words().any(|w| w.starts_with(b"-") && !LDAP_FLAGS.contains(w.get(1).unwrap_or(&b'h'))) {
                    return self.error(format!("{LDAP_SPEC}: Do not set non-LDAP specific flags"));
                }
                self.config.options.ldap_default_spec = text;
            }
            "ConnectOnlyTo" => {
                let address = value.strip_prefix(b"IPv6:").unwrap_or(value);
                if std::str::from_utf8(address).ok().and_then(|a| a.parse::<IpAddr>().ok()).is_none() {
                    return self.error(format!("readcf: option ConnectOnlyTo: invalid IP address {}", shown(value)));
                }
                self.config.options.connect_only_to = text;
            }
            "SmtpUTF8" if truth(value) => {
                self.error("readcf: option: SmtpUTF8 set but no USE_EAI support".to_owned());
            }
            "SmtpUTF8" => self.note("Warning: Option: SmtpUTF8 requires USE_EAI support".to_owned()),
            _ => {}
        }
    }

    /// An interval; complains about units that are none, once for each as the original does.
    pub(super) fn interval(&mut self, value: &[u8], unit: u8) -> Option<Duration> {
        match parse_interval(value, unit) {
            Ok(span) => Some(span),
            Err(letters) => {
                for letter in letters {
                    self.remark(format!("Invalid time unit `{}'", char::from(letter)), Exit::USAGE);
                }
                None
            }
        }
    }

    fn privacy(&mut self, value: &[u8]) {
        for word in flag_words(value) {
            match privacy::FLAGS.iter().find(|row| row.name.as_bytes().eq_ignore_ascii_case(word)) {
                Some(row) => self.config.options.privacy_options.0 |= row.bits,
                None => self.error(format!("readcf: Op line: {} unrecognized", shown(word))),
            }
        }
    }

    fn dont_blame(&mut self, value: &[u8]) {
        for word in flag_words(value) {
            match dontblame::FLAGS.iter().find(|row| row.name.as_bytes().eq_ignore_ascii_case(word)) {
                Some(row) => match row.bit {
                    Some(bit) => self.config.options.dont_blame_sendmail.0 |= 1 << bit,
                    None => self.config.options.dont_blame_sendmail.0 = 0,
                },
                None => self.error(format!("readcf: DontBlameSendmail option: {} unrecognized", shown(word))),
            }
        }
    }

    fn resolver_options(&mut self, value: &[u8]) {
        for word in value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            let word = Bytes::copy_from_slice(word);
            let name = word.strip_prefix(b"+").or_else(|| word.strip_prefix(b"-")).unwrap_or(&word);
            if RESOLVER_WORDS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name)) {
                self.config.options.resolver_options.push(word);
            } else {
                self.error(format!("readcf: I option value {} unrecognized", shown(name)));
            }
        }
    }

    /// First letters of words; the original looks at no more.
    fn option_letters(&mut self, name: &str, value: &[u8], known: &[u8]) -> LetterSet {
        let mut set = LetterSet::EMPTY;
        for first in list(value, b", \t").iter().filter_map(|word| word.first().copied()) {
            if known.contains(&first) {
                set.insert(first);
            } else {
                self.note(format!("Warning: Option: {name} unknown parameter '{}'", char::from(first)));
            }
        }
        set
    }

    fn check_ssl_options(&mut self, name: &str, value: &[u8]) {
        for word in list(value, b", \t") {
            let bare = word.strip_prefix(b"+").or_else(|| word.strip_prefix(b"-")).unwrap_or(&word);
            let known = bare.first().is_some_and(u8::is_ascii_digit)
                || SSL_OPTIONS.iter().any(|option| option.as_bytes().eq_ignore_ascii_case(bare));
            if !known {
                self.error(format!("readcf: {name} option value {} unrecognized", shown(&word)));
            }
        }
    }

    /// `Timeout.name=value`; without a name the six times of a transaction.
    fn timeout(&mut self, part: Option<&[u8]>, value: &[u8]) {
        let Some(part) = part else {
            if let Some(span) = self.interval(value, b'm') {
                for field in ["mail", "rcpt", "datainit", "datablock", "datafinal", "command"] {
                    if let Some(field) = self.config.timeouts.simple_mut(field) {
                        *field = span;
                    }
                }
            }
            return;
        };
        let name = String::from_utf8_lossy(part).to_ascii_lowercase();
        let fixed = self.fixed_timeouts.contains(&name);
        if self.reading_file() && fixed {
            return;
        }
        if !self.reading_file() {
            self.fixed_timeouts.push(name.clone());
        }
        if self.config.timeouts.simple_mut(&name).is_some() {
            if let Some(span) = self.interval(value, b'm')
                && let Some(field) = self.config.timeouts.simple_mut(&name)
            {
                *field = span;
            }
            return;
        }
        match name.split_once('.').unwrap_or((name.as_str(), "*")) {
            ("queuereturn", class) if is_class(class) => self.by_precedence(true, class, value),
            ("queuewarn", class) if is_class(class) => self.by_precedence(false, class, value),
            ("resolver", which) if which != "*" => self.resolver_timeout(which, value, part),
            _ => self.error(format!("settimeout: invalid timeout {}", shown(part))),
        }
    }

    fn by_precedence(&mut self, returns: bool, class: &str, value: &[u8]) {
        let now = returns && value.eq_ignore_ascii_case(b"now");
        let said = self.findings.len();
        let span = if now { Some(AT_ONCE) } else { self.interval(value, if returns { b'd' } else { b'h' }) };
        let Some(span) = span else {
            if class == "*" {
                // The original converts the value a second time for delivery notices.
                self.findings.extend_from_within(said..);
            }
            return;
        };
        let timeouts = &mut self.config.timeouts;
        let set = if returns { &mut timeouts.queuereturn } else { &mut timeouts.queuewarn };
        match class {
            "normal" => set.normal = span,
            "urgent" => set.urgent = span,
            "non-urgent" => set.non_urgent = span,
            "dsn" => set.dsn = span,
            _ => *set = ByPrecedence::all(span),
        }
    }

    fn resolver_timeout(&mut self, which: &str, value: &[u8], part: &[u8]) {
        let (what, when) = which.split_once('.').unwrap_or((which, "*"));
        let (first, normal) = match when {
            "*" => (true, true),
            "first" => (true, false),
            "normal" => (false, true),
            _ => return self.error(format!("settimeout: invalid timeout {}", shown(part))),
        };
        match what {
            "retrans" => {
                let span = self.interval(value, b's');
                let slot = &mut self.config.timeouts.resolver_retrans;
                if first {
                    slot.0 = span;
                }
                if normal {
                    slot.1 = span;
                }
            }
            "retry" => {
                let slot = &mut self.config.timeouts.resolver_retry;
                if first {
                    slot.0 = Some(leading_number(value));
                }
                if normal {
                    slot.1 = Some(leading_number(value));
                }
            }
            _ => self.error(format!("settimeout: invalid timeout {}", shown(part))),
        }
    }

    /// `QueueTimeout=return/warn`.
    fn queue_timeout(&mut self, value: &[u8]) {
        let (returns, warns) = split_once(value, b'/').unwrap_or((value, b""));
        if !warns.is_empty() {
            self.timeout(Some(b"queuewarn"), warns);
        }
        self.timeout(Some(b"queuereturn"), returns);
    }
}

/// Whether a boolean value is true: nothing, or a word that begins with `t` or `y`.
fn truth(value: &[u8]) -> bool {
    matches!(value.first(), None | Some(b't' | b'T' | b'y' | b'Y'))
}

fn octal(value: &[u8]) -> u32 {
    let digits = value.iter().take_while(|b| (b'0'..=b'7').contains(*b));
    digits.fold(0u32, |n, b| n.wrapping_mul(8).wrapping_add(u32::from(b - b'0'))) & 0o7777
}

/// Words between any of the separators; empty ones do not count.
fn list(value: &[u8], separators: &[u8]) -> Vec<Bytes> {
    let words = value.split(|b| separators.contains(b)).map(trim).filter(|w| !w.is_empty());
    words.map(Bytes::copy_from_slice).collect()
}

/// Words of `PrivacyOptions` and `DontBlameSendmail`: letters and digits; whatever stands between them parts them.
fn flag_words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|b| !b.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

fn super_safe(value: &[u8]) -> SuperSafe {
    match value.first() {
        Some(b'i' | b'I') => SuperSafe::Interactive,
        Some(b'm' | b'M' | b'p' | b'P') => SuperSafe::PostMilter,
        _ if truth(value) => SuperSafe::True,
        _ => SuperSafe::False,
    }
}

fn error_mode(value: &[u8]) -> ErrorMode {
    match value.first() {
        Some(b'q') => ErrorMode::Quiet,
        Some(b'm') => ErrorMode::Mail,
        Some(b'w') => ErrorMode::Write,
        Some(b'e') => ErrorMode::MailZero,
        _ => ErrorMode::Print,
    }
}

fn queue_order(value: &[u8]) -> Option<QueueSortOrder> {
    Some(match value.first()?.to_ascii_lowercase() {
        b'f' => QueueSortOrder::Filename,
        b'h' => QueueSortOrder::Host,
        b'm' => QueueSortOrder::Modification,
        b'n' => QueueSortOrder::None,
        b'p' => QueueSortOrder::Priority,
        b'r' => QueueSortOrder::Random,
        b't' => QueueSortOrder::Time,
        _ => return None,
    })
}

fn no_recipient_action(value: &[u8]) -> Option<NoRecipientAction> {
    Some(match value.to_ascii_lowercase().as_slice() {
        b"none" => NoRecipientAction::None,
        b"add-to" => NoRecipientAction::AddTo,
        b"add-apparently-to" => NoRecipientAction::AddApparentlyTo,
        b"add-bcc" => NoRecipientAction::AddBcc,
        b"add-to-undisclosed" => NoRecipientAction::AddToUndisclosed,
        _ => return None,
    })
}

fn is_class(class: &str) -> bool {
    matches!(class, "*" | "normal" | "urgent" | "non-urgent" | "dsn")
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

fn letter(byte: Option<&u8>) -> String {
    byte.map(|b| char::from(*b).to_string()).unwrap_or_default()
}

/// `Timeout.queuereturn=now`: older than this is every message.
const AT_ONCE: Duration = Duration::from_nanos(1);

/// Most characters that `MustQuoteChars` may add. Source: observed.
const MUST_QUOTE_MAX: usize = 39;

/// Map flags that are LDAP's own. Source: op guide 5.7.
const LDAP_FLAGS: &[u8] = b"HKMPRVbcdhlnprswZ";

const LDAP_SPEC: &str = "readcf: option LDAPDefaultSpec";

const OPERATORS_REDEFINED: &str =
    "Warning: OperatorChars is being redefined.\n         It should only be set before ruleset definitions.";

/// Words of `ResolverOptions`. Source: op guide 5.6; observed (`use_inet6` is refused).
static RESOLVER_WORDS: &[&str] = &[
    "aaonly",
    "debug",
    "defnames",
    "dnsrch",
    "false",
    "HasWildcardMX",
    "igntc",
    "primary",
    "recurse",
    "stayopen",
    "true",
    "trustad",
    "use_dnssec",
    "use_edns0",
    "usevc",
    "WorkAroundBrokenAAAA",
];

/// Names of `ServerSSLOptions` and `ClientSSLOptions`. Source: observed.
#[rustfmt::skip]
static SSL_OPTIONS: &[&str] = &[
    "SSL_OP_ALL", "SSL_OP_ALLOW_NO_DHE_KEX",
    "SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION", "SSL_OP_CIPHER_SERVER_PREFERENCE",
    "SSL_OP_CISCO_ANYCONNECT", "SSL_OP_COOKIE_EXCHANGE",
    "SSL_OP_CRYPTOPRO_TLSEXT_BUG", "SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS",
    "SSL_OP_ENABLE_MIDDLEBOX_COMPAT", "SSL_OP_EPHEMERAL_RSA",
    "SSL_OP_LEGACY_SERVER_CONNECT", "SSL_OP_MICROSOFT_BIG_SSLV3_BUFFER",
    "SSL_OP_MICROSOFT_SESS_ID_BUG", "SSL_OP_MSIE_SSLV2_RSA_PADDING",
    "SSL_OP_NETSCAPE_CA_DN_BUG", "SSL_OP_NETSCAPE_CHALLENGE_BUG",
    "SSL_OP_NETSCAPE_DEMO_CIPHER_CHANGE_BUG", "SSL_OP_NETSCAPE_REUSE_CIPHER_CHANGE_BUG",
    "SSL_OP_NO_ANTI_REPLAY", "SSL_OP_NO_COMPRESSION",
    "SSL_OP_NO_ENCRYPT_THEN_MAC", "SSL_OP_NO_QUERY_MTU",
    "SSL_OP_NO_RENEGOTIATION", "SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION",
    "SSL_OP_NO_SSLv2", "SSL_OP_NO_SSLv3",
    "SSL_OP_NO_TICKET", "SSL_OP_NO_TLSv1",
    "SSL_OP_NO_TLSv1_1", "SSL_OP_NO_TLSv1_2",
    "SSL_OP_NO_TLSv1_3", "SSL_OP_PKCS1_CHECK_1",
    "SSL_OP_PKCS1_CHECK_2", "SSL_OP_PRIORITIZE_CHACHA",
    "SSL_OP_SINGLE_DH_USE", "SSL_OP_SINGLE_ECDH_USE",
    "SSL_OP_SSLEAY_080_CLIENT_DH_BUG", "SSL_OP_SSLREF2_REUSE_CERT_TYPE_BUG",
    "SSL_OP_TLSEXT_PADDING", "SSL_OP_TLS_BLOCK_PADDING_BUG",
    "SSL_OP_TLS_D5_BUG", "SSL_OP_TLS_ROLLBACK_BUG",
];
