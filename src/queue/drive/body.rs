//! Bodies: in memory while they are small, in their df from then on.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};

use super::Spool;
use crate::envelope::QueueId;
use crate::queue::Error;

/// The body of a message, with `\n` as line end. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Body {
    /// All of it.
    Memory(Bytes),
    /// In a df.
    File(DataFile),
}

/// An open df. One that was never committed is removed with its last user.
#[derive(Debug, Clone)]
pub struct DataFile {
    spill: Arc<Spill>,
    length: u64,
}

/// A piece of a body.
pub type Block = Bytes;

impl Body {
    /// No bytes at all.
    pub fn empty() -> Self {
        Self::Memory(Bytes::new())
    }

    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(data) => data.length,
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole of it when it is in memory.
    pub fn in_memory(&self) -> Option<&Bytes> {
        match self {
            Self::Memory(bytes) => Some(bytes),
            Self::File(_) => None,
        }
    }

    /// The block at `offset`, at most 128 kB of a file or all the rest in memory; empty at the end. Does not copy
    /// what is in memory.
    ///
    /// Errors: what reading says; a df that ends before its length is `UnexpectedEof`.
    pub async fn block(&self, offset: u64) -> io::Result<Block> {
        match self {
            Self::Memory(_) => self.block_now(offset),
            Self::File(_) => {
                let body = self.clone();
                tokio::task::spawn_blocking(move || body.block_now(offset)).await.map_err(io::Error::other)?
            }
        }
    }

    /// [`Body::block`] for a thread that may block.
    pub fn block_now(&self, offset: u64) -> io::Result<Block> {
        match self {
            Self::Memory(bytes) => {
                let at = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes.slice(at..))
            }
            Self::File(data) => data.block(offset),
        }
    }

    /// Directory of the df when it is already there under this id.
    pub(super) fn directory_of(&self, id: &QueueId) -> Option<usize> {
        match self {
            Self::File(data) if data.id() == id => Some(data.directory()),
            _ => None,
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Memory(bytes.into())
    }
}

impl DataFile {
    /// The df of a message that is in the queue.
    pub(super) fn kept(spool: Spool, file: File, length: u64, id: QueueId, directory: usize) -> Self {
        let spill = Spill { spool, directory, id, file, is_kept: AtomicBool::new(true) };
        Self { spill: Arc::new(spill), length }
    }

    /// The control file stands: the df stays.
    pub(super) fn keep(&self) {
        self.spill.is_kept.store(true, Ordering::Relaxed);
    }

    /// Whether a message stands for it.
    pub(super) fn is_kept(&self) -> bool {
        self.spill.is_kept.load(Ordering::Relaxed)
    }

    pub(super) fn file(&self) -> &File {
        &self.spill.file
    }

    pub(super) fn id(&self) -> &QueueId {
        &self.spill.id
    }

    pub(super) fn directory(&self) -> usize {
        self.spill.directory
    }

    fn block(&self, offset: u64) -> io::Result<Block> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut block = BytesMut::zeroed(left.min(BLOCK));
        self.spill.file.read_exact_at(&mut block, offset)?;
        Ok(block.freeze())
    }
}

/// A body being written.
///
/// Dropped before [`BodyWriter::finish`]: what was written is removed.
#[derive(Debug)]
pub struct BodyWriter {
    spool: Spool,
    id: QueueId,
    memory: Vec<u8>,
    file: Option<Spill>,
    length: u64,
    /// A write failed or was given up half way: what is in the df is not the whole.
    is_broken: bool,
}

/// A df; removed when it is dropped before its message was committed.
#[derive(Debug)]
struct Spill {
    spool: Spool,
    directory: usize,
    id: QueueId,
    file: File,
    is_kept: AtomicBool,
}

impl Drop for Spill {
    fn drop(&mut self) {
        if !self.is_kept.load(Ordering::Relaxed)
            && let Ok(directory) = self.spool.directory(self.directory)
        {
            // What cannot be removed now is an orphan that the next start removes.
            let _ = directory.remove(&format!("df{}", self.id));
        }
    }
}

impl BodyWriter {
    pub(super) fn new(spool: Spool, id: QueueId) -> Self {
        Self { spool, id, memory: Vec::new(), file: None, length: 0, is_broken: false }
    }

    /// Bytes written so far.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds to the body. The file is touched in a blocking thread, and only when memory is full.
    ///
    /// Dropped before it returns: this writer can only be dropped then.
    pub async fn write(&mut self, data: &[u8]) -> Result<(), Error> {
        self.buffer(data);
        if self.memory.len() < self.spool.inner.memory {
            return Ok(());
        }
        let spool = self.spool.clone();
        let id = self.id.clone();
        let chunk = std::mem::take(&mut self.memory);
        let spill = self.file.take();
        self.is_broken = true;
        let (spill, chunk) = self.spool.run(move |_| append(spill, &spool, &id, chunk)).await?;
        self.is_broken = false;
        self.file = Some(spill);
        self.memory = chunk;
        Ok(())
    }

    /// [`BodyWriter::write`] for a process without a runtime.
    pub fn write_now(&mut self, data: &[u8]) -> Result<(), Error> {
        self.buffer(data);
        if self.memory.len() >= self.spool.inner.memory {
            let chunk = std::mem::take(&mut self.memory);
            self.is_broken = true;
            let (spill, chunk) = append(self.file.take(), &self.spool, &self.id, chunk)?;
            self.is_broken = false;
            self.file = Some(spill);
            self.memory = chunk;
        }
        Ok(())
    }

    /// The body, ready to be committed. It is not durable before that.
    ///
    /// Errors: [`Error::Closed`] when an earlier write failed or was given up.
    pub async fn finish(mut self) -> Result<Body, Error> {
        if self.is_broken {
            return Err(Error::Closed);
        }
        if self.file.is_none() {
            return Ok(Body::Memory(std::mem::take(&mut self.memory).into()));
        }
        let spool = self.spool.clone();
        spool.run(move |_| self.finish_now()).await
    }

    /// [`BodyWriter::finish`] for a thread that may block.
    pub fn finish_now(mut self) -> Result<Body, Error> {
        if self.is_broken {
            return Err(Error::Closed);
        }
        let Some(spill) = self.file.take() else {
            return Ok(Body::Memory(std::mem::take(&mut self.memory).into()));
        };
        let (spill, _) = append(Some(spill), &self.spool, &self.id, std::mem::take(&mut self.memory))?;
        Ok(Body::File(DataFile { spill: Arc::new(spill), length: self.length }))
    }

    fn buffer(&mut self, data: &[u8]) {
        self.memory.extend_from_slice(data);
        self.length = self.length.saturating_add(data.len() as u64);
    }
}

/// Appends a chunk to the df, creating it first; gives the emptied buffer back.
fn append(spill: Option<Spill>, spool: &Spool, id: &QueueId, mut chunk: Vec<u8>) -> Result<(Spill, Vec<u8>), Error> {
    let name = format!("df{id}");
    let mut spill = if let Some(spill) = spill { spill } else { create(spool, id, &name)? };
    spill.file.write_all(&chunk).map_err(|source| Error::File { action: "write", name, source })?;
    chunk.clear();
    Ok((spill, chunk))
}

fn create(spool: &Spool, id: &QueueId, name: &str) -> Result<Spill, Error> {
    let directory = spool.place(id, 0);
    let created = spool.directory(directory)?.create(name);
    let file = created.map_err(|source| Error::File { action: "create", name: name.to_owned(), source })?;
    Ok(Spill { spool: spool.clone(), directory, id: id.clone(), file, is_kept: AtomicBool::new(false) })
}

/// Largest block read from a df, bytes.
const BLOCK: usize = 128 * 1024;
