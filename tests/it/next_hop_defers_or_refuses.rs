//! 4xx keeps a message, 5xx sends it back.

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::Sandbox;
use crate::support::{LIMIT, until};

fn answering_rcpt(reply: &str) -> String {
    format!(
        "S: 220 next.test ESMTP
        C: EHLO *
        S: 250 next.test
        C: MAIL *
        S: 250 ok
        C: RCPT *
        S: {reply}"
    )
}

#[test]
fn a_4xx_defers_mailq_lists_it_and_a_queue_run_delivers_it() {
    let sandbox = Sandbox::new();
    let next = FakeHost::new(&[&answering_rcpt("450 4.2.1 come back later"), ""]);
    let mta = sandbox.mta("a", next.port, "");
    let _daemon = mta.start();
    let reply = Client::connect(mta.port).message("me@client.test", &["you@next.test"], b"Subject: x\r\n\r\nlater\r\n");
    let id = reply.split_whitespace().nth(2).unwrap().to_owned();

    until(LIMIT, "mailq lists the message with its reason", || {
        let listed = mta.mailq();
        listed.contains(&id) && listed.contains("me@client.test") && listed.contains("450 4.2.1 come back later")
    });
    assert!(mta.mailq().contains("Total requests: 1"), "{}", mta.mailq());

    until(LIMIT, "a queue run delivers it", || {
        mta.run_queue();
        !next.acknowledged().is_empty()
    });
    assert!(next.acknowledged()[0].text().ends_with("\r\n\r\nlater\r\n"));
    until(LIMIT, "the queue is empty", || mta.queue_is_empty());
}

#[test]
fn a_5xx_sends_a_report_to_the_sender() {
    let sandbox = Sandbox::new();
    let next = FakeHost::new(&[&answering_rcpt("550 5.1.1 no such user"), ""]);
    let mta = sandbox.mta("a", next.port, "");
    let _daemon = mta.start();
    let message = b"From: me@a.test\r\nSubject: original\r\n\r\ntext\r\n";
    Client::connect(mta.port).message("me@a.test", &["gone@next.test"], message);

    until(LIMIT, "the report is in the sender's mailbox", || mta.mailbox("me").contains("Subject: original"));
    let report = mta.mailbox("me");
    for part in [
        "Return-Path: <MAILER-DAEMON@a.test>",
        "Content-Type: multipart/report; report-type=delivery-status;",
        "Final-Recipient: RFC822; gone@next.test",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: SMTP; 550 5.1.1 no such user",
    ] {
        assert!(report.contains(part), "{part:?} is missing in\n{report}");
    }
    until(LIMIT, "the queue is empty", || mta.queue_is_empty());
    assert!(next.taken().is_empty());
}

#[test]
fn a_report_that_cannot_be_sent_back_is_not_answered_by_another() {
    let sandbox = Sandbox::new();
    let next = FakeHost::new(&[&answering_rcpt("550 5.1.1 no such user")]);
    let mta = sandbox.mta("a", next.port, "");
    let _daemon = mta.start();
    Client::connect(mta.port).message("", &["gone@next.test"], b"Subject: report\r\n\r\nx\r\n");
    until(LIMIT, "the postmaster has it", || mta.mailbox("postmaster").contains("gone@next.test"));
    until(LIMIT, "the queue is empty", || mta.queue_is_empty());
}

#[test]
fn a_report_to_the_postmaster_that_fails_too_is_set_aside() {
    let sandbox = Sandbox::new();
    let next = FakeHost::new(&[&answering_rcpt("550 5.1.1 no such user")]);
    let mta = sandbox.mta("a", next.port, "O DoubleBounceAddress=postmaster\n");
    mta.write("aliases", b"postmaster: nosuch\n", 0o644);
    let _daemon = mta.start();
    Client::connect(mta.port).message("", &["gone@next.test"], b"Subject: report\r\n\r\nx\r\n");
    until(LIMIT, "it is given up", || mta.log().contains("savemail: cannot save rejected email anywhere"));
    until(LIMIT, "one message is set aside", || mta.queue_files("Qf").len() == 1 && mta.queue_files("qf").is_empty());
    assert_eq!(mta.log().matches("postmaster notify").count(), 1, "{}", mta.log());
}
