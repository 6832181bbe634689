//! Messages of the command line that are refused as a whole: told to the caller, and to the sender by a report.

use std::io::Write;

use bytes::Bytes;

use super::Submission;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::status::{Classify as _, Status};
use crate::cmd::sendmail::say;
use crate::cmd::watch::Watch;
use crate::collect::Fault;
use crate::config::values::ErrorMode;
use crate::deliver::drive::{Job, Reports};
use crate::deliver::hops;
use crate::envelope::{Refused, State};
use crate::log::line::{RulesetDecision, To};
use crate::log::{Level, Priority};
use crate::macros::names;
use crate::message::HeaderList;
use crate::policy::{Refusal, Verdict};
use crate::queue;
use crate::queue::drive::{Body, Held};
use crate::sys::clock;

/// What a ruleset of an `H` line refused.
pub(super) struct Checked {
    ruleset: String,
    value: Bytes,
    refusal: Refusal,
}

impl Submission<'_> {
    /// Asks the rulesets that `H` lines name. What they quarantine or discard is marked so.
    pub(super) fn check_headers(&mut self, given: &HeaderList) -> Option<Checked> {
        let config = &self.site.config;
        for header in given {
            let Some((ruleset, keep)) = config.header_check(&header.name) else { continue };
            let (value, scope) = (Bytes::copy_from_slice(header.text()), &mut self.envelope.scope);
            let check = self.site.policy.check_header(ruleset, &header.name, &value, keep, scope);
            let verdict = self.runtime.block_on(check);
            let name = shown(&config.rulesets.name(ruleset)).to_string();
            let relay = self.envelope.scope.text(names::CLIENT_INFO);
            if let Some(words) = verdict.log_words(b"") {
                self.log_decision(&name, &value, &relay, &words);
            }
            match verdict {
                Verdict::Accept => {}
                Verdict::Reject(refusal) => return Some(Checked { ruleset: name, value, refusal }),
                Verdict::Discard => self.envelope.flags.is_discarded = true,
                Verdict::Quarantine(reason) => {
                    self.envelope.scope.set(names::QUARANTINE, reason.clone());
                    self.envelope.quarantine = Some(reason);
                }
            }
        }
        None
    }

    /// A message that broke a limit. The exit code is 0, or that of who is nobody: the sender learns of it by mail (observed),
    /// unless the queue cannot take that.
    pub(super) fn refuse_fault(mut self, fault: Fault, body: &Body, out: &mut dyn Write) -> Exit {
        let (level, priority) = (Level::COLLECT, Priority::Notice);
        if let Some(text) = fault.log_text(self.envelope.size_bytes, "local") {
            self.site.log.write(level, priority, self.id(), text);
        }
        let (code, status) = fault.status();
        let leaves_entry = matches!(fault, Fault::Nul | Fault::EightBit);
        self.envelope.flags.no_body_return |= matches!(fault, Fault::MessageTooLarge(_));
        // Observed: the report names those whom the message would have gone to, and who is nobody counts.
        self.exit = Exit::OK;
        self.expand(&[], out);
        say(out, &fault.to_string());
        self.give_up(&Refusal::new(code, status, fault.to_string()), leaves_entry, body, out);
        self.exit
    }

    /// A message that a ruleset for its header refused. For now is kept, for good is returned. Source: observed.
    pub(super) fn refuse_header(mut self, checked: &Checked, body: &Body, out: &mut dyn Write) -> Exit {
        let refusal = &checked.refusal;
        let text = shown(&refusal.text).to_string();
        say(out, &text);
        if refusal.is_temporary() {
            self.log_refused(&refusal.text);
            self.envelope.flags.is_split = false;
            self.envelope.message = Some(refusal.text.clone());
            self.expand(&[], out);
            return match self.commit(body) {
                Ok(_) => Exit::OK,
                Err(error) => {
                    say(out, &error.to_string());
                    error.exit()
                }
            };
        }
        let sender = self.envelope.sender_given.clone();
        if self.give_up(refusal, true, body, out) {
            // The report shows the same field, which is looked at again.
            let words = format!("reject={}", shown(&refusal.line(&sender)));
            self.log_decision(&checked.ruleset, &checked.value, b"localhost", &words);
            say(out, &format!("{}... {text}", shown(&sender)));
        }
        self.code(Exit::DATAERR)
    }

    /// A ruleset quarantined the message: it is kept, and tried by nobody.
    pub(super) fn hold(self, reason: &[u8], body: &Body, out: &mut dyn Write) -> Exit {
        let mut envelope = self.envelope.clone();
        envelope.last_try = Some(envelope.created);
        if let Err(error) = self.site.spool().and_then(|spool| spool.commit_now(&envelope, body.clone())) {
            say(out, &error.to_string());
            return error.exit();
        }
        for recipient in self.envelope.recipients.iter().filter(|r| r.state == State::Queued) {
            let mailer = recipient.route.as_ref().and_then(|r| self.site.config.mailers.get(r.mailer.0));
            self.log_to(&To {
                to: &[&recipient.address],
                mailer: mailer.map_or(&b""[..], |m| m.name.as_ref()),
                quarantine: reason,
                ..self.to_line(b"quarantined")
            });
        }
        self.code(self.exit)
    }

    /// A message that passed too many hosts.
    pub(super) fn refuse_hops(mut self, hops: i64, body: &Body, out: &mut dyn Write) -> Exit {
        let limit = self.site.config.options.max_hop_count;
        let text = hops::text(&self.envelope, limit, hops, b"localhost");
        self.site.log.system_error(self.id(), &shown(&self.request.caller.name).to_string(), &text);
        if self.reports() == Reports::ToCaller {
            return self.failed(body, Exit::UNAVAILABLE, out);
        }
        hops::give_up(&mut self.envelope, &text, clock::now());
        let line = format!("554 5.4.6 {text}").into();
        self.report(Refused { line, leaves_entry: false }, body, out);
        self.code(Exit::UNAVAILABLE)
    }

    /// Logs the refusal for each recipient and tells the sender; true when a report was made.
    fn give_up(&mut self, refusal: &Refusal, leaves_entry: bool, body: &Body, out: &mut dyn Write) -> bool {
        self.log_refused(&refusal.text);
        let now = clock::now();
        for recipient in self.envelope.recipients.iter_mut().filter(|r| r.state == State::Queued) {
            recipient.state = State::Failed;
            recipient.status = Some(Status(5, 0, 0));
            recipient.message = Some(refusal.text.clone());
            recipient.last_try = Some(now);
        }
        self.envelope.flags.is_split = false;
        self.envelope.message = Some(refusal.text.clone());
        if self.site.config.options.error_mode == ErrorMode::Quiet {
            self.envelope.recipients.clear();
            if leaves_entry && let Err(error) = self.commit(body) {
                say(out, &error.to_string());
                self.exit = error.exit();
            }
            return false;
        }
        self.report(Refused { line: refusal.line(b"").into(), leaves_entry }, body, out)
    }

    /// Tells the sender; false when that was not possible.
    fn report(&mut self, refused: Refused, body: &Body, out: &mut dyn Write) -> bool {
        self.envelope.refused = Some(refused);
        let held = match self.commit(body) {
            Ok(held) => held,
            Err(error) => {
                say(out, &error.to_string());
                self.exit = error.exit();
                return false;
            }
        };
        let (envelope, body) = (self.envelope.clone(), body.clone());
        let reports = Reports::ByMail;
        let job =
            Job { held, envelope, body, reports, is_from_queue: false, is_selected: false, watch: None, whole: None };
        let report = Watch::new(self.site, self.runtime, self.request.invocation.is_verbose).attempt(job, out);
        report.letters.iter().for_each(|text| say(out, text));
        true
    }

    fn commit(&self, body: &Body) -> Result<Held, queue::Error> {
        self.site.spool()?.commit_now(&self.envelope, body.clone())
    }

    fn log_refused(&self, text: &[u8]) {
        for recipient in self.envelope.recipients.iter().filter(|r| r.state == State::Queued) {
            self.log_to(&To { to: &[&recipient.address], ..self.to_line(text) });
        }
    }

    fn to_line<'t>(&self, stat: &'t [u8]) -> To<'t> {
        To { priority: self.envelope.priority, stat, ..To::default() }
    }

    fn log_to(&self, line: &To<'_>) {
        for text in line.lines() {
            self.site.log.write(Level::FAILURE, Priority::Info, self.id(), text);
        }
    }

    fn log_decision(&self, ruleset: &str, value: &[u8], relay: &[u8], words: &str) {
        let line = RulesetDecision { ruleset, arg1: value, arg2: None, relay, decision: words.as_bytes() };
        self.site.log.write(Level::REJECTED, Priority::Notice, self.id(), line);
    }
}
