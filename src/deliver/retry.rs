//! Whether a message that could not be delivered is kept, warned of or given up.

use std::time::Duration;

use crate::base::time::{UnixTime, word_form};
use crate::config::Config;
use crate::config::timeouts::ByPrecedence;
use crate::envelope::Envelope;

/// What becomes of the recipients that are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// They are tried again.
    Keep,
    /// They are tried again, and the sender is told of the delay; the words for the log and subject.
    Warn(String),
    /// They are given up; the words say how long it was tried.
    Return(String),
}

/// The fate of an envelope at this time. Source: op guide 5.6 (`Timeout.queuereturn`, `Timeout.queuewarn`).
pub fn fate(config: &Config, envelope: &Envelope, now: UnixTime) -> Fate {
    let age = now.since(envelope.created);
    let limit = of_class(&config.timeouts.queuereturn, envelope);
    if age > limit {
        return Fate::Return(format!("Cannot send message for {}", word_form(limit)));
    }
    let warn = of_class(&config.timeouts.queuewarn, envelope);
    if !warn.is_zero() && age > warn && !envelope.flags.warning_sent && !envelope.flags.is_response {
        return Fate::Warn(format!("Warning: could not send message for past {}", word_form(warn)));
    }
    Fate::Keep
}

/// Priority of an envelope after a try that left something. Source: op guide 2.3.2 (`RetryFactor`).
pub fn priority_after(config: &Config, envelope: &Envelope) -> i64 {
    envelope.priority.saturating_add(config.options.retry_factor)
}

fn of_class(times: &ByPrecedence, envelope: &Envelope) -> Duration {
    if envelope.flags.is_response {
        times.dsn
    } else if envelope.class > 0 {
        times.urgent
    } else if envelope.class < 0 {
        times.non_urgent
    } else {
        times.normal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_decides() {
        let mut config = Config::default();
        config.timeouts.queuewarn = ByPrecedence::all(Duration::from_secs(4 * 3600));
        let mut envelope = super::super::plan::tests::envelope(&[]);
        let start = envelope.created.0;
        let at = |envelope: &Envelope, hours: i64| fate(&config, envelope, UnixTime(start + hours * 3600));
        assert_eq!(at(&envelope, 4), Fate::Keep);
        assert_eq!(at(&envelope, 5), Fate::Warn("Warning: could not send message for past 4 hours".to_owned()));
        assert_eq!(at(&envelope, 121), Fate::Return("Cannot send message for 5 days".to_owned()));
        envelope.flags.warning_sent = true;
        assert_eq!(at(&envelope, 5), Fate::Keep);
    }
}
