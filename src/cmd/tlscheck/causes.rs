//! Causes: one row each. `--explain` prints the row, `tlscheck(8)` lists them.

use std::path::PathBuf;

use crate::cmd::severity::Severity::{self, Error, Note, Warning};

/// A kind of cause.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cmd) struct Row {
    /// Its name.
    pub(in crate::cmd) id: &'static str,
    /// How bad it is.
    pub(in crate::cmd) severity: Severity,
    /// What it does to STARTTLS.
    pub(in crate::cmd) effect: &'static str,
}

/// Whom a cause concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::cmd) struct Sides {
    /// Listeners.
    pub(in crate::cmd) server: bool,
    /// Connections to other hosts.
    pub(in crate::cmd) client: bool,
}

/// Something that is wrong, or worth knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cmd) struct Cause {
    /// What kind.
    pub(in crate::cmd) row: &'static Row,
    /// Whom it concerns.
    pub(in crate::cmd) sides: Sides,
    /// The option that it is about.
    pub(in crate::cmd) option: &'static str,
    /// The file that it is about.
    pub(in crate::cmd) file: Option<PathBuf>,
    /// What is the matter.
    pub(in crate::cmd) text: String,
    /// The command, or the line of the configuration, that mends it.
    pub(in crate::cmd) mend: String,
}

impl Cause {
    /// One of the kind `id`.
    pub(super) fn new(id: &str, sides: Sides, option: &'static str, text: impl Into<String>) -> Self {
        Self { row: find(id), sides, option, file: None, text: text.into(), mend: String::new() }
    }

    /// About a file.
    pub(super) fn about(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Mended by this.
    pub(super) fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = mend.into();
        self
    }

    /// What it is about: the file, or the option.
    pub(super) fn subject(&self) -> String {
        self.file.as_ref().map_or_else(|| self.option.to_owned(), |file| file.display().to_string())
    }
}

impl Sides {
    /// Listeners alone.
    pub(super) const SERVER: Self = Self { server: true, client: false };
    /// Connections to other hosts alone.
    pub(super) const CLIENT: Self = Self { server: false, client: true };
    /// Both.
    pub(super) const BOTH: Self = Self { server: true, client: true };

    /// Those of either.
    pub(super) fn or(self, other: Self) -> Self {
        Self { server: self.server || other.server, client: self.client || other.client }
    }

    /// As it is shown.
    pub(super) fn words(self) -> &'static str {
        match (self.server, self.client) {
            (true, true) => "server and client",
            (true, false) => "server",
            (false, _) => "client",
        }
    }
}

/// The same fault of a file that both sides use is one cause.
pub(super) fn merged(causes: Vec<Cause>) -> Vec<Cause> {
    let mut out: Vec<Cause> = Vec::new();
    for cause in causes {
        let is_same = |c: &&mut Cause| c.row == cause.row && c.file == cause.file && c.text == cause.text;
        match out
            .iter_mut()
            .find(|c| is_same(c) && (c.file.is_some() || without_side(c.option) == without_side(cause.option)))
        {
            Some(known) => known.sides = known.sides.or(cause.sides),
            None => out.push(cause),
        }
    }
    out
}

/// `ServerKeyFile` and `ClientKeyFile` say the same of their sides.
fn without_side(option: &str) -> &str {
    option.strip_prefix("Server").or_else(|| option.strip_prefix("Client")).unwrap_or(option)
}

/// The row of this name.
pub(super) fn by_id(id: &str) -> Option<&'static Row> {
    CAUSES.iter().find(|row| row.id == id)
}

fn find(id: &str) -> &'static Row {
    by_id(id).unwrap_or(&CAUSES[0])
}

/// All of them, sorted by name.
#[rustfmt::skip]
pub(super) static CAUSES: &[Row] = &[
    row("ca-key-beside",         Warning, "who reads that file can make certificates that pass as verified; it belongs on the machine that signs"),
    row("ca-directory-open",     Warning, "who puts a certificate and its link there makes an authority: whatever it signs counts as verified"),
    row("ca-link-missing",       Warning, "a certificate in the directory is not found without a link that has its hash for a name: verify=FAIL"),
    row("ca-link-old-hash",      Warning, "OpenSSL 1.0 and later look for another hash, so that the authority is not found: verify=FAIL"),
    row("ca-names-too-many",     Warning, "a server sends the names of all authorities in CACertFile; old clients break off when there are many"),
    row("certificate-expired",   Error,   "peers that verify refuse it"),
    row("certificate-expiring",  Warning, "peers that verify will refuse it soon"),
    row("certificate-not-yet",   Error,   "peers that verify refuse it until then"),
    row("certificate-nameless",  Warning, "peers that look for our name among its alternative names find none: MTA-STS, DANE and most libraries refuse it"),
    row("certificate-purpose",   Warning, "peers that verify refuse it for this use: \"unsuitable certificate purpose\""),
    row("certificate-revoked",   Error,   "peers that have the list refuse it"),
    row("certificate-weak",      Error,   "OpenSSL does not take a key this short at its security level, so that STARTTLS is not offered, or our certificate is not shown"),
    row("chain-incomplete",      Warning, "peers that do not know the authority in between cannot verify it: \"unable to get local issuer certificate\""),
    row("cipher-list-bad",       Error,   "the list is ignored, and the library's own is used"),
    row("client-alone",          Note,    "STARTTLS is not offered by the submission program, which listens only when it is started with -bd"),
    row("crl-expired",           Error,   "every certificate of that authority counts as unverified: \"CRL has expired\""),
    row("crl-missing",           Error,   "every certificate of that authority counts as unverified: \"unable to get certificate CRL\""),
    row("dh-missing",            Warning, "the parameters cannot be read; those of the library are used"),
    row("dh-weak",               Warning, "OpenSSL does not take parameters this short at its security level: there is no Diffie-Hellman over finite fields"),
    row("directory-missing",     Error,   "authorities or lists are looked for there during a handshake and not found: verify=FAIL"),
    row("directory-unsafe",      Error,   "others could put their own file in its place, so that it is not used"),
    row("file-missing",          Error,   "STARTTLS is not offered without it, or our certificate is not shown"),
    row("file-not-pem",          Error,   "STARTTLS is not offered without it, or our certificate is not shown"),
    row("file-unreadable",       Error,   "who runs the program cannot read it: STARTTLS is not offered, or our certificate is not shown"),
    row("file-unsafe",           Error,   "others can write it, so that it is not used"),
    row("fingerprint-unknown",   Error,   "without a digest of that name there is no TLS"),
    row("key-encrypted",         Error,   "nobody is there to type the pass phrase, so that the key is not used"),
    row("key-mismatch",          Error,   "STARTTLS is not offered with such a pair, or our certificate is not shown"),
    row("key-unsafe",            Error,   "others can read or write the key, so that it is not used"),
    row("option-missing",        Error,   "STARTTLS is not offered without it"),
    row("option-unknown",        Error,   "the daemon does not start"),
    row("port-without-tls",      Note,    "the port has modifier S: STARTTLS is not offered there"),
    row("refused",               Error,   "there is no TLS on this side"),
    row("ruleset-decides",       Note,    "the answer of a ruleset may turn STARTTLS off for some hosts"),
    row("tls-off",               Note,    "UseTLS=False: STARTTLS is neither offered nor used"),
];

const fn row(id: &'static str, severity: Severity, effect: &'static str) -> Row {
    Row { id, severity, effect }
}
