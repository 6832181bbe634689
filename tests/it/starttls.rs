//! STARTTLS on both sides.

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
