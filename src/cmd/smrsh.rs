//! `smrsh`: the restricted shell, for the `prog` mailer.
//!
//! In: `-c command`, as a mailer or an alias gives it. Out: the command run by `/bin/sh`, when all its programs lie in one directory.
//! Documents: smrsh(8); observed (messages, what is refused). Never: lets a shell see a character that starts, joins or redirects
//! anything but `&&` and `||`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;

use super::finish::finish;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::log::{Id, Logger, Priority};
use crate::sys::safefile::error_text;
use crate::sys::spawn::{Launch, Stream};
use crate::sys::{clock, daemonize, env, file, user};

/// Where the programs are; set `SMRSH_CMDDIR` when building for another place.
const DIRECTORY: &str = match option_env!("SMRSH_CMDDIR") {
    Some(directory) => directory,
    None => "/etc/mail/smrsh",
};

/// The whole environment of a command. Source: observed.
const PATH: &str = "/usr/bin:/bin";

/// The program. Returns only when nothing was run.
pub fn main() -> ExitCode {
    if daemonize::open_standard_descriptors().is_err() {
        return finish(Exit::OSERR);
    }
    let args = env::args();
    let name = args.first().cloned().unwrap_or_else(|| "smrsh".into());
    let name = name.to_string_lossy();
    let log = Logger::syslog("smrsh", clock::caller_zone(), 9);
    let exit = match command(&args) {
        None => {
            log.write_always(Priority::Error, Id::None, "usage");
            say(&format!("Usage: {name} -c command"));
            Exit::USAGE
        }
        Some(command) => match restricted(command, Path::new(DIRECTORY), &look_up) {
            Ok(line) => run(&line, &name),
            Err(refusal) => {
                let uid = user::real_uid();
                log.write_always(
                    Priority::Critical,
                    Id::None,
                    format_args!("uid {uid}: attempt to use {}", refusal.log(command)),
                );
                say(&format!("{name}: {}", refusal.text()));
                Exit::UNAVAILABLE
            }
        },
    };
    log.flush(Duration::from_secs(2));
    finish(exit)
}

fn say(text: &str) {
    // Without standard error there is nobody to tell; the exit code says the rest.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// The command of `-c`, when that is what the command line says.
fn command(args: &[OsString]) -> Option<&[u8]> {
    match args {
        [_, flag, command] if flag == "-c" && !command.as_bytes().trim_ascii().is_empty() => Some(command.as_bytes()),
        _ => None,
    }
}

/// Becomes the shell that runs the command. Returns when that failed.
fn run(line: &[u8], name: &str) -> Exit {
    let launch = Launch {
        argv: ["/bin/sh".into(), "-c".into(), Bytes::copy_from_slice(line)].into(),
        environment: vec![("PATH".into(), PATH.into())],
        stdin: Stream::Inherit,
        ..Launch::beside("/bin/sh")
    };
    let error = match launch.into_command() {
        Ok(mut command) => command.exec(),
        Err(error) => error,
    };
    say(&format!("{name}: /bin/sh: {}", error_text(&error)));
    Exit::OSERR
}

/// What a name in the directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Program,
    /// A file that the caller may not run.
    NotExecutable,
    /// A directory, say.
    NotFile,
    /// Not there.
    Nothing,
}

fn look_up(path: &Path) -> Found {
    match file::facts_of(path) {
        Err(_) => Found::Nothing,
        Ok(facts) if !facts.is_regular() => Found::NotFile,
        Ok(_) if file::is_executable(path) => Found::Program,
        Ok(_) => Found::NotExecutable,
    }
}

/// Why a command is not run.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refusal {
    /// A character that a shell would act on.
    Character(u8),
    /// A program that is none of the directory's.
    Program(Vec<u8>, Found),
}

impl Refusal {
    /// What the sender of the message gets to read.
    fn text(&self) -> String {
        match self {
            Self::Character(byte) => format!("cannot use {} in command", spelt(*byte)),
            Self::Program(name, found) => {
                format!("\"{}\" not available for sendmail programs{}", shown(name), reason(*found))
            }
        }
    }

    /// What the log says after "attempt to use".
    fn log(&self, command: &[u8]) -> String {
        match self {
            Self::Character(byte) => format!("{} in command: {}", spelt(*byte), shown(command)),
            Self::Program(_, found) => format!("\"{}\"{}", shown(command), reason(*found)),
        }
    }
}

fn spelt(byte: u8) -> String {
    match byte {
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        other if other.is_ascii_control() => format!("\\x{other:02x}"),
        other => char::from(other).to_string(),
    }
}

fn reason(found: Found) -> &'static str {
    match found {
        Found::Nothing => " (stat failed)",
        Found::NotFile => " (not a file)",
        Found::Program | Found::NotExecutable => "",
    }
}

/// The command as a shell may run it: each program with its path in the directory.
///
/// Shape: programs joined by `&&` and `||`; `exec` may stand before one; `exit` and `echo` are the shell's own. Of the path that a
/// program is called with only the last part counts. Errors: the first thing that is refused.
fn restricted(command: &[u8], directory: &Path, look: &dyn Fn(&Path) -> Found) -> Result<Vec<u8>, Refusal> {
    // Shells differ in what control characters are to them.
    if let Some(byte) = command.iter().find(|byte| byte.is_ascii_control() && **byte != b'\t') {
        return Err(Refusal::Character(*byte));
    }
    let mut line = Vec::new();
    let mut rest = command;
    loop {
        let mut word;
        (word, rest) = next_word(rest);
        if word == b"exec" && !rest.trim_ascii_start().is_empty() {
            line.extend_from_slice(b"exec ");
            (word, rest) = next_word(rest);
            program(word, directory, look, &mut line)?;
        } else if BUILTINS.contains(&word) {
            line.extend_from_slice(word);
        } else {
            program(word, directory, look, &mut line)?;
        }
        let end = rest.iter().position(|byte| SPECIAL.contains(byte));
        let (arguments, tail) = rest.split_at(end.unwrap_or(rest.len()));
        line.extend_from_slice(arguments);
        match tail {
            [] => return Ok(line),
            // Behind a backslash the first of the two would be an argument, and the second a single one.
            [byte @ (b'&' | b'|'), ..] if arguments.ends_with(b"\\") => return Err(Refusal::Character(*byte)),
            [b'&', b'&', next @ ..] | [b'|', b'|', next @ ..] => {
                line.extend_from_slice(tail.get(..2).unwrap_or_default());
                line.push(b' ');
                rest = next;
                if rest.trim_ascii().is_empty() {
                    // Nothing follows: the shell says that better.
                    return Ok(line);
                }
            }
            [byte, ..] => return Err(Refusal::Character(*byte)),
        }
    }
}

/// Adds a program with its path.
fn program(word: &[u8], directory: &Path, look: &dyn Fn(&Path) -> Found, line: &mut Vec<u8>) -> Result<(), Refusal> {
    let name = word.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let refused = |found| Refusal::Program(name.to_vec(), found);
    // The name is put before a shell's eyes unquoted, so one that a shell reads otherwise is none, whatever the directory holds.
    if name.iter().any(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric() && !PLAIN.contains(byte)) {
        return Err(refused(Found::Nothing));
    }
    if matches!(name, b"" | b"." | b"..") {
        return Err(refused(Found::NotFile));
    }
    let path = directory.join(OsString::from_vec(name.to_vec()));
    match look(&path) {
        Found::Program => line.extend_from_slice(path.as_os_str().as_bytes()),
        found => return Err(refused(found)),
    }
    Ok(())
}

/// The first word and what follows it, as a shell parts them: at blanks and tabs and nothing else.
fn next_word(text: &[u8]) -> (&[u8], &[u8]) {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let text = text.split_at(text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len())).1;
    text.split_at(text.iter().position(is_blank).unwrap_or(text.len()))
}

/// What a shell runs itself.
const BUILTINS: [&[u8]; 2] = [b"exit", b"echo"];

/// What a command must not contain, but for `&&` and `||`. Source: smrsh(8), observed.
const SPECIAL: &[u8] = b"`<>;$()\r\n&|";

/// What names of programs may contain beside letters and digits.
const PLAIN: &[u8] = b"._-+@%,:";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::spawn::Ended;
    use std::os::unix::fs::PermissionsExt;

    fn look(path: &Path) -> Found {
        match path.to_str().unwrap() {
            "/sm/hello" | "/sm/no" => Found::Program,
            "/sm/plain" => Found::NotExecutable,
            "/sm/dir" => Found::NotFile,
            _ => Found::Nothing,
        }
    }

    fn made(command: &str) -> String {
        match restricted(command.as_bytes(), Path::new("/sm"), &look) {
            Ok(line) => String::from_utf8(line).unwrap(),
            Err(refusal) => format!("{} / {}", refusal.text(), refusal.log(command.as_bytes())),
        }
    }

    #[test]
    fn programs_get_the_path_of_the_directory() {
        for (command, line) in [
            ("hello a b", "/sm/hello a b"),
            ("  /usr/bin/hello\ta", "/sm/hello\ta"),
            ("../../bin/hello", "/sm/hello"),
            ("hello a&&hello b", "/sm/hello a&& /sm/hello b"),
            ("no || exit 75", "/sm/no || exit 75"),
            ("no ||exit 75", "/sm/no || exit 75"),
            ("exec\thello b", "exec /sm/hello b"),
            ("exec /x/hello || exit 75", "exec /sm/hello || exit 75"),
            ("exit", "exit"),
            ("echo hi", "echo hi"),
            ("hello 'x y' \"z\" *", "/sm/hello 'x y' \"z\" *"),
            ("hello a &&", "/sm/hello a && "),
        ] {
            assert_eq!(made(command), line, "{command}");
        }
    }

    #[test]
    fn what_a_shell_would_act_on_is_refused() {
        for byte in ["`", "<", ">", ";", "$", "(", ")", "&", "|"] {
            let command = format!("hello a {byte} b");
            assert_eq!(made(&command), format!("cannot use {byte} in command / {byte} in command: {command}"));
        }
        assert!(made("hello a\nhello").starts_with("cannot use \\n in command / \\n in command: hello a"));
        assert!(made("hello a\r").starts_with("cannot use \\r in command"));
        for command in ["echo\u{c}/evil", "exit\u{b}/x", "hello a && echo\u{c}/x", "\u{c}hello"] {
            assert!(made(command).starts_with("cannot use \\x0"), "{command:?}");
        }
        for command in ["echo a \\&& echo b", "echo a \\|| echo b"] {
            assert!(made(command).starts_with("cannot use "), "{command:?}");
        }
        assert_eq!(made("echo \"a;b\""), "cannot use ; in command / ; in command: echo \"a;b\"");
    }

    #[test]
    fn programs_that_are_not_there_are_refused() {
        for (command, name, why) in [
            ("cat x", "cat", " (stat failed)"),
            ("/bin/cat", "cat", " (stat failed)"),
            ("exec cat", "cat", " (stat failed)"),
            ("exec", "exec", " (stat failed)"),
            ("exec exec hello", "exec", " (stat failed)"),
            ("no || cat", "cat", " (stat failed)"),
            ("nosuch || exit 75", "nosuch", " (stat failed)"),
            ("no||exit", "no||exit", " (stat failed)"),
            ("exit; ", "exit;", " (stat failed)"),
            ("&& hello", "&&", " (stat failed)"),
            ("A=b hello", "A=b", " (stat failed)"),
            ("plain", "plain", ""),
            ("dir", "dir", " (not a file)"),
            ("hello/", "", " (not a file)"),
            ("..", "..", " (not a file)"),
        ] {
            let expected = format!("\"{name}\" not available for sendmail programs{why} / \"{command}\"{why}");
            assert_eq!(made(command), expected, "{command}");
        }
    }

    #[test]
    fn a_name_that_a_shell_reads_otherwise_is_no_program() {
        let everything = |_: &Path| Found::Program;
        for command in ["\"hello\"", "he*", "a{b,c}", "~root", "a\\b", "#x", "a'b", "!x", "[a]"] {
            assert!(restricted(command.as_bytes(), Path::new("/sm"), &everything).is_err(), "{command}");
        }
    }

    #[test]
    fn usage_is_one_command() {
        let args = |line: &[&str]| line.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(command(&args(&["smrsh", "-c", "hello"])), Some(&b"hello"[..]));
        for line in
            [&["smrsh"][..], &["smrsh", "-c"], &["smrsh", "-c", "  "], &["smrsh", "-c", "a", "b"], &["smrsh", "a", "b"]]
        {
            assert_eq!(command(&args(line)), None, "{line:?}");
        }
    }

    #[test]
    fn a_real_directory_and_a_real_shell() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("there");
        for (name, mode) in [("there", 0o755), ("closed", 0o644)] {
            let path = folder.path().join(name);
            Write::write_all(&mut file::create(&path, mode).unwrap(), b"#!/bin/sh\n[ \"$1\" = 'a  b' ] && exit 42\n")
                .unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        assert_eq!(look_up(&there), Found::Program);
        assert_eq!(look_up(&folder.path().join("closed")), Found::NotExecutable);
        assert_eq!(look_up(folder.path()), Found::NotFile);
        assert_eq!(look_up(&folder.path().join("none")), Found::Nothing);
        let line = restricted(b"/x/there 'a  b' || exit 43 ", folder.path(), &look_up).unwrap();
        assert!(line.starts_with(folder.path().as_os_str().as_bytes()));
        let line = restricted(b"exit 42 && echo no", folder.path(), &look_up).unwrap();
        let launch = Launch { argv: vec!["sh".into(), "-c".into(), line.into()], ..Launch::new("/bin/sh") };
        assert_eq!(Ended::from(launch.start().unwrap().wait().unwrap()), Ended::Exit(42));
    }
}
