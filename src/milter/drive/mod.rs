//! The filters of one session: sockets, timeouts, log lines.
//!
//! Being dropped at any await closes the connections; a filter then sees its session end.

mod link;
mod talk;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::Decision;
use super::session::{Conversation, Outcome, State};
use super::stage::Stage;
use super::wire::{self, Edit, action, step};
use crate::config::Config;
use crate::config::milter::Filter;
use crate::log::line::text as text_of;
use crate::log::{Id, Level, Logger, Priority};
use crate::macros::Scope;
use crate::message::Header;
use link::Link;
use talk::Words;

/// Filters of a session, in the order they are asked.
#[derive(Debug, Default)]
pub struct Filters {
    peers: Vec<Peer>,
    setting: Option<Setting>,
    id: String,
}

#[derive(Debug)]
struct Setting {
    config: Arc<Config>,
    log: Logger,
}

#[derive(Debug)]
struct Peer {
    spec: Filter,
    talk: Conversation,
    link: Option<Link>,
}

/// What a filter does at the end of a message.
#[derive(Debug)]
pub enum Said {
    /// It wants a change; it is asked again.
    Edit(Edit),
    /// It is done.
    Done(Decision),
}

impl Filters {
    /// Connects to the filters of these names and agrees on options.
    ///
    /// The decision is that of the first filter that cannot be had and whose `F=` does not let that pass; no other is
    /// asked then.
    pub async fn open(config: &Arc<Config>, names: &[Bytes], log: &Logger, id: &str) -> (Self, Decision) {
        let level = config.milter.log_level.unwrap_or(config.options.log_level);
        let setting = Setting { config: Arc::clone(config), log: log.with_level(level) };
        let specs = names.iter().filter_map(|name| config.filters.iter().find(|f| f.name.eq_ignore_ascii_case(name)));
        let peers = specs.map(|spec| Peer { spec: spec.clone(), talk: Conversation::new(spec.on_failure), link: None });
        let mut filters = Self { peers: peers.collect(), setting: Some(setting), id: id.to_owned() };
        if filters.peers.is_empty() {
            filters.note(Level::MILTER, "Milter: no active filter");
            return (filters, Decision::Continue);
        }
        for at in 0..filters.peers.len() {
            let decision = filters.open_one(at).await;
            if decision != Decision::Continue {
                filters.quit().await;
                return (filters, decision);
            }
        }
        (filters, Decision::Continue)
    }

    /// Whether there is any filter.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// How many filters there are.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether any filter could be had.
    pub fn is_active(&self) -> bool {
        self.peers.iter().any(|p| p.talk.state() != State::Closed || p.link.is_some())
    }

    /// Whether a filter may take recipients away.
    pub fn may_delete_recipients(&self) -> bool {
        self.peers.iter().any(|p| p.talk.may(action::DELETE_RECIPIENTS))
    }

    /// Log lines go by this id from here on.
    pub fn go_by(&mut self, id: &str) {
        if self.id != id {
            id.clone_into(&mut self.id);
        }
    }

    /// A client connected.
    pub async fn connect(
        &mut self,
        scope: &Scope,
        host: &[u8],
        address: Option<(IpAddr, u16)>,
        shown: &[u8],
    ) -> Decision {
        self.note(Level::MILTER, "Milter: connect to filters");
        let decision = self.tell(Stage::Connect, scope, &wire::connect(host, address, shown)).await;
        if decision != Decision::Continue {
            self.note(Level::MILTER, "Milter: connect, ending");
        }
        if decision == Decision::Discard {
            // Source: observed: nobody is asked any more, and the session goes on.
            self.peers.iter_mut().for_each(|p| p.talk.leave());
            return Decision::Continue;
        }
        decision
    }

    /// HELO or EHLO.
    pub async fn helo(&mut self, scope: &Scope, name: &[u8]) -> Decision {
        match self.tell(Stage::Helo, scope, &wire::strings([name])).await {
            Decision::Discard => Decision::Continue,
            other => other,
        }
    }

    /// MAIL: path and parameters.
    pub async fn mail(&mut self, scope: &Scope, arguments: &[Bytes]) -> Decision {
        let path = arguments.first().map(AsRef::as_ref).unwrap_or_default();
        self.note(Level::MILTER_ADDRESSES, format_args!("Milter: sender: {}", text_of(path)));
        let decision = self.tell(Stage::Mail, scope, &wire::strings(arguments.iter().map(AsRef::as_ref))).await;
        if decision != Decision::Continue {
            self.abort().await;
        }
        if decision == Decision::Reject {
            self.note(Level::MILTER_ACTIONS, "Milter: reject, sender");
        }
        decision
    }

    /// RCPT: path and parameters. One that is refused already is told of to filters that asked for it; the others get
    /// the macros alone.
    pub async fn rcpt(&mut self, scope: &Scope, arguments: &[Bytes], is_refused: bool) -> Decision {
        let path = arguments.first().map(AsRef::as_ref).unwrap_or_default();
        self.note(Level::MILTER_ADDRESSES, format_args!("Milter: rcpts: {}", text_of(path)));
        let payload = wire::strings(arguments.iter().map(AsRef::as_ref));
        if !is_refused {
            return self.tell(Stage::Rcpt, scope, &payload).await;
        }
        for at in 0..self.peers.len() {
            let Some(peer) = self.peers.get(at) else { continue };
            if peer.talk.takes_part() && !peer.talk.has(step::REFUSED_RECIPIENTS) {
                let macros = self.macros(at, Stage::Rcpt, scope);
                self.send(at, Stage::Rcpt, &macros).await;
            } else if peer.talk.takes_part() {
                // It is refused, whatever a filter says.
                let _ = self.tell_one(at, Stage::Rcpt, scope, &payload).await;
            }
        }
        Decision::Continue
    }

    /// DATA.
    pub async fn data(&mut self, scope: &Scope) -> Decision {
        self.tell(Stage::Data, scope, b"").await
    }

    /// A command that we do not know.
    ///
    /// Between messages filters hear of none, but for those before the first message and behind HELO. Source: observed.
    pub async fn unknown(&mut self, scope: &Scope, line: &[u8]) -> Decision {
        self.note(Level::MILTER, format_args!("Sending \"{}\" to Milter", text_of(line)));
        self.tell(Stage::Unknown, scope, &wire::strings([line])).await
    }

    /// Whether the filter is to be told of the message; one that failed says what its `F=` says.
    pub fn takes_message(&self, at: usize) -> Result<bool, Decision> {
        let Some(peer) = self.peers.get(at) else { return Ok(false) };
        match peer.talk.failure() {
            Decision::Continue => Ok(peer.talk.takes_part()),
            decision => Err(decision),
        }
    }

    /// Whether the filter wants this stage.
    pub fn wants(&self, at: usize, stage: Stage) -> bool {
        self.peers.get(at).is_some_and(|p| p.talk.takes_part() && p.talk.wants(stage))
    }

    /// The header of the message.
    pub async fn header<'a>(&mut self, at: usize, scope: &Scope, fields: impl Iterator<Item = &'a Header>) -> Decision {
        if self.wants(at, Stage::Header) {
            self.about(Level::MILTER_PARTS, at, "headers, send");
            for field in fields {
                self.about(Level::MILTER_TIMES, at, format_args!("header, {}", text_of(&field.name)));
                let keeps_blank = self.peers.get(at).is_some_and(|p| p.talk.has(step::LEADING_SPACE));
                let text = field.text();
                let value = if keeps_blank { text } else { text.strip_prefix(b" ").unwrap_or(text) };
                let decision = self.message_step(at, Stage::Header, scope, &wire::strings([&field.name, value])).await;
                if decision != Decision::Continue || !self.wants(at, Stage::Header) {
                    self.about(Level::MILTER_PARTS, at, "headers, sent");
                    return decision;
                }
            }
            self.about(Level::MILTER_PARTS, at, "headers, sent");
        }
        if self.wants(at, Stage::EndOfHeader) {
            return self.message_step(at, Stage::EndOfHeader, scope, b"").await;
        }
        Decision::Continue
    }

    /// A piece of the body, at most [`wire::CHUNK`] bytes.
    pub async fn body(&mut self, at: usize, scope: &Scope, piece: &[u8]) -> Decision {
        self.message_step(at, Stage::Body, scope, piece).await
    }

    /// Line about the body as a whole.
    pub fn note_body(&self, at: usize, what: &str) {
        self.about(Level::MILTER_PARTS, at, what);
    }

    /// The message is complete; edits follow. `Err` when the filter takes no more part.
    pub async fn end(&mut self, at: usize, scope: &Scope) -> Result<(), Decision> {
        if !self.peers.get(at).is_some_and(|p| p.talk.takes_part()) {
            return Err(Decision::Continue);
        }
        let mut wire = self.macros(at, Stage::EndOfMessage, scope);
        wire.extend_from_slice(&wire::packet(Stage::EndOfMessage.row().command, b""));
        if let Some(link) = self.peers.get_mut(at).and_then(|p| p.link.as_mut()) {
            link.start_clock();
        }
        if self.send(at, Stage::EndOfMessage, &wire).await { Ok(()) } else { Err(self.failure(at)) }
    }

    /// What the filter does next at the end of the message. However often it says that it is at work, when its time (`E` of `T=`)
    /// is over it is not waited for any more. Source: observed.
    pub async fn said(&mut self, at: usize) -> Said {
        loop {
            let late = |p: &Peer| p.link.as_ref().is_some_and(|link| link.is_late(p.spec.end_of_message));
            if self.peers.get(at).is_some_and(late) {
                self.complain(at, Priority::Error, Words::Function("milter_data"), ": EOM ACK/NAK timeout");
                return Said::Done(self.fail(at));
            }
            match self.answer(at, Stage::EndOfMessage).await {
                None | Some(Outcome::Bogus(_)) => return Said::Done(self.failure(at)),
                Some(Outcome::Edit(edit)) => {
                    let honest = self.peers.get(at).is_none_or(|p| p.talk.may(edit.action()));
                    if !honest {
                        let is_refused = matches!(edit, Edit::Body(_));
                        let (level, priority) = if is_refused {
                            (Level::SYSTEM_ERROR, Priority::Error)
                        } else {
                            (Level::MILTER_LIES, Priority::Warning)
                        };
                        self.complain_at(level, at, priority, Words::Function("milter_data"), edit.lie());
                    }
                    return Said::Edit(edit);
                }
                // Nonsense: there is nothing to do.
                Some(Outcome::Progress | Outcome::Nonsense) => {}
                Some(Outcome::Continue | Outcome::Accept | Outcome::Skip) => return Said::Done(Decision::Continue),
                Some(Outcome::Decided(decision)) => return Said::Done(decision),
            }
        }
    }

    /// Whether a filter may replace the body: one that did not say so may not. Source: observed.
    pub fn may_replace_body(&self, at: usize) -> bool {
        self.peers.get(at).is_some_and(|p| p.talk.may(action::CHANGE_BODY))
    }

    /// Whether the filter gives header values with the blanks in front of them.
    pub fn gives_blanks(&self, at: usize) -> bool {
        self.peers.get(at).is_some_and(|p| p.talk.has(step::LEADING_SPACE))
    }

    /// The message in hand is given up: filters that are within it are told.
    pub async fn abort(&mut self) {
        for at in 0..self.peers.len() {
            if self.peers.get(at).is_some_and(|p| p.talk.state() == State::InMessage) {
                self.about(Level::MILTER_ABORTS, at, "abort filter");
                self.send(at, Stage::Mail, &wire::packet(b'A', b"")).await;
            }
        }
        self.end_message();
    }

    /// The message is over.
    pub fn end_message(&mut self) {
        self.peers.iter_mut().for_each(|p| p.talk.end_message());
    }

    /// The session is over.
    pub async fn quit(&mut self) {
        for at in 0..self.peers.len() {
            self.quit_one(at).await;
        }
    }

    /// Writes a line at the level of filters.
    pub fn note(&self, level: Level, text: impl std::fmt::Display) {
        if let Some(setting) = &self.setting {
            setting.log.write(level, Priority::Info, Id::Queue(&self.id), text);
        }
    }

    /// Writes a line about one filter: `Milter (NAME) text`.
    pub fn note_edit(&self, at: usize, text: impl std::fmt::Display) {
        let name = self.name(at);
        self.note(Level::MILTER_EDITS, format_args!("Milter ({name}) {text}"));
    }

    /// Writes a line about one filter: `milter=NAME, text`.
    pub fn note_decision(&self, level: Level, at: usize, text: impl std::fmt::Display) {
        let name = self.name(at);
        self.note(level, format_args!("milter={name}, {text}"));
    }
}
