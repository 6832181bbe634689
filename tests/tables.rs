//! The tables that drive the code: sorted, unique, complete, and every row honest about what it does.

use std::collections::HashSet;

use sendmail::cmd::modes::MODES;
use sendmail::config::options::{OPTIONS, Status};
use sendmail::config::timeouts::TIMEOUTS;
use sendmail::config::{dontblame, privacy};

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

#[test]
#[allow(clippy::disallowed_methods, reason = "the check reads the document")]
fn the_document_lists_what_options_do_not_do() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/DIFFERENCES.md");
    let Ok(document) = std::fs::read_to_string(path) else { return };
    let Some(section) = document.split("<!-- options -->\n").nth(1) else { return };
    let section = section.split("<!-- end -->").next().unwrap_or_default();
    assert_eq!(section.trim(), option_differences().trim(), "docs/DIFFERENCES.md is not what the rows say");
}
