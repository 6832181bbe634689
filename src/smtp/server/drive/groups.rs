//! Queue groups of a message that was taken.

use crate::base::bytes::shown;
use crate::envelope::split::{Parts, split};
use crate::envelope::{Envelope, State};
use crate::log::{Id, Level, Priority};
use crate::policy::Hook;
use crate::queue;
use crate::queue::drive::{Body, Held};
use crate::site::Site;

/// An entry made of a message besides its first one.
#[derive(Debug)]
pub struct SplitOff {
    /// Its place in the queue.
    pub held: Held,
    /// Its envelope.
    pub envelope: Envelope,
}

/// Gives recipients their queue groups, and what does not go with the first into entries of its own, which are durable when
/// this returns. Source: op guide 4.5 (Q=, r=, ruleset `queuegroup`).
///
/// Errors: nothing of the other entries stays.
pub async fn split_off(site: &Site, envelope: &mut Envelope, body: &Body) -> Result<Vec<SplitOff>, queue::Error> {
    let groups = &site.config.queue_groups;
    if groups.len() < 2 && groups.iter().all(|group| group.recipients == 0) {
        return Ok(Vec::new());
    }
    let mut chosen = Vec::with_capacity(envelope.recipients.len());
    for index in 0..envelope.recipients.len() {
        chosen.push(group_of(site, envelope, index).await);
    }
    let spool = site.spool()?;
    let most = |group: usize| groups.get(group).map_or(0, |g| usize::try_from(g.recipients).unwrap_or(0));
    let Parts { envelopes, notes } = split(envelope.clone(), &chosen, most, || spool.new_id());
    let mut envelopes = envelopes.into_iter();
    if let Some(first) = envelopes.next() {
        *envelope = first;
    }
    let mut made = Vec::new();
    for part in envelopes {
        match spool.commit(&part, body.clone()).await {
            Ok(held) => made.push(SplitOff { held, envelope: part }),
            Err(error) => {
                give_up(site, made).await;
                return Err(error);
            }
        }
    }
    for (id, text) in notes {
        site.log.write(Level::COLLECT, Priority::Notice, Id::Queue(id.as_str()), text);
    }
    Ok(made)
}

/// Takes entries out of the queue again, because the message as a whole was not taken.
pub async fn give_up(site: &Site, made: Vec<SplitOff>) {
    for part in made {
        let Ok(spool) = site.spool() else { return };
        if let Err(error) = spool.retire(part.held).await {
            site.log.system_error(Id::Queue(part.envelope.id.as_str()), "root", error);
        }
    }
}

/// Number of a recipient's group: what the ruleset says, else its mailer's, else the default one.
async fn group_of(site: &Site, envelope: &mut Envelope, index: usize) -> usize {
    let Some(recipient) = envelope.recipients.get(index).filter(|r| r.state == State::Queued) else { return 0 };
    let Some(route) = recipient.route.clone() else { return 0 };
    let find = |name: &[u8]| site.config.queue_groups.iter().position(|g| g.name.as_ref() == name);
    if let Some(name) = site.policy.ask(Hook::QueueGroup, &[route.user], &mut envelope.scope).await {
        if let Some(at) = find(&name) {
            return at;
        }
        let text = format!("can not find queue group name {}, selection ignored", shown(&name));
        site.log.write(Level::SYSTEM_ERROR, Priority::Notice, Id::Queue(envelope.id.as_str()), text);
    }
    let mailer = site.config.mailers.get(route.mailer.0);
    mailer.and_then(|m| m.queue_group.as_ref()).and_then(|name| find(name)).unwrap_or(0)
}
