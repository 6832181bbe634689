//! `F=` of mailers: letters and what each does.
//!
//! Letters without a row mean nothing to the program; `H?letters?` lines may ask for any.

use super::options::Status;

/// A mailer flag.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its letter.
    pub letter: u8,
    /// What it is called here.
    pub word: &'static str,
    /// What it does.
    pub effect: &'static str,
    /// Whether it does so.
    pub status: Status,
}

/// All flags, sorted by letter. Source: op guide 5.4; observed.
#[rustfmt::skip]
pub static FLAGS: &[Row] = &[
    row(b'!', "KEEP_FROM",         "A From: equal to the one that would be made stays as it is.", Accepted("a given From: always stays")),
    row(b'%', "HOLD",              "Mail waits until -qI, -qR, -qS or ETRN asks for it.", Done),
    row(b'/', "FILES",             "Recipients may be files.", Done),
    row(b'0', "NO_MX",             "No MX records, no FallbackMXhost.", Done),
    row(b'1', "STRIP_NUL",         "NULs are left out of the body.", Done),
    row(b'2', "NEVER_ESMTP",       "HELO whatever the greeting says.", Done),
    row(b'3', "EBCDIC",            "Quoted-printable also encodes what EBCDIC lacks.", Accepted("no gateway to EBCDIC is known to be left")),
    row(b'5', "RULESET_5",         "Ruleset 5 is asked when no alias was found.", Done),
    row(b'6', "HEADER_7BIT",       "Headers are stripped to 7 bits.", Done),
    row(b'7', "ALL_7BIT",          "All output is stripped to 7 bits.", Done),
    row(b'8', "TAKES_8BIT",        "8-bit text goes as it is.", Done),
    row(b'9', "TO_8BIT",           "Plain text in quoted-printable or base64 is decoded.", Done),
    row(b':', "INCLUDES",          "Recipients may be :include: lists.", Done),
    row(b'@', "USERDB",            "The user database is asked; a leading @ of the user ends ruleset 5.", Done),
    row(b'A', "ALIASES",           "Users are looked up among the aliases.", Done),
    row(b'B', "STRIP_BACKSLASH",   "Backslashes in front of the user are taken off.", Done),
    row(b'C', "ADD_DOMAIN",        "As the sender's mailer: header addresses without a domain get the sender's.", Done),
    row(b'D', "WANTS_DATE",        "H lines add Date:.", Done),
    row(b'E', "QUOTE_FROM",        "Body lines that begin with From get a > in front.", Done),
    row(b'F', "WANTS_FROM",        "H lines add From:.", Done),
    row(b'I', "SENDMAIL_PEER",     "The peer is another sendmail; deprecated, a warning is logged.", Done),
    row(b'K', "CHUNKING",          "Reserved.", Accepted("BDAT is not spoken")),
    row(b'L', "RFC_821_LINES",     "Lines are cut at 990 bytes; deprecated.", Done),
    row(b'M', "WANTS_MESSAGE_ID",  "H lines add Message-Id:.", Done),
    row(b'P', "WANTS_RETURN_PATH", "H lines add Return-Path:.", Done),
    row(b'R', "RESERVED_PORT",     "The connection comes from a port below 1024.", Accepted("connections come from any port")),
    row(b'S', "KEEP_UID",          "The user is not changed; U= sets the effective one.", Done),
    row(b'U', "UUCP_FROM",         "From lines end with remote from.", Done),
    row(b'W', "NO_HOST_STATUS",    "The state of hosts is not remembered.", Done),
    row(b'X', "DOTS",              "Dots at the start of a line are doubled.", Done),
    row(b'Z', "DIALS",             "DialDelay applies.", Done),
    row(b'a', "ESMTP",             "EHLO is tried whatever the greeting says.", Done),
    row(b'b', "ENDS_BLANK",        "A blank line is added at the end.", Done),
    row(b'c', "STRIP_COMMENTS",    "Header addresses go without phrase and comments.", Done),
    row(b'd', "NO_BRACKETS",       "Route addresses get no angle brackets.", Accepted("addresses are written as the rulesets leave them")),
    row(b'e', "EXPENSIVE",         "HoldExpensive leaves the mail to queue runs.", Done),
    row(b'f', "SENDER_F",          "-f and the sender stand in front of the other arguments.", Done),
    row(b'g', "NAMED_DSN",         "DSNs do not come from the null sender.", Done),
    row(b'h', "KEEP_HOST_CASE",    "The host part keeps its letter case.", Done),
    row(b'i', "USERDB_SENDER",     "The user database rewrites envelope senders.", Accepted("it showed no effect in the original either")),
    row(b'j', "USERDB_RECIPIENT",  "The user database rewrites recipients.", Accepted("it showed no effect in the original either")),
    row(b'k', "NO_LOOP_CHECK",     "A host that greets with our name is no loop.", Done),
    row(b'l', "LOCAL",             "Delivery here is final.", Done),
    row(b'm', "SEVERAL",           "Several recipients in one transaction.", Done),
    row(b'n', "NO_FROM_LINE",      "No From line in front of the message.", Done),
    row(b'o', "AS_RECIPIENT",      "The program runs as the recipient.", Done),
    row(b'p', "ROUTE_PATH",        "The reverse-path in MAIL goes by way of this host.", Done),
    row(b'q', "VRFY_250",          "VRFY says 250 in place of 252.", Done),
    row(b'r', "SENDER_R",          "As f, with -r.", Done),
    row(b's', "STRIP_QUOTES",      "Quotes are taken off user parts.", Done),
    row(b'u', "KEEP_USER_CASE",    "The user part keeps its letter case.", Done),
    row(b'w', "NEEDS_ACCOUNT",     "The user must have an account; .forward is read.", Done),
    row(b'x', "WANTS_FULL_NAME",   "H lines add Full-Name:.", Done),
    row(b'z', "LMTP",              "LMTP is spoken.", Done),
    row(b'|', "PROGRAMS",          "Recipients may be programs.", Done),
];

use Status::{Accepted, Done};

const fn row(letter: u8, word: &'static str, effect: &'static str, status: Status) -> Row {
    Row { letter, word, effect, status }
}
