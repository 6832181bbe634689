//! DSNs of an attempt: composed and queued, to be tried afterwards.

use std::sync::Arc;

use bytes::Bytes;

use super::attempt::Attempt;
use super::{Job, Reports};
use crate::base::bytes::shown;
use crate::base::status::Classify as _;
use crate::dsn::{self, Age, Composed, Facts, Kind, Part, Report};
use crate::envelope::{Envelope, State, complete};
use crate::log::{Level, Priority};
use crate::queue;
use crate::queue::drive::Body;
use crate::site::Site;
use crate::sys::{clock, file};

/// Queues the reports that the envelope needs now. They are durable when this returns; the caller tries them once its own
/// message is settled.
pub(super) async fn queue(attempt: &mut Attempt) -> Result<Vec<Job>, queue::Error> {
    let site = Arc::clone(&attempt.site);
    attempt.now = clock::now();
    let message = attempt.envelope.message.clone();
    let age = dsn::check_age(&mut attempt.envelope, &site.config.timeouts, attempt.now, &mut attempt.transcript);
    if age == Age::Return {
        attempt.show(attempt.envelope.message.clone().unwrap_or_default());
    }
    if attempt.reports == Reports::ToCaller && age == Age::Fine {
        return Ok(Vec::new());
    }
    if attempt.is_last {
        return Ok(Vec::new());
    }
    let mut jobs = Vec::new();
    for report in dsn::decide(&attempt.envelope, age, true, &site.config, &attempt.envelope.scope) {
        let job = queue_one(attempt, &site, &report).await?;
        let words = match report.kind {
            Kind::Failure | Kind::Success => "DSN",
            Kind::Delay => "sender notify",
            Kind::Postmaster if attempt.envelope.flags.is_response => "return to sender",
            Kind::Postmaster => "postmaster notify",
        };
        let reason = reason(&attempt.envelope, &report);
        let text = format!("{}: {words}: {reason}", job.envelope.id);
        site.log.write(Level::USER_ERROR, Priority::Info, attempt.id(), text);
        jobs.push(job);
    }
    if age == Age::Warn {
        // The queue file goes on to say why it was not delivered.
        attempt.envelope.message = message;
    }
    Ok(jobs)
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
    Ok(Job { held, envelope, body, is_from_queue: false, reports: Reports::ByMail, watch: attempt.watch.clone() })
}

async fn copy(
    body: &Body,
    writer: &mut queue::drive::BodyWriter,
    id: &crate::envelope::QueueId,
) -> Result<(), queue::Error> {
    let mut offset = 0;
    loop {
        let block = body.block(offset).await;
        let block =
            block.map_err(|source| queue::Error::File { action: "read", name: format!("df of {id}"), source })?;
        if block.is_empty() {
            return Ok(());
        }
        offset += block.len() as u64;
        writer.write(&block).await?;
    }
}

/// `ErrorHeader`: text, or the file that it names.
fn error_header(site: &Site, envelope: &Envelope) -> Option<Bytes> {
    let value = site.config.options.error_header.as_ref()?;
    if !value.starts_with(b"/") {
        return Some(value.clone());
    }
    let path = std::path::PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(value));
    // A report without the administrator's words is better than none.
    let text = file::read_following(&path, ERROR_HEADER_BYTES).ok()?;
    let mut names = site.config.names.clone();
    Some(crate::macros::Template::parse(&text, &mut names).expand(&envelope.scope).into())
}

/// What the log says of a report.
fn reason(envelope: &Envelope, report: &Report) -> String {
    if report.kind == Kind::Success {
        return "Return receipt".to_owned();
    }
    let told = report.recipients.iter().filter_map(|i| envelope.recipients.get(*i));
    let failed = told.filter(|r| r.state == State::Failed).find_map(|r| r.message.clone());
    let words = failed.filter(|_| report.kind != Kind::Delay).or_else(|| envelope.message.clone()).unwrap_or_default();
    shown(&words).to_string()
}

/// Most of an `ErrorHeader` file.
const ERROR_HEADER_BYTES: usize = 64 * 1024;
