//! Authorities: those of `CACertFile`, those found by hash in `CACertPath`, and keys that should not be here.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use openssl::pkey::PKey;
use openssl::x509::X509;

use super::causes::{Cause, Sides};
use super::pairs::{certificates, is_encrypted, time};
use super::subject::{LARGEST, Subject, path_of, relative};
use crate::net::tls::hash_directory::{Kind, LinkName, certificate_hashes, identify};
use crate::sys::file::{self, Dir, read_following};
use crate::sys::safefile::{self, Purpose, Refusal};

/// Both, and what lies beside them.
pub(super) fn look(subject: &Subject<'_>, causes: &mut Vec<Cause>) {
    let options = &subject.config.options;
    let mut authorities = Vec::new();
    if let Some(file) = &options.ca_cert_file {
        authorities = certificates(subject, file, "CACertFile", Sides::BOTH, causes).unwrap_or_default();
        for certificate in authorities.iter().take(1) {
            time(subject, certificate, file, "CACertFile", Sides::BOTH, causes);
        }
        names(file, &authorities, causes);
    }
    if let Some(path) = &options.ca_cert_path {
        directory(subject, path, "CACertPath", causes);
    }
    if let Some(path) = &options.crl_path {
        directory(subject, path, "CRLPath", causes);
    }
    keys(subject, &authorities, causes);
}

/// Whether the names that a server sends are too many for old clients. Source: requirements (55 certificates were too many,
/// 13 were not; a list of 16 KiB does not fit into one record).
fn names(file: &Bytes, authorities: &[X509], causes: &mut Vec<Cause>) {
    let bytes: usize = authorities.iter().filter_map(|ca| ca.subject_name().to_der().ok()).map(|der| der.len()).sum();
    if authorities.len() <= MOST_NAMES && bytes <= MOST_NAME_BYTES {
        return;
    }
    let text = format!("{} names, {bytes} bytes", authorities.len());
    let cause = Cause::new("ca-names-too-many", Sides::SERVER, "CACertFile", text).about(path_of(file));
    causes.push(
        cause.mend("leave there those that sign your clients, move the others to CACertPath: tlscheck --rehash DIR"),
    );
}

/// Links that are not found any more, and files that no link leads to.
fn directory(subject: &Subject<'_>, path: &Bytes, option: &'static str, causes: &mut Vec<Cause>) {
    let directory = path_of(path);
    let cause = |id, text: String| Cause::new(id, Sides::BOTH, option, text);
    if !directory.is_absolute() {
        return causes.push(relative(&directory, option, Sides::BOTH));
    }
    let entries = match Dir::open(&directory).and_then(|dir| dir.entries()) {
        Ok(entries) => entries,
        Err(why) => {
            let mend = match directory.parent().filter(|_| why.raw_os_error() == Some(libc::ENOTDIR)) {
                Some(parent) => format!("O {option}={}", parent.display()),
                None => format!("mkdir -m 755 {}", directory.display()),
            };
            let cause = cause("directory-missing", safefile::error_text(&why));
            return causes.push(cause.about(directory).mend(mend));
        }
    };
    if let Err(Refusal::Rule(fault)) = safefile::check(&directory.join("x"), Purpose::Certificate, &subject.judge)
        && !causes.iter().any(|c| c.row.id == "directory-unsafe")
    {
        let mend = format!("chmod go-w {}", directory.display());
        causes.push(cause("ca-directory-open", fault.text().to_owned()).about(&directory).mend(mend));
    }
    let mend = format!("tlscheck --rehash {}", directory.display());
    let mut names: Vec<&str> = entries.iter().filter_map(|name| name.to_str()).take(MANY).collect();
    names.sort_unstable();
    // One that leads nowhere, or to another certificate, is none.
    let leads = |link: &LinkName, name: &str| {
        let text = read_following(&directory.join(name), LARGEST).unwrap_or_default();
        identify(&text).is_some_and(|(kind, h)| kind == link.kind && (link.hash == h.current || link.hash == h.old))
    };
    let links: BTreeSet<(u32, Kind)> = names
        .iter()
        .filter_map(|name| LinkName::parse(name).filter(|link| leads(link, name)))
        .map(|link| (link.hash, link.kind))
        .collect();
    let mut is_told = BTreeSet::new();
    for name in &names {
        let text = read_following(&directory.join(name), LARGEST).unwrap_or_default();
        let Some((kind, hashes)) = identify(&text) else { continue };
        // Certificates of hosts may lie here too; only authorities are looked for.
        let is_wanted = kind == Kind::List || X509::from_pem(&text).is_ok_and(|c| is_authority(&c));
        if links.contains(&(hashes.current, kind)) || !is_wanted || !is_told.insert((hashes.current, kind)) {
            continue;
        }
        let old = LinkName { hash: hashes.old, kind, number: 0 };
        let (id, file, text) = if links.contains(&(hashes.old, kind)) {
            let text = "has the name that OpenSSL before 1.0 looked for, and no other";
            ("ca-link-old-hash", directory.join(old.to_string()), text.to_owned())
        } else {
            let wanted = LinkName { hash: hashes.current, kind, number: 0 };
            ("ca-link-missing", directory.join(name), format!("no link {wanted} leads to it"))
        };
        causes.push(cause(id, text).about(file).mend(mend.clone()));
    }
}

/// Private keys beside the certificates that are the key of an authority of `CACertFile` or that have its usual name.
fn keys(subject: &Subject<'_>, authorities: &[X509], causes: &mut Vec<Cause>) {
    let options = &subject.config.options;
    if authorities.is_empty() {
        return;
    }
    let own: Vec<PathBuf> = options.server_key_file.iter().chain(&options.client_key_file).map(path_of).collect();
    let mut directories: Vec<PathBuf> = options.ca_cert_path.iter().map(path_of).collect();
    directories.extend(options.ca_cert_file.iter().filter_map(|path| path_of(path).parent().map(Path::to_owned)));
    directories.sort();
    directories.dedup();
    for directory in directories {
        // A directory that cannot be read has been reported, or holds nothing that is asked for.
        let entries = Dir::open(&directory).and_then(|dir| dir.entries()).unwrap_or_default();
        for path in entries.iter().take(MANY).map(|name| directory.join(name)).filter(|path| !own.contains(path)) {
            if file::facts_of(&path).is_ok_and(|facts| facts.is_regular()) && is_key_of_authority(&path, authorities) {
                let mend = format!("move it to the machine that signs: mv {} ELSEWHERE", path.display());
                let cause = Cause::new("ca-key-beside", Sides::BOTH, "CACertFile", "is the private key of a CA");
                causes.push(cause.about(path).mend(mend));
            }
        }
    }
}

fn is_key_of_authority(path: &Path, authorities: &[X509]) -> bool {
    let text = read_following(path, LARGEST).unwrap_or_default();
    if !String::from_utf8_lossy(&text).contains("PRIVATE KEY-----") {
        return false;
    }
    if path.file_name() == Some(OsStr::new("cakey.pem")) {
        return true;
    }
    let Some(key) = PKey::private_key_from_pem(&text).ok().filter(|_| !is_encrypted(&text)) else { return false };
    authorities.iter().any(|ca| is_authority(ca) && ca.public_key().is_ok_and(|public| public.public_eq(&key)))
}

/// Whether a certificate signs others. One that is its own issuer and nobody else's is a server's, signed by itself.
pub(super) fn is_authority(certificate: &X509) -> bool {
    let text = certificate.to_text().unwrap_or_default();
    String::from_utf8_lossy(&text).contains("CA:TRUE")
}

/// Whether a directory has a file for this hash.
pub(super) fn has_list(directory: &Path, issuer: &X509) -> bool {
    let Ok(hashes) = certificate_hashes(issuer) else { return false };
    let name = LinkName { hash: hashes.current, kind: Kind::List, number: 0 }.to_string();
    read_following(&directory.join(name), LARGEST).is_ok()
}

/// Names that clients were seen to take.
const MOST_NAMES: usize = 50;
/// Bytes of names that fit into one record.
const MOST_NAME_BYTES: usize = 16 * 1024;
/// Most files of a directory that are looked at.
const MANY: usize = 4096;
