//! Traffic logs and debug output.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use crate::support::fake_host::FakeHost;
use crate::support::sandbox::{Sandbox, Site};

fn run(site: &Site, args: &[&str], input: &[u8]) -> String {
    let mut command = site.command();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input);
    String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned()
}

/// Lines of a traffic log without the process in front; sign and text.
fn traffic(site: &Site) -> Vec<String> {
    let text = fs::read(site.path("traffic")).unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn a_traffic_log_has_both_sides_of_a_submission() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    let log = site.path("traffic");
    run(&site, &["-X", log.to_str().unwrap(), "-odi", "you@next.test"], b"Subject: t\n\n.b\n");
    let lines = traffic(&site);
    assert_eq!(lines[..4], ["<<< Subject: t", "<<< ", "<<< .b", "<<< [EOF]"], "{lines:#?}");
    assert!(lines.iter().any(|l| l.starts_with("=== CONNECT ")), "{lines:#?}");
    for line in [">>> ..b", ">>> .", ">>> QUIT"] {
        assert!(lines.iter().any(|l| l == line), "{line}: {lines:#?}");
    }
    assert!(lines.iter().any(|l| l.starts_with("<<< 220 ")), "{lines:#?}");
}

#[test]
fn a_traffic_log_has_the_dialogue_of_the_server() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    let log = site.path("traffic");
    run(&site, &["-X", log.to_str().unwrap(), "-bs"], b"QUIT\r\n");
    let lines = traffic(&site);
    assert!(lines[0].starts_with(">>> 220 a.test"), "{lines:#?}");
    assert!(lines.iter().any(|l| l == "<<< QUIT"), "{lines:#?}");
}

#[test]
fn a_traffic_log_that_cannot_be_opened_ends_the_program() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 9, "");
    let printed = run(&site, &["-X", "/nonexistent/log", "you@next.test"], b"x\n");
    assert_eq!(printed, "cannot open /nonexistent/log: No such file or directory\n");
    assert!(site.queue_is_empty());
}

#[test]
fn rulesets_are_traced_outside_of_test_mode() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 9, "");
    let printed = run(&site, &["-d21.2", "-bv", "you@next.test"], b"");
    let wanted = "rewrite: ruleset canonify           input: you @ next . test\n\
        rewrite: ruleset canonify         returns: you < @ next . test >\n";
    assert!(printed.contains(wanted), "{printed}");
    assert_eq!(run(&site, &["-bv", "you@next.test"], b"").lines().count(), 1);
}

#[test]
fn debug_output_goes_to_its_file() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 9, "");
    let file = site.path("debug");
    let printed = run(&site, &["-D", file.to_str().unwrap(), "-d0.1,21.1", "-bv", "you@next.test"], b"");
    assert_eq!(printed.lines().count(), 1, "{printed}");
    let text = fs::read_to_string(file).unwrap();
    assert!(text.starts_with("Version ") && text.contains("rewrite: ruleset parse"), "{text}");
}

#[test]
fn refusals_are_shown_as_they_come() {
    let sandbox = Sandbox::new();
    let refusing =
        "S: 220 next.test ESMTP\nC: EHLO *\nS: 250 next.test\nC: MAIL *\nS: 250 ok\nC: RCPT *\nS: 450 4.2.1 wait";
    let next = FakeHost::new(&[refusing, ""]);
    let site = sandbox.mta("a", next.port, "");
    run(&site, &["-odq", "you@next.test"], b"Subject: t\n\nb\n");
    let printed = run(&site, &["-q", "-v"], b"");
    let wanted = "450 4.2.1 wait\nyou@next.test... Deferred: 450 4.2.1 wait\n>>> RSET\n";
    assert!(printed.contains(wanted), "{printed}");
}

#[test]
fn aliasing_is_traced() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 9, "");
    site.write("aliases", b"list: one@next.test, other, list\nother: two@next.test\n", 0o644);
    let printed = run(&site, &["-d27.1", "-bv", "list"], b"");
    let wanted = "alias(list)\nlist (, list) aliased to one@next.test, other, list\n\
        self_reference(one@next.test)\n\t... no self ref\nself_reference(other)\n\t... no self ref\nself_reference(list)\n\
        \t... cannot break loop for \"list\"\nalias(other)\nother (, other) aliased to two@next.test\n\
        self_reference(two@next.test)\n\t... no self ref\n";
    assert!(printed.contains(wanted), "{printed}");
}
