use std::ffi::OsString;
use std::io::Write as _;

use super::*;
use crate::sys::file;

/// A folder with the files of a user without account, and a shell script in place of sendmail.
struct Desk(tempfile::TempDir);

/// What a run left.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    /// What it ended with; `None` for success without a word.
    end: Option<(u8, String)>,
    /// What the script wrote.
    sent: String,
    /// Standard output.
    out: String,
}

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        // A file that has just been written cannot be run while a child of another test still has it open.
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/sendmail-that-notes");
        Dir::open(desk.0.path()).unwrap().symlink(script, "sendmail").unwrap();
        file::replace(&desk.path("text"), b"Subject: away ($SUBJECT)\n\nBack soon.\n", 0o600).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, options: &str, input: &str) -> Left {
        let mut args: Vec<OsString> = vec!["-U".into(), "-f".into(), self.path("db").into()];
        args.extend(["-m".into(), self.path("text").into()]);
        args.extend(options.split_whitespace().map(OsString::from));
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let mut streams = Streams { input: &mut input.as_bytes(), out: &mut out, errors: &mut errors };
        let end = work(arguments::parse(&args).1, &self.path("sendmail"), &mut streams);
        let sent = file::read(&self.path("sent"), 1 << 16).unwrap_or_default();
        if !sent.is_empty() {
            file::unlink(&self.path("sent")).unwrap();
        }
        let folder = self.0.path().display().to_string();
        Left {
            end: end.err().map(|end| (end.exit.0, end.text.replace(&folder, "DIR"))),
            sent: String::from_utf8(sent).unwrap(),
            out: String::from_utf8(out).unwrap(),
        }
    }
}

const MAIL: &str = "From al@x Mon Nov 30 09:00:00 2026\nTo: bob\nSubject: lunch\n\nToday?\n";

fn failed(code: u8, text: &str) -> Left {
    Left { end: Some((code, text.to_owned())), ..Left::default() }
}

fn replied(words: &str, recipient: &str) -> Left {
    let text = "Auto-Submitted: auto-replied\nSubject: away (lunch)\n\nBack soon.\n";
    Left { sent: format!("{words}\nTo: {recipient}\n{text}"), ..Left::default() }
}

#[test]
fn a_sender_gets_one_reply_with_the_subject() {
    let desk = Desk::new();
    assert_eq!(desk.run("bob", MAIL), replied("[-oi][-f][bob][--][al@x]", "al@x"));
    assert_eq!(desk.run("bob", MAIL), Left::default());
    assert_eq!(desk.run("-z -s -bs@x bob", MAIL), replied("[-oi][-f][<>][--][-bs@x]", "-bs@x"));
    let other = MAIL.replace("al@x", "be@x");
    assert_eq!(desk.run("joe", &other), Left::default());
    assert_eq!(desk.run("-j -R j@y joe", &other), replied("[-oi][-f][j@y][--][be@x]", "be@x"));
    let third = MAIL.replace("al@x", "ce@x");
    assert_eq!(desk.run("-a bob joe", &third), replied("[-oi][-f][joe][--][ce@x]", "ce@x"));
}

#[test]
fn automatic_mail_gets_none_whatever_the_options_are() {
    let desk = Desk::new();
    for field in ["Precedence: list", "List-Id: x", "Auto-Submitted: auto-replied", "Return-Path: <>"] {
        assert_eq!(desk.run("-j bob", &MAIL.replace("Subject", &format!("{field}\nSubject"))), Left::default());
    }
    assert_eq!(desk.run("-j -s al@x bob", &MAIL.replace("al@x", "<>")), Left::default());
}

#[test]
fn lists_exclusions_and_intervals_need_no_message() {
    let desk = Desk::new();
    assert_eq!(desk.run("-r 3 -i bob", ""), Left::default());
    assert_eq!(desk.run("-x bob", "@x\r\n\nfoo@bar"), Left::default());
    assert_eq!(desk.run("bob", MAIL), Left::default());
    let line = |address: &str| format!("{address:<40} (exclusion)\n");
    let listed = desk.run("-l bob", "");
    assert!(listed.end.is_none());
    let mut lines: Vec<_> = listed.out.split_inclusive('\n').collect();
    lines.sort_unstable();
    assert_eq!(lines, [line("@x"), line("foo@bar")]);
    assert_eq!(desk.run("-i bob", ""), Left::default());
    assert_eq!(desk.run("bob", MAIL), replied("[-oi][-f][bob][--][al@x]", "al@x"));
}

#[test]
fn what_is_wrong_is_told() {
    let desk = Desk::new();
    assert_eq!(desk.run("bob", "To: bob\n\n"), failed(65, "vacation: no initial \"From \" line."));
    assert_eq!(desk.run("bob", "To: joe\n\n"), Left::default());
    assert_eq!(desk.run("bob", "From \"al\nTo: joe\n\n"), failed(65, "vacation: badly formatted \"From \" line."));
    let end = desk.run("bob joe", "").end.unwrap();
    assert!(end.0 == 64 && end.1.starts_with("uid ") && end.1.ends_with("[-U] [-x] [-z] login"), "{end:?}");
    file::replace(&desk.path("code"), b"75", 0o600).unwrap();
    let refused = desk.run("bob", MAIL);
    let text = "vacation: DIR/sendmail: terminated with 75 (non-zero) status";
    assert_eq!(refused.end, Some((0, text.to_owned())));
    file::unlink(&desk.path("text")).unwrap();
    let other = MAIL.replace("al@x", "be@x");
    assert_eq!(desk.run("bob", &other), failed(66, "vacation: no DIR/text file."));
    let mut db = file::create(&desk.path("bad.db"), 0o600).unwrap();
    db.write_all(&[7; 8192]).unwrap();
    let bad = desk.path("bad").display().to_string();
    assert_eq!(desk.run(&format!("-f {bad} -l bob"), ""), failed(65, "vacation: DIR/bad.db: Unknown database type"));
}

#[test]
fn a_text_is_a_regular_file() {
    let desk = Desk::new();
    file::unlink(&desk.path("text")).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(desk.path("text")).unwrap();
    assert_eq!(desk.run("bob", MAIL), failed(66, "vacation: no DIR/text file."));
    nix::unistd::mkfifo(&desk.path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let pipe = desk.path("pipe").display().to_string();
    assert_eq!(desk.run(&format!("-m {pipe} bob"), MAIL), failed(66, "vacation: no DIR/pipe file."));
    assert_eq!(desk.run("-m /dev/null bob", MAIL), failed(66, "vacation: no /dev/null file."));
}

#[test]
fn without_a_login_the_files_are_those_of_the_caller() {
    let place = |line: &str| {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let place = Place::of(&arguments::parse(&args).1.unwrap()).map_err(|end| (end.exit, end.text))?;
        Ok::<_, (Exit, String)>((place.database, place.text, place.text_name, place.owner))
    };
    let uid = user::real_uid();
    let own = user::by_uid(uid).unwrap();
    let expected = match &own {
        Some(account) => place(&format!("-- {}", shown(&account.name))),
        None => Err((Exit::NOUSER, format!("vacation: no such user uid {uid}."))),
    };
    for line in ["-l", "-i", "-x", "-l no-such-user-here other"] {
        assert_eq!(place(line), expected, "{line}");
    }
    assert_eq!(Desk::new().run("-l", ""), Left::default());
}

#[test]
fn a_login_needs_an_account_or_both_files() {
    let run = |line: &str| {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let mut streams = Streams { input: &mut &b""[..], out: &mut Vec::new(), errors: &mut Vec::new() };
        work(arguments::parse(&args).1, Path::new(SENDMAIL), &mut streams).unwrap_err()
    };
    let end = run("no-such-user-here");
    assert_eq!((end.exit, end.priority), (Exit::NOUSER, Priority::Error));
    assert_eq!(end.text, "vacation: no such user no-such-user-here.");
    for line in ["-U bob", "-U -f x bob", "-U -m x bob"] {
        let end = run(line);
        assert_eq!((end.exit, end.text.as_str()), (Exit::NOINPUT, "vacation: -U requires setting both -f and -m"));
    }
}
