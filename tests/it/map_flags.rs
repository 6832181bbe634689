//! Flags of maps that ask nobody else, beside what the original answered: `tests/golden/maps`.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::sandbox::Sandbox;

#[test]
fn maps_answer_as_the_original_does() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/maps");
    let read = |name: &str| String::from_utf8_lossy(&fs::read(golden.join(name)).unwrap()).into_owned();
    let sandbox = Sandbox::new();
    // A folder that programs can reach as any user.
    let site = sandbox.mta("a", 1, "");
    let dir = site.dir.to_str().unwrap().to_owned();
    for line in read("programs").lines().filter(|line| !line.starts_with('#')) {
        let (name, commands) = line.split_once('\t').unwrap();
        site.write(name, format!("#!/bin/sh\n{commands}\n").as_bytes(), 0o755);
    }
    let mut cf = read("flags.cf").replace("@DIR@", &dir);
    writeln!(cf, "O DontBlameSendmail=TrustStickyBit").unwrap();
    site.write("cf", cf.as_bytes(), 0o644);
    let mut child = Command::new(env!("CARGO_BIN_EXE_sendmail"))
        .args(["-bt", "-C"])
        .arg(site.path("cf"))
        .env("SENDMAIL_LOG_FILE", site.path("log"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let questions = read("flags.in");
    let feeder = std::thread::spawn(move || input.write_all(questions.as_bytes()));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    // An optional socket map that nobody serves is told as a miss, and a rule that asked for it is no failure.
    let plain = |text: String| -> Vec<String> {
        text.replace(&dir, "@DIR@").lines().filter(|line| !line.contains("soo")).map(str::to_owned).collect()
    };
    let (got, recorded) = (plain(String::from_utf8_lossy(&output.stdout).into_owned()), plain(read("flags.out")));
    let differences: Vec<String> = recorded
        .iter()
        .zip(&got)
        .filter(|(recorded, got)| recorded != got)
        .map(|(recorded, got)| format!("{recorded}\n  was {got}"))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(got.len(), recorded.len());
}
