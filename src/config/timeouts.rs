//! `O Timeout.…`: one field per name; [`TIMEOUTS`] has the rows.

use std::time::Duration;

/// A message's precedence as timeouts see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByPrecedence {
    /// Normal mail.
    pub normal: Duration,
    /// `Precedence` above 0.
    pub urgent: Duration,
    /// `Precedence` below 0.
    pub non_urgent: Duration,
    /// DSNs.
    pub dsn: Duration,
}

impl ByPrecedence {
    /// The same for all.
    pub const fn all(span: Duration) -> Self {
        Self { normal: span, urgent: span, non_urgent: span, dsn: span }
    }
}

macro_rules! timeouts {
    ($($name:literal, $field:ident = $seconds:expr, $effect:literal;)*) => {
        /// Values of all simple timeouts, and those that depend on precedence. Zero means none.
        #[derive(Debug, Clone)]
        pub struct Timeouts {
            $(#[doc = $effect] pub $field: Duration,)*
            /// `queuereturn`: age at which a message is returned.
            pub queuereturn: ByPrecedence,
            /// `queuewarn`: age at which the sender is told of the delay; zero for never.
            pub queuewarn: ByPrecedence,
            /// `resolver.retrans`: `first` and `normal`; `None` for the resolver's own.
            pub resolver_retrans: (Option<Duration>, Option<Duration>),
            /// `resolver.retry`: `first` and `normal`.
            pub resolver_retry: (Option<i64>, Option<i64>),
        }

        impl Default for Timeouts {
            fn default() -> Self {
                Self {
                    $($field: Duration::from_secs($seconds),)*
                    queuereturn: ByPrecedence::all(Duration::from_secs(5 * 86_400)),
                    queuewarn: ByPrecedence::all(Duration::ZERO),
                    resolver_retrans: (None, None),
                    resolver_retry: (None, None),
                }
            }
        }

        impl Timeouts {
            /// The field of a simple timeout.
            pub fn simple_mut(&mut self, name: &str) -> Option<&mut Duration> {
                match name {
                    $($name => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }

        /// Names of the simple timeouts with what each limits.
        pub static TIMEOUTS: &[(&str, &str)] = &[$(($name, $effect),)*];
    };
}

timeouts! {
    "aconnect", aconnect = 0, "All connection attempts of one delivery together.";
    "auth", auth = 600, "A peer's answer in an AUTH dialogue.";
    "command", command = 3600, "The next command of a client.";
    "connect", connect = 0, "A connection attempt.";
    "control", control = 120, "A dialogue on the control socket.";
    "datablock", datablock = 3600, "The next block of a message.";
    "datafinal", datafinal = 3600, "The reply to the final dot.";
    "datainit", datainit = 300, "The reply to DATA.";
    "fileopen", fileopen = 60, "Opening a .forward or :include: file.";
    "helo", helo = 300, "The reply to HELO or EHLO.";
    "hoststatus", hoststatus = 1800, "How long a host's status counts.";
    "iconnect", iconnect = 0, "The first connection attempt for a message.";
    "ident", ident = 5, "An answer from an ident server; zero turns the question off.";
    "initial", initial = 300, "The greeting of a server.";
    "lhlo", lhlo = 120, "The reply to LHLO.";
    "mail", mail = 600, "The reply to MAIL.";
    "misc", misc = 120, "The reply to NOOP, VERB and the like.";
    "quit", quit = 120, "The reply to QUIT.";
    "rcpt", rcpt = 3600, "The reply to RCPT.";
    "rset", rset = 300, "The reply to RSET.";
    "starttls", starttls = 3600, "The reply to STARTTLS and the handshake.";
}
