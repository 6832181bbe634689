//! Filters in the dialogue: when they are told, and what becomes of what they say.
//!
//! Source: observed (milter/refusals, milter/fail-modes).

use bytes::Bytes;

use super::session::{Action, Input, Session, Step};
use crate::base::bytes::shown;
use crate::base::status::Status;
use crate::log::line::text as text_of;
use crate::log::{Level, Priority};
use crate::milter::Decision;
use crate::milter::reply::Reply;
use crate::policy::Refusal;

/// What filters are to be told.
#[derive(Debug)]
pub enum Call {
    /// Connect to them and agree on options.
    Open,
    /// The client.
    Connect,
    /// HELO or EHLO with this name.
    Helo(Bytes),
    /// MAIL: path and parameters.
    Mail(Vec<Bytes>),
    /// RCPT: path and parameters.
    Rcpt {
        /// Path and parameters.
        arguments: Vec<Bytes>,
        /// It was refused already.
        is_refused: bool,
    },
    /// DATA.
    Data,
    /// A command that we do not know.
    Unknown(Bytes),
}

/// What they were told, and what to go on with.
#[derive(Debug)]
pub(super) enum Told {
    Open,
    Connect,
    Helo { extended: bool },
    Mail(Bytes),
    Rcpt { given: Bytes, before: usize },
    RefusedRcpt,
    Data,
    Unknown(Bytes),
}

/// How filters stand in a session.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Filtering {
    /// There are filters.
    pub(super) is_on: bool,
    /// They said that everything is refused for now.
    pub(super) is_temporary: bool,
    /// The message in hand was given up, and they are not told yet.
    pub(super) gives_up: bool,
}

/// What a decision means for the client.
enum Answer {
    Nothing,
    Discard,
    /// A refusal, and how the log shows it.
    Refuse(Refusal, String),
    Shutdown,
}

impl Answer {
    /// A decision as an answer; `code` is that of a refusal without words of the filter's own.
    fn new(decision: &Decision, code: (u16, Status)) -> Self {
        match decision {
            Decision::Continue => Self::Nothing,
            Decision::Discard => Self::Discard,
            Decision::Shutdown => Self::Shutdown,
            Decision::Reject => {
                let refusal = Refusal::new(code.0, code.1, "Command rejected");
                let text = refusal.to_string();
                Self::Refuse(refusal, text)
            }
            Decision::TempFail => {
                let refusal = Refusal::new(451, Status(4, 3, 2), "Please try again later");
                let text = refusal.to_string();
                Self::Refuse(refusal, text)
            }
            Decision::Reply(raw) => {
                let refusal = match Reply::parse(raw) {
                    Some(reply) => Refusal::new(reply.code, reply.status, reply.text),
                    None => Refusal::new(code.0, code.1, "Command rejected"),
                };
                Self::Refuse(refusal, text_of(raw).to_string())
            }
        }
    }
}

impl Session {
    /// Whether filters are told of what happens now.
    pub(super) fn asks_filters(&self) -> bool {
        let is_discarded = self.transaction.as_ref().is_some_and(|t| t.envelope.flags.is_discarded);
        let is_asked = self.filtering.is_on && !self.filtering.is_temporary && !self.discards;
        is_asked && self.refusal.is_none() && !is_discarded
    }

    /// Whether the session has filters.
    pub fn has_filters(&self) -> bool {
        self.filtering.is_on
    }

    /// Whether filters are to be told that the message in hand was given up.
    pub fn take_abort(&mut self) -> bool {
        std::mem::take(&mut self.filtering.gives_up) && self.filtering.is_on
    }

    pub(super) fn ask_filters(&mut self, told: Told, call: Call) -> Action {
        self.step = Step::Filter(told);
        Action::Filter(call)
    }

    pub(super) fn filter_on(&mut self, told: Told, input: Input<'_>) -> Action {
        match (told, input) {
            (Told::Open, Input::FiltersOpen(decision, is_on)) => self.filters_open(&decision, is_on),
            (Told::Connect, Input::Filtered(decision)) => self.connect_filtered(&decision),
            (Told::Helo { extended }, Input::Filtered(decision)) => self.helo_filtered(extended, &decision),
            (Told::Mail(given), Input::Filtered(decision)) => self.mail_filtered(&given, &decision),
            (Told::Rcpt { given, before }, Input::Filtered(decision)) => self.rcpt_filtered(&given, before, &decision),
            (Told::RefusedRcpt, Input::Filtered(_)) => Action::Read,
            (Told::Data, Input::Filtered(decision)) => self.data_filtered(&decision),
            (Told::Unknown(line), Input::Filtered(decision)) => self.unknown_filtered(&line, &decision),
            (told, input) => self.confused(&Step::Filter(told), &input),
        }
    }

    fn filters_open(&mut self, decision: &Decision, is_on: bool) -> Action {
        self.filtering.is_on = is_on;
        match decision {
            Decision::Reject => {
                self.note_filter("Milter: initialization failed, rejecting commands");
                return self.reject_session();
            }
            Decision::TempFail => {
                self.note_filter("Milter: initialization failed, temp failing commands");
                self.filtering.is_temporary = true;
            }
            Decision::Shutdown => {
                self.note_filter("Milter: initialization failed, closing connection");
                self.did_something = true;
                return self.shut_down();
            }
            // A client whose mail is thrown away is no filter's business. Source: observed.
            _ if is_on && !self.discards => return self.ask_filters(Told::Connect, Call::Connect),
            _ => {}
        }
        self.greet_or_pause()
    }

    fn connect_filtered(&mut self, decision: &Decision) -> Action {
        let about =
            format!("Milter: connect: host={}, addr={}", text_of(&self.client.name), text_of(&self.client.address));
        let reply = match decision {
            Decision::Reply(text) => Reply::parse(text).map(|r| r.code),
            _ => None,
        };
        match (decision, reply) {
            (Decision::Shutdown, _) | (_, Some(421)) => {
                self.note_filter(&format!("{about}, shutdown"));
                self.shut_down()
            }
            (Decision::TempFail, _) | (_, Some(400..500)) => {
                self.note_filter(&format!("{about}, temp failing commands"));
                self.filtering.is_temporary = true;
                self.greet_or_pause()
            }
            (Decision::Continue | Decision::Discard, _) => self.greet_or_pause(),
            (Decision::Reject | Decision::Reply(_), _) => {
                self.note_filter(&format!("{about}, rejecting commands"));
                self.reject_session()
            }
        }
    }

    fn helo_filtered(&mut self, extended: bool, decision: &Decision) -> Action {
        let about = format!("Milter: helo={}", text_of(&self.helo_name));
        match Answer::new(decision, (550, Status(5, 0, 0))) {
            Answer::Nothing | Answer::Discard => {}
            Answer::Shutdown => {
                let host = shown(&self.setting.host).to_string();
                self.note_filter(&format!("{about}, reject=421 4.7.0 {host} closing connection"));
                return self.shut_down();
            }
            Answer::Refuse(refusal, _) if *decision == Decision::Reject => {
                self.note_filter(&format!("{about}, reject=Command rejected"));
                self.refusal = Some(refusal);
            }
            Answer::Refuse(refusal, text) => {
                self.note_filter(&format!("{about}, reject={text}"));
                if refusal.code == 421 {
                    self.refuse(&refusal, b"");
                    self.did_something = true;
                    return self.close();
                }
                if *decision == Decision::TempFail {
                    self.filtering.is_temporary = true;
                } else {
                    self.refusal = Some(refusal);
                }
            }
        }
        self.say_hello(extended)
    }

    fn mail_filtered(&mut self, given: &Bytes, decision: &Decision) -> Action {
        match self.envelope_filtered("from", given, decision) {
            Ok(()) => self.sender_accepted(given),
            Err(action) => action,
        }
    }

    fn rcpt_filtered(&mut self, given: &Bytes, before: usize, decision: &Decision) -> Action {
        match self.envelope_filtered("to", given, decision) {
            Ok(()) => self.recipient_accepted(given, before),
            Err(action) => {
                self.counters.bad_recipients += 1;
                self.with_envelope(|e| e.recipients.truncate(before));
                action
            }
        }
    }

    /// What MAIL and RCPT have in common.
    fn envelope_filtered(&mut self, word: &str, given: &Bytes, decision: &Decision) -> Result<(), Action> {
        let about = format!("Milter: {word}={}", text_of(given));
        match Answer::new(decision, (550, Status(5, 7, 1))) {
            Answer::Nothing => Ok(()),
            Answer::Discard => {
                self.note_filter(&format!("{about}, discard"));
                self.with_envelope(|e| e.flags.is_discarded = true);
                Ok(())
            }
            Answer::Refuse(refusal, text) => {
                self.note_filter(&format!("{about}, reject={text}"));
                Err(self.say_refusal(&refusal, given))
            }
            Answer::Shutdown => {
                self.note_filter(&format!("{about}, reject=421, errormode=4"));
                self.reply(421, Status(4, 3, 0), "closing connection");
                Err(self.close())
            }
        }
    }

    fn data_filtered(&mut self, decision: &Decision) -> Action {
        match Answer::new(decision, (550, Status(5, 7, 1))) {
            Answer::Nothing => self.take_message(),
            Answer::Discard => {
                self.note_filter("Milter: cmd=data, discard");
                self.with_envelope(|e| e.flags.is_discarded = true);
                self.take_message()
            }
            Answer::Refuse(refusal, text) => {
                self.note_filter(&format!("Milter: cmd=data, reject={text}"));
                self.say_refusal(&refusal, b"")
            }
            Answer::Shutdown => {
                let host = shown(&self.setting.host).to_string();
                self.note_filter(&format!("Milter: cmd=data, reject=421 4.7.0 {host} closing connection"));
                self.shut_down()
            }
        }
    }

    fn unknown_filtered(&mut self, line: &[u8], decision: &Decision) -> Action {
        let answer = Answer::new(decision, (550, Status(5, 7, 1)));
        // Source: observed: the line names the sender of the message in hand.
        let sender = self.transaction.as_ref().filter(|t| t.is_open).map(|t| text_of(&t.given).to_string());
        let about = format!("Milter: unknown={}", sender.as_deref().unwrap_or("(null)"));
        match answer {
            Answer::Nothing | Answer::Discard => self.unrecognized(line),
            Answer::Refuse(refusal, text) => {
                self.note_filter(&format!("{about}, reject={text}"));
                self.say_refusal(&refusal, b"")
            }
            Answer::Shutdown => {
                self.note_filter(&format!("{about}, reject=421, errormode=4"));
                self.reply(421, Status(4, 3, 0), "closing connection");
                self.close()
            }
        }
    }

    /// The refusal that a decision about a complete message means, with its line for the log; `None` for none.
    pub fn message_filtered(&mut self, decision: &Decision) -> Option<Refusal> {
        match Answer::new(decision, (554, Status(5, 7, 1))) {
            Answer::Nothing => None,
            Answer::Discard => {
                self.note_filter("Milter: data, discard");
                self.with_envelope(|e| e.flags.is_discarded = true);
                None
            }
            Answer::Refuse(refusal, text) => {
                self.note_filter(&format!("Milter: data, reject={text}"));
                Some(refusal)
            }
            Answer::Shutdown => {
                let text = format!("{} closing connection", shown(&self.setting.host));
                self.note_filter(&format!("Milter: data, reject=421 4.7.0 {text}"));
                Some(Refusal::new(421, Status(4, 7, 0), text))
            }
        }
    }

    /// The refusal as a reply; 421 ends the session.
    fn say_refusal(&mut self, refusal: &Refusal, about: &[u8]) -> Action {
        // Words that name an address need no other in front. Source: observed.
        let about = if refusal.text.contains(&b'<') { b"" } else { about };
        self.refuse(refusal, about);
        if refusal.code == 421 { self.close() } else { Action::Read }
    }

    /// Everything that matters is refused, from the greeting on.
    fn reject_session(&mut self) -> Action {
        self.refusal = Some(Refusal::new(550, Status(5, 0, 0), "Command rejected"));
        let text = format!("{} ESMTP not accepting messages", shown(&self.setting.host));
        self.replies.plain(554, text);
        self.step = Step::Command;
        Action::Read
    }

    fn shut_down(&mut self) -> Action {
        let text = format!("{} closing connection", shown(&self.setting.host));
        self.reply(421, Status(4, 7, 0), &text);
        self.close()
    }

    /// A command that is refused for now because filters said so.
    pub(super) fn note_temporary(&mut self, verb: &str, argument: &[u8]) {
        let client = shown(&self.client.name).to_string();
        let argument = argument.get(..100).unwrap_or(argument);
        let line =
            format!("SMTP {verb} command ({}) from {client} tempfailed (due to previous checks)", text_of(argument));
        self.note(Level(9), Priority::Info, line);
    }

    /// A line about what filters decided, at their own level.
    pub(super) fn note_filter(&mut self, text: &str) {
        let config = &self.setting.config;
        if config.milter.log_level.unwrap_or(config.options.log_level) > Level::MILTER_RESULTS.0 {
            self.note_always(Priority::Info, text.to_owned());
        }
    }
}

/// A path and its parameters, word by word.
pub(super) fn arguments(path: &Bytes, parameters: &Bytes) -> Vec<Bytes> {
    let words = parameters.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    std::iter::once(path.clone()).chain(words.map(|w| parameters.slice_ref(w))).collect()
}
