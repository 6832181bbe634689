//! What runs of the queue make of messages that lie there.

use std::fs;

use crate::support::fake_host::FakeHost;
use crate::support::sandbox::{Sandbox, Site};

/// Exit code of a command and what it printed.
fn run(site: &Site, args: &[&str]) -> (i32, String) {
    let output = site.command().args(args).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Puts a message of `me@next.test` into the queue; `lines` stand before the sender.
fn queue(site: &Site, id: &str, lines: &str, recipient: &str) {
    let control = format!(
        "V8\nT{}\nK0\nN0\nP30000\n{lines}Fs\nSme@next.test\nRPFD:{recipient}\nH??From: me@next.test\n.\n",
        jiff::Timestamp::now().as_second()
    );
    site.write(&format!("queue/qf{id}"), control.as_bytes(), 0o600);
    site.write(&format!("queue/df{id}"), b"body\n", 0o600);
}

/// Local users must exist.
fn checks_users(site: &Site) {
    let text = fs::read_to_string(site.path("cf")).unwrap();
    site.write("cf", text.replace("F=lsDFMAPXn9", "F=lsDFMAwPXn9").as_bytes(), 0o644);
}

#[test]
fn a_recipient_who_is_nobody_is_reported_with_the_reason() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    checks_users(&site);
    queue(&site, "2AM00000000001", "", "no-such-user@a.test");
    let (exit, printed) = run(&site, &["-q", "-v"]);
    assert_eq!(exit, 67, "{printed}");
    assert!(printed.contains("\nno-such-user@a.test... User unknown\n"), "{printed}");
    let report = next.wait_for(1).remove(0).text();
    assert!(report.contains("no-such-user@a.test\r\n    (reason: 550 5.1.1 User unknown)\r\n"), "{report}");
    assert!(report.contains("\r\nDiagnostic-Code: SMTP; 550 5.1.1 User unknown\r\n"), "{report}");
    let log = site.log();
    assert!(log.contains("to=no-such-user@a.test, delay="), "{log}");
    assert!(!log.contains("no-such-user@a.test... User unknown"), "{log}");
}

#[test]
fn a_recipient_whom_the_rules_refuse_is_told_in_their_words() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    queue(&site, "2AM00000000001", "", "x@nowhere.test");
    let (exit, printed) = run(&site, &["-q", "-v"]);
    assert_eq!(exit, 68, "{printed}");
    let report = next.wait_for(1).remove(0).text();
    assert!(report.contains("\r\n550 5.1.2 x@nowhere.test... no way to nowhere.test\r\n"), "{report}");
    let log = site.log();
    assert!(log.contains(": DSN: x@nowhere.test... no way to nowhere.test\n"), "{log}");
    assert!(!log.contains("to=x@nowhere.test"), "{log}");
}

#[test]
fn the_owner_of_a_list_hears_of_members_who_are_nobody() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    checks_users(&site);
    site.write("aliases", b"list: no-such-user\nowner-list: boss@next.test\n", 0o644);
    queue(&site, "2AM00000000001", "", "list@a.test");
    run(&site, &["-q", "-v"]);
    let report = next.wait_for(1).remove(0);
    assert_eq!(report.recipients.len(), 1);
    assert!(report.recipients[0].contains("<boss@next.test>"), "{:?}", report.recipients);
    let told = "\r\n550 5.1.1 no-such-user... User unknown\r\nMessage delivered to mailing list list@a.test\r\n";
    assert!(report.text().contains(told), "{}", report.text());
    assert!(site.queue_is_empty());
}

#[test]
fn a_run_exits_with_the_code_of_its_last_message() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "O QueueSortOrder=filename");
    queue(&site, "2AM00000000001", "", "x@nowhere.test");
    queue(&site, "2AM00000000002", "", "you@next.test");
    assert_eq!(run(&site, &["-q", "-v"]).0, 0);
    queue(&site, "2AM00000000003", "", "x@nowhere.test");
    assert_eq!(run(&site, &["-q", "-v"]).0, 68);
}

#[test]
fn a_message_with_a_reason_is_kept_until_it_is_asked_for() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    for (id, args) in [("2AM00000000001", &["-q", "-v"][..]), ("2AM00000000002", &["-q"])] {
        queue(&site, id, "qwhy\n", "you@next.test");
        assert_eq!(run(&site, args).0, 0);
        assert_eq!(site.queue_files("hf"), [format!("hf{id}")], "{args:?}");
        assert_eq!(site.queue_files("qf"), [""; 0], "{args:?}");
        run(&site, &["-q", "-v"]);
        assert_eq!(next.taken().len(), 0);
        fs::remove_file(site.path(&format!("queue/hf{id}"))).unwrap();
        fs::remove_file(site.path(&format!("queue/df{id}"))).unwrap();
    }
    queue(&site, "2AM00000000003", "qwhy\n", "you@next.test");
    run(&site, &["-q"]);
    run(&site, &["-qQ", "-v"]);
    assert_eq!(next.wait_for(1).len(), 1);
}

#[test]
fn a_bounded_run_says_that_there_are_more() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "O MaxQueueRunSize=1");
    queue(&site, "2AM00000000001", "", "one@next.test");
    queue(&site, "2AM00000000002", "", "two@next.test");
    let listed = site.mailq();
    assert!(listed.contains("/queue (2 requests, only 1 printed)\n"), "{listed}");
    let said = format!("WorkList for {} maxed out at 1", site.path("queue").display());
    assert_eq!(site.log().matches(&said).count(), 1, "{}", site.log());
    run(&site, &["-q", "-v"]);
    assert_eq!(next.wait_for(1).len(), 1);
    assert_eq!(site.log().matches(&said).count(), 2, "{}", site.log());
    run(&site, &["-q"]);
    assert_eq!(next.wait_for(2).len(), 2);
    assert_eq!(site.log().matches(&said).count(), 2, "{}", site.log());
}

#[test]
fn a_message_that_was_just_tried_is_too_young() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "O MinQueueAge=1h\nO QueueSortOrder=none");
    queue(&site, "2AM00000000001", &format!("K{}\nN1\n", jiff::Timestamp::now().as_second()), "one@next.test");
    let (exit, printed) = run(&site, &["-q", "-v"]);
    assert!(printed.contains("(sequence 1 of 1)\n2AM00000000001: too young (00:00:"), "{printed}");
    assert_eq!((exit, next.taken().len()), (0, 0));
}
