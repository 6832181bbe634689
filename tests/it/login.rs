//! A smart host that wants a login, and the login of clients on the submission port.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::client::Client;
use crate::support::daemon::Daemon;
use crate::support::fake_host::FakeHost;
use crate::support::private_etc::with_etc;
use crate::support::sandbox::{Sandbox, Site};
use crate::support::tls::Authority;
use crate::support::{LIMIT, until};

/// A smart host that takes mail of `user` with the password `secret` alone.
struct Smart {
    sandbox: Sandbox,
    authority: Authority,
    site: Site,
    _daemon: Daemon,
}

const RELAY_AFTER_LOGIN: &str = "Scheck_rcpt\nR$*\t$: $&{auth_authen}\nRuser\t$@ ok\nRuser @ $*\t$@ ok\n\
    R$*\t$#error $@ 5.7.1 $: \"550 Relaying denied\"\nHX-Auth: ${auth_type} of ${auth_authen}\nHX-Layer: bits ${auth_ssf}\n";

/// A user of `b.test` in a password file of SASL; false when this machine has none.
fn add_user(database: &Path, user: &str, password: &str) -> bool {
    let mut command = Command::new("saslpasswd2");
    command.args(["-c", "-p", "-u", "b.test", "-f"]).arg(database).arg(user).stdin(Stdio::piped());
    let Ok(mut made) = command.spawn() else {
        println!("LEFT OUT: saslpasswd2 is missing (Debian: apt-get install sasl2-bin)");
        return false;
    };
    made.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    assert!(made.wait().unwrap().success());
    fs::set_permissions(database, fs::Permissions::from_mode(0o600)).unwrap();
    true
}

/// `None` when this machine has no password file of SASL, or we are not root.
fn smart(lines: &str) -> Option<Smart> {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    authority.sign("b.test");
    let keys = authority.options("b.test");
    let site = sandbox.mta("b", 1, &format!("Cwnext.test a.test\n{keys}{RELAY_AFTER_LOGIN}{lines}"));
    let database = site.path("sasldb");
    if !add_user(&database, "user", "secret") {
        return None;
    }
    let settings = format!("pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {}\n", database.display());
    let mut command = site.command();
    command.args(["-bD", "-q1h"]);
    let command = with_etc(&command, &site.dir, &[("sasl2/Sendmail.conf", &settings)])?;
    let daemon = Daemon::start(command, site.port);
    if !Client::connect(site.port).start_tls().say("EHLO client.test").contains("AUTH") {
        println!("LEFT OUT: SASL mechanisms are missing (Debian: apt-get install libsasl2-modules)");
        return None;
    }
    Some(Smart { sandbox, authority, site, _daemon: daemon })
}

/// The `authinfo` map of a site, which nobody else may read.
fn make_authinfo(site: &Site, table: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_makemap"));
    command.args(["-C", "/dev/null", "hash", "authinfo"]).current_dir(&site.dir).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(table.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    fs::set_permissions(site.path("authinfo.db"), fs::Permissions::from_mode(0o600)).unwrap();
}

/// What the smart host says of a message from an agent with these lines: the header's word, or the refusal.
fn relayed(smart: &Smart, name: &str, lines: &str) -> Result<String, String> {
    let keys = smart.authority.options("a.test");
    let a = smart.sandbox.mta(name, smart.site.port, &format!("Cwa.test\nO LogLevel=14\n{keys}{lines}"));
    let file = a.path("default");
    fs::write(&file, "user\nuser\nsecret\nb.test\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(
        a.path("cf"),
        fs::read_to_string(a.path("cf")).unwrap().replace("DIR/", &format!("{}/", a.dir.display())),
    )
    .unwrap();
    let table = "AuthInfo:[127.0.0.1]\t\"U:user\" \"P=c2VjcmV0\" \"R:b.test\" \"M:PLAIN\"\n\
        AuthInfo:localhost\t\"U:user\" \"P=c2VjcmV0\" \"R:b.test\" \"M:PLAIN\"\n";
    make_authinfo(&a, table);
    let _daemon = a.start();
    let start = a.log().len();
    let to = format!("{name}@next.test");
    let reply = Client::connect(a.port).message("me@a.test", &[&to], b"Subject: x\r\n\r\nx\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
    let outcome = || a.log()[start..].lines().find(|l| l.contains(&format!("to=<{to}>"))).map(str::to_owned);
    until(LIMIT, "the try is over", || outcome().is_some());
    let line = outcome().unwrap();
    if !line.contains("stat=Sent") {
        return Err(line);
    }
    until(LIMIT, "it is in the mailbox", || smart.site.mailbox(name).contains("X-Auth"));
    let mailbox = smart.site.mailbox(name);
    assert!(mailbox.contains("verify=OK)"), "{mailbox}");
    let bits = if mailbox.contains("X-Auth: DIGEST-MD5") { 128 } else { 0 };
    assert!(mailbox.contains(&format!("X-Layer: bits {bits}\n")), "{mailbox}");
    Ok(mailbox.lines().find_map(|line| line.strip_prefix("X-Auth: ")).unwrap().to_owned())
}

/// A real saslauthd with a password file of its own; its socket lies in `sa`.
struct Saslauthd(Child);

const SASLAUTHD: &str = "/usr/sbin/saslauthd";

impl Saslauthd {
    /// `None` when it is not there, or we are not root.
    fn start(sandbox: &Sandbox, user: &str, password: &str) -> Option<Self> {
        if !Path::new(SASLAUTHD).exists() {
            println!("LEFT OUT: {SASLAUTHD} is missing (Debian: apt-get install sasl2-bin)");
            return None;
        }
        let dir = sandbox.path("sa");
        // Its password file has a fixed name.
        fs::create_dir_all(dir.join("etc")).unwrap();
        add_user(&dir.join("etc/sasldb2"), user, password);
        let mut command = Command::new(SASLAUTHD);
        command.args(["-d", "-a", "sasldb", "-n", "1", "-m"]).arg(&dir);
        let mut command = with_etc(&command, &dir, &[])?;
        // It ends its whole process group.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        until(LIMIT, "saslauthd listens", || {
            assert!(child.try_wait().unwrap().is_none(), "saslauthd ended");
            UnixStream::connect(dir.join("mux")).is_ok()
        });
        Some(Self(child))
    }
}

impl Drop for Saslauthd {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

#[test]
fn saslauthd_is_asked_for_passwords() {
    let sandbox = Sandbox::new();
    let Some(saslauthd) = Saslauthd::start(&sandbox, "user", "secret") else { return };
    let site = sandbox.mta("b", 1, &format!("{RELAY_AFTER_LOGIN}O AuthMechanisms=PLAIN LOGIN\nO LogLevel=10\n"));
    let socket = sandbox.path("sa/mux");
    let settings = format!("pwcheck_method: saslauthd\nsaslauthd_path: {}\n", socket.display());
    let mut command = site.command();
    command.arg("-bD");
    let Some(command) = with_etc(&command, &site.dir, &[("sasl2/Sendmail.conf", &settings)]) else { return };
    let _daemon = Daemon::start(command, site.port);
    let word = |text: &str| openssl::base64::encode_block(text.as_bytes());
    let plain = |user: &str, password: &str| {
        let mut client = Client::connect(site.port);
        let reply = client.say(&format!("AUTH PLAIN {}", word(&format!("\0{user}\0{password}"))));
        (client, reply)
    };
    let login = |user: &str, password: &str| {
        let mut client = Client::connect(site.port);
        client.expect("AUTH LOGIN", "334 VXNlcm5hbWU6");
        client.expect(&word(user), "334 UGFzc3dvcmQ6");
        client.say(&word(password))
    };
    let (mut client, reply) = plain("user@b.test", "secret");
    assert_eq!(reply, "235 2.0.0 OK Authenticated");
    let reply = client.message("me@client.test", &["in@b.test"], b"Subject: x\r\n\r\nx\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
    until(LIMIT, "it is in the mailbox", || site.mailbox("in").contains("X-Auth: PLAIN of user"));
    assert_eq!(login("user@b.test", "secret"), "235 2.0.0 OK Authenticated");
    for (user, password) in [("user@b.test", "wrong"), ("other@b.test", "secret"), ("user@b.test", "")] {
        assert_eq!(plain(user, password).1, "535 5.7.0 authentication failed", "{user} {password}");
        assert_eq!(login(user, password), "535 5.7.0 authentication failed", "{user} {password}");
    }
    assert!(!site.log().contains("generic failure"));
    // The library calls it a failure like any other when nobody listens; the log tells them apart. Source: observed.
    drop(saslauthd);
    assert_eq!(plain("user@b.test", "secret").1, "535 5.7.0 authentication failed");
    assert_eq!(login("user@b.test", "secret"), "535 5.7.0 authentication failed");
    let said = "AUTH failure (PLAIN): generic failure (-1) SASL(-1): generic failure: Password verification failed, user=user@b.test, ";
    until(LIMIT, "the log says so", || site.log().contains(said));
    // It is asked anew each time.
    let Some(_saslauthd) = Saslauthd::start(&sandbox, "user", "secret") else { return };
    assert_eq!(plain("user@b.test", "secret").1, "235 2.0.0 OK Authenticated");
}

fn rules(mechanism: &str, password: &str) -> String {
    format!(
        "O AuthMechanisms=PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256\n\
         Sauthinfo\nR$*\t$# \"U:user\" \"P:{password}\" \"R:b.test\" \"M:{mechanism}\"\n"
    )
}

const ALL: &str = "O AuthMechanisms=PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256\nO AuthOptions=p\n";

#[test]
fn every_mechanism_logs_in_at_a_smart_host() {
    let Some(smart) = smart(ALL) else { return };
    for (nth, mechanism) in
        ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"].iter().enumerate()
    {
        let found = relayed(&smart, &format!("good{nth}"), &rules(mechanism, "secret"));
        assert!(
            found.as_ref().is_ok_and(|found| found.starts_with(&format!("{mechanism} of user"))),
            "{mechanism}: {found:?}"
        );
        let found = relayed(&smart, &format!("bad{nth}"), &rules(mechanism, "wrong"));
        assert!(found.as_ref().is_err_and(|line| !line.contains("stat=Sent")), "{mechanism}: {found:?}");
    }
}

#[test]
fn a_site_of_the_library_logs_in_at_its_smart_host() {
    let Some(smart) = smart(ALL) else { return };
    let relayed = |name: &str, password: &str, mechanism: &str| {
        // As sites do it: a table of its own, and the port of submission in the arguments of the mailer.
        let lines = format!(
            "{}define(`confAUTH_MECHANISMS', `PLAIN LOGIN DIGEST-MD5')dnl\nFEATURE(`authinfo', `hash DIR/authinfo')dnl\n",
            smart.authority.macros("a.test")
        );
        let a = smart.sandbox.mta_of_library(name, smart.site.port, &lines);
        let entry = format!("\"U:user\" \"P:{password}\" \"R:b.test\" \"M:{mechanism}\"");
        let table =
            ["[127.0.0.1]", "127.0.0.1", "localhost"].map(|host| format!("AuthInfo:{host}\t{entry}\n")).concat();
        make_authinfo(&a, &table);
        let _daemon = a.start();
        let start = a.log().len();
        let to = format!("{name}@next.test");
        let reply = Client::connect(a.port).message("me@a.test", &[&to], b"Subject: x\r\n\r\nx\r\n");
        assert!(reply.starts_with("250 "), "{reply}");
        let outcome =
            || a.log()[start..].lines().find(|l| l.contains("mailer=relay") && l.contains(&to)).map(str::to_owned);
        until(LIMIT, "the try is over", || outcome().is_some());
        outcome().unwrap()
    };
    for (nth, mechanism) in ["PLAIN", "LOGIN", "DIGEST-MD5", "LOGIN PLAIN"].iter().enumerate() {
        let name = format!("good{nth}");
        let line = relayed(&name, "secret", mechanism);
        assert!(line.contains("stat=Sent"), "{mechanism}: {line}");
        until(LIMIT, "it is in the mailbox", || smart.site.mailbox(&name).contains("X-Auth: "));
        let mailbox = smart.site.mailbox(&name);
        let said = mailbox.lines().find_map(|line| line.strip_prefix("X-Auth: ")).unwrap();
        assert!(mechanism.split(' ').any(|one| said.starts_with(&format!("{one} of user"))), "{mechanism}: {said}");
        assert!(mailbox.contains("verify=OK)"), "{mailbox}");
        let line = relayed(&format!("bad{nth}"), "wrong", mechanism);
        assert!(!line.contains("stat=Sent"), "{mechanism}: {line}");
    }
}

#[test]
fn what_is_known_of_a_server_comes_from_rules_a_map_or_a_file() {
    let Some(smart) = smart(ALL) else { return };
    let map = "Kauth hash DIR/authinfo\nO AuthMechanisms=PLAIN LOGIN\nSauthinfo\nR$* $| $*\t$: $(auth AuthInfo:$1 $: none $)\n\
        Rnone\t$@\nR$*\t$# $1\n";
    assert!(relayed(&smart, "bymap", map).unwrap().starts_with("PLAIN of user"));
    let file = "O DefaultAuthInfo=DIR/default\nO AuthMechanisms=LOGIN\n";
    assert!(relayed(&smart, "byfile", file).unwrap().starts_with("LOGIN of user"));
    // Rules that know nothing of it are the last word. Source: observed.
    let both = format!("{file}Sauthinfo\nR$*\t$@ none\n");
    let refused = relayed(&smart, "byboth", &both).unwrap_err();
    assert!(refused.contains("Relaying denied") || refused.contains("dsn=5.7.1"), "{refused}");
    // Mechanisms that are not allowed are not tried.
    let other = "O DefaultAuthInfo=DIR/default\nO AuthMechanisms=GSSAPI\n";
    assert!(relayed(&smart, "bynone", other).is_err());
}

/// Bits of the layer that a message went through, and those of both logs, between these settings of the two.
fn layer(smart: &Smart, name: &str, lines: &str, is_encrypted: bool) -> u32 {
    let tls = if is_encrypted {
        smart.authority.options("a.test")
    } else {
        "O ClientPortOptions=Family=inet, M=S\n".to_owned()
    };
    let lines = format!("Cwa.test\nO LogLevel=14\n{tls}{}{lines}", rules("DIGEST-MD5", "secret"));
    let a = smart.sandbox.mta(name, smart.site.port, &lines);
    let _daemon = a.start();
    let start = a.log().len();
    let text = "a line of a text that takes many blocks\r\n".repeat(5000);
    let message = format!("Subject: x\r\n\r\n{text}end\r\n");
    let reply = Client::connect(a.port).message("me@a.test", &[&format!("{name}@next.test")], message.as_bytes());
    assert!(reply.starts_with("250 "), "{reply}");
    until(LIMIT, "it is in the mailbox", || smart.site.mailbox(name).contains("\nend\n"));
    let mailbox = smart.site.mailbox(name);
    assert!(mailbox.contains("X-Auth: DIGEST-MD5 of user"), "{mailbox}");
    assert_eq!(mailbox.contains("version=TLS"), is_encrypted);
    assert!(mailbox.contains(&format!("\n{}end\n", text.replace('\r', ""))), "the text is another");
    let log = a.log().split_off(start);
    let bits = |side: &str| {
        let line = log.lines().find(|l| l.contains(side)).unwrap_or_else(|| panic!("no {side}"));
        line.rsplit_once("mech=DIGEST-MD5, bits=").unwrap().1.parse::<u32>().unwrap()
    };
    assert_eq!(bits("AUTH=client, "), bits("AUTH=server, "));
    bits("AUTH=client, ")
}

#[test]
fn a_layer_is_as_strong_as_both_sides_allow() {
    // Server, client, whether there is TLS of 256 bits underneath, which count. Source: observed of the original in either role.
    type Client = (&'static str, bool, u32);
    let cases: &[(&str, &[Client])] = &[
        (
            "",
            &[
                ("", false, 128),
                ("0", false, 0),
                ("1", false, 1),
                ("56", false, 56),
                ("1000", false, 128),
                ("-1", false, 128),
            ],
        ),
        ("", &[("", true, 128), ("0", true, 0), ("128", true, 0), ("300", true, 40)]),
        ("0", &[("", false, 0), ("", true, 0)]),
        ("56", &[("", false, 56), ("128", false, 56), ("1", false, 1), ("", true, 0)]),
        ("300", &[("", false, 128), ("", true, 40), ("128", true, 0)]),
    ];
    let limit = |bits: &str| if bits.is_empty() { String::new() } else { format!("O AuthMaxBits={bits}\n") };
    for (server, clients) in cases {
        let mechanisms = ALL.replace("O AuthOptions=p\n", "");
        let Some(smart) = smart(&format!("{mechanisms}{}", limit(server))) else { return };
        for (nth, (client, is_encrypted, wanted)) in clients.iter().enumerate() {
            let bits = layer(&smart, &format!("n{nth}"), &limit(client), *is_encrypted);
            assert_eq!(bits, *wanted, "server {server:?}, client {client:?}, TLS {is_encrypted}");
        }
    }
}

#[test]
fn a_port_for_clients_takes_mail_after_login_alone() {
    let other = crate::support::sandbox::free_port();
    let port = format!("O DaemonPortOptions=Name=MSA, Addr=127.0.0.1, Port={other}, M=Ea\n");
    let Some(smart) = smart(&format!("{ALL}{port}")) else { return };
    let plain = |password: &str| openssl::base64::encode_block(format!("\0user@b.test\0{password}").as_bytes());
    let mut client = Client::connect(other);
    assert!(!client.say("EHLO client.test").contains("PLAIN"), "not before TLS");
    client.expect("MAIL FROM:<me@client.test>", "530 ");
    let mut client = client.start_tls();
    assert!(client.say("EHLO client.test").contains("PLAIN"));
    client.expect("MAIL FROM:<me@client.test>", "530 ");
    client.expect(&format!("AUTH PLAIN {}", plain("wrong")), "535 ");
    client.expect(&format!("AUTH PLAIN {}", plain("secret")), "235 ");
    let reply = client.message("me@client.test", &["in@next.test"], b"Subject: x\r\n\r\nx\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
    until(LIMIT, "it is in the mailbox", || smart.site.mailbox("in").contains("X-Auth: PLAIN of user"));
}

/// Mechanisms in the reply to EHLO under TLS, as the letters of `AuthOptions` leave them. Source: observed.
#[test]
fn letters_of_auth_options_choose_mechanisms() {
    let all = "O AuthMechanisms=PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256 ANONYMOUS\n";
    let offered = |letters: &str, encrypted: bool| {
        let smart = smart(&format!("{all}O AuthOptions={letters}\n"))?;
        let mut client = Client::connect(smart.site.port);
        if encrypted {
            client = client.start_tls();
        }
        let reply = client.say("EHLO client.test");
        let line = reply.lines().find(|line| line[4..].starts_with("AUTH "))?;
        Some(line[8..].split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>())
    };
    let Some(every) = offered("A", true) else { return };
    for (letter, encrypted, without, with) in [
        ("a", true, &["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "ANONYMOUS"][..], &["SCRAM-SHA-256"][..]),
        ("d", true, &["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"], &[]),
        ("m", true, &["PLAIN", "LOGIN", "CRAM-MD5", "ANONYMOUS"], &["DIGEST-MD5", "SCRAM-SHA-256"]),
        ("p", false, &["PLAIN", "LOGIN"], &["CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256"]),
        ("p", true, &[], &["PLAIN", "LOGIN"]),
        ("y", true, &["ANONYMOUS"], &["PLAIN", "LOGIN", "CRAM-MD5"]),
        // No mechanism has secrets that earlier sessions do not follow from; plain ones hand credentials on.
        ("f", true, &["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"], &[]),
        ("c", true, &["CRAM-MD5", "SCRAM-SHA-256"], &["PLAIN", "LOGIN"]),
    ] {
        let left = offered(letter, encrypted).unwrap_or_default();
        for word in without {
            assert!(!left.iter().any(|own| own == word), "{letter}: {word} in {left:?}");
        }
        // What this machine lacks is offered by nobody.
        for word in with.iter().filter(|word| every.iter().any(|own| own == *word)) {
            assert!(left.iter().any(|own| own == word), "{letter}: no {word} in {left:?}");
        }
    }
}

/// `AUTH=` of MAIL goes on to a server; with letter `A` only after a login there.
#[test]
fn a_letter_of_auth_options_keeps_auth_of_mail_back() {
    let sandbox = Sandbox::new();
    for (name, line, is_said) in [("a", "", true), ("b", "O AuthOptions=A\n", false)] {
        let script = "S: 220 next.test ESMTP\nC: EHLO *\nS: 250-next.test\\250 AUTH PLAIN";
        let next = FakeHost::new(&[script]);
        let site = sandbox.mta(name, next.port, line);
        let _daemon = site.start();
        let mut client = Client::connect(site.port);
        client.expect("MAIL FROM:<me@client.test> AUTH=me@client.test", "250 ");
        client.expect("RCPT TO:<you@next.test>", "250 ");
        client.expect("DATA", "354 ");
        client.send(b"Subject: x\r\n\r\nx\r\n");
        client.expect(".", "250 ");
        let sender = next.wait_for(1).remove(0).sender;
        assert_eq!(sender.contains(" AUTH="), is_said, "{line:?}: {sender}");
    }
}

#[test]
fn the_realm_of_a_challenge_is_that_of_the_option() {
    for (lines, realm) in [("", "realm=\"b.test\""), ("O AuthRealm=other.test\n", "realm=\"other.test\"")] {
        let Some(smart) = smart(&format!("{ALL}{lines}")) else { return };
        let mut client = Client::connect(smart.site.port).start_tls();
        if !client.say("EHLO client.test").contains("DIGEST-MD5") {
            println!("LEFT OUT: the mechanism DIGEST-MD5 of SASL is missing");
            return;
        }
        let challenge = client.expect("AUTH DIGEST-MD5", "334 ");
        let text = openssl::base64::decode_block(&challenge[4..]).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(text.contains(realm), "{lines:?}: {text}");
    }
}
