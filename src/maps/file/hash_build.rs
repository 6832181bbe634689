//! Hash databases: writing. The shape is in `hash.rs`; files are of version 9, little endian.
//!
//! The number of buckets is a power of two, so that all buckets are pages 1, 2 … in order; pages that a bucket needs beyond
//! its first, and long items, follow behind them.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::btree_build::Writer;
use super::build::{Output, PAGE, PageBuffer, meta_page, take};
use super::hash::{DUPLICATE, KEYDATA, OFFDUP, OFFPAGE, PROBE, SPARES, hash};
use super::page::{HEADER, kind};
use super::{Error, HASH_MAGIC};

/// Items longer than this lie on overflow pages.
const LONG: usize = PAGE / 4;
/// Bytes of an item that only points to overflow pages.
const POINTER: usize = 12;
/// Bytes of an item that points to a tree of values.
const TREE: usize = 8;

fn size(item: &[u8]) -> usize {
    if item.len() > LONG { POINTER } else { 1 + item.len() }
}

/// The order of keys on a page: by bytes, and of two that begin alike the longer one first.
pub(crate) fn order(a: &[u8], b: &[u8]) -> Ordering {
    let common = a.len().min(b.len());
    a.get(..common).cmp(&b.get(..common)).then(b.len().cmp(&a.len()))
}

/// How many buckets keep most of them to one page, three quarters full at most on average.
pub(crate) fn buckets<'a>(items: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> u32 {
    let bytes: usize = items.map(|(key, value)| size(key) + size(value) + 4).sum();
    let wanted = bytes / ((PAGE - HEADER) * 3 / 4) + 1;
    u32::try_from(wanted.next_power_of_two()).unwrap_or(1 << 31).clamp(2, 1 << 31)
}

/// A key with its values.
pub(crate) struct Set<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) values: SmallVec<[&'a [u8]; 1]>,
    pub(crate) hash: u32,
}

/// Writes sets, which come in the order of buckets and are sorted by key within each.
pub(crate) fn write<'a>(
    sets: impl Iterator<Item = Set<'a>>,
    buckets: u32,
    duplicates: bool,
    out: Output<'_>,
) -> Result<(), Error> {
    let mut writer = Writer { out, next: buckets + 1 };
    let mut count = 0u32;
    let mut sets = sets.peekable();
    let mut packed = Vec::new();
    for bucket in 0..buckets {
        let mut page = PageBuffer::new(bucket + 1, kind::HASH, 0);
        while let Some(set) = sets.next_if(|set| set.hash & (buckets - 1) == bucket) {
            let value = Value::of(&set.values, &mut packed);
            if page.room() < size(set.key) + value.size() + 4 {
                let number = take(&mut writer.next)?;
                page.set_next(number);
                out.put(&page)?;
                let previous = page.number();
                page = PageBuffer::new(number, kind::HASH, 0);
                page.set_previous(previous);
            }
            add(&mut page, set.key, &mut writer)?;
            match value {
                Value::One(value) => add(&mut page, value, &mut writer)?,
                Value::Packed(bytes) => {
                    page.add(&[&[DUPLICATE], bytes], 1 + bytes.len());
                }
                Value::Many(values) => {
                    let root = writer.duplicates(values)?;
                    page.add(&[&[OFFDUP, 0, 0, 0], &root.to_le_bytes()], TREE);
                }
            }
            count = count.saturating_add(u32::try_from(set.values.len()).unwrap_or(u32::MAX));
        }
        out.put(&page)?;
    }
    let next = writer.next;
    let mut meta = meta_page(HASH_MAGIC, 9, kind::HASH_META, next - 1, u32::from(duplicates));
    meta.set_u32(72, buckets - 1);
    meta.set_u32(76, buckets - 1);
    meta.set_u32(80, (buckets >> 1) - 1);
    meta.set_u32(88, count);
    meta.set_u32(92, hash(PROBE));
    let doublings = buckets.trailing_zeros() as usize;
    for slot in 0..=doublings.min(SPARES - 1) {
        meta.set_u32(96 + 4 * slot, 1);
    }
    out.put(&meta)
}

/// What stands beside a key.
enum Value<'s, 'a> {
    One(&'a [u8]),
    Packed(&'s [u8]),
    Many(&'s [&'a [u8]]),
}

impl<'s, 'a> Value<'s, 'a> {
    fn of(values: &'s [&'a [u8]], packed: &'s mut Vec<u8>) -> Self {
        if let [one] = values {
            return Self::One(one);
        }
        if values.iter().map(|value| value.len() + 4).sum::<usize>() > LONG {
            return Self::Many(values);
        }
        packed.clear();
        for value in values {
            let length = u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes();
            packed.extend_from_slice(&length);
            packed.extend_from_slice(value);
            packed.extend_from_slice(&length);
        }
        Self::Packed(packed)
    }

    fn size(&self) -> usize {
        match self {
            Self::One(value) => size(value),
            Self::Packed(bytes) => 1 + bytes.len(),
            Self::Many(_) => TREE,
        }
    }
}

fn add(page: &mut PageBuffer, item: &[u8], writer: &mut Writer<'_>) -> Result<(), Error> {
    if item.len() <= LONG {
        page.add(&[&[KEYDATA], item], 1 + item.len());
        return Ok(());
    }
    let first = writer.out.overflow(item, &mut writer.next)?;
    let length = u32::try_from(item.len()).unwrap_or(u32::MAX);
    page.add(&[&[OFFPAGE, 0, 0, 0], &first.to_le_bytes(), &length.to_le_bytes()], POINTER);
    Ok(())
}
