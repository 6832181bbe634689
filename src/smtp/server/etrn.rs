//! ETRN.

use bytes::Bytes;

use super::counters::MOST_ETRN;
use super::session::{Action, Input, Session, Step};
use crate::base::bytes::shown;
use crate::base::status::Status;
use crate::log::{Level, Priority};
use crate::policy::{Hook, Verdict};

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Messages for a host, and those below it when the name begins with `@`.
    Node(Bytes),
    /// A queue group.
    Group(Bytes),
}

impl Session {
    pub(super) fn etrn(&mut self, argument: &[u8]) -> Action {
        let argument = argument.trim_ascii_end();
        if self.filtering.is_temporary {
            self.note_temporary("ETRN", argument);
            self.reply(451, Status(4, 3, 2), "Please try again later");
            return Action::Read;
        }
        if !self.offer().etrn {
            let line = format!("{}: ETRN {} [rejected]", shown(&self.client.described), shown(argument));
            self.note(Level::VERIFY, Priority::Info, line);
            self.reply(502, Status(5, 7, 0), "Sorry, we do not allow this operation");
            return Action::Read;
        }
        if argument.is_empty() {
            self.reply(500, Status(5, 5, 2), "Parameter required");
            return Action::Read;
        }
        self.count(|c| &mut c.etrn, MOST_ETRN, "ETRN");
        self.did_something = true;
        let request = match argument.strip_prefix(b"#") {
            Some(group) => Request::Group(Bytes::copy_from_slice(group)),
            None => Request::Node(Bytes::copy_from_slice(argument)),
        };
        self.step = Step::Etrn(request);
        Action::Check(Hook::CheckEtrn, std::iter::once(Bytes::copy_from_slice(argument)).collect())
    }

    pub(super) fn etrn_on(&mut self, request: Request, input: Input<'_>) -> Action {
        match input {
            Input::Verdict(Verdict::Reject(refusal)) => {
                self.refuse(&refusal, b"");
                if refusal.code == 421 { self.close() } else { Action::Read }
            }
            Input::Verdict(_) => {
                let (mark, name) = match &request {
                    Request::Node(name) => ("", name),
                    Request::Group(name) => ("#", name),
                };
                let line = format!("{}: ETRN {mark}{}", shown(&self.client.described), shown(name));
                self.note(Level::VERIFY, Priority::Info, line);
                self.step = Step::Etrn(request.clone());
                Action::Run(request)
            }
            Input::Run(started) => {
                let text = match (&request, started) {
                    (Request::Node(name), _) => format!("Queuing for node {} started", shown(name)),
                    (Request::Group(name), true) => format!("Queuing for queue group {} started", shown(name)),
                    (Request::Group(name), false) => {
                        self.reply(459, Status(4, 5, 4), &format!("Queue {} unknown", shown(name)));
                        return Action::Read;
                    }
                };
                self.reply(250, Status(2, 0, 0), &text);
                Action::Read
            }
            input => {
                self.note(Level::SYSTEM_ERROR, Priority::Critical, format!("ETRN out of step: {input:?}"));
                self.reply(421, Status(4, 3, 0), "Internal error");
                self.close()
            }
        }
    }
}
