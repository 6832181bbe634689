//! The tables that drive the code: sorted, unique, complete, and every row honest about what it does.

use std::collections::{BTreeSet, HashSet};

use sendmail::cmd::modes::MODES;
use sendmail::config::mailer_flags::FLAGS;
use sendmail::config::options::{OPTIONS, Safe, Status};
use sendmail::config::timeouts::TIMEOUTS;
use sendmail::config::{dontblame, milter, privacy};
use sendmail::macros::names;
use sendmail::maps::classes::CLASSES;
use sendmail::message::fields::FIELDS;

/// Options that the original measured against does not have.
const OURS: &[&str] = &["DANE", "UseTLS"];

#[test]
fn every_option_of_the_original_is_a_row_in_its_order() {
    let theirs: Vec<&str> = include_str!("golden/config/options.txt").lines().skip(1).collect();
    let ours: Vec<&str> = OPTIONS.iter().map(|row| row.name).filter(|name| !OURS.contains(name)).collect();
    assert_eq!(ours, theirs);
}

#[test]
fn option_names_and_letters_are_unique() {
    let mut names = HashSet::new();
    let mut letters = HashSet::new();
    for row in OPTIONS {
        assert!(names.insert(row.name.to_ascii_lowercase()), "{}", row.name);
        assert!(row.letter.is_none_or(|letter| letters.insert(letter)), "{}", row.name);
        assert!(row.effect.ends_with('.'), "{}: an effect is a sentence", row.name);
    }
}

#[test]
fn names_in_lists_are_unique() {
    for names in [
        TIMEOUTS.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        privacy::FLAGS.iter().map(|row| row.name).collect(),
        dontblame::FLAGS.iter().map(|row| row.name).collect(),
    ] {
        let unique: HashSet<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        assert_eq!(unique.len(), names.len());
    }
    assert!(MODES.windows(2).all(|pair| pair[0].letter < pair[1].letter));
}

/// Name and detail of every row of one list of the manual.
fn listed(list: &str) -> BTreeSet<(String, String)> {
    let rows = include_str!("golden/config/names.tsv").lines().skip(1);
    let fields = rows.map(|row| row.split('\t').collect::<Vec<_>>()).filter(|fields| fields[0] == list);
    fields.map(|fields| (fields[1].to_owned(), fields.get(2).copied().unwrap_or_default().to_owned())).collect()
}

fn rows<N: ToString, D: ToString>(rows: impl IntoIterator<Item = (N, D)>) -> BTreeSet<(String, String)> {
    rows.into_iter().map(|(name, detail)| (name.to_string(), detail.to_string())).collect()
}

#[test]
fn tables_have_the_names_and_bits_of_the_manual() {
    let flags = privacy::FLAGS.iter().map(|row| (row.name, format!("{:#x}", row.bits)));
    assert_eq!(rows(flags), listed("privacy"));
    // CertOwner is documented, and no bit of it was seen.
    let bit = |row: &dontblame::Row| match row.name {
        "CertOwner" => "-".to_owned(),
        _ => row.bit.unwrap_or(0).to_string(),
    };
    let flags = dontblame::FLAGS.iter().map(|row| (row.name, bit(row)));
    assert_eq!(rows(flags), listed("dontblame"));
    assert_eq!(rows(milter::STAGES.iter().map(|stage| (*stage, ""))), listed("stage"));
    let macros = names::SHORT.iter().chain(names::LONG).map(|row| row.name.to_owned());
    let macros: BTreeSet<String> = macros.collect();
    for (name, _) in listed("macro") {
        assert!(macros.contains(&name), "${{{name}}} has no row");
    }
    let fields: BTreeSet<&str> = FIELDS.iter().map(|row| row.name).collect();
    let manual = listed("header");
    assert_eq!(fields, manual.iter().map(|(name, _)| name.as_str()).collect());
    // "available" in the original's build, and no others.
    let classes: BTreeSet<&str> = CLASSES.iter().map(|row| row.name).collect();
    let manual = listed("class");
    let theirs: BTreeSet<&str> =
        manual.iter().filter(|(_, available)| available == "yes").map(|(name, _)| name.as_str()).collect();
    let missing: Vec<&&str> = theirs.difference(&classes).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn options_have_the_letters_and_the_safety_of_the_original() {
    let theirs = listed("option");
    for row in OPTIONS.iter().filter(|row| !OURS.contains(&row.name) && !matches!(row.name, "Timeout" | "Milter")) {
        let letter = row.letter.map_or(String::new(), |letter| char::from(letter).to_string());
        let safe = match row.safe {
            Safe::Yes => "yes",
            Safe::Raise => "yes, only to raise",
            Safe::Add => "yes, only to add",
            Safe::No => "no",
        };
        let detail = format!("{letter} {safe}");
        assert!(theirs.contains(&(row.name.to_owned(), detail.clone())), "{}: {detail}", row.name);
    }
}

#[test]
fn every_timeout_of_the_manual_has_a_row_or_a_form_of_its_own() {
    let simple: HashSet<&str> = TIMEOUTS.iter().map(|(name, _)| *name).collect();
    for (name, _) in listed("timeout") {
        let family = name.split('.').next().unwrap_or_default();
        assert!(simple.contains(name.as_str()) || matches!(family, "queuereturn" | "queuewarn" | "resolver"), "{name}");
    }
    let theirs = listed("timeout");
    for (name, _) in TIMEOUTS {
        assert!(theirs.contains(&((*name).to_owned(), String::new())), "{name}");
    }
}

/// What `docs/DIFFERENCES.md` says of options, made from the rows.
fn option_differences() -> String {
    let mut text = String::new();
    for row in OPTIONS {
        let (word, why) = match row.status {
            Status::Done => continue,
            Status::Accepted(why) => ("read, without effect", why),
            Status::Refused(why) => ("refused", why),
        };
        text.extend(["* `", row.name, "`: ", word, ": ", why, ".\n"]);
    }
    text
}

/// The same of mailer flags.
fn flag_differences() -> String {
    let mut text = String::new();
    for row in FLAGS {
        if let Status::Accepted(why) | Status::Refused(why) = row.status {
            let letter = char::from(row.letter).to_string();
            text.extend(["* `F=", &letter, "`: read, without effect: ", why, ".\n"]);
        }
    }
    text
}

/// The part of the document between the line that names it and its end.
#[allow(clippy::disallowed_methods, reason = "the check reads the document")]
fn section(name: &str) -> Option<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/DIFFERENCES.md");
    let document = std::fs::read_to_string(path).ok()?;
    let section = document.split(&format!("<!-- {name} -->\n")).nth(1)?;
    section.split("<!-- end -->").next().map(|text| text.trim().to_owned())
}

#[test]
fn the_document_lists_what_options_and_flags_do_not_do() {
    for (name, rows) in [("options", option_differences()), ("mailer flags", flag_differences())] {
        let Some(section) = section(name) else { continue };
        assert_eq!(section, rows.trim(), "docs/DIFFERENCES.md is not what the rows say");
    }
}

#[test]
fn mailer_flags_are_sorted_and_have_one_word_each() {
    assert!(FLAGS.windows(2).all(|pair| pair[0].letter < pair[1].letter));
    let words: HashSet<&str> = FLAGS.iter().map(|row| row.word).collect();
    assert_eq!(words.len(), FLAGS.len());
    assert!(FLAGS.iter().all(|row| row.effect.ends_with('.')));
}

/// Rows of each section of `docs/REQUIREMENTS.md`.
const REQUIRED: &[(u32, u32)] = &[(1, 12), (2, 9), (3, 17), (4, 6), (5, 6), (6, 8), (7, 9), (8, 13)];

#[test]
#[allow(clippy::disallowed_methods, reason = "the check reads source files")]
fn every_requirement_has_its_test_and_every_test_its_row() {
    let mut tests = BTreeSet::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/requirements");
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let names =
            text.split("#[test]\nfn ").skip(1).map(|rest| rest.split('(').next().unwrap_or_default().to_owned());
        tests.extend(names);
    }
    let mut rows = BTreeSet::new();
    for line in include_str!("../docs/REQUIREMENTS.md").lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [row, weight @ ("A" | "B" | "C"), _, test, result] = cells[..] else { continue };
        assert!(rows.insert(row.to_owned()), "{row} stands there twice");
        let is_open = result.starts_with("open: ");
        assert!(is_open || weight == "C" || !test.is_empty(), "{row} has no test");
        assert!(is_open || ["works", "as the original", "answered"].contains(&result), "{row}: {result}");
        for name in test.split(", ").map(|name| name.trim_matches('`')).filter(|name| !name.is_empty()) {
            assert!(tests.remove(name), "{row}: there is no test {name}");
            assert!(name.starts_with(&format!("r{}_", row.replace('.', "_"))), "{row}: {name}");
        }
    }
    assert!(tests.is_empty(), "tests without a row: {tests:?}");
    let wanted = REQUIRED.iter().flat_map(|(section, last)| (1..=*last).map(move |row| format!("{section}.{row}")));
    let wanted: BTreeSet<String> = wanted.chain(["9".to_owned()]).collect();
    assert_eq!(rows, wanted);
}
