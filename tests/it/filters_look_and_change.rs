//! Filters see a session, refuse what they do not like and change messages.

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::fake_milter::{Does, FakeMilter, says};
use crate::support::sandbox::Sandbox;
use crate::support::{LIMIT, until};

const MEGABYTE: u64 = 1 << 20;
const MESSAGE: &[u8] = b"Subject: one\r\nX-Rep: first\r\nX-Rep: second\r\n\r\nbody\r\n..dot\r\n";

#[test]
fn a_filter_is_told_of_every_step() {
    let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
    let filter = FakeMilter::new(&[]);
    let mta = sandbox.mta("a", next.port, &format!("{}\nO Milter.macros.envfrom=i, {{mail_addr}}", filter.lines("")));
    let _daemon = mta.start();
    Client::connect(mta.port).message("me@client.test", &["you@next.test"], MESSAGE);
    next.wait_for(1);
    let told = filter.told();
    assert!(told.iter().any(|line| line.starts_with("C localhost 4")), "{told:?}");
    // The connection that waited for the daemon says `C` and `Q`, at its own time.
    let told: Vec<&str> = told.iter().map(String::as_str).filter(|line| !line.starts_with(['O', 'C', 'Q'])).collect();
    assert_eq!(told[0], "H client.test");
    assert!(told[1].starts_with("DMi ") && told[1].ends_with(" {mail_addr} me@client.test"), "{told:?}");
    let text = ["M <me@client.test>", "R <you@next.test>", "T", "L Subject one", "L X-Rep first", "L X-Rep second"];
    assert_eq!(told[2..8], text);
    assert_eq!(told[8..], ["N", "E"]);
    assert_eq!(filter.body(), (vec![12], 12));
}

#[test]
fn a_message_that_is_only_queued_is_logged_behind_a_filter_too() {
    let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
    let filter = FakeMilter::new(&[]);
    let mta = sandbox.mta("a", next.port, &format!("{}\nO DeliveryMode=queueonly", filter.lines("")));
    let _daemon = mta.start();
    Client::connect(mta.port).message("me@client.test", &["you@next.test"], MESSAGE);
    until(LIMIT, "the log tells of it", || {
        mta.log().lines().any(|line| line.contains("to=<you@next.test>") && line.contains("stat=queued"))
    });
}

#[test]
fn a_message_goes_on_as_the_filter_left_it() {
    let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
    let filter = FakeMilter::new(&[(
        b'E',
        says(&[
            (b'h', b"X-New\0v\0"),
            (b'i', b"\0\0\0\0X-Top\0t\0"),
            (b'm', b"\0\0\0\x01Subject\0two\0"),
            (b'm', b"\0\0\0\x01X-Rep\0\0"),
            (b'+', b"<third@next.test>\0"),
            (b'-', b"<you@next.test>\0"),
            (b'e', b"<other@client.test>\0"),
            (b'b', b"new\r"),
            (b'p', b""),
            (b'b', b"\nbody\r\n.\r\n"),
            (b'c', b""),
        ]),
    )]);
    let mta = sandbox.mta("a", next.port, &filter.lines(""));
    let _daemon = mta.start();
    Client::connect(mta.port).message("me@client.test", &["you@next.test"], MESSAGE);
    let taken = next.wait_for(1).remove(0);
    assert!(taken.sender.starts_with("MAIL From:<other@client.test>"), "{}", taken.sender);
    assert_eq!(taken.recipients.len(), 1);
    assert!(taken.recipients[0].contains("<third@next.test>"), "{:?}", taken.recipients);
    let text = taken.text();
    assert!(text.starts_with("X-Top: t\r\nReceived:"), "{text}");
    assert!(text.contains("\r\nSubject: two\r\nX-Rep: second\r\nX-New: v\r\n\r\nnew\r\nbody\r\n..\r\n"), "{text}");
    assert!(!text.contains("first"), "{text}");
}

#[test]
fn fifty_megabytes_pass_filter_and_replacement_without_twenty_of_memory() {
    let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
    let piece = b"0123456789abcdef".repeat(4000);
    let mut answer: Vec<(u8, &[u8])> = vec![(b'b', &piece); 800];
    answer.push((b'b', b"\r\n"));
    answer.push((b'c', b""));
    let filter = FakeMilter::new(&[(b'E', says(&answer))]);
    let mta = sandbox.mta("a", next.port, &filter.lines(""));
    let daemon = mta.start();
    Client::connect(mta.port).message("me@client.test", &["you@next.test"], b"Subject: small\r\n\r\nx\r\n");
    next.wait_for(1);
    let before = daemon.peak_memory();
    let block = [b"m".repeat(76), b"\r\n".to_vec()].concat().repeat(13_000);
    let mut client = Client::connect(mta.port);
    client.open_data("me@client.test", &["you@next.test"]);
    client.send(b"Subject: large\r\n\r\n");
    for _ in 0..52 {
        client.send(&block);
    }
    client.expect(".", "250 ");
    let taken = next.wait_for(2).remove(1);
    assert!(taken.wire.len() > piece.len() * 800, "{} bytes", taken.wire.len());
    let (pieces, total) = filter.body();
    assert_eq!(total, block.len() as u64 * 52 + 3);
    assert!(pieces.iter().all(|n| *n <= 65535));
    let grown = daemon.peak_memory().saturating_sub(before);
    assert!(grown < 20 * MEGABYTE, "memory grew by {} MB", grown / MEGABYTE);
}

#[test]
fn refusals_reach_the_client() {
    for (step, answer, at, reply) in [
        (b'R', (b'r', &b""[..]), "rcpt", "550 5.7.1 <you@next.test>... Command rejected"),
        (b'R', (b'y', b"451 4.7.1 own later\0"), "rcpt", "451 4.7.1 own later"),
        (b'E', (b'r', b""), "data", "554 5.7.1 Command rejected"),
        (b'L', (b't', b""), "data", "451 4.3.2 Please try again later"),
        (b'E', (b'd', b""), "data", "250 2.0.0"),
    ] {
        let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
        let filter = FakeMilter::new(&[(step, says(&[answer]))]);
        let mta = sandbox.mta("a", next.port, &filter.lines(""));
        let _daemon = mta.start();
        let mut client = Client::connect(mta.port);
        client.expect("EHLO client.test", "250");
        client.expect("MAIL FROM:<me@client.test>", "250");
        let said = client.say("RCPT TO:<you@next.test>");
        if at == "rcpt" {
            assert!(said.starts_with(reply), "{said}");
            continue;
        }
        client.expect("DATA", "354");
        let said = client.say("Subject: x\r\n\r\nbody\r\n.");
        assert!(said.starts_with(reply), "{said}");
        client.expect("QUIT", "221");
        assert!(mta.queue_is_empty());
        assert!(next.taken().is_empty());
    }
}

#[test]
fn a_filter_that_is_lost_in_mid_message_counts_as_its_flag_says() {
    for step in [b'M', b'B', b'E'] {
        for (flag, reply) in [("", "250"), ("F=T, ", "451"), ("F=R, ", "55"), ("F=4, ", "421")] {
            let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
            let filter = FakeMilter::new(&[(step, Does::HangsUp)]);
            let mta = sandbox.mta("a", next.port, &filter.lines(flag));
            let _daemon = mta.start();
            let mut client = Client::connect(mta.port);
            client.expect("EHLO client.test", "250");
            let said = client.say("MAIL FROM:<me@client.test>");
            if step == b'M' {
                assert!(said.starts_with(reply), "{flag} {said}");
                continue;
            }
            client.expect("RCPT TO:<you@next.test>", "250");
            client.expect("DATA", "354");
            let said = client.say("Subject: x\r\n\r\nbody\r\n.");
            assert!(said.starts_with(reply), "{flag} {said}");
            if reply == "250" {
                next.wait_for(1);
            } else {
                assert!(mta.queue_is_empty());
            }
        }
    }
}

#[test]
fn a_client_that_hangs_up_leaves_nothing_behind() {
    let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
    let filter = FakeMilter::new(&[]);
    let mta = sandbox.mta("a", next.port, &filter.lines("F=T, "));
    let _daemon = mta.start();
    let mut client = Client::connect(mta.port);
    client.open_data("me@client.test", &["you@next.test"]);
    client.send(b"Subject: half\r\n\r\nha");
    drop(client);
    Client::connect(mta.port).message("me@client.test", &["you@next.test"], MESSAGE);
    assert_eq!(next.wait_for(1).len(), 1);
    assert_eq!(filter.told().iter().filter(|line| *line == "E").count(), 1);
}
