//! The part of a report that machines read: message/delivery-status.
//!
//! Shape: fields of the message, an empty line, then for each recipient its fields and an empty line. Source: RFC 3464 §2;
//! order observed.

use bytes::Bytes;

use super::compose::Facts;
use super::decide::{Report, return_limit};
use super::text::told;
use crate::base::bytes::split_once;
use crate::base::date;
use crate::base::domain::without_final_dot;
use crate::base::status::Status;
use crate::base::time::UnixTime;
use crate::base::xtext;
use crate::config::Mailer;
use crate::config::privacy::Privacy;
use crate::envelope::recipient::Success;
use crate::envelope::{Envelope, Recipient, State};
use crate::macros::names;

/// The whole part, behind its header.
pub(super) fn render(report: &Report, envelope: &Envelope, facts: &Facts) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(envid) = &envelope.envid {
        let plain = xtext::decode(envid).map_or_else(|| envid.clone(), Bytes::from);
        field(&mut out, "Original-Envelope-Id", &[&plain]);
    }
    field(&mut out, "Reporting-MTA", &[b"dns; ", facts.host]);
    if let Some(client) = received_from(envelope).filter(|_| !facts.is_from_queue) {
        field(&mut out, "Received-From-MTA", &[b"DNS; ", &client]);
    }
    field(&mut out, "Arrival-Date", &[date::rfc822(envelope.created, facts.zone).as_bytes()]);
    if let Some((seconds, _)) = &envelope.deliver_by {
        let until = UnixTime(envelope.created.0.saturating_add(*seconds));
        field(&mut out, "Deliver-By-Date", &[date::rfc822(until, facts.zone).as_bytes()]);
    }
    out.push(b'\n');
    for recipient in told(report, envelope) {
        render_recipient(&mut out, recipient, envelope, facts);
    }
    out
}

fn render_recipient(out: &mut Vec<u8>, recipient: &Recipient, envelope: &Envelope, facts: &Facts) {
    if let Some(original) = &recipient.original {
        field(out, "Original-Recipient", &[&original_recipient(original)]);
    }
    let mailer = recipient.route.as_ref().and_then(|route| facts.config.mailers.get(route.mailer.0));
    // Where addresses of our own are none of RFC 822, the address is told as its mailer has it, once. Source: observed.
    let has_internet_names =
        facts.config.mailer(b"local").and_then(|id| facts.config.mailers.get(id.0)).is_none_or(is_internet);
    if has_internet_names {
        let last = recipient.final_recipient.clone().unwrap_or_else(|| {
            Bytes::from([b"RFC822; ".as_slice(), &qualified(&recipient.address, facts.host)].concat())
        });
        field(out, "Final-Recipient", &[&last]);
        if !facts.config.options.privacy_options.has(Privacy::NO_ACTUAL_RECIPIENT) {
            field(out, "X-Actual-Recipient", &[&actual(recipient, mailer, facts.host)]);
        }
    } else {
        let kind = mailer.map(|m| m.address_type.as_ref()).filter(|kind| !kind.is_empty()).unwrap_or(b"rfc822");
        field(out, "Final-Recipient", &[kind, b"; ", &recipient.address]);
    }
    field(out, "Action", &[action(recipient).as_bytes()]);
    field(out, "Status", &[status(recipient).to_string().as_bytes()]);
    if let Some(host) = &recipient.remote_mta {
        let kind = mailer.map(|m| m.mta_type.as_ref()).filter(|t| !t.is_empty()).unwrap_or(b"DNS");
        field(out, "Remote-MTA", &[kind, b"; ", without_final_dot(host)]);
    }
    if let Some(code) = diagnostic(recipient, mailer) {
        field(out, "Diagnostic-Code", &[&code]);
    }
    let tried = recipient.last_try.or(envelope.last_try).unwrap_or(facts.now);
    field(out, "Last-Attempt-Date", &[date::rfc822(tried, facts.zone).as_bytes()]);
    // Who was answered by himself is not told of it. Source: observed.
    if recipient.state == State::Queued && recipient.message.is_none() {
        let limit = i64::try_from(return_limit(envelope, &facts.config.timeouts).as_secs()).unwrap_or(0);
        let until = UnixTime(envelope.created.0.saturating_add(limit));
        field(out, "Will-Retry-Until", &[date::rfc822(until, facts.zone).as_bytes()]);
    }
    out.push(b'\n');
}

/// Name of the host that gave us the message; `None` for one of our own users.
fn received_from(envelope: &Envelope) -> Option<Bytes> {
    let protocol = envelope.scope.text(names::PROTOCOL);
    if protocol.is_empty() || protocol == "internal" {
        return None;
    }
    let info = envelope.scope.text(names::CLIENT_INFO);
    let host = split_once(&info, b' ').map_or(info.as_ref(), |(host, _)| host);
    let host = memchr::memrchr(b'@', host).and_then(|at| host.get(at + 1..)).unwrap_or(host);
    (!host.is_empty()).then(|| Bytes::copy_from_slice(host))
}

fn original_recipient(original: &Bytes) -> Bytes {
    let Some((kind, address)) = split_once(original, b';') else { return original.clone() };
    match xtext::decode(address) {
        Some(plain) => Bytes::from([kind, b";", &plain].concat()),
        None => original.clone(),
    }
}

/// Where it really went: the user that its mailer is told, with the mailer's type of addresses (`T=`). Source: observed.
fn actual(recipient: &Recipient, mailer: Option<&Mailer>, host: &[u8]) -> Bytes {
    let user = recipient.route.as_ref().map(|route| route.user.as_ref()).filter(|user| !user.is_empty());
    let address = user.unwrap_or(&recipient.address);
    if let Some(mailer) = mailer.filter(|m| !is_internet(m)) {
        return [mailer.address_type.as_ref(), b"; ", address].concat().into();
    }
    let bare = address.strip_prefix(b"\"").and_then(|a| a.strip_suffix(b"\"")).unwrap_or(address);
    if mailer.is_none() && (bare.starts_with(b"|") || bare.starts_with(b"/")) {
        return Bytes::from([b"X-Unix; ", bare].concat());
    }
    Bytes::from([b"rfc822; ".as_slice(), &qualified(address, host)].concat())
}

/// Whether a mailer's addresses are those of mail, which is so when `T=` says nothing else.
fn is_internet(mailer: &Mailer) -> bool {
    mailer.address_type.is_empty() || mailer.address_type.eq_ignore_ascii_case(b"rfc822")
}

/// Without brackets, with a domain.
fn qualified(address: &[u8], host: &[u8]) -> Vec<u8> {
    let bare = address.strip_prefix(b"<").and_then(|a| a.strip_suffix(b">")).unwrap_or(address);
    if bare.contains(&b'@') || bare.starts_with(b"|") || bare.starts_with(b"/") || bare.starts_with(b"\"") {
        return bare.to_vec();
    }
    [bare, b"@", host].concat()
}

fn action(recipient: &Recipient) -> &'static str {
    match (recipient.state, recipient.success) {
        (State::Queued, _) => "delayed",
        (State::Sent | State::Expanded, Some(Success::List)) => "delivered (to mailing list)",
        (State::Sent | State::Expanded, Some(Success::Relayed | Success::Passed)) => {
            "relayed (to non-DSN-aware mailer)"
        }
        (State::Sent | State::Expanded, Some(Success::Expanded)) => "expanded (to multi-recipient alias)",
        (State::Sent | State::Expanded, Some(Success::ByNotify)) => "relayed (Deliver-By notify mode)",
        (State::Sent | State::Expanded, Some(Success::ByTrace)) => "relayed (Deliver-By trace mode)",
        (State::Sent | State::Expanded, _) => "delivered (to mailbox)",
        _ => "failed",
    }
}

fn status(recipient: &Recipient) -> Status {
    recipient.status.unwrap_or(match (recipient.state, recipient.success) {
        (State::Queued, _) => Status(4, 0, 0),
        (State::Sent, Some(Success::Delivered)) => Status(2, 1, 5),
        (State::Sent | State::Expanded, _) => Status(2, 0, 0),
        _ => Status(5, 0, 0),
    })
}

/// The server's words or the program's exit code, with their kind.
fn diagnostic(recipient: &Recipient, mailer: Option<&Mailer>) -> Option<Bytes> {
    let text = match (&recipient.remote_reply, recipient.program_exit) {
        (Some(reply), _) => reply.clone(),
        (None, Some(exit)) => exit.to_string().into(),
        (None, None) => return None,
    };
    let kind = match mailer.map(|m| m.diagnostic_type.as_ref()).filter(|t| !t.is_empty()) {
        Some(kind) => kind,
        None if recipient.remote_mta.is_some() => b"SMTP",
        None => b"X-Unix",
    };
    Some(Bytes::from([kind, b"; ", &text].concat()))
}

fn field(out: &mut Vec<u8>, name: &str, parts: &[&[u8]]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    for part in parts {
        // Foreign words must not begin a field of their own.
        out.extend(part.iter().map(|b| if matches!(b, b'\r' | b'\n' | 0) { b' ' } else { *b }));
    }
    out.push(b'\n');
}
