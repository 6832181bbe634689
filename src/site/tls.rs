//! TLS contexts from options: key material read through the port, settings put together.
//!
//! A side is set up when it is first needed: who never connects must not complain of the keys for it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::base::bytes::shown;
use crate::config::Config;
use crate::log::{Id, Level, Logger, Priority};
use crate::monitor::Port;
use crate::net::tls::features::{self, DEFAULT_OPTIONS, Features};
use crate::net::tls::{
    ClientContext, DhParameters, Identity, Notice, PemFile, Role, ServerContext, SessionSettings, Settings,
};
use crate::sys::safefile::Purpose;

/// Contexts of both sides; a missing one was explained in the log.
pub struct Tls {
    config: Arc<Config>,
    port: Port,
    log: Logger,
    server: OnceLock<Option<ServerContext>>,
    client: OnceLock<Option<ClientContext>>,
}

impl Tls {
    pub(super) fn new(config: Arc<Config>, port: Port, log: Logger) -> Self {
        Self { config, port, log, server: OnceLock::new(), client: OnceLock::new() }
    }

    /// Accepts TLS; `None` when STARTTLS is not to be offered.
    pub fn server(&self) -> Option<ServerContext> {
        let build = || {
            let (context, notices) = ServerContext::build(&self.settings(Role::Server)?);
            tell(&self.log, notices);
            context.ok()
        };
        self.server.get_or_init(build).clone()
    }

    /// Makes TLS connections.
    pub fn client(&self) -> Option<ClientContext> {
        let build = || {
            let (context, notices) = ClientContext::build(&self.settings(Role::Client)?);
            tell(&self.log, notices);
            context.ok()
        };
        self.client.get_or_init(build).clone()
    }

    /// Settings of one connection. Errors: which file of the identity cannot be used, and why.
    pub fn session(&self, wanted: Features) -> Result<SessionSettings, String> {
        let read = |name: &str, purpose| {
            let path = PathBuf::from(name);
            match self.port.read_protected(&path, purpose, PEM_BYTES) {
                Ok(pem) => Ok(PemFile { path, pem: pem.into() }),
                Err(error) => Err(format!("file {name} unsafe: {error}")),
            }
        };
        let identity = match wanted.identity {
            Some((certificate, key)) => Some(Identity {
                certificate: read(&certificate, Purpose::Certificate)?,
                key: read(&key, Purpose::Key)?,
            }),
            None => None,
        };
        Ok(SessionSettings {
            options: wanted.options,
            cipher_list: wanted.cipher_list,
            cipher_suites: wanted.cipher_suites,
            identity,
            ask_certificate: None,
            needs_crl: wanted.needs_crl,
            server_name: wanted.server_name,
        })
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
        ca_file: certificate(&options.ca_cert_file),
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
            settings.server_options = bits(&options.server_ssl_options, "ServerSSLOptions");
            settings.dh = dh(&reader, options.dh_parameters.as_deref());
        }
        Role::Client => {
            settings.client = reader.identities(&options.client_cert_file, &options.client_key_file);
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
        Some(word) if word.eq_ignore_ascii_case(b"none") => DhParameters::None,
        _ => DhParameters::BuiltIn,
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
