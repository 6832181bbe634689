//! From the greeting to the first transaction: EHLO, STARTTLS, AUTH.

use bytes::Bytes;

use super::auth::{self, Credentials, NotNow};
use super::{Phase, Reply, Trouble};
use crate::base::base64;
use crate::net::sasl::Response;
use crate::net::tls::Verify;

/// What a server said it can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// It took EHLO or LHLO.
    pub is_extended: bool,
    /// SIZE, with its limit; 0 for none.
    pub size: Option<u64>,
    /// 8BITMIME.
    pub eight_bit_mime: bool,
    /// PIPELINING.
    pub pipelining: bool,
    /// STARTTLS.
    pub starttls: bool,
    /// ENHANCEDSTATUSCODES.
    pub enhanced_status_codes: bool,
    /// DSN.
    pub dsn: bool,
    /// CHUNKING; noted, not used.
    pub chunking: bool,
    /// SMTPUTF8; noted, not used.
    pub smtp_utf8: bool,
    /// DELIVERBY, with its minimum in seconds.
    pub deliver_by: Option<u64>,
    /// Mechanisms of AUTH.
    pub auth: Vec<String>,
}

impl Capabilities {
    /// What is spoken with the server, as a watcher is told.
    pub fn protocol(&self, is_lmtp: bool) -> &'static str {
        match (is_lmtp, self.is_extended) {
            (true, _) => "LMTP",
            (false, true) => "ESMTP",
            (false, false) => "SMTP",
        }
    }

    /// Reads the lines of a reply to EHLO; words that mean nothing are left out.
    pub fn of(reply: &Reply) -> Self {
        let mut found = Self { is_extended: true, ..Self::default() };
        for line in reply.lines.iter().skip(1) {
            let text = String::from_utf8_lossy(line.get(4..).unwrap_or_default()).into_owned();
            // Some servers write AUTH=LOGIN.
            let mut words = text.split(|c: char| c.is_ascii_whitespace() || c == '=').filter(|w| !w.is_empty());
            let Some(keyword) = words.next() else { continue };
            match keyword.to_ascii_uppercase().as_str() {
                "SIZE" => found.size = Some(words.next().and_then(|w| w.parse().ok()).unwrap_or(0)),
                "8BITMIME" => found.eight_bit_mime = true,
                "PIPELINING" => found.pipelining = true,
                "STARTTLS" => found.starttls = true,
                "ENHANCEDSTATUSCODES" => found.enhanced_status_codes = true,
                "DSN" => found.dsn = true,
                "CHUNKING" => found.chunking = true,
                "SMTPUTF8" => found.smtp_utf8 = true,
                "DELIVERBY" => found.deliver_by = Some(words.next().and_then(|w| w.parse().ok()).unwrap_or(0)),
                "AUTH" => found.auth.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        found
    }
}

/// What to speak, and how we call ourselves.
#[derive(Debug, Clone)]
pub struct Manner {
    /// LMTP in place of SMTP.
    pub is_lmtp: bool,
    /// `F=a`: EHLO is tried. Without it only when the greeting says ESMTP.
    pub tries_ehlo: bool,
    /// `F=2`: HELO whatever the greeting says.
    pub never_ehlo: bool,
    /// Name in EHLO (`HeloName`, else `$j`).
    pub helo: Bytes,
    /// Our name, when a server that greets with it is a loop.
    pub own_name: Option<Bytes>,
    /// STARTTLS may be used: a client context exists, `UseTLS` and `ClientPortOptions` allow it.
    pub may_use_tls: bool,
    /// `AuthMechanisms`, for credentials that name none.
    pub mechanisms: Vec<String>,
    /// Signed TLSA records ask for TLS: without it nothing is said.
    pub needs_tls: bool,
    /// What `${verify}` says when TLS is not used: `NONE`, or `CLEAR` when it was turned off for a second try.
    pub without_tls: Verify,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// Begin.
    Start,
    /// A reply came.
    Reply(Reply),
    /// Answer to [`Action::AskTryTls`].
    TryTls(bool),
    /// Answer to [`Action::AskTryTls`] when the settings for this server (`tls_clt_features`) cannot be used.
    TlsUnusable,
    /// Answer to [`Action::AskTryTls`]: STARTTLS may be used, and TLSA records of this server do not count.
    TlsWithoutDane,
    /// The handshake succeeded, with this result.
    Secured(Verify),
    /// The handshake failed; what the log shows.
    NotSecured(String),
    /// Answer to [`Action::AskTlsServer`]: the refusal of the ruleset, if any.
    TlsServer(Option<Bytes>),
    /// Answer to [`Action::AskCredentials`].
    Credentials(Result<Option<Credentials>, NotNow>),
    /// Answer to [`Action::Authenticate`] and [`Action::Solve`].
    Sasl(Response),
    /// Answer to [`Action::Secure`]: whether there is a layer now.
    Layer(bool),
    /// Answer to [`Action::Secure`]: the server has not proved what the mechanism makes it prove.
    Unproven,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Wait for a reply.
    Wait(Phase),
    /// Send a line (its end is added) and wait for the reply.
    Say(Bytes, Phase),
    /// Ask `try_tls` whether STARTTLS may be used with this server.
    AskTryTls,
    /// Throw away what came, and make the handshake.
    Handshake,
    /// Ask `tls_server` about this result.
    AskTlsServer(Verify),
    /// Ask `authinfo`.
    AskCredentials,
    /// Begin with the best of these mechanisms (blank separated).
    Authenticate(Credentials, String),
    /// Find the answer to a challenge.
    Solve(Vec<u8>),
    /// The server says that AUTH succeeded: unless it left something to prove, switch a security layer on if one was agreed.
    Secure,
    /// Transactions may begin.
    Ready,
    /// Give up; QUIT first when the flag says so.
    GiveUp(Trouble, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Greeting,
    Ehlo,
    Helo,
    TryTls,
    StartTls,
    Handshake,
    TlsServer,
    Credentials,
    /// The library is asked.
    Choosing,
    Solving,
    /// A reply to AUTH or to a response; the mechanism was given up when the flag says so.
    Auth {
        is_aborted: bool,
    },
    Securing,
    Ready,
}

/// The machine.
#[derive(Debug)]
pub struct Negotiation {
    manner: Manner,
    state: State,
    capabilities: Capabilities,
    verify: Verify,
    is_encrypted: bool,
    command: Bytes,
    credentials: Option<Credentials>,
    /// Mechanisms not tried yet.
    candidates: Vec<String>,
    /// What the mechanism before said, when it did not refuse for good.
    deferral: Option<Reply>,
    is_authenticated: bool,
}

impl Negotiation {
    /// Before the greeting.
    pub fn new(manner: Manner) -> Self {
        Self {
            verify: manner.without_tls,
            manner,
            state: State::Start,
            capabilities: Capabilities::default(),
            is_encrypted: false,
            command: Bytes::new(),
            credentials: None,
            candidates: Vec::new(),
            deferral: None,
            is_authenticated: false,
        }
    }

    /// One step. An input that does not fit the state ends the session.
    pub fn on(&mut self, input: Input) -> Action {
        match (self.state, input) {
            (State::Start, Input::Start) => {
                self.state = State::Greeting;
                Action::Wait(Phase::Greeting)
            }
            (State::Greeting, Input::Reply(reply)) => self.greeted(reply),
            (State::Ehlo, Input::Reply(reply)) => self.answered_ehlo(reply),
            (State::Helo, Input::Reply(reply)) => self.answered_helo(reply),
            (State::TryTls, Input::TryTls(true)) => {
                self.state = State::StartTls;
                self.say(Bytes::from_static(b"STARTTLS"), Phase::StartTls)
            }
            (State::TryTls, Input::TlsWithoutDane) => {
                self.manner.needs_tls = false;
                self.state = State::StartTls;
                self.say(Bytes::from_static(b"STARTTLS"), Phase::StartTls)
            }
            (State::TryTls, Input::TryTls(false)) => self.ask_tls_server(),
            (State::TryTls, Input::TlsUnusable) => {
                self.verify = Verify::Config;
                self.ask_tls_server()
            }
            (State::StartTls, Input::Reply(reply)) => self.answered_starttls(&reply),
            (State::Handshake, Input::Secured(verify)) => {
                self.verify = verify;
                self.is_encrypted = true;
                self.ask_tls_server()
            }
            (State::Handshake, Input::NotSecured(why)) => {
                self.verify = Verify::Software;
                self.credentials = None;
                self.state = State::TlsServer;
                self.command = Bytes::from(why);
                Action::AskTlsServer(Verify::Software)
            }
            (State::TlsServer, Input::TlsServer(refusal)) => self.judged(refusal),
            (State::Credentials, Input::Credentials(who)) => self.authenticate(who),
            (State::Choosing, Input::Sasl(response)) => self.begin(response),
            (State::Solving, Input::Sasl(response)) => self.respond(response),
            (State::Securing, Input::Unproven) => self.without(),
            (State::Securing, Input::Layer(true)) => {
                self.accepted();
                // What was said before does not count any more. Source: RFC 4954 §4; observed.
                self.capabilities = Capabilities::default();
                self.hello()
            }
            (State::Securing, Input::Layer(false)) => {
                self.accepted();
                self.ready()
            }
            (State::Auth { is_aborted }, Input::Reply(reply)) => self.challenged(is_aborted, reply),
            _ => Action::GiveUp(Trouble::Garbage(Phase::Helo), false),
        }
    }

    /// What the server can do.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// `${verify}` of this connection.
    pub fn verify(&self) -> Verify {
        self.verify
    }

    /// Whether AUTH succeeded.
    pub fn is_authenticated(&self) -> bool {
        self.is_authenticated
    }

    fn say(&mut self, line: Bytes, phase: Phase) -> Action {
        self.command = line.clone();
        Action::Say(line, phase)
    }

    fn refused(&self, phase: Phase, reply: Reply) -> Action {
        Action::GiveUp(Trouble::Refused { phase, command: self.command.clone(), reply }, true)
    }

    fn greeted(&mut self, reply: Reply) -> Action {
        if reply.class() != 2 {
            return self.refused(Phase::Greeting, reply);
        }
        let says_esmtp = reply.lines.iter().any(|l| l.windows(5).any(|w| w.eq_ignore_ascii_case(b"ESMTP")));
        let extended = !self.manner.never_ehlo && (self.manner.tries_ehlo || says_esmtp);
        if self.manner.is_lmtp || extended { self.hello() } else { self.helo() }
    }

    fn hello(&mut self) -> Action {
        self.state = State::Ehlo;
        let (verb, phase) = if self.manner.is_lmtp { ("LHLO", Phase::Lhlo) } else { ("EHLO", Phase::Helo) };
        let line = [verb.as_bytes(), b" ", &self.manner.helo].concat();
        self.say(Bytes::from(line), phase)
    }

    fn helo(&mut self) -> Action {
        self.state = State::Helo;
        let line = [b"HELO ", &self.manner.helo[..]].concat();
        self.say(Bytes::from(line), Phase::Helo)
    }

    /// A server that refuses EHLO for good is asked with HELO; one that fails for now is not. Source: observed.
    fn answered_ehlo(&mut self, reply: Reply) -> Action {
        match reply.class() {
            2 => self.capabilities = Capabilities::of(&reply),
            5 if !self.manner.is_lmtp => return self.helo(),
            _ => return self.refused(Phase::Helo, reply),
        }
        if self.is_ourselves(&reply) {
            return Action::GiveUp(Trouble::Loop, true);
        }
        if self.is_authenticated {
            return self.ready();
        }
        if self.is_encrypted {
            return self.ask_credentials();
        }
        if self.capabilities.starttls && self.manner.may_use_tls && !self.manner.is_lmtp {
            self.state = State::TryTls;
            return Action::AskTryTls;
        }
        self.ask_in_clear()
    }

    fn answered_helo(&mut self, reply: Reply) -> Action {
        if reply.class() != 2 {
            return self.refused(Phase::Helo, reply);
        }
        if self.is_ourselves(&reply) {
            return Action::GiveUp(Trouble::Loop, true);
        }
        // HELO behind the handshake, or the layer: the ruleset was asked.
        if self.is_encrypted || self.is_authenticated { self.ready() } else { self.ask_in_clear() }
    }

    fn is_ourselves(&self, reply: &Reply) -> bool {
        let first = reply.lines.first().and_then(|l| l.get(4..)).unwrap_or_default();
        let name = first.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        self.manner.own_name.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    /// Source: observed (tls/client-failures): 4xx gives TEMP, 5xx NONE, and both go on in clear.
    fn answered_starttls(&mut self, reply: &Reply) -> Action {
        match reply.class() {
            2 if reply.code == 220 => {
                self.state = State::Handshake;
                return Action::Handshake;
            }
            4 if self.manner.needs_tls => self.verify = Verify::DaneTemp,
            4 => self.verify = Verify::Temp,
            5 if self.manner.needs_tls => self.verify = Verify::DaneNoTls,
            5 => {}
            _ => self.verify = Verify::Protocol,
        }
        if reply.code == 421 {
            return self.refused(Phase::StartTls, reply.clone());
        }
        self.ask_tls_server()
    }

    /// No STARTTLS here.
    fn ask_in_clear(&mut self) -> Action {
        if self.manner.needs_tls {
            self.verify = Verify::DaneNoTls;
        }
        self.ask_tls_server()
    }

    fn ask_tls_server(&mut self) -> Action {
        self.state = State::TlsServer;
        Action::AskTlsServer(self.verify)
    }

    fn judged(&mut self, refusal: Option<Bytes>) -> Action {
        if self.verify == Verify::Software {
            // Nothing sensible can be said any more on this connection.
            let why = String::from_utf8_lossy(&self.command).into_owned();
            return Action::GiveUp(refusal.map_or(Trouble::Handshake(why), Trouble::Ruleset), false);
        }
        // Whatever the ruleset says, and however TLS was missed, signed records are not passed over.
        let is_against_dane = self.verify.is_against_dane() || self.manner.needs_tls && !self.is_encrypted;
        let refusal = refusal.or_else(|| is_against_dane.then(|| Bytes::from_static(DANE_FAILED)));
        if let Some(refusal) = refusal {
            return Action::GiveUp(Trouble::Ruleset(refusal), true);
        }
        if self.is_encrypted {
            // What was said in clear does not count any more.
            self.capabilities = Capabilities::default();
            return self.hello();
        }
        self.ask_credentials()
    }

    fn ask_credentials(&mut self) -> Action {
        if self.capabilities.auth.is_empty() {
            return self.ready();
        }
        self.state = State::Credentials;
        Action::AskCredentials
    }

    fn authenticate(&mut self, who: Result<Option<Credentials>, NotNow>) -> Action {
        let who = match who {
            Ok(Some(who)) => who,
            Ok(None) => return self.ready(),
            Err(NotNow) => return Action::GiveUp(Trouble::NoLogin, true),
        };
        self.candidates = who.candidates(&self.capabilities.auth, &self.manner.mechanisms);
        self.credentials = Some(who);
        if self.candidates.is_empty() {
            // Who is to be known to the server does not go on unknown. Source: observed.
            return Action::GiveUp(Trouble::NoMechanism, true);
        }
        self.choose()
    }

    fn choose(&mut self) -> Action {
        match &self.credentials {
            Some(who) if !self.candidates.is_empty() => {
                self.state = State::Choosing;
                Action::Authenticate(who.clone(), self.candidates.join(" "))
            }
            _ => self.without(),
        }
    }

    /// No mechanism is left: what the last one said counts.
    fn without(&mut self) -> Action {
        match self.deferral.take() {
            Some(reply) => self.refused(Phase::Auth, reply),
            None => self.ready(),
        }
    }

    fn begin(&mut self, response: Response) -> Action {
        let Response::Begin(mechanism, first) = response else { return self.without() };
        self.candidates.retain(|name| !name.eq_ignore_ascii_case(&mechanism));
        let line = auth::command(&mechanism, first.as_deref());
        self.state = State::Auth { is_aborted: false };
        self.say(Bytes::from(line), Phase::Auth)
    }

    fn respond(&mut self, response: Response) -> Action {
        let Response::Answer(answer) = response else { return self.abort() };
        self.state = State::Auth { is_aborted: false };
        Action::Say(Bytes::from(base64::encode(&answer)), Phase::Auth)
    }

    fn abort(&mut self) -> Action {
        self.state = State::Auth { is_aborted: true };
        Action::Say(Bytes::from_static(b"*"), Phase::Auth)
    }

    /// Source: observed (auth/client): all but 235 leads to the next mechanism. When none is left, a refusal for good of the last
    /// one leads to no AUTH, anything else to the end of the session.
    fn challenged(&mut self, is_aborted: bool, reply: Reply) -> Action {
        self.deferral = None;
        match reply.code {
            421 => self.refused(Phase::Auth, reply),
            _ if is_aborted => self.choose(),
            235 => {
                self.deferral = Some(reply);
                self.state = State::Securing;
                Action::Secure
            }
            300..=399 => {
                let first = reply.lines.first().and_then(|l| l.get(4..)).unwrap_or_default();
                match base64::decode(first.trim_ascii_end()) {
                    Some(challenge) => {
                        self.state = State::Solving;
                        Action::Solve(challenge)
                    }
                    None => self.abort(),
                }
            }
            500..=599 => self.choose(),
            _ => {
                self.deferral = Some(reply);
                self.choose()
            }
        }
    }

    fn accepted(&mut self) {
        self.deferral = None;
        self.is_authenticated = true;
    }

    fn ready(&mut self) -> Action {
        self.state = State::Ready;
        self.credentials = None;
        Action::Ready
    }
}

/// What is said of a server that does not fit its TLSA records.
const DANE_FAILED: &[u8] = b"454 4.7.0 DANE check failed";

#[cfg(test)]
mod tests {
    use super::*;

    fn manner() -> Manner {
        Manner {
            is_lmtp: false,
            tries_ehlo: true,
            never_ehlo: false,
            helo: Bytes::from_static(b"us.test"),
            own_name: Some(Bytes::from_static(b"us.test")),
            may_use_tls: true,
            needs_tls: false,
            mechanisms: vec!["PLAIN".to_owned(), "LOGIN".to_owned()],
            without_tls: Verify::None,
        }
    }

    /// Plays `S:` lines against the machine; questions are answered with yes. Out: what was said and how it ended.
    fn play(manner: Manner, script: &[&str], handshake: Result<Verify, &str>) -> (Vec<String>, String) {
        let mut machine = Negotiation::new(manner);
        let mut replies = script.iter();
        let mut said = Vec::new();
        let mut input = Input::Start;
        loop {
            let action = machine.on(input);
            if let Action::Say(line, _) = &action {
                said.push(String::from_utf8_lossy(line).into_owned());
            }
            input = match action {
                Action::Wait(_) | Action::Say(..) => {
                    let lines: Vec<Bytes> =
                        replies.next().unwrap().split('|').map(|l| Bytes::copy_from_slice(l.as_bytes())).collect();
                    let code = std::str::from_utf8(&lines[0][..3]).unwrap().parse().unwrap();
                    Input::Reply(Reply { code, lines })
                }
                Action::AskTryTls => Input::TryTls(true),
                Action::Handshake => match handshake {
                    Ok(verify) => Input::Secured(verify),
                    Err(why) => Input::NotSecured(why.to_owned()),
                },
                Action::AskTlsServer(verify) => {
                    said.push(format!("({})", verify.word()));
                    Input::TlsServer(None)
                }
                Action::AskCredentials => Input::Credentials(Ok(Some(Credentials {
                    user: b"u".into(),
                    password: b"p".into(),
                    ..Credentials::default()
                }))),
                Action::Authenticate(_, list) if list.starts_with("LOGIN") => {
                    Input::Sasl(Response::Begin("LOGIN".to_owned(), None))
                }
                Action::Authenticate(..) => Input::Sasl(Response::Begin("PLAIN".to_owned(), Some(b"u\0u\0p".into()))),
                Action::Solve(challenge) => {
                    Input::Sasl(Response::Answer(if challenge == b"User" { b"u".into() } else { b"p".into() }))
                }
                Action::Secure => Input::Layer(replies.len() > 0),
                Action::Ready => return (said, "ready".to_owned()),
                Action::GiveUp(trouble, quits) => {
                    return (said, format!("{} {} {quits}", trouble.is_temporary(), trouble.words("h")));
                }
            };
        }
    }

    #[test]
    fn a_mailer_may_forbid_ehlo() {
        let manner = Manner { never_ehlo: true, ..manner() };
        let (said, end) = play(manner, &["220 h ESMTP", "250 ok"], Ok(Verify::None));
        assert_eq!((said.first().map(String::as_str), end.as_str()), (Some("HELO us.test"), "ready"));
    }

    #[test]
    fn dialogues_go_as_the_original_s() {
        let starttls = "250-h hello|250 STARTTLS";
        let cases: &[(&[&str], &[&str], &str)] = &[
            (&["220 h ESMTP", "250-h|250 PIPELINING"], &["EHLO us.test", "(NONE)"], "ready"),
            (&["220 old", "500 what?", "250 ok"], &["EHLO us.test", "HELO us.test", "(NONE)"], "ready"),
            (&["220 x", "554 go away", "554 go away"], &["EHLO us.test", "HELO us.test"], "false 554 go away true"),
            (&["220 x", "450 later"], &["EHLO us.test"], "true 450 later true"),
            (&["421 4.3.2 busy"], &[], "true 421 4.3.2 busy true"),
            (&["554 no"], &[], "false 554 no true"),
            (&["220 x", starttls, "454 4.7.0 not now"], &["EHLO us.test", "STARTTLS", "(TEMP)"], "ready"),
            (&["220 x", starttls, "500 what"], &["EHLO us.test", "STARTTLS", "(NONE)"], "ready"),
            (&["220 x", starttls, "999 what"], &["EHLO us.test", "STARTTLS", "(PROTOCOL)"], "ready"),
            (&["220 x", starttls, "250 what"], &["EHLO us.test", "STARTTLS", "(PROTOCOL)"], "ready"),
            (&["999 what"], &[], "false 999 what true"),
            (&["220 x", "999 what"], &["EHLO us.test"], "true 999 what true"),
            (&["220 x", starttls, "220 go", "250 h"], &["EHLO us.test", "STARTTLS", "(OK)", "EHLO us.test"], "ready"),
            (
                &["220 x", "250 us.test hello"],
                &["EHLO us.test"],
                "false h config error: mail loops back to me (MX problem?) true",
            ),
            (
                &["220 x", "250-h|250 AUTH LOGIN", "334 VXNlcg==", "334 UGFzcw==", "235 ok"],
                &["EHLO us.test", "(NONE)", "AUTH LOGIN", "dQ==", "cA=="],
                "ready",
            ),
            (
                &["220 x", "250-h|250 AUTH PLAIN", "535 bad"],
                &["EHLO us.test", "(NONE)", "AUTH PLAIN dQB1AHA="],
                "ready",
            ),
            (
                &["220 x", "250-h|250 AUTH PLAIN", "454 4.7.0 later"],
                &["EHLO us.test", "(NONE)", "AUTH PLAIN dQB1AHA="],
                "true 454 4.7.0 later true",
            ),
            (
                &["220 x", "250-h|250 AUTH PLAIN LOGIN", "454 4.7.0 later", "334 VXNlcg==", "235 ok"],
                &["EHLO us.test", "(NONE)", "AUTH PLAIN dQB1AHA=", "AUTH LOGIN", "dQ=="],
                "ready",
            ),
            (
                &["220 x", "250-h|250 AUTH PLAIN LOGIN", "454 4.7.0 later", "535 no"],
                &["EHLO us.test", "(NONE)", "AUTH PLAIN dQB1AHA=", "AUTH LOGIN"],
                "ready",
            ),
            (
                &["220 x", "250-h|250 AUTH PLAIN LOGIN", "535 no", "299 ok?"],
                &["EHLO us.test", "(NONE)", "AUTH PLAIN dQB1AHA=", "AUTH LOGIN"],
                "true 299 ok? true",
            ),
            (
                &["220 x", "250-h|250 AUTH PLAIN LOGIN", "421 bye"],
                &["EHLO us.test", "(NONE)", "AUTH PLAIN dQB1AHA="],
                "true 421 bye true",
            ),
            (&["220 x", "250-h|250 AUTH GSSAPI"], &["EHLO us.test", "(NONE)"], "true Temporary AUTH failure true"),
            (
                &["220 x", "250-h|250 AUTH PLAIN", "399 a", "235 ok"],
                &["EHLO us.test", "(NONE)", "AUTH PLAIN dQB1AHA=", "*"],
                "ready",
            ),
        ];
        for (script, said, end) in cases {
            let (heard, ended) = play(manner(), script, Ok(Verify::Ok));
            assert_eq!(heard, *said, "{script:?}");
            assert_eq!(ended, *end, "{script:?}");
        }
    }

    #[test]
    fn signed_records_are_never_passed_over() {
        let starttls = "250-h hello|250 STARTTLS";
        let failed = "true 454 4.7.0 DANE check failed true";
        let cases: &[(&[&str], Verify, &str, &str)] = &[
            (&["220 x", "250 h"], Verify::Ok, "(DANE_NOTLS)", failed),
            (&["220 old", "500 what?", "250 ok"], Verify::Ok, "(DANE_NOTLS)", failed),
            (&["220 x", starttls, "454 not now"], Verify::Ok, "(DANE_TEMP)", failed),
            (&["220 x", starttls, "502 what"], Verify::Ok, "(DANE_NOTLS)", failed),
            (&["220 x", starttls, "354 go on"], Verify::Ok, "(PROTOCOL)", failed),
            (&["220 x", starttls, "220 go"], Verify::DaneFail, "(DANE_FAIL)", failed),
            (&["220 x", starttls, "220 go", "250 h"], Verify::Trusted, "(TRUSTED)", "ready"),
        ];
        for (script, verify, word, end) in cases {
            let (said, ended) = play(Manner { needs_tls: true, ..manner() }, script, Ok(*verify));
            assert!(said.iter().any(|s| s == word), "{script:?}: {said:?}");
            assert_eq!(ended, *end, "{script:?}");
        }
    }

    #[test]
    fn signed_records_hold_when_tls_is_not_tried() {
        for why in [Input::TlsUnusable, Input::TryTls(false)] {
            let mut machine = Negotiation::new(Manner { needs_tls: true, ..manner() });
            machine.on(Input::Start);
            for lines in [&["220 x"][..], &["250-h", "250 STARTTLS"]] {
                let code = lines[0][..3].parse().unwrap();
                let lines = lines.iter().map(|l| Bytes::from_static(l.as_bytes())).collect();
                machine.on(Input::Reply(Reply { code, lines }));
            }
            assert!(matches!(machine.on(why), Action::AskTlsServer(_)));
            assert!(matches!(machine.on(Input::TlsServer(None)), Action::GiveUp(Trouble::Ruleset(_), true)));
        }
    }

    #[test]
    fn behind_a_layer_all_that_was_said_is_asked_again() {
        for script in [
            &["220 x", "250-h|250-STARTTLS|250 AUTH PLAIN", "454 no", "235 ok", "250-h|250-STARTTLS|250 AUTH PLAIN"][..],
            &["220 x", "250-h|250-STARTTLS|250 AUTH PLAIN", "454 no", "235 ok", "500 what?", "250 ok"],
        ] {
            let (said, end) = play(manner(), script, Ok(Verify::Ok));
            let known = ["EHLO us.test", "STARTTLS", "(TEMP)", "AUTH PLAIN dQB1AHA=", "EHLO us.test", "HELO us.test"];
            assert_eq!(said, known[..script.len()], "{script:?}");
            assert_eq!(end, "ready");
        }
    }

    #[test]
    fn a_server_that_left_something_to_prove_gets_no_mail() {
        let mut machine = Negotiation::new(manner());
        let reply = |text: &'static str| {
            let lines = text.split('|').map(|l| Bytes::from_static(l.as_bytes())).collect();
            Input::Reply(Reply { code: text[..3].parse().unwrap(), lines })
        };
        for input in [
            Input::Start,
            reply("220 x"),
            reply("250-h|250 AUTH LOGIN PLAIN"),
            Input::TlsServer(None),
            Input::Credentials(Ok(Some(Credentials { user: b"u".into(), ..Credentials::default() }))),
            Input::Sasl(Response::Begin("LOGIN".to_owned(), None)),
        ] {
            machine.on(input);
        }
        assert_eq!(machine.on(reply("235 ok")), Action::Secure);
        let Action::GiveUp(trouble, true) = machine.on(Input::Unproven) else { panic!("must give up") };
        assert!(matches!(trouble, Trouble::Refused { phase: Phase::Auth, .. }) && trouble.is_temporary());
        assert!(!machine.is_authenticated());
    }

    #[test]
    fn who_cannot_be_told_as_whom_to_log_in_sends_nothing() {
        let mut machine = Negotiation::new(manner());
        let reply = |text: &'static str| {
            let lines = text.split('|').map(|l| Bytes::from_static(l.as_bytes())).collect();
            Input::Reply(Reply { code: text[..3].parse().unwrap(), lines })
        };
        for input in [Input::Start, reply("220 x"), reply("250-h|250 AUTH LOGIN PLAIN"), Input::TlsServer(None)] {
            machine.on(input);
        }
        let Action::GiveUp(trouble, true) = machine.on(Input::Credentials(Err(NotNow))) else { panic!("must give up") };
        assert!(matches!(trouble, Trouble::NoLogin) && trouble.is_temporary());
        assert_eq!(trouble.words("h"), "Temporary AUTH failure");
    }

    #[test]
    fn a_failed_handshake_ends_without_a_word() {
        let script = ["220 x", "250-h|250 STARTTLS", "220 go"];
        let (said, end) = play(manner(), &script, Err("connect failed=-1"));
        assert_eq!(said.last().map(String::as_str), Some("(SOFTWARE)"));
        assert_eq!(end, "true 454 4.7.0 TLS handshake failed. false");
    }

    #[test]
    fn lmtp_greets_its_own_way() {
        let lmtp = Manner { is_lmtp: true, ..manner() };
        let (said, end) = play(lmtp, &["220 x LMTP", "250-h|250-STARTTLS|250 PIPELINING"], Ok(Verify::Ok));
        assert_eq!((said.first().map(String::as_str), end.as_str()), (Some("LHLO us.test"), "ready"));
    }

    #[test]
    fn capabilities_are_read_in_any_form() {
        let lines = ["250-h", "250-SIZE 1000000", "250-AUTH=LOGIN PLAIN", "250-dsn", "250-X-FOO", "250 SIZE"];
        let lines = lines.iter().map(|l| Bytes::from_static(l.as_bytes())).collect();
        let found = Capabilities::of(&Reply { code: 250, lines });
        assert_eq!((found.size, found.dsn, found.auth.len()), (Some(0), true, 2));
    }
}
