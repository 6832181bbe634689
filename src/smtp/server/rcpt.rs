//! RCPT.

use std::time::Duration;

use bytes::Bytes;

use super::filter;
use super::mail::{behind_word, syntax};
use super::session::{Action, Input, Session, Step};
use crate::base::bytes::shown;
use crate::base::status::Status;
use crate::config::values::DeliveryMode;
use crate::envelope::{Notify, Recipient, State};
use crate::log::{Level, Priority};
use crate::macros::names;
use crate::policy::{Hook, Refusal, Verdict};
use crate::queue::waiting;
use crate::route::recipient::Special;
use crate::route::{Resolved, RouteError};
use crate::smtp::extension::{Fault, dsn, parameter};

/// A RCPT command under way.
#[derive(Debug)]
pub(super) struct Rcpt {
    given: Bytes,
    parameters: Bytes,
    at: At,
    recipient: Recipient,
    /// Recipients that the envelope had before.
    before: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Resolve,
    Check,
    Add,
}

impl Session {
    pub(super) fn rcpt(&mut self, argument: &[u8]) -> Action {
        if !self.transaction.as_ref().is_some_and(|t| t.is_open) {
            self.reply(503, Status(5, 0, 0), "Need MAIL before RCPT");
            return Action::Read;
        }
        if let Some(action) = self.too_many_recipients() {
            return action;
        }
        let rest = match behind_word(argument, b"to") {
            Ok(rest) => rest,
            Err(word) => return self.bad_recipient(501, Status(5, 5, 2), &syntax(word)),
        };
        let (path, parameters) = rest.split_at_checked(parameter::path_end(rest)).unwrap_or((rest, b""));
        let given = Bytes::copy_from_slice(path);
        self.step = Step::Rcpt(Box::new(Rcpt {
            given: given.clone(),
            parameters: Bytes::copy_from_slice(parameters),
            at: At::Resolve,
            recipient: Recipient::new(given.clone()),
            before: 0,
        }));
        Action::Resolve(given)
    }

    /// Limits that hold whatever the recipient is; `None` when it may be looked at.
    fn too_many_recipients(&mut self) -> Option<Action> {
        let options = &self.setting.config.options;
        let (most, throttle, shutdown) =
            (options.max_recipients_per_message, options.bad_rcpt_throttle, options.bad_rcpt_shutdown);
        let share = options.bad_rcpt_shutdown_good;
        let good = self.good_recipients();
        let bad = i64::try_from(self.counters.bad_recipients).unwrap_or(i64::MAX);
        // The share is that of the bad ones. Source: observed.
        if shutdown > 0 && bad >= shutdown && bad.saturating_mul(100) >= bad.saturating_add(good).saturating_mul(share)
        {
            let line =
                format!("{}: Possible SMTP RCPT flood, shutting down connection.", shown(&self.client.described));
            self.note(Level(5), Priority::Info, line);
            let text = format!("{} Too many bad recipients; closing connection", shown(&self.setting.host));
            self.reply(421, Status(4, 7, 0), &text);
            return Some(self.close());
        }
        if throttle > 0 && bad >= throttle {
            if bad == throttle {
                let line = format!("{}: Possible SMTP RCPT flood, throttling.", shown(&self.client.described));
                self.note(Level(5), Priority::Info, line);
                self.counters.bad_recipients += 1;
            }
            self.pause = self.pause.max(Duration::from_secs(1));
        }
        if most > 0 && good >= most {
            self.note_user_error("Too many recipients".to_owned());
            self.reply(452, Status(4, 5, 3), "Too many recipients");
            return Some(Action::Read);
        }
        None
    }

    fn good_recipients(&self) -> i64 {
        self.transaction.as_ref().map_or(0, |t| i64::try_from(t.envelope.recipients.len()).unwrap_or(i64::MAX))
    }

    pub(super) fn rcpt_on(&mut self, rcpt: Rcpt, input: Input<'_>) -> Action {
        match (rcpt.at, input) {
            (At::Resolve, Input::Resolved(resolved)) => self.recipient_resolved(rcpt, resolved),
            (At::Check, Input::Verdict(verdict)) => self.recipient_checked(rcpt, verdict),
            (At::Add, Input::Resolved(added)) => self.recipient_added(&rcpt, added),
            (_, input) => {
                self.note(Level::SYSTEM_ERROR, Priority::Critical, format!("RCPT out of step: {input:?}"));
                self.reply(421, Status(4, 3, 0), "Internal error");
                self.close()
            }
        }
    }

    fn recipient_resolved(&mut self, mut rcpt: Rcpt, resolved: Result<Resolved, RouteError>) -> Action {
        let resolved = match resolved {
            Ok(resolved) => resolved.triple,
            Err(RouteError { waits: Some(waits), .. }) => waits.triple,
            Err(error) => return self.route_refused(&rcpt.given, error),
        };
        let setting = std::sync::Arc::clone(&self.setting);
        let mailer = setting.config.mailers.get(resolved.mailer.0);
        if let Some(special) = mailer.and_then(|m| Special::of_mailer(&m.name)) {
            let refusal = Refusal::new(550, Status(5, 7, 1), format!("Cannot mail directly to {}", special.plural()));
            return self.refuse_recipient(&refusal, &rcpt.given);
        }
        let (host, user) = (resolved.host.clone(), resolved.user.clone());
        let nrcpts = self.good_recipients();
        let nbad = self.counters.bad_recipients;
        let scope = self.scope();
        scope.set(names::RCPT_MAILER, mailer.map(|m| m.name.clone()).unwrap_or_default());
        scope.set(names::RCPT_HOST, host);
        scope.set(names::RCPT_ADDR, user);
        scope.set(names::NRCPTS, nrcpts.to_string());
        scope.set(names::NBADRCPTS, nbad.to_string());
        if let Err(fault) = self.rcpt_parameters(&mut rcpt) {
            return self.bad_recipient(fault.code, fault.status, &fault.text);
        }
        let given = rcpt.given.clone();
        rcpt.at = At::Check;
        self.step = Step::Rcpt(Box::new(rcpt));
        Action::Check(Hook::CheckRcpt, std::iter::once(given).collect())
    }

    fn rcpt_parameters(&mut self, rcpt: &mut Rcpt) -> Result<(), Fault> {
        let text = rcpt.parameters.clone();
        let mut rest: &[u8] = &text;
        let has_dsn = self.offer().dsn;
        let refused = |keyword: &str| {
            Fault::new(504, Status(5, 7, 0), format!("Sorry, {keyword} not supported, we do not allow DSN"))
        };
        let mut notified = None;
        while let Some(parameter) = parameter::next(&mut rest) {
            match parameter.keyword.to_ascii_uppercase().as_slice() {
                b"NOTIFY" if !has_dsn => return Err(refused("NOTIFY")),
                b"ORCPT" if !has_dsn => return Err(refused("ORCPT")),
                b"NOTIFY" => {
                    rcpt.recipient.notify = dsn::notify(parameter.value)?;
                    notified = parameter.value;
                }
                b"ORCPT" => {
                    if rcpt.recipient.original.is_some() {
                        return Err(Fault::duplicate("ORCPT"));
                    }
                    rcpt.recipient.original = Some(dsn::orcpt(parameter.value)?);
                }
                _ => return Err(Fault::unrecognized(parameter.keyword)),
            }
        }
        if !rcpt.recipient.notify.is_given {
            rcpt.recipient.notify = Notify::default();
        }
        match notified {
            Some(value) => self.scope().set(names::DSN_NOTIFY, value.to_vec()),
            None => self.scope().unset(names::DSN_NOTIFY),
        }
        Ok(())
    }

    fn recipient_checked(&mut self, mut rcpt: Rcpt, verdict: Verdict) -> Action {
        match verdict {
            Verdict::Accept => {}
            Verdict::Reject(refusal) => {
                self.counters.bad_recipients += 1;
                self.refuse(&refusal, &rcpt.given);
                return Action::Read;
            }
            Verdict::Discard => self.with_envelope(|e| e.flags.is_discarded = true),
            Verdict::Quarantine(reason) => self.quarantine(reason),
        }
        rcpt.at = At::Add;
        rcpt.before = self.transaction.as_ref().map_or(0, |t| t.envelope.recipients.len());
        let recipient = rcpt.recipient.clone();
        self.step = Step::Rcpt(Box::new(rcpt));
        Action::Add(Box::new(recipient))
    }

    fn recipient_added(&mut self, rcpt: &Rcpt, added: Result<Resolved, RouteError>) -> Action {
        // What cannot be looked up now waits for a queue run. Source: observed.
        let waits = added.as_ref().is_err_and(|error| error.waits.is_some());
        if waits {
            let waiting = Recipient { route: None, state: State::Queued, ..rcpt.recipient.clone() };
            self.with_envelope(|e| e.recipients.push(waiting));
        }
        if let Err(error) = added
            && !waits
        {
            // It was one of those the message was for: `for` in Received would tell of the others. Observed.
            self.with_envelope(|e| e.flags.had_refused_recipient = true);
            if !self.asks_filters() {
                return self.route_refused(&rcpt.given, error);
            }
            let (status, line) = (error.status.to_string(), error.line());
            let _ = self.route_refused(&rcpt.given, error);
            let scope = self.scope();
            scope.set(names::RCPT_MAILER, "error");
            scope.set(names::RCPT_HOST, status);
            scope.set(names::RCPT_ADDR, line);
            let arguments = filter::arguments(&rcpt.given, &rcpt.parameters);
            return self.ask_filters(filter::Told::RefusedRcpt, filter::Call::Rcpt { arguments, is_refused: true });
        }
        if self.asks_filters() {
            let arguments = filter::arguments(&rcpt.given, &rcpt.parameters);
            let told = filter::Told::Rcpt { given: rcpt.given.clone(), before: rcpt.before };
            return self.ask_filters(told, filter::Call::Rcpt { arguments, is_refused: false });
        }
        self.recipient_accepted(&rcpt.given, rcpt.before)
    }

    /// `before`: recipients that the envelope had before this one.
    pub(super) fn recipient_accepted(&mut self, given: &Bytes, before: usize) -> Action {
        let bare = given.strip_prefix(b"<").and_then(|given| given.strip_suffix(b">"));
        let address = bare.unwrap_or(given);
        let is_deferred = self.setting.delivery_mode == DeliveryMode::Deferred && waiting::has_host(address);
        let added = self.transaction.as_ref().and_then(|t| t.envelope.recipients.get(before));
        let waits = added.is_some_and(Recipient::waits);
        let text = if is_deferred || waits { "Recipient ok (will queue)" } else { "Recipient ok" };
        self.reply_about(250, Status(2, 1, 5), given, text);
        Action::Read
    }

    fn route_refused(&mut self, given: &Bytes, error: RouteError) -> Action {
        let error = if error.address.is_empty() { error.at(given) } else { error };
        self.refuse_recipient(&Refusal::new(error.reply, error.status, error.shown()), b"")
    }

    fn refuse_recipient(&mut self, refusal: &Refusal, about: &[u8]) -> Action {
        self.counters.bad_recipients += 1;
        let line = refusal.line(about);
        // The log has the words without the codes.
        let words = line.splitn(3, |b| *b == b' ').nth(2).unwrap_or_default();
        self.note_user_error(shown(words).to_string());
        self.refuse(refusal, about);
        Action::Read
    }

    fn bad_recipient(&mut self, code: u16, status: Status, text: &str) -> Action {
        self.counters.bad_recipients += 1;
        self.note_user_error(text.to_owned());
        self.reply(code, status, text);
        Action::Read
    }
}
