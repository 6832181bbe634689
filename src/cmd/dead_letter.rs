//! `dead.letter`: what could not be delivered, kept in the caller's home directory.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use tokio::runtime::Runtime;

use super::sendmail::{Request, say};
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::deliver::body::LineWriter;
use crate::deliver::drive;
use crate::envelope::Envelope;
use crate::monitor::AppendAsUser;
use crate::queue::drive::Body;
use crate::site::Site;
use crate::sys::{file, safefile, user};

/// Appends the message and says where it is.
///
/// Written with the caller's own rights: root does so only for root.
pub(super) fn save(
    request: &Request,
    site: &Site,
    runtime: &Runtime,
    envelope: &Envelope,
    body: &Body,
    out: &mut dyn Write,
) {
    let path = request.caller.home.join("dead.letter");
    let text = match render(site, envelope, body) {
        Ok(text) => text,
        Err(error) => return say(out, &format!("{}... cannot save message: {error}", path.display())),
    };
    match append(request, site, runtime, &text, &path) {
        Ok(()) => {
            let path = path.display();
            say(out, &format!("{path}... Saved message in {path}"));
        }
        Err(error) => {
            let reason = safefile::error_text(&error);
            say(out, &format!("{}... cannot save message: {reason}", path.display()));
        }
    }
}

/// Whether a dead letter can be left in the caller's home directory, as far as owners and modes tell.
pub(super) fn is_possible(request: &Request) -> bool {
    let home = &request.caller.home;
    let judged = match user::effective_uid() {
        // Written by a child with the caller's rights.
        0 => (request.caller.uid, request.caller.gid),
        uid => (uid, user::effective_gid()),
    };
    let may_write = |facts: &file::Facts| may_write(facts, judged);
    match file::facts_of(&home.join("dead.letter")) {
        Ok(letter) => letter.is_regular() && may_write(&letter),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            file::facts_of(home).is_ok_and(|home| home.is_directory() && may_write(&home))
        }
        Err(_) => false,
    }
}

fn may_write(facts: &file::Facts, (uid, gid): (u32, u32)) -> bool {
    let bit = match (facts.uid == uid, facts.gid == gid) {
        (true, _) => 0o200,
        (false, true) => 0o020,
        (false, false) => 0o002,
    };
    uid == 0 || facts.mode & bit != 0
}

fn append(request: &Request, site: &Site, runtime: &Runtime, text: &[u8], path: &Path) -> io::Result<()> {
    if user::effective_uid() == request.caller.uid {
        let mut letter = file::open_append(path, 0o600)?;
        return letter.write_all(text);
    }
    let wanted = AppendAsUser {
        path: Bytes::copy_from_slice(path.as_os_str().as_bytes()),
        mailer: None,
        controller: Some((request.caller.uid, request.caller.gid)),
    };
    runtime.block_on(async {
        let mut letter = site.port.append_as_user(wanted).await.map_err(|e| io::Error::other(e.to_string()))?;
        let written = letter.write(text).await;
        let (exit, words) = letter.finish().await?;
        if exit == Exit::OK { written } else { Err(io::Error::other(shown(&words).to_string())) }
    })
}

/// The message as a mailbox has it.
fn render(site: &Site, envelope: &Envelope, body: &Body) -> io::Result<Vec<u8>> {
    let mut text = drive::dead_letter_head(site, envelope);
    let mut lines = LineWriter::quoting_from();
    let mut out = BytesMut::new();
    let mut offset = 0;
    while offset < body.len() {
        let block = body.block_now(offset)?;
        if block.is_empty() {
            break;
        }
        offset += block.len() as u64;
        lines.push(&block, &mut out);
    }
    lines.finish(&mut out);
    text.extend_from_slice(&out);
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_group_and_others_have_bits_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let facts = file::Facts { mode: 0o720, uid: 5, gid: 6, ..file::facts_of(dir.path()).unwrap() };
        assert!(may_write(&facts, (5, 9)) && may_write(&facts, (8, 6)) && may_write(&facts, (0, 0)));
        assert!(!may_write(&facts, (8, 9)));
        assert!(!may_write(&file::Facts { mode: 0o577, ..facts }, (5, 6)), "the owner's bit counts for the owner");
    }
}
