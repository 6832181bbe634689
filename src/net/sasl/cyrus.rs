//! Exchanges on threads that may block.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::spawn_blocking;

use super::{Answer, Authenticated, Offer, Response, Settings, Surroundings};
use crate::sys::sasl::{Client, Demands, Failure, Identity, NO_ANONYMOUS, Names, Server, Step};

/// Authenticates clients, and us with servers. Clones share one state.
#[derive(Clone)]
pub struct Authenticator(Arc<State>);

struct State {
    settings: Settings,
    /// Offers that were asked for, by what they depend on. A handful: with and without TLS and certificate.
    offers: Mutex<Vec<((u32, bool), Offer)>>,
}

impl Authenticator {
    /// With these settings; the library is started when it is first needed.
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(State { settings, offers: Mutex::default() }))
    }

    /// Mechanisms for a client. Errors: the library cannot be started.
    pub async fn offer(&self, around: &Surroundings) -> Result<Offer, Failure> {
        let key = (around.tls_bits, around.subject.is_some());
        let known = {
            let offers = self.0.offers.lock().unwrap_or_else(PoisonError::into_inner);
            offers.iter().find(|(k, _)| *k == key).map(|(_, offer)| offer.clone())
        };
        if let Some(offer) = known {
            return Ok(offer);
        }
        let (state, around) = (Arc::clone(&self.0), around.clone());
        let found = blocking(move || state.server(&around)?.mechanisms()).await?;
        let offer = Offer::new(found, &self.0.settings.allowed);
        let mut offers = self.0.offers.lock().unwrap_or_else(PoisonError::into_inner);
        if offers.len() < MOST_OFFERS && !offers.iter().any(|(k, _)| *k == key) {
            offers.push((key, offer.clone()));
        }
        Ok(offer)
    }

    /// Begins with a mechanism, and the first response when the client sent one.
    pub async fn begin(
        &self,
        around: &Surroundings,
        mechanism: String,
        response: Option<Vec<u8>>,
    ) -> (Option<Exchange>, Answer) {
        let (state, around) = (Arc::clone(&self.0), around.clone());
        let done = blocking(move || {
            let mut server = state.server(&around)?;
            let step = server.start(&mechanism, response.as_deref());
            Ok(Exchange { server, mechanism }.answer(step))
        });
        match done.await {
            Ok((exchange, answer)) => (Some(exchange), answer),
            Err(failure) => (None, Answer::Failed { failure }),
        }
    }

    /// Begins with the best of these mechanisms of a server.
    pub async fn approach(
        &self,
        around: &Surroundings,
        host: String,
        who: Who,
        mechanisms: String,
    ) -> (Option<ClientExchange>, Response) {
        let (state, around) = (Arc::clone(&self.0), around.clone());
        let done = blocking(move || {
            let names = state.names(&around, host);
            let mut demands = state.demands(&around);
            demands.flags |= NO_ANONYMOUS;
            let identity =
                Identity { user: &who.user, authenticates: &who.identity, password: &who.password, realm: &who.realm };
            let mut client = Client::new(&names, demands, &identity, &state.settings.judge)?;
            let (mechanism, first) = client.start(&mechanisms)?;
            Ok((ClientExchange { client, mechanism: mechanism.clone() }, Response::Begin(mechanism, first)))
        });
        match done.await {
            Ok((exchange, response)) => (Some(exchange), response),
            Err(failure) => (None, Response::Impossible(failure)),
        }
    }

    /// Mechanisms that the configuration allows.
    pub fn allowed(&self) -> &[String] {
        &self.0.settings.allowed
    }
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticator")
    }
}

impl State {
    fn server(&self, around: &Surroundings) -> Result<Server, Failure> {
        let settings = &self.settings;
        let names = self.names(around, settings.host.clone());
        Server::new(&names, self.demands(around), around.subject.as_deref(), &settings.judge)
    }

    /// The library takes the bits of TLS off the limit: with TLS of 256 bits, `AuthMaxBits` of 256 leaves no layer.
    fn demands(&self, around: &Surroundings) -> Demands {
        Demands {
            flags: self.settings.flags(around.tls_bits > 0),
            max_bits: self.settings.max_bits.unwrap_or(NO_LIMIT),
            max_block_bytes: BLOCK_BYTES,
            external_bits: around.tls_bits,
        }
    }

    fn names(&self, around: &Surroundings, host: String) -> Names {
        Names {
            service: "smtp".to_owned(),
            host,
            realm: self.settings.realm.clone(),
            local: around.local.map(shown),
            remote: around.remote.map(shown),
        }
    }
}

/// A client under examination, and its security layer afterwards.
pub struct Exchange {
    server: Server,
    mechanism: String,
}

impl Exchange {
    /// Goes on with the client's response.
    pub async fn step(self, response: Vec<u8>) -> (Option<Self>, Answer) {
        let done = blocking(move || {
            let mut this = self;
            let step = this.server.step(&response);
            Ok(this.answer(step))
        });
        match done.await {
            Ok((exchange, answer)) => (Some(exchange), answer),
            Err(failure) => (None, Answer::Failed { failure }),
        }
    }

    /// Bytes for the wire.
    pub fn encode(&mut self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        self.server.encode(data)
    }

    /// Bytes from the wire; those of an incomplete block come later.
    pub fn decode(&mut self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        self.server.decode(data)
    }

    fn answer(self, step: Step) -> (Self, Answer) {
        let answer = match step {
            Step::More(challenge) => Answer::Challenge(challenge),
            Step::Failed(failure) => Answer::Failed { failure },
            Step::Done(_) => Answer::Done(Authenticated {
                user: self.server.authenticated().or_else(|| self.server.user()).unwrap_or_default(),
                mechanism: self
                    .server
                    .mechanism()
                    .map_or_else(|| self.mechanism.clone(), |m| String::from_utf8_lossy(&m).into_owned()),
                bits: self.server.layer_bits(),
            }),
        };
        (self, answer)
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exchange({})", self.mechanism)
    }
}

/// We under examination, and our security layer afterwards.
pub struct ClientExchange {
    client: Client,
    mechanism: String,
}

impl ClientExchange {
    /// Answers a challenge.
    pub async fn step(self, challenge: Vec<u8>) -> (Option<Self>, Response) {
        let done = blocking(move || {
            let mut this = self;
            let response = match this.client.step(&challenge) {
                Step::More(answer) => Response::Answer(answer),
                Step::Done(answer) => Response::Answer(answer.unwrap_or_default()),
                Step::Failed(failure) => Response::Impossible(failure),
            };
            Ok((this, response))
        });
        match done.await {
            Ok((exchange, response)) => (Some(exchange), response),
            Err(failure) => (None, Response::Impossible(failure)),
        }
    }

    /// Whether the server may say now that all is well.
    pub fn is_done(&self) -> bool {
        self.client.is_done()
    }

    /// The mechanism that was chosen.
    pub fn mechanism(&self) -> &str {
        &self.mechanism
    }

    /// Bits of the security layer.
    pub fn bits(&self) -> u32 {
        self.client.layer_bits()
    }

    /// Bytes for the wire.
    pub fn encode(&mut self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        self.client.encode(data)
    }

    /// Bytes from the wire; those of an incomplete block come later.
    pub fn decode(&mut self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        self.client.decode(data)
    }
}

impl std::fmt::Debug for ClientExchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientExchange({})", self.mechanism)
    }
}

/// Who we are for a server.
#[derive(Clone, Default)]
pub struct Who {
    /// The user to act for.
    pub user: Vec<u8>,
    /// The user who authenticates.
    pub identity: Vec<u8>,
    /// The password.
    pub password: Vec<u8>,
    /// The realm; the server's first one when empty.
    pub realm: Vec<u8>,
}

/// Work on a thread that may wait; one that died failed.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    let died = |error: tokio::task::JoinError| Failure {
        code: Failure::TRY_AGAIN,
        words: "internal error".to_owned(),
        detail: error.to_string(),
    };
    spawn_blocking(work).await.map_err(died)?
}

/// `192.0.2.1;25`.
fn shown(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
        ip @ IpAddr::V4(_) => ip,
    };
    format!("{ip};{}", address.port())
}

/// Bits of the strongest layer when the configuration has no limit.
const NO_LIMIT: u32 = 0x7fff_ffff;
/// Block of a security layer that we take. Source: observed (`maxbuf=8192`).
const BLOCK_BYTES: u32 = 8192;
/// Offers kept.
const MOST_OFFERS: usize = 32;
