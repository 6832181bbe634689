//! Quarantining a message that lies in the queue, and freeing it: one line of its control file changes.

use bytes::Bytes;

/// What becomes of a control file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It had no reason and has one now.
    Quarantined(Vec<u8>),
    /// It had this reason and has another one now.
    Changed(Bytes, Vec<u8>),
    /// It had this reason and has none now.
    Freed(Bytes, Vec<u8>),
    /// It is already as it is to be.
    Same,
    /// It has no final dot; the change would have been this one.
    Incomplete(Box<Change>),
    /// It has no sender, so that there is no place for a reason: not the file of a message.
    Unfit,
}

/// The text with another reason, or with none. Every other line stays as it is, also one that means nothing.
///
/// Shape: a `q` line is replaced in its place; a new one stands in front of `S`. Source: observed.
pub fn rewrite(text: &[u8], reason: Option<&[u8]>) -> Change {
    let mut out = Vec::with_capacity(text.len().saturating_add(64));
    let (mut old, mut has_place, mut ended) = (None, false, false);
    for line in text.split_inclusive(|b| *b == b'\n') {
        ended = line == b".\n";
        match line.first() {
            Some(b'q') if !has_place => {
                let value = line.get(1..).unwrap_or_default();
                old = Some(Bytes::copy_from_slice(value.strip_suffix(b"\n").unwrap_or(value)));
                has_place = true;
                put(&mut out, reason);
            }
            Some(b'S') if !has_place => {
                has_place = true;
                put(&mut out, reason);
                out.extend_from_slice(line);
            }
            _ => out.extend_from_slice(line),
        }
    }
    let change = match (old, reason) {
        _ if !has_place => return Change::Unfit,
        (Some(old), Some(new)) if old == new => Change::Same,
        (Some(old), Some(_)) => Change::Changed(old, out),
        (Some(old), None) => Change::Freed(old, out),
        (None, Some(_)) => Change::Quarantined(out),
        (None, None) => Change::Same,
    };
    if ended { change } else { Change::Incomplete(Box::new(change)) }
}

fn put(out: &mut Vec<u8>, reason: Option<&[u8]>) {
    let Some(reason) = reason else { return };
    out.push(b'q');
    // It stays one line, whatever it holds.
    out.extend(reason.iter().map(|b| if matches!(b, b'\n' | b'\r' | 0) { b' ' } else { *b }));
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_reason_changes() {
        let free: &[u8] = b"V8\nXwhat\nFs\nSa@b\nqnot this\nRFD:c\n.\n";
        let held: &[u8] = b"V8\nXwhat\nFs\nqone\nSa@b\nqnot this\nRFD:c\n.\n";
        let other: &[u8] = b"V8\nXwhat\nFs\nqtwo\nSa@b\nqnot this\nRFD:c\n.\n";
        assert_eq!(rewrite(free, Some(b"one")), Change::Quarantined(held.to_vec()));
        assert_eq!(rewrite(held, Some(b"two")), Change::Changed("one".into(), other.to_vec()));
        assert_eq!(rewrite(other, None), Change::Freed("two".into(), free.to_vec()));
        assert_eq!(rewrite(held, Some(b"one")), Change::Same);
        assert_eq!(rewrite(free, None), Change::Same);
    }

    #[test]
    fn what_is_no_message_is_left_alone() {
        assert_eq!(rewrite(b"", Some(b"one")), Change::Unfit);
        assert_eq!(rewrite(b"V8\nRFD:c\n.\n", Some(b"one")), Change::Unfit);
        assert!(matches!(rewrite(b"V8\nSa@b\n", Some(b"one")), Change::Incomplete(_)));
        assert_eq!(rewrite(b"V8\nSa@b\n.\n", Some(b"x\ny")), Change::Quarantined(b"V8\nqx y\nSa@b\n.\n".to_vec()));
    }
}
