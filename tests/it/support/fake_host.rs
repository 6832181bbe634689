//! A next hop that follows a script, and accepts everything once the script is over.
//!
//! Script, a line each: `S: 220 text` is said, `C: MAIL *` is expected (`*` stands for anything), `C: message` takes all up
//! to the final dot, `start tls` does the handshake, `hang up` closes. A `\\` in what is said begins another line. One script per connection; the last serves all further connections.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use openssl::ssl::{SslAcceptor, SslStream};

use super::{LIMIT, until};

/// The host. It stops listening when dropped.
pub struct FakeHost {
    pub port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// A message the host took.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The `MAIL` line.
    pub sender: String,
    /// The accepted `RCPT` lines.
    pub recipients: Vec<String>,
    /// What came between 354 and the final dot, as it came.
    pub wire: Vec<u8>,
    /// Whether 250 was said to it.
    pub is_acknowledged: bool,
    /// Whether it came over TLS.
    pub is_encrypted: bool,
    /// Common name of the certificate that the client showed.
    pub client: Option<String>,
    /// Where the connection came from.
    pub peer: Option<SocketAddr>,
}

impl Taken {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.wire).into_owned()
    }
}

struct Shared {
    scripts: Vec<String>,
    taken: Mutex<Vec<Taken>>,
    faults: Mutex<Vec<String>>,
    connections: Mutex<usize>,
    heard: Mutex<Vec<String>>,
    tls: Option<SslAcceptor>,
    is_closed: AtomicBool,
    is_over: AtomicBool,
}

impl FakeHost {
    /// A host that accepts everything.
    pub fn accepting() -> Self {
        Self::new(&[""])
    }

    pub fn new(scripts: &[&str]) -> Self {
        Self::listen(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), scripts, None)
    }

    /// A host that takes nothing until [`Self::open`].
    pub fn closed() -> Self {
        let host = Self::accepting();
        host.shared.is_closed.store(true, Ordering::SeqCst);
        host
    }

    /// From now on everything is accepted.
    pub fn open(&self) {
        self.shared.is_closed.store(false, Ordering::SeqCst);
    }

    /// A host that also offers STARTTLS.
    pub fn with_tls(scripts: &[&str], acceptor: SslAcceptor) -> Self {
        Self::listen(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), scripts, Some(acceptor))
    }

    /// The same at a port that is known before.
    pub fn with_tls_at(port: u16, scripts: &[&str], acceptor: SslAcceptor) -> Self {
        Self::listen(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap(), scripts, Some(acceptor))
    }

    fn listen(listener: TcpListener, scripts: &[&str], tls: Option<SslAcceptor>) -> Self {
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            scripts: scripts.iter().map(|&s| s.to_owned()).collect(),
            taken: Mutex::default(),
            faults: Mutex::default(),
            connections: Mutex::default(),
            heard: Mutex::default(),
            tls,
            is_closed: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || accept(&listener, &of_thread));
        Self { port, shared, thread: Some(thread) }
    }

    /// Messages taken so far.
    pub fn taken(&self) -> Vec<Taken> {
        let faults = self.shared.faults.lock().unwrap();
        assert!(faults.is_empty(), "the client left the script: {faults:?}");
        self.shared.taken.lock().unwrap().clone()
    }

    /// Acknowledged messages, once there are `count`.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Taken> {
        until(LIMIT, &format!("{count} messages at the next hop"), || self.acknowledged().len() >= count);
        self.acknowledged()
    }

    pub fn acknowledged(&self) -> Vec<Taken> {
        self.taken().into_iter().filter(|t| t.is_acknowledged).collect()
    }

    /// Lines of commands so far, of all connections in the order they came.
    pub fn heard(&self) -> Vec<String> {
        self.shared.heard.lock().unwrap().clone()
    }

    /// Connections that are over.
    pub fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap()
    }

    /// Waits until a connection came and its script went to the end.
    #[track_caller]
    pub fn wait_for_connections(&self, count: usize) {
        until(LIMIT, &format!("{count} connections at the next hop"), || {
            *self.shared.connections.lock().unwrap() >= count
        });
    }
}

impl Drop for FakeHost {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut number = 0;
    for stream in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let mut script = shared.scripts.get(number).or(shared.scripts.last()).cloned().unwrap_or_default();
        if shared.is_closed.load(Ordering::SeqCst) {
            "S: 450 4.3.2 not now\nhang up".clone_into(&mut script);
        }
        number += 1;
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            stream.set_nodelay(true).unwrap();
            let mut session = Session::new(stream, &shared);
            // A client that goes away ends its session; what it left out shows in what was taken.
            let _ = session.play(&script);
            if !session.current.wire.is_empty() {
                session.end_message(false);
            }
            drop(session);
            *shared.connections.lock().unwrap() += 1;
        });
    }
}

enum Wire {
    Plain(BufReader<TcpStream>),
    Tls(Box<BufReader<SslStream<TcpStream>>>),
}

struct Session<'a> {
    wire: Option<Wire>,
    shared: &'a Shared,
    current: Taken,
    peer: Option<SocketAddr>,
}

impl<'a> Session<'a> {
    fn new(stream: TcpStream, shared: &'a Shared) -> Self {
        let peer = stream.peer_addr().ok();
        Self { peer, wire: Some(Wire::Plain(BufReader::new(stream))), shared, current: nothing() }
    }

    fn play(&mut self, script: &str) -> std::io::Result<()> {
        let mut lines = script.lines().map(str::trim).filter(|l| !l.is_empty()).peekable();
        let greets = lines.peek().is_some();
        for line in lines {
            if line == "hang up" {
                return Ok(());
            }
            if let Some(text) = line.strip_prefix("S: ") {
                let is_final_reply = !self.current.wire.is_empty();
                self.say(&text.replace('\\', "\r\n"))?;
                if is_final_reply {
                    self.end_message(text.starts_with('2'));
                }
            } else if line == "start tls" {
                self.start_tls()?;
            } else if line == "C: message" {
                self.take_message()?;
            } else if let Some(pattern) = line.strip_prefix("C: ") {
                let came = self.line()?;
                if !matches(pattern, &came) {
                    self.shared.faults.lock().unwrap().push(format!("expected {pattern:?}, got {came:?}"));
                    return Ok(());
                }
                self.note(&came);
            } else {
                panic!("not a line of a script: {line:?}");
            }
        }
        self.accept_everything(!greets)
    }

    fn accept_everything(&mut self, greets: bool) -> std::io::Result<()> {
        if greets {
            self.say("220 next.test ESMTP")?;
        }
        loop {
            let line = self.line()?;
            self.note(&line);
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    let tls = if self.shared.tls.is_some() && self.is_plain() { "250-STARTTLS\r\n" } else { "" };
                    self.say(&format!("250-next.test\r\n{tls}250-8BITMIME\r\n250 PIPELINING"))?;
                }
                "STAR" => {
                    self.say("220 go ahead")?;
                    self.start_tls()?;
                }
                "DATA" => {
                    self.say("354 go ahead")?;
                    self.take_message()?;
                    // Noted before it is said: who reads the reply may look at once.
                    self.end_message(true);
                    self.say("250 2.0.0 taken")?;
                }
                "QUIT" => return self.say("221 bye"),
                _ => self.say("250 2.0.0 ok")?,
            }
        }
    }

    /// Remembers the envelope.
    fn note(&mut self, line: &str) {
        let upper = line.to_ascii_uppercase();
        if upper.starts_with("MAIL ") {
            line.clone_into(&mut self.current.sender);
            self.current.recipients.clear();
        } else if upper.starts_with("RCPT ") {
            self.current.recipients.push(line.to_owned());
        }
    }

    fn take_message(&mut self) -> std::io::Result<()> {
        self.current.is_encrypted = !self.is_plain();
        self.current.client = self.client();
        loop {
            let line = self.raw_line()?;
            if line == b".\r\n" {
                return Ok(());
            }
            self.current.wire.extend_from_slice(&line);
        }
    }

    fn end_message(&mut self, is_acknowledged: bool) {
        let mut taken = std::mem::replace(&mut self.current, nothing());
        taken.is_acknowledged = is_acknowledged;
        taken.peer = self.peer;
        self.shared.taken.lock().unwrap().push(taken);
    }

    fn is_plain(&self) -> bool {
        matches!(self.wire, Some(Wire::Plain(_)))
    }

    fn client(&self) -> Option<String> {
        let Some(Wire::Tls(wire)) = &self.wire else { return None };
        let certificate = wire.get_ref().ssl().peer_certificate()?;
        let name = certificate.subject_name().entries_by_nid(openssl::nid::Nid::COMMONNAME).next()?;
        name.data().to_string().ok()
    }

    fn start_tls(&mut self) -> std::io::Result<()> {
        if let (Some(Wire::Plain(stream)), Some(acceptor)) = (self.wire.take(), self.shared.tls.as_ref()) {
            let tls = acceptor.accept(stream.into_inner()).map_err(std::io::Error::other)?;
            self.wire = Some(Wire::Tls(Box::new(BufReader::new(tls))));
        }
        Ok(())
    }

    fn line(&mut self) -> std::io::Result<String> {
        let line = String::from_utf8_lossy(&self.raw_line()?).trim_end().to_owned();
        self.shared.heard.lock().unwrap().push(line.clone());
        Ok(line)
    }

    fn raw_line(&mut self) -> std::io::Result<Vec<u8>> {
        let mut line = Vec::new();
        match self.wire.as_mut() {
            Some(Wire::Plain(wire)) => wire.read_until(b'\n', &mut line)?,
            Some(Wire::Tls(wire)) => wire.read_until(b'\n', &mut line)?,
            None => 0,
        };
        if line.ends_with(b"\n") { Ok(line) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
    }

    fn say(&mut self, text: &str) -> std::io::Result<()> {
        let bytes = format!("{text}\r\n");
        match self.wire.as_mut() {
            Some(Wire::Plain(wire)) => wire.get_mut().write_all(bytes.as_bytes()),
            Some(Wire::Tls(wire)) => wire.get_mut().write_all(bytes.as_bytes()),
            None => Ok(()),
        }
    }
}

fn matches(pattern: &str, line: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, "")) => line.to_ascii_uppercase().starts_with(&start.trim_end().to_ascii_uppercase()),
        _ => line.eq_ignore_ascii_case(pattern),
    }
}

fn nothing() -> Taken {
    Taken {
        sender: String::new(),
        recipients: Vec::new(),
        wire: Vec::new(),
        is_acknowledged: false,
        is_encrypted: false,
        client: None,
        peer: None,
    }
}
