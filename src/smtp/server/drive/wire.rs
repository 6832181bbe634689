//! The stream of a session with its input buffer.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::base::limits;
use crate::net::sasl::Exchange;
use crate::net::tls::Stream;
use crate::smtp::line::{self, Front};

/// A stream and what was read from it and not yet used.
///
/// Memory: nothing while the client is idle; one block while there is input.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Option<Stream>,
    input: BytesMut,
    /// Security layer of AUTH.
    layer: Option<Exchange>,
    /// The next line is a response in an AUTH dialogue.
    pub(super) takes_responses: bool,
}

/// What reading a command gave.
#[derive(Debug)]
pub(super) enum Read {
    /// A line, without its end.
    Line(BytesMut),
    /// More than a line may have.
    TooLong(usize),
    /// The client is gone.
    Gone,
    /// Nothing came in time.
    TimedOut,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream: Some(stream), input: BytesMut::new(), layer: None, takes_responses: false }
    }

    /// Whether a whole command is waiting.
    pub(super) fn has_line(&self) -> bool {
        !matches!(line::front(&self.input, self.longest()), Front::More)
    }

    /// Whether the client is ahead of us: input is waiting here or in the socket.
    pub(super) fn has_input(&mut self) -> bool {
        if !self.input.is_empty() {
            return true;
        }
        let (Some(Stream::Plain(_)), None) = (&self.stream, &self.layer) else { return false };
        let Some(tcp) = self.stream.as_ref().and_then(Stream::tcp) else { return false };
        self.input.reserve(BLOCK);
        matches!(tcp.try_read_buf(&mut self.input), Ok(n) if n > 0)
    }

    /// Reads a command.
    ///
    /// Dropped while it waits: what was read stays in the buffer.
    pub(super) async fn command(&mut self, limit: Duration) -> Read {
        loop {
            match line::front(&self.input, self.longest()) {
                Front::Line(text, used) => {
                    let length = text.len();
                    let mut line = self.input.split_to(used);
                    line.truncate(length);
                    return Read::Line(line);
                }
                Front::TooLong(_) if self.input.len() < MOST_DRAINED && !self.input.contains(&b'\n') => {}
                Front::TooLong(bytes) => return Read::TooLong(bytes),
                Front::More => {}
            }
            match within(limit, self.fill(BLOCK)).await {
                Some(Ok(0) | Err(_)) if self.input.len() >= self.longest() => {
                    return Read::TooLong(self.input.len());
                }
                Some(Ok(0) | Err(_)) => return Read::Gone,
                Some(Ok(_)) => {}
                None => return Read::TimedOut,
            }
        }
    }

    /// Waits for any input, this long; true when some came.
    pub(super) async fn watch(&mut self, span: Duration) -> bool {
        if !self.input.is_empty() {
            return true;
        }
        matches!(timeout(span, self.fill(BLOCK)).await, Ok(Ok(n)) if n > 0)
    }

    /// Input as it is; reads a block when there is none. `None` after the limit, empty at the end of the stream.
    pub(super) async fn block(&mut self, limit: Duration, size: usize) -> Option<&mut BytesMut> {
        if self.input.is_empty() {
            match within(limit, self.fill(size)).await {
                Some(Ok(_)) => {}
                Some(Err(_)) => self.input.clear(),
                None => return None,
            }
        }
        Some(&mut self.input)
    }

    /// Sends bytes at once.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(stream) = &mut self.stream else { return Err(io::ErrorKind::NotConnected.into()) };
        match &mut self.layer {
            Some(layer) => stream.write_all(&layer.encode(bytes).map_err(io::Error::other)?).await?,
            None => stream.write_all(bytes).await?,
        }
        stream.flush().await
    }

    /// The stream alone; input that was read ahead is thrown away.
    pub(super) fn take_stream(&mut self) -> Option<Stream> {
        self.input = BytesMut::new();
        self.layer = None;
        self.stream.take()
    }

    /// Everything from here on goes through the layer; input that was read ahead is thrown away.
    pub(super) fn secure(&mut self, layer: Option<Exchange>) {
        self.input = BytesMut::new();
        self.layer = layer;
    }

    /// Puts a stream back, after the handshake.
    pub(super) fn put_stream(&mut self, stream: Stream) {
        self.stream = Some(stream);
    }

    /// Gives memory back.
    pub(super) fn rest(&mut self) {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
    }

    /// What is sent from here on goes with the end of the stream.
    pub(super) fn hold_to_the_end(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.hold_to_the_end();
        }
    }

    pub(super) async fn close(&mut self) {
        if let Some(stream) = self.stream.take() {
            stream.close(CLOSE).await;
        }
    }

    /// How long the line at the front may be: an AUTH dialogue has longer ones.
    fn longest(&self) -> usize {
        let is_auth = self.input.get(..5).is_some_and(|w| w.eq_ignore_ascii_case(b"AUTH "));
        if is_auth || self.takes_responses { limits::AUTH_LINE } else { limits::SMTP_COMMAND_LINE }
    }

    async fn fill(&mut self, size: usize) -> io::Result<usize> {
        let Some(stream) = &mut self.stream else { return Ok(0) };
        if self.input.is_empty() {
            // An idle client costs no buffer: memory is taken when there is something to read.
            if let (false, Some(tcp)) = (stream.is_tls(), stream.tcp()) {
                self.input = BytesMut::new();
                tcp.readable().await?;
            }
        }
        let Some(layer) = &mut self.layer else {
            self.input.reserve(size);
            return stream.read_buf(&mut self.input).await;
        };
        loop {
            let mut coded = BytesMut::with_capacity(size);
            if stream.read_buf(&mut coded).await? == 0 {
                return Ok(0);
            }
            let plain = layer.decode(&coded).map_err(io::Error::other)?;
            if !plain.is_empty() {
                self.input.extend_from_slice(&plain);
                return Ok(plain.len());
            }
        }
    }
}

/// With a limit; zero is none.
async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    if limit.is_zero() { Some(work.await) } else { timeout(limit, work).await.ok() }
}

/// Block read for commands, bytes.
const BLOCK: usize = 2048;
/// How much of an over-long command is read before the answer, bytes.
const MOST_DRAINED: usize = 8 * limits::SMTP_COMMAND_LINE;
/// How long the end of a TLS session may take.
const CLOSE: Duration = Duration::from_secs(5);
