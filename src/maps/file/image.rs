//! The bytes of a database file: small files are held in memory, larger ones are read in chunks when asked.
//!
//! A chunk that was read stays, as long as all maps together hold no more than [`limits::MAP_CHUNKS`]; beyond that it is read
//! for each lookup. So what is asked often is in memory, and no lookup waits for another.
//!
//! A file is never mapped: whoever truncates it in place (as the original does when it builds anew) would kill the process.
//! Each read finds out instead whether the file still is what it was when it was opened; if not, the answer is
//! [`Error::Changed`], and chunks of two states never come together.

use std::borrow::Cow;
use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Error;
use crate::base::limits;

/// Files up to this size are held whole, bytes.
const HELD: u64 = 4 << 20;
/// Least size of a chunk, bytes.
const CHUNK: usize = 4096;

/// See the module's text.
#[derive(Debug)]
pub(crate) enum Image {
    Held(Box<[u8]>),
    Chunks(Chunks),
}

impl Image {
    /// From an open file; it is read whole when it is small.
    pub(crate) fn open(file: File) -> Result<Self, Error> {
        let stamp = Stamp::of(&file.metadata()?);
        if stamp.length > HELD {
            return Ok(Self::Chunks(Chunks::new(file, stamp, CHUNK)));
        }
        let mut bytes = vec![0; usize::try_from(stamp.length).unwrap_or(0)];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(Self::Held(bytes.into()))
    }

    /// The same for pages of that size, a power of two: none of them lies in two chunks.
    pub(crate) fn in_pages(self, size: usize) -> Self {
        match self {
            Self::Chunks(mut chunks) if size > chunks.size => {
                chunks.divide(size);
                Self::Chunks(chunks)
            }
            other => other,
        }
    }

    /// Length of the file when it was opened.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Chunks(chunks) => chunks.stamp.length,
        }
    }

    /// The first bytes, as many as there are up to `length`.
    pub(crate) fn head(&self, length: usize) -> Result<Vec<u8>, Error> {
        let length = length.min(usize::try_from(self.len()).unwrap_or(usize::MAX));
        self.bytes(0, length).map(Cow::into_owned)
    }

    /// `length` bytes from `at`.
    pub(crate) fn bytes(&self, at: u64, length: usize) -> Result<Cow<'_, [u8]>, Error> {
        match self {
            Self::Held(bytes) => {
                let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..));
                rest.and_then(|rest| rest.get(..length)).map(Cow::Borrowed).ok_or(BEYOND)
            }
            Self::Chunks(chunks) => chunks.bytes(at, length),
        }
    }

    /// Page `number` of pages of `size` bytes.
    pub(crate) fn page(&self, number: u32, size: usize) -> Result<Cow<'_, [u8]>, Error> {
        self.bytes(u64::from(number) * size as u64, size)
    }
}

/// A file that is read chunk by chunk.
#[derive(Debug)]
pub(crate) struct Chunks {
    file: File,
    stamp: Stamp,
    /// Bytes of a chunk, a power of two; the last one may be shorter.
    size: usize,
    kept: Box<[OnceLock<Box<[u8]>>]>,
    /// Bytes of those that are kept.
    held: AtomicU64,
}

impl Chunks {
    fn new(file: File, stamp: Stamp, size: usize) -> Self {
        let mut chunks = Self { file, stamp, size, kept: Box::default(), held: AtomicU64::new(0) };
        chunks.divide(size);
        chunks
    }

    /// Begins with chunks of that size, none of them read.
    fn divide(&mut self, size: usize) {
        let count = usize::try_from(self.stamp.length.div_ceil(size as u64)).unwrap_or(0);
        self.size = size;
        self.kept = std::iter::repeat_with(OnceLock::new).take(count).collect();
        give_room(std::mem::take(self.held.get_mut()));
    }

    fn bytes(&self, at: u64, length: usize) -> Result<Cow<'_, [u8]>, Error> {
        if at.checked_add(length as u64).is_none_or(|end| end > self.stamp.length) {
            return Err(BEYOND);
        }
        let size = self.size as u64;
        let number = usize::try_from(at / size).map_err(|_| BEYOND)?;
        let inner = usize::try_from(at % size).map_err(|_| BEYOND)?;
        if inner + length <= self.size
            && let Some(chunk) = self.chunk(number)?
        {
            return chunk.get(inner..inner + length).map(Cow::Borrowed).ok_or(BEYOND);
        }
        let mut bytes = vec![0; length];
        self.read(&mut bytes, at)?;
        Ok(Cow::Owned(bytes))
    }

    /// A chunk that is kept; `None` when there is no room for it.
    fn chunk(&self, number: usize) -> Result<Option<&[u8]>, Error> {
        let place = self.kept.get(number).ok_or(BEYOND)?;
        if let Some(chunk) = place.get() {
            return Ok(Some(chunk));
        }
        let at = number as u64 * self.size as u64;
        let length = (self.stamp.length - at).min(self.size as u64);
        if !take_room(length) {
            return Ok(None);
        }
        let mut chunk = vec![0; usize::try_from(length).unwrap_or(0)].into_boxed_slice();
        let read = self.read(&mut chunk, at);
        if read.is_err() || place.set(chunk).is_err() {
            // Not read, or somebody else was quicker.
            give_room(length);
        } else {
            self.held.fetch_add(length, Ordering::Relaxed);
        }
        read?;
        Ok(place.get().map(AsRef::as_ref))
    }

    /// Reads from the file, which must be what it was.
    fn read(&self, bytes: &mut [u8], at: u64) -> Result<(), Error> {
        let read = self.file.read_exact_at(bytes, at);
        if Stamp::of(&self.file.metadata()?) != self.stamp {
            return Err(Error::Changed);
        }
        Ok(read?)
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        give_room(*self.held.get_mut());
    }
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(facts: &Metadata) -> Self {
        Self { length: facts.len(), modified: (facts.mtime(), facts.mtime_nsec()) }
    }
}

/// Bytes that all images together may still keep.
static ROOM: AtomicU64 = AtomicU64::new(limits::MAP_CHUNKS);

fn take_room(length: u64) -> bool {
    ROOM.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(length)).is_ok()
}

fn give_room(length: u64) {
    ROOM.fetch_add(length, Ordering::Relaxed);
}

const BEYOND: Error = Error::Corrupt { page: 0, what: "position beyond the end" };

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of that many bytes, each the low bits of the number of its chunk.
    fn file(length: u64) -> File {
        let file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..length).map(|at| u8::try_from(at / CHUNK as u64 % 251).unwrap()).collect();
        file.write_all_at(&bytes, 0).unwrap();
        file
    }

    #[test]
    fn bytes_are_those_of_the_file_within_and_across_chunks() {
        let length = HELD + 100;
        let image = Image::open(file(length)).unwrap().in_pages(16384);
        assert!(matches!(image, Image::Chunks(_)));
        for (at, count) in [(0, 10), (4090, 12), (16380, 8), (16384, 16384), (HELD, 100), (HELD + 99, 1), (5, 0)] {
            for _ in 0..2 {
                let bytes = image.bytes(at, count).unwrap();
                for (n, byte) in (at..).zip(bytes.iter()) {
                    assert_eq!(u64::from(*byte), n / CHUNK as u64 % 251, "{at} {count}");
                }
                assert_eq!(bytes.len(), count);
            }
        }
        for (at, count) in [(HELD + 100, 1), (HELD, 101), (u64::MAX, 1), (u64::MAX - 1, 5)] {
            assert!(image.bytes(at, count).is_err(), "{at} {count}");
        }
    }

    #[test]
    fn a_file_that_was_changed_in_place_is_not_read_any_more() {
        let file = file(HELD * 2);
        let other = file.try_clone().unwrap();
        let image = Image::open(file).unwrap();
        assert_eq!(image.bytes(4096, 1).unwrap().as_ref(), [1]);
        other.set_len(HELD).unwrap();
        // What is there stays as it was; what is not is not mixed with it.
        assert_eq!(image.bytes(4096, 1).unwrap().as_ref(), [1]);
        assert!(matches!(image.bytes(0, 1), Err(Error::Changed)));
        assert!(matches!(image.bytes(HELD + 5, 1), Err(Error::Changed)));
    }
}
