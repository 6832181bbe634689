//! What fields and flags of a mailer change for the host, or socket, that it speaks to.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::fake_dns::{self, FakeDns};
use crate::support::fake_host::{FakeHost, Taken};
use crate::support::private_etc::with_etc;
use crate::support::sandbox::{Sandbox, Site, is_root};

/// A transfer agent whose mailer `hop` has these fields; mail for USER@NAME.via goes to the mailer of that name.
fn site(sandbox: &Sandbox, name: &str, next: &FakeHost, fields: &str, lines: &str) -> Site {
    let end = "T=DNS/RFC822/SMTP, A=TCP [127.0.0.1] @NEXT_PORT@\n";
    let text =
        format!("Cwhere.test\nO HoldExpensive=true\n{lines}Mhop, P=[IPC], {fields}, {end}Mnone, P=[IPC], F=m, {end}");
    let site = sandbox.mta(name, next.port, &text);
    let cf = fs::read_to_string(site.path("cf")).unwrap();
    let route = "Sparse=0\nR$+ < @ $- . via >\t$#$2 $@ $2.via $: $1 < @ $2 . via >\n";
    site.write("cf", cf.replace("Sparse=0\n", route).as_bytes(), 0o644);
    site
}

/// What a next hop saw of one message.
struct Seen {
    heard: Vec<String>,
    taken: Vec<Taken>,
    exit: i32,
    /// What came back.
    report: String,
    queued: usize,
}

impl Seen {
    fn count(&self, verb: &str) -> usize {
        self.heard.iter().filter(|line| line.starts_with(verb)).count()
    }

    fn said(&self, start: &str) -> &str {
        self.heard.iter().find(|line| line.starts_with(start)).map_or("", String::as_str)
    }
}

/// Sends a message with `-odi` and these arguments to a next hop with this script.
fn send(fields: &str, script: &str, args: &[&str], message: &[u8]) -> Seen {
    let sandbox = Sandbox::new();
    let next = FakeHost::new(&[script]);
    let site = site(&sandbox, "a", &next, fields, "");
    let (exit, _) = site.submit(&[&["-odi"], args].concat(), message);
    let queued = site.queue_files("qf").len();
    Seen { heard: next.heard(), taken: next.taken(), exit, report: site.mailbox("me"), queued }
}

const NO_ESMTP: &str = "S: 220 next.test hello";
const ESMTP: &str = "S: 220 next.test ESMTP";
const OURS: &str = "S: 220 next.test ESMTP\nC: EHLO *\nS: 250 a.test hello";
const NO_8BIT: &str = "S: 220 next.test ESMTP\nC: EHLO *\nS: 250 next.test";
const TEXT: &[u8] = b"Subject: x\n\ntext\n";

#[test]
fn letters_choose_how_a_host_is_spoken_to() {
    let first = |fields, script| send(fields, script, &["-fme", "u@hop.via"], TEXT).heard[0].clone();
    assert_eq!(first("F=m", NO_ESMTP), "HELO a.test");
    assert_eq!(first("F=ma", NO_ESMTP), "EHLO a.test");
    assert_eq!(first("F=m", ESMTP), "EHLO a.test");
    assert_eq!(first("F=m2", ESMTP), "HELO a.test");
    assert_eq!(first("F=mz", ESMTP), "LHLO a.test");
    // A host of our name is ourselves, F=k aside.
    let seen = send("F=m", OURS, &["-fme", "u@hop.via"], TEXT);
    assert!(seen.taken.is_empty() && seen.exit != 0, "{:?}", seen.heard);
    assert_eq!(send("F=mk", OURS, &["-fme", "u@hop.via"], TEXT).taken.len(), 1);
}

#[test]
fn letters_and_numbers_bound_what_a_transaction_and_a_connection_carry() {
    let two = |fields| send(fields, "", &["-fme", "u@hop.via", "v@hop.via"], TEXT);
    let counts = |seen: &Seen| (seen.count("EHLO"), seen.count("MAIL"), seen.count("RCPT"));
    assert_eq!(counts(&two("F=m")), (1, 1, 2));
    assert_eq!(counts(&two("F=X")), (1, 2, 2), "no F=m");
    assert_eq!(counts(&two("F=m, r=1")), (1, 2, 2));
    assert_eq!(counts(&two("F=X, m=1")), (2, 2, 2));
    let (small, large) = (two("F=m, M=1000"), two("F=m, M=10"));
    assert_eq!((small.exit, small.taken.len()), (0, 1));
    assert!(
        large.exit != 0
            && large.taken.is_empty()
            && large.report.contains("552 5.2.3 Message is too large; 10 bytes max"),
        "{}",
        large.report
    );
}

#[test]
fn letters_choose_the_reverse_path() {
    let path = |fields, sender| send(fields, "", &["-f", sender, "u@hop.via"], TEXT).said("MAIL").to_owned();
    assert!(path("F=m", "me@none.via").starts_with("MAIL From:<me@none.via>"));
    assert!(path("F=mp", "me@none.via").starts_with("MAIL From:<@a.test:me@none.via>"));
    // Who is here needs no way.
    assert!(path("F=mp", "me@here.test").starts_with("MAIL From:<me@here.test>"));
    // Reports have no sender, but for F=g.
    let report = |fields| send(fields, "", &["-f", "u@hop.via", "nosuch"], TEXT).said("MAIL").to_owned();
    assert!(report("F=m").starts_with("MAIL From:<>"), "{}", report("F=m"));
    assert!(report("F=mg").starts_with("MAIL From:<MAILER-DAEMON"), "{}", report("F=mg"));
    assert!(path("F=mg", "<>").starts_with("MAIL From:<>"));
}

#[test]
fn eight_bits_go_as_they_are_or_are_encoded_in_the_mailer_s_character_set() {
    let text = "Subject: x\n\nmost of it is plain, and caf\u{e9} \u{e9} is not\n".as_bytes();
    let sent = |fields| send(fields, NO_8BIT, &["-B8BITMIME", "-fme", "u@hop.via"], text).taken.remove(0).text();
    let encoded = sent("F=m");
    assert!(encoded.contains("charset=unknown-8bit") && encoded.contains("caf=C3=A9 =C3=A9"), "{encoded}");
    assert!(sent("F=m, C=koi8-r").contains("charset=koi8-r"));
    assert!(sent("F=m8").ends_with("and caf\u{e9} \u{e9} is not\r\n"));
}

#[test]
fn expensive_and_held_mail_waits_until_it_is_asked_for() {
    assert_eq!(send("F=m", "", &["-fme", "u@hop.via"], TEXT).queued, 0);
    let sandbox = Sandbox::new();
    for (name, fields, by_any_run) in [("a", "F=me", true), ("b", "F=m%", false)] {
        let next = FakeHost::accepting();
        let site = site(&sandbox, name, &next, fields, "");
        site.submit(&["-odi", "-fme", "u@hop.via"], TEXT);
        assert_eq!((site.queue_files("qf").len(), next.taken().len()), (1, 0), "{fields}");
        site.run_queue();
        assert_eq!(next.taken().len(), usize::from(by_any_run), "{fields}");
        assert!(site.command().arg("-qRu@hop.via").status().unwrap().success());
        assert_eq!(next.wait_for(1).len(), 1, "{fields}");
    }
}

#[test]
fn the_state_of_hosts_is_forgotten_where_a_letter_says_so() {
    let sandbox = Sandbox::new();
    for (name, fields, tries) in [("a", "F=m", 1), ("b", "F=mW", 2)] {
        let next = FakeHost::new(&["S: 421 4.3.2 not now\nhang up"]);
        let lines = "O HostStatusDirectory=@DIR@/status\nO Timeout.hoststatus=1h\n";
        let site = site(&sandbox, name, &next, fields, lines);
        fs::create_dir(site.path("status")).unwrap();
        let lines = fs::read_to_string(site.path("cf")).unwrap().replace("O Timeout.hoststatus=0s\n", "");
        site.write("cf", lines.as_bytes(), 0o644);
        for _ in 0..2 {
            site.submit(&["-odi", "-fme", "u@hop.via"], TEXT);
        }
        next.wait_for_connections(tries);
        assert_eq!(next.connections(), tries, "{fields}");
    }
}

#[test]
fn rulesets_of_envelope_and_header_are_those_of_the_mailer() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let rules = "SEnvS\nR$*\t$: es. $1\nSHdrS\nR$*\t$: hs. $1\nSEnvR\nR$*\t$: er. $1\nSHdrR\nR$*\t$: hr. $1\n";
    let site = site(&sandbox, "a", &next, "F=m, S=EnvS/HdrS, R=EnvR/HdrR", rules);
    let message = b"From: me@here.test\nTo: u@hop.via\nSubject: r\n\nx\n";
    assert_eq!(site.submit(&["-odi", "-fme@here.test", "u@hop.via"], message).0, 0);
    let taken = next.wait_for(1).remove(0);
    assert!(taken.sender.starts_with("MAIL From:<es.me@here.test>"), "{}", taken.sender);
    assert_eq!(taken.recipients, ["RCPT To:<er.u@hop.via>"]);
    assert!(taken.text().contains("From: hs.me@here.test\r\n") && taken.text().contains("To: hr.u@hop.via\r\n"));
}

#[test]
fn a_name_itself_is_connected_to_where_mail_exchangers_do_not_count() {
    if !is_root() {
        return println!("not root: MX records were not looked at");
    }
    let sandbox = Sandbox::new();
    for (name, fields, is_taken) in [("a", "F=m", false), ("b", "F=m0", true)] {
        let next = FakeHost::accepting();
        let site = site(&sandbox, name, &next, fields, "O Timeout.connect=2s\n");
        let cf = fs::read_to_string(site.path("cf")).unwrap();
        site.write("cf", cf.replace("A=TCP [127.0.0.1] ", "A=TCP $h ").as_bytes(), 0o644);
        let exchanger = [&[0, 5][..], &fake_dns::name("other.via")].concat();
        let dns = FakeDns::start(
            vec![
                ("hop.via".to_owned(), fake_dns::MX, exchanger),
                ("hop.via".to_owned(), fake_dns::A, vec![127, 0, 0, 1]),
                // Nobody listens there.
                ("other.via".to_owned(), fake_dns::A, vec![127, 0, 0, 9]),
            ],
            false,
        );
        let resolv = format!("nameserver {}\n", dns.address);
        let mut command = site.command();
        command.args(["-odi", "-fme", "u@hop.via"]);
        let etc = [("resolv.conf", resolv.as_str()), ("hosts", "127.0.0.1 localhost\n")];
        let mut child = with_etc(&command, &site.dir, &etc).unwrap().stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(TEXT).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(next.taken().len(), usize::from(is_taken), "{fields}: {}", site.log());
    }
}

#[test]
fn reports_name_types_of_the_mailer_and_whether_delivery_was_final() {
    let sandbox = Sandbox::new();
    let next = FakeHost::new(&[
        "S: 220 next.test ESMTP\nC: EHLO *\nS: 250 ok\nC: MAIL *\nS: 250 ok\nC: RCPT *\nS: 550 5.1.1 no",
    ]);
    let site = site(&sandbox, "a", &next, "F=m, T=X-mta/X-address/X-diagnostic", "");
    // The last T= of a line counts.
    let cf = fs::read_to_string(site.path("cf")).unwrap();
    site.write("cf", cf.replace("X-diagnostic, T=DNS/RFC822/SMTP,", "X-diagnostic,").as_bytes(), 0o644);
    site.submit(&["-odi", "-fme", "u@hop.via"], TEXT);
    let report = site.mailbox("me");
    assert!(report.contains("\nRemote-MTA: X-mta; [127.0.0.1]\n"), "{report}");
    assert!(report.contains("\nX-Actual-Recipient: X-address; u@hop.via\n"), "{report}");
    assert!(report.contains("\nDiagnostic-Code: X-diagnostic; 550 5.1.1 no"), "{report}");

    // F=l: who delivers here says so, others pass on.
    for (flags, word) in [("F=ml", "delivered (to mailbox)"), ("F=m", "relayed (to non-DSN-aware mailer)")] {
        let report = send(flags, "", &["-Nsuccess", "-fme", "u@hop.via"], TEXT).report;
        assert!(report.contains(&format!("\nAction: {word}\n")), "{flags}: {report}");
    }
}

#[test]
fn queued_mail_lies_in_the_group_of_its_mailer() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let lines = "Qslow, P=@DIR@/queue/slow\n";
    let site = site(&sandbox, "a", &next, "F=m, Q=slow", lines);
    fs::create_dir(site.path("queue/slow")).unwrap();
    fs::set_permissions(site.path("queue/slow"), fs::Permissions::from_mode(0o700)).unwrap();
    for (to, folder) in [("u@hop.via", "queue/slow"), ("u@none.via", "queue")] {
        let count =
            |folder| fs::read_dir(site.path(folder)).unwrap().filter(|e| is_control_file(e.as_ref().unwrap())).count();
        let before = count(folder);
        site.submit(&["-odq", "-fme", to], TEXT);
        assert_eq!(count(folder), before + 1, "{to}");
    }
}

fn is_control_file(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with("qf")
}

/// With `F=Z` a host that does not answer is tried once more, after `DialDelay`.
#[test]
fn a_line_that_is_dialled_on_demand_gets_its_time() {
    let sandbox = Sandbox::new();
    let next = FakeHost::accepting();
    let site = site(&sandbox, "a", &next, "F=mZ", "O DialDelay=1s\n");
    drop(next);
    let start = Instant::now();
    site.submit(&["-odi", "-fme", "u@hop.via"], TEXT);
    assert!(start.elapsed() >= Duration::from_secs(1), "it was tried once");
    assert_eq!(site.queue_files("qf").len(), 1);
}
