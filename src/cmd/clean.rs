//! Text of callers that comes to stand in header fields and in the log.
//!
//! In: bytes of the command line and the environment. Out: bytes that neither begin a new line nor a field of their own.
//! Source: observed (`-f`, `-F`, `-r`, `-p`, `-Mr`, `-Ms`, `-L`, `NAME` with line feeds and odd characters).

use bytes::Bytes;

/// The text on one line: each line feed becomes a blank.
///
/// `Err` holds the same when there was one, so that it can be logged as an attack.
pub(super) fn one_line(text: Bytes) -> Result<Bytes, Bytes> {
    if !text.contains(&b'\n') {
        return Ok(text);
    }
    Err(text.iter().map(|b| if *b == b'\n' { b' ' } else { *b }).collect::<Vec<_>>().into())
}

/// What may stand in a trace field as protocol or host: characters of atoms, dots and slashes; others are left out.
pub(super) fn trace_word(text: &[u8]) -> Bytes {
    text.iter().copied().filter(|b| b.is_ascii_alphanumeric() || TRACE.contains(b)).collect::<Vec<_>>().into()
}

/// A tag of log lines: at most 32 characters; a star for those that syslog servers or readers may take wrongly.
pub(super) fn log_tag(text: &[u8]) -> String {
    let is_plain = |b: u8| (b' '..=b'~').contains(&b) && b != b'%';
    text.iter().take(TAG).map(|b| if is_plain(*b) { char::from(*b) } else { '*' }).collect()
}

const TRACE: &[u8] = b"!#$%&'*+-./^_`{|}~";
const TAG: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_begins_within() {
        assert_eq!(one_line(Bytes::from_static(b"Ann Bell")), Ok(Bytes::from_static(b"Ann Bell")));
        assert_eq!(one_line(Bytes::from_static(b"Mal\r\nX: y")), Err(Bytes::from_static(b"Mal\r X: y")));
    }

    #[test]
    fn trace_words_are_atoms() {
        let printable: Vec<u8> = (b'!'..=b'~').collect();
        let kept = b"!#$%&'*+-./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~";
        assert_eq!(trace_word(&printable), Bytes::from_static(kept));
        assert_eq!(trace_word(b"[1.2.3.4]/a b_c-d.e+f@g(h)\n\xe9"), "1.2.3.4/ab_c-d.e+fgh");
    }

    #[test]
    fn tags_are_short_and_plain() {
        assert_eq!(log_tag(b"a b/c:d\x01e%f\n"), "a b/c:d*e*f*");
        assert_eq!(log_tag(&[b'y'; 40]).len(), 32);
    }
}
