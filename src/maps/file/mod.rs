//! Map files: Berkeley DB `hash` and `btree`, and `cdb`, read and written without their libraries.
//!
//! In: an open file, or keys and values. Out: values, or a file that every Berkeley DB 4.6 to 5.3 (every cdb) opens.
//! Documents: the file format of Berkeley DB (hash versions 7 to 10, btree versions 8 to 10, both byte orders), and that of
//! its release 1.85 as in the C libraries of the BSD systems (hash version 2, btree version 3; read only). Never: changes a file in place; a new one is built beside it and renamed, so a reader sees the old map or the new one.
//!
//! An item too long for a page lies on *overflow pages*; the values of a key that occurs often may lie *off page* in a tree
//! of their own. Files that hold several named databases (*subdatabases*), are encrypted, partitioned or compressed are
//! refused.

pub(crate) mod btree;
pub(crate) mod btree185;
pub(crate) mod btree_build;
pub mod build;
pub(crate) mod cdb;
pub(crate) mod hash;
pub(crate) mod hash185;
pub(crate) mod hash_build;
pub(crate) mod image;
pub(crate) mod page;
pub mod replace;

use std::fs::File;
use std::path::{Path, PathBuf};

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
    /// The file was written to since it was opened.
    #[error("changed while it was read")]
    Changed,
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
    /// Constant database.
    Cdb,
}

impl Kind {
    /// Class and type name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Btree => "btree",
            Self::Cdb => "cdb",
        }
    }

    /// The kind of that class.
    pub fn of_class(class: &[u8]) -> Option<Self> {
        [Self::Hash, Self::Btree, Self::Cdb].into_iter().find(|kind| kind.name().as_bytes() == class)
    }

    /// What the name of a file ends in.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Hash | Self::Btree => ".db",
            Self::Cdb => ".cdb",
        }
    }

    /// The file of this kind that belongs to a map's name.
    pub fn path(self, map: &Path) -> PathBuf {
        let mut path = map.as_os_str().to_owned();
        if !path.as_encoded_bytes().ends_with(self.suffix().as_bytes()) {
            path.push(self.suffix());
        }
        path.into()
    }
}

/// The file of a map of class `implicit`, and what it must be: a Berkeley DB file of either kind, else a constant database.
pub fn implicit(map: &Path) -> (PathBuf, Option<Kind>) {
    let (berkeley, constant) = (Kind::Hash.path(map), Kind::Cdb.path(map));
    let is_there = |path: &Path| crate::sys::file::facts_of(path).is_ok();
    if !is_there(&berkeley) && is_there(&constant) { (constant, Some(Kind::Cdb)) } else { (berkeley, None) }
}

/// An open database file.
#[derive(Debug)]
pub struct Database {
    form: Form,
}

#[derive(Debug)]
enum Form {
    Hash(Pages, hash::Meta),
    Btree(Pages, btree::Meta),
    Hash185(Pages, hash185::Meta),
    Btree185(Pages, btree185::Meta),
    Cdb(cdb::Cdb),
}

/// Bytes of a meta page that have a meaning.
const META: usize = 512;

impl Database {
    /// Opens a file of that kind; `None` takes either kind of Berkeley DB.
    pub fn open_as(kind: Option<Kind>, file: File) -> Result<Self, Error> {
        Self::of_image(kind, Image::open(file)?)
    }

    fn of_image(kind: Option<Kind>, image: Image) -> Result<Self, Error> {
        if kind == Some(Kind::Cdb) {
            return Ok(Self { form: Form::Cdb(cdb::Cdb::open(image)?) });
        }
        let database = Self::berkeley(image)?;
        if kind.is_some_and(|kind| kind != database.kind()) { Err(Error::Format) } else { Ok(database) }
    }

    /// A file that is in memory already.
    pub fn from_bytes(kind: Option<Kind>, bytes: Vec<u8>) -> Result<Self, Error> {
        Self::of_image(kind, Image::Held(bytes.into()))
    }

    /// Opens a Berkeley DB file. It is read whole now when it is small, else page by page when asked.
    pub fn open(file: File) -> Result<Self, Error> {
        Self::berkeley(Image::open(file)?)
    }

    fn berkeley(image: Image) -> Result<Self, Error> {
        let meta = image.head(META)?;
        if hash185::Meta::is_here(&meta) {
            let found = hash185::Meta::read(&meta)?;
            return Ok(Self { form: Form::Hash185(Pages::new(image, found.order, found.page_size, 0), found) });
        }
        if let Some(order) = btree185::Meta::order_of(&meta) {
            let found = btree185::Meta::read(&meta, order)?;
            return Ok(Self { form: Form::Btree185(Pages::new(image, order, found.page_size, 0), found) });
        }
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
        let form = if kind == Kind::Hash {
            Form::Hash(pages, hash::Meta::read(&meta, order)?)
        } else {
            Form::Btree(pages, btree::Meta::read(&meta, order)?)
        };
        Ok(Self { form })
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self.form {
            Form::Hash(..) | Form::Hash185(..) => Kind::Hash,
            Form::Btree(..) | Form::Btree185(..) => Kind::Btree,
            Form::Cdb(_) => Kind::Cdb,
        }
    }

    /// Whether it was made for several values of one key.
    pub fn has_duplicates(&self) -> bool {
        match &self.form {
            Form::Hash(_, meta) => meta.duplicates,
            Form::Btree(_, meta) => meta.duplicates,
            Form::Hash185(..) => false,
            Form::Btree185(_, meta) => meta.duplicates,
            Form::Cdb(_) => true,
        }
    }

    /// The value of `key`; the first one when it has several.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match &self.form {
            Form::Hash(pages, meta) => meta.get(pages, key),
            Form::Btree(pages, meta) => meta.get(pages, key),
            Form::Hash185(pages, meta) => meta.get(pages, key),
            Form::Btree185(pages, meta) => meta.get(pages, key),
            Form::Cdb(cdb) => cdb.get(key),
        }
    }

    /// Hands every value of `key` to `each`.
    pub fn each_value(&self, key: &[u8], each: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let each = &mut |_: &[u8], value: &[u8]| {
            each(value);
            true
        };
        match &self.form {
            Form::Hash(pages, meta) => meta.values(pages, key, &mut Walk::new(each, pages)),
            Form::Btree(pages, meta) => meta.values(pages, key, &mut Walk::new(each, pages)),
            Form::Btree185(pages, meta) => meta.values(pages, key, &mut Walk::new(each, pages)),
            Form::Hash185(pages, meta) => match meta.get(pages, key)? {
                Some(value) => Walk::new(each, pages).give(key, &value),
                None => Ok(()),
            },
            Form::Cdb(cdb) => cdb.values(key, &mut |value| each(key, value)),
        }
    }

    /// Hands every key and value to `each`, in the order of the file, until it returns false ([`Error::Stopped`]).
    pub fn for_each(&self, each: &mut dyn FnMut(&[u8], &[u8]) -> bool) -> Result<(), Error> {
        match &self.form {
            Form::Hash(pages, meta) => meta.walk(pages, &mut Walk::new(each, pages)),
            Form::Btree(pages, meta) => meta.walk(pages, &mut Walk::new(each, pages)),
            Form::Hash185(pages, meta) => meta.walk(pages, &mut Walk::new(each, pages)),
            Form::Btree185(pages, meta) => meta.walk(pages, &mut Walk::new(each, pages)),
            // Records lie one behind the other, so that nothing can be circular.
            Form::Cdb(cdb) => cdb.walk(&mut Walk { each, budget: 0 }),
        }
    }
}

/// State of [`Database::for_each`]: the receiver, and how many more pages may be looked at before the file counts as circular.
pub(crate) struct Walk<'a> {
    each: &'a mut dyn FnMut(&[u8], &[u8]) -> bool,
    budget: u64,
}

impl<'a> Walk<'a> {
    fn new(each: &'a mut dyn FnMut(&[u8], &[u8]) -> bool, pages: &Pages) -> Self {
        Self { each, budget: u64::from(pages.count()) * 64 + 1024 }
    }

    /// Hands out one entry.
    fn give(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let cost = (key.len() + value.len()) as u64 / 512;
        self.budget = self.budget.checked_sub(cost).ok_or(Error::Corrupt { page: 0, what: "circular chain" })?;
        self.hand_out(key, value)
    }

    /// Hands out one entry of a file that cannot be circular.
    fn hand_out(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
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
