//! Start of a session: `check_relay`, `srv_features`, `greet_pause`, the greeting.

use std::time::Duration;

use bytes::Bytes;

use super::filter;
use super::session::{Action, Input, Session, Step};
use crate::base::bytes::{leading_number, shown};
use crate::base::status::Status;
use crate::log::{Level, Priority};
use crate::policy::{Features, Hook, Refusal, Verdict};

/// Where the start of a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greet {
    Relay,
    Features,
    PauseAsked,
    Paused(Duration),
}

impl Session {
    pub(super) fn begin(&mut self) -> Action {
        self.set_protocol(false);
        if self.setting.filters.is_empty() {
            self.note(Level(10), Priority::Info, "Milter: no active filter".to_owned());
        }
        if self.setting.is_stdio {
            return self.ask_features();
        }
        self.step = Step::Greet(Greet::Relay);
        Action::Check(Hook::CheckRelay, [self.client.name.clone(), self.client.address.clone()].into_iter().collect())
    }

    pub(super) fn greet(&mut self, at: Greet, input: Input<'_>) -> Action {
        match (at, input) {
            (Greet::Relay, Input::Verdict(verdict)) => self.relayed(verdict),
            (Greet::Features, Input::Value(value)) => self.featured(value.as_deref()),
            (Greet::PauseAsked, Input::Value(value)) => {
                let pause = value.map_or(0, |v| u64::try_from(leading_number(&v)).unwrap_or(0));
                if pause == 0 {
                    return self.banner();
                }
                let pause = Duration::from_millis(pause).min(LONGEST_PAUSE);
                self.step = Step::Greet(Greet::Paused(pause));
                Action::Pause(pause)
            }
            (Greet::Paused(_), Input::Waited { early: false }) => self.banner(),
            (Greet::Paused(pause), Input::Waited { early: true }) => self.talked_early(pause),
            (_, input) => {
                self.note(Level::SYSTEM_ERROR, Priority::Critical, format!("greeting out of step: {input:?}"));
                self.close()
            }
        }
    }

    fn relayed(&mut self, verdict: Verdict) -> Action {
        match verdict {
            Verdict::Reject(refusal) if refusal.code == 421 => {
                self.replies.line(&refusal.line(b""));
                self.did_something = true;
                return self.close();
            }
            Verdict::Reject(refusal) => self.refusal = Some(refusal),
            Verdict::Discard => self.discards = true,
            Verdict::Accept | Verdict::Quarantine(_) => {}
        }
        self.ask_features()
    }

    fn ask_features(&mut self) -> Action {
        self.step = Step::Greet(Greet::Features);
        Action::Ask(Hook::SrvFeatures, std::iter::once(self.client.name.clone()).collect())
    }

    fn featured(&mut self, value: Option<&[u8]>) -> Action {
        if let Some(value) = value {
            let (features, unknown) = Features::parse(value);
            self.features = features;
            for text in unknown {
                self.note(Level::REJECTED, Priority::Warning, text);
            }
        }
        if self.features.is_temporary && self.refusal.is_none() {
            self.refusal = Some(Refusal::new(450, Status(4, 3, 0), "Please try again later."));
        }
        if self.refusal.is_none() && !self.setting.filters.is_empty() {
            return self.ask_filters(filter::Told::Open, filter::Call::Open);
        }
        self.greet_or_pause()
    }

    /// Behind filters: a pause for those who talk too early, or the greeting at once.
    pub(super) fn greet_or_pause(&mut self) -> Action {
        if self.setting.is_stdio || self.setting.is_smtps || self.refusal.is_some() {
            return self.banner();
        }
        self.step = Step::Greet(Greet::PauseAsked);
        let arguments = [self.client.name.clone(), self.client.address.clone()];
        Action::Ask(Hook::GreetPause, arguments.into_iter().collect())
    }

    fn talked_early(&mut self, pause: Duration) -> Action {
        let line = format!(
            "rejecting commands from {} due to pre-greeting traffic after {} seconds",
            shown(&self.client.described),
            pause.as_secs()
        );
        self.note(Level::SYSTEM_ERROR, Priority::Info, line);
        self.refusal = Some(Refusal::new(550, Status(5, 0, 0), "Command rejected"));
        let text = format!("{} ESMTP not accepting messages", shown(&self.setting.host));
        self.replies.plain(554, text);
        self.step = Step::Command;
        Action::Read
    }

    /// `SmtpGreetingMessage`, with `ESMTP` behind the first word.
    fn banner(&mut self) -> Action {
        let setting = std::sync::Arc::clone(&self.setting);
        let text = setting.config.options.smtp_greeting_message.expand(self.scope());
        let text = with_esmtp(&text);
        self.replies.lines(220, None, text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_start));
        self.step = Step::Command;
        Action::Read
    }
}

/// The greeting with `ESMTP` behind its first word.
fn with_esmtp(text: &[u8]) -> Bytes {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (host, rest) = text.split_at_checked(end).unwrap_or((text, b""));
    [host, b" ESMTP", rest].concat().into()
}

/// Longest pause before the greeting. Source: op guide (`greet_pause`), five minutes.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_stands_behind_the_host_of_the_first_line() {
        assert_eq!(with_esmtp(b"h.test ready\nsecond"), "h.test ESMTP ready\nsecond");
        assert_eq!(with_esmtp(b"h.test"), "h.test ESMTP");
    }
}
