//! The reply: its text, and sendmail, which takes it.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bytes::Bytes;

use crate::sys::safefile::error_text;
use crate::sys::spawn::{Ended, Launch, Stream};

/// The whole message. `text` is what the user wrote, header and body; `$SUBJECT` in it becomes the subject.
pub(super) fn compose(recipient: &[u8], text: &[u8], subject: &[u8]) -> Vec<u8> {
    let mut message = [b"To: ", recipient, b"\nAuto-Submitted: auto-replied\n"].concat();
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, SUBJECT) {
        message.extend_from_slice(rest.get(..at).unwrap_or_default());
        message.extend_from_slice(subject);
        rest = rest.get(at + SUBJECT.len()..).unwrap_or_default();
    }
    message.extend_from_slice(rest);
    message
}

const SUBJECT: &[u8] = b"$SUBJECT";

/// Gives sendmail the message. Errors: what to say of it.
pub(super) fn send(sendmail: &Path, reverse_path: &[u8], recipient: &[u8], message: &[u8]) -> Result<(), String> {
    let name = sendmail.display();
    let argv = [sendmail.as_os_str().as_bytes(), b"-oi", b"-f", reverse_path, b"--", recipient];
    let argv = argv.map(Bytes::copy_from_slice).into();
    let launch = Launch { argv, stdin: Stream::Pipe, ..Launch::beside(sendmail) };
    let mut child = launch.start().map_err(|e| format!("can't exec {name}: {}", error_text(&e)))?;
    let given = child.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(message));
    match child.wait().map(Ended::from) {
        Ok(Ended::Exit(0)) => given.map_err(|e| format!("{name}: {}", error_text(&e))),
        Ok(Ended::Exit(code)) => Err(format!("{name}: terminated with {code} (non-zero) status")),
        Ok(Ended::Signal(signal, _)) => Err(format!("{name}: terminated by signal {signal}")),
        Err(e) => Err(format!("{name}: {}", error_text(&e))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_goes_where_the_text_wants_it() {
        let head = "To: al@x\nAuto-Submitted: auto-replied\n";
        for (text, subject, body) in [
            ("Subject: Re: $SUBJECT\n\n($SUBJECT)", "hi", "Subject: Re: hi\n\n(hi)"),
            ("$SUBJECT$SUBJECT", "$SUBJECT", "$SUBJECT$SUBJECT"),
            ("a $SUBJEC", "hi", "a $SUBJEC"),
            ("", "hi", ""),
        ] {
            let message = compose(b"al@x", text.as_bytes(), subject.as_bytes());
            assert_eq!(String::from_utf8(message).unwrap(), format!("{head}{body}"));
        }
    }

    #[test]
    fn sendmail_that_fails_is_told_of() {
        let at = |path: &str| send(Path::new(path), b"bob", b"al@x", b"x\n");
        assert_eq!(at("/no/sendmail"), Err("can't exec /no/sendmail: No such file or directory".to_owned()));
        assert!(at("/bin/false").unwrap_err().starts_with("/bin/false: "));
    }
}
