//! Constant databases (`.cdb`): reading and writing.
//!
//! Shape, all numbers 32 bits, little endian; a key belongs to the table `hash & 255` and there to the slots from
//! `(hash >> 8) % slots` on, up to the first empty one:
//!
//! ```text
//!    0  256 tables: position, number of slots
//! 2048  records: key length, value length, key, value
//!       slots of the tables: hash, position of the record (0: empty)
//! ```
//!
//! Source: the format's public description (cdb), files of tinycdb examined.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;

use super::image::Image;
use super::{Error, Walk};

/// Bytes of the table of tables.
const HEAD: usize = 2048;
/// Bytes in front of a key, and of a slot.
const PAIR: u64 = 8;

/// An open file.
#[derive(Debug)]
pub(crate) struct Cdb {
    image: Image,
    tables: Box<[Table]>,
    /// Where the records end: the first table begins there.
    end: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Table {
    at: u32,
    slots: u32,
}

fn hash(key: &[u8]) -> u32 {
    key.iter().fold(5381, |h: u32, byte| (h << 5).wrapping_add(h) ^ u32::from(*byte))
}

fn pair(bytes: &[u8]) -> Option<(u32, u32)> {
    let first = u32::from_le_bytes(*bytes.first_chunk()?);
    let second = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
    Some((first, second))
}

impl Cdb {
    /// Reads the table of tables. The format has no mark of its own: a file is one when all of its tables lie within it.
    pub(crate) fn open(image: Image) -> Result<Self, Error> {
        let head = image.head(HEAD)?;
        if head.len() < HEAD {
            return Err(Error::Format);
        }
        let tables: Option<Box<[Table]>> =
            head.chunks_exact(8).map(|entry| pair(entry).map(|(at, slots)| Table { at, slots })).collect();
        let tables = tables.ok_or(Error::Format)?;
        let fits = |table: &Table| {
            u64::from(table.at) >= HEAD as u64 && u64::from(table.at) + u64::from(table.slots) * PAIR <= image.len()
        };
        if !tables.iter().all(fits) {
            return Err(Error::Format);
        }
        let end = tables.iter().map(|table| u64::from(table.at)).min().unwrap_or(HEAD as u64);
        Ok(Self { image, tables, end })
    }

    /// The first value of `key`.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let mut found = None;
        self.values(key, &mut |value| {
            found = Some(value.to_vec());
            false
        })?;
        Ok(found)
    }

    /// Every value of `key`, until `each` returns false.
    pub(crate) fn values(&self, key: &[u8], each: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Error> {
        let wanted = hash(key);
        let Some(table) = self.tables.get((wanted & 255) as usize).filter(|table| table.slots > 0) else {
            return Ok(());
        };
        for step in 0..table.slots {
            let slot = (u64::from(wanted >> 8) + u64::from(step)) % u64::from(table.slots);
            let (found, at) = self.pair(u64::from(table.at) + slot * PAIR)?;
            if at == 0 {
                return Ok(());
            }
            if found != wanted {
                continue;
            }
            let (key_length, value_length) = self.pair(u64::from(at))?;
            if key_length as usize == key.len() {
                let record = self.bytes(u64::from(at) + PAIR, u64::from(key_length) + u64::from(value_length))?;
                if let Some(value) = record.strip_prefix(key)
                    && !each(value)
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Every entry in the order of the file.
    pub(crate) fn walk(&self, walk: &mut Walk<'_>) -> Result<(), Error> {
        let mut at = HEAD as u64;
        while at < self.end {
            let (key_length, value_length) = self.pair(at)?;
            let length = u64::from(key_length) + u64::from(value_length);
            at += PAIR;
            if at + length > self.end {
                return Err(corrupt(at, "record beyond the tables"));
            }
            let record = self.bytes(at, length)?;
            let (key, value) =
                record.split_at_checked(key_length as usize).ok_or(corrupt(at, "record beyond the tables"))?;
            walk.hand_out(key, value)?;
            at += length;
        }
        Ok(())
    }

    fn pair(&self, at: u64) -> Result<(u32, u32), Error> {
        pair(&self.bytes(at, PAIR)?).ok_or(corrupt(at, "position beyond the end"))
    }

    fn bytes(&self, at: u64, length: u64) -> Result<Cow<'_, [u8]>, Error> {
        if at.checked_add(length).is_none_or(|end| end > self.image.len()) {
            return Err(corrupt(at, "position beyond the end"));
        }
        self.image.bytes(at, usize::try_from(length).unwrap_or(usize::MAX))
    }
}

/// An error shown with the place in units of 4096 bytes, as pages are elsewhere.
fn corrupt(at: u64, what: &'static str) -> Error {
    Error::Corrupt { page: u32::try_from(at / 4096).unwrap_or(u32::MAX), what }
}

/// Writes keys with their values in the order given, several values of one key behind each other.
pub(crate) fn write<'a>(rows: impl Iterator<Item = (&'a [u8], &'a [u8])>, file: &File) -> Result<(), Error> {
    let mut tables: Vec<Vec<(u32, u32)>> = vec![Vec::new(); 256];
    let mut at = HEAD as u64;
    let mut out = BufWriter::with_capacity(1 << 18, file);
    out.write_all(&[0; HEAD])?;
    for (key, value) in rows {
        let hash = hash(key);
        if let Some(table) = tables.get_mut((hash & 255) as usize) {
            table.push((hash, position(at)?));
        }
        out.write_all(&position(key.len() as u64)?.to_le_bytes())?;
        out.write_all(&position(value.len() as u64)?.to_le_bytes())?;
        out.write_all(key)?;
        out.write_all(value)?;
        at += PAIR + key.len() as u64 + value.len() as u64;
    }
    let mut head = Vec::with_capacity(HEAD);
    for table in &tables {
        let slots = table.len() * 2;
        head.extend_from_slice(&position(at)?.to_le_bytes());
        head.extend_from_slice(&position(slots as u64)?.to_le_bytes());
        let mut filled = vec![(0, 0); slots];
        for (hash, place) in table {
            let mut slot = (hash >> 8) as usize % slots;
            while filled.get(slot).is_some_and(|(_, taken)| *taken != 0) {
                slot = (slot + 1) % slots;
            }
            if let Some(free) = filled.get_mut(slot) {
                *free = (*hash, *place);
            }
        }
        for (hash, place) in filled {
            out.write_all(&hash.to_le_bytes())?;
            out.write_all(&u32::to_le_bytes(place))?;
        }
        at += slots as u64 * PAIR;
    }
    // A table that would end beyond what a position can say is found out by nothing else.
    position(at)?;
    out.flush()?;
    Ok(file.write_all_at(&head, 0)?)
}

fn position(at: u64) -> Result<u32, Error> {
    u32::try_from(at).map_err(|_| Error::Feature("constant databases of more than 4 GB"))
}
