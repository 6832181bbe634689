//! `PrivacyOptions`: flags and what each forbids.

/// A privacy flag.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Name as in the cf file.
    pub name: &'static str,
    /// Its bits.
    pub bits: u32,
    /// What it limits.
    pub effect: &'static str,
}

/// All flags, sorted. Source: op guide 5.6; observed bits.
#[rustfmt::skip]
pub static FLAGS: &[Row] = &[
    row("authwarnings",      0x0020,     "adds X-Authentication-Warning headers and log lines"),
    row("goaway",            0x0080_ffff, "all flags of the SMTP dialogue at once"),
    row("needexpnhelo",      0x0002,     "EXPN needs HELO first"),
    row("needmailhelo",      0x0001,     "MAIL needs HELO first"),
    row("needvrfyhelo",      0x0004,     "VRFY needs HELO first"),
    row("noactualrecipient", 0x0040_0000, "no X-Actual-Recipient in DSNs"),
    row("nobodyreturn",      0x0010_0000, "DSNs carry only headers"),
    row("noetrn",            0x0008_0000, "ETRN is off"),
    row("noexpn",            0x0008,     "EXPN and VERB are off"),
    row("noreceipts",        0x0020_0000, "no success DSNs; the extension is not offered"),
    row("noverb",            0x0040,     "VERB is off"),
    row("novrfy",            0x0010,     "VRFY answers 252"),
    row("public",            0x0000,     "no limit"),
    row("restrictexpand",    0x0004_0000, "-bv and -v drop privileges for users who are not trusted"),
    row("restrictmailq",     0x0001_0000, "mailq only for the group of the queue directory"),
    row("restrictqrun",      0x0002_0000, "-q only for root and the owner of the queue"),
];

const fn row(name: &'static str, bits: u32, effect: &'static str) -> Row {
    Row { name, bits, effect }
}

/// A set of privacy flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Privacy(pub u32);

#[allow(missing_docs, reason = "the names are those of the flags; the table says what they mean")]
impl Privacy {
    pub const NEED_MAIL_HELO: u32 = 0x0001;
    pub const NEED_EXPN_HELO: u32 = 0x0002;
    pub const NEED_VRFY_HELO: u32 = 0x0004;
    pub const NO_EXPN: u32 = 0x0008;
    pub const NO_VRFY: u32 = 0x0010;
    pub const AUTH_WARNINGS: u32 = 0x0020;
    pub const NO_VERB: u32 = 0x0040;
    pub const RESTRICT_MAILQ: u32 = 0x0001_0000;
    pub const RESTRICT_QRUN: u32 = 0x0002_0000;
    pub const RESTRICT_EXPAND: u32 = 0x0004_0000;
    pub const NO_ETRN: u32 = 0x0008_0000;
    pub const NO_BODY_RETURN: u32 = 0x0010_0000;
    pub const NO_RECEIPTS: u32 = 0x0020_0000;
    pub const NO_ACTUAL_RECIPIENT: u32 = 0x0040_0000;

    /// Whether any of the bits is set.
    pub fn has(self, bits: u32) -> bool {
        self.0 & bits != 0
    }
}
