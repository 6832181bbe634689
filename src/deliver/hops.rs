//! `MaxHopCount`: messages that go round in circles.

use bytes::Bytes;

use crate::base::bytes::shown;
use crate::base::status::Status;
use crate::base::time::UnixTime;
use crate::config::Config;
use crate::envelope::{Envelope, State};
use crate::macros::names;

/// What is said of a message that passed more hosts than allowed; `None` for all others.
///
/// What the command line gave just now was judged there. Source: op guide 5.6 (MaxHopCount); observed (hdr/hopcount).
pub fn exceeded(envelope: &Envelope, config: &Config, is_from_queue: bool) -> Option<String> {
    let (hops, limit) = (envelope.hops(), config.options.max_hop_count);
    let client = envelope.scope.text(names::CLIENT_NAME);
    if hops <= limit || (!is_from_queue && client.is_empty()) {
        return None;
    }
    let via = if is_from_queue { Bytes::from_static(b"localhost") } else { client };
    Some(text(envelope, limit, hops, &via))
}

/// `Too many hops 27 (25 max): from <a@b> via host, to <c@d>`.
pub fn text(envelope: &Envelope, limit: i64, hops: i64, via: &[u8]) -> String {
    let to = envelope.recipients.first().map(|r| r.address.clone()).unwrap_or_default();
    let from = if envelope.sender_given.is_empty() { &envelope.sender } else { &envelope.sender_given };
    format!("Too many hops {hops} ({limit} max): from {} via {}, to {}", shown(from), shown(via), shown(&to))
}

/// Every recipient has failed.
pub fn give_up(envelope: &mut Envelope, text: &str, now: UnixTime) {
    envelope.message = Some(text.to_owned().into());
    for recipient in envelope.recipients.iter_mut().filter(|r| r.state == State::Queued) {
        recipient.state = State::Failed;
        recipient.status = Some(Status(5, 4, 6));
        recipient.message = Some(text.to_owned().into());
        recipient.remote_reply = Some(Bytes::from_static(b"554 5.4.6 Too many hops"));
        recipient.last_try = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::plan::tests::envelope;
    use crate::message::Header;

    #[test]
    fn only_more_hosts_than_allowed_are_too_many() {
        let mut envelope = envelope(&[(0, "h", "u")]);
        let config = Config::default();
        let limit = config.options.max_hop_count;
        for _ in 0..limit {
            envelope.headers.push(Header::new("Received", " x"));
        }
        assert_eq!(exceeded(&envelope, &config, true), None);
        envelope.headers.push(Header::new("Via", " y"));
        assert!(exceeded(&envelope, &config, true).unwrap().starts_with("Too many hops"));
        assert_eq!(exceeded(&envelope, &config, false), None, "the command line has its own way");
        give_up(&mut envelope, "x", UnixTime(1));
        assert!(envelope.recipients.iter().all(|r| r.state == State::Failed));
        assert_eq!(envelope.message.as_deref(), Some(&b"x"[..]), "the log says why");
    }
}
