//! What lines of a cf file declare, and what old levels of the language make of them, as test mode shows it.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::sandbox::Sandbox;

#[test]
fn declared_values_are_those_of_the_original() {
    let recorded = include_str!("../golden/config/values.txt");
    let sandbox = Sandbox::new();
    let path = sandbox.path("FILE");
    let mut wrong = Vec::new();
    for record in recorded.split("====\n").skip(1) {
        let parts: Vec<&str> = record.splitn(3, "----\n").collect();
        let [cf, input, answer] = parts.as_slice() else { panic!("bad record {record}") };
        let (exit, expected) = answer.split_once('\n').unwrap();
        std::fs::write(&path, cf).unwrap();
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_sendmail"))
            .arg("-C")
            .arg(&path)
            .arg("-bt")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let got = String::from_utf8_lossy(&output.stdout).into_owned();
        let got = got.replace(path.to_str().unwrap(), "FILE").replace('\u{1}', "$");
        let got = got.replace(sendmail::config::VERSION, "8.17.1.9");
        if canonical(&got) != canonical(expected) || output.status.code().unwrap().to_string() != exit {
            wrong.push(format!("{cf}  theirs {exit}\n{expected}\n  ours {:?}\n{got}", output.status.code()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Members of classes come out in any order: the lines of each answer, sorted.
fn canonical(text: &str) -> Vec<Vec<&str>> {
    text.trim_end().split("\n> ").map(sorted).collect()
}

fn sorted(answer: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = answer.lines().map(|line| line.trim_start_matches("> ")).collect();
    lines.sort_unstable();
    lines
}
