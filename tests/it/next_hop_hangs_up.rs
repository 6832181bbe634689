//! Without a reply to the final dot a message stays queued; a later run delivers it.

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::Sandbox;
use crate::support::{LIMIT, until};

const OPENING: &str = "S: 220 next.test ESMTP
    C: EHLO *
    S: 250 next.test
    C: MAIL *
    S: 250 ok
    C: RCPT *
    S: 250 ok
    C: DATA
    S: 354 go ahead
    ";

fn stays_queued_until_a_later_run(first: &str) {
    let sandbox = Sandbox::new();
    let next = FakeHost::new(&[first, ""]);
    let mta = sandbox.mta("a", next.port, "");
    let _daemon = mta.start();
    let reply = Client::connect(mta.port).message("me@client.test", &["you@next.test"], b"Subject: x\r\n\r\nkept\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
    next.wait_for_connections(1);
    until(LIMIT, "the log calls it deferred", || mta.log().contains("stat=Deferred"));
    assert!(next.acknowledged().is_empty());
    until(LIMIT, "the queue lists it", || mta.mailq().contains("you@next.test"));

    until(LIMIT, "a later run delivers it", || {
        mta.run_queue();
        !next.acknowledged().is_empty()
    });
    assert_eq!(next.acknowledged().len(), 1);
    assert!(next.acknowledged()[0].text().ends_with("\r\n\r\nkept\r\n"));
    until(LIMIT, "the queue is empty", || mta.queue_is_empty());
}

#[test]
fn before_the_greeting() {
    stays_queued_until_a_later_run("hang up");
}

#[test]
fn in_data_before_the_final_dot() {
    stays_queued_until_a_later_run(&format!("{OPENING}hang up"));
}

#[test]
fn after_the_final_dot() {
    stays_queued_until_a_later_run(&format!("{OPENING}C: message\nhang up"));
}
