//! The journal's records: messages on their way through, before they are delivered or come to rest as qf and df.
//!
//! In: messages. Out: bytes, and from bytes the messages that are not done. Never: touches a file.
//!
//! A segment is a row of records of one generation; what follows them is left from an earlier one and does not count. A
//! segment is written anew only when none of its messages is live, so what is torn by a crash was never promised.

use std::collections::HashMap;
use std::io::{self, Read};

use crate::envelope::QueueId;

/// A record, complete but for its generation.
#[derive(Debug)]
pub struct Record {
    bytes: Vec<u8>,
    sum: u64,
}

/// A message found in a journal.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: QueueId,
    /// Its queue group.
    pub group: usize,
    /// Text of its control file.
    pub control: Vec<u8>,
    /// Its body.
    pub body: Vec<u8>,
}

/// What a journal holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Messages that are not done, in the order of their acceptance.
    pub live: Vec<Place>,
    /// Newest generation.
    pub generation: u64,
    /// The segment of that generation, and where its records end.
    pub end: Option<(usize, u64)>,
}

/// Where a message's record lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Number of the segment.
    pub segment: usize,
    /// Where in it.
    pub offset: u64,
    /// Length of the record.
    pub length: usize,
}

impl Record {
    /// A message was accepted. `None` when a part is too long for a record.
    pub fn accepted(id: &QueueId, group: usize, control: &[u8], body: &[u8]) -> Option<Self> {
        Self::new(ACCEPTED, id, group, control, body)
    }

    /// A message was delivered or put at rest.
    pub fn done(id: &QueueId) -> Option<Self> {
        Self::new(DONE, id, 0, b"", b"")
    }

    fn new(kind: u32, id: &QueueId, group: usize, control: &[u8], body: &[u8]) -> Option<Self> {
        let length = |n: usize| u32::try_from(n).ok().map(u32::to_le_bytes);
        let id = id.as_str().as_bytes();
        let mut bytes = Vec::with_capacity(HEAD + id.len() + control.len() + body.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&kind.to_le_bytes());
        for part in [id.len(), control.len(), body.len(), group] {
            bytes.extend_from_slice(&length(part)?);
        }
        bytes.extend_from_slice(&[0; 16]);
        bytes.extend_from_slice(id);
        bytes.extend_from_slice(control);
        bytes.extend_from_slice(body);
        let sum = sum(bytes.get(..LENGTHS)?, bytes.get(HEAD..)?);
        Some(Self { bytes, sum })
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has no bytes; never.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Adds it to what is to be written.
    pub fn write(&self, generation: u64, out: &mut Vec<u8>) {
        let (head, rest) = self.bytes.split_at(LENGTHS.min(self.bytes.len()));
        out.extend_from_slice(head);
        out.extend_from_slice(&generation.to_le_bytes());
        out.extend_from_slice(&mixed(self.sum, generation).to_le_bytes());
        out.extend_from_slice(rest.get(HEAD - LENGTHS..).unwrap_or_default());
    }
}

/// Looks through segments, in any order, one record in memory at a time.
///
/// Errors: what reading gave; what is torn or left over just ends a segment.
pub fn replay(segments: impl IntoIterator<Item = impl Read>) -> io::Result<Found> {
    let mut rows = Vec::new();
    for (number, mut segment) in segments.into_iter().enumerate() {
        rows.extend(records(number, &mut segment)?);
    }
    rows.sort_by_key(|row| row.generation);
    let generation = rows.last().map_or(0, |row| row.generation);
    let end = rows.last().map(|row| (row.segment, row.end));
    let mut live: Vec<Option<Place>> = Vec::new();
    let mut known: HashMap<QueueId, usize> = HashMap::new();
    for (id, place) in rows.into_iter().flat_map(|row| row.records) {
        if place.is_some() {
            known.insert(id, live.len());
            live.push(place);
        } else if let Some(place) = known.remove(&id).and_then(|at| live.get_mut(at)) {
            *place = None;
        }
    }
    Ok(Found { live: live.into_iter().flatten().collect(), generation, end })
}

/// The message of a record at a [`Place`].
pub fn message(bytes: &[u8]) -> Option<Message> {
    let (_, read) = record(bytes)?;
    let (control, body) = (read.control.to_vec(), read.body.to_vec());
    (!read.is_done).then_some(Message { id: read.id, group: read.group, control, body })
}

struct Parts<'a> {
    is_done: bool,
    id: QueueId,
    group: usize,
    control: &'a [u8],
    body: &'a [u8],
}

/// A segment: messages with the place of their acceptance, or none where they are done.
struct Row {
    segment: usize,
    generation: u64,
    records: Vec<(QueueId, Option<Place>)>,
    end: u64,
}

/// Records of a segment; `None` when it has none.
fn records(segment: usize, source: &mut impl Read) -> io::Result<Option<Row>> {
    let mut row: Option<Row> = None;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        source.by_ref().take(HEAD as u64).read_to_end(&mut bytes)?;
        let Some(length) = payload(&bytes) else { return Ok(row) };
        // No more than there is: a torn length takes no memory.
        source.by_ref().take(length).read_to_end(&mut bytes)?;
        let Some((generation, parts)) = record(&bytes) else { return Ok(row) };
        let row = row.get_or_insert(Row { segment, generation, records: Vec::new(), end: 0 });
        if row.generation != generation {
            break;
        }
        let place = Place { segment, offset: row.end, length: bytes.len() };
        row.records.push((parts.id, (!parts.is_done).then_some(place)));
        row.end += bytes.len() as u64;
    }
    Ok(row)
}

/// Bytes behind a head.
fn payload(head: &[u8]) -> Option<u64> {
    let length = |at: usize| Some(u64::from(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?)));
    if head.len() < HEAD || !head.starts_with(&MAGIC) {
        return None;
    }
    Some(length(8)? + length(12)? + length(16)?)
}

/// A whole record, and its generation.
fn record(bytes: &[u8]) -> Option<(u64, Parts<'_>)> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let number = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let long = |at: usize| Some(u64::from_le_bytes(head.get(at..at + 8)?.try_into().ok()?));
    let length = |at: usize| usize::try_from(number(at)?).ok();
    if !head.starts_with(&MAGIC) {
        return None;
    }
    let (kind, generation) = (number(4)?, long(LENGTHS)?);
    let (id_length, control_length, body_length) = (length(8)?, length(12)?, length(16)?);
    let total = id_length.checked_add(control_length)?.checked_add(body_length)?;
    let payload = rest.get(..total)?;
    if long(LENGTHS + 8)? != mixed(sum(head.get(..LENGTHS)?, payload), generation) {
        return None;
    }
    let (id, texts) = payload.split_at_checked(id_length)?;
    let (control, body) = texts.split_at_checked(control_length)?;
    let parts = Parts { is_done: kind == DONE, id: QueueId::parse(id)?, group: length(20)?, control, body };
    Some((generation, parts))
}

/// Tells torn writes; not meant against anybody.
fn sum(head: &[u8], payload: &[u8]) -> u64 {
    [head, payload].into_iter().fold(0, |sum, part| {
        let mut chunks = part.chunks_exact(8);
        let words = chunks.by_ref().filter_map(|c| c.try_into().ok()).map(u64::from_le_bytes);
        let sum = words.fold(sum, mixed);
        chunks.remainder().iter().fold(sum, |sum, byte| mixed(sum, u64::from(*byte) + 1))
    })
}

fn mixed(sum: u64, word: u64) -> u64 {
    (sum.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1)
}

/// Front of every record.
const MAGIC: [u8; 4] = *b"SMj1";
const ACCEPTED: u32 = 1;
const DONE: u32 = 2;
/// Bytes in front of generation and sum.
const LENGTHS: usize = 24;
/// Bytes in front of id, control file and body.
const HEAD: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> QueueId {
        QueueId::parse(format!("6AM8Wwpk{n:06}").as_bytes()).unwrap()
    }

    fn segment(generation: u64, accepted: &[u32], done: &[u32]) -> Vec<u8> {
        let mut out = Vec::new();
        for n in accepted {
            let body = vec![b'x'; usize::try_from(*n).unwrap()];
            Record::accepted(&id(*n), 3, b"V8\n.\n", &body).unwrap().write(generation, &mut out);
        }
        for n in done {
            Record::done(&id(*n)).unwrap().write(generation, &mut out);
        }
        out
    }

    fn messages(segments: &[Vec<u8>]) -> Vec<Message> {
        let found = replay(segments.iter().map(Vec::as_slice)).unwrap();
        let at = |place: &Place| {
            let start = usize::try_from(place.offset).unwrap();
            message(&segments[place.segment][start..start + place.length]).unwrap()
        };
        found.live.iter().map(at).collect()
    }

    fn live(segments: &[Vec<u8>]) -> Vec<QueueId> {
        messages(segments).into_iter().map(|m| m.id).collect()
    }

    #[test]
    fn what_is_not_done_comes_back_as_it_was() {
        let mut bytes = segment(7, &[3, 1, 20], &[1]);
        let end = bytes.len() as u64;
        bytes.extend([0; 90]);
        let found = replay([bytes.as_slice()]).unwrap();
        assert_eq!((found.generation, found.end), (7, Some((0, end))));
        let messages = messages(&[bytes]);
        assert_eq!(messages.iter().map(|m| m.id.clone()).collect::<Vec<_>>(), [id(3), id(20)]);
        let last = messages.last().unwrap();
        assert_eq!((last.group, last.control.as_slice(), last.body.len()), (3, b"V8\n.\n".as_slice(), 20));
    }

    #[test]
    fn a_message_may_be_done_in_a_later_segment() {
        assert_eq!(live(&[segment(3, &[4], &[1]), segment(2, &[1, 2], &[])]), [id(2), id(4)]);
    }

    #[test]
    fn what_an_earlier_generation_left_behind_does_not_count() {
        let mut bytes = segment(2, &[1], &[]);
        bytes.extend(segment(1, &[2], &[]));
        assert_eq!(live(&[bytes, vec![0; 100], Vec::new()]), [id(1)]);
    }

    #[test]
    fn a_torn_or_damaged_record_ends_the_segment() {
        let whole = segment(1, &[9, 30], &[]);
        let first = segment(1, &[9], &[]).len();
        for cut in 0..whole.len() {
            let expected = if cut < first { vec![] } else { vec![id(9)] };
            assert_eq!(live(&[whole[..cut].to_vec()]), expected, "cut at {cut}");
        }
        for at in first..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x20;
            assert_eq!(live(&[damaged]), [id(9)], "byte {at}");
        }
    }
}
