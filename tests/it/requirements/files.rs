//! Section 2: files, permissions, hashed links.

use std::fs;
use std::os::unix::fs::{chown, symlink};

use openssl::nid::Nid;

use super::*;
use crate::support::sandbox::is_root;
use crate::support::tls::{Wish, new_hash, old_hash};

#[test]
fn r2_1_directories_that_others_may_write_to_are_refused() {
    for (bits, is_offered) in [(0o755, true), (0o700, true), (0o775, false), (0o777, false), (0o1777, true)] {
        let place = Place::new();
        mode(&place.sandbox.path("tls"), bits);
        let running = place.run_tls("");
        assert_eq!(running.offers(), is_offered, "{bits:o}");
        if !is_offered {
            running.wait_for_log("ritable directory");
        }
    }
    // Not only the last one: all above.
    let place = Place::new();
    fs::create_dir_all(place.sandbox.path("open/deep")).unwrap();
    for file in ["ca.crt", "a.test.crt", "a.test.key"] {
        fs::copy(place.sandbox.path("tls").join(file), place.sandbox.path("open/deep").join(file)).unwrap();
    }
    mode(&place.sandbox.path("open"), 0o777);
    let lines = place.authority.options("a.test").replace("/tls/", "/open/deep/");
    assert!(!place.run("a", 1, &lines).offers());
}

#[test]
fn r2_2_names_are_free_and_one_file_may_hold_both() {
    let place = Place::new();
    let folder = place.sandbox.path("tls");
    let text = printed("openssl", &["x509", "-in", "a.test.crt", "-text"], &folder);
    let key = fs::read_to_string(folder.join("a.test.key")).unwrap();
    fs::write(folder.join("servername-cert.pem"), text + &key).unwrap();
    mode(&folder.join("servername-cert.pem"), 0o600);
    fs::rename(folder.join("ca.crt"), folder.join("cacert.pem")).unwrap();
    let lines = place.authority.options("a.test");
    let lines = lines.replace("/ca.crt", "/cacert.pem").replace("a.test.crt", "servername-cert.pem");
    let running = place.run("a", 1, &lines.replace("a.test.key", "servername-cert.pem"));
    assert!(running.offers());
    let shown = place.receives(&running, Some("client.test"));
    assert!(shown.contains("verify=OK)"), "{shown}");
}

#[test]
fn r2_3_links_of_old_openssl_are_told_and_mended() {
    let place = Place::new();
    let hidden = Authority::named(&place.sandbox.path("tls"), "hidden", "Hidden");
    hidden.sign("client.test");
    let folder = place.sandbox.path("tls");
    symlink("hidden.crt", folder.join(old_hash(hidden.certificate()))).unwrap();
    let running = place.run_tls("O LogLevel=14\n");
    let shown = running.receives(&hidden.connector(Some("client.test")));
    assert!(shown.contains("verify=FAIL)"), "{shown}");
    running.wait_for_log("verifymsg=unable to get local issuer certificate");
    let output = tool(TLSCHECK, &["cf"], &running.site.dir);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("[ca-link-old-hash]") && text.contains("tlscheck --rehash"), "{text}");
    let text = printed(TLSCHECK, &["--rehash", folder.to_str().unwrap()], &folder);
    assert!(text.contains(&format!("{} -> hidden.crt", new_hash(hidden.certificate()))), "{text}");
    let shown = running.receives(&hidden.connector(Some("client.test")));
    assert!(shown.contains("verify=OK)"), "{shown}");
}

#[test]
fn r2_4_an_authority_is_found_by_the_hash_of_its_name_alone() {
    let place = Place::new();
    let hidden = Authority::named(&place.sandbox.path("tls"), "hidden", "Hidden");
    hidden.sign("client.test");
    let folder = place.sandbox.path("tls");
    symlink("hidden.crt", folder.join("00000000.0")).unwrap();
    let running = place.run_tls("");
    let shown = running.receives(&hidden.connector(Some("client.test")));
    assert!(shown.contains("verify=FAIL)"), "{shown}");
    // Another one of the same name took the first place: the next number is looked at.
    let same = Authority::named(&place.sandbox.path("other"), "same", "Hidden");
    let name = new_hash(hidden.certificate());
    fs::copy(same.path("same", "crt"), folder.join(&name)).unwrap();
    symlink("hidden.crt", folder.join(name.replace(".0", ".1"))).unwrap();
    let shown = running.receives(&hidden.connector(Some("client.test")));
    assert!(shown.contains("verify=OK)"), "{shown}");
}

#[test]
fn r2_5_the_key_of_the_authority_beside_the_certificates_is_told() {
    let place = Place::new();
    let site = place.sandbox.mta("a", 1, &place.authority.options("a.test"));
    let key = place.sandbox.path("tls").join("cakey.pem");
    fs::write(&key, place.authority.key().private_key_to_pem_pkcs8().unwrap()).unwrap();
    for program in [TLSCHECK, CFCHECK] {
        let output = tool(program, &["cf"], &site.dir);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("[ca-key-beside") && text.contains("cakey.pem"), "{program}: {text}");
    }
}

#[test]
fn r2_6_a_key_for_its_owner_alone_is_read_by_its_owner_alone() {
    let place = Place::new();
    mode(&place.authority.path("a.test", "key"), 0o400);
    assert!(place.run_tls("").offers());
    if !is_root() {
        println!("not root: RunAsUser was not looked at");
        return;
    }
    // A key, certificate or authority of another user is refused. Source: observed.
    for name in ["a.test.key", "a.test.crt", "ca.crt"] {
        let place = Place::new();
        let file = place.sandbox.path("tls").join(name);
        chown(&file, Some(65534), None).unwrap();
        let running = place.run_tls("");
        assert!(!running.offers(), "{name}");
        running.wait_for_log(&format!("STARTTLS=server: file {} unsafe: Permission denied", file.display()));
        let text = String::from_utf8(tool(TLSCHECK, &["cf"], &running.site.dir).stdout).unwrap();
        assert!(text.contains(&format!("mend: chown root {}", file.display())), "{text}");
    }
    // Who gave up root's rights does not read root's key, and says so; one of its own it reads.
    let place = Place::new();
    let key = place.authority.path("a.test", "key");
    mode(&key, 0o400);
    let site = place.sandbox.mta("a", 1, &format!("{}O RunAsUser=nobody:nogroup\n", place.authority.options("a.test")));
    for name in ["queue", "aliases", ""] {
        chown(site.path(name), Some(65534), Some(65534)).unwrap();
    }
    let running = Running { _daemon: site.start(), site };
    assert!(!running.offers());
    running.wait_for_log(&format!("STARTTLS=server: file {} unsafe: Permission denied", key.display()));
    for file in [key, place.authority.path("a.test", "crt"), place.authority.path("ca", "crt")] {
        chown(file, Some(65534), None).unwrap();
    }
    until(LIMIT, "the key is read", || running.offers());
}

#[test]
fn r2_7_a_file_may_hold_many_authorities() {
    let place = Place::new();
    for count in [13, 151] {
        let mut all = fs::read(place.sandbox.path("tls/ca.crt")).unwrap();
        for nth in 1..count {
            let name = format!("Root number {nth} of a list that is long");
            let other = Authority::named(&place.sandbox.path("others"), "other", &name);
            all.extend(other.certificate().to_pem().unwrap());
        }
        fs::write(place.sandbox.path("others/all.pem"), all).unwrap();
        let lines = place.authority.options("a.test").replace("/tls/ca.crt", "/others/all.pem");
        let running = place.run(&format!("a{count}"), 1, &format!("Cwa.test\n{lines}"));
        let shown = place.receives(&running, Some("client.test"));
        assert!(shown.contains("verify=OK)"), "{count}: {shown}");
    }
}

#[test]
fn r2_8_files_may_lie_anywhere() {
    let place = Place::new();
    fs::create_dir_all(place.sandbox.path("etc/ssl/private")).unwrap();
    mode(&place.sandbox.path("etc/ssl/private"), 0o700);
    for (from, to) in [("ca.crt", "cacert.pem"), ("a.test.crt", "cert.pem"), ("a.test.key", "private/key.pem")] {
        fs::copy(place.sandbox.path("tls").join(from), place.sandbox.path("etc/ssl").join(to)).unwrap();
    }
    let ssl = place.sandbox.path("etc/ssl").display().to_string();
    let lines = format!(
        "O CACertPath={ssl}\nO CACertFile={ssl}/cacert.pem\nO ServerCertFile={ssl}/cert.pem\n\
         O ServerKeyFile={ssl}/private/key.pem\n"
    );
    let running = place.run("a", 1, &lines);
    let shown = place.receives(&running, Some("client.test"));
    assert!(shown.contains("verify=OK)"), "{shown}");
}

#[test]
fn r2_9_names_of_certificates_come_in_their_encoded_form() {
    let place = Place::new();
    let fields =
        [(Nid::COUNTRYNAME, "DE"), (Nid::ORGANIZATIONNAME, "T (a, b)"), (Nid::ORGANIZATIONALUNITNAME, "B\u{fc}ro+1")];
    place.authority.sign_as("client.test", Wish { fields: &fields, ..Wish::default() });
    let headers = "HX-Subject: ${cert_subject}\nHX-Issuer: ${cert_issuer}\nHX-CN: ${cn_subject} of ${cn_issuer}\n";
    let running = place.run_tls(&format!("{headers}O LogLevel=14\n"));
    let shown = place.receives(&running, Some("client.test"));
    for line in [
        "X-Subject: /C=DE/O=T+20+28a,+20b+29/OU=B\\xC3\\xBCro\\+2B1/CN=client.test",
        "X-Issuer: /CN=Authority",
        "X-CN: client.test of Authority",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    running.wait_for_log("cert-subject=/C=DE/O=T+20+28a,+20b+29/");
}
