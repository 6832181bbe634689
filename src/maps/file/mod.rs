//! Map files: Berkeley DB `hash` and `btree`, read and written without its library.
//!
//! In: an open file, or keys and values. Out: values, or a file that every Berkeley DB 4.6 to 5.3 opens.
//! Documents: the file format of Berkeley DB (hash versions 7 to 10, btree versions 8 to 10, both byte orders). Never:
//! changes a file in place; a new one is built beside it and renamed, so a reader sees the old map or the new one.
//!
//! An item too long for a page lies on *overflow pages*; the values of a key that occurs often may lie *off page* in a tree
//! of their own. Files that hold several named databases (*subdatabases*), are encrypted, partitioned or compressed are
//! refused.

pub(crate) mod btree;
pub(crate) mod btree_build;
pub mod build;
pub(crate) mod hash;
pub(crate) mod hash_build;
pub(crate) mod image;
pub(crate) mod page;
pub mod replace;

use std::fs::File;

use image::Image;
use page::{HEADER, HEADER_WITH_CHECKSUM, Order, Pages};

/// What is wrong with a database file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// No Berkeley DB file, or not of the kind asked for.
    #[error("unexpected file type or format")]
    Format,
    /// A version that is not known.
    #[error("unsupported {kind} version: {version}")]
    Version {
        /// `hash` or `btree`.
        kind: &'static str,
        /// As the file has it.
        version: u32,
    },
    /// A feature that maps do not use.
    #[error("{0} are not supported in map files")]
    Feature(&'static str),
    /// The file contradicts itself.
    #[error("page {page}: {what}")]
    Corrupt {
        /// The page that shows it.
        page: u32,
        /// What does not fit.
        what: &'static str,
    },
    /// The callback of [`Database::for_each`] wanted no more.
    #[error("stopped")]
    Stopped,
}

/// Kind of a database file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Hash buckets.
    Hash,
    /// Sorted tree.
    Btree,
}

impl Kind {
    /// Class and type name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Btree => "btree",
        }
    }
}

/// An open database file.
#[derive(Debug)]
pub struct Database {
    pages: Pages,
    access: Access,
}

#[derive(Debug)]
enum Access {
    Hash(hash::Meta),
    Btree(btree::Meta),
}

/// Bytes of a meta page that have a meaning.
const META: usize = 512;

impl Database {
    /// Reads the meta page. The file is read whole now when it is small, else page by page when asked.
    pub fn open(file: File) -> Result<Self, Error> {
        let image = Image::open(file)?;
        let meta = image.head(META)?;
        let magic = Order::Little.u32(&meta, 12).ok_or(Error::Format)?;
        let (order, kind) = match magic {
            HASH_MAGIC => (Order::Little, Kind::Hash),
            BTREE_MAGIC => (Order::Little, Kind::Btree),
            _ if magic.swap_bytes() == HASH_MAGIC => (Order::Big, Kind::Hash),
            _ if magic.swap_bytes() == BTREE_MAGIC => (Order::Big, Kind::Btree),
            _ => return Err(Error::Format),
        };
        let number = |at: usize| order.u32(&meta, at).ok_or(Error::Format);
        let version = number(16)?;
        let known = if kind == Kind::Hash { 7..=10 } else { 8..=10 };
        if !known.contains(&version) {
            return Err(Error::Version { kind: kind.name(), version });
        }
        if meta.len() < META {
            return Err(Error::Format);
        }
        if meta.get(24).is_some_and(|algorithm| *algorithm != 0) {
            return Err(Error::Feature("encrypted databases"));
        }
        if version >= 9 && number(36)? != 0 {
            return Err(Error::Feature("partitioned databases"));
        }
        let size = number(20)? as usize;
        if !size.is_power_of_two() || !(512..=65536).contains(&size) {
            return Err(Error::Corrupt { page: 0, what: "page size" });
        }
        let checksums = meta.get(26).is_some_and(|flags| flags & 1 != 0);
        let pages = Pages::new(image, order, size, if checksums { HEADER_WITH_CHECKSUM } else { HEADER });
        let access = match kind {
            Kind::Hash => Access::Hash(hash::Meta::read(&meta, order)?),
            Kind::Btree => Access::Btree(btree::Meta::read(&meta, order)?),
        };
        Ok(Self { pages, access })
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self.access {
            Access::Hash(_) => Kind::Hash,
            Access::Btree(_) => Kind::Btree,
        }
    }

    /// Whether lookups read the file, so that a writer must be kept away meanwhile.
    pub fn reads_file(&self) -> bool {
        matches!(self.pages.image(), Image::Paged { .. })
    }

    /// The value of `key`; the first one when it has several.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match &self.access {
            Access::Hash(meta) => meta.get(&self.pages, key),
            Access::Btree(meta) => meta.get(&self.pages, key),
        }
    }

    /// Hands every key and value to `each`, in the order of the file, until it returns false ([`Error::Stopped`]).
    pub fn for_each(&self, each: &mut dyn FnMut(&[u8], &[u8]) -> bool) -> Result<(), Error> {
        let mut walk = Walk { each, budget: u64::from(self.pages.count()) * 64 + 1024 };
        match &self.access {
            Access::Hash(meta) => meta.walk(&self.pages, &mut walk),
            Access::Btree(meta) => meta.walk(&self.pages, &mut walk),
        }
    }
}

/// State of [`Database::for_each`]: the receiver, and how many more pages may be looked at before the file counts as circular.
pub(crate) struct Walk<'a> {
    each: &'a mut dyn FnMut(&[u8], &[u8]) -> bool,
    budget: u64,
}

impl Walk<'_> {
    /// Hands out one entry.
    fn give(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let cost = (key.len() + value.len()) as u64 / 512;
        self.budget = self.budget.checked_sub(cost).ok_or(Error::Corrupt { page: 0, what: "circular chain" })?;
        if (self.each)(key, value) { Ok(()) } else { Err(Error::Stopped) }
    }

    /// Counts a page.
    fn spend(&mut self, page: u32) -> Result<(), Error> {
        self.budget = self.budget.checked_sub(1).ok_or(Error::Corrupt { page, what: "circular chain" })?;
        Ok(())
    }
}

pub(crate) const HASH_MAGIC: u32 = 0x0006_1561;
pub(crate) const BTREE_MAGIC: u32 = 0x0005_3162;

#[cfg(test)]
mod tests;
