#![allow(clippy::disallowed_methods, reason = "tests make and read their own files")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use openssl::x509::X509;

use super::*;

/// Runs `certs WORDS…`, `@` standing for the directory: exit code, output, errors.
fn certs(directory: &Path, words: &str) -> (Exit, String, String) {
    let directory = directory.to_str().unwrap();
    let args = words.split(' ').map(|word| OsString::from(word.replace('@', directory).replace('_', " ")));
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let exit = run(std::iter::once("certs".into()).chain(args).collect(), &mut out, &mut errors);
    (exit, String::from_utf8(out).unwrap(), String::from_utf8(errors).unwrap())
}

#[track_caller]
fn good(directory: &Path, words: &str) -> String {
    let (exit, out, errors) = certs(directory, words);
    assert_eq!((exit, errors.as_str()), (Exit::OK, ""), "{words}");
    out
}

/// An authority, a request and its certificate.
fn made() -> tempfile::TempDir {
    let tmp = tempfile::tempdir().unwrap();
    let d = tmp.path();
    good(d, "newca --dir @/ca --name Mail_CA --organization Example --days 30");
    let request = "newreq --host mx.example.org --alt mail.example.org --alt 192.0.2.1 --key-out @/k.pem --out @/r.pem";
    good(d, request);
    good(d, "sign --dir @/ca --in @/r.pem --out @/c.pem --days 20");
    tmp
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn certificate(path: &Path) -> X509 {
    X509::from_pem(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn an_authority_signs_what_a_request_asks_for() {
    let tmp = made();
    let d = tmp.path();
    let (ca, host) = (certificate(&d.join("ca/cacert.pem")), certificate(&d.join("c.pem")));
    assert!(host.verify(&ca.public_key().unwrap()).unwrap());
    assert_eq!(ca.issued(&host), openssl::x509::X509VerifyResult::OK);
    assert_eq!(make::names_of(&host), ["mx.example.org", "mail.example.org", "192.0.2.1"]);
    for key in ["ca/private/cakey.pem", "k.pem"] {
        assert_eq!(mode(&d.join(key)), 0o600, "{key}");
        assert!(!fs::read_to_string(d.join(key)).unwrap().contains("ENCRYPTED"), "{key}");
    }
}

#[test]
fn a_request_of_the_openssl_program_without_names_is_signed_for_its_common_name() {
    let tmp = made();
    let d = tmp.path();
    let key = openssl::pkey::PKey::private_key_from_pem(&fs::read(d.join("k.pem")).unwrap()).unwrap();
    let mut request = openssl::x509::X509Req::builder().unwrap();
    let mut name = openssl::x509::X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "plain.example.org").unwrap();
    request.set_subject_name(&name.build()).unwrap();
    request.set_pubkey(&key).unwrap();
    request.sign(&key, openssl::hash::MessageDigest::sha256()).unwrap();
    fs::write(d.join("r.pem"), request.build().to_pem().unwrap()).unwrap();
    good(d, "sign --dir @/ca --in @/r.pem --out @/c.pem --force");
    assert_eq!(make::names_of(&certificate(&d.join("c.pem"))), ["plain.example.org"]);
}

#[test]
fn keys_are_not_written_over() {
    let tmp = made();
    let before = fs::read(tmp.path().join("k.pem")).unwrap();
    for again in ["newreq --host x.example.org --key-out @/k.pem --out @/new.pem", "newca --dir @/ca --name Other"] {
        let (exit, _, errors) = certs(tmp.path(), again);
        assert_eq!(exit, Exit::CANTCREAT, "{again}");
        assert!(errors.contains("exists already"), "{errors}");
    }
    assert_eq!(fs::read(tmp.path().join("k.pem")).unwrap(), before);
}

#[test]
fn an_encrypted_authority_wants_its_pass_phrase() {
    let tmp = tempfile::tempdir().unwrap();
    let d = tmp.path();
    fs::write(d.join("phrase"), "let me in\nsecond line\n").unwrap();
    fs::write(d.join("wrong"), "let me out\n").unwrap();
    good(d, "newca --dir @/ca --name CA --passphrase-file @/phrase");
    good(d, "newreq --host mx.example.org --key rsa2048 --key-out @/k.pem --out @/r.pem");
    let (exit, _, errors) = certs(d, "sign --dir @/ca --in @/r.pem --out @/c.pem");
    assert_eq!(exit, Exit::USAGE);
    assert!(errors.contains("is encrypted: --passphrase-file"), "{errors}");
    let (exit, _, errors) = certs(d, "sign --dir @/ca --in @/r.pem --out @/c.pem --passphrase-file @/wrong");
    assert_eq!(exit, Exit::DATAERR, "{errors}");
    good(d, "sign --dir @/ca --in @/r.pem --out @/c.pem --passphrase-file @/phrase");
}

#[test]
fn what_is_installed_has_its_modes_and_is_found_by_its_hash() {
    let tmp = made();
    let d = tmp.path();
    let out = good(d, "install --ca @/ca/cacert.pem --cert @/c.pem --key @/k.pem --to @/etc/certs");
    let ca = certificate(&d.join("etc/certs/cacert.pem"));
    let link = format!("{:08x}.0", ca.subject_name_hash());
    assert!(out.contains(&format!("{link} -> cacert.pem\n")), "{out}");
    assert_eq!(fs::read_link(d.join("etc/certs").join(link)).unwrap(), Path::new("cacert.pem"));
    for (name, wanted) in [("", 0o755), ("/cacert.pem", 0o644), ("/mx-cert.pem", 0o644), ("/mx-key.pem", 0o600)] {
        assert_eq!(mode(&d.join(format!("etc/certs{name}"))), wanted, "{name}");
    }
    let group = nix::unistd::Group::from_gid(nix::unistd::getegid()).unwrap().unwrap().name;
    let again = format!("install --ca @/ca/cacert.pem --cert @/c.pem --key @/k.pem --to @/etc/certs --group {group}");
    let out = good(d, &again);
    assert_eq!(mode(&d.join("etc/certs/mx-key.pem")), 0o640);
    assert!(out.contains("O DontBlameSendmail=GroupReadableKeyFile"), "{out}");
}

#[test]
fn files_that_do_not_belong_together_are_not_installed() {
    let tmp = made();
    let d = tmp.path();
    good(d, "newca --dir @/other --name Other");
    good(d, "newreq --host x.example.org --key-out @/k2.pem --out @/r2.pem");
    for (words, wanted) in [
        ("install --ca @/ca/cacert.pem --cert @/c.pem --key @/k2.pem --to @/etc", "is not the key of"),
        ("install --ca @/other/cacert.pem --cert @/c.pem --key @/k.pem --to @/etc", "was not signed by"),
    ] {
        let (exit, _, errors) = certs(d, words);
        assert_eq!(exit, Exit::DATAERR, "{words}");
        assert!(errors.contains(wanted), "{errors}");
    }
    assert!(!d.join("etc").exists());
}

#[test]
fn old_links_go_and_collisions_are_numbered() {
    let tmp = made();
    let d = tmp.path();
    let dir = d.join("hashed");
    fs::create_dir(&dir).unwrap();
    fs::copy(d.join("ca/cacert.pem"), dir.join("one.pem")).unwrap();
    fs::copy(d.join("ca/cacert.pem"), dir.join("same.pem")).unwrap();
    // The same name, another key.
    good(d, "newca --dir @/second --name Mail_CA --organization Example");
    fs::copy(d.join("second/cacert.pem"), dir.join("two.pem")).unwrap();
    fs::write(dir.join("README"), "no certificate\n").unwrap();
    let ca = certificate(&dir.join("one.pem"));
    let hashes = crate::net::tls::hash_directory::certificate_hashes(&ca).unwrap();
    let (hash, old) = (hashes.current, hashes.old);
    std::os::unix::fs::symlink("one.pem", dir.join(format!("{old:08x}.0"))).unwrap();
    std::os::unix::fs::symlink("gone.pem", dir.join("00000000.0")).unwrap();
    let told = good(d, "rehash --dry-run @/hashed");
    assert!(dir.join(format!("{old:08x}.0")).exists() && !dir.join(format!("{hash:08x}.0")).exists());
    assert_eq!(good(d, "rehash @/hashed"), told);
    assert!(told.contains(&format!("{old:08x}.0 -> one.pem taken away: hash of OpenSSL before 1.0\n")), "{told}");
    assert!(told.contains("00000000.0 -> gone.pem taken away: leads to nothing with this hash\n"), "{told}");
    assert!(told.ends_with(&format!("{hash:08x}.0 -> one.pem\n{hash:08x}.1 -> two.pem\n")), "{told}");
    assert_eq!(good(d, "rehash @/hashed"), format!("{hash:08x}.0 -> one.pem\n{hash:08x}.1 -> two.pem\n"));
}
