//! What makemap writes, the rulesets and test mode read.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use crate::support::sandbox::{Sandbox, Site};

fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn makemap(site: &Site, args: &[&str], input: &str) -> Output {
    run(Command::new(env!("CARGO_BIN_EXE_makemap")).arg("-C").arg(site.path("cf")).args(args), input)
}

fn test_mode(site: &Site, input: &str) -> String {
    String::from_utf8(run(site.command().arg("-bt"), input).stdout).unwrap()
}

#[test]
fn a_hash_database_answers_in_test_mode_and_in_rules() {
    let sandbox = Sandbox::new();
    let lines = format!("Kusers hash {}\n", sandbox.path("a/users").display());
    let site = sandbox.mta("a", 1, &lines);
    let base = site.path("users").display().to_string();
    let output = makemap(&site, &["hash", &base], "# comment\nAnn\tann@next.test\nlong  value with blanks\n");
    assert!(output.status.success(), "{output:?}");
    let answers = test_mode(&site, "/map users ann\n/map users long\n/map users nobody\n");
    assert!(answers.contains("map_lookup: users (ann) returns ann@next.test (0)"), "{answers}");
    assert!(answers.contains("returns value with blanks (0)"), "{answers}");
    assert!(answers.contains("map_lookup: users (nobody) no match (0)"), "{answers}");
}

#[test]
fn ten_thousand_keys_are_all_found() {
    let sandbox = Sandbox::new();
    let lines = format!("Kusers hash {}\n", sandbox.path("a/users").display());
    let site = sandbox.mta("a", 1, &lines);
    let input: Vec<_> = (0..10_000).map(|n| format!("key{n}\tvalue of {n}\n")).collect();
    assert!(makemap(&site, &["hash", &site.path("users").display().to_string()], &input.concat()).status.success());
    let asked: Vec<_> = (0..10_000).step_by(7).map(|n| format!("/map users key{n}\n")).collect();
    let answers = test_mode(&site, &asked.concat());
    for n in (0..10_000).step_by(7) {
        assert!(answers.contains(&format!("(key{n}) returns value of {n} (0)")), "key{n}");
    }
}

#[test]
fn a_key_given_twice_is_told() {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 1, "");
    let base = site.path("users").display().to_string();
    let output = makemap(&site, &["hash", &base], "a\tone\na\ttwo\n");
    assert_eq!(output.status.code(), Some(65));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("line 2: key a: duplicate key"), "{told}");
}
