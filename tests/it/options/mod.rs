//! What options do, seen from outside. `tests/golden/coverage/` says which test shows which.

mod delivery;
mod dialogue;
mod file_checks;
mod filters;
mod load;
mod names;
mod ports;
mod privacy;
mod queueing;
mod routing;
mod submission;
mod timeouts;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::support::sandbox::{Sandbox, Site};

/// A transfer agent under these lines that has nobody to send to.
fn alone(lines: &str) -> (Sandbox, Site) {
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 1, lines);
    (sandbox, site)
}

/// Runs the program with this input; its exit code and what it printed.
fn run(site: &Site, args: &[&str], input: &[u8]) -> (i32, String) {
    let mut command = site.command();
    command.args(args).env("HOME", &site.dir);
    finished(command, input)
}

/// The same of any command.
fn finished(mut command: Command, input: &[u8]) -> (i32, String) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may end without reading its input.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&printed).into_owned())
}

/// Sends a message with `-odi`, which must go well and say nothing.
#[track_caller]
fn send(site: &Site, args: &[&str], message: &[u8]) {
    let answer = run(site, &[&["-odi", "-oi"], args].concat(), message);
    assert_eq!(answer, (0, String::new()), "{args:?}");
}

/// The one control file in the queue.
#[track_caller]
fn only_control_file(site: &Site) -> String {
    let names = site.queue_files("qf");
    assert_eq!(names.len(), 1, "{names:?}");
    String::from_utf8_lossy(&std::fs::read(site.path("queue").join(&names[0])).unwrap()).into_owned()
}

/// A session over standard input and output (`-bs`).
struct Dialogue {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    greeting: String,
}

impl Dialogue {
    fn start(site: &Site, args: &[&str]) -> Self {
        let mut command = site.command();
        command.arg("-bs").args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut dialogue = Self { child, input, output, greeting: String::new() };
        // Warnings about the configuration come first.
        while !dialogue.greeting.starts_with(|first: char| first.is_ascii_digit()) {
            dialogue.greeting = dialogue.reply();
            assert!(!dialogue.greeting.is_empty(), "no greeting");
        }
        dialogue
    }

    /// A whole reply, its lines joined with `\n`; nothing when the program has ended.
    fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = Vec::new();
            self.output.read_until(b'\n', &mut line).unwrap();
            reply += String::from_utf8_lossy(&line).trim_end();
            if line.get(3) != Some(&b'-') {
                return reply;
            }
            reply.push('\n');
        }
    }

    fn say(&mut self, line: &[u8]) -> String {
        let _ = self.input.as_mut().unwrap().write_all(&[line, b"\r\n"].concat());
        self.reply()
    }

    /// A transaction and the reply to its final dot.
    #[track_caller]
    fn message(&mut self, mail: &str, recipient: &str, message: &[u8]) -> String {
        for (line, code) in [(mail, "250"), (&format!("RCPT TO:<{recipient}>")[..], "250"), ("DATA", "354")] {
            let reply = self.say(line.as_bytes());
            assert!(reply.starts_with(code), "{line}: {reply}");
        }
        self.say(&[message, b"."].concat())
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        // End of input ends it.
        self.input = None;
        let _ = self.child.wait();
    }
}

/// Plays `C:` and `S:` lines in a session under these lines of configuration. `S:` gives the beginning of a reply, `S~` something
/// in it, `S!` what is not there.
#[track_caller]
fn play(lines: &str, script: &str) {
    let (_sandbox, site) = alone(lines);
    let mut dialogue = Dialogue::start(&site, &[]);
    let mut reply = dialogue.greeting.clone();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (kind, text) = line.split_at(3);
        let is_met = match kind {
            "C: " => {
                reply = dialogue.say(text.as_bytes());
                true
            }
            "S: " => reply.starts_with(text),
            "S~ " => reply.contains(text),
            "S! " => !reply.contains(text),
            _ => panic!("not a line of a script: {line:?}"),
        };
        assert!(is_met, "{lines:?}: {line:?}: {reply:?}");
    }
}
