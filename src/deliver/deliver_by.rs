//! DELIVERBY: how much time is left for a message, and what comes of it. Source: RFC 2852; observed.

use bytes::Bytes;

use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::base::time::UnixTime;
use crate::config::Mailer;
use crate::deliver::outcome::Outcome;
use crate::envelope::recipient::Success;
use crate::envelope::{Envelope, Notify, State};
use crate::smtp::client::Capabilities;

/// What the sender asked for, at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By {
    /// Seconds from acceptance.
    seconds: i64,
    /// Seconds that are left; negative when the time is over.
    left: i64,
    /// Mode `R`: what is late is returned.
    returns: bool,
    /// `T`: relaying is told.
    traces: bool,
}

impl By {
    /// `None` when the sender set no time.
    pub fn of(envelope: &Envelope, now: UnixTime) -> Option<Self> {
        let (seconds, mode) = envelope.deliver_by.as_ref()?;
        let age = now.0.saturating_sub(envelope.created.0);
        Some(Self {
            seconds: *seconds,
            left: seconds.saturating_sub(age),
            returns: mode.contains(&b'R'),
            traces: mode.contains(&b'T'),
        })
    }

    /// Value of `BY=` for the next server.
    pub fn parameter(self) -> Bytes {
        let mode = if self.returns { "R" } else { "N" };
        format!("{};{mode}{}", self.left, if self.traces { "T" } else { "" }).into()
    }

    /// Why a server cannot be given a message that must come back when it is late. LMTP servers are the end of the way.
    pub fn refusal(self, server: &Capabilities, mailer: &Mailer) -> Option<Outcome> {
        if !self.returns || mailer.has(b'z') {
            return None;
        }
        let why = match server.deliver_by {
            None => "Server does not support Deliver By".to_owned(),
            Some(min) if self.left <= 0 || i64::try_from(min).is_ok_and(|min| self.left < min) => {
                format!("Message can't be delivered in time; {} < {min}", self.left)
            }
            Some(_) => return None,
        };
        let mut outcome = Outcome::failed(Exit::UNAVAILABLE, Status(5, 0, 0), "Service unavailable");
        outcome.transcript = Some(format!("554 5.4.7 {why}"));
        outcome.reported = Some(LATE);
        Some(outcome)
    }

    /// What a success means for a recipient: without `NOTIFY=SUCCESS` there may still be something to tell.
    pub fn success(self, plain: Success, is_passed_on: bool, notify: Notify) -> Success {
        let is_never = notify.is_given && !notify.success && !notify.failure && !notify.delay;
        if notify.success || is_never {
            return plain;
        }
        // Here the time of the message is of no more use.
        let is_end = !is_passed_on;
        match (self.returns, self.traces) {
            (false, _) if is_end => Success::ByNotify,
            (_, true) if is_passed_on || plain == Success::Delivered => Success::ByTrace,
            _ => plain,
        }
    }
}

/// Gives up the recipients of a message that must come back when it is late, and is; what is said of it.
pub fn expire(envelope: &mut Envelope, now: UnixTime) -> Option<Expired> {
    let by = By::of(envelope, now).filter(|by| by.returns && by.left <= 0)?;
    for recipient in envelope.recipients.iter_mut().filter(|r| r.state == State::Queued) {
        recipient.state = State::Failed;
        recipient.status = Some(LATE);
        recipient.last_try = Some(now);
    }
    let words = format!("delivery time expired {}s", by.seconds);
    envelope.message = Some(words.clone().into());
    let transcript = format!("Delivery time ({}s) expired\nMessage will be deleted from queue", by.seconds);
    Some(Expired { words, transcript })
}

/// What is said of a message whose time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// For who watches, behind the address; the status of the message.
    pub words: String,
    /// Lines of the report.
    pub transcript: String,
}

/// Delivery time expired. Source: RFC 3463 §3.5.
const LATE: Status = Status(5, 4, 7);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::plan::tests::{envelope, mailer};

    fn by(seconds: i64, mode: &'static str, age: i64) -> By {
        let mut envelope = envelope(&[(0, "h", "u")]);
        envelope.deliver_by = Some((seconds, Bytes::from_static(mode.as_bytes())));
        By::of(&envelope, UnixTime(envelope.created.0 + age)).unwrap()
    }

    fn server(deliver_by: Option<u64>) -> Capabilities {
        Capabilities { deliver_by, ..Capabilities::default() }
    }

    #[test]
    fn the_next_server_gets_what_is_left() {
        assert_eq!(by(120, "R", 20).parameter(), "100;R");
        assert_eq!(by(1, "NT", 5).parameter(), "-4;NT");
    }

    #[test]
    fn what_must_come_back_goes_to_no_server_that_would_not_send_it() {
        let smtp = mailer("esmtp", "[IPC]", "m");
        let why = |by: By, server: &Capabilities| by.refusal(server, &smtp).and_then(|o| o.transcript);
        assert_eq!(why(by(120, "N", 0), &server(None)), None);
        assert_eq!(why(by(120, "R", 0), &server(None)).unwrap(), "554 5.4.7 Server does not support Deliver By");
        assert_eq!(why(by(120, "R", 0), &server(Some(60))), None);
        assert_eq!(
            why(by(120, "RT", 90), &server(Some(60))).unwrap(),
            "554 5.4.7 Message can't be delivered in time; 30 < 60"
        );
        assert_eq!(by(120, "R", 0).refusal(&server(None), &mailer("local", "[IPC]", "lz")), None);
    }

    #[test]
    fn successes_are_told_as_the_mode_says() {
        use Success::{ByNotify, ByTrace, Delivered, Passed, Relayed};
        let none = Notify::default();
        let never = Notify { is_given: true, success: false, failure: false, delay: false };
        let asked = Notify { is_given: true, success: true, ..none };
        for (mode, plain, is_passed_on, notify, wanted) in [
            ("N", Delivered, false, none, ByNotify),
            ("NT", Delivered, false, none, ByNotify),
            ("R", Delivered, false, none, Delivered),
            ("RT", Delivered, false, none, ByTrace),
            ("N", Relayed, false, none, ByNotify),
            ("N", Passed, false, none, ByNotify),
            ("N", Passed, true, none, Passed),
            ("NT", Passed, true, none, ByTrace),
            ("RT", Relayed, true, none, ByTrace),
            ("N", Delivered, false, never, Delivered),
            ("NT", Passed, true, never, Passed),
            ("NT", Delivered, false, asked, Delivered),
        ] {
            assert_eq!(
                by(120, mode, 0).success(plain, is_passed_on, notify),
                wanted,
                "{mode} {plain:?} {is_passed_on}"
            );
        }
    }

    #[test]
    fn only_what_must_come_back_expires() {
        let mut envelope = envelope(&[(0, "h", "u")]);
        let at = |seconds: i64| UnixTime(envelope.created.0 + seconds);
        let (before, after) = (at(1), at(2));
        envelope.deliver_by = Some((2, Bytes::from_static(b"N")));
        assert_eq!(expire(&mut envelope, after), None);
        envelope.deliver_by = Some((2, Bytes::from_static(b"R")));
        assert_eq!(expire(&mut envelope, before), None);
        let expired = expire(&mut envelope, after).unwrap();
        assert_eq!(expired.words, "delivery time expired 2s");
        assert_eq!(envelope.recipients[0].state, State::Failed);
        assert_eq!(envelope.recipients[0].status, Some(Status(5, 4, 7)));
    }
}
