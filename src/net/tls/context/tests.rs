//! Handshakes in memory, with certificates made here.

use std::time::Duration;

use bytes::Bytes;
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::symm::Cipher;
use openssl::x509::extension::{AuthorityKeyIdentifier, BasicConstraints, SubjectKeyIdentifier};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Builder, Refusal};
use crate::net::tls::dane::{Dane, Record};
use crate::net::tls::features::{DEFAULT_OPTIONS, options};
use crate::net::tls::{
    ClientContext, DhParameters, Identity, PeerInfo, PemFile, Role, ServerContext, SessionSettings, Settings, Stream,
    Verify,
};

struct Pair {
    certificate: X509,
    key: PKey<Private>,
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn name(cn: &str) -> X509Name {
    let mut b = X509NameBuilder::new().unwrap();
    b.append_entry_by_nid(Nid::ORGANIZATIONNAME, "T").unwrap();
    b.append_entry_by_nid(Nid::COMMONNAME, cn).unwrap();
    b.build()
}

/// A certificate signed by `issuer`, or by itself; `days` from now on, or that long ago when negative.
fn certificate(cn: &str, issuer: Option<&Pair>, days: i64) -> Pair {
    let key = new_key();
    let mut b = X509Builder::new().unwrap();
    b.set_version(2).unwrap();
    let serial = BigNum::from_u32(u32::try_from(cn.len()).unwrap() + 1).unwrap();
    b.set_serial_number(&Asn1Integer::from_bn(&serial).unwrap()).unwrap();
    b.set_subject_name(&name(cn)).unwrap();
    b.set_issuer_name(issuer.map_or(&name(cn), |i| i.certificate.subject_name())).unwrap();
    b.set_pubkey(&key).unwrap();
    let (from, to) = if days < 0 { (1_000_000_000, 1_100_000_000) } else { (1_000_000_000, 4_000_000_000) };
    b.set_not_before(&Asn1Time::from_unix(from).unwrap()).unwrap();
    b.set_not_after(&Asn1Time::from_unix(to).unwrap()).unwrap();
    if issuer.is_none() {
        b.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    }
    // Key identifiers tell two authorities of the same name apart.
    let subject = SubjectKeyIdentifier::new().build(&b.x509v3_context(None, None)).unwrap();
    b.append_extension(subject).unwrap();
    if let Some(issuer) = issuer {
        let context = b.x509v3_context(Some(&issuer.certificate), None);
        let authority = AuthorityKeyIdentifier::new().keyid(true).build(&context).unwrap();
        b.append_extension(authority).unwrap();
    }
    b.sign(issuer.map_or(&key, |i| &i.key), MessageDigest::sha256()).unwrap();
    Pair { certificate: b.build(), key }
}

fn pem(pem: Vec<u8>) -> PemFile {
    PemFile { path: "/t/x.pem".into(), pem: Bytes::from(pem) }
}

fn identity(pair: &Pair) -> Identity {
    Identity {
        certificate: pem(pair.certificate.to_pem().unwrap()),
        key: pem(pair.key.private_key_to_pem_pkcs8().unwrap()),
    }
}

/// Settings of a server that trusts `ca`, and of a client that shows `client`.
fn settings(ca: &Pair, client: Option<&Pair>, directory: &std::path::Path) -> Settings {
    let server = certificate("mta.example.test", Some(ca), 1);
    Settings {
        ca_file: Some(pem(ca.certificate.to_pem().unwrap())),
        ca_path: Some(directory.to_owned()),
        server: vec![identity(&server)],
        client: client.map(identity).into_iter().collect(),
        server_options: DEFAULT_OPTIONS,
        client_options: DEFAULT_OPTIONS,
        ask_client_certificate: true,
        ..Settings::default()
    }
}

/// Settings with which a server and a client trust each other.
pub(crate) fn test_settings(directory: &std::path::Path) -> Settings {
    settings(&certificate("CA", None, 1), None, directory)
}

const LIMIT: Duration = Duration::from_secs(20);

/// One handshake; a byte each way, then both sides close in good order.
async fn shake(server: &ServerContext, client: &ClientContext) -> (PeerInfo, PeerInfo) {
    let (a, b) = tokio::io::duplex(1 << 16);
    let none = SessionSettings::default();
    let (ours, theirs) = tokio::join!(
        server.accept(Stream::other(a), &none, LIMIT),
        client.connect(Stream::other(b), "host 1", &none, LIMIT)
    );
    let ((mut ours, seen_by_server), (mut theirs, seen_by_client)) = (ours.unwrap(), theirs.unwrap());
    ours.write_all(b"+").await.unwrap();
    assert_eq!(theirs.read_u8().await.unwrap(), b'+');
    tokio::join!(ours.close(LIMIT), theirs.close(LIMIT));
    (seen_by_server, seen_by_client)
}

fn contexts(settings: &Settings) -> (ServerContext, ClientContext) {
    (ServerContext::build(settings).0.unwrap(), ClientContext::build(settings).0.unwrap())
}

#[tokio::test]
async fn each_kind_of_client_certificate_has_its_word() {
    let (ca, other) = (certificate("CA", None, 1), certificate("Other CA", None, 1));
    let directory = tempfile::tempdir().unwrap();
    for (client, expected) in [
        (None, Verify::No),
        (Some(certificate("client.example.net", Some(&ca), 1)), Verify::Ok),
        (Some(certificate("client.example.net", Some(&other), 1)), Verify::Fail),
        (Some(certificate("client.example.net", None, 1)), Verify::Fail),
        (Some(certificate("client.example.net", Some(&ca), -1)), Verify::Fail),
    ] {
        let (server, client) = contexts(&settings(&ca, client.as_ref(), directory.path()));
        let (seen_by_server, seen_by_client) = shake(&server, &client).await;
        assert_eq!(seen_by_server.verify, expected, "{}", seen_by_server.verify_message);
        assert_eq!(seen_by_client.verify, Verify::Ok);
        assert_eq!(seen_by_client.cert_issuer, "/O=T/CN=CA");
        assert_eq!(seen_by_client.cn_subject, "mta.example.test");
        assert_eq!(seen_by_client.fingerprint.len(), 16 * 3 - 1);
    }
}

/// A handshake of a client that has these records; what it finds.
async fn by_dane(server: &ServerContext, client: &ClientContext, records: Vec<Record>) -> Verify {
    let (a, b) = tokio::io::duplex(1 << 16);
    let none = SessionSettings::default();
    let dane = Dane { domain: "mta.example.test".to_owned(), names: vec!["example.test".to_owned()], records };
    let session = SessionSettings { dane: Some(dane), ..SessionSettings::default() };
    let (ours, theirs) = tokio::join!(
        server.accept(Stream::other(a), &none, LIMIT),
        client.connect(Stream::other(b), "host 1", &session, LIMIT)
    );
    let ((ours, _), (theirs, seen)) = (ours.unwrap(), theirs.unwrap());
    tokio::join!(ours.close(LIMIT), theirs.close(LIMIT));
    seen.verify
}

#[tokio::test]
async fn tlsa_records_stand_in_for_authorities() {
    let (ca, other) = (certificate("CA", None, 1), certificate("Other CA", None, 1));
    let directory = tempfile::tempdir().unwrap();
    // The client knows another authority than the server's.
    let own = certificate("mta.example.test", Some(&ca), 1);
    let chain = [own.certificate.to_pem().unwrap(), ca.certificate.to_pem().unwrap()].concat();
    let shown = Identity { certificate: pem(chain), ..identity(&own) };
    let served = Settings { server: vec![shown], ..settings(&ca, None, directory.path()) };
    let server = ServerContext::build(&served).0.unwrap();
    let client = ClientContext::build(&settings(&other, None, directory.path())).0.unwrap();
    let key = |pair: &Pair| {
        let key = pair.certificate.public_key().unwrap().public_key_to_der().unwrap();
        Bytes::copy_from_slice(&openssl::hash::hash(MessageDigest::sha256(), &key).unwrap())
    };
    let whole = |pair: &Pair| Bytes::from(pair.certificate.to_der().unwrap());
    let record = |usage, selector, matching, data| Record { usage, selector, matching, data };
    let stranger = certificate("mta.example.test", Some(&ca), 1);
    for (records, expected) in [
        (vec![record(3, 1, 1, key(&own))], Verify::Trusted),
        (vec![record(3, 0, 0, whole(&own))], Verify::Trusted),
        (vec![record(3, 1, 1, key(&stranger)), record(3, 1, 1, key(&own))], Verify::Trusted),
        (vec![record(2, 1, 1, key(&ca))], Verify::Trusted),
        (vec![record(3, 1, 1, key(&stranger))], Verify::DaneFail),
        (vec![record(2, 1, 1, key(&other))], Verify::DaneFail),
        // Nothing of use: TLS without knowing whom.
        (vec![record(1, 1, 1, key(&own)), record(3, 9, 1, key(&own))], Verify::Fail),
    ] {
        assert_eq!(by_dane(&server, &client, records.clone()).await, expected, "{records:?}");
    }
}

#[tokio::test]
async fn not_asked_is_told_from_not_given() {
    let ca = certificate("CA", None, 1);
    let directory = tempfile::tempdir().unwrap();
    let asked_nobody = Settings { ask_client_certificate: false, ..settings(&ca, None, directory.path()) };
    let (server, client) = contexts(&asked_nobody);
    let (seen, _) = shake(&server, &client).await;
    assert_eq!((seen.verify, seen.version.as_str()), (Verify::Not, "TLSv1.3"));
    assert_eq!((seen.cipher_bits, seen.algorithm_bits), (256, 256));
}

#[tokio::test]
async fn authorities_in_the_hashed_directory_count_collisions_included() {
    let (announced, hidden, same_name) =
        (certificate("CA", None, 1), certificate("Hidden", None, 1), certificate("Hidden", None, 1));
    let directory = tempfile::tempdir().unwrap();
    let client = certificate("client.example.net", Some(&hidden), 1);
    let (server, client) = contexts(&settings(&announced, Some(&client), directory.path()));
    let (seen, _) = shake(&server, &client).await;
    assert_eq!(seen.verify, Verify::Fail);
    // Added while the server runs: found at the next handshake, though another one took the first place.
    let hash = hidden.certificate.subject_name_hash();
    std::fs::copy(written(&same_name), directory.path().join(format!("{hash:08x}.0"))).unwrap();
    std::fs::copy(written(&hidden), directory.path().join(format!("{hash:08x}.1"))).unwrap();
    let client_again = certificate("client.example.net", Some(&hidden), 1);
    let fresh = ClientContext::build(&settings(&announced, Some(&client_again), directory.path())).0.unwrap();
    let (seen, _) = shake(&server, &fresh).await;
    assert_eq!(seen.verify, Verify::Ok, "{}", seen.verify_message);
    drop(client);
}

fn written(pair: &Pair) -> tempfile::TempPath {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.into_temp_path();
    std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), &pair.certificate.to_pem().unwrap()).unwrap();
    path
}

#[tokio::test]
async fn a_session_is_resumed_after_a_clean_end_and_keeps_what_was_found() {
    let ca = certificate("CA", None, 1);
    let directory = tempfile::tempdir().unwrap();
    let client = certificate("client.example.net", Some(&ca), 1);
    for no_tls13 in [false, true] {
        let mut s = settings(&ca, Some(&client), directory.path());
        if no_tls13 {
            s.client_options |= 0x2000_0000;
        }
        let (server, client) = contexts(&s);
        let (first, _) = shake(&server, &client).await;
        let (second, back) = shake(&server, &client).await;
        assert!(!first.is_resumed && second.is_resumed, "{}", first.version);
        assert_eq!((second.verify, back.verify), (Verify::Ok, Verify::Ok));
        assert_eq!(second.cn_subject, "client.example.net");
    }
}

#[test]
fn keys_that_cannot_be_used_are_told_in_the_original_words() {
    let ca = certificate("CA", None, 1);
    let directory = tempfile::tempdir().unwrap();
    let pair = certificate("a", Some(&ca), 1);
    let encrypted = pair.key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_128_cbc(), b"secret").unwrap();
    let stranger = new_key().private_key_to_pem_pkcs8().unwrap();
    for (key, line) in [
        (encrypted, "STARTTLS=server, error: SSL_CTX_use_PrivateKey_file(/t/x.pem) failed"),
        (stranger, "STARTTLS=server, error: SSL_CTX_check_private_key failed(/t/x.pem): 0"),
        (b"no key".to_vec(), "STARTTLS=server, error: SSL_CTX_use_PrivateKey_file(/t/x.pem) failed"),
    ] {
        let mut s = settings(&ca, None, directory.path());
        s.server = vec![Identity { key: pem(key), ..identity(&pair) }];
        let (result, notices) = ServerContext::build(&s);
        assert!(matches!(result, Err(Refusal::Unusable)));
        assert!(notices.iter().any(|n| n.text == line && n.level < 9), "{line}: {notices:?}");
    }
}

#[test]
fn a_server_without_authorities_is_not_offered() {
    let ca = certificate("CA", None, 1);
    let s = Settings { ca_path: None, ..settings(&ca, None, std::path::Path::new("/nowhere")) };
    let (result, notices) = ServerContext::build(&s);
    assert!(matches!(result, Err(Refusal::Missing)));
    assert!(notices.iter().any(|n| n.text == "STARTTLS: CACertPath missing"));
}

#[tokio::test]
async fn junk_in_place_of_a_handshake_is_told_as_the_log_shows_it() {
    let ca = certificate("CA", None, 1);
    let directory = tempfile::tempdir().unwrap();
    let (server, _) = contexts(&settings(&ca, None, directory.path()));
    let (ours, mut theirs) = tokio::io::duplex(4096);
    theirs.write_all(b"EHLO junk\r\nMAIL FROM:<a@b>\r\n").await.unwrap();
    let none = SessionSettings::default();
    let error = server.accept(Stream::other(ours), &none, LIMIT).await.unwrap_err();
    assert_eq!(error.to_string(), "accept failed=-1, reason=wrong version number, SSL_error=1, errno=0, retry=-1");
    let (ours, theirs) = tokio::io::duplex(4096);
    drop(theirs);
    let error = server.accept(Stream::other(ours), &none, LIMIT).await.unwrap_err();
    let wanted = "accept failed=-1, reason=unexpected eof while reading, SSL_error=1, errno=0, retry=-1";
    assert_eq!(error.to_string(), wanted);
    let (ours, _theirs) = tokio::io::duplex(4096);
    let error = server.accept(Stream::other(ours), &none, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.to_string(), "accept failed=1, reason=unknown, SSL_error=2, errno=0, retry=0");
}

/// Names of options, with what each sets in OpenSSL 3.0. Source: observed.
#[rustfmt::skip]
const BITS: &[(&str, u64)] = &[
    ("SSL_OP_MICROSOFT_SESS_ID_BUG", 0x0),
    ("SSL_OP_NETSCAPE_CHALLENGE_BUG", 0x0),
    ("SSL_OP_LEGACY_SERVER_CONNECT", 0x4),
    ("SSL_OP_NETSCAPE_REUSE_CIPHER_CHANGE_BUG", 0x0),
    ("SSL_OP_SSLREF2_REUSE_CERT_TYPE_BUG", 0x0),
    ("SSL_OP_MICROSOFT_BIG_SSLV3_BUFFER", 0x0),
    ("SSL_OP_MSIE_SSLV2_RSA_PADDING", 0x0),
    ("SSL_OP_SSLEAY_080_CLIENT_DH_BUG", 0x0),
    ("SSL_OP_TLS_D5_BUG", 0x0),
    ("SSL_OP_TLS_BLOCK_PADDING_BUG", 0x0),
    ("SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS", 0x800),
    ("SSL_OP_ALL", 0x80000850),
    ("SSL_OP_NO_QUERY_MTU", 0x1000),
    ("SSL_OP_COOKIE_EXCHANGE", 0x2000),
    ("SSL_OP_NO_TICKET", 0x4000),
    ("SSL_OP_CISCO_ANYCONNECT", 0x8000),
    ("SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION", 0x10000),
    ("SSL_OP_NO_COMPRESSION", 0x20000),
    ("SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION", 0x40000),
    ("SSL_OP_SINGLE_ECDH_USE", 0x0),
    ("SSL_OP_SINGLE_DH_USE", 0x0),
    ("SSL_OP_EPHEMERAL_RSA", 0x0),
    ("SSL_OP_CIPHER_SERVER_PREFERENCE", 0x400000),
    ("SSL_OP_TLS_ROLLBACK_BUG", 0x800000),
    ("SSL_OP_NO_SSLv2", 0x0),
    ("SSL_OP_NO_SSLv3", 0x2000000),
    ("SSL_OP_NO_TLSv1", 0x4000000),
    ("SSL_OP_NO_TLSv1_3", 0x20000000),
    ("SSL_OP_NO_TLSv1_2", 0x8000000),
    ("SSL_OP_NO_TLSv1_1", 0x10000000),
    ("SSL_OP_PKCS1_CHECK_1", 0x0),
    ("SSL_OP_PKCS1_CHECK_2", 0x0),
    ("SSL_OP_NETSCAPE_CA_DN_BUG", 0x0),
    ("SSL_OP_NETSCAPE_DEMO_CIPHER_CHANGE_BUG", 0x0),
    ("SSL_OP_CRYPTOPRO_TLSEXT_BUG", 0x80000000),
    ("SSL_OP_TLSEXT_PADDING", 0x10),
    ("SSL_OP_NO_RENEGOTIATION", 0x40000000),
    ("SSL_OP_NO_ANTI_REPLAY", 0x1000000),
    ("SSL_OP_ALLOW_NO_DHE_KEX", 0x400),
    ("SSL_OP_NO_ENCRYPT_THEN_MAC", 0x80000),
    ("SSL_OP_ENABLE_MIDDLEBOX_COMPAT", 0x100000),
    ("SSL_OP_PRIORITIZE_CHACHA", 0x200000),
];

#[test]
fn each_option_sets_its_bits_in_a_context() {
    let ca = certificate("CA", None, 1);
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(&ca, None, directory.path());
    // What the library, or every context of ours, sets by itself is no part of the answer.
    let built = |wanted: u64| {
        let mut notices = Vec::new();
        let mut builder = Builder::new(Role::Server, openssl::ssl::SslMethod::tls_server(), &mut notices).unwrap();
        let all = openssl::ssl::SslOptions::all() | openssl::ssl::SslOptions::from_bits_retain(u64::MAX >> 1);
        builder.context.clear_options(all);
        builder.common(&settings, wanted).unwrap();
        builder.context.options().bits()
    };
    let without = built(0);
    for (name, bits) in BITS {
        let (wanted, unknown) = options(name.as_bytes(), 0);
        assert_eq!((wanted, unknown.len()), (*bits, 0), "{name}");
        assert_eq!(built(wanted), without | bits, "{name}");
        assert_eq!(options(format!("-{name}").as_bytes(), u64::MAX).0, !bits, "{name}");
    }
}

/// A handshake with a suite that needs Diffie-Hellman over finite fields.
async fn with_finite_fields(dh: DhParameters) -> bool {
    let ca = certificate("CA", None, 1);
    let directory = tempfile::tempdir().unwrap();
    let key = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
    let mut b = X509Builder::new().unwrap();
    b.set_version(2).unwrap();
    b.set_subject_name(&name("mta.example.test")).unwrap();
    b.set_issuer_name(&name("mta.example.test")).unwrap();
    b.set_pubkey(&key).unwrap();
    b.set_not_before(&Asn1Time::from_unix(1_000_000_000).unwrap()).unwrap();
    b.set_not_after(&Asn1Time::from_unix(4_000_000_000).unwrap()).unwrap();
    b.sign(&key, MessageDigest::sha256()).unwrap();
    let own = Pair { certificate: b.build(), key };
    let list = Some("DHE-RSA-AES128-GCM-SHA256".to_owned());
    let mut settings =
        Settings { server: vec![identity(&own)], dh, cipher_list: list, ..settings(&ca, None, directory.path()) };
    settings.client_options |= 0x2000_0000;
    let (server, client) = contexts(&settings);
    let (a, b) = tokio::io::duplex(1 << 16);
    let none = SessionSettings::default();
    let (ours, theirs) = tokio::join!(
        server.accept(Stream::other(a), &none, LIMIT),
        client.connect(Stream::other(b), "host 1", &none, LIMIT)
    );
    ours.is_ok() && theirs.is_ok()
}

#[tokio::test]
async fn diffie_hellman_parameters_are_built_in_given_or_none() {
    let parameters = openssl::dh::Dh::get_2048_256().unwrap().params_to_pem().unwrap();
    assert!(with_finite_fields(DhParameters::BuiltIn).await);
    assert!(with_finite_fields(DhParameters::File(pem(parameters))).await);
    assert!(!with_finite_fields(DhParameters::None).await);
}
