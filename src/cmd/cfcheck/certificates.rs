//! Keys, certificates, and the directory of CAs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::x509::{X509, X509Crl};

use super::Context;
use super::finding::{Finding, Place};
use crate::sys::file::{Dir, facts_of, read_following};
use crate::sys::safefile::{self, Fault, Purpose, Refusal};

/// Both pairs, then what lies in the directories.
pub(super) fn look(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let options = &context.config.options;
    for (certificates, keys, names) in [
        (&options.server_cert_file, &options.server_key_file, ("ServerCertFile", "ServerKeyFile")),
        (&options.client_cert_file, &options.client_key_file, ("ClientCertFile", "ClientKeyFile")),
    ] {
        for (nth, path) in certificates.iter().enumerate() {
            let certificate = certificate(context, names.0, path, findings);
            let key = keys.get(nth).and_then(|key| private_key(context, names.1, key, findings));
            if let (Some(certificate), Some(key)) = (certificate, key)
                && certificate.public_key().is_ok_and(|public| !public.public_eq(&key))
            {
                let place = place(context, names.1, keys.get(nth).unwrap_or(path));
                findings.push(
                    Finding::new("certificate-mismatch", place, format!("is not the key of {}", shown(path)))
                        .about(path_of(keys.get(nth).unwrap_or(path))),
                );
            }
        }
    }
    if let Some(path) = &options.ca_cert_file {
        certificate(context, "CACertFile", path, findings);
    }
    if let Some(path) = &options.ca_cert_path {
        links(context, path, findings);
    }
    if let Some(path) = &options.crl_file {
        revoked(context, path, findings);
    }
    ca_keys(context, findings);
}

/// A list of revoked certificates that cannot be read turns STARTTLS off.
fn revoked(context: &Context<'_>, path: &Bytes, findings: &mut Vec<Finding>) {
    let place = place(context, "CRLFile", path);
    let text = match safefile::open(&path_of(path), Purpose::Certificate, &context.judge) {
        Ok(_) => read_following(&path_of(path), LARGEST).unwrap_or_default(),
        Err(why) => {
            let text = format!("cannot be used: {why}");
            return findings.push(Finding::new("certificate-unreadable", place, text).about(path_of(path)));
        }
    };
    if X509Crl::from_pem(&text).is_err() {
        let text = "holds no list of revoked certificates in PEM form";
        findings.push(Finding::new("certificate-unreadable", place, text).about(path_of(path)));
    }
}

/// The first certificate of a file, judged.
fn certificate(context: &Context<'_>, option: &str, path: &Bytes, findings: &mut Vec<Finding>) -> Option<X509> {
    let place = place(context, option, path);
    let unreadable = |why: String| Finding::new("certificate-unreadable", place.clone(), why).about(path_of(path));
    match safefile::open(&path_of(path), Purpose::Certificate, &context.judge) {
        Ok(_) => {}
        Err(why @ Refusal::Rule(_)) => {
            let fix = "take the write permission away from all but the owner, also of the directories on the way";
            findings.push(unreadable(format!("is refused: {why}")).fix(fix));
        }
        Err(why) => {
            findings.push(unreadable(format!("cannot be used: {why}")));
            return None;
        }
    }
    let text = read_following(&path_of(path), LARGEST).unwrap_or_default();
    let Some(certificate) = X509::stack_from_pem(&text).ok().and_then(|all| all.into_iter().next()) else {
        findings.push(unreadable("holds no certificate in PEM form".to_owned()));
        return None;
    };
    let left = openssl::asn1::Asn1Time::from_unix(context.now.0)
        .and_then(|now| now.diff(certificate.not_after()))
        .map(|left| i64::from(left.days) * 86_400 + i64::from(left.secs));
    match left {
        Ok(left) if left < 0 => {
            let text = format!("ended on {}", certificate.not_after());
            findings.push(Finding::new("certificate-expired", place, text).about(path_of(path)));
        }
        Ok(left) if left <= context.soon => {
            let text = format!("ends on {}", certificate.not_after());
            findings.push(Finding::new("certificate-expiring", place, text).about(path_of(path)));
        }
        _ => {}
    }
    Some(certificate)
}

/// The private key of a file, judged.
fn private_key(
    context: &Context<'_>,
    option: &str,
    path: &Bytes,
    findings: &mut Vec<Finding>,
) -> Option<PKey<Private>> {
    let place = place(context, option, path);
    let finding = |id: &str, text: String| Finding::new(id, place.clone(), text).about(path_of(path));
    match safefile::open(&path_of(path), Purpose::Key, &context.judge) {
        Ok(_) => {}
        Err(why @ Refusal::Rule(fault)) => {
            let fix = match fault {
                Fault::GroupReadableFile => {
                    "chmod 600, or add GroupReadableKeyFile to DontBlameSendmail when a group has to read it"
                }
                Fault::WorldReadableFile | Fault::WorldWritableFile | Fault::GroupWritableFile => "chmod 600",
                _ => "take the write permission away from the directories on the way",
            };
            findings.push(finding("key-unsafe", format!("is refused: {why}")).fix(fix));
        }
        Err(why) => {
            findings.push(finding("key-unreadable", format!("cannot be used: {why}")));
            return None;
        }
    }
    let text = read_following(&path_of(path), LARGEST).unwrap_or_default();
    if is_encrypted(&text) {
        let fix = format!("openssl pkey -in {} -out NEW", shown(path));
        findings.push(finding("key-encrypted", "asks for a pass phrase".to_owned()).fix(fix));
        return None;
    }
    let Ok(key) = PKey::private_key_from_pem(&text) else {
        findings.push(finding("key-unreadable", "holds no private key in PEM form".to_owned()));
        return None;
    };
    if let Some((bits, least)) = too_short(&key, security_level(context)) {
        let text = format!("has {bits} bits; OpenSSL wants {least}");
        findings.push(finding("key-weak", text).fix("make a new key and have a certificate made for it"));
    }
    Some(key)
}

fn is_encrypted(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

/// Bits of a key that is shorter than a security level of OpenSSL allows, and the least it allows.
fn too_short(key: &PKey<Private>, level: u32) -> Option<(u32, u32)> {
    let curve = matches!(key.id(), Id::EC);
    let least = match (level, curve) {
        (0, _) => return None,
        (1, false) => 1024,
        (1, true) => 160,
        (2, false) => 2048,
        (2, true) => 224,
        (3, false) => 3072,
        (3, true) => 256,
        (_, false) => 7680,
        (_, true) => 384,
    };
    let counts = curve || matches!(key.id(), Id::RSA | Id::DSA);
    (counts && key.bits() < least).then(|| (key.bits(), least))
}

/// `@SECLEVEL=` of CipherList; 2 without it, as distributions set it.
fn security_level(context: &Context<'_>) -> u32 {
    let list = context.config.options.cipher_list.as_ref().map(|list| String::from_utf8_lossy(list).into_owned());
    let level = list.as_deref().and_then(|list| list.split("@SECLEVEL=").nth(1)?.chars().next()?.to_digit(10));
    level.unwrap_or(2)
}

/// Names in `CACertPath` that only an old OpenSSL looks for.
fn links(context: &Context<'_>, path: &Bytes, findings: &mut Vec<Finding>) {
    let directory = path_of(path);
    let place = place(context, "CACertPath", path);
    let entries = match Dir::open(&directory).and_then(|dir| dir.entries()) {
        Ok(entries) => entries,
        Err(why) => {
            let text = format!("cannot be used: {}", safefile::error_text(&why));
            return findings.push(Finding::new("certificate-unreadable", place, text).about(directory));
        }
    };
    let names: Vec<String> = entries.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let mut old: Vec<&String> = names.iter().filter(|name| is_old_link(&directory, name, &names)).collect();
    old.sort();
    for name in old {
        findings.push(
            Finding::new(
                "ca-link-old-hash",
                place.clone(),
                "has the name that OpenSSL before 1.0 looked for, and no other",
            )
            .about(directory.join(name))
            .fix(format!("openssl rehash {}", directory.display())),
        );
    }
}

/// Whether `name` is the old hash of its certificate, and no name is the new one.
fn is_old_link(directory: &Path, name: &str, names: &[String]) -> bool {
    let Some((stem, number)) = name.split_once('.') else { return false };
    let is_hash = stem.len() == 8 && stem.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_hash || number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let text = read_following(&directory.join(name), LARGEST).unwrap_or_default();
    let Ok(certificate) = X509::from_pem(&text) else { return false };
    let Some(old) = old_hash(&certificate) else { return false };
    let new = format!("{:08x}.", certificate.subject_name_hash());
    stem.eq_ignore_ascii_case(&format!("{old:08x}")) && !names.iter().any(|name| name.starts_with(&new))
}

/// The hash of a subject before OpenSSL 1.0: MD5 of its DER form, the first four bytes, the lowest first.
fn old_hash(certificate: &X509) -> Option<u32> {
    let der = certificate.subject_name().to_der().ok()?;
    let digest = hash(MessageDigest::from_nid(Nid::MD5)?, &der).ok()?;
    Some(u32::from_le_bytes(digest.get(..4)?.try_into().ok()?))
}

/// Private keys beside the certificates that are the key of a CA of `CACertFile` or that have its usual name.
fn ca_keys(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let options = &context.config.options;
    let Some(authorities) = &options.ca_cert_file else { return };
    let text = read_following(&path_of(authorities), LARGEST).unwrap_or_default();
    let authorities: Vec<X509> = X509::stack_from_pem(&text).unwrap_or_default();
    let own: Vec<PathBuf> = options.server_key_file.iter().chain(&options.client_key_file).map(path_of).collect();
    let mut directories: Vec<PathBuf> = options.ca_cert_path.iter().map(path_of).collect();
    directories.extend(options.ca_cert_file.iter().filter_map(|path| path_of(path).parent().map(Path::to_owned)));
    directories.sort();
    directories.dedup();
    for directory in directories {
        // A directory that cannot be read has been reported, or holds nothing that is asked for.
        let entries = Dir::open(&directory).and_then(|dir| dir.entries()).unwrap_or_default();
        for path in entries.iter().take(MANY).map(|name| directory.join(name)).filter(|path| !own.contains(path)) {
            if !facts_of(&path).is_ok_and(|facts| facts.is_regular()) {
                continue;
            }
            let text = read_following(&path, LARGEST).unwrap_or_default();
            let is_key = String::from_utf8_lossy(&text).contains("PRIVATE KEY-----");
            let named = path.file_name() == Some(OsStr::new("cakey.pem"));
            let key = PKey::private_key_from_pem(&text).ok().filter(|_| is_key && !is_encrypted(&text));
            let of_authority = key.is_some_and(|key| {
                authorities
                    .iter()
                    .any(|ca| is_authority(ca) && ca.public_key().is_ok_and(|public| public.public_eq(&key)))
            });
            if of_authority || (is_key && named) {
                let place = context.source.option("CACertFile").map(|(line, _)| context.source.whole(line));
                findings.push(
                    Finding::new("ca-key-beside-certificates", place, "is the private key of a CA")
                        .about(path)
                        .fix("move it to the machine that signs"),
                );
            }
        }
    }
}

/// Whether a certificate signs others. One that is its own issuer and nobody else's is a server's, signed by itself.
fn is_authority(certificate: &X509) -> bool {
    let text = certificate.to_text().unwrap_or_default();
    String::from_utf8_lossy(&text).contains("CA:TRUE")
}

fn place(context: &Context<'_>, option: &str, path: &Bytes) -> Option<Place> {
    let (line, _) = context.source.option(option)?;
    Some(context.source.place(line, &shown(path)))
}

fn path_of(path: &Bytes) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(path))
}

fn shown(path: &Bytes) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// Largest PEM file that is read, bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// Most files of a directory that are looked at.
const MANY: usize = 4096;
