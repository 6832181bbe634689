//! Section 8: what TLS is used for.

use std::net::Ipv4Addr;
use std::process::Stdio;

use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};

use super::*;
use crate::support::tls::Wish;

/// Writes a hash map beside the configuration.
fn table(running: &Site, name: &str, text: &str) {
    use std::io::Write as _;
    let mut command = Command::new(env!("CARGO_BIN_EXE_makemap"));
    command.args(["-C", "/dev/null", "hash", name]).current_dir(&running.dir).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn r8_1_a_client_certificate_opens_the_relay() {
    let place = Place::new();
    place.authority.sign("other.test");
    let stranger = Authority::named(&place.sandbox.path("stranger"), "ca", "Stranger");
    stranger.sign("client.test");
    let known = Authority::named(&place.sandbox.path("tls"), "known", "Known");
    known.sign_as("known.test", Wish::default());
    std::os::unix::fs::symlink(
        "known.crt",
        place.sandbox.path("tls").join(crate::support::tls::new_hash(known.certificate())),
    )
    .unwrap();
    let access = "CERTIssuer:/CN=Authority SUBJECT\nCERTSubject:/CN=client.test RELAY\nCERTIssuer:/CN=Known RELAY\n\
        CERTIssuer:/CN=Stranger RELAY\n";
    let running = of_library(&place, "a", 1, access, "");
    for (connector, start, who) in [
        (place.authority.connector(Some("client.test")), "250 ", "subject named"),
        (known.connector(Some("known.test")), "250 ", "issuer named"),
        (place.authority.connector(Some("other.test")), "550 ", "another subject"),
        (stranger.connector(Some("client.test")), "550 ", "not verified"),
        (place.authority.connector(None), "550 ", "none"),
    ] {
        // The rules of the library let 127.0.0.1 relay.
        let client = Client::connect_from(Ipv4Addr::new(127, 0, 0, 9), running.site.port);
        let mut client = client.start_tls_with(&connector);
        client.expect("EHLO client.test", "250-");
        client.expect("MAIL FROM:<me@client.test>", "250 ");
        let reply = client.say("RCPT TO:<you@next.test>");
        // A name server that does not answer makes the refusal one for now.
        let reply = reply.replace("450 4.7.1 ", "550 5.7.1 ");
        assert!(reply.starts_with(start), "{who}: {reply}");
        client.expect("RCPT TO:<root@a.test>", "250 ");
    }
}

/// One whose configuration the m4 library makes, with a smart host and a table `access`; `lines` are `.mc` lines.
fn of_library(place: &Place, name: &str, next_port: u16, access: &str, lines: &str) -> Running {
    let keys = place.authority.macros(&format!("{name}.test"));
    let lines = format!("{keys}FEATURE(`access_db', `hash -T<TMPF> DIR/access')dnl\n{lines}");
    let site = place.sandbox.mta_of_library(name, next_port, &lines);
    table(&site, "access", access);
    let daemon = site.start();
    Running { site, _daemon: daemon }
}

/// What becomes of a message to a server, under a demand.
fn demand(access: &str, server: &str, lines: &str) -> (String, Option<bool>) {
    let place = Place::new();
    let stranger = Authority::named(&place.sandbox.path("stranger"), "ca", "Stranger");
    let next = match server {
        "clear" => FakeHost::accepting(),
        "verified" => tls_host(&place.authority),
        _ => tls_host(&stranger),
    };
    let running = of_library(&place, "a", next.port, access, lines);
    send(&running);
    until(LIMIT, "the try is over", || running.site.log().contains(" dsn="));
    let log = running.site.log();
    let line = log.lines().rfind(|line| line.contains(" dsn=")).unwrap();
    let stat = line.split("stat=").nth(1).unwrap().to_owned();
    (stat, next.acknowledged().first().map(|taken| taken.is_encrypted))
}

#[test]
fn r8_2_tls_is_forced_to_named_destinations() {
    let verify = "TLS_Srv:localhost VERIFY\nTLS_Srv:[127.0.0.1] VERIFY\n";
    let bits = |n: u32| format!("TLS_Srv:localhost ENCR:{n}\nTLS_Srv:[127.0.0.1] ENCR:{n}\n");
    let weak = "define(`confCLIENT_SSL_OPTIONS', `+SSL_OP_NO_TLSv1_3')dnl\n\
        define(`confCIPHER_LIST', `ECDHE-ECDSA-AES128-GCM-SHA256')dnl\n";
    for (access, server, lines, is_sent) in [
        ("", "clear", "", true),
        ("", "unverified", "", true),
        (verify, "clear", "", false),
        (verify, "unverified", "", false),
        (verify, "verified", "", true),
        (&bits(256), "clear", "", false),
        (&bits(256), "unverified", "", true),
        (&bits(256), "unverified", weak, false),
        (&bits(128), "unverified", weak, true),
    ] {
        let (stat, taken) = demand(access, server, lines);
        assert_eq!(taken.is_some(), is_sent, "{access} {server} {lines}: {stat}");
        assert_eq!(stat.starts_with("Sent"), is_sent, "{access} {server}: {stat}");
    }
    let (stat, taken) = demand("Try_TLS:localhost NO\nTry_TLS:[127.0.0.1] NO\n", "verified", "");
    assert_eq!(taken, Some(false), "{stat}");
}

#[test]
fn r8_3_two_hosts_demand_tls_of_each_other() {
    let place = Place::new();
    place.authority.sign("b.test");
    let demand = "Scheck_mail\nR$*\t$: $&{verify}\nROK\t$@ ok\nR$*\t$#error $@ 4.7.0 $: \"403 not verified\"\n";
    let b = place.run("b", 1, &format!("Cwnext.test a.test\n{}{demand}", place.authority.options("b.test")));
    let access = "TLS_Srv:localhost VERIFY\nTLS_Srv:[127.0.0.1] VERIFY\n";
    let a = of_library(&place, "a", b.site.port, access, "");
    send(&a);
    until(LIMIT, "it is in the mailbox", || b.site.mailbox("you").contains("out"));
    let mut stranger = Client::connect(b.site.port);
    stranger.expect("MAIL FROM:<me@client.test>", "403 ");
}

#[test]
fn r8_4_rules_see_who_the_client_is() {
    let place = Place::new();
    let rules = format!(
        "{SEEN}Scheck_mail\nR$*\t$: $(seen mail.$&{{verify}}.$&{{cn_subject}}.$&{{cert_issuer}} $)\n\
         Scheck_rcpt\nR$*\t$: $(seen rcpt.$&{{verify}}.$&{{cn_subject}}.$&{{cert_issuer}} $)\n"
    );
    let running = place.run_tls(&rules);
    place.receives(&running, Some("client.test"));
    running.wait_for_log("mail.OK.client.test./CN=Authority");
    running.wait_for_log("rcpt.OK.client.test./CN=Authority");
}

#[test]
fn r8_5_passwords_are_asked_for_after_tls_only() {
    let place = Place::new();
    let running = place.run_tls("O AuthMechanisms=PLAIN LOGIN\nO AuthOptions=p\n");
    let mut client = Client::connect(running.site.port);
    let before = client.say("EHLO client.test");
    assert!(!before.contains("AUTH"), "{before}");
    let mut client = client.start_tls_with(&place.authority.connector(None));
    let after = client.say("EHLO client.test");
    if after.contains("AUTH") {
        assert!(after.contains("AUTH ") && after.contains("PLAIN") && after.contains("LOGIN"), "{after}");
    } else {
        println!("no SASL mechanisms on this machine: only their absence was looked at");
    }
}

#[test]
fn r8_6_servers_and_mail_programs_are_known_by_certificates() {
    let place = Place::new();
    let other = crate::support::sandbox::free_port();
    let ports = format!("O DaemonPortOptions=Name=MSA, Addr=127.0.0.1, Port={other}, M=E\n");
    let running = place.run_tls(&ports);
    for port in [running.site.port, other] {
        // The client looks at the server's certificate, too.
        let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
        connector.set_ca_file(place.authority.path("ca", "crt")).unwrap();
        connector
            .set_private_key_file(place.authority.path("client.test", "key"), openssl::ssl::SslFiletype::PEM)
            .unwrap();
        connector.set_certificate_chain_file(place.authority.path("client.test", "crt")).unwrap();
        connector.set_verify(SslVerifyMode::PEER);
        let mut client = Client::connect(port).start_tls_with(&connector.build());
        client.expect("EHLO client.test", "250-");
        let user = format!("u{port}");
        let reply = client.message("me@client.test", &[&format!("{user}@a.test")], b"Subject: x\r\n\r\nbody\r\n");
        assert!(reply.starts_with("250 "), "{reply}");
        until(LIMIT, "it is in the mailbox", || running.site.mailbox(&user).contains("body"));
        assert!(running.site.mailbox(&user).contains("verify=OK)"));
    }
}

#[test]
fn r8_8_tls_keeps_no_two_hosts_from_talking() {
    // Neither known to the other, one without any certificate.
    let place = Place::new();
    let stranger = Authority::named(&place.sandbox.path("stranger"), "ca", "Stranger");
    let next = tls_host(&stranger);
    let running = place.run("a", next.port, "");
    send(&running);
    assert!(next.wait_for(1)[0].is_encrypted);
    // And a host whose TLS is broken, when the option says so.
    let seen = verify::seen_by_rules(|_| "S: 220 go ahead\nhang up", "O TLSFallbacktoClear=true\n");
    assert!(seen.taken.iter().any(|taken| !taken.is_encrypted), "{}", seen.log);
}

fn client_of(versions: (SslVersion, SslVersion), list: &str) -> SslConnector {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    connector.set_min_proto_version(Some(versions.0)).unwrap();
    connector.set_max_proto_version(Some(versions.1)).unwrap();
    connector.set_cipher_list(list).unwrap();
    connector.build()
}

#[test]
fn r8_9_lists_of_ciphers_and_options_decide() {
    let any = || client_of((SslVersion::TLS1_2, SslVersion::TLS1_3), "DEFAULT");
    for (lines, version, cipher) in [
        ("", "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
        ("O CipherSuites=TLS_AES_128_GCM_SHA256\n", "TLSv1.3", "TLS_AES_128_GCM_SHA256"),
        (
            "O ServerSSLOptions=+SSL_OP_NO_TLSv1_3\nO CipherList=ECDHE-ECDSA-AES128-GCM-SHA256\n",
            "TLSv1.2",
            "ECDHE-ECDSA-AES128-GCM-SHA256",
        ),
    ] {
        let place = Place::new();
        let running = place.run_tls(lines);
        let client = Client::connect(running.site.port).start_tls_with(&any());
        assert_eq!(client.ssl().version_str(), version, "{lines}");
        assert_eq!(client.ssl().current_cipher().unwrap().name(), cipher, "{lines}");
    }
}

#[test]
fn r8_10_old_versions_are_refused_with_a_reason() {
    let place = Place::new();
    let running = place.run_tls("");
    let mut client = Client::connect(running.site.port);
    client.expect("STARTTLS", "220 ");
    let old = client_of((SslVersion::TLS1, SslVersion::TLS1_1), "DEFAULT@SECLEVEL=0");
    assert!(client.try_handshake(&old).is_err());
    running.wait_for_log("STARTTLS=server, error: accept failed=-1, reason=");
    assert!(!running.site.log().contains("reason=unknown"), "{}", running.site.log());
}

#[test]
fn r8_11_both_sides_see_the_names_of_the_other() {
    let place = Place::new();
    let next = tls_host(&place.authority);
    let rules =
        format!("{SEEN}Stls_server\nR$*\t$: $(seen server.$&{{cn_subject}}.$&{{cert_subject}}.$&{{cn_issuer}} $)\n");
    let running = place.run("a", next.port, &format!("{}{rules}", place.authority.options("a.test")));
    send(&running);
    running.wait_for_log("server.next.test./CN=next.test.Authority");
}

#[test]
fn r8_12_the_library_is_that_of_the_system() {
    let place = Place::new();
    let site = place.sandbox.mta("a", 1, "");
    let text = printed(SENDMAIL, &["-C", "cf", "-d0.14", "-bt"], &site.dir);
    assert!(text.contains("OpenSSL: linked   0x"), "{text}");
}

#[test]
fn r8_13_the_directory_holds_more_authorities_than_are_announced() {
    let place = Place::new();
    let hidden = Authority::named(&place.sandbox.path("tls"), "hidden", "Hidden");
    hidden.sign("hidden.test");
    printed(TLSCHECK, &["--rehash", "."], &place.sandbox.path("tls"));
    let running = place.run_tls("");
    let text = options::s_client(running.site.port, &[]);
    assert!(text.contains("CN = Authority") && !text.contains("Hidden"), "{text}");
    let shown = running.receives(&hidden.connector(Some("hidden.test")));
    assert!(shown.contains("verify=OK)"), "{shown}");
}
