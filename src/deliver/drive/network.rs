//! The agent that speaks SMTP or LMTP.

use super::agent::{Delivered, Load};
use super::attempt::Attempt;
use crate::base::status::Status;
use crate::deliver::outcome::Outcome;

/// Hands a batch to its next hop.
pub(super) async fn deliver(attempt: &mut Attempt, load: &Load) -> Delivered {
    let _ = attempt;
    Delivered::all(load.host.clone(), &load.recipients, Outcome::deferred(Status(4, 3, 5), "no SMTP client"))
}
