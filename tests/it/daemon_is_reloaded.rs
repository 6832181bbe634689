//! SIGHUP: the configuration is read again, and nobody is turned away meanwhile.

use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::Sandbox;
use crate::support::{LIMIT, until};

#[test]
fn the_port_is_open_all_the_time() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "O SmtpGreetingMessage=a.test first\n");
    let daemon = mta.start();
    let (port, is_over) = (mta.port, Arc::new(AtomicBool::new(false)));
    let (tried, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let knocking = {
        let (is_over, tried, refused) = (Arc::clone(&is_over), Arc::clone(&tried), Arc::clone(&refused));
        thread::spawn(move || {
            while !is_over.load(Ordering::SeqCst) {
                refused.fetch_add(usize::from(TcpStream::connect(("127.0.0.1", port)).is_err()), Ordering::SeqCst);
                tried.fetch_add(1, Ordering::SeqCst);
                thread::yield_now();
            }
        })
    };
    for word in ["second", "third"] {
        let cf = std::fs::read_to_string(mta.path("cf")).unwrap();
        let changed: String = cf
            .lines()
            .map(|line| match line.strip_prefix("O SmtpGreetingMessage=") {
                Some(_) => format!("O SmtpGreetingMessage=a.test {word}\n"),
                None => format!("{line}\n"),
            })
            .collect();
        mta.write("cf", changed.as_bytes(), 0o644);
        assert!(Command::new("kill").args(["-HUP", &daemon.pid().to_string()]).status().unwrap().success());
        until(LIMIT, "the new greeting comes", || {
            let greeting = Client::try_connect(port).and_then(|mut client| client.try_reply());
            greeting.is_some_and(|reply| reply.contains(word))
        });
    }
    is_over.store(true, Ordering::SeqCst);
    knocking.join().unwrap();
    assert!(tried.load(Ordering::SeqCst) > 0);
    assert_eq!(refused.load(Ordering::SeqCst), 0, "of {} connections", tried.load(Ordering::SeqCst));
}
