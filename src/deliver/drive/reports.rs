//! DSNs of an attempt: composed and queued, to be tried afterwards.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::attempt::Attempt;
use super::{Job, Reports};
use crate::base::bytes::shown;
use crate::base::status::Classify as _;
use crate::deliver::body::LineWriter;
use crate::dsn::{self, Age, Composed, Facts, Kind, Part, Report};
use crate::envelope::{Envelope, QueueId, Recipient, State, complete};
use crate::log::line::To;
use crate::log::statistics::Event;
use crate::log::{Level, Priority};
use crate::macros::names;
use crate::message::fields;
use crate::queue;
use crate::queue::drive::Body;
use crate::route::{RouteError, list};
use crate::site::Site;
use crate::sys::clock;
use crate::sys::safefile::{self, Purpose};

/// Queues the reports that the envelope needs now. They are durable when this returns; the caller tries them once its own
/// message is settled.
pub(super) async fn queue(attempt: &mut Attempt) -> Result<Vec<Job>, queue::Error> {
    let site = Arc::clone(&attempt.site);
    attempt.now = clock::now();
    let age = dsn::check_age(&mut attempt.envelope, &site.config.timeouts, attempt.now, &mut attempt.transcript);
    let words = attempt.envelope.message.clone().filter(|_| age != Age::Fine);
    // Who is told of failures on the spot gets receipts by mail all the same, when nothing failed. Source: observed.
    let has_failed = attempt.envelope.recipients.iter().any(|r| r.state == State::Failed);
    if attempt.reports == Reports::ToCaller && age == Age::Fine && has_failed {
        return Ok(Vec::new());
    }
    if attempt.is_last {
        return Ok(Vec::new());
    }
    let mut jobs = Vec::new();
    let to = addressees(attempt, age).await;
    if let Some(words) = words {
        attempt.show(words);
    }
    let exit = attempt.exit();
    for report in dsn::decide(&attempt.envelope, age, &to, exit, &site.config, &attempt.envelope.scope) {
        let job = queue_one(attempt, &site, &report).await?;
        let words = match report.kind {
            Kind::Failure | Kind::Success => "DSN",
            Kind::Delay => "sender notify",
            Kind::Postmaster if attempt.envelope.flags.is_response => "return to sender",
            Kind::Postmaster => "postmaster notify",
        };
        let reason = reason(&attempt.envelope, &report);
        let text = format!("{}: {words}: {reason}", job.envelope.id);
        site.log.write(Level::REPORT, Priority::Info, attempt.id(), text);
        jobs.push(job);
    }
    Ok(jobs)
}

/// Who a report goes to: the sender, and with `UseErrorsTo` whom the message names. Those that do not exist are left out.
/// Source: op guide 5.6; observed (bounce/double).
async fn addressees(attempt: &mut Attempt, age: Age) -> Vec<Bytes> {
    let envelope = &attempt.envelope;
    let wants = matches!(age, Age::Warn | Age::Late)
        || envelope.recipients.iter().any(|r| r.state == State::Failed && r.notify.failure);
    if envelope.sender.is_empty() {
        return Vec::new();
    }
    let mut named = vec![dsn::return_address(envelope)];
    if !wants {
        return named;
    }
    if attempt.site.config.options.use_errors_to {
        let fields = envelope.headers.iter().filter(|h| fields::has(&h.name, fields::ERRORS_TO));
        for address in fields.flat_map(|h| list::split(h.text())) {
            if !named.contains(&address) {
                named.push(address);
            }
        }
    }
    let mut found = Vec::new();
    for address in named {
        let mut scratch = Envelope::new(envelope_id(attempt), attempt.now, attempt.site.config.scope());
        scratch.recipients.push(Recipient::new(address.clone()));
        let expansion = attempt.site.router.expand(&mut scratch).await;
        for (_, line) in expansion.notes {
            attempt.show(line);
        }
        let is_somebody = scratch.recipients.iter().any(|r| r.state == State::Queued);
        let mut errors = expansion.failures.into_iter().map(|(_, error)| error);
        if !is_somebody && let Some(error) = errors.find(|error| !error.is_temporary()) {
            unreachable(attempt, &address, &error);
            continue;
        }
        found.push(address);
    }
    found
}

fn envelope_id(attempt: &Attempt) -> QueueId {
    attempt.envelope.id.clone()
}

/// Tells of an address that a report cannot go to.
fn unreachable(attempt: &mut Attempt, address: &Bytes, error: &RouteError) {
    let (dsn, reply) = (error.status.to_string(), error.line());
    let line = To {
        to: &[address],
        delay: attempt.now.since(attempt.envelope.created),
        mailer: b"local",
        priority: attempt.envelope.priority,
        dsn: &dsn,
        reply: reply.as_bytes(),
        stat: error.text.as_bytes(),
        ..To::default()
    };
    for text in line.lines() {
        attempt.site.log.write(Level::FAILURE, Priority::Info, attempt.id(), text);
    }
    attempt.note(format!("{:03} {} {}... {}", error.reply, error.status, shown(address), error.text));
    attempt.envelope.message = Some(error.text.clone().into());
}

async fn queue_one(attempt: &Attempt, site: &Arc<Site>, report: &Report) -> Result<Job, queue::Error> {
    let spool = site.spool()?;
    let id = spool.new_id();
    let scope = site.config.scope();
    let facts = Facts {
        config: &site.config,
        scope: &scope,
        host: &site.host,
        zone: &site.zone,
        now: attempt.now,
        is_from_queue: attempt.is_from_queue || attempt.is_of_queue_run,
        error_header: error_header(site, &attempt.envelope),
    };
    let Composed { mut envelope, body } =
        dsn::compose(report, &attempt.envelope, &attempt.transcript, id.clone(), &facts);
    let mut writer = spool.start_body(&id);
    for part in body {
        match part {
            Part::Text(text) => writer.write(&text).await?,
            Part::Original => copy(&attempt.body, &mut writer, &id).await?,
        }
    }
    let body = writer.finish().await?;
    envelope.flags.is_split = true;
    envelope.scope.set(names::PID, std::process::id().to_string());
    let expansion = site.router.expand(&mut envelope).await;
    for (index, _) in expansion.failures.iter().filter(|(_, error)| error.is_temporary()) {
        // What cannot be judged now is tried later, not returned.
        if let Some(recipient) = envelope.recipients.get_mut(*index) {
            recipient.state = State::Queued;
            recipient.route = None;
        }
    }
    complete::complete_header(&mut envelope, &site.config, &site.zone);
    envelope.priority = complete::priority(&envelope, &site.config);
    let held = spool.commit(&envelope, body.clone()).await?;
    site.count_of_sender(&envelope.scope, |mailer| Event::From(mailer, envelope.size_bytes));
    let watch = attempt.watch.clone();
    Ok(Job {
        held,
        envelope,
        body,
        is_from_queue: false,
        is_selected: false,
        reports: Reports::ByMail,
        watch,
        whole: None,
    })
}

async fn copy(body: &Body, writer: &mut queue::drive::BodyWriter, id: &QueueId) -> Result<(), queue::Error> {
    let mut lines = LineWriter::quoting_from();
    let mut offset = 0;
    loop {
        let block = body.block(offset).await;
        let block =
            block.map_err(|source| queue::Error::File { action: "read", name: format!("df of {id}"), source })?;
        let mut out = BytesMut::with_capacity(block.len() + 1);
        if block.is_empty() {
            lines.finish(&mut out);
            return writer.write(&out).await;
        }
        offset += block.len() as u64;
        lines.push(&block, &mut out);
        writer.write(&out).await?;
    }
}

/// `ErrorHeader`: text, or the file that it names.
fn error_header(site: &Site, envelope: &Envelope) -> Option<Bytes> {
    let value = site.config.options.error_header.as_ref()?;
    let mut names = site.config.names.clone();
    if !value.starts_with(b"/") {
        return Some(crate::macros::Template::parse(value, &mut names).expand(&envelope.scope).into());
    }
    let path = std::path::PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(value));
    // A report without the administrator's words is better than none.
    let text = safefile::read(&path, Purpose::ErrorHeader, &site.judge(), ERROR_HEADER_BYTES).ok()?;
    Some(crate::macros::Template::parse(&text, &mut names).expand(&envelope.scope).into())
}

/// What the log says of a report.
fn reason(envelope: &Envelope, report: &Report) -> String {
    if report.kind == Kind::Success {
        return "Return receipt".to_owned();
    }
    if let Some(words) = &envelope.message {
        return shown(words).to_string();
    }
    // It failed before it got this envelope. Source: observed (lists with an owner).
    "Unable to deliver mail".to_owned()
}

/// Most of an `ErrorHeader` file.
const ERROR_HEADER_BYTES: usize = 64 * 1024;
