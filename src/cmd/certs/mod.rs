//! certs: a small certificate authority for mail hosts.
//!
//! In: names of hosts and people. Out: keys, requests, certificates, and a directory of them as `CACertPath`, `ServerCertFile`
//! and the other TLS options want it. Documents: RFC 5280, RFC 6125, openssl-rehash(1). Never: writes over a key; shows one.
//!
//! Keys are not encrypted unless that is asked for: a daemon has nobody to ask for a pass phrase.

mod ask;
mod files;
mod install;
mod make;
mod names;
mod rehash;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use super::arguments;
use super::finish::finish;
use crate::base::exit::Exit;
use crate::sys::env;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// A file cannot be read or written.
    #[error("{}: {}", path.display(), crate::sys::safefile::error_text(source))]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is there that must not be lost.
    #[error("{} exists already: move it away (newreq and sign take --force)", .0.display())]
    Exists(PathBuf),
    /// A file holds something else.
    #[error("{}: this is no {what}", path.display())]
    NotA {
        /// The file.
        path: PathBuf,
        /// What was wanted.
        what: &'static str,
    },
    /// Two files do not belong together.
    #[error("{0}")]
    Mismatch(String),
    /// Something that is needed was not given.
    #[error("{0}")]
    Missing(String),
    /// The library refused.
    #[error("OpenSSL: {0}")]
    Library(#[from] openssl::error::ErrorStack),
    /// Standard output or input failed.
    #[error("{0}")]
    Terminal(#[from] io::Error),
}

impl Error {
    fn exit(&self) -> Exit {
        match self {
            Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::NOINPUT,
            Self::File { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => Exit::NOPERM,
            Self::File { .. } | Self::Terminal(_) => Exit::IOERR,
            Self::Exists(_) => Exit::CANTCREAT,
            Self::NotA { .. } | Self::Mismatch(_) => Exit::DATAERR,
            Self::Missing(_) => Exit::USAGE,
            Self::Library(_) => Exit::SOFTWARE,
        }
    }
}

/// Makes and installs certificates for mail hosts.
#[derive(Debug, Parser)]
#[command(name = "certs", version)]
struct Line {
    #[command(subcommand)]
    work: Work,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Make an authority: DIR/cacert.pem and DIR/private/cakey.pem
    Newca(NewAuthority),
    /// Make a key and a request for a certificate: newkey.pem and newreq.pem
    Newreq(NewRequest),
    /// Sign a request with the authority: newcert.pem
    Sign(Sign),
    /// Put authority, certificate and key where sendmail reads them, with modes, group and hash link
    Install(Install),
    /// Make the hash links of a directory anew, and take away those that lead nowhere
    Rehash(Rehash),
}

/// Who a certificate is about, beside its common name.
#[derive(Debug, Args, Default)]
pub(super) struct Subject {
    /// Country, two letters
    #[arg(long)]
    country: Option<String>,
    /// State or province
    #[arg(long)]
    state: Option<String>,
    /// City
    #[arg(long)]
    locality: Option<String>,
    /// Organization
    #[arg(long)]
    organization: Option<String>,
    /// Unit of the organization
    #[arg(long)]
    unit: Option<String>,
}

#[derive(Debug, Args)]
struct NewAuthority {
    /// Where the authority lives
    #[arg(long, default_value = "demoCA")]
    dir: PathBuf,
    /// Its common name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    subject: Subject,
    /// Kind of key
    #[arg(long, default_value = "p256")]
    key: make::KeyKind,
    /// For how many days it is valid
    #[arg(long, default_value_t = 3650)]
    days: u32,
    /// Encrypt the authority's key with the first line of this file
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct NewRequest {
    /// Name of the host, as its MX record has it; the common name
    #[arg(long)]
    host: Option<String>,
    /// More names of the host, or addresses
    #[arg(long = "alt")]
    alternatives: Vec<String>,
    #[command(flatten)]
    subject: Subject,
    /// Kind of key
    #[arg(long, default_value = "p256")]
    key: make::KeyKind,
    /// Where the key goes
    #[arg(long, default_value = "newkey.pem")]
    key_out: PathBuf,
    /// Where the request goes
    #[arg(long, default_value = "newreq.pem")]
    out: PathBuf,
    /// Replace files that are there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct Sign {
    /// Where the authority lives
    #[arg(long, default_value = "demoCA")]
    dir: PathBuf,
    /// The request
    #[arg(long = "in", default_value = "newreq.pem")]
    request: PathBuf,
    /// Where the certificate goes
    #[arg(long, default_value = "newcert.pem")]
    out: PathBuf,
    /// For how many days it is valid
    #[arg(long, default_value_t = 397)]
    days: u32,
    /// First line of this file decrypts the authority's key
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Replace the certificate that is there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct Install {
    /// Certificate of the authority
    #[arg(long, default_value = "demoCA/cacert.pem")]
    ca: PathBuf,
    /// Certificate of the host
    #[arg(long, default_value = "newcert.pem")]
    cert: PathBuf,
    /// Its key
    #[arg(long, default_value = "newkey.pem")]
    key: PathBuf,
    /// Where they go
    #[arg(long, default_value = "/etc/mail/certs")]
    to: PathBuf,
    /// They become NAME-cert.pem and NAME-key.pem; the first part of the host's name when not given
    #[arg(long)]
    name: Option<String>,
    /// Group that may read the key, for the submission program (wants DontBlameSendmail=GroupReadableKeyFile)
    #[arg(long)]
    group: Option<String>,
}

#[derive(Debug, Args)]
struct Rehash {
    /// The directory
    dir: PathBuf,
    /// Say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// The program.
pub fn main() -> ExitCode {
    finish(run(env::args(), &mut io::stdout().lock(), &mut io::stderr().lock()))
}

/// The program with its outputs passed in.
pub fn run(args: Vec<OsString>, out: &mut dyn Write, errors: &mut dyn Write) -> Exit {
    let line: Line = match arguments::parse(args, out, errors) {
        Ok(line) => line,
        Err(exit) => return exit,
    };
    let done = match line.work {
        Work::Newca(order) => make::authority(order, out),
        Work::Newreq(order) => make::request(order, out),
        Work::Sign(order) => make::sign(&order, out),
        Work::Install(order) => install::install(&order, out),
        Work::Rehash(order) => rehash::rehash(&order.dir, order.dry_run, out),
    };
    ended("certs", done, errors)
}

/// Makes the hash links of a directory for another program, which is named in what goes wrong.
pub(super) fn rehash(
    program: &str,
    directory: &Path,
    dry_run: bool,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Exit {
    ended(program, rehash::rehash(directory, dry_run, out), errors)
}

fn ended(program: &str, done: Result<(), Error>, errors: &mut dyn Write) -> Exit {
    match done {
        Ok(()) => Exit::OK,
        Err(error) => {
            // Nobody is left to be told when the terminal is gone.
            let _ = writeln!(errors, "{program}: {error}");
            error.exit()
        }
    }
}

#[cfg(test)]
mod tests;
