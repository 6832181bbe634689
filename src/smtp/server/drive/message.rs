//! DATA: from the socket into the queue.

use bytes::Bytes;
use tokio::sync::mpsc;

use super::groups::{self, SplitOff};
use super::{Accepted, Drive, Outcome, accepted, not_now};
use crate::base::bytes::{shown, trim};
use crate::base::status::{Classify, Status};
use crate::collect::{Collected, Collector, Fault, Limits, fixup};
use crate::config::values::DeliveryMode;
use crate::envelope::{Envelope, State, complete};
use crate::log::statistics::Event;
use crate::log::traffic::{Sign, Tap};
use crate::log::{Id, Level, Priority, line};
use crate::macros::names;
use crate::message::{Header, HeaderList};
use crate::milter::drive::Filters;
use crate::policy::{Hook, Refusal, Verdict};
use crate::queue;
use crate::queue::drive::{Body, BodyWriter};
use crate::queue::waiting;
use crate::smtp::data::{Decoder, Progress};
use crate::sys::clock;

/// How reading ended.
enum End {
    /// With the final dot.
    Dot,
    /// The client went away.
    Gone,
    /// Nothing came in time.
    TimedOut,
    /// A bare LF or CR: the words about it.
    Bare(&'static str),
    /// With the final dot, but the body could not be written.
    Unwritable(queue::Error),
}

impl Drive {
    /// Reads the message, checks it, commits it, hands it on.
    pub(super) async fn collect(&mut self) -> Outcome {
        if self.flush().await.is_err() {
            return Outcome::Gone;
        }
        let Ok(spool) = self.server.site.spool().cloned() else { return not_now("no queue") };
        let mut writer = spool.start_body(self.session.id());
        let declared = self.session.envelope().and_then(|e| e.body_type);
        let mut collector = Collector::new(Limits::new(&self.server.site.config.options, declared));
        let (end, decoded) = self.receive(&mut collector, &mut writer).await;
        let now = clock::now();
        if let Some(envelope) = self.session.envelope() {
            envelope.created = now;
            envelope.size_bytes = decoded;
        }
        match end {
            End::Dot => {}
            other => return self.broken(other, &collector),
        }
        let mut rest = Vec::new();
        let collected = collector.finish(&mut rest);
        if let Err(error) = writer.write(&rest).await {
            return self.unwritable(&error);
        }
        let body = match writer.finish().await {
            Ok(body) => body,
            Err(error) => return self.unwritable(&error),
        };
        self.examine(collected, body).await
    }

    /// Blocks from the socket through the decoder to header and body; bytes of the message.
    ///
    /// When the body cannot be written, the rest of the message is read and dropped: it must never be taken for commands.
    async fn receive(&mut self, collector: &mut Collector, writer: &mut BodyWriter) -> (End, u64) {
        let features = self.session.features();
        let mut decoder = Decoder::new(features.bare_lf, features.bare_cr);
        let limit = self.server.site.config.timeouts.datablock;
        let (mut lines, mut body) = (Vec::new(), Vec::new());
        let mut size = FIRST_BLOCK;
        let mut total = 0u64;
        let mut unwritable = None;
        let mut tap = self.server.site.log.traffic().map(|traffic| Tap::new(traffic, Sign::In));
        loop {
            let Some(input) = self.wire.block(limit, size).await else { return (End::TimedOut, total) };
            if input.is_empty() {
                return (End::Gone, total);
            }
            if input.len() >= size {
                size = LARGEST_BLOCK;
            }
            lines.clear();
            body.clear();
            let progress = decoder.feed(input, &mut lines);
            if let Some(tap) = &mut tap {
                let used = if let Progress::End(used) = progress { used } else { input.len() };
                tap.feed(input.get(..used).unwrap_or_default());
            }
            total += lines.len() as u64;
            collector.feed(&lines, &mut body);
            let end = match progress {
                Progress::More => {
                    input.clear();
                    None
                }
                Progress::End(used) => {
                    let _ = input.split_to(used.min(input.len()));
                    Some(End::Dot)
                }
                Progress::BareLf => Some(End::Bare("Bare linefeed (LF) not allowed")),
                Progress::BareCr => Some(End::Bare("Bare carriage return (CR) not allowed")),
            };
            if unwritable.is_none() {
                unwritable = writer.write(&body).await.err();
            }
            match (end, unwritable.take()) {
                (Some(End::Dot), Some(error)) => return (End::Unwritable(error), total),
                (Some(end), _) => return (end, total),
                (None, error) => unwritable = error,
            }
        }
    }

    /// Reading did not come to its end.
    fn broken(&mut self, end: End, collector: &Collector) -> Outcome {
        let sender = self.session.envelope().map(|e| e.sender_given.clone()).unwrap_or_default();
        let what = format!("collect: relay={}, from={}", shown(&self.session.client.name), shown(&sender));
        let outcome = match end {
            End::Bare(words) => {
                let place = if collector.is_in_body() { "body" } else { "header" };
                let text = format!("{what}, info={words}, where={place}, status=tempfail");
                self.log(Level::COLLECT, Priority::Notice, &text);
                Outcome::Broken(Refusal::new(421, Status(4, 5, 0), words))
            }
            End::TimedOut => {
                let text = format!("{what}, info=read timeout");
                self.log(Level::SYSTEM_ERROR, Priority::Critical, &format!("SYSERR(root): {text}"));
                Outcome::Broken(Refusal::new(421, Status(4, 4, 1), text))
            }
            End::Gone => {
                // Filters see their session end as the client's did. Source: observed.
                self.filters = Filters::default();
                self.log(Level::LOST_CONNECTION, Priority::Warning, "collect: premature EOM: unexpected close");
                self.log(Level::LOST_CONNECTION, Priority::Notice, &format!("{what}, info=unexpected close"));
                Outcome::Gone
            }
            End::Unwritable(error) => return self.unwritable(&error),
            End::Dot => not_now("Please try again later"),
        };
        self.session.note_from(b"");
        self.log_notes();
        outcome
    }

    fn unwritable(&mut self, error: &queue::Error) -> Outcome {
        self.session.note_from(b"");
        self.log_notes();
        self.put_off(error)
    }

    /// The queue could not take the message.
    fn put_off(&self, error: &queue::Error) -> Outcome {
        Outcome::Refused(self.not_taken(error))
    }

    /// The refusal when the queue cannot take what it is given.
    pub(super) fn not_taken(&self, error: &queue::Error) -> Refusal {
        let log = &self.server.site.log;
        let id = Id::Queue(self.session.id().as_str());
        if error.is_out_of_space() {
            log.system_error(id, "root", error.peer_text());
        } else {
            log.system_error(id, "root", error);
        }
        let (code, status) = error.status();
        Refusal::new(code, status, error.peer_text())
    }

    /// The message is here: header rulesets, limits, `check_eoh`, `check_eom`.
    async fn examine(&mut self, mut collected: Collected, body: Body) -> Outcome {
        let site = std::sync::Arc::clone(&self.server.site);
        let fault = collected.fault;
        let size = collected.size_bytes;
        let given = collected.headers.clone();
        // The empty line behind the header counts.
        let (count, header_bytes) = measure(&given);
        let header_bytes = header_bytes + 1;
        let warning = self.session.take_warning();
        if let Some(envelope) = self.session.envelope() {
            // The warning stands in front of what the client wrote.
            if let Some(text) = warning {
                collected.headers.insert(0, Header::new("X-Authentication-Warning", format!(" {text}")));
            }
            fixup::complete(envelope, collected, &site.config, &site.zone);
        }
        self.note_received();
        if let Some(refusal) = self.limits(fault, size) {
            return self.refused(refusal);
        }
        if let Some(refusal) = self.check_headers(&given).await {
            return self.refused(refusal);
        }
        let arguments = [Bytes::from(count.to_string()), Bytes::from(header_bytes.to_string())];
        if let Some(refusal) = self.check_message(Hook::CheckEoh, &arguments).await {
            return self.refused(refusal);
        }
        self.session.with_envelope(Envelope::tell_message);
        if let Some(refusal) = self.check_message(Hook::CheckEom, &[Bytes::from(size.to_string())]).await {
            return self.refused(refusal);
        }
        if !self.session.has_filters() {
            return self.commit(body).await;
        }
        match self.filter_message(body).await {
            Ok(body) => self.commit(body).await,
            Err(refusal) => self.refused_by_filter(refusal),
        }
    }

    fn note_received(&mut self) {
        let site = std::sync::Arc::clone(&self.server.site);
        if let Some(envelope) = self.session.envelope() {
            site.count_of_sender(&envelope.scope, |mailer| Event::From(mailer, envelope.size_bytes));
        }
        let id = self.session.envelope().and_then(|e| {
            e.headers.last("message-id").or(e.headers.last("resent-message-id")).map(|h| trim(h.text()).to_vec())
        });
        self.session.note_from(&id.unwrap_or_default());
        self.log_notes();
    }

    fn limits(&mut self, fault: Option<Fault>, size: u64) -> Option<Refusal> {
        if let Some(fault) = fault {
            let client = shown(&self.session.client.name).to_string();
            if let Some(text) = fault.log_text(size, &client) {
                self.log(Level::FAILURE, Priority::Notice, &text);
            }
            let (code, status) = fault.status();
            return Some(Refusal::new(code, status, fault.to_string()));
        }
        None
    }

    /// Rulesets that `H` lines name, for each field that came.
    async fn check_headers(&mut self, headers: &HeaderList) -> Option<Refusal> {
        let site = std::sync::Arc::clone(&self.server.site);
        if site.config.headers.iter().all(|rule| rule.check.is_none()) {
            return None;
        }
        for header in headers {
            let Some((ruleset, keep)) = site.config.header_check(&header.name) else { continue };
            let value = header.text();
            let verdict = site.policy.check_header(ruleset, &header.name, value, keep, self.session.scope()).await;
            let name = shown(&site.config.rulesets.name(ruleset)).to_string();
            self.count_verdict(&verdict);
            self.log_verdict(&name, true, &[Bytes::copy_from_slice(value)], &verdict, b"");
            if let Some(refusal) = self.apply(verdict) {
                return Some(refusal);
            }
        }
        None
    }

    async fn check_message(&mut self, hook: Hook, arguments: &[Bytes]) -> Option<Refusal> {
        let site = std::sync::Arc::clone(&self.server.site);
        if !site.policy.has(hook) {
            return None;
        }
        let verdict = site.policy.check(hook, arguments, self.session.scope()).await;
        self.count_verdict(&verdict);
        self.log_verdict(hook.name(), true, arguments, &verdict, b"");
        self.apply(verdict)
    }

    fn apply(&mut self, verdict: Verdict) -> Option<Refusal> {
        match verdict {
            Verdict::Accept => {}
            Verdict::Reject(refusal) => return Some(refusal),
            Verdict::Discard => {
                if let Some(envelope) = self.session.envelope() {
                    envelope.flags.is_discarded = true;
                }
            }
            Verdict::Quarantine(reason) => {
                if let Some(envelope) = self.session.envelope() {
                    envelope.scope.set(names::QUARANTINE, reason.clone());
                    envelope.quarantine = Some(reason);
                }
            }
        }
        None
    }

    /// A message that filters refused is logged once per recipient. Source: observed.
    fn refused_by_filter(&mut self, refusal: Refusal) -> Outcome {
        let Some(envelope) = self.session.envelope() else { return Outcome::Refused(refusal) };
        let mut lines = Vec::new();
        for recipient in envelope.recipients.iter().filter(|r| r.is_primary) {
            let line = line::To {
                to: &[&recipient.address],
                delay: clock::now().since(envelope.created),
                priority: envelope.priority,
                stat: &refusal.text,
                ..line::To::default()
            };
            lines.extend(line.lines());
        }
        for text in lines {
            self.log(Level::DELIVERY, Priority::Info, &text);
        }
        Outcome::Refused(refusal)
    }

    /// A refused message is logged once per recipient list.
    fn refused(&mut self, refusal: Refusal) -> Outcome {
        self.log_recipients(Level::CONNECT, &refusal.text);
        Outcome::Refused(refusal)
    }

    fn log_recipients(&mut self, level: Level, stat: &[u8]) {
        let Some(envelope) = self.session.envelope() else { return };
        let recipients: Vec<Bytes> =
            envelope.recipients.iter().filter(|r| r.is_primary).map(|r| r.address.clone()).collect();
        let to: Vec<&[u8]> = recipients.iter().map(AsRef::as_ref).collect();
        let line = line::To {
            to: &to,
            delay: clock::now().since(envelope.created),
            priority: envelope.priority,
            stat,
            ..line::To::default()
        };
        for text in line.lines() {
            self.log(level, Priority::Info, &text);
        }
    }

    /// A line for each recipient of a message that a ruleset quarantined. Source: observed.
    fn log_quarantined(&mut self, reason: &[u8], mailer: Option<&Bytes>) {
        let Some(envelope) = self.session.envelope() else { return };
        let recipients: Vec<Bytes> =
            envelope.recipients.iter().filter(|r| r.is_primary).map(|r| r.address.clone()).collect();
        let (delay, priority) = (clock::now().since(envelope.created), envelope.priority);
        for recipient in &recipients {
            let line = line::To {
                to: &[recipient],
                delay,
                priority,
                mailer: mailer.map(AsRef::as_ref).unwrap_or_default(),
                quarantine: reason,
                stat: b"quarantined",
                ..line::To::default()
            };
            for text in line.lines() {
                self.log(Level::DELIVERY, Priority::Info, &text);
            }
        }
    }

    /// A line for each recipient of a message that only queues.
    fn log_queued(&mut self, mode: DeliveryMode) {
        let site = std::sync::Arc::clone(&self.server.site);
        let Some(envelope) = self.session.envelope() else { return };
        if mode == DeliveryMode::QueueOnly && waiting::has_aliases_open(envelope, &site.config) {
            return;
        }
        let lines = waiting::lines(envelope, &site.config, mode, clock::now());
        for text in lines {
            self.log(Level::DELIVERY, Priority::Info, &text);
        }
    }

    fn log_queued_of(&self, envelope: &Envelope, mode: DeliveryMode) {
        let site = &self.server.site;
        if mode == DeliveryMode::QueueOnly && waiting::has_aliases_open(envelope, &site.config) {
            return;
        }
        for text in waiting::lines(envelope, &site.config, mode, clock::now()) {
            site.log.write(Level::DELIVERY, Priority::Info, Id::Queue(envelope.id.as_str()), text);
        }
    }

    async fn commit(&mut self, body: Body) -> Outcome {
        let site = std::sync::Arc::clone(&self.server.site);
        let id = self.session.id().clone();
        let mode = self.mode();
        let Some(envelope) = self.session.envelope() else { return not_now("Please try again later") };
        if envelope.flags.is_discarded {
            site.count_of_sender(&envelope.scope, Event::Discarded);
            self.log(Level::DELIVERY, Priority::Info, "discarded");
            self.session.take_envelope();
            return accepted(id);
        }
        if envelope.recipients.is_empty() {
            // Filters took them all away.
            self.session.take_envelope();
            return accepted(id);
        }
        // Source: observed: a message that a filter holds is left as one that nobody looked at yet.
        let is_held_by_filter = std::mem::take(&mut self.is_held_by_filter);
        envelope.flags.is_split = !is_held_by_filter;
        if envelope.quarantine.is_some() && !is_held_by_filter {
            envelope.last_try = Some(envelope.created);
        }
        if mode != DeliveryMode::Interactive {
            envelope.group_by_next_hop();
        }
        let is_held = envelope.quarantine.clone();
        if is_held.is_some() {
            site.count_of_sender(&envelope.scope, Event::Quarantined);
        }
        let Ok(spool) = site.spool() else { return not_now("no queue") };
        let made = match groups::split_off(&site, envelope, &body).await {
            Ok(made) => made,
            Err(error) => return self.put_off(&error),
        };
        let committed = if mode.is_immediate() {
            spool.commit_at_once(envelope, body.clone()).await
        } else {
            spool.commit(envelope, body.clone()).await
        };
        let held = match committed {
            Ok(held) => held,
            Err(error) => {
                groups::give_up(&site, made).await;
                return self.put_off(&error);
            }
        };
        if let Some(reason) = is_held {
            if !is_held_by_filter {
                let mailer = self.first_mailer();
                self.log_quarantined(&reason, mailer.as_ref());
            }
            self.session.take_envelope();
            return accepted(id);
        }
        if !mode.is_immediate() {
            self.log_queued(mode);
            for part in &made {
                self.log_queued_of(&part.envelope, mode);
            }
            self.session.take_envelope();
            return accepted(id);
        }
        if let Some(envelope) = self.session.take_envelope() {
            self.hand_over(SplitOff { held, envelope }, made, &body, mode).await;
        }
        accepted(id)
    }

    /// Gives a message, and what was split off it, to delivery; waits for that in interactive mode.
    async fn hand_over(&mut self, first: SplitOff, made: Vec<SplitOff>, body: &Body, mode: DeliveryMode) {
        let size = self.filtered_size.take();
        let (watch, mut steps) = mpsc::unbounded_channel();
        let mut watch = self.session.is_verbose().then_some(watch);
        let session = self.number.number;
        let mut over = Vec::with_capacity(1 + made.len());
        for SplitOff { held, mut envelope } in std::iter::once(first).chain(made) {
            if let Some(size) = size {
                self.look_again(&mut envelope, size);
            }
            let (body, watch) = (body.clone(), watch.take());
            over.push(self.server.deliverer.deliver(Accepted { held, envelope, body, mode, session, watch }));
        }
        if mode == DeliveryMode::Interactive {
            for over in over {
                // An attempt that was given up leaves the message in the queue: the answer is the same.
                let _ = over.await;
            }
        }
        while let Ok(step) = steps.try_recv() {
            self.session.replies().line(&[b"050 ", step.as_ref()].concat());
        }
    }

    /// Filters changed the message: its size counts anew, and what recipients stand for is looked at by the attempt.
    fn look_again(&self, envelope: &mut Envelope, size: u64) {
        envelope.size_bytes = size;
        envelope.priority = complete::priority(envelope, &self.server.site.config);
        for recipient in envelope.recipients.iter_mut().filter(|r| r.state == State::Queued) {
            recipient.route = None;
        }
    }

    fn first_mailer(&mut self) -> Option<Bytes> {
        let site = std::sync::Arc::clone(&self.server.site);
        let envelope = self.session.envelope()?;
        let triple = envelope.recipients.iter().find_map(|r| r.route.as_ref())?;
        site.config.mailers.get(triple.mailer.0).map(|m| m.name.clone())
    }

    /// When it is delivered: as the port says, later while the machine is too busy.
    pub(super) fn mode(&mut self) -> DeliveryMode {
        let mode = self.server.setting.delivery_mode;
        let priority = self.session.envelope().map_or(0, |envelope| envelope.priority);
        if mode.is_immediate() && self.server.is_busy(priority) {
            return DeliveryMode::QueueOnly;
        }
        if self.session.is_verbose() && mode.is_immediate() {
            return DeliveryMode::Interactive;
        }
        // Source: op guide 5.6 (`DeliveryMode`).
        if mode == DeliveryMode::Interactive && self.session.has_filters() && self.filters.may_delete_recipients() {
            return DeliveryMode::Background;
        }
        mode
    }

    pub(super) fn log(&self, level: Level, priority: Priority, text: &str) {
        self.server.site.log.write(level, priority, Id::Queue(self.session.id().as_str()), text);
    }
}

/// Number of fields, and bytes of the header with one byte per line end.
fn measure(headers: &HeaderList) -> (usize, usize) {
    let bytes = headers.iter().map(|h| h.name.len() + 1 + h.text().len() + 1).sum();
    (headers.len(), bytes)
}

/// First block of a message, bytes.
const FIRST_BLOCK: usize = 8 * 1024;
/// Blocks of a message that fills the first, bytes.
const LARGEST_BLOCK: usize = 64 * 1024;
