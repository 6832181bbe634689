//! gencf: the menu on a terminal, flags, and `.mc` files.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::pty::openpty;

fn gencf(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gencf"));
    command.current_dir(folder).env("SENDMAIL_CF_LIBRARY", env!("CARGO_MANIFEST_DIR"));
    command
}

fn texts(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// `-bt` takes the file without a word.
fn is_accepted(cf: &Path) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sendmail"))
        .args(["-OQueueDirectory=.", "-bt", "-C"])
        .arg(cf)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    let text = texts(&output);
    // The class of a machine without the group is all that may be missed.
    let said: Vec<_> =
        text.lines().filter(|line| line.contains("line ") && !line.contains("unknown user smmsp")).collect();
    assert!(said.is_empty(), "{text}");
    assert!(text.contains("ADDRESS TEST MODE"), "{text}");
}

fn option<'a>(cf: &'a str, name: &str) -> Option<&'a str> {
    cf.lines().find_map(|line| line.strip_prefix("O ")?.strip_prefix(name)?.strip_prefix('='))
}

#[test]
fn the_menu_on_a_terminal_makes_both_files() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = openpty(None, None).unwrap();
    let end = || Stdio::from(terminal.slave.try_clone().unwrap());
    let mut child = gencf(folder.path()).stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
    drop(terminal.slave);
    let mut master = File::from(terminal.master);
    master.write_all(b"4\n2\n5\n4\n2\n6\n0\n").unwrap();
    let mut shown = Vec::new();
    // A terminal whose other end is closed is an error on Linux.
    let _ = master.read_to_end(&mut shown);
    let shown = String::from_utf8_lossy(&shown);
    assert!(child.wait().unwrap().success(), "{shown}");
    assert!(shown.contains("sendmail.cf.gen: ") && shown.contains("submit.cf.gen: "), "{shown}");
    for (name, key) in [("sendmail.cf.gen", "ServerKeyFile"), ("submit.cf.gen", "ClientKeyFile")] {
        let path = folder.path().join(name);
        let cf = fs::read_to_string(&path).unwrap();
        assert_eq!(option(&cf, "CACertPath"), Some("/etc/mail/certs"), "{name}");
        assert_eq!(option(&cf, key), Some("/etc/mail/certs/servername-key.pem"), "{name}");
        assert_eq!(option(&cf, "DontBlameSendmail"), Some("GroupReadableKeyFile"), "{name}");
        is_accepted(&path);
        // The same as m4 makes of the .mc that lies beside it.
        let mc = name.replace(".cf.", ".mc.");
        let built = gencf(folder.path()).args(["build", "-o", "again.cf", "--force"]).arg(mc).output().unwrap();
        assert!(built.status.success(), "{}", texts(&built));
        assert_eq!(fs::read_to_string(folder.path().join("again.cf")).unwrap(), cf);
    }
    let answers = fs::read_to_string(folder.path().join("gencf.answers")).unwrap();
    assert!(answers.ends_with("\nstarttls = yes\n"), "{answers}");
}

#[test]
fn every_switch_is_a_flag_and_makes_a_configuration_without_findings() {
    let folder = tempfile::tempdir().unwrap();
    let flags = [
        "--relay-hosts-only",
        "--access-db",
        "--delay-checks",
        "--mailertable",
        "--virtusertable",
        "--domaintable",
        "--genericstable=a.test",
        "--ldap-routing=b.test",
        "--ldap-defaults=-h ldap.test -b dc=site,dc=test",
        "--smart-host=relay.test",
        "--dnsbl=bl.test,bl2.test",
        "--no-default-msa",
        "--send-only",
        "--receive-only",
        "--masquerade-as=site.test",
        "--auth=PLAIN LOGIN",
        "--local-domains=site.test",
        "--relay-domains=192.0.2",
        "--starttls",
        "--use-tls=False",
        "--system=linux",
    ];
    let made = gencf(folder.path()).args(["generate", "sendmail"]).args(flags).output().unwrap();
    assert!(made.status.success(), "{}", texts(&made));
    let path = folder.path().join("sendmail.cf.gen");
    let cf = fs::read_to_string(&path).unwrap();
    for line in [
        "DSrelay.test",
        "DMsite.test",
        "Kmailertable hash /etc/mail/mailertable",
        "O UseTLS=False",
        "SLocal_check_relay",
    ] {
        assert!(cf.lines().any(|l| l == line), "{line} is not in it");
    }
    assert_eq!(option(&cf, "AuthMechanisms"), Some("PLAIN LOGIN"));
    is_accepted(&path);
}

/// What cfcheck says of the text of a configuration.
fn checked(cf: &Path) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cfcheck"));
    let output = command.args(["--text-only", "--strict"]).arg(cf).output().unwrap();
    (texts(&output), output.status.code())
}

#[test]
fn what_is_made_has_no_findings_at_all() {
    let folder = tempfile::tempdir().unwrap();
    for flags in [
        &[][..],
        &["--starttls", "--ldap-routing=b.test", "--ldap-defaults=-h ldap.test"],
        &["--masquerade-as=site.test"],
    ] {
        let made = gencf(folder.path()).arg("generate").args(flags).output().unwrap();
        assert!(made.status.success(), "{}", texts(&made));
        for name in ["sendmail.cf.gen", "submit.cf.gen"] {
            assert_eq!(checked(&folder.path().join(name)), (String::new(), Some(0)), "{name} {flags:?}");
        }
    }
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("cf/cf");
    for entry in fs::read_dir(examples).unwrap() {
        let mc = entry.unwrap().path();
        let cf = folder.path().join("example.cf");
        let built = gencf(folder.path()).args(["build", "--force", "-o"]).args([&cf, &mc]).output().unwrap();
        assert!(built.status.success(), "{}", texts(&built));
        assert_eq!(checked(&cf), (String::new(), Some(0)), "{}", mc.display());
    }
}

#[test]
fn key_files_that_are_not_here_are_hinted_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["generate", "submit", "--starttls", "--client-cert-file=/nowhere/mx-cert.pem"];
    let made = gencf(folder.path()).args(flags).args(["--server-cert-file="]).output().unwrap();
    let text = texts(&made);
    let hints: Vec<_> = text.lines().filter(|line| line.starts_with("hint: ")).collect();
    assert_eq!(hints.len(), 1, "{text}");
    assert!(hints[0].contains("certs install --name mx "), "{text}");
    let without = gencf(folder.path()).args(["generate", "submit", "--starttls=no"]).output().unwrap();
    assert!(!texts(&without).contains("hint: "), "{}", texts(&without));
}

#[test]
fn an_mc_file_of_another_library_is_built_with_this_one_and_faults_are_placed() {
    let folder = tempfile::tempdir().unwrap();
    let mc = folder.path().join("site.mc");
    fs::write(&mc, "include(`/nowhere/m4/cf.m4')\nOSTYPE(`linux')dnl\nMAILER(`local')dnl\nMAILER(`smtp')dnl\n")
        .unwrap();
    let built = gencf(folder.path()).args(["build", "site.mc"]).output().unwrap();
    assert!(built.status.success(), "{}", texts(&built));
    is_accepted(&folder.path().join("site.cf"));
    let cf = fs::read_to_string(folder.path().join("site.cf")).unwrap();
    assert!(cf.contains("site.mc") && !cf.contains("gencf."), "{cf}");
    let printed = gencf(folder.path()).args(["build", "-o", "-", "site.mc"]).output().unwrap();
    assert_eq!((printed.status.code(), String::from_utf8_lossy(&printed.stdout)), (Some(0), cf.as_str().into()));
    let again = gencf(folder.path()).args(["build", "site.mc"]).output().unwrap();
    assert_eq!((again.status.code(), texts(&again).contains("it exists already")), (Some(73), true));

    fs::write(&mc, "include(`/nowhere/m4/cf.m4')\nFEATURE(`acces_db')dnl\nMAILER(`local')dnl\n").unwrap();
    let bad = gencf(folder.path()).args(["build", "site.mc", "--force"]).output().unwrap();
    let text = texts(&bad);
    assert_eq!(bad.status.code(), Some(78), "{text}");
    assert!(text.contains("site.mc:2:") && text.contains("access_db") && !text.contains("/gencf."), "{text}");

    // What works is warned about alone.
    let old = "FEATURE(`access_db')dnl\nFEATURE(`blacklist_recipients')dnl\nMAILER(`local')dnl\nMAILER(`smtp')dnl\n";
    fs::write(&mc, format!("OSTYPE(`linux')dnl\n{old}")).unwrap();
    let warned = gencf(folder.path()).args(["build", "site.mc", "--force"]).output().unwrap();
    let text = texts(&warned);
    assert_eq!(warned.status.code(), Some(0), "{text}");
    assert!(text.contains("site.mc:3: warning: ") && text.contains("blocklist_recipients"), "{text}");
}

#[test]
fn what_it_does_not_know_is_told_with_the_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gencf.answers"), "starttls = yes\nacces-db = yes\n").unwrap();
    let refused = gencf(folder.path()).arg("generate").output().unwrap();
    assert_eq!(refused.status.code(), Some(78));
    assert_eq!(texts(&refused), "gencf: gencf.answers:2: no option is called acces-db; access-db is\n");
    fs::remove_file(folder.path().join("gencf.answers")).unwrap();
    let nowhere = gencf(folder.path()).args(["generate", "--library", "/nowhere"]).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(69));
    assert_eq!(texts(&nowhere).lines().next(), Some("gencf: /nowhere: no m4/cf.m4 below it"));
}

/// The program of mailer `local`.
fn program_for_mailboxes(cf: &str) -> &str {
    let line = cf.lines().find(|line| line.starts_with("Mlocal,")).unwrap();
    line.split_once("P=").unwrap().1.split(',').next().unwrap()
}

#[test]
fn mailboxes_are_written_by_a_program_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    // Installed side by side.
    let gencf_there = folder.path().join("sbin/gencf");
    let mail_local = folder.path().join("libexec/sendmail/mail.local");
    for path in [&gencf_there, &mail_local] {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
    }
    fs::copy(env!("CARGO_BIN_EXE_gencf"), &gencf_there).unwrap();
    fs::write(&mail_local, "").unwrap();
    let made = |flags: &[&str]| {
        let mut command = Command::new(&gencf_there);
        command.current_dir(folder.path()).env("SENDMAIL_CF_LIBRARY", env!("CARGO_MANIFEST_DIR"));
        let output = command.args(["generate", "sendmail"]).args(flags).output().unwrap();
        assert!(output.status.success(), "{}", texts(&output));
        (fs::read_to_string(folder.path().join("sendmail.cf.gen")).unwrap(), texts(&output))
    };
    let lmtp = mail_local.to_str().unwrap();
    for (system, usual) in [("linux", "/usr/bin/procmail"), ("debian", "/usr/sbin/sensible-mda")] {
        let system = format!("--system={system}");
        let (cf, said) = made(&[&system, "--local-mailer=automatic"]);
        let (program, is_told) = if Path::new(usual).exists() { (usual, false) } else { (lmtp, true) };
        assert_eq!(program_for_mailboxes(&cf), program, "{said}");
        assert_eq!(
            said.contains(&format!("note: {usual} is not on this machine: mailboxes are written by")),
            is_told,
            "{said}"
        );
        let (cf, said) = made(&[&system, "--local-mailer=system"]);
        assert_eq!((program_for_mailboxes(&cf), said.contains("note: ")), (usual, false));
        let (cf, said) = made(&[&system, "--local-mailer=mail.local"]);
        assert_eq!((program_for_mailboxes(&cf), said.contains("note: ")), (lmtp, false));
    }
}

#[test]
fn lines_of_the_site_are_part_of_what_is_made() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sendmail.local.mc"), "define(`confMAX_HOP', `7')dnl\nFEATURE(`nocanonify')dnl\n")
        .unwrap();
    fs::write(folder.path().join("submit.local.mc"), "define(`MSP_QUEUE_DIR', `/var/spool/other')dnl\n").unwrap();
    let made = gencf(folder.path()).args(["generate", "--local-mailer=system"]).output().unwrap();
    let said = texts(&made);
    assert!(made.status.success(), "{said}");
    for (name, option_name, value) in
        [("sendmail", "MaxHopCount", "7"), ("submit", "QueueDirectory", "/var/spool/other")]
    {
        let cf = fs::read_to_string(folder.path().join(format!("{name}.cf.gen"))).unwrap();
        assert_eq!(option(&cf, option_name), Some(value), "{name}");
        assert!(said.contains(&format!("note: the lines of {name}.local.mc are in it\n")), "{said}");
    }
}
