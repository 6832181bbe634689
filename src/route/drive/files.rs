//! Lists and `.forward` files, read as the users they belong to.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use bytes::Bytes;

use super::Router;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::status::{Classify, Status};
use crate::envelope::Controller;
use crate::log::{Id, Level, Priority};
use crate::monitor::{self, ReadAsUser};
use crate::route::{Owner, RouteError};
use crate::sys::safefile::Purpose;
use crate::sys::user;

/// A file of addresses.
#[derive(Debug, Clone)]
pub(super) struct AddressFile {
    /// Its text.
    pub(super) text: Bytes,
    /// Who owns it.
    pub(super) uid: u32,
    /// Group of the owner.
    pub(super) gid: u32,
    /// Why programs and files in it do not count; `None` when they do.
    pub(super) refusal: Option<Refusal>,
}

/// Why a file's programs and files do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Others may write it.
    Unsafe,
    /// Its user has no shell of `/etc/shells`.
    NoShell,
}

impl Router {
    /// Reads an `:include:` file with the rights of the controlling user.
    pub(super) async fn include_file(
        &self,
        path: &[u8],
        controller: Option<&Controller>,
    ) -> Result<AddressFile, RouteError> {
        let default = &self.config.options.default_user;
        let user =
            controller.filter(|c| c.uid != 0 && c.gid != 0).map_or((default.uid, default.gid), |c| (c.uid, c.gid));
        if !path.starts_with(b"/") {
            return Err(cannot_open(path, "Permission denied", false));
        }
        let request = ReadAsUser { path: path_of(path), purpose: Purpose::Include, user, limit: FILE_BYTES };
        let file = self.port.read_as_user(request).await;
        let file = file.map_err(|e| cannot_open(path, &e.to_string(), e.is_temporary()))?;
        let refusal = file.is_unsafe.map(|_| Refusal::Unsafe);
        Ok(AddressFile { text: file.text, uid: file.facts.uid, gid: file.facts.gid, refusal })
    }

    /// The first `.forward` file of a user that can be read; `None` when there is none.
    pub(super) async fn forward_file(
        &self,
        id: Id<'_>,
        paths: &[Bytes],
        owner: &Owner,
    ) -> Result<Option<(Bytes, AddressFile)>, RouteError> {
        for path in paths {
            self.trace(2, format_args!("include({})", shown(path)));
            let user = (owner.uid, owner.gid);
            let request = ReadAsUser { path: path_of(path), purpose: Purpose::Forward, user, limit: FILE_BYTES };
            match self.port.read_as_user(request).await {
                Ok(file) => {
                    let has_shell = user::is_valid_shell(OsStr::from_bytes(&owner.shell));
                    let refusal = match file.is_unsafe {
                        Some(_) => Some(Refusal::Unsafe),
                        None => (!has_shell).then_some(Refusal::NoShell),
                    };
                    let file = AddressFile { text: file.text, uid: owner.uid, gid: owner.gid, refusal };
                    return Ok(Some((path.clone(), file)));
                }
                Err(error) if error.is_absent() => {}
                Err(error @ monitor::Error::TimedOut) => {
                    return Err(RouteError::new(451, Status(4, 2, 4), Exit::TEMPFAIL, error.to_string()));
                }
                Err(error) => {
                    let text = format!("forward {}: {error}", shown(path));
                    self.log.write(Level::UNSAFE_FILE, Priority::Warning, id, text);
                }
            }
        }
        Ok(None)
    }
}

/// Source: observed (alias/include): exit code 64, also for files that are refused.
fn cannot_open(path: &[u8], why: &str, is_temporary: bool) -> RouteError {
    let text = format!("Cannot open {}: {why}", shown(path));
    if is_temporary {
        RouteError::new(451, Status(4, 2, 4), Exit::TEMPFAIL, text)
    } else {
        RouteError::new(550, Status(5, 2, 4), Exit::USAGE, text)
    }
}

fn path_of(path: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(path))
}

/// Longest list or `.forward` file.
const FILE_BYTES: usize = 10 * 1024 * 1024;
