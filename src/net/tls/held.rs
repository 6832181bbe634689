//! A stream whose writes can be held back, so that they go out together with what is written next.
//!
//! Each packet costs both ends a system call and a wake-up. Two of them carry nothing that the other end waits for: the session
//! ticket behind a TLS 1.3 handshake (RFC 8446 §4.6.1) goes with the first reply, and the last reply with the alert that closes
//! the session (RFC 8446 §6.1).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Plain;

/// The stream below TLS.
pub struct Held {
    plain: Plain,
    waiting: BytesMut,
    holds: bool,
}

impl Held {
    /// A stream that holds nothing back.
    pub(super) fn new(plain: Plain) -> Self {
        Self { plain, waiting: BytesMut::new(), holds: false }
    }

    /// The stream itself.
    pub(super) fn plain(&self) -> &Plain {
        &self.plain
    }

    /// From here on writes wait. Whoever reads has first sent them: the other end may be waiting for them.
    pub(super) fn hold(&mut self) {
        self.holds = true;
    }

    /// From here on writes go out again. What waits goes with the next one, with a flush or with the end of the stream.
    pub(super) fn let_go(&mut self) {
        self.holds = false;
    }

    /// Sends what waits, as far as there is room.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.waiting.is_empty() {
            let sent = ready!(Pin::new(&mut self.plain).poll_write(cx, &self.waiting))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.waiting.advance(sent);
        }
        self.waiting = BytesMut::new();
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Held {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let held = self.get_mut();
        if held.holds {
            ready!(held.poll_send(cx))?;
        }
        Pin::new(&mut held.plain).poll_read(cx, buf)
    }
}

impl AsyncWrite for Held {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let held = self.get_mut();
        if !held.holds && held.waiting.is_empty() {
            return Pin::new(&mut held.plain).poll_write(cx, buf);
        }
        if held.waiting.len() >= MOST_HELD {
            ready!(held.poll_send(cx))?;
        }
        held.waiting.extend_from_slice(buf);
        if !held.holds
            && let Poll::Ready(Err(error)) = held.poll_send(cx)
        {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let held = self.get_mut();
        if held.holds {
            return Poll::Ready(Ok(()));
        }
        ready!(held.poll_send(cx))?;
        Pin::new(&mut held.plain).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let held = self.get_mut();
        ready!(held.poll_send(cx))?;
        Pin::new(&mut held.plain).poll_shutdown(cx)
    }
}

/// Bytes that may wait.
const MOST_HELD: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::*;

    fn pair(room: usize) -> (Held, DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(room);
        (Held::new(Plain::Other(Box::new(ours))), theirs)
    }

    /// What is there now.
    async fn there(stream: &mut DuplexStream) -> String {
        let mut found = vec![0; 100];
        let read = tokio::select! {
            biased;
            read = stream.read(&mut found) => read.unwrap(),
            () = std::future::ready(()) => 0,
        };
        String::from_utf8_lossy(&found[..read]).into_owned()
    }

    #[tokio::test]
    async fn what_is_held_goes_with_the_next_write() {
        let (mut held, mut other) = pair(100);
        held.hold();
        held.write_all(b"ticket").await.unwrap();
        held.flush().await.unwrap();
        held.let_go();
        assert_eq!(there(&mut other).await, "");
        held.write_all(b" 250").await.unwrap();
        assert_eq!(there(&mut other).await, "ticket 250");
        held.write_all(b"more").await.unwrap();
        assert_eq!(there(&mut other).await, "more");
    }

    #[tokio::test]
    async fn while_it_holds_a_read_sends_first_and_later_it_does_not() {
        let (mut held, mut other) = pair(100);
        held.hold();
        held.write_all(b"flight").await.unwrap();
        other.write_all(b"ab").await.unwrap();
        assert_eq!(held.read_u8().await.unwrap(), b'a');
        assert_eq!(there(&mut other).await, "flight");
        held.write_all(b"ticket").await.unwrap();
        held.let_go();
        assert_eq!(held.read_u8().await.unwrap(), b'b');
        assert_eq!(there(&mut other).await, "");
        held.flush().await.unwrap();
        assert_eq!(there(&mut other).await, "ticket");
    }

    #[tokio::test]
    async fn the_end_sends_what_is_held() {
        let (mut held, mut other) = pair(100);
        held.hold();
        held.write_all(b"221").await.unwrap();
        held.write_all(b" closed").await.unwrap();
        held.shutdown().await.unwrap();
        let mut all = String::new();
        other.read_to_string(&mut all).await.unwrap();
        assert_eq!(all, "221 closed");
    }

    #[tokio::test]
    async fn no_more_is_held_than_may_be() {
        let (mut held, mut other) = pair(1000);
        held.hold();
        let block = vec![b'x'; MOST_HELD];
        held.write_all(&block).await.unwrap();
        // There is room for more only once some of it is out.
        let (written, first) = tokio::join!(held.write_all(b"end"), other.read_u8());
        written.unwrap();
        assert_eq!(first.unwrap(), b'x');
        assert!(held.waiting.len() <= MOST_HELD && held.waiting.ends_with(b"xend"));
    }
}
