//! Building a database file from keys and values held in memory.

use std::fs::File;
use std::os::unix::fs::FileExt;

use smallvec::SmallVec;

use super::page::{HEADER, kind};
use super::{Error, Kind, btree_build, cdb, hash, hash_build};

/// Page size of the files written, bytes.
pub(crate) const PAGE: usize = 4096;

/// What becomes of a key that comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// The first value stays; the others are reported.
    Refuse,
    /// The last value stays.
    Replace,
    /// All values stay, in the order they came.
    Keep,
    /// What came with line 0 stays; of the others, a key that is there already is refused.
    KeepOld,
}

impl Duplicates {
    /// Whether the file may hold several values of a key.
    fn in_file(self) -> bool {
        matches!(self, Self::Keep | Self::KeepOld)
    }
}

/// Keys and values to be written.
#[derive(Debug, Default)]
pub struct Entries {
    text: Vec<u8>,
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    at: usize,
    key: u32,
    value: u32,
    hash: u32,
    line: u32,
}

/// A key that came again although that was not wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// Line that had it, as given to [`Entries::push`].
    pub line: u32,
    /// The key.
    pub key: Vec<u8>,
}

impl Entries {
    /// Adds a key with its value; `line` is where they were read.
    ///
    /// Items of 4 GB and more do not occur in maps: they are cut.
    pub fn push(&mut self, key: &[u8], value: &[u8], line: u32) {
        let length = |item: &[u8]| u32::try_from(item.len()).unwrap_or(u32::MAX);
        let (key_length, value_length) = (length(key), length(value));
        let row = Row { at: self.text.len(), key: key_length, value: value_length, hash: hash::hash(key), line };
        self.text.extend_from_slice(key.get(..key_length as usize).unwrap_or(key));
        self.text.extend_from_slice(value.get(..value_length as usize).unwrap_or(value));
        self.rows.push(row);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes the database to `file`, which is empty, and syncs it. Returns the keys that were refused, in the order of lines.
    pub fn write(&self, kind: Kind, duplicates: Duplicates, file: &File) -> Result<Vec<Duplicate>, Error> {
        let mut refused = Vec::new();
        match kind {
            Kind::Hash => {
                let buckets = hash_build::buckets(self.items());
                let mut order = self.by_bucket(buckets);
                self.settle(&mut order, duplicates, &mut refused);
                let sets = order.chunk_by(|a, b| self.key(a) == self.key(b)).filter_map(|set| {
                    let first = set.first()?;
                    Some(hash_build::Set { key: self.key(first), values: self.values(set), hash: first.hash })
                });
                hash_build::write(sets, buckets, duplicates.in_file(), Output { file })?;
            }
            Kind::Btree => {
                let mut order = self.by_key();
                self.settle(&mut order, duplicates, &mut refused);
                let sets = order.chunk_by(|a, b| self.key(a) == self.key(b));
                let sets = sets.filter_map(|set| Some((self.key(set.first()?), self.values(set))));
                btree_build::write(sets, duplicates.in_file(), Output { file })?;
            }
            Kind::Cdb => {
                let mut order = self.by_key();
                self.settle(&mut order, duplicates, &mut refused);
                order.sort_by_key(|row| row.at);
                cdb::write(order.iter().map(|row| self.item(row)), file)?;
            }
        }
        file.sync_all()?;
        refused.sort_by_key(|d| d.line);
        Ok(refused)
    }

    /// Rows sorted by bucket, key, arrival.
    fn by_bucket(&self, buckets: u32) -> Vec<Row> {
        let bucket = |row: &Row| (row.hash & (buckets - 1)) as usize;
        let mut starts = vec![0usize; buckets as usize + 1];
        for row in &self.rows {
            if let Some(count) = starts.get_mut(bucket(row) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut order = self.rows.clone();
        for row in &self.rows {
            if let Some(at) = starts.get_mut(bucket(row)) {
                if let Some(place) = order.get_mut(*at) {
                    *place = *row;
                }
                *at += 1;
            }
        }
        for group in order.chunk_by_mut(|a, b| bucket(a) == bucket(b)) {
            group.sort_by(|a, b| hash_build::order(self.key(a), self.key(b)));
        }
        order
    }

    /// Rows sorted by key, arrival.
    fn by_key(&self) -> Vec<Row> {
        let mut order: Vec<(u64, Row)> = self.rows.iter().map(|row| (prefix(self.key(row)), *row)).collect();
        order.sort_by(|(p, a), (q, b)| p.cmp(q).then_with(|| self.key(a).cmp(self.key(b))));
        order.into_iter().map(|(_, row)| row).collect()
    }

    /// Leaves one row for each key, unless all are kept.
    fn settle(&self, order: &mut Vec<Row>, duplicates: Duplicates, refused: &mut Vec<Duplicate>) {
        if duplicates == Duplicates::Keep {
            return;
        }
        order.dedup_by(|later, kept| {
            if self.key(later) != self.key(kept) || duplicates == Duplicates::KeepOld && later.line == 0 {
                return false;
            }
            if duplicates == Duplicates::Replace {
                *kept = *later;
            } else {
                refused.push(Duplicate { line: later.line, key: self.key(later).to_vec() });
            }
            true
        });
    }

    fn items(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.rows.iter().map(|row| self.item(row))
    }

    fn values(&self, set: &[Row]) -> SmallVec<[&[u8]; 1]> {
        set.iter().map(|row| self.item(row).1).collect()
    }

    fn key(&self, row: &Row) -> &[u8] {
        self.item(row).0
    }

    fn item(&self, row: &Row) -> (&[u8], &[u8]) {
        let key_end = row.at + row.key as usize;
        let end = key_end + row.value as usize;
        (self.text.get(row.at..key_end).unwrap_or_default(), self.text.get(key_end..end).unwrap_or_default())
    }
}

/// The first bytes of a key as a number that sorts like them.
fn prefix(key: &[u8]) -> u64 {
    key.iter()
        .take(8)
        .fold((0, 56), |(n, shift): (u64, u32), b| (n | u64::from(*b) << shift, shift.saturating_sub(8)))
        .0
}

/// Where pages are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output<'f> {
    file: &'f File,
}

impl Output<'_> {
    /// Writes a page at its place.
    pub(crate) fn put(self, page: &PageBuffer) -> Result<(), Error> {
        Ok(self.file.write_all_at(&page.bytes, u64::from(page.number()) * PAGE as u64)?)
    }

    /// Writes `item` to overflow pages from `next` on, which is moved on; returns the first of them.
    pub(crate) fn overflow(self, item: &[u8], next: &mut u32) -> Result<u32, Error> {
        let first = *next;
        let mut chunks = item.chunks(PAGE - HEADER).peekable();
        let mut previous = 0;
        while let Some(chunk) = chunks.next() {
            let number = take(next)?;
            let mut page = PageBuffer::new(number, kind::OVERFLOW, 0);
            page.set_u32(12, previous);
            page.set_u32(16, if chunks.peek().is_some() { *next } else { 0 });
            page.set_u16(20, 1);
            page.set_u16(22, chunk.len());
            page.set(HEADER, chunk);
            self.put(&page)?;
            previous = number;
        }
        Ok(first)
    }
}

/// The next page number.
pub(crate) fn take(next: &mut u32) -> Result<u32, Error> {
    let number = *next;
    *next = number.checked_add(1).ok_or(Error::Feature("files of more than 16 TB"))?;
    Ok(number)
}

/// A page being filled: offsets grow upwards, items downwards.
#[derive(Debug)]
pub(crate) struct PageBuffer {
    bytes: Vec<u8>,
    entries: usize,
    lowest: usize,
}

impl PageBuffer {
    /// An empty page.
    pub(crate) fn new(number: u32, kind: u8, level: u8) -> Self {
        let mut page = Self { bytes: vec![0; PAGE], entries: 0, lowest: PAGE };
        page.set_u32(4, 1);
        page.set_u32(8, number);
        page.set_u16(22, PAGE);
        page.set(24, &[level, kind]);
        page
    }

    /// Its number.
    pub(crate) fn number(&self) -> u32 {
        self.bytes.get(8..).and_then(|b| b.first_chunk()).map_or(0, |raw| u32::from_le_bytes(*raw))
    }

    /// Gives it another number, before others refer to it.
    pub(crate) fn set_number(&mut self, number: u32) {
        self.set_u32(8, number);
    }

    /// How many item offsets it has.
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// Bytes left for items and their offsets.
    pub(crate) fn room(&self) -> usize {
        self.lowest.saturating_sub(HEADER + 2 * self.entries)
    }

    /// Adds an item of several parts, taking up `size` bytes; the caller has looked at [`Self::room`].
    pub(crate) fn add(&mut self, parts: &[&[u8]], size: usize) -> usize {
        let start = self.lowest.saturating_sub(size);
        let mut at = start;
        for part in parts {
            self.set(at, part);
            at += part.len();
        }
        self.lowest = start;
        self.set_u16(22, start);
        self.refer(start);
        start
    }

    /// Adds an offset to an item that is there already.
    pub(crate) fn refer(&mut self, start: usize) {
        self.set_u16(HEADER + 2 * self.entries, start);
        self.entries += 1;
        self.set_u16(20, self.entries);
    }

    /// Links the page to the one before it.
    pub(crate) fn set_previous(&mut self, number: u32) {
        self.set_u32(12, number);
    }

    /// Links the page to the one behind it.
    pub(crate) fn set_next(&mut self, number: u32) {
        self.set_u32(16, number);
    }

    /// Writes bytes.
    pub(crate) fn set(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len())) {
            place.copy_from_slice(bytes);
        }
    }

    /// Writes a 32-bit number.
    pub(crate) fn set_u32(&mut self, at: usize, value: u32) {
        self.set(at, &value.to_le_bytes());
    }

    fn set_u16(&mut self, at: usize, value: usize) {
        self.set(at, &u16::try_from(value).unwrap_or(u16::MAX).to_le_bytes());
    }
}

/// The part of the meta page that both kinds share.
pub(crate) fn meta_page(magic: u32, version: u32, kind: u8, last_page: u32, flags: u32) -> PageBuffer {
    let mut page = PageBuffer::new(0, 0, 0);
    page.set(20, &[0; 6]);
    page.set_u32(12, magic);
    page.set_u32(16, version);
    page.set_u32(20, u32::try_from(PAGE).unwrap_or(0));
    page.set(25, &[kind]);
    page.set_u32(32, last_page);
    page.set_u32(48, flags);
    let mut id = [0u8; 20];
    crate::sys::posix::random(&mut id);
    page.set(52, &id);
    page
}
