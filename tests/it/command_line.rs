//! Mail from standard input, and the exit codes callers rely on.

use std::io::Read as _;
use std::process::Stdio;

use crate::support::fake_host::FakeHost;
use crate::support::sandbox::{Sandbox, Site};
use crate::support::{LIMIT, until};

/// Runs the program with `input`; its exit code and what it printed.
fn send(site: &Site, args: &[&str], input: &[u8]) -> (i32, String) {
    site.submit(args, input)
}

#[test]
fn recipients_come_from_the_header_and_bcc_goes() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    let message = b"From: me@a.test\nTo: Ann <one@next.test>,\n two@next.test (second)\nCc: three@next.test\n\
        Bcc: four@next.test\nSubject: t\n\nbody\n";
    let (exit, printed) = send(&site, &["-odi", "-t", "-fme@a.test"], message);
    assert_eq!((exit, printed.as_str()), (0, ""));
    let taken = next.wait_for(1).remove(0);
    assert_eq!(taken.recipients.len(), 4, "{:?}", taken.recipients);
    let text = taken.text();
    assert!(text.contains("To: Ann <one@next.test>") && text.contains("Cc: three@next.test"), "{text}");
    assert!(!text.contains("four@next.test"), "Bcc went out:\n{text}");
}

#[test]
fn a_queue_without_room_takes_nothing() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "O MinFreeBlocks=999999999999\n");
    let (exit, printed) = send(&site, &["-odq", "you@next.test"], b"Subject: f\n\nx\n");
    assert_eq!((exit, printed.as_str()), (74, "Insufficient disk space; try again later\n"));
}

#[test]
fn the_sender_is_the_one_asked_for() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    assert_eq!(send(&site, &["-odi", "-f", "boss@a.test", "you@next.test"], b"Subject: f\n\nx\n").0, 0);
    assert_eq!(send(&site, &["-odi", "-f", "<>", "you@next.test"], b"Subject: null\n\nx\n").0, 0);
    let taken = next.wait_for(2);
    let senders: Vec<_> = taken.iter().map(|t| t.sender.split(['<', '>']).nth(1).unwrap().to_owned()).collect();
    assert_eq!(senders, ["boss@a.test", ""]);
}

/// Line feeds in what a caller says of himself.
#[test]
fn callers_add_no_fields() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    for (args, exit) in [
        (&["-F", "Mal Lory\nX-Evil: yes"][..], 0),
        // No address; the message goes out in the caller's name.
        (&["-f", "mal@a.test\nX-Evil: yes"], 64),
        (&["-pSMTP\nX-Evil: yes:host\nX-Evil: yes"], 0),
        (&["-MrSMTP\nX-Evil: yes", "-oMshost\nX-Evil: yes"], 0),
    ] {
        let all = [&["-odi"], args, &["you@next.test"]].concat();
        assert_eq!(send(&site, &all, b"Subject: t\n\nbody\n").0, exit, "{args:?}");
    }
    for taken in next.wait_for(4) {
        let text = taken.text();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("x-evil")), "{head}");
    }
    let log = site.log();
    assert!(log.contains("POSSIBLE ATTACK from [UNKNOWN]: newline in string \"Mal Lory X-Evil: yes\""), "{log}");
}

#[test]
fn a_dot_ends_the_message_unless_told_otherwise() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    let message = b"Subject: dots\n\nbefore\n.\nafter\n..two\n";
    for (args, body) in [
        (&["-odi"][..], "before\r\n"),
        (&["-odi", "-i"], "before\r\n..\r\nafter\r\n...two\r\n"),
        (&["-odi", "-oi"], "before\r\n..\r\nafter\r\n...two\r\n"),
    ] {
        let before = next.acknowledged().len();
        assert_eq!(send(&site, &[args, &["you@next.test"]].concat(), message).0, 0, "{args:?}");
        let text = next.wait_for(before + 1).remove(before).text();
        assert_eq!(text.split_once("\r\n\r\n").unwrap().1, body, "{args:?}");
    }
}

#[test]
fn control_characters_are_no_part_of_an_address() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 1, "");
    for address in ["a\u{1}b", "\"a\u{1}b\"", "a\u{7f}b"] {
        let (exit, out) = send(&site, &["-bv", address], b"");
        assert_eq!((exit, out.as_str()), (64, "Syntax error in mailbox address \"a?b\" (non-printable character)\n"));
    }
}

#[test]
fn exit_codes_say_what_went_wrong() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    let message = b"Subject: x\n\nx\n";
    let cases: &[(&[&str], i32, &str)] = &[
        (&["-odi", "-oeq", "you@next.test"], 0, ""),
        (&["-odi", "-oeq", "me"], 0, ""),
        (&["-odi", "-oeq", "nosuch"], 67, ""),
        (&["-odi", "-oeq", "you@elsewhere.test"], 68, ""),
        (&[], 64, "Recipient names must be specified\n"),
        (&["-t"], 0, "No recipient addresses found in header\n"),
        (&["-bv", "-t"], 0, "No recipient addresses found in header\n"),
        (&["-bx"], 64, "Invalid operation mode x\n"),
        (&["-odz", "me"], 64, "Unknown delivery mode z\n"),
        (&["-q1x"], 64, "Invalid time unit `x'\n"),
        (&["-q", "-bv", "me"], 64, "Can not use -q with -bv\n"),
        (&["-OBogusOption=1", "-bv", "me"], 70, "readcf: unknown option name BogusOption\n"),
    ];
    for (args, code, text) in cases {
        let (exit, printed) = send(&site, args, message);
        assert_eq!((exit, printed.as_str()), (*code, *text), "{args:?}");
    }
    until(LIMIT, "the queue is empty", || site.queue_is_empty());
}

/// What is wrong with its text is told, and the address is used.
#[test]
fn an_address_that_does_not_close_is_delivered_to() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    let (exit, printed) = send(&site, &["-odi", "<you@next.test"], b"Subject: open\n\nx\n");
    assert_eq!((exit, printed.as_str()), (64, "<you@next.test... Unbalanced '<'\n"));
    assert_eq!(next.wait_for(1)[0].recipients.len(), 1);
}

#[test]
fn receipts_come_by_mail_and_the_log_has_the_sender_as_it_was_given() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    let args = ["-odi", "-oeq", "-N", "success", "-f", "boss@next.test (the boss)", "me"];
    assert_eq!(send(&site, &args, b"Subject: r\n\nx\n"), (0, String::new()));
    let report = next.wait_for(1).remove(0).text();
    assert!(report.contains("Subject: Return receipt"), "{report}");
    assert!(site.log().contains("from=boss@next.test (the boss), size="), "{}", site.log());
}

#[test]
fn queue_only_waits_for_a_run() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    assert_eq!(send(&site, &["-odq", "you@next.test"], b"Subject: q\n\nwaits\n").0, 0);
    assert!(site.mailq().contains("you@next.test"), "{}", site.mailq());
    assert_eq!((site.queue_files("qf").len(), site.queue_files("df").len()), (1, 1));
    assert!(next.taken().is_empty());
    site.run_queue();
    assert!(next.wait_for(1)[0].text().ends_with("\r\n\r\nwaits\r\n"));
    assert!(site.queue_is_empty());
    assert!(site.queue_files("").iter().all(|name| !name.starts_with("qf") && !name.starts_with("df")));
}

#[test]
fn a_bad_address_of_the_header_is_reported_by_mail_and_the_others_wait() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    let message = b"To: one@next.test, x@elsewhere.test\nCc: y@elsewhere.test\nSubject: t\n\nx\n";
    let (exit, printed) = send(&site, &["-odi", "-t", "-f", "me@next.test"], message);
    // The last field is read first, and one complaint is enough.
    assert_eq!((exit, printed.as_str()), (68, "y@elsewhere.test... no way to elsewhere.test\n"));
    let report = next.wait_for(1).remove(0).text();
    for failed in ["x@elsewhere.test", "y@elsewhere.test"] {
        assert!(report.contains(&format!("550 5.1.2 {failed}... no way to elsewhere.test")), "{report}");
    }
    // The transcript has them, the log has the report about them.
    let lines = site.log();
    assert!(lines.contains("DSN: x@elsewhere.test... no way") && !lines.contains("y@elsewhere.test... no"), "{lines}");
    // Nobody answered for them: there is nothing to quote.
    assert!(!report.contains("(reason:") && !report.contains("Diagnostic-Code:"), "{report}");
    assert!(site.mailq().contains("one@next.test"), "{}", site.mailq());
    site.run_queue();
    assert!(next.wait_for(2)[1].text().contains("Subject: t\r\n"));
}

#[test]
fn the_first_bad_address_of_a_field_is_told() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 1, "");
    let message = b"To: x@elsewhere.test, y@elsewhere.test\nSubject: t\n\nx\n";
    let (exit, printed) = send(&site, &["-odq", "-t"], message);
    assert_eq!((exit, printed.as_str()), (68, "x@elsewhere.test... no way to elsewhere.test\n"));
}

#[test]
fn a_sender_that_cannot_be_one_is_replaced_by_the_caller() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "");
    let (exit, printed) = send(&site, &["-odi", "-f", "a@b@elsewhere.test", "you@next.test"], b"Subject: x\n\nx\n");
    assert_eq!((exit, printed.as_str()), (64, "a@b@elsewhere.test... no way to b@elsewhere.test\n"));
    assert!(!next.wait_for(1)[0].sender.contains("elsewhere"));
    assert!(site.log().contains("setsender: a@b@elsewhere.test: invalid or unparsable"), "{}", site.log());
}

#[test]
fn test_mode_tells_its_faults_by_its_exit_code() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 9, "CZb c a");
    let (exit, printed) = send(&site, &["-bt"], b"$=Z\n=S nosuch\n/map x\n-\n");
    let wanted = "> b\nc\na\n> Undefined ruleset  nosuch\n> No key specified\n> Usage: -d{debug arguments}\n> ";
    assert!(printed.ends_with(wanted), "{printed}");
    assert_eq!(exit, 0);
    let (exit, printed) = send(&site, &["-bt"], b"$\n=S \n");
    assert!(
        printed.ends_with("> Name required for macro/class\n> invalid ruleset name: \"\"\nUndefined ruleset  \n> "),
        "{printed}"
    );
    assert_eq!(exit, 70);
}

#[test]
fn arpanet_programs_get_replies_and_name_the_sender_in_the_header() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = sandbox.mta("a", next.port, "HX-Flags: F=${daemon_flags}\n");
    let message = b"From: <author@next.test>\r\nSubject: a\r\n\r\nx\r\n..dot\r\n.\r\nmore\r\n";
    assert_eq!(send(&site, &["-ba", "-odi", "you@next.test"], message), (0, String::new()));
    let taken = next.wait_for(1).remove(0);
    assert!(taken.sender.contains("<author@next.test>"), "{}", taken.sender);
    assert!(taken.text().ends_with("\r\n\r\nx\r\n..dot\r\n"), "{}", taken.text());
    assert!(taken.text().contains("X-Flags: F=\r\n"), "{}", taken.text());
    let folded = b"From: The\r\n Author\r\n\t<folded@next.test>\r\nSubject: f\r\n\r\nx\r\n";
    assert_eq!(send(&site, &["-ba", "-odi", "you@next.test"], folded), (0, String::new()));
    let taken = next.wait_for(2).remove(1);
    assert!(taken.sender.contains("<folded@next.test>"), "{}", taken.sender);
    assert!(!site.log().contains("POSSIBLE ATTACK"), "{}", site.log());
    let (exit, printed) = send(&site, &["-ba", "-odi", "-oem", "nosuch"], b"Subject: b\r\n\r\nx\r\n");
    assert!(exit == 67 || printed.is_empty(), "{exit} {printed}");
    assert_eq!(send(&site, &["-ba"], b""), (64, "550 Recipient names must be specified\r\n".to_owned()));
    send(&site, &["-G", "-odi", "you@next.test"], b"Subject: c\n\nx\n");
    let text = next.wait_for(3).remove(2).text();
    assert!(text.contains("X-Flags: F=CC f\r\n"), "{text}");
}

#[test]
fn what_is_not_there_is_said() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", FakeHost::accepting().port, "");
    assert_eq!(send(&site, &["-U", "me"], b""), (64, String::new()), "as the original without it");
    let terminal = nix::pty::openpty(None, None).unwrap();
    let mut child = site.command().args(["-U", "me"]).stdin(Stdio::null()).stderr(terminal.slave).spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(64));
    let mut shown = [0; 200];
    let length = std::fs::File::from(terminal.master).read(&mut shown).unwrap();
    assert!(String::from_utf8_lossy(&shown[..length]).contains("SMTPUTF8"), "people are told");
    let lost = "Can't initialize mailbox database \"nis\": Service unavailable\n";
    assert_eq!(send(&site, &["-OMailboxDatabase=nis", "-bv", "me"], b""), (69, lost.to_owned()));
    let none = "Data unavailable: shared memory not updated\n";
    assert_eq!(send(&site, &["-bP"], b""), (0, none.to_owned()));
    let queue = site.path("queue").display().to_string();
    assert_eq!(send(&site, &["-OSharedMemoryKey=1", "-bP"], b""), (0, format!("{queue} is empty\n")));
    assert_eq!(send(&site, &["-odq", "me"], b"Subject: q\n\nx\n").0, 0);
    let counted = format!("{queue}: entries=1\n\t\tTotal requests: 1\n");
    assert_eq!(send(&site, &["-OSharedMemoryKey=1", "-bP"], b""), (0, counted));
}

#[test]
fn debug_output_tells_of_names_maps_and_options() {
    let sandbox = Sandbox::new();
    let words = sandbox.path("words");
    std::fs::write(&words, "a\tb\n").unwrap();
    let lines = format!("Kwords text {}\nKboth sequence words\nKa regex ^a\n", words.display());
    let site = sandbox.mta("a", FakeHost::accepting().port, &lines);
    let (_, printed) = send(&site, &["-d37.1,38.4", "-OLogLevel=12", "-bv", "me"], b"");
    for line in [
        "setoption LogLevel (L)=12".to_owned(),
        "setoption SuperSafe (s)=true".to_owned(),
        format!("text_map_open(words, {}, 0)", words.display()),
        format!("openmap()\ttext:words {}: valid", words.display()),
        "seq_map_parse(both, words)".to_owned(),
        "regex_map_init: mapname 'a', args '^a'".to_owned(),
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}\n{printed}");
    }
    let (_, printed) = send(&site, &["-d0.14", "-bv", "me"], b"");
    for words in ["MILTER", "LDAPMAP", "USERDB", "DANE", " Implementation: sendmail-rs ", "OpenSSL: linked"] {
        assert!(printed.contains(words), "{words}\n{printed}");
    }
    assert_eq!(printed.matches("OpenSSL: linked").count(), 1, "{printed}");
}

#[test]
fn a_message_that_is_too_large_is_returned_for_those_whom_it_would_have_gone_to() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 9, "O MaxMessageSize=100\n");
    site.write("aliases", b"list: you@next.test\n", 0o644);
    let message = [&b"Subject: big\n\n"[..], &b"y".repeat(200)[..], b"\n"].concat();
    let (code, printed) = site.submit(&["-odi", "-f", "me", "list"], &message);
    assert_eq!((code, printed.contains("Message exceeds maximum fixed size (100)")), (0, true), "{printed}");
    until(LIMIT, "the report has arrived", || site.mailbox("me").contains("Subject: Returned mail"));
    let report = site.mailbox("me");
    assert!(report.contains("\nyou@next.test\n    (expanded from: list)\n"), "{report}");
}
