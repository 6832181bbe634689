//! Lines and what the original says of them; recorded in `tests/golden/config/lines.tsv`.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::daemon_port::Family;
use super::diagnostic::Severity;
use super::dontblame::DontBlame;
use super::outside::{Account, Outside};
use super::reader::Reader;
use super::values::UserSpec;
use super::{Config, Diagnostic};
use crate::base::exit::Exit;
use crate::base::letters::LetterSet;
use crate::macros::{Scope, Template, names};

/// A machine with two users, one group and no files.
struct Small;

impl Outside for Small {
    fn user(&self, name: &[u8]) -> Option<Account> {
        let uid = [(&b"root"[..], 0), (b"mail", 8)].into_iter().find(|(known, _)| *known == name)?.1;
        Some(Account { name: Bytes::copy_from_slice(name), uid, gid: uid })
    }

    fn user_by_number(&self, _uid: u32) -> Option<Account> {
        None
    }

    fn group(&self, name: &[u8]) -> Option<u32> {
        self.user(name).map(|account| account.gid)
    }

    fn class_file(&self, path: &[u8], _blame: DontBlame) -> Result<Vec<u8>, String> {
        Err(if path == b"/tmp" { "Regular files only" } else { "No such file or directory" }.to_owned())
    }

    fn class_program(&self, _command: &[u8], _user: &UserSpec, _directory: Option<&[u8]>) -> Result<Vec<u8>, String> {
        Ok(b"one two\n".to_vec())
    }

    fn is_address(&self, address: &[u8], family: Family) -> bool {
        let six = address.contains(&b':');
        !address.ends_with(b".invalid") && six == (family == Family::Inet6)
    }

    fn is_service(&self, port: &[u8]) -> bool {
        port.iter().all(u8::is_ascii_digit)
    }
}

const BASE: &str = "V10/Berkeley\nCwlocalhost\nO OperatorChars=.:%@!^/[]+\nO QueueDirectory=/tmp\n\
    Mlocal, P=/bin/cat, F=lsDFMAw5:/|@q, A=cat\nScanonify=3\nR$*\t$@ $1\nSparse=0\nR$*\t$#local $: $1\n";

fn read(text: &str) -> (Config, Vec<Diagnostic>) {
    let mut reader = Reader::new(Path::new("FILE"), Some(b't'), &Small);
    reader.read(text.as_bytes());
    reader.finish();
    (reader.config, reader.findings)
}

/// The exit code that `-bt` ends with: that of the first error.
fn exit(findings: &[Diagnostic]) -> Exit {
    findings.iter().find(|d| d.severity != Severity::Warning).map_or(Exit::OK, |d| d.exit)
}

#[test]
fn every_recorded_line_gets_the_originals_answer() {
    let recorded = include_str!("../../tests/golden/config/lines.tsv");
    let mut wrong = Vec::new();
    for row in recorded.lines().skip(1) {
        let fields: Vec<&str> = row.split('\t').collect();
        let [line, code, said] = fields.as_slice() else { panic!("bad row {row}") };
        let line = line.replace("\\t", "\t").replace("\\n", "\n").replace("\\\\", "\\");
        let (_, findings) = read(&format!("{BASE}{line}\n"));
        let ours: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let ours = ours.join("\n").replace(super::VERSION, "8.17.1.9").replace('\u{1}', "$");
        let said = said.replace("\\n", "\n").replace("\\t", "\t");
        if ours != said || exit(&findings).0.to_string() != *code {
            wrong.push(format!("{line}\n  theirs {code}: {said}\n  ours   {}: {ours}", exit(&findings).0));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), recorded.lines().count() - 1, wrong.join("\n"));
}

#[test]
fn classes_take_words_other_classes_and_macros() {
    let (config, findings) = read(&format!(
        "{BASE}DBfoo\nCXone two\\,three $B \"four five\" six,seven  # eight\n nine\nCY$=X ten\nC{{Foo}}a b\n"
    ));
    assert_eq!(findings, []);
    let members = |name: &[u8]| -> Vec<String> {
        let id = config.names.lookup(name).unwrap();
        config.classes.members(id).map(|m| String::from_utf8_lossy(m).into_owned()).collect()
    };
    assert_eq!(members(b"X"), ["\"four", "five\"", "foo", "nine", "one", "six,seven", "two\\,three"]);
    assert_eq!(members(b"Y").len(), 8);
    assert_eq!(members(b"Foo"), ["a", "b"]);
}

#[test]
fn macros_are_munched_and_expanded_where_they_are_used() {
    let (config, _) = read("V10\nDAx$B|$?B yes$|no$.\nDBfoo\nDC\"a \\\"b\" c\nDD a $$B\n");
    let scope = Scope::new(config.macros.clone());
    for (name, value) in [("A", "xfoo| yes"), ("C", "a \"b c"), ("D", " a $B")] {
        let mut names = config.names.clone();
        let text = Template::parse(format!("${name}").as_bytes(), &mut names).expand(&scope);
        assert_eq!(String::from_utf8(text).unwrap(), value, "{name}");
    }
}

#[test]
fn mailers_fill_in_what_their_line_leaves_out() {
    let (config, findings) = read(&format!(
        "{BASE}Mx, P=/bin/cat, F=lsD, S=10/20, R=x=7, U=mail:9, A=cat $u, W=5m, T=dns\nMy, P=[IPC], F=mL, A=TCP $h\n"
    ));
    assert_eq!(findings, []);
    let x = &config.mailers[config.mailer(b"X").unwrap().0];
    assert_eq!((x.eol.as_ref(), x.max_recipients, x.diagnostic_type.as_ref()), (&b"\n"[..], 100, &b"smtp"[..]));
    assert_eq!(x.user.as_ref().map(|u| (u.uid, u.gid)), Some((8, 9)));
    assert_eq!((x.sender.envelope.unwrap().0, x.sender.header.unwrap().0, x.recipient.header.unwrap().0), (10, 20, 7));
    let y = &config.mailers[config.mailer(b"y").unwrap().0];
    assert_eq!((y.eol.as_ref(), y.line_limit), (&b"\r\n"[..], 990));
    assert_eq!(config.mailers.len(), 6);
}

#[test]
fn mailers_are_there_before_the_file_and_a_later_line_counts() {
    let (config, findings) = read(BASE);
    assert_eq!(findings, []);
    // Source: observed (=M).
    for (name, path, flags, kind, argv) in [
        ("prog", "/bin/sh", "lsouDq9", "X-Unix", &["sh", "-c"][..]),
        ("*file*", "[FILE]", "lsDFMPEouq9", "X-Unix", &["FILE"]),
        ("*include*", "/dev/null", "su", "", &["INCLUDE"]),
    ] {
        let mailer = &config.mailers[config.mailer(name.as_bytes()).unwrap().0];
        assert_eq!((mailer.path.as_ref(), mailer.flags), (path.as_bytes(), LetterSet::from_bytes(flags.as_bytes())));
        for own in [&mailer.mta_type, &mailer.address_type, &mailer.diagnostic_type] {
            assert_eq!(own.as_ref(), kind.as_bytes(), "{name}");
        }
        let words: Vec<_> = mailer.argv.iter().filter_map(Template::as_literal).collect();
        assert_eq!(words, argv, "{name}");
        assert!(mailer.argv.last().unwrap().mentions(names::RCPT_USER), "{name}");
    }
    let (config, findings) =
        read(&format!("{BASE}Mprog, P=/bin/other, F=D, A=other $u\nMlocal, P=/bin/own, F=l, A=own\n"));
    assert_eq!(findings, []);
    assert_eq!(config.mailers.len(), 4);
    let path = |name: &[u8]| config.mailers[config.mailer(name).unwrap().0].path.clone();
    assert_eq!((path(b"prog").as_ref(), path(b"local").as_ref()), (&b"/bin/other"[..], &b"/bin/own"[..]));
}

#[test]
fn mailers_have_a_limit_and_one_is_needed() {
    let lines = |count: usize| (0..count).fold(String::new(), |text, n| text + &format!("Mm{n}, P=/bin/x, A=x\n"));
    let (config, findings) = read(&format!("{BASE}{}", lines(21)));
    assert_eq!((config.mailers.len(), findings.len()), (25, 0));
    let (config, findings) = read(&format!("{BASE}{}", lines(22)));
    assert_eq!(config.mailers.len(), 25);
    assert!(findings[0].to_string().ends_with("too many mailers defined (25 max)"), "{findings:?}");
    let (_, findings) = read(&BASE.replace("Mlocal", "Mother"));
    assert!(findings.iter().any(|f| f.to_string() == "No local mailer defined"), "{findings:?}");
}

/// Levels of the language, with what `local` has besides its own.
#[test]
fn old_levels_imply_flags_and_options() {
    for (level, implied) in [("V10", ""), ("V7", ""), ("V6", "q"), ("V5", "Aw5:|/@q")] {
        let text = BASE.replace("V10/Berkeley", level).replace("F=lsDFMAw5:/|@q", "F=ls");
        let (config, _) = read(&text);
        let flags = config.mailers[config.mailer(b"local").unwrap().0].flags;
        assert_eq!(flags, LetterSet::from_bytes(format!("ls{implied}").as_bytes()), "{level}");
        let base = text.replace("O OperatorChars=.:%@!^/[]+\n", "");
        let (config, _) = read(&format!("{base}De$j says hello\nDlFrom $g once\nDo.:@\n"));
        let shown = |template: &Template| String::from_utf8(template.expand(&config.scope())).unwrap();
        let (greeting, line) = (shown(&config.options.smtp_greeting_message), shown(&config.options.unix_from_line));
        let is_old = matches!(level, "V5" | "V6");
        assert_eq!(greeting.ends_with("says hello"), is_old, "$e at {level}: {greeting}");
        assert_eq!(line.ends_with(" once"), is_old, "$l at {level}: {line}");
        assert_eq!(config.options.operator_chars == ".:@", is_old, "$o at {level}");
    }
}

#[test]
fn the_command_line_wins_over_the_file() {
    let mut reader = Reader::new(Path::new("FILE"), None, &Small);
    reader.command_line(&super::Setting::Long(Bytes::from_static(b"MaxHopCount=3")));
    reader.command_line(&super::Setting::Short(b'p', Bytes::from_static(b"noexpn")));
    reader.command_line(&super::Setting::Long(Bytes::from_static(b"Timeout.connect=1s")));
    reader.read(b"O MaxHopCount=9\nO PrivacyOptions=novrfy\nO Timeout.connect=5s\nO Timeout.mail=5s\n");
    assert_eq!(reader.config.options.max_hop_count, 3);
    assert_eq!(reader.config.options.privacy_options.0, 0x18);
    assert_eq!((reader.config.timeouts.connect.as_secs(), reader.config.timeouts.mail.as_secs()), (1, 5));
}

#[test]
fn macros_of_the_command_line_are_text() {
    let mut reader = Reader::new(Path::new("FILE"), None, &Small);
    reader.command_line(&super::Setting::Macro(Bytes::from_static(b"{foo}a$jb \"q r\" \\x")));
    assert_eq!(reader.findings, []);
    let foo = reader.config.names.intern(b"foo").unwrap();
    assert_eq!(reader.config.scope().text(foo), "a$jb \"q r\" \\x");
}

#[test]
fn a_user_raises_the_log_level_and_never_lowers_it() {
    for (asked, in_file, want) in [("0", "9", 9), ("0", "12", 12), ("14", "9", 14), ("14", "15", 15)] {
        let mut reader = Reader::new(Path::new("FILE"), None, &Small);
        reader.only_raises = true;
        reader.command_line(&super::Setting::Long(format!("LogLevel={asked}").into()));
        reader.read(format!("O LogLevel={in_file}\n").as_bytes());
        assert_eq!(reader.config.options.log_level, want, "{asked} over {in_file}");
    }
}

#[test]
fn what_is_read_is_shown_when_it_is_asked_for() {
    let (config, _) = read(&format!("{BASE}DXa $w\n"));
    assert!(config.traces.is_empty());
    let mut reader = Reader::new(Path::new("FILE"), Some(b't'), &Small);
    reader.is_traced = true;
    reader.read(b"V10\nDXa $w\nD{Long}b\nDXc\nOL14\nO Timeout.ident=0s\nO DelayLA=3\n");
    let shown: Vec<_> = reader.config.traces.iter().map(|t| (t.category, String::from_utf8_lossy(&t.text))).collect();
    let shown: Vec<_> = shown.iter().map(|(category, text)| (*category, text.as_ref())).collect();
    // Words observed of the original, which numbers options without a letter.
    assert_eq!(
        shown,
        [
            (35, "define(X as a $w)"),
            (35, "define(Long as b)"),
            (35, "redefine(X as c)"),
            (37, "setoption LogLevel (L)=14"),
            (37, "setoption Timeout (r).ident=0s"),
            (37, "setoption DelayLA=3"),
        ]
    );
}

#[test]
fn relative_paths_lie_in_the_queue_directory() {
    let mut config = Config::default();
    assert_eq!(config.status_file(), None);
    config.options.status_file = Some(Bytes::from_static(b"st"));
    for (queue, path) in [("/q", "/q/st"), ("/var/q*", "/var/st"), ("q*", "./st"), ("/var/q/d*", "/var/q/st")] {
        config.options.queue_directory = Some(Bytes::from_static(queue.as_bytes()));
        assert_eq!(config.status_file(), Some(PathBuf::from(path)), "{queue}");
    }
    config.options.status_file = Some(Bytes::from_static(b"/other/st"));
    assert_eq!(config.status_file(), Some(PathBuf::from("/other/st")));
}

#[test]
fn a_queue_group_needs_a_directory_of_its_own_or_of_all() {
    for (lines, groups) in [
        ("Qx, P=/var/q\nO QueueDirectory=/tmp\n", 1),
        ("Qx, F=f\nO QueueDirectory=/tmp\n", 0),
        ("O QueueDirectory=/tmp\nQx, F=f\n", 1),
    ] {
        let (config, findings) = read(&BASE.replace("O QueueDirectory=/tmp\n", lines));
        assert_eq!(config.queue_groups.iter().filter(|group| group.name == "x").count(), groups, "{lines}");
        let is_told = findings.iter().any(|d| d.text.contains("QueueDir must be defined before queue groups"));
        assert_eq!(is_told, groups == 0, "{lines}");
    }
}
