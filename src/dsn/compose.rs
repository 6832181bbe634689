//! A report as a message.

use bytes::Bytes;
use jiff::tz::TimeZone;

use super::decide::Report;
use super::{status, text};
use crate::base::time::UnixTime;
use crate::config::Config;
use crate::envelope::{BodyType, Envelope, Notify, QueueId, Recipient, SenderUser};
use crate::macros::{Scope, names};
use crate::message::{Condition, Header, HeaderList, HeaderValue, fields};

/// What a report needs to know besides the message.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Configuration.
    pub config: &'a Config,
    /// Macros of the process.
    pub scope: &'a Scope,
    /// Our name.
    pub host: &'a [u8],
    /// Zone of dates.
    pub zone: &'a TimeZone,
    /// Now.
    pub now: UnixTime,
    /// The message was tried by a queue run, which knows no client.
    pub is_from_queue: bool,
    /// Text of `ErrorHeader`, read when it names a file, and expanded.
    pub error_header: Option<Bytes>,
}

/// Piece of a report's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// As it is.
    Text(Bytes),
    /// The body of the message that the report is about.
    Original,
}

/// A report, ready to be completed ([`crate::envelope::complete::complete_header`]) and committed.
#[derive(Debug)]
pub struct Composed {
    /// Its envelope.
    pub envelope: Envelope,
    /// Its body, in order.
    pub body: Vec<Part>,
}

/// Makes the report `id` about `envelope`.
///
/// The recipients are not resolved yet. Source: RFC 3462, RFC 3464; observed (bounces).
pub fn compose(report: &Report, envelope: &Envelope, transcript: &[u8], id: QueueId, facts: &Facts) -> Composed {
    let is_mime = facts.config.options.send_mime_errors;
    let is_8bit = envelope.flags.has_8bit_body;
    let boundary = format!("{id}.{}/{}", facts.now.0, String::from_utf8_lossy(facts.host));
    let mut own = new_envelope(report, envelope, id, facts);
    own.headers = header(report, envelope, is_mime.then_some(&boundary), is_8bit);
    own.body_type = (is_mime && is_8bit).then_some(BodyType::EightBitMime);
    let words = text::text(report, envelope, transcript, facts);
    let body = if is_mime {
        mime_body(report, envelope, &words, &boundary, is_8bit, facts)
    } else {
        plain_body(report, envelope, &words, facts)
    };
    Composed { envelope: own, body }
}

fn new_envelope(report: &Report, envelope: &Envelope, id: QueueId, facts: &Facts) -> Envelope {
    let mut scope = facts.scope.clone();
    for saved in [names::DAEMON_FLAGS, names::IF_ADDR] {
        if envelope.scope.value(saved).is_some() {
            scope.set(saved, envelope.scope.text(saved));
        }
    }
    scope.set(names::CLIENT_INFO, "localhost");
    scope.set(names::PROTOCOL, "");
    scope.set(names::HELO, "localhost");
    scope.set(names::FULL_NAME, "Mail Delivery Subsystem");
    for name in [names::SENDER, names::SENDER_FOR_RECIPIENT] {
        scope.set(name, daemon_user(facts));
    }
    let mut own = Envelope::new(id, facts.now, scope);
    own.sender_user = SenderUser::Unknown;
    own.flags.is_response = true;
    own.flags.no_body_return = !report.returns_body;
    own.queue_group = envelope.queue_group;
    own.size_bytes = if report.returns_body { envelope.size_bytes.saturating_add(REPORT) } else { 0 };
    for address in &report.to {
        let mut recipient = Recipient::new(address.clone());
        recipient.notify = Notify { is_given: false, success: false, failure: true, delay: false };
        own.recipients.push(recipient);
    }
    own.priority = crate::envelope::complete::priority(&own, facts.config);
    own
}

fn daemon_user(facts: &Facts) -> Bytes {
    let user = facts.scope.text(names::DAEMON_USER);
    if user.is_empty() { Bytes::from_static(b"MAILER-DAEMON") } else { user }
}

fn header(report: &Report, envelope: &Envelope, boundary: Option<&String>, is_8bit: bool) -> HeaderList {
    let mut list = HeaderList::default();
    for address in &report.to {
        list.push(Header::new("To", [b" ", address.as_ref()].concat()));
    }
    if let Some(boundary) = boundary {
        list.push(Header::new("MIME-Version", " 1.0"));
        let value = format!(" multipart/report; report-type=delivery-status;\n\tboundary=\"{boundary}\"");
        list.push(Header::new("Content-Type", value));
        if is_8bit {
            list.push(Header::new("Content-Transfer-Encoding", " 8bit"));
        }
    }
    list.push(Header::new("Subject", [b" ", text::subject(report, envelope).as_ref()].concat()));
    let value = format!(" auto-generated ({})", text::submitted(report.kind));
    list.push(Header::new("Auto-Submitted", value));
    list
}

/// Three parts: words, status, and the message or its header.
fn mime_body(
    report: &Report,
    envelope: &Envelope,
    words: &[u8],
    boundary: &str,
    is_8bit: bool,
    facts: &Facts,
) -> Vec<Part> {
    let mut out = Vec::new();
    out.extend_from_slice(format!("This is a MIME-encapsulated message\n\n--{boundary}\n\n").as_bytes());
    out.extend_from_slice(words);
    out.extend_from_slice(format!("--{boundary}\nContent-Type: message/delivery-status\n\n").as_bytes());
    out.extend_from_slice(&status::render(report, envelope, facts));
    let kind = if report.returns_body { "message/rfc822" } else { "text/rfc822-headers" };
    out.extend_from_slice(format!("--{boundary}\nContent-Type: {kind}\n").as_bytes());
    if is_8bit {
        out.extend_from_slice(b"Content-Transfer-Encoding: 8bit\n");
    }
    out.push(b'\n');
    out.extend_from_slice(&returned_header(envelope, facts));
    let end = format!("\n--{boundary}--\n\n");
    if !report.returns_body {
        out.extend_from_slice(end.as_bytes());
        return vec![Part::Text(out.into())];
    }
    out.push(b'\n');
    vec![Part::Text(out.into()), Part::Original, Part::Text(end.into())]
}

/// `SendMimeErrors` off: words, then the message or its header.
fn plain_body(report: &Report, envelope: &Envelope, words: &[u8], facts: &Facts) -> Vec<Part> {
    let mut out = words.to_vec();
    let line = if report.returns_body { "Original message follows" } else { "Message header follows" };
    out.extend_from_slice(format!("   ----- {line} -----\n\n").as_bytes());
    out.extend_from_slice(&returned_header(envelope, facts));
    if !report.returns_body {
        out.extend_from_slice(b"\n   ----- Message body suppressed -----\n");
        return vec![Part::Text(out.into())];
    }
    out.push(b'\n');
    vec![Part::Text(out.into()), Part::Original, Part::Text(Bytes::from_static(b"\n"))]
}

/// The header of the message as its sender would see it.
fn returned_header(envelope: &Envelope, facts: &Facts) -> Vec<u8> {
    let mut scope = envelope.scope.clone();
    let given = envelope.sender_given.as_ref();
    let bare = match given.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">")) {
        Some(bare) => bare,
        // With a phrase or comments, which the address is without.
        None if !envelope.sender.is_empty() => &envelope.sender,
        None => given,
    };
    let is_report = envelope.flags.is_response && envelope.sender.is_empty();
    let bare = if is_report { scope.text(names::DAEMON_USER) } else { Bytes::copy_from_slice(bare) };
    scope.set(names::SENDER_FOR_RECIPIENT, bare);
    let mut out = Vec::new();
    let is_request = |h: &Header| facts.config.options.rrt_implies_dsn && fields::has(&h.name, fields::RECEIPT);
    for header in envelope.headers.iter().filter(|h| is_returned(h, &scope, facts.config) && !is_request(h)) {
        let value = match &header.value {
            _ if fields::has(&header.name, fields::BCC) => Bytes::new(),
            // The field that was made for a message of nobody's names nobody. Source: observed (bounce/notify-never).
            _ if header.is_default && header.is("From") && envelope.sender.is_empty() && !is_report => {
                Bytes::from_static(b" ")
            }
            HeaderValue::Text(text) => text.clone(),
            HeaderValue::Template(template) => template.expand(&scope).into(),
        };
        if !(fields::has(&header.name, fields::BCC) && envelope.flags.delete_bcc) {
            for part in [header.name.as_ref(), b":", &value, b"\n"] {
                out.extend_from_slice(part);
            }
        }
    }
    out
}

/// `Full-Name` and the like serve us alone; `Return-Path` is ours when it is a template. What no mailer wants is not shown.
fn is_returned(header: &Header, scope: &Scope, config: &Config) -> bool {
    match &header.condition {
        Condition::Macro(id) => !scope.text(*id).is_empty(),
        _ if fields::has(&header.name, fields::NEEDS_FLAG) => matches!(header.value, HeaderValue::Template(_)),
        Condition::MailerFlags(letters) => config.mailers.iter().any(|m| m.flags.intersects(*letters)),
        Condition::Always => true,
    }
}

/// What a report adds to the size of the message it returns, as `size=` and `pri=` count it. Source: observed.
const REPORT: u64 = 1024;

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
