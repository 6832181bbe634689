//! The order of recipients in a queue file, and that in which they are tried.

use std::cmp::Reverse;

use bytes::Bytes;

use super::{Envelope, Recipient};

impl Envelope {
    /// Puts recipients of one next hop side by side: by mailer in the order of the configuration, then by host.
    ///
    /// Those of one host keep the order in which they were named; what an alias or a list stands for counts as named where
    /// the alias is. Once the message was tried, they stand by name from the last to the first. Recipients without a route
    /// stay in front. Source: observed (queue files of mail to several hosts).
    pub fn group_by_next_hop(&mut self) {
        let is_again = self.tries > 0;
        if self.recipients.is_sorted_by_key(|recipient| key(recipient, is_again)) {
            return;
        }
        let order = sorted(&self.recipients, is_again);
        self.routes.forget();
        let mut places = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(place) = places.get_mut(*old) {
                *place = new;
            }
        }
        let mut given: Vec<Option<Recipient>> = std::mem::take(&mut self.recipients).into_iter().map(Some).collect();
        self.recipients = order
            .iter()
            .filter_map(|old| given.get_mut(*old).and_then(Option::take))
            .map(|mut recipient| {
                recipient.parent = recipient.parent.and_then(|old| places.get(old)).copied();
                recipient
            })
            .collect();
    }
}

/// Indices of the recipients in their new order.
fn sorted(recipients: &[Recipient], is_again: bool) -> Vec<usize> {
    let roots = roots(recipients);
    let mut order: Vec<usize> = (0..recipients.len()).collect();
    order.sort_by_cached_key(|at| (recipients.get(*at).map(|r| key(r, is_again)), roots.get(*at).copied()));
    order
}

/// What recipients are ordered by before their place counts.
fn key(recipient: &Recipient, is_again: bool) -> (Option<(usize, Vec<u8>)>, Reverse<Bytes>) {
    let name = if is_again { recipient.address.clone() } else { Bytes::new() };
    (next_hop(recipient), Reverse(name))
}

fn next_hop(recipient: &Recipient) -> Option<(usize, Vec<u8>)> {
    recipient.route.as_ref().map(|route| (route.mailer.0, route.host.to_ascii_lowercase()))
}

/// For each recipient, the one named by the sender that it comes from.
fn roots(recipients: &[Recipient]) -> Vec<usize> {
    let mut roots = Vec::with_capacity(recipients.len());
    for at in 0..recipients.len() {
        let mut root = at;
        // A chain is never longer than the list; one that loops ends all the same.
        for _ in 0..recipients.len() {
            match recipients.get(root).and_then(|r| r.parent) {
                Some(parent) if parent < root => root = roots.get(parent).copied().unwrap_or(parent),
                Some(parent) if parent > root => root = parent,
                _ => break,
            }
        }
        roots.push(root);
    }
    roots
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::time::UnixTime;
    use crate::config::MailerId;
    use crate::envelope::{QueueId, Triple};
    use crate::macros::Scope;

    /// Address, mailer and host, parent.
    type Given = (&'static str, Option<(usize, &'static str)>, Option<usize>);

    fn envelope(recipients: &[Given]) -> Envelope {
        let mut envelope =
            Envelope::new(QueueId::parse(b"6AM8Wwpk005225").unwrap(), UnixTime(0), Scope::new(Arc::default()));
        for (address, route, parent) in recipients {
            let mut recipient = Recipient::new(*address);
            recipient.route =
                route.map(|(mailer, host)| Triple { mailer: MailerId(mailer), host: host.into(), user: "u".into() });
            recipient.parent = *parent;
            envelope.recipients.push(recipient);
        }
        envelope
    }

    fn names(envelope: &Envelope) -> Vec<&str> {
        envelope.recipients.iter().map(|r| std::str::from_utf8(&r.address).unwrap()).collect()
    }

    #[test]
    fn next_hops_stand_together() {
        let mut e = envelope(&[
            ("y", Some((5, "single.test")), None),
            ("alice", Some((3, "")), None),
            ("x", Some((5, "remote.test")), None),
            ("list", Some((3, "")), None),
            ("erin", Some((3, "")), Some(3)),
            ("v", Some((5, "remote.test")), Some(3)),
            ("carol", Some((3, "")), None),
            ("a", Some((5, "REMOTE.test")), None),
            ("?", None, None),
        ]);
        e.group_by_next_hop();
        assert_eq!(names(&e), ["?", "alice", "list", "erin", "carol", "x", "v", "a", "y"]);
        let list = e.recipients.iter().position(|r| r.address == "list");
        assert!(e.recipients.iter().filter(|r| r.parent.is_some()).all(|r| r.parent == list));
    }

    #[test]
    fn a_second_try_goes_by_name() {
        let hop = Some((1, "a"));
        let mut e = envelope(&[("y", hop, None), ("x", hop, None), ("z", hop, None)]);
        e.tries = 1;
        e.group_by_next_hop();
        assert_eq!(names(&e), ["z", "y", "x"]);
    }

    #[test]
    fn what_is_in_order_stays() {
        let mut e = envelope(&[("b", Some((1, "a")), None), ("a", Some((1, "a")), None), ("c", Some((1, "b")), None)]);
        e.group_by_next_hop();
        assert_eq!(names(&e), ["b", "a", "c"]);
    }
}
