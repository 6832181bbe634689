//! Keys, certificates, and the directory of CAs: what tlscheck finds, at its line.

use super::Context;
use super::finding::Finding;
use crate::cmd::tlscheck::{Cause, Subject, examine};

/// Every cause that is a fault of the configuration or its files.
pub(super) fn look(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let Context { config, judge, now, soon, .. } = *context;
    for cause in examine(&Subject { config, judge, reader: None, now, soon }) {
        let Some(id) = check_of(&cause) else { continue };
        let place = context.source.option(cause.option).map(|(line, value)| {
            let path = String::from_utf8_lossy(value).into_owned();
            context.source.place(line, &path)
        });
        let mut finding = Finding::new(id, place, cause.text).fix(cause.mend);
        finding.file = cause.file;
        findings.push(finding);
    }
}

/// The check that a cause belongs to. What only tlscheck tells has none.
fn check_of(cause: &Cause) -> Option<&'static str> {
    let is_key = matches!(cause.option, "ServerKeyFile" | "ClientKeyFile");
    Some(match (cause.row.id, is_key) {
        ("ca-key-beside", _) => "ca-key-beside-certificates",
        ("ca-link-old-hash", _) => "ca-link-old-hash",
        ("certificate-expired" | "certificate-not-yet", _) => "certificate-expired",
        ("certificate-expiring", _) => "certificate-expiring",
        ("certificate-weak", _) => "key-weak",
        ("key-encrypted", _) => "key-encrypted",
        ("key-mismatch", _) => "certificate-mismatch",
        ("key-unsafe", _) | ("directory-unsafe", true) => "key-unsafe",
        ("file-missing" | "file-unreadable" | "file-not-pem", true) => "key-unreadable",
        (id, false) if OF_CERTIFICATES.contains(&id) => "certificate-unreadable",
        _ => return None,
    })
}

/// Causes that keep a certificate, a list or a directory of them from being used.
const OF_CERTIFICATES: &[&str] =
    &["file-missing", "file-unreadable", "file-not-pem", "file-unsafe", "directory-unsafe", "directory-missing"];
