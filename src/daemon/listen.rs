//! Listeners: one per `DaemonPortOptions` line, and the loops that accept.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::engine::{Engine, Handle};
use crate::base::time::clock_form;
use crate::config::daemon_port::{DaemonPort, Family};
use crate::log::{Id, Level, Priority};
use crate::net::tls::Stream;
use crate::site::Site;
use crate::smtp::server::Setting;
use crate::smtp::server::drive::{Peer, Server, session};
use crate::sys::clock;
use crate::sys::handover::Handover;
use crate::sys::host;
use crate::sys::safefile::{self, Purpose};
use crate::sys::socket::Listen;

/// A bound listener.
#[derive(Debug)]
pub struct Listener {
    port: DaemonPort,
    address: SocketAddr,
    request: Listen,
    /// Until its loop takes it.
    socket: Option<std::net::TcpListener>,
}

/// Opens the listeners of the configuration; one on port 25 when it names none. What cannot be opened is logged.
///
/// A socket that the daemon before left is used as it is.
pub fn open_all(site: &Site, left: &mut Handover) -> Vec<Listener> {
    let named = &site.config.options.daemon_port_options;
    let default = [DaemonPort { name: Bytes::from_static(b"Daemon0"), ..DaemonPort::default() }];
    let ports = if named.is_empty() { &default[..] } else { named };
    ports.iter().filter_map(|port| open(site, port, left)).collect()
}

fn open(site: &Site, port: &DaemonPort, left: &mut Handover) -> Option<Listener> {
    let name = String::from_utf8_lossy(&port.name).into_owned();
    let fail = |reason: String| {
        if port.modifiers.has(b'O') {
            let text = format!("daemon {name}: optional socket disabled: {reason}");
            site.log.write(Level::SYSTEM_ERROR, Priority::Info, Id::NoQueue, text);
        } else {
            let text = format!("opendaemonsocket: daemon {name}: {reason}");
            site.log.system_error(Id::NoQueue, "root", text);
            let text = format!("daemon {name}: problem creating SMTP socket");
            site.log.write_always(Priority::Alert, Id::None, text);
        }
    };
    let Some(address) = address(port) else {
        fail("cannot find an address to bind".to_owned());
        return None;
    };
    let request = Listen {
        address,
        backlog: port.backlog.max(LEAST_BACKLOG),
        send_buffer_bytes: port.send_buffer_bytes,
        receive_buffer_bytes: port.receive_buffer_bytes,
        v6_only: address.is_ipv6() && has_inet_twin(site, port),
    };
    let socket = left.take(address).map_or_else(|| site.port.open_listener(&request), Ok);
    match socket {
        Ok(socket) => Some(Listener { port: port.clone(), address, request, socket: Some(socket) }),
        Err(error) => {
            fail(format!("cannot bind: {error}"));
            None
        }
    }
}

/// Whether another port takes the IPv4 connections of the same number.
fn has_inet_twin(site: &Site, port: &DaemonPort) -> bool {
    site.config.options.daemon_port_options.iter().any(|other| other.family == Family::Inet && other.port == port.port)
}

fn address(port: &DaemonPort) -> Option<SocketAddr> {
    let service = port.port.as_ref().map_or_else(|| "25".to_owned(), |p| String::from_utf8_lossy(p).into_owned());
    let service = if service.eq_ignore_ascii_case("smtp") { "25".to_owned() } else { service };
    let number = host::service_port(&service)?;
    let ip = match &port.address {
        None => match port.family {
            Family::Inet6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            Family::Inet => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::Local => return None,
        },
        Some(text) => {
            let text = String::from_utf8_lossy(text).into_owned();
            let bare = text.trim_start_matches('[').trim_end_matches(']');
            let bare = bare.strip_prefix("IPv6:").unwrap_or(bare);
            match bare.parse() {
                Ok(ip) => ip,
                Err(_) => {
                    host::addresses(bare).into_iter().find(|ip| ip.is_ipv6() == (port.family == Family::Inet6))?
                }
            }
        }
    };
    Some(SocketAddr::new(ip, number))
}

/// Why no connection is taken.
struct Busy {
    text: String,
    /// Of the line about it.
    priority: Priority,
}

/// A time without connections.
struct Refusal {
    since: Instant,
    /// When the reason was logged last.
    logged: Option<Instant>,
    /// When it was logged last how long it lasts.
    told: Instant,
}

impl Refusal {
    /// Which lines are due: that there are no connections, and for how long there have been none.
    fn lines(&mut self, now: Instant, interval: Duration) -> (bool, Option<Duration>) {
        if self.logged.is_some_and(|at| now.duration_since(at) < REJECT_LOG) {
            return (false, None);
        }
        self.logged = Some(now);
        if now.duration_since(self.told) < interval {
            return (true, None);
        }
        self.told = now;
        (true, Some(now.duration_since(self.since)))
    }
}

/// What the loop of one listener keeps.
struct Loop {
    engine: Arc<Engine>,
    server: Arc<Server>,
    listener: Listener,
    active: Arc<AtomicUsize>,
    changed: Arc<Notify>,
}

/// Starts accepting.
pub fn start(engine: Arc<Engine>, listener: Listener) {
    let server = Arc::new(server(&engine, &listener));
    let work =
        Loop { engine, server, listener, active: Arc::new(AtomicUsize::new(0)), changed: Arc::new(Notify::new()) };
    // Counted, so that the daemon's end has its socket.
    work.engine.clone().spawn(work.run());
}

fn server(engine: &Arc<Engine>, listener: &Listener) -> Server {
    let site = &engine.site;
    let options = &site.config.options;
    let port = &listener.port;
    // What is wrong with certificates is told now, not to the first client.
    site.tls.server();
    let setting = Setting {
        config: Arc::clone(&site.config),
        host: site.host.clone(),
        daemon: port.name.clone(),
        modifiers: port.modifiers.clone(),
        filters: port.filters.as_ref().unwrap_or(&options.input_mail_filters).clone(),
        delivery_mode: port.delivery_mode.unwrap_or(options.delivery_mode),
        help: help_text(site),
        is_smtps: port.modifiers.has(b's'),
        is_stdio: false,
    };
    Server {
        site: Arc::clone(site),
        setting: Arc::new(setting),
        bound: Some(listener.address),
        offers_tls: true,
        deliverer: Arc::new(Handle(Arc::clone(engine))),
        queue_la: port.queue_la.or(options.queue_la).filter(|limit| *limit > 0),
        stop: engine.stopping(),
    }
}

/// Text of the help file.
pub(super) fn help_text(site: &Site) -> Option<Bytes> {
    use std::os::unix::ffi::OsStrExt as _;
    let path = site.config.options.help_file.as_ref()?;
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(path));
    safefile::read(path, Purpose::Help, &site.judge(), HELP_LIMIT).ok().map(Bytes::from)
}

impl Loop {
    async fn run(mut self) {
        let mut stop = self.engine.stopping();
        let mut listening = self.listener.socket.take().and_then(|socket| TcpListener::from_std(socket).ok());
        let mut second = (clock::now(), 0i64);
        let mut refusal = None;
        loop {
            if let Some(reason) = self.too_busy() {
                // Closed, so that the system refuses for us; observed.
                listening = None;
                self.engine.tasks.refuse(&self.listener.port.name, Some(&reason.text));
                self.reject(&reason, &mut refusal);
                tokio::select! {
                    () = self.changed.notified() => {}
                    () = tokio::time::sleep(BUSY_CHECK) => {}
                    _ = stop.wait_for(|stop| *stop) => return,
                }
                continue;
            }
            if refusal.take().is_some() {
                self.engine.tasks.refuse(&self.listener.port.name, None);
            }
            let Some(socket) = self.reopened(&mut listening).await else { continue };
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => None,
                accepted = socket.accept() => Some(accepted),
            };
            let Some(accepted) = accepted else { return self.park(listening) };
            match accepted {
                Ok((stream, remote)) => {
                    self.engine.look_at_space();
                    self.throttle(&mut second).await;
                    self.take(stream, remote);
                }
                Err(error) => {
                    let text = format!("daemon {}: accept failed: {error}", self.name());
                    self.engine.site.log.write(Level::SYSTEM_ERROR, Priority::Warning, Id::NoQueue, text);
                    // Out of descriptors: others must end first.
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    /// Leaves the socket to the program that may come next.
    fn park(&self, listening: Option<TcpListener>) {
        if let Some(Ok(socket)) = listening.map(TcpListener::into_std) {
            self.engine.park(self.listener.address, socket);
        }
    }

    /// The listening socket; bound again after a time of refusal.
    async fn reopened<'a>(&self, listening: &'a mut Option<TcpListener>) -> Option<&'a TcpListener> {
        if listening.is_none() {
            match self.engine.site.port.open_listener(&self.listener.request).map(TcpListener::from_std) {
                Ok(Ok(socket)) => *listening = Some(socket),
                _ => tokio::time::sleep(AFTER_FAILURE).await,
            }
        }
        listening.as_ref()
    }

    /// Why no connection is taken now.
    fn too_busy(&self) -> Option<Busy> {
        let options = &self.engine.site.config.options;
        let port = &self.listener.port;
        let most = port.children.unwrap_or(options.max_daemon_children);
        let active = i64::try_from(self.active.load(Ordering::Acquire)).unwrap_or(i64::MAX);
        if most > 0 && active >= most {
            return Some(Busy { text: format!("{active} children, max {most}"), priority: Priority::Info });
        }
        let refuse = port.refuse_la.or(options.refuse_la).filter(|limit| *limit > 0)?;
        let load = self.engine.load.average();
        if load > refuse {
            return Some(Busy { text: format!("load average: {load}"), priority: Priority::Notice });
        }
        None
    }

    /// Tells the log, again from time to time while it lasts, and how long it has lasted (`RejectLogInterval`).
    /// Source: observed.
    fn reject(&self, busy: &Busy, refusal: &mut Option<Refusal>) {
        let log = &self.engine.site.log;
        let interval = self.engine.site.config.options.reject_log_interval;
        let now = clock::monotonic();
        let known = refusal.get_or_insert(Refusal { since: now, logged: None, told: now });
        let (true, lasting) = known.lines(now, interval) else { return };
        let text = format!("rejecting connections on daemon {}: {}", self.name(), busy.text);
        log.write(Level(8), busy.priority, Id::None, text);
        if let Some(lasted) = lasting.map(clock_form) {
            let text = format!("have been rejecting connections on daemon {} for {lasted}", self.name());
            log.write(Level(8), Priority::Error, Id::None, text);
        }
    }

    fn name(&self) -> String {
        String::from_utf8_lossy(&self.listener.port.name).into_owned()
    }

    /// `ConnectionRateThrottle` and `DelayLA`.
    async fn throttle(&self, second: &mut (crate::base::time::UnixTime, i64)) {
        let options = &self.engine.site.config.options;
        let most = options.connection_rate_throttle;
        if most > 0 {
            let now = Engine::now();
            if now != second.0 {
                *second = (now, 0);
            }
            second.1 += 1;
            if second.1 > most {
                let text = format!("deferring connections on daemon {}: {most} per second", self.name());
                self.engine.site.log.write(Level(9), Priority::Info, Id::NoQueue, text);
                tokio::time::sleep(Duration::from_secs(1)).await;
                *second = (Engine::now(), 1);
            }
        }
        if delays(self.listener.port.delay_la, options.delay_la, || self.engine.load.average()) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    fn take(&self, stream: TcpStream, remote: SocketAddr) {
        // Replies are written whole: waiting for more to send only costs time.
        let _ = stream.set_nodelay(true);
        let counts = {
            let mut rates = self.engine.rates.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            rates.open(remote.ip(), Engine::now())
        };
        let peer = Peer { remote: Some(remote), local: stream.local_addr().ok(), counts };
        let guard = Active {
            task: self.engine.tasks.begin(remote.ip()),
            engine: Arc::clone(&self.engine),
            active: Arc::clone(&self.active),
            changed: Arc::clone(&self.changed),
            remote: remote.ip(),
        };
        self.active.fetch_add(1, Ordering::AcqRel);
        let server = Arc::clone(&self.server);
        self.engine.spawn(async move {
            let _guard = guard;
            session(Stream::from(stream), server, peer).await;
        });
    }
}

/// Whether connections are taken slowly: `delayLA` of the port, else `DelayLA`; 0 is never.
fn delays(of_port: Option<i64>, of_all: i64, load: impl FnOnce() -> i64) -> bool {
    let limit = of_port.unwrap_or(of_all);
    limit > 0 && load() > limit
}

/// A connection that counts. Dropped also when its session panics.
struct Active {
    task: u64,
    engine: Arc<Engine>,
    active: Arc<AtomicUsize>,
    changed: Arc<Notify>,
    remote: IpAddr,
}

impl Drop for Active {
    fn drop(&mut self) {
        self.active.fetch_sub(1, Ordering::AcqRel);
        self.changed.notify_one();
        self.engine.tasks.end(self.task);
        let mut rates = self.engine.rates.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        rates.close(self.remote);
    }
}

/// Backlog below which bursts would be lost.
const LEAST_BACKLOG: i32 = 10;
/// Longest help file, bytes.
const HELP_LIMIT: usize = 1024 * 1024;
/// How often a refusal that lasts is logged.
const REJECT_LOG: Duration = Duration::from_secs(15);
/// How often a listener that refuses looks again.
const BUSY_CHECK: Duration = Duration::from_secs(5);
/// Pause after a failure to accept or bind.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_taken_slowly_above_the_load_of_the_port_or_of_the_option() {
        for (of_port, of_all, load, wanted) in [
            (None, 0, 9, false),
            (None, 5, 9, true),
            (None, 9, 9, false),
            (Some(5), 0, 9, true),
            (Some(50), 5, 9, false),
            (Some(0), 5, 9, false),
        ] {
            assert_eq!(delays(of_port, of_all, || load), wanted, "{of_port:?} {of_all} {load}");
        }
    }

    #[test]
    fn a_refusal_that_lasts_is_told_of_after_the_interval() {
        let start = clock::monotonic();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut refusal = Refusal { since: start, logged: None, told: start };
        let mut lines = |seconds| refusal.lines(after(seconds), Duration::from_secs(60));
        // RejectLogInterval=60s
        assert_eq!((lines(0), lines(5), lines(20)), ((true, None), (false, None), (true, None)));
        assert_eq!((lines(70), lines(100)), ((true, Some(Duration::from_secs(70))), (true, None)));
        assert_eq!(lines(135), (true, Some(Duration::from_secs(135))));
    }
}
