//! What came of a recipient, in words and codes.

use bytes::Bytes;

use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::base::time::UnixTime;
use crate::config::Mailer;
use crate::envelope::recipient::Success;
use crate::envelope::{Recipient, State};

use super::refusal;

/// How a try ended for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Done.
    Sent,
    /// To be tried again.
    Deferred,
    /// Given up.
    Failed,
}

/// What was said with a server, for the transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialogue {
    /// The server.
    pub host: Bytes,
    /// The last command sent; empty for the greeting.
    pub command: Bytes,
    /// Lines of its reply.
    pub reply: Vec<Bytes>,
}

/// Result of a try for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// Enhanced code (`dsn=`).
    pub status: Status,
    /// Words for `stat=` and the queue file (`Sent (ok)`, `Deferred: …`, `User unknown`).
    pub text: String,
    /// Three-digit code for the transcript of a DSN.
    pub reply_code: u16,
    /// Reply of the server, whole (`reply=`).
    pub reply: Option<Bytes>,
    /// Name of the server that gave it.
    pub server: Option<Bytes>,
    /// The next hop as the log names it, where several were tried.
    pub relay: Option<Bytes>,
    /// Exit code of a program.
    pub exit: Option<u8>,
    /// Exit code that stands for the outcome.
    pub code: Exit,
    /// What DSNs give as the server's words, where the log gives none.
    pub diagnostic: Option<Bytes>,
    /// The recipient has a status of its own in the queue file: it was answered by itself.
    pub is_own: bool,
    /// Code and enhanced code for the transcript where they differ.
    pub told: Option<(u16, Status)>,
    /// It has no line of its own in the log.
    pub is_unlogged: bool,
    /// The line for the transcript where no code makes it.
    pub told_as: Option<String>,
    /// The line for watchers where it is not the address and the words.
    pub shown: Option<String>,
    /// The watcher has seen it already.
    pub is_seen: bool,
    /// Reports know of it by its exit code alone: not by the server's words, nor by their enhanced code.
    pub knows_exit_alone: bool,
    /// The server will not have a message of this size: reports do not carry it back.
    pub is_too_large: bool,
    /// A breach of the protocol, for the operator.
    pub protocol_error: Option<String>,
    /// Line for the transcript in front of the usual one.
    pub transcript: Option<String>,
    /// Command and reply for the transcript.
    pub dialogue: Option<Dialogue>,
    /// Words for the message as a whole (`M` of the queue file), where they differ from `text`.
    pub job_text: Option<String>,
    /// What success means.
    pub success: Option<Success>,
    /// The server goes on watching the time of DELIVERBY.
    pub knows_deliver_by: bool,
    /// Reply to the recipient's own command, of a server that took the message.
    pub taken: Option<Bytes>,
    /// Enhanced code in reports, where the log has another.
    pub reported: Option<Status>,
}

impl Outcome {
    /// Delivered; `words` stand in parentheses behind `Sent`.
    pub fn sent(words: &[u8], success: Success) -> Self {
        let text = if words.is_empty() { "Sent".to_owned() } else { format!("Sent ({})", shown(words)) };
        Self { status: Status(2, 0, 0), text, reply_code: 250, success: Some(success), ..Self::bare(Verdict::Sent) }
    }

    /// To be tried again, because of this.
    pub fn deferred(status: Status, why: &str) -> Self {
        let text = if why.is_empty() { "Deferred".to_owned() } else { format!("Deferred: {why}") };
        Self { status, text, reply_code: 451, ..Self::bare(Verdict::Deferred) }
    }

    /// Given up, with the words of an exit code.
    pub fn failed(exit: Exit, status: Status, text: impl Into<String>) -> Self {
        let reply_code = exit.row().map_or(554, |r| r.reply);
        Self { status, text: text.into(), reply_code, code: exit, ..Self::bare(Verdict::Failed) }
    }

    /// What a mailer program's end means. Source: observed (alias/program, bounce/lda-failures).
    pub fn of_program(code: u8, mailer: &Mailer) -> Self {
        let exit = Exit(code);
        if code == 0 {
            return Self::sent(b"", success_of(mailer));
        }
        let mut outcome = match exit.row() {
            // Observed: only EX_TEMPFAIL is called a deferral.
            Some(row) if exit == Exit::TEMPFAIL => Self::deferred(
                row.status,
                &format!(
                    "{} mailer ({}) exited with {}",
                    shown(&mailer.name),
                    shown(&mailer.path),
                    exit.name().unwrap_or_default()
                ),
            ),
            Some(row) if exit.is_temporary() => {
                Self { verdict: Verdict::Deferred, ..Self::failed(exit, row.status, row.text) }
            }
            Some(row) => Self::failed(exit, row.status, row.text),
            None => Self::failed(exit, Status(5, 3, 0), format!("unknown mailer error {code}")),
        };
        outcome.exit = Some(code);
        outcome
    }

    /// The same with the server's reply.
    #[must_use]
    pub fn with_reply(mut self, reply: impl Into<Bytes>, server: impl Into<Bytes>) -> Self {
        self.reply = Some(reply.into());
        self.server = Some(server.into());
        self
    }

    /// The same with a reply of our own, for the log.
    #[must_use]
    pub fn with_local_reply(mut self, reply: Bytes) -> Self {
        self.reply = Some(reply);
        self
    }

    /// The exit code that a failure means for a calling program.
    pub fn exit_code(&self) -> Exit {
        self.exit
            .map(Exit)
            .filter(|e| e.row().is_some())
            .or_else(|| self.exit.map(|_| Exit::UNAVAILABLE))
            .unwrap_or(self.code)
    }

    /// Whether the transcript tells of it with a reply code: a failure, or a delay that has words of its own.
    pub fn has_told_line(&self) -> bool {
        match self.verdict {
            Verdict::Sent => false,
            Verdict::Failed => true,
            Verdict::Deferred => self.code.is_temporary() && self.code != Exit::TEMPFAIL,
        }
    }

    /// Whether two recipients share a line of the log: what was said to each by itself does not count where both are served.
    pub fn is_told_with(&self, other: &Self) -> bool {
        if self.verdict != Verdict::Sent || other.verdict != Verdict::Sent {
            return self == other;
        }
        (&self.text, self.status, &self.relay, &self.server, self.success)
            == (&other.text, other.status, &other.relay, &other.server, other.success)
    }

    /// Marks the recipient.
    pub fn apply(&self, recipient: &mut Recipient, now: UnixTime) {
        recipient.state = match self.verdict {
            Verdict::Sent => State::Sent,
            Verdict::Deferred => State::Queued,
            Verdict::Failed => State::Failed,
        };
        // A deferral without a server's word stands in the message's own status alone.
        let is_told = match self.verdict {
            Verdict::Sent => false,
            Verdict::Deferred => self.is_own,
            Verdict::Failed => true,
        };
        let words = self.job_text.as_ref().filter(|_| self.verdict == Verdict::Deferred).unwrap_or(&self.text);
        recipient.message = is_told.then(|| Bytes::from(words.clone()));
        recipient.status = Some(self.dsn_status());
        let is_foreign = self.server.is_some() || self.dialogue.is_some() || self.diagnostic.is_some();
        let words = self.diagnostic.clone().or_else(|| self.reply.clone());
        let is_shown = is_foreign && !self.knows_exit_alone && self.verdict != Verdict::Sent;
        let is_shown = is_shown || (self.verdict == Verdict::Sent && self.diagnostic.is_some());
        recipient.remote_reply = words.filter(|_| is_shown);
        recipient.remote_mta.clone_from(&self.server);
        recipient.program_exit = self.exit.filter(|_| self.verdict != Verdict::Sent);
        recipient.last_try = Some(now);
        recipient.success = self.success;
    }

    /// The code in DSNs: of a program, and of what left no mark on the recipient, the exit code is all that they know.
    fn dsn_status(&self) -> Status {
        if let Some(status) = self.reported {
            return status;
        }
        match (self.verdict, self.exit) {
            (Verdict::Failed, Some(exit)) => refusal::status_of_exit(Exit(exit)),
            (Verdict::Failed, None) if self.knows_exit_alone => refusal::status_of_exit(self.code),
            // Who takes mail for good says so by itself.
            (Verdict::Sent, _) if self.success == Some(Success::Delivered) => Status(2, 1, 5),
            _ => self.status,
        }
    }

    /// Line of the transcript that tells of a failure: words of an exit code name the address only with 550.
    pub fn told_line(&self, addresses: &str) -> String {
        if let Some(line) = &self.told_as {
            return line.clone();
        }
        let (code, status) = self.told.unwrap_or((self.reply_code, self.status));
        if self.is_bare() {
            return format!("{code:03} {status} {}", self.text);
        }
        format!("{code:03} {status} {addresses}... {}", self.text)
    }

    /// The line for watchers: that of the transcript without its codes. Source: observed.
    pub fn shown_line(&self, addresses: &str) -> String {
        match &self.shown {
            Some(line) => line.clone(),
            None if self.has_told_line() && self.is_bare() => self.text.clone(),
            None => format!("{addresses}... {}", self.text),
        }
    }

    /// Whether what tells of it does not name the address.
    fn is_bare(&self) -> bool {
        let (code, _) = self.told.unwrap_or((self.reply_code, self.status));
        matches!(code, 451 | 500 | 501 | 551 | 552 | 554) || (self.told.is_some() && code != 550)
    }

    /// Line of the transcript for a recipient whose sender wants to know of success. Source: observed.
    pub fn receipt_line(&self, recipient: &Recipient) -> Option<String> {
        if self.verdict != Verdict::Sent {
            return None;
        }
        let words = match recipient.success? {
            Success::ByNotify => "Deliver-by notify: relayed",
            Success::ByTrace => "Deliver-By trace: relayed",
            _ if !recipient.notify.success => return None,
            Success::Delivered => "Successfully delivered",
            Success::Relayed if recipient.is_primary => "relayed; expect no further notifications",
            _ => return None,
        };
        Some(format!("{}... {words}", shown(&recipient.address)))
    }

    fn bare(verdict: Verdict) -> Self {
        Self {
            verdict,
            status: Status(2, 0, 0),
            text: String::new(),
            reply_code: 250,
            reply: None,
            server: None,
            relay: None,
            exit: None,
            code: Exit::OK,
            job_text: None,
            diagnostic: None,
            is_own: false,
            told: None,
            is_unlogged: false,
            told_as: None,
            shown: None,
            is_seen: false,
            knows_exit_alone: false,
            is_too_large: false,
            protocol_error: None,
            transcript: None,
            dialogue: None,
            success: None,
            knows_deliver_by: false,
            taken: None,
            reported: None,
        }
    }
}

/// What success means for a mailer that is no next hop.
pub fn success_of(mailer: &Mailer) -> Success {
    if mailer.has(b'l') { Success::Delivered } else { Success::Relayed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_become_the_original_s_words() {
        let mailer = super::super::plan::tests::mailer("prog", "/bin/sh", "l");
        let cases = [
            (0, Verdict::Sent, "2.0.0", "Sent"),
            (67, Verdict::Failed, "5.1.1", "User unknown"),
            (69, Verdict::Failed, "5.0.0", "Service unavailable"),
            (73, Verdict::Failed, "5.0.0", "Can't create output"),
            (75, Verdict::Deferred, "4.0.0", "Deferred: prog mailer (/bin/sh) exited with EX_TEMPFAIL"),
            (127, Verdict::Failed, "5.3.0", "unknown mailer error 127"),
        ];
        for (code, verdict, status, text) in cases {
            let outcome = Outcome::of_program(code, &mailer);
            assert_eq!((outcome.verdict, outcome.status.to_string().as_str()), (verdict, status), "{code}");
            assert_eq!(outcome.text, text, "{code}");
        }
    }

    #[test]
    fn reports_have_codes_of_their_own_for_exit_codes() {
        let mailer = super::super::plan::tests::mailer("prog", "/bin/sh", "l");
        for (code, status, line) in [
            (64, "5.5.4", "500 5.0.0 Command line usage error"),
            (65, "5.5.2", "501 5.6.0 Data format error"),
            (67, "5.1.1", "550 5.1.1 a,b... User unknown"),
            (72, "5.5.0", "554 5.3.5 System file missing"),
            (77, "5.3.0", "550 5.0.0 a,b... Insufficient permission"),
            (127, "5.0.0", "554 5.3.0 unknown mailer error 127"),
        ] {
            let outcome = Outcome::of_program(code, &mailer);
            let mut recipient = Recipient::new("a");
            outcome.apply(&mut recipient, UnixTime(5));
            assert_eq!(recipient.status.map(|s| s.to_string()).as_deref(), Some(status), "{code}");
            assert_eq!(outcome.told_line("a,b"), line);
        }
        let busy = Outcome::of_program(71, &mailer);
        assert_eq!((busy.verdict, busy.text.as_str()), (Verdict::Deferred, "Operating system error"));
        assert!(busy.has_told_line() && busy.exit_code() == Exit::OSERR);
    }

    #[test]
    fn watchers_see_the_words_of_the_transcript_without_its_codes() {
        let refused = Outcome {
            told: Some((554, Status(5, 0, 0))),
            ..Outcome::failed(Exit::UNAVAILABLE, Status(5, 7, 1), "Service unavailable")
        };
        assert_eq!(refused.shown_line("a,b"), "Service unavailable");
        let unknown = Outcome::failed(Exit::NOUSER, Status(5, 1, 1), "User unknown");
        assert_eq!(unknown.shown_line("a,b"), "a,b... User unknown");
        assert_eq!(Outcome::deferred(Status(4, 2, 0), "451 later").shown_line("a"), "a... Deferred: 451 later");
    }

    #[test]
    fn receipts_are_noted_where_they_were_asked_for() {
        let mut recipient = Recipient::new("a");
        let sent = Outcome::sent(b"", Success::Relayed);
        sent.apply(&mut recipient, UnixTime(5));
        assert_eq!(sent.receipt_line(&recipient), None);
        recipient.notify.success = true;
        assert_eq!(sent.receipt_line(&recipient).as_deref(), Some("a... relayed; expect no further notifications"));
        recipient.is_primary = false;
        assert_eq!(sent.receipt_line(&recipient), None);
    }

    #[test]
    fn who_is_served_shares_a_line_whatever_was_said_to_each() {
        let taken = |words: &'static str| Outcome {
            taken: Some(words.into()),
            diagnostic: Some(words.into()),
            ..Outcome::sent(b"ok", Success::Relayed)
        };
        assert!(taken("250 <a>... ok").is_told_with(&taken("250 <b>... ok")));
        assert!(!taken("250 <a>... ok").is_told_with(&Outcome::sent(b"other", Success::Relayed)));
        let failed = |reply| Outcome::failed(Exit::NOUSER, Status(5, 1, 1), "User unknown").with_reply(reply, "mx.");
        assert!(failed("550 no").is_told_with(&failed("550 no")) && !failed("550 no").is_told_with(&failed("550 a")));
    }

    #[test]
    fn a_failed_recipient_keeps_why() {
        let mut recipient = Recipient::new("bob");
        let outcome = Outcome::failed(Exit::NOUSER, Status(5, 1, 1), "User unknown").with_reply("550 5.1.1 no", "mx.");
        outcome.apply(&mut recipient, UnixTime(5));
        assert_eq!(recipient.state, State::Failed);
        assert_eq!(recipient.message.as_deref(), Some(&b"User unknown"[..]));
        assert_eq!(recipient.remote_reply.as_deref(), Some(&b"550 5.1.1 no"[..]));
    }
}
