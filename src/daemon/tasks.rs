//! What the daemon is doing, for its title, the control socket and the log.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::config::Config;
use crate::sys::title;

/// Sessions and refusals as they stand.
#[derive(Debug)]
pub(super) struct Tasks {
    /// `ProcessTitlePrefix` and a colon; empty without it.
    prefix: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The title while nothing is refused.
    usual: String,
    next: u64,
    sessions: BTreeMap<u64, IpAddr>,
    /// Why a listener takes no connections, by its name.
    refusals: BTreeMap<Bytes, String>,
    /// Why no messages are taken.
    no_messages: Option<String>,
}

impl Tasks {
    /// Of a program that has just begun.
    pub(super) fn new(config: &Config) -> Self {
        let prefix = config.options.process_title_prefix.as_ref().map(|template| template.expand(&config.scope()));
        let prefix = prefix.filter(|prefix| !prefix.is_empty());
        let prefix = prefix.map(|prefix| format!("{}: ", String::from_utf8_lossy(&prefix))).unwrap_or_default();
        Self { prefix, state: Mutex::default() }
    }

    /// Sets what the title says while nothing special happens.
    pub(super) fn set_usual(&self, text: impl Into<String>) {
        let mut state = self.state();
        state.usual = text.into();
        self.show(&state);
    }

    /// A session begins; its number.
    pub(super) fn begin(&self, client: IpAddr) -> u64 {
        let mut state = self.state();
        state.next += 1;
        let number = state.next;
        state.sessions.insert(number, client);
        number
    }

    /// The session is over.
    pub(super) fn end(&self, number: u64) {
        self.state().sessions.remove(&number);
    }

    /// A listener refuses connections, or takes them again.
    pub(super) fn refuse(&self, listener: &Bytes, why: Option<&str>) {
        let mut state = self.state();
        let is_news = match why {
            Some(why) => state.refusals.insert(listener.clone(), why.to_owned()).as_deref() != Some(why),
            None => state.refusals.remove(listener).is_some(),
        };
        if is_news {
            self.show(&state);
        }
    }

    /// No message is taken, for this reason, or all are again; whether that is news.
    pub(super) fn refuse_messages(&self, why: Option<String>) -> bool {
        let mut state = self.state();
        let is_news = state.no_messages != why;
        state.no_messages = why;
        if is_news {
            self.show(&state);
        }
        is_news
    }

    /// Clients of all sessions.
    pub(super) fn clients(&self) -> Vec<IpAddr> {
        self.state().sessions.values().copied().collect()
    }

    /// What the daemon as a whole is doing.
    pub(super) fn title(&self) -> String {
        words(&self.state())
    }

    fn show(&self, state: &State) {
        title::set(format!("sendmail: {}{}", self.prefix, words(state)).as_bytes());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn words(state: &State) -> String {
    match state.refusals.last_key_value() {
        Some((name, why)) => format!("rejecting connections on daemon {}: {why}", String::from_utf8_lossy(name)),
        None => match &state.no_messages {
            Some(why) => format!("rejecting new messages: {why}"),
            None => state.usual.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_tells_of_refusals_while_they_last() {
        let tasks = Tasks::new(&Config::default());
        tasks.set_usual("accepting connections");
        let name = Bytes::from_static(b"MTA");
        tasks.refuse(&name, Some("load average: 30"));
        assert_eq!(tasks.title(), "rejecting connections on daemon MTA: load average: 30");
        tasks.refuse(&name, None);
        assert_eq!(tasks.title(), "accepting connections");
        assert!(tasks.refuse_messages(Some("min free: 5".to_owned())));
        assert_eq!(tasks.title(), "rejecting new messages: min free: 5");
        assert!(!tasks.refuse_messages(Some("min free: 5".to_owned())) && tasks.refuse_messages(None));
        let ip = IpAddr::from([192, 0, 2, 1]);
        let (one, _two) = (tasks.begin(ip), tasks.begin(ip));
        tasks.end(one);
        assert_eq!(tasks.clients(), [ip]);
    }
}
