//! Lists of revoked certificates: `CRLFile`, `CRLPath`.

use openssl::x509::{X509, X509Crl};

use super::authorities::has_list;
use super::causes::{Cause, Sides};
use super::pairs::seconds_until;
use super::subject::{LARGEST, Subject, path_of};
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
        let text = format!("there is no list of {name}");
        let mend = match option {
            "CRLFile" => format!("add its list to {}", place.display()),
            _ => format!("put its list into the directory: tlscheck --rehash {}", place.display()),
        };
        causes.push(Cause::new("crl-missing", Sides::BOTH, option, text).about(place).mend(mend));
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
