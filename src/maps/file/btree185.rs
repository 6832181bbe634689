//! Btree databases of Berkeley DB 1.85, which is in the C libraries of the BSD systems: reading.
//!
//! Shape of the meta page: `0` magic, `4` version (3), `8` page size, `20` flags (0x20 keys occur once, 0x80 record numbers);
//! page 1 is the root. Shape of a page, numbers in the byte order of the file:
//!
//! ```text
//!  0 page   4 previous   8 next   12 type: 1 inner, 2 leaf, 4 overflow   16 end of the offsets (2)   18 lowest item (2)
//! 20 item offsets, two bytes each
//! leaf item: key length (4) value length (4) flags (1) key value      inner item: key length (4) page (4) flags (1) key
//! ```
//!
//! Flag 1 (value) and 2 (key): in place of the bytes stand page and length of what lies on overflow pages. The values of one
//! key stand behind each other and may go on in the next leaf. Source: files made by that library examined.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::page::{Order, Page, Pages};
use super::{BTREE_MAGIC, Error, Walk};

/// The only version of the format.
const VERSION: u32 = 3;
const ROOT: u32 = 1;
/// Bytes in front of the item offsets; on overflow pages, of the bytes.
const HEADER: usize = 20;
/// Bytes in front of the key.
const ITEM: usize = 9;
/// Trees are never deeper.
const DEPTH: usize = 64;

const INNER: u32 = 1;
const LEAF: u32 = 2;
const OVERFLOW: u32 = 4;
const LONG_VALUE: u8 = 1;
const LONG_KEY: u8 = 2;
/// Behind the type of a page are flags of the library's own.
const TYPES: u32 = 0x1f;

/// What the meta page says.
#[derive(Debug)]
pub(crate) struct Meta {
    root: u32,
    pub(crate) page_size: usize,
    pub(crate) duplicates: bool,
}

impl Meta {
    /// The byte order of a file of this format.
    pub(crate) fn order_of(head: &[u8]) -> Option<Order> {
        [Order::Little, Order::Big]
            .into_iter()
            .find(|order| order.u32(head, 0) == Some(BTREE_MAGIC) && order.u32(head, 4) == Some(VERSION))
    }

    /// Reads the meta page.
    pub(crate) fn read(head: &[u8], order: Order) -> Result<Self, Error> {
        let number = |at: usize| order.u32(head, at).ok_or(Error::Format);
        let page_size = number(8)? as usize;
        if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return Err(Error::Corrupt { page: 0, what: "page size" });
        }
        let flags = number(20)?;
        if flags & 0x80 != 0 {
            return Err(Error::Feature("record number files"));
        }
        Ok(Self { root: ROOT, page_size, duplicates: flags & 0x20 == 0 })
    }

    /// The first value of `key`.
    pub(crate) fn get(&self, pages: &Pages, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let mut found = None;
        self.matching(pages, key, &mut |value| {
            found = Some(value.to_vec());
            Ok(false)
        })?;
        Ok(found)
    }

    /// Every value of `key`.
    pub(crate) fn values(&self, pages: &Pages, key: &[u8], walk: &mut Walk<'_>) -> Result<(), Error> {
        self.matching(pages, key, &mut |value| walk.give(key, value).map(|()| true))
    }

    /// Every entry in the order of keys.
    pub(crate) fn walk(&self, pages: &Pages, walk: &mut Walk<'_>) -> Result<(), Error> {
        let mut next = Some(self.descend(pages, None)?);
        while let Some(leaf) = next {
            for index in 0..entries(&leaf) {
                walk.give(&key(pages, &leaf, index)?, &value(pages, &leaf, index)?)?;
            }
            walk.spend(leaf.u32(8)?)?;
            next = next_leaf(pages, &leaf)?;
        }
        Ok(())
    }

    fn matching(
        &self,
        pages: &Pages,
        wanted: &[u8],
        each: &mut dyn FnMut(&[u8]) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut next = Some(self.descend(pages, Some(wanted))?);
        for _ in 0..=pages.count() {
            let Some(leaf) = next else { return Ok(()) };
            for index in lower_bound(pages, &leaf, wanted)?..entries(&leaf) {
                if key(pages, &leaf, index)?.as_ref() != wanted || !each(&value(pages, &leaf, index)?)? {
                    return Ok(());
                }
            }
            next = next_leaf(pages, &leaf)?;
        }
        Err(Error::Corrupt { page: ROOT, what: "circular chain" })
    }

    /// The first leaf that may hold `wanted`, or the first of all.
    fn descend<'p>(&self, pages: &'p Pages, wanted: Option<&[u8]>) -> Result<Page<'p>, Error> {
        let mut number = self.root;
        for _ in 0..DEPTH {
            let page = pages.page(number)?;
            match page.u32(12)? & TYPES {
                LEAF => return Ok(page),
                INNER => {}
                _ => return Err(page.corrupt("unexpected page type")),
            }
            // The last entry below the key, for its values may begin there; the first entry is below all.
            let (mut low, mut high) = (0, entries(&page));
            while let Some(wanted) = wanted
                && high - low > 1
            {
                let middle = usize::midpoint(low, high);
                if inner_key(pages, &page, middle)?.as_ref().cmp(wanted) == Ordering::Less {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            number = page.u32(offset(&page, low)? + 4)?;
        }
        Err(Error::Corrupt { page: ROOT, what: "tree too deep" })
    }
}

fn next_leaf<'p>(pages: &'p Pages, leaf: &Page<'_>) -> Result<Option<Page<'p>>, Error> {
    let number = leaf.u32(8)?;
    if number == 0 {
        return Ok(None);
    }
    let page = pages.page(number)?;
    if page.u32(12)? & TYPES != LEAF {
        return Err(page.corrupt("unexpected page type"));
    }
    Ok(Some(page))
}

/// How many item offsets a page has; no more than fit.
fn entries(page: &Page<'_>) -> usize {
    usize::from(page.u16(16).unwrap_or(0)).min(page.bytes.len()).saturating_sub(HEADER) / 2
}

fn offset(page: &Page<'_>, index: usize) -> Result<usize, Error> {
    if index >= entries(page) {
        return Err(page.corrupt("item offset"));
    }
    let at = usize::from(page.u16(HEADER + 2 * index)?);
    if at < HEADER + 2 * entries(page) || at >= page.bytes.len() {
        return Err(page.corrupt("item offset"));
    }
    Ok(at)
}

/// The first entry of a leaf that is not lower than the key.
fn lower_bound(pages: &Pages, leaf: &Page<'_>, wanted: &[u8]) -> Result<usize, Error> {
    let (mut low, mut high) = (0, entries(leaf));
    while low < high {
        let middle = usize::midpoint(low, high);
        if key(pages, leaf, middle)?.as_ref() < wanted { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}

fn key<'p>(pages: &Pages, leaf: &'p Page<'_>, index: usize) -> Result<Cow<'p, [u8]>, Error> {
    let at = offset(leaf, index)?;
    item(pages, leaf, at + ITEM, leaf.u32(at)?, leaf.u8(at + 8)? & LONG_KEY != 0)
}

fn value<'p>(pages: &Pages, leaf: &'p Page<'_>, index: usize) -> Result<Cow<'p, [u8]>, Error> {
    let at = offset(leaf, index)?;
    let start = (at + ITEM).saturating_add(leaf.u32(at)? as usize);
    item(pages, leaf, start, leaf.u32(at + 4)?, leaf.u8(at + 8)? & LONG_VALUE != 0)
}

fn inner_key<'p>(pages: &Pages, page: &'p Page<'_>, index: usize) -> Result<Cow<'p, [u8]>, Error> {
    let at = offset(page, index)?;
    item(pages, page, at + ITEM, page.u32(at)?, page.u8(at + 8)? & LONG_KEY != 0)
}

fn item<'p>(
    pages: &Pages,
    page: &'p Page<'_>,
    start: usize,
    length: u32,
    is_long: bool,
) -> Result<Cow<'p, [u8]>, Error> {
    let bytes = page.slice(start, length as usize)?;
    if !is_long {
        return Ok(Cow::Borrowed(bytes));
    }
    overflow(pages, page.u32(start)?, page.u32(start + 4)?).map(Cow::Owned)
}

/// Puts together an item that lies on overflow pages.
fn overflow(pages: &Pages, first: u32, length: u32) -> Result<Vec<u8>, Error> {
    let room = pages.size.saturating_sub(HEADER);
    let length = length as usize;
    if length > pages.count() as usize * room {
        return Err(Error::Corrupt { page: first, what: "item longer than the file" });
    }
    let mut bytes = Vec::with_capacity(length);
    let mut number = first;
    while bytes.len() < length {
        let page = pages.page(number)?;
        if page.u32(12)? & TYPES != OVERFLOW {
            return Err(page.corrupt("overflow chain"));
        }
        bytes.extend_from_slice(page.slice(HEADER, room.min(length - bytes.len()))?);
        number = page.u32(8)?;
    }
    Ok(bytes)
}
