//! Lists and `.forward` files, read as the users they belong to.

use bytes::Bytes;

use super::Router;
use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::envelope::Controller;
use crate::route::{Owner, RouteError};

/// A file of addresses.
#[derive(Debug, Clone)]
pub(super) struct AddressFile {
    /// Its text.
    pub text: Bytes,
    /// Who owns it.
    pub uid: u32,
    /// Group of the owner.
    pub gid: u32,
    /// Whether programs and files in it count.
    pub is_safe: bool,
}

impl Router {
    /// Reads an `:include:` file with the rights of the controlling user.
    pub(super) async fn include_file(
        &self,
        path: &[u8],
        controller: Option<&Controller>,
    ) -> Result<AddressFile, RouteError> {
        let _ = (path, controller);
        Err(RouteError::new(451, Status(4, 2, 4), Exit::TEMPFAIL, "lists cannot be read"))
    }

    /// The first `.forward` file of a user that can be read; `None` when there is none.
    pub(super) async fn forward_file(
        &self,
        paths: &[Bytes],
        owner: &Owner,
    ) -> Result<Option<(Bytes, AddressFile)>, RouteError> {
        let _ = (paths, owner);
        Ok(None)
    }
}
