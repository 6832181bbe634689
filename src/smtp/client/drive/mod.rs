//! Performs client sessions: connects, reads and writes with limits, asks rulesets, streams messages.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio::time::timeout;

use super::auth::{Credentials, NotNow};
use super::negotiate::{self, Manner, Negotiation};
use super::reply::{NotAReply, Parser};
use super::transaction::{self, Session};
use super::{Capabilities, Phase, Reply, Settled, Transaction, Trouble};
use crate::config::Timeouts;
use crate::net::dns::{Family, Resolver};
use crate::net::sasl::{Authenticator, ClientExchange, Failure, Response, Surroundings};
use crate::net::tls::{ClientContext, Dane, PeerInfo, Role, SessionSettings, Stream, Verify};
use crate::sys::clock;

/// Questions that come up in a session, and who wants to see it. A refusal is a reply (`454 4.7.0 not now`).
///
/// All methods have answers for those who do not care.
pub trait Hooks: Send {
    /// `try_tls`: whether STARTTLS may not be used with this server.
    fn try_tls(&mut self, peer: &Peer) -> impl Future<Output = Option<Bytes>> + Send {
        let _ = peer;
        std::future::ready(None)
    }
    /// `tls_clt_features`: settings for this server; `None` when they cannot be used.
    fn tls_session(&mut self, peer: &Peer) -> impl Future<Output = Option<SessionSettings>> + Send {
        let _ = peer;
        std::future::ready(Some(SessionSettings::default()))
    }
    /// `tls_server`: a refusal ends the session. What is known of the server is there after a handshake.
    fn tls_server(
        &mut self,
        peer: &Peer,
        verify: Verify,
        info: Option<&PeerInfo>,
    ) -> impl Future<Output = Option<Bytes>> + Send {
        let _ = (peer, verify, info);
        std::future::ready(None)
    }
    /// `tls_rcpt`: a refusal keeps this recipient back.
    fn tls_rcpt(&mut self, recipient: &[u8]) -> impl Future<Output = Option<Bytes>> + Send {
        let _ = recipient;
        std::future::ready(None)
    }
    /// `authinfo`, or `DefaultAuthInfo`.
    fn credentials(&mut self, peer: &Peer) -> impl Future<Output = Result<Option<Credentials>, NotNow>> + Send {
        let _ = peer;
        std::future::ready(Ok(None))
    }
    /// A command was sent (`>>> …`); secrets are left out.
    fn sent(&mut self, line: &[u8]) {
        let _ = line;
    }
    /// A line of a reply came (`<<< …`).
    fn received(&mut self, line: &[u8]) {
        let _ = line;
    }
    /// A recipient of the transaction was refused by itself.
    fn refused(&mut self, recipient: usize, settled: &Settled) {
        let _ = (recipient, settled);
    }
    /// A line for the log (`STARTTLS=client, …`), written when `LogLevel` is at least that.
    fn log(&mut self, level: i32, line: String) {
        let _ = (level, line);
    }
}

/// A message as the server is to get it: lines ended by CRLF, dots doubled, without the final dot.
pub trait Content: Send {
    /// The next block; `None` at the end. Blocks of some ten kilobytes keep memory small and calls few.
    fn block(&mut self) -> impl Future<Output = io::Result<Option<Bytes>>> + Send;
}

/// A message that is in memory.
#[derive(Debug)]
pub struct InMemory(pub Option<Bytes>);

impl Content for InMemory {
    fn block(&mut self) -> impl Future<Output = io::Result<Option<Bytes>>> + Send {
        std::future::ready(Ok(self.0.take()))
    }
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Name as it was asked for (`mx1.remote.test.`).
    pub host: Bytes,
    /// Address; `None` for sockets in the file system and programs.
    pub address: Option<SocketAddr>,
}

impl Peer {
    /// `${server_name}`: without the dot at the end.
    pub fn server_name(&self) -> &[u8] {
        crate::base::domain::without_final_dot(&self.host)
    }
}

/// How to connect.
#[derive(Debug, Clone, Default)]
pub struct Dialing {
    /// Port.
    pub port: u16,
    /// `ConnectOnlyTo`: the one address all connections go to.
    pub only_to: Option<SocketAddr>,
    /// `ClientPortOptions` for IPv4; `None` when that family is not used.
    pub inet: Option<Binding>,
    /// The same for IPv6.
    pub inet6: Option<Binding>,
    /// `Timeout.connect` or `Timeout.iconnect`.
    pub limit: Option<Duration>,
    /// When no connection is waited for any more (`Timeout.aconnect`).
    pub until: Option<Instant>,
}

/// Our end of a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Binding {
    /// Address; any when `None`.
    pub address: Option<IpAddr>,
    /// Port; any when 0.
    pub port: u16,
    /// Bytes of the send buffer.
    pub send_buffer_bytes: Option<u32>,
    /// Bytes of the receive buffer.
    pub receive_buffer_bytes: Option<u32>,
}

/// Connects to a host: each of its addresses in turn, IPv6 first.
///
/// Errors: [`Trouble::Name`], or what the last address gave; [`Trouble::OutOfTime`] when not all addresses had their time. Dropped in the middle: nothing stays open.
pub async fn dial(resolver: &Resolver, host: &Bytes, dialing: &Dialing) -> Result<(Stream, Peer), Trouble> {
    let addresses = if let Some(only) = dialing.only_to {
        vec![only]
    } else {
        let family = match (&dialing.inet, &dialing.inet6) {
            (Some(_), None) => Family::Inet,
            (None, Some(_)) => Family::Inet6,
            _ => Family::Any,
        };
        let found = resolver.addresses(host, family).await.map_err(Trouble::Name)?;
        found.into_iter().map(|ip| SocketAddr::new(ip, dialing.port)).collect()
    };
    let mut last = Trouble::NoHost;
    for address in addresses {
        let left = dialing.until.map(|until| until.saturating_duration_since(clock::monotonic()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Trouble::OutOfTime);
        }
        let limit = dialing.limit.into_iter().chain(left).min();
        let connected = match limit {
            Some(limit) => timeout(limit, connect(address, dialing)).await,
            None => Ok(connect(address, dialing).await),
        };
        last = match connected {
            Ok(Ok(stream)) => {
                return Ok((Stream::from(stream), Peer { host: host.clone(), address: Some(address) }));
            }
            Ok(Err(error)) => Trouble::Broken { phase: Phase::Connect, errno: error.raw_os_error() },
            Err(_) if limit == dialing.limit => Trouble::Timeout(Phase::Connect),
            Err(_) => return Err(Trouble::OutOfTime),
        };
    }
    Err(last)
}

/// Connects to a socket in the file system (`TCP` and `FILE` mailers name it as their host).
pub async fn dial_local(path: &std::path::Path, limit: Option<Duration>) -> Result<(Stream, Peer), Trouble> {
    let connecting = UnixStream::connect(path);
    let connected = match limit {
        Some(limit) => timeout(limit, connecting).await.map_err(|_| Trouble::Timeout(Phase::Connect))?,
        None => connecting.await,
    };
    let broken = |error: io::Error| Trouble::Broken { phase: Phase::Connect, errno: error.raw_os_error() };
    let stream = connected.map_err(broken)?;
    Ok((Stream::from(stream), Peer { host: Bytes::from_static(b"localhost"), address: None }))
}

async fn connect(address: SocketAddr, dialing: &Dialing) -> io::Result<TcpStream> {
    let (socket, binding, any) = match address {
        SocketAddr::V4(_) => (TcpSocket::new_v4()?, dialing.inet, IpAddr::from([0; 4])),
        SocketAddr::V6(_) => (TcpSocket::new_v6()?, dialing.inet6, IpAddr::from([0; 16])),
    };
    let binding = binding.unwrap_or_default();
    if let Some(bytes) = binding.send_buffer_bytes {
        socket.set_send_buffer_size(bytes)?;
    }
    if let Some(bytes) = binding.receive_buffer_bytes {
        socket.set_recv_buffer_size(bytes)?;
    }
    if binding.address.is_some() || binding.port != 0 {
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::new(binding.address.unwrap_or(any), binding.port))?;
    }
    let stream = socket.connect(address).await?;
    // Commands are small and waited for.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// What a session needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What to speak.
    pub manner: Manner,
    /// Timeouts.
    pub timeouts: Arc<Timeouts>,
    /// TLS; `None` when it is off.
    pub tls: Option<ClientContext>,
    /// Signed TLSA records of the server.
    pub dane: Option<Dane>,
    /// AUTH; `None` when it is not used.
    pub sasl: Option<Authenticator>,
}

/// A connection on which transactions can be made.
///
/// Dropped: the connection is closed without QUIT; use [`Connection::quit`].
#[derive(Debug)]
pub struct Connection {
    wire: Wire,
    peer: Peer,
    timeouts: Arc<Timeouts>,
    capabilities: Capabilities,
    is_lmtp: bool,
    verify: Verify,
    tls: Option<PeerInfo>,
    is_authenticated: bool,
    transactions: usize,
    is_usable: bool,
    /// Nothing more can come from the server.
    is_broken: bool,
    needs_reset: bool,
    /// RSET was the last thing said.
    is_reset: bool,
    unclaimed: Option<Reply>,
    afterwards: Option<Reply>,
    emptied: Option<Reply>,
    /// MAIL of the last transaction was refused.
    refused_mail: bool,
}

impl Connection {
    /// Goes from the greeting to the first transaction.
    ///
    /// Errors: why there will be none; the stream is closed then, after QUIT where that makes sense. A handshake that failed
    /// ([`Verify::Software`] was shown to `tls_server`) may be tried again on a new stream with [`Manner::may_use_tls`] off.
    /// Dropped in the middle: the stream is closed.
    pub async fn open(
        stream: Stream,
        peer: Peer,
        settings: &Settings,
        hooks: &mut impl Hooks,
    ) -> Result<Self, Trouble> {
        let mut manner = settings.manner.clone();
        manner.may_use_tls &= settings.tls.is_some();
        let is_lmtp = manner.is_lmtp;
        let mut opening = Opening {
            wire: Some(Wire::new(stream)),
            peer,
            settings,
            session: SessionSettings::default(),
            tls: None,
            exchange: None,
        };
        let mut machine = Negotiation::new(manner);
        let mut input = negotiate::Input::Start;
        loop {
            input = match machine.on(input) {
                negotiate::Action::Ready => break,
                negotiate::Action::GiveUp(trouble, quits) => {
                    if let Trouble::NoMechanism = trouble {
                        hooks.log(9, "AUTH=client, available mechanisms= do not fulfill requirements".to_owned());
                    }
                    if let Trouble::Refused { phase: Phase::Auth, .. } | Trouble::NoMechanism | Trouble::NoLogin =
                        trouble
                    {
                        let relay = crate::base::bytes::shown(&opening.peer.host).to_string();
                        hooks.log(9, format!("AUTH=client, relay={relay}, temporary failure, connection abort"));
                    }
                    opening.give_up(quits, hooks).await;
                    return Err(trouble);
                }
                action => opening.perform(action, hooks).await?,
            };
        }
        let Some(wire) = opening.wire else { return Err(Trouble::Garbage(Phase::Handshake)) };
        Ok(Self {
            wire,
            peer: opening.peer,
            timeouts: Arc::clone(&settings.timeouts),
            capabilities: machine.capabilities().clone(),
            is_lmtp,
            verify: machine.verify(),
            tls: opening.tls,
            is_authenticated: machine.is_authenticated(),
            transactions: 0,
            is_usable: true,
            is_broken: false,
            needs_reset: false,
            is_reset: false,
            unclaimed: None,
            afterwards: None,
            emptied: None,
            refused_mail: false,
        })
    }

    /// Sends one message; an outcome for each recipient, in their order.
    ///
    /// Whatever goes wrong is an outcome. Between the dot and its reply a broken connection leaves open whether the server took the
    /// message; it counts as not taken. Dropped in the middle: as if the connection had broken.
    pub async fn send(
        &mut self,
        transaction: Transaction,
        content: &mut impl Content,
        hooks: &mut impl Hooks,
    ) -> Vec<Settled> {
        let mut settled = Vec::with_capacity(transaction.recipients.len());
        for recipient in &transaction.recipients {
            settled.push(hooks.tls_rcpt(&recipient.address).await.map(Settled::Ruleset));
        }
        let resets = self.transactions > 0 && !std::mem::take(&mut self.is_reset);
        self.transactions += 1;
        // Until the end is known the connection counts as broken.
        self.is_usable = false;
        self.is_broken = true;
        let mut session = Session::new(transaction, settled, &self.capabilities, self.is_lmtp, resets);
        let mut input = transaction::Input::Start;
        loop {
            let action = session.on(input);
            if let Some((n, settled)) = session.refused() {
                hooks.refused(n, settled);
            }
            input = match action {
                transaction::Action::Done => break,
                transaction::Action::Send(lines, phase) => {
                    match self.wire.say(&lines, phase, &self.timeouts, hooks).await {
                        Ok(()) => self.reply(phase, hooks).await,
                        Err(trouble) => self.last_words(trouble, hooks).await,
                    }
                }
                transaction::Action::Wait(phase) => self.reply(phase, hooks).await,
                transaction::Action::Write => match self.wire.write_message(content, &self.timeouts).await {
                    Ok(()) => {
                        hooks.sent(b".");
                        transaction::Input::Written
                    }
                    Err(trouble) => {
                        // A server that refuses in the middle may have said why.
                        let input = self.last_words(trouble, hooks).await;
                        if matches!(input, transaction::Input::Reply(_)) {
                            session.on(transaction::Input::Written);
                        }
                        input
                    }
                },
            };
        }
        self.needs_reset = session.needs_reset();
        self.unclaimed = session.unclaimed();
        self.afterwards = session.afterwards();
        self.emptied = session.emptied();
        let (settled, is_usable) = session.results();
        self.is_usable = is_usable;
        self.is_broken = settled.iter().any(|one| matches!(one, Settled::Failed(_) | Settled::Unanswered(_)));
        self.refused_mail = settled.iter().any(|one| matches!(one, Settled::Refused { phase: Phase::Mail, .. }));
        settled
    }

    async fn reply(&mut self, phase: Phase, hooks: &mut impl Hooks) -> transaction::Input {
        match self.wire.reply(phase, &self.timeouts, hooks).await {
            Ok(reply) => transaction::Input::Reply(reply),
            Err(trouble) => transaction::Input::Trouble(trouble),
        }
    }

    /// A reply that lies there although we could not write any more; a refusal, else what was the trouble.
    async fn last_words(&mut self, trouble: Trouble, hooks: &mut impl Hooks) -> transaction::Input {
        let waiting = self.wire.reply(Phase::DataFinal, &self.timeouts, hooks);
        match timeout(LAST_WORDS, waiting).await {
            Ok(Ok(reply)) if reply.code >= 400 => transaction::Input::Reply(reply),
            _ => transaction::Input::Trouble(trouble),
        }
    }

    /// Whether the last transaction left it fit for another one; the server is not looked at.
    pub fn is_usable(&self) -> bool {
        self.is_usable
    }

    /// Whether another transaction may be made, as far as is known without asking the server.
    pub async fn is_alive(&mut self) -> bool {
        if !self.is_usable || !self.wire.parser.is_empty() {
            return false;
        }
        let Some(tcp) = self.wire.stream.tcp() else { return true };
        let mut byte = [0];
        match timeout(Duration::ZERO, tcp.peek(&mut byte)).await {
            // Nothing to read: it waits for us.
            Err(_) => true,
            // TLS sends tickets; in clear it is a farewell.
            Ok(Ok(1..)) => self.wire.stream.is_tls(),
            Ok(_) => false,
        }
    }

    /// A refusal in the last transaction that was meant for no recipient.
    pub fn unclaimed(&mut self) -> Option<Reply> {
        self.unclaimed.take()
    }

    /// What the server said to RSET when nothing had come of the last transaction.
    pub fn afterwards(&mut self) -> Option<Reply> {
        self.afterwards.take()
    }

    /// What the server said to the dot when it had taken nobody in the last transaction.
    pub fn emptied(&mut self) -> Option<Reply> {
        self.emptied.take()
    }

    /// Whether MAIL of the last transaction was refused.
    pub fn has_refused_mail(&self) -> bool {
        self.refused_mail
    }

    /// Says RSET to a server that waited, to see whether it is still well.
    pub async fn reset(&mut self, hooks: &mut impl Hooks) -> bool {
        if !self.is_alive().await {
            return false;
        }
        let reply = self.exchange(b"RSET\r\n", Phase::Rset, hooks).await;
        self.needs_reset = false;
        self.is_reset = true;
        self.is_usable = matches!(&reply, Ok(reply) if reply.code != 421);
        self.is_usable
    }

    /// Says QUIT and closes in good order, so that a TLS session can be resumed.
    pub async fn quit(mut self, hooks: &mut impl Hooks) {
        if self.needs_reset && self.is_usable {
            let _ = self.exchange(b"RSET\r\n", Phase::Rset, hooks).await;
        }
        if !self.is_broken {
            let _ = self.exchange(b"QUIT\r\n", Phase::Quit, hooks).await;
        }
        self.wire.stream.close(CLOSING).await;
    }

    async fn exchange(&mut self, line: &'static [u8], phase: Phase, hooks: &mut impl Hooks) -> Result<Reply, Trouble> {
        self.wire.say(&Bytes::from_static(line), phase, &self.timeouts, hooks).await?;
        self.wire.reply(phase, &self.timeouts, hooks).await
    }

    /// Who is at the other end.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// What the server can do.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// `${verify}`.
    pub fn verify(&self) -> Verify {
        self.verify
    }

    /// What is known of the server after a handshake.
    pub fn tls(&self) -> Option<&PeerInfo> {
        self.tls.as_ref()
    }

    /// Whether AUTH succeeded.
    pub fn is_authenticated(&self) -> bool {
        self.is_authenticated
    }

    /// Transactions made so far.
    pub fn transactions(&self) -> usize {
        self.transactions
    }
}

/// A connection between greeting and first transaction.
struct Opening<'s> {
    /// Empty only while the handshake goes on, and after it failed.
    wire: Option<Wire>,
    peer: Peer,
    settings: &'s Settings,
    session: SessionSettings,
    tls: Option<PeerInfo>,
    exchange: Option<ClientExchange>,
}

impl Opening<'_> {
    async fn perform(
        &mut self,
        action: negotiate::Action,
        hooks: &mut impl Hooks,
    ) -> Result<negotiate::Input, Trouble> {
        use negotiate::{Action, Input};
        let timeouts = &self.settings.timeouts;
        Ok(match action {
            Action::Wait(phase) => Input::Reply(self.wire()?.reply(phase, timeouts, hooks).await?),
            Action::Say(line, phase) => {
                let line = Bytes::from([&line[..], b"\r\n"].concat());
                let wire = self.wire()?;
                wire.say(&line, phase, timeouts, hooks).await?;
                Input::Reply(wire.reply(phase, timeouts, hooks).await?)
            }
            Action::AskTryTls => match (hooks.try_tls(&self.peer).await, hooks.tls_session(&self.peer).await) {
                (Some(_), _) => Input::TryTls(false),
                (None, None) => Input::TlsUnusable,
                (None, Some(session)) => {
                    let without_dane = session.without_dane;
                    self.session = session;
                    if without_dane {
                        Input::TlsWithoutDane
                    } else {
                        self.session.dane.clone_from(&self.settings.dane);
                        Input::TryTls(true)
                    }
                }
            },
            Action::Handshake => self.handshake(hooks).await,
            Action::AskTlsServer(verify) => {
                Input::TlsServer(hooks.tls_server(&self.peer, verify, self.tls.as_ref()).await)
            }
            // Modifier `A` of the client port: no AUTH.
            Action::AskCredentials if self.settings.sasl.is_none() => Input::Credentials(Ok(None)),
            Action::AskCredentials => Input::Credentials(hooks.credentials(&self.peer).await),
            Action::Authenticate(who, mechanisms) => Input::Sasl(self.approach(&who, mechanisms).await),
            Action::Solve(challenge) => Input::Sasl(self.solve(challenge).await),
            Action::Secure => self.secure(hooks)?,
            Action::Ready | Action::GiveUp(..) => return Err(Trouble::Garbage(Phase::Helo)),
        })
    }

    async fn approach(&mut self, who: &Credentials, mechanisms: String) -> Response {
        let Some(sasl) = &self.settings.sasl else { return impossible() };
        let bits = self.tls.as_ref().map_or(0, |info| info.cipher_bits);
        let around = Surroundings {
            remote: self.peer.address,
            tls_bits: u32::try_from(bits).unwrap_or(0),
            ..Surroundings::default()
        };
        let host = String::from_utf8_lossy(&self.peer.host).into_owned();
        let (exchange, response) = sasl.approach(&around, host, who.who(), mechanisms).await;
        self.exchange = exchange;
        response
    }

    async fn solve(&mut self, challenge: Vec<u8>) -> Response {
        let Some(exchange) = self.exchange.take() else { return impossible() };
        let (exchange, response) = exchange.step(challenge).await;
        self.exchange = exchange;
        response
    }

    /// From here on everything goes through the layer that was agreed, if one was. A server that says yes before the mechanism is
    /// through with it may be anybody.
    fn secure(&mut self, hooks: &mut impl Hooks) -> Result<negotiate::Input, Trouble> {
        let relay = crate::base::bytes::shown(&self.peer.host).to_string();
        let Some(exchange) = self.exchange.take() else { return Ok(negotiate::Input::Unproven) };
        let (mechanism, bits) = (exchange.mechanism(), exchange.bits());
        if !exchange.is_done() {
            hooks.log(1, format!("AUTH=client, relay={relay}, mech={mechanism}, 235 before the exchange was complete"));
            return Ok(negotiate::Input::Unproven);
        }
        hooks.log(10, format!("AUTH=client, relay={relay}, mech={mechanism}, bits={bits}"));
        if bits == 0 {
            return Ok(negotiate::Input::Layer(false));
        }
        let wire = self.wire()?;
        // What came in clear behind the 235 does not count.
        wire.parser.clear();
        wire.layer = Some(exchange);
        Ok(negotiate::Input::Layer(true))
    }

    fn wire(&mut self) -> Result<&mut Wire, Trouble> {
        self.wire.as_mut().ok_or(Trouble::Garbage(Phase::Handshake))
    }

    async fn handshake(&mut self, hooks: &mut impl Hooks) -> negotiate::Input {
        let (Some(context), Some(wire)) = (&self.settings.tls, self.wire.take()) else {
            return negotiate::Input::NotSecured("no context".to_owned());
        };
        let limit = Phase::Handshake.limit(&self.settings.timeouts).unwrap_or(FOR_EVER);
        let name = match self.peer.address {
            Some(address) => format!("{} {address}", crate::base::bytes::shown(&self.peer.host)),
            None => crate::base::bytes::shown(&self.peer.host).to_string(),
        };
        // The parser goes with the old stream: what came in clear behind the 220 does not count.
        match context.connect(wire.stream, &name, &self.session, limit).await {
            Ok((stream, info)) => {
                let relay = crate::base::bytes::shown(&self.peer.host).to_string();
                hooks.log(9, info.summary(Role::Client, &relay));
                for complaint in &info.complaints {
                    hooks.log(9, format!("STARTTLS=client, relay={relay}, {complaint}"));
                }
                hooks.log(14, info.details(Role::Client));
                let verify = info.verify;
                self.tls = Some(info);
                self.wire = Some(Wire::new(stream));
                negotiate::Input::Secured(verify)
            }
            Err(error) => {
                hooks.log(5, format!("STARTTLS=client, error: {error}"));
                negotiate::Input::NotSecured(error.to_string())
            }
        }
    }

    async fn give_up(&mut self, quits: bool, hooks: &mut impl Hooks) {
        let Some(mut wire) = self.wire.take() else { return };
        let timeouts = &self.settings.timeouts;
        if quits && wire.say(&Bytes::from_static(b"QUIT\r\n"), Phase::Quit, timeouts, hooks).await.is_ok() {
            let _ = wire.reply(Phase::Quit, timeouts, hooks).await;
        }
        wire.stream.close(CLOSING).await;
    }
}

/// There is nothing to answer with.
fn impossible() -> Response {
    let (words, detail) = ("no exchange".to_owned(), String::new());
    Response::Impossible(Failure { code: Failure::BAD_PROTOCOL, words, detail })
}

/// A stream with what was read from it too early.
#[derive(Debug)]
struct Wire {
    stream: Stream,
    parser: Parser,
    /// Security layer of AUTH.
    layer: Option<ClientExchange>,
}

impl Wire {
    fn new(stream: Stream) -> Self {
        Self { stream, parser: Parser::default(), layer: None }
    }

    /// Writes whole lines.
    async fn say(
        &mut self,
        lines: &Bytes,
        phase: Phase,
        timeouts: &Timeouts,
        hooks: &mut impl Hooks,
    ) -> Result<(), Trouble> {
        for line in lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if phase == Phase::Auth { hooks.sent(b"AUTH ...") } else { hooks.sent(line) }
        }
        self.write(&mut lines.clone(), phase, timeouts).await
    }

    async fn write(&mut self, data: &mut (impl Buf + Send), phase: Phase, timeouts: &Timeouts) -> Result<(), Trouble> {
        let writing = async {
            match &mut self.layer {
                Some(layer) => {
                    let coded = layer.encode(&data.copy_to_bytes(data.remaining())).map_err(io::Error::other)?;
                    self.stream.write_all(&coded).await?;
                }
                None => self.stream.write_all_buf(data).await?,
            }
            self.stream.flush().await
        };
        limited(phase, timeouts, writing).await
    }

    /// A whole reply; all its lines together have the time of the phase.
    async fn reply(&mut self, phase: Phase, timeouts: &Timeouts, hooks: &mut impl Hooks) -> Result<Reply, Trouble> {
        let reply = limited(phase, timeouts, self.whole_reply()).await?;
        let reply = match reply {
            Ok(Some(reply)) => reply,
            Ok(None) => return Err(Trouble::Broken { phase, errno: None }),
            Err(NotAReply) => return Err(Trouble::Garbage(phase)),
        };
        reply.lines.iter().for_each(|line| hooks.received(line));
        Ok(reply)
    }

    /// Reads up to the end of a reply; `None` at the end of the stream.
    async fn whole_reply(&mut self) -> io::Result<Result<Option<Reply>, NotAReply>> {
        loop {
            let taken = self.parser.take();
            if !matches!(taken, Ok(None)) || self.fill().await? == 0 {
                return Ok(taken);
            }
        }
    }

    /// Reads what there is; 0 at the end of the stream.
    async fn fill(&mut self) -> io::Result<usize> {
        let Some(layer) = &mut self.layer else {
            self.parser.buffer().reserve(READ_BYTES);
            return self.stream.read_buf(self.parser.buffer()).await;
        };
        loop {
            let mut coded = BytesMut::with_capacity(READ_BYTES);
            if self.stream.read_buf(&mut coded).await? == 0 {
                return Ok(0);
            }
            let plain = layer.decode(&coded).map_err(io::Error::other)?;
            if !plain.is_empty() {
                self.parser.buffer().extend_from_slice(&plain);
                return Ok(plain.len());
            }
        }
    }

    /// Writes a message and the final dot; each block within its limit, short ones together. Memory: two blocks.
    async fn write_message(&mut self, content: &mut impl Content, timeouts: &Timeouts) -> Result<(), Trouble> {
        let phase = Phase::DataBlock;
        let (mut held, mut last) = (Bytes::new(), Bytes::new());
        let mut end = *b"\r\n";
        loop {
            let block = content.block().await;
            let block = block.map_err(|error| Trouble::Broken { phase, errno: error.raw_os_error() })?;
            let Some(block) = block else { break };
            if block.is_empty() {
                continue;
            }
            if held.is_empty() && last.len() <= SHORT_BLOCK {
                held = std::mem::take(&mut last);
            } else {
                let mut both = std::mem::take(&mut held).chain(std::mem::take(&mut last));
                self.write(&mut both, phase, timeouts).await?;
            }
            end = match (block.get(block.len().wrapping_sub(2)), block.last()) {
                (Some(a), Some(b)) => [*a, *b],
                (None, Some(b)) => [end[1], *b],
                _ => end,
            };
            last = block;
        }
        // The dot goes out with the last block, in one call where the stream can.
        let dot: &[u8] = if end == *b"\r\n" { b".\r\n" } else { b"\r\n.\r\n" };
        self.write(&mut held.chain(last).chain(dot), phase, timeouts).await
    }
}

async fn limited<T>(
    phase: Phase,
    timeouts: &Timeouts,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, Trouble> {
    let done = match phase.limit(timeouts) {
        Some(limit) => timeout(limit, work).await.map_err(|_| Trouble::Timeout(phase))?,
        None => work.await,
    };
    done.map_err(|error| Trouble::Broken { phase, errno: error.raw_os_error() })
}

/// A block up to this long waits for the next one, to go out with it: a header goes with the body.
const SHORT_BLOCK: usize = 16 * 1024;
/// Room made for each read.
const READ_BYTES: usize = 1024;
/// For how long a stream that cannot be written to is read for a reply.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// For how long a closing stream is waited for.
const CLOSING: Duration = Duration::from_secs(2);
/// A limit that stands for none.
const FOR_EVER: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests;
