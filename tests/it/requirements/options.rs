//! Section 1: options.

use std::fs;
use std::os::unix::fs::{chown, symlink};

use super::*;
use crate::support::sandbox::is_root;
use crate::support::tls::{Wish, new_hash};

#[test]
fn r1_1_use_tls_turns_tls_on_and_off() {
    for (value, is_on) in [("O UseTLS=True\n", true), ("O UseTLS=False\n", false), ("", true)] {
        for has_keys in [true, false] {
            let place = Place::new();
            let next = tls_host(&place.authority);
            let keys = if has_keys { place.authority.options("a.test") } else { String::new() };
            let running = place.run("a", next.port, &format!("O LogLevel=13\n{keys}{value}"));
            assert_eq!(running.offers(), is_on && has_keys, "{value:?} {has_keys}");
            send(&running);
            assert_eq!(next.wait_for(1)[0].is_encrypted, is_on, "{value:?} {has_keys}");
            if is_on && !has_keys {
                running.wait_for_log("STARTTLS: ServerCertFile missing");
            }
        }
    }
}

#[test]
fn r1_2_options_pasted_without_their_letter_are_told_line_by_line() {
    let place = Place::new();
    let site = place.sandbox.mta("a", 1, PASTED);
    let output = tool(CFCHECK, &["--text-only", "--json", "cf"], &site.dir);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches("\"option-without-o\"").count(), PASTED.lines().count(), "{text}");
    // The compatible reader takes them for what they are without the letter.
    let test_mode = Command::new("sh")
        .arg("-c")
        .arg(format!("echo '$=A' | {SENDMAIL} -C cf -bt"))
        .current_dir(&site.dir)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&test_mode.stdout).contains("CertPath=/etc/mail/certs"), "{test_mode:?}");
}

const PASTED: &str =
    "CACertPath=/etc/mail/certs\nCACertFile=/etc/mail/certs/cacert.pem\nClientCertFile=/etc/mail/certs/c.pem\n";

#[test]
fn r1_3_ca_cert_path_is_searched_at_handshake() {
    let place = Place::new();
    let hidden = Authority::named(&place.sandbox.path("hidden"), "hidden", "Hidden");
    hidden.sign("client.test");
    let running = place.run_tls("");
    let shown = running.receives(&hidden.connector(Some("client.test")));
    assert!(shown.contains("verify=FAIL)"), "{shown}");
    // While the daemon runs: the directory is looked at when it is needed. Option names have no case.
    let folder = place.sandbox.path("tls");
    fs::copy(hidden.path("hidden", "crt"), folder.join("hidden.pem")).unwrap();
    symlink("hidden.pem", folder.join(new_hash(hidden.certificate()))).unwrap();
    let shown = running.receives(&hidden.connector(Some("client.test")));
    assert!(shown.contains("verify=OK)"), "{shown}");
    let lower = place.authority.options("a.test").replace("CACertPath", "cacertpath");
    assert!(place.run("b", 1, &lower).offers());
}

#[test]
fn r1_4_ca_cert_file_names_the_authorities_to_clients() {
    let place = Place::new();
    let hidden = Authority::named(&place.sandbox.path("tls"), "hidden", "Hidden");
    symlink("hidden.crt", place.sandbox.path("tls").join(new_hash(hidden.certificate()))).unwrap();
    let running = place.run_tls("");
    let text = s_client(running.site.port, &[]);
    let names = text.split("Acceptable client certificate CA names").nth(1).unwrap_or_else(|| panic!("{text}"));
    let names = names.split("Requested Signature").next().unwrap();
    assert!(names.contains("CN = Authority") && !names.contains("Hidden"), "{names}");

    let missing = place.authority.options("a.test").replace("/ca.crt", "/nosuch.crt");
    let running = place.run("b", 1, &missing);
    assert!(!running.offers());
    running.wait_for_log("nosuch.crt unsafe: No such file or directory");
}

/// What `openssl s_client` says of a server.
pub(super) fn s_client(port: u16, arguments: &[&str]) -> String {
    let address = format!("127.0.0.1:{port}");
    let base = ["s_client", "-starttls", "smtp", "-connect", &address];
    let mut command = Command::new("openssl");
    let output = command.args(base).args(arguments).stdin(std::process::Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn r1_5_the_server_pair_must_fit() {
    let place = Place::new();
    place.authority.sign("b.test");
    place.authority.sign_as("ended.test", Wish { days: (-9, -2), ..Wish::default() });
    let tls = place.sandbox.path("tls").display().to_string();
    for (name, certificate, key, is_offered, line) in [
        ("fit", "a.test", "a.test", true, "STARTTLS=server, init=1"),
        ("other", "a.test", "b.test", false, "STARTTLS=server, error: SSL_CTX_check_private_key failed"),
        ("none", "nosuch", "a.test", false, "nosuch.crt unsafe: No such file or directory"),
        ("ended", "ended.test", "ended.test", true, "STARTTLS=server, init=1"),
    ] {
        let lines = format!(
            "O LogLevel=14\nO CACertPath={tls}\nO CACertFile={tls}/ca.crt\nO ServerCertFile={tls}/{certificate}.crt\n\
             O ServerKeyFile={tls}/{key}.key\n"
        );
        let running = place.run(name, 1, &lines);
        assert_eq!(running.offers(), is_offered, "{name}");
        running.wait_for_log(line);
    }
}

#[test]
fn r1_6_the_client_pair_is_shown_to_servers_that_ask() {
    let place = Place::new();
    let next = tls_host(&place.authority);
    place.authority.sign("clientname.test");
    let (server, client) =
        (place.authority.server_options("a.test"), place.authority.client_options("clientname.test"));
    let running = place.run("a", next.port, &format!("{server}{client}"));
    send(&running);
    assert_eq!(next.wait_for(1)[0].client.as_deref(), Some("clientname.test"));
}

#[test]
fn r1_7_rand_file_is_taken_in_every_form() {
    for (name, value) in [("a", "egd:/dev/random"), ("b", "file:/dev/urandom"), ("c", "/dev/urandom")] {
        let place = Place::new();
        let running = place.run(name, 1, &format!("{}O RandFile={value}\n", place.authority.options("a.test")));
        assert!(running.offers(), "{value}");
    }
}

#[test]
fn r1_8_modes_of_keys_and_group_readable_key_file() {
    let groups: &[Option<u32>] = if is_root() { &[None, Some(65534)] } else { &[None] };
    for (mode_bits, forgiven, is_offered) in [
        (0o600, false, true),
        (0o640, false, false),
        (0o644, false, false),
        (0o660, false, false),
        (0o600, true, true),
        (0o640, true, true),
        (0o644, true, false),
        (0o660, true, false),
    ] {
        for group in groups {
            let place = Place::new();
            let key = place.authority.path("a.test", "key");
            chown(&key, None, *group).unwrap();
            mode(&key, mode_bits);
            let flag = if forgiven { "O DontBlameSendmail=truststickybit groupreadablekeyfile\n" } else { "" };
            let running = place.run_tls(flag);
            assert_eq!(running.offers(), is_offered, "{mode_bits:o} {forgiven} {group:?}");
        }
    }
    let place = Place::new();
    let site = place.sandbox.mta("a", 1, "O DontBlameSendmail=GroupReadableKeys\n");
    let output = tool(SENDMAIL, &["-C", "cf", "-bt"], &site.dir);
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("DontBlameSendmail option: GroupReadableKeys unrecognized"), "{text}");
}

#[test]
fn r1_9_defines_of_an_mc_file_become_the_lines() {
    let place = Place::new();
    let site = place.sandbox.mta("a", 1, "");
    let lines = [
        ("confCACERT_PATH", "O CACertPath=/c"),
        ("confCACERT", "O CACertFile=/c/ca.pem"),
        ("confSERVER_CERT", "O ServerCertFile=/c/s.pem"),
        ("confSERVER_KEY", "O ServerKeyFile=/c/s.key"),
        ("confCLIENT_CERT", "O ClientCertFile=/c/c.pem"),
        ("confCLIENT_KEY", "O ClientKeyFile=/c/c.key"),
    ];
    let value = |line: &str| line.split_once('=').unwrap().1.to_owned();
    let defines: Vec<_> = lines.iter().map(|(name, line)| format!("define(`{name}', `{}')dnl", value(line))).collect();
    let defines = defines.join("\n");
    fs::write(site.path("a.mc"), format!("OSTYPE(`linux')dnl\n{defines}\nMAILER(`local')dnl\n")).unwrap();
    let library = env!("CARGO_MANIFEST_DIR");
    printed(GENCF, &["build", "--library", library, "a.mc"], &site.dir);
    let cf = fs::read_to_string(site.path("a.cf")).unwrap();
    for (name, line) in lines {
        assert_eq!(cf.lines().filter(|l| *l == line).count(), 1, "{name}");
    }
}

#[test]
fn r1_10_the_list_of_what_is_built_in_names_starttls() {
    let place = Place::new();
    let site = place.sandbox.mta("a", 1, "");
    let text = printed(SENDMAIL, &["-C", "cf", "-d0.1", "-bt"], &site.dir);
    assert!(text.contains("STARTTLS"), "{text}");
}

#[test]
fn r1_11_revoked_certificates_are_not_verified() {
    let place = Place::new();
    let revoked = place.authority.sign_as("client.test", Wish::default());
    place.authority.sign("good.test");
    let folder = place.sandbox.path("tls");
    fs::write(folder.join("list.pem"), place.authority.list(&[&revoked], 30)).unwrap();
    let hash = new_hash(place.authority.certificate()).replace(".0", ".r0");
    fs::create_dir(place.sandbox.path("lists")).unwrap();
    symlink("../tls/list.pem", place.sandbox.path("lists").join(hash)).unwrap();
    for (name, line) in [
        ("a", format!("O CRLFile={}/list.pem\n", folder.display())),
        ("b", format!("O CRLPath={}\n", place.sandbox.path("lists").display())),
    ] {
        let running = place.run(name, 1, &format!("Cwa.test\n{}{line}", place.authority.options("a.test")));
        for (certificate, word) in [("client.test", "verify=FAIL)"), ("good.test", "verify=OK)")] {
            let shown = place.receives(&running, Some(certificate));
            assert!(shown.contains(word), "{line} {certificate}: {shown}");
        }
    }
}

#[test]
fn r1_12_one_pair_serves_several_hosts() {
    let place = Place::new();
    place.authority.sign("shared.test");
    let lines = place.authority.options("shared.test");
    let b = place.run("b", 1, &format!("Cwnext.test a.test\n{lines}"));
    let a = place.run("a", b.site.port, &lines);
    send(&a);
    until(LIMIT, "it is in the mailbox", || b.site.mailbox("you").contains("out"));
    assert!(b.site.mailbox("you").contains("verify=OK)"), "{}", b.site.mailbox("you"));
    assert!(a.site.log().contains("STARTTLS=client, relay=") && a.site.log().contains("verify=OK"));
}
