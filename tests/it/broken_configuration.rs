//! A line that cannot be is named with its file and number, in the original's words.

use crate::support::sandbox::Sandbox;

#[test]
fn a_broken_line_is_named_and_ends_the_program() {
    let cases = [
        ("O NoSuchOption=1", "readcf: unknown option name NoSuchOption", 70),
        ("Kfoo nosuchtype x", "readcf: map foo: class nosuchtype not available", 70),
        ("Mbad, P=/x", "Mbad: A= argument required", 70),
        ("C", "Name required for macro/class", 70),
        ("F{x}/no/such/file", "fileclass: cannot open '/no/such/file': No such file or directory", 71),
    ];
    for (line, text, exit) in cases {
        let sandbox = Sandbox::new();
        let site = sandbox.mta("a", 1, &format!("{line}\n"));
        let cf = std::fs::read_to_string(site.path("cf")).unwrap();
        let number = cf.lines().position(|l| l == line).unwrap() + 1;
        let output = site.command().args(["-bv", "me"]).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let wanted = format!("{}: line {number}: {text}\n", site.path("cf").display());
        assert_eq!((printed, output.status.code()), (wanted.clone(), Some(exit)), "{line}");
        assert!(site.log().contains(&format!("NOQUEUE: SYSERR({}): {}", user(), wanted.trim_end())), "{}", site.log());
    }
}

#[test]
fn every_broken_line_is_named_in_one_go() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 1, "O NoSuchOption=1\nC\nMbad, P=/x\n");
    let output = site.command().args(["-bv", "me"]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(printed.lines().count(), 3, "{printed}");
    assert_eq!(output.status.code(), Some(70));
}

#[test]
fn a_missing_file_is_told_with_the_code_for_it() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 1, "");
    std::fs::remove_file(site.path("cf")).unwrap();
    let output = site.command().args(["-bv", "me"]).output().unwrap();
    let wanted = format!("{}: line 0: cannot open: No such file or directory\n", site.path("cf").display());
    assert_eq!((String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code()), (wanted, Some(72)));
}

fn user() -> String {
    let output = std::process::Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
