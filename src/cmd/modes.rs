//! Operation modes and personalities: what `-b` and the program's name ask for.

use std::path::PathBuf;

/// What the program is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `-bm`: take a message from standard input. The default.
    Deliver,
    /// `-ba`: the same, lines end in CRLF.
    Arpa,
    /// `-bs`: SMTP on standard input and output.
    Smtp,
    /// `-bd`: daemon in the background.
    Daemon,
    /// `-bD`: daemon in the foreground.
    Foreground,
    /// `-bv`: verify addresses.
    Verify,
    /// `-bt`: address test mode.
    Test,
    /// `-bC`: check the configuration.
    Check,
    /// `-bp`: print the queue.
    PrintQueue,
    /// `-bP`: print the number of queue entries.
    PrintCounts,
    /// `-bi`: rebuild the alias databases.
    Aliases,
    /// `-bh`: print persistent host status.
    HostStatus,
    /// `-bH`: purge it.
    PurgeStatus,
    /// `-q`: run the queue, nothing else.
    RunQueue,
}

/// A mode.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Letter behind `-b`; `q` stands for `-q` alone.
    pub letter: u8,
    /// The mode.
    pub mode: Mode,
    /// Only for root and trusted users.
    pub trusted: bool,
    /// Whether `submit.cf` is read when it exists and neither `-Ac`, `-Am` nor `-C` says which file.
    pub submits: bool,
    /// What it does.
    pub effect: &'static str,
}

const fn row(letter: u8, mode: Mode, trusted: bool, submits: bool, effect: &'static str) -> Row {
    Row { letter, mode, trusted, submits, effect }
}

/// All modes, sorted by letter. Source: sendmail(8); observed.
#[rustfmt::skip]
pub static MODES: &[Row] = &[
    row(b'C', Mode::Check,       false, false, "checks the configuration; exit code 0 or 70"),
    row(b'D', Mode::Foreground,  true,  false, "daemon that stays in the foreground"),
    row(b'H', Mode::PurgeStatus, true,  false, "deletes expired host status"),
    row(b'P', Mode::PrintCounts, false, false, "number of queue entries from shared memory"),
    row(b'a', Mode::Arpa,        false, true,  "message from standard input with CRLF line ends"),
    row(b'd', Mode::Daemon,      true,  false, "daemon in the background"),
    row(b'h', Mode::HostStatus,  false, false, "prints persistent host status"),
    row(b'i', Mode::Aliases,     true,  false, "rebuilds the alias databases"),
    row(b'm', Mode::Deliver,     false, true,  "message from standard input (the default)"),
    row(b'p', Mode::PrintQueue,  false, false, "prints the queue"),
    row(b'q', Mode::RunQueue,    false, false, "runs the queue (given as -q)"),
    row(b's', Mode::Smtp,        false, true,  "SMTP on standard input and output"),
    row(b't', Mode::Test,        false, false, "address test mode"),
    row(b'v', Mode::Verify,      false, false, "verifies addresses, delivers nothing"),
];

impl Mode {
    /// The mode of a `-b` letter.
    pub fn from_letter(letter: u8) -> Option<Self> {
        MODES.iter().find(|row| row.letter == letter && letter != b'q').map(|row| row.mode)
    }

    /// Its row.
    pub fn row(self) -> &'static Row {
        MODES.iter().find(|row| row.mode == self).unwrap_or(&MODE_OF_LAST_RESORT)
    }

    /// Its letter, as `${opMode}` shows it.
    pub fn letter(self) -> u8 {
        self.row().letter
    }

    /// Whether a message or a session comes in on standard input.
    pub fn takes_mail(self) -> bool {
        matches!(self, Self::Deliver | Self::Arpa | Self::Smtp)
    }
}

static MODE_OF_LAST_RESORT: Row = row(b'm', Mode::Deliver, false, true, "");

/// Modes that the program's own name asks for. Source: observed.
pub static PERSONALITIES: &[(&str, Mode)] = &[
    ("hoststat", Mode::HostStatus),
    ("mailq", Mode::PrintQueue),
    ("newaliases", Mode::Aliases),
    ("purgestat", Mode::PurgeStatus),
    ("smtpd", Mode::Daemon),
];

/// Which of the two standing configurations a program works under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `sendmail.cf`.
    Transfer,
    /// `submit.cf`.
    Submission,
}

impl Role {
    /// The role's file.
    pub fn path(self) -> PathBuf {
        PathBuf::from(match self {
            Self::Transfer => "/etc/mail/sendmail.cf",
            Self::Submission => "/etc/mail/submit.cf",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_sorted_and_unique() {
        assert!(MODES.windows(2).all(|w| w[0].letter < w[1].letter));
        assert!(MODES.iter().all(|row| row.mode.letter() == row.letter));
        assert!(PERSONALITIES.windows(2).all(|w| w[0].0 < w[1].0));
    }
}
