//! The part of a report that people read.

use bytes::Bytes;

use super::compose::Facts;
use super::decide::{Kind, Report};
use crate::base::date;
use crate::base::exit::Exit;
use crate::envelope::recipient::Success;
use crate::envelope::{Envelope, Recipient, State};
use crate::macros::names;

/// `Subject:`.
pub(super) fn subject(report: &Report, envelope: &Envelope) -> Bytes {
    match report.kind {
        Kind::Failure => Bytes::from_static(b"Returned mail: see transcript for details"),
        Kind::Success => Bytes::from_static(b"Return receipt"),
        Kind::Postmaster => Bytes::from_static(b"Postmaster notify: see transcript for details"),
        Kind::Delay => envelope.message.clone().unwrap_or_else(|| Bytes::from_static(b"Warning: message delayed")),
    }
}

/// Word in parentheses of `Auto-Submitted:`.
pub(super) fn submitted(kind: Kind) -> &'static str {
    match kind {
        Kind::Failure => "failure",
        Kind::Delay => "warning-timeout",
        Kind::Success => "return-receipt",
        Kind::Postmaster => "postmaster-notification",
    }
}

/// The text, from the warning box to the transcript; ends with an empty line.
pub(super) fn text(report: &Report, envelope: &Envelope, transcript: &[u8], facts: &Facts) -> Vec<u8> {
    let mut out = Vec::new();
    if report.kind == Kind::Delay && !report.has_failures {
        out.extend_from_slice(WARNING.as_bytes());
    }
    let received = date::rfc822(envelope.created, facts.zone);
    add(&mut out, &[b"The original message was received at ", received.as_bytes(), b"\n"]);
    let client = envelope.scope.text(names::CLIENT_INFO);
    let client = if client.is_empty() { Bytes::from_static(b"localhost") } else { client };
    add(&mut out, &[b"from ", &client, b"\n"]);
    if report.kind == Kind::Postmaster {
        add(&mut out, &[b"with id ", envelope.id.as_str().as_bytes(), b"\n"]);
    }
    out.push(b'\n');
    if let Some(own) = &facts.error_header {
        add(&mut out, &[own, if own.ends_with(b"\n") { b"\n" } else { b"\n\n" }]);
    }
    failures(&mut out, report, envelope);
    late(&mut out, report, envelope);
    successes(&mut out, report, envelope);
    if !transcript.is_empty() {
        out.extend_from_slice(b"   ----- Transcript of session follows -----\n");
        for line in transcript.strip_suffix(b"\n").unwrap_or(transcript).split(|b| *b == b'\n') {
            // Observed: what a program said must not look like the beginning of a message.
            let mark: &[u8] = if line.starts_with(b"From ") { b">" } else { b"" };
            add(&mut out, &[mark, line, b"\n"]);
        }
    }
    out.push(b'\n');
    out
}

fn failures(out: &mut Vec<u8>, report: &Report, envelope: &Envelope) {
    let mut failed = told(report, envelope).filter(|r| r.state == State::Failed).peekable();
    if failed.peek().is_none() {
        return;
    }
    out.extend_from_slice(b"   ----- The following addresses had permanent fatal errors -----\n");
    for recipient in failed {
        add(out, &[&recipient.address, b"\n"]);
        if let Some(reason) = reason(recipient) {
            add(out, &[b"    (reason: ", &reason, b")\n"]);
        }
        expanded_from(out, recipient, envelope);
    }
    out.push(b'\n');
}

/// Recipients whose time is over (DELIVERBY); those that only take long are in the transcript. Source: observed.
fn late(out: &mut Vec<u8>, report: &Report, envelope: &Envelope) {
    if !report.is_late {
        return;
    }
    out.extend_from_slice(b"   ----- The following addresses had transient non-fatal errors -----\n");
    for recipient in told(report, envelope).filter(|r| r.state == State::Queued) {
        add(out, &[&recipient.address, b"\n"]);
        expanded_from(out, recipient, envelope);
    }
    out.push(b'\n');
}

fn successes(out: &mut Vec<u8>, report: &Report, envelope: &Envelope) {
    let is_done = |r: &&Recipient| matches!(r.state, State::Sent | State::Expanded);
    let mut done = told(report, envelope).filter(is_done).peekable();
    if done.peek().is_none() {
        return;
    }
    out.extend_from_slice(b"   ----- The following addresses had successful delivery notifications -----\n");
    for recipient in done {
        let words = match recipient.success {
            Some(Success::List) => "successfully delivered to mailing list",
            Some(Success::Relayed | Success::Passed) => "relayed to non-DSN-aware mailer",
            Some(Success::Expanded) => "expanded by alias",
            Some(Success::ByNotify) => "Deliver-By notify: relayed",
            Some(Success::ByTrace) => "Deliver-By trace: relayed",
            Some(Success::Delivered) | None => "successfully delivered to mailbox",
        };
        add(out, &[&recipient.address, b"  (", words.as_bytes(), b")\n"]);
        expanded_from(out, recipient, envelope);
    }
    out.push(b'\n');
}

/// Why it failed: the server's words, or those for the program's exit code.
fn reason(recipient: &Recipient) -> Option<Bytes> {
    if let Some(reply) = &recipient.remote_reply {
        return Some(reply.clone());
    }
    let exit = recipient.program_exit?;
    Some(Exit(exit).row().map_or_else(|| exit.to_string().into(), |row| Bytes::from_static(row.text.as_bytes())))
}

/// The alias or list that it came out of.
fn expanded_from(out: &mut Vec<u8>, recipient: &Recipient, envelope: &Envelope) {
    let from = match recipient.parent.and_then(|at| envelope.recipients.get(at)) {
        Some(alias) => alias.address.clone(),
        // Read from the queue, what is left of the first address is the controlling user's.
        None if recipient.is_from_alias => match &recipient.controller {
            Some(controller) => controller.address.clone(),
            None => return,
        },
        None => return,
    };
    add(out, &[b"    (expanded from: ", &from, b")\n"]);
}

/// Recipients that the report tells of.
pub(super) fn told<'a>(report: &'a Report, envelope: &'a Envelope) -> impl Iterator<Item = &'a Recipient> {
    report.recipients.iter().filter_map(|at| envelope.recipients.get(*at))
}

fn add(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Source: observed (bounce/delayed-warning).
const WARNING: &str = "    **********************************************\n\
    \x20   **      THIS IS A WARNING MESSAGE ONLY      **\n\
    \x20   **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n\
    \x20   **********************************************\n\n";
