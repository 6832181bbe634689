//! The agent that speaks SMTP or LMTP.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::agent::{Delivered, Load, count_handed_over, user_of};
use super::attempt::Attempt;
use super::hooks::Asking;
use super::pool::Place;
use super::shown::closing;
use super::source::{self, Source};
use super::{dane, mx, program};
use crate::base::bytes::shown;
use crate::base::domain::without_final_dot;
use crate::base::exit::Exit;
use crate::base::letters::Modifiers;
use crate::base::status::{Classify, Status};
use crate::config::{Config, Mailer};
use crate::deliver::deliver_by::By;
use crate::deliver::host_status::HostStatus;
use crate::deliver::hosts::{self, Target, Way};
use crate::deliver::outcome::{Outcome, Verdict};
use crate::deliver::settled;
use crate::envelope::Recipient;
use crate::log::statistics::Event;
use crate::log::traffic::Sign;
use crate::log::{Level, Priority};
use crate::macros::{Scope, names};
use crate::net::dns::shown_address;
use crate::net::tls::{Dane, Stream, Verify};
use crate::policy::Hook;
use crate::site::connection::Interface;
use crate::smtp::client::drive::{Connection, Content, Dialing, Peer, Settings, dial, dial_local};
use crate::smtp::client::negotiate::Manner;
use crate::smtp::client::{self, Trouble};
use crate::sys::clock;
use crate::sys::host::service_port;

impl Content for Source {
    async fn block(&mut self) -> io::Result<Option<Bytes>> {
        self.next().await
    }
}

/// What is left of a batch while hosts are tried.
struct Course<'a> {
    attempt: &'a mut Attempt,
    load: &'a Load,
    mailer: &'a Mailer,
    /// Recipients without a final outcome.
    left: Vec<Waiting>,
    relay: Bytes,
    /// A handshake that fails is followed by a try in clear.
    falls_back: bool,
    /// The last reply of a server, for the log: it is named with whatever comes after it.
    heard: Option<Bytes>,
    /// When no host is connected to any more (`Timeout.aconnect`).
    until: Option<Instant>,
    /// That time ended before all hosts were tried.
    is_cut: bool,
    /// What the server said to QUIT, or last of all.
    farewell: Option<Bytes>,
}

/// A recipient that no server has taken or refused for good.
struct Waiting {
    index: usize,
    /// Why the last host did not take it.
    last: Option<Outcome>,
    /// A server has answered for this one, which is logged already: other hosts may take it, but count for less.
    is_answered: bool,
}

/// Hands a batch to its next hop.
pub(super) async fn deliver(attempt: &mut Attempt, load: &Load) -> Delivered {
    let Some(mailer) = load.mailer() else { return Delivered::all(Bytes::new(), &load.recipients, misconfigured()) };
    let waiting = |index: &usize| Waiting { index: *index, last: None, is_answered: false };
    let left = load.recipients.iter().map(waiting).collect();
    let all = load.config.timeouts.aconnect;
    let until = if all.is_zero() { None } else { clock::monotonic().checked_add(all) };
    let relay = load.host.clone();
    let mut course = Course {
        attempt,
        load,
        mailer,
        left,
        relay,
        falls_back: false,
        heard: None,
        until,
        is_cut: false,
        farewell: None,
    };
    if mailer.is_network() {
        let argv: Vec<Bytes> = mailer.argv.iter().map(|word| word.expand(&load.scope).into()).collect();
        match hosts::way(&argv) {
            Some(Way::Local(path)) => course.local(&path).await,
            Some(Way::Tcp { host, port }) => course.hosts(&host, port.as_ref()).await,
            None => course.end(&misconfigured()),
        }
    } else {
        course.program().await;
    }
    if course.is_cut {
        course.keep();
    }
    course.end(&Outcome::deferred(Status(4, 4, 0), ""));
    Delivered { relay: course.relay, results: Vec::new() }
}

impl Course<'_> {
    /// Every host of `$h` and the fallback hosts, until all recipients are settled.
    async fn hosts(&mut self, host: &Bytes, port: Option<&Bytes>) {
        let port = match port {
            None => 25,
            Some(port) => match number(port) {
                Some(port) => port,
                None => return self.end(&misconfigured()),
            },
        };
        let mut targets = hosts::targets(host);
        let is_direct = self.mailer.has(b'0') || targets.iter().all(|t| t.is_literal);
        let fallback = self.load.config.options.fallback_mx_host.clone().filter(|f| !f.is_empty() && !is_direct);
        let own = targets.len();
        targets.extend(fallback.iter().flat_map(|f| hosts::targets(f)));
        for (n, target) in targets.iter().enumerate() {
            let names = match mx::names(self.attempt, self.load, target).await {
                Ok(names) => names,
                Err(outcome) => {
                    if n < own {
                        self.relay = target.name.clone();
                    }
                    let is_unknown = outcome.verdict == Verdict::Deferred || outcome.code == Exit::NOHOST;
                    if is_unknown && n + 1 < targets.len() {
                        self.defer(&outcome);
                        continue;
                    }
                    let outcome = match self.fallback().filter(|_| is_unknown) {
                        Some(_) if self.is_late() => return,
                        Some(fallback) => match self.reach_fallback(&fallback, port).await {
                            Some(outcome) => outcome,
                            None => continue,
                        },
                        None => outcome,
                    };
                    return self.end(&outcome);
                }
            };
            for name in names {
                if self.is_late() {
                    return;
                }
                self.host(&name, target, port).await;
                if self.left.is_empty() {
                    return;
                }
            }
        }
    }

    /// One host, or `FallbackSmartHost` in its place.
    async fn host(&mut self, name: &Bytes, target: &Target, port: u16) {
        let Some(mut outcome) = self.reach(name, target, None, port).await else { return };
        if let Some(fallback) = self.fallback()
            && !self.is_late()
        {
            match self.reach_fallback(&fallback, port).await {
                Some(again) => outcome = again,
                None => return,
            }
        }
        if outcome.verdict == Verdict::Deferred { self.defer(&outcome) } else { self.pass_over(&outcome) }
    }

    /// Whether no host may be tried any more.
    fn is_late(&mut self) -> bool {
        let is_late = self.until.is_some_and(|until| clock::monotonic() >= until);
        self.is_cut |= is_late;
        is_late
    }

    /// `FallbackSmartHost`: takes what a host that cannot be reached, or does not exist, should have taken.
    fn fallback(&self) -> Option<Bytes> {
        self.load.config.options.fallback_smart_host.clone().filter(|host| !host.is_empty())
    }

    /// Its name is asked for as it is, and shown so. Source: observed.
    async fn reach_fallback(&mut self, host: &Bytes, port: u16) -> Option<Outcome> {
        let target = hosts::targets(host).into_iter().next()?;
        self.reach(&target.name, &target, Some(host), port).await
    }

    /// Tries one host; why it could not be reached, when that is so.
    async fn reach(&mut self, name: &Bytes, target: &Target, shown_as: Option<&Bytes>, port: u16) -> Option<Outcome> {
        if self.is_late() {
            return None;
        }
        let literal = target.is_literal.then(|| hosts::literal(name)).flatten();
        let shown_name = match literal {
            _ if shown_as.is_some() => shown_as.cloned().unwrap_or_default(),
            Some(_) => Bytes::from([b"[", name.as_ref(), b"]"].concat()),
            None if name.ends_with(b".") => name.clone(),
            None => Bytes::from([name.as_ref(), b"."].concat()),
        };
        let place = Place { mailer: self.load.id, host: shown_name.clone(), port };
        let site = self.attempt.site.clone();
        let memory = if self.mailer.has(b'W') { Duration::ZERO } else { site.config.timeouts.hoststatus };
        if let Some(trouble) = self.attempt.pool.trouble(&place, memory) {
            self.relay = shown_name.clone();
            return Some(settled::trouble(&trouble, &shown_name));
        }
        let keeps_status = !self.mailer.has(b'W');
        if keeps_status && let Some(outcome) = self.known_trouble(&shown_name) {
            self.relay = shown_name.clone();
            if outcome.verdict == Verdict::Deferred {
                return Some(outcome);
            }
            self.pass_over(&outcome);
            return None;
        }
        let Some(_claim) = self.attempt.hosts.claim(&shown_name) else {
            self.relay = shown_name.clone();
            return Some(Outcome::deferred(Status(4, 0, 0), ""));
        };
        let letters = Box::pin(self.features(&shown_name)).await?;
        let dane = match literal {
            Some(_) => None,
            None if letters.contains(&b'D') => None,
            None => match Box::pin(dane::find(self.attempt, &target.name, name, port)).await {
                Ok(dane) => dane,
                Err(outcome) => {
                    // No other host may take what this one's records keep back.
                    self.relay = shown_name.clone();
                    self.defer(&outcome);
                    return None;
                }
            },
        };
        let known = self.waiting(&place).await;
        // A connection may have been opened for a domain whose records do not ask for as much.
        if let Some(connection) = Box::pin(dane::fitting(self.attempt, self.load, known, dane.as_ref())).await {
            self.relay = self.relay_again(connection.peer(), connection.has_refused_mail(), &shown_name);
            Box::pin(self.transact(connection, Some(place), &shown_name)).await;
            return None;
        }
        let only = literal.map(|ip| SocketAddr::new(ip, port));
        let dialing = self.dialing(port, only);
        let asked = if only.is_some() { &shown_name } else { name };
        let (stream, peer) = match self.dialed(asked, &dialing).await {
            Ok(dialed) => dialed,
            Err(Trouble::Name(error)) => {
                self.relay = name.clone();
                return Some(mx::no_host(&error, name));
            }
            Err(trouble) => {
                self.relay = match dialing.only_to {
                    Some(address) => with_address(&shown_name, address, self.compressed()),
                    None => self.with_first_address(name, &shown_name).await,
                };
                return Some(self.unreached(&trouble, &place));
            }
        };
        let peer = Peer { host: shown_name.clone(), ..peer };
        site.statistics.count(Event::OutgoingConnection);
        self.attempt.pool.note(&place, None);
        self.relay = relay(&peer, &shown_name, self.compressed());
        match self.opened(stream, peer, dialing, dane).await {
            Ok(connection) => Box::pin(self.transact(connection, Some(place), &shown_name)).await,
            Err(trouble) => {
                self.has_ended(place).await;
                self.refused(&trouble, &shown_name);
            }
        }
        None
    }

    /// The server of a connection that was used before; of one that has just refused MAIL a watched run names no address.
    /// Source: observed.
    fn relay_again(&self, peer: &Peer, has_refused_mail: bool, name: &Bytes) -> Bytes {
        if self.attempt.watch.is_some() && has_refused_mail {
            return name.clone();
        }
        relay(peer, name, self.compressed())
    }

    /// A watcher is told of a connection that has ended by itself when another one is made.
    async fn has_ended(&self, place: Place) {
        if self.attempt.watch.is_some() {
            self.attempt.slots.give(place, None).await;
        }
    }

    /// Remembers that a host could not be connected to.
    fn unreached(&mut self, trouble: &Trouble, place: &Place) -> Outcome {
        if *trouble == Trouble::OutOfTime {
            self.is_cut = true;
        } else {
            self.attempt.pool.note(place, Some(trouble));
        }
        // Observed: where another host stands in, nothing is remembered of one that is down.
        if self.fallback().is_none() {
            self.note_trouble(trouble, &place.host);
        }
        settled::trouble(trouble, &place.host)
    }

    /// `clt_features`: letters for this server; `None` when it is not to be spoken to for now, which is told.
    async fn features(&mut self, host: &Bytes) -> Option<Bytes> {
        let site = self.attempt.site.clone();
        if !site.policy.has(Hook::CltFeatures) {
            return Some(Bytes::new());
        }
        let server = Bytes::copy_from_slice(without_final_dot(host));
        let mut scope = self.load.scope.clone();
        let letters = site.policy.ask(Hook::CltFeatures, &[server], &mut scope).await.unwrap_or_default();
        if !letters.eq_ignore_ascii_case(b"temp") {
            return Some(letters);
        }
        let text = format!("clt_features=TEMPFAIL, host={}, status=skipped", shown(host));
        site.log.write(Level::TLS, Priority::Warning, self.attempt.id(), text);
        self.relay = host.clone();
        self.defer(&Outcome::deferred(Status(4, 0, 0), "clt_features=TEMPFAIL"));
        None
    }

    /// A new connection. With flag `Z` a second one is tried after `DialDelay`: a line that is dialled on demand is up then.
    /// Source: op guide 5.6 (DialDelay).
    async fn dialed(&self, host: &Bytes, dialing: &Dialing) -> Result<(Stream, Peer), Trouble> {
        let site = &self.attempt.site;
        let first = dial(&site.resolver, host, dialing).await;
        let pause = site.config.options.dial_delay;
        if !redials(self.mailer, pause) || !matches!(first, Err(Trouble::Broken { .. })) {
            return first;
        }
        tokio::time::sleep(pause).await;
        match dial(&site.resolver, host, dialing).await {
            Err(Trouble::OutOfTime) => first,
            second => second,
        }
    }

    /// The session on a new connection; after a handshake that failed a second one in clear, where that is allowed.
    async fn opened(
        &mut self,
        stream: Stream,
        peer: Peer,
        dialing: Dialing,
        dane: Option<Dane>,
    ) -> Result<Connection, Trouble> {
        let is_bound = dane.is_some();
        let first = self.open(stream, peer.clone(), true, dane).await;
        if is_bound || !self.falls_back || !matches!(first, Err(Trouble::Handshake(_))) {
            return first;
        }
        let again = Dialing { only_to: peer.address, ..dialing };
        let (stream, _) = match dial(&self.attempt.site.resolver, &peer.host, &again).await {
            // The handshake is what is known of this host.
            Err(Trouble::OutOfTime) => return first,
            dialed => dialed?,
        };
        self.open(stream, peer, false, None).await
    }

    /// What earlier deliveries know of a host that is not well.
    fn known_trouble(&self, host: &Bytes) -> Option<Outcome> {
        self.attempt.hosts.trouble(host, self.attempt.now)?.outcome(host)
    }

    fn note_trouble(&self, trouble: &Trouble, host: &Bytes) {
        self.log_timeout(trouble, host);
        if let Some(status) = HostStatus::of_trouble(trouble, host, clock::now()) {
            self.attempt.hosts.note(host, &status.with_farewell(self.farewell.clone()));
        }
    }

    /// Source: observed.
    fn log_timeout(&self, trouble: &Trouble, host: &Bytes) {
        if let Trouble::Timeout(phase) = trouble
            && let Some(name) = phase.name()
        {
            let text = format!("timeout waiting for input from {} during client {name}", shown(host));
            self.attempt.site.log.write(Level::LOST_CONNECTION, Priority::Notice, self.attempt.id(), text);
        }
    }

    /// A connection that is open already. The watcher sees that, or that another one is begun.
    async fn waiting(&mut self, place: &Place) -> Option<Connection> {
        if self.attempt.watch.is_none() {
            return self.attempt.pool.take(place).await;
        }
        let slots = self.attempt.slots.clone();
        let mut hooks = Asking::new(self.attempt, self.load);
        let names = self.names();
        let way = format!("{} via {}...", shown(&place.host), shown(&self.mailer.name));
        if let Some(connection) = slots.take(place, &mut hooks).await {
            let mut connection = connection;
            let protocol = connection.capabilities().protocol(self.mailer.has(b'z'));
            self.attempt.show(format!("{names}... Using cached {protocol} connection to {way}"));
            if !connection.has_refused_mail() || connection.reset(&mut hooks).await {
                return Some(connection);
            }
        }
        self.attempt.show(format!("{names}... Connecting to {way}"));
        if let Some((host, connection)) = slots.make_room(self.cache_size()).await {
            self.attempt.show(format!("{names}... {}", closing(&host)));
            if let Some(connection) = connection {
                connection.quit(&mut hooks).await;
            }
        }
        None
    }

    fn cache_size(&self) -> usize {
        usize::try_from(self.load.config.options.connection_cache_size).unwrap_or(0)
    }

    /// Recipients without a final outcome.
    fn names(&self) -> String {
        let left = self.left.iter().filter_map(|w| self.attempt.envelope.recipients.get(w.index));
        left.map(|r| shown(&r.address).to_string()).collect::<Vec<_>>().join(",")
    }

    /// A socket in the file system.
    async fn local(&mut self, path: &[u8]) {
        let name = Bytes::from_static(b"localhost");
        self.relay = name.clone();
        let path = PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(path));
        match dial_local(&path, self.limit()).await {
            Ok((stream, peer)) => match self.open(stream, peer, true, None).await {
                Ok(connection) => self.transact(connection, None, &name).await,
                Err(trouble) => self.refused(&trouble, &name),
            },
            Err(trouble) => self.defer(&settled::trouble(&trouble, &name)),
        }
    }

    /// A program that speaks LMTP or SMTP on its standard input and output.
    async fn program(&mut self) {
        let name = Bytes::from_static(b"localhost");
        self.relay = name.clone();
        let recipients = self.recipients();
        let argv = program::argv(self.mailer, &recipients, &self.load.sender_shown(), &self.load.scope);
        program::log_start(self.attempt, &argv);
        let request = program::request(self.load, self.mailer, &recipients, argv, true);
        let running = match self.attempt.site.port.run_mailer(request).await {
            Ok(running) => running,
            Err(error) => {
                self.attempt.site.log.system_error(self.attempt.id(), "root", &error);
                let outcome = if error.is_temporary() {
                    Outcome::deferred(error.status().1, &error.to_string())
                } else {
                    Outcome::of_program(error.exit().0, self.mailer)
                };
                return self.end(&outcome);
            }
        };
        let (dialogue, waiting) = running.into_dialogue();
        let peer = Peer { host: name.clone(), address: None };
        match self.open(Stream::other(dialogue), peer, true, None).await {
            Ok(connection) => self.transact(connection, None, &name).await,
            Err(trouble) => self.refused(&trouble, &name),
        }
        // It said its farewell; one that stays all the same is ended.
        let _ = tokio::time::timeout(PROGRAM_END, waiting.wait()).await;
    }

    async fn open(
        &mut self,
        stream: Stream,
        peer: Peer,
        may_use_tls: bool,
        dane: Option<Dane>,
    ) -> Result<Connection, Trouble> {
        let site = self.attempt.site.clone();
        if peer.address.is_some() {
            let text = format!("SMTP outgoing connect on {}", shown(peer.server_name()));
            site.log.write(Level::OUTGOING, Priority::Info, self.attempt.id(), text);
        }
        if let Some(traffic) = site.log.traffic().filter(|_| peer.address.is_some()) {
            traffic.line(Sign::Start, &[&b"CONNECT "[..], &peer.host].concat());
        }
        let modifiers = client_modifiers(&site.config, peer.address);
        let may_use_tls = may_use_tls && !modifiers.has(b'S');
        let manner = Manner {
            is_lmtp: self.mailer.has(b'z'),
            tries_ehlo: self.mailer.has(b'a'),
            never_ehlo: self.mailer.has(b'2'),
            helo: self.helo(&modifiers, stream.local_addr()).await,
            own_name: (!self.mailer.has(b'k') && peer.address.is_some()).then(|| site.host.clone()),
            may_use_tls: may_use_tls && peer.address.is_some(),
            needs_tls: dane.is_some(),
            mechanisms: if modifiers.has(b'A') { Vec::new() } else { site.sasl.allowed().to_vec() },
            without_tls: if may_use_tls { Verify::None } else { Verify::Clear },
        };
        let tls = if manner.may_use_tls { site.tls.client() } else { None };
        let timeouts = self.attempt.timeouts.clone();
        let settings =
            Settings { manner, timeouts, tls, dane, sasl: (!modifiers.has(b'A')).then(|| site.sasl.clone()) };
        let mut hooks = Asking::new(self.attempt, self.load);
        hooks.leaves_by(stream.local_addr()).await;
        let opened = Connection::open(stream, peer, &settings, &mut hooks).await;
        self.farewell = hooks.last_reply().cloned();
        self.falls_back = hooks.falls_back();
        for refusal in hooks.refusals() {
            if matches!(opened, Err(Trouble::Ruleset(_))) {
                self.heard = refusal.reply.last().cloned();
            }
            self.attempt.note_dialogue(&refusal);
        }
        opened
    }

    /// One message on a connection.
    async fn transact(&mut self, mut connection: Connection, place: Option<Place>, host: &Bytes) {
        let load = self.load;
        let capabilities = connection.capabilities().clone();
        let by = By::of(&self.attempt.envelope, clock::now());
        if let Some(mut outcome) = by.and_then(|by| by.refusal(&capabilities, self.mailer)) {
            outcome.relay = Some(self.relay.clone());
            let all: Vec<usize> = std::mem::take(&mut self.left).iter().map(|waiting| waiting.index).collect();
            self.tell(&all, &outcome);
            return self.give_back(connection, place).await;
        }
        let recipients = self.recipients();
        let message = source::for_server(self.attempt, load, self.mailer, &capabilities).await;
        let only_after_success = load.config.options.auth_options.is_some_and(|letters| letters.has(b'A'));
        let says_auth = connection.is_authenticated() || !only_after_success;
        let transaction = client::Transaction {
            sender: load.sender.clone(),
            size: self.attempt.envelope.size_bytes,
            body: message.body_type,
            envelope_id: self.attempt.envelope.envid.clone(),
            ret: self.attempt.envelope.ret,
            auth: says_auth.then(|| self.attempt.envelope.auth.clone()).flatten(),
            deliver_by: by.map(By::parameter),
            recipients: recipients
                .iter()
                .map(|r| client::Recipient { address: user_of(r), notify: r.notify, original: r.original.clone() })
                .collect(),
        };
        let mut content = message.source;
        let mut hooks =
            Asking::new(self.attempt, load).at(&connection).telling(self.attempt, &recipients, load, &connection);
        let settled = connection.send(transaction, &mut content, &mut hooks).await;
        if let Some(client::Settled::Failed(trouble)) = settled.iter().find(|s| matches!(s, client::Settled::Failed(_)))
        {
            self.log_timeout(trouble, host);
        }
        // One that refused every recipient by itself counts like one that took the message. Source: observed.
        if settled.iter().any(was_heard) {
            count_handed_over(self.attempt, load);
        }
        let seen = hooks.seen().to_vec();
        let (unclaimed, afterwards, emptied) = (connection.unclaimed(), connection.afterwards(), connection.emptied());
        let is_remote = place.is_some();
        self.give_back(connection, place).await;
        if is_remote && let Some(status) = HostStatus::of_settled(&settled, emptied.as_ref(), host, clock::now()) {
            self.attempt.hosts.note(host, &status.with_farewell(self.farewell.clone()));
        }
        let mut outcomes = settled::outcomes(&settled, afterwards.as_ref(), host, &capabilities, self.mailer);
        for (n, outcome) in outcomes.iter_mut().enumerate() {
            outcome.is_seen = seen.contains(&n);
        }
        self.answered(&settled, outcomes);
        // Source: observed; reports show what a server said at the end, although nobody waited for it.
        if let Some(reply) = unclaimed {
            self.attempt.note_reply(&reply.lines);
        }
    }

    /// Who we are for a server: `HeloName`, else with modifier `h` the name of the interface, else the name of the host.
    /// Source: op guide 5.6 (DaemonPortOptions); observed.
    async fn helo(&self, modifiers: &Modifiers, local: Option<SocketAddr>) -> Bytes {
        let site = &self.attempt.site;
        if let Some(name) = &site.config.options.helo_name {
            return name.clone();
        }
        let interface = match local.filter(|_| modifiers.has(b'h') || came_by(&self.load.scope, b"h")) {
            Some(local) => Interface::of(site, local).await,
            None => None,
        };
        // An address without a name is none to go by.
        let name = interface.map(|interface| interface.name).filter(|name| !name.starts_with(b"["));
        name.unwrap_or_else(|| site.host.clone())
    }

    /// The connection is kept for another message, or ended.
    async fn give_back(&mut self, mut connection: Connection, place: Option<Place>) {
        self.farewell = None;
        let transactions = i64::try_from(connection.transactions()).unwrap_or(i64::MAX);
        let has_room = self.mailer.max_messages <= 0 || transactions < self.mailer.max_messages;
        let kept = place.filter(|_| has_room && self.cache_size() > 0);
        match kept {
            Some(place) if self.attempt.watch.is_some() && connection.is_alive().await => {
                self.attempt.slots.give(place, Some(connection)).await;
            }
            Some(place) if self.attempt.watch.is_none() && connection.is_usable() => {
                let limit = self.load.config.options.connection_cache_timeout;
                self.attempt.pool.give(place, connection, limit).await;
            }
            place => {
                let mut hooks = Asking::new(self.attempt, self.load);
                connection.quit(&mut hooks).await;
                self.farewell = hooks.last_reply().cloned();
                if let Some(place) = place {
                    self.has_ended(place).await;
                }
            }
        }
    }

    /// Notes what a server said of each recipient: first of those that it refused by themselves.
    fn answered(&mut self, settled: &[client::Settled], outcomes: Vec<Outcome>) {
        let farewell = self.farewell.take();
        let left = std::mem::take(&mut self.left);
        let mut groups: Vec<Vec<(usize, Outcome)>> = Vec::new();
        for (mut waiting, (settled, mut outcome)) in left.into_iter().zip(settled.iter().zip(outcomes)) {
            outcome.relay = Some(self.relay.clone());
            if outcome.reply.is_some() {
                self.heard.clone_from(&outcome.reply);
            }
            let is_refused_alone = match settled {
                client::Settled::Refused { phase: client::Phase::Rcpt, reply, .. } => {
                    // Of who made the server leave the log has its farewell. Source: observed.
                    if let Some(farewell) = farewell.as_ref().filter(|_| reply.code == 421) {
                        outcome.diagnostic = outcome.diagnostic.or(outcome.reply.take());
                        outcome.reply = Some(farewell.clone());
                    }
                    true
                }
                client::Settled::Unsent(_)
                | client::Settled::Unanswered(_)
                | client::Settled::Failed(Trouble::Broken { phase: client::Phase::Rcpt, .. }) => true,
                _ => false,
            };
            match outcome.verdict {
                Verdict::Deferred if is_refused_alone => {
                    self.tell(&[waiting.index], &outcome);
                    self.left.push(Waiting { last: Some(outcome), is_answered: true, ..waiting });
                }
                Verdict::Deferred => {
                    waiting.last = Some(outcome);
                    self.left.push(Waiting { is_answered: false, ..waiting });
                }
                _ if is_refused_alone => self.tell(&[waiting.index], &outcome),
                _ => group(&mut groups, waiting.index, outcome),
            }
        }
        self.tell_groups(&groups);
    }

    /// A server that does not want to talk to us; another one may.
    fn refused(&mut self, trouble: &Trouble, host: &Bytes) {
        self.note_trouble(trouble, host);
        let mut outcome = settled::trouble(trouble, host);
        if outcome.reply.is_some() {
            self.heard.clone_from(&outcome.reply);
        } else if matches!(trouble, Trouble::Ruleset(_)) {
            // Source: observed: what the server had against STARTTLS.
            outcome.reply.clone_from(&self.heard);
        }
        let is_refusal = matches!(trouble, Trouble::Refused { .. });
        if outcome.verdict == Verdict::Deferred || is_refusal { self.defer(&outcome) } else { self.end(&outcome) }
    }

    /// Notes why a host did not take the message; what a server said of a recipient by itself stays.
    fn defer(&mut self, outcome: &Outcome) {
        let mut outcome = outcome.clone();
        if outcome.reply.is_none() {
            outcome.reply.clone_from(&self.heard);
        }
        for waiting in self.left.iter_mut().filter(|w| !w.is_answered) {
            waiting.last = Some(outcome.clone());
        }
    }

    /// Notes that one host is of no use: others may take the message, now or, when one of them was only down, later.
    /// Source: observed.
    fn pass_over(&mut self, outcome: &Outcome) {
        let may_wait = |w: &Waiting| w.last.as_ref().is_some_and(|last| last.verdict == Verdict::Deferred);
        for waiting in self.left.iter_mut().filter(|w| !w.is_answered && !may_wait(w)) {
            waiting.last = Some(outcome.clone());
        }
    }

    /// Not all hosts were tried: what is left waits, although those that were tried are of no use.
    fn keep(&mut self) {
        for waiting in &mut self.left {
            waiting.last.take_if(|last| !waiting.is_answered && last.verdict != Verdict::Deferred);
        }
    }

    /// Settles what is left: with its last outcome, else with this one.
    fn end(&mut self, outcome: &Outcome) {
        let mut groups: Vec<Vec<(usize, Outcome)>> = Vec::new();
        for waiting in std::mem::take(&mut self.left).into_iter().filter(|w| !w.is_answered) {
            group(&mut groups, waiting.index, waiting.last.unwrap_or_else(|| outcome.clone()));
        }
        self.tell_groups(&groups);
    }

    fn tell_groups(&mut self, groups: &[Vec<(usize, Outcome)>]) {
        let relay = self.relay.clone();
        for group in groups {
            let each: Vec<(usize, &Outcome)> = group.iter().map(|(index, outcome)| (*index, outcome)).collect();
            self.attempt.settle_each(&each, &relay, Some(self.load.started));
        }
    }

    fn tell(&mut self, recipients: &[usize], outcome: &Outcome) {
        let relay = self.relay.clone();
        let started = self.load.started;
        self.attempt.settle(recipients, outcome, &relay, Some(started));
    }

    fn recipients(&self) -> Vec<Recipient> {
        self.left.iter().filter_map(|w| self.attempt.envelope.recipients.get(w.index)).cloned().collect()
    }

    fn limit(&self) -> Option<Duration> {
        let timeouts = &self.load.config.timeouts;
        let first = self.attempt.envelope.tries == 0 && !timeouts.iconnect.is_zero();
        let limit = if first { timeouts.iconnect } else { timeouts.connect };
        (!limit.is_zero()).then_some(limit)
    }

    /// How hosts are connected to: at the one address that there is, if there is no choice.
    fn dialing(&self, port: u16, only: Option<SocketAddr>) -> Dialing {
        let only_to = self.only_to(port).or(only);
        let bindings = bindings(&self.load.config, &self.load.scope);
        Dialing { port, only_to, limit: self.limit(), until: self.until, ..bindings }
    }

    /// `ConnectOnlyTo`.
    fn only_to(&self, port: u16) -> Option<SocketAddr> {
        let only = self.load.config.options.connect_only_to.as_ref()?;
        hosts::literal(only).map(|ip| SocketAddr::new(ip, port))
    }

    fn compressed(&self) -> bool {
        self.load.config.options.use_compressed_ipv6_addresses
    }

    /// Name and first address of a host that could not be connected to.
    async fn with_first_address(&self, name: &Bytes, shown_name: &Bytes) -> Bytes {
        let found = self.attempt.site.resolver.addresses(name, crate::net::dns::Family::Any).await;
        match found.ok().and_then(|list| list.last().copied()) {
            Some(ip) => with_address(shown_name, SocketAddr::new(ip, 0), self.compressed()),
            None => shown_name.clone(),
        }
    }
}

/// Whether a server took a recipient's message or answered for the recipient alone.
fn was_heard(settled: &client::Settled) -> bool {
    match settled {
        client::Settled::Refused { phase, .. } => *phase == client::Phase::Rcpt,
        client::Settled::Failed(_) | client::Settled::Unanswered(_) | client::Settled::Unsent(_) => false,
        _ => true,
    }
}

/// `mx1.remote.test. [203.0.113.1]`.
fn relay(peer: &Peer, name: &Bytes, compressed: bool) -> Bytes {
    peer.address.map_or_else(|| name.clone(), |address| with_address(name, address, compressed))
}

fn with_address(name: &Bytes, address: SocketAddr, compressed: bool) -> Bytes {
    let prefix = if address.is_ipv6() { "IPv6:" } else { "" };
    let text = shown_address(address.ip(), compressed);
    let text = text.strip_prefix("IPv6:").unwrap_or(&text);
    format!("{} [{prefix}{text}]", String::from_utf8_lossy(name)).into()
}

/// Recipients with the same outcome share a log line, unless a server answered for each.
fn group(groups: &mut Vec<Vec<(usize, Outcome)>>, index: usize, outcome: Outcome) {
    let is_alike = |known: &Outcome| !known.is_own && known.is_told_with(&outcome);
    match groups.iter_mut().find(|group| group.first().is_some_and(|(_, known)| is_alike(known))) {
        Some(group) => group.push((index, outcome)),
        None => groups.push(vec![(index, outcome)]),
    }
}

/// Whether a connection that did not come about is tried again: flag `Z`, and a `DialDelay` to wait for.
fn redials(mailer: &Mailer, pause: Duration) -> bool {
    mailer.has(b'Z') && !pause.is_zero()
}

/// `ClientPortOptions`.
fn bindings(config: &Config, scope: &Scope) -> Dialing {
    use crate::config::daemon_port::Family;
    use crate::smtp::client::drive::Binding;
    let mut dialing = Dialing::default();
    for port in &config.options.client_port_options {
        let size = |bytes: Option<usize>| bytes.and_then(|n| u32::try_from(n).ok());
        let binding = Binding {
            address: port.address.as_ref().and_then(|a| hosts::literal(a)),
            port: port.port.as_ref().and_then(|p| number(p)).unwrap_or(0),
            send_buffer_bytes: size(port.send_buffer_bytes),
            receive_buffer_bytes: size(port.receive_buffer_bytes),
        };
        match port.family {
            Family::Inet => dialing.inet = Some(binding),
            Family::Inet6 => dialing.inet6 = Some(binding),
            Family::Local => {}
        }
    }
    // `b` of the port that the message came by: it leaves by the same address.
    match hosts::literal(&scope.text(names::IF_ADDR)).filter(|_| came_by(scope, b"b")) {
        Some(ip @ IpAddr::V4(_)) => dialing.inet.get_or_insert_default().address = Some(ip),
        Some(ip @ IpAddr::V6(_)) => dialing.inet6.get_or_insert_default().address = Some(ip),
        None => {}
    }
    // One family's options say nothing against the other.
    if let (Some(_), None) | (None, Some(_)) = (dialing.inet, dialing.inet6) {
        dialing.inet = dialing.inet.or(Some(Binding::default()));
        dialing.inet6 = dialing.inet6.or(Some(Binding::default()));
    }
    dialing
}

/// Whether the port that the message came by has this modifier; capitals are doubled.
fn came_by(scope: &Scope, modifier: &[u8]) -> bool {
    scope.text(names::DAEMON_FLAGS).split(|b| *b == b' ').any(|flag| flag == modifier)
}

/// Modifiers of the `ClientPortOptions` line for the family of an address.
fn client_modifiers(config: &Config, address: Option<SocketAddr>) -> Modifiers {
    use crate::config::daemon_port::Family;
    let family = if address.is_some_and(|address| address.is_ipv6()) { Family::Inet6 } else { Family::Inet };
    let port = config.options.client_port_options.iter().find(|port| port.family == family);
    port.filter(|_| address.is_some()).map_or_else(Modifiers::default, |port| port.modifiers.clone())
}

fn number(port: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(port).ok()?;
    text.parse().ok().or_else(|| service_port(text))
}

fn misconfigured() -> Outcome {
    Outcome::failed(Exit::CONFIG, Status(5, 3, 5), "Local configuration error")
}

/// For how long a program may live after QUIT.
const PROGRAM_END: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_leaves_by_the_address_that_it_came_by_when_the_port_says_so() {
        for (flags, address, family, from) in [
            ("", "192.0.2.1", 4, None),
            ("CC b", "192.0.2.1", 4, Some("192.0.2.1")),
            ("bb", "192.0.2.1", 4, None),
            ("b", "IPv6:2001:db8::1", 6, Some("2001:db8::1")),
            ("b", "", 4, None),
        ] {
            let mut scope = Scope::default();
            scope.set(names::DAEMON_FLAGS, flags);
            scope.set(names::IF_ADDR, address);
            let dialing = bindings(&Config::default(), &scope);
            let binding = if family == 4 { dialing.inet } else { dialing.inet6 };
            assert_eq!(binding.and_then(|b| b.address), from.map(|ip| ip.parse().unwrap()), "M={flags} {address}");
        }
    }

    #[test]
    fn a_message_has_the_modifiers_of_the_port_it_came_by() {
        for (flags, wanted) in [("h", true), ("CC h u", true), ("hh", false), ("", false), ("c u", false)] {
            let mut scope = Scope::default();
            scope.set(names::DAEMON_FLAGS, flags);
            assert_eq!(came_by(&scope, b"h"), wanted, "{flags}");
        }
    }

    #[test]
    fn lines_that_are_dialled_on_demand_alone_are_tried_again() {
        use crate::base::letters::LetterSet;
        for (flags, seconds, wanted) in
            [("Z", 1, true), ("mZ", 1, true), ("Z", 0, false), ("m", 1, false), ("z", 1, false)]
        {
            let mailer = Mailer { flags: LetterSet::from_bytes(flags.as_bytes()), ..Mailer::default() };
            assert_eq!(redials(&mailer, Duration::from_secs(seconds)), wanted, "F={flags} {seconds}");
        }
    }

    #[test]
    fn the_options_of_a_client_port_are_those_of_its_family() {
        use crate::config::daemon_port::{DaemonPort, Family};
        let mut config = Config::default();
        config.options.client_port_options.push(DaemonPort {
            family: Family::Inet6,
            address: Some("2001:db8::1".into()),
            port: Some("2525".into()),
            send_buffer_bytes: Some(1000),
            receive_buffer_bytes: Some(2000),
            modifiers: Modifiers::from_bytes(b"A"),
            ..DaemonPort::default()
        });
        let dialing = bindings(&config, &Scope::default());
        assert_eq!(dialing.inet, Some(client::drive::Binding::default()));
        let found = dialing.inet6.unwrap();
        assert_eq!((found.address, found.port), (Some("2001:db8::1".parse().unwrap()), 2525));
        assert_eq!((found.send_buffer_bytes, found.receive_buffer_bytes), (Some(1000), Some(2000)));
        let of = |address: &str| client_modifiers(&config, Some(address.parse().unwrap())).has(b'A');
        assert!(of("[2001:db8::2]:25") && !of("192.0.2.2:25"));
    }
}
