//! Where a message stands in the queue when it is tried again.

use crate::config::Config;
use crate::envelope::Envelope;

/// Its new priority. Source: op guide 2.3.2 (`RetryFactor`); golden queue/session-reuse.
pub fn priority_of_rerun(config: &Config, envelope: &Envelope) -> i64 {
    envelope.priority.saturating_add(config.options.retry_factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_try_costs_the_retry_factor() {
        let mut envelope = super::super::plan::tests::envelope(&[]);
        envelope.priority = 30_061;
        assert_eq!(priority_of_rerun(&Config::default(), &envelope), 120_061);
    }
}
