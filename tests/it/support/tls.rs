//! An authority and certificates of hosts, made for one test.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod, SslVerifyMode};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name};

/// The authority, in a folder that also holds what it signed.
pub struct Authority {
    dir: PathBuf,
    key: PKey<Private>,
    certificate: X509,
}

impl Authority {
    pub fn new(dir: &Path) -> Self {
        fs::create_dir(dir).unwrap();
        let key = new_key();
        let name = name_of("Authority");
        let mut builder = started(&name, &key, 1);
        builder.set_issuer_name(&name).unwrap();
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let certificate = builder.build();
        fs::write(dir.join("ca.crt"), certificate.to_pem().unwrap()).unwrap();
        Self { dir: dir.to_owned(), key, certificate }
    }

    /// Signs a certificate; writes `HOST.crt` and `HOST.key`, the latter for its owner only.
    pub fn sign(&self, host: &str) {
        let key = new_key();
        let mut builder = started(&name_of(host), &key, 2);
        builder.set_issuer_name(self.certificate.subject_name()).unwrap();
        let names =
            SubjectAlternativeName::new().dns(host).build(&builder.x509v3_context(Some(&self.certificate), None));
        builder.append_extension(names.unwrap()).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        fs::write(self.path(host, "crt"), builder.build().to_pem().unwrap()).unwrap();
        let file = self.path(host, "key");
        fs::write(&file, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Options that make a host use its certificate on both sides.
    pub fn options(&self, host: &str) -> String {
        let dir = self.dir.display();
        format!(
            "O CACertPath={dir}\nO CACertFile={dir}/ca.crt\nO ServerCertFile={dir}/{host}.crt\n\
             O ServerKeyFile={dir}/{host}.key\nO ClientCertFile={dir}/{host}.crt\nO ClientKeyFile={dir}/{host}.key\n"
        )
    }

    /// A server side with the certificate of a host, which asks for one of the client.
    pub fn acceptor(&self, host: &str) -> SslAcceptor {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key_file(self.path(host, "key"), SslFiletype::PEM).unwrap();
        acceptor.set_certificate_chain_file(self.path(host, "crt")).unwrap();
        acceptor.set_ca_file(self.dir.join("ca.crt")).unwrap();
        acceptor.set_verify(SslVerifyMode::PEER);
        acceptor.build()
    }

    pub fn path(&self, host: &str, kind: &str) -> PathBuf {
        self.dir.join(format!("{host}.{kind}"))
    }
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn name_of(text: &str) -> X509Name {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, text).unwrap();
    name.build()
}

fn started(name: &X509Name, key: &PKey<Private>, serial: u32) -> X509Builder {
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(serial).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(name).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(30).unwrap()).unwrap();
    builder
}
