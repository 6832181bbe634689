//! Completing the header of an envelope as the `H` lines say; its priority.

use bytes::Bytes;
use jiff::tz::TimeZone;

use super::Envelope;
use super::told::set_moment;
use crate::base::bytes::trim;
use crate::config::{Config, HeaderRule};
use crate::macros::{MacroId, Scope, Template, names};
use crate::message::{Condition, Header, HeaderList, HeaderValue, fields};

/// Adds what the header lacks, in front of what it has, in the order of the `H` lines.
///
/// Also for messages that we compose. Source: op guide 5.5; observed: cli/headers-added, cli/resent.
pub fn complete_header(envelope: &mut Envelope, config: &Config, zone: &TimeZone) {
    drop_empty(&mut envelope.headers, config);
    let scope = scope(envelope, zone);
    let is_resent = envelope.headers.iter().any(|h| fields::has(&h.name, fields::RESENT));
    let mut added = HeaderList::default();
    for rule in &config.headers {
        let Some(template) = &rule.template else { continue };
        let bits = fields::bits(&rule.name);
        let is_skipped = bits & fields::RESENT != 0 && !is_resent;
        if is_skipped || (has_value(&envelope.headers, &rule.name) && bits & fields::ADD_ALWAYS == 0) {
            take_condition(&mut envelope.headers, rule, bits);
            continue;
        }
        let keeps_empty =
            rule.condition == Condition::Always && template.as_literal().is_none_or(|text| !trim(&text).is_empty());
        let Some(mut value) = value(template, bits, keeps_empty, &scope) else { continue };
        if let HeaderValue::Text(text) = &mut value
            && rule.name.eq_ignore_ascii_case(b"full-name")
        {
            *text = without_quotes(text);
        }
        added.push(Header { name: rule.name.clone(), value, condition: rule.condition.clone(), is_default: true });
    }
    for (at, header) in added.iter().enumerate() {
        envelope.headers.insert(at, header.clone());
    }
}

/// Class of the `Precedence` field; 0 without one and for a name that no `P` line has.
pub fn class(headers: &HeaderList, config: &Config) -> i64 {
    let Some(header) = headers.first("precedence") else { return 0 };
    let name = trim(header.text());
    config.precedences.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or(0, |(_, class)| *class)
}

/// `P`: the size, a step per precedence class, a step per recipient. Source: op guide 2.3.2; observed.
pub fn priority(envelope: &Envelope, config: &Config) -> i64 {
    let size = i64::try_from(envelope.size_bytes).unwrap_or(i64::MAX);
    let recipients = i64::try_from(envelope.counted_recipients()).unwrap_or(i64::MAX);
    size.saturating_sub(envelope.class.saturating_mul(config.options.class_factor))
        .saturating_add(recipients.saturating_mul(config.options.recipient_factor))
}

/// Macros as they are while the header is completed.
fn scope(envelope: &Envelope, zone: &TimeZone) -> Scope {
    let mut scope = envelope.scope.clone();
    scope.set(names::QUEUE_ID, envelope.id.as_str().to_owned());
    set_moment(&mut scope, envelope.created, zone);
    unless_set(&mut scope, names::SENDER, &envelope.sender);
    unless_set(&mut scope, names::SENDER_FOR_RECIPIENT, &envelope.sender);
    match envelope.only_named().filter(|_| !envelope.flags.had_refused_recipient) {
        Some(recipient) => scope.set(names::RCPT_USER, recipient.address.clone()),
        None => scope.unset(names::RCPT_USER),
    }
    if let Some(full_name) = envelope.headers.first("full-name") {
        scope.set(names::FULL_NAME, Bytes::copy_from_slice(trim(full_name.text())));
    }
    scope
}

fn unless_set(scope: &mut Scope, id: MacroId, text: &Bytes) {
    if scope.value(id).is_none() {
        scope.set(id, text.clone());
    }
}

/// Fields that the `H` lines know how to fill are as good as missing when they are empty. Source: observed.
fn drop_empty(headers: &mut HeaderList, config: &Config) {
    let is_filled = |name: &[u8]| {
        !fields::has(name, fields::ADD_ALWAYS)
            && config.headers.iter().any(|rule| rule.template.is_some() && rule.name.eq_ignore_ascii_case(name))
    };
    headers.retain(|h| has_text(h) || !is_filled(&h.name));
}

fn has_text(header: &Header) -> bool {
    matches!(header.value, HeaderValue::Template(_)) || !trim(header.text()).is_empty()
}

fn has_value(headers: &HeaderList, name: &[u8]) -> bool {
    headers.iter().any(|h| h.name.eq_ignore_ascii_case(name) && has_text(h))
}

/// A given field that needs a mailer flag needs the one its `H` line names.
fn take_condition(headers: &mut HeaderList, rule: &HeaderRule, bits: u32) {
    if bits & fields::NEEDS_FLAG == 0 || bits & fields::ADD_ALWAYS != 0 {
        return;
    }
    for header in headers.iter_mut().filter(|h| h.name.eq_ignore_ascii_case(&rule.name)) {
        header.condition = rule.condition.clone();
    }
}

/// A quoted full name as the words it stands for: a phrase needs the quotes, the field of its own does not.
fn without_quotes(text: &Bytes) -> Bytes {
    let start = text.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let (lead, name) = text.split_at(start);
    let Some(inner) = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")) else { return text.clone() };
    let mut out = lead.to_vec();
    let mut bytes = inner.iter();
    while let Some(b) = bytes.next() {
        out.push(*if *b == b'\\' { bytes.next().unwrap_or(b) } else { b });
    }
    out.into()
}

/// Text of an added field; `None` when it comes out empty, unless it is one that says something at other times. Source: observed.
fn value(template: &Template, bits: u32, keeps_empty: bool, scope: &Scope) -> Option<HeaderValue> {
    if bits & fields::LATE != 0 {
        return Some(HeaderValue::Template(template.clone()));
    }
    let text = Bytes::from(template.expand(scope));
    (keeps_empty || !trim(&text).is_empty()).then_some(HeaderValue::Text(text))
}
