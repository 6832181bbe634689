//! The session as a whole: its state, what it takes and gives, and which file answers which command.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;

use super::counters::{self, Counters};
use super::data::Outcome;
use super::note::Note;
use super::setting::{Client, Setting};
use super::{etrn, filter, greet, mail, rcpt};
use crate::base::bytes::shown;
use crate::base::limits;
use crate::base::status::Status;
use crate::base::time::UnixTime;
use crate::config::privacy::Privacy;
use crate::envelope::{Envelope, QueueId, State};
use crate::log::{Level, Priority, line};
use crate::macros::{MacroId, Scope, names};
use crate::milter::Decision;
use crate::net::sasl::{Answer, Offer};
use crate::policy::{Features, Hook, Refusal, Verdict};
use crate::route::{Resolved, RouteError};
use crate::site::Shortage;
use crate::smtp::reply::Replies;
use crate::smtp::verbs::{self, Verb};

/// Arguments of a ruleset.
pub type Arguments = SmallVec<[Bytes; 2]>;

/// What happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// The client is known, `session.client` and its macros are set.
    Connected,
    /// A command line without its end.
    Line(&'a [u8]),
    /// A command line of so many bytes, more than a line may have.
    TooLong(usize),
    /// Nothing came in time.
    TimedOut,
    /// The client is gone.
    Gone,
    /// Answer to [`Action::Check`].
    Verdict(Verdict),
    /// Answer to [`Action::Ask`].
    Value(Option<Bytes>),
    /// Answer to [`Action::Pause`] and [`Action::Probe`]: whether the client talked before its turn.
    Waited {
        /// It did.
        early: bool,
    },
    /// Answer to [`Action::ResolveSender`], [`Action::Resolve`], [`Action::Add`].
    Resolved(Result<Resolved, RouteError>),
    /// Answer to [`Action::Space`].
    Space(Option<Shortage>),
    /// Answer to [`Action::List`].
    Listed(Result<Vec<Resolved>, RouteError>),
    /// Answer to [`Action::Run`]: whether what was named exists.
    Run(bool),
    /// Answer to [`Action::PrepareTls`]: whether there may be a handshake.
    TlsPrepared(bool),
    /// Answer to [`Action::StartTls`]: the handshake was done, macros are set; `false` when it failed.
    Tls(bool),
    /// Answer to [`Action::Authenticate`] and [`Action::Continue`].
    Auth(Answer),
    /// Answer to [`Action::Secure`].
    Secured,
    /// Answer to [`Action::Collect`].
    Message(Outcome),
    /// Answer to [`Action::Filter`].
    Filtered(Decision),
    /// Answer to [`filter::Call::Open`]: what it came to, and whether there is a filter now.
    FiltersOpen(Decision, bool),
}

/// What to do next. Replies and notes that are waiting come first, except before `Collect`'s own reply.
#[derive(Debug)]
pub enum Action {
    /// Send what is waiting, read a command.
    Read,
    /// Run a check ruleset.
    Check(Hook, Arguments),
    /// Run a ruleset that gives a value.
    Ask(Hook, Arguments),
    /// Wait this long, and watch whether the client talks.
    Pause(Duration),
    /// Look whether the client talked already.
    Probe,
    /// Resolve the sender with the scope of the session.
    ResolveSender(Bytes),
    /// Resolve a recipient by rulesets alone.
    Resolve(Bytes),
    /// Add the recipient to the envelope, with all it stands for.
    Add(Box<crate::envelope::Recipient>),
    /// Find out whether a message of this size fits into the queue.
    Space(i64),
    /// Find out what an address stands for: one level (EXPN), or whether it exists (VRFY).
    List {
        /// The address.
        address: Bytes,
        /// One level.
        expand: bool,
    },
    /// Start a queue run.
    Run(etrn::Request),
    /// Put the settings of the handshake together.
    PrepareTls,
    /// Send what is waiting, then do the handshake.
    StartTls,
    /// Ask the library about a client.
    Authenticate {
        /// Name of the mechanism.
        mechanism: String,
        /// First response, when one came.
        response: Option<Vec<u8>>,
    },
    /// Give the library the client's response.
    Continue(Vec<u8>),
    /// Send what is waiting, then switch on the security layer.
    Secure,
    /// Send what is waiting, read the message, commit it.
    Collect,
    /// Tell the filters.
    Filter(filter::Call),
    /// Send what is waiting, close.
    Close,
}

/// What the next answer belongs to.
#[derive(Debug)]
pub(super) enum Step {
    /// A command.
    Command,
    /// Start of the session.
    Greet(greet::Greet),
    /// HELO or EHLO: early talkers are looked for.
    Helo { extended: bool },
    /// MAIL.
    Mail(Box<mail::Mail>),
    /// RCPT.
    Rcpt(Box<rcpt::Rcpt>),
    /// DATA.
    Data(super::data::Data),
    /// VRFY or EXPN.
    Vrfy(super::vrfy::Vrfy),
    /// ETRN.
    Etrn(etrn::Request),
    /// `check_other` decides whether this reply is given.
    Other(Planned),
    /// STARTTLS.
    Tls(super::starttls::Tls),
    /// AUTH.
    Auth(super::auth::Auth),
    /// Filters are told of something.
    Filter(filter::Told),
    /// Closed.
    Over,
}

/// A reply that `check_other` may replace.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) code: u16,
    pub(super) status: Status,
    pub(super) text: String,
}

/// A session. See the folder.
#[derive(Debug)]
pub struct Session {
    pub(super) setting: Arc<Setting>,
    /// The other end.
    pub client: Client,
    pub(super) features: Features,
    pub(super) step: Step,
    /// HELO or EHLO was accepted.
    pub(super) greeted: bool,
    pub(super) helo_name: Bytes,
    pub(super) refusal: Option<Refusal>,
    pub(super) discards: bool,
    pub(super) filtering: filter::Filtering,
    pub(super) is_tls: bool,
    /// Whether certificate and key are loaded.
    pub has_tls: bool,
    /// The time, as the driver told it last.
    pub now: UnixTime,
    pub(super) is_authenticated: bool,
    /// Mechanisms of AUTH.
    pub(super) mechanisms: Offer,
    pub(super) is_verbose: bool,
    pub(super) counters: Counters,
    pub(super) pause: Duration,
    pub(super) did_something: bool,
    /// Recipients that VRFY and EXPN found; the original counts them with those of the next transaction.
    pub(super) looked_up: usize,
    /// Text of a header about the client, for the next message.
    pub(super) warning: Option<String>,
    pub(super) transaction: Option<mail::Transaction>,
    pub(super) marks: mail::Marks,
    pub(super) id: QueueId,
    scope: Scope,
    pub(super) replies: Replies,
    notes: Vec<Note>,
}

impl Session {
    /// A session that has not begun; `id` is for its log lines and its first message.
    pub fn new(setting: Arc<Setting>, scope: Scope, id: QueueId) -> Self {
        Self {
            is_tls: setting.is_smtps,
            has_tls: false,
            now: UnixTime::default(),
            setting,
            client: Client::default(),
            features: Features::default(),
            step: Step::Command,
            greeted: false,
            helo_name: Bytes::new(),
            refusal: None,
            discards: false,
            filtering: filter::Filtering::default(),
            is_authenticated: false,
            mechanisms: Offer::default(),
            is_verbose: false,
            counters: Counters::default(),
            pause: Duration::ZERO,
            did_something: false,
            looked_up: 0,
            warning: None,
            transaction: None,
            marks: mail::Marks::default(),
            id,
            scope,
            replies: Replies::default(),
            notes: Vec::new(),
        }
    }

    /// Takes what happened; says what to do.
    pub fn on(&mut self, input: Input<'_>) -> Action {
        let step = std::mem::replace(&mut self.step, Step::Command);
        match (step, input) {
            (Step::Over, _) => self.close(),
            (_, Input::Connected) => self.begin(),
            (_, Input::Gone) => self.gone(),
            (_, Input::TimedOut) => self.timed_out(),
            (Step::Command, Input::Line(text)) => self.command(text),
            (Step::Command, Input::TooLong(bytes)) => self.too_long(bytes),
            (Step::Greet(at), input) => self.greet(at, input),
            (Step::Helo { extended }, Input::Waited { early }) => self.hello(extended, early),
            (Step::Mail(at), input) => self.mail_on(*at, input),
            (Step::Rcpt(at), input) => self.rcpt_on(*at, input),
            (Step::Data(at), input) => self.data_on(at, input),
            (Step::Vrfy(at), input) => self.vrfy_on(at, input),
            (Step::Etrn(request), input) => self.etrn_on(request, input),
            (Step::Other(planned), Input::Verdict(verdict)) => self.other_on(&planned, &verdict),
            (Step::Tls(at), input) => self.tls_on(at, input),
            (Step::Auth(at), input) => self.auth_on(at, input),
            (Step::Filter(told), input) => self.filter_on(told, input),
            (step, input) => self.confused(&step, &input),
        }
    }

    /// Replies to send.
    pub fn replies(&mut self) -> &mut Replies {
        &mut self.replies
    }

    /// Lines to log.
    pub fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// How long replies wait before they are sent.
    pub fn take_pause(&mut self) -> Duration {
        std::mem::take(&mut self.pause)
    }

    /// Macros of the session and, within one, of the transaction.
    pub fn scope(&mut self) -> &mut Scope {
        match &mut self.transaction {
            Some(transaction) => &mut transaction.envelope.scope,
            None => &mut self.scope,
        }
    }

    /// Text of `X-Authentication-Warning` for the message of this transaction.
    pub fn take_warning(&mut self) -> Option<String> {
        self.warning.take()
    }

    /// The envelope of the transaction.
    pub fn envelope(&mut self) -> Option<&mut Envelope> {
        self.transaction.as_mut().map(|t| &mut t.envelope)
    }

    /// Whether a client whose turn it is not may be refused for talking.
    pub fn id(&self) -> &QueueId {
        &self.id
    }

    /// Letters of `srv_features`.
    pub fn features(&self) -> Features {
        self.features
    }

    /// What its listener gave it.
    pub fn setting(&self) -> &Arc<Setting> {
        &self.setting
    }

    /// Whether a message is dropped after it was accepted, whatever its own checks say.
    pub fn discards(&self) -> bool {
        self.discards
    }

    /// Whether each step of delivery is told (VERB).
    pub fn is_verbose(&self) -> bool {
        self.is_verbose
    }

    /// The next message and the lines of the session go by this id.
    pub fn renew_id(&mut self, id: QueueId) {
        self.id = id;
        self.marks.used_id = false;
    }

    /// Whether the id was used up by a message.
    pub fn needs_id(&self) -> bool {
        self.marks.used_id
    }

    fn command(&mut self, text: &[u8]) -> Action {
        let text = text.split(|b| *b == 0).next().unwrap_or_default();
        self.note(Level::DIALOGUE, Priority::Info, format!("<-- {}", shown(text)));
        if (!self.greeted || self.features.has(b'h'))
            && let Some(action) = self.proxy(text)
        {
            return action;
        }
        let (row, argument) = verbs::parse(text);
        if let Some(refusal) = self.refusal.clone().filter(|_| row.is_some_and(|r| !r.when_refused)) {
            return self.refused(&refusal);
        }
        match row.map(|r| r.verb) {
            Some(Verb::Mail) => self.mail(argument),
            Some(Verb::Rcpt) => self.rcpt(argument),
            Some(Verb::Data) => self.data(),
            Some(Verb::Ehlo) => self.helo(argument, true),
            Some(Verb::Helo) => self.helo(argument, false),
            Some(Verb::Rset) => self.rset(),
            Some(Verb::Noop) => self.noop(text),
            Some(Verb::Quit) => self.quit(),
            Some(Verb::Vrfy) => self.vrfy(argument, false),
            Some(Verb::Expn) => self.vrfy(argument, true),
            Some(Verb::Etrn) => self.etrn(argument),
            Some(Verb::Help) => self.help(argument),
            Some(Verb::Verb) => self.verb(text),
            Some(Verb::StartTls) => self.starttls(argument),
            Some(Verb::Auth) => self.auth(argument),
            Some(Verb::NotImplemented) => {
                self.other(text, 502, Status(5, 5, 1), &quoted("Command not implemented", text))
            }
            Some(Verb::Debug) => self.attack_word(text, "debug"),
            Some(Verb::Showq) => self.attack_word(text, "showq"),
            Some(Verb::Wiz) => self.attack_word(text, "wiz"),
            None => self.unknown(text),
        }
    }

    fn unknown(&mut self, text: &[u8]) -> Action {
        self.counters.bad += 1;
        if self.counters.bad > counters::MOST_BAD {
            return self.too_many_bad();
        }
        if self.asks_filters() {
            let line = Bytes::copy_from_slice(text);
            return self.ask_filters(filter::Told::Unknown(line.clone()), filter::Call::Unknown(line));
        }
        self.unrecognized(text)
    }

    pub(super) fn unrecognized(&mut self, text: &[u8]) -> Action {
        self.other(text, 500, Status(5, 5, 1), &quoted("Command unrecognized", text))
    }

    fn too_many_bad(&mut self) -> Action {
        let text = format!("{} Too many bad commands; closing connection", shown(&self.setting.host));
        self.reply(421, Status(4, 7, 0), &text);
        self.close()
    }

    fn attack_word(&mut self, text: &[u8], word: &str) -> Action {
        let line =
            format!("\"{word}\" command from {} ({})", shown(&self.client.described), shown(&self.client.address));
        self.note(Level::SYSTEM_ERROR, Priority::Critical, line);
        self.unknown(text)
    }

    fn proxy(&mut self, text: &[u8]) -> Option<Action> {
        if !verbs::is_proxy_word(text) {
            return None;
        }
        let client = shown(&self.client.described).to_string();
        let line = format!("{client}: probable open proxy: command={}\r\n", shown(text));
        self.note(Level::SYSTEM_ERROR, Priority::Info, line);
        // Source: observed.
        let words = if self.greeted { "HTTP command" } else { "Rejecting open proxy" };
        let text = format!("{} {words} {client}", shown(&self.setting.host));
        self.reply(421, Status(4, 7, 0), &text);
        Some(self.close())
    }

    fn refused(&mut self, refusal: &Refusal) -> Action {
        self.did_something = true;
        self.counters.bad += 1;
        if self.counters.bad > counters::MOST_BAD {
            return self.too_many_bad();
        }
        self.replies.refuse(refusal.lines(b""));
        Action::Read
    }

    pub(super) fn too_long(&mut self, bytes: usize) -> Action {
        let client = shown(&self.client.described).to_string();
        let line = format!("{client}: SMTP violation, input too long: {bytes}");
        self.note(Level::SYSTEM_ERROR, Priority::Info, line);
        let text = format!("{} Command too long, possible attack {client}", shown(&self.setting.host));
        self.reply(421, Status(4, 7, 0), &text);
        self.close()
    }

    fn timed_out(&mut self) -> Action {
        let line = format!("timeout waiting for input from {} during server cmd read", shown(&self.client.name));
        self.note(Level::LOST_CONNECTION, Priority::Notice, line);
        self.gone()
    }

    fn gone(&mut self) -> Action {
        if self.transaction.is_some() {
            let where_from = shown(&self.client.described).to_string();
            let line = format!(
                "lost input channel from {where_from} to {} after {}",
                shown(&self.setting.daemon),
                self.stage()
            );
            self.note(Level::LOST_CONNECTION, Priority::Notice, line);
        }
        self.close()
    }

    /// The last command that counted, for `lost input channel`.
    fn stage(&self) -> &'static str {
        match &self.transaction {
            Some(t) if !t.envelope.recipients.is_empty() => "rcpt",
            Some(_) => "mail",
            None => "",
        }
    }

    pub(super) fn close(&mut self) -> Action {
        if !matches!(self.step, Step::Over) {
            self.drop_transaction();
            if !self.did_something && !self.setting.is_stdio {
                let line = format!(
                    "{} did not issue MAIL/EXPN/VRFY/ETRN during connection to {}",
                    shown(&self.client.described),
                    shown(&self.setting.daemon)
                );
                self.did_something = true;
                self.note(Level::VERIFY, Priority::Info, line);
            }
        }
        self.step = Step::Over;
        Action::Close
    }

    /// A driver answered what was not asked: the session cannot go on.
    pub(super) fn confused(&mut self, step: &Step, input: &Input<'_>) -> Action {
        self.note(Level::SYSTEM_ERROR, Priority::Critical, format!("session out of step: {step:?} {input:?}"));
        self.reply(421, Status(4, 3, 0), "Internal error");
        self.close()
    }

    fn quit(&mut self) -> Action {
        self.abandon("aborted by sender");
        let text = format!("{} closing connection", shown(&self.setting.host));
        self.reply(221, Status(2, 0, 0), &text);
        self.close()
    }

    fn rset(&mut self) -> Action {
        self.abandon("RSET");
        self.reply(250, Status(2, 0, 0), "Reset state");
        Action::Read
    }

    /// A reply that `check_other` may replace.
    pub(super) fn other(&mut self, line: &[u8], code: u16, status: Status, text: &str) -> Action {
        let planned = Planned { code, status, text: text.to_owned() };
        if self.setting.config.ruleset(Hook::CheckOther.name().as_bytes()).is_none() {
            return self.other_on(&planned, &Verdict::Accept);
        }
        self.step = Step::Other(planned);
        let digit = Bytes::from((code / 100).to_string());
        Action::Check(Hook::CheckOther, [Bytes::copy_from_slice(line), digit].into_iter().collect())
    }

    fn other_on(&mut self, planned: &Planned, verdict: &Verdict) -> Action {
        match verdict {
            Verdict::Reject(refusal) => {
                self.replies.line(&refusal.line(b""));
                if refusal.code == 421 {
                    return self.close();
                }
                // A command that was done says so too. Source: observed.
                if planned.code < 400 {
                    self.reply(planned.code, planned.status, &planned.text);
                }
            }
            _ => self.reply(planned.code, planned.status, &planned.text),
        }
        Action::Read
    }

    pub(super) fn reply(&mut self, code: u16, status: Status, text: &str) {
        let Refusal { code, status, .. } = Refusal::new(code, status, "").softened(&self.setting.config.options);
        if code >= 400 {
            self.blame(text.as_bytes());
        }
        self.replies.say(code, status, text);
    }

    /// What went wrong last stands in the queue file of the message. Source: observed.
    pub(super) fn blame(&mut self, words: &[u8]) {
        let words = Bytes::copy_from_slice(words);
        if let Some(envelope) = self.envelope() {
            envelope.message = Some(words);
        }
    }

    pub(super) fn note(&mut self, level: Level, priority: Priority, text: String) {
        let id = Some(self.id.as_str().to_owned());
        if self.setting.config.options.log_level > level.0 {
            self.notes.push(Note { level, priority, id, text });
        }
    }

    /// A line whose level was looked at already.
    pub(super) fn note_always(&mut self, priority: Priority, text: String) {
        let id = Some(self.id.as_str().to_owned());
        self.notes.push(Note { level: Level(-1), priority, id, text });
    }

    /// A line about the session, not about a message.
    pub(super) fn note_without_id(&mut self, level: Level, priority: Priority, text: String) {
        if self.setting.config.options.log_level > level.0 {
            self.notes.push(Note { level, priority, id: None, text });
        }
    }

    /// A line about something that the client did wrong in RCPT.
    pub(super) fn note_user_error(&mut self, text: String) {
        self.note(Level::REJECTED, Priority::Notice, text);
    }

    pub(super) fn privacy(&self, bits: u32) -> bool {
        self.setting.config.options.privacy_options.has(bits)
    }

    /// Counts a rare command; past its limit the reply waits and the first time is logged.
    pub(super) fn count(&mut self, count: fn(&mut Counters) -> &mut u64, limit: u64, command: &str) {
        let counter = count(&mut self.counters);
        let Some(excess) = counters::add(counter, limit) else { return };
        let number = *counter;
        self.pause = self.pause.max(excess.pause);
        if excess.is_first {
            let client = shown(&self.client.described).to_string();
            let line = format!("{client}: possible SMTP attack: command={command}, count={number}");
            self.note(Level(5), Priority::Info, line);
        }
    }

    /// Begins a transaction with this envelope; macros go with it.
    pub(super) fn begin_transaction(&mut self, mut envelope: Envelope) {
        envelope.scope = std::mem::take(&mut self.scope);
        self.transaction = Some(mail::Transaction {
            envelope,
            begun: self.now,
            is_open: false,
            given: Bytes::new(),
            is_logged: false,
        });
    }

    /// What was set for an RCPT is over.
    pub(super) fn forget_recipient(&mut self) {
        let scope = self.scope();
        for id in RECIPIENT_MACROS {
            scope.unset(*id);
        }
    }

    /// Ends a transaction because the client said so: what becomes of its recipients is logged.
    pub(super) fn abandon(&mut self, reason: &str) {
        let Some(transaction) = &self.transaction else { return self.drop_transaction() };
        let delay = self.now.since(transaction.begun);
        let waiting = transaction.envelope.recipients.iter().filter(|r| r.state == State::Queued);
        let line = |to: &Bytes| line::To { to: &[to], delay, stat: reason.as_bytes(), ..line::To::default() }.lines();
        let lines: Vec<String> = waiting.flat_map(|r| line(&r.address)).collect();
        for text in lines {
            self.note(Level::ABANDONED, Priority::Info, text);
        }
        self.drop_transaction();
    }

    /// Ends a transaction without a message; what was said so far is logged.
    pub(super) fn drop_transaction(&mut self) {
        self.note_from(b"");
        self.marks.ret = false;
        self.marks.envid = false;
        self.counters.bad_recipients = 0;
        self.looked_up = 0;
        self.filtering.gives_up |= self.transaction.is_some();
        if let Some(transaction) = self.transaction.take() {
            self.scope = transaction.envelope.scope;
            self.marks.used_id = true;
            for id in MESSAGE_MACROS {
                self.scope.unset(*id);
            }
        }
    }

    /// Ends a transaction whose message was taken over; the envelope goes with it, macros stay here too.
    pub fn take_envelope(&mut self) -> Option<Envelope> {
        let transaction = self.transaction.take()?;
        self.scope = transaction.envelope.scope.clone();
        for id in MESSAGE_MACROS {
            self.scope.unset(*id);
        }
        self.looked_up = 0;
        self.filtering.gives_up = true;
        self.marks = mail::Marks { used_id: true, ..mail::Marks::default() };
        self.counters.bad_recipients = 0;
        Some(transaction.envelope)
    }

    /// The `from=` line, once per transaction.
    pub fn note_from(&mut self, message_id: &[u8]) {
        let Some(transaction) = &mut self.transaction else { return };
        if std::mem::replace(&mut transaction.is_logged, true) {
            return;
        }
        let envelope = &transaction.envelope;
        let from = line::From {
            from: &envelope.sender_given,
            size_bytes: envelope.size_bytes,
            class: envelope.class,
            recipients: envelope.counted_recipients() + self.looked_up,
            message_id,
            body_type: envelope.body_type.map_or("", crate::envelope::BodyType::word).as_bytes(),
            protocol: &envelope.scope.text(names::PROTOCOL),
            daemon: &self.setting.daemon,
            relay: &envelope.scope.text(names::CLIENT_INFO),
        };
        let text = from.to_string();
        self.note(Level::RECEIVED, Priority::Info, text);
    }

    /// Whether needing HELO first is asked for and missing.
    pub(super) fn lacks_helo(&self, flag: u32) -> bool {
        !self.greeted && self.privacy(flag)
    }

    /// Whether VERB is done.
    pub(super) fn allows_verb(&self) -> bool {
        let is_private = self.privacy(Privacy::NO_EXPN | Privacy::NO_VERB);
        !is_private && !self.features.has(b'B') && !self.features.has(b'X')
    }

    /// What EHLO offers.
    pub(super) fn offer(&self) -> crate::smtp::extension::Offer {
        let options = &self.setting.config.options;
        let no_expn = self.privacy(Privacy::NO_EXPN);
        crate::smtp::extension::Offer {
            pipelining: !self.features.has(b'P'),
            expn: !no_expn && !self.features.has(b'X'),
            verb: self.allows_verb(),
            eight_bit: true,
            max_size: options.max_message_size,
            dsn: options.send_mime_errors && !self.privacy(Privacy::NO_RECEIPTS) && !self.features.has(b'D'),
            etrn: !self.privacy(Privacy::NO_ETRN) && !self.setting.modifiers.has(b'E') && !self.features.has(b'E'),
            auth: if self.has_auth() { self.offered_mechanisms() } else { Vec::new() },
            starttls: self.offers_tls(),
            deliver_by_min: options.deliver_by_min,
        }
    }

    pub(super) fn offers_tls(&self) -> bool {
        self.has_tls && !self.is_tls && !self.setting.modifiers.has(b'S') && !self.features.has(b'S')
    }
}

/// `words: "line"`, the line as the original shows it: top bits cleared.
fn quoted(words: &str, line: &[u8]) -> String {
    let line: Vec<u8> = line.iter().map(|b| b & 0x7f).take(limits::SMTP_COMMAND_LINE).collect();
    format!("{words}: \"{}\"", String::from_utf8_lossy(&line))
}

/// Macros that a message leaves behind and the next one must not see.
static MESSAGE_MACROS: &[MacroId] = &[
    names::SENDER,
    names::SENDER_FOR_RECIPIENT,
    names::FULL_NAME,
    names::QUEUE_ID,
    names::MAIL_MAILER,
    names::MAIL_HOST,
    names::MAIL_ADDR,
    names::MAIL_FROM,
    names::MSG_SIZE,
    names::MSG_ID,
    names::BODYTYPE,
    names::DSN_ENVID,
    names::DSN_NOTIFY,
    names::DSN_RET,
    names::AUTH_AUTHOR,
    names::RCPT_MAILER,
    names::RCPT_HOST,
    names::RCPT_ADDR,
    names::NRCPTS,
    names::NBADRCPTS,
    names::QUARANTINE,
    names::HDR_NAME,
    names::HDRLEN,
    names::CURR_HEADER,
    names::DATE,
    names::NOW_CTIME,
    names::TIMESTAMP,
    names::TIME,
    names::HOP_COUNT,
    names::NTRIES,
    names::ENVID,
];

/// Macros that tell of the recipient of an RCPT, and of nothing else. Source: observed.
static RECIPIENT_MACROS: &[MacroId] = &[names::RCPT_MAILER, names::RCPT_HOST, names::RCPT_ADDR, names::DSN_NOTIFY];
