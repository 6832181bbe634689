//! TLS contexts from options: key material read through the port, settings put together.
//!
//! A side is set up when it is first needed: who never connects must not complain of the keys for it. It is set up again
//! when its files changed, so that a renewed certificate counts without a restart.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::base::bytes::shown;
use crate::config::Config;
use crate::log::{Id, Level, Logger, Priority};
use crate::monitor::Port;
use crate::net::tls::features::{self, DEFAULT_OPTIONS, Features};
use crate::net::tls::{
    ClientContext, DhParameters, Identity, Notice, PemFile, Refusal, Role, ServerContext, SessionSettings, Settings,
};
use crate::sys::clock;
use crate::sys::file;
use crate::sys::safefile::Purpose;

/// Contexts of both sides; a missing one was explained in the log.
pub struct Tls {
    config: Arc<Config>,
    port: Port,
    log: Logger,
    server: Mutex<Side<ServerContext>>,
    client: Mutex<Side<ClientContext>>,
}

/// The context of one side, once it was needed.
struct Side<C> {
    context: Option<C>,
    /// Its files when it was built; `None` before.
    files: Option<Vec<Stamp>>,
    looked_at: Instant,
}

/// A file or directory, and what it was when it was last read; `None` when it was not there.
type Stamp = (PathBuf, Option<file::Stamp>);

impl Tls {
    /// For a configuration; nothing is read yet.
    pub fn new(config: Arc<Config>, port: Port, log: Logger) -> Self {
        Self { config, port, log, server: Mutex::new(Side::unbuilt()), client: Mutex::new(Side::unbuilt()) }
    }

    /// Accepts TLS; `None` when STARTTLS is not to be offered.
    pub fn server(&self) -> Option<ServerContext> {
        self.side(&self.server, Role::Server, ServerContext::build)
    }

    /// Makes TLS connections.
    pub fn client(&self) -> Option<ClientContext> {
        self.side(&self.client, Role::Client, ClientContext::build)
    }

    /// The context of a side: built, or built again when files changed. While changed files cannot be used, the context made
    /// of the earlier ones stays.
    fn side<C: Clone>(
        &self,
        side: &Mutex<Side<C>>,
        role: Role,
        build: impl Fn(&Settings) -> (Result<C, Refusal>, Vec<Notice>),
    ) -> Option<C> {
        let mut side = side.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = clock::monotonic().duration_since(side.looked_at) >= LOOK_AGAIN;
        if side.files.is_some() && !is_due {
            return side.context.clone();
        }
        side.looked_at = clock::monotonic();
        let files = self.files(role);
        if side.files.as_ref() == Some(&files) {
            return side.context.clone();
        }
        if side.files.is_some() {
            let text = format!("STARTTLS={}: files changed, reading them again", role.word());
            self.log.write(Level::TLS, Priority::Info, Id::None, text);
        }
        side.files = Some(files);
        if let Some(settings) = self.settings(role) {
            let (context, notices) = build(&settings);
            tell(&self.log, notices);
            side.context = context.ok().or(side.context.take());
        }
        side.context.clone()
    }

    /// What the context of a side is made of, as it is now.
    fn files(&self, role: Role) -> Vec<Stamp> {
        let options = &self.config.options;
        let (certificates, keys) = match role {
            Role::Server => (&options.server_cert_file, &options.server_key_file),
            Role::Client => (&options.client_cert_file, &options.client_key_file),
        };
        let shared = [&options.ca_cert_file, &options.ca_cert_path, &options.crl_file, &options.crl_path];
        let dh = options.dh_parameters.as_ref().filter(|name| role == Role::Server && name.starts_with(b"/"));
        let names = certificates.iter().chain(keys).chain(shared.into_iter().flatten()).chain(dh);
        names.map(|name| (path(name), file::stamp_of(&path(name)).ok())).collect()
    }

    /// Settings of one connection, and which file of the identity cannot be used: then the one of the configuration stays.
    /// Source: observed.
    pub fn session(&self, wanted: Features) -> (SessionSettings, Option<String>) {
        let read = |name: &str, purpose| {
            let path = PathBuf::from(name);
            match self.port.read_protected(&path, purpose, PEM_BYTES) {
                Ok(pem) => Ok(PemFile { path, pem: pem.into() }),
                Err(error) => Err(format!("file {name} unsafe: {error}")),
            }
        };
        let identity = wanted.identity.map(|(certificate, key)| -> Result<Identity, String> {
            let certificate = read(&certificate, Purpose::Certificate)?;
            Ok(Identity { certificate, key: read(&key, Purpose::Key)? })
        });
        let (identity, complaint) = match identity {
            Some(Ok(identity)) => (Some(identity), None),
            Some(Err(complaint)) => (None, Some(complaint)),
            None => (None, None),
        };
        let settings = SessionSettings {
            options: wanted.options,
            cipher_list: wanted.cipher_list,
            cipher_suites: wanted.cipher_suites,
            identity,
            ask_certificate: None,
            needs_crl: wanted.needs_crl,
            server_name: wanted.server_name,
            dane: None,
            without_dane: wanted.without_dane,
            fallback_to_clear: wanted.fallback_to_clear,
        };
        (settings, complaint)
    }

    /// Without its revocation list a side would trust what it must not: no settings then.
    fn settings(&self, role: Role) -> Option<Settings> {
        if !self.config.options.use_tls {
            return None;
        }
        let settings = settings(&self.config, role, &self.port, &self.log);
        (self.config.options.crl_file.is_none() || settings.crl_file.is_some()).then_some(settings)
    }
}

impl<C> Side<C> {
    fn unbuilt() -> Self {
        Self { context: None, files: None, looked_at: clock::monotonic() }
    }
}

fn settings(config: &Config, role: Role, port: &Port, log: &Logger) -> Settings {
    let options = &config.options;
    let reader = Reader { port, log, side: role.word() };
    let certificate = |path: &Option<Bytes>| path.as_ref().and_then(|p| reader.pem(p, Purpose::Certificate));
    let text = |value: &Option<Bytes>| value.as_ref().map(|v| shown(v).to_string());
    let bits = |value: &Option<Bytes>, side: &str| {
        let Some(value) = value else { return DEFAULT_OPTIONS };
        let (bits, faults) = features::options(value, DEFAULT_OPTIONS);
        for (name, _) in faults {
            log.write(Level::TLS, Priority::Warning, Id::None, format_args!("{side}: option {name} unknown"));
        }
        bits
    };
    let mut settings = Settings {
        ca_path: options.ca_cert_path.as_ref().map(|p| path(p)),
        crl_file: certificate(&options.crl_file),
        crl_path: options.crl_path.as_ref().map(|p| path(p)),
        cipher_list: text(&options.cipher_list),
        cipher_suites: text(&options.cipher_suites),
        ask_client_certificate: !options.tls_srv_options.is_some_and(|letters| letters.has(b'V')),
        fingerprint_algorithm: text(&options.cert_fingerprint_algorithm),
        set_alternative_names: options.set_cert_altnames,
        ..Settings::default()
    };
    match role {
        Role::Server => {
            settings.server = reader.identities(&options.server_cert_file, &options.server_key_file);
            // Without a pair there is no server, and the authorities are not looked at. Source: observed.
            if !settings.server.is_empty() || options.server_cert_file.is_empty() {
                settings.ca_file = certificate(&options.ca_cert_file);
            }
            settings.server_options = bits(&options.server_ssl_options, "ServerSSLOptions");
            settings.dh = dh(&reader, options.dh_parameters.as_deref());
        }
        Role::Client => {
            settings.client = reader.identities(&options.client_cert_file, &options.client_key_file);
            settings.ca_file = certificate(&options.ca_cert_file);
            settings.client_options = bits(&options.client_ssl_options, "ClientSSLOptions");
        }
    }
    settings
}

struct Reader<'a> {
    port: &'a Port,
    log: &'a Logger,
    side: &'static str,
}

impl Reader<'_> {
    fn identities(&self, certificates: &[Bytes], keys: &[Bytes]) -> Vec<Identity> {
        let pairs = certificates.iter().zip(keys);
        pairs
            .filter_map(|(certificate, key)| {
                let certificate = self.pem(certificate, Purpose::Certificate)?;
                let key = self.pem(key, Purpose::Key)?;
                Some(Identity { certificate, key })
            })
            .collect()
    }

    fn pem(&self, name: &[u8], purpose: Purpose) -> Option<PemFile> {
        let path = path(name);
        match self.port.read_protected(&path, purpose, PEM_BYTES) {
            Ok(pem) => Some(PemFile { path, pem: pem.into() }),
            Err(error) => {
                let text = format!("STARTTLS={}: file {} unsafe: {error}", self.side, shown(name));
                self.log.write(Level::TLS, Priority::Warning, Id::None, text);
                None
            }
        }
    }
}

fn dh(reader: &Reader<'_>, value: Option<&[u8]>) -> DhParameters {
    match value {
        Some(name) if name.starts_with(b"/") => {
            reader.pem(name, Purpose::Certificate).map_or(DhParameters::BuiltIn, DhParameters::File)
        }
        // The first letter counts. Source: observed.
        Some(word) => match word.first() {
            Some(b'n' | b'N') => DhParameters::None,
            Some(letter @ (b'1' | b'2' | b'5' | b'i' | b'I')) => DhParameters::Named(char::from(*letter)),
            _ => {
                let text = format!("STARTTLS=server, error: illegal value '{}' for DHParameters", shown(word));
                reader.log.write(Level::TLS, Priority::Warning, Id::None, text);
                DhParameters::BuiltIn
            }
        },
        None => DhParameters::BuiltIn,
    }
}

fn tell(log: &Logger, notices: Vec<Notice>) {
    for notice in notices {
        let priority = if notice.is_warning { Priority::Warning } else { Priority::Info };
        log.write(Level(i64::from(notice.level) - 1), priority, Id::None, notice.text);
    }
}

fn path(name: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(name))
}

/// Largest key or certificate file.
const PEM_BYTES: usize = 4 * 1024 * 1024;
/// How often files are looked at, at most.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
