//! Reading and writing PEM files.

use std::path::Path;

use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509Req};

use super::Error;
use crate::sys::file;

/// Reads a file whole.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    file::read_following(path, LIMIT).map_err(|source| Error::File { path: path.to_owned(), source })
}

/// Writes a file so that it is there whole or not at all.
///
/// Errors: [`Error::Exists`] when something is there and `force` is not given.
pub(super) fn write(path: &Path, data: &[u8], mode: u32, force: bool) -> Result<(), Error> {
    if !force && file::facts_of(path).is_ok() {
        return Err(Error::Exists(path.to_owned()));
    }
    file::replace(path, data, mode).map_err(|source| Error::File { path: path.to_owned(), source })
}

/// Makes a directory with all above it, if it is not there.
pub(super) fn make_directory(path: &Path, mode: u32) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(mode).create(path);
    made.map_err(|source| Error::File { path: path.to_owned(), source })
}

/// The certificate in a file.
pub(super) fn certificate(path: &Path) -> Result<X509, Error> {
    X509::from_pem(&read(path)?).map_err(|_| Error::NotA { path: path.to_owned(), what: "certificate in PEM" })
}

/// The request in a file.
pub(super) fn request(path: &Path) -> Result<X509Req, Error> {
    X509Req::from_pem(&read(path)?).map_err(|_| Error::NotA { path: path.to_owned(), what: "certificate request" })
}

/// The key in a file. An encrypted one needs the pass phrase; nobody is asked for it.
pub(super) fn key(path: &Path, passphrase: Option<&[u8]>) -> Result<PKey<Private>, Error> {
    let pem = read(path)?;
    let mut is_encrypted = false;
    let found = PKey::private_key_from_pem_callback(&pem, |buffer| {
        is_encrypted = true;
        let phrase = passphrase.unwrap_or_default();
        let length = phrase.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), phrase.get(..length)) {
            to.copy_from_slice(from);
        }
        Ok(length)
    });
    found.map_err(|_| match (is_encrypted, passphrase) {
        (true, None) => Error::Missing(format!("{} is encrypted: --passphrase-file", path.display())),
        (true, Some(_)) => Error::Mismatch(format!("{}: the pass phrase does not fit", path.display())),
        (false, _) => Error::NotA { path: path.to_owned(), what: "private key in PEM" },
    })
}

/// The first line of a file.
pub(super) fn passphrase(path: Option<&Path>) -> Result<Option<Vec<u8>>, Error> {
    let Some(path) = path else { return Ok(None) };
    let text = read(path)?;
    let line = text.split(|b| *b == b'\n').next().unwrap_or_default();
    if line.is_empty() {
        return Err(Error::Missing(format!("{}: the first line is empty", path.display())));
    }
    Ok(Some(line.to_vec()))
}

/// Largest PEM file, bytes.
const LIMIT: usize = 4 << 20;
/// Mode of keys.
pub(super) const SECRET: u32 = 0o600;
/// Mode of everything else.
pub(super) const PUBLIC: u32 = 0o644;
