//! Which recipients share a transaction.

use bytes::Bytes;

use crate::config::{Config, MailerId};
use crate::envelope::{Envelope, State};

/// Recipients of one transaction.
///
/// Shape: one batch per (mailer, host); at most `r=` recipients each, one when the mailer takes no several (`F=m`).
/// Recipients stand in the order they are named to the next hop: last of the envelope first.
/// Source: op guide 5.4 (`r=`, flag m); golden queue/many-rcpt-domains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Mailer.
    pub mailer: MailerId,
    /// Host of the triple.
    pub host: Bytes,
    /// Indices in the envelope.
    pub recipients: Vec<usize>,
}

/// Batches of everything that is still to be sent, in the order of the first recipient of each.
pub fn batches(config: &Config, envelope: &Envelope) -> Vec<Batch> {
    let mut found: Vec<Batch> = Vec::new();
    for (index, recipient) in envelope.recipients.iter().enumerate() {
        let (State::Queued, Some(route)) = (recipient.state, &recipient.route) else { continue };
        let limit = limit(config, route.mailer);
        let open = found
            .iter_mut()
            .rev()
            .find(|b| b.mailer == route.mailer && b.host == route.host)
            .filter(|b| b.recipients.len() < limit);
        match open {
            Some(batch) => batch.recipients.push(index),
            None => {
                found.push(Batch { mailer: route.mailer, host: route.host.clone(), recipients: vec![index] });
            }
        }
    }
    for batch in &mut found {
        batch.recipients.reverse();
    }
    found
}

fn limit(config: &Config, mailer: MailerId) -> usize {
    let Some(mailer) = config.mailers.get(mailer.0) else { return 1 };
    if !mailer.has(b'm') {
        return 1;
    }
    usize::try_from(mailer.max_recipients).ok().filter(|n| *n > 0).unwrap_or(usize::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::letters::LetterSet;
    use crate::base::time::UnixTime;
    use crate::config::Mailer;
    use crate::config::mailer::RulesetPair;
    use crate::envelope::{QueueId, Recipient, Triple};
    use crate::macros::Scope;

    /// A mailer with a name and flags.
    pub(in crate::deliver) fn mailer(name: &str, path: &str, flags: &str) -> Mailer {
        Mailer {
            name: Bytes::copy_from_slice(name.as_bytes()),
            path: Bytes::copy_from_slice(path.as_bytes()),
            flags: LetterSet::from_bytes(flags.as_bytes()),
            sender: RulesetPair::default(),
            recipient: RulesetPair::default(),
            argv: Vec::new(),
            eol: Bytes::from_static(b"\n"),
            max_size: 0,
            max_messages: 0,
            max_recipients: 2,
            line_limit: 0,
            directory: None,
            user: None,
            nice: 0,
            charset: None,
            mta_type: Bytes::new(),
            address_type: Bytes::new(),
            diagnostic_type: Bytes::new(),
            wait: None,
            queue_group: None,
            root: None,
        }
    }

    /// An envelope for recipients as (mailer, host, user).
    pub(in crate::deliver) fn envelope(recipients: &[(usize, &str, &str)]) -> Envelope {
        let id = QueueId::parse(b"6AM8Wwpk005225").unwrap();
        let mut envelope = Envelope::new(id, UnixTime(1_000_000), Scope::new(Arc::default()));
        for (mailer, host, user) in recipients {
            let mut recipient = Recipient::new(Bytes::copy_from_slice(user.as_bytes()));
            recipient.route = Some(Triple {
                mailer: MailerId(*mailer),
                host: Bytes::copy_from_slice(host.as_bytes()),
                user: Bytes::copy_from_slice(user.as_bytes()),
            });
            envelope.recipients.push(recipient);
        }
        envelope
    }

    #[test]
    fn batches_follow_mailer_host_and_limits() {
        let mut config = Config::default();
        config.mailers.push(mailer("local", "/bin/mail", "l"));
        config.mailers.push(mailer("smtp", "[IPC]", "m"));
        let mut e = envelope(&[
            (1, "a", "u0"),
            (0, "", "bob"),
            (1, "a", "u2"),
            (1, "b", "u3"),
            (1, "a", "u4"),
            (0, "", "carol"),
            (1, "a", "u6"),
        ]);
        e.recipients[6].state = State::Sent;
        let plan: Vec<Vec<usize>> = batches(&config, &e).into_iter().map(|b| b.recipients).collect();
        assert_eq!(plan, vec![vec![2, 0], vec![1], vec![3], vec![4], vec![5]]);
    }
}
