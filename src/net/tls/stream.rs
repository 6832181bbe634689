//! Streams, in clear and encrypted, behind one type.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use openssl::ssl::ErrorCode;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_openssl::SslStream;

use super::held::Held;

/// Anything that carries bytes both ways: pipes of a program, a stream in memory.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Duplex for T {}

/// A stream without encryption.
pub enum Plain {
    /// TCP.
    Tcp(TcpStream),
    /// A socket in the file system.
    Unix(UnixStream),
    /// Pipes and the like.
    Other(Box<dyn Duplex>),
}

/// A stream that may be encrypted.
pub enum Stream {
    /// In clear.
    Plain(Plain),
    /// Encrypted.
    Tls(Box<SslStream<Held>>),
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_tls() { "Stream::Tls" } else { "Stream::Plain" })
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self::Plain(Plain::Tcp(stream))
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Self::Plain(Plain::Unix(stream))
    }
}

impl Stream {
    /// A stream made of anything that carries bytes both ways.
    pub fn other(stream: impl Duplex) -> Self {
        Self::Plain(Plain::Other(Box::new(stream)))
    }

    /// Whether bytes are encrypted.
    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// The TCP socket underneath, when there is one.
    pub fn tcp(&self) -> Option<&TcpStream> {
        let plain = match self {
            Self::Plain(plain) => plain,
            Self::Tls(tls) => tls.get_ref().plain(),
        };
        match plain {
            Plain::Tcp(tcp) => Some(tcp),
            Plain::Unix(_) | Plain::Other(_) => None,
        }
    }

    /// Address of the other end.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.tcp().and_then(|tcp| tcp.peer_addr().ok())
    }

    /// Address of our end.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.tcp().and_then(|tcp| tcp.local_addr().ok())
    }

    /// What is written from here on goes out together with the end of the stream, when that is one of TLS.
    pub fn hold_to_the_end(&mut self) {
        if let Self::Tls(tls) = self {
            tls.get_mut().hold();
        }
    }

    /// Ends the stream in good order: without it a TLS session cannot be resumed. Errors do not matter any more.
    pub async fn close(mut self, limit: Duration) {
        let _ = tokio::time::timeout(limit, self.shutdown()).await;
    }
}

impl AsyncRead for Plain {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(s) => Pin::new(s).poll_read(cx, buf),
            Self::Unix(s) => Pin::new(s).poll_read(cx, buf),
            Self::Other(s) => Pin::new(s).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Plain {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(s) => Pin::new(s).poll_write(cx, buf),
            Self::Unix(s) => Pin::new(s).poll_write(cx, buf),
            Self::Other(s) => Pin::new(s).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(s) => Pin::new(s).poll_write_vectored(cx, bufs),
            Self::Unix(s) => Pin::new(s).poll_write_vectored(cx, bufs),
            Self::Other(s) => Pin::new(s).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(s) => s.is_write_vectored(),
            Self::Unix(s) => s.is_write_vectored(),
            Self::Other(s) => s.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(s) => Pin::new(s).poll_flush(cx),
            Self::Unix(s) => Pin::new(s).poll_flush(cx),
            Self::Other(s) => Pin::new(s).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(s) => Pin::new(s).poll_shutdown(cx),
            Self::Unix(s) => Pin::new(s).poll_shutdown(cx),
            Self::Other(s) => Pin::new(s).poll_shutdown(cx),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Self::Tls(s) => Pin::new(s.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write(cx, buf),
            Self::Tls(s) => Pin::new(s.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write_vectored(cx, bufs),
            Self::Tls(s) => Pin::new(s.as_mut()).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(s) => s.is_write_vectored(),
            Self::Tls(_) => false,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_flush(cx),
            Self::Tls(s) => Pin::new(s.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Self::Tls(s) => Pin::new(s.as_mut()).poll_shutdown(cx),
        }
    }
}

/// A handshake that did not come to its end. `Display` is what follows `STARTTLS=SIDE, error: ` in the log.
///
/// Source: observed `accept failed=-1, reason=wrong version number, SSL_error=1, errno=0, retry=-1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeError {
    /// `accept` or `connect`.
    pub call: &'static str,
    /// Result of the call; 1 after a timeout.
    pub result: i32,
    /// The library's reason, or `unknown`.
    pub reason: String,
    /// `SSL_get_error`.
    pub ssl_error: i32,
    /// System error number.
    pub errno: i32,
    /// −1 when trying on makes no sense, 0 after a timeout.
    pub retry: i32,
}

impl std::fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { call, result, reason, ssl_error, errno, retry } = self;
        write!(f, "{call} failed={result}, reason={reason}, SSL_error={ssl_error}, errno={errno}, retry={retry}")
    }
}

impl std::error::Error for HandshakeError {}

impl HandshakeError {
    pub(super) fn timeout(call: &'static str) -> Self {
        let reason = "unknown".to_owned();
        Self { call, result: 1, reason, ssl_error: ErrorCode::WANT_READ.as_raw(), errno: 0, retry: 0 }
    }

    pub(super) fn new(call: &'static str, error: &openssl::ssl::Error) -> Self {
        // A peer that hangs up: on a socket of its own OpenSSL 3 calls that an error of the protocol.
        if error.code() == ErrorCode::SYSCALL && error.io_error().is_none() {
            let reason = "unexpected eof while reading".to_owned();
            return Self { call, result: -1, reason, ssl_error: ErrorCode::SSL.as_raw(), errno: 0, retry: -1 };
        }
        let reason = error.ssl_error().map_or("unknown".to_owned(), super::context::first_reason);
        let errno = error.io_error().and_then(io::Error::raw_os_error).unwrap_or(0);
        Self { call, result: -1, reason, ssl_error: error.code().as_raw(), errno, retry: -1 }
    }

    pub(super) fn settings(call: &'static str, reason: String) -> Self {
        Self { call, result: 0, reason, ssl_error: ErrorCode::SSL.as_raw(), errno: 0, retry: -1 }
    }
}
