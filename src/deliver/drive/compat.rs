//! `check_compat`: whether this sender may write to this recipient.

use bytes::Bytes;

use super::attempt::Attempt;
use crate::base::exit::Exit;
use crate::deliver::outcome::Outcome;
use crate::envelope::State;
use crate::log::statistics::Event;
use crate::log::{Level, Priority};
use crate::macros::names;
use crate::policy::{Hook, Verdict, verdict};

/// Asks for each recipient; takes those out of `recipients` that the ruleset is against, with what that means.
///
/// Source: observed (access/check-compat): a refusal is `Service unavailable`, whatever its words.
pub(super) async fn check(attempt: &mut Attempt, recipients: &mut Vec<usize>) -> Vec<(Vec<usize>, Outcome)> {
    let site = std::sync::Arc::clone(&attempt.site);
    if !site.policy.has(Hook::CheckCompat) {
        return Vec::new();
    }
    let mut refused = Vec::new();
    let mut left = Vec::new();
    let mut is_counted = false;
    for index in std::mem::take(recipients) {
        let Some(address) = attempt.envelope.recipients.get(index).map(|r| r.address.clone()) else { continue };
        let mut scope = attempt.envelope.scope.clone();
        if let Some(recipient) = attempt.envelope.recipients.get(index) {
            scope.set(names::DSN_NOTIFY, recipient.notify.words());
        }
        let arguments = [sender(attempt), address.clone()];
        let verdict = site.policy.check(Hook::CheckCompat, &arguments, &mut scope).await;
        if let Some(words) = verdict.log_words(&address) {
            let relay = attempt.envelope.scope.text(names::CLIENT_INFO);
            let line = verdict::log_line("check_compat", &[&arguments[0], &arguments[1]], &relay, &words);
            site.log.write(Level::REJECTED, Priority::Notice, attempt.id(), line);
        }
        if matches!(verdict, Verdict::Reject(_)) && !std::mem::replace(&mut is_counted, true) {
            site.statistics.count(Event::RefusedConnection);
            site.count_of_sender(&attempt.envelope.scope, Event::Rejected);
        }
        match verdict {
            Verdict::Accept => left.push(index),
            Verdict::Reject(refusal) if refusal.is_temporary() => {
                let words = String::from_utf8_lossy(&refusal.line(b"")).into_owned();
                refused.push((vec![index], Outcome::deferred(refusal.status, &words)));
            }
            Verdict::Reject(refusal) => {
                let mut outcome = not_allowed();
                outcome.transcript = Some(String::from_utf8_lossy(&refusal.line(&address)).into_owned());
                refused.push((vec![index], outcome));
            }
            Verdict::Discard => {
                if let Some(recipient) = attempt.envelope.recipients.get_mut(index) {
                    recipient.state = State::Discarded;
                }
            }
            Verdict::Quarantine(reason) => attempt.envelope.quarantine = Some(reason),
        }
    }
    *recipients = left;
    refused
}

fn not_allowed() -> Outcome {
    let exit = Exit::UNAVAILABLE;
    let mut outcome = Outcome::failed(exit, crate::base::status::Status(5, 5, 0), "Service unavailable");
    outcome.exit = Some(exit.0);
    outcome.told = Some((554, crate::base::status::Status(5, 0, 0)));
    outcome.with_local_reply(Bytes::from(exit.0.to_string()))
}

fn sender(attempt: &Attempt) -> Bytes {
    let envelope = &attempt.envelope;
    match (envelope.sender.is_empty(), envelope.sender_given.is_empty()) {
        (true, _) => Bytes::from_static(b"MAILER-DAEMON"),
        (false, true) => envelope.sender.clone(),
        (false, false) => envelope.sender_given.clone(),
    }
}
