//! Writing a control file.

use bytes::Bytes;

use super::{Codec, DELIVER_BY, DataFile, MACRO, NULL_SENDER, QUOTE};
use crate::address::list::{FOLD, List};
use crate::envelope::{BodyType, Controller, Envelope, Flags, Recipient, Ret, State};
use crate::macros::{MacroId, Piece, Template, Value, names};
use crate::message::{Condition, Header, HeaderValue, fields};

/// The control file of an envelope. Recipients that are done are left out.
///
/// Shape: order of lines as the original writes them. A newline inside a value that may not have one becomes a blank.
pub fn render(envelope: &Envelope, codec: &Codec, data: DataFile<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    line(&mut out, b"V", b"8");
    number(&mut out, b"T", envelope.created.0);
    number(&mut out, b"K", envelope.last_try.map_or(0, |at| at.0));
    number(&mut out, b"N", i64::from(envelope.tries));
    number(&mut out, b"P", envelope.priority);
    if let Some((major, minor, inode)) = data.inode {
        line(&mut out, b"I", format!("{major}/{minor}/{inode}").as_bytes());
    }
    if let Some(body) = envelope.body_type {
        line(&mut out, b"B", if body == BodyType::SevenBit { b"7BIT" } else { b"8BITMIME" });
    }
    if let Some(reason) = &envelope.quarantine {
        line(&mut out, b"q", reason);
    }
    if let Some(message) = &envelope.message {
        line(&mut out, b"M", message);
    }
    let flags = flag_letters(&envelope.flags, envelope.ret);
    if !flags.is_empty() {
        line(&mut out, b"F", flags.as_bytes());
    }
    macros(&mut out, envelope, codec);
    line(&mut out, b"S", sender(envelope));
    if let Some(envid) = &envelope.envid {
        line(&mut out, b"Z", envid);
    }
    if let Some(auth) = &envelope.auth {
        line(&mut out, b"A", auth);
    }
    if let Some((seconds, mode)) = &envelope.deliver_by {
        line(&mut out, b"!", &[&[deliver_by_bits(mode), b' '], seconds.to_string().as_bytes()].concat());
    }
    if let Some(directory) = data.directory {
        line(&mut out, b"d", directory);
    }
    let mut controller = None;
    for recipient in envelope.recipients.iter().filter(|r| r.state == State::Queued) {
        write_recipient(&mut out, recipient, &mut controller);
    }
    for header in &envelope.headers {
        write_header(&mut out, header, envelope.flags.old_style, codec);
    }
    out.extend_from_slice(b".\n");
    out
}

/// The sender as it was given; the null sender of a report has a name of its own.
fn sender(envelope: &Envelope) -> &[u8] {
    match (envelope.sender_given.as_ref(), envelope.sender.as_ref()) {
        (b"", b"") if envelope.flags.is_response => NULL_SENDER,
        (b"", b"") => b"<>",
        (b"", bare) => bare,
        (given, _) => given,
    }
}

/// Mode letters of `BY=` as the `!` line has them. Source: observed.
fn deliver_by_bits(mode: &[u8]) -> u8 {
    DELIVER_BY.iter().filter(|(letter, _)| mode.contains(letter)).fold(0, |bits, (_, bit)| bits | bit)
}

/// Letters of the `F` line in their order.
pub fn flag_letters(flags: &Flags, ret: Option<Ret>) -> String {
    [
        (flags.warning_sent, 'w'),
        (flags.is_response, 'r'),
        (flags.has_8bit_body, '8'),
        (flags.delete_bcc, 'b'),
        (ret.is_some(), 'd'),
        (flags.no_body_return || ret == Some(Ret::Headers), 'n'),
        (flags.is_split, 's'),
    ]
    .iter()
    .filter(|(is_set, _)| *is_set)
    .map(|(_, letter)| *letter)
    .collect()
}

/// Letters in front of a recipient's address in their order.
pub fn recipient_letters(recipient: &Recipient) -> String {
    let notify = recipient.notify;
    [
        (recipient.is_primary, 'P'),
        (notify.is_given, 'N'),
        (notify.success, 'S'),
        (notify.failure, 'F'),
        (notify.delay, 'D'),
        (recipient.is_from_alias, 'A'),
    ]
    .iter()
    .filter(|(is_set, _)| *is_set)
    .map(|(_, letter)| *letter)
    .collect()
}

fn macros(out: &mut Vec<u8>, envelope: &Envelope, codec: &Codec) {
    for id in &codec.persistent {
        let value = match envelope.scope.changes().find(|(own, _)| own == id).map(|(_, value)| value) {
            Some(Some(Value::Text(text))) => text.clone(),
            Some(Some(Value::Template(template))) => template.expand(&envelope.scope).into(),
            None if *id == names::DAEMON_FLAGS => Bytes::new(),
            None | Some(None) => continue,
        };
        if value.is_empty() && *id == names::IF_ADDR {
            continue;
        }
        line(out, format!("${}", codec.shown(*id)).as_bytes(), &value);
    }
}

fn write_recipient<'a>(out: &mut Vec<u8>, recipient: &'a Recipient, last: &mut Option<&'a Controller>) {
    if let Some(message) = &recipient.message {
        line(out, b"M", message);
    }
    let controller = recipient.controller.as_ref();
    if controller != *last {
        match controller {
            Some(c) if c.user.is_empty() => line(out, b"C:", &c.address),
            Some(c) => {
                let head = [b"C", c.user.as_ref(), format!(":{}:{}:", c.uid, c.gid).as_bytes()].concat();
                line(out, &head, &c.address);
            }
            None => line(out, b"C", b""),
        }
        *last = controller;
    }
    if let Some(original) = &recipient.original {
        line(out, b"Q", original);
    }
    if let Some(last) = &recipient.final_recipient {
        line(out, b"r", last);
    }
    line(out, format!("R{}:", recipient_letters(recipient)).as_bytes(), &recipient.address);
}

fn write_header(out: &mut Vec<u8>, header: &Header, old_style: bool, codec: &Codec) {
    out.extend_from_slice(b"H?");
    match &header.condition {
        Condition::Always => {}
        Condition::MailerFlags(letters) => out.extend_from_slice(letters.to_string().as_bytes()),
        Condition::Macro(id) => {
            out.push(MACRO);
            out.extend_from_slice(codec.shown(*id).as_bytes());
        }
    }
    out.push(b'?');
    let has_addresses = fields::has(&header.name, fields::SENDER | fields::RECIPIENT);
    if has_addresses && !header.text().trim_ascii().is_empty() {
        let mut text = Vec::new();
        let old_style = old_style && fields::has(&header.name, fields::RECIPIENT);
        List::parse(header.text(), old_style).write(&mut text, &header.name, FOLD, b"\n");
        return header_text(out, &text);
    }
    out.extend_from_slice(&header.name);
    out.push(b':');
    match &header.value {
        HeaderValue::Text(text) => header_text(out, text),
        HeaderValue::Template(template) => write_template(out, template, codec),
    }
    out.push(b'\n');
}

/// A value whose continuation lines begin with white space, whatever it holds.
fn header_text(out: &mut Vec<u8>, text: &[u8]) {
    let mut at_line_start = false;
    for b in text {
        if at_line_start && !matches!(b, b' ' | b'\t') {
            out.push(b'\t');
        }
        at_line_start = *b == b'\n';
        if matches!(*b, 0x80..=0x9f | QUOTE) {
            out.push(QUOTE);
        }
        if *b != 0 {
            out.push(*b);
        }
    }
}

fn write_template(out: &mut Vec<u8>, template: &Template, codec: &Codec) {
    let reference = |out: &mut Vec<u8>, operator: &[u8], id: &MacroId| {
        out.push(MACRO);
        out.extend_from_slice(operator);
        out.extend_from_slice(codec.shown(*id).as_bytes());
    };
    for piece in template.pieces() {
        match piece {
            Piece::Text(text) => header_text(out, text),
            Piece::Macro(id) => reference(out, b"", id),
            Piece::Deferred(id) => reference(out, b"&", id),
            Piece::If(id) => reference(out, b"?", id),
            Piece::Operator(byte) => out.extend_from_slice(&[MACRO, *byte]),
            Piece::Else => out.extend_from_slice(&[MACRO, b'|']),
            Piece::EndIf => out.extend_from_slice(&[MACRO, b'.']),
        }
    }
}

fn number(out: &mut Vec<u8>, head: &[u8], value: i64) {
    line(out, head, value.to_string().as_bytes());
}

/// One line; what would break it into two is made a blank.
fn line(out: &mut Vec<u8>, head: &[u8], value: &[u8]) {
    out.extend_from_slice(head);
    out.extend(value.iter().map(|b| if matches!(b, b'\n' | b'\r' | 0) { b' ' } else { *b }));
    out.push(b'\n');
}
