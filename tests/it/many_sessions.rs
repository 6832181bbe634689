//! Two hundred sessions at once.

use std::collections::HashSet;
use std::thread;

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::Sandbox;
use crate::support::{LIMIT, until};

#[test]
fn two_hundred_parallel_sessions_lose_none_of_two_thousand_messages() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    let _daemon = mta.start();
    let port = mta.port;
    // All are connected before the first speaks.
    let clients: Vec<_> = (0..SESSIONS).map(|_| Client::connect(port)).collect();
    let threads: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(session, mut client)| {
            thread::spawn(move || {
                for number in 0..EACH {
                    let message = format!("Message-Id: <{session}.{number}@client.test>\r\n\r\nx\r\n");
                    let reply = client.message("me@client.test", &["you@next.test"], message.as_bytes());
                    assert!(reply.starts_with("250 "), "{reply}");
                }
                client.expect("QUIT", "221 ");
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let wanted: HashSet<_> =
        (0..SESSIONS).flat_map(|s| (0..EACH).map(move |n| format!("{s}.{n}@client.test"))).collect();
    let mut arrived = HashSet::new();
    until(LIMIT, "all messages arrive", || {
        let taken = next.acknowledged();
        arrived = taken
            .iter()
            .filter_map(|t| Some(t.text().split_once("Message-Id: <")?.1.split_once('>')?.0.to_owned()))
            .collect();
        if arrived.len() < wanted.len() && mta.queue_is_empty() {
            let missing: Vec<_> = wanted.difference(&arrived).take(3).collect();
            assert!(next.acknowledged().len() > taken.len(), "the queue is empty and these are missing: {missing:?}");
        }
        arrived == wanted
    });
    assert_eq!(next.acknowledged().len(), SESSIONS * EACH, "none came twice");
    until(LIMIT, "the queue is empty", || mta.queue_is_empty());
}

const SESSIONS: usize = 200;
const EACH: usize = 10;
