//! Certificates with their keys.

use std::ffi::OsString;

use bytes::Bytes;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Private};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509PurposeId, X509StoreContext, X509VerifyResult};

use super::authorities::is_authority;
use super::causes::{Cause, Sides};
use super::subject::{LARGEST, Subject, path_of};
use crate::base::time::UnixTime;
use crate::net::tls::Role;
use crate::sys::file::{Dir, read_following};
use crate::sys::openssl_extra;
use crate::sys::safefile::Purpose;

/// Both sides.
pub(super) fn look(subject: &Subject<'_>, causes: &mut Vec<Cause>) {
    for role in [Role::Server, Role::Client] {
        let (certificates, keys) = subject.identity(role);
        for (nth, file) in certificates.iter().enumerate() {
            pair(subject, role, file, keys.get(nth), causes);
        }
    }
}

fn pair(subject: &Subject<'_>, role: Role, file: &Bytes, key_file: Option<&Bytes>, causes: &mut Vec<Cause>) {
    let (sides, option, key_option) = match role {
        Role::Server => (Sides::SERVER, "ServerCertFile", "ServerKeyFile"),
        Role::Client => (Sides::CLIENT, "ClientCertFile", "ClientKeyFile"),
    };
    if let Some(key_file) = key_file.filter(|key_file| are_exchanged(file, key_file)) {
        let text = format!("holds a private key, and {} the certificate", shown(key_file));
        let cause = Cause::new("file-not-pem", sides, option, text).about(path_of(file));
        return causes.push(cause.mend(format!("exchange the names: O {option}={}", shown(key_file))));
    }
    let chain = certificates(subject, file, option, sides, causes).unwrap_or_default();
    let certificate = chain.first().cloned();
    if let Some(certificate) = &certificate {
        time(subject, certificate, file, option, sides, causes);
        let fault = |text: String| Cause::new("certificate-purpose", sides, option, text).about(path_of(file));
        if let Some(why) = unfit(certificate, role) {
            let usage = if role == Role::Server { "serverAuth" } else { "clientAuth" };
            let mend = format!("have it signed again with extended key usage {usage} (certs sign gives both)");
            causes.push(fault(format!("{why} for a {}", role.word())).mend(mend));
        }
        if role == Role::Server && certificate.subject_alt_names().is_none() && !is_authority(certificate) {
            let cause = Cause::new("certificate-nameless", sides, option, "has no subject alternative name");
            let mend = "have it signed again with the name of this host (certs sign adds it)";
            causes.push(cause.about(path_of(file)).mend(mend));
        }
        if let Some(issuer) = missing_issuer(subject, &chain) {
            let text =
                format!("neither the file nor the authorities have the certificate of {issuer}, which signed it");
            let cause = Cause::new("chain-incomplete", sides, option, text).about(path_of(file));
            causes.push(cause.mend(format!("append the certificate of the authority: cat ISSUER >>{}", shown(file))));
        }
    }
    let Some(key_file) = key_file else { return };
    let key = private_key(subject, key_file, key_option, sides, causes);
    let weak = |text: String, option, file| {
        let mend = "make a new key and have a certificate made for it: certs newreq";
        Cause::new("certificate-weak", sides, option, text).about(path_of(file)).mend(mend)
    };
    if let (Some(certificate), Some(key)) = (&certificate, &key)
        && certificate.public_key().is_ok_and(|public| !public.public_eq(key))
    {
        let is_later = chain.iter().skip(1).any(|c| c.public_key().is_ok_and(|public| public.public_eq(key)));
        let (text, mend) = if is_later {
            let text = format!("its certificate is not the first one in {}", shown(file));
            (text, format!("put the certificate of this host first in {}", shown(file)))
        } else {
            let mend = "openssl pkey -pubout shows whose it is; install the pair again: certs install";
            (format!("is not the key of {}", shown(file)), mend.to_owned())
        };
        let cause = Cause::new("key-mismatch", sides, key_option, text).about(path_of(key_file));
        causes.push(cause.mend(mend));
    }
    // The key tells for both; without it the certificate does.
    let public = || certificate.as_ref().and_then(|certificate| certificate.public_key().ok());
    match &key {
        Some(key) => causes.extend(too_short(subject, key).map(|text| weak(text, key_option, key_file))),
        None => causes.extend(public().and_then(|key| too_short(subject, &key)).map(|text| weak(text, option, file))),
    }
}

/// Whether each holds what the other should.
fn are_exchanged(certificate: &Bytes, key: &Bytes) -> bool {
    let holds = |file: &Bytes, what: &str| {
        let text = read_following(&path_of(file), LARGEST).unwrap_or_default();
        String::from_utf8_lossy(&text).contains(what)
    };
    let (is_certificate, is_key) = ("BEGIN CERTIFICATE-----", "PRIVATE KEY-----");
    holds(certificate, is_key)
        && !holds(certificate, is_certificate)
        && holds(key, is_certificate)
        && !holds(key, is_key)
}

/// Name of who signed the first certificate, when nothing here has the certificate of that one.
fn missing_issuer(subject: &Subject<'_>, chain: &[X509]) -> Option<String> {
    let first = chain.first()?;
    let is_issuer = |other: &X509| other.issued(first) == X509VerifyResult::OK;
    let options = &subject.config.options;
    // Without authorities nothing can be said.
    let known = options.ca_cert_file.as_ref()?;
    let known = X509::stack_from_pem(&read_following(&path_of(known), LARGEST).unwrap_or_default()).unwrap_or_default();
    if known.is_empty() || chain.iter().chain(&known).any(is_issuer) {
        return None;
    }
    if let Some(directory) = &options.ca_cert_path {
        let directory = path_of(directory);
        let entries = Dir::open(&directory).and_then(|dir| dir.entries()).unwrap_or_default();
        let read = |name: &OsString| read_following(&directory.join(name), LARGEST).unwrap_or_default();
        // Links that are missing are another cause.
        if entries.iter().take(MANY).any(|name| X509::from_pem(&read(name)).is_ok_and(|other| is_issuer(&other))) {
            return None;
        }
    }
    openssl_extra::one_line(first.issuer_name()).ok()
}

/// All certificates of a file; `None` when there is none, which was told.
pub(super) fn certificates(
    subject: &Subject<'_>,
    file: &Bytes,
    option: &'static str,
    sides: Sides,
    causes: &mut Vec<Cause>,
) -> Option<Vec<X509>> {
    let text = subject.read(file, Purpose::Certificate, option, sides, causes)?;
    let found = X509::stack_from_pem(&text).ok().filter(|all| !all.is_empty());
    if found.is_none() {
        let mend = format!("openssl x509 -inform DER -in {0} -out {0}.pem, if it is one in DER form", shown(file));
        let cause = Cause::new("file-not-pem", sides, option, "holds no certificate in PEM form");
        causes.push(cause.about(path_of(file)).mend(mend));
    }
    found
}

/// The key of a file; `None` when it cannot be used, which was told.
fn private_key(
    subject: &Subject<'_>,
    file: &Bytes,
    option: &'static str,
    sides: Sides,
    causes: &mut Vec<Cause>,
) -> Option<PKey<Private>> {
    let text = subject.read(file, Purpose::Key, option, sides, causes)?;
    let shown = shown(file);
    if is_encrypted(&text) {
        let mend = format!("openssl pkey -in {shown} -out {shown}.new; chmod 600 {shown}.new; mv {shown}.new {shown}");
        let cause = Cause::new("key-encrypted", sides, option, "asks for a pass phrase");
        causes.push(cause.about(path_of(file)).mend(mend));
        return None;
    }
    let key = PKey::private_key_from_pem(&text).ok();
    if key.is_none() {
        let cause = Cause::new("file-not-pem", sides, option, "holds no private key in PEM form");
        causes.push(cause.about(path_of(file)).mend("make a key and a request for a certificate: certs newreq"));
    }
    key
}

/// Whether a certificate is valid now, and for how long.
pub(super) fn time(
    subject: &Subject<'_>,
    certificate: &X509,
    file: &Bytes,
    option: &'static str,
    sides: Sides,
    causes: &mut Vec<Cause>,
) {
    let cause = |id, text: String| {
        let mend = "renew it: certs sign, or the authority that signed it";
        Cause::new(id, sides, option, text).about(path_of(file)).mend(mend)
    };
    let since = seconds_until(subject.now, certificate.not_before());
    match seconds_until(subject.now, certificate.not_after()) {
        Some(left) if left < 0 => {
            causes.push(cause("certificate-expired", format!("ended on {}", certificate.not_after())));
        }
        Some(left) if left <= subject.soon => {
            causes.push(cause("certificate-expiring", format!("ends on {}", certificate.not_after())));
        }
        _ => {}
    }
    if since.is_some_and(|since| since > 0) {
        let text = format!("is valid from {} on", certificate.not_before());
        causes.push(cause("certificate-not-yet", text).mend("date shows whether the clock is right"));
    }
}

/// Seconds until a time; negative when it has passed.
pub(super) fn seconds_until(now: UnixTime, time: &Asn1TimeRef) -> Option<i64> {
    let left = Asn1Time::from_unix(now.0).ok()?.diff(time).ok()?;
    Some(i64::from(left.days) * 86_400 + i64::from(left.secs))
}

/// Why a certificate is not for this use. Trusted itself and without a look at the clock, so that nothing else can fail.
fn unfit(certificate: &X509, role: Role) -> Option<String> {
    let purpose = if role == Role::Server { X509PurposeId::SSL_SERVER } else { X509PurposeId::SSL_CLIENT };
    let judged = || -> Result<X509VerifyResult, openssl::error::ErrorStack> {
        let mut parameters = X509VerifyParam::new()?;
        parameters.set_purpose(purpose)?;
        parameters.set_flags(X509VerifyFlags::PARTIAL_CHAIN | X509VerifyFlags::NO_CHECK_TIME)?;
        let mut store = X509StoreBuilder::new()?;
        store.set_param(&parameters)?;
        store.add_cert(certificate.clone())?;
        let mut context = X509StoreContext::new()?;
        let (store, none) = (store.build(), Stack::new()?);
        context.init(&store, certificate, &none, |context| {
            context.verify_cert()?;
            Ok(context.error())
        })
    };
    let result = judged().ok()?;
    (result.as_raw() == INVALID_PURPOSE).then(|| result.error_string().to_owned())
}

/// How much too short a key is for the security level.
fn too_short<T: HasPublic>(subject: &Subject<'_>, key: &PKeyRef<T>) -> Option<String> {
    let level = security_level(subject.config.options.cipher_list.as_deref());
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
    (counts && key.bits() < least).then(|| format!("has {} bits; OpenSSL wants {least}", key.bits()))
}

/// `@SECLEVEL=` of CipherList; 2 without it, as distributions set it.
fn security_level(list: Option<&[u8]>) -> u32 {
    let list = list.map(|list| String::from_utf8_lossy(list).into_owned());
    let level = list.as_deref().and_then(|list| list.split("@SECLEVEL=").nth(1)?.chars().next()?.to_digit(10));
    level.unwrap_or(2)
}

/// Whether a key in PEM form asks for a pass phrase.
pub(super) fn is_encrypted(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

fn shown(path: &Bytes) -> String {
    path_of(path).display().to_string()
}

/// Most files of a directory that are looked at.
const MANY: usize = 4096;
/// `X509_V_ERR_INVALID_PURPOSE` of x509_vfy.h.
const INVALID_PURPOSE: i32 = 26;
