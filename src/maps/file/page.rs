//! Pages of a Berkeley DB file: reading them within bounds, whatever they claim.
//!
//! Shape of a page, all numbers in the byte order of the file:
//!
//! ```text
//!  0 log number (8)   8 page   12 previous   16 next   20 entries (2)   22 lowest item (2)   24 level (1)   25 type (1)
//! 26 item offsets, two bytes each, upwards … free … items, from the end of the page downwards
//! ```
//!
//! With page checksums the offsets begin at 32. A page number of 0 means "none", since page 0 is the meta page.
//! Source: Berkeley DB 5.3 (files examined, `db5.3_verify`).

use std::borrow::Cow;

use super::Error;
use super::image::Image;

/// Page types.
pub(crate) mod kind {
    pub(crate) const HASH_UNSORTED: u8 = 2;
    pub(crate) const BTREE_INTERNAL: u8 = 3;
    pub(crate) const RECNO_INTERNAL: u8 = 4;
    pub(crate) const BTREE_LEAF: u8 = 5;
    pub(crate) const RECNO_LEAF: u8 = 6;
    pub(crate) const OVERFLOW: u8 = 7;
    pub(crate) const HASH_META: u8 = 8;
    pub(crate) const BTREE_META: u8 = 9;
    pub(crate) const DUPLICATE_LEAF: u8 = 12;
    pub(crate) const HASH: u8 = 13;
}

/// Bytes in front of the item offsets.
pub(crate) const HEADER: usize = 26;
/// The same in a file with page checksums.
pub(crate) const HEADER_WITH_CHECKSUM: usize = 32;

/// Byte order of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    /// The 16-bit number at `at`.
    pub(crate) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Little { u16::from_le_bytes(raw) } else { u16::from_be_bytes(raw) })
    }

    /// The 32-bit number at `at`.
    pub(crate) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Little { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) })
    }
}

/// What all pages of a file have in common, and where they come from.
#[derive(Debug)]
pub(crate) struct Pages {
    image: Image,
    pub(crate) order: Order,
    pub(crate) size: usize,
    header: usize,
    count: u32,
}

impl Pages {
    /// Pages of `size` bytes; the file's length says how many there are.
    pub(crate) fn new(image: Image, order: Order, size: usize, header: usize) -> Self {
        let count = u32::try_from(image.len() / size as u64).unwrap_or(u32::MAX);
        Self { image: image.in_pages(size), order, size, header, count }
    }

    /// How many pages the file holds.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Reads a page; it must lie within the file.
    pub(crate) fn page(&self, number: u32) -> Result<Page<'_>, Error> {
        if number >= self.count {
            return Err(Error::Corrupt { page: number, what: "page beyond the end" });
        }
        let bytes = self.image.page(number, self.size)?;
        Ok(Page { bytes, order: self.order, number, header: self.header })
    }

    /// Reads a page that must be one of `kinds`.
    pub(crate) fn page_of(&self, number: u32, kinds: &[u8]) -> Result<Page<'_>, Error> {
        let page = self.page(number)?;
        if !kinds.contains(&page.kind()) {
            return Err(page.corrupt("unexpected page type"));
        }
        Ok(page)
    }

    /// Puts together an item that lies on overflow pages of its own.
    pub(crate) fn overflow(&self, first: u32, length: u32) -> Result<Vec<u8>, Error> {
        let length = length as usize;
        if length as u64 > self.image.len() {
            return Err(Error::Corrupt { page: first, what: "item longer than the file" });
        }
        let mut item = Vec::with_capacity(length);
        let mut number = first;
        let mut left = self.count;
        while item.len() < length {
            let page = self.page_of(number, &[kind::OVERFLOW])?;
            let used = usize::from(page.u16(22)?);
            let data =
                page.bytes.get(self.header..self.header + used).ok_or_else(|| page.corrupt("overflow length"))?;
            if data.is_empty() || left == 0 {
                return Err(page.corrupt("overflow chain"));
            }
            item.extend_from_slice(data);
            left -= 1;
            number = page.next();
        }
        if item.len() != length {
            return Err(Error::Corrupt { page: first, what: "overflow length" });
        }
        Ok(item)
    }
}

/// One page.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    order: Order,
    number: u32,
    header: usize,
}

impl Page<'_> {
    /// Its type.
    pub(crate) fn kind(&self) -> u8 {
        self.bytes.get(25).copied().unwrap_or(0)
    }

    /// How many item offsets it has; no more than fit.
    pub(crate) fn entries(&self) -> usize {
        usize::from(self.order.u16(&self.bytes, 20).unwrap_or(0)).min((self.bytes.len() - self.header) / 2)
    }

    /// The next page of its chain; 0 at the end.
    pub(crate) fn next(&self) -> u32 {
        self.order.u32(&self.bytes, 16).unwrap_or(0)
    }

    /// Where item `index` begins.
    pub(crate) fn offset(&self, index: usize) -> Result<usize, Error> {
        let at = usize::from(self.u16(self.header + 2 * index)?);
        if at < self.header + 2 * self.entries() || at >= self.bytes.len() {
            return Err(self.corrupt("item offset"));
        }
        Ok(at)
    }

    /// `length` bytes from `at`.
    pub(crate) fn slice(&self, at: usize, length: usize) -> Result<&[u8], Error> {
        self.bytes.get(at..).and_then(|rest| rest.get(..length)).ok_or_else(|| self.corrupt("item length"))
    }

    /// The byte at `at`.
    pub(crate) fn u8(&self, at: usize) -> Result<u8, Error> {
        self.bytes.get(at).copied().ok_or_else(|| self.corrupt("item offset"))
    }

    /// The 16-bit number at `at`.
    pub(crate) fn u16(&self, at: usize) -> Result<u16, Error> {
        self.order.u16(&self.bytes, at).ok_or_else(|| self.corrupt("item offset"))
    }

    /// The 32-bit number at `at`.
    pub(crate) fn u32(&self, at: usize) -> Result<u32, Error> {
        self.order.u32(&self.bytes, at).ok_or_else(|| self.corrupt("item offset"))
    }

    /// An error about this page.
    pub(crate) fn corrupt(&self, what: &'static str) -> Error {
        Error::Corrupt { page: self.number, what }
    }
}
