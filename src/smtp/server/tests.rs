//! Dialogues of a session against a small fake world.

use std::sync::Arc;

use bytes::Bytes;

use super::data::Outcome;
use super::filter::Call;
use super::session::{Action, Input, Session};
use super::setting::{Client, Setting};
use crate::base::exit::Exit;
use crate::base::letters::{LetterSet, Modifiers};
use crate::base::status::Status;
use crate::config::values::DeliveryMode;
use crate::config::{Config, Mailer, MailerId};
use crate::envelope::{QueueId, Recipient, State, Triple};
use crate::milter::Decision;
use crate::net::sasl::{Answer, Authenticated, Failure, Offer};
use crate::policy::{Hook, Refusal, Verdict};
use crate::route::{Resolved, RouteError, Waits};

/// Answers of the world: `check_*` says no to whatever holds `bad`, no route to whatever holds `unknown`.
struct World {
    session: Session,
    message: Option<Outcome>,
    early: bool,
    closed: bool,
    /// What `srv_features` says.
    features: Option<&'static str>,
    /// How long replies waited, in seconds.
    pauses: Vec<u64>,
    /// What the filters say to each call.
    says: fn(&Call) -> Decision,
}

impl World {
    fn new(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.options.log_level = 9;
        config.options.send_mime_errors = true;
        config.mailers.push(mailer());
        change(&mut config);
        let setting = Setting {
            host: Bytes::from_static(b"mta.test"),
            daemon: Bytes::from_static(b"MTA"),
            modifiers: Modifiers::default(),
            filters: config.options.input_mail_filters.clone(),
            delivery_mode: DeliveryMode::Background,
            help: None,
            is_smtps: false,
            is_stdio: false,
            config: Arc::new(config),
        };
        let mut scope = setting.config.scope();
        scope.set(crate::macros::names::CLIENT_INFO, "c.test [192.0.2.9]");
        let mut session = Session::new(Arc::new(setting), scope, id());
        session.client = Client {
            name: Bytes::from_static(b"c.test"),
            address: Bytes::from_static(b"192.0.2.9"),
            described: Bytes::from_static(b"c.test [192.0.2.9]"),
        };
        let (features, pauses) = (None, Vec::new());
        Self { session, message: None, early: false, closed: false, features, pauses, says: |_| Decision::Continue }
    }

    fn feed(&mut self, input: Input<'_>) -> String {
        let mut action = self.session.on(input);
        loop {
            let input = match action {
                Action::Read => break,
                Action::Close => {
                    self.closed = true;
                    break;
                }
                Action::Check(_, arguments) if arguments.iter().any(|a| a.windows(3).any(|w| w == b"bad")) => {
                    Input::Verdict(Verdict::Reject(Refusal::new(550, Status(5, 7, 1), "policy")))
                }
                Action::Check(Hook::CheckMail, arguments) if arguments[0].starts_with(b"<drop") => {
                    Input::Verdict(Verdict::Discard)
                }
                Action::Check(..) => Input::Verdict(Verdict::Accept),
                Action::Ask(Hook::SrvFeatures, _) => Input::Value(self.features.map(Bytes::from)),
                Action::Ask(..) => Input::Value(None),
                Action::Pause(_) | Action::Probe => Input::Waited { early: self.early },
                Action::ResolveSender(address) | Action::Resolve(address) => Input::Resolved(route(&address)),
                Action::Add(recipient) => {
                    let added = route(&recipient.address);
                    if let (Ok(added), Some(envelope)) = (&added, self.session.envelope()) {
                        envelope.recipients.push(Recipient { route: Some(added.triple.clone()), ..*recipient });
                    }
                    Input::Resolved(added)
                }
                Action::Space(_) => Input::Space(None),
                Action::List { address, .. } => {
                    let words = address.split(|b| *b == b',').filter(|word| !word.is_empty());
                    Input::Listed(words.map(route).collect())
                }
                Action::Run(_) => Input::Run(true),
                Action::PrepareTls => Input::TlsPrepared(true),
                Action::StartTls => Input::Tls(true),
                Action::Authenticate { mechanism, response } => Input::Auth(match (mechanism.as_str(), response) {
                    ("LOGIN", None) => Answer::Challenge(b"Username:".into()),
                    (_, Some(response)) => examined(&response),
                    _ => Answer::Challenge(Vec::new()),
                }),
                Action::Filter(call @ Call::Open) => Input::FiltersOpen((self.says)(&call), true),
                Action::Filter(call) => Input::Filtered((self.says)(&call)),
                Action::Continue(response) => Input::Auth(examined(&response)),
                Action::Secure => Input::Secured,
                Action::Collect => {
                    self.session.note_from(b"");
                    Input::Message(self.message.take().unwrap_or_else(|| Outcome::Accepted(id())))
                }
            };
            action = self.session.on(input);
        }
        self.pauses.push(self.session.take_pause().as_secs());
        self.pauses.retain(|pause| *pause > 0);
        String::from_utf8(self.session.replies().take()).unwrap()
    }

    fn say(&mut self, line: &str) -> String {
        self.feed(Input::Line(line.as_bytes()))
    }

    /// `C:` and `S:` lines; `S:` gives the whole reply, or its beginning when it ends in `*`.
    fn play(&mut self, script: &str) {
        let mut reply = self.feed(Input::Connected);
        for line in script.lines().map(str::trim).filter(|l| !l.is_empty()) {
            if let Some(command) = line.strip_prefix("C: ") {
                assert!(reply.is_empty() || reply.starts_with("220"), "unread {reply:?} before {command:?}");
                reply = self.say(command);
            } else if let Some(want) = line.strip_prefix("S: ") {
                let (got, rest) = reply.split_once("\r\n").unwrap_or_else(|| panic!("no reply for {want}"));
                match want.strip_suffix('*') {
                    Some(start) => assert!(got.starts_with(start), "{got} is not {want}"),
                    None => assert_eq!(got, want),
                }
                reply = rest.to_owned();
            }
        }
    }

    fn notes(&mut self) -> Vec<String> {
        self.session.take_notes().into_iter().map(|n| n.text).collect()
    }
}

/// Alice is known, nobody else.
fn examined(response: &[u8]) -> Answer {
    if response == b"alice" {
        return Answer::Done(Authenticated { user: b"alice".into(), mechanism: "PLAIN".into(), bits: 0 });
    }
    let failure = Failure { code: -13, words: "authentication failure".into(), detail: "detail".into() };
    Answer::Failed { failure }
}

fn id() -> QueueId {
    QueueId::parse(b"6AM8Wwpk005225").unwrap()
}

fn mailer() -> Mailer {
    Mailer {
        name: Bytes::from_static(b"local"),
        path: Bytes::from_static(b"/bin/lda"),
        flags: LetterSet::from_bytes(b"lsDFMAw5:/|@q"),
        sender: crate::config::mailer::RulesetPair::default(),
        recipient: crate::config::mailer::RulesetPair::default(),
        argv: Vec::new(),
        eol: Bytes::from_static(b"\n"),
        max_size: 0,
        max_messages: 0,
        max_recipients: 0,
        line_limit: 0,
        directory: None,
        user: None,
        nice: 0,
        charset: None,
        mta_type: Bytes::new(),
        address_type: Bytes::new(),
        diagnostic_type: Bytes::new(),
        wait: None,
        queue_group: None,
        root: None,
    }
}

fn route(address: &[u8]) -> Result<Resolved, RouteError> {
    if address.windows(7).any(|w| w == b"unknown") {
        return Err(RouteError::new(550, Status(5, 1, 1), Exit::NOUSER, "User unknown"));
    }
    if address.windows(5).any(|w| w == b"moved") {
        return Err(RouteError::new(551, Status(5, 1, 6), Exit::NOUSER, "User has moved"));
    }
    let user = Bytes::copy_from_slice(address);
    let triple = Triple { mailer: MailerId(0), host: Bytes::new(), user: user.clone() };
    if address.windows(5).any(|w| w == b"later") {
        let error = RouteError::new(451, Status(4, 3, 0), Exit::TEMPFAIL, "Temporary system failure");
        return Err(RouteError {
            waits: Some(Box::new(Waits { triple, why: "host map: lookup (later.test): deferred".to_owned() })),
            ..error
        });
    }
    Ok(Resolved { triple, address: user, owner: None, is_alias: false })
}

fn with_auth(modifiers: &[u8]) -> World {
    let mut world = World::new(|_| {});
    let mut setting = (**world.session.setting()).clone();
    setting.modifiers = Modifiers::from_bytes(modifiers);
    world.session.setting = Arc::new(setting);
    let mechanisms = vec!["LOGIN".to_owned(), "PLAIN".to_owned()];
    world.session.set_mechanisms(Offer { is_available: true, available: mechanisms.clone(), mechanisms });
    world
}

#[test]
fn clients_authenticate_as_with_the_original() {
    let mut world = with_auth(b"");
    world.play(
        "S: 220 *
         C: AUTH
         S: 501 5.5.2 AUTH mechanism must be specified
         C: AUTH BOGUS
         S: 504 5.3.3 AUTH mechanism BOGUS not available
         C: AUTH PLAIN ???
         S: 501 5.5.4 cannot BASE64 decode '???'
         C: AUTH plain
         S: 334*
         C: *
         S: 501 5.0.0 AUTH aborted
         C: AUTH LOGIN
         S: 334 VXNlcm5hbWU6
         C: !!notbase64
         S: 501 5.5.4 cannot decode AUTH parameter !!notbase64
         C: AUTH PLAIN Ym9i
         S: 535 5.7.0 authentication failed
         C: AUTH LOGIN
         S: 334 VXNlcm5hbWU6
         C: YWxpY2U=
         S: 235 2.0.0 OK Authenticated
         C: AUTH PLAIN
         S: 503 5.5.0 Already Authenticated",
    );
    let notes = world.notes();
    let client = "relay=c.test [192.0.2.9]";
    assert!(notes.contains(&format!("AUTH=server, {client}, authid=alice, mech=LOGIN, bits=0")), "{notes:?}");
    let failure = "AUTH failure (PLAIN): authentication failure (-13) detail, user=bob";
    assert!(notes.contains(&format!("{failure}, {client}")), "{notes:?}");
}

#[test]
fn ports_may_need_or_refuse_auth() {
    with_auth(b"a").play(
        "S: 220 *
         C: MAIL FROM:<a@b.test>
         S: 530 5.7.0 Authentication required
         C: AUTH PLAIN YWxpY2U=
         S: 235 2.0.0 OK Authenticated
         C: MAIL FROM:<a@b.test>
         S: 250 *",
    );
    with_auth(b"A").play(
        "S: 220 *
         C: MAIL FROM:<a@b.test>
         S: 250 *
         C: AUTH PLAIN YWxpY2U=
         S: 503 5.3.3 AUTH not available",
    );
    with_auth(b"aA").play(
        "S: 220 *
         C: MAIL FROM:<a@b.test>
         S: 530 5.7.0 Authentication required",
    );
}

#[test]
fn a_message_is_taken() {
    let mut world = World::new(|_| {});
    world.play(
        "S: 220 *
         C: EHLO c.test
         S: 250-mta.test Hello c.test [192.0.2.9], pleased to meet you
         S: 250-ENHANCEDSTATUSCODES
         S: 250-PIPELINING
         S: 250-EXPN
         S: 250-VERB
         S: 250-8BITMIME
         S: 250-SIZE
         S: 250-DSN
         S: 250-ETRN
         S: 250-DELIVERBY
         S: 250 HELP
         C: MAIL FROM:<a@b.test> SIZE=100 BODY=8BITMIME
         S: 250 2.1.0 <a@b.test>... Sender ok
         C: RCPT TO:<x@c.test> NOTIFY=SUCCESS
         S: 250 2.1.5 <x@c.test>... Recipient ok
         C: RCPT TO:<unknown@c.test>
         S: 550 5.1.1 <unknown@c.test>... User unknown
         C: RCPT TO:<moved@c.test>
         S: 551 5.1.6 User has moved
         C: DATA
         S: 354 End data with <CR><LF>.<CR><LF>
         S: 250 2.0.0 6AM8Wwpk005225 Message accepted for delivery
         C: QUIT
         S: 221 2.0.0 mta.test closing connection",
    );
    assert!(world.closed);
    assert_eq!(
        world.notes(),
        [
            "<unknown@c.test>... User unknown",
            "User has moved",
            "from=<a@b.test>, size=100, class=0, nrcpts=1, bodytype=8BITMIME, proto=ESMTP, daemon=MTA, relay=c.test [192.0.2.9]"
        ]
    );
}

#[test]
fn commands_out_of_order_are_told_what_is_missing() {
    World::new(|_| {}).play(
        "S: 220 *
         C: RCPT TO:<x>
         S: 503 5.0.0 Need MAIL before RCPT
         C: DATA
         S: 503 5.0.0 Need MAIL command
         C: MAIL FROM:<a@b>
         S: 250 2.1.0 <a@b>... Sender ok
         C: DATA
         S: 503 5.0.0 Need RCPT (recipient)
         C: MAIL FROM:<b@b>
         S: 503 5.5.0 Sender already specified
         C: HELO x
         S: 250 mta.test Hello c.test [192.0.2.9], pleased to meet you
         C: RCPT TO:<x>
         S: 503 5.0.0 Need MAIL before RCPT
         C: HELO two words
         S: 501 5.0.0 Invalid domain name
         C: EHLO
         S: 501 5.0.0 EHLO requires domain address
         C: AUTH PLAIN
         S: 503 5.3.3 AUTH not available
         C: STARTTLS
         S: 454 4.3.3 TLS not available after start
         C: STARTTLS x
         S: 501 5.5.2 Syntax error (no parameters allowed)
         C: SEND FROM:<a>
         S: 502 5.5.1 Command not implemented: \"SEND FROM:<a>\"
         C: foo bar
         S: 500 5.5.1 Command unrecognized: \"foo bar\"
         C: HELP
         S: 502 5.3.0 Sendmail * ",
    );
}

#[test]
fn recipients_of_an_abandoned_message_are_logged() {
    for (command, stat) in [("RSET", "RSET"), ("EHLO x", "EHLO"), ("HELO x", "HELO"), ("QUIT", "aborted by sender")] {
        let mut world = World::new(|config| config.options.log_level = 11);
        for line in ["MAIL FROM:<a@b>", "RCPT TO:<x>", "RCPT TO:<unknown>", command, command] {
            world.say(line);
        }
        let notes: Vec<String> = world.notes().into_iter().filter(|note| note.starts_with("to=")).collect();
        assert_eq!(notes, [format!("to=<x>, delay=00:00:00, pri=0, stat={stat}")], "{command}");
    }
    let mut world = World::new(|config| config.options.log_level = 11);
    world.say("MAIL FROM:<a@b>");
    world.say("RCPT TO:<x>");
    world.feed(Input::Gone);
    assert!(!world.notes().iter().any(|note| note.starts_with("to=")));
}

#[test]
fn refused_parameters_leave_their_mark() {
    World::new(|_| {}).play(
        "S: 220 *
         C: MAIL FROM:<a@b> RET=NONE
         S: 501 5.5.2 Bad argument \"NONE\" to RET
         C: MAIL FROM:<a@b> RET=
         S: 501 5.5.0 Duplicate RET parameter
         C: RSET
         S: 250 2.0.0 Reset state
         C: MAIL FROM:<a@b> ENVID=a+b
         S: 501 5.5.4 Syntax error in ENVID parameter value
         C: MAIL FROM:<a@b> ENVID=x ENVID=y
         S: 501 5.5.0 Duplicate ENVID parameter
         C: RSET
         S: 250 2.0.0 Reset state
         C: MAIL FROM:<a@b> AUTH=x AUTH=y
         S: 501 5.5.0 Duplicate AUTH parameter
         C: RSET
         S: 250 2.0.0 Reset state
         C: MAIL FROM:<a@b> RET=FULL ENVID=x
         S: 250 2.1.0 <a@b>... Sender ok
         C: RCPT TO:<x> NOTIFY=NEVER,DELAY
         S: 501 5.5.4 Bad argument \"NEVER\"  to NOTIFY
         C: RCPT TO:<x> FOO=BAR
         S: 555 5.5.4 FOO parameter unrecognized
         C: RCPT TO
         S: 501 5.5.2 Syntax error in parameters scanning \"TO\"",
    );
}

#[test]
fn rulesets_refuse_with_the_address_in_front() {
    let mut world = World::new(|_| {});
    world.play(
        "S: 220 *
         C: MAIL FROM:<bad@b>
         S: 550 5.7.1 <bad@b>... policy
         C: RSET
         S: 250 2.0.0 Reset state
         C: MAIL FROM:<a@b>
         S: 250 2.1.0 <a@b>... Sender ok
         C: RCPT TO:<bad@c>
         S: 550 5.7.1 <bad@c>... policy
         C: VRFY bad
         S: 550 5.7.1 policy
         C: VRFY joe
         S: 250 2.1.5 <joe@mta.test>
         C: VRFY ann,joe
         S: 250-2.1.5 <ann@mta.test>
         S: 250 2.1.5 <joe@mta.test>
         C: EXPN ,
         S: 554 5.5.2 Nothing to EXPN
         C: EXPN
         S: 501 5.5.2 Argument required
         C: ETRN
         S: 500 5.5.2 Parameter required
         C: ETRN x.test
         S: 250 2.0.0 Queuing for node x.test started",
    );
    let notes = world.notes();
    assert!(notes[0].starts_with("from=<bad@b>, size=0, class=0, nrcpts=0, proto=SMTP"), "{notes:?}");
}

#[test]
fn a_refused_client_gets_the_same_answer_to_everything_that_matters() {
    let mut world = World::new(|_| {});
    world.session.client.name = Bytes::from_static(b"bad.test");
    world.play(
        "S: 220 *
         C: EHLO x
         S: 250-mta.test Hello*
         S: 250 ENHANCEDSTATUSCODES
         C: MAIL FROM:<a@b>
         S: 550 5.7.1 policy
         C: NOOP
         S: 250 2.0.0 OK
         C: RCPT TO:<a>
         S: 550 5.7.1 policy",
    );
}

#[test]
fn early_talkers_are_refused_from_there_on() {
    let mut world = World::new(|_| {});
    world.feed(Input::Connected);
    world.early = true;
    assert_eq!(world.say("EHLO a"), "554 5.5.0 SMTP protocol error\r\n");
    assert_eq!(world.say("MAIL FROM:<a@b>"), "550 5.0.0 Command rejected\r\n");
    assert_eq!(world.say("RSET"), "250 2.0.0 Reset state\r\n");
    let mut world = World::new(|_| {});
    world.feed(Input::Connected);
    world.say("HELO a");
    world.say("MAIL FROM:<a@b>");
    world.say("RCPT TO:<x>");
    world.early = true;
    assert_eq!(world.say("DATA"), "554 5.5.0 SMTP protocol error\r\n");
    assert!(world.closed);
}

/// A session where everything is there, under these letters; its reply to EHLO.
fn featured(letters: &'static str, modifiers: &[u8]) -> (World, String) {
    let mut world = with_auth(modifiers);
    world.features = Some(letters);
    world.session.has_tls = true;
    world.feed(Input::Connected);
    let offered = world.say("EHLO a");
    (world, offered)
}

#[test]
fn letters_of_srv_features_turn_off_what_is_on() {
    for (letters, word) in [
        ("A", "AUTH"),
        ("B", "VERB"),
        ("D", "DSN"),
        ("E", "ETRN"),
        ("P", "PIPELINING"),
        ("S", "STARTTLS"),
        ("X", "EXPN"),
        // Without EXPN there is no VERB either.
        ("X", "VERB"),
    ] {
        let line = |offered: &str| offered.lines().any(|line| line.get(4..).is_some_and(|l| l.starts_with(word)));
        assert!(!line(&featured(letters, b"").1), "{letters}: {word}");
        let small: &'static str = letters.to_ascii_lowercase().leak();
        assert!(line(&featured(small, b"").1), "{small}: {word}");
    }
    for (letters, command, code) in [
        ("A", "AUTH PLAIN YWxpY2U=", "503 5.3.3"),
        ("B", "VERB", "502 5.7.0"),
        ("X", "EXPN a", "502 5.7.0"),
        ("X", "VERB", "502 5.7.0"),
        ("D", "MAIL FROM:<a@b> RET=HDRS", "504 5.7.0"),
        ("E", "ETRN x", "502 5.7.0"),
        ("S", "STARTTLS", "503 5.5.0"),
    ] {
        let (mut world, _) = featured(letters, b"");
        let reply = world.say(command);
        assert!(reply.starts_with(code), "{letters}: {command}: {reply}");
    }
    // What the port turned off.
    assert!(featured("a", b"A").1.contains("AUTH"));
}

#[test]
fn letters_of_srv_features_say_what_clients_must_do() {
    // AUTH before mail: l; the port says so, and L takes it back.
    let mail = |letters, modifiers| featured(letters, modifiers).0.say("MAIL FROM:<a@b>");
    assert!(mail("l", b"").starts_with("530 5.7.0"));
    assert!(mail("a", b"a").starts_with("530 5.7.0") && mail("L", b"a").starts_with("250 "));
    // Plain passwords: c needs encryption around them.
    let (mut world, offered) = featured("c", b"");
    assert!(!offered.contains("AUTH PLAIN") && !offered.contains("LOGIN"), "{offered}");
    assert_eq!(world.say("AUTH PLAIN YWxpY2U="), "504 5.3.3 AUTH mechanism PLAIN not available\r\n");
    world.session.is_tls = true;
    assert_eq!(world.say("AUTH PLAIN YWxpY2U="), "235 2.0.0 OK Authenticated\r\n");
    assert_eq!(featured("C", b"").0.say("AUTH PLAIN YWxpY2U="), "235 2.0.0 OK Authenticated\r\n");
    // Waiting for replies: F does not ask for it.
    for (letters, is_taken) in [("f", false), ("F", true)] {
        let (mut world, _) = featured(letters, b"");
        world.early = true;
        assert_eq!(world.say("EHLO a").starts_with("250"), is_taken, "{letters}");
    }
    // Words of proxies: h looks at them at any time.
    let (mut world, _) = featured("h", b"");
    assert_eq!(world.say("CONNECT a"), "421 4.7.0 mta.test HTTP command c.test [192.0.2.9]\r\n");
    assert!(world.closed);
    assert!(featured("f", b"").0.say("CONNECT a").starts_with("500 "));
    // Temp refuses all; the letter t, or T, does not.
    assert!(mail("temp", b"").starts_with("450 4.3.0 Please try again later."));
    assert!(mail("t", b"").starts_with("250 ") && mail("T", b"").starts_with("250 "));
}

#[test]
fn too_many_bad_commands_end_the_session() {
    let mut world = World::new(|_| {});
    world.feed(Input::Connected);
    for _ in 0..25 {
        assert_eq!(world.say("BOGUS"), "500 5.5.1 Command unrecognized: \"BOGUS\"\r\n");
    }
    assert_eq!(world.say("BOGUS"), "421 4.7.0 mta.test Too many bad commands; closing connection\r\n");
    assert!(world.closed);
}

#[test]
fn hostile_lines_do_no_harm() {
    for line in [
        &b"MAIL FROM:<\xff\xfe\x01>"[..],
        b"\x00\x00",
        b"RCPT TO:<<<<<<<>>>",
        b"MAIL FROM:\"\\",
        b"EHLO [",
        b"HELP \xff",
        b"ETRN #",
        b"VRFY \r\r",
        b"MAIL FROM:<a> SIZE=99999999999999999999999999999999",
        b"MAIL FROM:<a> =",
        b"MAIL FROM:<a> \x07",
    ] {
        let mut world = World::new(|_| {});
        world.feed(Input::Connected);
        let mut session_replies = Vec::new();
        let mut action = world.session.on(Input::Line(line));
        for _ in 0..10 {
            action = match action {
                Action::ResolveSender(a) | Action::Resolve(a) => world.session.on(Input::Resolved(route(&a))),
                Action::Check(..) => world.session.on(Input::Verdict(Verdict::Accept)),
                Action::Probe => world.session.on(Input::Waited { early: false }),
                Action::Space(_) => world.session.on(Input::Space(None)),
                Action::List { address, .. } => world.session.on(Input::Listed(route(&address).map(|r| vec![r]))),
                Action::Run(_) => world.session.on(Input::Run(false)),
                _ => break,
            };
        }
        session_replies.extend(world.session.replies().take());
        assert!(session_replies.ends_with(b"\r\n"), "{}", line.escape_ascii());
        assert!(!session_replies[..session_replies.len() - 2].windows(1).any(|w| w == b"\0"));
    }
}

#[test]
fn open_proxy_words_end_the_session() {
    let mut world = World::new(|_| {});
    world.feed(Input::Connected);
    assert_eq!(world.say("GET / HTTP/1.0"), "421 4.7.0 mta.test Rejecting open proxy c.test [192.0.2.9]\r\n");
    assert!(world.closed);
}

#[test]
fn privacy_flags_forbid() {
    use crate::config::privacy::Privacy;
    World::new(|c| c.options.privacy_options = Privacy(0x0080_ffff)).play(
        "S: 220 *
         C: MAIL FROM:<a@b>
         S: 503 5.0.0 Polite people say HELO first
         C: VRFY a
         S: 252 2.5.2 Cannot VRFY user; try RCPT to attempt delivery (or try finger)
         C: EXPN a
         S: 502 5.7.0 Sorry, we do not allow this operation
         C: VERB
         S: 502 5.7.0 Verbose unavailable",
    );
}

#[test]
fn recipients_are_limited() {
    World::new(|c| c.options.max_recipients_per_message = 1).play(
        "S: 220 *
         C: MAIL FROM:<a@b>
         S: 250 2.1.0 <a@b>... Sender ok
         C: RCPT TO:<x>
         S: 250 2.1.5 <x>... Recipient ok
         C: RCPT TO:<y>
         S: 452 4.5.3 Too many recipients",
    );
}

#[test]
fn a_recipient_that_cannot_be_looked_up_waits_unless_it_is_refused() {
    let mut world = World::new(|_| {});
    world.play(
        "S: 220 *
         C: MAIL FROM:<a@b>
         S: 250 2.1.0 <a@b>... Sender ok
         C: RCPT TO:<bad@later.test>
         S: 550 5.7.1 <bad@later.test>... policy
         C: RCPT TO:<joe@later.test>
         S: 250 2.1.5 <joe@later.test>... Recipient ok (will queue)
         C: RCPT TO:<x>
         S: 250 2.1.5 <x>... Recipient ok",
    );
    let recipients = &world.session.envelope().unwrap().recipients;
    let waiting: Vec<_> = recipients.iter().map(|r| (r.route.is_none(), r.state)).collect();
    assert_eq!(waiting, [(true, State::Queued), (false, State::Queued)]);
}

#[test]
fn the_route_of_a_sender_is_pruned_unless_it_is_kept() {
    for (keeps, sender) in [(false, &b"c@d.test"[..]), (true, b"@a.test,@b.test:c@d.test")] {
        let mut world = World::new(|c| c.options.dont_prune_routes = keeps);
        world.play("S: 220 *\nC: MAIL FROM:<@a.test,@b.test:c@d.test>\nS: 250 *");
        assert_eq!(world.session.envelope().unwrap().sender, sender);
    }
}

#[test]
fn refused_recipients_and_noops_slow_a_client_down() {
    let refused = "C: RCPT TO:<unknown@c>\nS: 550 *\n";
    for (throttle, pauses) in [(0, &[][..]), (2, &[1, 1])] {
        let mut world = World::new(|c| c.options.bad_rcpt_throttle = throttle);
        world.play(&format!("S: 220 *\nC: MAIL FROM:<a@b>\nS: 250 *\n{}", refused.repeat(4)));
        assert_eq!(world.pauses, pauses, "BadRcptThrottle={throttle}");
        let line = "c.test [192.0.2.9]: Possible SMTP RCPT flood, throttling.";
        assert_eq!(world.notes().iter().any(|note| note == line), throttle > 0);
    }
    for (most, pauses) in [(20, &[][..]), (2, &[1, 2]), (0, &[])] {
        let mut world = World::new(|c| c.options.max_noop_commands = most);
        world.play(&format!("S: 220 *\n{}", "C: NOOP\nS: 250 *\n".repeat(3)));
        assert_eq!(world.pauses, pauses, "MaxNOOPCommands={most}");
    }
}

#[test]
fn broken_data_ends_the_session() {
    let mut world = World::new(|_| {});
    world.feed(Input::Connected);
    world.say("HELO a");
    world.say("MAIL FROM:<a@b>");
    world.say("RCPT TO:<x>");
    world.message = Some(Outcome::Broken(Refusal::new(421, Status(4, 5, 0), "Bare linefeed (LF) not allowed")));
    assert!(world.say("DATA").ends_with("421 4.5.0 Bare linefeed (LF) not allowed\r\n"));
    assert!(world.closed);
}

/// A session with filters that say this.
fn filtered(says: fn(&Call) -> Decision) -> World {
    let mut world = World::new(|config| {
        config.options.input_mail_filters = vec![Bytes::from_static(b"m1")];
        config.options.log_level = 9;
    });
    world.says = says;
    world
}

#[test]
fn filters_refuse_each_step_in_its_own_words() {
    type Case = (fn(&Call) -> Decision, &'static str, &'static str);
    let cases: &[Case] = &[
        (
            |call| if matches!(call, Call::Mail(_)) { Decision::Reject } else { Decision::Continue },
            "550 5.7.1 <a@b>... Command rejected",
            "Milter: from=<a@b>, reject=550 5.7.1 Command rejected",
        ),
        (
            |call| if matches!(call, Call::Mail(_)) { Decision::Shutdown } else { Decision::Continue },
            "421 4.3.0 closing connection",
            "Milter: from=<a@b>, reject=421, errormode=4",
        ),
        (
            |call| match call {
                Call::Helo(_) => Decision::Reply(Bytes::from_static(b"550-5.7.1 one\r\n550 5.7.1 two")),
                _ => Decision::Continue,
            },
            "550-5.7.1 one\r\n550 5.7.1 two",
            "Milter: helo=c.test, reject=550-5.7.1 one\r\n550 5.7.1 two",
        ),
        (
            |call| if matches!(call, Call::Connect) { Decision::TempFail } else { Decision::Continue },
            "451 4.3.2 Please try again later",
            "Milter: connect: host=c.test, addr=192.0.2.9, temp failing commands",
        ),
        (
            |call| if matches!(call, Call::Open) { Decision::Reject } else { Decision::Continue },
            "550 5.0.0 Command rejected",
            "Milter: initialization failed, rejecting commands",
        ),
    ];
    for (says, reply, line) in cases {
        let mut world = filtered(*says);
        world.feed(Input::Connected);
        world.feed(Input::Line(b"EHLO c.test"));
        let said = world.feed(Input::Line(b"MAIL FROM:<a@b>"));
        assert_eq!(said.trim_end(), *reply);
        let notes: Vec<String> = world.session.take_notes().into_iter().map(|n| n.text).collect();
        assert!(notes.iter().any(|n| n == line), "{line}: {notes:?}");
    }
}

#[test]
fn a_recipient_that_filters_refuse_is_none() {
    let mut world = filtered(|call| match call {
        Call::Rcpt { arguments, is_refused: false } if arguments[0] == "<no@b>" => Decision::TempFail,
        _ => Decision::Continue,
    });
    world.feed(Input::Connected);
    world.feed(Input::Line(b"EHLO c.test"));
    world.feed(Input::Line(b"MAIL FROM:<a@b>"));
    assert_eq!(world.feed(Input::Line(b"RCPT TO:<no@b>")).trim_end(), "451 4.3.2 Please try again later");
    assert_eq!(world.session.envelope().unwrap().recipients.len(), 0);
    assert!(world.feed(Input::Line(b"RCPT TO:<c@b>")).starts_with("250"));
    assert!(world.feed(Input::Line(b"RSET")).starts_with("250"));
    assert!(world.session.take_abort());
}
