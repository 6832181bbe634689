//! Serves a client: performs what the session asks for.
//!
//! Being dropped at any await closes the connection; a message whose commit had begun is either whole in the queue or not
//! there, and its client was not told 250.

mod client;
mod filter;
pub mod groups;
mod message;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

use super::data::Outcome;
use super::etrn::Request;
use super::note::Note;
use super::session::{Action, Arguments, Input, Session};
use super::setting::Setting;
use crate::address::list;
use crate::base::date;
use crate::base::status::Status;
use crate::base::xtext;
use crate::config::values::DeliveryMode;
use crate::envelope::told::set_moment;
use crate::envelope::{Envelope, QueueId};
use crate::log::statistics::Event;
use crate::log::traffic::Sign;
use crate::log::{Id, Level, Priority, line};
use crate::macros::names;
use crate::milter::drive::Filters;
use crate::net::sasl::{Answer, Exchange, Failure, Surroundings};
use crate::net::tls::features::{self, FeaturesError};
use crate::net::tls::{Role, ServerContext, SessionSettings, Stream};
use crate::policy::{Hook, Refusal, Verdict};
use crate::queue::drive::{Body, Held};
use crate::queue::schedule;
use crate::route::{Depth, Resolved, RouteError};
use crate::site::Site;
use crate::site::connection::tell_tls;
use crate::sys::{clock, load};

pub use client::Peer;
use wire::{Read, Wire};

/// A message that is in the queue, locked, with everything still in memory.
#[derive(Debug)]
pub struct Accepted {
    /// Its place in the queue.
    pub held: Held,
    /// Its envelope.
    pub envelope: Envelope,
    /// Its body.
    pub body: Body,
    /// When it is delivered.
    pub mode: DeliveryMode,
    /// The session that it came by.
    pub session: u64,
    /// Gets the steps of delivery (VERB).
    pub watch: Option<mpsc::UnboundedSender<Bytes>>,
}

/// Takes accepted messages and runs of the queue.
pub trait Deliverer: Send + Sync {
    /// Delivers in its own task. The answer comes when the attempt is over; it may be dropped.
    fn deliver(&self, message: Accepted) -> oneshot::Receiver<()>;
    /// Starts a queue run for ETRN; whether what is named exists.
    fn run(&self, request: &Request) -> bool;
    /// A session begins; the number that its messages bear.
    fn begin_session(&self) -> u64;
    /// It is over: what is kept open for its messages is not needed any more.
    fn end_session(&self, session: u64);
}

/// Tells of the end of a session, however it comes.
struct Number {
    deliverer: Arc<dyn Deliverer>,
    number: u64,
}

impl Number {
    fn new(deliverer: &Arc<dyn Deliverer>) -> Self {
        Self { number: deliverer.begin_session(), deliverer: Arc::clone(deliverer) }
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        self.deliverer.end_session(self.number);
    }
}

/// What sessions of one listener need.
pub struct Server {
    /// Everything loaded.
    pub site: Arc<Site>,
    /// What the machine needs.
    pub setting: Arc<Setting>,
    /// Where the listener is bound.
    pub bound: Option<SocketAddr>,
    /// Whether TLS may be spoken here at all.
    pub offers_tls: bool,
    /// Takes messages.
    pub deliverer: Arc<dyn Deliverer>,
    /// Load above which messages only queue.
    pub queue_la: Option<i64>,
    /// Becomes true when the program ends.
    pub stop: watch::Receiver<bool>,
}

impl Server {
    /// Whether the load is so high that a message of this priority only queues (`QueueLA`, `QueueFactor`).
    fn is_busy(&self, priority: i64) -> bool {
        let factor = self.site.config.options.queue_factor;
        self.queue_la.is_some()
            && load::average().is_some_and(|load| schedule::waits_for_load(priority, load, self.queue_la, factor))
    }
}

/// Serves one client until it is gone.
///
/// A panic in the session ends it with 421 and is logged; other sessions go on.
pub async fn session(stream: Stream, server: Arc<Server>, peer: Peer) {
    let Ok(spool) = server.site.spool() else { return };
    let id = spool.new_id();
    let mut scope = server.site.config.scope();
    scope.set(names::NOW, date::rfc822(clock::now(), &server.site.zone));
    scope.set(names::PID, std::process::id().to_string());
    scope.set(names::LOAD_AVG, load::average().unwrap_or(0).to_string());
    scope.set(names::DELIVERY_MODE, vec![server.setting.delivery_mode.letter()]);
    let client = Box::pin(client::describe(&server, &peer, &mut scope)).await;
    if peer.remote.is_some() {
        server.site.statistics.count(Event::Connection);
        let text = format!("connect from {}", crate::base::bytes::shown(&client.described));
        server.site.log.write(Level(9), Priority::Info, Id::NoQueue, text);
    }
    let mut session = Session::new(Arc::clone(&server.setting), scope, id);
    session.client = client;
    let tls = server.offers_tls.then(|| server.site.tls.server()).flatten();
    session.has_tls = tls.is_some();
    let around = Surroundings { local: peer.local, remote: peer.remote, ..Surroundings::default() };
    let stop = server.stop.clone();
    let mut drive = Drive {
        number: Number::new(&server.deliverer),
        wire: Wire::new(stream),
        session,
        stop,
        server,
        around,
        exchange: None,
        tls,
        tls_settings: SessionSettings::default(),
        filters: Filters::default(),
        filtered_size: None,
        is_held_by_filter: false,
        has_refused: false,
        counted_refusal: None,
        new_style: None,
    };
    if drive.server.setting.is_smtps && !Box::pin(drive.handshake()).await {
        return;
    }
    drive.know_mechanisms().await;
    drive.run().await;
}

struct Drive {
    number: Number,
    wire: Wire,
    session: Session,
    stop: watch::Receiver<bool>,
    server: Arc<Server>,
    around: Surroundings,
    exchange: Option<Exchange>,
    /// Certificate and key.
    tls: Option<ServerContext>,
    /// Of the handshake that comes next.
    tls_settings: SessionSettings,
    filters: Filters,
    /// Bytes of the message in hand as they are counted behind filters.
    filtered_size: Option<u64>,
    /// The message in hand is held because a filter said so.
    is_held_by_filter: bool,
    /// A ruleset was against something.
    has_refused: bool,
    /// The last message that was counted for it.
    counted_refusal: Option<QueueId>,
    /// The last message beside which a list had commas or brackets: blanks separate no addresses any more. Source: observed.
    new_style: Option<QueueId>,
}

impl Drive {
    async fn run(&mut self) {
        let mut action = Some(self.session.on(Input::Connected));
        while let Some(now) = action {
            action = match caught(Box::pin(self.turn(now))).await {
                Some(next) => next,
                None => return self.fail().await,
            };
        }
    }

    /// One action; `None` after the last.
    async fn turn(&mut self, action: Action) -> Option<Action> {
        self.log_notes();
        match action {
            Action::Close => {
                self.wait().await;
                if !self.session.has_filters() {
                    self.wire.hold_to_the_end();
                }
                // A client who has gone is not told.
                let _ = self.flush().await;
                self.log_notes();
                if self.session.has_filters() {
                    self.filters.quit().await;
                }
                self.wire.close().await;
                None
            }
            Action::Read => self.read().await,
            other => Some(self.perform(other).await),
        }
    }

    /// Something of ours broke: the client is told, others go on.
    async fn fail(&mut self) {
        let id = self.session.id().as_str().to_owned();
        let text = "session ended by an internal error";
        self.server.site.log.write(Level::SYSTEM_ERROR, Priority::Critical, Id::Queue(&id), text);
        // What was waiting may be half a reply.
        drop(self.session.replies().take());
        self.session.replies().say(421, Status(4, 3, 0), "Internal error");
        let _ = self.flush().await;
        self.wire.close().await;
    }

    /// Sends what is waiting when there is nothing more to read, then takes a command.
    async fn read(&mut self) -> Option<Action> {
        if self.session.take_abort() {
            self.filters.abort().await;
        }
        self.wait().await;
        if self.session.needs_id()
            && let Ok(spool) = self.server.site.spool()
        {
            self.session.renew_id(spool.new_id());
        }
        if (!self.wire.has_line() || self.session.replies().bytes().len() > MOST_REPLIES) && self.flush().await.is_err()
        {
            return Some(self.session.on(Input::Gone));
        }
        let limit = self.server.site.config.timeouts.command;
        self.wire.rest();
        self.wire.takes_responses = self.session.is_challenged();
        let read = tokio::select! {
            biased;
            read = self.wire.command(limit) => Some(read),
            _ = self.stop.wait_for(|stop| *stop) => None,
        };
        let Some(read) = read else {
            let text = format!("{} closing connection", crate::base::bytes::shown(&self.server.site.host));
            self.session.replies().say(421, Status(4, 3, 2), text);
            // The client may be gone already; either way the session ends here.
            let _ = self.flush().await;
            self.session.on(Input::Gone);
            self.log_notes();
            self.wire.close().await;
            return None;
        };
        if let Some(traffic) = self.server.site.log.traffic() {
            match &read {
                Read::Line(line) => traffic.line(Sign::In, line),
                Read::Gone => traffic.line(Sign::In, b"[EOF]"),
                Read::TooLong(_) | Read::TimedOut => {}
            }
        }
        self.session.now = clock::now();
        Some(match read {
            Read::Line(line) => self.session.on(Input::Line(&line)),
            Read::TooLong(bytes) => self.session.on(Input::TooLong(bytes)),
            Read::Gone => self.session.on(Input::Gone),
            Read::TimedOut => self.session.on(Input::TimedOut),
        })
    }

    /// Each action is boxed by itself: neither an idle client nor a small action pays for the largest.
    async fn perform(&mut self, action: Action) -> Action {
        let input = match action {
            Action::Check(hook, arguments) => Input::Verdict(Box::pin(self.check(hook, &arguments)).await),
            Action::Ask(hook, arguments) => {
                let policy = &self.server.site.policy;
                Input::Value(Box::pin(policy.ask(hook, &arguments, self.session.scope())).await)
            }
            Action::Pause(span) => {
                let early = self.wire.watch(span).await;
                Input::Waited { early }
            }
            Action::Probe => Input::Waited { early: self.wire.has_input() },
            Action::ResolveSender(address) => {
                set_moment(self.session.scope(), clock::now(), &self.server.site.zone);
                let router = &self.server.site.router;
                Input::Resolved(Box::pin(router.receive_sender(&address, self.session.scope())).await)
            }
            Action::Resolve(address) => {
                let router = &self.server.site.router;
                Input::Resolved(Box::pin(router.resolve(&address, Depth::Rulesets, self.session.scope())).await)
            }
            Action::Add(recipient) => Input::Resolved(Box::pin(self.add(*recipient)).await),
            Action::Space(size) => Input::Space(self.server.site.shortage(size)),
            Action::List { address, expand } => Input::Listed(Box::pin(self.list(&address, expand)).await),
            Action::Run(request) => Input::Run(self.server.deliverer.run(&request)),
            Action::PrepareTls => Input::TlsPrepared(Box::pin(self.prepare_tls()).await),
            Action::StartTls => {
                if self.flush().await.is_err() {
                    return self.session.on(Input::Gone);
                }
                let done = Box::pin(self.handshake()).await;
                if done {
                    self.know_mechanisms().await;
                }
                Input::Tls(done)
            }
            Action::Authenticate { mechanism, response } => {
                let begun = self.server.site.sasl.begin(&self.around, mechanism, response);
                let (exchange, answer) = Box::pin(begun).await;
                self.exchange = exchange;
                Input::Auth(answer)
            }
            Action::Continue(response) => Input::Auth(Box::pin(self.proceed(response)).await),
            Action::Secure => {
                if self.flush().await.is_err() {
                    return self.session.on(Input::Gone);
                }
                self.wire.secure(self.exchange.take());
                Input::Secured
            }
            Action::Collect => Input::Message(Box::pin(self.collect()).await),
            Action::Filter(call) => Box::pin(self.filter(call)).await,
            Action::Read | Action::Close => return action,
        };
        self.session.on(input)
    }

    async fn check(&mut self, hook: Hook, arguments: &Arguments) -> Verdict {
        self.session.scope().take_address();
        let verdict = self.server.site.policy.check(hook, arguments, self.session.scope()).await;
        // An address that the rules looked up takes the place of the client's in the line. Source: observed (access/dnsbl).
        let found = self.session.scope().take_address().filter(|_| hook == Hook::CheckRelay);
        let shown = found.map(|address| [arguments.first().cloned().unwrap_or_default(), address]);
        let about = match hook {
            Hook::CheckMail | Hook::CheckRcpt => arguments.first().cloned().unwrap_or_default(),
            Hook::TrustAuth => self.session.envelope().map(|e| e.sender_given.clone()).unwrap_or_default(),
            _ => Bytes::new(),
        };
        let shown = shown.as_ref().map_or(arguments.as_slice(), |shown| shown.as_slice());
        if hook != Hook::TrustAuth {
            self.count_verdict(&verdict);
        }
        self.log_verdict(hook.name(), hook_has_id(hook), shown, &verdict, &about);
        verdict
    }

    /// Counts a decision against something: once a session, and once a message when there is one. Source: observed.
    fn count_verdict(&mut self, verdict: &Verdict) {
        if !matches!(verdict, Verdict::Reject(_) | Verdict::Discard) {
            return;
        }
        let site = Arc::clone(&self.server.site);
        if !std::mem::replace(&mut self.has_refused, true) {
            site.statistics.count(Event::RefusedConnection);
        }
        let id = self.session.id().clone();
        let is_new = self.counted_refusal.as_ref() != Some(&id);
        if let Some(envelope) = self.session.envelope().filter(|_| is_new && matches!(verdict, Verdict::Reject(_))) {
            site.count_of_sender(&envelope.scope, Event::Rejected);
            self.counted_refusal = Some(id);
        }
    }

    /// Writes the line about a decision against something.
    fn log_verdict(&self, ruleset: &str, has_id: bool, arguments: &[Bytes], verdict: &Verdict, about: &[u8]) {
        let soft = match verdict {
            Verdict::Reject(refusal) => {
                Some(Verdict::Reject(refusal.clone().softened(&self.server.site.config.options)))
            }
            _ => None,
        };
        let Some(words) = soft.as_ref().unwrap_or(verdict).log_words(about) else { return };
        let decision = line::RulesetDecision {
            ruleset,
            arg1: arguments.first().map(AsRef::as_ref).unwrap_or_default(),
            arg2: arguments.get(1).map(AsRef::as_ref),
            relay: &self.session.client.described,
            decision: words.as_bytes(),
        };
        let id = if has_id { Id::Queue(self.session.id().as_str()) } else { Id::None };
        // An untrusted AUTH= stops nothing; observed.
        let level = if ruleset == Hook::TrustAuth.name() { Level(9) } else { Level::REJECTED };
        self.server.site.log.write(level, Priority::Notice, id, decision);
    }

    async fn add(&mut self, recipient: crate::envelope::Recipient) -> Result<Resolved, RouteError> {
        if self.session.has_filters() {
            return self.admit(recipient).await;
        }
        let depth = match self.mode() {
            DeliveryMode::Deferred => Depth::Rulesets,
            DeliveryMode::Interactive => Depth::Mailbox,
            DeliveryMode::Background | DeliveryMode::QueueOnly => Depth::Existence,
        };
        let Some(envelope) = self.session.envelope() else {
            return Err(RouteError::new(
                503,
                Status(5, 0, 0),
                crate::base::exit::Exit::PROTOCOL,
                "Need MAIL before RCPT",
            ));
        };
        self.server.site.router.add(envelope, recipient, depth).await
    }

    /// How far recipients are looked into now.
    fn depth(&self) -> Depth {
        if self.server.setting.delivery_mode == DeliveryMode::Deferred { Depth::Rulesets } else { Depth::Mailbox }
    }

    async fn list(&mut self, address: &[u8], expand: bool) -> Result<Vec<Resolved>, RouteError> {
        let router = &self.server.site.router;
        let id = self.session.id().clone();
        if list::is_new_style(address) {
            self.new_style = Some(id.clone());
        }
        let is_old = self.server.site.config.options.old_style_headers && self.new_style.as_ref() != Some(&id);
        if !expand {
            return router.verify(address, is_old, self.session.scope()).await;
        }
        let mut envelope = Envelope::new(id, clock::now(), self.session.scope().clone());
        router.expand_list(address, is_old, &mut envelope).await
    }

    /// `tls_srv_features`: what differs for this client; `false` when it cannot be had.
    async fn prepare_tls(&mut self) -> bool {
        let site = Arc::clone(&self.server.site);
        let client = [self.session.client.name.clone(), self.session.client.address.clone()];
        let answer = site.policy.text(Hook::TlsSrvFeatures, &client, self.session.scope()).await;
        let relay = crate::base::bytes::shown(&self.session.client.described).to_string();
        let about =
            format!("relay={} [{}]", crate::base::bytes::shown(&client[0]), crate::base::bytes::shown(&client[1]));
        let tell = |text: String| site.log.write(Level(9), Priority::Info, Id::None, text);
        let Ok(text) = answer else {
            tell(format!("tls_srv_features=empty, stat=75, relay={relay}"));
            return false;
        };
        let shown_text = text.as_ref().map_or_else(|| "(null)".to_owned(), |text| line::text(text).to_string());
        tell(format!("tls_srv_features={shown_text}, relay={relay}"));
        if text.is_none() {
            tell(format!("tls_srv_features=empty, stat=0, relay={relay}"));
        }
        let text = text.unwrap_or_default();
        let wanted = match features::features(&String::from_utf8_lossy(&text)) {
            Ok(wanted) => wanted,
            Err(FeaturesError::TooShort) => features::Features::default(),
            Err(error) => {
                site.log.write(Level(8), error.priority(), Id::None, format!("tls_srv_features={error}, {about}"));
                return false;
            }
        };
        let (settings, complaint) = site.tls.session(wanted);
        if let Some(complaint) = complaint {
            site.log.write(Level::TLS, Priority::Warning, Id::None, format!("STARTTLS=server: {complaint}"));
        }
        // The settings of the context itself were tried when it was made.
        let differ = settings != SessionSettings::default();
        if let Some(Err(error)) = self.tls.as_ref().filter(|_| differ).map(|context| context.check(&settings)) {
            let text = format!("STARTTLS=server, error: {error}");
            site.log.write(Level::TLS, Priority::Warning, Id::None, text);
            return false;
        }
        self.tls_settings = settings;
        true
    }

    async fn handshake(&mut self) -> bool {
        let Some(context) = self.tls.clone() else { return false };
        let Some(stream) = self.wire.take_stream() else { return false };
        let features = self.session.features();
        let ask = if features.has(b'V') { Some(false) } else { features.has(b'v').then_some(true) };
        let settings = SessionSettings { ask_certificate: ask, ..std::mem::take(&mut self.tls_settings) };
        let limit = self.server.site.config.timeouts.starttls;
        let limit = if limit.is_zero() { LONGEST_HANDSHAKE } else { limit };
        let relay = crate::base::bytes::shown(&self.session.client.described).to_string();
        match context.accept(stream, &settings, limit).await {
            Ok((stream, info)) => {
                self.server.site.log.write(Level::TLS, Priority::Info, Id::None, info.summary(Role::Server, &relay));
                self.server.site.log.write(Level(12), Priority::Info, Id::None, info.details(Role::Server));
                tell_tls(self.session.scope(), &info, &self.server.site.config.options);
                self.wire.put_stream(stream);
                true
            }
            Err(error) => {
                let text = format!("STARTTLS=server, error: {error}, relay={relay}");
                self.server.site.log.write(Level(5), Priority::Warning, Id::None, text);
                false
            }
        }
    }

    /// Tells the session which mechanisms there are now.
    async fn know_mechanisms(&mut self) {
        let scope = self.session.scope();
        let bits = crate::base::bytes::leading_number(&scope.text(names::CIPHER_BITS));
        self.around.tls_bits = u32::try_from(bits).unwrap_or(0);
        let is_verified = scope.text(names::VERIFY) == "OK";
        let subject = scope.text(names::CERT_SUBJECT);
        // Source: observed (`/O+3DTest/CN+3Dclient`).
        let subject = (is_verified && !subject.is_empty()).then(|| xtext::encode(&subject, b""));
        self.around.subject = subject;
        self.exchange = None;
        let sasl = &self.server.site.sasl;
        let log = &self.server.site.log;
        match sasl.offer(&self.around).await {
            Ok(offer) => {
                if !offer.available.is_empty() {
                    let (available, allowed) = (offer.available.join(" "), sasl.allowed().join(" "));
                    let text = format_args!("AUTH: available mech={available}, allowed mech={allowed}");
                    log.write(Level(11), Priority::Info, Id::None, text);
                }
                self.session.set_mechanisms(offer);
            }
            Err(failure) => {
                let text = format_args!("AUTH error: sasl_server_new failed={}", failure.code);
                log.write(Level::AUTH, Priority::Warning, Id::None, text);
            }
        }
    }

    async fn proceed(&mut self, response: Vec<u8>) -> Answer {
        let Some(exchange) = self.exchange.take() else {
            let (words, detail) = ("no exchange".to_owned(), String::new());
            return Answer::Failed { failure: Failure { code: Failure::BAD_PROTOCOL, words, detail } };
        };
        let (exchange, answer) = exchange.step(response).await;
        self.exchange = exchange;
        answer
    }

    /// Slowed-down clients wait here.
    async fn wait(&mut self) {
        let pause = self.session.take_pause();
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        if self.session.replies().is_empty() {
            return Ok(());
        }
        let bytes = self.session.replies().take();
        if let Some(traffic) = self.server.site.log.traffic() {
            traffic.lines(Sign::Out, &bytes);
        }
        if self.server.site.log.is_on(Level::DIALOGUE) {
            for line in bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
                let text = format!("--- {}", crate::base::bytes::shown(line.trim_ascii_end()));
                let id = Id::Queue(self.session.id().as_str());
                self.server.site.log.write(Level::DIALOGUE, Priority::Info, id, text);
            }
        }
        match tokio::time::timeout(LONGEST_WRITE, self.wire.send(&bytes)).await {
            Ok(result) => result,
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        }
    }

    fn log_notes(&mut self) {
        for Note { level, priority, id, text } in self.session.take_notes() {
            let id = id.as_deref().map_or(Id::None, Id::Queue);
            self.server.site.log.write(level, priority, id, text);
        }
    }
}

/// The work's result; `None` when it panicked.
async fn caught<T>(mut work: std::pin::Pin<Box<impl Future<Output = T>>>) -> Option<T> {
    std::future::poll_fn(|context| {
        let poll = std::panic::AssertUnwindSafe(|| work.as_mut().poll(context));
        match std::panic::catch_unwind(poll) {
            Ok(std::task::Poll::Ready(value)) => std::task::Poll::Ready(Some(value)),
            Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
            Err(_) => std::task::Poll::Ready(None),
        }
    })
    .await
}

/// Whether the line about a decision has the queue id in front. Source: observed.
fn hook_has_id(hook: Hook) -> bool {
    !matches!(
        hook,
        Hook::CheckRelay
            | Hook::CheckOther
            | Hook::CheckVrfy
            | Hook::CheckExpn
            | Hook::CheckEtrn
            | Hook::TlsClient
            | Hook::TrustAuth
    )
}

/// Refusal of a message for a reason of ours: the client may try again.
fn not_now(text: &str) -> Outcome {
    Outcome::Refused(Refusal::new(451, Status(4, 3, 0), text.to_owned()))
}

/// The id of a message, for the reply.
fn accepted(id: QueueId) -> Outcome {
    Outcome::Accepted(id)
}

/// Replies kept back while a client sends command after command, bytes.
const MOST_REPLIES: usize = 16 * 1024;
/// How long a client may take to read a reply.
const LONGEST_WRITE: Duration = Duration::from_secs(600);
/// Limit of a handshake when the configuration sets none.
const LONGEST_HANDSHAKE: Duration = Duration::from_secs(3600);
