//! Expansion of recipients: aliases, lists, `.forward` files, until only deliverable ones are left.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::files::{AddressFile, Refusal};
use super::rules::Parsed;
use super::{Expansion, Router};
use crate::address::list::split;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::limits;
use crate::base::status::{Classify as _, Status};
use crate::config::Mailer;
use crate::envelope::{Controller, Envelope, Recipient, State, Triple};
use crate::log::{Id, Level, Priority};
use crate::macros::{Scope, names};
use crate::maps::userdb::{MAILDROP, MAILSENDER};
use crate::maps::{AliasName, Answer};
use crate::route::recipient::{Special, same, unescaped};
use crate::route::{Depth, Owner, Resolved, RouteError, alias, list};

/// A recipient on its way in.
struct Work {
    recipient: Recipient,
    level: usize,
    refusal: Option<Refusal>,
    /// What a watcher sees before it.
    note: Option<String>,
    /// What it was named with, for debug output.
    line: Vec<Bytes>,
}

/// What a recipient came to.
enum Placed {
    /// It stays, or is done for.
    Here,
    /// It is the user with this index, whose `.forward` leads back.
    Back(usize),
    /// It stands for these, in the order in which they are looked at.
    Instead(Vec<Named>, Origin),
}

/// An address that an alias, a list or a `.forward` names.
struct Named {
    address: Bytes,
    place: Option<Bytes>,
    note: Option<String>,
    /// All that stands with it, for the one that is looked at first.
    line: Vec<Bytes>,
}

/// Where expanded addresses come from.
struct Origin {
    controller: Option<Controller>,
    owner: Option<Bytes>,
    is_alias: bool,
    refusal: Option<Refusal>,
    /// What a watcher sees of the expansion itself.
    note: Option<String>,
}

impl Router {
    /// Adds a recipient and all that it expands to; failed ones are marked and reported by index.
    pub(super) async fn expand_one(
        &self,
        envelope: &mut Envelope,
        recipient: Recipient,
        depth: Depth,
        found: &mut Expansion,
    ) {
        let first = envelope.recipients.len();
        let before = found.failures.len();
        let mut stack = vec![Work { recipient, level: 0, refusal: None, note: None, line: Vec::new() }];
        while let Some(Work { mut recipient, level, refusal, note, line }) = stack.pop() {
            self.trace_line(envelope, recipient.parent, &line).await;
            let index = envelope.recipients.len();
            found.note(note);
            if let (Some(error), Some(alias)) = (self.deeper_than_allowed(level), recipient.parent) {
                // The alias that leads too far has failed. Source: observed.
                fail(envelope, alias, &error);
                found.failures.push((alias, error));
                continue;
            }
            envelope.routes.follow(&envelope.recipients);
            let mut remark = None;
            let placed = if index >= limits::EXPANSION {
                Err(too_deep(level, limits::EXPANSION))
            } else {
                self.place(envelope, &mut recipient, refusal, depth, &mut remark).await
            };
            let address = recipient.address.clone();
            found.remarks.extend(remark.map(|remark: RouteError| (index, remark.at(&address))));
            let place = recipient.place.clone();
            if matches!(placed, Ok(Placed::Here)) && recipient.state == State::Duplicate && recipient.parent.is_none() {
                found.note(Some(format!("{}... duplicate suppressed", shown(&address))));
            }
            for complaint in self.maps.take_complaints() {
                let is_first = complaint.starts_with("WARNING: ");
                found.note(Some(if is_first { format!("{}... {complaint}", shown(&address)) } else { complaint }));
            }
            if let Err(error) = &placed {
                recipient.state = State::Failed;
                recipient.status = Some(error.reported());
                recipient.message = Some(error.text.clone().into());
            }
            if !self.config.options.me_too && recipient.state == State::Queued {
                self.replace_left_out(envelope, &recipient);
            }
            envelope.recipients.push(recipient);
            match placed {
                Ok(Placed::Here) => {}
                Ok(Placed::Back(user)) => stay(envelope, user),
                Ok(Placed::Instead(named, origin)) => {
                    found.note(origin.note.clone());
                    let parent = envelope.recipients.get(index).cloned();
                    let is_one = named.len() == 1;
                    for Named { address, place, note, line } in named.into_iter().rev() {
                        let mut recipient = child(address, index, parent.as_ref(), &origin);
                        recipient.place = place.or_else(|| parent.as_ref().and_then(|p| p.place.clone()));
                        recipient.is_primary = is_one && parent.as_ref().is_some_and(|p| p.is_primary);
                        // A list tells next hops nothing of what its sender wants to know. Source: observed.
                        recipient.notify.is_given &= is_one && origin.owner.is_none();
                        stack.push(Work { recipient, level: level + 1, refusal: origin.refusal, note, line });
                    }
                }
                Err(error) => {
                    let mut error = if error.address.is_empty() { error.at(&address) } else { error };
                    error.place = place.map(|place| shown(&place).to_string()).unwrap_or_default();
                    if let Some(alias) = self.alias_of_itself(envelope, index, &error) {
                        found.failures.push((alias, error.clone()));
                    }
                    found.failures.push((index, error));
                }
            }
        }
        self.keep_who_forwards_to_nobody(envelope, first);
        // What leads to nobody but itself is a loop.
        let leads_nowhere = |r: &Recipient| matches!(r.state, State::Expanded | State::Duplicate);
        let came = envelope.recipients.get(first..).unwrap_or_default();
        let is_loop =
            came.len() > 1 && came.iter().all(leads_nowhere) && came.iter().any(|r| self.is_back(envelope, r));
        if is_loop && found.failures.len() == before {
            let error = broken();
            fail(envelope, first, &error);
            if let Some(first) = envelope.recipients.get_mut(first) {
                first.route = None;
            }
            found.failures.push((first, error));
        }
    }

    /// Whether an address that was resolved exists: alias, other mailer by ruleset 5, mailbox.
    pub(super) async fn look_into(
        &self,
        mut resolved: Resolved,
        mut is_final: bool,
        scope: &mut Scope,
    ) -> Result<Resolved, RouteError> {
        for _ in 0..limits::ALIAS_DEPTH {
            let Some(mailer) = self.config.mailers.get(resolved.triple.mailer.0) else { break };
            if !self.leaves_aliases && mailer.has(b'A') && self.alias(&resolved.triple, scope).await?.is_some() {
                resolved.is_alias = true;
                return Ok(resolved);
            }
            let asks = mailer.has(b'5') && !is_final;
            let next = if asks { self.local(&resolved.triple, scope).await? } else { None };
            let Some(next) = next else { break };
            resolved.triple = next.triple;
            is_final = next.is_final;
        }
        let asks_for_user = self.config.mailers.get(resolved.triple.mailer.0).is_some_and(|m| m.has(b'w'));
        if asks_for_user {
            let owner = self.owner_of(&resolved.triple).await?.ok_or_else(RouteError::user_unknown)?;
            if owner.name.eq_ignore_ascii_case(&resolved.triple.user) {
                resolved.triple.user = owner.name.clone();
            }
            resolved.owner = Some(owner);
        }
        Ok(resolved)
    }

    async fn place(
        &self,
        envelope: &Envelope,
        recipient: &mut Recipient,
        refusal: Option<Refusal>,
        depth: Depth,
        remark: &mut Option<RouteError>,
    ) -> Result<Placed, RouteError> {
        let mut scope = envelope.scope.clone();
        let Parsed { mut triple, mut is_final, remark: found } = self.parsed(recipient, &mut scope).await?;
        *remark = found;
        name_for_reports(recipient, Some(&triple), &scope);
        for _ in 0..=limits::ALIAS_DEPTH {
            recipient.route = Some(triple.clone());
            let Some(mailer) = self.config.mailers.get(triple.mailer.0) else { return Ok(Placed::Here) };
            if let Some(special) = Special::of_mailer(&mailer.name) {
                return self.place_special(special, &triple, recipient, refusal).await;
            }
            let known = self.known(envelope, recipient, &triple);
            if let Some(user) = known.ancestor().filter(|at| forwards(envelope, recipient, *at)) {
                // Who is named by the own `.forward`, or by one further on, gets the message as it was. Source: observed.
                recipient.state = State::Duplicate;
                return Ok(Placed::Back(user));
            }
            if known == Known::New && recipient.parent.is_some() && self.is_sender(envelope, &triple).await {
                // Nothing is to be done, yet it counts. Source: observed.
                recipient.state = State::Sent;
                return Ok(Placed::Here);
            }
            let is_self = match known {
                Known::New => false,
                Known::Itself(_) | Known::Loop(_) => true,
                Known::Already => {
                    recipient.state = State::Duplicate;
                    return Ok(Placed::Here);
                }
            };
            recipient.is_open = depth != Depth::Mailbox;
            match depth {
                Depth::Rulesets => return Ok(Placed::Here),
                Depth::Existence => {
                    let address = recipient.address.clone();
                    let resolved = Resolved { triple, address, owner: None, is_alias: false };
                    self.look_into(resolved, is_final, &mut scope).await?;
                    return Ok(Placed::Here);
                }
                Depth::Mailbox => {}
            }
            let (is_escaped, _) = unescaped(&triple.user);
            if mailer.has(b'A') && !is_escaped && !is_self {
                self.trace(1, format_args!("alias({})", shown(&triple.user)));
            }
            if mailer.has(b'A')
                && !self.leaves_aliases
                && !is_escaped
                && !is_self
                && let Some(value) = self.alias(&triple, &mut scope).await?
            {
                return self.by_alias(envelope, &triple, recipient, &value, &mut scope).await;
            }
            if mailer.has(b'@')
                && !is_final
                && !is_escaped
                && !is_self
                && let Some(placed) = self.by_user_database(&triple, recipient)?
            {
                return Ok(placed);
            }
            let asks = mailer.has(b'5') && !is_final;
            let next = if asks { self.local(&triple, &mut scope).await? } else { None };
            let Some(next) = next else {
                let stays = is_escaped || (is_self && self.was_forwarded(envelope, recipient, &triple));
                let placed = self.place_mailbox(envelope, mailer, &triple, recipient, stays, &scope);
                return match placed.await {
                    Err(error) if matches!(known, Known::Loop(_)) && error.exit == Exit::NOUSER => {
                        self.place_in_loop(envelope, recipient, &scope).await
                    }
                    placed => placed,
                };
            };
            triple = next.triple;
            is_final = next.is_final;
            let address = &recipient.address;
            recipient.controller.get_or_insert_with(|| self.nobody(address));
        }
        Err(too_deep(limits::ALIAS_DEPTH, limits::ALIAS_DEPTH))
    }

    /// Whether a name came back to itself by way of a `.forward`, which is not followed again then. Source: observed.
    fn was_forwarded(&self, envelope: &Envelope, recipient: &Recipient, triple: &Triple) -> bool {
        let mut below = recipient;
        while let Some(above) = below.parent.and_then(|index| envelope.recipients.get(index)) {
            if !below.is_from_alias {
                return true;
            }
            if above.route.as_ref().is_some_and(|route| same(&self.config, route, triple)) {
                return false;
            }
            below = above;
        }
        true
    }

    /// A name that leads back to itself, and is nobody's: it ends at the nearest user on its way, or adds nobody.
    /// Source: observed.
    async fn place_in_loop(
        &self,
        envelope: &Envelope,
        recipient: &mut Recipient,
        scope: &Scope,
    ) -> Result<Placed, RouteError> {
        let mut at = recipient.parent;
        while let Some((index, above)) = at.and_then(|index| Some((index, envelope.recipients.get(index)?))) {
            at = above.parent.filter(|next| *next < index);
            let Some(triple) = above.route.clone() else { continue };
            let Some(mailer) = self.config.mailers.get(triple.mailer.0) else { continue };
            if self.owner_of(&triple).await?.is_none() {
                continue;
            }
            if self.known(envelope, recipient, &triple) == Known::Already {
                break;
            }
            recipient.address = above.address.clone();
            recipient.route = Some(triple.clone());
            let stays = self.was_forwarded(envelope, recipient, &triple);
            return self.place_mailbox(envelope, mailer, &triple, recipient, stays, scope).await;
        }
        recipient.state = State::Duplicate;
        Ok(Placed::Here)
    }

    /// Where a recipient goes before aliases. One that cannot be parsed now waits under its name. Source: observed.
    async fn parsed(&self, recipient: &mut Recipient, scope: &mut Scope) -> Result<Parsed, RouteError> {
        if let Some(triple) = recipient.route.take() {
            return Ok(Parsed { triple, is_final: false, remark: None });
        }
        if recipient.parent.is_some() {
            self.check_listed(&recipient.address)?;
        }
        let parsed = self.triple_with_remark(&recipient.address, false, scope).await;
        if parsed.as_ref().is_err_and(RouteError::is_temporary) {
            name_for_reports(recipient, None, scope);
        }
        parsed
    }

    /// What ruleset 5 makes of an address goes on in its name, without a user behind it. Source: observed.
    fn nobody(&self, address: &Bytes) -> Controller {
        let user = &self.config.options.default_user;
        Controller { user: Bytes::new(), uid: user.uid, gid: user.gid, address: address.clone() }
    }

    async fn place_special(
        &self,
        special: Special,
        triple: &Triple,
        recipient: &mut Recipient,
        refusal: Option<Refusal>,
    ) -> Result<Placed, RouteError> {
        if recipient.parent.is_none() && recipient.controller.is_none() {
            let text = format!("Cannot mail directly to {}", special.plural());
            return Err(RouteError::new(550, Status(5, 7, 1), Exit::USAGE, text));
        }
        if special != Special::Include {
            return match refusal {
                None => Ok(Placed::Here),
                Some(why) => Err(refused(why, special, recipient)),
            };
        }
        self.trace(2, format_args!("include({})", shown(&triple.user)));
        let AddressFile { text, uid, gid, refusal } =
            self.include_file(&triple.user, recipient.controller.as_ref()).await?;
        recipient.state = State::Expanded;
        let controller = Some(Controller {
            user: triple.user.clone(),
            uid,
            gid,
            address: [&b":include:"[..], &triple.user].concat().into(),
        });
        let path = shown(&triple.user);
        let note = Some(format!("{}... including file {path}", shown(&recipient.address)));
        let named = named_in_file(&list::lines(&text), &triple.user, "sending");
        Ok(Placed::Instead(named, Origin { controller, owner: None, is_alias: true, refusal, note }))
    }

    async fn by_alias(
        &self,
        envelope: &Envelope,
        triple: &Triple,
        recipient: &mut Recipient,
        value: &Bytes,
        scope: &mut Scope,
    ) -> Result<Placed, RouteError> {
        let addresses = split(value);
        let (host, user) = (shown(&triple.host), shown(&triple.user));
        self.trace(1, format_args!("{} ({host}, {user}) aliased to {}", shown(&recipient.address), shown(value)));
        self.log.write(
            Level::ALIAS,
            Priority::Info,
            Id::Queue(envelope.id.as_str()),
            format_args!("alias {} => {}", shown(&recipient.address), shown(value)),
        );
        recipient.state = State::Expanded;
        let owner = match alias::owner_key(&triple.user) {
            Some(key) => {
                let of = Triple { mailer: triple.mailer, host: Bytes::new(), user: key.clone() };
                self.alias(&of, scope).await?.map(|value| alias::owner(&key, &value))
            }
            None => None,
        };
        // Whoever led here: what an alias names is done in the name of that alias. Source: observed.
        let controller = Some(Controller {
            user: triple.user.clone(),
            uid: self.config.options.default_user.uid,
            gid: 0,
            address: recipient.address.clone(),
        });
        let note = Some(format!("{}... aliased to {}", shown(&recipient.address), shown(value)));
        // The last one is looked at first. Source: observed.
        let mut line = addresses.clone();
        let named = |address| Named { address, place: None, note: None, line: std::mem::take(&mut line) };
        let named = addresses.into_iter().rev().map(named).collect();
        Ok(Placed::Instead(named, Origin { controller, owner, is_alias: true, refusal: None, note }))
    }

    /// What the user database has for a user whom no alias replaces (`F=@`); `None` when it has nothing, or the user itself.
    ///
    /// Source: op guide 5.12.2; observed: golden userdb.
    fn by_user_database(&self, triple: &Triple, recipient: &mut Recipient) -> Result<Option<Placed>, RouteError> {
        let ask = |field| {
            self.maps.user_values(&triple.user, field).map_err(|why| {
                self.log.write(Level::COLLECT, Priority::Notice, Id::NoQueue, format_args!("user database: {why}"));
                RouteError::new(451, Status(4, 3, 0), Exit::TEMPFAIL, "user database unavailable")
            })
        };
        let addresses = ask(MAILDROP)?;
        if addresses.is_empty() || addresses.iter().all(|address| *address == triple.user) {
            return Ok(None);
        }
        let owner = ask(MAILSENDER)?.into_iter().next();
        recipient.state = State::Expanded;
        let controller = recipient.controller.clone();
        let named =
            addresses.into_iter().map(|address| Named { address, place: None, note: None, line: Vec::new() }).collect();
        Ok(Some(Placed::Instead(named, Origin { controller, owner, is_alias: true, refusal: None, note: None })))
    }

    async fn place_mailbox(
        &self,
        envelope: &Envelope,
        mailer: &Mailer,
        triple: &Triple,
        recipient: &mut Recipient,
        stays: bool,
        scope: &Scope,
    ) -> Result<Placed, RouteError> {
        if !mailer.has(b'w') {
            // What a list with an owner sends on is sent in the owner's name.
            if recipient.owner.is_some() {
                recipient.controller = None;
            }
            return Ok(Placed::Here);
        }
        let owner = self.owner_of(triple).await?.ok_or_else(RouteError::user_unknown)?;
        // Who gets what an alias or a list sends on is the user; the name it came by stays. Source: observed.
        recipient.controller = recipient
            .controller
            .take()
            .filter(|_| recipient.owner.is_none())
            .map(|from| Controller { user: owner.name.clone(), uid: owner.uid, gid: owner.gid, address: from.address });
        if let Some(route) = &mut recipient.route {
            route.user = owner.name.clone();
        }
        if stays {
            return Ok(Placed::Here);
        }
        self.trace(1, format_args!("forward({})", shown(&recipient.address)));
        let paths = self.forward_paths(triple, &owner, scope);
        let Some((path, file)) = self.forward_file(Id::Queue(envelope.id.as_str()), &paths, &owner).await? else {
            return Ok(Placed::Here);
        };
        let lines = list::lines(&file.text);
        if lines.is_empty() {
            return Ok(Placed::Here);
        }
        let addresses: Vec<Bytes> = lines.iter().flat_map(|line| line.addresses.clone()).collect();
        self.log.write(
            Level::ALIAS,
            Priority::Info,
            Id::Queue(envelope.id.as_str()),
            format_args!("forward {} => {}", shown(&path), shown(&addresses.join(&b","[..]))),
        );
        recipient.state = State::Expanded;
        let controller = Some(Controller {
            user: owner.name.clone(),
            uid: owner.uid,
            gid: owner.gid,
            address: recipient.address.clone(),
        });
        let named = named_in_file(&lines, &path, "forwarding");
        let origin = Origin { controller, owner: None, is_alias: false, refusal: file.refusal, note: None };
        Ok(Placed::Instead(named, origin))
    }

    /// Debug output: whether what a line names is an alias that it came from. Source: observed.
    async fn trace_line(&self, envelope: &Envelope, parent: Option<usize>, line: &[Bytes]) {
        if !self.log.tracer().is_on(27, 1) {
            return;
        }
        for address in line {
            self.trace(1, format_args!("self_reference({})", shown(address)));
            let mut chain = Vec::new();
            let mut at = parent;
            while let Some((index, above)) = at.and_then(|index| Some((index, envelope.recipients.get(index)?))) {
                chain.extend(above.route.clone());
                at = above.parent.filter(|next| *next < index);
            }
            let Some(found) = chain.iter().find(|above| above.user.eq_ignore_ascii_case(address)).cloned() else {
                self.trace(1, "\t... no self ref");
                continue;
            };
            let mut is_user = false;
            for route in std::iter::once(&found).chain(&chain) {
                is_user = self.owner_of(route).await.ok().flatten().is_some();
                let end = if is_user { "found" } else { "failed" };
                self.trace(2, format_args!("\t... getpwnam({})... {end}", shown(&route.user)));
                if is_user {
                    break;
                }
            }
            if !is_user {
                self.trace(1, format_args!("\t... cannot break loop for \"{}\"", shown(address)));
            }
        }
    }

    /// Debug output of category 27.
    pub(super) fn trace(&self, level: u16, text: impl std::fmt::Display) {
        self.log.tracer().say(27, level, text);
    }

    /// `ForwardPath` with the user's home, name and host put in.
    fn forward_paths(&self, triple: &Triple, owner: &Owner, scope: &Scope) -> Vec<Bytes> {
        let mut scope = scope.clone();
        scope.set(names::HOME, owner.home.clone());
        scope.set(names::RCPT_USER, owner.name.clone());
        scope.set(names::RCPT_HOST_H, triple.host.clone());
        let text = self.config.options.forward_path.expand(&scope);
        text.split(|b| *b == b':').filter(|p| p.starts_with(b"/")).map(Bytes::copy_from_slice).collect()
    }

    /// Value of an alias; `None` when there is none.
    async fn alias(&self, triple: &Triple, scope: &mut Scope) -> Result<Option<Bytes>, RouteError> {
        let Some(map) = self.maps.find(b"aliases") else { return Ok(None) };
        let arguments = if triple.host.is_empty() { Vec::new() } else { vec![triple.host.clone()] };
        let key = alias::key(&triple.user);
        self.check_alias_names(scope).await;
        let mut answer = self.maps.lookup(map, &key, &arguments, scope).await;
        if matches!(answer, Answer::NotFound(_)) && key != triple.user {
            answer = self.maps.lookup(map, &triple.user, &arguments, scope).await;
        }
        match answer {
            Answer::Found(value) | Answer::Instead(value) => Ok(Some(value)),
            Answer::NotFound(_) => Ok(None),
            Answer::Temporary(why) => {
                self.log.write(Level::DIALOGUE, Priority::Notice, Id::NoQueue, format_args!("alias database: {why}"));
                Err(RouteError::new(451, Status(4, 3, 0), Exit::TEMPFAIL, "alias database unavailable"))
            }
        }
    }

    /// Looks at the names of an alias text that serves in place of a database, as a rebuilding does. Source: observed
    /// (debug/rulesets).
    async fn check_alias_names(&self, scope: &Scope) {
        for AliasName { file, line, name } in self.maps.take_unchecked_names() {
            let mut scope = scope.clone();
            let mailer = match Box::pin(self.resolve(&name, Depth::Rulesets, &mut scope)).await {
                Ok(found) => self.config.mailers.get(found.triple.mailer.0),
                Err(_) => None,
            };
            if !mailer.is_some_and(|mailer| mailer.has(b'A')) {
                let text = format!("{}: line {line}: {}... cannot alias non-local names", file.display(), shown(&name));
                self.log.system_error(Id::NoQueue, "root", text);
            }
        }
    }

    /// Whether this is the sender, who gets nothing of what lists send on when `MeToo` is off. Source: op guide 5.6.
    async fn is_sender(&self, envelope: &Envelope, triple: &Triple) -> bool {
        if self.config.options.me_too || envelope.sender.is_empty() {
            return false;
        }
        let mut scope = envelope.scope.clone();
        let sender = self.triple(&envelope.sender, true, &mut scope).await;
        sender.is_ok_and(|sender| same(&self.config, &sender.triple, triple))
    }

    /// The sender whom a list has named before counts once.
    fn replace_left_out(&self, envelope: &mut Envelope, recipient: &Recipient) {
        let Some(route) = &recipient.route else { return };
        let is_same = |r: &Recipient| r.route.as_ref().is_some_and(|other| same(&self.config, other, route));
        for other in envelope.recipients.iter_mut().filter(|r| is_left_out(r) && is_same(r)) {
            other.state = State::Duplicate;
        }
    }

    /// Whether a recipient was left out because an alias on the way to it has its name.
    fn is_back(&self, envelope: &Envelope, recipient: &Recipient) -> bool {
        let Some(triple) = recipient.route.as_ref().filter(|_| recipient.state == State::Duplicate) else {
            return false;
        };
        self.known(envelope, recipient, triple).ancestor().is_some()
    }

    /// Why an address that so many aliases led to is not looked at.
    fn deeper_than_allowed(&self, level: usize) -> Option<RouteError> {
        let most = usize::try_from(self.config.options.max_alias_recursion).unwrap_or(limits::ALIAS_DEPTH);
        (level > most).then(|| too_deep(level, most))
    }

    /// The alias that named itself, where no mailbox has its name: it has failed too. Source: observed (alias/chains).
    fn alias_of_itself(&self, envelope: &mut Envelope, index: usize, error: &RouteError) -> Option<usize> {
        let route = envelope.recipients.get(index)?.route.clone()?;
        let at = envelope.recipients.get(index)?.parent?;
        let alias = envelope.recipients.get(at)?;
        if error.exit != Exit::NOUSER || !alias.route.as_ref().is_some_and(|r| same(&self.config, r, &route)) {
            return None;
        }
        fail(envelope, at, error);
        Some(at)
    }

    /// Whether a recipient leads where another one leads already. An alias or list on the way here is no such other: it
    /// was replaced, and its name now means the mailbox.
    fn known(&self, envelope: &Envelope, recipient: &Recipient, triple: &Triple) -> Known {
        let equal = |other: &Recipient| other.route.as_ref().is_some_and(|r| same(&self.config, r, triple));
        let mut ancestors = Vec::new();
        let mut at = recipient.parent;
        while let Some((index, parent)) = at.and_then(|index| Some((index, envelope.recipients.get(index)?))) {
            ancestors.push(index);
            at = parent.parent.filter(|next| *next < index);
        }
        let alike = envelope.routes.find(triple.mailer.0, &triple.user).iter();
        let is_elsewhere = alike
            .filter_map(|index| Some((index, envelope.recipients.get(*index)?)))
            .filter(|(_, other)| other.state != State::Duplicate && !is_left_out(other))
            .any(|(index, other)| equal(other) && !ancestors.contains(index));
        if is_elsewhere {
            return Known::Already;
        }
        let found = ancestors.iter().position(|index| envelope.recipients.get(*index).is_some_and(equal));
        match found.and_then(|at| Some((at, *ancestors.get(at)?))) {
            None => Known::New,
            Some((0, parent)) => Known::Itself(parent),
            Some((_, ancestor)) => Known::Loop(ancestor),
        }
    }

    /// Users whose `.forward` names nobody that was not named before get the message themselves; an alias that was followed
    /// before counts as somebody. Source: observed.
    fn keep_who_forwards_to_nobody(&self, envelope: &mut Envelope, first: usize) {
        let came = envelope.recipients.get(first..).unwrap_or_default();
        let mut adds: BTreeMap<usize, bool> = BTreeMap::new();
        for recipient in came.iter().filter(|r| !r.is_from_alias) {
            if let Some(user) = recipient.parent {
                let is_known = recipient.state == State::Duplicate && !self.is_alias_again(envelope, recipient);
                *adds.entry(user).or_default() |= !is_known;
            }
        }
        for (user, _) in adds.into_iter().filter(|(_, adds)| !adds) {
            stay(envelope, user);
        }
    }

    /// Whether a recipient is an alias that was followed for another one.
    fn is_alias_again(&self, envelope: &Envelope, recipient: &Recipient) -> bool {
        let Some(triple) = &recipient.route else { return false };
        let is_alias = |index| envelope.recipients.iter().any(|r| r.parent == Some(index) && r.is_from_alias);
        envelope.recipients.iter().enumerate().any(|(index, other)| {
            other.state == State::Expanded
                && other.route.as_ref().is_some_and(|route| same(&self.config, route, triple))
                && is_alias(index)
        })
    }
}

/// What a file names: line by line, each from its end. Source: observed.
fn named_in_file(lines: &[list::Line], path: &[u8], verb: &str) -> Vec<Named> {
    let mut named = Vec::new();
    for line in lines {
        let place = format!("{}: line {}: ", shown(path), line.number);
        let mut note = Some(format!("{place}{verb} to {}", shown(&line.text)));
        let mut all = line.addresses.clone();
        for address in line.addresses.iter().rev() {
            let place = Some(Bytes::from(place.clone()));
            named.push(Named { address: address.clone(), place, note: note.take(), line: std::mem::take(&mut all) });
        }
    }
    named
}

/// The name of the recipient in DSNs, when it has none yet: what the rulesets made of it where that has a host, else its address,
/// else its user with our name. Source: observed.
fn name_for_reports(recipient: &mut Recipient, triple: Option<&Triple>, scope: &Scope) {
    if recipient.final_recipient.is_some() {
        return;
    }
    let given = alias::bare(&recipient.address);
    let bare = match triple {
        Some(triple) if triple.user.contains(&b'@') => triple.user.clone(),
        Some(triple) if !given.contains(&b'@') && !triple.user.is_empty() => triple.user.clone(),
        _ => given,
    };
    let mut text = b"RFC822; ".to_vec();
    text.extend_from_slice(&bare);
    if !bare.contains(&b'@') {
        text.push(b'@');
        text.extend_from_slice(&scope.text(names::HOST));
    }
    recipient.final_recipient = Some(text.into());
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Nobody else leads there.
    New,
    /// Its own alias names it: the recipient with this index.
    Itself(usize),
    /// An alias further up names it.
    Loop(usize),
    /// Another recipient leads there.
    Already,
}

impl Known {
    /// The alias or user whose name it is.
    fn ancestor(self) -> Option<usize> {
        match self {
            Self::Itself(at) | Self::Loop(at) => Some(at),
            Self::New | Self::Already => None,
        }
    }
}

/// Whether it is the `.forward` of an ancestor that leads to a recipient, and no alias.
fn forwards(envelope: &Envelope, recipient: &Recipient, ancestor: usize) -> bool {
    let mut below = recipient;
    while let Some(parent) = below.parent.filter(|parent| *parent != ancestor) {
        let Some(next) = envelope.recipients.get(parent) else { return false };
        below = next;
    }
    below.parent == Some(ancestor) && !below.is_from_alias
}

/// A user whose `.forward` was followed is a recipient all the same.
fn stay(envelope: &mut Envelope, index: usize) {
    if let Some(user) = envelope.recipients.get_mut(index).filter(|user| user.state == State::Expanded) {
        user.state = State::Queued;
    }
}

fn child(address: Bytes, index: usize, parent: Option<&Recipient>, origin: &Origin) -> Recipient {
    let mut recipient = Recipient::new(address);
    recipient.parent = Some(index);
    recipient.is_primary = false;
    recipient.is_from_alias = origin.is_alias;
    recipient.controller.clone_from(&origin.controller);
    recipient.owner.clone_from(&origin.owner);
    if let Some(parent) = parent {
        recipient.notify = parent.notify;
        recipient.original.clone_from(&parent.original);
        recipient.final_recipient.clone_from(&parent.final_recipient);
        recipient.owner = recipient.owner.or_else(|| parent.owner.clone());
    }
    recipient
}

fn refused(why: Refusal, special: Special, recipient: &Recipient) -> RouteError {
    let from = recipient.controller.as_ref();
    let text = match why {
        Refusal::NoShell => format!(
            "User {} doesn't have a valid shell for mailing to {}",
            shown(&from.map(|c| c.user.clone()).unwrap_or_default()),
            special.plural()
        ),
        Refusal::Unsafe => format!(
            "Address {} is unsafe for mailing to {}",
            shown(&from.map(|c| c.address.clone()).unwrap_or_default()),
            special.plural()
        ),
    };
    RouteError::new(550, Status(5, 7, 1), Exit::UNAVAILABLE, text)
}

/// Whether a list has named the sender, who gets nothing of it: who names him otherwise means him.
fn is_left_out(recipient: &Recipient) -> bool {
    recipient.state == State::Sent && recipient.success.is_none() && recipient.last_try.is_none()
}

/// Marks a recipient as failed that was placed before.
fn fail(envelope: &mut Envelope, index: usize, error: &RouteError) {
    if let Some(recipient) = envelope.recipients.get_mut(index) {
        recipient.state = State::Failed;
        recipient.status = Some(error.reported());
        recipient.message = Some(error.text.clone().into());
    }
}

/// A loop without a mailbox in it. Source: observed.
fn broken() -> RouteError {
    RouteError::new(554, Status(5, 4, 6), Exit::USAGE, "aliasing/forwarding loop broken")
}

fn too_deep(level: usize, most: usize) -> RouteError {
    let text = format!("aliasing/forwarding loop broken ({level} aliases deep; {most} max)");
    RouteError::new(554, Status(5, 4, 6), Exit::USAGE, text)
}
