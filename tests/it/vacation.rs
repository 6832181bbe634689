//! What vacation gives to sendmail, and what it prints, beside what the original did.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::private_etc::with_programs;
use crate::support::sandbox::{Sandbox, is_root};

fn vacation(dir: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vacation"));
    command.args(["-d", "-U", "-f"]).arg(dir.join("v.db")).arg("-m").arg(dir.join("v.msg")).args(options);
    command.env("TZ", "UTC").env("NOTES", dir).current_dir(dir);
    command
}

fn finished(mut command: Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn replies_are_those_of_the_original() {
    let sandbox = Sandbox::new();
    let dir = sandbox.path("desk");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("v.msg"), "From: Bob <bob@home.ex>\nSubject: away\n\nBack in January.\n").unwrap();
    let script = include_str!("support/sendmail-that-notes");
    for (options, input) in [
        (
            &["-R", "bob@home.ex", "-a", "robert", "bob"][..],
            "From \"al b\"@x Mon Nov 30 09:00:00 2026\nTo: Robert <robert@home.ex>,\n\tlist@x\nSubject: lunch\n\nToday?\n",
        ),
        (&["-z", "-j", "bob"], "From -odd Mon Nov 30 09:00:00 2026\n\nx\n"),
        (&["bob"], "From h!al Mon Nov 30 09:00:00 2026\nCc: BOB@y\n\nx\n"),
        (&["bob"], "From h!al Mon Nov 30 09:00:00 2026\nCc: BOB@y\n\nagain\n"),
    ] {
        let command = vacation(&dir, options);
        let Some(command) = with_programs(&command, &dir, &[("sendmail", script)]) else { return };
        let output = finished(command, input.as_bytes());
        assert!(output.status.success(), "{output:?}");
    }
    let replies = fs::read_to_string(dir.join("sent")).unwrap();
    assert_eq!(replies, include_str!("../golden/vacation/replies.txt"));
}

#[test]
fn a_database_of_the_original_is_listed_as_it_lists_it() {
    let sandbox = Sandbox::new();
    let dir = sandbox.path("desk");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("v.db"), include_bytes!("../golden/vacation/original.db")).unwrap();
    let output = vacation(&dir, &["-l", "bob"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), include_str!("../golden/vacation/listed.txt"));
}

#[test]
fn a_database_of_another_group_is_kept_up_by_its_user() {
    if !is_root() {
        return println!("not root: files of two groups were not made");
    }
    let sandbox = Sandbox::new();
    let dir = sandbox.path("desk");
    fs::create_dir(&dir).unwrap();
    let (program, database) = (dir.join("vacation"), dir.join("v.db"));
    fs::copy(env!("CARGO_BIN_EXE_vacation"), &program).unwrap();
    fs::write(&database, include_bytes!("../golden/vacation/original.db")).unwrap();
    fs::set_permissions(&database, fs::Permissions::from_mode(0o640)).unwrap();
    for path in [&dir, &database] {
        chown(path, Some(NOBODY), Some(0)).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".to_owned()]);
    let usual = vacation(&dir, &["-x", "bob"]);
    command.arg(program).args(usual.get_args());
    let output = finished(command, b"@new.ex\n");
    assert!(output.status.success(), "{output:?}");
    let facts = fs::metadata(&database).unwrap();
    assert_eq!((facts.uid(), facts.gid(), facts.mode() & 0o777), (NOBODY, NOBODY, 0o600));
    let listed = vacation(&dir, &["-l", "bob"]).output().unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), 4);
}

const NOBODY: u32 = 65534;
