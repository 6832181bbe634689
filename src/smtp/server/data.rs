//! DATA.

use super::filter;
use super::session::{Action, Input, Session, Step};
use crate::base::bytes::shown;
use crate::base::status::Status;
use crate::envelope::QueueId;
use crate::log::{Level, Priority};
use crate::macros::names;
use crate::policy::{Hook, Refusal, Verdict};

/// Where DATA stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Data {
    Check,
    Probe,
    Collect,
}

/// What became of a message.
#[derive(Debug)]
pub enum Outcome {
    /// It is in the queue, or was dropped as a ruleset said.
    Accepted(QueueId),
    /// It was read and refused.
    Refused(Refusal),
    /// Reading it cannot go on: this reply, then the end.
    Broken(Refusal),
    /// The client went away while it was read.
    Gone,
}

impl Session {
    pub(super) fn data(&mut self) -> Action {
        let Some(transaction) = self.transaction.as_ref().filter(|t| t.is_open) else {
            self.reply(503, Status(5, 0, 0), "Need MAIL command");
            return Action::Read;
        };
        let count = transaction.envelope.recipients.len();
        if count == 0 {
            self.reply(503, Status(5, 0, 0), "Need RCPT (recipient)");
            return Action::Read;
        }
        self.forget_recipient();
        self.scope().set(names::NRCPTS, count.to_string());
        self.step = Step::Data(Data::Check);
        Action::Check(Hook::CheckData, std::iter::once(count.to_string().into()).collect())
    }

    pub(super) fn data_on(&mut self, at: Data, input: Input<'_>) -> Action {
        match (at, input) {
            (Data::Check, Input::Verdict(verdict)) => {
                match verdict {
                    Verdict::Reject(refusal) => {
                        self.refuse(&refusal, b"");
                        return if refusal.code == 421 { self.close() } else { Action::Read };
                    }
                    Verdict::Discard => self.with_envelope(|e| e.flags.is_discarded = true),
                    Verdict::Quarantine(reason) => self.quarantine(reason),
                    Verdict::Accept => {}
                }
                self.step = Step::Data(Data::Probe);
                if self.features.has(b'F') { self.data_on_probe(false) } else { Action::Probe }
            }
            (Data::Probe, Input::Waited { early }) => self.data_on_probe(early),
            (Data::Collect, Input::Message(outcome)) => self.collected(outcome),
            (_, input) => {
                self.note(Level::SYSTEM_ERROR, Priority::Critical, format!("DATA out of step: {input:?}"));
                self.reply(421, Status(4, 3, 0), "Internal error");
                self.close()
            }
        }
    }

    fn data_on_probe(&mut self, early: bool) -> Action {
        if early {
            let client = shown(&self.client.described).to_string();
            let line = format!("rejecting server DATA from {client} due to traffic before response");
            self.note(Level::SYSTEM_ERROR, Priority::Info, line);
            self.reply(554, Status(5, 5, 0), "SMTP protocol error");
            return self.close();
        }
        if self.asks_filters() {
            return self.ask_filters(filter::Told::Data, filter::Call::Data);
        }
        self.take_message()
    }

    /// The client may send.
    pub(super) fn take_message(&mut self) -> Action {
        self.step = Step::Data(Data::Collect);
        self.replies.plain(354, "End data with <CR><LF>.<CR><LF>");
        Action::Collect
    }

    fn collected(&mut self, outcome: Outcome) -> Action {
        match outcome {
            Outcome::Accepted(id) => {
                self.reply(250, Status(2, 0, 0), &format!("{id} Message accepted for delivery"));
                self.drop_transaction();
                Action::Read
            }
            Outcome::Refused(refusal) => {
                self.refuse(&refusal, b"");
                let ends = refusal.code == 421;
                self.drop_transaction();
                if ends { self.close() } else { Action::Read }
            }
            Outcome::Broken(refusal) => {
                self.replies.line(&refusal.line(b""));
                self.close()
            }
            Outcome::Gone => self.close(),
        }
    }
}
