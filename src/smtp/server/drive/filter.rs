//! Filters: telling them, and doing to a message what they ask for.

use std::sync::Arc;

use bytes::Bytes;

use super::Drive;
use crate::base::bytes::trim;
use crate::base::status::Status;
use crate::envelope::Recipient;
use crate::log::line::text as text_of;
use crate::log::{Id, Level, Priority, line};
use crate::macros::names;
use crate::milter::Decision;
use crate::milter::drive::{Filters, Said};
use crate::milter::edit::{Change, Fields};
use crate::milter::lines::{Chunks, Unix};
use crate::milter::stage::Stage;
use crate::milter::wire::Edit;
use crate::policy::Refusal;
use crate::queue::drive::{Body, BodyWriter};
use crate::route::recipient::same;
use crate::route::{Depth, Resolved, RouteError};
use crate::smtp::extension::{Fault, dsn, parameter};
use crate::smtp::server::filter::Call;
use crate::smtp::server::session::Input;
use crate::sys::clock;

/// A message between a filter's edits.
struct Edited {
    fields: Fields,
    body: Option<(BodyWriter, Unix)>,
    /// The message is refused for what a filter asked.
    refusal: Option<Refusal>,
    /// The message is refused for now.
    is_temporary: bool,
}

impl Drive {
    /// Tells the filters of a step.
    pub(super) async fn filter(&mut self, call: Call) -> Input<'static> {
        let id = self.session.id().as_str().to_owned();
        self.filters.go_by(&id);
        let decision = match call {
            Call::Open => {
                let site = Arc::clone(&self.server.site);
                let names = &self.server.setting.filters;
                let (filters, decision) = Filters::open(&site.config, names, &site.log, &id).await;
                let is_on = decision == Decision::Continue && filters.is_active();
                self.filters = filters;
                return Input::FiltersOpen(decision, is_on);
            }
            Call::Connect => {
                let client = self.session.client.clone();
                let address = self.around.remote.map(|remote| (remote.ip().to_canonical(), remote.port()));
                let scope = self.scope_with_id(&id);
                self.filters.connect(&scope, &client.name, address, &client.address).await
            }
            Call::Helo(name) => {
                if self.session.take_abort() {
                    self.filters.abort().await;
                }
                let scope = self.scope_with_id(&id);
                self.filters.helo(&scope, &name).await
            }
            Call::Mail(arguments) => self.filters.mail(self.session.scope(), &arguments).await,
            Call::Rcpt { arguments, is_refused } => {
                self.filters.rcpt(self.session.scope(), &arguments, is_refused).await
            }
            Call::Data => self.filters.data(self.session.scope()).await,
            Call::Unknown(line) => self.filters.unknown(self.session.scope(), &line).await,
        };
        Input::Filtered(decision)
    }

    /// Macros of the session; a transaction has its id among them.
    fn scope_with_id(&mut self, id: &str) -> crate::macros::Scope {
        let mut scope = self.session.scope().clone();
        scope.set(names::QUEUE_ID, id.to_owned());
        scope
    }

    /// Shows a complete message to each filter in turn, with what those before made of it. The body that goes on.
    ///
    /// Memory: one piece of the body in each direction, whatever its length.
    pub(super) async fn filter_message(&mut self, mut body: Body) -> Result<Body, Refusal> {
        self.is_held_by_filter = false;
        self.filtered_size = None;
        if self.session.envelope().is_some_and(|e| e.flags.is_discarded) {
            self.accept();
            return Ok(body);
        }
        let site = Arc::clone(&self.server.site);
        let Some(envelope) = self.session.envelope() else { return Ok(body) };
        let fields = Fields::new(&envelope.headers, &site.config);
        if let Some(id) = envelope.headers.last("message-id").map(|h| Bytes::copy_from_slice(trim(h.text()))) {
            envelope.scope.set(names::MSG_ID, id);
        }
        let mut edited = Edited { fields, body: None, refusal: None, is_temporary: false };
        for at in 0..self.filters.len() {
            let decision = self.show(at, &edited.fields, &body).await?;
            let decision = if decision == Decision::Continue { self.edits(at, &mut edited).await } else { decision };
            if let Some(replaced) = self.replaced(&mut edited).await? {
                body = replaced;
            }
            let decision = if edited.is_temporary { Decision::TempFail } else { decision };
            if let Some(refusal) = edited.refusal.take() {
                self.accept();
                return Err(refusal);
            }
            if let Some(refusal) = self.session.message_filtered(&decision) {
                self.log_notes();
                return Err(refusal);
            }
            self.log_notes();
            if decision == Decision::Discard {
                self.filters.abort().await;
                return Ok(body);
            }
        }
        self.accept();
        let size = u64::try_from(edited.fields.counted_bytes(&site.config.names)).unwrap_or(u64::MAX);
        self.filtered_size = Some(size.saturating_add(body.len()));
        if let Some(envelope) = self.session.envelope() {
            envelope.headers = edited.fields.into_list();
        }
        Ok(body)
    }

    fn accept(&self) {
        self.filters.note(Level::MILTER, "Milter accept: message");
    }

    /// Header and body to one filter.
    async fn show(&mut self, at: usize, fields: &Fields, body: &Body) -> Result<Decision, Refusal> {
        match self.filters.takes_message(at) {
            Err(decision) => return Ok(decision),
            Ok(false) => return Ok(Decision::Continue),
            Ok(true) => {}
        }
        let decision = self.filters.header(at, self.session.scope(), fields.told()).await;
        if decision != Decision::Continue || !self.filters.wants(at, Stage::Body) {
            return Ok(decision);
        }
        self.filters.note_body(at, "body, send");
        let decision = self.show_body(at, body).await;
        self.filters.note_body(at, "body, sent");
        decision
    }

    async fn show_body(&mut self, at: usize, body: &Body) -> Result<Decision, Refusal> {
        let mut chunks = Chunks::default();
        let mut offset = 0u64;
        while offset < body.len() {
            let block = match body.block(offset).await {
                Ok(block) => block,
                Err(error) => return Err(self.unreadable(&error.to_string())),
            };
            offset = offset.saturating_add(block.len() as u64);
            let mut rest: &[u8] = &block;
            while !rest.is_empty() {
                rest = chunks.fill(rest);
                if chunks.is_full()
                    && let Some(piece) = chunks.piece()
                {
                    let decision = self.filters.body(at, self.session.scope(), &piece).await;
                    if decision != Decision::Continue || !self.filters.wants(at, Stage::Body) {
                        return Ok(decision);
                    }
                }
            }
        }
        while let Some(piece) = chunks.piece() {
            let decision = self.filters.body(at, self.session.scope(), &piece).await;
            if decision != Decision::Continue || !self.filters.wants(at, Stage::Body) {
                return Ok(decision);
            }
        }
        Ok(Decision::Continue)
    }

    fn unreadable(&self, error: &str) -> Refusal {
        let id = self.session.id().as_str().to_owned();
        self.server.site.log.system_error(Id::Queue(&id), "root", error);
        Refusal::new(451, Status(4, 3, 0), "queue file read error")
    }

    /// The end of the message to one filter, and everything it asks for.
    async fn edits(&mut self, at: usize, edited: &mut Edited) -> Decision {
        if let Err(decision) = self.filters.end(at, self.session.scope()).await {
            return decision;
        }
        loop {
            match self.filters.said(at).await {
                Said::Edit(edit) => self.edit(at, edit, edited).await,
                Said::Done(decision) => {
                    let words = match &decision {
                        Decision::Reject => "reject".to_owned(),
                        Decision::TempFail => "tempfail".to_owned(),
                        Decision::Discard => "discard".to_owned(),
                        Decision::Reply(text) => format!("reject={}", text_of(text)),
                        Decision::Continue | Decision::Shutdown => return decision,
                    };
                    self.filters.note_decision(Level::MILTER_CONTINUES, at, words);
                    if decision == Decision::Reject {
                        self.filters.note(Level::MILTER_ACTIONS, "Milter: reject, data");
                    }
                    return decision;
                }
            }
        }
    }

    async fn edit(&mut self, at: usize, edit: Edit, edited: &mut Edited) {
        match edit {
            Edit::AddHeader { name, value } => {
                let change = edited.fields.add(&name, self.value(at, &value));
                self.note_change(at, &change, &name, &value);
            }
            Edit::InsertHeader { index, name, value } => {
                edited.fields.insert(index, &name, self.value(at, &value));
                let (name, value) = (text_of(&name), text_of(&value));
                self.filters.note_edit(at, format_args!("insert ({index}): header: {name}: {value}"));
            }
            Edit::ChangeHeader { index, name, value } => {
                let new = if value.is_empty() { Bytes::new() } else { self.value(at, &value) };
                let change = edited.fields.change(index, &name, new);
                self.note_change(at, &change, &name, &value);
            }
            Edit::AddRecipient(path) => self.add_recipient(at, &path, b"").await,
            Edit::AddRecipientWith { path, parameters } => self.add_recipient(at, &path, &parameters).await,
            Edit::DeleteRecipient(path) => self.delete_recipient(at, &path, edited).await,
            Edit::ChangeSender { path, parameters } => self.change_sender(at, &path, parameters).await,
            Edit::Quarantine(reason) => {
                let text = format!("quarantine={}", text_of(&reason));
                self.filters.note_decision(Level::MILTER_RESULTS, at, text);
                self.session.hold(reason);
                self.is_held_by_filter = true;
            }
            Edit::Body(piece) => self.replace_body(at, &piece, edited).await,
        }
    }

    /// A header value as the message holds it: with a blank in front, unless the filter gives its own.
    fn value(&self, at: usize, value: &Bytes) -> Bytes {
        if self.filters.gives_blanks(at) { value.clone() } else { [b" ", value.as_ref()].concat().into() }
    }

    fn note_change(&self, at: usize, change: &Change, name: &[u8], value: &[u8]) {
        let (name, value) = (text_of(name), text_of(value));
        let kind = |is_default: bool| if is_default { " (default header)" } else { "" };
        let was = |former: &Option<Bytes>| former.as_ref().map_or("<NULL>".to_owned(), |f| text_of(f).to_string());
        let text = match change {
            Change::Added => format!("add: header: {name}: {value}"),
            Change::DefaultChanged => format!("change: default header {name} value with {value}"),
            Change::Inserted => return,
            Change::ChangedByAdding => format!("change (add): header: {name}: {value}"),
            Change::NothingToDelete => format!("delete (noop): header: {name}"),
            Change::Deleted { is_default, former } => {
                format!("delete: header{} {name}:{}", kind(*is_default), was(former))
            }
            Change::Changed { is_default, former } => {
                format!("change: header{} {name}: from {} to {value}", kind(*is_default), was(former))
            }
        };
        self.filters.note_edit(at, text);
    }

    /// A recipient more. One that cannot be had is told of as one that was accepted and failed.
    async fn add_recipient(&mut self, at: usize, path: &Bytes, parameters: &[u8]) {
        self.filters.note_edit(at, format_args!("add: rcpt: {}", text_of(path)));
        let mut recipient = Recipient::new(path.clone());
        if let Err(fault) = recipient_parameters(&mut recipient, parameters) {
            return self.session.blame_message(fault.text.as_bytes());
        }
        let Err(error) = self.admit(recipient.clone()).await else { return };
        if error.status == Status(5, 1, 1) {
            return self.note_unknown(path, &error);
        }
        // The attempt fails it, and reports that.
        self.session.blame_message(error.shown().as_bytes());
        if let Some(envelope) = self.session.envelope() {
            envelope.recipients.push(recipient);
        }
    }

    /// Takes a recipient as it is given, when it exists: what it stands for is looked at when filters had their say.
    pub(super) async fn admit(&mut self, recipient: Recipient) -> Result<Resolved, RouteError> {
        let site = Arc::clone(&self.server.site);
        let depth = self.depth();
        let Some(envelope) = self.session.envelope() else { return Err(RouteError::user_unknown()) };
        let mut scope = envelope.scope.clone();
        site.router.resolve(&recipient.address, depth, &mut scope).await?;
        let before = envelope.recipients.len();
        let added = site.router.add(envelope, recipient, Depth::Rulesets).await;
        envelope.drop_repeated(before);
        added
    }

    /// The line about a recipient that does not exist; nobody else is told. Source: observed.
    fn note_unknown(&mut self, path: &Bytes, error: &RouteError) {
        self.session.blame_message(error.text.as_bytes());
        let Some(envelope) = self.session.envelope() else { return };
        let (dsn, reply) = (error.status.to_string(), error.line());
        let line = line::To {
            to: &[path],
            delay: clock::now().since(envelope.created),
            priority: envelope.priority,
            mailer: b"local",
            dsn: &dsn,
            reply: reply.as_bytes(),
            stat: error.text.as_bytes(),
            ..line::To::default()
        };
        for text in line.lines() {
            self.log(Level::FAILURE, Priority::Info, &text);
        }
    }

    async fn delete_recipient(&mut self, at: usize, path: &Bytes, edited: &mut Edited) {
        let site = Arc::clone(&self.server.site);
        let Some(envelope) = self.session.envelope() else { return };
        let mut scope = envelope.scope.clone();
        let count = match site.router.resolve(path, Depth::Rulesets, &mut scope).await {
            Ok(resolved) => envelope.remove_recipients(|r| {
                let leads_there = |route| same(&site.config, route, &resolved.triple);
                r.parent.is_none() && r.route.as_ref().is_some_and(leads_there) || r.waits_as(path)
            }),
            Err(error) if error.waits.is_some() => envelope.remove_recipients(|r| r.waits_as(path)),
            Err(error) => {
                // Source: observed: the client hears of an address that is none.
                let text = error.shown();
                edited.refusal = Some(Refusal::new(error.reply, error.status, text));
                0
            }
        };
        self.filters.note_edit(at, format_args!("delete: rcpt {}, naddrs={count}", text_of(path)));
    }

    async fn change_sender(&mut self, at: usize, path: &Bytes, parameters: Bytes) {
        self.filters.note_edit(at, format_args!("chgfrom: {}", text_of(path)));
        let site = Arc::clone(&self.server.site);
        match site.router.receive_sender(path, self.session.scope()).await {
            Ok(resolved) => {
                if let Err(fault) = self.session.change_sender(path, &resolved, parameters) {
                    self.session.blame_message(fault.text.as_bytes());
                }
            }
            Err(error) => {
                let text = format!(
                    "setsender: {}: invalid or unparsable, received from {}",
                    text_of(path),
                    text_of(&self.session.client.described)
                );
                self.log(Level(1), Priority::Notice, &text);
                self.session.blame_message(error.shown().as_bytes());
                if let Some(envelope) = self.session.envelope() {
                    // Nobody is left to be told of failures.
                    envelope.sender = envelope.scope.text(names::DAEMON_USER);
                    envelope.sender_given = envelope.sender.clone();
                }
            }
        }
    }

    /// A piece of a new body. It grows beside the old one, which filters behind do not see any more.
    async fn replace_body(&mut self, at: usize, piece: &[u8], edited: &mut Edited) {
        if !self.filters.may_replace_body(at) {
            edited.is_temporary = true;
            return;
        }
        let Ok(spool) = self.server.site.spool().cloned() else { return };
        if edited.body.is_none() {
            self.filters.note_edit(at, "message: body replaced");
            // Under an id of its own: the old body may be in a file already.
            edited.body = Some((spool.start_body(&spool.new_id()), Unix::default()));
        }
        let Some((writer, unix)) = &mut edited.body else { return };
        let mut text = Vec::with_capacity(piece.len());
        unix.take(piece, &mut text);
        if let Err(error) = writer.write(&text).await {
            edited.refusal = Some(self.not_taken(&error));
        }
    }

    /// The body that a filter gave, when it gave one.
    async fn replaced(&mut self, edited: &mut Edited) -> Result<Option<Body>, Refusal> {
        let Some((mut writer, unix)) = edited.body.take() else { return Ok(None) };
        let mut rest = Vec::new();
        unix.finish(&mut rest);
        let written = match writer.write(&rest).await {
            Ok(()) => writer.finish().await,
            Err(error) => Err(error),
        };
        match written {
            Ok(body) => Ok(Some(body)),
            Err(error) => Err(self.not_taken(&error)),
        }
    }
}

/// `NOTIFY=` and `ORCPT=` of a recipient that a filter adds.
fn recipient_parameters(recipient: &mut Recipient, text: &[u8]) -> Result<(), Fault> {
    let mut rest = text;
    while let Some(parameter) = parameter::next(&mut rest) {
        match parameter.keyword.to_ascii_uppercase().as_slice() {
            b"NOTIFY" => recipient.notify = dsn::notify(parameter.value)?,
            b"ORCPT" => recipient.original = Some(dsn::orcpt(parameter.value)?),
            _ => return Err(Fault::unrecognized(parameter.keyword)),
        }
    }
    Ok(())
}
