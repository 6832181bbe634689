//! The submission agent keeps what the transfer agent cannot take yet.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::{Sandbox, Site};
use crate::support::{LIMIT, until};

fn submit(msp: &Site, text: &str) {
    let mut command = msp.command();
    let mut child = command.args(["-oi", "you@next.test"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("Subject: {text}\n\n{text}\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn mail_waits_while_the_transfer_agent_is_down_and_goes_when_it_is_up() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    let msp = sandbox.msp("m", mta.port, "");
    submit(&msp, "waits");
    assert!(msp.mailq().contains("you@next.test"), "{}", msp.mailq());
    assert!(next.taken().is_empty());

    let _daemon = mta.start();
    msp.run_queue();
    assert!(next.wait_for(1)[0].text().ends_with("\r\n\r\nwaits\r\n"));
    until(LIMIT, "the client queue is empty", || msp.queue_is_empty());

    submit(&msp, "goes at once");
    assert!(next.wait_for(2)[1].text().ends_with("\r\n\r\ngoes at once\r\n"));
    assert!(msp.queue_is_empty());
}

#[test]
fn its_daemon_takes_mail_while_the_transfer_agent_is_down() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    let msp = sandbox.msp("m", mta.port, "");
    let _submission = msp.start();
    let message = b"Subject: port\r\n\r\nby port\r\n";
    let reply = Client::connect(msp.port).message("me@m.test", &["you@next.test"], message);
    assert!(reply.starts_with("250 "), "{reply}");
    until(LIMIT, "it is queued", || msp.mailq().contains("you@next.test"));
    let _daemon = mta.start();
    until(LIMIT, "a run delivers it", || {
        msp.run_queue();
        !next.acknowledged().is_empty()
    });
    until(LIMIT, "the client queue is empty", || msp.queue_is_empty());
}
