//! Exit codes of sysexits(3), with the reply that an SMTP peer or a DSN gets for each.

use super::status::Status;

/// How a program ended, as sysexits(3) numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Exit(pub u8);

#[rustfmt::skip]
#[allow(missing_docs, reason = "the names are those of sysexits(3); the table below says what they mean")]
impl Exit {
    pub const OK: Self = Self(0);
    pub const USAGE: Self = Self(64);
    pub const DATAERR: Self = Self(65);
    pub const NOINPUT: Self = Self(66);
    pub const NOUSER: Self = Self(67);
    pub const NOHOST: Self = Self(68);
    pub const UNAVAILABLE: Self = Self(69);
    pub const SOFTWARE: Self = Self(70);
    pub const OSERR: Self = Self(71);
    pub const OSFILE: Self = Self(72);
    pub const CANTCREAT: Self = Self(73);
    pub const IOERR: Self = Self(74);
    pub const TEMPFAIL: Self = Self(75);
    pub const PROTOCOL: Self = Self(76);
    pub const NOPERM: Self = Self(77);
    pub const CONFIG: Self = Self(78);
}

/// What is said for one exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The code.
    pub exit: Exit,
    /// Three-digit SMTP reply code.
    pub reply: u16,
    /// Enhanced status code.
    pub status: Status,
    /// The original's words.
    pub text: &'static str,
}

/// One row per code, sorted by code. Source: observed (texts built into the original).
#[rustfmt::skip]
pub static EXITS: &[Row] = &[
    row(Exit::USAGE,       500, Status(5, 0, 0), "Command line usage error"),
    row(Exit::DATAERR,     501, Status(5, 6, 0), "Data format error"),
    row(Exit::NOINPUT,     550, Status(5, 3, 0), "Cannot open input"),
    row(Exit::NOUSER,      550, Status(5, 1, 1), "User unknown"),
    row(Exit::NOHOST,      550, Status(5, 1, 2), "Host unknown"),
    row(Exit::UNAVAILABLE, 554, Status(5, 0, 0), "Service unavailable"),
    row(Exit::SOFTWARE,    554, Status(5, 3, 0), "Internal error"),
    row(Exit::OSERR,       451, Status(4, 0, 0), "Operating system error"),
    row(Exit::OSFILE,      554, Status(5, 3, 5), "System file missing"),
    row(Exit::CANTCREAT,   550, Status(5, 0, 0), "Can't create output"),
    row(Exit::IOERR,       451, Status(4, 0, 0), "I/O error"),
    row(Exit::TEMPFAIL,    450, Status(4, 0, 0), "Deferred"),
    row(Exit::PROTOCOL,    554, Status(5, 5, 0), "Remote protocol error"),
    row(Exit::NOPERM,      550, Status(5, 0, 0), "Insufficient permission"),
    row(Exit::CONFIG,      554, Status(5, 3, 5), "Local configuration error"),
];

const fn row(exit: Exit, reply: u16, status: Status, text: &'static str) -> Row {
    Row { exit, reply, status, text }
}

impl Exit {
    /// The row of this code; `None` for 0 and for codes outside the table ("unknown mailer error N").
    pub fn row(self) -> Option<&'static Row> {
        EXITS.binary_search_by_key(&self, |r| r.exit).ok().and_then(|at| EXITS.get(at))
    }

    /// True for codes after which another try makes sense.
    pub fn is_temporary(self) -> bool {
        self.row().is_some_and(|r| r.reply < 500)
    }

    /// The `EX_…` name, for log texts.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::OK => "EX_OK",
            Self::USAGE => "EX_USAGE",
            Self::DATAERR => "EX_DATAERR",
            Self::NOINPUT => "EX_NOINPUT",
            Self::NOUSER => "EX_NOUSER",
            Self::NOHOST => "EX_NOHOST",
            Self::UNAVAILABLE => "EX_UNAVAILABLE",
            Self::SOFTWARE => "EX_SOFTWARE",
            Self::OSERR => "EX_OSERR",
            Self::OSFILE => "EX_OSFILE",
            Self::CANTCREAT => "EX_CANTCREAT",
            Self::IOERR => "EX_IOERR",
            Self::TEMPFAIL => "EX_TEMPFAIL",
            Self::PROTOCOL => "EX_PROTOCOL",
            Self::NOPERM => "EX_NOPERM",
            Self::CONFIG => "EX_CONFIG",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_found() {
        assert!(EXITS.is_sorted_by_key(|r| r.exit));
        assert_eq!(Exit::NOUSER.row().unwrap().text, "User unknown");
        assert!(Exit(13).row().is_none());
        assert!(Exit::TEMPFAIL.is_temporary() && !Exit::NOUSER.is_temporary());
    }
}
