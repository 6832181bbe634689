//! Options of attempts, and of reports about them.

use std::fs;
use std::time::{Duration, Instant};

use super::*;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::{free_port, user_name};

const MESSAGE: &[u8] = b"Subject: x\n\nx\n";

/// A transfer agent whose mail for `next.test` goes to an address that nobody has.
fn with_dead_hop(port: u16, lines: &str) -> (Sandbox, Site) {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", port, lines);
    let text = fs::read_to_string(site.path("cf")).unwrap().replace("$@ [127.0.0.1] $:", "$@ [127.0.0.9] $:");
    site.write("cf", text.as_bytes(), 0o644);
    (sandbox, site)
}

#[test]
fn another_host_is_connected_to_when_the_options_say_so() {
    for (lines, arrives) in
        [("", false), ("O ConnectOnlyTo=127.0.0.1\n", true), ("O FallbackSmartHost=[127.0.0.1]\n", true)]
    {
        let next = FakeHost::accepting();
        let (_sandbox, site) = with_dead_hop(next.port, lines);
        run(&site, &["-odi", "you@next.test"], MESSAGE);
        assert_eq!(site.queue_is_empty(), arrives, "{lines:?}");
        if arrives {
            assert_eq!(next.wait_for(1).len(), 1, "{lines:?}");
        } else {
            assert!(next.taken().is_empty());
        }
    }
}

#[test]
fn the_name_in_ehlo_is_that_of_the_option() {
    for (lines, name) in [("", "a.test"), ("O HeloName=other.test\n", "other.test")] {
        let next = FakeHost::new(&[&format!("S: 220 next.test ESMTP\nC: EHLO {name}\nS: 250 next.test\n")]);
        let sandbox = Sandbox::new();
        let site = sandbox.mta("a", next.port, lines);
        run(&site, &["-odi", "you@next.test"], MESSAGE);
        next.wait_for(1);
    }
}

#[test]
fn a_connection_serves_the_next_message_while_it_may() {
    for (lines, connections) in [
        ("", 1),
        ("O ConnectionCacheSize=1\n", 1),
        ("O ConnectionCacheSize=0\n", 2),
        ("O ConnectionCacheTimeout=0s\n", 2),
    ] {
        let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
        let site = sandbox.mta("a", next.port, lines);
        for recipient in ["one@next.test", "two@next.test"] {
            run(&site, &["-odq", recipient], MESSAGE);
        }
        site.run_queue();
        next.wait_for(2);
        next.wait_for_connections(connections);
        assert_eq!(next.connections(), connections, "{lines:?}");
    }
}

#[test]
fn mailers_that_dial_are_tried_again_after_the_delay() {
    // When they are not is a table in deliver/drive/network.
    let (_sandbox, site) = with_dead_hop(free_port(), "O DialDelay=1s\n");
    let text = fs::read_to_string(site.path("cf")).unwrap().replace("F=mDFMuXa8", "F=mDFMuXa8Z");
    site.write("cf", text.as_bytes(), 0o644);
    let start = Instant::now();
    run(&site, &["-odi", "you@next.test"], MESSAGE);
    assert!(start.elapsed() >= Duration::from_secs(1), "it was tried once");
}

#[test]
fn reports_begin_with_the_text_of_the_option() {
    for (lines, words) in [
        ("", None),
        ("O ErrorHeader=Sorry from $j\n", Some("Sorry from a.test\n")),
        ("O ErrorHeader=DIR/text\n", Some("From a file of a.test\nin two lines\n")),
    ] {
        let (_sandbox, site) = alone(lines);
        let text = fs::read_to_string(site.path("cf")).unwrap().replace("DIR/", &format!("{}/", site.dir.display()));
        site.write("cf", text.as_bytes(), 0o644);
        site.write("text", b"From a file of $j\nin two lines\n", 0o644);
        run(&site, &["-odi", "-oem", "-fme@a.test", "nosuch@a.test"], MESSAGE);
        let report = site.mailbox("me");
        assert!(report.contains("The original message was received"), "{report}");
        let start = report.split("----- The following addresses").next().unwrap();
        match words {
            Some(words) => assert!(start.contains(&format!("\n\n{words}\n")), "{lines:?}: {report}"),
            None => assert!(!start.contains("Sorry")),
        }
    }
}

#[test]
fn errors_are_told_as_the_mode_says() {
    for (value, exit, is_printed, is_mailed) in [
        ("print", 67, true, false),
        ("quiet", 67, false, false),
        ("mail", 67, false, true),
        ("write", 67, false, true),
        ("exit", 0, false, true),
    ] {
        let (_sandbox, site) = alone(&format!("O ErrorMode={value}\n"));
        let (found, printed) = run(&site, &["-odi", "nosuch@a.test"], MESSAGE);
        assert_eq!(found, exit, "{value}: {printed}");
        assert_eq!(!printed.is_empty(), is_printed, "{value}: {printed}");
        assert_eq!(site.mailbox(&user_name()).contains("Final-Recipient"), is_mailed, "{value}");
    }
}

#[test]
fn reports_go_where_the_options_say() {
    let errors_to = b"Errors-To: third@a.test\nSubject: x\n\nx\n";
    for (lines, is_added) in [("", false), ("O UseErrorsTo=true\n", true)] {
        let (_sandbox, site) = alone(lines);
        run(&site, &["-odi", "-oem", "-fme@a.test", "nosuch@a.test"], errors_to);
        assert!(site.mailbox("me").contains("Final-Recipient"));
        assert_eq!(site.mailbox("third").contains("Final-Recipient"), is_added, "{lines:?}");
    }
    let (_sandbox, site) = alone("O PostmasterCopy=watcher@a.test\n");
    run(&site, &["-odi", "-oem", "-fme@a.test", "nosuch@a.test"], MESSAGE);
    assert!(site.mailbox("watcher").contains("Final-Recipient") && site.mailbox("me").contains("Final-Recipient"));
}

#[test]
fn what_comes_back_twice_has_a_place() {
    let set = |lines: &str| {
        let (sandbox, site) = alone(lines);
        let text = fs::read_to_string(site.path("cf")).unwrap().replace("DIR/", &format!("{}/", site.dir.display()));
        site.write("cf", text.as_bytes(), 0o644);
        site.write("aliases", b"lost: nosuch\n", 0o644);
        run(&site, &["-odi", "-oem", "-fnosuch@a.test", "nosuch@a.test"], MESSAGE);
        (sandbox, site)
    };
    let (_sandbox, site) = set("O DoubleBounceAddress=keeper@a.test\n");
    assert!(site.mailbox("keeper").contains("Subject: Postmaster notify"), "{}", site.mailbox("keeper"));
    let (_sandbox, site) = set("O DoubleBounceAddress=\n");
    assert!(site.queue_is_empty() && site.mailbox("postmaster").is_empty());
    let (_sandbox, site) = set("O DoubleBounceAddress=lost@a.test\n");
    assert_eq!(site.queue_files("Qf").len(), 1);
    let (_sandbox, site) = set("O DoubleBounceAddress=lost@a.test\nO DeadLetterDrop=DIR/drop\n");
    assert_eq!(site.queue_files("Qf").len(), 0);
    assert!(fs::read_to_string(site.path("drop")).unwrap().contains("Subject: Returned mail"));
}

#[test]
fn without_mime_reports_are_one_text() {
    for (lines, has_parts) in [("", true), ("O SendMimeErrors=false\n", false)] {
        let (_sandbox, site) = alone(lines);
        run(&site, &["-odi", "-oem", "-fme@a.test", "nosuch@a.test"], MESSAGE);
        let report = site.mailbox("me");
        assert!(report.contains("nosuch@a.test"), "{report}");
        assert_eq!(report.contains("multipart/report"), has_parts, "{lines:?}: {report}");
    }
}
