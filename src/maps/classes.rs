//! Classes of maps.

use super::flags::{self, Row as Flag};

/// What the text behind the flags is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// A file, address or name that must be given.
    Required,
    /// Anything or nothing.
    Free,
}

/// Whether the class works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Yes.
    Done,
    /// Declared without complaint, but every lookup fails for now; the text says why.
    Accepted(&'static str),
}

/// A class.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name in `K` lines.
    pub name: &'static str,
    /// Text behind the flags.
    pub argument: Argument,
    /// Flags beside the common ones; `None` when unknown letters are not complained about.
    pub flags: &'static [Flag],
    /// Whether letters that are no flags are told.
    pub strict: bool,
    /// Whether keys are made lower case, unless `-f`.
    pub folds: bool,
    /// Whether alias databases may be of it.
    pub for_aliases: bool,
    /// Whether it works.
    pub status: Status,
}

/// Classes, sorted by name; all others are "not available". Source: op guide 5.7; observed (which complain about what).
#[rustfmt::skip]
pub static CLASSES: &[Row] = &[
    row("arith",    Argument::Free,     &[],           false, false, false, Status::Done),
    row("arpa",     Argument::Free,     &[],           false, false, false, Status::Done),
    row("bestmx",   Argument::Free,     &[],           true,  false, false, Status::Done),
    row("btree",    Argument::Required, &[],           true,  true, true,  Status::Done),
    row("cdb",      Argument::Required, &[],           true,  true, true,  Status::Done),
    row("dequote",  Argument::Free,     flags::DEQUOTE, false, false, false, Status::Done),
    row("dns",      Argument::Free,     flags::DNS,    false, false, false, Status::Done),
    row("hash",     Argument::Required, &[],           true,  true, true,  Status::Done),
    row("host",     Argument::Free,     flags::HOST,   false, false, false, Status::Done),
    row("implicit", Argument::Required, &[],           true,  true, true,  Status::Done),
    row("ldap",     Argument::Free,     flags::LDAP,   true,  true,  true,  Status::Done),
    row("macro",    Argument::Free,     &[],           false, false, false, Status::Done),
    row("nis",      Argument::Required, &[],           true,  true, true,  Status::Accepted("NIS is not built in")),
    row("nisplus",  Argument::Required, &[],           true,  true, true,  Status::Accepted("NIS+ is not built in")),
    row("null",     Argument::Free,     &[],           true,  false, true,  Status::Done),
    row("program",  Argument::Required, &[],           true,  false, true,  Status::Done),
    row("regex",    Argument::Free,     flags::REGEX,  false, false, false, Status::Done),
    row("sequence", Argument::Free,     &[],           false, false, true,  Status::Done),
    row("socket",   Argument::Required, &[],           true,  false, true,  Status::Done),
    row("stab",     Argument::Required, &[],           true,  true, true,  Status::Done),
    row("switch",   Argument::Required, &[],           true,  false, true,  Status::Done),
    row("syslog",   Argument::Free,     flags::SYSLOG, true,  false, false, Status::Done),
    row("text",     Argument::Required, &[],           true,  true, true,  Status::Done),
    row("user",     Argument::Free,     &[],           true,  true, false, Status::Done),
    row("userdb",   Argument::Required, &[],           true,  true,  false, Status::Done),
];

const fn row(
    name: &'static str,
    argument: Argument,
    flags: &'static [Flag],
    strict: bool,
    folds: bool,
    for_aliases: bool,
    status: Status,
) -> Row {
    Row { name, argument, flags, strict, folds, for_aliases, status }
}

/// The class of that name.
pub fn find(name: &[u8]) -> Option<&'static Row> {
    CLASSES.binary_search_by(|row| row.name.as_bytes().cmp(name)).ok().and_then(|at| CLASSES.get(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_found() {
        assert!(CLASSES.is_sorted_by_key(|row| row.name));
        assert!(find(b"hash").is_some() && find(b"ndbm").is_none());
    }
}
