//! TLS contexts from options: key material read through the port, settings put together.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use bytes::Bytes;

use crate::base::bytes::shown;
use crate::config::Config;
use crate::log::{Id, Level, Logger, Priority};
use crate::monitor::Port;
use crate::net::tls::features::{self, DEFAULT_OPTIONS};
use crate::net::tls::{ClientContext, DhParameters, Identity, Notice, PemFile, ServerContext, Settings};
use crate::sys::safefile::Purpose;

/// Contexts of both sides; a missing one was explained in the log.
pub(super) fn contexts(config: &Config, port: &Port, log: &Logger) -> (Option<ServerContext>, Option<ClientContext>) {
    if !config.options.use_tls {
        return (None, None);
    }
    let settings = settings(config, port, log);
    // Without its revocation list a side would trust what it must not.
    if config.options.crl_file.is_some() && settings.crl_file.is_none() {
        return (None, None);
    }
    let (server, notices) = ServerContext::build(&settings);
    tell(log, notices);
    let (client, notices) = ClientContext::build(&settings);
    tell(log, notices);
    (server.ok(), client.ok())
}

fn settings(config: &Config, port: &Port, log: &Logger) -> Settings {
    let options = &config.options;
    let reader = Reader { port, log };
    let certificate =
        |side, path: &Option<Bytes>| path.as_ref().and_then(|p| reader.pem(side, p, Purpose::Certificate));
    let text = |value: &Option<Bytes>| value.as_ref().map(|v| shown(v).to_string());
    let bits = |value: &Option<Bytes>, side: &str| {
        let Some(value) = value else { return DEFAULT_OPTIONS };
        let (bits, faults) = features::options(value, DEFAULT_OPTIONS);
        for (name, _) in faults {
            log.write(Level::TLS, Priority::Warning, Id::None, format_args!("{side}: option {name} unknown"));
        }
        bits
    };
    Settings {
        ca_file: certificate("server", &options.ca_cert_file),
        ca_path: options.ca_cert_path.as_ref().map(|p| path(p)),
        crl_file: certificate("server", &options.crl_file),
        crl_path: options.crl_path.as_ref().map(|p| path(p)),
        server: reader.identities("server", &options.server_cert_file, &options.server_key_file),
        client: reader.identities("client", &options.client_cert_file, &options.client_key_file),
        cipher_list: text(&options.cipher_list),
        cipher_suites: text(&options.cipher_suites),
        dh: dh(&reader, options.dh_parameters.as_deref()),
        server_options: bits(&options.server_ssl_options, "ServerSSLOptions"),
        client_options: bits(&options.client_ssl_options, "ClientSSLOptions"),
        ask_client_certificate: !options.tls_srv_options.is_some_and(|letters| letters.has(b'V')),
        fingerprint_algorithm: text(&options.cert_fingerprint_algorithm),
        set_alternative_names: options.set_cert_altnames,
    }
}

struct Reader<'a> {
    port: &'a Port,
    log: &'a Logger,
}

impl Reader<'_> {
    fn identities(&self, side: &str, certificates: &[Bytes], keys: &[Bytes]) -> Vec<Identity> {
        let pairs = certificates.iter().zip(keys);
        pairs
            .filter_map(|(certificate, key)| {
                let certificate = self.pem(side, certificate, Purpose::Certificate)?;
                let key = self.pem(side, key, Purpose::Key)?;
                Some(Identity { certificate, key })
            })
            .collect()
    }

    fn pem(&self, side: &str, name: &[u8], purpose: Purpose) -> Option<PemFile> {
        let path = path(name);
        match self.port.read_protected(&path, purpose, PEM_BYTES) {
            Ok(pem) => Some(PemFile { path, pem: pem.into() }),
            Err(error) => {
                let text = format!("STARTTLS={side}: file {} unsafe: {error}", shown(name));
                self.log.write(Level::TLS, Priority::Warning, Id::None, text);
                None
            }
        }
    }
}

fn dh(reader: &Reader<'_>, value: Option<&[u8]>) -> DhParameters {
    match value {
        Some(name) if name.starts_with(b"/") => {
            reader.pem("server", name, Purpose::Certificate).map_or(DhParameters::BuiltIn, DhParameters::File)
        }
        Some(word) if word.eq_ignore_ascii_case(b"none") => DhParameters::None,
        _ => DhParameters::BuiltIn,
    }
}

fn tell(log: &Logger, notices: Vec<Notice>) {
    for notice in notices {
        let priority = if notice.level > 1 { Priority::Info } else { Priority::Warning };
        log.write(Level(i64::from(notice.level) - 1), priority, Id::None, notice.text);
    }
}

fn path(name: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(name))
}

/// Largest key or certificate file.
const PEM_BYTES: usize = 4 * 1024 * 1024;
