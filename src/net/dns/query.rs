//! One question to the name servers: rounds, servers in turn, refusals at once.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hickory_proto::op::{DnsRequestOptions, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::{DnsUdpSocket, RuntimeProvider, TokioHandle, TokioRuntimeProvider, TokioTime};
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::{NameServerPool, PoolContext, TlsConfig};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use super::{Error, Found, Records, Settings};

/// An answer, or that there is none, and for how long that holds.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Records, or why there are none; never [`Error::Temporary`].
    pub result: Result<Arc<Records>, Error>,
    /// For how long it may be kept.
    pub ttl: Duration,
}

/// The name servers of a `resolv.conf`.
pub struct Servers {
    pools: Vec<NameServerPool<Connected>>,
    /// The server that answered last is asked first.
    preferred: AtomicUsize,
    rounds: u32,
    request: DnsRequestOptions,
    /// Domains to search in.
    pub search: Vec<Name>,
    /// Names with this many dots are tried as they are first.
    pub ndots: usize,
}

impl std::fmt::Debug for Servers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Servers({})", self.pools.len())
    }
}

impl Servers {
    /// Servers as the text of a `resolv.conf` and the settings name them; the local host when it names none.
    pub fn new(resolv_conf: &[u8], own_domain: Option<Name>, settings: &Settings) -> Self {
        let (config, mut options) = parse(resolv_conf);
        let wait = settings.retrans.unwrap_or(options.timeout).max(Duration::from_millis(100));
        let rounds = settings.retry.unwrap_or(u32::try_from(options.attempts).unwrap_or(2)).clamp(1, 20);
        options.timeout = wait;
        options.num_concurrent_reqs = 1;
        options.os_port_selection = true;
        let mut request = DnsRequestOptions::default();
        request.use_edns = options.edns0 || settings.use_dnssec;
        request.edns_set_dnssec_ok = settings.use_dnssec;
        let servers: Vec<NameServerConfig> = match &settings.name_servers {
            Some(list) => list.iter().map(|a| on_port(*a)).collect(),
            None => config.name_servers().iter().take(MOST_SERVERS).cloned().collect(),
        };
        let ndots = options.ndots;
        let context = TlsConfig::new().map(|none| Arc::new(PoolContext::new(options, none)));
        let pools = context.iter().flat_map(|context| {
            let pool = |server| NameServerPool::from_config([server], Arc::clone(context), Connected::default());
            servers.iter().cloned().map(pool).collect::<Vec<_>>()
        });
        let pools = pools.collect();
        let mut search: Vec<Name> = config.search().iter().take(MOST_SEARCHED).cloned().collect();
        if search.is_empty() {
            search.extend(config.domain().cloned().or(own_domain));
        }
        Self { pools, preferred: AtomicUsize::new(0), rounds, request, search, ndots }
    }

    /// Asks for records of a name.
    ///
    /// Errors: [`Error::Temporary`] when no server gave a usable answer. Never waits longer than `retry` rounds of `retrans`
    /// for each server; a server that is not there is noticed at once.
    pub async fn ask(&self, name: &Name, kind: RecordType) -> Result<Answer, Error> {
        let first = self.preferred.load(Ordering::Relaxed);
        for _ in 0..self.rounds {
            let mut was_refused = true;
            for turn in 0..self.pools.len() {
                let at = (first + turn) % self.pools.len();
                let Some(pool) = self.pools.get(at) else { continue };
                let query = Query::query(name.clone(), kind);
                let error = match pool.lookup(query, self.request).first_answer().await {
                    Ok(response) => {
                        self.preferred.store(at, Ordering::Relaxed);
                        return Ok(positive(&response, kind));
                    }
                    Err(error) => error,
                };
                match error {
                    NetError::Dns(DnsError::NoRecordsFound(none)) => {
                        self.preferred.store(at, Ordering::Relaxed);
                        return Ok(negative(&none));
                    }
                    // The server is there and cannot help; a round later it still cannot.
                    NetError::Dns(_) => {}
                    NetError::Io(error) if is_refusal(&error) => {}
                    _ => was_refused = false,
                }
            }
            if was_refused {
                break;
            }
        }
        Err(Error::Temporary)
    }
}

/// Nobody listens there: asking again within the same question is pointless.
fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable
    )
}

fn positive(response: &hickory_proto::op::DnsResponse, kind: RecordType) -> Answer {
    let mut records = Records { records: Vec::new(), is_authentic: response.authentic_data };
    let mut ttl = LONGEST_TTL;
    let mut has_kind = false;
    for record in &response.answers {
        ttl = ttl.min(record.ttl);
        has_kind |= record.record_type() == kind;
        let name = super::resolver::text(&record.name);
        records.records.push(Found { name, data: record.data.clone(), ttl: record.ttl });
    }
    // An alias to a name that does not exist.
    let is_missing = !has_kind && response.response_code == ResponseCode::NXDomain;
    let result = if is_missing { Err(Error::NotFound) } else { Ok(Arc::new(records)) };
    Answer { result, ttl: Duration::from_secs(ttl.into()) }
}

fn negative(none: &NoRecords) -> Answer {
    let error = if none.response_code == ResponseCode::NXDomain { Error::NotFound } else { Error::NoData };
    // Without an SOA record nothing says how long the absence holds.
    let ttl = none.negative_ttl.unwrap_or(0).min(LONGEST_NEGATIVE_TTL);
    Answer { result: Err(error), ttl: Duration::from_secs(ttl.into()) }
}

/// Reads a `resolv.conf`; lines that mean nothing are left out, and without any server the local host is asked.
fn parse(text: &[u8]) -> (ResolverConfig, ResolverOpts) {
    let parsed = hickory_resolver::system_conf::parse_resolv_conf(text).or_else(|_| {
        let with_server = [text, b"\nnameserver 127.0.0.1\n"].concat();
        hickory_resolver::system_conf::parse_resolv_conf(with_server)
    });
    parsed.unwrap_or_else(|_| {
        let local = on_port(SocketAddr::from(([127, 0, 0, 1], 53)));
        (ResolverConfig::from_parts(None, Vec::new(), vec![local]), ResolverOpts::default())
    })
}

fn on_port(server: SocketAddr) -> NameServerConfig {
    let mut config = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut config.connections {
        connection.port = server.port();
    }
    config
}

/// Sockets that are connected to their server, so that a refusal comes back as an error and strangers' packets do not.
#[derive(Clone, Default)]
pub struct Connected(TokioRuntimeProvider);

impl RuntimeProvider for Connected {
    type Handle = TokioHandle;
    type Timer = TokioTime;
    type Udp = ConnectedUdp;
    type Tcp = <TokioRuntimeProvider as RuntimeProvider>::Tcp;

    fn create_handle(&self) -> Self::Handle {
        self.0.create_handle()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        bind: Option<SocketAddr>,
        timeout: Option<Duration>,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Self::Tcp>>>> {
        self.0.connect_tcp(server, bind, timeout)
    }

    fn bind_udp(
        &self,
        local: SocketAddr,
        server: SocketAddr,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Self::Udp>>>> {
        Box::pin(async move {
            let socket = UdpSocket::bind(local).await?;
            socket.connect(server).await?;
            Ok(ConnectedUdp { socket, server })
        })
    }
}

/// See [`Connected`].
pub struct ConnectedUdp {
    socket: UdpSocket,
    server: SocketAddr,
}

impl DnsUdpSocket for ConnectedUdp {
    type Time = TokioTime;

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut buf = ReadBuf::new(buf);
        self.socket.poll_recv(cx, &mut buf).map_ok(|()| (buf.filled().len(), self.server))
    }

    /// A refusal makes the socket erroneous, which wakes no reader: it is looked for at growing intervals.
    fn recv_from<'a, 'b, 'f>(
        &'a self,
        buf: &'b mut [u8],
    ) -> Pin<Box<dyn Future<Output = io::Result<(usize, SocketAddr)>> + Send + 'f>>
    where
        'a: 'f,
        'b: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let mut wait = FIRST_LOOK;
            loop {
                if let Some(error) = self.socket.take_error()? {
                    return Err(error);
                }
                if let Ok(received) = tokio::time::timeout(wait, self.socket.recv(buf)).await {
                    return received.map(|length| (length, self.server));
                }
                wait = (wait * 2).min(LAST_LOOK);
            }
        })
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], _target: SocketAddr) -> Poll<io::Result<usize>> {
        self.socket.poll_send(cx, buf)
    }
}

/// When a refusal is looked for after a question, first and at most.
const FIRST_LOOK: Duration = Duration::from_millis(4);
const LAST_LOOK: Duration = Duration::from_secs(1);
/// Most servers asked. Source: resolv.conf(5), MAXNS.
const MOST_SERVERS: usize = 3;
/// Most domains searched. Source: resolv.conf(5).
const MOST_SEARCHED: usize = 6;
/// Seconds an answer is kept at most.
const LONGEST_TTL: u32 = 86_400;
/// Seconds the absence of a name or record is kept at most.
const LONGEST_NEGATIVE_TTL: u32 = 900;
