//! STARTTLS on both sides.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use openssl::ssl::{SslConnector, SslMethod, SslSession, SslSessionCacheMode, SslVerifyMode, SslVersion};

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::Sandbox;
use crate::support::tls::Authority;
use crate::support::{LIMIT, until};

#[test]
fn two_agents_verify_each_other() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    authority.sign("b.test");
    let b = sandbox.mta("b", 1, &format!("Cwnext.test a.test\n{}", authority.options("b.test")));
    let a = sandbox.mta("a", b.port, &authority.options("a.test"));
    let (_one, _other) = (b.start(), a.start());
    let reply = Client::connect(a.port).message("me@a.test", &["you@next.test"], b"Subject: tls\r\n\r\nsecret\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
    until(LIMIT, "it is in the mailbox", || b.mailbox("you").contains("secret"));
    let mailbox = b.mailbox("you");
    let hop = mailbox.split("Received:").nth(1).unwrap();
    assert!(hop.contains("(version=TLSv1.3 cipher=") && hop.contains("verify=OK)"), "{mailbox}");
    let log = a.log();
    let of = |side: &str| log.lines().find(|l| l.contains(&format!("STARTTLS={side}, relay="))).map(str::to_owned);
    for side in ["client", "server"] {
        let line = of(side).unwrap_or_else(|| panic!("no line about STARTTLS={side} in\n{log}"));
        assert!(line.contains("version=TLSv1.3, verify=OK, cipher="), "{line}");
    }
}

#[test]
fn words_sent_in_clear_behind_starttls_are_not_heard() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    let mta = sandbox.mta("a", 1, &authority.options("a.test"));
    let _daemon = mta.start();
    let mut client = Client::connect(mta.port);
    client.send(b"STARTTLS\r\nEHLO evil.test\r\nMAIL FROM:<evil@client.test>\r\n");
    assert_eq!(client.reply(), "220 2.0.0 Ready to start TLS");
    let mut client = client.handshake();
    client.expect("NOOP", "250 2.0.0 OK");
    client.expect("EHLO client.test", "250-");
    client.expect("RCPT TO:<you@a.test>", "503 ");
}

#[test]
fn words_of_a_server_in_clear_behind_its_220_are_not_heard() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    authority.sign("next.test");
    let script = "S: 220 next.test ESMTP
        C: EHLO *
        S: 250-next.test\\250 STARTTLS
        C: STARTTLS
        S: 220 go ahead\\250-evil.test\\250 SIZE 1
        start tls
        C: EHLO *
        S: 250 next.test";
    let next = FakeHost::with_tls(&[script, ""], authority.acceptor("next.test"));
    let mta = sandbox.mta("a", next.port, &authority.options("a.test"));
    let _daemon = mta.start();
    Client::connect(mta.port).message("me@a.test", &["you@next.test"], b"Subject: tls\r\n\r\nsecret\r\n");
    until(LIMIT, "it is delivered", || {
        mta.run_queue();
        !next.acknowledged().is_empty()
    });
    assert!(next.acknowledged()[0].is_encrypted);
    assert!(next.acknowledged()[0].text().ends_with("secret\r\n"));
    until(LIMIT, "the queue is empty", || mta.queue_is_empty());
}

/// `ClientPortOptions` with modifier `S`: what the server offers is left alone.
#[test]
fn a_client_port_may_leave_tls_alone() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    authority.sign("next.test");
    for (name, modifiers, is_encrypted) in [("a", "", true), ("b", ", Modifier=S", false)] {
        let next = FakeHost::with_tls(&[""], authority.acceptor("next.test"));
        let lines = format!("{}O ClientPortOptions=Family=inet{modifiers}\n", authority.options("a.test"));
        let mta = sandbox.mta(name, next.port, &lines);
        let _daemon = mta.start();
        Client::connect(mta.port).message("me@client.test", &["you@next.test"], b"Subject: port\r\n\r\nx\r\n");
        assert_eq!(next.wait_for(1).remove(0).is_encrypted, is_encrypted, "{modifiers}");
    }
}

#[test]
fn mail_comes_in_over_tls() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    let mta = sandbox.mta("a", 1, &authority.options("a.test"));
    let _daemon = mta.start();
    let mut client = Client::connect(mta.port).start_tls();
    let offered = client.expect("EHLO client.test", "250-");
    assert!(!offered.contains("STARTTLS"), "{offered}");
    let reply = client.message("me@client.test", &["you@a.test"], b"Subject: in\r\n\r\nhidden\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
    until(LIMIT, "it is in the mailbox", || mta.mailbox("you").contains("hidden"));
    assert!(mta.mailbox("you").contains("verify=NO)"), "{}", mta.mailbox("you"));
}

#[test]
fn a_renewed_certificate_counts_without_a_restart() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    let mta = sandbox.mta("a", 1, &authority.options("a.test"));
    let _daemon = mta.start();
    let shown = || Client::connect(mta.port).start_tls().certificate();
    let file = authority.path("a.test", "crt");
    assert_eq!(shown(), std::fs::read(&file).unwrap());

    // Half of a renewal: the pair does not match, and the earlier one stays.
    let (before, key) = (shown(), std::fs::read(authority.path("a.test", "key")).unwrap());
    authority.sign("a.test");
    let new_key = std::fs::read(authority.path("a.test", "key")).unwrap();
    std::fs::write(authority.path("a.test", "key"), key).unwrap();
    until(LIMIT, "the mismatch is told", || {
        assert_eq!(shown(), before);
        mta.log().contains("SSL_CTX_check_private_key failed")
    });
    assert_eq!(shown(), before);

    std::fs::write(authority.path("a.test", "key"), new_key).unwrap();
    until(LIMIT, "the new certificate is shown", || shown() == std::fs::read(&file).unwrap());
}

#[test]
fn a_handshake_that_stops_half_way_ends_after_its_time() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    let mta = sandbox.mta("a", 1, &format!("O Timeout.starttls=1s\n{}", authority.options("a.test")));
    let _daemon = mta.start();
    let mut client = Client::connect(mta.port);
    client.expect("STARTTLS", "220 ");
    // The beginning of a client's first message.
    client.send(&[22, 3, 1, 2, 0, 1]);
    assert_eq!(client.try_reply(), None);
    until(LIMIT, "it is told", || mta.log().contains("STARTTLS=server, error: accept failed"));
    // Others are served meanwhile and after.
    Client::connect(mta.port).start_tls().expect("NOOP", "250 ");
}

#[test]
fn a_client_that_asks_to_renegotiate_is_refused() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    let mta = sandbox.mta("a", 1, &authority.options("a.test"));
    let _daemon = mta.start();
    let port = format!("127.0.0.1:{}", mta.port);
    let mut command = std::process::Command::new("openssl");
    command.args(["s_client", "-starttls", "smtp", "-tls1_2", "-connect", &port]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A line with R alone asks for it.
    child.stdin.take().unwrap().write_all(b"R\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("RENEGOTIATING") && text.contains("no renegotiation"), "{text}");
}

#[test]
fn a_session_is_resumed_by_clients_that_ask() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    let mta = sandbox.mta("a", 1, &authority.options("a.test"));
    let _daemon = mta.start();
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        let held: Arc<Mutex<Option<SslSession>>> = Arc::default();
        let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
        connector.set_verify(SslVerifyMode::NONE);
        connector.set_max_proto_version(Some(version)).unwrap();
        connector.set_session_cache_mode(SslSessionCacheMode::CLIENT);
        let holder = Arc::clone(&held);
        connector.set_new_session_callback(move |_, session| *holder.lock().unwrap() = Some(session));
        let connector = connector.build();
        let first = Client::connect(mta.port).start_tls_with(&connector);
        assert!(!first.ssl().session_reused());
        first.close();
        let session = held.lock().unwrap().take().unwrap();
        let mut client = Client::connect(mta.port);
        client.expect("STARTTLS", "220 ");
        let mut again = client.resume(&connector, &session);
        assert!(again.ssl().session_reused(), "{version:?}");
        again.expect("EHLO client.test", "250-");
    }
}

#[test]
fn one_server_is_spoken_to_with_one_handshake_in_full() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    authority.sign("b.test");
    let b = sandbox.mta("b", 1, &format!("Cwnext.test a.test\nO LogLevel=14\n{}", authority.options("b.test")));
    // Without a cache every message has its connection.
    let lines = format!("O ConnectionCacheSize=0\n{}", authority.options("a.test"));
    let a = sandbox.mta("a", b.port, &lines);
    let (_one, _other) = (b.start(), a.start());
    for nth in 0..3 {
        let user = format!("u{nth}@next.test");
        let reply = Client::connect(a.port).message("me@a.test", &[&user], b"Subject: x\r\n\r\nbody\r\n");
        assert!(reply.starts_with("250 "), "{reply}");
        until(LIMIT, "it is in the mailbox", || b.mailbox(&format!("u{nth}")).contains("verify=OK)"));
    }
}
