//! Reading a control file. Whoever can write into a queue directory may have written it.

use bytes::Bytes;

use super::{Codec, DELIVER_BY, Fault, MACRO, NULL_SENDER, QUOTE, fields};
use crate::address::mailbox;
use crate::base::bytes::{leading_number, shown, split_once};
use crate::base::letters::LetterSet;
use crate::base::time::UnixTime;
use crate::envelope::{BodyType, Controller, Envelope, Notify, QueueId, Recipient, Ret};
use crate::macros::{MacroId, Piece, Scope, Template, names};
use crate::message::{Condition, Header, HeaderValue};

/// A control file as read.
#[derive(Debug, Clone)]
pub struct Control {
    /// The envelope.
    pub envelope: Envelope,
    /// Directory of the df when it is another one (`d`).
    pub df_directory: Option<Bytes>,
    /// Bytes of the header as the original counts them: with the body, the size that is announced.
    pub header_bytes: u64,
}

/// Reads a control file of any version up to 8.
///
/// Errors: [`Fault`]; nothing of a damaged file is used.
pub fn read(text: &[u8], id: &QueueId, codec: &Codec) -> Result<Control, Fault> {
    let envelope = Envelope::new(id.clone(), UnixTime(0), Scope::new(codec.base.clone()));
    let mut reader = Reader {
        control: Control { envelope, df_directory: None, header_bytes: 0 },
        codec,
        version: 0,
        has_sender: false,
        pending: Pending::default(),
    };
    let mut lines = Lines { rest: text, number: 0 };
    loop {
        let Some(line) = lines.next_logical()? else {
            // Whoever writes one of ours is not done; what is none of ours stays so.
            let is_begun = !lines.rest.is_empty() && !lines.rest.starts_with(b".");
            return Err(match reader.line(lines.rest) {
                Err(fault @ Fault::BadLine(..)) if is_begun => numbered(fault, lines.number),
                _ => Fault::Incomplete,
            });
        };
        if line == b".".as_slice() {
            break;
        }
        reader.line(line).map_err(|fault| numbered(fault, lines.number))?;
    }
    if !lines.rest.is_empty() {
        let extra = lines.rest.split(|b| *b == b'\n').next().unwrap_or_default();
        return Err(Fault::Extra(shown(extra.get(..60).unwrap_or(extra)).to_string()));
    }
    let scope = &mut reader.control.envelope.scope;
    if !scope.changes().any(|(id, _)| id == names::DAEMON_FLAGS) {
        // Not set is not empty: the file is written as it was read.
        scope.unset(names::DAEMON_FLAGS);
    }
    Ok(reader.control)
}

fn numbered(fault: Fault, line: usize) -> Fault {
    if let Fault::BadLine(_, text) = fault { Fault::BadLine(line, text) } else { fault }
}

struct Reader<'c> {
    control: Control,
    codec: &'c Codec,
    version: i64,
    has_sender: bool,
    pending: Pending,
}

/// What belongs to the next recipient.
#[derive(Default)]
struct Pending {
    message: Option<Bytes>,
    original: Option<Bytes>,
    last: Option<Bytes>,
    controller: Option<Controller>,
}

struct Lines<'a> {
    rest: &'a [u8],
    /// Number of the line read last.
    number: usize,
}

impl<'a> Lines<'a> {
    /// A line with those that continue it, without the last newline; `None` when no whole line is left.
    fn next_logical(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        let mut end = 0usize;
        loop {
            let tail = self.rest.get(end..).unwrap_or_default();
            let Some(at) = memchr::memchr(b'\n', tail) else { return Ok(None) };
            end += at + 1;
            self.number += 1;
            if !matches!(self.rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (line, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, b""));
        self.rest = rest;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if memchr::memchr(0, line).is_some() {
            return Err(Fault::Bogus(shown(line.get(..60).unwrap_or(line)).to_string()));
        }
        Ok(Some(line))
    }
}

impl Reader<'_> {
    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        let Some((letter, value)) = line.split_first() else { return Err(Fault::BadLine(0, String::new())) };
        if *letter == b'H' {
            self.header(value);
            return Ok(());
        }
        let envelope = &mut self.control.envelope;
        match letter {
            b'V' => {
                self.version = leading_number(value);
                if self.version > VERSION {
                    return Err(Fault::Version(self.version));
                }
            }
            b'T' => envelope.created = UnixTime(leading_number(value)),
            b'K' => envelope.last_try = Some(leading_number(value)).filter(|n| *n > 0).map(UnixTime),
            b'N' => envelope.tries = u32::try_from(leading_number(value)).unwrap_or(0),
            b'P' => envelope.priority = leading_number(value),
            b'B' => envelope.body_type = body_type(value),
            b'q' => envelope.quarantine = Some(owned(value)),
            b'M' => self.message(value),
            b'F' => self.flags(value),
            b'$' => self.macro_value(value),
            b'S' => {
                self.has_sender = true;
                envelope.sender = bare_sender(value);
                envelope.sender_given = owned(value);
            }
            b'Z' => envelope.envid = Some(owned(value)),
            b'A' => envelope.auth = Some(owned(value)),
            b'!' => envelope.deliver_by = deliver_by(value),
            b'd' => self.control.df_directory = Some(owned(value)),
            b'C' => self.pending.controller = controller(value),
            b'Q' => self.pending.original = Some(owned(value)),
            b'r' => self.pending.last = Some(owned(value)),
            b'R' => self.recipient(value),
            other if fields::find(*other).is_some() => {}
            _ => return Err(Fault::BadLine(0, shown(line.get(..60).unwrap_or(line)).to_string())),
        }
        Ok(())
    }

    /// An `M` before the sender is the message's, one behind it is that of the next recipient.
    fn message(&mut self, value: &[u8]) {
        let slot = if self.has_sender { &mut self.pending.message } else { &mut self.control.envelope.message };
        *slot = Some(owned(value));
    }

    fn flags(&mut self, value: &[u8]) {
        let envelope = &mut self.control.envelope;
        let has = |letter: u8| value.contains(&letter);
        envelope.flags.has_8bit_body |= has(b'8');
        envelope.flags.delete_bcc |= has(b'b');
        envelope.flags.is_response |= has(b'r');
        envelope.flags.is_split |= has(b's');
        envelope.flags.warning_sent |= has(b'w');
        envelope.flags.no_body_return |= has(b'n');
        if has(b'd') {
            envelope.ret = Some(if has(b'n') { Ret::Headers } else { Ret::Full });
        }
    }

    fn macro_value(&mut self, value: &[u8]) {
        let (name, text) = match value.strip_prefix(b"{") {
            Some(long) => split_once(long, b'}').unwrap_or((long, b"")),
            None => value.split_at_checked(1).unwrap_or((value, b"")),
        };
        if let Some(id) = self.codec.macro_of(name) {
            self.control.envelope.scope.set(id, owned(text));
        }
    }

    fn recipient(&mut self, value: &[u8]) {
        let (letters, address) = match split_once(value, b':') {
            Some((head, tail)) if self.version > 0 && head.iter().all(u8::is_ascii_uppercase) => (head, tail),
            _ => (&b"PFD"[..], value),
        };
        let has = |letter: u8| letters.contains(&letter);
        let mut recipient = Recipient::new(owned(address));
        recipient.is_primary = has(b'P');
        recipient.is_from_alias = has(b'A');
        recipient.notify = Notify { is_given: has(b'N'), success: has(b'S'), failure: has(b'F'), delay: has(b'D') };
        recipient.controller.clone_from(&self.pending.controller);
        recipient.message = self.pending.message.take();
        recipient.original = self.pending.original.take();
        recipient.final_recipient = self.pending.last.take();
        self.control.envelope.recipients.push(recipient);
    }

    fn header(&mut self, value: &[u8]) {
        let (condition, field) = match value.strip_prefix(b"?").and_then(|rest| split_once(rest, b'?')) {
            Some((letters, field)) => (self.condition(letters), field),
            None => (Condition::Always, value),
        };
        let Some((name, text)) = split_once(field, b':') else { return };
        // A condition counts, but for its two question marks. Source: observed.
        self.control.header_bytes += value.len().saturating_sub(2) as u64;
        let value = header_value(text, self.codec);
        let header = Header { name: owned(name.trim_ascii_end()), value, condition, is_default: false };
        self.control.envelope.headers.push(header);
    }

    fn condition(&mut self, text: &[u8]) -> Condition {
        match text.split_first() {
            None => Condition::Always,
            Some((&MACRO | b'$', name)) => {
                macro_name(name, self.codec).map_or(Condition::Always, |(id, _)| Condition::Macro(id))
            }
            // No flag is a dollar sign, which would be taken for a macro when it is read again.
            Some(_) => {
                let letters: Vec<u8> = text.iter().copied().filter(|letter| *letter != b'$').collect();
                Condition::MailerFlags(LetterSet::from_bytes(&letters))
            }
        }
    }
}

/// Text of a header: quotes taken off, references made a template.
fn header_value(text: &[u8], codec: &Codec) -> HeaderValue {
    if !text.iter().any(|b| matches!(*b, MACRO | QUOTE)) {
        return HeaderValue::Text(owned(text));
    }
    let mut pieces = Vec::new();
    let mut plain = Vec::new();
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match *first {
            QUOTE => {
                let (literal, tail) = tail.split_first().map_or((QUOTE, tail), |(b, tail)| (*b, tail));
                plain.push(literal);
                rest = tail;
            }
            MACRO => match reference(tail, codec) {
                Some((piece, tail)) => {
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain).into()));
                    }
                    pieces.push(piece);
                    rest = tail;
                }
                // Not a reference: a byte of a file that an older version wrote.
                None => plain.push(MACRO),
            },
            other => plain.push(other),
        }
    }
    if pieces.is_empty() {
        return HeaderValue::Text(plain.into());
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain.into()));
    }
    HeaderValue::Template(Template::from_pieces(pieces))
}

fn reference<'a>(text: &'a [u8], codec: &Codec) -> Option<(Piece, &'a [u8])> {
    let (first, tail) = text.split_first()?;
    match first {
        b'?' => macro_name(tail, codec).map(|(id, rest)| (Piece::If(id), rest)),
        b'&' => macro_name(tail, codec).map(|(id, rest)| (Piece::Deferred(id), rest)),
        b'|' => Some((Piece::Else, tail)),
        b'.' => Some((Piece::EndIf, tail)),
        _ => macro_name(text, codec).map(|(id, rest)| (Piece::Macro(id), rest)),
    }
}

fn macro_name<'a>(text: &'a [u8], codec: &Codec) -> Option<(MacroId, &'a [u8])> {
    if let Some(long) = text.strip_prefix(b"{") {
        let (name, rest) = split_once(long, b'}')?;
        return codec.macro_of(name).map(|id| (id, rest));
    }
    let (first, rest) = text.split_first()?;
    (first.is_ascii_alphanumeric() || *first == b'_').then_some((MacroId(u16::from(*first)), rest))
}

fn body_type(value: &[u8]) -> Option<BodyType> {
    if value.eq_ignore_ascii_case(b"7BIT") {
        return Some(BodyType::SevenBit);
    }
    value.eq_ignore_ascii_case(b"8BITMIME").then_some(BodyType::EightBitMime)
}

fn deliver_by(value: &[u8]) -> Option<(i64, Bytes)> {
    let (mode, seconds) = split_once(value, b' ')?;
    let letters = match mode {
        [bits] if bits.is_ascii_control() => {
            DELIVER_BY.iter().filter(|(_, bit)| bits & bit != 0).map(|(letter, _)| *letter).collect()
        }
        letters => owned(letters),
    };
    Some((leading_number(seconds), letters))
}

/// `user:uid:gid:address`, `user:address`, `user`; empty for none.
fn controller(value: &[u8]) -> Option<Controller> {
    if value.is_empty() {
        return None;
    }
    let (user, rest) = split_once(value, b':').unwrap_or((value, b""));
    let numbers = split_once(rest, b':').and_then(|(uid, rest)| {
        let (gid, address) = split_once(rest, b':')?;
        Some((id_number(uid)?, id_number(gid)?, address))
    });
    // Never root by omission.
    let (uid, gid, address) = numbers.unwrap_or((NOBODY, NOBODY, rest));
    Some(Controller { user: owned(user), uid, gid, address: owned(address) })
}

fn id_number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn owned(text: &[u8]) -> Bytes {
    Bytes::copy_from_slice(text)
}

/// The address without its brackets; nothing for the null sender in either form.
fn bare_sender(given: &[u8]) -> Bytes {
    if given == NULL_SENDER {
        return Bytes::new();
    }
    match given.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">")) {
        Some(address) => owned(address),
        None => mailbox::bare(given).into(),
    }
}

/// User and group of a controlling user whose numbers the file does not say.
const NOBODY: u32 = 65534;
/// Newest version understood, and the one written.
const VERSION: i64 = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Config;
    use crate::envelope::State;
    use crate::queue::qf::{DataFile, render};

    fn codec() -> Codec {
        Codec::new(&Config::default())
    }

    fn id() -> QueueId {
        QueueId::parse(b"6AM8Wwpk005225").unwrap()
    }

    fn parsed(text: &[u8]) -> Result<Envelope, Fault> {
        read(text, &id(), &codec()).map(|control| control.envelope)
    }

    #[test]
    fn files_of_the_original_come_out_as_they_went_in() {
        let files: &[&[u8]] = &[
            include_bytes!("../../../tests/golden/qf/everything"),
            include_bytes!("../../../tests/golden/qf/deferred"),
            include_bytes!("../../../tests/golden/qf/list"),
            include_bytes!("../../../tests/golden/qf/report"),
            include_bytes!("../../../tests/golden/qf/octets"),
            include_bytes!("../../../tests/golden/qf/quarantined"),
        ];
        for file in files {
            let file = file.split_inclusive(|b| *b == b'\n').skip(1).collect::<Vec<_>>().concat();
            let envelope = parsed(&file).unwrap();
            assert_eq!(shown(&render(&envelope, &codec(), DataFile::default())).to_string(), shown(&file).to_string());
        }
    }

    #[test]
    fn recipients_carry_what_stands_in_front_of_them() {
        let text = b"V8\nT1\nK0\nN0\nP1\nMwhole\nFs\nS<a@b>\nMown\nQrfc822;o@x\nrRFC822; f@x\nRPNS:<c@d>\n\
            Clist:8:0:<l@x>\nRFDA:\"|prog\"\nC\nRPFD:e\n.\n";
        let envelope = parsed(text).unwrap();
        let [one, two, three] = envelope.recipients.as_slice() else { panic!("three recipients") };
        assert_eq!(envelope.message.as_deref(), Some(&b"whole"[..]));
        assert_eq!((one.message.as_deref(), one.original.as_deref()), (Some(&b"own"[..]), Some(&b"rfc822;o@x"[..])));
        assert!(one.notify.is_given && one.notify.success && !one.notify.failure);
        let controller = two.controller.as_ref().unwrap();
        assert_eq!((controller.uid, controller.address.as_ref()), (8, &b"<l@x>"[..]));
        assert!(two.is_from_alias && !two.is_primary && two.message.is_none());
        assert!(three.controller.is_none() && three.notify == Notify::default());
    }

    #[test]
    fn damaged_files_are_refused() {
        for (text, fault) in [
            (&b""[..], Fault::Incomplete),
            (b"V8\nT1\nS<a@b>\nRPFD:<c@d>\n", Fault::Incomplete),
            (b"V8\nT1\n.", Fault::Incomplete),
            (b"V9\n.\n", Fault::Version(9)),
            (b"V8\nx\n.\n", Fault::BadLine(2, "x".to_owned())),
            (b"V1\nbad", Fault::BadLine(1, "bad".to_owned())),
            (b"V8\nT1\nRPF", Fault::Incomplete),
            (b"V8\n.\nRPFD:<c@d>\n", Fault::Extra("RPFD:<c@d>".to_owned())),
            (b"V8\nS<a\0@b>\n.\n", Fault::Bogus("S<a\\000@b>".to_owned())),
        ] {
            assert_eq!(parsed(text).unwrap_err(), fault, "{}", shown(text));
        }
    }

    #[test]
    fn flags_of_a_condition_are_not_taken_for_a_macro() {
        let once = render(&parsed(b"V8\nT1\nS<a@b>\nH?x$&?X: y\n.\n").unwrap(), &codec(), DataFile::default());
        assert_eq!(render(&parsed(&once).unwrap(), &codec(), DataFile::default()), once);
        assert!(once.ends_with(b"H?&x?X: y\n.\n"), "{}", shown(&once));
        let once = render(&parsed(b"V8\nT1\nS<a@b>\nH?${\xff\xfe}?X: y\n.\n").unwrap(), &codec(), DataFile::default());
        assert!(once.ends_with(b"H??X: y\n.\n"), "{}", shown(&once));
    }

    #[test]
    fn names_that_the_configuration_does_not_know_are_kept() {
        let codec = codec();
        let text = b"V8\nT1\nK0\nN0\nP1\n${daemon_flags}\nS<a@b>\nH?\x81{gone}?X-A: \x81{lost}x\x81?{other}y\x81.\n.\n";
        let envelope = read(text, &id(), &codec).unwrap().envelope;
        assert_eq!(
            shown(&render(&envelope, &codec, DataFile::default())).to_string(),
            shown(text.as_slice()).to_string()
        );
    }

    #[test]
    fn a_file_without_daemon_flags_gets_none() {
        for text in
            [&b"V8\nT1\nK0\nN0\nP1\n$_x\nS<a@b>\n.\n"[..], b"V8\nT1\nK0\nN0\nP1\n$_x\n${daemon_flags}\nS<a@b>\n.\n"]
        {
            let once = render(&parsed(text).unwrap(), &codec(), DataFile::default());
            assert_eq!(shown(&once).to_string(), shown(text).to_string());
        }
    }

    #[test]
    fn files_of_older_versions_are_read() {
        let text = b"P30000\nT800000000\nDdfAA12345\nSroot\nRalice\nRbob:x\nHSubject: old\nH?D?Date: then\n.\n";
        let envelope = parsed(text).unwrap();
        let addresses: Vec<&[u8]> = envelope.recipients.iter().map(|r| r.address.as_ref()).collect();
        assert_eq!(addresses, [&b"alice"[..], b"bob:x"]);
        assert_eq!((envelope.sender.as_ref(), envelope.headers.len()), (&b"root"[..], 2));
    }

    #[test]
    fn a_peer_cannot_write_a_macro_reference() {
        let mut envelope = Envelope::new(id(), UnixTime(0), Scope::default());
        envelope.headers.push(Header::new("X", &b" a\x81gb \xff\x81{auth_type} \xc7"[..]));
        let again = parsed(&render(&envelope, &codec(), DataFile::default())).unwrap();
        assert_eq!(again.headers, envelope.headers);
    }

    fn text() -> impl Strategy<Value = Bytes> {
        "[ -~]{0,30}".prop_map(|s| Bytes::from(s.into_bytes()))
    }

    fn header_text() -> impl Strategy<Value = Bytes> {
        proptest::collection::vec(any::<u8>().prop_filter("kept", |b| !matches!(b, 0 | b'\n')), 0..40)
            .prop_map(Bytes::from)
    }

    proptest! {
        #[test]
        fn nothing_in_a_file_makes_the_reader_panic(text: Vec<u8>) {
            let _ = parsed(&text);
            let _ = parsed(&[&b"V8\nS\nH?"[..], &text, b"\n.\n"].concat());
        }

        #[test]
        fn read_undoes_render(
            sender in text(), addresses in proptest::collection::vec("[!-~]{1,20}", 0..5),
            message in proptest::option::of(text()), tries: u32, priority: i64, created in 0..i64::MAX,
            headers in proptest::collection::vec(("[!-9;-~]{1,10}", header_text()), 0..5), flags: [bool; 6],
        ) {
            let mut envelope = Envelope::new(id(), UnixTime(created), Scope::default());
            envelope.sender = bare_sender(&sender);
            envelope.sender_given = sender;
            (envelope.tries, envelope.priority, envelope.message) = (tries, priority, message);
            [envelope.flags.has_8bit_body, envelope.flags.delete_bcc, envelope.flags.is_response,
             envelope.flags.is_split, envelope.flags.warning_sent, envelope.flags.no_body_return] = flags;
            for address in addresses {
                envelope.recipients.push(Recipient::new(Bytes::from(address)));
            }
            for (name, text) in headers {
                envelope.headers.push(Header::new(Bytes::from(name), text));
            }
            let once = render(&envelope, &codec(), DataFile::default());
            let again = parsed(&once).unwrap();
            prop_assert_eq!(&again.recipients, &envelope.recipients);
            prop_assert_eq!(&again.headers, &envelope.headers);
            prop_assert_eq!(again.flags, envelope.flags);
            prop_assert_eq!(again.scope.text(names::DAEMON_FLAGS), Bytes::new());
            prop_assert!(again.recipients.iter().all(|r| r.state == State::Queued));
            prop_assert_eq!(shown(&render(&again, &codec(), DataFile::default())).to_string(), shown(&once).to_string());
        }
    }
}
