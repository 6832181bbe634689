//! DSNs of an attempt: composed, queued, and tried at once.

use super::Reports;
use super::attempt::Attempt;
use crate::envelope::State;
use crate::queue;

/// Tells the sender what is to be told. `warning` holds the words of a delay notice.
pub(super) async fn send(attempt: &mut Attempt, warning: Option<String>) -> Result<(), queue::Error> {
    let is_failed = attempt.envelope.recipients.iter().any(|r| r.state == State::Failed);
    // A failure that cannot be reported keeps the message.
    if is_failed && attempt.reports == Reports::ByMail || warning.is_some() {
        return Err(queue::Error::Closed);
    }
    Ok(())
}
