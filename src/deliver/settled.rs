//! What a server's answers mean for a recipient.

use bytes::Bytes;

use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::config::Mailer;
use crate::deliver::outcome::{Dialogue, Outcome, Verdict};
use crate::deliver::refusal;
use crate::envelope::recipient::Success;
use crate::smtp::client::{Capabilities, Phase, Reply, Settled, Trouble};

/// The outcomes of the recipients of a transaction.
///
/// A server that answers for each recipient (LMTP) is not quoted on those that it took; the code with them is that of
/// its last answer. Source: observed (hdr/lmtp-mailer).
///
/// `afterwards` is what it said when nothing came of the message: reports quote that where DATA was answered with no refusal.
/// Source: observed.
pub fn outcomes(
    settled: &[Settled],
    afterwards: Option<&Reply>,
    host: &Bytes,
    capabilities: &Capabilities,
    mailer: &Mailer,
) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> =
        settled.iter().map(|settled| outcome(settled, host, capabilities, mailer)).collect();
    for (settled, outcome) in settled.iter().zip(&mut outcomes) {
        if let (Settled::Refused { phase: Phase::DataInit, reply, .. }, Some(said)) = (settled, afterwards)
            && refusal::is_odd(reply)
        {
            outcome.diagnostic = Some(said.log_form().into());
        }
    }
    if mailer.has(b'z') {
        let last = settled.iter().rev().find_map(|settled| match settled {
            Settled::Accepted { reply, .. } | Settled::Refused { phase: Phase::DataFinal, reply, .. } => reply.status(),
            _ => None,
        });
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.verdict == Verdict::Sent) {
            "Sent".clone_into(&mut outcome.text);
            outcome.status = last.unwrap_or(outcome.status);
        }
    }
    outcomes
}

/// The outcome of a recipient that a transaction settled.
///
/// `host` is the server as DSNs name it. Source: observed (queue/deferred-4xx, bounce/remote-550).
pub fn outcome(settled: &Settled, host: &Bytes, capabilities: &Capabilities, mailer: &Mailer) -> Outcome {
    match settled {
        Settled::Accepted { reply, rcpt } => {
            let success = match (mailer.has(b'l'), capabilities.dsn) {
                (true, _) => Success::Delivered,
                (false, true) => Success::Passed,
                (false, false) => Success::Relayed,
            };
            let mut outcome = Outcome::sent(reply.words(capabilities.enhanced_status_codes), success);
            if let Some(status) = reply.status().filter(|s| s.0 == 2) {
                outcome.status = status;
            }
            outcome.server = Some(host.clone());
            outcome.knows_deliver_by = capabilities.deliver_by.is_some();
            // Who reports by himself is not quoted.
            outcome.diagnostic = rcpt.clone().filter(|_| success == Success::Relayed);
            outcome.taken.clone_from(rcpt);
            outcome
        }
        Settled::Refused { phase, command, reply } => {
            let mut outcome = answered(*phase, command, reply, host, Some(capabilities));
            let is_alone = *phase == Phase::DataFinal && mailer.has(b'z');
            outcome.is_own = *phase == Phase::Rcpt || is_alone;
            if is_alone && outcome.verdict == Verdict::Failed {
                let words = reply.words(capabilities.enhanced_status_codes);
                outcome.text = format!("{} ({})", outcome.text, shown(words));
            }
            outcome
        }
        Settled::Unsent(reply) => {
            let mut outcome = answered(Phase::Rcpt, &Bytes::new(), reply, host, Some(capabilities));
            outcome.status = Status(4, 2, 0);
            outcome.dialogue = None;
            outcome.is_own = true;
            outcome
        }
        Settled::Ruleset(reply) => kept_back(reply),
        // Who was asked for when the server closed, and who was not asked for any more, is told of alone. Source: observed.
        Settled::Failed(trouble @ Trouble::Broken { phase: Phase::Rcpt, .. }) => {
            let name = String::from_utf8_lossy(host);
            let mut outcome = self::trouble(trouble, host);
            outcome.reply = Some(format!("421 4.4.1 Connection reset by {name}").into());
            outcome.is_own = true;
            outcome
        }
        Settled::Unanswered(trouble) => {
            let name = String::from_utf8_lossy(host);
            let mut outcome = Outcome::deferred(Status(4, 4, 2), &format!("Connection reset by {name}"));
            outcome.reply = Some(format!("451 4.4.1 reply: read error from {name}").into());
            outcome.server = self::trouble(trouble, host).server;
            outcome.is_own = true;
            outcome
        }
        Settled::Failed(trouble) => self::trouble(trouble, host),
    }
}

/// The outcome of a recipient that `tls_rcpt` kept back: for now, the words go into the queue file, not into the log; for good, the
/// report has them in its transcript. Source: observed.
fn kept_back(reply: &Bytes) -> Outcome {
    if reply.first() == Some(&b'5') {
        let mut outcome = Outcome::failed(Exit::DATAERR, Status(5, 5, 2), "Data format error");
        outcome.told = Some((501, Status(5, 6, 0)));
        outcome.transcript = Some(String::from_utf8_lossy(reply).into_owned());
        outcome.is_own = true;
        return outcome;
    }
    let mut outcome = Outcome::deferred(Status(4, 2, 0), "");
    let words = reply.splitn(3, |b| *b == b' ').nth(2).unwrap_or_default();
    outcome.job_text = Some(String::from_utf8_lossy(words).into_owned());
    outcome.is_own = true;
    outcome
}

/// The outcome of all recipients when a connection cannot be used.
pub fn trouble(trouble: &Trouble, host: &Bytes) -> Outcome {
    let mut outcome = trouble_alone(trouble, host);
    let is_refused_by_us = matches!(trouble, Trouble::Ruleset(_)) && outcome.verdict == Verdict::Failed;
    let is_answered = matches!(trouble, Trouble::Refused { phase, .. } if *phase != Phase::Auth);
    if !is_answered && !is_refused_by_us {
        outcome.server.get_or_insert_with(|| host.clone());
    }
    outcome
}

fn trouble_alone(trouble: &Trouble, host: &Bytes) -> Outcome {
    let words = trouble.words(&String::from_utf8_lossy(host));
    match trouble {
        // Source: observed (auth/client).
        Trouble::Refused { phase: Phase::Auth, reply, .. } => {
            let outcome = Outcome::deferred(Status(4, 3, 0), "Temporary AUTH failure");
            if reply.code < 400 { outcome } else { outcome.with_reply(reply.log_form(), host.clone()) }
        }
        Trouble::NoMechanism | Trouble::NoLogin => Outcome::deferred(Status(4, 3, 0), &words),
        Trouble::Refused { phase, command, reply } => answered(*phase, command, reply, host, None),
        Trouble::Broken { phase: Phase::Connect, .. } | Trouble::Timeout(Phase::Connect) | Trouble::OutOfTime => {
            Outcome::deferred(Status(4, 4, 1), &words)
        }
        // The words go into the queue file, not into the log. Source: observed.
        Trouble::Broken { phase, errno: None } => {
            let status = if *phase == Phase::StartTls { Status(4, 0, 0) } else { Status(4, 4, 2) };
            let is_early = matches!(phase, Phase::Greeting | Phase::Helo | Phase::Lhlo | Phase::Auth | Phase::DataInit);
            let words =
                if is_early { format!("Connection reset by {}", String::from_utf8_lossy(host)) } else { String::new() };
            let mut outcome = Outcome::deferred(status, &words);
            outcome.job_text = Some(format!("reply: read error from {}", String::from_utf8_lossy(host)));
            outcome
        }
        // Observed: the queue file says it in these words too.
        Trouble::Timeout(_) => {
            let mut outcome = Outcome::deferred(Status(4, 4, 2), &words);
            outcome.job_text = Some(format!("reply: read error from {}", String::from_utf8_lossy(host)));
            outcome
        }
        Trouble::Broken { .. } | Trouble::Garbage(_) | Trouble::NoHost => Outcome::deferred(Status(4, 4, 2), &words),
        Trouble::Ruleset(reply) if !trouble.is_temporary() => {
            let mut outcome = Outcome::failed(Exit::DATAERR, Status(5, 7, 0), "Service unavailable");
            outcome.told = Some((554, Status(5, 0, 0)));
            outcome.diagnostic = Some(reply.clone());
            outcome
        }
        Trouble::Ruleset(_) | Trouble::Handshake(_) => Outcome::deferred(Status(4, 7, 0), &words),
        Trouble::Name(_) if trouble.is_temporary() => Outcome::deferred(Status(4, 4, 3), &words),
        Trouble::Name(_) => Outcome::failed(Exit::NOHOST, Status(5, 1, 2), format!("Host unknown ({words})")),
        Trouble::Loop => {
            let mut outcome = Outcome::failed(Exit::CONFIG, Status(5, 3, 5), "Local configuration error");
            outcome.transcript = Some(format!("554 5.3.5 {words}"));
            outcome
        }
    }
}

/// A refusal with the words of the server. Source: observed (bounce/remote-550).
fn answered(phase: Phase, command: &Bytes, reply: &Reply, host: &Bytes, server: Option<&Capabilities>) -> Outcome {
    let meaning = refusal::meaning(phase, reply, server.is_none_or(|server| server.enhanced_status_codes));
    let is_lasting = phase.is_lasting(reply.code);
    let mut outcome = if is_lasting {
        let row = meaning.exit.row();
        let mut outcome =
            Outcome::failed(meaning.exit, meaning.status, row.map_or("Service unavailable", |row| row.text));
        outcome.told = row.map(|row| (row.reply, row.status));
        outcome
    } else {
        // What breaks the protocol is not quoted.
        let words = if reply.class() == 4 { reply.log_form() } else { String::new() };
        Outcome::deferred(meaning.status, &words)
    };
    // Source: observed; a recipient's reply is shown whatever its first line is.
    if reply.shows_refusal() || phase == Phase::Rcpt {
        outcome = outcome.with_reply(reply.log_form(), host.clone());
    }
    // DSNs show the first line of many as it came.
    outcome.diagnostic = reply.lines.first().filter(|_| reply.lines.len() > 1).cloned();
    if !refusal::is_odd(reply) {
        outcome.dialogue = Some(dialogue(host, command, reply));
    } else if is_lasting {
        outcome.server = Some(host.clone());
        outcome.diagnostic.get_or_insert_with(|| reply.log_form().into());
    }
    if !meaning.is_marked && is_lasting {
        outcome.knows_exit_alone = true;
    }
    // Who refuses the sender, or everybody for good, is not named.
    if phase == Phase::Mail || (is_lasting && matches!(phase, Phase::Greeting | Phase::Helo | Phase::Lhlo)) {
        outcome.server = None;
    }
    let knows_size = server.is_none_or(|server| server.size.is_some());
    outcome.is_too_large = phase == Phase::Mail && reply.code == 552 && knows_size;
    outcome.protocol_error = refusal::protocol_error(phase, reply)
        .map(|command| format!("{}: SMTP {command} protocol error: {}", shown(host), reply.log_form()));
    outcome
}

fn dialogue(host: &Bytes, command: &Bytes, reply: &Reply) -> Dialogue {
    Dialogue { host: host.clone(), command: command.clone(), reply: reply.lines.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Reply {
        Reply { code: text[..3].parse().unwrap(), lines: vec![Bytes::copy_from_slice(text.as_bytes())] }
    }

    #[test]
    fn refusals_are_told_as_the_original_tells_them() {
        let mailer = crate::deliver::plan::tests::mailer("esmtp", "[IPC]", "m");
        for (phase, text, status, stat) in [
            (Phase::Rcpt, "550 5.1.1 nope", "5.1.1", "User unknown"),
            (Phase::Mail, "553 5.1.8 sender refused", "5.1.8", "Data format error"),
            (Phase::DataInit, "554 5.5.0 no data", "5.0.0", "Service unavailable"),
            (Phase::DataFinal, "550 5.7.1 first line", "5.7.1", "Service unavailable"),
            (Phase::Rcpt, "551 moved away", "5.1.6", "User unknown"),
            (Phase::Greeting, "554 go away", "5.5.0", "Service unavailable"),
            (Phase::DataFinal, "451 later", "4.3.0", "Deferred: 451 later"),
            (Phase::DataInit, "452 4.3.1 no space", "4.0.0", "Deferred: 452 4.3.1 no space"),
            (Phase::Greeting, "421 4.3.2 busy", "4.5.0", "Deferred: 421 4.3.2 busy"),
        ] {
            let settled = Settled::Refused { phase, command: Bytes::from_static(b"X"), reply: reply(text) };
            let server = Capabilities { enhanced_status_codes: true, ..Capabilities::default() };
            let outcome = outcome(&settled, &Bytes::from_static(b"h."), &server, &mailer);
            assert_eq!((outcome.status.to_string().as_str(), outcome.text.as_str()), (status, stat), "{text}");
            assert_eq!(outcome.reply.as_deref(), Some(text.as_bytes()));
        }
    }

    #[test]
    fn replies_that_are_neither_yes_nor_no_are_told_to_the_operator() {
        let mailer = crate::deliver::plan::tests::mailer("esmtp", "[IPC]", "m");
        let server = Capabilities { enhanced_status_codes: true, ..Capabilities::default() };
        let host = Bytes::from_static(b"h.");
        for (phase, text, operator, mta, quoted) in [
            (Phase::Mail, "354 odd", Some("h.: SMTP MAIL protocol error: 354 odd"), false, "354 odd"),
            (Phase::Rcpt, "650 odd", Some("h.: SMTP RCPT protocol error: 650 odd"), true, "650 odd"),
            (Phase::DataInit, "250 odd", Some("h.: SMTP DATA-1 protocol error: 250 odd"), true, "250 reset"),
            (Phase::DataFinal, "354 odd", Some("h.: SMTP DATA-2 protocol error: 354 odd"), true, "354 odd"),
        ] {
            let settled = [Settled::Refused { phase, command: Bytes::from_static(b"X"), reply: reply(text) }];
            let found = outcomes(&settled, Some(&reply("250 reset")), &host, &server, &mailer).remove(0);
            assert_eq!(found.protocol_error.as_deref(), operator);
            assert_eq!((found.server.is_some(), found.diagnostic.as_deref()), (mta, Some(quoted.as_bytes())), "{text}");
            assert_eq!((found.dialogue, found.text.as_str()), (None, "Remote protocol error"));
        }
        let no = [Settled::Refused { phase: Phase::DataInit, command: Bytes::new(), reply: reply("554 no") }];
        let found = outcomes(&no, Some(&reply("250 reset")), &host, &server, &mailer).remove(0);
        assert!(found.protocol_error.is_none() && found.dialogue.is_some() && found.diagnostic.is_none());
    }

    #[test]
    fn a_server_that_leaves_among_recipients_is_told_of_for_each() {
        let mailer = crate::deliver::plan::tests::mailer("esmtp", "[IPC]", "m");
        let closed = |phase| Trouble::Broken { phase, errno: None };
        let host = Bytes::from_static(b"h.");
        for (settled, text, status, said, is_own) in [
            (Settled::Failed(closed(Phase::Rcpt)), "Deferred", "4.4.2", Some("421 4.4.1 Connection reset by h."), true),
            (
                Settled::Unanswered(closed(Phase::Rcpt)),
                "Deferred: Connection reset by h.",
                "4.4.2",
                Some("451 4.4.1 reply: read error from h."),
                true,
            ),
            (Settled::Failed(closed(Phase::DataInit)), "Deferred: Connection reset by h.", "4.4.2", None, false),
            (Settled::Failed(closed(Phase::Mail)), "Deferred", "4.4.2", None, false),
            (Settled::Unsent(reply("421 4.3.2 bye")), "Deferred: 421 4.3.2 bye", "4.2.0", Some("421 4.3.2 bye"), true),
        ] {
            let found = outcome(&settled, &host, &Capabilities::default(), &mailer);
            assert_eq!((found.text.as_str(), found.status.to_string().as_str()), (text, status), "{settled:?}");
            assert_eq!((found.reply.as_deref(), found.is_own), (said.map(str::as_bytes), is_own), "{settled:?}");
        }
    }

    #[test]
    fn a_recipient_that_tls_rcpt_keeps_back_for_good_is_given_up() {
        let mailer = crate::deliver::plan::tests::mailer("esmtp", "[IPC]", "m");
        let server = Capabilities::default();
        let of = |line: &'static str| {
            outcome(
                &Settled::Ruleset(Bytes::from_static(line.as_bytes())),
                &Bytes::from_static(b"h."),
                &server,
                &mailer,
            )
        };
        let kept = of("503 5.7.0 encryption too weak 256 less than 4096");
        assert_eq!((kept.verdict, kept.status.to_string().as_str()), (Verdict::Failed, "5.5.2"));
        assert_eq!(kept.transcript.as_deref(), Some("503 5.7.0 encryption too weak 256 less than 4096"));
        assert_eq!(kept.told_line("x"), "501 5.6.0 Data format error");
        let kept = of("403 4.7.0 authentication failed");
        assert_eq!((kept.verdict, kept.job_text.as_deref()), (Verdict::Deferred, Some("authentication failed")));
    }

    #[test]
    fn acceptance_shows_the_words_of_the_server() {
        let mailer = crate::deliver::plan::tests::mailer("esmtp", "[IPC]", "m");
        let settled = Settled::Accepted { reply: reply("250 2.0.0 sink took it"), rcpt: None };
        let mut capabilities = Capabilities { enhanced_status_codes: true, dsn: true, ..Capabilities::default() };
        let with = outcome(&settled, &Bytes::new(), &capabilities, &mailer);
        assert_eq!((with.verdict, with.text.as_str()), (Verdict::Sent, "Sent (sink took it)"));
        assert_eq!(with.success, Some(Success::Passed));
        capabilities.enhanced_status_codes = false;
        assert_eq!(outcome(&settled, &Bytes::new(), &capabilities, &mailer).text, "Sent (2.0.0 sink took it)");
    }
}
