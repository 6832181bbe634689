//! The bytes of a database file: small files are held in memory, of large ones single pages are read.
//!
//! A file is never mapped: whoever truncates it in place (as the original's `makemap` does) would kill the process.

use std::borrow::Cow;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use super::Error;
use super::page::PageBytes;

/// Files up to this size are held whole, bytes.
const HELD: u64 = 4 << 20;
/// Pages kept of a larger file.
const KEPT: usize = 256;

type Slot = Option<(u32, Arc<[u8]>)>;

/// See the module's text.
#[derive(Debug)]
pub(crate) enum Image {
    Held(Box<[u8]>),
    Paged { file: File, length: u64, kept: Mutex<Box<[Slot]>> },
}

impl Image {
    /// From an open file; it is read whole when it is small.
    pub(crate) fn open(file: File) -> Result<Self, Error> {
        let length = file.metadata()?.len();
        if length > HELD {
            return Ok(Self::Paged { file, length, kept: Mutex::new(vec![None; KEPT].into()) });
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(Self::Held(bytes.into()))
    }

    /// Length of the file when it was opened.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Paged { length, .. } => *length,
        }
    }

    /// The first bytes, as many as there are up to `length`.
    pub(crate) fn head(&self, length: usize) -> Result<Vec<u8>, Error> {
        let length = length.min(usize::try_from(self.len()).unwrap_or(usize::MAX));
        match self {
            Self::Held(bytes) => Ok(bytes.get(..length).unwrap_or_default().to_vec()),
            Self::Paged { file, .. } => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, 0)?;
                Ok(bytes)
            }
        }
    }

    /// `length` bytes from `at`; the caller has checked that they lie within the file.
    pub(crate) fn bytes(&self, at: u64, length: usize) -> Result<Cow<'_, [u8]>, Error> {
        match self {
            Self::Held(bytes) => {
                let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..));
                let found = rest.and_then(|rest| rest.get(..length));
                Ok(Cow::Borrowed(found.ok_or(Error::Corrupt { page: 0, what: "position beyond the end" })?))
            }
            Self::Paged { file, .. } => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, at)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// Page `number` of pages of `size` bytes; the caller has checked that it lies within the file.
    pub(crate) fn page(&self, number: u32, size: usize) -> Result<PageBytes<'_>, Error> {
        match self {
            Self::Held(bytes) => {
                let at = number as usize * size;
                let page =
                    bytes.get(at..at + size).ok_or(Error::Corrupt { page: number, what: "page beyond the end" })?;
                Ok(PageBytes::Held(page))
            }
            Self::Paged { file, kept, .. } => {
                let slot = number as usize % KEPT;
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(Some((held, page))) = kept.get(slot)
                    && *held == number
                {
                    return Ok(PageBytes::Read(Arc::clone(page)));
                }
                // A page that nobody looks at any more makes room without a new allocation.
                let old = kept.get_mut(slot).and_then(Option::take).map(|(_, page)| page);
                let old = old.filter(|page| page.len() == size && Arc::strong_count(page) == 1);
                let mut page = old.unwrap_or_else(|| std::iter::repeat_n(0, size).collect());
                if let Some(bytes) = Arc::get_mut(&mut page) {
                    file.read_exact_at(bytes, u64::from(number) * size as u64)?;
                }
                if let Some(place) = kept.get_mut(slot) {
                    *place = Some((number, Arc::clone(&page)));
                }
                Ok(PageBytes::Read(page))
            }
        }
    }
}
