//! What a message may be, and what is said of one that is not.

use crate::base::exit::Exit;
use crate::base::status::{Classify, Status};
use crate::config::Options;
use crate::config::values::EightBitMode;
use crate::envelope::BodyType;

/// Limits of one message; 0 means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// `MaxHeadersLength`: all header lines together, bytes.
    pub headers: usize,
    /// `MaxMessageSize`: the message, bytes.
    pub message: u64,
    /// `SevenBitInput` or `BODY=7BIT`: the top bit of every byte is cleared.
    pub is_seven_bit: bool,
    /// `SaveFromLine`: a `From ` line in front is text.
    pub keeps_from_line: bool,
    /// `RejectNUL`: a NUL in the message refuses it.
    pub rejects_nul: bool,
    /// `EightBitMode=strict`: 8-bit text that nobody declared, neither by `BODY=` nor by `MIME-Version`, refuses it.
    pub rejects_undeclared: bool,
}

impl Limits {
    /// From the options and the body type that the sender declared.
    pub fn new(options: &Options, declared: Option<BodyType>) -> Self {
        Self {
            headers: usize::try_from(options.max_headers_length).unwrap_or(0),
            message: u64::try_from(options.max_message_size).unwrap_or(0),
            // What is declared counts for more than the option. Source: observed.
            is_seven_bit: declared.map_or(options.seven_bit_input, |declared| declared == BodyType::SevenBit),
            keeps_from_line: options.save_from_line,
            rejects_nul: options.reject_nul,
            rejects_undeclared: options.eight_bit_mode == EightBitMode::Strict
                && declared != Some(BodyType::EightBitMime),
        }
    }
}

/// Why a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More header than allowed.
    #[error("Headers too large ({0} max)")]
    HeadersTooLarge(usize),
    /// A longer message than allowed.
    #[error("Message exceeds maximum fixed size ({0})")]
    MessageTooLarge(u64),
    /// A NUL.
    #[error("NUL byte not allowed")]
    Nul,
    /// 8-bit text that was not declared.
    #[error("Eight bit data not allowed")]
    EightBit,
}

impl Fault {
    /// What the log says of it, beside the refusal. Source: observed.
    pub fn log_text(self, size_bytes: u64, from: &str) -> Option<String> {
        match self {
            Self::HeadersTooLarge(limit) => {
                Some(format!("headers too large ({limit} max) from {from} during message collect"))
            }
            Self::MessageTooLarge(limit) => Some(format!("message size ({size_bytes}) exceeds maximum ({limit})")),
            Self::Nul | Self::EightBit => None,
        }
    }
}

impl Classify for Fault {
    fn status(&self) -> (u16, Status) {
        match self {
            Self::HeadersTooLarge(_) => (552, Status(5, 6, 0)),
            Self::MessageTooLarge(_) => (552, Status(5, 2, 3)),
            Self::Nul | Self::EightBit => (554, Status(5, 6, 1)),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::MessageTooLarge(_) => Exit::UNAVAILABLE,
            Self::HeadersTooLarge(_) | Self::Nul | Self::EightBit => Exit::DATAERR,
        }
    }

    fn peer_text(&self) -> String {
        self.to_string()
    }
}
