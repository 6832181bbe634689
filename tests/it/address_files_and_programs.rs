//! Aliases, lists from files, programs and files as recipients.

use std::fs;
use std::os::unix::fs::chown;

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::{Sandbox, recipient};
use crate::support::{LIMIT, until};

#[test]
fn an_alias_leads_to_users_hosts_lists_programs_and_files() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    let dir = mta.dir.display();
    mta.write("list", b"# a comment\nfrom-list\nAnother <also@next.test>\n", 0o644);
    mta.write("mail/file", b"", 0o600);
    let (uid, gid) = recipient();
    chown(mta.path("mail/file"), Some(uid), Some(gid)).unwrap();
    let aliases = format!(
        "team: alice, far@next.test,\n\tsecond\nsecond: bob\nlist: :include:{dir}/list\n\
         program: \"|cat >{dir}/mail/program\"\nfile: {dir}/mail/file\nloop: pool\npool: loop\n"
    );
    mta.write("aliases", aliases.as_bytes(), 0o644);
    let _daemon = mta.start();
    let to = ["team@a.test", "list@a.test", "program@a.test", "file@a.test"];
    let message = b"Subject: to all\r\n\r\nfan out\r\n";
    let reply = Client::connect(mta.port).message("me@client.test", &to, message);
    assert!(reply.starts_with("250 "), "{reply}");

    for name in ["alice", "bob", "from-list", "program", "file"] {
        until(LIMIT, &format!("{name} has it"), || mta.mailbox(name).contains("fan out"));
        assert_eq!(mta.mailbox(name).matches("Subject: to all").count(), 1, "{name}");
    }
    let mut far: Vec<_> = next.wait_for(1).iter().flat_map(|t| t.recipients.clone()).collect();
    far.sort();
    until(LIMIT, "the queue is empty", || mta.queue_is_empty());
    let mut far: Vec<_> = next.acknowledged().iter().flat_map(|t| t.recipients.clone()).collect();
    far.sort();
    let far: Vec<_> = far.iter().map(|r| r.split(['<', '>']).nth(1).unwrap()).collect();
    assert_eq!(far, ["also@next.test", "far@next.test"]);
}

#[test]
fn a_program_that_fails_sends_a_report() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    mta.write("aliases", b"broken: \"|echo out of order; exit 65\"\n", 0o644);
    let _daemon = mta.start();
    Client::connect(mta.port).message("me@a.test", &["broken@a.test"], b"Subject: x\r\n\r\nx\r\n");
    until(LIMIT, "the report is there", || mta.mailbox("me").contains("Action: failed"));
    let report = mta.mailbox("me");
    assert!(report.contains("Status: 5.5.2") && report.contains("out of order"), "{report}");
    until(LIMIT, "the queue is empty", || mta.queue_is_empty());
}

#[test]
fn newaliases_builds_a_database_that_is_read() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let mta = sandbox.mta("a", next.port, "");
    mta.write("aliases", b"root: alice\nteam: alice,\n  bob\n", 0o644);
    let output = mta.command().arg("-bi").output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("aliases: 2 aliases, longest 11 bytes, "), "{printed}");
    // Only the database knows them now.
    fs::write(mta.path("old"), fs::read(mta.path("aliases.db")).unwrap()).unwrap();
    let verified = mta.command().args(["-bv", "team"]).output().unwrap();
    let printed = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(printed.contains("alice... deliverable") && printed.contains("bob... deliverable"), "{printed}");
}
