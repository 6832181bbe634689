//! Packets: a length of four bytes, a letter, a payload.
//!
//! Shape: `LENGTH LETTER PAYLOAD`; the length counts the letter, numbers are big endian, strings end with NUL.
//! Source: libmilter's manual; the milter protocol as published, versions 2 to 6.

use std::net::IpAddr;

use bytes::{Buf, Bytes, BytesMut};

use crate::base::limits;

/// A letter that one side may send.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The letter.
    pub letter: u8,
    /// What it means.
    pub name: &'static str,
    /// What follows it.
    pub payload: &'static str,
}

/// What we may send, sorted.
#[rustfmt::skip]
pub static COMMANDS: &[Row] = &[
    Row { letter: b'A', name: "abort", payload: "" },
    Row { letter: b'B', name: "body", payload: "bytes, at most CHUNK" },
    Row { letter: b'C', name: "connect", payload: "host NUL family [port address NUL]" },
    Row { letter: b'D', name: "macros", payload: "letter of the command they belong to, then name NUL value NUL …" },
    Row { letter: b'E', name: "end of message", payload: "" },
    Row { letter: b'H', name: "helo", payload: "name NUL" },
    Row { letter: b'K', name: "quit, another session follows", payload: "" },
    Row { letter: b'L', name: "header", payload: "name NUL value NUL" },
    Row { letter: b'M', name: "mail", payload: "path NUL parameter NUL …" },
    Row { letter: b'N', name: "end of header", payload: "" },
    Row { letter: b'O', name: "options", payload: "version actions steps" },
    Row { letter: b'Q', name: "quit", payload: "" },
    Row { letter: b'R', name: "rcpt", payload: "path NUL parameter NUL …" },
    Row { letter: b'T', name: "data", payload: "" },
    Row { letter: b'U', name: "unknown command", payload: "line NUL" },
];

/// What a filter may send, sorted.
#[rustfmt::skip]
pub static ANSWERS: &[Row] = &[
    Row { letter: b'+', name: "add recipient", payload: "path NUL" },
    Row { letter: b'-', name: "delete recipient", payload: "path NUL" },
    Row { letter: b'2', name: "add recipient with parameters", payload: "path NUL [parameters NUL]" },
    Row { letter: b'4', name: "shut the session down", payload: "" },
    Row { letter: b'O', name: "options", payload: "version actions steps, then stage names NUL …" },
    Row { letter: b'a', name: "accept", payload: "" },
    Row { letter: b'b', name: "replace body", payload: "bytes" },
    Row { letter: b'c', name: "continue", payload: "" },
    Row { letter: b'd', name: "discard", payload: "" },
    Row { letter: b'e', name: "change sender", payload: "path NUL [parameters NUL]" },
    Row { letter: b'f', name: "connection failure", payload: "" },
    Row { letter: b'h', name: "add header", payload: "name NUL value NUL" },
    Row { letter: b'i', name: "insert header", payload: "index name NUL value NUL" },
    Row { letter: b'm', name: "change header", payload: "index name NUL value NUL" },
    Row { letter: b'p', name: "progress", payload: "" },
    Row { letter: b'q', name: "quarantine", payload: "reason NUL" },
    Row { letter: b'r', name: "reject", payload: "" },
    Row { letter: b's', name: "skip the rest of the body", payload: "" },
    Row { letter: b't', name: "refuse for now", payload: "" },
    Row { letter: b'y', name: "refuse with a reply", payload: "reply NUL" },
];

/// What version of the protocol we speak.
pub const VERSION: u32 = 6;

/// Most bytes of a body in one packet. Source: observed.
pub const CHUNK: usize = 65535;

/// What a filter may do, as bits.
#[allow(missing_docs, reason = "the names are those of the answers")]
pub mod action {
    pub const ADD_HEADERS: u32 = 0x1;
    pub const CHANGE_BODY: u32 = 0x2;
    pub const ADD_RECIPIENTS: u32 = 0x4;
    pub const DELETE_RECIPIENTS: u32 = 0x8;
    pub const CHANGE_HEADERS: u32 = 0x10;
    pub const QUARANTINE: u32 = 0x20;
    pub const CHANGE_SENDER: u32 = 0x40;
    pub const ADD_RECIPIENTS_WITH_PARAMETERS: u32 = 0x80;
    pub const SET_MACRO_LISTS: u32 = 0x100;
    /// All that we know.
    pub const ALL: u32 = 0x1ff;
}

/// How a filter wants to be told, as bits. Those of single steps stand in [`super::stage::STAGES`].
pub mod step {
    /// The filter may answer `skip` to a piece of body.
    pub const SKIP: u32 = 0x400;
    /// It is told of recipients that were refused.
    pub const REFUSED_RECIPIENTS: u32 = 0x800;
    /// Blanks in front of header values are told and given as they are.
    pub const LEADING_SPACE: u32 = 0x10_0000;
    /// All that we know.
    pub const ALL: u32 = 0x1f_ffff;
}

/// Options as both sides state them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Version of the protocol.
    pub version: u32,
    /// Bits of [`action`].
    pub actions: u32,
    /// Bits of [`step`] and of the stages.
    pub steps: u32,
}

/// What a filter sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table says what each is")]
pub enum Answer {
    Accept,
    Continue,
    Discard,
    Reject,
    TempFail,
    Skip,
    Progress,
    ConnectionFailure,
    Shutdown,
    /// The reply, lines as they came.
    Reply(Bytes),
    /// A change.
    Edit(Edit),
    /// An edit whose payload is not what it must be: the filter does not follow the protocol.
    Malformed(u8),
    /// A letter that has no meaning here.
    Unknown(u8),
}

/// A change that a filter asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table says what each is")]
pub enum Edit {
    AddHeader { name: Bytes, value: Bytes },
    InsertHeader { index: u32, name: Bytes, value: Bytes },
    ChangeHeader { index: u32, name: Bytes, value: Bytes },
    AddRecipient(Bytes),
    AddRecipientWith { path: Bytes, parameters: Bytes },
    DeleteRecipient(Bytes),
    ChangeSender { path: Bytes, parameters: Bytes },
    Body(Bytes),
    Quarantine(Bytes),
}

/// A packet, ready to be sent.
pub fn packet(letter: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len().saturating_add(1)).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(payload.len().saturating_add(5));
    out.extend_from_slice(&length.to_be_bytes());
    out.push(letter);
    out.extend_from_slice(payload);
    out
}

/// Strings, each with its NUL. A NUL within one would end it early: it is cut there.
pub fn strings<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for text in texts {
        out.extend_from_slice(text.split(|b| *b == 0).next().unwrap_or_default());
        out.push(0);
    }
    out
}

/// Payload of `options`.
pub fn options(options: Options) -> Vec<u8> {
    [options.version, options.actions, options.steps].iter().flat_map(|n| n.to_be_bytes()).collect()
}

/// Payload of `connect`; no address for clients that have none (standard input).
pub fn connect(host: &[u8], address: Option<(IpAddr, u16)>, shown: &[u8]) -> Vec<u8> {
    let mut out = strings([host]);
    let Some((ip, port)) = address else {
        out.push(b'U');
        return out;
    };
    out.push(if ip.is_ipv6() { b'6' } else { b'4' });
    out.extend_from_slice(&port.to_be_bytes());
    out.extend_from_slice(&strings([shown]));
    out
}

/// Options and macro lists in a filter's answer: `(stage number, names)`. `None` when it is too short.
pub fn read_options(payload: &[u8]) -> Option<(Options, Vec<(u32, Bytes)>)> {
    let mut rest = payload;
    let options = Options { version: number(&mut rest)?, actions: number(&mut rest)?, steps: number(&mut rest)? };
    let mut lists = Vec::new();
    while let Some(stage) = number(&mut rest) {
        // A list without its NUL is none.
        let Some(names) = string(&mut rest) else { break };
        if lists.len() < MOST_LISTS {
            lists.push((stage, names));
        }
    }
    Some((options, lists))
}

/// Reads an answer.
pub fn read_answer(letter: u8, payload: &Bytes) -> Answer {
    match letter {
        b'a' => Answer::Accept,
        b'c' => Answer::Continue,
        b'd' => Answer::Discard,
        b'r' => Answer::Reject,
        b't' => Answer::TempFail,
        b's' => Answer::Skip,
        b'p' => Answer::Progress,
        b'f' => Answer::ConnectionFailure,
        b'4' => Answer::Shutdown,
        b'y' => Answer::Reply(until_nul(payload)),
        b'+' | b'-' | b'2' | b'b' | b'e' | b'h' | b'i' | b'm' | b'q' => {
            edit(letter, payload).map_or(Answer::Malformed(letter), Answer::Edit)
        }
        other => Answer::Unknown(other),
    }
}

fn edit(letter: u8, payload: &Bytes) -> Option<Edit> {
    let mut rest: &[u8] = payload;
    Some(match letter {
        b'b' => Edit::Body(payload.clone()),
        b'q' => Edit::Quarantine(until_nul(payload)),
        b'+' => Edit::AddRecipient(filled(string(&mut rest)?)?),
        b'-' => Edit::DeleteRecipient(filled(string(&mut rest)?)?),
        b'2' | b'e' => {
            let path = filled(string(&mut rest)?)?;
            let parameters = string(&mut rest).unwrap_or_default();
            if letter == b'e' {
                Edit::ChangeSender { path, parameters }
            } else {
                Edit::AddRecipientWith { path, parameters }
            }
        }
        b'h' => {
            let (name, value) = field(&mut rest)?;
            Edit::AddHeader { name, value }
        }
        _ => {
            let index = number(&mut rest)?;
            let (name, value) = field(&mut rest)?;
            if letter == b'i' {
                Edit::InsertHeader { index, name, value }
            } else {
                Edit::ChangeHeader { index, name, value }
            }
        }
    })
}

/// Name and value, and nothing behind them.
fn field(rest: &mut &[u8]) -> Option<(Bytes, Bytes)> {
    let (name, value) = (filled(string(rest)?)?, string(rest)?);
    rest.is_empty().then_some((name, value))
}

fn filled(text: Bytes) -> Option<Bytes> {
    (!text.is_empty()).then_some(text)
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (digits, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(u32::from_be_bytes(*digits))
}

fn string(rest: &mut &[u8]) -> Option<Bytes> {
    let at = memchr::memchr(0, rest)?;
    let text = Bytes::copy_from_slice(rest.get(..at)?);
    *rest = rest.get(at + 1..)?;
    Some(text)
}

fn until_nul(payload: &Bytes) -> Bytes {
    let end = memchr::memchr(0, payload).unwrap_or(payload.len());
    payload.slice(..end)
}

/// Takes bytes as they come and gives whole packets.
///
/// Memory: one packet, taken as its bytes arrive, at most [`limits::MILTER_PACKET`].
#[derive(Debug, Default)]
pub struct Packets {
    input: BytesMut,
}

/// A length that no packet has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("length {0} out of range")]
pub struct BadLength(pub u32);

impl Packets {
    /// Where bytes are read into.
    pub fn input(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    /// The next packet, when it is whole: letter and payload.
    pub fn next_packet(&mut self) -> Result<Option<(u8, Bytes)>, BadLength> {
        let Some((digits, _)) = self.input.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*digits);
        let bytes = usize::try_from(length).unwrap_or(usize::MAX);
        if bytes == 0 || bytes > limits::MILTER_PACKET {
            return Err(BadLength(length));
        }
        if self.input.len() < bytes.saturating_add(4) {
            return Ok(None);
        }
        self.input.advance(4);
        let mut whole = self.input.split_to(bytes).freeze();
        let letter = whole.get_u8();
        if self.input.is_empty() {
            // Between packets a session holds no buffer.
            self.input = BytesMut::new();
        }
        Ok(Some((letter, whole)))
    }
}

/// Macro lists taken from one answer.
const MOST_LISTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(bytes: &[u8]) -> Answer {
        read_answer(bytes[0], &Bytes::copy_from_slice(&bytes[1..]))
    }

    #[test]
    fn tables_are_sorted() {
        assert!(COMMANDS.is_sorted_by_key(|r| r.letter) && ANSWERS.is_sorted_by_key(|r| r.letter));
    }

    #[test]
    fn every_letter_of_the_table_is_read() {
        for row in ANSWERS.iter().filter(|r| r.letter != b'O') {
            let read = answer(&[&[row.letter][..], b"\0\0\0\x01X\0v\0"].concat());
            assert!(!matches!(read, Answer::Unknown(_)), "{}", row.name);
        }
    }

    #[test]
    fn edits_need_their_whole_payload() {
        let name = Bytes::from_static(b"X-A");
        let value = Bytes::from_static(b"b");
        let (path, parameters) = (Bytes::from_static(b"<a@b>"), Bytes::from_static(b"ENVID=x"));
        for (bytes, expected) in [
            (&b"hX-A\0b\0"[..], Answer::Edit(Edit::AddHeader { name: name.clone(), value: value.clone() })),
            (b"hX-A\0b", Answer::Malformed(b'h')),
            (b"h\0b\0", Answer::Malformed(b'h')),
            (b"h", Answer::Malformed(b'h')),
            (b"hX-A\0b\0more\0", Answer::Malformed(b'h')),
            (b"i\0\0\0\x02X-A\0b\0", Answer::Edit(Edit::InsertHeader { index: 2, name: name.clone(), value })),
            (b"i\0\0\0", Answer::Malformed(b'i')),
            (b"m\0\0\0\x01X-A\0\0", Answer::Edit(Edit::ChangeHeader { index: 1, name, value: Bytes::new() })),
            (b"e<a@b>\0ENVID=x\0", Answer::Edit(Edit::ChangeSender { path: path.clone(), parameters })),
            (b"e<a@b>\0", Answer::Edit(Edit::ChangeSender { path, parameters: Bytes::new() })),
            (b"+\0", Answer::Malformed(b'+')),
            (b"-", Answer::Malformed(b'-')),
            (b"q", Answer::Edit(Edit::Quarantine(Bytes::new()))),
            (b"b", Answer::Edit(Edit::Body(Bytes::new()))),
            (b"y550 5.7.1 no\0", Answer::Reply(Bytes::from_static(b"550 5.7.1 no"))),
            (b"?x", Answer::Unknown(b'?')),
        ] {
            assert_eq!(answer(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn options_carry_macro_lists() {
        let mut payload = options(Options { version: 6, actions: 1, steps: 2 });
        payload.extend_from_slice(b"\0\0\0\x02i j\0\0\0\0\x05\0\0\0\0\x01cut");
        let (read, lists) = read_options(&payload).unwrap();
        assert_eq!(read, Options { version: 6, actions: 1, steps: 2 });
        assert_eq!(lists, [(2, Bytes::from_static(b"i j")), (5, Bytes::new())]);
        assert_eq!(read_options(&payload[..11]), None);
    }

    #[test]
    fn addresses_have_family_and_port() {
        assert_eq!(
            connect(b"h.test", Some(([192, 0, 2, 1].into(), 258)), b"192.0.2.1"),
            b"h.test\x004\x01\x02192.0.2.1\0"
        );
        assert_eq!(connect(b"localhost", None, b""), b"localhost\0U");
    }

    #[test]
    fn lengths_out_of_range_are_refused_before_memory_is_taken() {
        for length in [0, u32::MAX, u32::try_from(limits::MILTER_PACKET + 1).unwrap()] {
            let mut packets = Packets::default();
            packets.input().extend_from_slice(&length.to_be_bytes());
            assert_eq!(packets.next_packet(), Err(BadLength(length)));
        }
    }

    proptest! {
        #[test]
        fn packets_come_out_as_they_went_in(payloads: Vec<(u8, Vec<u8>)>, cut in 1usize..9) {
            let wire: Vec<u8> = payloads.iter().flat_map(|(letter, payload)| packet(*letter, payload)).collect();
            let (mut packets, mut found) = (Packets::default(), Vec::new());
            for piece in wire.chunks(cut) {
                packets.input().extend_from_slice(piece);
                while let Some((letter, payload)) = packets.next_packet().unwrap() {
                    found.push((letter, payload.to_vec()));
                }
            }
            prop_assert_eq!(found, payloads);
        }

        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let mut packets = Packets::default();
            packets.input().extend_from_slice(&bytes);
            while let Ok(Some((letter, payload))) = packets.next_packet() {
                let _ = read_answer(letter, &payload);
                let _ = read_options(&payload);
            }
            for letter in 0..=255u8 {
                let _ = read_answer(letter, &Bytes::from(bytes.clone()));
            }
        }
    }
}
