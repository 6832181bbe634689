//! `install`: authority, certificate and key to where the configuration reads them.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use openssl::x509::X509VerifyResult;

use super::files::{PUBLIC, SECRET};
use super::{Error, Install, files, make, rehash};
use crate::sys::{file, user};

/// Checks that the three belong together, copies them, sets modes and group, and links the authority by its hash.
pub(super) fn install(order: &Install, out: &mut dyn Write) -> Result<(), Error> {
    let ca = files::certificate(&order.ca)?;
    let certificate = files::certificate(&order.cert)?;
    let key = files::key(&order.key, None)?;
    make::belong_together(&certificate, &key, [&order.cert, &order.key])?;
    let is_signed = ca.issued(&certificate) == X509VerifyResult::OK && certificate.verify(&*ca.public_key()?)?;
    if !is_signed {
        let (cert, ca) = (order.cert.display(), order.ca.display());
        return Err(Error::Mismatch(format!("{cert} was not signed by {ca}")));
    }
    let gid = order.group.as_ref().map(|name| group(name)).transpose()?;
    let name = match &order.name {
        Some(name) => name.clone(),
        None => short_name(&certificate)?,
    };
    files::make_directory(&order.to, 0o755)?;
    let paths = [
        order.to.join("cacert.pem"),
        order.to.join(format!("{name}-cert.pem")),
        order.to.join(format!("{name}-key.pem")),
    ];
    let [ca_path, cert_path, key_path] = &paths;
    files::write(ca_path, &files::read(&order.ca)?, PUBLIC, true)?;
    files::write(cert_path, &files::read(&order.cert)?, PUBLIC, true)?;
    put_key(key_path, &key.private_key_to_pem_pkcs8()?, gid)?;
    for path in &paths {
        show(path, order.group.as_deref().filter(|_| path == key_path), out)?;
    }
    rehash::rehash(&order.to, false, out)?;
    tell_options(&order.to, &paths, gid.is_some(), out)?;
    Ok(())
}

/// First for its owner alone; the group is set before the mode lets it in.
fn put_key(path: &Path, pem: &[u8], gid: Option<u32>) -> Result<(), Error> {
    let Some(gid) = gid else { return files::write(path, pem, SECRET, true) };
    files::write(path, pem, SECRET, true)?;
    let opened: File = file::open_read(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    let own = user::effective_uid();
    file::set_owner(&opened, own, gid)
        .and_then(|()| file::set_mode(&opened, 0o640))
        .map_err(|source| Error::File { path: path.to_owned(), source })
}

fn group(name: &str) -> Result<u32, Error> {
    let found = user::group(name.as_bytes())?;
    found.ok_or_else(|| Error::Missing(format!("there is no group {name}")))
}

/// The first label of the certificate's first name.
fn short_name(certificate: &openssl::x509::X509) -> Result<String, Error> {
    let name = make::names_of(certificate).into_iter().next().unwrap_or_default();
    let label: String = name.split('.').next().unwrap_or_default().to_owned();
    let is_plain = !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if is_plain { Ok(label) } else { Err(Error::Missing("a name for the files is needed: --name".to_owned())) }
}

fn show(path: &Path, group: Option<&str>, out: &mut dyn Write) -> Result<(), Error> {
    let facts = file::facts_of(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    let group = group.map(|g| format!(" group {g}")).unwrap_or_default();
    writeln!(out, "{:04o}{group} {}", facts.permissions(), path.display())?;
    Ok(())
}

/// The lines for the configuration.
fn tell_options(directory: &Path, paths: &[PathBuf; 3], is_shared: bool, out: &mut dyn Write) -> Result<(), Error> {
    let [ca, certificate, key] = paths.each_ref().map(|p| p.display());
    writeln!(out, "\nFor sendmail.cf and submit.cf:\n")?;
    writeln!(out, "O CACertPath={}\nO CACertFile={ca}", directory.display())?;
    writeln!(out, "O ServerCertFile={certificate}\nO ServerKeyFile={key}")?;
    writeln!(out, "O ClientCertFile={certificate}\nO ClientKeyFile={key}")?;
    if is_shared {
        writeln!(out, "O DontBlameSendmail=GroupReadableKeyFile")?;
    }
    Ok(())
}
