//! The router: runs rulesets, maps and file reads for the pure parts of this folder.
//!
//! Being dropped at any await leaves nothing behind: the router only reads.

mod expand;
mod files;
mod rules;
mod users;
mod verify;

use std::sync::Arc;

use bytes::Bytes;

use super::{Depth, Kind, Owner, Resolved, RouteError};
use crate::config::{Config, MailerId};
use crate::envelope::{Controller, Envelope, Recipient, SenderUser, State};
use crate::log::Logger;
use crate::macros::{Scope, names};
use crate::maps::MapSet;
use crate::monitor::Port;
use crate::rewrite::drive::Rewriter;

/// Routes addresses under one configuration. Cheap to clone.
#[derive(Clone)]
pub struct Router {
    config: Arc<Config>,
    rewriter: Rewriter,
    standard: rules::Standard,
    maps: MapSet,
    port: Port,
    log: Logger,
    users: users::Users,
    /// `-n`: names of aliases are those of users.
    leaves_aliases: bool,
}

/// What an expansion did to an envelope.
#[derive(Debug, Default)]
pub struct Expansion {
    /// Recipients that failed while expanding, by index, with the reason.
    pub failures: Vec<(usize, RouteError)>,
    /// Recipients whose address is not well written, with what is wrong; they are used all the same.
    pub remarks: Vec<(usize, RouteError)>,
    /// What `-v` shows of the expansion, each line with the number of failures before it.
    pub notes: Vec<(usize, String)>,
}

impl Expansion {
    fn note(&mut self, line: Option<String>) {
        self.notes.extend(line.map(|line| (self.failures.len(), line)));
    }
}

impl Router {
    /// A router for a configuration, its rules and maps, the port that reads files of users, and a log for what aliases come to.
    pub fn new(config: Arc<Config>, rewriter: Rewriter, port: Port, log: Logger) -> Self {
        let standard = rules::Standard::new(&config);
        let maps = rewriter.maps().clone();
        let users = users::Users::new();
        Self { config, rewriter, standard, maps, port, log, users, leaves_aliases: false }
    }

    /// From now on aliases are not followed (`-n`).
    pub fn leave_aliases(&mut self) {
        self.leaves_aliases = true;
    }

    /// Where an envelope recipient goes: rulesets 3 and 0, and as far as `depth` says whether it exists.
    ///
    /// Sets `$h`, `$u` and `${addr_type}` in `scope`. Errors carry the address as given.
    pub async fn resolve(&self, address: &[u8], depth: Depth, scope: &mut Scope) -> Result<Resolved, RouteError> {
        let rules::Parsed { triple, is_final, .. } =
            self.triple(address, false, scope).await.map_err(|e| e.or_at(address))?;
        let mut resolved = Resolved { triple, address: Bytes::copy_from_slice(address), owner: None, is_alias: false };
        if depth == Depth::Mailbox {
            resolved = self.look_into(resolved, is_final, scope).await.map_err(|e| e.at(address))?;
        }
        scope.set(names::RCPT_HOST_H, resolved.triple.host.clone());
        scope.set(names::RCPT_USER, resolved.triple.user.clone());
        Ok(resolved)
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
        let before = envelope.recipients.len();
        let mut found = Expansion::default();
        self.expand_one(envelope, recipient, depth, &mut found).await;
        if let Some((_, error)) = found.remarks.into_iter().chain(found.failures).next() {
            envelope.recipients.truncate(before);
            envelope.routes.forget();
            return Err(error);
        }
        let Some(first) = envelope.recipients.get(before) else { return Err(RouteError::user_unknown()) };
        let Some(triple) = first.route.clone() else { return Err(RouteError::user_unknown()) };
        Ok(Resolved { triple, address: first.address.clone(), owner: None, is_alias: first.state == State::Expanded })
    }

    /// Routes recipients that have no route yet, and replaces aliases, lists and users with a `.forward` by what they
    /// stand for. Recipients that fail are marked so.
    pub async fn expand(&self, envelope: &mut Envelope) -> Expansion {
        let waiting = |r: &Recipient| (r.route.is_none() || r.is_open) && r.state == State::Queued;
        if !envelope.recipients.iter().any(waiting) {
            return Expansion::default();
        }
        envelope.routes.forget();
        let given = std::mem::take(&mut envelope.recipients);
        let mut found = Expansion::default();
        // Parents keep their indices only while nothing is inserted before them: those with a route come first.
        let mut places = Vec::with_capacity(given.len());
        let mut count = 0;
        for recipient in &given {
            places.push(count);
            count += usize::from(!waiting(recipient));
        }
        let (mut routed, mut open): (Vec<_>, Vec<_>) = given.into_iter().partition(|r| !waiting(r));
        for recipient in routed.iter_mut().chain(&mut open) {
            // A parent does not wait: what it stands for is known.
            recipient.parent = recipient.parent.and_then(|parent| places.get(parent).copied());
        }
        envelope.recipients = routed;
        for recipient in open {
            self.expand_one(envelope, recipient, Depth::Mailbox, &mut found).await;
        }
        found
    }

    /// What an address expands to (EXPN, `-bv`): the recipients that would be delivered to.
    ///
    /// Errors: every fault found, when nothing else was.
    pub async fn list(&self, address: &[u8], envelope: &mut Envelope) -> (Vec<Resolved>, Expansion) {
        let before = envelope.recipients.len();
        let mut expansion = Expansion::default();
        let recipient = Recipient::new(Bytes::copy_from_slice(address));
        self.expand_one(envelope, recipient, Depth::Mailbox, &mut expansion).await;
        let mut found = Vec::new();
        for recipient in envelope.recipients.get(before..).unwrap_or_default() {
            if let (State::Queued, Some(triple)) = (recipient.state, recipient.route.clone()) {
                let owner = self.owner_of(&triple).await.ok().flatten();
                found.push(Resolved { triple, address: recipient.address.clone(), owner, is_alias: false });
            }
        }
        // What is not well written counts as a fault here.
        let remarks = std::mem::take(&mut expansion.remarks);
        expansion.notes.iter_mut().for_each(|(before, _)| *before += remarks.len());
        expansion.failures.splice(0..0, remarks);
        (found, expansion)
    }

    /// The envelope sender: where answers to it would go.
    pub async fn resolve_sender(&self, address: &[u8], scope: &mut Scope) -> Result<Resolved, RouteError> {
        Ok(self.sender_and_focus(address, scope).await?.0)
    }

    /// The sender that a client gave: as [`Self::resolve_sender`], with its text as rulesets 3, 1 and 4 leave it.
    pub async fn receive_sender(&self, address: &[u8], scope: &mut Scope) -> Result<Resolved, RouteError> {
        let (mut resolved, focus) = self.sender_and_focus(address, scope).await?;
        if address != b"<>"
            && let Ok(text) = self.outward_sender(&focus, scope).await
            && !text.is_empty()
        {
            resolved.address = text;
        }
        Ok(resolved)
    }

    async fn sender_and_focus(&self, address: &[u8], scope: &mut Scope) -> Result<(Resolved, Bytes), RouteError> {
        let (rules::Parsed { triple, .. }, focus) =
            self.triple_and_focus(address, true, scope).await.map_err(|e| e.or_at(address))?;
        let owner = self.owner_of(&triple).await.map_err(|e| e.at(address))?;
        Ok((Resolved { triple, address: Bytes::copy_from_slice(address), owner, is_alias: false }, focus))
    }

    /// Whether an address would have to be a user's here, existing or not.
    pub async fn has_mailbox(&self, address: &[u8], scope: &mut Scope) -> bool {
        let mailer = self.triple(address, true, scope).await.ok().map(|parsed| parsed.triple.mailer);
        mailer.and_then(|id| self.config.mailers.get(id.0)).is_some_and(|mailer| mailer.has(b'w'))
    }

    /// The envelope sender as it is kept: rulesets 3, 1 and 4. Nothing when it cannot be parsed.
    pub async fn sender_text(&self, address: &[u8], scope: &mut Scope) -> Option<Bytes> {
        self.outward_text(address, scope).await.ok()
    }

    /// Whether a triple leads to a program, a file or a list of this machine.
    pub fn is_special(&self, triple: &crate::envelope::Triple) -> bool {
        let mailer = self.config.mailers.get(triple.mailer.0);
        mailer.is_some_and(|m| super::recipient::Special::of_mailer(&m.name).is_some())
    }

    /// The local user behind a sender, for `ctladdr=`. `given` is the sender as it was given.
    pub async fn sender_user(&self, address: &[u8], given: &[u8], scope: &mut Scope) -> SenderUser {
        // Source: observed, also of a name with a backslash in front.
        if address.is_empty() || address.starts_with(b"\\") || address.eq_ignore_ascii_case(b"MAILER-DAEMON") {
            return SenderUser::NotLocal;
        }
        match self.resolve_sender(address, scope).await {
            Ok(Resolved { owner: Some(owner), .. }) => SenderUser::Local(Controller {
                user: owner.name,
                uid: owner.uid,
                gid: owner.gid,
                address: Bytes::copy_from_slice(given),
            }),
            _ => SenderUser::NotLocal,
        }
    }

    /// The user whom a recipient is delivered for: who owns the mailbox, or the `.forward` file that named it. Names of
    /// aliases and lists are no users, though there may be one of that name.
    pub async fn owner(&self, recipient: &Recipient) -> Option<Owner> {
        match (&recipient.controller, &recipient.route) {
            (Some(controller), _) => {
                let found = self.users.find(&controller.user).await.ok().flatten();
                found.filter(|owner| (owner.uid, owner.gid) == (controller.uid, controller.gid))
            }
            (None, Some(triple)) => self.owner_of(triple).await.ok().flatten(),
            (None, None) => None,
        }
    }

    /// Reads what the mailbox owner's account says, when the triple's mailer asks for one (`F=w`).
    async fn owner_of(&self, triple: &crate::envelope::Triple) -> Result<Option<Owner>, RouteError> {
        if !self.config.mailers.get(triple.mailer.0).is_some_and(|m| m.has(b'w')) {
            return Ok(None);
        }
        let (_, user) = super::recipient::unescaped(&triple.user);
        let found = self.users.find(&user).await?;
        if found.is_some() {
            return Ok(found);
        }
        if user.iter().any(u8::is_ascii_uppercase) {
            // Logins are in small letters, whatever case F=u keeps. Source: observed.
            let small = self.users.find(&user.to_ascii_lowercase()).await?;
            if small.is_some() {
                return Ok(small);
            }
        }
        if !self.config.options.match_gecos {
            return Ok(None);
        }
        let full_name = super::recipient::full_name(&user, self.config.options.blank_sub);
        self.users.find_by_full_name(full_name).await
    }

    /// An address as a mailer's envelope or header shows it: rulesets 3, 1 or 2, `S=` or `R=`, 4. Phrase and comments of a
    /// header address are kept. What cannot be parsed is returned as it is.
    pub async fn rewrite_for_mailer(
        &self,
        address: &[u8],
        kind: Kind,
        mailer: MailerId,
        scope: &mut Scope,
    ) -> Result<Bytes, RouteError> {
        self.rewritten(address, kind, mailer, scope).await
    }
}

#[cfg(test)]
mod tests;
