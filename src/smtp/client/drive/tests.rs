//! The driver against servers that follow a script, on loopback.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::smtp::client::Recipient;

#[derive(Default)]
struct Notes {
    lines: Vec<String>,
    refuses: Option<Verify>,
    who: Option<Credentials>,
}

impl Hooks for Notes {
    async fn tls_server(&mut self, _: &Peer, verify: Verify, _: Option<&PeerInfo>) -> Option<Bytes> {
        (self.refuses == Some(verify)).then(|| Bytes::from_static(b"454 4.7.0 not like this"))
    }
    async fn credentials(&mut self, _: &Peer) -> Result<Option<Credentials>, NotNow> {
        Ok(self.who.clone())
    }
    fn sent(&mut self, line: &[u8]) {
        self.lines.push(format!(">>> {}", String::from_utf8_lossy(line)));
    }
    fn received(&mut self, line: &[u8]) {
        self.lines.push(String::from_utf8_lossy(line).into_owned());
    }
}

/// Serves one connection: `S:` lines are sent, `C:` lines are waited for, `D` reads a message, `X` closes.
async fn server(script: impl Into<Vec<&'static str>>) -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let script = script.into();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut message = Vec::new();
        for step in script {
            match step.split_at(2) {
                ("S:", text) => stream.write_all(format!("{text}\r\n").as_bytes()).await.unwrap(),
                ("C:", text) => {
                    let mut line = String::new();
                    stream.read_line(&mut line).await.unwrap();
                    assert_eq!(line.trim_end(), text);
                }
                ("D:", _) => {
                    while !message.ends_with(b"\r\n.\r\n") && message != b".\r\n" {
                        assert_ne!(stream.read_until(b'\n', &mut message).await.unwrap(), 0);
                    }
                }
                _ => return message,
            }
        }
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&rest), "");
        message
    });
    (address, serving)
}

fn settings(tls: Option<ClientContext>) -> Settings {
    let manner = Manner {
        is_lmtp: false,
        tries_ehlo: true,
        never_ehlo: false,
        helo: Bytes::from_static(b"us.test"),
        own_name: None,
        may_use_tls: true,
        needs_tls: false,
        mechanisms: Vec::new(),
        without_tls: Verify::None,
    };
    Settings { manner, timeouts: Arc::new(Timeouts::default()), tls, dane: None, sasl: None }
}

async fn opened(address: SocketAddr, settings: &Settings, notes: &mut Notes) -> Result<Connection, Trouble> {
    let resolver = Resolver::new(crate::net::dns::Settings::default());
    let host = Bytes::from(format!("[{}]", address.ip()));
    let dialing = Dialing { port: address.port(), ..Dialing::default() };
    let (stream, peer) = dial(&resolver, &host, &dialing).await?;
    Connection::open(stream, peer, settings, notes).await
}

fn message(recipient: &'static str) -> Transaction {
    let recipient = Recipient { address: Bytes::from_static(recipient.as_bytes()), ..Recipient::default() };
    Transaction { sender: Bytes::from_static(b"a@b"), size: 14, recipients: vec![recipient], ..Transaction::default() }
}

const EHLO: [&str; 5] =
    ["S:220 sink.test ESMTP", "C:EHLO us.test", "S:250-sink.test", "S:250-PIPELINING", "S:250 SIZE 1000"];

/// A message to `x` that is taken.
const TAKEN: &[&str] = &[
    "C:MAIL From:<a@b> SIZE=14",
    "S:250 ok",
    "C:RCPT To:<x>",
    "C:DATA",
    "S:250 ok",
    "S:354 go",
    "D:",
    "S:250 2.0.0 took it",
];

/// A message to `y` that is refused behind MAIL, and the end.
const REFUSED: &[&str] =
    &["S:250 ok", "C:RCPT To:<y>", "C:DATA", "S:550 no", "S:503 no", "C:RSET", "S:250 reset", "C:QUIT", "S:221 bye"];

#[tokio::test]
async fn who_was_asked_with_rset_is_not_asked_again() {
    let reset = ["C:RSET", "S:250 reset", "C:MAIL From:<a@b> SIZE=14"];
    let (address, serving) = server([&EHLO[..], TAKEN, &reset, REFUSED].concat()).await;
    let mut notes = Notes::default();
    let mut connection = opened(address, &settings(None), &mut notes).await.unwrap();
    let mut content = InMemory(Some(Bytes::from_static(b"x\r\n")));
    connection.send(message("x"), &mut content, &mut notes).await;
    assert!(connection.reset(&mut notes).await);
    connection.send(message("y"), &mut InMemory(None), &mut notes).await;
    connection.quit(&mut notes).await;
    serving.await.unwrap();
}

#[tokio::test]
async fn two_messages_share_a_connection() {
    let reset = ["C:RSET", "C:MAIL From:<a@b> SIZE=14", "S:250 reset"];
    let (address, serving) = server([&EHLO[..], TAKEN, &reset, REFUSED].concat()).await;
    let mut notes = Notes::default();
    let mut connection = opened(address, &settings(None), &mut notes).await.unwrap();
    let mut content = InMemory(Some(Bytes::from_static(b"Subject: x\r\n\r\n..b")));
    let settled = connection.send(message("x"), &mut content, &mut notes).await;
    assert!(matches!(settled.as_slice(), [Settled::Accepted { reply, .. }] if reply.words(true) == b"took it"));
    assert!(connection.is_alive().await);
    let settled = connection.send(message("y"), &mut InMemory(None), &mut notes).await;
    assert!(matches!(settled.as_slice(), [Settled::Refused { phase: Phase::Rcpt, .. }]), "{settled:?}");
    connection.quit(&mut notes).await;
    assert_eq!(serving.await.unwrap(), b"Subject: x\r\n\r\n..b\r\n.\r\n");
    let shown = ["220 sink.test ESMTP", ">>> EHLO us.test", "250-sink.test", "250-PIPELINING", "250 SIZE 1000"];
    assert_eq!(notes.lines.get(..5).unwrap(), shown);
    let shown = [">>> RCPT To:<x>", ">>> DATA", "250 ok", "354 go", ">>> .", "250 2.0.0 took it"];
    assert_eq!(notes.lines.get(7..13).unwrap(), shown);
}

#[tokio::test]
async fn a_server_that_hangs_up_leaves_everything_for_another_try() {
    const SCRIPTS: &[&[&str]] = &[&["X:"], &["S:220 x", "X:"], &["S:220 x", "C:EHLO us.test", "S:250-x", "X:"]];
    const WITHIN: &[&[&str]] = &[
        &["S:220 x", "C:EHLO us.test", "S:250 x", "X:"],
        &["S:220 x", "C:EHLO us.test", "S:250 x", "C:MAIL From:<a@b>", "X:"],
        &[
            "S:220 x",
            "C:EHLO us.test",
            "S:250 x",
            "C:MAIL From:<a@b>",
            "S:250 ok",
            "C:RCPT To:<x>",
            "S:250 ok",
            "C:DATA",
            "S:354 go",
            "D:",
            "X:",
        ],
        &["S:220 x", "C:EHLO us.test", "S:250 x", "C:MAIL From:<a@b>", "S:nonsense", "X:"],
    ];
    for script in SCRIPTS {
        let (address, serving) = server(*script).await;
        let trouble = opened(address, &settings(None), &mut Notes::default()).await.unwrap_err();
        assert!(trouble.is_temporary(), "{trouble:?}");
        serving.await.unwrap();
    }
    for script in WITHIN {
        let (address, serving) = server(*script).await;
        let mut notes = Notes::default();
        let mut connection = opened(address, &settings(None), &mut notes).await.unwrap();
        let mut content = InMemory(Some(Bytes::from_static(b"a\r\n")));
        let settled = connection.send(message("x"), &mut content, &mut notes).await;
        assert!(matches!(settled.as_slice(), [Settled::Failed(trouble)] if trouble.is_temporary()), "{settled:?}");
        assert!(!connection.is_alive().await);
        serving.await.unwrap();
    }
}

#[tokio::test]
async fn all_lines_of_a_reply_together_have_one_time() {
    for line in [&b"\r\n"[..], b"220-x\r\n", b"x"] {
        let (ours, mut theirs) = tokio::io::duplex(64);
        // Each piece comes well within the time.
        let dripping = tokio::spawn(async move {
            let mut pace = tokio::time::interval(Duration::from_millis(40));
            while theirs.write_all(line).await.is_ok() {
                pace.tick().await;
            }
        });
        let timeouts = Arc::new(Timeouts { initial: Duration::from_millis(200), ..Timeouts::default() });
        let settings = Settings { timeouts, ..settings(None) };
        let peer = Peer { host: Bytes::from_static(b"h"), address: None };
        let mut notes = Notes::default();
        let opening = Connection::open(Stream::other(ours), peer, &settings, &mut notes);
        assert_eq!(opening.await.unwrap_err(), Trouble::Timeout(Phase::Greeting));
        dripping.await.unwrap();
    }
}

/// Gives a reply for each line; the lines that came.
async fn answering(stream: tokio::io::DuplexStream, replies: Vec<String>) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    for reply in replies {
        stream.write_all(reply.as_bytes()).await.unwrap();
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap() == 0 {
            break;
        }
        lines.push(line);
    }
    lines
}

#[tokio::test]
async fn a_server_says_yes_when_the_mechanism_is_through_with_it() {
    // realm="b.test",nonce="abc",qop="auth,auth-conf",algorithm=md5-sess,charset=utf-8
    const DIGEST: &str = "334 cmVhbG09ImIudGVzdCIsbm9uY2U9ImFiYyIscW9wPSJhdXRoLGF1dGgtY29uZiIsYWxnb3JpdGhtPW1kNS1zZXNzLGNoYXJzZXQ9dXRmLTg=";
    let cases: &[(&str, &[&str], bool)] = &[
        ("PLAIN", &[], true),
        ("LOGIN", &["334 VXNlcjo=", "334 UGFzczo="], true),
        ("LOGIN", &["334 VXNlcjo="], false),
        ("CRAM-MD5", &["334 PDFAeD4="], true),
        ("CRAM-MD5", &[], false),
        ("DIGEST-MD5", &[], false),
        ("DIGEST-MD5", &[DIGEST], false),
        ("SCRAM-SHA-256", &[], false),
    ];
    for (mechanism, challenges, is_well) in cases {
        let sasl = Authenticator::new(crate::net::sasl::Settings {
            host: "us.test".to_owned(),
            realm: None,
            allowed: vec![(*mechanism).to_owned()],
            options: crate::base::letters::LetterSet::default(),
            max_bits: None,
            judge: Arc::new(|_| true),
        });
        let who = Credentials {
            user: b"u".into(),
            identity: b"u".into(),
            password: b"secret".into(),
            mechanisms: mechanism.as_bytes().to_vec(),
            ..Credentials::default()
        };
        let tried = sasl.approach(&Surroundings::default(), "h".to_owned(), who.who(), (*mechanism).to_owned()).await;
        if tried.0.is_none() {
            println!("LEFT OUT: no plugin for {mechanism} (Debian: apt-get install libsasl2-modules)");
            continue;
        }
        let (ours, theirs) = tokio::io::duplex(4096);
        let mut replies = vec!["220 x ESMTP".to_owned(), format!("250-x\r\n250 AUTH {mechanism}")];
        replies.extend(challenges.iter().map(|c| (*c).to_owned()));
        replies.extend(["235 ok".to_owned(), "221 bye".to_owned()]);
        let serving = tokio::spawn(answering(theirs, replies.into_iter().map(|reply| reply + "\r\n").collect()));
        let settings = Settings { sasl: Some(sasl), ..settings(None) };
        let mut notes = Notes { who: Some(who), ..Notes::default() };
        let peer = Peer { host: Bytes::from_static(b"h"), address: None };
        match Connection::open(Stream::other(ours), peer, &settings, &mut notes).await {
            Ok(connection) => {
                assert!(*is_well && connection.is_authenticated(), "{mechanism} {challenges:?}");
                connection.quit(&mut notes).await;
            }
            Err(trouble) => {
                assert!(!*is_well && trouble.is_temporary(), "{mechanism} {challenges:?}: {trouble:?}");
                assert!(matches!(trouble, Trouble::Refused { phase: Phase::Auth, .. }), "{mechanism}: {trouble:?}");
            }
        }
        let lines = serving.await.unwrap();
        assert_eq!(lines.last().map(String::as_str), Some("QUIT\r\n"), "{mechanism}: {lines:?}");
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_noticed() {
    const SCRIPT: &[&str] = &["S:220 x", "C:EHLO us.test", "S:250 x", "S:421 4.4.2 idle too long", "X:"];
    let (address, serving) = server(SCRIPT).await;
    let mut connection = opened(address, &settings(None), &mut Notes::default()).await.unwrap();
    serving.await.unwrap();
    assert!(!connection.is_alive().await);
}

#[tokio::test]
async fn nobody_listening_is_told_in_the_original_s_words() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let trouble = opened(address, &settings(None), &mut Notes::default()).await.unwrap_err();
    assert_eq!(trouble.words("[127.0.0.1]"), "Connection refused by [127.0.0.1]");
}

#[tokio::test]
async fn a_host_is_timed_out_only_when_it_had_its_own_time() {
    let resolver = Resolver::new(crate::net::dns::Settings::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let host = Bytes::from_static(b"[127.0.0.1]");
    let now = Some(clock::monotonic());
    for limit in [None, Some(Duration::ZERO), Some(Duration::from_secs(60))] {
        let dialing = Dialing { port, limit, until: now, ..Dialing::default() };
        assert_eq!(dial(&resolver, &host, &dialing).await.err(), Some(Trouble::OutOfTime), "{limit:?}");
    }
    // Nobody was asked.
    assert!(timeout(Duration::ZERO, listener.accept()).await.is_err());
    // One whose queue is full keeps us waiting.
    let full = TcpSocket::new_v4().unwrap();
    full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = full.listen(0).unwrap();
    let address = full.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(Ok(stream)) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        held.push(stream);
        if held.len() == 8 {
            println!("the system takes connections without end: the time of a connection was not looked at");
            return;
        }
    }
    let short = Duration::from_millis(50);
    let long = Duration::from_secs(600);
    for (own, all, trouble) in [
        (Some(short), Some(long), Trouble::Timeout(Phase::Connect)),
        (Some(short), None, Trouble::Timeout(Phase::Connect)),
        (Some(long), Some(short), Trouble::OutOfTime),
        (None, Some(short), Trouble::OutOfTime),
    ] {
        let until = all.map(|all| clock::monotonic() + all);
        let dialing = Dialing { port: address.port(), limit: own, until, ..Dialing::default() };
        assert_eq!(dial(&resolver, &host, &dialing).await.err(), Some(trouble), "{own:?} {all:?}");
    }
}

struct Blocks(usize);

impl Content for Blocks {
    async fn block(&mut self) -> io::Result<Option<Bytes>> {
        let Some(left) = self.0.checked_sub(1) else { return Ok(None) };
        self.0 = left;
        Ok(Some(Bytes::from(vec![b'x'; 64 * 1024])))
    }
}

#[tokio::test]
async fn a_large_message_goes_by_blocks() {
    const SCRIPT: &[&str] = &[
        "S:220 x",
        "C:EHLO us.test",
        "S:250 x",
        "C:MAIL From:<a@b>",
        "S:250 ok",
        "C:RCPT To:<x>",
        "S:250 ok",
        "C:DATA",
        "S:354 go",
        "D:",
        "S:250 ok",
        "C:QUIT",
        "S:221 bye",
    ];
    let (address, serving) = server(SCRIPT).await;
    let mut notes = Notes::default();
    let mut connection = opened(address, &settings(None), &mut notes).await.unwrap();
    let settled = connection.send(message("x"), &mut Blocks(160), &mut notes).await;
    assert!(matches!(settled.as_slice(), [Settled::Accepted { .. }]));
    connection.quit(&mut notes).await;
    assert_eq!(serving.await.unwrap().len(), 160 * 64 * 1024 + 5);
}

/// A server with STARTTLS that takes any message; after the handshake it offers no STARTTLS.
async fn tls_server(context: crate::net::tls::ServerContext) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"220 x ESMTP\r\n").await.unwrap();
            let mut line = [0; 14];
            stream.read_exact(&mut line).await.unwrap();
            stream.write_all(b"250-x\r\n250 STARTTLS\r\n").await.unwrap();
            let mut line = [0; 10];
            stream.read_exact(&mut line).await.unwrap();
            stream.write_all(b"220 go\r\n").await.unwrap();
            let none = SessionSettings::default();
            let limit = Duration::from_secs(20);
            let Ok((mut stream, _)) = context.accept(Stream::from(stream), &none, limit).await else { continue };
            let mut line = [0; 14];
            stream.read_exact(&mut line).await.unwrap();
            stream.write_all(b"250 x\r\n").await.unwrap();
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            assert_eq!(String::from_utf8_lossy(&rest), "QUIT\r\n");
        }
    });
    address
}

#[tokio::test]
async fn a_session_is_encrypted_when_the_server_offers_it() {
    let directory = tempfile::tempdir().unwrap();
    let material = crate::net::tls::test_settings(directory.path());
    let server = crate::net::tls::ServerContext::build(&material).0.unwrap();
    let client = ClientContext::build(&material).0.unwrap();
    let address = tls_server(server).await;
    let timeouts = Arc::new(Timeouts { quit: Duration::from_millis(100), ..Timeouts::default() });
    let settings = Settings { timeouts, ..settings(Some(client)) };
    let mut notes = Notes::default();
    let connection = opened(address, &settings, &mut notes).await.unwrap();
    assert_eq!((connection.verify(), connection.tls().unwrap().version.as_str()), (Verify::Ok, "TLSv1.3"));
    assert!(connection.capabilities().is_extended && !connection.capabilities().starttls);
    connection.quit(&mut notes).await;
    let mut strict = Notes { refuses: Some(Verify::Ok), ..Notes::default() };
    let trouble = opened(address, &settings, &mut strict).await.unwrap_err();
    assert_eq!(trouble, Trouble::Ruleset(Bytes::from_static(b"454 4.7.0 not like this")));
    assert!(trouble.is_temporary());
}
