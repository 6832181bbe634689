//! What the header of a message tells: who sent it, whether it is for the user, whether it must not be answered.
//!
//! In: the message from its `From_` line on. Out: [`Header`]. Documents: vacation(1), RFC 3834 section 2; observed (names, quoting).
//! Memory: one field, of which no more than [`LONGEST_FIELD`] bytes are looked at.

use std::io::{self, BufRead, Read};

use crate::base::bytes::{split_once, starts_with_ignore_case};

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Header {
    /// From the `From_` line, which is the first, else from `Return-Path:`.
    pub(super) sender: Option<Vec<u8>>,
    /// First line of the subject; empty when there is none.
    pub(super) subject: Vec<u8>,
    /// Whether `To:` or `Cc:` has one of the names.
    pub(super) is_addressed: bool,
    /// Whether it came from a list, a program or nobody.
    pub(super) is_automatic: bool,
    /// Whether a quotation mark of the `From_` line lacks its other half.
    pub(super) is_malformed: bool,
}

/// Reads a header, up to and with the empty line. `names` are those that `To:` and `Cc:` may have.
pub(super) fn read(input: &mut impl BufRead, names: &[&[u8]]) -> io::Result<Header> {
    let mut header = Header::default();
    let mut return_path = None;
    let (mut field, mut line) = (Vec::new(), Vec::new());
    let mut fields = 0usize;
    loop {
        let is_more = read_line(input, &mut line)?;
        let is_folded = line.starts_with(b" ") || line.starts_with(b"\t");
        let is_end = !is_more || !is_folded && line.trim_ascii().is_empty();
        if is_more && is_folded && !field.is_empty() {
            let room = LONGEST_FIELD.saturating_sub(field.len());
            field.extend_from_slice(line.get(..room).unwrap_or(&line));
            continue;
        }
        match field.strip_prefix(b"From ").filter(|_| fields == 1) {
            Some(rest) => note_from_line(rest, &mut header),
            None => {
                if let Some(address) = note(&field, names, &mut header) {
                    return_path.get_or_insert(address);
                }
            }
        }
        if is_end {
            break;
        }
        std::mem::swap(&mut field, &mut line);
        fields = fields.saturating_add(1);
    }
    header.sender = header.sender.or(return_path);
    Ok(header)
}

/// Takes the `From_` line in, `From ` taken away.
fn note_from_line(rest: &[u8], header: &mut Header) {
    match from_line(rest) {
        Ok(sender) => {
            header.is_automatic |= sender.as_deref().is_some_and(is_nobody);
            header.sender = sender;
        }
        Err(Unbalanced) => header.is_malformed = true,
    }
}

/// Takes a field in, unfolded; returns the address of a `Return-Path:`.
fn note(field: &[u8], names: &[&[u8]], header: &mut Header) -> Option<Vec<u8>> {
    let (name, value) = split_once(field, b':')?;
    let is = |wanted: &str| name.trim_ascii_end().eq_ignore_ascii_case(wanted.as_bytes());
    // A blank before the colon hides the recipients, as it does from the original.
    if name.eq_ignore_ascii_case(b"to") || name.eq_ignore_ascii_case(b"cc") {
        header.is_addressed |= names.iter().any(|name| has_name(value, name));
    } else if is("precedence") {
        let value = value.trim_ascii_start();
        header.is_automatic |= [&b"bulk"[..], b"junk", b"list"].iter().any(|word| starts_with_ignore_case(value, word));
    } else if is("auto-submitted") {
        header.is_automatic |= !is_submitted_by_hand(value);
    } else if is("list-id") {
        header.is_automatic = true;
    } else if is("subject") && header.subject.is_empty() {
        let first = value.split(|byte| *byte == b'\n').next().unwrap_or_default();
        header.subject = first.trim_ascii().iter().copied().filter(|byte| !byte.is_ascii_control()).collect();
    } else if is("return-path") {
        let address = value.trim_ascii();
        header.is_automatic |= is_nobody(address);
        let address = without_brackets(address);
        return matches!(first_word(address), Ok(word) if word == address && is_one_address(word))
            .then(|| address.to_vec());
    }
    None
}

/// Whether `Auto-Submitted:` says `no`. Source: RFC 3834 section 5.
fn is_submitted_by_hand(value: &[u8]) -> bool {
    let mut value = value.trim_ascii_start();
    while value.starts_with(b"(") {
        value = split_once(value, b')').map_or(&b""[..], |(_, rest)| rest.trim_ascii_start());
    }
    let end = value.iter().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b';' | b'('));
    value.get(..end.unwrap_or(value.len())).is_some_and(|word| word.eq_ignore_ascii_case(b"no"))
}

/// A quotation mark without its other half.
#[derive(Debug, PartialEq, Eq)]
struct Unbalanced;

/// The sender in a `From_` line, `From ` taken away; `None` when no word follows, or one that is no address.
fn from_line(rest: &[u8]) -> Result<Option<Vec<u8>>, Unbalanced> {
    let sender = first_word(rest)?;
    Ok(is_one_address(sender).then(|| sender.to_vec()))
}

/// What stands before the first white space outside quotation marks.
fn first_word(rest: &[u8]) -> Result<&[u8], Unbalanced> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let mut end = None;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b'\n' => {
                end = Some(at);
                break;
            }
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ if byte.is_ascii_whitespace() && !is_quoted => {
                end = Some(at);
                break;
            }
            _ => {}
        }
    }
    if is_quoted {
        return Err(Unbalanced);
    }
    Ok(rest.get(..end.unwrap_or(rest.len())).unwrap_or_default())
}

/// Whether a word can be one recipient: neither empty nor too long, no control characters, no comma outside quotation marks.
fn is_one_address(word: &[u8]) -> bool {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let has_comma = word.iter().any(|byte| {
        let was_escaped = is_escaped;
        is_escaped = *byte == b'\\' && !was_escaped;
        is_quoted ^= *byte == b'"' && !was_escaped;
        *byte == b',' && !is_quoted && !was_escaped
    });
    !word.is_empty() && word.len() <= LONGEST_ADDRESS && !has_comma && !word.iter().any(u8::is_ascii_control)
}

/// Whether nobody reads what is sent there: no address at all, or one that programs and lists send from.
///
/// Source: vacation(1); observed (hosts before `!`, behind `@` and `%`, quotation marks).
pub(super) fn is_nobody(address: &[u8]) -> bool {
    let address = without_brackets(address);
    let address = match address.strip_prefix(b"@") {
        Some(route) => split_once(route, b':').map_or(&b""[..], |(_, address)| address),
        None => address,
    };
    let local = address.split(|byte| matches!(byte, b'@' | b'%')).next().unwrap_or_default();
    let name = local.rsplit(|byte| *byte == b'!').next().unwrap_or_default();
    let name: Vec<u8> = name.iter().filter(|byte| !matches!(byte, b'"' | b'\\')).map(u8::to_ascii_lowercase).collect();
    name.is_empty()
        || NOBODIES.contains(&name.as_slice())
        || name.starts_with(b"owner-")
        || [&b"-request"[..], b"-relay", b"-owner"].iter().any(|end| name.ends_with(end))
}

const NOBODIES: [&[u8]; 4] = [b"postmaster", b"uucp", b"mailer-daemon", b"mailer"];

fn without_brackets(address: &[u8]) -> &[u8] {
    match address.iter().position(|byte| *byte == b'<') {
        Some(at) => {
            let rest = address.get(at + 1..).unwrap_or_default();
            rest.split(|byte| *byte == b'>').next().unwrap_or_default()
        }
        None => address,
    }
}

/// Whether the name stands there, letter case aside, and neither a letter nor a digit beside it.
fn has_name(value: &[u8], name: &[u8]) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    !name.is_empty()
        && value.windows(name.len()).enumerate().any(|(at, part)| {
            part.eq_ignore_ascii_case(name)
                && !is_word(value.get(at + name.len()))
                && !is_word(at.checked_sub(1).and_then(|before| value.get(before)))
        })
}

/// Reads a line, of which no more than [`LONGEST_FIELD`] bytes are kept. False at the end of input.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let limit = LONGEST_FIELD as u64;
    if input.by_ref().take(limit).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    let mut is_whole = line.ends_with(b"\n");
    while !is_whole {
        let block = input.fill_buf()?;
        if block.is_empty() {
            break;
        }
        let used = block.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let all = block.len();
        input.consume(used.unwrap_or(all));
        is_whole = used.is_some();
    }
    Ok(true)
}

/// Bytes of a field that are looked at. It holds the recipients of a large list.
const LONGEST_FIELD: usize = 1 << 18;
/// Longest address that is answered, bytes.
const LONGEST_ADDRESS: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Header {
        read(&mut text.as_bytes(), &[b"bob", b"eric"]).unwrap()
    }

    const FROM: &str = "From al@x Mon Nov 30 09:00:00 2026\n";

    #[test]
    fn the_user_is_found_as_a_word_in_to_and_cc() {
        for field in [
            "To: bob",
            "TO:BOB",
            "cc: x, Bob <x@y>",
            "To: x-bob",
            "To: bob@dom",
            "To: x_bob",
            "To: x@bob",
            "To: bob+x",
            "To: (bob)",
            "To: bobby bob",
            "To: x\n bob",
            "To: x\n\tbob",
            "To: al\nTo: bob",
            "To: x\r\n bob",
            "To: eric",
            "Cc: \u{e4}bob",
        ] {
            assert!(header(&format!("{FROM}{field}\n\nbody\n")).is_addressed, "{field}");
        }
        for field in [
            "To: bobby",
            "To: xbob",
            "To: bob9",
            "To: bobbob",
            "To : bob",
            "Bcc: bob",
            "Resent-To: bob",
            "To: x\nSubject: bob",
            "To: x\nY: z\n bob",
            "Subject: a\n To: bob",
            "To: bo\n b",
            "X: y\n\nTo: bob",
            "X: y\r\n\r\nTo: bob",
            "To:",
        ] {
            assert!(!header(&format!("{FROM}{field}\n\nbob\n")).is_addressed, "{field}");
        }
        assert!(!read(&mut &b"To: x\n\n"[..], &[b""]).unwrap().is_addressed);
    }

    #[test]
    fn the_sender_is_the_first_word_of_the_from_line() {
        for (line, sender) in [
            ("From al@x Mon Nov 30 09:00:00 2026", Some("al@x")),
            ("From al@x", Some("al@x")),
            ("From al@x\r", Some("al@x")),
            ("From \"a b\"@c Mon", Some("\"a b\"@c")),
            ("From \"a\\\" b\"@c Mon", Some("\"a\\\" b\"@c")),
            ("From al@x Mon\nFrom be@x Mon", Some("al@x")),
            ("X: y\nFrom al@x Mon", None),
            ("From al@x,be@x Mon", None),
            ("From \"a,b\"@c Mon", Some("\"a,b\"@c")),
            ("From \"a\\\",b\"@c Mon", Some("\"a\\\",b\"@c")),
            ("From <al@x> Mon", Some("<al@x>")),
            ("From  al@x", None),
            ("From ", None),
            ("From: al@x", None),
            ("from al@x", None),
            (">From al@x", None),
            ("From a\u{1}b@x", None),
            ("Return-Path: <be@x>", Some("be@x")),
            ("From al@x Mon\nReturn-Path: <be@x>", Some("al@x")),
            ("Return-Path: be@x\nFrom al@x Mon", Some("be@x")),
            ("Return-Path: <\"b e\"@x>", Some("\"b e\"@x")),
            ("Return-Path: <\"b,e\"@x>", Some("\"b,e\"@x")),
            ("Return-Path: <be@x,al@x>", None),
            ("Return-Path: be@x al@x", None),
            ("Return-Path: be@x\n al@x", None),
            ("Return-Path: <\"be@x>", None),
            ("Return-Path: <b\u{1}e@x>", None),
        ] {
            let read = header(&format!("{line}\nTo: bob\n\nFrom x\n"));
            assert_eq!(read.sender.as_deref(), sender.map(str::as_bytes), "{line}");
            assert!(!read.is_malformed && !read.is_automatic, "{line}");
        }
        assert!(header("From \"al x\n\n").is_malformed);
        assert!(!header("X: y\nFrom \"al x\n\n").is_malformed);
        assert_eq!(header(&format!("Return-Path: <{}>\n\n", "a".repeat(LONGEST_ADDRESS + 1))).sender, None);
        assert_eq!(header(&format!("From {}\n\n", "a".repeat(LONGEST_ADDRESS + 1))).sender, None);
        assert_eq!(header(""), Header::default());
    }

    #[test]
    fn programs_and_lists_get_no_reply() {
        for sender in [
            "MAILER-DAEMON",
            "mailer-daemon@x",
            "Mailer@x",
            "uucp",
            "postmaster@x",
            "postmaster%x@y",
            "h!g!postmaster",
            "\"postmaster\"@x",
            "owner-x@d",
            "owner-",
            "x-request@d",
            "x-REQUEST",
            "x-relay",
            "x-owner@d",
            "<>",
            "<x-owner@d>",
            "@r:x-owner@d",
            "@r",
        ] {
            assert!(header(&format!("From {sender} Mon\nTo: bob\n\n")).is_automatic, "{sender}");
            assert!(header(&format!("{FROM}Return-Path: {sender}\nTo: bob\n\n")).is_automatic, "{sender}");
        }
        for sender in [
            "al",
            "request@d",
            "x-requests@d",
            "owner@d",
            "xowner-y",
            "x@mailer-daemon",
            "postmaster.x@d",
            "mailer-x",
            "root@d",
        ] {
            assert!(!header(&format!("From {sender} Mon\nTo: bob\n\n")).is_automatic, "{sender}");
        }
        for field in [
            "Precedence: bulk",
            "precedence:JUNK",
            "Precedence : list",
            "Precedence:\n bulk",
            "Precedence: bulk mail",
            "List-Id: <l.x>",
            "list-id:",
            "Auto-Submitted: auto-replied",
            "Auto-Submitted:\n auto-generated; x",
            "Auto-Submitted: none",
            "Auto-Submitted:",
            "Return-Path: <>",
            "Return-Path:",
        ] {
            assert!(header(&format!("{FROM}To: bob\n{field}\n\n")).is_automatic, "{field}");
        }
        for field in [
            "Precedence: first-class",
            "Precedence: xbulk",
            "Auto-Submitted: no",
            "auto-submitted:NO",
            "Auto-Submitted: (x) no (y)",
            "Auto-Submitted: no; x=y",
            "Return-Path: <be@x>",
            "X-List-Id: x",
            "X: y\n\nPrecedence: bulk",
        ] {
            assert!(!header(&format!("{FROM}To: bob\n{field}\n\n")).is_automatic, "{field}");
        }
    }

    #[test]
    fn the_subject_is_its_first_line_without_control_characters() {
        assert_eq!(header(&format!("{FROM}Subject:  hi\u{7} there \n more\nSubject: x\n\n")).subject, b"hi there");
        assert_eq!(header(&format!("{FROM}\nSubject: x\n")).subject, b"");
    }

    #[test]
    fn long_lines_and_fields_are_cut() {
        let long = "x".repeat(2 * LONGEST_FIELD);
        let read = header(&format!("{FROM}X: {long}\nTo: y\n{long}: z\nCc: bob\n\n"));
        assert!(read.is_addressed);
        let folded = format!("{FROM}X: y\n{}To: bob\n\n", " z\n".repeat(LONGEST_FIELD));
        assert!(header(&folded).is_addressed);
        assert!(!header(&format!("{FROM}To: {long} bob\n\n")).is_addressed);
    }

    proptest::proptest! {
        #[test]
        fn no_input_is_too_odd(text in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let text = [b"From ", text.as_slice()].concat();
            let read = read(&mut text.as_slice(), &[b"bob"]).unwrap();
            if let Some(sender) = read.sender {
                proptest::prop_assert!(!sender.is_empty() && !sender.iter().any(u8::is_ascii_control));
            }
            proptest::prop_assert!(!read.subject.iter().any(u8::is_ascii_control));
        }
    }
}
