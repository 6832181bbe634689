//! Hash databases: writing. The shape is in `hash.rs`; files are of version 9, little endian.
//!
//! The number of buckets is a power of two, so that all buckets are pages 1, 2 … in order; pages that a bucket needs beyond
//! its first, and long items, follow behind them.

use super::build::{Output, PAGE, PageBuffer, meta_page, take};
use super::hash::{KEYDATA, OFFPAGE, PROBE, SPARES, hash};
use super::page::{HEADER, kind};
use super::{Error, HASH_MAGIC};

/// Items longer than this lie on overflow pages.
const LONG: usize = PAGE / 4;
/// Bytes of an item that only points to overflow pages.
const POINTER: usize = 12;

fn size(item: &[u8]) -> usize {
    if item.len() > LONG { POINTER } else { 1 + item.len() }
}

/// How many buckets keep most of them to one page, three quarters full at most on average.
pub(crate) fn buckets<'a>(items: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> u32 {
    let bytes: usize = items.map(|(key, value)| size(key) + size(value) + 4).sum();
    let wanted = bytes / ((PAGE - HEADER) * 3 / 4) + 1;
    u32::try_from(wanted.next_power_of_two()).unwrap_or(1 << 31).clamp(2, 1 << 31)
}

/// Writes items, which come in the order of buckets and are sorted by key within each.
pub(crate) fn write<'a>(
    items: impl Iterator<Item = ((&'a [u8], &'a [u8]), u32)>,
    buckets: u32,
    out: Output<'_>,
) -> Result<(), Error> {
    let mut next = buckets + 1;
    let mut count = 0u32;
    let mut items = items.peekable();
    for bucket in 0..buckets {
        let mut page = PageBuffer::new(bucket + 1, kind::HASH, 0);
        while let Some(((key, value), _)) = items.next_if(|(_, at)| *at == bucket) {
            if page.room() < size(key) + size(value) + 4 {
                let number = take(&mut next)?;
                page.set_next(number);
                out.put(&page)?;
                let previous = page.number();
                page = PageBuffer::new(number, kind::HASH, 0);
                page.set_previous(previous);
            }
            add(&mut page, key, &mut next, out)?;
            add(&mut page, value, &mut next, out)?;
            count = count.saturating_add(1);
        }
        out.put(&page)?;
    }
    let mut meta = meta_page(HASH_MAGIC, 9, kind::HASH_META, next - 1, 0);
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

fn add(page: &mut PageBuffer, item: &[u8], next: &mut u32, out: Output<'_>) -> Result<(), Error> {
    if item.len() <= LONG {
        page.add(&[&[KEYDATA], item], 1 + item.len());
        return Ok(());
    }
    let first = out.overflow(item, next)?;
    let length = u32::try_from(item.len()).unwrap_or(u32::MAX);
    page.add(&[&[OFFPAGE, 0, 0, 0], &first.to_le_bytes(), &length.to_le_bytes()], POINTER);
    Ok(())
}
