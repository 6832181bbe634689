//! One filter at a time: sending a step, reading its answer, and what is said in the log about both.

use super::Filters;
use super::link::{Fault, Link};
use crate::base::limits;
use crate::log::line::text as text_of;
use crate::log::{Id, Level, Priority};
use crate::macros::Scope;
use crate::milter::Decision;
use crate::milter::session::{Conversation, Outcome};
use crate::milter::stage::Stage;
use crate::milter::wire;

impl Filters {
    pub(super) async fn open_one(&mut self, at: usize) -> Decision {
        let dont_blame = self.setting.as_ref().map_or(0, |s| s.config.options.dont_blame_sendmail.0);
        let Some(peer) = self.peers.get_mut(at) else { return Decision::Continue };
        match Link::open(&peer.spec, dont_blame).await {
            Ok(link) => peer.link = Some(link),
            Err(text) => {
                self.complain(at, Priority::Error, Words::Milter, &text);
                return self.fail(at);
            }
        }
        if !self.send(at, Stage::Connect, &Conversation::offer()).await {
            return self.not_had(at);
        }
        let Some(peer) = self.peers.get_mut(at) else { return Decision::Continue };
        let read = match &mut peer.link {
            Some(link) => link.read(peer.spec.read).await,
            None => Err(Fault::Ended),
        };
        let fault = match read {
            Ok((letter, payload)) => peer.talk.negotiated(letter, &payload).err().map(|e| e.to_string()),
            // Source: observed: the end of the connection is told as a timeout here.
            Err(Fault::Ended | Fault::TimedOut) => Some("timeout before data read, where=negotiate".to_owned()),
            Err(fault) => Some(fault.to_string()),
        };
        if let Some(text) = fault {
            self.complain(at, Priority::Error, Words::Milter, &text);
            return self.not_had(at);
        }
        self.about(Level::MILTER, at, "init success to negotiate");
        Decision::Continue
    }

    /// A filter that is there and cannot be had. Source: observed.
    fn not_had(&mut self, at: usize) -> Decision {
        self.fail(at);
        self.complain(at, Priority::Error, Words::Milter, "init failed to open");
        self.fail(at)
    }

    /// Tells all filters in turn, until one has a word of its own.
    pub(super) async fn tell(&mut self, stage: Stage, scope: &Scope, payload: &[u8]) -> Decision {
        for at in 0..self.peers.len() {
            let decision = self.tell_one(at, stage, scope, payload).await;
            if decision != Decision::Continue {
                return decision;
            }
        }
        Decision::Continue
    }

    pub(super) async fn tell_one(&mut self, at: usize, stage: Stage, scope: &Scope, payload: &[u8]) -> Decision {
        let Some(peer) = self.peers.get_mut(at) else { return Decision::Continue };
        match stage {
            Stage::Mail => peer.talk.begin_message(),
            Stage::Helo => peer.talk.greet(),
            _ => {}
        }
        let failure = peer.talk.failure();
        if failure != Decision::Continue || !peer.talk.takes_part() {
            return failure;
        }
        match self.ask(at, stage, scope, payload).await {
            None => self.failure(at),
            Some(Outcome::Decided(decision)) => decision,
            Some(Outcome::Accept) => {
                if stage.row().is_session {
                    self.quit_one(at).await;
                }
                Decision::Continue
            }
            // Source: observed: a bogus answer lets this step pass; the next one finds the filter failed.
            Some(_) => Decision::Continue,
        }
    }

    /// A step within the text of the message: a filter that fails says so at once.
    pub(super) async fn message_step(&mut self, at: usize, stage: Stage, scope: &Scope, payload: &[u8]) -> Decision {
        match self.ask(at, stage, scope, payload).await {
            None | Some(Outcome::Bogus(_)) => self.failure(at),
            Some(Outcome::Decided(decision)) => {
                if matches!(decision, Decision::Reject) {
                    self.note(Level::MILTER_ACTIONS, "Milter: reject, data");
                }
                decision
            }
            Some(_) => Decision::Continue,
        }
    }

    /// Sends macros and command; the answer, `Continue` where none is given, `None` when the filter failed.
    async fn ask(&mut self, at: usize, stage: Stage, scope: &Scope, payload: &[u8]) -> Option<Outcome> {
        let wanted = self.peers.get(at).is_some_and(|p| p.talk.wants(stage));
        let mut wire = self.macros(at, stage, scope);
        if wanted {
            wire.extend_from_slice(&wire::packet(stage.row().command, payload));
        }
        if wire.is_empty() {
            return Some(Outcome::Continue);
        }
        if let Some(link) = self.peers.get_mut(at).and_then(|p| p.link.as_mut()) {
            link.start_clock();
        }
        if !self.send(at, stage, &wire).await {
            return None;
        }
        if !wanted || !self.peers.get(at).is_some_and(|p| p.talk.answers(stage)) {
            return Some(Outcome::Continue);
        }
        let outcome = self.answer(at, stage).await?;
        self.log_outcome(at, stage, &outcome);
        Some(outcome)
    }

    fn log_outcome(&self, at: usize, stage: Stage, outcome: &Outcome) {
        let (level, words) = match outcome {
            Outcome::Continue => (Level::MILTER_CONTINUES, "continue".to_owned()),
            Outcome::Skip => (Level::MILTER_CONTINUES, "skip".to_owned()),
            Outcome::Accept => (Level::MILTER_ACTIONS, "accepted".to_owned()),
            Outcome::Decided(Decision::Reject) => (Level::MILTER_ACTIONS, "reject".to_owned()),
            Outcome::Decided(Decision::TempFail) => (Level::MILTER_ACTIONS, "tempfail".to_owned()),
            Outcome::Decided(Decision::Discard) => (Level::MILTER_ACTIONS, "discard".to_owned()),
            Outcome::Decided(Decision::Reply(text)) => (Level::MILTER_ACTIONS, format!("reject={}", text_of(text))),
            _ => return,
        };
        let name = stage.row().name;
        self.note_decision(level, at, format_args!("action={name}, {words}"));
        let is_command = !matches!(stage, Stage::Header | Stage::EndOfHeader | Stage::Body | Stage::EndOfMessage);
        if let (true, Some(link)) = (is_command, self.peers.get(at).and_then(|p| p.link.as_ref())) {
            let (letter, seconds) = (char::from(stage.row().command), link.seconds());
            self.about(Level::MILTER_TIMES, at, format_args!("time command ({letter}), {seconds}"));
        }
    }

    /// Reads an answer; `None` when there is none, and the filter has failed.
    pub(super) async fn answer(&mut self, at: usize, stage: Stage) -> Option<Outcome> {
        let peer = self.peers.get_mut(at)?;
        let is_end = stage == Stage::EndOfMessage;
        let limit = if is_end { peer.spec.end_of_message } else { peer.spec.read };
        let read = match &mut peer.link {
            Some(link) => link.read(limit).await,
            None => Err(Fault::Ended),
        };
        let name = stage.row().name;
        match read {
            Ok((letter, payload)) => {
                let outcome = peer.talk.take(stage, wire::read_answer(letter, &payload));
                if let Outcome::Bogus(letter) = outcome {
                    let (letter, function) =
                        (char::from(letter), if is_end { "milter_data" } else { "milter_send_command" });
                    let about = if is_end { String::new() } else { format!("action={name} ") };
                    let text = format!(": {about}returned bogus response {letter}");
                    self.complain(at, Priority::Error, Words::Function(function), &text);
                    self.fail(at);
                }
                return Some(outcome);
            }
            Err(Fault::Ended) => {
                let text = ": cmd read returned 0, expecting 5";
                self.complain(at, Priority::Error, Words::Function("milter_sys_read"), text);
            }
            Err(Fault::TimedOut) => {
                let place = if stage == Stage::Body { "last body chunk" } else { name };
                self.complain(at, Priority::Error, Words::Milter, &format!("timeout before data read, where={place}"));
            }
            Err(fault) => self.complain(at, Priority::Error, Words::Milter, &fault.to_string()),
        }
        self.fail(at);
        None
    }

    /// Sends packets; false when that failed, and the filter with it.
    pub(super) async fn send(&mut self, at: usize, stage: Stage, wire: &[u8]) -> bool {
        let Some(peer) = self.peers.get_mut(at) else { return false };
        let Some(link) = &mut peer.link else { return false };
        let text = match link.send(wire, peer.spec.send).await {
            Ok(()) => return true,
            Err(Fault::TimedOut) => format!("timeout before data write, where={}", stage.row().name),
            Err(fault) => {
                let letter = char::from(stage.row().command);
                format!("write({letter}) returned -1, expected {}: {fault}", wire.len())
            }
        };
        self.complain(at, Priority::Error, Words::Milter, &text);
        self.fail(at);
        false
    }

    /// The filter fails from here on; what its `F=` says.
    pub(super) fn fail(&mut self, at: usize) -> Decision {
        let Some(peer) = self.peers.get_mut(at) else { return Decision::Continue };
        peer.link = None;
        let decision = peer.talk.fail();
        self.about(Level::SYSTEM_ERROR, at, "to error state");
        decision
    }

    pub(super) fn failure(&self, at: usize) -> Decision {
        self.peers.get(at).map_or(Decision::Continue, |p| p.talk.failure())
    }

    pub(super) async fn quit_one(&mut self, at: usize) {
        if !self.peers.get(at).is_some_and(|p| p.talk.is_connected() && p.link.is_some()) {
            return;
        }
        self.about(Level::MILTER_ENDS, at, "quit filter");
        if let Some(peer) = self.peers.get_mut(at) {
            if let Some(mut link) = peer.link.take() {
                // A filter that has gone needs no farewell.
                let _ = link.send(&wire::packet(b'Q', b""), peer.spec.send).await;
            }
            peer.talk.leave();
        }
    }

    /// Packet with the macros of a stage; nothing when its list is empty.
    pub(super) fn macros(&self, at: usize, stage: Stage, scope: &Scope) -> Vec<u8> {
        let row = stage.row();
        let (Some((list, _)), Some(peer), Some(setting)) = (row.macros, self.peers.get(at), &self.setting) else {
            return Vec::new();
        };
        // Source: observed: macros go out for steps that are not wanted, but for the end of the header.
        if stage == Stage::EndOfHeader && !peer.talk.wants(stage) {
            return Vec::new();
        }
        let names = &setting.config.names;
        let configured = setting.config.milter.macros.iter().find(|(known, _)| known.as_ref() == list.as_bytes());
        let words: Vec<&[u8]> = if let Some(given) = peer.talk.list(stage) {
            let words = given.split(|b| b.is_ascii_whitespace() || *b == b',').filter(|word| !word.is_empty());
            words.take(limits::MILTER_MACROS).map(unbraced).collect()
        } else {
            configured.iter().flat_map(|(_, words)| words).map(AsRef::as_ref).collect()
        };
        if words.is_empty() {
            return Vec::new();
        }
        let ids = words.into_iter().filter_map(|word| names.lookup(word));
        let mut payload = vec![row.command];
        for id in ids.filter(|id| scope.value(*id).is_some()) {
            let name = names.name(id);
            let name = if name.len() == 1 { name } else { [b"{", name.as_ref(), b"}"].concat().into() };
            payload.extend_from_slice(&wire::strings([name.as_ref(), scope.text(id).as_ref()]));
        }
        wire::packet(b'D', &payload)
    }

    pub(super) fn name(&self, at: usize) -> String {
        self.peers.get(at).map(|p| text_of(&p.spec.name).to_string()).unwrap_or_default()
    }

    /// `Milter (NAME): text`.
    pub(super) fn about(&self, level: Level, at: usize, text: impl std::fmt::Display) {
        let name = self.name(at);
        self.note(level, format_args!("Milter ({name}): {text}"));
    }

    /// A line about something that a filter did wrong.
    pub(super) fn complain(&self, at: usize, priority: Priority, words: Words, text: &str) {
        self.complain_at(Level::SYSTEM_ERROR, at, priority, words, text);
    }

    /// The same at a level of its own.
    pub(super) fn complain_at(&self, level: Level, at: usize, priority: Priority, words: Words, text: &str) {
        let Some(setting) = &self.setting else { return };
        let name = self.name(at);
        let line = match words {
            Words::Milter => format!("Milter ({name}): {text}"),
            Words::Function(function) => format!("{function}({name}){text}"),
        };
        setting.log.write(level, priority, Id::Queue(&self.id), line);
    }
}

/// How a complaint begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum Words {
    Milter,
    Function(&'static str),
}

fn unbraced(word: &[u8]) -> &[u8] {
    word.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")).unwrap_or(word)
}
