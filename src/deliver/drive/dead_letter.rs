//! `DeadLetterDrop`: the last place for a report that reaches neither the sender nor a postmaster.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use bytes::BytesMut;

use crate::base::date;
use crate::deliver::body::LineWriter;
use crate::deliver::message;
use crate::envelope::Envelope;
use crate::macros::names;
use crate::queue::drive::Body;
use crate::site::Site;
use crate::sys::{clock, file, lock};

/// Appends a message to the file; the file is as long as before when that fails.
pub(super) async fn drop(site: &Site, path: &[u8], envelope: &Envelope, body: &Body) -> io::Result<()> {
    let path = Path::new(OsStr::from_bytes(path)).to_owned();
    let opened = tokio::task::spawn_blocking(move || open(&path)).await;
    let (mut letter, before) = opened.map_err(io::Error::other)??;
    let written = match write(site, envelope, body, &mut letter).await {
        // The report leaves the queue for it: it must be on the disk.
        Ok(()) => letter.sync_all(),
        Err(error) => Err(error),
    };
    if written.is_err() {
        letter.set_len(before)?;
    }
    written
}

/// Opens and locks the file; gives its length.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let letter = file::open_append(path, 0o600)?;
    if !file::facts(&letter)?.is_regular() {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    if !lock::lock_within(&letter, lock::Kind::Exclusive, LOCK)? {
        return Err(io::Error::from_raw_os_error(libc::EWOULDBLOCK));
    }
    let length = file::facts(&letter)?.bytes;
    Ok((letter, length))
}

/// Writes the message as a mailbox has it.
async fn write(site: &Site, envelope: &Envelope, body: &Body, letter: &mut impl Write) -> io::Result<()> {
    letter.write_all(&head(site, envelope))?;
    let mut lines = LineWriter::quoting_from();
    let mut offset = 0;
    loop {
        let block = body.block(offset).await?;
        let mut out = BytesMut::with_capacity(block.len() + 1);
        if block.is_empty() {
            lines.finish(&mut out);
            letter.write_all(&out)?;
            return letter.write_all(b"\n");
        }
        offset += block.len() as u64;
        lines.push(&block, &mut out);
        letter.write_all(&out)?;
    }
}

/// The line that separates messages, the header as the mailer `*file*` has it, and the blank line behind it.
pub fn head(site: &Site, envelope: &Envelope) -> Vec<u8> {
    let mut scope = envelope.scope.clone();
    let sender = if envelope.sender.is_empty() { scope.text(names::DAEMON_USER) } else { envelope.sender.clone() };
    scope.set(names::SENDER_FOR_RECIPIENT, sender);
    scope.set(names::NOW_CTIME, date::ctime(clock::now(), &site.zone));
    let mut text = site.config.options.unix_from_line.expand(&scope);
    text.push(b'\n');
    if let Some(mailer) = site.config.mailer(b"*file*").and_then(|id| site.config.mailers.get(id.0)) {
        let fields = message::written(&envelope.headers, mailer, &scope, envelope.flags);
        text.extend_from_slice(&message::render(&fields, mailer));
    }
    text.push(b'\n');
    text
}

/// How long another process may have the file.
const LOCK: std::time::Duration = std::time::Duration::from_secs(30);
