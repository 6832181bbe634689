//! A line that cannot be is named with its file and number, in the original's words.

use crate::support::sandbox::{Sandbox, Site, user_name};

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
        let (printed, code) = verify(&site);
        let wanted = format!("{}: line {number}: {text}\n", site.path("cf").display());
        assert_eq!((printed, code), (wanted.clone(), exit), "{line}");
        assert!(
            site.log().contains(&format!("NOQUEUE: SYSERR({}): {}", user_name(), wanted.trim_end())),
            "{}",
            site.log()
        );
    }
}

#[test]
fn every_broken_line_is_named_in_one_go() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 1, "O NoSuchOption=1\nC\nMbad, P=/x\n");
    let (printed, code) = verify(&site);
    assert_eq!(printed.lines().count(), 3, "{printed}");
    assert_eq!(code, 70);
}

#[test]
fn a_missing_file_is_told_with_the_code_for_it() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 1, "");
    std::fs::remove_file(site.path("cf")).unwrap();
    let wanted = format!("{}: line 0: cannot open: No such file or directory\n", site.path("cf").display());
    assert_eq!(verify(&site), (wanted, 72));
}

/// What `-bv` prints, but for the notice to users without rights, and its exit code.
fn verify(site: &Site) -> (String, i32) {
    let output = site.command().args(["-bv", "me"]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = printed.split_inclusive('\n').filter(|line| !line.starts_with("Notice: -bv"));
    (lines.collect(), output.status.code().unwrap())
}
