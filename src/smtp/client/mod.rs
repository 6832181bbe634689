//! The client session: SMTP and LMTP.
//!
//! In: replies of a server, transactions. Out: commands, an outcome per recipient, what the server can do. Documents:
//! RFC 5321, 2033 (LMTP), 1870, 2920, 3207, 3461, 4954, 6152. Never: chooses a host, decides what a refusal means for a message,
//! gives a recipient up because a connection broke.
//!
//! *Phase*: what we wait for; each has its timeout. *Trouble*: why a connection is of no use any more.

pub mod auth;
pub mod drive;
pub mod negotiate;
pub mod reply;
pub mod transaction;

pub use negotiate::Capabilities;
pub use reply::Reply;
pub use transaction::{Recipient, Settled, Transaction};

use std::time::Duration;

use bytes::Bytes;

use crate::config::Timeouts;

/// What we wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[rustfmt::skip]
pub enum Phase {
    /// The connection.
    Connect,
    /// The greeting.
    Greeting,
    /// The reply to EHLO or HELO.
    Helo,
    /// The reply to LHLO.
    Lhlo,
    /// The reply to STARTTLS.
    StartTls,
    /// The handshake.
    Handshake,
    /// A reply in an AUTH dialogue.
    Auth,
    /// The reply to RSET.
    Rset,
    /// The reply to MAIL.
    Mail,
    /// The reply to RCPT.
    Rcpt,
    /// The reply to DATA.
    DataInit,
    /// The server to take the next block of the message.
    DataBlock,
    /// The reply to the dot.
    DataFinal,
    /// The reply to QUIT.
    Quit,
}

impl Phase {
    /// What was waited for, as the log names it; `None` for what is no reply.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Connect | Self::Handshake | Self::DataBlock => return None,
            Self::Greeting => "greeting",
            Self::Helo => "EHLO",
            Self::Lhlo => "LHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Rset => "RSET",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::DataInit => "DATA 354",
            Self::DataFinal => "DATA status",
            Self::Quit => "QUIT",
        })
    }

    /// Whether a refusal with this code is one for good. A code that is neither of class 4 nor 5 breaks the protocol; before the
    /// first transaction that may pass. Source: observed.
    pub fn is_lasting(self, code: u16) -> bool {
        match code {
            400..=499 => false,
            500..=599 => true,
            _ => matches!(self, Self::Greeting | Self::Mail | Self::Rcpt | Self::DataInit | Self::DataFinal),
        }
    }

    /// For how long; `None` for ever.
    pub fn limit(self, timeouts: &Timeouts) -> Option<Duration> {
        let limit = match self {
            Self::Connect => timeouts.connect,
            Self::Greeting => timeouts.initial,
            Self::Helo => timeouts.helo,
            Self::Lhlo => timeouts.lhlo,
            Self::StartTls | Self::Handshake => timeouts.starttls,
            Self::Auth => timeouts.auth,
            Self::Rset => timeouts.rset,
            Self::Mail => timeouts.mail,
            Self::Rcpt => timeouts.rcpt,
            Self::DataInit => timeouts.datainit,
            Self::DataBlock => timeouts.datablock,
            Self::DataFinal => timeouts.datafinal,
            Self::Quit => timeouts.quit,
        };
        (!limit.is_zero()).then_some(limit)
    }
}

/// Why a connection is of no use. All but [`Trouble::Refused`] with a 5xx reply and [`Trouble::Loop`] are temporary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The connection could not be made or broke; the system's words when there are any.
    Broken {
        /// What was waited for.
        phase: Phase,
        /// Error number of the system; `None` when the server closed.
        errno: Option<i32>,
    },
    /// Nothing came in time.
    Timeout(Phase),
    /// The server refused at a point where this ends the session.
    Refused {
        /// What was waited for.
        phase: Phase,
        /// The last command sent; empty for the greeting.
        command: Bytes,
        /// What it said.
        reply: Reply,
    },
    /// What came is no SMTP reply, or too long.
    Garbage(Phase),
    /// A ruleset of ours refused (`tls_server`); its reply, `454 4.7.0 TLS handshake failed.`.
    Ruleset(Bytes),
    /// The handshake failed; what the log shows behind `error: `.
    Handshake(String),
    /// The name server has no addresses for the host; [`crate::net::dns::Error`] in its words.
    Name(crate::net::dns::Error),
    /// The server greets with our own name.
    Loop,
    /// No host was given.
    NoHost,
    /// We have a name for the server, and no mechanism of AUTH that both sides allow.
    NoMechanism,
    /// The rules cannot say now as whom to log in.
    NoLogin,
    /// The time for all connections of a delivery ended before this host had its own: nothing is known of the host.
    OutOfTime,
}

impl Trouble {
    /// Whether another try makes sense.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Refused { phase, reply, .. } => !phase.is_lasting(reply.code),
            Self::Ruleset(reply) => reply.first() != Some(&b'5'),
            Self::Name(error) => *error == crate::net::dns::Error::Temporary,
            Self::Loop => false,
            Self::Broken { .. }
            | Self::Timeout(_)
            | Self::Garbage(_)
            | Self::Handshake(_)
            | Self::NoHost
            | Self::NoMechanism
            | Self::NoLogin
            | Self::OutOfTime => true,
        }
    }

    /// What stands behind `Deferred: ` in `stat=`; empty when the original says nothing.
    ///
    /// Source: observed (`Connection refused by mx.down.test.`, an empty reason when the server closed).
    pub fn words(&self, host: &str) -> String {
        match self {
            Self::Broken { phase: Phase::Connect, errno: Some(errno) } => connect_words(*errno, host),
            Self::Broken { errno: Some(errno), .. } if *errno == libc::ECONNRESET => {
                format!("Connection reset by {host}")
            }
            Self::Broken { .. } => String::new(),
            Self::Timeout(_) | Self::OutOfTime => format!("Connection timed out with {host}"),
            Self::Refused { reply, .. } => reply.log_form(),
            Self::Garbage(_) => format!("Remote protocol error from {host}"),
            Self::Ruleset(reply) => crate::base::bytes::shown(reply).to_string(),
            Self::Handshake(_) => "454 4.7.0 TLS handshake failed.".to_owned(),
            Self::Name(error) => error.reason(host.as_bytes()),
            Self::Loop => format!("{host} config error: mail loops back to me (MX problem?)"),
            Self::NoHost => "No host given".to_owned(),
            Self::NoMechanism | Self::NoLogin => "Temporary AUTH failure".to_owned(),
        }
    }
}

fn connect_words(errno: i32, host: &str) -> String {
    match errno {
        libc::ECONNREFUSED => format!("Connection refused by {host}"),
        libc::ECONNRESET => format!("Connection reset by {host}"),
        libc::ETIMEDOUT => format!("Connection timed out with {host}"),
        // Source: observed (`[192.0.2.77]: Network is unreachable`).
        _ => format!("{host}: {}", system_words(errno)),
    }
}

/// What strerror(3) says.
fn system_words(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
