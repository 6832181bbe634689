//! Contexts: built once, used for every connection.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslMode, SslOptions, SslSession, SslSessionCacheMode,
    SslVerifyMode, SslVersion,
};
use openssl::x509::store::X509Lookup;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509Crl};
use tokio::io::AsyncWriteExt;
use tokio_openssl::SslStream;

use super::held::Held;
use super::tolerance::Tolerance;
use super::{
    DhParameters, HandshakeError, Identity, Notice, PeerInfo, PemFile, Plain, Role, SessionSettings, Settings, Stream,
};
use crate::sys::openssl_extra;

/// Why there is no context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something that is needed was not set.
    #[error("not configured")]
    Missing,
    /// Something that was set cannot be used.
    #[error("unusable settings")]
    Unusable,
}

/// Accepts TLS connections. Cloning shares the context with its session tickets.
#[derive(Clone)]
pub struct ServerContext(Arc<Inner>);

/// Makes TLS connections. Cloning shares the context with the sessions it remembers.
#[derive(Clone)]
pub struct ClientContext(Arc<Inner>);

struct Inner {
    context: SslContext,
    fingerprint: MessageDigest,
    wants_names: bool,
    tolerance: Tolerance,
    sessions: Arc<Mutex<HashMap<String, SslSession>>>,
    session_name: Option<Index<Ssl, String>>,
}

impl std::fmt::Debug for ServerContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerContext")
    }
}

impl std::fmt::Debug for ClientContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientContext")
    }
}

impl ServerContext {
    /// Builds the context. The notices are log lines whether it comes to be or not.
    ///
    /// Needed: a certificate with its key, `CACertFile` and `CACertPath` (observed: without one of them STARTTLS is not
    /// offered).
    pub fn build(settings: &Settings) -> (Result<Self, Refusal>, Vec<Notice>) {
        let mut notices = Vec::new();
        let result = Self::try_build(settings, &mut notices);
        // Source: observed (nothing more is said when something is missing).
        if !matches!(result, Err(Refusal::Missing)) {
            notices.push(Notice::init(Role::Server, result.is_ok()));
        }
        (result, notices)
    }

    fn try_build(settings: &Settings, notices: &mut Vec<Notice>) -> Result<Self, Refusal> {
        let needed = [
            ("ServerCertFile", settings.server.is_empty()),
            ("CACertFile", settings.ca_file.is_none()),
            ("CACertPath", settings.ca_path.is_none()),
        ];
        if let Some((name, _)) = needed.iter().find(|(_, is_missing)| *is_missing) {
            notices.push(Notice::missing(name));
            return Err(Refusal::Missing);
        }
        let mut b = Builder::new(Role::Server, SslMethod::tls_server(), notices)?;
        b.common(settings, settings.server_options)?;
        for identity in &settings.server {
            b.identity(identity)?;
        }
        b.dh(&settings.dh);
        if let Some(file) = &settings.ca_file {
            b.announce_authorities(file)?;
        }
        if settings.ask_client_certificate {
            b.tolerate();
        }
        b.context.set_session_cache_mode(SslSessionCacheMode::SERVER);
        b.context.set_session_cache_size(SERVER_SESSIONS);
        b.check("SSL_CTX_set_session_id_context", |c| c.set_session_id_context(b"sendmail-rs"))?;
        // One ticket is enough for one later connection, and each costs a write.
        b.check("SSL_CTX_set_num_tickets", |c| c.set_num_tickets(1))?;
        Ok(Self(Arc::new(b.finish(settings, None)?)))
    }

    /// Whether a handshake can be made with these settings. Errors: what cannot be set, as the log shows it.
    pub fn check(&self, session: &SessionSettings) -> Result<(), String> {
        let mut ssl = self.0.ssl("accept").map_err(|error| error.to_string())?;
        session.apply(&mut ssl, self.0.tolerance)
    }

    /// Accepts a handshake within `limit`. Bytes read from the stream before must have been thrown away by the caller.
    ///
    /// Dropped in the middle: the stream is closed, nothing else is touched.
    pub async fn accept(
        &self,
        stream: Stream,
        session: &SessionSettings,
        limit: Duration,
    ) -> Result<(Stream, PeerInfo), HandshakeError> {
        let Stream::Plain(plain) = stream else {
            return Err(HandshakeError::settings("accept", "already encrypted".to_owned()));
        };
        let mut ssl = self.0.ssl("accept")?;
        session.apply(&mut ssl, self.0.tolerance).map_err(|reason| HandshakeError::settings("accept", reason))?;
        let mut stream = wrap("accept", ssl, plain)?;
        stream.get_mut().hold();
        let done = tokio::time::timeout(limit, handshake(&mut stream)).await;
        self.0.outcome("accept", false, stream, done)
    }
}

impl ClientContext {
    /// Builds the context; without certificate and authorities it still encrypts. The notices are log lines.
    ///
    /// A client certificate that cannot be used is told and left out.
    pub fn build(settings: &Settings) -> (Result<Self, Refusal>, Vec<Notice>) {
        let mut notices = Vec::new();
        let result = Self::try_build(settings, &mut notices);
        notices.push(Notice::init(Role::Client, result.is_ok()));
        (result, notices)
    }

    fn try_build(settings: &Settings, notices: &mut Vec<Notice>) -> Result<Self, Refusal> {
        let for_details = [
            ("ClientCertFile", settings.client.is_empty()),
            ("ClientKeyFile", settings.client.is_empty()),
            ("CACertPath", settings.ca_path.is_none()),
            ("CACertFile", settings.ca_file.is_none()),
        ];
        let missing = for_details.iter().filter(|(_, is_missing)| *is_missing);
        notices.extend(missing.map(|(name, _)| Notice::missing(name)));
        let mut b = Builder::new(Role::Client, SslMethod::tls_client(), notices)?;
        b.common(settings, settings.client_options)?;
        for identity in &settings.client {
            // Mail goes on without our certificate; the line in the log says why.
            let _ = b.identity(identity);
        }
        b.tolerate();
        b.check("SSL_CTX_dane_enable", openssl_extra::allow_dane)?;
        let index = Ssl::new_ex_index::<String>().map_err(|_| Refusal::Unusable)?;
        let sessions: Arc<Mutex<HashMap<String, SslSession>>> = Arc::default();
        b.remember_sessions(&sessions, index);
        let mut inner = b.finish(settings, Some(index))?;
        inner.sessions = sessions;
        Ok(Self(Arc::new(inner)))
    }

    /// Makes a handshake within `limit`. `peer` names the server (host and address) for resuming sessions.
    ///
    /// Dropped in the middle: the stream is closed, nothing else is touched.
    pub async fn connect(
        &self,
        stream: Stream,
        peer: &str,
        session: &SessionSettings,
        limit: Duration,
    ) -> Result<(Stream, PeerInfo), HandshakeError> {
        let Stream::Plain(plain) = stream else {
            return Err(HandshakeError::settings("connect", "already encrypted".to_owned()));
        };
        let mut ssl = self.0.ssl("connect")?;
        session.apply(&mut ssl, self.0.tolerance).map_err(|reason| HandshakeError::settings("connect", reason))?;
        if let Some(name) = &session.server_name {
            ssl.set_hostname(name).map_err(|e| HandshakeError::settings("connect", first_reason(&e)))?;
        }
        let by_dane = match &session.dane {
            Some(dane) => dane.apply(&mut ssl).map_err(|reason| HandshakeError::settings("connect", reason))?,
            None => false,
        };
        // A session that is resumed shows no certificate to match.
        if let Some(index) = self.0.session_name.filter(|_| !by_dane) {
            let name = format!("{peer} {}", session.server_name.as_deref().unwrap_or_default());
            if let Some(earlier) = self.0.sessions.lock().ok().and_then(|mut all| all.remove(&name)) {
                openssl_extra::resume(&mut ssl, &self.0.context, &earlier);
            }
            ssl.set_ex_data(index, name);
        }
        let mut stream = wrap("connect", ssl, plain)?;
        let done = tokio::time::timeout(limit, Pin::new(&mut stream).connect()).await;
        self.0.outcome("connect", by_dane, stream, done)
    }
}

impl Inner {
    fn ssl(&self, call: &'static str) -> Result<Ssl, HandshakeError> {
        let mut ssl = Ssl::new(&self.context).map_err(|e| HandshakeError::settings(call, first_reason(&e)))?;
        self.tolerance.prepare(&mut ssl);
        Ok(ssl)
    }

    fn outcome(
        &self,
        call: &'static str,
        by_dane: bool,
        stream: SslStream<Held>,
        done: Result<Result<(), openssl::ssl::Error>, tokio::time::error::Elapsed>,
    ) -> Result<(Stream, PeerInfo), HandshakeError> {
        match done {
            Err(_) => Err(HandshakeError::timeout(call)),
            Ok(Err(error)) => Err(HandshakeError::new(call, &error)),
            Ok(Ok(())) => {
                let info = PeerInfo::read(stream.ssl(), by_dane, self.fingerprint, self.wants_names);
                Ok((Stream::Tls(Box::new(stream)), info))
            }
        }
    }
}

/// Accepts. What TLS 1.3 has to send at the end goes with the first reply; before, the client waits for it.
async fn handshake(stream: &mut SslStream<Held>) -> Result<(), openssl::ssl::Error> {
    let done = Pin::new(&mut *stream).accept().await;
    stream.get_mut().let_go();
    if done.is_err() || stream.ssl().version2() != Some(SslVersion::TLS1_3) {
        // The socket that fails here fails the next read or write too.
        let _ = stream.get_mut().flush().await;
    }
    done
}

fn wrap(call: &'static str, ssl: Ssl, plain: Plain) -> Result<SslStream<Held>, HandshakeError> {
    SslStream::new(ssl, Held::new(plain)).map_err(|e| HandshakeError::settings(call, first_reason(&e)))
}

/// A context in the making, and the lines about it.
struct Builder<'n> {
    role: Role,
    tolerance: Tolerance,
    context: SslContextBuilder,
    notices: &'n mut Vec<Notice>,
}

impl<'n> Builder<'n> {
    fn new(role: Role, method: SslMethod, notices: &'n mut Vec<Notice>) -> Result<Self, Refusal> {
        match SslContext::builder(method).and_then(|context| Ok((context, Tolerance::new()?))) {
            Ok((context, tolerance)) => Ok(Self { role, tolerance, context, notices }),
            Err(error) => {
                let text = format!("STARTTLS={}, error: SSL_CTX_new failed: {}", role.word(), first_reason(&error));
                notices.push(Notice::warning(text));
                Err(Refusal::Unusable)
            }
        }
    }

    /// Asks the peer for a certificate, whatever it is.
    fn tolerate(&mut self) {
        let tolerance = self.tolerance;
        self.context.set_verify_callback(SslVerifyMode::PEER, move |is_good, chain| tolerance.pass(is_good, chain));
    }

    /// Options, ciphers, authorities, revocation lists.
    fn common(&mut self, settings: &Settings, options: u64) -> Result<(), Refusal> {
        self.context.set_options(SslOptions::from_bits_retain(options) | SslOptions::NO_RENEGOTIATION);
        // Buffers of idle connections go back to the allocator.
        self.context.set_mode(SslMode::RELEASE_BUFFERS | SslMode::ENABLE_PARTIAL_WRITE);
        // A record comes with one call where two, for its head and its body, are the default.
        self.context.set_read_ahead(true);
        openssl_extra::set_session_timeout(&mut self.context, SESSION_SECONDS);
        // The list comes before the certificates: it may lower the security level that these must meet.
        if let Some(list) = &settings.cipher_list
            && self.context.set_cipher_list(list).is_err()
        {
            self.complain(&format!("SSL_CTX_set_cipher_list({list}) failed, list ignored"));
        }
        if let Some(suites) = &settings.cipher_suites
            && self.context.set_ciphersuites(suites).is_err()
        {
            self.complain(&format!("SSL_CTX_set_ciphersuites({suites}) failed, suites ignored"));
        }
        self.authorities(settings)?;
        self.revocation(settings)
    }

    fn authorities(&mut self, settings: &Settings) -> Result<(), Refusal> {
        if let Some(file) = &settings.ca_file {
            for certificate in self.authority_certificates(file)? {
                self.check("X509_STORE_add_cert", |c| c.cert_store_mut().add_cert(certificate))?;
            }
        }
        if let Some(path) = settings.ca_path.as_ref().and_then(|p| p.to_str()) {
            self.add_directory(path)?;
        }
        Ok(())
    }

    fn revocation(&mut self, settings: &Settings) -> Result<(), Refusal> {
        if let Some(file) = &settings.crl_file {
            for block in pem_blocks(&file.pem, CRL_BEGIN) {
                let Ok(list) = X509Crl::from_pem(block) else {
                    self.complain(&format!("PEM_read_bio_X509_CRL({})=failed", file.path.display()));
                    return Err(Refusal::Unusable);
                };
                self.check("X509_STORE_add_crl", |c| openssl_extra::add_crl(c.cert_store_mut(), &list))?;
            }
        } else {
            self.notices.push(Notice::missing("CRLFile"));
        }
        if let Some(path) = settings.crl_path.as_ref().and_then(|p| p.to_str()) {
            self.add_directory(path)?;
        }
        if settings.crl_file.is_some() || settings.crl_path.is_some() {
            let flags = X509VerifyFlags::CRL_CHECK | X509VerifyFlags::CRL_CHECK_ALL;
            self.check("X509_STORE_set_flags", |c| c.cert_store_mut().set_flags(flags))?;
        }
        Ok(())
    }

    /// Certificates and lists found there by hash; read when a handshake needs them.
    fn add_directory(&mut self, path: &str) -> Result<(), Refusal> {
        self.check("X509_LOOKUP_add_dir", |c| {
            c.cert_store_mut().add_lookup(X509Lookup::hash_dir())?.add_dir(path, SslFiletype::PEM)
        })
    }

    fn identity(&mut self, identity: &Identity) -> Result<(), Refusal> {
        let mut chain = self.certificates(&identity.certificate)?.into_iter();
        let key = self.key(&identity.key)?;
        let call = format!("SSL_CTX_use_certificate_file({})", identity.certificate.path.display());
        let Some(own) = chain.next() else {
            self.complain(&format!("{call} failed"));
            return Err(Refusal::Unusable);
        };
        self.check(&call, |c| c.set_certificate(&own))?;
        if !own.public_key().is_ok_and(|public| public.public_eq(&key)) {
            self.complain(&format!("SSL_CTX_check_private_key failed({}): 0", identity.key.path.display()));
            return Err(Refusal::Unusable);
        }
        let call = format!("SSL_CTX_use_PrivateKey_file({})", identity.key.path.display());
        self.check(&call, |c| c.set_private_key(&key))?;
        if chain.len() == 0 {
            openssl_extra::complete_chain(&mut self.context);
        }
        for certificate in chain {
            self.check("SSL_CTX_add_chain_cert", |c| openssl_extra::add_chain_certificate(c, &certificate))?;
        }
        Ok(())
    }

    fn authority_certificates(&mut self, file: &PemFile) -> Result<Vec<X509>, Refusal> {
        let found = X509::stack_from_pem(&file.pem).ok().filter(|all| !all.is_empty());
        found.ok_or_else(|| {
            self.complain(&format!("load verify locs {}, (null) failed: 0", file.path.display()));
            Refusal::Unusable
        })
    }

    fn certificates(&mut self, file: &PemFile) -> Result<Vec<X509>, Refusal> {
        X509::stack_from_pem(&file.pem).map_err(|error| {
            self.complain(&format!("SSL_CTX_use_certificate_file({}) failed", file.path.display()));
            self.notices.push(Notice::detail(format!("STARTTLS={}: {}", self.role.word(), first_reason(&error))));
            Refusal::Unusable
        })
    }

    /// The key in a file. An encrypted one fails at once: nobody is asked for a pass phrase.
    fn key(&mut self, file: &PemFile) -> Result<PKey<Private>, Refusal> {
        let mut is_encrypted = false;
        let key = PKey::private_key_from_pem_callback(&file.pem, |_| {
            is_encrypted = true;
            Ok(0)
        });
        key.map_err(|error| {
            self.complain(&format!("SSL_CTX_use_PrivateKey_file({}) failed", file.path.display()));
            let reason = if is_encrypted {
                "the key is encrypted; take the pass phrase off (openssl pkey -in OLD -out NEW)".to_owned()
            } else {
                first_reason(&error)
            };
            self.notices.push(Notice::detail(format!("STARTTLS={}: {reason}", self.role.word())));
            Refusal::Unusable
        })
    }

    fn dh(&mut self, parameters: &DhParameters) {
        match parameters {
            DhParameters::None => {}
            DhParameters::BuiltIn => self.automatic_dh('I'),
            DhParameters::Named(letter) => self.automatic_dh(*letter),
            DhParameters::File(file) => {
                let path = file.path.display();
                match openssl::dh::Dh::params_from_pem(&file.pem) {
                    Ok(dh) => {
                        let bits = dh.prime_p().num_bits();
                        let text = format!("STARTTLS=server, Diffie-Hellman init, key={bits} bit (/)");
                        self.notices.push(Notice::detail(text));
                        // Without them the rest works. Source: observed.
                        if let Err(error) = self.context.set_tmp_dh(&dh) {
                            let reason = first_reason(&error);
                            self.complain(&format!("cannot use DH parameters({path}): {reason}"));
                        }
                    }
                    Err(error) => {
                        let reason = first_reason(&error);
                        self.complain(&format!("cannot read DH parameters({path}): {reason}"));
                        self.automatic_dh('I');
                    }
                }
            }
        }
    }

    fn automatic_dh(&mut self, letter: char) {
        openssl_extra::set_automatic_dh(&mut self.context);
        let text = format!("STARTTLS=server, Diffie-Hellman init, key=2048 bit ({letter})");
        self.notices.push(Notice::detail(text));
    }

    /// Names of the authorities in `CACertFile` go to clients, those of `CACertPath` do not.
    fn announce_authorities(&mut self, file: &PemFile) -> Result<(), Refusal> {
        for certificate in self.authority_certificates(file)? {
            self.check("SSL_CTX_add_client_CA", |c| c.add_client_ca(&certificate))?;
        }
        Ok(())
    }

    /// Keeps the newest session of each server, for the next connection to it.
    fn remember_sessions(&mut self, sessions: &Arc<Mutex<HashMap<String, SslSession>>>, index: Index<Ssl, String>) {
        let sessions = Arc::clone(sessions);
        self.context.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL_STORE);
        self.context.set_new_session_callback(move |ssl, session| {
            let Some(name) = ssl.ex_data(index) else { return };
            if let Ok(mut all) = sessions.lock() {
                if all.len() >= CLIENT_SESSIONS {
                    all.clear();
                }
                all.insert(name.clone(), session);
            }
        });
    }

    fn finish(self, settings: &Settings, session_name: Option<Index<Ssl, String>>) -> Result<Inner, Refusal> {
        let fingerprint = match &settings.fingerprint_algorithm {
            None => MessageDigest::md5(),
            Some(name) => MessageDigest::from_name(name).ok_or_else(|| {
                let text = format!("STARTTLS, CertFingerprintAlgorithm={name}, status=invalid");
                self.notices.push(Notice::warning(text));
                Refusal::Unusable
            })?,
        };
        let wants_names = settings.set_alternative_names;
        let tolerance = self.tolerance;
        Ok(Inner {
            context: self.context.build(),
            fingerprint,
            wants_names,
            tolerance,
            sessions: Arc::default(),
            session_name,
        })
    }

    fn check(
        &mut self,
        call: &str,
        act: impl FnOnce(&mut SslContextBuilder) -> Result<(), ErrorStack>,
    ) -> Result<(), Refusal> {
        act(&mut self.context).map_err(|error| {
            self.complain(&format!("{call} failed"));
            self.notices.push(Notice::warning(format!("STARTTLS={}: {}", self.role.word(), first_reason(&error))));
            Refusal::Unusable
        })
    }

    fn complain(&mut self, what: &str) {
        self.notices.push(Notice::warning(format!("STARTTLS={}, error: {what}", self.role.word())));
    }
}

/// The reason of the first error in the library's queue, in its words.
pub(super) fn first_reason(stack: &ErrorStack) -> String {
    let reason = stack.errors().iter().find_map(openssl::error::Error::reason);
    reason.unwrap_or("unknown").to_owned()
}

/// Blocks that begin with `begin`, each to the start of the next.
fn pem_blocks<'a>(pem: &'a [u8], begin: &str) -> Vec<&'a [u8]> {
    let mut starts: Vec<usize> = memchr::memmem::find_iter(pem, begin.as_bytes()).collect();
    if starts.is_empty() {
        return vec![pem];
    }
    starts.push(pem.len());
    starts.windows(2).filter_map(|w| pem.get(*w.first()?..*w.last()?)).collect()
}

const CRL_BEGIN: &str = "-----BEGIN X509 CRL-----";
/// Sessions kept by the server for clients without tickets.
const SERVER_SESSIONS: i32 = 1000;
/// Servers whose last session the client remembers.
const CLIENT_SESSIONS: usize = 2000;
/// For how long a session may be resumed. A revoked certificate counts no longer than this.
const SESSION_SECONDS: u32 = 1800;

#[cfg(test)]
pub(super) mod tests;
