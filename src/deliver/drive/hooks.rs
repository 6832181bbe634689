//! What a client session asks on its way, and who watches it.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc::UnboundedSender;

use super::agent::Load;
use super::attempt::Attempt;
use crate::base::bytes::shown;
use crate::config::Mailer;
use crate::deliver::outcome;
use crate::deliver::settled;
use crate::envelope::Recipient;
use crate::log::traffic::Sign;
use crate::log::{Id, Level, Priority, line};
use crate::macros::{MacroId, Scope, names};
use crate::net::tls::features::{Features, FeaturesError, features};
use crate::net::tls::{PeerInfo, SessionSettings, Verify};
use crate::policy::{Hook, Verdict, verdict};
use crate::site::Site;
use crate::site::connection::{Interface, tell_tls};
use crate::smtp::client::Capabilities;
use crate::smtp::client::Settled;
use crate::smtp::client::auth::{Credentials, NotNow};
use crate::smtp::client::drive::{Connection, Hooks, Peer};
use crate::sys::safefile::Purpose;

/// Most of a file of credentials, bytes.
const AUTH_FILE_BYTES: usize = 16 * 1024;

/// Macros that tell of the connection in hand.
static SESSION_MACROS: &[MacroId] = &[
    names::TLS_VERSION,
    names::CIPHER,
    names::CIPHER_BITS,
    names::ALG_BITS,
    names::VERIFY,
    names::CERT_SUBJECT,
    names::CERT_ISSUER,
    names::CN_SUBJECT,
    names::CN_ISSUER,
    names::CERT_FP,
    names::CERT_MD5,
    names::CERT_ALTNAMES,
    names::AUTH_TYPE,
    names::AUTH_AUTHEN,
    names::AUTH_AUTHOR,
    names::AUTH_SSF,
];

/// Asks the rulesets of the site for one attempt.
pub(super) struct Asking {
    site: Arc<Site>,
    id: String,
    scope: Scope,
    server: Bytes,
    host: Bytes,
    recipient: Bytes,
    watch: Option<UnboundedSender<Bytes>>,
    has_refused: Arc<AtomicBool>,
    /// `TLSFallbacktoClear` for the server in hand.
    falls_back: bool,
    /// Recipients of the transaction, for a watcher.
    told: Option<Box<Told>>,
    /// The last line of the last reply.
    last_reply: Option<Bytes>,
    /// What is negotiated just now: `STARTTLS` or `AUTH`; empty for anything else.
    negotiates: &'static str,
    /// Refusals of STARTTLS and AUTH, for the transcript.
    refusals: Vec<outcome::Dialogue>,
}

/// How a watcher is told of recipients that are refused by themselves, as it happens.
struct Told {
    addresses: Vec<Bytes>,
    mailer: Mailer,
    capabilities: Capabilities,
    /// Failures are shown, too.
    is_from_queue: bool,
    seen: Vec<usize>,
}

impl Asking {
    pub(super) fn new(attempt: &Attempt, load: &Load) -> Self {
        let mut scope = load.scope.clone();
        // What the client that brought the message showed says nothing of this server.
        for id in SESSION_MACROS {
            scope.unset(*id);
        }
        Self {
            site: Arc::clone(&attempt.site),
            id: attempt.envelope.id.to_string(),
            scope,
            server: Bytes::new(),
            host: Bytes::new(),
            recipient: load
                .recipients
                .first()
                .and_then(|n| attempt.envelope.recipients.get(*n))
                .map(|r| r.address.clone())
                .unwrap_or_default(),
            watch: attempt.watch.clone(),
            has_refused: Arc::clone(&attempt.has_refused),
            falls_back: attempt.site.config.options.tls_fallbackto_clear,
            told: None,
            last_reply: None,
            negotiates: "",
            refusals: Vec::new(),
        }
    }

    /// Notes the address that a connection leaves by: `${if_addr_out}` and its kin, never of the loopback interface.
    pub(super) async fn leaves_by(&mut self, local: Option<SocketAddr>) {
        let Some(local) = local else { return };
        let Some(interface) = Interface::of(&self.site, local).await else { return };
        self.scope.set(names::IF_ADDR_OUT, interface.address);
        self.scope.set(names::IF_FAMILY_OUT, interface.family);
        self.scope.set(names::IF_NAME_OUT, interface.name);
    }

    /// Whether a handshake that fails is followed by a try in clear.
    pub(super) fn falls_back(&self) -> bool {
        self.falls_back
    }

    /// Goes on with a connection that is open already.
    pub(super) fn at(mut self, connection: &Connection) -> Self {
        self.know(connection.peer());
        self.know_tls(connection.verify(), connection.tls());
        self
    }

    /// Tells a watcher of recipients that the server refuses, as it does so.
    pub(super) fn telling(mut self, attempt: &Attempt, recipients: &[Recipient], load: &Load, at: &Connection) -> Self {
        let Some(mailer) = load.mailer().filter(|_| self.watch.is_some()) else { return self };
        self.told = Some(Box::new(Told {
            addresses: recipients.iter().map(|recipient| recipient.address.clone()).collect(),
            mailer: mailer.clone(),
            capabilities: at.capabilities().clone(),
            is_from_queue: attempt.is_from_queue,
            seen: Vec::new(),
        }));
        self
    }

    /// Recipients that the watcher was told of.
    pub(super) fn seen(&self) -> &[usize] {
        self.told.as_ref().map_or(&[], |told| &told.seen)
    }

    /// What the server said last.
    pub(super) fn last_reply(&self) -> Option<&Bytes> {
        self.last_reply.as_ref()
    }

    /// What the server had against STARTTLS and AUTH.
    pub(super) fn refusals(&mut self) -> Vec<outcome::Dialogue> {
        std::mem::take(&mut self.refusals)
    }

    fn know_tls(&mut self, verify: Verify, info: Option<&PeerInfo>) {
        if let Some(info) = info {
            tell_tls(&mut self.scope, info, &self.site.config.options);
        }
        self.scope.set(names::VERIFY, verify.word());
    }

    fn know(&mut self, peer: &Peer) {
        self.host = peer.host.clone();
        self.server = Bytes::copy_from_slice(peer.server_name());
        self.scope.set(names::SERVER_NAME, self.server.clone());
        let address = peer.address.map(|a| a.ip().to_string()).unwrap_or_default();
        self.scope.set(names::SERVER_ADDR, address);
    }

    /// What the file of `DefaultAuthInfo` says.
    fn default_credentials(&self) -> Option<Credentials> {
        let path = self.site.config.options.default_auth_info.as_ref()?;
        let path = Path::new(OsStr::from_bytes(path));
        match self.site.port.read_protected(path, Purpose::AuthInfo, AUTH_FILE_BYTES) {
            Ok(text) => crate::deliver::credentials::parse_file(&text),
            Err(error) => {
                let text = format!("AUTH=client, error: can't open {}: {error}", path.display());
                self.site.log.write(Level::AUTH, Priority::Error, Id::Queue(&self.id), text);
                None
            }
        }
    }

    /// The refusal of a ruleset as a reply line.
    async fn refusal(&mut self, hook: Hook, name: &str, argument: &Bytes) -> Option<Bytes> {
        let verdict = self.site.policy.check(hook, std::slice::from_ref(argument), &mut self.scope).await;
        // What each line names differs. Source: observed.
        let about: &[u8] = if hook == Hook::TryTls { &self.recipient } else { b"" };
        let words = verdict.log_words(about)?;
        let relay = if hook == Hook::TlsRcpt { &self.host } else { &self.server };
        let line = verdict::log_line(name, &[argument], relay, &words);
        let id = if hook == Hook::TlsRcpt { Id::Queue(&self.id) } else { Id::None };
        self.site.log.write(Level::REJECTED, Priority::Notice, id, line);
        match verdict {
            Verdict::Reject(refusal) => {
                self.has_refused.fetch_or(!refusal.is_temporary(), Ordering::Relaxed);
                Some(refusal.line(b"").into())
            }
            _ => None,
        }
    }

    fn show(&self, prefix: &[u8], line: &[u8]) {
        if let Some(watch) = &self.watch {
            let mut text = BytesMut::from(prefix);
            text.extend_from_slice(line);
            // Nobody watching any more is no reason to stop.
            let _ = watch.send(text.freeze());
        }
    }
}

impl Hooks for Asking {
    async fn try_tls(&mut self, peer: &Peer) -> Option<Bytes> {
        self.know(peer);
        let server = self.server.clone();
        self.refusal(Hook::TryTls, "try_tls", &server).await
    }

    async fn tls_session(&mut self, peer: &Peer) -> Option<SessionSettings> {
        self.know(peer);
        let address = self.scope.text(names::SERVER_ADDR);
        let arguments = [self.server.clone(), address];
        let answer = self.site.policy.text(Hook::TlsCltFeatures, &arguments, &mut self.scope).await;
        let relay = String::from_utf8_lossy(&self.server).into_owned();
        let about = format!("relay={relay} [{}]", shown(&arguments[1]));
        let log = self.site.log.clone();
        let tell = |text: String| log.write(Level(9), Priority::Info, Id::None, text);
        let Ok(text) = answer else {
            tell(format!("tls_clt_features=empty, stat=75, {about}"));
            return None;
        };
        let shown_text = text.as_ref().map_or_else(|| "(null)".to_owned(), |text| line::text(text).to_string());
        tell(format!("tls_clt_features={shown_text}, {about}"));
        let Some(text) = text else {
            tell(format!("tls_clt_features=empty, stat=0, {about}"));
            return Some(SessionSettings::default());
        };
        let wanted = match features(&String::from_utf8_lossy(&text)) {
            Ok(wanted) => wanted,
            Err(FeaturesError::TooShort) => Features::default(),
            Err(error) => {
                let text = format!("tls_clt_features={error}, {about}");
                self.site.log.write(Level(8), error.priority(), Id::None, text);
                let text = "STARTTLS=client, get_tls_se_features=failed, ret=78".to_owned();
                self.site.log.write(Level(8), Priority::Error, Id::None, text);
                return None;
            }
        };
        let (mut settings, complaint) = self.site.tls.session(wanted);
        if let Some(complaint) = complaint {
            self.site.log.write(Level::TLS, Priority::Warning, Id::None, format!("STARTTLS=client: {complaint}"));
        }
        // `hostname` stands for the name of the server; an address is none that could be asked for.
        if settings.server_name.as_deref() == Some("hostname") {
            settings.server_name = Some(relay).filter(|name| !name.starts_with('['));
        }
        self.falls_back = settings.fallback_to_clear.unwrap_or(self.falls_back);
        Some(settings)
    }

    async fn tls_server(&mut self, peer: &Peer, verify: Verify, info: Option<&PeerInfo>) -> Option<Bytes> {
        self.know(peer);
        self.know_tls(verify, info);
        let word = Bytes::from_static(verify.word().as_bytes());
        self.refusal(Hook::TlsServer, "tls_server", &word).await
    }

    async fn tls_rcpt(&mut self, recipient: &[u8]) -> Option<Bytes> {
        let recipient = Bytes::copy_from_slice(recipient);
        self.scope.set(names::RCPT_ADDR, recipient.clone());
        self.refusal(Hook::TlsRcpt, "tls_rcpt", &recipient).await
    }

    async fn credentials(&mut self, peer: &Peer) -> Result<Option<Credentials>, NotNow> {
        self.know(peer);
        let address = self.scope.text(names::SERVER_ADDR);
        // Who has the ruleset asks nobody else, also when it knows of nothing. Source: observed.
        if !self.site.policy.has(Hook::Authinfo) {
            return Ok(self.default_credentials());
        }
        let arguments = [self.server.clone(), address];
        let Some(text) = self.site.policy.ask(Hook::Authinfo, &arguments, &mut self.scope).await else {
            return Ok(None);
        };
        // `$#temp`, or a map that fails for now. Source: observed of the former.
        if text == "temp" {
            return Err(NotNow);
        }
        let found = crate::deliver::credentials::parse(&text);
        if found.is_none() {
            let text =
                format!("AUTH=client, relay={} [{}], authinfo failed", shown(&self.server), shown(&arguments[1]));
            self.site.log.write(Level::AUTH, Priority::Warning, Id::None, text);
        }
        Ok(found)
    }

    fn sent(&mut self, line: &[u8]) {
        if let Some(traffic) = self.site.log.traffic() {
            traffic.lines(Sign::Out, line);
        }
        self.negotiates = match line {
            b"STARTTLS" => "STARTTLS",
            line if line.starts_with(b"AUTH ") => "AUTH",
            _ => "",
        };
        self.show(b">>> ", line);
    }

    fn received(&mut self, line: &[u8]) {
        if let Some(traffic) = self.site.log.traffic() {
            traffic.lines(Sign::In, line);
        }
        if !self.negotiates.is_empty() && matches!(line.first(), Some(b'4' | b'5')) {
            let command = Bytes::from(format!("{} dialogue", self.negotiates));
            let reply = vec![Bytes::copy_from_slice(line)];
            self.refusals.push(outcome::Dialogue { host: self.host.clone(), command, reply });
        }
        if line.get(3) != Some(&b'-') {
            self.last_reply = Some(Bytes::copy_from_slice(line));
        }
        self.show(b"", line);
    }

    fn refused(&mut self, recipient: usize, settled: &Settled) {
        let Some(told) = &mut self.told else { return };
        let Some(address) = told.addresses.get(recipient) else { return };
        let found = settled::outcome(settled, &self.host, &told.capabilities, &told.mailer);
        if found.verdict == outcome::Verdict::Failed && !told.is_from_queue {
            return;
        }
        told.seen.push(recipient);
        let line = found.shown_line(&shown(address).to_string());
        self.show(b"", line.as_bytes());
    }

    fn log(&mut self, level: i32, line: String) {
        let priority = match &line {
            line if line.ends_with("connection abort") => Priority::Error,
            line if line.contains("error:") => Priority::Warning,
            line if line.ends_with("do not fulfill requirements") => Priority::Notice,
            _ => Priority::Info,
        };
        // Source: observed: the one line that belongs to a message.
        let id = if priority == Priority::Notice { Id::Queue(&self.id) } else { Id::None };
        self.site.log.write(Level(i64::from(level) - 1), priority, id, line);
    }
}
