//! HELP: topics of the help file.
//!
//! Shape of the file: lines `topic TAB text`; lines that begin with `#` are comments, one with `#vers` names the version of
//! the format. In version 2 macros in the text are expanded.

use crate::macros::{NameTable, Scope, Template};

/// Lines of a topic; `None` when the file has none.
///
/// The topic is cut to [`TOPIC`] bytes and compared in lower case by its beginning; without one, lines of `smtp` are shown.
pub fn lines(file: &[u8], topic: &[u8], scope: &Scope) -> Option<Vec<Vec<u8>>> {
    let wanted = shown_topic(topic).to_ascii_lowercase();
    let wanted: &[u8] = if wanted.is_empty() { b"smtp" } else { &wanted };
    let mut found = Vec::new();
    let mut version = 0;
    for line in file.split(|b| *b == b'\n') {
        if let Some(comment) = line.strip_prefix(b"#") {
            if let Some(rest) = comment.strip_prefix(b"vers") {
                version = crate::base::bytes::leading_number(rest);
            }
            continue;
        }
        let Some(tab) = line.iter().position(|b| *b == b'\t') else { continue };
        let (name, text) = line.split_at_checked(tab)?;
        if !name.eq_ignore_ascii_case(wanted) {
            continue;
        }
        let text = text.strip_prefix(b"\t").unwrap_or(text);
        found.push(if version >= 2 {
            Template::parse(text, &mut NameTable::default()).expand(scope)
        } else {
            text.to_vec()
        });
    }
    (!found.is_empty()).then_some(found)
}

/// The version that a file says it has; 0 when it says nothing.
pub fn version(file: &[u8]) -> i64 {
    let line = file.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"#vers"));
    line.map_or(0, |rest| crate::base::bytes::leading_number(rest.trim_ascii_start()))
}

/// The version of the format that macros are expanded from.
pub const VERSION: i64 = 2;

/// The topic as the refusal names it.
pub fn shown_topic(topic: &[u8]) -> &[u8] {
    topic.get(..TOPIC).unwrap_or(topic)
}

/// Longest topic, bytes. Source: observed.
const TOPIC: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn topics_are_found_without_regard_to_case() {
        let file = b"#vers\t2\nsmtp\tVersion $v\nsmtp\tTopics:\nhelo\tHELO hostname\n-bt\ttest mode\n";
        let mut scope = Scope::new(Arc::default());
        scope.set(crate::macros::names::VERSION, "8.17");
        assert_eq!(lines(file, b"", &scope).unwrap(), [b"Version 8.17".to_vec(), b"Topics:".to_vec()]);
        assert_eq!(lines(file, b"HELO", &scope).unwrap(), [b"HELO hostname".to_vec()]);
        assert!(lines(file, b"nonsense", &scope).is_none());
        assert_eq!(shown_topic(b"bogus topic"), b"bogus topi");
    }
}
