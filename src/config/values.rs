//! Values that options take: words with a first letter, users, file modes.

use bytes::Bytes;

/// One value of `AliasFile`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasSource {
    /// `file` or `class:flags file`.
    pub text: Bytes,
    /// Line that has it; 0 for the command line.
    pub line: u32,
}

/// `DeliveryMode`: when delivery happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryMode {
    /// `i`: before the reply to the final dot.
    Interactive,
    /// `b`: right after it.
    Background,
    /// `q`: at the next queue run.
    QueueOnly,
    /// `d`: at the next queue run, and no map lookups before.
    Deferred,
}

impl DeliveryMode {
    /// From its first letter.
    pub fn from_letter(letter: u8) -> Option<Self> {
        Some(match letter.to_ascii_lowercase() {
            b'i' => Self::Interactive,
            b'b' => Self::Background,
            b'q' => Self::QueueOnly,
            b'd' => Self::Deferred,
            _ => return None,
        })
    }

    /// The letter, as `${deliveryMode}` shows it.
    pub fn letter(self) -> u8 {
        match self {
            Self::Interactive => b'i',
            Self::Background => b'b',
            Self::QueueOnly => b'q',
            Self::Deferred => b'd',
        }
    }

    /// Whether a message is tried as soon as it is accepted.
    pub fn is_immediate(self) -> bool {
        matches!(self, Self::Interactive | Self::Background)
    }
}

/// `EightBitMode`: undeclared 8-bit bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EightBitMode {
    /// `m`: convert to MIME.
    Mimefy,
    /// `p`: pass on.
    Pass,
    /// `s`: refuse.
    Strict,
}

/// `ErrorMode`: how errors of a local submission are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorMode {
    /// `p`: on standard error.
    Print,
    /// `q`: by the exit code alone.
    Quiet,
    /// `m`: by mail.
    Mail,
    /// `w`: on the user's terminal, else by mail.
    Write,
    /// `e`: by mail, exit code always 0.
    MailZero,
}

/// `SuperSafe`: when the queue file is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuperSafe {
    /// Only when the first try did not deliver.
    False,
    /// Before every 250.
    True,
    /// Not while interactive delivery goes on.
    Interactive,
    /// After the milters.
    PostMilter,
}

/// `QueueSortOrder`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the option's values")]
pub enum QueueSortOrder {
    Filename,
    Host,
    Modification,
    None,
    Priority,
    Random,
    Time,
}

/// `NoRecipientAction`: a message without recipient headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the option's values")]
pub enum NoRecipientAction {
    None,
    AddTo,
    AddApparentlyTo,
    AddBcc,
    AddToUndisclosed,
}

/// `DontProbeInterfaces`: which interfaces give names for `$=w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeInterfaces {
    /// `false`: all.
    All,
    /// `loopback`: all but loopback.
    NotLoopback,
    /// `true`: none.
    None,
}

/// `TimeZoneSpec`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeZoneSpec {
    /// Unset: `TZ` is cleared, the system's zone counts.
    System,
    /// Set but empty: the caller's `TZ` counts.
    Caller,
    /// A zone.
    Named(Bytes),
}

/// Permission bits read from octal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileMode(pub u32);

/// A user and group, resolved when the configuration was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSpec {
    /// User number.
    pub uid: u32,
    /// Group number.
    pub gid: u32,
    /// Login name, when the user has one.
    pub name: Option<Bytes>,
}
