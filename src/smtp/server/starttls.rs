//! STARTTLS.

use bytes::Bytes;

use super::session::{Action, Input, Session, Step};
use crate::base::status::Status;
use crate::log::{Level, Priority};
use crate::macros::names;
use crate::policy::{Hook, Verdict};

/// Where STARTTLS stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    Prepare,
    Handshake,
    Check,
}

impl Session {
    pub(super) fn starttls(&mut self, argument: &[u8]) -> Action {
        if !argument.trim_ascii_end().is_empty() {
            self.reply(501, Status(5, 5, 2), "Syntax error (no parameters allowed)");
            return Action::Read;
        }
        if self.has_tls && !self.is_tls && !self.offers_tls() {
            self.reply(503, Status(5, 5, 0), "TLS not available");
            return Action::Read;
        }
        if self.is_tls || !self.has_tls {
            self.reply(454, Status(4, 3, 3), "TLS not available after start");
            return Action::Read;
        }
        // Source: observed: what is open goes on, and may be ended with RSET.
        if self.transaction.as_ref().is_some_and(|t| t.is_open) {
            self.reply(503, Status(5, 5, 0), "TLS not permitted during a mail transaction");
            return Action::Read;
        }
        self.step = Step::Tls(Tls::Prepare);
        Action::PrepareTls
    }

    pub(super) fn tls_on(&mut self, at: Tls, input: Input<'_>) -> Action {
        match (at, input) {
            (Tls::Prepare, Input::TlsPrepared(false)) => {
                self.reply(454, Status(4, 3, 3), "TLS currently not available");
                Action::Read
            }
            (Tls::Prepare, Input::TlsPrepared(true)) => {
                self.drop_transaction();
                self.reply(220, Status(2, 0, 0), "Ready to start TLS");
                self.step = Step::Tls(Tls::Handshake);
                Action::StartTls
            }
            (Tls::Handshake, Input::Tls(false)) => self.close(),
            (Tls::Handshake, Input::Tls(true)) => {
                self.is_tls = true;
                self.forget_auth();
                self.greeted = false;
                self.counters.helo = 0;
                self.helo_name = Bytes::new();
                self.scope().unset(names::HELO);
                self.set_protocol(false);
                let verify = self.scope().text(names::VERIFY);
                self.step = Step::Tls(Tls::Check);
                Action::Check(Hook::TlsClient, [verify, Bytes::from_static(b"STARTTLS")].into_iter().collect())
            }
            (Tls::Check, Input::Verdict(verdict)) => {
                if let Verdict::Reject(refusal) = verdict {
                    if refusal.code == 421 {
                        self.replies.line(&refusal.line(b""));
                        return self.close();
                    }
                    // Nothing that matters is done any more. Source: observed.
                    self.refusal = Some(refusal);
                }
                Action::Read
            }
            (_, input) => {
                self.note(Level::SYSTEM_ERROR, Priority::Critical, format!("STARTTLS out of step: {input:?}"));
                self.close()
            }
        }
    }
}
