//! The router: runs rulesets, maps and file reads for the pure parts of this folder.
//!
//! Being dropped at any await leaves nothing behind: the router only reads.

use std::sync::Arc;

use bytes::Bytes;

use super::{Depth, Kind, Resolved, RouteError};
use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::config::{Config, MailerId};
use crate::envelope::{Envelope, Recipient};
use crate::macros::Scope;
use crate::maps::MapSet;

/// Routes addresses under one configuration. Cheap to clone.
#[derive(Clone)]
pub struct Router {
    config: Arc<Config>,
    maps: MapSet,
}

/// What an expansion did to an envelope.
#[derive(Debug, Default)]
pub struct Expansion {
    /// Envelopes split off for lists with an owner: same message, other sender and recipients, ids to be given.
    pub clones: Vec<Envelope>,
    /// Recipients that failed while expanding, by index, with the reason.
    pub failures: Vec<(usize, RouteError)>,
}

impl Router {
    /// A router for a configuration and its maps.
    pub fn new(config: Arc<Config>, maps: MapSet) -> Self {
        Self { config, maps }
    }

    /// Where an envelope recipient goes: rulesets 3 and 0, and as far as `depth` says.
    ///
    /// Sets `$h`, `$u`, `${addr_type}` and `${rcpt_…}` in `scope`.
    pub async fn resolve(&self, address: &[u8], depth: Depth, scope: &mut Scope) -> Result<Resolved, RouteError> {
        let _ = (address, depth, scope, &self.config, &self.maps);
        Err(not_ready())
    }

    /// Adds a recipient to an envelope, with everything it expands to (RCPT, command line).
    ///
    /// Errors: the first fault found while expanding, with its own address; the envelope is then as before.
    pub async fn add(
        &self,
        envelope: &mut Envelope,
        recipient: Recipient,
        depth: Depth,
    ) -> Result<Resolved, RouteError> {
        let _ = (envelope, recipient, depth);
        Err(not_ready())
    }

    /// The envelope sender: where answers to it would go, and its text in external form (`$f`).
    pub async fn resolve_sender(&self, address: &[u8], scope: &mut Scope) -> Result<Resolved, RouteError> {
        let _ = (address, scope);
        Err(not_ready())
    }

    /// Replaces aliases, lists and users with a `.forward` by what they stand for, until only deliverable recipients are left.
    pub async fn expand(&self, envelope: &mut Envelope) -> Expansion {
        let _ = envelope;
        Expansion::default()
    }

    /// What an address expands to, one level (EXPN) or to the end (`-bv`): the recipients that would be delivered to.
    pub async fn list(&self, address: &[u8], scope: &mut Scope) -> Result<Vec<Resolved>, RouteError> {
        let _ = (address, scope);
        Err(not_ready())
    }

    /// An address as a mailer's envelope or header shows it: rulesets 3, 1 or 2, `S=` or `R=`, 4.
    pub async fn rewrite_for_mailer(
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
