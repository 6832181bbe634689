//! A host of a list that does not exist, or is known to refuse everything, leaves the mail to the others.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::{Sandbox, Site};
use crate::support::{LIMIT, until};

const LINES: &str = "O ServiceSwitchFile=@DIR@/switch\nO HostStatusDirectory=@DIR@/hosts\nO Timeout.hoststatus=30m";

/// A transfer agent whose next hop is `other`, or what listens on 127.0.0.1.
fn with_other(sandbox: &Sandbox, other: &str, next_port: u16) -> Site {
    let mta = sandbox.mta("a", next_port, &LINES.replace("@DIR@", sandbox.path("a").to_str().unwrap()));
    let text =
        fs::read_to_string(mta.path("cf")).unwrap().replace("$@ [127.0.0.1]", &format!("$@ {other}:[127.0.0.1]"));
    mta.write("cf", text.as_bytes(), 0o644);
    mta.write("switch", b"hosts files\n", 0o644);
    fs::create_dir(mta.path("hosts")).unwrap();
    mta
}

fn is_taken_by_the_other(mta: &Site, next: &FakeHost) {
    let _daemon = mta.start();
    Client::connect(mta.port).message("me@client.test", &["you@next.test"], b"Subject: x\r\n\r\nhere\r\n");
    assert!(next.wait_for(1)[0].text().ends_with("\r\n\r\nhere\r\n"));
    until(LIMIT, "the queue is empty", || mta.queue_is_empty());
    assert!(!mta.log().contains("stat=Host unknown"), "{}", mta.log());
}

#[test]
fn a_name_without_an_address_is_passed_over() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = with_other(&sandbox, "[gone.invalid]", next.port);
    is_taken_by_the_other(&mta, &next);
}

#[test]
fn a_host_that_refused_for_good_is_passed_over() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = with_other(&sandbox, "[127.0.0.2]", next.port);
    fs::create_dir_all(mta.path("hosts/2./0./0.")).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    mta.write("hosts/2./0./0./127", format!("V0\nE0\nH0\nS69\nD5.5.0\nR554 go\nU{now}\n.\n").as_bytes(), 0o600);
    is_taken_by_the_other(&mta, &next);
}
