//! What a refusal of a server means: the exit code whose words stand for it, and its enhanced code.
//!
//! Source: observed (a server that answers each command with each code, with and without an enhanced code).

use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::smtp::client::{Phase, Reply};

/// Meaning of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// Whose words and code tell of it; [`Exit::TEMPFAIL`] for one that may pass.
    pub exit: Exit,
    /// Enhanced code in the log.
    pub status: Status,
    /// The recipient is marked with it, so that reports give the server's words; without it they know the exit code alone.
    pub is_marked: bool,
}

/// The meaning of a reply to what was said last, when it is not what was waited for.
///
/// `is_enhanced`: the server announced ENHANCEDSTATUSCODES; from one that did not, what looks like an enhanced code is text.
pub fn meaning(phase: Phase, reply: &Reply, is_enhanced: bool) -> Meaning {
    let given = reply.status().filter(|_| is_enhanced);
    if !phase.is_lasting(reply.code) {
        return Meaning { exit: Exit::TEMPFAIL, status: passing(phase, reply.code, given), is_marked: true };
    }
    if reply.class() != 5 && phase != Phase::Greeting {
        let status = if matches!(phase, Phase::Mail | Phase::DataInit) { Status(5, 5, 1) } else { Status(5, 0, 0) };
        return Meaning { exit: Exit::PROTOCOL, status, is_marked: true };
    }
    let exit = exit(phase, reply.code);
    match phase {
        Phase::Greeting | Phase::Helo | Phase::Lhlo => Meaning { exit, status: Status(5, 5, 0), is_marked: true },
        Phase::DataInit => Meaning { exit, status: Status(5, 0, 0), is_marked: false },
        Phase::Rcpt => match given {
            Some(status) if status.0 != 5 => {
                Meaning { exit, status: exit.row().map_or(Status(5, 0, 0), |row| row.status), is_marked: false }
            }
            _ => Meaning { exit, status: given.unwrap_or_else(|| lasting(phase, reply.code)), is_marked: true },
        },
        _ => Meaning { exit, status: given.unwrap_or_else(|| lasting(phase, reply.code)), is_marked: true },
    }
}

/// What a server that breaks the protocol with this reply was asked, as the operator is told; `None` for one that does not.
///
/// Source: observed (`SMTP DATA-1 protocol error: 250 odd`).
pub fn protocol_error(phase: Phase, reply: &Reply) -> Option<&'static str> {
    let command = match phase {
        Phase::Mail => "MAIL",
        Phase::Rcpt => "RCPT",
        Phase::DataInit => "DATA-1",
        Phase::DataFinal => "DATA-2",
        _ => return None,
    };
    (phase.is_lasting(reply.code) && meaning(phase, reply, true).exit == Exit::PROTOCOL).then_some(command)
}

/// Whether a reply is neither a refusal for now nor one for good: transcripts do not show it.
pub fn is_odd(reply: &Reply) -> bool {
    !matches!(reply.class(), 4 | 5)
}

fn exit(phase: Phase, code: u16) -> Exit {
    match (phase, code) {
        (Phase::Rcpt, 550 | 551 | 553) => Exit::NOUSER,
        (Phase::Mail, 501 | 553) => Exit::DATAERR,
        (Phase::DataFinal, code) if !(550..=559).contains(&code) => Exit::PROTOCOL,
        _ => Exit::UNAVAILABLE,
    }
}

fn passing(phase: Phase, code: u16, given: Option<Status>) -> Status {
    match phase {
        Phase::Greeting | Phase::Helo | Phase::Lhlo => Status(4, 5, 0),
        Phase::DataInit => Status(4, 0, 0),
        Phase::Mail if code == 421 => Status(4, 0, 0),
        _ => given.unwrap_or(match code {
            450 => Status(4, 2, 0),
            451 => Status(4, 3, 0),
            452 => Status(4, 3, 1),
            _ => Status(4, 0, 0),
        }),
    }
}

/// Enhanced code of a reply that brings none.
fn lasting(phase: Phase, code: u16) -> Status {
    match (phase, code) {
        (Phase::Mail, 501) => Status(5, 5, 2),
        (Phase::Mail, 552) => Status(5, 3, 4),
        (Phase::Mail | Phase::Rcpt, 553) => Status(5, 1, 3),
        (Phase::Mail, _) => Status(5, 0, 0),
        (_, 500) => Status(5, 5, 2),
        (_, 501 | 504) => Status(5, 5, 4),
        (_, 502 | 503) => Status(5, 5, 1),
        (Phase::Rcpt, 550) => Status(5, 1, 1),
        (_, 550) => Status(5, 2, 0),
        (_, 551) => Status(5, 1, 6),
        (_, 552) => Status(5, 2, 2),
        (_, 553) => Status(5, 1, 0),
        _ => Status(5, 0, 0),
    }
}

/// The code that a report gives to a recipient of whom only an exit code is known.
pub fn status_of_exit(exit: Exit) -> Status {
    match exit {
        Exit::USAGE => Status(5, 5, 4),
        Exit::DATAERR => Status(5, 5, 2),
        Exit::NOUSER => Status(5, 1, 1),
        Exit::NOHOST => Status(5, 1, 2),
        Exit::NOINPUT | Exit::CANTCREAT | Exit::NOPERM => Status(5, 3, 0),
        Exit::UNAVAILABLE | Exit::SOFTWARE | Exit::OSFILE | Exit::PROTOCOL | Exit::CONFIG => Status(5, 5, 0),
        Exit::OSERR | Exit::IOERR | Exit::TEMPFAIL => Status(4, 0, 0),
        _ => Status(5, 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn each_command_has_codes_of_its_own() {
        let cases = [
            (Phase::Greeting, "999 x", Exit::UNAVAILABLE, "5.5.0", true),
            (Phase::Helo, "999 x", Exit::TEMPFAIL, "4.5.0", true),
            (Phase::Mail, "354 x", Exit::PROTOCOL, "5.5.1", true),
            (Phase::Rcpt, "100 x", Exit::PROTOCOL, "5.0.0", true),
            (Phase::DataInit, "250 2.0.0 x", Exit::PROTOCOL, "5.5.1", true),
            (Phase::DataFinal, "600 x", Exit::PROTOCOL, "5.0.0", true),
            (Phase::Rcpt, "550 5.7.1 x", Exit::NOUSER, "5.7.1", true),
            (Phase::Rcpt, "550 4.7.1 x", Exit::NOUSER, "5.1.1", false),
            (Phase::Rcpt, "501 x", Exit::UNAVAILABLE, "5.5.4", true),
            (Phase::Rcpt, "553 x", Exit::NOUSER, "5.1.3", true),
            (Phase::Rcpt, "452 5.1.1 x", Exit::TEMPFAIL, "5.1.1", true),
            (Phase::Rcpt, "454 x", Exit::TEMPFAIL, "4.0.0", true),
            (Phase::Mail, "501 x", Exit::DATAERR, "5.5.2", true),
            (Phase::Mail, "500 x", Exit::UNAVAILABLE, "5.0.0", true),
            (Phase::Mail, "552 x", Exit::UNAVAILABLE, "5.3.4", true),
            (Phase::Mail, "550 2.1.1 x", Exit::UNAVAILABLE, "2.1.1", true),
            (Phase::Mail, "421 4.3.2 x", Exit::TEMPFAIL, "4.0.0", true),
            (Phase::DataInit, "554 5.5.0 x", Exit::UNAVAILABLE, "5.0.0", false),
            (Phase::DataFinal, "530 5.7.0 x", Exit::PROTOCOL, "5.7.0", true),
            (Phase::DataFinal, "550 x", Exit::UNAVAILABLE, "5.2.0", true),
            (Phase::DataFinal, "571 x", Exit::PROTOCOL, "5.0.0", true),
            (Phase::Helo, "502 5.5.1 x", Exit::UNAVAILABLE, "5.5.0", true),
            (Phase::Greeting, "421 4.3.2 x", Exit::TEMPFAIL, "4.5.0", true),
        ];
        for (phase, text, exit, status, is_marked) in cases {
            let reply = Reply { code: text[..3].parse().unwrap(), lines: vec![Bytes::from_static(text.as_bytes())] };
            let found = meaning(phase, &reply, true);
            assert_eq!(
                (found.exit, found.status.to_string().as_str(), found.is_marked),
                (exit, status, is_marked),
                "{phase:?} {text}"
            );
        }
    }

    #[test]
    fn enhanced_codes_of_a_server_that_announces_none_are_text() {
        let cases = [
            (Phase::Mail, "450 4.2.9 x", "4.2.0"),
            (Phase::Mail, "454 4.2.9 x", "4.0.0"),
            (Phase::Mail, "553 5.2.9 x", "5.1.3"),
            (Phase::Rcpt, "452 4.2.9 x", "4.3.1"),
            (Phase::Rcpt, "551 5.2.9 x", "5.1.6"),
            (Phase::Rcpt, "559 5.2.9 x", "5.0.0"),
            (Phase::DataFinal, "450 4.2.9 x", "4.2.0"),
        ];
        for (phase, text, status) in cases {
            let reply = Reply { code: text[..3].parse().unwrap(), lines: vec![Bytes::from_static(text.as_bytes())] };
            assert_eq!(meaning(phase, &reply, false).status.to_string(), status, "{phase:?} {text}");
        }
    }
}
