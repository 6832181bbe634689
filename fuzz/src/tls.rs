//! Sessions of both sides over streams in memory: bytes in clear, in place of a handshake, within TLS, and TLS that was damaged
//! on its way.
//!
//! Time stands still but for waiting, so that no input takes long. Promises: the session ends, whatever comes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::{X509Builder, X509NameBuilder};
use sendmail::base::letters::Modifiers;
use sendmail::config::{self, Timeouts};
use sendmail::net::tls::{SessionSettings, Stream, Verify};
use sendmail::policy::rates::Counts;
use sendmail::site::{self, Site, StartOptions};
use sendmail::smtp::client::drive::{Connection, Hooks, InMemory, Peer as ServerPeer, Settings};
use sendmail::smtp::client::negotiate::Manner;
use sendmail::smtp::client::{Recipient, Transaction};
use sendmail::smtp::server::Setting;
use sendmail::smtp::server::drive::{Accepted, Deliverer, Peer, Server, session};
use sendmail::smtp::server::etrn::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::{oneshot, watch};

use super::input::Input;

const LIMIT: Duration = Duration::from_secs(60);
/// Bytes on their way in one direction.
const PIPE: usize = 1 << 16;

/// What a peer sends, and how.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// In clear from the first byte.
    Clear,
    /// In place of a handshake.
    Handshake,
    /// Within TLS.
    Within,
    /// Within TLS, with a byte changed on its way.
    Damaged,
}

const WAYS: &[Way] = &[Way::Clear, Way::Handshake, Way::Within, Way::Damaged];

/// A client's bytes to our server.
pub fn server(bytes: &[u8]) {
    run(async {
        let mut input = Input(bytes);
        let way = input.one_of(WAYS);
        let is_smtps = input.byte() & 1 == 1;
        let damage = (input.below(4000), input.byte() | 1);
        let (ours, theirs) = duplex(PIPE);
        let theirs = if matches!(way, Way::Damaged) { damaged(theirs, damage) } else { theirs };
        let serving = tokio::spawn(session(Stream::other(ours), Arc::new(server_of(is_smtps)), peer()));
        client_sends(theirs, way, is_smtps, input.0).await;
        serving.await.expect("a session ends in order");
    });
}

async fn client_sends(stream: DuplexStream, way: Way, is_smtps: bool, bytes: &[u8]) {
    let mut stream = Stream::other(stream);
    if !matches!(way, Way::Clear) && !is_smtps {
        let replies = exchange(&mut stream, b"EHLO c.test\r\n", 2).await;
        // Without STARTTLS in it nothing below would be tried.
        assert!(matches!(way, Way::Damaged) || contains(&replies, b"STARTTLS"), "{}", replies.escape_ascii());
        exchange(&mut stream, b"STARTTLS\r\n", 1).await;
    }
    if matches!(way, Way::Within | Way::Damaged) {
        let context = world().tls.client().expect("a context of clients");
        let Ok((inner, _)) = context.connect(stream, "mta.test", &SessionSettings::default(), LIMIT).await else {
            return;
        };
        stream = inner;
    }
    send_and_read(stream, bytes).await;
}

/// A server's bytes to our client.
pub fn client(bytes: &[u8]) {
    run(async {
        let mut input = Input(bytes);
        let way = input.one_of(WAYS);
        let damage = (input.below(4000), input.byte() | 1);
        let (ours, theirs) = duplex(PIPE);
        let theirs = if matches!(way, Way::Damaged) { damaged(theirs, damage) } else { theirs };
        let bytes = input.0.to_vec();
        let serving = tokio::spawn(async move { server_sends(theirs, way, &bytes).await });
        let peer = ServerPeer { host: Bytes::from_static(b"mx.test."), address: None };
        if let Ok(mut connection) = Connection::open(Stream::other(ours), peer, &client_settings(), &mut Nobody).await {
            let recipient = |n: u8| Recipient { address: Bytes::from(format!("r{n}@x")), ..Recipient::default() };
            let recipients = (0..3).map(recipient).collect();
            let sender = Bytes::from_static(b"a@b");
            let message = Transaction { sender, size: 14, recipients, ..Transaction::default() };
            for _ in 0..2 {
                let mut content = InMemory(Some(Bytes::from_static(b"Subject: x\r\n\r\nx\r\n")));
                let settled = connection.send(message.clone(), &mut content, &mut Nobody).await;
                let _ = settled;
            }
            connection.quit(&mut Nobody).await;
        }
        serving.await.expect("the peer ends");
    });
}

async fn server_sends(stream: DuplexStream, way: Way, bytes: &[u8]) {
    let mut stream = Stream::other(stream);
    if !matches!(way, Way::Clear) {
        let _ = stream.write_all(b"220 mx.test ESMTP\r\n").await;
        exchange(&mut stream, b"", 1).await;
        exchange(&mut stream, b"250-mx.test\r\n250-PIPELINING\r\n250 STARTTLS\r\n", 1).await;
        let _ = stream.write_all(b"220 go\r\n").await;
    }
    if matches!(way, Way::Within | Way::Damaged) {
        let context = world().tls.server().expect("a context of servers");
        let Ok((inner, _)) = context.accept(stream, &SessionSettings::default(), LIMIT).await else { return };
        stream = inner;
    }
    send_and_read(stream, bytes).await;
}

/// Sends, then reads so many line ends or until nothing more comes.
async fn exchange(stream: &mut Stream, bytes: &[u8], replies: usize) -> Vec<u8> {
    let mut all = Vec::new();
    if stream.write_all(bytes).await.is_err() {
        return all;
    }
    let mut buffer = [0; 4096];
    while last_lines(&all) < replies {
        match tokio::time::timeout(LIMIT, stream.read(&mut buffer)).await {
            Ok(Ok(count)) if count > 0 => all.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    all
}

/// Lines that end a reply (or are commands).
fn last_lines(text: &[u8]) -> usize {
    text.split_inclusive(|b| *b == b'\n').filter(|l| l.ends_with(b"\n") && l.get(3) != Some(&b'-')).count()
}

async fn send_and_read(stream: Stream, bytes: &[u8]) {
    let (mut from, mut to) = tokio::io::split(stream);
    let reading = async {
        let mut buffer = [0; 4096];
        while let Ok(Ok(count)) = tokio::time::timeout(Duration::from_secs(100_000), from.read(&mut buffer)).await {
            if count == 0 {
                break;
            }
        }
    };
    let writing = async {
        let _ = to.write_all(bytes).await;
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}

/// The far end of a way on which the byte at a place is changed, in the direction of the near end.
fn damaged(near: DuplexStream, (place, change): (usize, u8)) -> DuplexStream {
    let (far, inner) = duplex(PIPE);
    tokio::spawn(async move {
        let (mut near_out, mut near_in) = tokio::io::split(near);
        let (mut inner_out, mut inner_in) = tokio::io::split(inner);
        let back = async {
            let _ = tokio::io::copy(&mut near_out, &mut inner_in).await;
            let _ = inner_in.shutdown().await;
        };
        let forth = async {
            let (mut seen, mut buffer) = (0, [0; 4096]);
            while let Ok(count) = inner_out.read(&mut buffer).await {
                if count == 0 {
                    break;
                }
                if let Some(byte) = place.checked_sub(seen).and_then(|at| buffer[..count].get_mut(at)) {
                    *byte ^= change;
                }
                seen += count;
                if near_in.write_all(&buffer[..count]).await.is_err() {
                    break;
                }
            }
            let _ = near_in.shutdown().await;
        };
        tokio::join!(back, forth);
    });
    far
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|w| w == word)
}

struct Nobody;
impl Hooks for Nobody {}

/// Messages that were taken are thrown away.
struct Sink;

impl Deliverer for Sink {
    fn deliver(&self, message: Accepted) -> oneshot::Receiver<()> {
        let (done, told) = oneshot::channel();
        tokio::spawn(async move {
            world().spool().expect("a queue").retire(message.held).await.expect("taken from the queue");
            let _ = done.send(());
        });
        told
    }

    fn run(&self, _request: &Request) -> bool {
        false
    }

    fn begin_session(&self) -> u64 {
        1
    }

    fn end_session(&self, _session: u64) {}
}

fn peer() -> Peer {
    Peer { remote: None, local: None, counts: Counts::default() }
}

fn server_of(is_smtps: bool) -> Server {
    let site = world();
    let setting = Setting {
        config: Arc::clone(&site.config),
        host: Bytes::from_static(b"mta.test"),
        daemon: Bytes::from_static(b"MTA"),
        modifiers: Modifiers::default(),
        filters: Vec::new(),
        delivery_mode: site.config.options.delivery_mode,
        help: None,
        is_smtps,
        is_stdio: false,
    };
    let (_, stop) = watch::channel(false);
    Server {
        site: Arc::clone(site),
        setting: Arc::new(setting),
        bound: None,
        offers_tls: true,
        deliverer: Arc::new(Sink),
        queue_la: None,
        stop,
    }
}

fn client_settings() -> Settings {
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
    let timeouts = Arc::new(Timeouts::default());
    Settings { manner, timeouts, tls: world().tls.client(), dane: None, sasl: None }
}

/// Runs to the end; only when fuzzed does time stand still.
pub(crate) fn run(what: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    #[cfg(fuzzing)]
    builder.start_paused(true);
    builder.enable_all().build().expect("a runtime").block_on(what);
}

/// A site with keys and a queue in memory.
fn world() -> &'static Arc<Site> {
    static WORLD: OnceLock<(Arc<Site>, tempfile::TempDir)> = OnceLock::new();
    let (site, _) = WORLD.get_or_init(|| {
        let dir = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
        let site = loaded(dir.path());
        (site, dir)
    });
    site
}

fn loaded(dir: &Path) -> Arc<Site> {
    let key = PKey::from_ec_key(
        EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).and_then(|group| EcKey::generate(&group)).expect("a key"),
    )
    .expect("a key");
    let certificate = self_signed(&key).expect("a certificate");
    let key = key.private_key_to_pem_pkcs8().expect("PEM");
    std::fs::create_dir(dir.join("queue")).expect("a queue");
    for (name, text, mode) in [("crt", certificate, 0o644), ("key", key, 0o600)] {
        std::fs::write(dir.join(name), text).expect("a file in memory");
        std::fs::set_permissions(dir.join(name), std::fs::Permissions::from_mode(mode)).expect("its mode");
    }
    std::fs::set_permissions(dir.join("queue"), std::fs::Permissions::from_mode(0o700)).expect("its mode");
    let text = CF.replace("@DIR@", dir.to_str().expect("a name in ASCII"));
    let (config, _) = config::parse(text.as_bytes());
    let (site, _) = site::load(config, StartOptions::default()).expect("a site");
    assert!(site.tls.server().is_some() && site.tls.client().is_some(), "no TLS");
    site
}

fn self_signed(key: &PKey<openssl::pkey::Private>) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_nid(Nid::COMMONNAME, "mta.test")?;
    let name = name.build();
    let mut builder = X509Builder::new()?;
    builder.set_version(2)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(key)?;
    let (from, to) = (Asn1Time::from_unix(1_000_000_000)?, Asn1Time::from_unix(4_000_000_000)?);
    builder.set_not_before(&from)?;
    builder.set_not_after(&to)?;
    builder.sign(key, MessageDigest::sha256())?;
    builder.build().to_pem()
}

const CF: &str = "V10/Berkeley
Djmta.test
Cwmta.test
DnMAILER-DAEMON
O QueueDirectory=@DIR@/queue
O DeliveryMode=background
O SuperSafe=true
O LogLevel=0
O Timeout.ident=0
O MaxMessageSize=100000
O DontBlameSendmail=TrustStickyBit
O OperatorChars=.:%@!^/[]+
O CACertPath=@DIR@
O CACertFile=@DIR@/crt
O ServerCertFile=@DIR@/crt
O ServerKeyFile=@DIR@/key
O ClientCertFile=@DIR@/crt
O ClientKeyFile=@DIR@/key
HReceived: by $j id $i; $b
H?D?Date: $a
Mlocal, P=/bin/false, F=lsDFMAw5:/|@q, A=false $u
Mprog, P=/bin/false, F=lsDFMoq, A=false $u
Scanonify=3
R$* < $+ > $*\t$2
Sparse=0
R$*\t$#local $: $1
";
