//! Hash databases of Berkeley DB 1.85, which is in the C libraries of the BSD systems: reading.
//!
//! Shape of the header, numbers of 32 bits, always big endian:
//!
//! ```text
//!   0 magic   4 version (2)   8 byte order of the pages: 1234 or 4321   12 page size   40 highest bucket   44 high mask
//!  48 low mask   60 pages of the header   64 hash of a fixed text   68 pages added up to each doubling (32)
//! ```
//!
//! A page is a row of 16-bit numbers: how many there are, then pairs of where a key and its value begin (each ends where the
//! one before it begins), then free bytes and where they end. Where a place would be too small to be one, the pair is a mark:
//!
//! ```text
//!  (address, 0)  the bucket goes on there; an address is doubling << 11 | number
//!  (place, 1)    a long pair begins here: part of its key from there to the end of the page; goes on
//!  (place, 2)    all of its key has been seen with this page; or, behind that, part of its value
//!  (place, 3)    the end of its key, and its value in front of it; or, behind that, the end of its value
//! ```
//!
//! Source: files made by that library examined.

use super::page::{Order, Page, Pages};
use super::{Error, HASH_MAGIC, Walk};

/// The only version of the format.
const VERSION: u32 = 2;
/// The text whose hash the header holds.
const PROBE: &[u8] = b"%$sniglet^&\0";

const OVERFLOW: u16 = 0;
const PARTIAL_KEY: u16 = 1;
const FULL_KEY: u16 = 2;
const FULL_KEY_AND_VALUE: u16 = 3;
/// Marks are smaller than any place.
const MARKS: u16 = 4;

/// The hash function of the library.
fn hash(key: &[u8]) -> u32 {
    key.iter().fold(0, |h: u32, byte| h.wrapping_mul(33).wrapping_add(u32::from(*byte)))
}

/// What the header says.
#[derive(Debug)]
pub(crate) struct Meta {
    max_bucket: u32,
    high_mask: u32,
    low_mask: u32,
    header_pages: u32,
    spares: [u32; 32],
    pub(crate) order: Order,
    pub(crate) page_size: usize,
}

impl Meta {
    /// Whether the head of a file is one of this format.
    pub(crate) fn is_here(head: &[u8]) -> bool {
        Order::Big.u32(head, 0) == Some(HASH_MAGIC) && Order::Big.u32(head, 4) == Some(VERSION)
    }

    /// Reads the header.
    pub(crate) fn read(head: &[u8]) -> Result<Self, Error> {
        let number = |at: usize| Order::Big.u32(head, at).ok_or(Error::Format);
        let order = match number(8)? {
            1234 => Order::Little,
            4321 => Order::Big,
            _ => return Err(corrupt("byte order")),
        };
        let page_size = number(12)? as usize;
        if !page_size.is_power_of_two() || !(64..=32768).contains(&page_size) {
            return Err(corrupt("page size"));
        }
        if number(64)? != hash(PROBE) {
            return Err(Error::Feature("foreign hash functions"));
        }
        let mut spares = [0; 32];
        for (slot, at) in spares.iter_mut().zip((68..).step_by(4)) {
            *slot = number(at)?;
        }
        let (max_bucket, high_mask, low_mask, header_pages) = (number(40)?, number(44)?, number(48)?, number(60)?);
        Ok(Self { max_bucket, high_mask, low_mask, header_pages, spares, order, page_size })
    }

    /// Page of a bucket.
    fn bucket_page(&self, bucket: u32) -> Option<u32> {
        let doubling = (u64::from(bucket) + 1).next_power_of_two().trailing_zeros();
        let added = match doubling.checked_sub(1) {
            None => 0,
            Some(before) => *self.spares.get(before as usize)?,
        };
        bucket.checked_add(self.header_pages)?.checked_add(added)
    }

    /// Page of an address.
    fn page_at(&self, address: u16) -> Result<u32, Error> {
        let last = (1u32 << (address >> 11)) - 1;
        let page = self.bucket_page(last).and_then(|page| page.checked_add(u32::from(address & 0x7ff)));
        page.ok_or(corrupt("bucket"))
    }

    /// The value of `key`.
    pub(crate) fn get(&self, pages: &Pages, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let hash = hash(key);
        let bucket = hash & self.high_mask;
        let bucket = if bucket > self.max_bucket { bucket & self.low_mask } else { bucket };
        let mut found = None;
        let mut left = pages.count();
        self.bucket(pages, bucket, &mut left, &mut |known, value| {
            if known == key {
                found = Some(value.to_vec());
            }
            Ok(found.is_none())
        })?;
        Ok(found)
    }

    /// Every entry, bucket by bucket.
    pub(crate) fn walk(&self, pages: &Pages, walk: &mut Walk<'_>) -> Result<(), Error> {
        // Each page belongs to one bucket: together they have no more of them than the file.
        let mut left = pages.count();
        for bucket in 0..=self.max_bucket {
            self.bucket(pages, bucket, &mut left, &mut |key, value| walk.give(key, value).map(|()| true))?;
        }
        Ok(())
    }

    /// Hands out the pairs of a bucket until `each` returns false; `left` pages may be looked at.
    fn bucket(&self, pages: &Pages, bucket: u32, left: &mut u32, each: &mut Each<'_>) -> Result<(), Error> {
        let mut number = Some(self.bucket_page(bucket).ok_or(corrupt("bucket"))?);
        while let Some(at) = number {
            let page = take(pages, at, left)?;
            let count = page.u16(0)?;
            if count > 1 && (PARTIAL_KEY..MARKS).contains(&page.u16(4)?) {
                let long = self.long(pages, page, left)?;
                if !each(&long.key, &long.value)? {
                    return Ok(());
                }
                number = long.next;
                continue;
            }
            number = None;
            let mut end = page.bytes.len();
            for slot in (1..usize::from(count)).step_by(2) {
                let (key_at, value_at) = (page.u16(slot * 2)?, page.u16(slot * 2 + 2)?);
                if value_at == OVERFLOW {
                    number = Some(self.page_at(key_at)?);
                    break;
                }
                let (key_at, value_at) = (usize::from(key_at), usize::from(value_at));
                let (key, value) = (part(&page, key_at, end)?, part(&page, value_at, key_at)?);
                if !each(key, value)? {
                    return Ok(());
                }
                end = value_at;
            }
        }
        Ok(())
    }

    /// Puts a long pair together that begins on `page`.
    fn long<'p>(&self, pages: &'p Pages, mut page: Page<'p>, left: &mut u32) -> Result<Long, Error> {
        let mut long = Long { key: Vec::new(), value: Vec::new(), next: None };
        loop {
            let (count, place, mark) = (page.u16(0)?, usize::from(page.u16(2)?), page.u16(4)?);
            let next = self.page_at(page.u16(6)?)?;
            long.key.extend_from_slice(part(&page, place, page.bytes.len())?);
            if mark == FULL_KEY_AND_VALUE {
                long.value.extend_from_slice(part(&page, usize::from(page.u16(8)?), place)?);
                // A value that ends here leaves a byte free, to tell it from one that goes on.
                if page.u16(2 * (usize::from(count) + 1))? != 0 {
                    long.next = Some(next);
                    return Ok(long);
                }
            }
            page = take(pages, next, left)?;
            match mark {
                PARTIAL_KEY => {}
                FULL_KEY | FULL_KEY_AND_VALUE => break,
                _ => return Err(page.corrupt("item type")),
            }
        }
        // A value without bytes behind a key that fills its page has an empty page.
        while page.u16(0)? != 0 {
            let (count, place, mark) = (page.u16(0)?, usize::from(page.u16(2)?), page.u16(4)?);
            long.value.extend_from_slice(part(&page, place, page.bytes.len())?);
            match mark {
                FULL_KEY => page = take(pages, self.page_at(page.u16(6)?)?, left)?,
                FULL_KEY_AND_VALUE => {
                    long.next = if count > 2 { Some(self.page_at(page.u16(6)?)?) } else { None };
                    break;
                }
                _ => return Err(page.corrupt("item type")),
            }
        }
        Ok(long)
    }
}

/// Takes a key and its value; false when it wants no more.
type Each<'e> = dyn FnMut(&[u8], &[u8]) -> Result<bool, Error> + 'e;

/// A long pair, and where its bucket goes on.
struct Long {
    key: Vec<u8>,
    value: Vec<u8>,
    next: Option<u32>,
}

fn take<'p>(pages: &'p Pages, number: u32, left: &mut u32) -> Result<Page<'p>, Error> {
    *left = left.checked_sub(1).ok_or(Error::Corrupt { page: number, what: "circular chain" })?;
    pages.page(number)
}

fn part<'p>(page: &'p Page<'_>, start: usize, end: usize) -> Result<&'p [u8], Error> {
    page.bytes.get(start..end).ok_or_else(|| page.corrupt("item order"))
}

fn corrupt(what: &'static str) -> Error {
    Error::Corrupt { page: 0, what }
}
