//! A client's lines to the machine of a session, with a world around it that answers by bytes of the input.
//!
//! Promises: every command is answered, replies are lines of bounded length without control characters, the session
//! asks only so many questions for a command.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use sendmail::base::exit::Exit;
use sendmail::base::letters::Modifiers;
use sendmail::base::status::Status;
use sendmail::config::values::DeliveryMode;
use sendmail::config::{self, Config, MailerId};
use sendmail::envelope::{QueueId, Triple};
use sendmail::milter::Decision;
use sendmail::net::sasl::{Answer, Authenticated, Failure, Offer};
use sendmail::policy::{Refusal, Verdict};
use sendmail::route::{Resolved, RouteError};
use sendmail::site::Shortage;
use sendmail::smtp::server::data::Outcome;
use sendmail::smtp::server::filter::Call;
use sendmail::smtp::server::{Action, Client, Input as Event, Session, Setting};

use super::input::Input;

const CF: &str = "V10\nO OperatorChars=.:%@!^/[]+\nO LogLevel=20\nO AuthMechanisms=PLAIN LOGIN\nO InputMailFilters=f\n\
    Xf, S=local:/f, F=T\nMlocal, P=/bin/lda, F=lsDFMAw5:/|@q, A=lda $u\nS0\nR$*\t$#local $: $1\n";
/// Questions for one command at most.
const QUESTIONS: usize = 400;

pub fn run(bytes: &[u8]) {
    static CONFIG: OnceLock<Arc<Config>> = OnceLock::new();
    let mut input = Input(bytes);
    let parsed = CONFIG.get_or_init(|| Arc::new(config::parse(CF.as_bytes()).0));
    let mut config = Arc::clone(parsed);
    let choices = input.byte();
    if choices & 1 == 1 {
        let options = &mut Arc::make_mut(&mut config).options;
        options.max_message_size = 1000;
        options.send_mime_errors = true;
        options.max_recipients_per_message = 3;
        options.bad_rcpt_throttle = 2;
    }
    let setting = Setting {
        host: Bytes::from_static(b"mta.test"),
        daemon: Bytes::from_static(b"MTA"),
        modifiers: Modifiers::from_bytes(input.one_of(&[&b""[..], b"E", b"aEh", b"u", b"s", b"A"])),
        filters: if choices & 2 == 0 { Vec::new() } else { config.options.input_mail_filters.clone() },
        delivery_mode: DeliveryMode::Background,
        help: (choices & 4 != 0).then(|| Bytes::from_static(b"smtp\thelp\nhelo\tHELO x\n")),
        is_smtps: choices & 8 != 0,
        is_stdio: choices & 16 != 0,
        config,
    };
    let scope = setting.config.scope();
    let mut session = Session::new(Arc::new(setting), scope, id());
    session.client = Client {
        name: Bytes::from_static(b"c.test"),
        address: Bytes::from_static(b"192.0.2.9"),
        described: Bytes::from_static(b"c.test [192.0.2.9]"),
    };
    session.has_tls = choices & 32 != 0;
    if choices & 64 != 0 {
        let mechanisms = vec!["LOGIN".to_owned(), "PLAIN".to_owned()];
        session.set_mechanisms(Offer { is_available: true, available: mechanisms.clone(), mechanisms });
    }
    let length = input.below(600);
    let mut world = Input(input.bytes(length));
    let mut open = feed(&mut session, Event::Connected, &mut world);
    for line in input.0.split(|b| *b == b'\n') {
        if !open {
            break;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let event = match line {
            _ if line.len() > 2000 => Event::TooLong(line.len()),
            b"\x01" => Event::TimedOut,
            b"\x02" => Event::Gone,
            _ => Event::Line(line),
        };
        open = feed(&mut session, event, &mut world);
    }
    if open {
        feed(&mut session, Event::Gone, &mut world);
    }
    let _ = session.take_envelope();
}

/// Whether the session goes on.
fn feed(session: &mut Session, event: Event<'_>, world: &mut Input<'_>) -> bool {
    let is_quiet = matches!(event, Event::Gone);
    let mut action = session.on(event);
    let mut questions = 0;
    let open = loop {
        questions += 1;
        assert!(questions < QUESTIONS, "too many questions for one command");
        let answer = match action {
            Action::Read => break true,
            Action::Close => break false,
            Action::Check(..) => Event::Verdict(verdict(world)),
            Action::Ask(..) => {
                let count = world.below(9);
                Event::Value(if world.byte() & 1 == 0 {
                    None
                } else {
                    Some(Bytes::copy_from_slice(world.bytes(count)))
                })
            }
            Action::Pause(_) | Action::Probe => Event::Waited { early: world.byte() > 200 },
            Action::ResolveSender(address) | Action::Resolve(address) => Event::Resolved(route(&address, world)),
            Action::Add(recipient) => {
                let added = route(&recipient.address, world);
                if let (Ok(_), Some(envelope)) = (&added, session.envelope()) {
                    envelope.recipients.push(*recipient);
                }
                Event::Resolved(added)
            }
            Action::Space(_) => {
                let shortage = Shortage { bytes: 9, least: 4, free: 3, directory: "/q".to_owned() };
                Event::Space((world.byte() > 200).then_some(shortage))
            }
            Action::List { address, .. } => {
                let count = world.below(4);
                Event::Listed((0..count).map(|_| route(&address, world)).collect())
            }
            Action::Run(_) => Event::Run(world.byte() & 1 == 0),
            Action::PrepareTls => Event::TlsPrepared(world.byte() < 200),
            Action::StartTls => Event::Tls(world.byte() < 200),
            Action::Authenticate { .. } | Action::Continue(_) => Event::Auth(examined(world)),
            Action::Filter(Call::Open) => Event::FiltersOpen(decision(world), world.byte() & 1 == 0),
            Action::Filter(_) => Event::Filtered(decision(world)),
            Action::Secure => Event::Secured,
            Action::Collect => {
                session.note_from(b"<m@x>");
                Event::Message(match world.below(8) {
                    0 => Outcome::Refused(refusal(world)),
                    1 => Outcome::Broken(refusal(world)),
                    2 => Outcome::Gone,
                    _ => Outcome::Accepted(id()),
                })
            }
        };
        action = session.on(answer);
    };
    if session.needs_id() {
        session.renew_id(id());
    }
    // Whatever stands in them, the log makes it visible.
    drop(session.take_notes());
    let replies = session.replies().take();
    assert!(is_quiet || !open || !replies.is_empty(), "no reply");
    assert!(replies.is_empty() || replies.ends_with(b"\r\n"), "{}", replies.escape_ascii());
    for line in replies.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        let Some(line) = line.strip_suffix(b"\r") else { panic!("LF alone: {}", replies.escape_ascii()) };
        assert!(!line.contains(&b'\r') && !line.contains(&0), "{}", line.escape_ascii());
        let code = line.first_chunk::<3>().filter(|c| c.iter().all(u8::is_ascii_digit));
        assert!(code.is_some() && matches!(line.get(3), Some(b' ' | b'-')), "{}", line.escape_ascii());
    }
    open
}

fn verdict(world: &mut Input<'_>) -> Verdict {
    match world.below(16) {
        0 => Verdict::Reject(refusal(world)),
        1 => Verdict::Discard,
        2 => Verdict::Quarantine(Bytes::from_static(b"why not")),
        3 => {
            let (host, user) = (world.below(8), world.below(40));
            Verdict::from_triple(b"error", world.bytes(host), world.bytes(user))
        }
        _ => Verdict::Accept,
    }
}

fn refusal(world: &mut Input<'_>) -> Refusal {
    match world.below(4) {
        0 => Refusal::new(421, Status(4, 7, 0), "go away"),
        1 => Refusal::new(450, Status(4, 7, 1), "later"),
        _ => Refusal::new(550, Status(5, 7, 1), "policy"),
    }
}

fn decision(world: &mut Input<'_>) -> Decision {
    match world.below(16) {
        0 => Decision::Reject,
        1 => Decision::TempFail,
        2 => Decision::Discard,
        3 => {
            let count = world.below(30);
            Decision::Reply(Bytes::copy_from_slice(world.bytes(count)))
        }
        4 => Decision::Shutdown,
        _ => Decision::Continue,
    }
}

fn examined(world: &mut Input<'_>) -> Answer {
    let failure = Failure { code: -13, words: "authentication failure".into(), detail: "detail".into() };
    match world.below(4) {
        0 => Answer::Failed { failure },
        1 => Answer::Done(Authenticated { user: b"alice".into(), mechanism: "PLAIN".into(), bits: 0 }),
        2 => Answer::Done(Authenticated { user: b"alice".into(), mechanism: "DIGEST-MD5".into(), bits: 128 }),
        _ => {
            let count = world.below(20);
            Answer::Challenge(world.bytes(count).to_vec())
        }
    }
}

fn route(address: &[u8], world: &mut Input<'_>) -> Result<Resolved, RouteError> {
    match world.below(12) {
        0 => return Err(RouteError::new(550, Status(5, 1, 1), Exit::NOUSER, "User unknown")),
        1 => return Err(RouteError::new(451, Status(4, 4, 3), Exit::TEMPFAIL, "Name server timeout")),
        _ => {}
    }
    let user = Bytes::copy_from_slice(address);
    Ok(Resolved {
        triple: Triple { mailer: MailerId(0), host: Bytes::new(), user: user.clone() },
        address: user,
        owner: None,
        is_alias: world.byte() > 200,
    })
}

fn id() -> QueueId {
    QueueId::parse(b"6AM8Wwpk005225").expect("an id")
}
