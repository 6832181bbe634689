//! Agents: what speaks to a next hop. Here is what they share.

use std::sync::Arc;

use bytes::Bytes;

use super::attempt::Attempt;
use super::{compat, file, network, program};
use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::config::{Config, Mailer, MailerId};
use crate::deliver::outcome::{Outcome, Verdict};
use crate::deliver::plan::Batch;
use crate::envelope::Recipient;
use crate::log::statistics::Event;
use crate::macros::{Scope, names};
use crate::route::{Kind, Owner};
use crate::sys::clock;

/// What came of a batch.
pub(super) struct Delivered {
    /// The next hop as the log names it; empty when there is none.
    pub(super) relay: Bytes,
    /// Recipients that share an outcome, with it.
    pub(super) results: Vec<(Vec<usize>, Outcome)>,
}

impl Delivered {
    /// One outcome for all.
    pub(super) fn all(relay: impl Into<Bytes>, recipients: &[usize], outcome: Outcome) -> Self {
        Self { relay: relay.into(), results: vec![(recipients.to_vec(), outcome)] }
    }
}

/// A batch with what agents need to know of it.
pub(super) struct Load {
    pub(super) config: Arc<Config>,
    pub(super) id: MailerId,
    /// Recipients of the batch, by index, in the order they are named.
    pub(super) recipients: Vec<usize>,
    pub(super) host: Bytes,
    /// `$g`: the sender as this mailer writes it; empty for the null sender.
    pub(super) sender: Bytes,
    /// Macros of the batch.
    pub(super) scope: Scope,
    /// Who owns the mailbox of the first recipient.
    pub(super) owner: Option<Owner>,
    /// When the try began.
    pub(super) started: std::time::Instant,
}

impl Load {
    pub(super) fn mailer(&self) -> Option<&Mailer> {
        self.config.mailers.get(self.id.0)
    }

    /// `$g` as programs are told: never empty.
    pub(super) fn sender_shown(&self) -> Bytes {
        self.scope.text(names::SENDER_FOR_RECIPIENT)
    }
}

/// Sends a batch on its way.
pub(super) async fn deliver(attempt: &mut Attempt, batch: &Batch) -> Delivered {
    let config = Arc::clone(&attempt.site.config);
    let Some(mailer) = config.mailers.get(batch.mailer.0) else {
        let outcome = Outcome::failed(Exit::CONFIG, Status(5, 3, 5), "Local configuration error");
        return Delivered::all(Bytes::new(), &batch.recipients, outcome);
    };
    let limit = u64::try_from(mailer.max_size).unwrap_or(0);
    if limit > 0 && attempt.envelope.size_bytes > limit {
        let text = format!("Message is too large; {limit} bytes max");
        let mut outcome = Outcome::failed(Exit::UNAVAILABLE, Status(5, 2, 3), text);
        outcome.reply_code = 552;
        return Delivered::all(batch.host.clone(), &batch.recipients, outcome);
    }
    let mut recipients = batch.recipients.clone();
    let refused = compat::check(attempt, &mut recipients).await;
    if recipients.is_empty() {
        return Delivered { relay: Bytes::new(), results: refused };
    }
    let batch = Batch { mailer: batch.mailer, host: batch.host.clone(), recipients };
    let load = load(attempt, &config, &batch).await;
    let mut delivered = if mailer.is_network() || program::is_dialogue(mailer) {
        network::deliver(attempt, &load).await
    } else {
        let delivered =
            if mailer.is_file() { file::deliver(attempt, &load).await } else { program::deliver(attempt, &load).await };
        if delivered.results.iter().any(|(_, outcome)| outcome.verdict == Verdict::Sent) {
            count_handed_over(attempt, &load);
        }
        delivered
    };
    delivered.results.extend(refused);
    delivered
}

/// Counts a message that a mailer took, for whatever recipients.
pub(super) fn count_handed_over(attempt: &Attempt, load: &Load) {
    attempt.site.statistics.count(Event::To(load.id.0, attempt.envelope.size_bytes));
}

pub(super) async fn load(attempt: &Attempt, config: &Arc<Config>, batch: &Batch) -> Load {
    let envelope = &attempt.envelope;
    let mut scope = envelope.scope.clone();
    scope.set(names::QUEUE_ID, envelope.id.to_string());
    scope.set(names::RCPT_HOST_H, batch.host.clone());
    let user = batch.recipients.first().and_then(|i| envelope.recipients.get(*i)).map(user_of).unwrap_or_default();
    scope.set(names::RCPT_USER, user);
    let mut owner = None;
    if let Some(first) = batch.recipients.first().and_then(|i| envelope.recipients.get(*i)) {
        scope.set(names::DSN_NOTIFY, first.notify.words());
        owner = attempt.site.router.owner(first).await;
    }
    if let Some(owner) = &owner {
        scope.set(names::HOME, owner.home.clone());
    }
    if let Some(port) = config.options.client_port_options.first() {
        scope.set(names::CLIENT_FLAGS, port.modifiers.as_flags());
    }
    let sender = if envelope.sender.is_empty() { Bytes::from_static(NULL_SENDER) } else { envelope.sender.clone() };
    let rewritten =
        attempt.site.router.rewrite_for_mailer(&sender, Kind::ENVELOPE_SENDER, batch.mailer, &mut scope).await;
    let shown = rewritten.unwrap_or(sender);
    scope.set(names::SENDER_FOR_RECIPIENT, shown.clone());
    let has = |flag| config.mailers.get(batch.mailer.0).is_some_and(|m| m.has(flag));
    let is_null = envelope.sender.is_empty() || envelope.sender.eq_ignore_ascii_case(NULL_SENDER);
    // F=g: reports come from somebody.
    let sender = if is_null && !(has(b'g') && envelope.flags.is_response) {
        Bytes::new()
    } else if has(b'p') && !shown.starts_with(b"@") && !is_local(attempt, &envelope.sender).await {
        // F=p: a reverse-path that shows the way; who is here needs none. Source: observed.
        [b"@", attempt.site.host.as_ref(), b":", &shown].concat().into()
    } else {
        shown
    };
    Load {
        config: Arc::clone(config),
        id: batch.mailer,
        recipients: batch.recipients.clone(),
        host: batch.host.clone(),
        sender,
        scope,
        owner,
        started: clock::monotonic(),
    }
}

/// Whether answers to a sender stay here.
async fn is_local(attempt: &Attempt, sender: &Bytes) -> bool {
    let sender = if sender.is_empty() { &Bytes::from_static(NULL_SENDER) } else { sender };
    let mut scope = attempt.envelope.scope.clone();
    let resolved = attempt.site.router.resolve_sender(sender, &mut scope).await.ok();
    let mailer = resolved.and_then(|resolved| attempt.site.config.mailers.get(resolved.triple.mailer.0));
    mailer.is_some_and(|mailer| mailer.has(b'l'))
}

/// `$u` of a recipient.
pub(super) fn user_of(recipient: &Recipient) -> Bytes {
    recipient.route.as_ref().map(|r| r.user.clone()).unwrap_or_default()
}

/// The sender of a DSN where a mailer needs a name.
const NULL_SENDER: &[u8] = b"MAILER-DAEMON";
