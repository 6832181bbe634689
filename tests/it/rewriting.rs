//! Test mode beside what the original printed.

#![allow(clippy::disallowed_methods, reason = "the test starts the program and reads recorded answers")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn traces_are_those_of_the_original() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rewriting");
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let theirs = std::env::var("UNDER_TEST").is_ok_and(|which| which == "theirs");
    let program =
        if theirs { std::env::var("SENDMAIL_THEIRS").unwrap() } else { env!("CARGO_BIN_EXE_sendmail").into() };
    let mut child = Command::new(program)
        .args(["-bt", "-C", "engine.cf"])
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let questions = read("engine.in");
    let feeder = std::thread::spawn(move || input.write_all(&questions));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    let recorded = String::from_utf8_lossy(&read("engine.out")).into_owned();
    let (_, recorded) = recorded.split_once('\n').unwrap();
    let got = String::from_utf8_lossy(&output.stdout).into_owned();
    for (n, (expected, got)) in recorded.lines().zip(got.lines()).enumerate() {
        assert_eq!(got, expected, "line {}", n + 1);
    }
    assert_eq!(got.lines().count(), recorded.lines().count());
}
