//! Section 7: log lines.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Stdio;

use openssl::pkey::PKey;
use openssl::symm::Cipher;

use super::*;

#[test]
fn r7_1_an_encrypted_key_is_told_and_nobody_is_asked() {
    let place = Place::new();
    let file = place.authority.path("a.test", "key");
    let key = PKey::private_key_from_pem(&fs::read(&file).unwrap()).unwrap();
    fs::write(&file, key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_128_cbc(), b"secret").unwrap()).unwrap();
    let running = place.run_tls("O LogLevel=14\n");
    assert!(!running.offers());
    running.wait_for_log(&format!("STARTTLS=server, error: SSL_CTX_use_PrivateKey_file({}) failed", file.display()));
    running.wait_for_log("take the pass phrase off (openssl pkey");
    // On standard input, too: what the client says is not a pass phrase.
    let mut child = running.site.command().arg("-bs").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"QUIT\r\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("220 ") && text.contains("221 2.0.0 "), "{text}");
}

#[test]
fn r7_3_lines_of_both_sides_at_their_levels() {
    for (level, has_details) in [(9, false), (14, true)] {
        let place = Place::new();
        let next = tls_host(&place.authority);
        let lines = format!("O LogLevel={level}\n{}", place.authority.options("a.test"));
        let running = place.run("a", next.port, &lines);
        send(&running);
        next.wait_for(1);
        place.receives(&running, Some("client.test"));
        for side in ["server", "client"] {
            let log = running.site.log();
            let line = log.lines().find(|line| line.contains(&format!("STARTTLS={side}, relay=")));
            let line = line.unwrap_or_else(|| panic!("{side}: {log}"));
            let rest = ", version=TLSv1.3, verify=OK, cipher=TLS_AES_256_GCM_SHA384, bits=256/256";
            assert!(line.ends_with(rest), "{line}");
            let details = format!("STARTTLS={side}, cert-subject=/CN=");
            assert_eq!(log.contains(&details), has_details, "{side} {level}: {log}");
            assert!(!has_details || log.contains("cert-issuer=/CN=Authority, verifymsg=ok"), "{log}");
        }
    }
}

#[test]
fn r7_4_a_broken_handshake_is_told_with_the_reason() {
    let place = Place::new();
    // An alert of the server: illegal parameter.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let running = place.run("a", listener.local_addr().unwrap().port(), &place.authority.options("a.test"));
    send(&running);
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    for reply in ["220 next.test ESMTP\r\n", "250-next.test\r\n250 STARTTLS\r\n", "220 go ahead\r\n"] {
        stream.write_all(reply.as_bytes()).unwrap();
        if !reply.starts_with("220 go") {
            reader.read_line(&mut line).unwrap();
        }
    }
    stream.write_all(&[21, 3, 3, 0, 2, 2, 47]).unwrap();
    running.wait_for_log("STARTTLS=client, error: connect failed=-1, reason=");
    let log = running.site.log();
    assert!(log.contains("alert illegal parameter"), "{log}");
    assert!(line.contains("EHLO a.test") && line.contains("STARTTLS"), "{line}");
}

#[test]
fn r7_5_long_lists_of_authorities_work_and_are_told() {
    let place = Place::new();
    let mut all = fs::read(place.sandbox.path("tls/ca.crt")).unwrap();
    for nth in 1..151 {
        let other = Authority::named(&place.sandbox.path("others"), "other", &format!("Root {nth}"));
        all.extend(other.certificate().to_pem().unwrap());
    }
    fs::write(place.sandbox.path("others/all.pem"), all).unwrap();
    let lines = place.authority.options("a.test").replace("/tls/ca.crt", "/others/all.pem");
    let running = place.run("a", 1, &lines);
    for version in ["-tls1_2", "-tls1_3"] {
        let text = options::s_client(running.site.port, &[version]);
        assert!(text.contains("Acceptable client certificate CA names"), "{version}: {text}");
    }
    assert!(place.receives(&running, Some("client.test")).contains("verify=OK)"));
    let text = String::from_utf8(tool(TLSCHECK, &["cf"], &running.site.dir).stdout).unwrap();
    assert!(text.contains("[ca-names-too-many] server") && text.contains("CACertPath"), "{text}");
}

#[test]
fn r7_6_what_other_logs_tell_is_told_too() {
    let place = Place::new();
    let next = tls_host(&place.authority);
    let running = place.run("a", next.port, &format!("O LogLevel=14\n{}", place.authority.options("a.test")));
    let mut client = Client::connect(running.site.port).start_tls_with(&place.authority.connector(None));
    client.expect("EHLO client.test", "250-");
    let reply = client.message("me@a.test", &["you@next.test"], b"Message-Id: <7.6@a.test>\r\nSubject: x\r\n\r\nx\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
    running.wait_for_log("stat=Sent");
    let log = running.site.log();
    for (theirs, ours) in [
        ("connect from", &["NOQUEUE: connect from "][..]),
        ("TLS connection established from", &["STARTTLS=server, relay=", ", version=TLSv1.3", "bits=256/256"]),
        (
            "from=, size=, nrcpt=, message-id=, client=",
            &[": from=<me@a.test>, size=", ", nrcpts=1, msgid=<7.6@a.test>", ", proto=ESMTPS", ", relay="],
        ),
        ("TLS connection established to", &["STARTTLS=client, relay=", ", version=TLSv1.3"]),
        (
            "to=, relay=, delay=, status=sent",
            &[": to=<you@next.test>, delay=", ", xdelay=", ", mailer=esmtp", ", dsn=2.0.0, stat=Sent"],
        ),
    ] {
        let found = log.lines().any(|line| ours.iter().all(|part| line.contains(part)));
        assert!(found, "{theirs}: {ours:?} in\n{log}");
    }
}

#[test]
fn r7_7_a_server_that_does_not_verify_gets_mail_nevertheless() {
    let place = Place::new();
    let stranger = Authority::named(&place.sandbox.path("stranger"), "ca", "Stranger");
    let next = tls_host(&stranger);
    let running = place.run("a", next.port, &format!("O LogLevel=14\n{}", place.authority.options("a.test")));
    send(&running);
    assert!(next.wait_for(1)[0].is_encrypted);
    running.wait_for_log("verify=FAIL");
    running.wait_for_log(
        "cert-subject=/CN=next.test, cert-issuer=/CN=Stranger, verifymsg=self-signed certificate in certificate chain",
    );
    running.wait_for_log("stat=Sent");
}

#[test]
fn r7_8_one_queue_id_joins_the_lines_of_a_message_that_a_program_delivers() {
    let place = Place::new();
    let site = place.sandbox.mta("a", 1, "");
    site.write("aliases", format!("list: \"|cat >{}/mail/piped\"\n", site.dir.display()).as_bytes(), 0o644);
    let daemon = site.start();
    let running = Running { site, _daemon: daemon };
    let reply =
        Client::connect(running.site.port).message("me@client.test", &["list@a.test"], b"Subject: x\r\n\r\npiped\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
    until(LIMIT, "the program got it", || running.site.mailbox("piped").contains("piped"));
    running.wait_for_log("stat=Sent");
    let log = running.site.log();
    let id_of = |part: &str| {
        let line = log.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {log}"));
        line.split("]: ").nth(1).unwrap().split(':').next().unwrap().to_owned()
    };
    assert_eq!(id_of("from=<me@client.test>"), id_of("stat=Sent"));
    assert!(log.contains("mailer=prog"), "{log}");
}

#[test]
fn r7_9_the_label_is_chosen_and_the_traffic_is_written() {
    let place = Place::new();
    let site = place.sandbox.mta("a", 1, "");
    let mut command = site.command();
    command.args(["-L", "sm-mta", "-X", "traffic", "-bD"]);
    let daemon = Daemon::start(command, site.port);
    let running = Running { site, _daemon: daemon };
    Client::connect(running.site.port).say("QUIT");
    running.wait_for_log(" sm-mta[");
    until(LIMIT, "the traffic is written", || {
        let traffic = fs::read_to_string(running.site.path("traffic")).unwrap_or_default();
        traffic.contains("<<< QUIT") && traffic.contains(">>> 221 ")
    });
}
