//! Hash databases: reading.
//!
//! Shape of the meta page behind the common part: `72` highest bucket, `76` high mask, `80` low mask, `84` fill factor,
//! `88` entries, `92` hash of a fixed text (tells which hash function made the file), `96` where each doubling of the
//! buckets begins. A bucket is a chain of pages; on each, keys stand at even and values at odd positions, and an item ends
//! where the one before it begins.
//!
//! ```text
//! item: type (1) …   1 bytes   2 duplicates: length (2) bytes length (2) …   3 overflow: (3) page (4) length (4)
//!                    4 off-page duplicates: (3) page (4)
//! ```

use super::page::{Order, Page, Pages, kind};
use super::{Error, Walk, btree};

/// What the meta page says.
#[derive(Debug)]
pub(crate) struct Meta {
    max_bucket: u32,
    high_mask: u32,
    low_mask: u32,
    spares: [u32; SPARES],
    pub(crate) duplicates: bool,
}

pub(crate) const SPARES: usize = 32;
pub(crate) const KEYDATA: u8 = 1;
pub(crate) const DUPLICATE: u8 = 2;
pub(crate) const OFFPAGE: u8 = 3;
pub(crate) const OFFDUP: u8 = 4;
/// The text whose hash the meta page holds.
pub(crate) const PROBE: &[u8] = b"%$sniglet^&\0";

/// The hash function of all versions read here (Fowler, Noll, Vo).
pub(crate) fn hash(key: &[u8]) -> u32 {
    key.iter().fold(0, |h: u32, byte| h.wrapping_mul(16_777_619) ^ u32::from(*byte))
}

impl Meta {
    /// Reads the meta page.
    pub(crate) fn read(meta: &[u8], order: Order) -> Result<Self, Error> {
        let number = |at: usize| order.u32(meta, at).ok_or(Error::Format);
        let flags = number(48)?;
        if flags & 2 != 0 {
            return Err(Error::Feature("subdatabases"));
        }
        if number(92)? != hash(PROBE) {
            return Err(Error::Feature("foreign hash functions"));
        }
        let mut spares = [0; SPARES];
        for (slot, at) in spares.iter_mut().zip((96..).step_by(4)) {
            *slot = number(at)?;
        }
        let (max_bucket, high_mask, low_mask) = (number(72)?, number(76)?, number(80)?);
        Ok(Self { max_bucket, high_mask, low_mask, spares, duplicates: flags & 1 != 0 })
    }

    /// First page of a bucket.
    fn first_page(&self, bucket: u32) -> Option<u32> {
        let doubling = (u64::from(bucket) + 1).next_power_of_two().trailing_zeros();
        self.spares.get(doubling as usize)?.checked_add(bucket)
    }

    fn bucket(&self, hash: u32) -> u32 {
        let bucket = hash & self.high_mask;
        if bucket > self.max_bucket { bucket & self.low_mask } else { bucket }
    }

    /// The first value of `key`.
    pub(crate) fn get(&self, pages: &Pages, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let mut found = None;
        self.matching(pages, key, &mut |page, index| {
            found = Some(first_value(pages, page, index)?);
            Ok(false)
        })?;
        Ok(found)
    }

    /// Every value of `key`. Those that lie on overflow pages stand beside a key of their own. Source: observed.
    pub(crate) fn values(&self, pages: &Pages, key: &[u8], walk: &mut Walk<'_>) -> Result<(), Error> {
        self.matching(pages, key, &mut |page, index| values(pages, page, index, key, walk).map(|()| true))
    }

    /// Hands out the pages that hold `key`, and where its values stand there, until `each` returns false.
    fn matching(
        &self,
        pages: &Pages,
        key: &[u8],
        each: &mut dyn FnMut(&Page<'_>, usize) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut number = self.first_page(self.bucket(hash(key))).ok_or(BAD_BUCKET)?;
        let mut left = pages.count();
        while number != 0 {
            if left == 0 {
                return Err(Error::Corrupt { page: number, what: "circular chain" });
            }
            left -= 1;
            let page = pages.page_of(number, KINDS)?;
            for index in (0..page.entries() / 2).map(|pair| pair * 2) {
                if matches(pages, &page, index, key)? && !each(&page, index + 1)? {
                    return Ok(());
                }
            }
            number = page.next();
        }
        Ok(())
    }

    /// Every entry, bucket by bucket.
    pub(crate) fn walk(&self, pages: &Pages, walk: &mut Walk<'_>) -> Result<(), Error> {
        for bucket in 0..=self.max_bucket {
            let mut number = self.first_page(bucket).ok_or(BAD_BUCKET)?;
            while number != 0 {
                walk.spend(number)?;
                let page = pages.page_of(number, KINDS)?;
                for index in (0..page.entries() / 2).map(|pair| pair * 2) {
                    let key = value(pages, &page, index)?;
                    values(pages, &page, index + 1, &key, walk)?;
                }
                number = page.next();
            }
        }
        Ok(())
    }
}

/// A bucket that nothing was ever put into may be a page of zeros: no entries, no next page. Source: observed.
const KINDS: &[u8] = &[NEVER_USED, kind::HASH, kind::HASH_UNSORTED];
const NEVER_USED: u8 = 0;
const BAD_BUCKET: Error = Error::Corrupt { page: 0, what: "bucket" };

/// The bytes of an item, its type in front.
fn item<'p>(page: &'p Page<'_>, index: usize) -> Result<(u8, &'p [u8]), Error> {
    let start = page.offset(index)?;
    let end = if index == 0 { page.bytes.len() } else { page.offset(index - 1)? };
    let bytes = page.bytes.get(start..end).ok_or_else(|| page.corrupt("item order"))?;
    let (kind, rest) = bytes.split_first().ok_or_else(|| page.corrupt("empty item"))?;
    Ok((*kind, rest))
}

fn matches(pages: &Pages, page: &Page<'_>, index: usize, key: &[u8]) -> Result<bool, Error> {
    match item(page, index)? {
        (KEYDATA, bytes) => Ok(bytes == key),
        (OFFPAGE, rest) => {
            let (first, length) = off_page(pages, page, rest)?;
            Ok(length as usize == key.len() && pages.overflow(first, length)? == key)
        }
        _ => Err(page.corrupt("key type")),
    }
}

fn off_page(pages: &Pages, page: &Page<'_>, rest: &[u8]) -> Result<(u32, u32), Error> {
    let read = |at| pages.order.u32(rest, at).ok_or_else(|| page.corrupt("item length"));
    Ok((read(3)?, read(7)?))
}

/// A single value (or key).
fn value(pages: &Pages, page: &Page<'_>, index: usize) -> Result<Vec<u8>, Error> {
    match item(page, index)? {
        (KEYDATA, bytes) => Ok(bytes.to_vec()),
        (OFFPAGE, rest) => {
            let (first, length) = off_page(pages, page, rest)?;
            pages.overflow(first, length)
        }
        _ => Err(page.corrupt("item type")),
    }
}

fn first_value(pages: &Pages, page: &Page<'_>, index: usize) -> Result<Vec<u8>, Error> {
    let found = match item(page, index)? {
        (DUPLICATE, bytes) => duplicates(pages, page, bytes).next().transpose()?.map(<[u8]>::to_vec),
        (OFFDUP, rest) => {
            let root = pages.order.u32(rest, 3).ok_or_else(|| page.corrupt("item length"))?;
            btree::first_duplicate(pages, root)?
        }
        _ => return value(pages, page, index),
    };
    found.ok_or_else(|| page.corrupt("no value"))
}

fn values(pages: &Pages, page: &Page<'_>, index: usize, key: &[u8], walk: &mut Walk<'_>) -> Result<(), Error> {
    match item(page, index)? {
        (DUPLICATE, bytes) => {
            for one in duplicates(pages, page, bytes) {
                walk.give(key, one?)?;
            }
            Ok(())
        }
        (OFFDUP, rest) => {
            let root = pages.order.u32(rest, 3).ok_or_else(|| page.corrupt("item length"))?;
            btree::walk_duplicates(pages, root, key, walk)
        }
        _ => {
            let one = value(pages, page, index)?;
            walk.give(key, &one)
        }
    }
}

/// Values that lie one behind the other in one item.
fn duplicates<'p>(
    pages: &Pages,
    page: &Page<'_>,
    mut bytes: &'p [u8],
) -> impl Iterator<Item = Result<&'p [u8], Error>> {
    let order = pages.order;
    let number = page.corrupt("duplicates");
    let mut failed = Some(number);
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let one = order.u16(bytes, 0).map(usize::from).and_then(|length| {
            let one = bytes.get(2..2 + length)?;
            let rest = bytes.get(2 + length + 2..)?;
            Some((one, rest))
        });
        let Some((one, rest)) = one else {
            bytes = &[];
            return failed.take().map(Err);
        };
        bytes = rest;
        Some(Ok(one))
    })
}
