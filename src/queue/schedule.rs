//! Which messages a queue run takes.

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

/// Whether it is time for another attempt.
pub fn is_due(summary: &Summary, now: UnixTime, min_age: Duration, max_age: Duration) -> bool {
    let Some(last) = summary.last_try else { return true };
    let wait = if max_age.is_zero() {
        min_age
    } else {
        min_age.saturating_mul(1 << summary.tries.saturating_sub(1).min(20)).min(max_age)
    };
    // A clock that went back must not keep mail waiting.
    last > now || now.since(last) >= wait
}

/// Whether a message of this priority waits until the load is lower. Source: op guide 5.6 (QueueLA, QueueFactor).
pub fn waits_for_load(priority: i64, load: i64, queue_la: Option<i64>, queue_factor: i64) -> bool {
    let Some(limit) = queue_la.filter(|limit| load >= *limit) else { return false };
    priority > queue_factor / load.saturating_sub(limit).saturating_add(1).max(1)
}

/// The messages of a run, in the order they are tried.
pub fn plan(mut entries: Vec<Entry>, request: &Request, now: UnixTime, seed: u64) -> Vec<Entry> {
    entries.retain(|entry| {
        entry.kind == request.kind
            && is_selected(entry, &request.filters)
            && (!request.filters.is_empty()
                || entry.summary.as_ref().is_none_or(|s| is_due(s, now, request.min_age, request.max_age)))
    });
    order::sort(&mut entries, request.order, seed);
    if request.max_jobs > 0 {
        entries.truncate(request.max_jobs);
    }
    entries
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
        let tried = |tries, last| Summary { tries, last_try: Some(UnixTime(last)), ..Summary::default() };
        let minute = Duration::from_secs(60);
        for (summary, max, due) in [
            (Summary::default(), 0, true),
            (tried(1, 950), 0, false),
            (tried(1, 940), 0, true),
            (tried(3, 800), 600, false),
            (tried(3, 760), 600, true),
            (tried(30, 390), 600, true),
            (tried(1, 2000), 0, true),
        ] {
            assert_eq!(is_due(&summary, UnixTime(1000), minute, Duration::from_secs(max)), due, "{summary:?}");
        }
    }
}
