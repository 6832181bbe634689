//! What is not finished was never there.

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::{Sandbox, Site};
use crate::support::{LIMIT, until};

fn nothing_is_left(mta: &Site, next: &FakeHost) {
    until(LIMIT, "the queue folder has no message", || {
        ["qf", "df", "tf", "xf"].iter().all(|prefix| mta.queue_files(prefix).is_empty())
    });
    assert!(mta.queue_is_empty());
    mta.run_queue();
    assert!(next.taken().is_empty());
}

#[test]
fn a_message_without_its_final_dot_is_dropped() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "O LogLevel=14\n");
    let _daemon = mta.start();
    for part in [&b""[..], b"Subject: x", b"Subject: x\r\n\r\nbody\r\n", b"Subject: x\r\n\r\nbody\r\n.", b"\r\n.\r"] {
        let mut client = Client::connect(mta.port);
        client.open_data("me@client.test", &["you@next.test"]);
        client.send(part);
    }
    until(LIMIT, "the log tells of five lost connections", || mta.log().matches(GONE).count() >= 5);
    nothing_is_left(&mta, &next);
}

#[test]
fn a_large_message_cut_off_leaves_no_data_file() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "O LogLevel=14\n");
    let _daemon = mta.start();
    let mut client = Client::connect(mta.port);
    client.open_data("me@client.test", &["you@next.test"]);
    let line = [b"y".repeat(98), b"\r\n".to_vec()].concat();
    client.send(&[b"Subject: large\r\n\r\n".to_vec(), line.repeat(20_000)].concat());
    drop(client);
    until(LIMIT, "the log tells of it", || mta.log().contains(GONE));
    nothing_is_left(&mta, &next);
}

const GONE: &str = "collect: premature EOM: unexpected close";
