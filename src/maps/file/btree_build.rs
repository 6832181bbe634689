//! Btree databases: writing. The shape is in `btree.rs`; files are of version 9, little endian.
//!
//! Leaves are filled one after the other, then the pages above them level by level. Few values of one key stand in one leaf;
//! many become a tree of their own, ordered by arrival.

use smallvec::SmallVec;

use super::btree::{DUPLICATE, KEYDATA, OVERFLOW};
use super::build::{Output, PAGE, PageBuffer, meta_page, take};
use super::page::{HEADER, kind};
use super::{BTREE_MAGIC, Error};

/// The root always is the first page.
const ROOT: u32 = 1;
/// Items longer than this lie on overflow pages: a page must hold two keys with their values.
const LONG: usize = (PAGE - HEADER) / 4 - 10;
/// Bytes of an item that only points elsewhere.
const POINTER: usize = 12;
/// Values of one key taking more than this become a tree of their own.
const MANY: usize = PAGE / 4;

/// First key (none for the leftmost) and number of a page, with how many values lie below it.
struct Below {
    key: Vec<u8>,
    page: u32,
    values: u32,
}

/// Writes pages one after the other.
pub(crate) struct Writer<'f> {
    /// Where they go.
    pub(crate) out: Output<'f>,
    /// Number of the next page.
    pub(crate) next: u32,
}

/// Writes keys, which come sorted, each with its values.
pub(crate) fn write<'a>(
    sets: impl Iterator<Item = (&'a [u8], SmallVec<[&'a [u8]; 1]>)>,
    duplicates: bool,
    out: Output<'_>,
) -> Result<(), Error> {
    let mut writer = Writer { out, next: ROOT + 1 };
    let mut leaf = PageBuffer::new(ROOT, kind::BTREE_LEAF, 1);
    let mut below = vec![Below { key: Vec::new(), page: ROOT, values: 0 }];
    for (key, values) in sets {
        let values_size: usize = values.iter().map(|value| size(value) + 4).sum();
        let off_page = values.len() > 1 && values_size > MANY;
        let wanted = size(key) + if off_page { POINTER + 4 } else { values_size };
        if leaf.room() < wanted {
            if let [first] = below.as_mut_slice() {
                first.page = take(&mut writer.next)?;
                leaf.set_number(first.page);
            }
            let number = take(&mut writer.next)?;
            leaf.set_next(number);
            writer.out.put(&leaf)?;
            let previous = leaf.number();
            leaf = PageBuffer::new(number, kind::BTREE_LEAF, 1);
            leaf.set_previous(previous);
            below.push(Below { key: key.to_vec(), page: number, values: 0 });
        }
        let shared = writer.add(&mut leaf, key)?;
        if off_page {
            let root = writer.duplicates(&values)?;
            leaf.add(&[&[0, 0, DUPLICATE, 0], &root.to_le_bytes(), &[0; 4]], POINTER);
            continue;
        }
        for (nth, value) in values.iter().enumerate() {
            if nth > 0 {
                leaf.refer(shared);
            }
            writer.add(&mut leaf, value)?;
        }
    }
    writer.out.put(&leaf)?;
    let mut level = 2;
    while below.len() > 1 {
        below = writer.level(below, level)?;
        level += 1;
    }
    let mut meta = meta_page(BTREE_MAGIC, 9, kind::BTREE_META, writer.next - 1, u32::from(duplicates));
    meta.set_u32(76, 2);
    meta.set_u32(88, ROOT);
    out.put(&meta)
}

impl Writer<'_> {
    /// Adds a leaf item; returns where it begins.
    fn add(&mut self, page: &mut PageBuffer, item: &[u8]) -> Result<usize, Error> {
        if item.len() > LONG {
            let first = self.out.overflow(item, &mut self.next)?;
            return Ok(page.add(&[&[0, 0, OVERFLOW, 0], &first.to_le_bytes(), &length(item)], POINTER));
        }
        Ok(page.add(&[&short(item), &[KEYDATA], item], size(item)))
    }

    /// Writes one level above `below`.
    fn level(&mut self, below: Vec<Below>, level: u8) -> Result<Vec<Below>, Error> {
        let mut above: Vec<Below> = Vec::new();
        let mut page: Option<PageBuffer> = None;
        for child in below {
            let wanted = 2 + 12 + if child.key.len() > LONG { POINTER } else { child.key.len().next_multiple_of(4) };
            if let Some(mut full) = page.take_if(|page| page.room() < wanted) {
                self.place(&mut full, &mut above)?;
            }
            let target = page.get_or_insert_with(|| {
                above.push(Below { key: child.key.clone(), page: ROOT, values: 0 });
                PageBuffer::new(ROOT, kind::BTREE_INTERNAL, level)
            });
            let key: &[u8] = if target.entries() == 0 { &[] } else { &child.key };
            let place = child.page.to_le_bytes();
            if key.len() > LONG {
                let first = self.out.overflow(key, &mut self.next)?;
                let head = [12, 0, OVERFLOW, 0];
                target.add(
                    &[&head, &place, &[0; 4], &[0, 0, OVERFLOW, 0], &first.to_le_bytes(), &length(key)],
                    12 + POINTER,
                );
            } else {
                target.add(&[&short(key), &[KEYDATA, 0], &place, &[0; 4], key], (12 + key.len()).next_multiple_of(4));
            }
        }
        match page {
            Some(root) if above.len() == 1 => self.out.put(&root)?,
            Some(mut last) => self.place(&mut last, &mut above)?,
            None => {}
        }
        Ok(above)
    }

    /// Writes an inner page that is not the root; it is the last one named in `above`.
    fn place(&mut self, page: &mut PageBuffer, above: &mut [Below]) -> Result<(), Error> {
        let number = take(&mut self.next)?;
        page.set_number(number);
        if let Some(last) = above.last_mut() {
            last.page = number;
        }
        self.out.put(page)
    }

    /// Writes a tree of values in the order given; returns its root.
    pub(crate) fn duplicates(&mut self, values: &[&[u8]]) -> Result<u32, Error> {
        let mut leaf = PageBuffer::new(take(&mut self.next)?, kind::RECNO_LEAF, 1);
        let mut below = vec![Below { key: Vec::new(), page: leaf.number(), values: 0 }];
        for value in values {
            if leaf.room() < size(value) + 2 {
                let number = take(&mut self.next)?;
                leaf.set_next(number);
                self.out.put(&leaf)?;
                let previous = leaf.number();
                leaf = PageBuffer::new(number, kind::RECNO_LEAF, 1);
                leaf.set_previous(previous);
                below.push(Below { key: Vec::new(), page: number, values: 0 });
            }
            self.add(&mut leaf, value)?;
            if let Some(last) = below.last_mut() {
                last.values += 1;
            }
        }
        self.out.put(&leaf)?;
        let mut level = 2;
        while below.len() > 1 {
            below = self.record_level(&below, level)?;
            level += 1;
        }
        Ok(below.first().map_or(0, |top| top.page))
    }

    /// Writes one level of record counts above `below`. The root holds the number of all values in place of its neighbour.
    fn record_level(&mut self, below: &[Below], level: u8) -> Result<Vec<Below>, Error> {
        let total: u32 = below.iter().map(|child| child.values).sum();
        let fits = (PAGE - HEADER) / 10;
        let root = below.len() <= fits;
        let mut above = Vec::new();
        for group in below.chunks(fits) {
            let mut page = PageBuffer::new(take(&mut self.next)?, kind::RECNO_INTERNAL, level);
            for child in group {
                page.add(&[&child.page.to_le_bytes(), &child.values.to_le_bytes()], 8);
            }
            if root {
                page.set_previous(total);
            }
            self.out.put(&page)?;
            let values = group.iter().map(|child| child.values).sum();
            above.push(Below { key: Vec::new(), page: page.number(), values });
        }
        Ok(above)
    }
}

fn size(item: &[u8]) -> usize {
    if item.len() > LONG { POINTER } else { (3 + item.len()).next_multiple_of(4) }
}

fn short(item: &[u8]) -> [u8; 2] {
    u16::try_from(item.len()).unwrap_or(u16::MAX).to_le_bytes()
}

fn length(item: &[u8]) -> [u8; 4] {
    u32::try_from(item.len()).unwrap_or(u32::MAX).to_le_bytes()
}
