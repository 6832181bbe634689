//! What a check ruleset said.

use bytes::Bytes;

use super::refusal::Refusal;

/// The answer of a check ruleset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing against it.
    Accept,
    /// No, with a reply.
    Reject(Refusal),
    /// Accept, then drop the message.
    Discard,
    /// Accept, then hold the message for this reason.
    Quarantine(Bytes),
}

impl Verdict {
    /// Reads the triple that a ruleset resolved to (`$#mailer $@ host $: user`).
    ///
    /// Any mailer but `error` and `discard` accepts. Source: observed.
    pub fn from_triple(mailer: &[u8], host: &[u8], user: &[u8]) -> Self {
        if mailer.eq_ignore_ascii_case(b"discard") {
            return Self::Discard;
        }
        if !mailer.eq_ignore_ascii_case(b"error") {
            return Self::Accept;
        }
        if host.eq_ignore_ascii_case(b"quarantine") {
            return Self::Quarantine(Bytes::copy_from_slice(user));
        }
        Self::Reject(Refusal::from_error(host, user))
    }

    /// The end of its log line: `reject=…`, `discard`, `quarantine=…`; `None` when nothing is logged.
    ///
    /// `about` is the address that the reply names.
    pub fn log_words(&self, about: &[u8]) -> Option<String> {
        match self {
            Self::Accept => None,
            Self::Reject(refusal) => Some(format!("reject={}", crate::base::bytes::shown(&refusal.line(about)))),
            Self::Discard => Some("discard".to_owned()),
            Self::Quarantine(reason) => Some(format!("quarantine={}", crate::base::bytes::shown(reason))),
        }
    }

    /// The refusal, when it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Reject(refusal) => Some(refusal),
            _ => None,
        }
    }
}

/// Text of the log line of a ruleset: `ruleset=check_rcpt, arg1=<a@b>, arg2=…, relay=host [addr], reject=…`.
pub fn log_line(ruleset: &str, arguments: &[&[u8]], relay: &[u8], words: &str) -> String {
    use crate::base::bytes::shown;
    use std::fmt::Write as _;
    let mut line = format!("ruleset={ruleset}");
    for (at, argument) in arguments.iter().enumerate() {
        let _ = write!(line, ", arg{}={}", at + 1, shown(argument));
    }
    if !relay.is_empty() {
        let _ = write!(line, ", relay={}", shown(relay));
    }
    line.push_str(", ");
    line.push_str(words);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_error_and_discard_are_against() {
        assert_eq!(Verdict::from_triple(b"local", b"", b"x"), Verdict::Accept);
        assert_eq!(Verdict::from_triple(b"OK", b"", b""), Verdict::Accept);
        assert_eq!(Verdict::from_triple(b"discard", b"", b""), Verdict::Discard);
        assert_eq!(
            Verdict::from_triple(b"error", b"quarantine", b"why not"),
            Verdict::Quarantine(Bytes::from_static(b"why not"))
        );
    }

    #[test]
    fn the_log_line_names_arguments_and_relay() {
        let verdict = Verdict::from_triple(b"error", b"5.7.1", b"550 Access denied");
        let words = verdict.log_words(b"").unwrap();
        assert_eq!(
            log_line("check_relay", &[b"h.test", b"192.0.2.1"], b"h.test [192.0.2.1]", &words),
            "ruleset=check_relay, arg1=h.test, arg2=192.0.2.1, relay=h.test [192.0.2.1], reject=550 5.7.1 Access denied"
        );
    }
}
