//! Submission on the command line: a message from standard input to recipients on the command line or in its header.

mod arpa;
mod refused;

pub(super) use arpa::reply;

use std::io::{self, Read as _, Write};
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Runtime;

use super::caller::Caller;
use super::clean;
use super::dead_letter;
use super::invocation::Invocation;
use super::modes::Mode;
use super::sendmail::{Request, say};
use super::watch::Watch;
use crate::address::quote;
use crate::address::{list, mailbox};
use crate::base::bytes::{shown, trim};
use crate::base::date;
use crate::base::exit::Exit;
use crate::base::letters::Modifiers;
use crate::base::status::Classify as _;
use crate::base::xtext;
use crate::collect::stdin::Filter;
use crate::collect::{Collected, Collector, Limits, fixup};
use crate::config::Config;
use crate::config::privacy::Privacy;
use crate::config::values::ErrorMode;
use crate::deliver::drive::{Job, Reports};
use crate::envelope::complete;
use crate::envelope::id::LocalTime;
use crate::envelope::{BodyType, Controller, Envelope, QueueId, Recipient, Ret, SenderUser, State};
use crate::log::line::{From, To};
use crate::log::statistics::Event;
use crate::log::traffic::{Sign, Tap};
use crate::log::{Id, Level, Priority};
use crate::macros::names;
use crate::message::Header;
use crate::queue::drive::{Body, Spool};
use crate::queue::waiting;
use crate::route::RouteError;
use crate::site::Site;
use crate::smtp::server::drive::groups;
use crate::sys::{clock, env, load};

/// Takes a message and queues or delivers it.
pub(super) fn run(request: &Request, site: &Arc<Site>, runtime: &Runtime, out: &mut dyn Write) -> Exit {
    match request.invocation.mode {
        Mode::Arpa => take_message(request, site, runtime, &mut arpa::Replies::new(out)),
        _ => take_message(request, site, runtime, out),
    }
}

fn take_message(request: &Request, site: &Arc<Site>, runtime: &Runtime, out: &mut dyn Write) -> Exit {
    let mut submission = Submission {
        request,
        site,
        runtime,
        envelope: new_envelope(request, site),
        warnings: Vec::new(),
        exit: Exit::OK,
        named: Bytes::new(),
        is_returned: false,
        reports_to_caller: true,
    };
    submission.clean_trace();
    log_caller(site, &submission.envelope);
    submission.set_sender(request.invocation.sender.as_ref(), out);
    if submission.is_low_on_space() {
        say(out, "Insufficient disk space; try again later");
        return Exit::IOERR;
    }
    let (collected, body) = match submission.collect() {
        Ok(read) => read,
        Err(text) => {
            say(out, &text);
            return Exit::IOERR;
        }
    };
    let named = arpa::sender(&collected.headers).filter(|_| request.invocation.mode == Mode::Arpa);
    if let Some(named) = named {
        let named = submission.one_line(named);
        submission.set_sender(Some(&named), out);
    }
    submission.take(collected, &body, out)
}

struct Submission<'a> {
    request: &'a Request,
    site: &'a Arc<Site>,
    runtime: &'a Runtime,
    envelope: Envelope,
    /// Texts of authentication warnings.
    warnings: Vec<String>,
    exit: Exit,
    /// The sender as the log names it.
    named: Bytes,
    /// An address of `-t` is bad.
    is_returned: bool,
    /// The caller is the sender, so that errors can be told on the spot.
    reports_to_caller: bool,
}

impl Submission<'_> {
    /// `$r` and `$s` as the caller set them are words of the trace field and nothing else.
    fn clean_trace(&mut self) {
        for id in [names::PROTOCOL, names::HELO] {
            let text = self.envelope.scope.text(id);
            if !text.is_empty() {
                let line = self.one_line(text);
                self.envelope.scope.set(id, clean::trace_word(&line));
            }
        }
    }

    /// Text of the caller that may not begin a line of its own; one that does is logged.
    fn one_line(&self, text: Bytes) -> Bytes {
        clean::one_line(text).unwrap_or_else(|line| {
            self.site.log.attack(Id::NoQueue, &line);
            line
        })
    }

    /// The envelope sender: `-f` or what the header names (`-ba`), else the caller.
    fn set_sender(&mut self, given: Option<&Bytes>, out: &mut dyn Write) {
        let caller = &self.request.caller;
        if let Some(given) = given.filter(|given| self.request.invocation.sender.as_ref() == Some(*given)) {
            warn_of_sender(&mut self.warnings, caller, given, &self.site.config);
        }
        let keeps_routes = self.site.config.options.dont_prune_routes;
        let text = given.cloned();
        let sender = given.map_or_else(
            || caller.name.clone(),
            |given| {
                let sender = bare(given);
                if keeps_routes { sender } else { sender.slice_ref(mailbox::pruned(&sender)) }
            },
        );
        let found = super::sender::resolve(self.request, self.site, self.runtime, &self.envelope, sender, out);
        self.exit = found.exit;
        let sender = found.address;
        // The log has it as it was given, with its phrase and comments; so has the queue file. Source: observed.
        let is_used = found.exit == Exit::OK && !sender.is_empty();
        let text = text.filter(|_| is_used).unwrap_or_else(|| sender.clone());
        let is_own = given.is_none_or(|given| bare(given) == caller.name) || found.exit != Exit::OK;
        self.reports_to_caller = is_own;
        if let Some(mailer) = found.mailer.and_then(|id| self.site.config.mailers.get(id.0)) {
            self.envelope.scope.set(names::MAIL_MAILER, mailer.name.clone());
        }
        // A name that was chosen goes with any sender of this machine, whether there is such a user or not.
        let local = self.site.config.mailer(b"local");
        let chosen = || {
            let variable = || env::var("NAME").map(|name| self.one_line(OsStringExt::into_vec(name).into()));
            self.request.invocation.full_name.clone().or_else(variable).filter(|name| !name.is_empty())
        };
        let full_name = if is_own {
            Some(chosen().unwrap_or_else(|| caller.full_name.clone()))
        } else if local.is_some() && found.mailer == local {
            chosen().or_else(|| found.owner.as_ref().map(|own| own.real_name.clone()))
        } else {
            None
        };
        let owner = found.owner.as_ref().map(|owner| owner.uid);
        let is_vouched = is_vouched(caller, given, owner, &self.site.config);
        if let Some(owner) = found.owner.filter(|_| !sender.is_empty()) {
            self.envelope.sender_user = SenderUser::Local(Controller {
                user: owner.name,
                uid: owner.uid,
                gid: owner.gid,
                address: text.clone(),
            });
        }
        let scope = &mut self.envelope.scope;
        match full_name.filter(|name| !name.is_empty() && !sender.is_empty()) {
            Some(name) => scope.set(names::FULL_NAME, quote::full_name(&name)),
            None => scope.unset(names::FULL_NAME),
        }
        let shown = if sender.is_empty() { self.daemon_name() } else { sender.clone() };
        let scope = &mut self.envelope.scope;
        scope.set(names::SENDER, shown.clone());
        scope.set(names::SENDER_FOR_RECIPIENT, shown);
        if !sender.is_empty() && is_vouched {
            let full =
                if sender.contains(&b'@') { sender.to_vec() } else { [&sender[..], b"@", &self.site.host].concat() };
            self.envelope.auth = Some(xtext::encode(&full, b"").into());
        }
        // The original marks every message of the command line so.
        self.envelope.flags.is_split = true;
        self.named = if sender.is_empty() { Bytes::from_static(b"<>") } else { text };
        // Rulesets may have made another address of it, which the queue run must find.
        self.envelope.sender_given =
            if sender.is_empty() || bare(&self.named) == sender { self.named.clone() } else { sender.clone() };
        self.envelope.sender = sender;
    }

    fn daemon_name(&self) -> Bytes {
        self.envelope.scope.text(names::DAEMON_USER)
    }

    /// Reads standard input to its end, or to a lone dot.
    fn collect(&mut self) -> Result<(Collected, Body), String> {
        let options = &self.site.config.options;
        let spool = self.site.spool().map_err(|e| e.to_string())?;
        let is_arpa = self.request.invocation.mode == Mode::Arpa;
        let mut filter = Filter::new(!options.ignore_dots).unstuffing(is_arpa);
        let mut collector = Collector::new(Limits::new(options, self.envelope.body_type));
        let mut writer = spool.start_body(&self.envelope.id);
        let (mut lines, mut body) = (Vec::new(), Vec::new());
        let mut block = vec![0u8; BLOCK];
        let mut input = io::stdin().lock();
        let mut tap = self.site.log.traffic().map(|traffic| Tap::new(traffic, Sign::In));
        loop {
            let length = input.read(&mut block).map_err(|e| format!("collect: read error: {e}"))?;
            if let Some(tap) = &mut tap {
                tap.feed(block.get(..length).unwrap_or_default());
            }
            let ended = length == 0;
            let dot = filter.feed(block.get(..length).unwrap_or_default(), &mut lines);
            if ended && !dot {
                filter.finish(&mut lines);
                if let Some(tap) = &mut tap {
                    tap.end_of_input();
                }
            }
            collector.feed(&lines, &mut body);
            lines.clear();
            writer.write_now(&body).map_err(|e| e.to_string())?;
            body.clear();
            if ended || dot {
                break;
            }
        }
        let collected = collector.finish(&mut body);
        writer.write_now(&body).map_err(|e| e.to_string())?;
        Ok((collected, writer.finish_now().map_err(|e| e.to_string())?))
    }

    /// `MinFreeBlocks`: whether the queue has room for no more messages, which is logged. Source: op guide 5.6; observed.
    fn is_low_on_space(&self) -> bool {
        let shortage = self.site.shortage(0);
        if let Some(shortage) = &shortage {
            self.site.log.write(Level::SYSTEM_ERROR, Priority::Alert, self.id(), shortage.line("SMTP-DAEMON"));
        }
        shortage.is_some()
    }

    /// Everything behind the reading.
    fn take(mut self, collected: Collected, body: &Body, out: &mut dyn Write) -> Exit {
        let fault = collected.fault;
        let given = collected.headers.clone();
        // The trace field names the one recipient of the command line, whoever the header adds.
        let in_header = fixup::recipient_fields(&collected.headers);
        self.envelope.flags.old_style = self.site.config.options.old_style_headers;
        for word in &self.request.invocation.recipients {
            if let Err(line) = clean::one_line(word.clone()) {
                self.site.log.attack(self.id(), &line);
            }
            self.envelope.flags.old_style &= !list::is_new_style(word);
            self.add_recipients(word);
        }
        let wants_receipts = fixup::wants_receipts(&collected.headers, &self.site.config);
        fixup::complete(&mut self.envelope, collected, &self.site.config, &self.site.zone);
        if self.request.invocation.recipients_in_header {
            for field in &in_header {
                self.add_recipients(field);
            }
            if wants_receipts {
                fixup::ask_for_receipts(&mut self.envelope);
            }
        }
        self.envelope.priority = complete::priority(&self.envelope, &self.site.config);
        self.add_warnings();
        let named = self.envelope.recipients.len();
        let checked = if fault.is_none() { self.check_headers(&given) } else { None };
        let is_fine = fault.is_none() && checked.is_none();
        if is_fine {
            self.expand(&in_header, out);
        }
        self.log_from();
        if named == 0 {
            return self.without_recipients(out);
        }
        if let Some(fault) = fault {
            return self.refuse_fault(fault, body, out);
        }
        if let Some(checked) = checked {
            return self.refuse_header(&checked, body, out);
        }
        if self.envelope.flags.is_discarded {
            self.site.count_of_sender(&self.envelope.scope, Event::Discarded);
            self.site.log.write(Level::DELIVERY, Priority::Info, self.id(), "discarded");
            return Exit::OK;
        }
        if let Some(reason) = self.envelope.quarantine.clone() {
            self.site.count_of_sender(&self.envelope.scope, Event::Quarantined);
            return self.hold(&reason, body, out);
        }
        let hops = self.envelope.hops().max(self.request.invocation.hop_count);
        let limit = self.site.config.options.max_hop_count;
        if hops > limit {
            return self.refuse_hops(hops, body, out);
        }
        self.queue_or_deliver(body, out)
    }

    /// Addresses of a list become recipients.
    fn add_recipients(&mut self, text: &[u8]) {
        let split = if self.envelope.flags.old_style { list::split_old_style } else { list::split };
        // The last of a list goes first. Source: observed.
        for address in split(text).into_iter().rev() {
            let mut recipient = Recipient::new(Bytes::copy_from_slice(trim(&address)));
            if let Some(notify) = self.request.invocation.dsn.notify {
                recipient.notify = notify;
            }
            self.envelope.recipients.push(recipient);
        }
    }

    /// `X-Authentication-Warning` fields and log lines, when `authwarnings` asks for them.
    fn add_warnings(&mut self) {
        if !self.site.config.options.privacy_options.has(Privacy::AUTH_WARNINGS) {
            return;
        }
        let host = self.site.host.clone();
        for (at, warning) in self.warnings.iter().enumerate() {
            let text = format!("{}: {warning}", shown(&host));
            self.site.log.write(
                Level::RECEIVED,
                Priority::Info,
                self.id(),
                format_args!("Authentication-Warning: {text}"),
            );
            let behind_trace = self.envelope.headers.iter().take_while(|h| h.is_default).count();
            let header = Header::new("X-Authentication-Warning", format!(" {text}"));
            self.envelope.headers.insert(behind_trace + at, header);
        }
    }

    /// Writes into a recipient what came of it, and the line of the log.
    fn note_failure(&mut self, index: usize, error: &RouteError) {
        let now = clock::now();
        let Some(recipient) = self.envelope.recipients.get_mut(index) else { return };
        recipient.state = State::Failed;
        recipient.message = Some(error.text.clone().into());
        recipient.status = Some(error.reported());
        let line = error.shown_line();
        let before = recipient.complaint.take().map(|before| [&before, &b"\n"[..]].concat()).unwrap_or_default();
        recipient.complaint = Some([&before, line.as_bytes()].concat().into());
        recipient.remote_reply = error.is_answer.then(|| error.line().into());
        recipient.last_try = Some(now);
        let address = recipient.address.clone();
        let controller = recipient.controller.clone();
        let mailer = recipient.route.as_ref().and_then(|r| self.site.config.mailers.get(r.mailer.0));
        // Observed: what nobody answered for has no line of its own.
        let Some(mailer) = mailer.filter(|_| error.is_answer) else { return };
        let (dsn, reply) = (error.status.to_string(), error.line());
        let line = To {
            to: &[&address],
            mailer: &mailer.name,
            dsn: &dsn,
            reply: reply.as_bytes(),
            controller: controller.as_ref().map(|c| (c.address.as_ref(), c.uid, c.gid)),
            stat: error.text.as_bytes(),
            ..To::default()
        };
        for text in line.lines() {
            self.site.log.write(Level::FAILURE, Priority::Info, self.id(), text);
        }
    }

    /// Replaces aliases, lists and forwards; says which recipients do not exist.
    ///
    /// With `-t` a bad address makes a report to the sender at once, and the others wait for the next queue run. Source: observed.
    fn expand(&mut self, fields: &[Bytes], out: &mut dyn Write) {
        let expansion = self.runtime.block_on(self.site.router.expand(&mut self.envelope));
        self.is_returned = self.request.invocation.recipients_in_header && expansion.failures.iter().any(is_permanent);
        if self.is_returned {
            // The last field is read first, and one complaint is enough: about the first of its addresses. Source: observed.
            let failed = expansion.failures.iter().rev().filter(|failure| is_permanent(failure));
            if let Some((_, error)) =
                failed.min_by_key(|(_, error)| std::cmp::Reverse(field_of(&error.address, fields)))
            {
                say(out, &self.told(error));
                self.exit = error.exit();
            }
        }
        // What is wrong with the header's recipients is for the transcript alone. Source: observed.
        let is_logged = !self.request.invocation.recipients_in_header;
        for (index, remark) in &expansion.remarks {
            if is_logged {
                self.site.log.write(Level::USER_ERROR, Priority::Notice, self.id(), remark.shown());
            }
            if self.site.config.options.error_mode == ErrorMode::Print {
                say(out, &self.told(remark));
            }
            if let Some(recipient) = self.envelope.recipients.get_mut(*index) {
                recipient.complaint = Some(remark.shown_line().into());
            }
        }
        let mut loops = !expansion.remarks.is_empty();
        let is_verbose = self.request.invocation.is_verbose;
        let mut notes = expansion.notes.into_iter().filter(|_| is_verbose).peekable();
        for (n, (index, error)) in expansion.failures.into_iter().enumerate() {
            while let Some((_, line)) = notes.next_if(|(before, _)| *before <= n) {
                say(out, &line);
            }
            if error.is_temporary() {
                // What the error mailer defers is told, what else cannot be found out now is not. Source: observed.
                if error.names_address() && self.site.config.options.error_mode == ErrorMode::Print {
                    say(out, &self.told(&error));
                }
                if !error.exit().is_temporary() {
                    self.exit = first(self.exit, error.exit());
                }
                // The attempt asks again, and says what comes of it.
                if let Some(recipient) = self.envelope.recipients.get_mut(index) {
                    recipient.state = State::Queued;
                    recipient.route = None;
                    if let Some(waits) = &error.waits {
                        recipient.message = None;
                        self.envelope.message.get_or_insert(waits.why.clone().into());
                    }
                }
                continue;
            }
            if is_logged {
                self.site.log.write(Level::USER_ERROR, Priority::Notice, self.id(), error.shown());
            }
            if !self.is_returned {
                if self.site.config.options.error_mode == ErrorMode::Print {
                    say(out, &self.told(&error));
                }
                let is_loop = error.address.is_empty();
                self.exit = if is_loop { self.exit } else { first(self.exit, error.exit()) };
                loops |= is_loop;
                self.envelope.message = Some(error.of_message().into());
            }
            self.envelope.message.get_or_insert_with(|| error.of_message().into());
            self.note_failure(index, &error);
        }
        for (_, line) in notes {
            say(out, &line);
        }
        // A loop, or an address that is not well written, counts when nothing else is wrong. Source: observed.
        if loops && self.exit == Exit::OK {
            self.exit = Exit::USAGE;
        }
        self.envelope.flags.is_split &= !self.is_returned;
        self.envelope.priority = complete::priority(&self.envelope, &self.site.config);
    }

    fn log_from(&self) {
        let envelope = &self.envelope;
        self.site.count_of_sender(&envelope.scope, |mailer| Event::From(mailer, envelope.size_bytes));
        let text = |id| envelope.scope.text(id);
        // Of several the last counts. Source: observed.
        let resent = envelope.headers.last("Resent-Message-Id");
        let message_id =
            resent.or_else(|| envelope.headers.last("Message-Id")).map(|h| trim(h.text())).unwrap_or_default();
        let protocol = text(names::PROTOCOL);
        let relay = text(names::CLIENT_INFO);
        let line = From {
            from: &self.named,
            size_bytes: envelope.size_bytes,
            class: envelope.class,
            recipients: envelope.counted_recipients(),
            message_id,
            body_type: envelope.body_type.map_or("", BodyType::word).as_bytes(),
            protocol: &protocol,
            daemon: b"",
            relay: &relay,
        };
        self.site.log.write(Level::RECEIVED, Priority::Info, self.id(), line);
    }

    fn without_recipients(&self, out: &mut dyn Write) -> Exit {
        if self.request.invocation.recipients_in_header {
            say(out, "No recipient addresses found in header");
            return Exit::OK;
        }
        if !self.request.invocation.recipients.is_empty() {
            return self.exit;
        }
        let code = if self.request.invocation.mode == Mode::Arpa { "550 " } else { "" };
        say(out, &format!("{code}Recipient names must be specified"));
        Exit::USAGE
    }

    /// Who learns of failures.
    fn reports(&self) -> Reports {
        match self.site.config.options.error_mode {
            _ if self.is_returned => Reports::ByMailAlone,
            // What cannot be kept for the caller comes back by mail. Source: observed.
            ErrorMode::Print if self.reports_to_caller && dead_letter::is_possible(self.request) => Reports::ToCaller,
            // Nobody is told, whoever sends. Source: observed.
            ErrorMode::Quiet => Reports::ToCaller,
            _ => Reports::ByMail,
        }
    }

    fn queue_or_deliver(mut self, body: &Body, out: &mut dyn Write) -> Exit {
        let reports = self.reports();
        let is_left = self.envelope.recipients.iter().any(|r| r.state == State::Queued);
        if !is_left && reports == Reports::ToCaller {
            let exit = self.exit;
            return self.failed(body, exit, out);
        }
        self.envelope.group_by_next_hop();
        let split = groups::split_off(self.site, &mut self.envelope, body);
        let made = match self.runtime.block_on(split) {
            Ok(made) => made,
            Err(error) => {
                say(out, &error.to_string());
                return error.exit();
            }
        };
        let committed = self.site.spool().and_then(|spool| spool.commit_now(&self.envelope, body.clone()));
        let held = match committed {
            Ok(held) => held,
            Err(error) => {
                self.runtime.block_on(groups::give_up(self.site, made));
                say(out, &error.to_string());
                return error.exit();
            }
        };
        // Only the first entry is delivered at once. Source: observed.
        for part in &made {
            self.log_queued(&part.envelope);
        }
        drop(made);
        let mode = self.site.config.options.delivery_mode;
        if is_left && !self.is_returned && !mode.is_immediate() && !self.request.invocation.is_verbose {
            self.log_queued(&self.envelope);
            return self.code(self.exit);
        }
        let verbose = self.request.invocation.is_verbose;
        let mut reports = reports;
        if let Some(leash) = self.request.leash.take() {
            // From here on nobody listens.
            if reports == Reports::ToCaller {
                reports = Reports::ByMail;
            }
            if let Err(error) = leash.release(self.code(self.exit).0) {
                self.site.log.system_error(self.id(), &shown(&self.request.caller.name).to_string(), error);
            }
        }
        let job = Job {
            held,
            envelope: self.envelope.clone(),
            body: body.clone(),
            reports,
            is_from_queue: false,
            is_selected: false,
            watch: None,
            whole: None,
        };
        let watch = Watch::new(self.site, self.runtime, verbose);
        let report = watch.attempt(job, out);
        if self.site.config.options.error_mode != ErrorMode::Quiet {
            report.letters.iter().for_each(|text| say(out, text));
        }
        let failed = report.envelope.recipients.iter().any(|r| r.state == State::Failed);
        self.exit = first(self.exit, report.exit);
        self.envelope = report.envelope;
        let exit = if failed && reports == Reports::ToCaller {
            let exit = self.exit;
            self.failed(body, exit, out)
        } else {
            self.code(self.exit)
        };
        watch.close(out);
        exit
    }

    fn log_queued(&self, envelope: &Envelope) {
        let config = &self.site.config;
        for text in waiting::lines(envelope, config, config.options.delivery_mode, clock::now()) {
            self.site.log.write(Level::DELIVERY, Priority::Info, Id::Queue(envelope.id.as_str()), text);
        }
    }

    /// What did not arrive is kept for the caller, when errors are printed.
    fn failed(&self, body: &Body, exit: Exit, out: &mut dyn Write) -> Exit {
        if self.site.config.options.error_mode == ErrorMode::Print {
            dead_letter::save(self.request, self.site, self.runtime, &self.envelope, body, out);
        }
        self.code(exit)
    }

    /// The program's own exit code: `-oee` says nothing by it.
    fn code(&self, exit: Exit) -> Exit {
        if self.site.config.options.error_mode == ErrorMode::MailZero { Exit::OK } else { exit }
    }

    /// An error as the caller is told.
    fn told(&self, error: &RouteError) -> String {
        if self.request.invocation.mode == Mode::Arpa { reply(error) } else { error.shown() }
    }

    fn id(&self) -> Id<'_> {
        Id::Queue(self.envelope.id.as_str())
    }
}

/// Notes that a caller whom nobody trusts chose another sender with `-f`: once, though a header (`-ba`) may name it again.
fn warn_of_sender(warnings: &mut Vec<String>, caller: &Caller, chosen: &Bytes, config: &Config) {
    if caller.is_trusted(config) || chosen.as_ref() == caller.name {
        return;
    }
    let text = format!("{} set sender to {} using -f", shown(&caller.name), shown(chosen));
    if !warnings.contains(&text) {
        warnings.push(text);
    }
}

/// Whether the caller may say who the sender is (`AUTH=`): it is the caller, or somebody whom the caller, who is trusted, chose.
/// Source: observed.
fn is_vouched(caller: &Caller, given: Option<&Bytes>, owner: Option<u32>, config: &Config) -> bool {
    given.is_none_or(|given| given.as_ref() == caller.name) || owner == Some(caller.uid) || caller.is_trusted(config)
}

fn is_permanent((_, error): &(usize, RouteError)) -> bool {
    !error.is_temporary()
}

/// The last of these fields that names the address.
fn field_of(address: &[u8], fields: &[Bytes]) -> Option<usize> {
    fields.iter().rposition(|field| list::split(field).iter().any(|one| trim(one) == trim(address)))
}

/// Who calls is logged like a client that connects.
pub(super) fn log_caller(site: &Site, envelope: &Envelope) {
    let client = envelope.scope.text(names::CLIENT_INFO);
    site.log.write(Level::CALLER, Priority::Info, Id::NoQueue, format_args!("connect from {}", shown(&client)));
}

/// An envelope that knows who called and how.
pub(super) fn new_envelope(request: &Request, site: &Site) -> Envelope {
    let id = site.queue.as_ref().map_or_else(|| placeholder(site), Spool::new_id);
    let mut envelope = Envelope::new(id, clock::now(), site.config.scope());
    let invocation = &request.invocation;
    let scope = &mut envelope.scope;
    scope.set(names::CLIENT_INFO, [request.caller.name.as_ref(), b"@localhost"].concat());
    scope.set(names::QUEUE_ID, envelope.id.as_str().to_owned());
    scope.set(names::HOP_COUNT, invocation.hop_count.to_string());
    scope.set(names::PID, std::process::id().to_string());
    scope.set(names::NTRIES, "0");
    scope.set(names::LOAD_AVG, load::average().unwrap_or(0).to_string());
    scope.set(names::DELIVERY_MODE, vec![site.config.options.delivery_mode.letter()]);
    scope.set(names::DAEMON_FLAGS, daemon_flags(invocation, site.config.options.direct_submission_modifiers.clone()));
    if let Some((protocol, host)) = &invocation.protocol {
        scope.set(names::PROTOCOL, protocol.clone());
        if let Some(host) = host {
            scope.set(names::HELO, host.clone());
        }
    }
    envelope.body_type = match invocation.body_type.as_deref() {
        Some(b"7BIT") => Some(BodyType::SevenBit),
        Some(_) => Some(BodyType::EightBitMime),
        None => None,
    };
    envelope.ret = match invocation.dsn.return_part {
        Some(b'H') => Some(Ret::Headers),
        Some(_) => Some(Ret::Full),
        None => None,
    };
    envelope.envid.clone_from(&invocation.dsn.envelope_id);
    let scope = &mut envelope.scope;
    if let Some(ret) = envelope.ret {
        scope.set(names::DSN_RET, if ret == Ret::Full { "FULL" } else { "HDRS" });
    }
    if let Some(envid) = &envelope.envid {
        scope.set(names::DSN_ENVID, envid.clone());
    }
    if let Some(notify) = invocation.dsn.notify {
        scope.set(names::DSN_NOTIFY, notify.words());
    }
    envelope
}

/// The first trouble is the one that the caller is told of.
fn first(known: Exit, next: Exit) -> Exit {
    if matches!(known, Exit::OK | Exit::TEMPFAIL) && next != Exit::OK { next } else { known }
}

/// `${daemon_flags}` of a message on the command line, capitals doubled: `DirectSubmissionModifiers`, else what the original takes for one
/// that is submitted, relayed (`-G`) or written by an ARPANET program. Source: observed.
fn daemon_flags(invocation: &Invocation, modifiers: Option<Modifiers>) -> String {
    let usual: &[u8] = match invocation.mode {
        Mode::Arpa => b"",
        _ if invocation.is_gateway => b"Cf",
        _ => b"cu",
    };
    modifiers.unwrap_or_else(|| Modifiers::from_bytes(usual)).as_flags()
}

/// An address without phrase, comments and brackets; `<>` is nobody.
pub(super) fn bare(given: &[u8]) -> Bytes {
    mailbox::bare(given).into()
}

/// An id for envelopes that never reach a queue.
pub(super) fn placeholder(site: &Site) -> QueueId {
    let t = date::zoned(clock::now(), &site.zone);
    let part = |n: i8| u32::try_from(n).unwrap_or(0);
    let at = LocalTime {
        year: i32::from(t.year()),
        month: part(t.month() - 1),
        day: part(t.day()),
        hour: part(t.hour()),
        minute: part(t.minute()),
        second: part(t.second()),
    };
    QueueId::new(at, 0, std::process::id())
}

/// How much of standard input is read at once, bytes.
const BLOCK: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_among_the_flags_are_doubled() {
        for (words, flags) in [(&["sendmail"][..], "c u"), (&["sendmail", "-G"], "CC f"), (&["sendmail", "-ba"], "")] {
            let argv: Vec<Bytes> = words.iter().map(|word| Bytes::from_static(word.as_bytes())).collect();
            let invocation = Invocation::parse(&argv);
            assert_eq!(daemon_flags(&invocation, None), flags, "{words:?}");
            assert_eq!(daemon_flags(&invocation, Some(Modifiers::from_bytes(b"Af"))), "AA f");
        }
    }

    #[test]
    fn a_sender_that_an_untrusted_caller_chose_is_warned_of_once() {
        let caller = Caller { uid: 1, name: Bytes::from_static(b"joe"), ..Caller::own() };
        let (config, mut warnings) = (Config::default(), Vec::new());
        for chosen in ["ceo@x.test", "joe", "ceo@x.test"] {
            warn_of_sender(&mut warnings, &caller, &Bytes::from_static(chosen.as_bytes()), &config);
        }
        assert_eq!(warnings, ["joe set sender to ceo@x.test using -f"]);
        warn_of_sender(&mut warnings, &Caller { uid: 0, ..caller }, &Bytes::from_static(b"any@x.test"), &config);
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn nobody_vouches_for_a_sender_that_an_untrusted_caller_chose() {
        let joe = Caller { uid: 1, name: Bytes::from_static(b"joe"), ..Caller::own() };
        let config = Config::default();
        for (given, owner, wanted) in [
            (None, None, true),
            (Some("joe"), Some(1), true),
            (Some("joe@our.test"), Some(1), true),
            (Some("jim"), Some(2), false),
            (Some("ceo@x.test"), None, false),
        ] {
            let given = given.map(|text| Bytes::from_static(text.as_bytes()));
            assert_eq!(is_vouched(&joe, given.as_ref(), owner, &config), wanted, "{given:?}");
            let root = Caller { uid: 0, ..joe.clone() };
            assert!(is_vouched(&root, given.as_ref(), owner, &config), "{given:?}");
        }
    }

    #[test]
    fn the_null_sender_is_empty() {
        assert_eq!(bare(b"<>"), "");
        assert_eq!(bare(b"Joe <joe@x.test>"), "joe@x.test");
    }
}
