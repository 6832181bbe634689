//! What the log says of a message that is only queued.

use crate::base::time::UnixTime;
use crate::config::Config;
use crate::config::values::DeliveryMode;
use crate::envelope::{Envelope, Recipient, State};
use crate::log::line::To;

/// Lines for the recipients that wait, in the order of the queue file.
///
/// In deferred mode the status says that the name server was not asked; recipients without a host to ask for have none.
/// Source: observed.
pub fn lines(envelope: &Envelope, config: &Config, mode: DeliveryMode, now: UnixTime) -> Vec<String> {
    let waiting = envelope.recipients.iter().filter(|r| r.state == State::Queued);
    waiting.flat_map(|recipient| of_recipient(recipient, envelope, config, mode, now)).collect()
}

/// Whether a recipient still has to be looked up among the aliases: its line comes when that is done. Source: observed
/// (queue-only mode over SMTP).
pub fn has_aliases_open(envelope: &Envelope, config: &Config) -> bool {
    let mut waiting = envelope.recipients.iter().filter(|r| r.state == State::Queued);
    waiting.any(|r| mailer(r, config).is_some_and(|m| m.has(b'A')))
}

fn of_recipient(
    recipient: &Recipient,
    envelope: &Envelope,
    config: &Config,
    mode: DeliveryMode,
    now: UnixTime,
) -> Vec<String> {
    let line = To {
        to: &[&recipient.address],
        delay: now.since(envelope.created),
        mailer: mailer(recipient, config).map_or(&b""[..], |m| m.name.as_ref()),
        priority: envelope.priority,
        dsn: if mode == DeliveryMode::Deferred && has_host(&recipient.address) { "4.4.3" } else { "" },
        stat: b"queued",
        ..To::default()
    };
    line.lines()
}

fn mailer<'c>(recipient: &Recipient, config: &'c Config) -> Option<&'c crate::config::Mailer> {
    config.mailers.get(recipient.route.as_ref()?.mailer.0)
}

/// Whether the address has a domain, for which a name server is asked later.
pub fn has_host(address: &[u8]) -> bool {
    let domain = memchr::memrchr(b'@', address).and_then(|at| address.get(at + 1..));
    domain.is_some_and(|domain| !domain.starts_with(b"["))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::envelope::QueueId;
    use crate::macros::Scope;

    #[test]
    fn deferred_recipients_with_a_domain_wait_for_the_name_server() {
        let id = QueueId::parse(b"6AM8Wwpk005225").unwrap();
        let mut envelope = Envelope::new(id, UnixTime(100), Scope::new(Arc::default()));
        for address in ["<x@remote.test>", "alice", "<x@[192.0.2.1]>", "gone"] {
            envelope.recipients.push(Recipient::new(address));
        }
        envelope.recipients[3].state = State::Failed;
        let lines = lines(&envelope, &Config::default(), DeliveryMode::Deferred, UnixTime(100));
        let with_status: Vec<bool> = lines.iter().map(|line| line.contains("dsn=4.4.3")).collect();
        assert_eq!(with_status, [true, false, false]);
    }
}
