//! Keys, requests, certificates.

use std::io::Write;
use std::net::IpAddr;
use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{Asn1Flag, EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, PKeyRef, Private};
use openssl::rsa::Rsa;
use openssl::symm::Cipher;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Name, X509NameRef, X509Req, X509ReqRef};

use super::files::{PUBLIC, SECRET};
use super::{Error, NewAuthority, NewRequest, Sign, Subject, ask, files, names};

/// Kinds of keys. Smaller ones are refused by today's OpenSSL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum KeyKind {
    /// Elliptic curve P-256
    P256,
    /// Elliptic curve P-384
    P384,
    /// RSA, 2048 bits
    Rsa2048,
    /// RSA, 3072 bits
    Rsa3072,
    /// RSA, 4096 bits
    Rsa4096,
}

impl KeyKind {
    fn generate(self) -> Result<PKey<Private>, ErrorStack> {
        let curve = |nid| {
            let mut group = EcGroup::from_curve_name(nid)?;
            group.set_asn1_flag(Asn1Flag::NAMED_CURVE);
            PKey::from_ec_key(EcKey::generate(&group)?)
        };
        match self {
            Self::P256 => curve(Nid::X9_62_PRIME256V1),
            Self::P384 => curve(Nid::SECP384R1),
            Self::Rsa2048 => PKey::from_rsa(Rsa::generate(2048)?),
            Self::Rsa3072 => PKey::from_rsa(Rsa::generate(3072)?),
            Self::Rsa4096 => PKey::from_rsa(Rsa::generate(4096)?),
        }
    }
}

/// `newca`.
pub(super) fn authority(order: NewAuthority, out: &mut dyn Write) -> Result<(), Error> {
    let name = ask::needed(order.name, "Name of the authority", "--name", out)?;
    let passphrase = files::passphrase(order.passphrase_file.as_deref())?;
    let private = order.dir.join("private");
    files::make_directory(&order.dir, 0o755)?;
    files::make_directory(&private, 0o700)?;
    let key = order.key.generate()?;
    let pem = match &passphrase {
        Some(phrase) => key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), phrase)?,
        None => key.private_key_to_pem_pkcs8()?,
    };
    let name = full_name(&name, &order.subject)?;
    let certificate = authority_certificate(&name, &key, order.days)?;
    let (key_path, path) = (private.join("cakey.pem"), order.dir.join("cacert.pem"));
    files::write(&key_path, &pem, SECRET, false)?;
    files::write(&path, &certificate.to_pem()?, PUBLIC, false)?;
    writeln!(out, "{}: certificate of the authority; valid until {}", path.display(), certificate.not_after())?;
    writeln!(out, "{}: its key; keep it away from the mail hosts", key_path.display())?;
    Ok(())
}

/// `newreq`.
pub(super) fn request(order: NewRequest, out: &mut dyn Write) -> Result<(), Error> {
    let host = ask::needed(order.host, "Name of the host", "--host", out)?;
    for path in [&order.key_out, &order.out] {
        if !order.force && crate::sys::file::facts_of(path).is_ok() {
            return Err(Error::Exists(path.clone()));
        }
    }
    let names: Vec<String> = std::iter::once(host.clone()).chain(order.alternatives).collect();
    for name in &names {
        names::check(name)?;
    }
    let key = order.key.generate()?;
    let mut builder = X509Req::builder()?;
    builder.set_version(0)?;
    let name = full_name(&host, &order.subject)?;
    builder.set_subject_name(&name)?;
    builder.set_pubkey(&key)?;
    let extension = alternative_names(&names).build(&builder.x509v3_context(None))?;
    let mut extensions = openssl::stack::Stack::new()?;
    extensions.push(extension)?;
    builder.add_extensions(&extensions)?;
    builder.sign(&key, MessageDigest::sha256())?;
    files::write(&order.key_out, &key.private_key_to_pem_pkcs8()?, SECRET, order.force)?;
    files::write(&order.out, &builder.build().to_pem()?, PUBLIC, order.force)?;
    writeln!(out, "{}: key, not encrypted, for its owner only", order.key_out.display())?;
    writeln!(out, "{}: request for {}", order.out.display(), names.join(", "))?;
    Ok(())
}

/// `sign`.
pub(super) fn sign(order: &Sign, out: &mut dyn Write) -> Result<(), Error> {
    let passphrase = files::passphrase(order.passphrase_file.as_deref())?;
    let ca_path = order.dir.join("cacert.pem");
    let ca = files::certificate(&ca_path)?;
    let key = files::key(&order.dir.join("private/cakey.pem"), passphrase.as_deref())?;
    if !ca.public_key()?.public_eq(&key) {
        return Err(Error::Mismatch(format!("{} and its key do not belong together", ca_path.display())));
    }
    let request = files::request(&order.request)?;
    if !request.verify(&*request.public_key()?)? {
        return Err(Error::Mismatch(format!(
            "{}: the request is not signed with its own key",
            order.request.display()
        )));
    }
    let certificate = host_certificate(&request, &ca, &key, order.days)?;
    let mut pem = certificate.to_text()?;
    pem.extend(certificate.to_pem()?);
    files::write(&order.out, &pem, PUBLIC, order.force)?;
    let (path, names) = (order.out.display(), names_of(&certificate).join(", "));
    writeln!(out, "{path}: certificate for {names}; valid until {}", certificate.not_after())?;
    Ok(())
}

fn authority_certificate(name: &X509NameRef, key: &PKeyRef<Private>, days: u32) -> Result<X509, ErrorStack> {
    let mut builder = started(name, name, days)?;
    builder.set_pubkey(key)?;
    builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
    let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
    builder.append_extension(identifier)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

/// A mail host is server and client with the same certificate.
fn host_certificate(request: &X509ReqRef, ca: &X509, key: &PKeyRef<Private>, days: u32) -> Result<X509, ErrorStack> {
    let mut builder = started(request.subject_name(), ca.subject_name(), days)?;
    let public = request.public_key()?;
    builder.set_pubkey(&public)?;
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    let mut usage = KeyUsage::new();
    usage.critical().digital_signature();
    if public.id() == Id::RSA {
        usage.key_encipherment();
    }
    builder.append_extension(usage.build()?)?;
    builder.append_extension(ExtendedKeyUsage::new().server_auth().client_auth().build()?)?;
    let context = builder.x509v3_context(Some(ca), None);
    let extensions = [
        alternative_names(&wanted_names(request)?).build(&context)?,
        SubjectKeyIdentifier::new().build(&context)?,
        AuthorityKeyIdentifier::new().keyid(false).build(&context)?,
    ];
    for extension in extensions {
        builder.append_extension(extension)?;
    }
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

fn started(name: &X509NameRef, issuer: &X509NameRef, days: u32) -> Result<X509Builder, ErrorStack> {
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(SERIAL_BITS, MsbOption::MAYBE_ZERO, false)?;
    let serial = serial.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(name)?;
    builder.set_issuer_name(issuer)?;
    let (from, until) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(days)?);
    builder.set_not_before(&from)?;
    builder.set_not_after(&until)?;
    Ok(builder)
}

fn full_name(common: &str, subject: &Subject) -> Result<X509Name, ErrorStack> {
    let mut name = X509Name::builder()?;
    let parts = [
        (Nid::COUNTRYNAME, &subject.country),
        (Nid::STATEORPROVINCENAME, &subject.state),
        (Nid::LOCALITYNAME, &subject.locality),
        (Nid::ORGANIZATIONNAME, &subject.organization),
        (Nid::ORGANIZATIONALUNITNAME, &subject.unit),
    ];
    for (nid, value) in parts {
        if let Some(value) = value {
            name.append_entry_by_nid(nid, value)?;
        }
    }
    name.append_entry_by_nid(Nid::COMMONNAME, common)?;
    Ok(name.build())
}

fn alternative_names(names: &[String]) -> SubjectAlternativeName {
    let mut extension = SubjectAlternativeName::new();
    for name in names {
        if name.parse::<IpAddr>().is_ok() {
            extension.ip(name);
        } else {
            extension.dns(name);
        }
    }
    extension
}

/// The names that a request asks for; its common name when it names none.
fn wanted_names(request: &X509ReqRef) -> Result<Vec<String>, ErrorStack> {
    // Extensions of a request can be read once they stand in a certificate.
    let mut carrier = X509::builder()?;
    carrier.set_subject_name(request.subject_name())?;
    for extension in request.extensions().unwrap_or(openssl::stack::Stack::new()?) {
        carrier.append_extension(extension)?;
    }
    Ok(names_of(&carrier.build()))
}

/// Names of a certificate: alternative ones, or the common name.
pub(super) fn names_of(certificate: &X509) -> Vec<String> {
    let mut names = Vec::new();
    for name in certificate.subject_alt_names().iter().flatten() {
        if let Some(dns) = name.dnsname() {
            names.push(dns.to_owned());
        } else if let Some(ip) = name.ipaddress() {
            let ip = <[u8; 4]>::try_from(ip).map(IpAddr::from).or(<[u8; 16]>::try_from(ip).map(IpAddr::from));
            names.extend(ip.ok().map(|ip| ip.to_string()));
        }
    }
    if names.is_empty() {
        let common = certificate.subject_name().entries_by_nid(Nid::COMMONNAME);
        names.extend(common.filter_map(|e| e.data().to_string().ok()));
    }
    names
}

/// Whether a key is the one of a certificate.
pub(super) fn belong_together(certificate: &X509, key: &PKeyRef<Private>, paths: [&Path; 2]) -> Result<(), Error> {
    if certificate.public_key()?.public_eq(key) {
        return Ok(());
    }
    let [certificate, key] = paths.map(Path::display);
    Err(Error::Mismatch(format!("{key} is not the key of {certificate}")))
}

/// Bits of serial numbers; random, so that nobody must keep count. Source: CA/Browser Forum baseline 7.1 (64 at least).
const SERIAL_BITS: i32 = 127;
