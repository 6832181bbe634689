//! Lists of revoked certificates: `CRLFile`, `CRLPath`.

use std::path::Path;

use bytes::Bytes;
use openssl::x509::{CrlStatus, X509, X509Crl};

use super::authorities::has_list;
use super::causes::{Cause, Sides};
use super::pairs::seconds_until;
use super::subject::{LARGEST, Subject, path_of};
use crate::net::tls::Role;
use crate::sys::file::read_following;
use crate::sys::safefile::Purpose;

/// The lists, and whether every authority of `CACertFile` has one.
pub(super) fn look(subject: &Subject<'_>, causes: &mut Vec<Cause>) {
    let options = &subject.config.options;
    let mut lists = Vec::new();
    if let Some(file) = &options.crl_file {
        let Some(text) = subject.read(file, Purpose::Certificate, "CRLFile", Sides::BOTH, causes) else { return };
        lists = in_pem(&text);
        if lists.is_empty() {
            let text = "holds no list of revoked certificates in PEM form";
            let mend = format!(
                "openssl crl -inform DER -in {0} -out {0}.pem, if it is one in DER form",
                path_of(file).display()
            );
            let cause = Cause::new("file-not-pem", Sides::BOTH, "CRLFile", text);
            return causes.push(cause.about(path_of(file)).mend(mend));
        }
        for list in lists.iter().filter(|list| has_ended(subject, list)) {
            let ended = list.next_update().map(ToString::to_string).unwrap_or_default();
            let cause = Cause::new("crl-expired", Sides::BOTH, "CRLFile", format!("its next issue was due on {ended}"));
            let mend = "fetch the new one from the authority (openssl ca -gencrl there)";
            causes.push(cause.about(path_of(file)).mend(mend));
        }
    }
    let directory = options.crl_path.as_ref().map(path_of);
    if lists.is_empty() && directory.is_none() {
        return;
    }
    for (role, sides) in [(Role::Server, Sides::SERVER), (Role::Client, Sides::CLIENT)] {
        for file in subject.identity(role).0 {
            revoked(&lists, file, role, sides, causes);
        }
    }
    let authorities =
        options.ca_cert_file.as_ref().map(|file| read_following(&path_of(file), LARGEST).unwrap_or_default());
    for authority in X509::stack_from_pem(&authorities.unwrap_or_default()).unwrap_or_default() {
        let is_listed = lists.iter().any(|list| same_name(list, &authority));
        if is_listed || directory.as_ref().is_some_and(|directory| has_list(directory, &authority)) {
            continue;
        }
        let name = crate::sys::openssl_extra::one_line(authority.subject_name()).unwrap_or_default();
        let option = if options.crl_file.is_some() { "CRLFile" } else { "CRLPath" };
        let place = options.crl_file.as_ref().or(options.crl_path.as_ref()).map(path_of).unwrap_or_default();
        // A directory that is not there, or a list that no link leads to, was told.
        let is_told = |c: &Cause| match c.row.id {
            "directory-missing" => c.file.as_ref() == Some(&place),
            "ca-link-missing" => c.option == "CRLPath" && c.file.as_ref().is_some_and(|file| is_of(file, &authority)),
            _ => false,
        };
        if option == "CRLPath" && causes.iter().any(is_told) {
            continue;
        }
        let text = format!("there is no list of {name}");
        let mend = match option {
            "CRLFile" => format!("add its list to {}", place.display()),
            _ => format!("put its list into the directory: tlscheck --rehash {}", place.display()),
        };
        causes.push(Cause::new("crl-missing", Sides::BOTH, option, text).about(place).mend(mend));
    }
}

fn is_of(file: &Path, authority: &X509) -> bool {
    in_pem(&read_following(file, LARGEST).unwrap_or_default()).iter().any(|list| same_name(list, authority))
}

fn revoked(lists: &[X509Crl], file: &Bytes, role: Role, sides: Sides, causes: &mut Vec<Cause>) {
    // What cannot be read was told.
    let text = read_following(&path_of(file), LARGEST).unwrap_or_default();
    let Ok(certificate) = X509::from_pem(&text) else { return };
    let is_revoked = |list: &&X509Crl| {
        let by_issuer = list.issuer_name().to_der().ok() == certificate.issuer_name().to_der().ok();
        by_issuer && matches!(list.get_by_cert(&certificate), CrlStatus::Revoked(_))
    };
    if lists.iter().any(|list| is_revoked(&list)) {
        let option = if role == Role::Server { "ServerCertFile" } else { "ClientCertFile" };
        let cause =
            Cause::new("certificate-revoked", sides, option, "is in the list of its authority").about(path_of(file));
        causes.push(cause.mend("make a new key and have a certificate made for it: certs newreq"));
    }
}

fn has_ended(subject: &Subject<'_>, list: &X509Crl) -> bool {
    list.next_update().and_then(|next| seconds_until(subject.now, next)).is_some_and(|left| left < 0)
}

fn same_name(list: &X509Crl, authority: &X509) -> bool {
    match (list.issuer_name().to_der(), authority.subject_name().to_der()) {
        (Ok(issuer), Ok(subject)) => issuer == subject,
        _ => false,
    }
}

/// All lists of a PEM file.
fn in_pem(text: &[u8]) -> Vec<X509Crl> {
    let starts: Vec<usize> = memchr::memmem::find_iter(text, BEGIN).collect();
    starts.iter().filter_map(|at| X509Crl::from_pem(text.get(*at..)?).ok()).collect()
}

const BEGIN: &[u8] = b"-----BEGIN X509 CRL-----";
