//! Reading a control file. Whoever can write into a queue directory may have written it.

use bytes::Bytes;

use super::{Codec, Fault, MACRO, fields};
use crate::base::bytes::{leading_number, shown, split_once};
use crate::base::letters::LetterSet;
use crate::base::time::UnixTime;
use crate::envelope::{BodyType, Controller, Envelope, Notify, QueueId, Recipient, Ret};
use crate::macros::{MacroId, NameTable, Piece, Scope, Template};
use crate::message::{Condition, Header, HeaderValue};

/// A control file as read.
#[derive(Debug, Clone)]
pub struct Control {
    /// The envelope.
    pub envelope: Envelope,
    /// Directory of the df when it is another one (`d`).
    pub df_directory: Option<Bytes>,
}

/// Reads a control file of any version up to 8.
///
/// Errors: [`Fault`]; nothing of a damaged file is used.
pub fn read(text: &[u8], id: &QueueId, codec: &Codec) -> Result<Control, Fault> {
    let envelope = Envelope::new(id.clone(), UnixTime(0), Scope::new(codec.base.clone()));
    let mut reader = Reader {
        control: Control { envelope, df_directory: None },
        names: codec.names.clone(),
        version: 0,
        has_sender: false,
        pending: Pending::default(),
    };
    let mut lines = Lines { rest: text };
    loop {
        let Some(line) = lines.next_logical()? else { return Err(Fault::Incomplete) };
        if line == b".".as_slice() {
            break;
        }
        reader.line(line)?;
    }
    if !lines.rest.is_empty() {
        return Err(Fault::Extra(shown(lines.rest.get(..60).unwrap_or(lines.rest)).to_string()));
    }
    Ok(reader.control)
}

struct Reader {
    control: Control,
    names: NameTable,
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
}

impl<'a> Lines<'a> {
    /// A line with those that continue it, without the last newline; `None` when no whole line is left.
    fn next_logical(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        let mut end = 0usize;
        loop {
            let tail = self.rest.get(end..).unwrap_or_default();
            let Some(at) = memchr::memchr(b'\n', tail) else { return Ok(None) };
            end += at + 1;
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

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        let Some((letter, value)) = line.split_first() else { return Ok(()) };
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
                envelope.sender = owned(value);
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
            _ => return Err(Fault::BadLine(shown(line.get(..60).unwrap_or(line)).to_string())),
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
        if has(b'n') {
            envelope.ret = Some(Ret::Headers);
        } else if has(b'd') {
            envelope.ret = Some(Ret::Full);
        }
    }

    fn macro_value(&mut self, value: &[u8]) {
        let (name, text) = match value.strip_prefix(b"{") {
            Some(long) => split_once(long, b'}').unwrap_or((long, b"")),
            None => value.split_at_checked(1).unwrap_or((value, b"")),
        };
        if let Ok(id) = self.names.intern(name) {
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
        recipient.notify = if has(b'N') {
            Notify { is_given: true, success: has(b'S'), failure: has(b'F'), delay: has(b'D') }
        } else {
            Notify::default()
        };
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
        let value = if text.contains(&MACRO) {
            match template(text, &mut self.names) {
                Some(template) => HeaderValue::Template(template),
                None => HeaderValue::Text(owned(text)),
            }
        } else {
            HeaderValue::Text(owned(text))
        };
        let header = Header { name: owned(name.trim_ascii_end()), value, condition, is_default: false };
        self.control.envelope.headers.push(header);
    }

    fn condition(&mut self, text: &[u8]) -> Condition {
        match text.split_first() {
            None => Condition::Always,
            Some((&MACRO | b'$', name)) => {
                macro_name(name, &mut self.names).map_or(Condition::Always, |(id, _)| Condition::Macro(id))
            }
            Some(_) => Condition::MailerFlags(LetterSet::from_bytes(text)),
        }
    }
}

/// Text with 0x81 references; `None` when one of them is none (then it is foreign text, not a template).
fn template(text: &[u8], names: &mut NameTable) -> Option<Template> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = memchr::memchr(MACRO, rest) {
        let (plain, tail) = rest.split_at_checked(at)?;
        if !plain.is_empty() {
            pieces.push(Piece::Text(owned(plain)));
        }
        let tail = tail.get(1..)?;
        let (piece, tail) = match tail.split_first()? {
            (b'?', tail) => macro_name(tail, names).map(|(id, rest)| (Piece::If(id), rest))?,
            (b'|', tail) => (Piece::Else, tail),
            (b'.', tail) => (Piece::EndIf, tail),
            _ => macro_name(tail, names).map(|(id, rest)| (Piece::Macro(id), rest))?,
        };
        pieces.push(piece);
        rest = tail;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(owned(rest)));
    }
    Some(Template::from_pieces(pieces))
}

fn macro_name<'a>(text: &'a [u8], names: &mut NameTable) -> Option<(MacroId, &'a [u8])> {
    if let Some(long) = text.strip_prefix(b"{") {
        let (name, rest) = split_once(long, b'}')?;
        return names.intern(name).ok().map(|id| (id, rest));
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
    Some((leading_number(seconds), owned(mode)))
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
    let (uid, gid, address) = numbers.unwrap_or((0, 0, rest));
    Some(Controller { user: owned(user), uid, gid, address: owned(address) })
}

fn id_number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn owned(text: &[u8]) -> Bytes {
    Bytes::copy_from_slice(text)
}

/// Newest version understood, and the one written.
const VERSION: i64 = 8;
