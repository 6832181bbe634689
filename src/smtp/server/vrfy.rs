//! VRFY and EXPN.

use bytes::Bytes;

use super::counters::MOST_VRFY;
use super::session::{Action, Input, Session, Step};
use crate::address::shortened_bytes;
use crate::base::bytes::shown;
use crate::base::status::Status;
use crate::config::privacy::Privacy;
use crate::log::{Level, Priority};
use crate::policy::{Hook, Refusal, Verdict};
use crate::route::{Resolved, RouteError};

/// A VRFY or EXPN under way.
#[derive(Debug)]
pub(super) struct Vrfy {
    argument: Bytes,
    expand: bool,
    is_checked: bool,
}

impl Session {
    pub(super) fn vrfy(&mut self, argument: &[u8], expand: bool) -> Action {
        let verb = if expand { "EXPN" } else { "VRFY" };
        let argument = argument.trim_ascii_end();
        self.count(|c| &mut c.vrfy, MOST_VRFY, verb);
        if self.filtering.is_temporary {
            self.note_temporary(verb, argument);
            self.reply(550, Status(5, 7, 1), "Please try again later");
            return Action::Read;
        }
        let (off, need_helo) = if expand {
            (Privacy::NO_EXPN, Privacy::NEED_EXPN_HELO)
        } else {
            (Privacy::NO_VRFY, Privacy::NEED_VRFY_HELO)
        };
        let is_off = self.privacy(off) || expand && self.features.has(b'X');
        if is_off {
            self.note_vrfy(verb, argument, " [rejected]");
            if expand {
                self.reply(502, Status(5, 7, 0), "Sorry, we do not allow this operation");
            } else {
                let text = "Cannot VRFY user; try RCPT to attempt delivery (or try finger)";
                self.reply(252, Status(2, 5, 2), text);
            }
            return Action::Read;
        }
        if self.lacks_helo(need_helo) {
            self.reply(503, Status(5, 0, 0), "I demand that you introduce yourself first");
            return Action::Read;
        }
        self.did_something = true;
        self.note_vrfy(verb, argument, "");
        if argument.is_empty() {
            self.reply(501, Status(5, 5, 2), "Argument required");
            return Action::Read;
        }
        let argument = Bytes::copy_from_slice(argument);
        self.step = Step::Vrfy(Vrfy { argument: argument.clone(), expand, is_checked: false });
        let hook = if expand { Hook::CheckExpn } else { Hook::CheckVrfy };
        Action::Check(hook, std::iter::once(argument).collect())
    }

    fn note_vrfy(&mut self, verb: &str, argument: &[u8], end: &str) {
        let blank: &[u8] = if argument.is_empty() { b"" } else { b" " };
        let command = shortened_bytes(&[verb.as_bytes(), blank, argument].concat());
        let line = format!("{}: {}{end}", shown(&self.client.described), shown(&command));
        self.note(Level::VERIFY, Priority::Info, line);
    }

    pub(super) fn vrfy_on(&mut self, vrfy: Vrfy, input: Input<'_>) -> Action {
        match input {
            Input::Verdict(Verdict::Reject(refusal)) if !vrfy.is_checked => {
                self.refuse(&refusal, b"");
                if refusal.code == 421 { self.close() } else { Action::Read }
            }
            Input::Verdict(_) if !vrfy.is_checked => {
                let (address, expand) = (vrfy.argument.clone(), vrfy.expand);
                self.step = Step::Vrfy(Vrfy { is_checked: true, ..vrfy });
                Action::List { address, expand }
            }
            Input::Listed(found) => {
                self.listed(&vrfy, found);
                Action::Read
            }
            input => {
                self.note(Level::SYSTEM_ERROR, Priority::Critical, format!("VRFY out of step: {input:?}"));
                self.reply(421, Status(4, 3, 0), "Internal error");
                self.close()
            }
        }
    }

    fn listed(&mut self, vrfy: &Vrfy, found: Result<Vec<Resolved>, RouteError>) {
        let found = match found {
            Ok(found) => self.in_order(found),
            Err(error) => {
                let error = if error.address.is_empty() { error.at(&vrfy.argument) } else { error };
                return self.refuse(&Refusal::new(error.reply, error.status, error.shown()), b"");
            }
        };
        self.looked_up += found.len();
        if found.is_empty() {
            let verb = if vrfy.expand { "EXPN" } else { "VRFY" };
            return self.reply(554, Status(5, 5, 2), &format!("Nothing to {verb}"));
        }
        for (at, resolved) in found.iter().enumerate() {
            let mailer = self.setting.config.mailers.get(resolved.triple.mailer.0);
            let is_sure = vrfy.expand || mailer.is_none_or(|m| m.has(b'q'));
            let separator = if at + 1 < found.len() { "-" } else { " " };
            let mut line = format!("{}{separator}2.1.5 ", if is_sure { 250 } else { 252 }).into_bytes();
            line.extend_from_slice(&self.mailbox(resolved));
            self.replies.line(&line);
        }
    }

    /// Ours first, then by host; the last of those alike comes first. Source: observed.
    fn in_order(&self, mut found: Vec<Resolved>) -> Vec<Resolved> {
        let mailers = &self.setting.config.mailers;
        found.sort_by_cached_key(|resolved| {
            let triple = &resolved.triple;
            let is_remote = mailers.get(triple.mailer.0).is_some_and(crate::config::Mailer::is_network);
            if is_remote { triple.host.to_ascii_lowercase() } else { Vec::new() }
        });
        found
    }

    /// `Full Name <user@host>`.
    fn mailbox(&self, resolved: &Resolved) -> Vec<u8> {
        let user = &resolved.triple.user;
        let mut out = Vec::new();
        if let Some(owner) = resolved.owner.as_ref().filter(|_| !resolved.is_alias) {
            let name = owner.real_name.clone();
            if !name.is_empty() {
                out.extend_from_slice(&name);
                out.push(b' ');
            }
        }
        out.push(b'<');
        let mailer = self.setting.config.mailers.get(resolved.triple.mailer.0);
        let special = mailer.and_then(|m| crate::route::recipient::Special::of_mailer(&m.name));
        out.extend_from_slice(user);
        if special.is_none() && !user.contains(&b'@') {
            out.push(b'@');
            out.extend_from_slice(&self.setting.host);
        }
        out.push(b'>');
        out
    }
}
