//! Lines of a control file, one row each.

/// A kind of line.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// First letter.
    pub letter: u8,
    /// Word for it.
    pub name: &'static str,
    /// What follows the letter.
    pub value: &'static str,
    /// Whether one file may hold several.
    pub is_repeated: bool,
    /// First version of the file format that has it.
    pub since: u8,
    /// Whether it is understood; a line that is not is skipped when read and never written.
    pub is_used: bool,
}

/// All lines, sorted by letter. Source: observed (letters the original reads without complaint), op guide appendix B.
#[rustfmt::skip]
pub static FIELDS: &[Row] = &[
    row(b'!', "deliver-by",         "mode letters, blank, seconds",           false, 6, true),
    row(b'$', "macro",              "name and value",                         true,  3, true),
    row(b'A', "auth",               "AUTH= as xtext",                         false, 6, true),
    row(b'B', "body-type",          "7BIT or 8BITMIME",                       false, 1, true),
    row(b'C', "controlling-user",   "user:uid:gid:address; empty ends it",    true,  1, true),
    row(b'D', "df-name",            "name of the df in old versions",         false, 1, false),
    row(b'E', "errors-to",          "address",                                true,  1, false),
    row(b'F', "flags",              "letters",                                false, 1, true),
    row(b'H', "header",             "?condition?name: value",                 true,  1, true),
    row(b'I', "df-inode",           "major/minor/inode; not looked at",       false, 1, true),
    row(b'K', "last-try",           "seconds since the epoch",                false, 1, true),
    row(b'M', "message",            "why it waits; in front of a recipient, why that one does", true, 1, true),
    row(b'N', "tries",              "number",                                 false, 1, true),
    row(b'P', "priority",           "number",                                 false, 1, true),
    row(b'Q', "original-recipient", "type;address",                           true,  3, true),
    row(b'R', "recipient",          "flags:address",                          true,  1, true),
    row(b'S', "sender",             "address",                                false, 1, true),
    row(b'T', "created",            "seconds since the epoch",                false, 1, true),
    row(b'V', "version",            "number",                                 false, 1, true),
    row(b'Z', "envid",              "ENVID= as xtext",                        false, 1, true),
    row(b'd', "df-directory",       "path",                                   false, 5, true),
    row(b'q', "quarantine",         "reason",                                 false, 7, true),
    row(b'r', "final-recipient",    "RFC822; address",                        true,  4, true),
];

const fn row(letter: u8, name: &'static str, value: &'static str, is_repeated: bool, since: u8, is_used: bool) -> Row {
    Row { letter, name, value, is_repeated, since, is_used }
}

/// The row of a letter.
pub fn find(letter: u8) -> Option<&'static Row> {
    FIELDS.binary_search_by_key(&letter, |row| row.letter).ok().and_then(|at| FIELDS.get(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_unique() {
        assert!(FIELDS.is_sorted_by(|a, b| a.letter < b.letter));
        assert!(find(b'R').is_some_and(|row| row.is_used) && find(b'x').is_none());
    }
}
