//! Lines that evaluate addresses: `3,0 address`, `/parse`, `/try`, `/tryflags`.

use bytes::Bytes;

use super::{TestMode, first_word, owned};
use crate::address::mailbox::crack;
use crate::address::scan::Mode;
use crate::address::{quote, shortened_bytes};
use crate::base::exit::Exit;
use crate::base::limits;
use crate::config::rules::RulesetId;
use crate::config::{Mailer, MailerId};
use crate::macros::names;
use crate::rewrite::Resolution;
use crate::route::Kind;

/// Rulesets with a part of their own.
const ROUTE: RulesetId = RulesetId(0);
const SENDER: RulesetId = RulesetId(1);
const RECIPIENT: RulesetId = RulesetId(2);
const CANONIFY: RulesetId = RulesetId(3);
const FINAL: RulesetId = RulesetId(4);

impl TestMode<'_> {
    /// `ruleset[,ruleset…] address[,address…]`.
    pub(super) fn rulesets(&mut self, line: &[u8]) {
        let line = line.trim_ascii_start();
        let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
        let (list, address) = line.split_at_checked(end).unwrap_or((line, b""));
        if address.is_empty() {
            if !list.is_empty() {
                self.output.line("No address!");
            }
            return;
        }
        let address = address.get(1..).unwrap_or_default();
        let list = owned(list);
        if self.is_refused(address, false) {
            return;
        }
        let mode = if self.config.level >= 9 { Mode::KeepComments } else { Mode::Address };
        let mut rest = address;
        loop {
            let used = self.load(rest, mode, Some(b','));
            if used.is_some() && !self.workspace.view().is_empty() {
                self.each_ruleset(&list);
            }
            let Some(behind) = used.and_then(|used| rest.get(used + 1..)) else { return };
            if behind.is_empty() {
                return;
            }
            rest = behind;
        }
    }

    /// Applies the rulesets of a list, up to one that is not known.
    fn each_ruleset(&mut self, list: &[u8]) {
        let mut rest = list;
        while !rest.is_empty() {
            let (name, behind) = crate::base::bytes::split_once(rest, b',').unwrap_or((rest, b""));
            let ruleset = match self.rewriter.program().called(name) {
                Ok(ruleset) => ruleset,
                Err(complaint) => {
                    if let Some(complaint) = complaint {
                        self.fault(&complaint);
                    }
                    self.output.text(b"Undefined ruleset ");
                    self.output.shown(rest);
                    return self.output.end();
                }
            };
            let exit = self.apply(ruleset);
            if exit != Exit::OK {
                self.output.text(b"== Ruleset ");
                self.output.shown(rest);
                self.output.line(&format!(" ({}) status {}", ruleset.0, exit.0));
            }
            rest = behind;
        }
    }

    /// Whether an address has bytes that no address may have; the complaint is printed.
    fn is_refused(&mut self, address: &[u8], checks_controls: bool) -> bool {
        if !checks_controls && address.len() > limits::ADDRESS {
            self.too_long(address);
            return true;
        }
        if address.iter().any(|b| (0x80..0xa0).contains(b)) {
            if checks_controls {
                self.bad_address("Syntax error in mailbox address \"", address, "\" (8-bit character)");
            } else {
                self.bad_address("8-bit character in mailbox address \"", address, "\"");
            }
            return true;
        }
        if checks_controls && address.iter().any(|b| is_control(*b)) {
            self.bad_address("Syntax error in mailbox address \"", address, "\" (non-printable character)");
            return true;
        }
        false
    }

    fn bad_address(&mut self, before: &str, address: &[u8], after: &str) {
        let shown: Vec<u8> = masked(address).iter().map(|b| b & 0x7f).collect();
        self.output.text(before.as_bytes());
        self.output.text(&shown);
        self.output.line(after);
    }

    fn too_long(&mut self, address: &[u8]) {
        let max = limits::ADDRESS;
        let shown = address.iter().take(max).map(|b| if (0x80..=0x9f).contains(b) { b'?' } else { b & 0x7f });
        self.output.text(b"Address \"");
        self.output.text(&shown.collect::<Vec<u8>>());
        self.output.line(&format!("\" too long ({max} bytes max)"));
    }

    /// `/tryflags [HhEe][SsRr]`.
    pub(super) fn try_flags(&mut self, argument: &[u8]) {
        let letters = argument.trim_ascii();
        if letters.is_empty() {
            return self.output.line("Usage: /tryflags [Hh|Ee][Ss|Rr]");
        }
        for letter in letters {
            match letter.to_ascii_lowercase() {
                b'h' => self.kind.in_header = true,
                b'e' => self.kind.in_header = false,
                b's' => self.kind.is_sender = true,
                b'r' => self.kind.is_sender = false,
                _ => {}
            }
        }
        self.scope.set(names::ADDR_TYPE, self.kind.addr_type());
    }

    /// `/parse address`.
    pub(super) fn parse(&mut self, argument: &[u8]) {
        let address = argument.trim_ascii();
        if address.is_empty() {
            return self.output.line("Usage: /parse address");
        }
        let frame = crack(address, &self.config.options.must_quote_chars);
        self.output.text(b"Cracked address = ");
        self.output.shown(&frame.around(b"$g"));
        self.output.end();
        self.output.line(&format!("Parsing {} address", words(self.kind)));
        if !self.parse_address(address) {
            self.output.line("Cannot parse");
        }
    }

    /// False when the address makes no tokens or must not be.
    fn parse_address(&mut self, address: &[u8]) -> bool {
        if self.load(address, Mode::Address, None).is_none() || self.workspace.view().is_empty() {
            return false;
        }
        if address.iter().any(|b| (0x80..0xa0).contains(b)) {
            self.bad_address("8-bit character in mailbox address \"", address, "\"");
            return false;
        }
        if address.len() > limits::ADDRESS {
            self.prefix(address.get(..limits::ADDRESS).unwrap_or(address));
            self.too_long(address);
            return false;
        }
        let is_temporary = [self.apply(CANONIFY), self.apply(ROUTE)].contains(&Exit::TEMPFAIL);
        self.resolve(address, is_temporary);
        true
    }

    pub(super) fn prefix(&mut self, address: &[u8]) {
        let shown: Vec<u8> = shortened_bytes(address).iter().map(|b| b & 0x7f).collect();
        self.output.text(&shown);
        self.output.text(b"... ");
    }

    /// A complaint with the address it is about in front. A byte that is nothing without its eighth bit ends the line.
    pub(super) fn complain(&mut self, address: &[u8], complaint: &str) {
        let mut line: Vec<u8> = shortened_bytes(address).iter().map(|b| b & 0x7f).collect();
        line.extend_from_slice(b"... ");
        line.extend_from_slice(complaint.as_bytes());
        self.output.text(line.split(|b| *b == 0).next().unwrap_or_default());
        self.output.end();
    }

    /// Shows the mailer, host and user that the workspace resolved to.
    fn resolve(&mut self, address: &[u8], is_temporary: bool) {
        let Ok(Resolution { mailer, host, user, user_words }) = self.workspace.resolution() else {
            let words = if self.workspace.is_resolved() {
                "buildaddr: no user"
            } else {
                "buildaddr: no mailer in parsed address"
            };
            return self.no_address(words);
        };
        if mailer.eq_ignore_ascii_case(b"error") {
            return self.error_mailer(address, host.as_deref(), &user_words);
        }
        let Some(id) = self.config.mailer(&mailer) else {
            return self.no_address(&format!("buildaddr: unknown mailer {}", String::from_utf8_lossy(&mailer)));
        };
        let Some(user) = user else { return self.no_address("buildaddr: no user") };
        let Some(kind) = self.config.mailers.get(id.0).cloned() else { return };
        if host.as_ref().is_none_or(Bytes::is_empty) && !kind.has(b'l') {
            return self.no_address("buildaddr: no host");
        }
        let host = host.unwrap_or_default();
        let host = if kind.has(b'h') { host } else { lower(&host) };
        if host.is_empty() {
            self.scope.unset(names::RCPT_HOST_H);
        } else {
            self.scope.set(names::RCPT_HOST_H, host.clone());
        }
        self.workspace.keep_user();
        let (id, user, is_final) = self.special(id, &kind, user);
        if is_final {
            self.queue_group_of(&user);
            return self.triple(id, &host, &user);
        }
        self.outward(id, Kind::ENVELOPE_RECIPIENT);
        let mut user = self.workspace.raw_text();
        user.truncate(limits::ADDRESS);
        let is_refused = self.is_refused(&user, true);
        let user = if is_refused { Bytes::from(masked(&user)) } else { user };
        let keeps_case = self.config.mailers.get(id.0).is_none_or(|m| m.has(b'u'));
        let user = if keeps_case { user } else { lower(&user) };
        if is_temporary {
            self.prefix(address);
            self.output.line("Transient parse error -- message queued for future delivery");
        }
        if !is_refused {
            self.queue_group_of(&user);
        }
        self.triple(id, &host, &user);
    }

    /// The mailer that a local mailer's user stands for; the workspace is changed with it.
    fn special(&mut self, id: MailerId, mailer: &Mailer, user: Bytes) -> (MailerId, Bytes, bool) {
        let mut user = user;
        if mailer.has(b'@') && user.starts_with(b"@") {
            self.workspace.drop_first();
            user = user.slice(1..);
        }
        let bare = user.strip_prefix(b"\"").unwrap_or(&user);
        let named = |name: &[u8]| self.config.mailer(name).unwrap_or(id);
        if mailer.has(b'|') && bare.starts_with(b"|") {
            return (named(b"prog"), user, false);
        }
        if mailer.has(b'/') && bare.starts_with(b"/") {
            return (named(b"*file*"), user, false);
        }
        if mailer.has(b':') && bare.get(..9).is_some_and(|head| head.eq_ignore_ascii_case(b":include:")) {
            let path = quote::unquoted(&self.workspace.view().join_with(b' '));
            return (named(b"*include*"), owned(path.get(9..).unwrap_or_default()), true);
        }
        (id, user, false)
    }

    /// The rulesets that make an address one of a mailer: 1 or 2, `S=` or `R=`, 4.
    fn outward(&mut self, mailer: MailerId, kind: Kind) -> Exit {
        let Some(mailer) = self.config.mailers.get(mailer.0) else { return Exit::OK };
        let (common, pair) = if kind.is_sender { (SENDER, mailer.sender) } else { (RECIPIENT, mailer.recipient) };
        let own = if kind.in_header { pair.header } else { pair.envelope };
        let own = own.filter(|id| *id != ROUTE);
        let mut worst = Exit::OK;
        for ruleset in [Some(common), own, Some(FINAL)].into_iter().flatten() {
            let exit = self.apply(ruleset);
            worst = if exit == Exit::OK { worst } else { exit };
        }
        worst
    }

    fn no_address(&mut self, words: &str) {
        self.output.line(words);
        self.output.line("mailer *error*, user ");
    }

    fn error_mailer(&mut self, address: &[u8], host: Option<&[u8]>, user: &[u8]) {
        let host = host.unwrap_or_default();
        let error = crate::route::triple::error(host, user);
        if error.reply != 551 {
            self.prefix(address);
        }
        self.output.shown(error.text.as_bytes());
        self.output.end();
        if error.reply < 500 {
            self.queue_group_of(user);
        }
        self.named_triple(b"*error*", host, user);
    }

    fn triple(&mut self, mailer: MailerId, host: &[u8], user: &[u8]) {
        let name = self.config.mailers.get(mailer.0).map(|m| m.name.clone()).unwrap_or_default();
        self.named_triple(&name, host, user);
    }

    /// Envelope recipients that may be tried have a queue group.
    fn queue_group_of(&mut self, user: &[u8]) {
        if self.kind == Kind::ENVELOPE_RECIPIENT {
            self.queue_group(user);
        }
    }

    fn named_triple(&mut self, mailer: &[u8], host: &[u8], user: &[u8]) {
        self.output.text(b"mailer ");
        self.output.text(mailer);
        if !host.is_empty() {
            self.output.text(b", host ");
            self.output.text(host);
        }
        self.output.text(b", user ");
        self.output.text(user);
        self.output.end();
    }

    /// The ruleset that chooses a queue group, when there is one.
    fn queue_group(&mut self, user: &[u8]) {
        let Some(ruleset) = self.config.ruleset(b"queuegroup").filter(|id| self.config.rulesets.is_known(*id)) else {
            return;
        };
        if self.load(user, Mode::Address, None).is_some() && !self.workspace.view().is_empty() {
            self.apply(ruleset);
        }
    }

    /// `/try mailer address`.
    pub(super) fn try_mailer(&mut self, argument: &[u8]) {
        let (name, address) = first_word(argument.trim_ascii_end());
        if name.is_empty() || address.is_empty() {
            return self.output.line("Usage: /try mailer address");
        }
        let Some(id) = self.config.mailer(name) else {
            return self.output.line(&format!("Unknown mailer {}", String::from_utf8_lossy(name)));
        };
        self.output.text(format!("Trying {} address ", words(self.kind)).as_bytes());
        self.output.text(address);
        self.output.text(b" for mailer ");
        self.output.text(name);
        self.output.end();
        let frame = crack(address, &self.config.options.must_quote_chars);
        let (exit, text) = if self.load(address, Mode::Address, None).is_none() || self.workspace.view().is_empty() {
            (Exit::OK, address.to_vec())
        } else {
            let first = self.apply(CANONIFY);
            let then = self.outward(id, self.kind);
            let text = self.workspace.raw_text();
            // What was wrong with rules has been said.
            let is_temporary = first == Exit::TEMPFAIL || then == Exit::TEMPFAIL;
            (if is_temporary { Exit::TEMPFAIL } else { Exit::OK }, frame.around(&text))
        };
        self.output.text(format!("Rcode = {}, addr = ", exit.0).as_bytes());
        self.output.text(&text);
        self.output.end();
    }
}

/// Lower case; the byte 255 loses its eighth bit on the way. Source: observed.
fn lower(text: &[u8]) -> Bytes {
    text.iter().map(|b| if *b == 0xff { 0x7f } else { b.to_ascii_lowercase() }).collect::<Vec<u8>>().into()
}

/// An address with a question mark for each byte that no address may have.
fn masked(address: &[u8]) -> Vec<u8> {
    address.iter().map(|b| if is_control(*b) || (0x80..=0x9f).contains(b) { b'?' } else { *b }).collect()
}

/// Whether no address may hold the byte: a control character that is no blank. Source: observed.
fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=0x08 | 0x0e..0x20 | 0x7f | 0xff)
}

fn words(kind: Kind) -> &'static str {
    match (kind.in_header, kind.is_sender) {
        (false, true) => "envelope sender",
        (false, false) => "envelope recipient",
        (true, true) => "header sender",
        (true, false) => "header recipient",
    }
}
