//! Size costs disk, not memory.

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::Sandbox;

const MEGABYTE: u64 = 1 << 20;

#[test]
fn fifty_megabytes_pass_without_twenty_of_memory() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    let daemon = mta.start();
    Client::connect(mta.port).message("me@client.test", &["you@next.test"], b"Subject: small\r\n\r\nx\r\n");
    next.wait_for(1);
    let before = daemon.peak_memory();

    let line = [b"m".repeat(76), b"\r\n".to_vec()].concat();
    let block = line.repeat(13_000);
    let blocks = 52;
    let mut client = Client::connect(mta.port);
    client.open_data("me@client.test", &["you@next.test"]);
    client.send(b"Subject: large\r\n\r\n");
    for _ in 0..blocks {
        client.send(&block);
    }
    client.expect(".", "250 ");
    let taken = next.wait_for(2).remove(1);
    let body = taken.wire.len() - taken.wire.windows(4).position(|w| w == b"\r\n\r\n").unwrap() - 4;
    assert_eq!(body, block.len() * blocks);
    let grown = daemon.peak_memory().saturating_sub(before);
    assert!(grown < 20 * MEGABYTE, "memory grew by {} MB", grown / MEGABYTE);
}

#[test]
fn a_header_of_twenty_megabytes_is_refused_in_little_memory() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    let daemon = mta.start();
    let before = daemon.peak_memory();
    for is_one_line in [false, true] {
        let end: &[u8] = if is_one_line { b"" } else { b"\r\n" };
        let block = [&b"X-Filler: ".to_vec()[..], &b"h".repeat(500), end].concat().repeat(2048);
        let mut client = Client::connect(mta.port);
        client.open_data("me@client.test", &["you@next.test"]);
        let went_out = (0..20).all(|_| client.try_send(&block).is_ok());
        let reply = if went_out { client.say("\r\n\r\nbody\r\n.") } else { client.reply() };
        assert!(reply.starts_with("552 "), "one line: {is_one_line}; {reply}");
    }
    let grown = daemon.peak_memory().saturating_sub(before);
    assert!(grown < 20 * MEGABYTE, "memory grew by {} MB", grown / MEGABYTE);
    assert!(mta.queue_is_empty());
    assert!(next.taken().is_empty());
}
