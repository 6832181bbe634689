//! The order of a queue run.

use std::cmp::Ordering;

use bytes::Bytes;

use super::{Entry, Kind};
use crate::base::bytes::{leading_number, split_once};
use crate::base::time::UnixTime;
use crate::config::values::QueueSortOrder;

/// What a scheduler needs of a control file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Priority: lower is tried earlier.
    pub priority: i64,
    /// When the message was accepted.
    pub created: UnixTime,
    /// Its last attempt.
    pub last_try: Option<UnixTime>,
    /// Attempts so far.
    pub tries: u32,
    /// Last change of the control file.
    pub modified: UnixTime,
    /// Domain of its first recipient, as it is ordered: letters small, labels from the right.
    pub host: Bytes,
    /// Sender, for the filters.
    pub sender: Bytes,
    /// Recipients left, for the filters.
    pub recipients: Vec<Bytes>,
    /// Quarantine reason.
    pub quarantine: Option<Bytes>,
}

impl Summary {
    /// From the text of a control file, as far as it goes: a damaged file is scheduled and listed too.
    pub fn scan(control: &[u8], modified: UnixTime) -> Self {
        // Without a priority it is the last. Source: observed.
        let mut summary = Self { modified, priority: i64::from(i32::MAX), ..Self::default() };
        for line in control.split(|b| *b == b'\n') {
            let Some((letter, value)) = line.split_first() else { continue };
            match letter {
                b'T' => summary.created = UnixTime(leading_number(value)),
                b'P' => summary.priority = leading_number(value),
                b'K' => summary.last_try = Some(UnixTime(leading_number(value))).filter(|at| at.0 > 0),
                b'N' => summary.tries = u32::try_from(leading_number(value)).unwrap_or(0),
                b'q' => summary.quarantine = Some(Bytes::copy_from_slice(value)),
                b'S' => summary.sender = Bytes::copy_from_slice(value),
                b'R' => {
                    let address = split_once(value, b':').map_or(value, |(_, address)| address);
                    summary.recipients.push(Bytes::copy_from_slice(address));
                }
                // Nothing behind the recipients matters here.
                b'H' | b'.' => break,
                _ => {}
            }
        }
        summary.host = summary.recipients.first().map(|address| reversed_host(address)).unwrap_or_default();
        summary
    }
}

/// A sort order and its name.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The order.
    pub order: QueueSortOrder,
    /// Name as in the cf file; its first letter is enough.
    pub name: &'static str,
    /// What comes first.
    pub effect: &'static str,
}

/// All orders. Source: op guide 5.6, QueueSortOrder.
#[rustfmt::skip]
pub static ORDERS: &[Row] = &[
    Row { order: QueueSortOrder::Filename,     name: "filename",     effect: "by queue id" },
    Row { order: QueueSortOrder::Host,         name: "host",         effect: "by the first recipient's domain, then priority" },
    Row { order: QueueSortOrder::Modification, name: "modification", effect: "control files changed longest ago" },
    Row { order: QueueSortOrder::None,         name: "none",         effect: "as the directory gives them" },
    Row { order: QueueSortOrder::Priority,     name: "priority",     effect: "lowest number" },
    Row { order: QueueSortOrder::Random,       name: "random",       effect: "by chance" },
    Row { order: QueueSortOrder::Time,         name: "time",         effect: "oldest message" },
];

/// Whether an order needs what stands in the control files. Where it does not, the original looks no further than their names.
pub fn looks_inside(order: QueueSortOrder) -> bool {
    matches!(order, QueueSortOrder::Priority | QueueSortOrder::Host | QueueSortOrder::Time)
}

/// Sorts entries for a run. `seed` decides the order by chance.
pub fn sort(entries: &mut [Entry], order: QueueSortOrder, seed: u64) {
    match order {
        QueueSortOrder::None => {}
        QueueSortOrder::Filename => entries.sort_by(|a, b| a.id.cmp(&b.id)),
        QueueSortOrder::Random => entries.sort_by_key(|e| scrambled(e.id.as_str(), seed)),
        QueueSortOrder::Priority => by(entries, |a, b| a.priority.cmp(&b.priority)),
        QueueSortOrder::Time => by(entries, |a, b| a.created.cmp(&b.created)),
        QueueSortOrder::Modification => by(entries, |a, b| a.modified.cmp(&b.modified)),
        QueueSortOrder::Host => by(entries, |a, b| a.host.cmp(&b.host).then(a.priority.cmp(&b.priority))),
    }
}

/// Entries without a summary come last; what is equal keeps the order of the directory. Source: observed.
fn by(entries: &mut [Entry], compare: impl Fn(&Summary, &Summary) -> Ordering) {
    entries.sort_by(|a, b| match (&a.summary, &b.summary) {
        (Some(one), Some(other)) => compare(one, other),
        (one, other) => other.is_some().cmp(&one.is_some()),
    });
}

fn scrambled(id: &str, seed: u64) -> u64 {
    id.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// Domain of an address with its labels turned around, so that hosts of one domain stand together.
fn reversed_host(address: &[u8]) -> Bytes {
    let bare = address.strip_suffix(b">").unwrap_or(address);
    let host = memchr::memrchr(b'@', bare).and_then(|at| bare.get(at + 1..)).unwrap_or_default();
    let host = crate::base::domain::without_final_dot(host).to_ascii_lowercase();
    let labels: Vec<&[u8]> = host.split(|b| *b == b'.').rev().collect();
    labels.join(&b'.').into()
}

/// Entries of kinds that a run looks at.
pub fn is_runnable(kind: Kind, quarantined: bool) -> bool {
    kind == if quarantined { Kind::Quarantined } else { Kind::Normal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::QueueId;

    fn entry(id: &str, priority: i64, created: i64, address: &str) -> Entry {
        let summary = Summary {
            priority,
            created: UnixTime(created),
            host: reversed_host(address.as_bytes()),
            ..Summary::default()
        };
        let id = QueueId::parse(id.as_bytes()).unwrap();
        Entry { id, group: 0, directory: 0, kind: Kind::Normal, summary: Some(summary) }
    }

    #[test]
    fn each_order_puts_first_what_its_row_says() {
        let list = [
            entry("6AM8Wwpk005225", 30, 3, "<x@b.example.org>"),
            entry("6AM8Wwpk005224", 10, 2, "y@a.test"),
            entry("6AM8Wwpk005226", 20, 1, "z@a.example.org."),
        ];
        for (order, expected) in [
            (QueueSortOrder::None, "546"),
            (QueueSortOrder::Filename, "456"),
            (QueueSortOrder::Priority, "465"),
            (QueueSortOrder::Time, "645"),
            (QueueSortOrder::Host, "654"),
        ] {
            let mut sorted = list.to_vec();
            sort(&mut sorted, order, 1);
            let ids: String = sorted
                .iter()
                .filter_map(|e| e.id.as_str().chars().last())
                .map(|c| match c {
                    '5' => '5',
                    other => other,
                })
                .collect();
            assert_eq!(ids, expected, "{order:?}");
        }
    }
}
