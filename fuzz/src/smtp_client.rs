//! Bytes that a server sends to our client: replies, and the machines of opening and of a transaction.

use bytes::Bytes;
use sendmail::net::sasl::{Failure, Response};
use sendmail::net::tls::Verify;
use sendmail::smtp::client::auth::{Credentials, NotNow};
use sendmail::smtp::client::negotiate::{Action, Input as Event, Manner, Negotiation};
use sendmail::smtp::client::reply::Parser;
use sendmail::smtp::client::transaction::{self, Session};
use sendmail::smtp::client::{Recipient, Reply, Transaction};

use super::input::Input;

/// Commands to a server before the last one is sent at most.
const STEPS: usize = 300;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let choices = input.byte();
    let manner = Manner {
        is_lmtp: choices & 1 != 0,
        tries_ehlo: choices & 2 != 0,
        never_ehlo: choices & 4 != 0,
        helo: Bytes::from_static(b"us.test"),
        own_name: (choices & 8 != 0).then(|| Bytes::from_static(b"us.test")),
        may_use_tls: choices & 16 != 0,
        mechanisms: vec!["PLAIN".to_owned(), "LOGIN".to_owned(), "CRAM-MD5".to_owned()],
        needs_tls: choices & 32 != 0,
        without_tls: Verify::None,
    };
    let is_lmtp = manner.is_lmtp;
    let length = input.below(64);
    let mut world = Input(input.bytes(length));
    let mut server = Server { parser: Parser::default(), rest: input.0 };
    let mut machine = Negotiation::new(manner);
    let mut event = Event::Start;
    let mut steps = 0;
    loop {
        steps += 1;
        assert!(steps < STEPS, "opening without end");
        event = match machine.on(event) {
            Action::Wait(_) => match server.reply() {
                Some(reply) => Event::Reply(reply),
                None => return,
            },
            Action::Say(line, _) => {
                assert!(!line.contains(&b'\n') && !line.contains(&b'\r'), "{}", line.escape_ascii());
                match server.reply() {
                    Some(reply) => Event::Reply(reply),
                    None => return,
                }
            }
            Action::AskTryTls => [Event::TryTls(true), Event::TryTls(false), Event::TlsUnusable, Event::TlsWithoutDane]
                .into_iter()
                .nth(world.below(4))
                .unwrap_or(Event::TlsUnusable),
            Action::Handshake if world.byte() > 200 => Event::NotSecured("reason".to_owned()),
            Action::Handshake => {
                server.parser.clear();
                Event::Secured(Verify::Ok)
            }
            Action::AskTlsServer(_) => Event::TlsServer((world.byte() > 200).then(|| Bytes::from_static(b"454 no"))),
            Action::AskCredentials => Event::Credentials(match world.byte() {
                0..10 => Err(NotNow),
                10..101 => Ok(None),
                _ => Ok(Some(credentials())),
            }),
            Action::Authenticate(..) | Action::Solve(_) => Event::Sasl(solved(&mut world)),
            Action::Secure => {
                server.parser.clear();
                match world.byte() {
                    0..50 => Event::Unproven,
                    byte => Event::Layer(byte > 200),
                }
            }
            Action::Ready => break,
            Action::GiveUp(trouble, _) => {
                let _ = (trouble.words("mx.test."), trouble.is_temporary());
                return;
            }
        };
    }
    transact(&mut server, &machine, is_lmtp, &mut world);
}

fn transact(server: &mut Server<'_>, machine: &Negotiation, is_lmtp: bool, world: &mut Input<'_>) {
    let count = world.below(120);
    let recipient = |n: usize| Recipient { address: Bytes::from(format!("r{n}@x")), ..Recipient::default() };
    let message = Transaction {
        sender: Bytes::from_static(b"a@b"),
        size: 14,
        envelope_id: Some(Bytes::from_static(b"e+2B")),
        recipients: (0..count).map(recipient).collect(),
        ..Transaction::default()
    };
    let mut session = Session::new(message, Vec::new(), machine.capabilities(), is_lmtp, world.byte() & 1 == 0);
    let mut event = transaction::Input::Start;
    for _ in 0..STEPS + 3 * count {
        event = match session.on(event) {
            transaction::Action::Send(..) | transaction::Action::Wait(_) => match server.reply() {
                Some(reply) => transaction::Input::Reply(reply),
                None => return,
            },
            transaction::Action::Write => transaction::Input::Written,
            transaction::Action::Done => {
                let _ = session.needs_reset();
                assert_eq!(session.results().0.len(), count);
                return;
            }
        };
    }
    panic!("a transaction without end");
}

fn solved(world: &mut Input<'_>) -> Response {
    let count = world.below(20);
    let text = world.bytes(count).to_vec();
    match world.below(3) {
        0 => Response::Begin("PLAIN".to_owned(), (count > 3).then_some(text)),
        1 => Response::Answer(text),
        _ => Response::Impossible(Failure { code: -4, words: "no mechanism".into(), detail: String::new() }),
    }
}

/// What a server sends, reply by reply.
struct Server<'a> {
    parser: Parser,
    rest: &'a [u8],
}

impl Server<'_> {
    fn reply(&mut self) -> Option<Reply> {
        loop {
            match self.parser.take() {
                Err(_) => return None,
                Ok(Some(reply)) => {
                    let _ = (reply.log_form(), reply.status(), reply.words(true), reply.class());
                    return Some(reply);
                }
                Ok(None) => {}
            }
            if self.rest.is_empty() {
                return None;
            }
            let (block, rest) = self.rest.split_at(self.rest.len().min(37));
            self.parser.buffer().extend_from_slice(block);
            self.rest = rest;
        }
    }
}

fn credentials() -> Credentials {
    Credentials {
        user: Vec::new(),
        identity: b"us".to_vec(),
        password: b"secret".to_vec(),
        realm: Vec::new(),
        mechanisms: Vec::new(),
    }
}
