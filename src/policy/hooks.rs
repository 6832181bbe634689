//! The moments at which a ruleset is asked.

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the table below says what each is")]
pub enum Hook {
    Authinfo,
    CheckCompat,
    CheckData,
    CheckEoh,
    CheckEom,
    CheckEtrn,
    CheckExpn,
    CheckMail,
    CheckOther,
    CheckRcpt,
    CheckRelay,
    CheckVrfy,
    CltFeatures,
    GreetPause,
    QueueGroup,
    SrvFeatures,
    TlsClient,
    TlsCltFeatures,
    TlsRcpt,
    TlsServer,
    TlsSrvFeatures,
    TrustAuth,
    TryTls,
}

/// What the answer of a ruleset means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// `$#error`, `$#discard`, quarantine; everything else accepts.
    Check,
    /// What stands behind `$#` is the answer; everything else is none.
    Value,
}

/// A moment, the ruleset and what it is about.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The moment.
    pub hook: Hook,
    /// Name of the ruleset.
    pub name: &'static str,
    /// When it is asked.
    pub moment: &'static str,
    /// What it sees; several arguments are separated by `$|`.
    pub arguments: &'static str,
    /// How its answer is read.
    pub meaning: Meaning,
}

/// All moments, in the order of [`Hook`]. Source: op guide 5.1.4; observed.
#[rustfmt::skip]
pub static HOOKS: &[Row] = &[
    row(Hook::Authinfo,       "authinfo",         "before AUTH to a server",             "server name $| server address",       Meaning::Value),
    row(Hook::CheckCompat,    "check_compat",     "each delivery",                       "sender $| recipient",                 Meaning::Check),
    row(Hook::CheckData,      "check_data",       "DATA",                                "number of recipients",                Meaning::Check),
    row(Hook::CheckEoh,       "check_eoh",        "after the header",                    "number of fields $| bytes",           Meaning::Check),
    row(Hook::CheckEom,       "check_eom",        "after the message",                   "size of the message",                 Meaning::Check),
    row(Hook::CheckEtrn,      "check_etrn",       "ETRN",                                "its argument",                        Meaning::Check),
    row(Hook::CheckExpn,      "check_expn",       "EXPN",                                "its argument",                        Meaning::Check),
    row(Hook::CheckMail,      "check_mail",       "MAIL",                                "the reverse-path with its brackets",  Meaning::Check),
    row(Hook::CheckOther,     "check_other",      "commands without a ruleset of their own", "command line $| first digit of the reply", Meaning::Check),
    row(Hook::CheckRcpt,      "check_rcpt",       "RCPT",                                "the forward-path with its brackets",  Meaning::Check),
    row(Hook::CheckRelay,     "check_relay",      "a connection was accepted",           "client host $| client address",       Meaning::Check),
    row(Hook::CheckVrfy,      "check_vrfy",       "VRFY",                                "its argument",                        Meaning::Check),
    row(Hook::CltFeatures,    "clt_features",     "connected to a server",               "server name",                         Meaning::Value),
    row(Hook::GreetPause,     "greet_pause",      "before the greeting",                 "client host $| client address",       Meaning::Value),
    row(Hook::QueueGroup,     "queuegroup",       "a recipient was resolved",            "user of the triple",                  Meaning::Value),
    row(Hook::SrvFeatures,    "srv_features",     "a connection was accepted",           "client host",                         Meaning::Value),
    row(Hook::TlsClient,      "tls_client",       "after STARTTLS of a client",          "${verify} $| STARTTLS or MAIL",       Meaning::Check),
    row(Hook::TlsCltFeatures, "tls_clt_features", "before STARTTLS to a server",         "server name $| server address",       Meaning::Value),
    row(Hook::TlsRcpt,        "tls_rcpt",         "before each RCPT to a server",        "recipient",                           Meaning::Check),
    row(Hook::TlsServer,      "tls_server",       "after the STARTTLS decision to a server", "${verify}",                       Meaning::Check),
    row(Hook::TlsSrvFeatures, "tls_srv_features", "before the handshake of a client",    "client name $| client address",       Meaning::Value),
    row(Hook::TrustAuth,      "trust_auth",       "AUTH= of MAIL",                       "its value",                           Meaning::Check),
    row(Hook::TryTls,         "try_tls",          "a server offers STARTTLS",            "server name",                         Meaning::Check),
];

const fn row(hook: Hook, name: &'static str, moment: &'static str, arguments: &'static str, meaning: Meaning) -> Row {
    Row { hook, name, moment, arguments, meaning }
}

impl Hook {
    /// Name of its ruleset.
    pub fn name(self) -> &'static str {
        self.row().map_or("", |r| r.name)
    }

    /// Its row.
    pub fn row(self) -> Option<&'static Row> {
        HOOKS.get(self as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_finds_its_row() {
        for row in HOOKS {
            assert_eq!(row.hook.row().unwrap().name, row.name);
        }
        assert!(HOOKS.is_sorted_by_key(|r| r.name.to_ascii_lowercase()));
    }
}
