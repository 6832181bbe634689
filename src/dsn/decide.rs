//! Who must be told what.

use std::time::Duration;

use bytes::Bytes;

use crate::base::bytes::trim;
use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::base::time::{UnixTime, word_form};
use crate::config::privacy::Privacy;
use crate::config::timeouts::ByPrecedence;
use crate::config::{Config, Timeouts};
use crate::envelope::recipient::Success;
use crate::envelope::{Envelope, Recipient, State};
use crate::macros::Scope;

/// Kinds of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Delivery failed; may also tell of delays and successes.
    Failure,
    /// Delivery takes long.
    Delay,
    /// A receipt.
    Success,
    /// To a postmaster: a report that has no sender to go to, or a copy.
    Postmaster,
}

/// A report to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it is.
    pub kind: Kind,
    /// Addresses that get it, as written in `To:`.
    pub to: Vec<Bytes>,
    /// Whether failures stand in it: decides the subject of a mixed report.
    pub has_failures: bool,
    /// Recipients it tells of, by index in the envelope.
    pub recipients: Vec<usize>,
    /// Whether it tells of recipients whose time (DELIVERBY) is over.
    pub is_late: bool,
    /// Whether the whole message goes back, or its header alone.
    pub returns_body: bool,
}

/// What became of a message's age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Young enough.
    Fine,
    /// The sender must be told that it takes long.
    Warn,
    /// The sender must be told that the time of DELIVERBY is over.
    Late,
    /// It is given up.
    Return,
}

/// Judges the age of a message after an attempt that left recipients waiting.
///
/// Changes the envelope: recipients given up have failed with 4.4.7; a warning is marked as sent. Adds the lines that
/// report shows to the transcript. Source: op guide 5.6 (Timeout.queuereturn, Timeout.queuewarn); observed.
pub fn check_age(envelope: &mut Envelope, timeouts: &Timeouts, now: UnixTime, transcript: &mut Vec<u8>) -> Age {
    let age = now.since(envelope.created);
    if !envelope.recipients.iter().any(|r| r.state == State::Queued) {
        return Age::Fine;
    }
    let limit = for_message(&timeouts.queuereturn, envelope);
    if !limit.is_zero() && age >= limit {
        give_up(envelope, limit, transcript);
        return Age::Return;
    }
    let wants = envelope.recipients.iter().any(|r| r.state == State::Queued && r.notify.delay);
    // Bulk mail, and mail of nobody, is not told of. Source: observed.
    let is_told = envelope.class >= 0 && !envelope.sender.is_empty() && !envelope.flags.is_response;
    if envelope.flags.warning_sent || !wants || !is_told {
        return Age::Fine;
    }
    let warn = for_message(&timeouts.queuewarn, envelope);
    let (told, text, line) = if let Some(seconds) = late_by_notice(envelope, now) {
        let text = format!("Warning: Delivery time ({seconds}s) exceeded");
        (Age::Late, text.clone(), text)
    } else if !warn.is_zero() && age >= warn {
        let after = word_form(warn);
        (
            Age::Warn,
            format!("Warning: could not send message for past {after}"),
            format!("Warning: message still undelivered after {after}"),
        )
    } else {
        return Age::Fine;
    };
    envelope.flags.warning_sent = true;
    envelope.message = Some(text.into());
    let lines = format!("{line}\nWill keep trying until message is {} old\n", word_form(limit));
    transcript.extend_from_slice(lines.as_bytes());
    told
}

/// The time of DELIVERBY, seconds, when it is over and the sender wants to hear of that. Source: RFC 2852 §4.1; observed.
fn late_by_notice(envelope: &Envelope, now: UnixTime) -> Option<i64> {
    let (seconds, mode) = envelope.deliver_by.as_ref()?;
    let age = now.0.saturating_sub(envelope.created.0);
    (mode.contains(&b'N') && age >= *seconds).then_some(*seconds)
}

/// The reports that an envelope needs now.
///
/// `to`: addresses that a report can go to: the sender, and what `UseErrorsTo` adds. A report that has none goes to
/// `DoubleBounceAddress`. `exit` is the code that the attempt ended with: trouble that the sender cannot mend is shown to
/// the postmaster too. Source: RFC 3461 §5; op guide 5.6; observed.
pub fn decide(envelope: &Envelope, age: Age, to: &[Bytes], exit: Exit, config: &Config, scope: &Scope) -> Vec<Report> {
    let chosen = |wanted: &dyn Fn(&Recipient) -> bool| -> Vec<usize> {
        envelope.recipients.iter().enumerate().filter(|(_, r)| wanted(r)).map(|(at, _)| at).collect()
    };
    let failed = chosen(&|r| r.state == State::Failed && r.notify.failure);
    let delayed = chosen(&|r| matches!(age, Age::Warn | Age::Late) && r.state == State::Queued && r.notify.delay);
    let has_receipts = !config.options.privacy_options.has(Privacy::NO_RECEIPTS);
    let succeeded = if has_receipts { chosen(&tells_success) } else { Vec::new() };
    let mut reports = Vec::new();
    if failed.is_empty() && delayed.is_empty() && succeeded.is_empty() {
        return reports;
    }
    // What came out of a list is delivered in the list's name: a receipt is sent, and names nobody. Source: observed.
    let is_named = |at: &&usize| envelope.recipients.get(**at).is_some_and(|r| r.is_primary);
    let mut all: Vec<usize> = failed.iter().chain(&delayed).chain(succeeded.iter().filter(is_named)).copied().collect();
    all.sort_unstable();
    let has_sender = !envelope.sender.is_empty();
    let has_failures = !failed.is_empty();
    if has_sender && !to.is_empty() {
        let kind = match (has_failures, delayed.is_empty()) {
            (_, false) => Kind::Delay,
            (true, true) => Kind::Failure,
            (false, true) => Kind::Success,
        };
        let returns_body = kind != Kind::Success && returns_body(envelope, config);
        let mut to = to.to_vec();
        if has_failures && matches!(exit, Exit::SOFTWARE | Exit::CONFIG) {
            to.push(Bytes::from_static(b"postmaster"));
        }
        let is_late = age == Age::Late;
        reports.push(Report { kind, to, has_failures, recipients: all, is_late, returns_body });
    } else if has_failures && !config.options.double_bounce_address.is_empty() {
        reports.push(Report {
            kind: Kind::Postmaster,
            to: vec![config.options.double_bounce_address.clone()],
            has_failures,
            recipients: failed.clone(),
            is_late: false,
            returns_body: returns_body(envelope, config),
        });
    }
    let copy = config.options.postmaster_copy.as_ref().map(|template| Bytes::from(template.expand(scope)));
    if let Some(copy) = copy.filter(|address| !address.is_empty() && has_failures && !envelope.flags.is_response) {
        let to = vec![copy];
        reports.push(Report {
            kind: Kind::Postmaster,
            to,
            has_failures,
            recipients: failed,
            is_late: false,
            returns_body: false,
        });
    }
    reports
}

/// Whether a failed report to `DoubleBounceAddress` has failed itself: no report can go anywhere then.
pub fn is_hopeless(envelope: &Envelope, config: &Config) -> bool {
    envelope.flags.is_response
        && envelope
            .recipients
            .iter()
            .any(|r| r.state == State::Failed && r.address.eq_ignore_ascii_case(&config.options.double_bounce_address))
}

/// `Timeout.queuereturn` of this message: when it is given up.
pub fn return_limit(envelope: &Envelope, timeouts: &Timeouts) -> Duration {
    for_message(&timeouts.queuereturn, envelope)
}

fn give_up(envelope: &mut Envelope, limit: Duration, transcript: &mut Vec<u8>) {
    for recipient in envelope.recipients.iter_mut().filter(|r| r.state == State::Queued) {
        recipient.state = State::Failed;
        recipient.status = Some(Status(4, 4, 7));
    }
    let words = word_form(limit);
    envelope.message = Some(format!("Cannot send message for {words}").into());
    let lines = format!("Message could not be delivered for {words}\nMessage will be deleted from queue\n");
    transcript.extend_from_slice(lines.as_bytes());
}

/// By the `Priority` field where there is one, else by the precedence. Source: op guide 5.6; observed.
fn for_message(spans: &ByPrecedence, envelope: &Envelope) -> Duration {
    let priority = envelope.headers.first("priority").map(|header| trim(header.text()).to_ascii_lowercase());
    match (priority.as_deref(), envelope.class) {
        _ if envelope.flags.is_response => spans.dsn,
        (Some(b"urgent"), _) => spans.urgent,
        (Some(b"non-urgent"), _) => spans.non_urgent,
        (Some(b"normal"), _) => spans.normal,
        (_, class) if class > 0 => spans.urgent,
        (_, class) if class < 0 => spans.non_urgent,
        _ => spans.normal,
    }
}

/// A success is told when it was asked for and nobody behind us will tell.
fn tells_success(recipient: &Recipient) -> bool {
    matches!(recipient.state, State::Sent | State::Expanded)
        && recipient.success.is_some_and(|kind| match kind {
            Success::ByNotify | Success::ByTrace => true,
            Success::Passed => false,
            _ => recipient.notify.success,
        })
}

/// The sender as a report is addressed to it.
pub fn return_address(envelope: &Envelope) -> Bytes {
    if envelope.sender_given.is_empty() { envelope.sender.clone() } else { envelope.sender_given.clone() }
}

fn returns_body(envelope: &Envelope, config: &Config) -> bool {
    use crate::envelope::Ret;
    envelope.ret != Some(Ret::Headers)
        && !envelope.flags.no_body_return
        && !config.options.privacy_options.has(Privacy::NO_BODY_RETURN)
}
