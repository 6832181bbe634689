//! The order in which queued messages are tried: one list for all queue runs, and a lane for every host.
//!
//! A host that keeps its messages waiting fills its own lane only; what goes elsewhere passes it. A later run adds what is
//! not known yet, so runs overlap without trying anything twice. Every step is O(1).

use std::collections::{HashMap, HashSet, VecDeque};

use bytes::Bytes;

use crate::envelope::QueueId;
use crate::queue::Entry;

/// Messages that wait or are being tried. `T` goes with a message from its run until it was tried.
#[derive(Debug)]
pub(super) struct Lanes<T> {
    most: usize,
    most_per_host: usize,
    /// By queue group; any number for groups beyond the list.
    most_per_group: Vec<usize>,
    known: HashSet<QueueId>,
    ready: VecDeque<Task<T>>,
    /// Messages whose lane was full when their turn came.
    parked: HashMap<Bytes, VecDeque<Task<T>>>,
    /// Messages whose group had as many as it may when their turn came.
    parked_groups: HashMap<usize, VecDeque<Task<T>>>,
    active: HashMap<Bytes, usize>,
    active_groups: HashMap<usize, usize>,
    /// Messages of a host that wait, in whatever list.
    waiting: HashMap<Bytes, usize>,
    running: usize,
}

/// A message to be tried.
#[derive(Debug)]
pub(super) struct Task<T> {
    /// Its id.
    pub(super) id: QueueId,
    /// Domain of its first recipient: its lane.
    pub(super) host: Bytes,
    /// Its queue group.
    pub(super) group: usize,
    /// What came with it.
    pub(super) token: T,
}

impl<T> Lanes<T> {
    /// At most so many messages at a time, so many of one host, and so many of each queue group.
    pub(super) fn new(most: usize, most_per_host: usize, most_per_group: Vec<usize>) -> Self {
        Self {
            most,
            most_per_host,
            most_per_group,
            known: HashSet::new(),
            ready: VecDeque::new(),
            parked: HashMap::new(),
            parked_groups: HashMap::new(),
            active: HashMap::new(),
            active_groups: HashMap::new(),
            waiting: HashMap::new(),
            running: 0,
        }
    }

    /// Adds the messages of a run behind those that wait; what is known already stays where it is. How many were new.
    pub(super) fn add(&mut self, entries: impl IntoIterator<Item = Entry>, token: &T) -> usize
    where
        T: Clone,
    {
        let before = self.known.len();
        for entry in entries {
            if self.known.insert(entry.id.clone()) {
                let host = entry.summary.map(|summary| summary.host).unwrap_or_default();
                *self.waiting.entry(host.clone()).or_default() += 1;
                self.ready.push_back(Task { id: entry.id, host, group: entry.group, token: token.clone() });
            }
        }
        self.known.len() - before
    }

    /// The next message to be tried now. It counts until [`Lanes::finished`].
    pub(super) fn next(&mut self) -> Option<Task<T>> {
        while self.running < self.most {
            let task = self.ready.pop_front()?;
            let most = self.most_per_group.get(task.group).copied().unwrap_or(usize::MAX);
            if self.active_groups.get(&task.group).copied().unwrap_or(0) >= most {
                self.parked_groups.entry(task.group).or_default().push_back(task);
                continue;
            }
            let width = self.width(&task.host);
            let active = self.active.entry(task.host.clone()).or_default();
            if *active < width {
                *active += 1;
                *self.active_groups.entry(task.group).or_default() += 1;
                self.running += 1;
                self.leaves(&task.host);
                return Some(task);
            }
            self.parked.entry(task.host.clone()).or_default().push_back(task);
        }
        None
    }

    /// How many messages of a host go at a time: few that wait follow each other on one connection, as in the original;
    /// many share several.
    fn width(&self, host: &Bytes) -> usize {
        let waiting = self.waiting.get(host).copied().unwrap_or(0);
        (waiting / PER_CONNECTION).clamp(1, self.most_per_host.max(1))
    }

    fn leaves(&mut self, host: &Bytes) {
        if let Some(waiting) = self.waiting.get_mut(host) {
            *waiting = waiting.saturating_sub(1);
            if *waiting == 0 {
                self.waiting.remove(host);
            }
        }
    }

    /// The message was tried.
    pub(super) fn finished(&mut self, id: &QueueId, host: &Bytes, group: usize) {
        self.known.remove(id);
        if let Some(active) = self.active_groups.get_mut(&group) {
            *active = active.saturating_sub(1);
            if *active == 0 {
                self.active_groups.remove(&group);
            }
        }
        if let Some(list) = self.parked_groups.get_mut(&group) {
            if let Some(task) = list.pop_front() {
                self.ready.push_front(task);
            }
            if list.is_empty() {
                self.parked_groups.remove(&group);
            }
        }
        self.running = self.running.saturating_sub(1);
        if let Some(active) = self.active.get_mut(host) {
            *active = active.saturating_sub(1);
            if *active == 0 {
                self.active.remove(host);
            }
        }
        if let Some(list) = self.parked.get_mut(host) {
            if let Some(task) = list.pop_front() {
                // It waited longest: it goes first.
                self.ready.push_front(task);
            }
            if list.is_empty() {
                self.parked.remove(host);
            }
        }
    }

    /// Whether messages are being tried.
    pub(super) fn is_running(&self) -> bool {
        self.running > 0
    }

    /// Messages being tried, and those that wait for their turn.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.running, self.known.len().saturating_sub(self.running))
    }

    /// Forgets what waits, because the program ends.
    pub(super) fn clear(&mut self) {
        let parked = self.parked.drain().flat_map(|(_, list)| list);
        let parked_groups = self.parked_groups.drain().flat_map(|(_, list)| list);
        for task in self.ready.drain(..).chain(parked).chain(parked_groups) {
            self.known.remove(&task.id);
        }
        self.waiting.clear();
    }
}

/// Waiting messages of a host for which another connection is worth while.
const PER_CONNECTION: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Kind;
    use crate::queue::order::Summary;

    fn entry(n: u32, host: &'static str) -> Entry {
        let id = QueueId::parse(format!("6AM8Wwpk{n:06}").as_bytes()).unwrap();
        let summary = Summary { host: host.into(), ..Summary::default() };
        Entry { id, group: 0, directory: 0, kind: Kind::Normal, summary: Some(summary) }
    }

    fn number(task: &Task<()>) -> u32 {
        task.id.as_str()[8..].parse().unwrap()
    }

    fn drained(lanes: &mut Lanes<()>) -> Vec<u32> {
        std::iter::from_fn(|| lanes.next()).map(|task| number(&task)).collect()
    }

    #[test]
    fn a_stalled_host_holds_up_only_its_own_messages() {
        let mut lanes = Lanes::new(4, 2, Vec::new());
        let slow = (1..=5).map(|n| entry(n, "slow"));
        lanes.add(slow.chain([entry(6, "a"), entry(7, "b"), entry(8, "c"), entry(9, "d")]), &());
        assert_eq!(drained(&mut lanes), [1, 6, 7, 8]);
        lanes.finished(&entry(6, "a").id, &"a".into(), 0);
        assert_eq!(drained(&mut lanes), [9]);
        lanes.finished(&entry(1, "slow").id, &"slow".into(), 0);
        assert_eq!(drained(&mut lanes), [2]);
    }

    #[test]
    fn a_long_lane_is_wider() {
        let mut lanes = Lanes::new(100, 3, Vec::new());
        lanes.add((1..=60).map(|n| entry(n, "a")), &());
        assert_eq!(drained(&mut lanes), [1, 2, 3]);
        let mut lanes = Lanes::new(100, 3, Vec::new());
        lanes.add((1..=19).map(|n| entry(n, "a")), &());
        assert_eq!(drained(&mut lanes), [1]);
    }

    #[test]
    fn runs_that_overlap_try_nothing_twice() {
        let mut lanes = Lanes::new(2, 2, Vec::new());
        lanes.add([entry(1, "a"), entry(2, "b"), entry(3, "c")], &());
        assert_eq!(drained(&mut lanes), [1, 2]);
        assert_eq!(lanes.add([entry(1, "a"), entry(2, "b"), entry(3, "c"), entry(4, "d")], &()), 1);
        for (n, host) in [(1, "a"), (2, "b")] {
            lanes.finished(&entry(n, host).id, &host.into(), 0);
        }
        assert_eq!(drained(&mut lanes), [3, 4]);
        lanes.finished(&entry(3, "c").id, &"c".into(), 0);
        lanes.add([entry(3, "c")], &());
        assert_eq!(drained(&mut lanes), [3]);
    }

    #[test]
    fn a_group_has_its_own_bound() {
        let mut lanes = Lanes::new(10, 5, vec![2, 9]);
        let of_group = |n, group| Entry { group, ..entry(n, if n % 2 == 0 { "even" } else { "odd" }) };
        lanes.add(
            [of_group(1, 0), of_group(2, 0), entry(3, "c"), entry(4, "d"), Entry { group: 1, ..entry(5, "e") }],
            &(),
        );
        assert_eq!(drained(&mut lanes), [1, 2, 5]);
        assert_eq!((lanes.is_running(), lanes.counts()), (true, (3, 2)));
        lanes.finished(&entry(5, "e").id, &"e".into(), 1);
        assert!(drained(&mut lanes).is_empty());
        lanes.finished(&entry(2, "even").id, &"even".into(), 0);
        assert_eq!(drained(&mut lanes), [3]);
        lanes.clear();
        lanes.finished(&entry(1, "odd").id, &"odd".into(), 0);
        lanes.finished(&entry(3, "c").id, &"c".into(), 0);
        assert_eq!(lanes.counts(), (0, 0));
    }

    #[test]
    fn what_was_forgotten_can_be_added_again() {
        let mut lanes = Lanes::new(1, 1, Vec::new());
        lanes.add([entry(1, "a"), entry(2, "a")], &());
        assert_eq!(drained(&mut lanes), [1]);
        lanes.clear();
        lanes.finished(&entry(1, "a").id, &"a".into(), 0);
        assert!(drained(&mut lanes).is_empty());
        lanes.add([entry(2, "a")], &());
        assert_eq!(drained(&mut lanes), [2]);
    }
}
