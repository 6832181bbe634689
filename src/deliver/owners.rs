//! Envelopes that lists with an owner are sent in.

use bytes::Bytes;

use crate::envelope::recipient::Success;
use crate::envelope::{Envelope, QueueId, Recipient, State};

/// Owners of recipients, other than the sender, in order of appearance. They hear of those that are nobody, too.
/// Source: observed.
pub fn owners(envelope: &Envelope) -> Vec<Bytes> {
    let mut found: Vec<Bytes> = Vec::new();
    for recipient in envelope.recipients.iter().filter(|r| is_open(r)) {
        if let Some(owner) = &recipient.owner
            && *owner != envelope.sender
            && !found.contains(owner)
        {
            found.push(owner.clone());
        }
    }
    found
}

/// The envelope of one owner: its recipients, with those they were expanded from; the rest of the message is shared.
pub fn split(envelope: &Envelope, owner: &Bytes, id: QueueId) -> Envelope {
    let mut clone = envelope.clone();
    clone.id = id;
    clone.sender = owner.clone();
    clone.sender_given = owner.clone();
    clone.flags.is_split = true;
    // Nobody but the sender wants receipts, and what comes back to an owner is for the owner to choose.
    clone.ret = None;
    for recipient in &mut clone.recipients {
        recipient.notify.success = false;
        if is_open(recipient) && recipient.owner.as_ref() != Some(owner) {
            recipient.state = State::Duplicate;
        }
    }
    clone
}

/// Marks what went into the envelope of an owner as done here.
pub fn hand_over(envelope: &mut Envelope, owner: &Bytes) {
    let handed = |r: &Recipient| is_open(r) && r.owner.as_ref() == Some(owner);
    let lists: Vec<usize> = envelope.recipients.iter().filter(|r| handed(r)).filter_map(|r| r.parent).collect();
    for recipient in envelope.recipients.iter_mut().filter(|r| handed(r)) {
        recipient.state = State::Expanded;
    }
    // A list of one counts as delivered to; of a longer one the sender hears nothing. Source: observed.
    if let [list] = lists.as_slice()
        && let Some(list) = envelope.recipients.get_mut(*list)
    {
        list.success = Some(Success::List);
    }
}

/// Whether something is to be done for a recipient: a delivery or a report.
fn is_open(recipient: &Recipient) -> bool {
    matches!(recipient.state, State::Queued | State::Failed)
}

/// Lists with an owner whose members are among the recipients, with the index behind the last of these.
pub fn lists(envelope: &Envelope) -> Vec<(usize, Bytes)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (at, recipient) in envelope.recipients.iter().enumerate() {
        let Some(parent) = recipient.parent else { continue };
        let above = envelope.recipients.get(parent).and_then(|list| list.owner.as_ref());
        if recipient.owner.is_none() || recipient.owner.as_ref() == above {
            continue;
        }
        match found.iter_mut().find(|(list, _)| *list == parent) {
            Some((_, end)) => *end = at + 1,
            None => found.push((parent, at + 1)),
        }
    }
    let named = |(list, end): (usize, usize)| Some((end, envelope.recipients.get(list)?.address.clone()));
    found.into_iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_gets_its_recipients_and_nobody_is_lost() {
        let mut envelope = super::super::plan::tests::envelope(&[(0, "", "a"), (0, "", "b"), (0, "", "c")]);
        envelope.recipients[1].owner = Some(Bytes::from_static(b"carol"));
        let owners = owners(&envelope);
        assert_eq!(owners, vec!["carol"]);
        let clone = split(&envelope, &owners[0], QueueId::parse(b"6AM8Wwpk005226").unwrap());
        hand_over(&mut envelope, &owners[0]);
        let queued = |e: &Envelope| -> Vec<bool> { e.recipients.iter().map(|r| r.state == State::Queued).collect() };
        assert_eq!(queued(&envelope), vec![true, false, true]);
        assert_eq!(queued(&clone), vec![false, true, false]);
        assert_eq!(clone.sender, "carol");
    }

    #[test]
    fn owners_hear_of_those_that_are_nobody() {
        let mut envelope = super::super::plan::tests::envelope(&[(0, "", "list"), (0, "", "nosuch"), (0, "", "other")]);
        let carol = Bytes::from_static(b"carol");
        envelope.recipients[0].state = State::Expanded;
        envelope.recipients[1].state = State::Failed;
        envelope.recipients[2].state = State::Failed;
        (envelope.recipients[1].owner, envelope.recipients[1].parent) = (Some(carol.clone()), Some(0));
        assert_eq!(lists(&envelope), [(2, Bytes::from_static(b"list"))]);
        assert_eq!(owners(&envelope), std::slice::from_ref(&carol));
        let clone = split(&envelope, &carol, QueueId::parse(b"6AM8Wwpk005226").unwrap());
        hand_over(&mut envelope, &carol);
        let failed = |e: &Envelope| [1, 2].map(|at: usize| e.recipients[at].state == State::Failed);
        assert_eq!((failed(&clone), failed(&envelope)), ([true, false], [false, true]));
    }

    #[test]
    fn a_list_of_one_counts_as_delivered_to() {
        let mut envelope = super::super::plan::tests::envelope(&[(0, "", "list"), (0, "", "b")]);
        envelope.recipients[0].state = State::Expanded;
        envelope.recipients[1].owner = Some(Bytes::from_static(b"carol"));
        envelope.recipients[1].parent = Some(0);
        let mut longer = envelope.clone();
        longer.recipients.push(longer.recipients[1].clone());
        for (envelope, expected) in [(&mut envelope, Some(Success::List)), (&mut longer, None)] {
            hand_over(envelope, &Bytes::from_static(b"carol"));
            assert_eq!(envelope.recipients[0].success, expected);
        }
    }
}
