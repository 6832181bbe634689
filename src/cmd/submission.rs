//! Submission on the command line: a message from standard input to recipients on the command line or in its header.

use crate::base::date;
use crate::base::time::UnixTime;
use crate::envelope::id::LocalTime;
use crate::envelope::{Envelope, QueueId};
use crate::macros::names;
use crate::site::Site;
use crate::sys::clock;

use super::sendmail::Request;

/// An envelope that knows who called and how.
pub(super) fn new_envelope(request: &Request, site: &Site) -> Envelope {
    let id = site.queue.as_ref().map_or_else(|| placeholder(site), |spool| spool.new_id());
    let now: UnixTime = clock::now();
    let mut envelope = Envelope::new(id, now, site.config.scope());
    let mut info = request.caller.name.to_vec();
    info.extend_from_slice(b"@localhost");
    envelope.scope.set(names::CLIENT_INFO, info);
    if let Some((protocol, host)) = &request.invocation.protocol {
        envelope.scope.set(names::PROTOCOL, protocol.clone());
        if let Some(host) = host {
            envelope.scope.set(names::HELO, host.clone());
        }
    }
    envelope
}

/// An id for envelopes that never reach a queue.
fn placeholder(site: &Site) -> QueueId {
    let t = date::zoned(clock::now(), &site.zone);
    let part = |n: i8| u32::try_from(n).unwrap_or(0);
    let at = LocalTime {
        year: i32::from(t.year()),
        month: part(t.month() - 1),
        day: part(t.day()),
        hour: part(t.hour()),
        minute: part(t.minute()),
        second: part(t.second()),
    };
    QueueId::new(at, 0, std::process::id())
}
