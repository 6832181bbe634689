//! One try of one message.

use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use std::vec;

use bytes::Bytes;

use super::agent::{self, Delivered};
use super::host_status::HostFiles;
use super::pool::Pool;
use super::shown::Slots;
use super::{Courier, Job, Report, Reports, Whole, dead_letter, reports};
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::status::{Classify, Status};
use crate::base::time::{UnixTime, clock_form};
use crate::config::Timeouts;
use crate::config::privacy::Privacy;
use crate::deliver::deliver_by::{self, By};
use crate::deliver::hops;
use crate::deliver::outcome::{Dialogue, Outcome, Verdict};
use crate::deliver::owners;
use crate::deliver::plan::{self, Batch};
use crate::deliver::retry;
use crate::envelope::told::set_moment;
use crate::envelope::{Controller, Envelope, SenderUser, State, complete};
use crate::log::line::To;
use crate::log::{Id, Level, Priority};
use crate::macros::names;
use crate::queue;
use crate::queue::drive::{Body, Held};
use crate::route::RouteError;
use crate::route::recipient::Special;
use crate::site::Site;
use crate::sys::{clock, load, safefile};
use tokio::sync::mpsc::UnboundedSender;

/// See [`Courier::attempt`].
pub(super) async fn attempt(courier: &Courier, job: Job) -> Report {
    let watch = job.watch.clone();
    let slots = courier.shown.clone().unwrap_or_default();
    let (mut report, next) = one(courier, job, &slots, false).await;
    let mut exit = report.exit;
    // Reports are tried at once, and reports about them, which are the last: nobody is told of those.
    let mut waiting: Vec<Next> = next;
    waiting.reverse();
    while let Some(Next { job, about }) = waiting.pop() {
        let is_part = job.whole.is_some();
        let (tried, next) = one(courier, job, &slots, about.is_some()).await;
        if is_part {
            exit = first_trouble(exit, tried.exit);
        }
        match about {
            None => waiting.extend(next.into_iter().rev()),
            Some(about) => report.letters.extend(settle(courier, *about, &tried).await),
        }
    }
    if let Some(watch) = watch.filter(|_| courier.shown.is_none()) {
        slots.close(&watch).await;
    }
    report.exit = exit;
    report
}

/// A report to be tried, or a part of the message.
struct Next {
    job: Job,
    /// The report that it tells of, when that could not be delivered: kept in the queue until this one has arrived.
    about: Option<Box<Undelivered>>,
}

/// A report that could not be delivered.
struct Undelivered {
    held: Held,
    envelope: Envelope,
    body: Body,
}

/// One try of one message, and the reports that it makes. `is_last`: nobody is told when it fails.
async fn one(courier: &Courier, job: Job, slots: &Slots, is_last: bool) -> (Report, Vec<Next>) {
    let site = &courier.site;
    let has_text = job.envelope.message.is_some();
    let is_part = job.whole.is_some();
    let (transcript, is_of_queue_run) = job.whole.map_or_else(Default::default, |w| (w.transcript, w.is_from_queue));
    let mut attempt = Attempt {
        site: Arc::clone(site),
        pool: courier.pool.clone(),
        hosts: courier.hosts.clone(),
        timeouts: Arc::clone(&courier.timeouts),
        held: Some(job.held),
        envelope: job.envelope,
        body: job.body,
        is_from_queue: job.is_from_queue,
        is_selected: job.is_selected,
        reports: job.reports,
        watch: job.watch,
        now: clock::now(),
        transcript,
        is_of_queue_run,
        last_dialogue: None,
        has_job_text: !job.is_from_queue && has_text,
        slots: slots.clone(),
        unmarked: 0,
        exit: Exit::OK,
        was_held: false,
        has_refused: Arc::default(),
        is_last,
    };
    if job.is_from_queue {
        // A queue file does not keep it.
        attempt.envelope.class = complete::class(&attempt.envelope.headers, &site.config);
        attempt.envelope.priority = retry::priority_of_rerun(&site.config, &attempt.envelope);
        // Whatever it came from, a recipient of a queue run is one that the message is for. Source: observed.
        attempt.envelope.recipients.iter_mut().for_each(|recipient| recipient.is_primary = true);
    }
    if !job.is_from_queue && !is_part {
        attempt.note_refused();
    }
    if let Some(text) = hops::exceeded(&attempt.envelope, &site.config, job.is_from_queue) {
        site.log.system_error(attempt.id(), "root", &text);
        if !job.is_from_queue {
            // The next queue run returns it.
            return (attempt.report(false), Vec::new());
        }
        attempt.note(format!("554 5.4.6 {text}"));
        hops::give_up(&mut attempt.envelope, &text, attempt.now);
        attempt.end_with(Exit::UNAVAILABLE);
        attempt.show(text);
    }
    if let Some(expired) = deliver_by::expire(&mut attempt.envelope, attempt.now) {
        for recipient in attempt.envelope.recipients.iter().filter(|r| r.notify.failure || !r.notify.is_given) {
            attempt.show(format!("{}... {}", shown(&recipient.address), expired.words));
        }
        attempt.note(expired.transcript);
    }
    attempt.prepare().await;
    match attempt.run().await {
        Ok((is_done, next)) => (attempt.report(is_done), next),
        Err(error) => {
            attempt.queue_trouble(&error);
            (attempt.report(false), Vec::new())
        }
    }
}

/// Gives up a report once the one about it was tried: arrived or waiting, it is done; else it becomes a dead letter, or
/// is set aside in the queue. Returns what a caller is told. Source: op guide 5.6 (DeadLetterDrop); observed.
async fn settle(courier: &Courier, about: Undelivered, tried: &Report) -> Option<String> {
    let site = &courier.site;
    let Undelivered { held, envelope, body } = about;
    let id = envelope.id.to_string();
    let retire = async |held: Held| match site.spool() {
        Ok(spool) => spool.retire(held).await,
        Err(error) => Err(error),
    };
    let mut told = None;
    let has_failed = tried.envelope.recipients.iter().any(|r| r.state == State::Failed);
    let done = if has_failed {
        match site.config.options.dead_letter_drop.clone() {
            Some(path) => match dead_letter::drop(site, &path, &envelope, &body).await {
                Ok(()) => {
                    let text = format!("Saved message in {}", shown(&path));
                    site.log.write(Level::REPORT, Priority::Notice, Id::Queue(&id), &text);
                    told = Some(format!("{}... {text}", shown(&envelope.scope.text(names::DAEMON_USER))));
                    retire(held).await
                }
                Err(error) => {
                    let text = format!("cannot open {}: {}", shown(&path), safefile::error_text(&error));
                    site.log.system_error(Id::Queue(&id), "root", text);
                    lose(site, held).await
                }
            },
            None => lose(site, held).await,
        }
    } else {
        retire(held).await
    };
    if let Err(error) = done {
        site.log.system_error(Id::Queue(&id), "root", error);
    }
    told
}

/// Sets a message aside as `Qf…`, where only a person finds it.
async fn lose(site: &Site, held: Held) -> Result<(), queue::Error> {
    let id = held.id().to_string();
    site.log.system_error(Id::Queue(&id), "root", "savemail: cannot save rejected email anywhere");
    site.spool()?.lose(held).await
}

/// A message being tried.
pub(super) struct Attempt {
    pub(super) site: Arc<Site>,
    pub(super) pool: Pool,
    pub(super) hosts: HostFiles,
    pub(super) timeouts: Arc<Timeouts>,
    held: Option<Held>,
    pub(super) envelope: Envelope,
    pub(super) body: Body,
    pub(super) is_from_queue: bool,
    is_selected: bool,
    pub(super) reports: Reports,
    pub(super) watch: Option<UnboundedSender<Bytes>>,
    pub(super) now: UnixTime,
    /// It is a part of a message of a queue run.
    pub(super) is_of_queue_run: bool,
    /// Lines for the transcript of a DSN.
    pub(super) transcript: Vec<u8>,
    /// Server and command of the last lines of it.
    last_dialogue: Option<(Bytes, Bytes)>,
    /// The message as a whole has a status of this attempt.
    has_job_text: bool,
    /// Connections that the watcher sees.
    pub(super) slots: Slots,
    /// Recipients settled since the queue file was written.
    unmarked: usize,
    exit: Exit,
    /// Nothing was tried: all of it waits for a queue run.
    was_held: bool,
    /// A ruleset has refused something for good while servers were spoken to, which the exit code tells.
    pub(super) has_refused: Arc<AtomicBool>,
    /// It is a report about a report: nobody is told when it fails.
    pub(super) is_last: bool,
}

impl Attempt {
    /// The attempt itself; true when nothing is left, and the reports to be tried.
    async fn run(&mut self) -> Result<(bool, Vec<Next>), queue::Error> {
        let parts = self.split_owners().await?;
        let mut was_tried = false;
        let mut held = Vec::new();
        let batches = match self.reports {
            Reports::ByMailAlone => Vec::new(),
            _ => plan::batches(&self.site.config, &self.envelope),
        };
        for batch in batches {
            if self.is_held(&batch) {
                held.push(batch);
            } else {
                was_tried = true;
                self.deliver(&batch).await?;
            }
        }
        if !was_tried && !held.is_empty() {
            self.log_held(&held);
            self.was_held = true;
        }
        let (is_done, mut next) = self.finish().await?;
        next.extend(parts.into_iter().map(|job| Next { job, about: None }));
        Ok((is_done, next))
    }

    /// Whether mail by this mailer waits: for a queue run (`HoldExpensive`), or for one that asks for it (`F=%`).
    ///
    /// Source: op guide 5.6, 5.4; observed.
    fn is_held(&self, batch: &Batch) -> bool {
        let has = |flag| self.site.config.mailers.get(batch.mailer.0).is_some_and(|mailer| mailer.has(flag));
        let is_asked_for = !has(b'%') || self.is_selected;
        !is_asked_for
            || has(b'e') && self.site.config.options.hold_expensive && !self.is_from_queue && self.watch.is_none()
    }

    fn log_held(&self, held: &[Batch]) {
        for batch in held {
            let mailer = self.site.config.mailers.get(batch.mailer.0).map_or(&b""[..], |mailer| &mailer.name);
            for recipient in batch.recipients.iter().filter_map(|at| self.envelope.recipients.get(*at)) {
                let line = To {
                    to: &[&recipient.address],
                    delay: self.now.since(self.envelope.created),
                    mailer,
                    priority: self.envelope.priority,
                    stat: b"queued",
                    ..To::default()
                };
                for text in line.lines() {
                    self.site.log.write(Level::DELIVERY, Priority::Info, self.id(), text);
                }
            }
        }
    }

    /// Recipients that failed while the message was taken stand in the transcript too.
    fn note_refused(&mut self) {
        if let Some(refused) = &self.envelope.refused {
            let line = refused.line.clone();
            let complaints: Vec<Bytes> =
                self.envelope.recipients.iter().filter_map(|recipient| recipient.complaint.clone()).collect();
            for complaint in complaints {
                self.note(complaint);
            }
            return self.note(line);
        }
        let mut lists = self.lists();
        let mut has_failed = false;
        let mut lines: Vec<Bytes> = Vec::new();
        for (index, recipient) in self.envelope.recipients.iter().enumerate() {
            while let Some((_, list)) = lists.next_if(|(end, _)| *end <= index) {
                lines.push(handed_to_list(&list).into());
            }
            if let Some(line) = recipient.complaint.clone() {
                has_failed |= recipient.state == State::Failed;
                lines.push(line);
            }
        }
        lines.extend(lists.map(|(_, list)| Bytes::from(handed_to_list(&list))));
        if has_failed {
            self.end_with(Exit::NOUSER);
            self.has_job_text = self.envelope.message.is_some();
        }
        for line in lines {
            self.note(line);
        }
    }

    /// Lists with an owner that the transcript tells of: where no session named them. Source: observed.
    fn lists(&self) -> Peekable<vec::IntoIter<(usize, Bytes)>> {
        let is_told = self.is_from_queue || self.envelope.scope.text(names::PROTOCOL).is_empty();
        if is_told { owners::lists(&self.envelope) } else { Vec::new() }.into_iter().peekable()
    }

    /// Routes recipients that came from a queue file and finds out who the sender is.
    async fn prepare(&mut self) {
        let site = Arc::clone(&self.site);
        self.envelope.tell_message();
        self.envelope.tell_attempt();
        let date = self.envelope.headers.first("date").is_some().then(|| self.envelope.scope.text(names::DATE));
        set_moment(&mut self.envelope.scope, self.now, &site.zone);
        if let Some(date) = date {
            self.envelope.scope.set(names::DATE, date);
        }
        self.envelope.scope.set(names::PID, std::process::id().to_string());
        self.envelope.scope.set(names::LOAD_AVG, load::average().unwrap_or(0).to_string());
        if self.envelope.sender_user == SenderUser::Unknown {
            let mut scope = self.envelope.scope.clone();
            let (sender, given) = (self.envelope.sender.clone(), self.envelope.sender_given.clone());
            let shown = if given.is_empty() { &sender } else { &given };
            self.envelope.sender_user = site.router.sender_user(&sender, shown, &mut scope).await;
            if self.envelope.sender_user == SenderUser::NotLocal
                && self.is_callers()
                && !site.router.has_mailbox(&sender, &mut scope).await
            {
                // Who calls the program answers for what it sends, whatever sender is given.
                self.envelope.sender_user = SenderUser::Local(Controller {
                    user: site.start.user.clone(),
                    uid: site.start.uid,
                    gid: site.start.gid,
                    address: shown.clone(),
                });
            }
        }
        self.note_sender_mailer().await;
        let was_open =
            self.envelope.recipients.iter().any(|r| r.state == State::Queued && (r.route.is_none() || r.is_open));
        let expansion = site.router.expand(&mut self.envelope).await;
        for (_, remark) in &expansion.remarks {
            self.site.log.write(Level::USER_ERROR, Priority::Notice, self.id(), remark.shown());
            self.note(remark.shown_line());
        }
        let mut lists = if was_open { self.lists() } else { Vec::new().into_iter().peekable() };
        let mut notes = expansion.notes.into_iter().peekable();
        for (n, (index, error)) in expansion.failures.into_iter().enumerate() {
            while let Some((_, line)) = notes.next_if(|(before, _)| *before <= n) {
                self.show(line);
            }
            while let Some((_, list)) = lists.next_if(|(end, _)| *end <= index) {
                self.note(handed_to_list(&list));
            }
            if error.is_temporary() {
                self.hold_back(index, &error);
                continue;
            }
            if self.is_from_queue {
                self.give_up(index, &error);
                continue;
            }
            self.site.log.write(Level::USER_ERROR, Priority::Notice, self.id(), error.shown());
            let mut outcome = Outcome::failed(error.exit, error.status, error.text.clone());
            outcome.is_unlogged = !error.is_answer;
            outcome.job_text = Some(error.of_message());
            outcome.reported = error.reported;
            outcome.told_as = Some(error.shown_line());
            let reply = Bytes::from(error.line());
            self.settle(&[index], &outcome.with_local_reply(reply), b"", None);
        }
        for (_, line) in notes {
            self.show(line);
        }
        for (_, list) in lists {
            self.note(handed_to_list(&list));
        }
        self.envelope.group_by_next_hop();
    }

    /// A recipient of a queue run that leads nowhere. Of those who are nobody here the log and the report say so; a refusal of
    /// the rules has its words alone. Source: observed.
    fn give_up(&mut self, index: usize, error: &RouteError) {
        let Some(recipient) = self.envelope.recipients.get(index) else { return };
        let controller = recipient.controller.clone();
        let is_nobody = error.exit == Exit::NOUSER && recipient.route.is_some();
        let mut outcome = Outcome::failed(error.exit, error.status, error.text.clone());
        outcome.reported = error.reported;
        outcome.told_as = Some(error.shown_line());
        outcome.shown = Some(error.shown());
        if is_nobody {
            let reply = Bytes::from(error.line());
            outcome.diagnostic = Some(reply.clone());
            outcome = outcome.with_local_reply(reply);
            self.log_outcome(&[index], &outcome, b"", None, controller.as_ref());
        } else {
            outcome.job_text = Some(error.of_message());
        }
        self.mark_outcomes(&[(index, &outcome)]);
    }

    /// A recipient that cannot be expanded now waits without a route: no mailer may see it before. Source: observed.
    fn hold_back(&mut self, index: usize, error: &RouteError) {
        let text = error.waits.as_ref().map_or_else(|| error.shown(), |waits| waits.why.clone());
        self.note(format!("{} {text}", error.line().get(..9).unwrap_or("451 4.3.0")));
        let Some(recipient) = self.envelope.recipients.get_mut(index) else { return };
        recipient.state = State::Queued;
        // Where it leads without the answer that is missing is only told.
        let (status, tentative) = match &error.waits {
            Some(waits) => (NO_ANSWER, Some(&waits.triple)),
            None => (error.status, None),
        };
        recipient.status = Some(status);
        recipient.last_try = Some(self.now);
        let route = recipient.route.take();
        let route = tentative.or(route.as_ref());
        if !std::mem::replace(&mut self.has_job_text, true) {
            self.envelope.message = Some(text.clone().into());
        }
        let Some(mailer) = route.and_then(|route| self.site.config.mailers.get(route.mailer.0)) else {
            // The rules have put it off; a caller has heard it already.
            recipient.message = None;
            if self.is_from_queue {
                self.show(text);
            }
            return;
        };
        // What a lookup lacks is said of the message. Source: observed.
        recipient.message = tentative.is_none().then(|| text.into());
        let (dsn, level) = match tentative {
            Some(_) => (NO_ANSWER.to_string(), Level::DELIVERY),
            None => (String::new(), Level::CONNECT),
        };
        let line = To {
            to: &[&recipient.address],
            delay: self.now.since(self.envelope.created),
            mailer: &mailer.name,
            priority: self.envelope.priority,
            dsn: &dsn,
            stat: b"queued",
            ..To::default()
        };
        for line in line.lines() {
            self.site.log.write(level, Priority::Info, Id::Queue(self.envelope.id.as_str()), line);
        }
    }

    /// The code that the attempt ends with.
    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    /// `F=C` asks for the sender's mailer: what has come from a queue file or the command line does not say it.
    async fn note_sender_mailer(&mut self) {
        let site = Arc::clone(&self.site);
        let is_asked = site.config.mailers.iter().any(|m| m.has(b'C'));
        if !is_asked || self.envelope.sender.is_empty() || !self.envelope.scope.text(names::MAIL_MAILER).is_empty() {
            return;
        }
        let mut scope = self.envelope.scope.clone();
        let Ok(sender) = site.router.resolve_sender(&self.envelope.sender, &mut scope).await else { return };
        if let Some(mailer) = site.config.mailers.get(sender.triple.mailer.0) {
            self.envelope.scope.set(names::MAIL_MAILER, mailer.name.clone());
        }
    }

    /// Whether the message was given on the command line just now.
    fn is_callers(&self) -> bool {
        !self.is_from_queue
            && !self.envelope.flags.is_response
            && !self.envelope.sender.is_empty()
            && self.envelope.scope.text(names::PROTOCOL).is_empty()
            && self.envelope.scope.text(names::CLIENT_ADDR).is_empty()
    }

    /// Gives lists with an owner an envelope of their own, queued before it leaves this one; they are tried after it.
    async fn split_owners(&mut self) -> Result<Vec<Job>, queue::Error> {
        let owners = owners::owners(&self.envelope);
        if owners.is_empty() {
            return Ok(Vec::new());
        }
        let site = Arc::clone(&self.site);
        let mut jobs = Vec::new();
        for owner in owners {
            let mut clone = owners::split(&self.envelope, &owner, site.spool()?.new_id());
            let mut scope = clone.scope.clone();
            clone.sender_user = site.router.sender_user(&owner, &owner, &mut scope).await;
            clone.message = None;
            let held = site.spool()?.commit(&unreported(&clone), self.body.clone()).await?;
            self.site.log.write(
                Level::COLLECT,
                Priority::Info,
                self.id(),
                format_args!("{}: clone: owner={}", clone.id, shown(&owner)),
            );
            owners::hand_over(&mut self.envelope, &owner);
            jobs.push(Job {
                held,
                envelope: clone,
                body: self.body.clone(),
                is_from_queue: false,
                is_selected: false,
                reports: Reports::ByMail,
                watch: self.watch.clone(),
                whole: Some(Whole { transcript: self.transcript.clone(), is_from_queue: self.is_from_queue }),
            });
        }
        self.mark().await?;
        Ok(jobs)
    }

    /// One transaction.
    async fn deliver(&mut self, batch: &Batch) -> Result<(), queue::Error> {
        let started = clock::monotonic();
        let Delivered { relay, results } = agent::deliver(self, batch).await;
        if self.has_refused.swap(false, Ordering::Relaxed) {
            self.end_with(Exit::DATAERR);
        }
        for (recipients, outcome) in results {
            let relay = outcome.relay.clone().unwrap_or_else(|| relay.clone());
            self.settle(&recipients, &outcome, &relay, Some(started));
        }
        let interval = usize::try_from(self.site.config.options.checkpoint_interval).unwrap_or(0);
        if interval > 0 && self.unmarked >= interval { self.mark().await } else { Ok(()) }
    }

    /// Notes an outcome: recipients, transcript, log, caller.
    pub(super) fn settle(&mut self, recipients: &[usize], outcome: &Outcome, relay: &[u8], started: Option<Instant>) {
        let each: Vec<(usize, &Outcome)> = recipients.iter().map(|index| (*index, outcome)).collect();
        self.settle_each(&each, relay, started);
    }

    /// The same for recipients that share a line of the log, each with its own outcome.
    pub(super) fn settle_each(&mut self, recipients: &[(usize, &Outcome)], relay: &[u8], started: Option<Instant>) {
        let Some((_, outcome)) = recipients.first().copied() else { return };
        if !outcome.is_unlogged {
            let indices: Vec<usize> = recipients.iter().map(|(index, _)| *index).collect();
            let controller = self.controller_of(&indices);
            self.log_outcome(&indices, outcome, relay, started, controller.as_ref());
        }
        self.mark_outcomes(recipients);
    }

    /// The same without the log.
    fn mark_outcomes(&mut self, recipients: &[(usize, &Outcome)]) {
        let Some((_, outcome)) = recipients.first().copied() else { return };
        let mut addresses = Vec::new();
        let mut receipts = Vec::new();
        let no_receipts = self.site.config.options.privacy_options.has(Privacy::NO_RECEIPTS);
        let by = By::of(&self.envelope, self.now).filter(|_| outcome.verdict == Verdict::Sent && !no_receipts);
        for (index, outcome) in recipients {
            let Some(recipient) = self.envelope.recipients.get_mut(*index) else { continue };
            outcome.apply(recipient, self.now);
            if let (Some(by), Some(plain)) = (by, recipient.success) {
                recipient.success = Some(by.success(plain, outcome.knows_deliver_by, recipient.notify));
                if recipient.success != Some(plain) {
                    recipient.status = Some(Status(2, 0, 0));
                    recipient.remote_reply.clone_from(&outcome.taken);
                }
            }
            addresses.push(shown(&recipient.address).to_string());
            receipts.extend(outcome.receipt_line(recipient));
            self.unmarked += usize::from(outcome.verdict != Verdict::Deferred);
        }
        let addresses = addresses.join(",");
        self.tell(&addresses, outcome);
        for line in receipts {
            self.note(line);
        }
        let line = outcome.shown_line(&addresses);
        let has_told_line = outcome.has_told_line();
        if outcome.verdict == Verdict::Deferred && !has_told_line {
            self.note(&line);
        }
        // The first delay says what the message waits for; the last failure counts for more.
        if outcome.verdict != Verdict::Sent && (has_told_line || !self.has_job_text) {
            self.has_job_text = true;
            self.envelope.message = Some(outcome.job_text.clone().unwrap_or_else(|| outcome.text.clone()).into());
        }
        self.envelope.flags.no_body_return |= outcome.is_too_large;
        if let Some(text) = &outcome.protocol_error {
            self.site.log.write(Level::SERIOUS, Priority::Critical, self.id(), text);
        }
        // Who sends now hears of failures from a report. Source: observed.
        let is_trouble = outcome.verdict == Verdict::Failed || has_told_line;
        if !outcome.is_seen && (!is_trouble || self.is_from_queue) {
            self.show(line);
        }
    }

    /// Transcript and exit code for recipients that share an outcome.
    fn tell(&mut self, addresses: &str, outcome: &Outcome) {
        if let Some(dialogue) = &outcome.dialogue {
            self.note_dialogue(dialogue);
        }
        if let Some(text) = &outcome.transcript {
            self.note(text);
        }
        if outcome.has_told_line() {
            self.note(outcome.told_line(addresses));
            self.end_with(outcome.exit_code());
        }
    }

    /// The exit code of the first trouble stands.
    fn end_with(&mut self, exit: Exit) {
        self.exit = first_trouble(self.exit, exit);
    }

    /// In whose name recipients that share an outcome were delivered to.
    fn controller_of(&self, recipients: &[usize]) -> Option<Controller> {
        let first = recipients.first().and_then(|i| self.envelope.recipients.get(*i))?;
        let mailer = first.route.as_ref().and_then(|r| self.site.config.mailers.get(r.mailer.0));
        let sender = match &self.envelope.sender_user {
            SenderUser::Local(controller) => Some(controller),
            _ => None,
        };
        // Observed: mail that goes on to a host or mailbox is the sender's; a program or file is its alias's or user's.
        let is_special = mailer.is_some_and(|m| Special::of_mailer(&m.name).is_some());
        first.controller.as_ref().filter(|_| is_special).or(sender).cloned()
    }

    fn log_outcome(
        &self,
        recipients: &[usize],
        outcome: &Outcome,
        relay: &[u8],
        started: Option<Instant>,
        controller: Option<&Controller>,
    ) {
        let Some(first) = recipients.first().and_then(|i| self.envelope.recipients.get(*i)) else { return };
        let addresses: Vec<&[u8]> =
            recipients.iter().filter_map(|i| self.envelope.recipients.get(*i)).map(|r| r.address.as_ref()).collect();
        let mailer = first.route.as_ref().and_then(|r| self.site.config.mailers.get(r.mailer.0));
        let dsn = outcome.status.to_string();
        let line = To {
            to: &addresses,
            controller: controller.map(|c| (c.address.as_ref(), c.uid, c.gid)),
            delay: self.now.since(self.envelope.created),
            attempt: started.map(|at| clock::monotonic().duration_since(at)),
            mailer: mailer.map_or(&b""[..], |m| m.name.as_ref()),
            priority: self.envelope.priority,
            relay,
            dsn: &dsn,
            quarantine: b"",
            reply: outcome.reply.as_deref().unwrap_or_default(),
            stat: outcome.text.as_bytes(),
        };
        let level = match outcome.verdict {
            Verdict::Sent => Level::DELIVERY,
            Verdict::Failed => Level::FAILURE,
            Verdict::Deferred => Level::CONNECT,
        };
        if self.site.log.is_on(level) {
            for text in line.lines() {
                self.site.log.write(level, Priority::Info, self.id(), text);
            }
        }
    }

    /// Brings the queue file up to date. Failures that are not reported yet still count as to be done.
    async fn mark(&mut self) -> Result<(), queue::Error> {
        self.write(&unreported(&self.envelope)).await?;
        self.unmarked = 0;
        Ok(())
    }

    async fn write(&mut self, envelope: &Envelope) -> Result<(), queue::Error> {
        let site = Arc::clone(&self.site);
        if let Some(held) = self.held.take() {
            self.held = Some(site.spool()?.update(held, envelope).await?);
        }
        Ok(())
    }

    /// Reports, then retires or rewrites the queue entry; true when nothing is left, and the reports to be tried.
    ///
    /// A report that has failed stays in the queue until the report about it has arrived.
    async fn finish(&mut self) -> Result<(bool, Vec<Next>), queue::Error> {
        let site = Arc::clone(&self.site);
        let jobs = reports::queue(self).await?;
        let is_left = self.envelope.recipients.iter().any(|r| r.state == State::Queued);
        let mut about = None;
        if is_left {
            // Those who wait for a queue run were not tried. Source: observed.
            if self.reports != Reports::ByMailAlone {
                self.envelope.tries = self.envelope.tries.saturating_add(u32::from(!self.was_held));
                self.envelope.last_try = Some(self.now);
            }
            let envelope = self.envelope.clone();
            self.write(&envelope).await?;
        } else {
            if let Some(held) = self.held.take() {
                if self.envelope.flags.is_response && !jobs.is_empty() {
                    let (envelope, body) = (self.envelope.clone(), self.body.clone());
                    about = Some(Box::new(Undelivered { held, envelope, body }));
                } else if self.envelope.refused.as_ref().is_some_and(|refused| refused.leaves_entry) {
                    let shell = Envelope { recipients: Vec::new(), ..self.envelope.clone() };
                    site.spool()?.update(held, &shell).await?;
                } else {
                    site.spool()?.retire(held).await?;
                }
            }
            let delay = clock_form(self.now.since(self.envelope.created));
            let text = format!("done; delay={delay}, ntries={}", self.envelope.tries.saturating_add(1));
            site.log.write(Level::DONE, Priority::Info, self.id(), text);
        }
        let next = jobs.into_iter().map(|job| Next { job, about: about.take() });
        Ok((!is_left, next.collect()))
    }

    /// Adds a command and its reply; what was the same in the one before is not said again.
    pub(super) fn note_dialogue(&mut self, dialogue: &Dialogue) {
        let is_same_host = self.last_dialogue.as_ref().is_some_and(|(host, _)| *host == dialogue.host);
        let is_same_command = is_same_host && self.last_dialogue.as_ref().is_some_and(|(_, c)| *c == dialogue.command);
        if !is_same_host {
            self.note(format!("... while talking to {}:", shown(&dialogue.host)));
        }
        if !is_same_command && !dialogue.command.is_empty() {
            self.note([b">>> ", dialogue.command.as_ref()].concat());
        }
        self.note_reply(&dialogue.reply);
        self.last_dialogue = Some((dialogue.host.clone(), dialogue.command.clone()));
    }

    pub(super) fn note_reply(&mut self, lines: &[Bytes]) {
        for line in lines {
            self.note([b"<<< ", line.as_ref()].concat());
        }
    }

    /// Adds a line to the transcript.
    pub(super) fn note(&mut self, line: impl AsRef<[u8]>) {
        self.transcript.extend_from_slice(line.as_ref());
        self.transcript.push(b'\n');
    }

    fn queue_trouble(&mut self, error: &queue::Error) {
        self.exit = error.exit();
        self.site.log.system_error(self.id(), "root", error);
    }

    pub(super) fn id(&self) -> Id<'_> {
        Id::Queue(self.envelope.id.as_str())
    }

    /// Shows a line to whoever watches.
    pub(super) fn show(&self, line: impl Into<Bytes>) {
        if let Some(watch) = &self.watch {
            let _ = watch.send(line.into());
        }
    }

    fn report(self, is_done: bool) -> Report {
        Report { envelope: self.envelope, is_done, exit: self.exit, letters: Vec::new() }
    }
}

/// The exit code of the first trouble stands.
fn first_trouble(before: Exit, exit: Exit) -> Exit {
    if matches!(before, Exit::OK | Exit::TEMPFAIL) && exit != Exit::OK { exit } else { before }
}

/// An envelope as its queue file has it: failures that are not reported yet still count as to be done.
fn unreported(envelope: &Envelope) -> Envelope {
    let mut view = envelope.clone();
    for recipient in view.recipients.iter_mut().filter(|r| r.state == State::Failed) {
        recipient.state = State::Queued;
    }
    view
}

/// What a report's transcript says of a list with an owner. Source: observed, in queue runs.
fn handed_to_list(list: &[u8]) -> String {
    format!("Message delivered to mailing list {}", shown(list))
}

/// A name server did not answer. Source: observed.
const NO_ANSWER: Status = Status(4, 4, 3);
