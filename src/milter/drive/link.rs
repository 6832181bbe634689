//! A connection to a filter.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::base::bytes::split_once;
use crate::config::milter::Filter;
use crate::milter::wire::Packets;
use crate::sys::{host, safefile, user};

/// A connection to a filter.
pub(super) struct Link {
    stream: Box<dyn Stream>,
    packets: Packets,
    asked: Instant,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for T {}

/// What went wrong with it.
#[derive(Debug)]
pub(super) enum Fault {
    /// The filter closed it.
    Ended,
    /// Nothing came, or nothing could be sent, in time.
    TimedOut,
    /// The system said no.
    System(io::Error),
    /// A packet of a length that none has.
    Length(u32),
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended => f.write_str("socket closed"),
            Self::TimedOut => f.write_str("timeout"),
            Self::System(error) => write!(f, "read returned -1: {}", safefile::error_text(error)),
            Self::Length(length) => write!(f, "length {length} out of range"),
        }
    }
}

impl Link {
    /// Connects. Errors: the words of the log.
    pub(super) async fn open(filter: &Filter, dont_blame: u64) -> Result<Self, String> {
        let (kind, address) = split_once(&filter.socket, b':').unwrap_or((b"local", &filter.socket));
        let stream: Box<dyn Stream> = match kind.to_ascii_lowercase().as_slice() {
            b"inet" | b"inet6" => {
                let is_v6 = kind.len() == 5;
                let (port, host) = split_once(address, b'@').unwrap_or((address, b"localhost"));
                let (port, host) = (String::from_utf8_lossy(port), String::from_utf8_lossy(host));
                let Some(port) = host::service_port(port.trim()) else {
                    return Err(format!("unknown port name {port}"));
                };
                Box::new(inet(port, host.trim(), is_v6, filter.connect).await?)
            }
            b"" | b"local" | b"unix" => {
                Box::new(local(Path::new(OsStr::from_bytes(address)), dont_blame, filter.connect).await?)
            }
            other => return Err(format!("unknown socket type {}", String::from_utf8_lossy(other))),
        };
        Ok(Self { stream, packets: Packets::default(), asked: Instant::now() })
    }

    /// Sends packets.
    pub(super) async fn send(&mut self, wire: &[u8], limit: Duration) -> Result<(), Fault> {
        let work = async {
            self.stream.write_all(wire).await?;
            self.stream.flush().await
        };
        match within(limit, work).await {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(Fault::System(error)),
            None => Err(Fault::TimedOut),
        }
    }

    /// Reads a packet; the limit holds for all of it.
    pub(super) async fn read(&mut self, limit: Duration) -> Result<(u8, Bytes), Fault> {
        within(limit, self.packet()).await.unwrap_or(Err(Fault::TimedOut))
    }

    /// The filter is asked something now.
    pub(super) fn start_clock(&mut self) {
        self.asked = Instant::now();
    }

    /// Whether it was asked longer ago than this.
    pub(super) fn is_late(&self, limit: Duration) -> bool {
        !limit.is_zero() && self.asked.elapsed() > limit
    }

    /// Seconds since it was asked.
    pub(super) fn seconds(&self) -> u64 {
        self.asked.elapsed().as_secs()
    }

    async fn packet(&mut self) -> Result<(u8, Bytes), Fault> {
        loop {
            match self.packets.next_packet() {
                Ok(Some(packet)) => return Ok(packet),
                Ok(None) => {}
                Err(length) => return Err(Fault::Length(length.0)),
            }
            match self.stream.read_buf(self.packets.input()).await {
                Ok(0) => return Err(Fault::Ended),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Err(Fault::Ended),
                Err(error) => return Err(Fault::System(error)),
            }
        }
    }
}

async fn local(path: &Path, dont_blame: u64, limit: Duration) -> Result<UnixStream, String> {
    let shown = path.display();
    let checked: PathBuf = path.to_owned();
    // Whoever may write to a directory on the way could put a filter of his own there.
    let is_safe = tokio::task::spawn_blocking(move || {
        let judge = safefile::Judge { uid: user::effective_uid(), dont_blame, trusted_uid: None };
        let parent = safefile::open_parent(&checked, safefile::Purpose::FilterSocket, &judge);
        parent.is_ok_and(|(directory, name)| directory.facts(name).is_ok())
    });
    if !is_safe.await.unwrap_or(false) {
        return Err(format!("local socket name {shown} unsafe"));
    }
    match within(limit, UnixStream::connect(path)).await {
        Some(Ok(stream)) => Ok(stream),
        Some(Err(error)) => Err(not_connected(&error, &shown.to_string())),
        None => Err(format!("error connecting to filter: Connection timed out with {shown}")),
    }
}

async fn inet(port: u16, name: &str, is_v6: bool, limit: Duration) -> Result<TcpStream, String> {
    let addresses = if let Ok(ip) = name.trim_start_matches('[').trim_end_matches(']').parse() {
        vec![ip]
    } else {
        let asked = name.to_owned();
        let found = tokio::task::spawn_blocking(move || host::addresses(&asked)).await.unwrap_or_default();
        found.into_iter().filter(|ip| ip.is_ipv6() == is_v6).collect()
    };
    if addresses.is_empty() {
        return Err(format!("Unknown host name {name}"));
    }
    let mut last = String::new();
    for ip in addresses {
        match within(limit, TcpStream::connect(SocketAddr::new(ip, port))).await {
            Some(Ok(stream)) => {
                // Steps are small and each waits for its answer.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Some(Err(error)) => last = not_connected(&error, name),
            None => last = format!("error connecting to filter: Connection timed out with {name}"),
        }
    }
    Err(last)
}

fn not_connected(error: &io::Error, peer: &str) -> String {
    let text = safefile::error_text(error);
    // Source: observed: some errors name the other side.
    if error.kind() == io::ErrorKind::ConnectionRefused {
        return format!("error connecting to filter: {text} by {peer}");
    }
    format!("error connecting to filter: {text}")
}

/// With a limit; zero is none.
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    if limit.is_zero() { Some(work.await) } else { timeout(limit, work).await.ok() }
}
