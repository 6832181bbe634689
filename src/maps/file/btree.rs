//! Btree databases: reading.
//!
//! Shape of the meta page behind the common part: `88` root page. Leaves hold keys at even and values at odd positions, sorted
//! by bytes; several values of one key stand behind each other and share the key. Inner pages hold the lowest key of each
//! page below; their first key counts as lower than all.
//!
//! ```text
//! leaf item:   length (2) type (1) bytes           type: 1 bytes, 2 off-page duplicates, 3 overflow; +0x80 deleted
//! far item:    (2) type (1) (1) page (4) length (4)
//! inner item:  length (2) type (1) (1) page (4) records (4) bytes, or a far item
//! ```

use std::borrow::Cow;
use std::cmp::Ordering;

use super::page::{Order, Page, Pages, kind};
use super::{Error, Walk};

/// What the meta page says.
#[derive(Debug)]
pub(crate) struct Meta {
    root: u32,
    pub(crate) duplicates: bool,
}

pub(crate) const KEYDATA: u8 = 1;
pub(crate) const DUPLICATE: u8 = 2;
pub(crate) const OVERFLOW: u8 = 3;
const DELETED: u8 = 0x80;
/// Values of one key: ordered by value, or by arrival.
const DUPLICATE_LEAVES: &[u8] = &[kind::DUPLICATE_LEAF, kind::RECNO_LEAF];
const DUPLICATE_PAGES: &[u8] = &[kind::DUPLICATE_LEAF, kind::BTREE_INTERNAL, kind::RECNO_LEAF, kind::RECNO_INTERNAL];
/// Trees are never deeper.
const DEPTH: usize = 64;

impl Meta {
    /// Reads the meta page.
    pub(crate) fn read(meta: &[u8], order: Order) -> Result<Self, Error> {
        let number = |at: usize| order.u32(meta, at).ok_or(Error::Format);
        let flags = number(48)?;
        for (bit, what) in [(0x20, "subdatabases"), (0x02, "record number files"), (0x80, "compressed databases")] {
            if flags & bit != 0 {
                return Err(Error::Feature(what));
            }
        }
        Ok(Self { root: number(88)?, duplicates: flags & 1 != 0 })
    }

    /// Every value of `key`.
    pub(crate) fn values(&self, pages: &Pages, key: &[u8], walk: &mut Walk<'_>) -> Result<(), Error> {
        let mut leaf = self.descend(pages, Some(key))?;
        let mut low = lower_bound(pages, &leaf, key)?;
        loop {
            for pair in low..leaf.entries() / 2 {
                if leaf_item(pages, &leaf, pair * 2)?.as_ref() != key {
                    return Ok(());
                }
                give(pages, &leaf, pair * 2, walk)?;
            }
            let next = leaf.next();
            if next == 0 {
                return Ok(());
            }
            walk.spend(next)?;
            leaf = pages.page_of(next, &[kind::BTREE_LEAF])?;
            low = 0;
        }
    }

    /// The first value of `key`.
    pub(crate) fn get(&self, pages: &Pages, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let leaf = self.descend(pages, Some(key))?;
        let low = lower_bound(pages, &leaf, key)?;
        for pair in low..leaf.entries() / 2 {
            if leaf_item(pages, &leaf, pair * 2)?.as_ref() != key {
                return Ok(None);
            }
            if let Some(value) = first_value(pages, &leaf, pair * 2 + 1)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Every entry in the order of keys.
    pub(crate) fn walk(&self, pages: &Pages, walk: &mut Walk<'_>) -> Result<(), Error> {
        let mut leaf = self.descend(pages, None)?;
        loop {
            for index in (0..leaf.entries() / 2).map(|pair| pair * 2) {
                give(pages, &leaf, index, walk)?;
            }
            let next = leaf.next();
            if next == 0 {
                return Ok(());
            }
            walk.spend(next)?;
            leaf = pages.page_of(next, &[kind::BTREE_LEAF])?;
        }
    }

    /// The leaf where `key` would stand, or the first one.
    fn descend<'p>(&self, pages: &'p Pages, key: Option<&[u8]>) -> Result<Page<'p>, Error> {
        let mut page = pages.page_of(self.root, &[kind::BTREE_INTERNAL, kind::BTREE_LEAF])?;
        for _ in 0..DEPTH {
            if page.kind() == kind::BTREE_LEAF {
                return Ok(page);
            }
            // The last entry that is not above the key; the first one is below all.
            let (mut low, mut high) = (0, page.entries());
            while let Some(key) = key
                && high - low > 1
            {
                let middle = usize::midpoint(low, high);
                if inner_key(pages, &page, middle)?.as_ref().cmp(key) == Ordering::Greater {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            let child = page.u32(page.offset(low)? + 4)?;
            page = pages.page_of(child, &[kind::BTREE_INTERNAL, kind::BTREE_LEAF])?;
        }
        Err(Error::Corrupt { page: self.root, what: "tree too deep" })
    }
}

/// The first entry of a leaf that is not lower than the key.
fn lower_bound(pages: &Pages, leaf: &Page<'_>, key: &[u8]) -> Result<usize, Error> {
    let (mut low, mut high) = (0, leaf.entries() / 2);
    while low < high {
        let middle = usize::midpoint(low, high);
        if leaf_item(pages, leaf, middle * 2)?.as_ref() < key { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}

/// Hands out the key at `index` with the value behind it, or all values that lie elsewhere.
fn give(pages: &Pages, leaf: &Page<'_>, index: usize, walk: &mut Walk<'_>) -> Result<(), Error> {
    let at = leaf.offset(index + 1)?;
    let kind = leaf.u8(at + 2)?;
    if kind & DELETED != 0 {
        return Ok(());
    }
    let key = leaf_item(pages, leaf, index)?;
    if kind == DUPLICATE {
        return walk_duplicates(pages, leaf.u32(at + 4)?, &key, walk);
    }
    walk.give(&key, &leaf_item(pages, leaf, index + 1)?)
}

/// First value in a tree of duplicates.
pub(crate) fn first_duplicate(pages: &Pages, root: u32) -> Result<Option<Vec<u8>>, Error> {
    let mut page = duplicate_leaf(pages, root)?;
    for _ in 0..pages.count() {
        for index in 0..page.entries() {
            if page.u8(page.offset(index)? + 2)? & DELETED == 0 {
                return leaf_item(pages, &page, index).map(|item| Some(item.into_owned()));
            }
        }
        if page.next() == 0 {
            break;
        }
        page = pages.page_of(page.next(), DUPLICATE_LEAVES)?;
    }
    Ok(None)
}

/// All values in a tree of duplicates.
pub(crate) fn walk_duplicates(pages: &Pages, root: u32, key: &[u8], walk: &mut Walk<'_>) -> Result<(), Error> {
    let mut page = duplicate_leaf(pages, root)?;
    loop {
        walk.spend(root)?;
        for index in 0..page.entries() {
            if page.u8(page.offset(index)? + 2)? & DELETED == 0 {
                walk.give(key, &leaf_item(pages, &page, index)?)?;
            }
        }
        if page.next() == 0 {
            return Ok(());
        }
        page = pages.page_of(page.next(), DUPLICATE_LEAVES)?;
    }
}

/// The first leaf of a tree of duplicates: ordered by value (inner btree pages) or by arrival (inner record pages).
fn duplicate_leaf(pages: &Pages, root: u32) -> Result<Page<'_>, Error> {
    let mut number = root;
    for _ in 0..DEPTH {
        let page = pages.page_of(number, DUPLICATE_PAGES)?;
        number = match page.kind() {
            kind::DUPLICATE_LEAF | kind::RECNO_LEAF => return Ok(page),
            kind::RECNO_INTERNAL => page.u32(page.offset(0)?)?,
            _ => page.u32(page.offset(0)? + 4)?,
        };
    }
    Err(Error::Corrupt { page: root, what: "tree too deep" })
}

fn first_value(pages: &Pages, page: &Page<'_>, index: usize) -> Result<Option<Vec<u8>>, Error> {
    let at = page.offset(index)?;
    let kind = page.u8(at + 2)?;
    if kind & DELETED != 0 {
        return Ok(None);
    }
    if kind == DUPLICATE {
        return first_duplicate(pages, page.u32(at + 4)?);
    }
    leaf_item(pages, page, index).map(|item| Some(item.into_owned()))
}

/// Bytes of a leaf item that is no tree of duplicates.
fn leaf_item<'p>(pages: &Pages, page: &'p Page<'_>, index: usize) -> Result<Cow<'p, [u8]>, Error> {
    let at = page.offset(index)?;
    match page.u8(at + 2)? & !DELETED {
        KEYDATA => page.slice(at + 3, usize::from(page.u16(at)?)).map(Cow::Borrowed),
        OVERFLOW => pages.overflow(page.u32(at + 4)?, page.u32(at + 8)?).map(Cow::Owned),
        _ => Err(page.corrupt("item type")),
    }
}

/// Key of an inner item.
fn inner_key<'p>(pages: &Pages, page: &'p Page<'_>, index: usize) -> Result<Cow<'p, [u8]>, Error> {
    let at = page.offset(index)?;
    match page.u8(at + 2)? & !DELETED {
        KEYDATA => page.slice(at + 12, usize::from(page.u16(at)?)).map(Cow::Borrowed),
        OVERFLOW => pages.overflow(page.u32(at + 16)?, page.u32(at + 20)?).map(Cow::Owned),
        _ => Err(page.corrupt("item type")),
    }
}
