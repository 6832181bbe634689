//! Rulesets, as routing runs them.

use bytes::Bytes;

use super::Router;
use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::config::MailerId;
use crate::envelope::Triple;
use crate::macros::Scope;
use crate::route::{Kind, RouteError};

impl Router {
    /// Rulesets 3 and 0, then 2, `R=` and 4 on the user part; special users and letter case settled.
    pub(super) async fn triple(
        &self,
        address: &[u8],
        is_sender: bool,
        scope: &mut Scope,
    ) -> Result<Triple, RouteError> {
        let _ = (address, is_sender, scope, &self.maps);
        Err(not_ready())
    }

    /// Ruleset 5 on the user part; `None` when it did not resolve to something else.
    pub(super) async fn local(&self, triple: &Triple, scope: &mut Scope) -> Result<Option<Triple>, RouteError> {
        let _ = (triple, scope);
        Ok(None)
    }

    /// See [`Router::rewrite_for_mailer`].
    pub(super) async fn rewritten(
        &self,
        address: &[u8],
        kind: Kind,
        mailer: MailerId,
        scope: &mut Scope,
    ) -> Result<Bytes, RouteError> {
        let _ = (address, kind, mailer, scope);
        Err(not_ready())
    }
}

/// Routing needs the rewriting machine.
fn not_ready() -> RouteError {
    RouteError::new(451, Status(4, 3, 5), Exit::TEMPFAIL, "routing is not available")
}
