//! From which `LogLevel` on a line is written.

/// A line is written when `LogLevel` is greater than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(pub i64);

#[allow(missing_docs, reason = "the table below says what each is for")]
#[rustfmt::skip]
impl Level {
    pub const SYSTEM_ERROR: Self = Self(0);
    pub const SERIOUS: Self = Self(1);
    pub const LOST_CONNECTION: Self = Self(1);
    pub const REJECTED: Self = Self(3);
    pub const COLLECT: Self = Self(4);
    pub const UNSAFE_FILE: Self = Self(2);
    pub const USER_ERROR: Self = Self(3);
    pub const REPORT: Self = Self(5);
    pub const VERIFY: Self = Self(5);
    pub const START: Self = Self(8);
    pub const TLS: Self = Self(8);
    pub const AUTH: Self = Self(8);
    pub const MILTER_RESULTS: Self = Self(3);
    pub const MILTER_EDITS: Self = Self(8);
    pub const MILTER: Self = Self(9);
    pub const MILTER_ACTIONS: Self = Self(10);
    pub const MILTER_CONTINUES: Self = Self(12);
    pub const MILTER_ADDRESSES: Self = Self(14);
    pub const MILTER_PARTS: Self = Self(17);
    pub const MILTER_LIES: Self = Self(9);
    pub const MILTER_ABORTS: Self = Self(10);
    pub const MILTER_ENDS: Self = Self(18);
    pub const MILTER_TIMES: Self = Self(21);
    pub const FAILURE: Self = Self(6);
    pub const DELIVERY: Self = Self(7);
    pub const RECEIVED: Self = Self(4);
    pub const CONNECT: Self = Self(8);
    pub const DONE: Self = Self(9);
    pub const ALIAS: Self = Self(10);
    pub const ALIAS_BUILT: Self = Self(7);
    pub const CALLER: Self = Self(9);
    pub const ABANDONED: Self = Self(10);
    pub const CONNECTION: Self = Self(12);
    pub const DIALOGUE: Self = Self(14);
    pub const OUTGOING: Self = Self(11);
    pub const STATISTICS: Self = Self(12);
    pub const ENGINE: Self = Self(13);
    pub const LOCKED: Self = Self(19);
}

/// Meaning of the levels, as the op guide lists them. Source: op guide 2.1.2 ("Levels").
pub static LEVELS: &[(i64, &str)] = &[
    (0, "minimal logging"),
    (1, "serious system failures and potential security problems"),
    (2, "lost communications and protocol failures"),
    (3, "malformed addresses, transient forward and include errors, connection timeouts"),
    (4, "minor failures, out of date alias databases, connection rejections by rulesets"),
    (5, "message collection statistics"),
    (6, "creation of error messages, VRFY and EXPN commands"),
    (7, "delivery failures (host or user unknown)"),
    (8, "successful deliveries and alias database rebuilds"),
    (9, "messages being deferred"),
    (10, "database expansion (alias, forward, userdb lookups), authentication information"),
    (11, "NIS errors and end of job processing"),
    (12, "all SMTP connections"),
    (13, "bad user shells, files with improper permissions"),
    (14, "refused connections, dialogue lines"),
    (15, "all incoming SMTP commands"),
    (20, "attempts to run locked queue files"),
    (30, "lost locks"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_sorted() {
        assert!(LEVELS.is_sorted_by_key(|row| row.0));
    }
}
