//! One message in several queue entries: by queue group, and by recipients an entry may have.

use super::{Envelope, QueueId, Recipient, State};

/// Envelopes made of one.
#[derive(Debug)]
pub struct Parts {
    /// The first keeps its id.
    pub envelopes: Vec<Envelope>,
    /// For the log: id of the entry that was split, and the words.
    pub notes: Vec<(QueueId, String)>,
}

/// Splits an envelope; `groups` has the queue group of each recipient, `most` the recipients an entry of a group may have
/// (0 for any).
///
/// What is not to be delivered stays with the first part. Source: op guide 4.5 (r=); observed (log lines).
pub fn split(
    mut envelope: Envelope,
    groups: &[usize],
    most: impl Fn(usize) -> usize,
    mut new_id: impl FnMut() -> QueueId,
) -> Parts {
    let mut by_group: Vec<(usize, Vec<usize>)> = Vec::new();
    for (index, recipient) in envelope.recipients.iter().enumerate() {
        if recipient.state != State::Queued {
            continue;
        }
        let group = groups.get(index).copied().unwrap_or(0);
        match by_group.iter_mut().find(|(own, _)| *own == group) {
            Some((_, list)) => list.push(index),
            None => by_group.push((group, vec![index])),
        }
    }
    let Some((first_group, _)) = by_group.first() else {
        return Parts { envelopes: vec![envelope], notes: Vec::new() };
    };
    envelope.queue_group = *first_group;
    let own = envelope.id.clone();
    let (mut others, mut notes, mut away) = (Vec::new(), Vec::new(), Vec::new());
    let mut ids_of_groups = Vec::new();
    for (n, (group, list)) in by_group.iter().enumerate() {
        let most = match most(*group) {
            0 => usize::MAX,
            most => most,
        };
        let mut chunks = list.chunks(most);
        let head = chunks.next().unwrap_or_default();
        let head_id = if n == 0 {
            own.clone()
        } else {
            let id = new_id();
            ids_of_groups.push(id.to_string());
            others.push(part(&envelope, id.clone(), *group, head));
            away.extend_from_slice(head);
            id
        };
        let mut ids = Vec::new();
        for chunk in chunks {
            let id = new_id();
            ids.push(id.to_string());
            others.push(part(&envelope, id, *group, chunk));
            away.extend_from_slice(chunk);
        }
        if !ids.is_empty() {
            let (rcpts, count, ids) = (list.len(), ids.len(), ids.join(","));
            notes.push((head_id, format!("split: maxrcpts={most}, rcpts={rcpts}, count={count}, id={ids}")));
        }
    }
    if !ids_of_groups.is_empty() {
        let text = format!("split: count={}, id={}", ids_of_groups.len(), ids_of_groups.join(","));
        notes.insert(0, (own, text));
    }
    for index in away {
        if let Some(recipient) = envelope.recipients.get_mut(index) {
            // It counts for the other entry only.
            recipient.state = State::Discarded;
        }
    }
    let mut envelopes = vec![envelope];
    envelopes.extend(others);
    Parts { envelopes, notes }
}

fn part(envelope: &Envelope, id: QueueId, group: usize, recipients: &[usize]) -> Envelope {
    let take = |index: &usize| envelope.recipients.get(*index).cloned();
    let alone = |recipient: Recipient| Recipient { parent: None, ..recipient };
    let mut part = Envelope {
        id,
        queue_group: group,
        recipients: recipients.iter().filter_map(take).map(alone).collect(),
        ..envelope.clone()
    };
    part.routes.forget();
    part
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::time::UnixTime;
    use crate::macros::Scope;

    fn id(n: u32) -> QueueId {
        QueueId::parse(format!("6AM8Wwpk{n:06}").as_bytes()).unwrap()
    }

    fn envelope(names: &[&'static str]) -> Envelope {
        let mut envelope = Envelope::new(id(0), UnixTime(0), Scope::new(Arc::default()));
        envelope.recipients = names.iter().map(|name| Recipient::new(*name)).collect();
        envelope
    }

    fn waiting(envelope: &Envelope) -> String {
        let of = envelope.recipients.iter().filter(|r| r.state == State::Queued);
        of.map(|r| String::from_utf8_lossy(&r.address).into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn groups_and_full_entries_are_kept_apart() {
        let mut n = 0;
        let next = || {
            n += 1;
            id(n)
        };
        let most = |group| if group == 1 { 2 } else { 0 };
        let parts = split(envelope(&["alice", "x", "y", "z"]), &[0, 1, 1, 1], most, next);
        let shown: Vec<_> = parts.envelopes.iter().map(|e| (e.id.clone(), e.queue_group, waiting(e))).collect();
        assert_eq!(shown, [(id(0), 0, "alice".to_owned()), (id(1), 1, "x y".to_owned()), (id(2), 1, "z".to_owned())]);
        let notes: Vec<_> = parts.notes.iter().map(|(id, text)| format!("{id}: {text}")).collect();
        assert_eq!(
            notes,
            [
                format!("{}: split: count=1, id={}", id(0), id(1)),
                format!("{}: split: maxrcpts=2, rcpts=3, count=1, id={}", id(1), id(2)),
            ]
        );
    }

    #[test]
    fn one_group_is_one_entry() {
        let parts = split(envelope(&["a", "b"]), &[2, 2], |_| 0, || id(9));
        assert_eq!((parts.envelopes.len(), parts.envelopes[0].queue_group, parts.notes.len()), (1, 2, 0));
    }
}
