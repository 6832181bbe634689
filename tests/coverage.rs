//! Each row of the manual's tables acts, and a test shows it, or `docs/DIFFERENCES.md` tells why not.
//!
//! `golden/coverage/TABLE.tsv` has a line for each row of a table. Its fields, behind a line of titles:
//!
//! 1. the row;
//! 2. the test, as `path/to/file.rs::function`, or `DIFFERENCES: words` with words of a line there that names the row;
//! 3. where the test names the row, if it does not do so itself: a file, which the test names, or a function, constant or static of
//!    the test's own file, which the test uses;
//! 4. how the row is written there, if not by its name. A row of one character needs this.
//!
//! A name may be written as the field, constant or variant of that name. What counts as a test of a row is that it fails when the
//! row has no effect.

#![allow(clippy::disallowed_methods, reason = "the check reads source files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use sendmail::config::options::{OPTIONS, Status};
use sendmail::config::{dontblame, mailer_flags, milter, privacy, timeouts};
use sendmail::macros::names;
use sendmail::message::fields::FIELDS;

/// Rows that a table of the program has, with whether they act where the table says so.
type Rows = BTreeMap<String, Option<bool>>;

/// A table of the manual.
struct Table {
    name: &'static str,
    /// The rows it must have; none where the program has no such table.
    rows: fn() -> Rows,
    /// Whether there may be other rows.
    open: bool,
}

const TABLES: &[Table] = &[
    Table { name: "options", rows: options, open: false },
    Table { name: "queue_options", rows: Rows::new, open: true },
    Table { name: "milter_options", rows: stages, open: true },
    Table { name: "privacy", rows: || unmarked(privacy::FLAGS.iter().map(|row| row.name)), open: false },
    Table { name: "dontblame", rows: || unmarked(dontblame::FLAGS.iter().map(|row| row.name)), open: false },
    Table { name: "daemonport_modifiers", rows: Rows::new, open: true },
    Table { name: "mailer_fields", rows: Rows::new, open: true },
    Table { name: "mailer_flags", rows: mailer_flags, open: true },
    Table { name: "macros", rows: macros, open: true },
    Table { name: "classes", rows: Rows::new, open: true },
    Table { name: "header_table", rows: || unmarked(FIELDS.iter().map(|row| row.name)), open: true },
    Table { name: "tls_options", rows: Rows::new, open: true },
];

fn unmarked<'n>(names: impl IntoIterator<Item = &'n str>) -> Rows {
    names.into_iter().map(|name| (name.to_owned(), None)).collect()
}

/// Options, sub-options, and the two that have nothing but a letter.
fn options() -> Rows {
    let mut rows: Rows = OPTIONS.iter().map(|row| (row.name.to_owned(), Some(row.status == Status::Done))).collect();
    rows.extend(timeouts::TIMEOUTS.iter().map(|(name, _)| (format!("Timeout.{name}"), None)));
    let manual = include_str!("golden/config/names.tsv").lines().filter_map(|line| line.strip_prefix("timeout\t"));
    rows.extend(manual.map(|name| (format!("Timeout.{}", name.trim_end()), None)));
    rows.extend(stages());
    rows.extend(unmarked(["Milter.LogLevel", "-og", "-oM"]));
    rows
}

fn stages() -> Rows {
    milter::STAGES.iter().map(|stage| (format!("Milter.macros.{stage}"), None)).collect()
}

fn mailer_flags() -> Rows {
    mailer_flags::FLAGS
        .iter()
        .map(|row| (char::from(row.letter).to_string(), Some(row.status == Status::Done)))
        .collect()
}

/// A macro of one character by that, others in braces.
fn macros() -> Rows {
    let short = names::SHORT.iter().map(|row| (format!("${}", row.name), None));
    let long = names::LONG.iter().map(|row| (format!("{{{}}}", row.name), None));
    short.chain(long).collect()
}

#[test]
fn every_row_has_a_test_or_a_difference() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut faults = Vec::new();
    for table in TABLES {
        let path = root.join(format!("tests/golden/coverage/{}.tsv", table.name));
        let lines = match fs::read_to_string(path) {
            Ok(lines) => lines,
            Err(error) => panic!("{}: {error}", table.name),
        };
        let mut seen = BTreeSet::new();
        let wanted = (table.rows)();
        for line in lines.lines().skip(1) {
            let mut fields = line.split('\t');
            let mut field = || fields.next().unwrap_or_default();
            let covered = Covered { row: field(), by: field(), stands_in: field(), written: field() };
            let mut fault = |text: String| faults.push(format!("{} {}: {text}", table.name, covered.row));
            if !seen.insert(covered.row.to_owned()) {
                fault("stands there twice".to_owned());
            }
            let acts = wanted.get(covered.row);
            if acts.is_none() && !table.open {
                fault("is no row of the program".to_owned());
            }
            let differs = covered.by.starts_with("DIFFERENCES: ");
            if acts.copied().flatten().is_some_and(|acts| acts == differs) {
                fault(format!("{} does not fit the status of the row", covered.by));
            }
            if let Err(text) = covered.check(root) {
                fault(text);
            }
        }
        let missing = wanted.keys().filter(|row| !seen.contains(*row));
        faults.extend(missing.map(|row| format!("{} {row}: has no line", table.name)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A line of a list.
struct Covered<'l> {
    row: &'l str,
    by: &'l str,
    stands_in: &'l str,
    written: &'l str,
}

impl Covered<'_> {
    fn check(&self, root: &Path) -> Result<(), String> {
        if let Some(words) = self.by.strip_prefix("DIFFERENCES: ") {
            let document = fs::read_to_string(root.join("docs/DIFFERENCES.md")).unwrap_or_default();
            let mut lines = document.lines().filter(|line| line.contains(words));
            let named = lines.any(|line| self.named_in(line));
            return if named { Ok(()) } else { Err(format!("no line of DIFFERENCES names it and has {words:?}")) };
        }
        let (path, name) = self.by.split_once("::").ok_or_else(|| format!("{:?} is no test", self.by))?;
        let file = fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))?;
        let body = test(&file, name).ok_or_else(|| format!("{path} has no test {name}"))?;
        let place = match self.stands_in {
            "" => body,
            other if other.contains('/') => {
                let base = other.rsplit('/').next().unwrap_or_default();
                if !has_word(&body, base) {
                    return Err(format!("{name} does not name {base}"));
                }
                fs::read_to_string(root.join(other)).map_err(|error| format!("{other}: {error}"))?
            }
            other if !has_word(&body, other) => return Err(format!("{name} does not use {other}")),
            other => item(&file, other).ok_or_else(|| format!("{path} has no {other}"))?,
        };
        if self.named_in(&place) { Ok(()) } else { Err(format!("{} does not name it", self.by)) }
    }

    /// Whether a text has the row, as it is written there or as an identifier made of its name.
    fn named_in(&self, text: &str) -> bool {
        if !self.written.is_empty() {
            let shows_letter = self.row.chars().count() > 1 || self.written.contains(self.row);
            return shows_letter && text.contains(self.written);
        }
        if self.row.chars().count() == 1 {
            return false;
        }
        let plain = |word: &str| word.replace('_', "").to_ascii_lowercase();
        let name = plain(self.row);
        has_word(text, self.row)
            || text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| plain(word) == name)
    }
}

/// Whether a text has a word, with no more of a word at its ends.
fn has_word(text: &str, word: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        let goes_on_before = inside(text[..at].chars().next_back()) && inside(word.chars().next());
        let goes_on_behind = inside(text[at + word.len()..].chars().next()) && inside(word.chars().next_back());
        !goes_on_before && !goes_on_behind
    })
}

/// The function of that name, comments left out, if it is a test.
fn test(file: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = file.lines().collect();
    let at = lines.iter().position(|line| names_item(line, name, &["fn "]))?;
    let above = lines[..at].iter().rev().map(|line| line.trim_start());
    let mut attributes = above.take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    let is_test = attributes.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"));
    is_test.then(|| item(file, name))?
}

/// The item of that name, comments left out. Files are formatted: an item ends where a line as far in as its first closes it.
fn item(file: &str, name: &str) -> Option<String> {
    let mut lines = file.lines().skip_while(|line| !names_item(line, name, &["fn ", "const ", "static "]));
    let first = lines.next()?;
    let indent = &first[..first.len() - first.trim_start().len()];
    let mut text = vec![first];
    let one_line = first.ends_with(';') || first.ends_with('}');
    let ends = |line: &str| match line.strip_prefix(indent) {
        Some(rest) => matches!(rest, "}" | "];" | "};" | ");"),
        None => false,
    };
    // Text of several lines in a constant ends with its quote.
    let quoted = |line: &str| !first.contains("fn ") && (line.ends_with("\";") || line.ends_with("\"#;"));
    if !one_line {
        for line in lines {
            text.push(line);
            if ends(line) || quoted(line) {
                break;
            }
        }
    }
    Some(text.into_iter().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n"))
}

/// Whether a line begins the item of that name.
fn names_item(line: &str, name: &str, kinds: &[&str]) -> bool {
    kinds.iter().any(|kind| {
        let mut places = line.match_indices(kind);
        places.any(|(at, _)| {
            let before = line[..at].trim();
            let starts = before.split(' ').all(|word| word.is_empty() || word == "async" || word.starts_with("pub"));
            let rest = line[at + kind.len()..].strip_prefix(name);
            starts && rest.is_some_and(|rest| rest.starts_with(['(', '<', ':']))
        })
    })
}

#[test]
fn a_word_ends_where_another_letter_begins() {
    assert!(has_word("O Timeout.mail=1h", "Timeout.mail"));
    assert!(!has_word("O Timeout.mailer=1h", "Timeout.mail"));
    assert!(!has_word("XDANE", "DANE"));
    assert!(has_word("F=$x", "$x") && !has_word("$xy", "$x"));
}

#[test]
fn only_tests_count_and_their_comments_do_not() {
    let file = "#[test]\nfn works() {\n    // Verbose\n    run();\n}\nfn run() {\n}\nconst CF: &str = \"\\\nO MeToo\n\";\nfn x() {}\n";
    assert_eq!(test(file, "works").as_deref(), Some("fn works() {\n    run();\n}"));
    assert_eq!(test(file, "run"), None);
    assert!(item(file, "CF").is_some_and(|text| text.contains("MeToo") && !text.contains("fn x")));
    let covered = |row, written| Covered { row, by: "", stands_in: "", written };
    assert!(covered("MaxHopCount", "").named_in("options.max_hop_count = 3"));
    assert!(!covered("MaxHopCount", "").named_in("max_hop_counts"));
    assert!(
        !covered("f", "").named_in("f")
            && covered("f", "F=lsf").named_in("F=lsf")
            && !covered("f", "F=a").named_in("F=a")
    );
}
