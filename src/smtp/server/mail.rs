//! MAIL.

use bytes::Bytes;

use super::filter;
use super::session::{Action, Input, Session, Step};
use super::setting::Setting;
use crate::address::mailbox;
use crate::address::quote::full_name;
use crate::base::bytes::shown;
use crate::base::status::Status;
use crate::base::time::UnixTime;
use crate::base::xtext;
use crate::config::privacy::Privacy;
use crate::envelope::{Envelope, Ret};
use crate::log::{Level, Priority};
use crate::macros::{Scope, names};
use crate::policy::{Hook, Verdict};
use crate::route::{Resolved, RouteError};
use crate::site::Shortage;
use crate::smtp::extension::parameter::{self, Parameter};
use crate::smtp::extension::{Fault, body, deliver_by, dsn, size};

/// A transaction.
#[derive(Debug)]
pub(super) struct Transaction {
    /// Its envelope; macros of the session are in its scope while it lasts.
    pub(super) envelope: Envelope,
    /// When MAIL came.
    pub(super) begun: UnixTime,
    /// The sender was accepted.
    pub(super) is_open: bool,
    /// The sender as MAIL gave it; empty before it was accepted.
    pub(super) given: Bytes,
    /// The `from=` line was written.
    pub(super) is_logged: bool,
}

/// What outlives a refused MAIL. Source: observed (`Duplicate RET parameter` after a refused `RET=`).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    /// `RET=` was given.
    pub(super) ret: bool,
    /// `ENVID=` was given.
    pub(super) envid: bool,
    /// The queue id belongs to a message or to log lines of one.
    pub(super) used_id: bool,
}

/// A MAIL command under way.
#[derive(Debug)]
pub(super) struct Mail {
    given: Bytes,
    parameters: Bytes,
    at: At,
    size: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Resolve,
    TrustAuth,
    Check,
    Space,
}

impl Session {
    pub(super) fn mail(&mut self, argument: &[u8]) -> Action {
        if self.lacks_helo(Privacy::NEED_MAIL_HELO) {
            self.reply(503, Status(5, 0, 0), "Polite people say HELO first");
            return Action::Read;
        }
        if self.needs_auth() {
            self.reply(530, Status(5, 7, 0), "Authentication required");
            return Action::Read;
        }
        if self.transaction.as_ref().is_some_and(|t| t.is_open) {
            self.reply(503, Status(5, 5, 0), "Sender already specified");
            return Action::Read;
        }
        if self.filtering.is_temporary {
            self.note_temporary("MAIL", argument);
            self.reply(451, Status(4, 3, 2), "Please try again later");
            return Action::Read;
        }
        self.did_something = true;
        let rest = match behind_word(argument, b"from") {
            Ok(rest) => rest,
            Err(word) => {
                self.reply(501, Status(5, 5, 2), &syntax(word));
                return Action::Read;
            }
        };
        if !self.greeted {
            self.warn_about_helo();
        }
        let (path, parameters) = rest.split_at_checked(parameter::path_end(rest)).unwrap_or((rest, b""));
        let given = Bytes::copy_from_slice(path);
        let parameters = Bytes::copy_from_slice(parameters);
        self.step = Step::Mail(Box::new(Mail { given: given.clone(), parameters, at: At::Resolve, size: 0 }));
        Action::ResolveSender(given)
    }

    pub(super) fn mail_on(&mut self, mail: Mail, input: Input<'_>) -> Action {
        match (mail.at, input) {
            (At::Resolve, Input::Resolved(resolved)) => self.sender_resolved(mail, resolved),
            (At::TrustAuth, Input::Verdict(verdict)) => {
                if verdict != Verdict::Accept
                    && let Some(envelope) = self.envelope()
                {
                    envelope.auth = Some(Bytes::from_static(b"<>"));
                    envelope.scope.unset(names::AUTH_AUTHOR);
                }
                self.check_mail(mail)
            }
            (At::Check, Input::Verdict(verdict)) => self.sender_checked(mail, verdict),
            (At::Space, Input::Space(space)) => self.sender_fits(&mail, space),
            (_, input) => {
                self.note(Level::SYSTEM_ERROR, Priority::Critical, format!("MAIL out of step: {input:?}"));
                self.reply(421, Status(4, 3, 0), "Internal error");
                self.close()
            }
        }
    }

    fn sender_resolved(&mut self, mut mail: Mail, resolved: Result<Resolved, RouteError>) -> Action {
        let resolved = match resolved {
            Ok(resolved) => resolved,
            Err(error) => {
                let about = if error.address.is_empty() { mail.given } else { error.address };
                let refusal = crate::policy::Refusal::new(error.reply, error.status, error.text);
                self.refuse(&refusal, &about);
                return Action::Read;
            }
        };
        self.open(&mail.given, &resolved);
        if let Err(fault) = self.mail_parameters(&mut mail) {
            self.fault(&fault);
            return Action::Read;
        }
        let auth = self.envelope().and_then(|e| e.auth.clone());
        match auth {
            Some(auth) if auth != "<>" && self.has_ruleset(Hook::TrustAuth) => {
                mail.at = At::TrustAuth;
                self.step = Step::Mail(Box::new(mail));
                Action::Check(Hook::TrustAuth, std::iter::once(auth).collect())
            }
            _ => self.check_mail(mail),
        }
    }

    /// `authwarnings`: a client that did not introduce itself.
    fn warn_about_helo(&mut self) {
        if !self.privacy(Privacy::AUTH_WARNINGS) {
            return;
        }
        let (host, client) = (shown(&self.setting.host).to_string(), shown(&self.client.described).to_string());
        self.warning = Some(format!("{host}: {client} didn't use HELO protocol"));
        let line = format!("Authentication-Warning: {host}: {client} didn't use HELO protocol");
        self.note(Level::REJECTED, Priority::Info, line);
    }

    /// An envelope for the sender; one that an earlier MAIL left without success is used again.
    fn open(&mut self, given: &Bytes, resolved: &Resolved) {
        if self.transaction.is_none() {
            let envelope = Envelope::new(self.id.clone(), UnixTime::default(), Scope::default());
            self.begin_transaction(envelope);
        }
        if let Some(transaction) = &mut self.transaction {
            transaction.is_logged = false;
            transaction.envelope.size_bytes = 0;
        }
        self.set_sender(given, resolved);
    }

    /// The sender of the transaction, with the macros that tell of it.
    fn set_sender(&mut self, given: &Bytes, resolved: &Resolved) {
        let Setting { config, .. } = &*self.setting;
        let mailer = config.mailers.get(resolved.triple.mailer.0).map(|m| m.name.clone()).unwrap_or_default();
        let Some(transaction) = &mut self.transaction else { return };
        let envelope = &mut transaction.envelope;
        envelope.sender_given = given.clone();
        let sender = bare(&resolved.address);
        let keeps_route = self.setting.config.options.dont_prune_routes;
        let sender = if keeps_route { sender } else { sender.slice_ref(mailbox::pruned(&sender)) };
        envelope.sender = sender.clone();
        let scope = &mut envelope.scope;
        if let Some(owner) = resolved.owner.as_ref().filter(|o| !o.real_name.is_empty()) {
            scope.set(names::FULL_NAME, full_name(&owner.real_name));
        }
        if given.as_ref() == b"<>" {
            let name = scope.text(names::DAEMON_USER);
            scope.set(names::SENDER_FOR_RECIPIENT, name);
        }
        scope.set(names::MAIL_MAILER, mailer);
        scope.set(names::MAIL_HOST, resolved.triple.host.clone());
        scope.set(names::MAIL_ADDR, resolved.triple.user.clone());
        scope.set(names::MAIL_FROM, given.clone());
        scope.set(names::SENDER, sender);
        scope.set(names::QUEUE_ID, envelope.id.as_str().to_owned());
        for id in [names::HOP_COUNT, names::NTRIES, names::NRCPTS, names::NBADRCPTS] {
            scope.set(id, "0");
        }
    }

    fn mail_parameters(&mut self, mail: &mut Mail) -> Result<(), Fault> {
        let text = mail.parameters.clone();
        let mut rest: &[u8] = &text;
        while let Some(parameter) = parameter::next(&mut rest) {
            self.mail_parameter(mail, parameter)?;
        }
        Ok(())
    }

    fn mail_parameter(&mut self, mail: &mut Mail, parameter: Parameter<'_>) -> Result<(), Fault> {
        let offer = self.offer();
        let dsn_keyword = |keyword: &str| {
            if offer.dsn {
                Ok(())
            } else {
                let text = format!("Sorry, {keyword} not supported, we do not allow DSN");
                Err(Fault::new(504, Status(5, 7, 0), text))
            }
        };
        let value = parameter.value;
        match parameter.keyword.to_ascii_uppercase().as_slice() {
            b"SIZE" => {
                mail.size = size::parse(value)?;
                self.set_size(mail.size);
                size::check(mail.size, offer.max_size)?;
            }
            b"BODY" => {
                let body = body::parse(value)?;
                self.with_envelope(|e| e.body_type = Some(body));
            }
            b"RET" => {
                dsn_keyword("RET")?;
                self.once(|m| &mut m.ret, value, "RET")?;
                let ret = dsn::ret(value)?;
                let name = if ret == Ret::Full { "FULL" } else { "HDRS" };
                self.with_envelope(|e| {
                    e.ret = Some(ret);
                    e.scope.set(names::DSN_RET, name);
                });
            }
            b"ENVID" => {
                dsn_keyword("ENVID")?;
                let envid = dsn::envid(value)?;
                self.once(|m| &mut m.envid, value, "ENVID")?;
                self.with_envelope(|e| {
                    e.scope.set(names::DSN_ENVID, envid.clone());
                    e.envid = Some(envid);
                });
            }
            b"BY" if offer.deliver_by_min >= 0 => {
                let by = deliver_by::parse(value, offer.deliver_by_min)?;
                self.with_envelope(|e| e.deliver_by = Some(by));
            }
            b"AUTH" => {
                let value = value.ok_or_else(|| Fault::no_value("AUTH="))?;
                let decoded = xtext::decode(value).ok_or_else(|| Fault::syntax("AUTH"))?;
                if self.envelope().is_some_and(|e| e.auth.is_some()) {
                    return Err(Fault::duplicate("AUTH"));
                }
                let value = Bytes::copy_from_slice(value);
                self.with_envelope(|e| {
                    e.auth = Some(value);
                    e.scope.set(names::AUTH_AUTHOR, decoded);
                });
            }
            _ => return Err(Fault::unrecognized(parameter.keyword)),
        }
        Ok(())
    }

    /// A parameter that may stand once; a value that is wrong counts too.
    fn once(&mut self, mark: fn(&mut Marks) -> &mut bool, value: Option<&[u8]>, keyword: &str) -> Result<(), Fault> {
        if value.is_none() {
            return Err(Fault::no_value(keyword));
        }
        if std::mem::replace(mark(&mut self.marks), true) { Err(Fault::duplicate(keyword)) } else { Ok(()) }
    }

    fn set_size(&mut self, size: i64) {
        self.with_envelope(|e| {
            e.size_bytes = u64::try_from(size).unwrap_or(0);
            e.scope.set(names::MSG_SIZE, size.to_string());
        });
    }

    pub(super) fn with_envelope(&mut self, change: impl FnOnce(&mut Envelope)) {
        if let Some(envelope) = self.envelope() {
            change(envelope);
        }
    }

    fn check_mail(&mut self, mut mail: Mail) -> Action {
        let given = mail.given.clone();
        mail.at = At::Check;
        self.step = Step::Mail(Box::new(mail));
        Action::Check(Hook::CheckMail, std::iter::once(given).collect())
    }

    fn sender_checked(&mut self, mut mail: Mail, verdict: Verdict) -> Action {
        match verdict {
            Verdict::Accept => {}
            Verdict::Reject(refusal) => {
                self.refuse(&refusal, &mail.given);
                return Action::Read;
            }
            Verdict::Discard => self.with_envelope(|e| e.flags.is_discarded = true),
            Verdict::Quarantine(reason) => self.quarantine(reason),
        }
        mail.at = At::Space;
        let size = mail.size;
        self.step = Step::Mail(Box::new(mail));
        Action::Space(size)
    }

    fn sender_fits(&mut self, mail: &Mail, shortage: Option<Shortage>) -> Action {
        if let Some(shortage) = shortage {
            let line = shortage.line(&shown(&self.client.name).to_string());
            self.note(Level::SYSTEM_ERROR, Priority::Alert, line);
            self.reply(452, Status(4, 4, 5), "Insufficient disk space; try again later");
            return Action::Read;
        }
        if self.discards {
            self.with_envelope(|e| e.flags.is_discarded = true);
        }
        if self.asks_filters() {
            let told = filter::Told::Mail(mail.given.clone());
            return self.ask_filters(told, filter::Call::Mail(filter::arguments(&mail.given, &mail.parameters)));
        }
        self.sender_accepted(&mail.given)
    }

    pub(super) fn sender_accepted(&mut self, given: &Bytes) -> Action {
        if let Some(transaction) = &mut self.transaction {
            transaction.is_open = true;
            transaction.given.clone_from(given);
        }
        self.reply_about(250, Status(2, 1, 0), given, "Sender ok");
        Action::Read
    }

    /// A filter changes the sender when the message is complete. The parameters are those of MAIL.
    pub fn change_sender(&mut self, given: &Bytes, resolved: &Resolved, parameters: Bytes) -> Result<(), Fault> {
        self.set_sender(given, resolved);
        self.marks.ret = false;
        self.marks.envid = false;
        let size = self.envelope().map_or(0, |e| e.size_bytes);
        let mut mail = Mail { given: given.clone(), parameters, at: At::Space, size: 0 };
        let done = self.mail_parameters(&mut mail);
        self.with_envelope(|e| e.size_bytes = size);
        done
    }

    /// The message is held for this reason.
    pub fn hold(&mut self, reason: Bytes) {
        self.quarantine(reason);
    }

    /// What went wrong last with the message in hand.
    pub fn blame_message(&mut self, words: &[u8]) {
        self.blame(words);
    }

    pub(super) fn quarantine(&mut self, reason: Bytes) {
        self.with_envelope(|e| {
            e.scope.set(names::QUARANTINE, reason.clone());
            e.quarantine = Some(reason);
        });
    }

    /// The refusal as a reply about an address.
    pub(super) fn refuse(&mut self, refusal: &crate::policy::Refusal, about: &[u8]) {
        // The words without the codes.
        let line = refusal.line(about);
        self.blame(line.splitn(3, |b| *b == b' ').nth(2).unwrap_or_default());
        let refusal = refusal.clone().softened(&self.setting.config.options);
        self.replies.refuse(refusal.lines(about));
    }

    pub(super) fn fault(&mut self, fault: &Fault) {
        self.reply(fault.code, fault.status, &fault.text);
    }

    /// `250 2.1.0 <a@b>... text`.
    pub(super) fn reply_about(&mut self, code: u16, status: Status, address: &[u8], text: &str) {
        let refusal = crate::policy::Refusal::new(code, status, text.to_owned());
        self.replies.line(&refusal.line(address));
    }

    pub(super) fn has_ruleset(&self, hook: Hook) -> bool {
        self.setting.config.ruleset(hook.name().as_bytes()).is_some()
    }
}

/// What follows `word`, blanks, a colon and blanks; else the word that stood there.
pub(super) fn behind_word<'a>(argument: &'a [u8], word: &[u8]) -> Result<&'a [u8], &'a [u8]> {
    let text = argument.trim_ascii_start();
    let end = text.iter().position(|b| b.is_ascii_whitespace() || *b == b':').unwrap_or(text.len());
    let (found, rest) = text.split_at_checked(end).unwrap_or((text, b""));
    let behind = rest.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
    match behind {
        Some(path) if found.eq_ignore_ascii_case(word) && !path.is_empty() => Ok(path),
        _ => Err(found),
    }
}

/// An address without its angle brackets.
fn bare(address: &Bytes) -> Bytes {
    match address.strip_prefix(b"<").and_then(|a| a.strip_suffix(b">")) {
        Some(inner) => address.slice_ref(inner),
        None => address.clone(),
    }
}

/// `Syntax error in parameters scanning "…"`.
pub(super) fn syntax(word: &[u8]) -> String {
    format!("Syntax error in parameters scanning \"{}\"", shown(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_needs_a_colon_and_something_behind_it() {
        for (text, want) in [
            ("FROM:<a@b>", Ok("<a@b>")),
            ("from : <a@b> SIZE=1", Ok("<a@b> SIZE=1")),
            ("", Err("")),
            ("FROM", Err("FROM")),
            ("FROM:", Err("FROM")),
            ("FROM <a@b>", Err("FROM")),
            ("<a@sender.test>", Err("<a@sender.test>")),
        ] {
            let want = want.map(str::as_bytes).map_err(str::as_bytes);
            assert_eq!(behind_word(text.as_bytes(), b"from"), want, "{text}");
        }
    }
}
