//! An SMTP client that says exactly what a test wants said.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use openssl::ssl::{SslConnector, SslMethod, SslRef, SslSession, SslStream, SslVerifyMode};

use super::LIMIT;

/// A session with a daemon. Replies have their lines joined with `\n`.
pub struct Client {
    reader: BufReader<Wire>,
}

enum Wire {
    Plain(TcpStream),
    Tls(SslStream<TcpStream>),
}

impl Client {
    /// Connects, reads the greeting and says `EHLO`.
    #[track_caller]
    pub fn connect(port: u16) -> Self {
        let mut client = Self::connect_silent(port);
        let reply = client.reply();
        assert!(reply.starts_with("220 "), "greeting: {reply}");
        let reply = client.say("EHLO client.test");
        assert!(reply.starts_with("250-"), "EHLO: {reply}");
        client
    }

    /// Connects and reads nothing.
    #[track_caller]
    pub fn connect_silent(port: u16) -> Self {
        Self::try_connect(port).unwrap()
    }

    /// Connects from another address of the loopback interface, reads the greeting and says `EHLO`.
    #[track_caller]
    pub fn connect_from(source: Ipv4Addr, port: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let stream = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind((source, 0).into()).unwrap();
            socket.connect((Ipv4Addr::LOCALHOST, port).into()).await.unwrap().into_std().unwrap()
        });
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        let mut client = Self { reader: BufReader::new(Wire::Plain(stream)) };
        let reply = client.reply();
        assert!(reply.starts_with("220 "), "greeting: {reply}");
        client.expect("EHLO client.test", "250-");
        client
    }

    /// Connects if somebody listens.
    pub fn try_connect(port: u16) -> Option<Self> {
        Some(Self::silent(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?))
    }

    /// A session on a connection to any address, its greeting read.
    #[track_caller]
    pub fn over(stream: TcpStream) -> Self {
        let mut client = Self::silent(stream);
        let reply = client.reply();
        assert!(reply.starts_with("220 "), "greeting: {reply}");
        client
    }

    fn silent(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { reader: BufReader::new(Wire::Plain(stream)) }
    }

    /// The port that it connected from.
    pub fn port(&self) -> u16 {
        let Wire::Plain(stream) = self.reader.get_ref() else { panic!("TLS is on") };
        stream.local_addr().unwrap().port()
    }

    /// Sends a line and reads the reply.
    pub fn say(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes());
        self.reply()
    }

    /// Sends a line and expects a reply that begins with `start`.
    #[track_caller]
    pub fn expect(&mut self, line: &str, start: &str) -> String {
        let reply = self.say(line);
        assert!(reply.starts_with(start), "{line:?}: expected {start:?}, got {reply:?}");
        reply
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).unwrap();
    }

    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let wire = self.reader.get_mut();
        wire.write_all(bytes)?;
        wire.flush()
    }

    /// A reply; what came of it when the peer closes.
    pub fn reply(&mut self) -> String {
        self.try_reply().unwrap_or_default()
    }

    /// A whole reply, or nothing when the peer has gone.
    pub fn try_reply(&mut self) -> Option<String> {
        let mut reply = String::new();
        loop {
            let mut line = Vec::new();
            self.reader.read_until(b'\n', &mut line).ok().filter(|&n| n > 0)?;
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            reply.push_str(&line);
            if is_last {
                return Some(reply);
            }
            reply.push('\n');
        }
    }

    /// A transaction up to `DATA`.
    #[track_caller]
    pub fn open_data(&mut self, sender: &str, recipients: &[&str]) {
        self.expect(&format!("MAIL FROM:<{sender}>"), "250 ");
        for recipient in recipients {
            self.expect(&format!("RCPT TO:<{recipient}>"), "250 ");
        }
        self.expect("DATA", "354 ");
    }

    /// A whole transaction; `message` is sent as it is, the final dot is added. The reply to the dot.
    #[track_caller]
    pub fn message(&mut self, sender: &str, recipients: &[&str], message: &[u8]) -> String {
        self.open_data(sender, recipients);
        self.send(message);
        self.say(".")
    }

    /// `STARTTLS` and the handshake. Certificates are not looked at.
    pub fn start_tls(self) -> Self {
        let mut plain = self;
        plain.expect("STARTTLS", "220 ");
        plain.handshake()
    }

    /// The same with a connector of one's own.
    pub fn start_tls_with(self, connector: &SslConnector) -> Self {
        let mut plain = self;
        plain.expect("STARTTLS", "220 ");
        plain.try_handshake(connector).unwrap()
    }

    /// The handshake alone; what went wrong with it.
    pub fn try_handshake(self, connector: &SslConnector) -> Result<Self, String> {
        let Wire::Plain(stream) = self.reader.into_inner() else { panic!("TLS is on already") };
        let mut configuration = connector.configure().unwrap();
        configuration.set_verify_hostname(false);
        let tls = configuration.connect("client.test", stream).map_err(|error| error.to_string())?;
        Ok(Self { reader: BufReader::new(Wire::Tls(tls)) })
    }

    /// The handshake of an earlier session.
    #[allow(unsafe_code, reason = "the crate asks for a promise: the session is of the same connector")]
    pub fn resume(self, connector: &SslConnector, session: &SslSession) -> Self {
        let Wire::Plain(stream) = self.reader.into_inner() else { panic!("TLS is on already") };
        let mut configuration = connector.configure().unwrap();
        configuration.set_verify_hostname(false);
        // SAFETY: callers pass a session that this connector made.
        unsafe { configuration.set_session(session).unwrap() };
        Self { reader: BufReader::new(Wire::Tls(configuration.connect("client.test", stream).unwrap())) }
    }

    /// What OpenSSL knows about the connection.
    pub fn ssl(&self) -> &SslRef {
        let Wire::Tls(tls) = self.reader.get_ref() else { panic!("TLS is not on") };
        tls.ssl()
    }

    /// Ends TLS in good order, so that the session can be resumed.
    pub fn close(mut self) {
        self.say("QUIT");
        if let Wire::Tls(tls) = self.reader.get_mut() {
            let _ = tls.shutdown();
        }
    }

    /// The server's certificate, in PEM.
    pub fn certificate(&self) -> Vec<u8> {
        let Wire::Tls(tls) = self.reader.get_ref() else { panic!("TLS is not on") };
        tls.ssl().peer_certificate().unwrap().to_pem().unwrap()
    }

    /// The handshake alone.
    pub fn handshake(self) -> Self {
        let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
        connector.set_verify(SslVerifyMode::NONE);
        self.try_handshake(&connector.build()).unwrap()
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
