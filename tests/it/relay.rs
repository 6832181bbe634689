//! In by SMTP, out by SMTP: not a byte of the body changes.

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::mask::mask;
use crate::support::sandbox::Sandbox;

#[test]
fn a_body_goes_out_as_it_came_in() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    let _daemon = mta.start();
    let mut body = b"..one dot\r\n...two dots\r\n..\r\n\r\nr\xe9sum\xe9 \xff\xfe\x80\r\ntab\t, blanks  \r\n".to_vec();
    body.extend([b"x".repeat(990), b"\r\n".to_vec()].concat());
    body.extend(b"last line\r\n");
    let message = [
        &b"From: <me@client.test>\r\nTo: you@next.test\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\
        Message-Id: <1@client.test>\r\nSubject: bytes\r\n\r\n"[..],
        &body,
    ]
    .concat();

    let mut client = Client::connect(mta.port);
    let reply = client.message("me@client.test", &["you@next.test"], &message);
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    client.expect("QUIT", "221 ");

    let taken = next.wait_for(1).remove(0);
    assert_eq!(taken.recipients.len(), 1, "{:?}", taken.recipients);
    let at = taken.wire.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(String::from_utf8_lossy(&taken.wire[at..]), String::from_utf8_lossy(&body));
    assert_eq!(&taken.wire[at..], &body[..], "the body");
    let header = mask(std::str::from_utf8(&taken.wire[..at]).unwrap());
    let received = "Received: from client.test (localhost [127.0.0.1])\r\n\tby a.test (VERSION) with ESMTP id QUEUEID\r\n\
        \tfor <you@next.test>; DATE\r\n";
    let rest = "From: <me@client.test>\r\nTo: you@next.test\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\
        Message-Id: <1@client.test>\r\nSubject: bytes\r\n\r\n";
    let header = header.replace("(localhost.localdomain ", "(localhost ").replace(" (may be forged)", "");
    assert_eq!(header, format!("{received}{rest}"));
}

#[test]
fn lines_longer_than_the_mailer_takes_are_cut_with_a_mark() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    let _daemon = mta.start();
    let long = "0123456789".repeat(300);
    let message = format!("Subject: long\r\n\r\n{long}\r\nend\r\n");
    Client::connect(mta.port).message("me@client.test", &["you@next.test"], message.as_bytes());

    let text = next.wait_for(1).remove(0).text();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    assert!(body.split("\r\n").all(|line| line.len() <= 990), "a line is longer than L=990");
    let lengths: Vec<_> = body.split("\r\n").map(str::len).collect();
    assert_eq!(lengths, [990, 990, 990, 36, 3, 0]);
    assert_eq!(body.replace("!\r\n ", ""), format!("{long}\r\nend\r\n"));
}

#[test]
fn one_transaction_carries_all_recipients_of_a_host() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    let _daemon = mta.start();
    let to = ["a@next.test", "b@next.test", "c@next.test"];
    Client::connect(mta.port).message("me@client.test", &to, b"Subject: three\r\n\r\nx\r\n");
    let taken = next.wait_for(1).remove(0);
    let said: Vec<_> = taken.recipients.iter().map(|r| r.split(['<', '>']).nth(1).unwrap()).collect();
    assert_eq!(said, ["c@next.test", "b@next.test", "a@next.test"]);
}
