//! An authority and certificates of hosts, made for one test.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{SslAcceptor, SslConnector, SslFiletype, SslMethod, SslVerifyMode};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{CrlNumber, X509, X509Builder, X509CrlBuilder, X509Name, X509RevokedBuilder};

/// The authority, in a folder that also holds what it signed.
pub struct Authority {
    dir: PathBuf,
    file: String,
    key: PKey<Private>,
    certificate: X509,
}

/// What a certificate is to be like.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    /// Days from now on which it begins and ends.
    pub days: (i64, i64),
    /// `serverAuth`, `clientAuth`; nothing about its use when empty.
    pub usages: &'a [&'a str],
    /// An RSA key of so many bits; P-256 without.
    pub rsa_bits: Option<u32>,
    /// Fields of the name before the common name.
    pub fields: &'a [(Nid, &'a str)],
    /// Signed with SHA-1.
    pub is_sha1: bool,
    /// Without alternative names.
    pub is_nameless: bool,
}

impl Default for Wish<'_> {
    fn default() -> Self {
        Self { days: (0, 90), usages: &[], rsa_bits: None, fields: &[], is_sha1: false, is_nameless: false }
    }
}

impl Authority {
    pub fn new(dir: &Path) -> Self {
        Self::named(dir, "ca", "Authority")
    }

    /// Another one in the same or another folder; its certificate is `FILE.crt`.
    pub fn named(dir: &Path, file: &str, name: &str) -> Self {
        fs::create_dir_all(dir).unwrap();
        let key = new_key();
        let name = name_of(&[], name);
        let mut builder = started(&name, &key, Wish { days: (-1, 3650), ..Wish::default() });
        builder.set_issuer_name(&name).unwrap();
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        // Tells two authorities of the same name apart.
        let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(identifier).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let certificate = builder.build();
        fs::write(dir.join(format!("{file}.crt")), certificate.to_pem().unwrap()).unwrap();
        Self { dir: dir.to_owned(), file: file.to_owned(), key, certificate }
    }

    /// Signs a certificate; writes `HOST.crt` and `HOST.key`, the latter for its owner only.
    pub fn sign(&self, host: &str) {
        self.sign_as(host, Wish::default());
    }

    /// Signs one that is as wished.
    pub fn sign_as(&self, host: &str, wish: Wish<'_>) -> X509 {
        let key = match wish.rsa_bits {
            Some(bits) => PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap(),
            None => new_key(),
        };
        let mut builder = started(&name_of(wish.fields, host), &key, wish);
        builder.set_issuer_name(self.certificate.subject_name()).unwrap();
        let names =
            SubjectAlternativeName::new().dns(host).build(&builder.x509v3_context(Some(&self.certificate), None));
        if !wish.is_nameless {
            builder.append_extension(names.unwrap()).unwrap();
        }
        let issuer =
            AuthorityKeyIdentifier::new().keyid(true).build(&builder.x509v3_context(Some(&self.certificate), None));
        builder.append_extension(issuer.unwrap()).unwrap();
        if !wish.usages.is_empty() {
            let mut usage = ExtendedKeyUsage::new();
            wish.usages.iter().for_each(|name| {
                usage.other(name);
            });
            builder.append_extension(usage.build().unwrap()).unwrap();
        }
        builder.sign(&self.key, if wish.is_sha1 { MessageDigest::sha1() } else { MessageDigest::sha256() }).unwrap();
        let certificate = builder.build();
        fs::write(self.path(host, "crt"), certificate.to_pem().unwrap()).unwrap();
        let file = self.path(host, "key");
        fs::write(&file, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        certificate
    }

    /// Its list of revoked certificates, due again so many days from now, in PEM.
    pub fn list(&self, revoked: &[&X509], next_days: i64) -> Vec<u8> {
        let mut builder = X509CrlBuilder::new().unwrap();
        builder.set_issuer_name(self.certificate.subject_name()).unwrap();
        builder.set_last_update(&day(next_days.min(0) - 1)).unwrap();
        builder.set_next_update(&day(next_days)).unwrap();
        let carrier = X509Builder::new().unwrap();
        let context = carrier.x509v3_context(Some(&self.certificate), None);
        builder.append_extension(AuthorityKeyIdentifier::new().issuer(true).build(&context).unwrap()).unwrap();
        let number = CrlNumber::new(BigNum::from_u32(1).unwrap()).unwrap();
        builder.append_extension(number.build().unwrap()).unwrap();
        let other = BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap();
        for serial in revoked.iter().map(|certificate| certificate.serial_number()).chain([&*other]) {
            let mut revoked = X509RevokedBuilder::new().unwrap();
            revoked.set_serial_number(serial).unwrap();
            revoked.set_revocation_date(&day(-1)).unwrap();
            builder.add_revoked(revoked.build()).unwrap();
        }
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        builder.build().unwrap().to_pem().unwrap()
    }

    /// Its certificate.
    pub fn certificate(&self) -> &X509 {
        &self.certificate
    }

    /// Its key.
    pub fn key(&self) -> &PKey<Private> {
        &self.key
    }

    /// Options that make a host use its certificate on both sides.
    pub fn options(&self, host: &str) -> String {
        format!("{}{}", self.server_options(host), self.client_options(host))
    }

    /// Authorities, and options that make a host show its certificate to clients.
    pub fn server_options(&self, host: &str) -> String {
        let (dir, file) = (self.dir.display(), &self.file);
        format!(
            "O CACertPath={dir}\nO CACertFile={dir}/{file}.crt\nO ServerCertFile={dir}/{host}.crt\n\
             O ServerKeyFile={dir}/{host}.key\n"
        )
    }

    /// Options that make a host show its certificate to servers.
    pub fn client_options(&self, host: &str) -> String {
        let dir = self.dir.display();
        format!("O ClientCertFile={dir}/{host}.crt\nO ClientKeyFile={dir}/{host}.key\n")
    }

    /// The options of [`Authority::options`] as `.mc` lines.
    pub fn macros(&self, host: &str) -> String {
        let (dir, file) = (self.dir.display(), &self.file);
        let line = |name: &str, value: String| format!("define(`conf{name}', `{dir}/{value}')dnl\n");
        [
            format!("define(`confCACERT_PATH', `{dir}')dnl\n"),
            line("CACERT", format!("{file}.crt")),
            line("SERVER_CERT", format!("{host}.crt")),
            line("SERVER_KEY", format!("{host}.key")),
            line("CLIENT_CERT", format!("{host}.crt")),
            line("CLIENT_KEY", format!("{host}.key")),
        ]
        .concat()
    }

    /// A server side with the certificate of a host, which asks for one of the client.
    pub fn acceptor(&self, host: &str) -> SslAcceptor {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key_file(self.path(host, "key"), SslFiletype::PEM).unwrap();
        acceptor.set_certificate_chain_file(self.path(host, "crt")).unwrap();
        acceptor.set_ca_file(self.path(&self.file, "crt")).unwrap();
        // What a client shows is noted, whoever signed it.
        acceptor.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
        acceptor.build()
    }

    /// A client that looks at no certificate and shows that of a host.
    pub fn connector(&self, host: Option<&str>) -> SslConnector {
        let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
        connector.set_verify(SslVerifyMode::NONE);
        if let Some(host) = host {
            connector.set_private_key_file(self.path(host, "key"), SslFiletype::PEM).unwrap();
            connector.set_certificate_chain_file(self.path(host, "crt")).unwrap();
        }
        connector.build()
    }

    pub fn path(&self, host: &str, kind: &str) -> PathBuf {
        self.dir.join(format!("{host}.{kind}"))
    }
}

/// What OpenSSL before 1.0 called the link to a certificate.
pub fn old_hash(certificate: &X509) -> String {
    let digest = openssl::hash::hash(MessageDigest::md5(), &certificate.subject_name().to_der().unwrap()).unwrap();
    format!("{:08x}.0", u32::from_le_bytes(digest[..4].try_into().unwrap()))
}

/// What OpenSSL calls it today.
pub fn new_hash(certificate: &X509) -> String {
    format!("{:08x}.0", certificate.subject_name_hash())
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn name_of(fields: &[(Nid, &str)], common: &str) -> X509Name {
    let mut name = X509Name::builder().unwrap();
    for (nid, text) in fields {
        name.append_entry_by_nid(*nid, text).unwrap();
    }
    name.append_entry_by_nid(Nid::COMMONNAME, common).unwrap();
    name.build()
}

fn day(days: i64) -> Asn1Time {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Asn1Time::from_unix(i64::try_from(now.as_secs()).unwrap() + days * 86_400).unwrap()
}

fn started(name: &X509Name, key: &PKey<Private>, wish: Wish<'_>) -> X509Builder {
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(63, MsbOption::MAYBE_ZERO, false).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(name).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&day(wish.days.0)).unwrap();
    builder.set_not_after(&day(wish.days.1)).unwrap();
    builder
}
