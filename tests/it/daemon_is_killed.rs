//! `kill -9` at any moment: what was acknowledged arrives, whole.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::client::Client;
use crate::support::fake_host::{FakeHost, Taken};
use crate::support::sandbox::Sandbox;
use crate::support::{LIMIT, until};

/// Submits messages until told to stop or the daemon goes; notes those that were acknowledged.
fn submit(port: u16, name: &str, acknowledged: &Mutex<Vec<String>>, is_over: &AtomicBool) {
    let mut number = 0;
    while !is_over.load(Ordering::SeqCst) {
        let Some(mut client) = connected(port) else { continue };
        loop {
            number += 1;
            let id = format!("{name}.{number}@client.test");
            let body = format!("{id} {}\r\n", "z".repeat(number % 70)).repeat(1 + number % 300);
            let message = format!("Message-Id: <{id}>\r\nSubject: x\r\n\r\n{body}end of {id}\r\n.\r\n");
            let steps = [
                ("MAIL FROM:<me@client.test>\r\n", "250"),
                ("RCPT TO:<you@next.test>\r\n", "250"),
                ("DATA\r\n", "354"),
                (&message, "250"),
            ];
            let is_taken = steps.iter().all(|(line, code)| {
                client.try_send(line.as_bytes()).is_ok() && client.try_reply().is_some_and(|r| r.starts_with(code))
            });
            if !is_taken {
                break;
            }
            acknowledged.lock().unwrap().push(id);
            if is_over.load(Ordering::SeqCst) {
                return;
            }
        }
    }
}

fn connected(port: u16) -> Option<Client> {
    let mut client = Client::try_connect(port)?;
    client.try_reply().filter(|r| r.starts_with("220"))?;
    client.try_send(b"EHLO client.test\r\n").ok()?;
    client.try_reply().filter(|r| r.starts_with("250")).map(|_| client)
}

#[test]
fn every_acknowledged_message_arrives_whole_after_restarts() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "O MinQueueAge=0\n");
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let is_over = Arc::new(AtomicBool::new(false));
    let mut daemon = mta.start();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|n| {
            let (port, acknowledged, is_over) = (mta.port, Arc::clone(&acknowledged), Arc::clone(&is_over));
            thread::spawn(move || submit(port, &format!("c{n}"), &acknowledged, &is_over))
        })
        .collect();
    for kill in 1..=KILLS {
        // Moments differ: each comes after another number of messages.
        let target = acknowledged.lock().unwrap().len() + 7 * kill;
        until(LIMIT, "clients get on", || acknowledged.lock().unwrap().len() >= target);
        daemon.kill();
        daemon = mta.start();
    }
    is_over.store(true, Ordering::SeqCst);
    for client in clients {
        client.join().unwrap();
    }
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() > 100, "only {} messages were acknowledged", acknowledged.len());

    let mut missing: HashSet<_> = acknowledged.iter().cloned().collect();
    until(LIMIT, "all acknowledged messages arrive", || {
        mta.run_queue();
        let arrived: Vec<_> = next.acknowledged().iter().map(Taken::text).collect();
        missing.retain(|id| !arrived.iter().any(|text| text.contains(&format!("Message-Id: <{id}>"))));
        missing.is_empty()
    });
    let mut arrivals = HashMap::new();
    for taken in next.acknowledged() {
        let text = taken.text();
        let id = text.split("Message-Id: <").nth(1).unwrap().split('>').next().unwrap();
        assert!(text.ends_with(&format!("end of {id}\r\n")), "{id} is damaged");
        *arrivals.entry(id.to_owned()).or_insert(0usize) += 1;
    }
    // Only what was on its way when the daemon was killed may arrive again.
    let repeated: usize = arrivals.values().map(|times| times - 1).sum();
    assert!(repeated <= KILLS * CLIENTS * IN_FLIGHT, "{repeated} of {} messages came again", arrivals.len());
    until(LIMIT, "the queue is empty", || mta.queue_is_empty());
    drop(daemon);
}

const CLIENTS: usize = 6;
const KILLS: usize = 6;
/// Messages of one client that may be delivered and not yet noted as such.
const IN_FLIGHT: usize = 3;
