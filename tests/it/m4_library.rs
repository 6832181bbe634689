//! The configuration library beside what the original's declared and answered: a case per feature, define, macro, mailer and tag.
//!
//! `tests/golden/m4/*.txt` hold cases: `mc` lines between a common beginning and end (`whole`: without them), `+` and `-` lines that
//! tell what the configuration declares more or less than the common one, `set` and `ask` lines for test mode with the answers (`get`)
//! of the outermost rulesets. All was recorded from the original library, read by the original program.

#![allow(clippy::disallowed_methods, reason = "the test builds configurations and starts the program")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

type Facts = BTreeMap<String, Vec<String>>;

const BEGIN: &str = "define(`confDOMAIN_NAME', `mail.example.com')dnl\ndefine(`confSERVICE_SWITCH_FILE', `@DIR@/switch')dnl\n\
    define(`confHOSTS_FILE', `@DIR@/hosts')dnl\ndefine(`confDONT_PROBE_INTERFACES', `True')dnl\nOSTYPE(`bsd4.4')dnl\n";
const END: &str = "MAILER(`local')dnl\nMAILER(`smtp')dnl\n";

/// Rows that change nothing: comments, words of old releases, and those that are told about.
const SAY_NOTHING: &[&str] = &["VERSIONID", "notsticky", "confAUTO_REBUILD", "confDEF_GROUP_ID", "confREAD_TIMEOUT"];

#[derive(Default)]
struct Case {
    name: String,
    mc: String,
    whole: bool,
    declared: Facts,
    /// Lines for test mode; those that ask have answers.
    dialogue: Vec<(String, Option<Vec<String>>)>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn golden() -> PathBuf {
    root().join("tests/golden/m4")
}

fn cases(table: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in fs::read_to_string(golden().join(format!("{table}.txt"))).unwrap().lines() {
        if let Some(name) = line.strip_prefix("== ") {
            cases.push(Case { name: name.into(), ..Case::default() });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "mc" => case.mc = format!("{}{rest}\n", case.mc),
            "whole" => case.whole = true,
            "+" => {
                let (name, value) = rest.split_once(" => ").unwrap();
                case.declared.entry(name.into()).or_default().push(value.into());
            }
            "-" => drop(case.declared.insert(rest.into(), Vec::new())),
            "set" => case.dialogue.push((rest.into(), None)),
            "ask" => case.dialogue.push((rest.into(), Some(Vec::new()))),
            "get" => case.dialogue.last_mut().unwrap().1.as_mut().unwrap().push(rest.into()),
            _ => {}
        }
    }
    cases
}

/// A folder with the files that cases name, below the build folder since maps in a folder open to others are refused.
fn folder(table: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("m4-{table}"));
    fs::create_dir_all(&dir).unwrap();
    for file in fs::read_dir(golden().join("files")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), dir.join(file.file_name())).unwrap();
    }
    dir
}

/// The configuration that m4 makes, its messages, and whether it ended well.
fn build(dir: &Path, mc: &str) -> (String, String, bool) {
    let file = dir.join("case.mc");
    fs::write(&file, mc.replace("@DIR@", dir.to_str().unwrap())).unwrap();
    let out = Command::new("m4").arg(root().join("m4/cf.m4")).arg(&file).output().unwrap();
    (String::from_utf8_lossy(&out.stdout).into(), String::from_utf8_lossy(&out.stderr).into(), out.status.success())
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a configuration declares, apart from rules.
fn facts(cf: &str, dir: &Path) -> Facts {
    let joined = cf.replace(dir.to_str().unwrap(), "@DIR@").replace("\n\t", " ").replace("\n ", " ");
    let mut facts = Facts::new();
    for line in joined.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        let (kind, rest) = line.split_at(1);
        let named = |rest: &str| {
            let end = if rest.starts_with('{') { rest.find('}').unwrap() + 1 } else { 1 };
            (rest[..end].to_owned(), rest[end..].to_owned())
        };
        let mut add = |name: String, value: String| facts.entry(name).or_default().push(value);
        match kind {
            "#" | "R" | "S" | "V" => {}
            "O" => {
                let (name, value) = rest.trim().split_once('=').unwrap_or((rest.trim(), ""));
                add(format!("O {}", name.trim().to_lowercase()), value.trim().into());
            }
            "C" => {
                let (name, members) = named(rest);
                if name != "{Src}" {
                    members.split_whitespace().for_each(|member| add(format!("C{name}"), member.into()));
                }
            }
            "F" | "D" => {
                let (name, value) = named(rest);
                if !(kind == "D" && name == "Z") {
                    add(format!("{kind}{name}"), value);
                }
            }
            "M" => {
                let (name, fields) = rest.split_once(',').unwrap();
                let fields =
                    fields.split(',').map(words).filter(|field| !field.starts_with("S=") && !field.starts_with("R="));
                let mut fields: Vec<_> = fields.collect();
                fields.sort();
                add(format!("M {name}"), fields.join(", "));
            }
            "K" | "Q" | "X" => {
                let end = rest.find([' ', ',', '\t']).unwrap_or(rest.len());
                add(format!("{kind} {}", &rest[..end]), words(rest.get(end + 1..).unwrap_or("")));
            }
            "T" => rest.replace(',', " ").split_whitespace().for_each(|user| add("T".into(), user.into())),
            _ => add(kind.into(), words(rest)),
        }
    }
    for (name, values) in &mut facts {
        if name.starts_with(['C', 'T', 'H', 'P', 'E']) {
            values.sort();
            values.dedup();
        }
    }
    facts
}

/// What `case` declares beside `base`; an empty list for what is gone.
fn difference(base: &Facts, case: &Facts) -> Facts {
    let gone = base.keys().filter(|name| !case.contains_key(*name)).map(|name| (name.clone(), Vec::new()));
    let changed = case.iter().filter(|(name, values)| base.get(*name) != Some(values));
    changed.map(|(name, values)| (name.clone(), values.clone())).chain(gone).collect()
}

/// What the outermost rulesets return to each line that asks, and what the program complains of in rules.
fn answers(dir: &Path, cf: &str, dialogue: &[(String, Option<Vec<String>>)]) -> (Vec<Vec<String>>, Vec<String>) {
    let file = dir.join("case.cf");
    fs::write(&file, cf).unwrap();
    let mut input = String::new();
    for (line, asks) in dialogue {
        input.push_str(line);
        input.push('\n');
        if asks.is_some() {
            input += ".D{mark}answered\n${mark}\n";
        }
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_sendmail"))
        // The checkout may lie below /tmp.
        .args(["-ODontBlameSendmail=TrustStickyBit", "-bt", "-C"])
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || pipe.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    let (mut answers, mut answer, mut depth, mut complaints) = (Vec::new(), Vec::new(), 0, Vec::new());
    let text = [&output.stderr[..], &output.stdout[..]].map(String::from_utf8_lossy).concat();
    for line in text.lines() {
        let line = line.trim_start_matches("> ");
        let number = line.split_once("case.cf: line ").and_then(|(_, rest)| rest.split(':').next()?.parse().ok());
        if number.is_some_and(|n: usize| cf.lines().nth(n - 1).is_some_and(|line| line.starts_with(['R', 'S']))) {
            complaints.push(line.to_owned());
        }
        let (_, rest) = line.split_once(' ').unwrap_or((line, ""));
        if line == "answered" {
            answers.push(std::mem::take(&mut answer));
        } else if rest.trim_start().starts_with("input:") {
            depth += 1;
        } else if let Some(value) = rest.trim_start().strip_prefix("returns:") {
            depth -= 1;
            if depth == 0 {
                answer.push(value.trim().to_owned());
            }
        } else if line.starts_with("mailer ") && line.contains(", ") || line.starts_with("Rcode = ") {
            answer.push(line.trim().to_owned());
        }
    }
    (answers, complaints)
}

/// Words of the library that no definition took the place of.
fn leftovers(cf: &str) -> Vec<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let lines = cf.lines().filter(|line| !line.starts_with('#'));
    let words = lines.flat_map(|line| line.split(|c| !is_word(c)));
    words.filter(|w| w.len() > 2 && w.starts_with('_') && w.ends_with('_')).map(str::to_owned).collect()
}

fn check(table: &str) {
    let dir = folder(table);
    let (base, ..) = build(&dir, &format!("{BEGIN}{END}"));
    let base = facts(&base, &dir);
    let mut wrong = Vec::new();
    for case in cases(table) {
        let mc = if case.whole { case.mc.clone() } else { format!("{BEGIN}{}{END}", case.mc) };
        let (cf, ..) = build(&dir, &mc);
        let got = difference(&base, &facts(&cf, &dir));
        for name in got.keys().chain(case.declared.keys()).collect::<std::collections::BTreeSet<_>>() {
            let (recorded, ours) = (case.declared.get(name), got.get(name));
            if recorded != ours {
                wrong.push(format!("{table} {}: {name}: recorded {recorded:?}, ours {ours:?}", case.name));
            }
        }
        let (got, complaints) = answers(&dir, &cf, &case.dialogue);
        for fault in complaints.into_iter().chain(leftovers(&cf)) {
            wrong.push(format!("{table} {}: {fault}", case.name));
        }
        let mut got = got.into_iter();
        for (line, recorded) in &case.dialogue {
            let Some(recorded) = recorded else { continue };
            let ours = got.next();
            if ours.as_ref() != Some(recorded) {
                wrong.push(format!("{table} {}: {line}: recorded {recorded:?}, ours {ours:?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn features_declare_and_answer_as_recorded() {
    check("features");
}

#[test]
fn defines_declare_as_recorded() {
    check("conf");
}

#[test]
fn macros_declare_and_answer_as_recorded() {
    check("macros");
}

#[test]
fn mailers_declare_and_rewrite_as_recorded() {
    check("mailers");
}

#[test]
fn access_tags_answer_as_recorded() {
    check("access_tags");
}

#[test]
fn words_together_behave_as_recorded() {
    check("behaviour");
}

/// Rows of a table of the README: what stands in the first column, and the words in it.
fn rows(readme: &str, section: &str) -> Vec<(String, Vec<String>)> {
    let section = readme.split("\n## ").find(|part| part.starts_with(&format!("{section}\n"))).unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |").map(|(cell, _)| cell));
    let row = |cell: &str| {
        let mut words: Vec<String> = Vec::new();
        for word in cell.split([' ', ',', '/']).filter(|word| !word.is_empty()) {
            // "NAME / _FILE" is short for two words.
            let both = words.last().filter(|_| word == "_FILE").map(|name| format!("{name}_FILE"));
            words.push(both.unwrap_or_else(|| word.to_owned()));
        }
        (cell.replace("&lt;", "<"), words)
    };
    cells.map(row).collect()
}

#[test]
fn every_row_of_the_readme_has_a_case_that_tells_something() {
    let readme = fs::read_to_string(root().join("cf/README.md")).unwrap();
    for (table, sections, at_least) in [
        ("features", &["Features"][..], 70),
        ("conf", &["Defines that set options", "Other defines"], 202),
        ("macros", &["Words"], 47),
        ("mailers", &["Mailers"], 14),
        ("access_tags", &["The access map"], 23),
    ] {
        let mut rows: Vec<_> = sections.iter().flat_map(|section| rows(&readme, section)).collect();
        if table == "conf" {
            rows.retain(|(cell, _)| cell.starts_with("conf"));
        }
        assert!(rows.len() >= at_least, "{table}: {} rows", rows.len());
        let mut cases = cases(table);
        cases.extend(self::cases("behaviour"));
        cases.retain(|case| {
            SAY_NOTHING.contains(&case.name.as_str())
                || !case.declared.is_empty()
                || case.dialogue.iter().any(|(_, answers)| answers.is_some())
        });
        for (cell, words) in rows {
            let is_told = |word: &String| cases.iter().any(|case| case.name.split([' ', ',']).any(|name| name == word));
            let is_whole = cases.iter().any(|case| case.name == cell);
            assert!(is_whole || words.iter().all(is_told), "{table}: no case for {cell}");
        }
    }
}

#[test]
fn names_that_the_library_knows_are_those_of_its_files() {
    let names = fs::read_to_string(root().join("m4/names.m4")).unwrap();
    for kind in ["feature", "mailer", "ostype", "domain", "hack"] {
        let begin = format!("define(`_names_{kind}_', `,");
        let list = names.lines().find_map(|line| line.strip_prefix(&begin)).unwrap().trim_end_matches(",')");
        let mut files: Vec<_> = fs::read_dir(root().join("cf").join(kind))
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap().trim_end_matches(".m4").to_owned())
            .collect();
        files.sort();
        let mut listed: Vec<_> = list.split(',').map(str::to_owned).collect();
        listed.sort();
        assert_eq!(listed, files, "{kind}");
    }
}

#[test]
fn mistakes_are_told_with_place_and_nearest_name() {
    let dir = folder("mistakes");
    let place = dir.join("case.mc");
    let told = |mc: &str| build(&dir, &format!("{BEGIN}{mc}\n{END}"));
    for (mc, good, text) in [
        ("FEATURE(`acess_db')", false, "did you mean access_db?"),
        ("FEATURE(`virtusrtable')", false, "did you mean virtusertable?"),
        ("OSTYPE(`lnux')", false, "did you mean linux?"),
        ("MAILER(`smpt')", false, "did you mean smtp?"),
        ("FEATURE(`rbl')", false, "did you mean dnsbl?"),
        ("FEATURE(`nosuchfeature')", false, "nosuchfeature.m4\n"),
        ("MAILER(`smtp')FEATURE(`redirect')", true, "should stand before the first MAILER(smtp)"),
        ("FEATURE(`dnsbl')", true, "needs the name of a zone"),
        ("FEATURE(`blacklist_recipients')", true, "deprecated; use FEATURE(blocklist_recipients)"),
        ("FEATURE(`greet_pause')", true, "requires FEATURE(access_db)"),
        ("FEATURE(`access_db', `hash /etc/mail/access')", true, "no -T<TMPF>"),
        ("MAILER(`local')", true, "MAILER(local) is there already"),
        ("MODIFY_MAILER_FLAGS(`SMTPX', `+e')", true, "did you mean SMTP"),
    ] {
        let (_, messages, ended_well) = told(mc);
        assert!(messages.contains(text), "{mc}: {messages}");
        assert!(messages.contains(&format!("{}:", place.display())), "{mc}: {messages}");
        assert_eq!(ended_well, good, "{mc}: {messages}");
    }
}

#[test]
fn defines_of_old_releases_are_told() {
    let dir = folder("obsolete");
    for (name, text) in [
        ("confAUTO_REBUILD", "warning: confAUTO_REBUILD is no longer valid"),
        ("confDAEMON_OPTIONS", "warning: confDAEMON_OPTIONS is no longer valid"),
        ("confCLIENT_OPTIONS", "warning: confCLIENT_OPTIONS is no longer valid"),
        ("confUNSAFE_GROUP_WRITES", "warning: confUNSAFE_GROUP_WRITES is deprecated"),
        ("confDEF_GROUP_ID", "error: confDEF_GROUP_ID is obsolete"),
        ("confREAD_TIMEOUT", "error: confREAD_TIMEOUT is obsolete"),
    ] {
        let (_, messages, _) = build(&dir, &format!("{BEGIN}define(`{name}', `v')\n{END}"));
        assert!(messages.contains(text), "{name}: {messages}");
    }
}

#[test]
fn file_checks_are_turned_off_before_a_file_is_named() {
    let dir = folder("order");
    let mc = "OSTYPE(`linux')\ndefine(`confDONT_BLAME_SENDMAIL', `TrustStickyBit')\nFEATURE(`use_cw_file')\nMAILER(`local')\n";
    let (cf, messages, _) = build(&dir, mc);
    let at = |begin: &str| cf.lines().position(|line| line.starts_with(begin)).unwrap();
    assert!(at("V10/") < at("O DontBlameSendmail=TrustStickyBit") && messages.is_empty(), "{messages}");
    assert!(at("O DontBlameSendmail=") < at("Fw"));
}

#[test]
fn an_installed_library_needs_no_source_tree() {
    let dir = folder("installed");
    let share = dir.join("share");
    drop(fs::remove_dir_all(&share));
    let copy = |from: PathBuf, to: PathBuf| {
        fs::create_dir_all(&to).unwrap();
        for file in fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    };
    copy(root().join("m4"), share.join("m4"));
    for kind in ["feature", "mailer", "ostype", "domain", "hack"] {
        copy(root().join("cf").join(kind), share.join(kind));
    }
    let cf_m4 = share.join("m4/cf.m4");
    let body = "OSTYPE(`linux')dnl\nFEATURE(`access_db')dnl\nMAILER(`smtp')dnl\n";
    let mc = dir.join("case.mc");
    fs::write(&mc, format!("divert(-1)dnl\ninclude(`{}')dnl\n{body}", cf_m4.display())).unwrap();
    let inside = Command::new("m4").arg(&mc).output().unwrap();
    fs::write(&mc, body).unwrap();
    let before =
        Command::new("m4").arg(format!("-D_CF_DIR_={}/", share.display())).arg(&cf_m4).arg(&mc).output().unwrap();
    let lines = |out: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(out)
            .lines()
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
            .map(str::to_owned)
            .collect()
    };
    assert!(inside.status.success() && inside.stderr.is_empty(), "{}", String::from_utf8_lossy(&inside.stderr));
    assert_eq!(lines(&inside.stdout), lines(&before.stdout));
    assert!(lines(&inside.stdout).len() > 500);
}

/// Words of `m4` that other implementations do not have.
const OF_GNU_ALONE: &[&str] = &[
    "__gnu__",
    "builtin",
    "changeword",
    "debugfile",
    "debugmode",
    "esyscmd",
    "format",
    "indir",
    "mkstemp",
    "patsubst",
    "regexp",
];

#[test]
fn any_m4_will_do() {
    let mut folders = vec![root().join("m4"), root().join("cf")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|name| name == "m4" || name == "mc") {
                let text = fs::read_to_string(&path).unwrap();
                // The one place that takes format away.
                let text = text.replace("ifdef(`format', `undefine(`format')')", "");
                let code = text.lines().filter(|line| !line.trim_start().starts_with(['#', 'R']));
                let mut words = code.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
                let found = words.find(|word| OF_GNU_ALONE.contains(word));
                assert_eq!(found, None, "{}", path.display());
            }
        }
    }
    let built = |traditional: bool, mc: &Path| {
        let mut command = Command::new("m4");
        command.args(traditional.then_some("-G")).arg(format!("-D_CF_DIR_={}/", root().display()));
        let output = command.arg(root().join("m4/cf.m4")).arg(mc).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    let version = Command::new("m4").arg("--version").stdin(Stdio::null()).output().unwrap();
    if String::from_utf8_lossy(&version.stdout).contains("GNU") {
        for entry in fs::read_dir(root().join("cf/cf")).unwrap() {
            let mc = entry.unwrap().path();
            assert_eq!(built(true, &mc), built(false, &mc), "{}", mc.display());
        }
    }
}

#[test]
fn the_readme_explains_every_option() {
    let readme = fs::read_to_string(root().join("cf/README.md")).unwrap();
    let options = fs::read_to_string(root().join("m4/options.m4")).unwrap();
    for row in options.lines().filter_map(|line| line.strip_prefix("_option_(`")) {
        let define = row.split("', `").nth(1).unwrap();
        assert!(readme.contains(&format!("| `{define}` |")), "{define} is not in cf/README.md");
    }
}
