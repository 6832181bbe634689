//! Which messages a queue run takes.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use super::order::{self, Summary};
use super::{Entry, Kind};
use crate::base::time::UnixTime;
use crate::config::values::QueueSortOrder;

/// What a filter looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `-qI`: the queue id.
    Id,
    /// `-qR`: recipients.
    Recipient,
    /// `-qS`: the sender.
    Sender,
    /// `-qQ…`: the quarantine reason.
    Reason,
}

/// `-q[!]I…`, `-q[!]R…`, `-q[!]S…`, `-q[!]Q…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Where to look.
    pub field: Field,
    /// `!`: takes those that do not match.
    pub is_negated: bool,
    /// Text that must occur, letter case aside.
    pub text: Bytes,
}

/// What a run is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// `-qI` and so on; a message must pass one filter of each kind that is given.
    pub filters: Vec<Filter>,
    /// Which control files: normal, quarantined or lost ones.
    pub kind: Kind,
    /// `QueueSortOrder`.
    pub order: QueueSortOrder,
    /// `MinQueueAge`: a message tried more recently waits. Ignored when filters select.
    pub min_age: Duration,
    /// `MaxQueueAge`: with it, the wait doubles with every attempt up to this bound.
    pub max_age: Duration,
    /// Messages that have to wait are among the planned where the order does not look into them.
    pub keeps_young: bool,
    /// `MaxQueueRunSize` or `J=`; 0 for any.
    pub max_jobs: usize,
}

impl Filter {
    /// Whether the message passes.
    pub fn accepts(&self, entry: &Entry) -> bool {
        let summary = entry.summary.as_ref();
        let found = match self.field {
            Field::Id => contains(entry.id.as_str().as_bytes(), &self.text),
            Field::Recipient => summary.is_some_and(|s| s.recipients.iter().any(|r| contains(r, &self.text))),
            Field::Sender => summary.is_some_and(|s| contains(&s.sender, &self.text)),
            Field::Reason => summary.and_then(|s| s.quarantine.as_ref()).is_some_and(|q| contains(q, &self.text)),
        };
        found != self.is_negated
    }
}

/// Whether every kind of filter that is given has one that accepts.
pub fn is_selected(entry: &Entry, filters: &[Filter]) -> bool {
    [Field::Id, Field::Recipient, Field::Sender, Field::Reason].iter().all(|field| {
        let mut of_field = filters.iter().filter(|f| f.field == *field).peekable();
        of_field.peek().is_none() || of_field.any(|f| f.accepts(entry))
    })
}

/// Whether it is time for another attempt. Source: op guide 5.6 (MinQueueAge, MaxQueueAge); observed: with `MaxQueueAge` a
/// message waits as long again as it was in the queue at its last attempt, which doubles its age, and `MinQueueAge` is nothing.
pub fn is_due(summary: &Summary, now: UnixTime, min_age: Duration, max_age: Duration) -> bool {
    let Some(last) = summary.last_try.filter(|_| summary.tries > 0) else { return true };
    let wait = if max_age.is_zero() { min_age } else { last.since(summary.created).min(max_age) };
    // A clock that went back must not keep mail waiting.
    last > now || now.since(last) >= wait
}

/// Whether a message of this priority waits until the load is lower. Source: op guide 5.6 (QueueLA, QueueFactor).
pub fn waits_for_load(priority: i64, load: i64, queue_la: Option<i64>, queue_factor: i64) -> bool {
    let Some(limit) = queue_la.filter(|limit| load >= *limit) else { return false };
    priority > queue_factor / load.saturating_sub(limit).saturating_add(1).max(1)
}

/// What a run takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The messages in the order they are tried.
    pub entries: Vec<Entry>,
    /// Where messages were left for another run, because there are as many as may be: the directory of the first.
    pub full: Option<usize>,
}

/// The messages of a run.
pub fn plan(entries: Vec<Entry>, request: &Request, now: UnixTime, seed: u64) -> Plan {
    let keeps_young = !request.filters.is_empty() || (request.keeps_young && !order::looks_inside(request.order));
    let wanted = (request.kind, request.filters.as_slice());
    let takes = |entry: &Entry| keeps_young || is_old_enough(entry, request, now);
    let (mut entries, left) = first(entries, request.max_jobs, wanted, takes);
    order::sort(&mut entries, request.order, seed);
    Plan { entries, full: left.first().map(|entry| entry.directory) }
}

/// The first `most` (0 for all) control files that are taken, in the order of the directory, and those behind. Of these nothing is
/// known but their names. Source: op guide 5.6 (MaxQueueRunSize); observed.
pub fn first(
    entries: Vec<Entry>,
    most: usize,
    (kind, filters): (Kind, &[Filter]),
    takes: impl Fn(&Entry) -> bool,
) -> (Vec<Entry>, Vec<Entry>) {
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    let by_name: Vec<Filter> = filters.iter().filter(|filter| filter.field == Field::Id).cloned().collect();
    for entry in entries.into_iter().filter(|entry| entry.kind == kind && is_selected(entry, &by_name)) {
        if most > 0 && taken.len() >= most {
            left.push(entry);
        } else if is_selected(&entry, filters) && takes(&entry) {
            taken.push(entry);
        }
    }
    (taken, left)
}

/// What the log says of [`Plan::full`].
pub fn full(path: &Path, most: usize) -> String {
    format!("WorkList for {} maxed out at {most}", path.display())
}

fn is_old_enough(entry: &Entry, request: &Request, now: UnixTime) -> bool {
    entry.summary.as_ref().is_none_or(|summary| is_due(summary, now, request.min_age, request.max_age))
}

/// Whether `text` holds `part`, letter case aside.
fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::QueueId;

    fn entry(id: &str, sender: &str, recipients: &[&str]) -> Entry {
        let summary = Summary {
            sender: Bytes::copy_from_slice(sender.as_bytes()),
            recipients: recipients.iter().map(|r| Bytes::copy_from_slice(r.as_bytes())).collect(),
            ..Summary::default()
        };
        let id = QueueId::parse(id.as_bytes()).unwrap();
        Entry { id, group: 0, directory: 0, kind: Kind::Normal, summary: Some(summary) }
    }

    #[test]
    fn filters_of_one_kind_add_and_kinds_narrow() {
        let one = entry("6AM8Wwpk005225", "Boss@sender.test", &["x@remote.test", "alice"]);
        let filter = |field, text: &'static str, is_negated| Filter { field, is_negated, text: text.into() };
        for (filters, expected) in [
            (vec![filter(Field::Recipient, "REMOTE", false)], true),
            (vec![filter(Field::Recipient, "remote", true)], false),
            (vec![filter(Field::Recipient, "nobody", false), filter(Field::Recipient, "alice", false)], true),
            (vec![filter(Field::Recipient, "alice", false), filter(Field::Sender, "other", false)], false),
            (vec![filter(Field::Id, "wpk", false)], true),
            (vec![], true),
        ] {
            assert_eq!(is_selected(&one, &filters), expected, "{filters:?}");
        }
    }

    #[test]
    fn a_bounded_run_takes_the_first_of_the_directory() {
        let old = |id, priority| {
            let mut entry = entry(id, "a@b", &["x@b"]);
            entry.summary.as_mut().unwrap().priority = priority;
            entry
        };
        let mut young = old("6AM8Wwpk005223", 1);
        young.summary.as_mut().unwrap().last_try = Some(UnixTime(999));
        young.summary.as_mut().unwrap().tries = 1;
        let entries = vec![
            young,
            old("6AM8Wwpk005225", 30),
            old("6AM8Wwpk005224", 20),
            Entry { directory: 7, ..old("6AM8Wwpk005226", 10) },
        ];
        let request = Request {
            filters: Vec::new(),
            kind: Kind::Normal,
            order: QueueSortOrder::Priority,
            min_age: Duration::from_secs(60),
            max_age: Duration::ZERO,
            keeps_young: true,
            max_jobs: 2,
        };
        let planned = |request: &Request| {
            let plan = plan(entries.clone(), request, UnixTime(1000), 1);
            let last = |entry: &Entry| entry.id.as_str().chars().last().unwrap();
            (plan.entries.iter().map(last).collect::<String>(), plan.full)
        };
        assert_eq!(planned(&request), ("45".to_owned(), Some(7)));
        assert_eq!(planned(&Request { max_jobs: 0, ..request.clone() }), ("645".to_owned(), None));
        let one = |text: &'static str| vec![Filter { field: Field::Id, is_negated: false, text: text.into() }];
        assert_eq!(planned(&Request { max_jobs: 1, filters: one("5224"), ..request.clone() }), ("4".to_owned(), None));
        // By name alone nobody knows which are young.
        let by_name = Request { order: QueueSortOrder::Filename, ..request };
        assert_eq!(planned(&by_name), ("35".to_owned(), Some(0)));
        assert_eq!(planned(&Request { keeps_young: false, ..by_name }), ("45".to_owned(), Some(7)));
    }

    #[test]
    fn load_holds_back_what_matters_least() {
        for (priority, load, expected) in
            [(30_000, 7, false), (700_000, 8, true), (300_000, 8, false), (300_000, 9, false), (300_001, 9, true)]
        {
            assert_eq!(waits_for_load(priority, load, Some(8), 600_000), expected, "{priority} {load}");
        }
        assert!(!waits_for_load(i64::MAX, 100, None, 1));
    }

    #[test]
    fn a_message_waits_until_it_is_old_enough() {
        let tried = |tries, created, last| Summary {
            tries,
            created: UnixTime(created),
            last_try: Some(UnixTime(last)),
            ..Summary::default()
        };
        let minute = Duration::from_secs(60);
        for (summary, max, due) in [
            (Summary::default(), 0, true),
            (tried(1, 900, 950), 0, false),
            (tried(0, 900, 950), 0, true),
            (tried(1, 900, 940), 0, true),
            (tried(3, 500, 800), 600, false),
            (tried(1, 590, 800), 600, false),
            (tried(9, 600, 800), 600, true),
            (tried(1, 985, 990), 600, true),
            (tried(30, -9000, 410), 600, false),
            (tried(1, -9000, 400), 600, true),
            (tried(1, 0, 2000), 0, true),
        ] {
            assert_eq!(is_due(&summary, UnixTime(1000), minute, Duration::from_secs(max)), due, "{summary:?}");
        }
    }
}
