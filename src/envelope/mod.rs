//! Envelopes: sender, recipients, and what is known about a message besides its text.
//!
//! In: what sessions, the command line and queue files say. Out: values that queue, deliver and dsn work on. Documents:
//! RFC 5321 §2.3.1, RFC 3461, op guide 2.3.2. Never: looks at a clock, file or socket.

pub mod complete;
pub mod id;
pub mod order;
pub mod recipient;
pub mod routes;
pub mod split;
pub mod told;

use bytes::Bytes;

use crate::base::time::UnixTime;
use crate::macros::Scope;
use crate::message::{HeaderList, fields};

pub use id::QueueId;
pub use recipient::{Controller, Notify, Recipient, State, Triple};
pub use routes::Routes;

/// `BODY=` of MAIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyType {
    /// `7BIT`.
    SevenBit,
    /// `8BITMIME`.
    EightBitMime,
}

/// `RET=` of MAIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ret {
    /// The whole message.
    Full,
    /// Its header.
    Headers,
}

/// Whether the sender is a user of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SenderUser {
    /// Not looked up yet.
    #[default]
    Unknown,
    /// Somebody else's.
    NotLocal,
    /// This user.
    Local(Controller),
}

/// A message's envelope.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Queue id.
    pub id: QueueId,
    /// When it was accepted (`T`).
    pub created: UnixTime,
    /// Last delivery attempt (`K`); `None` before the first.
    pub last_try: Option<UnixTime>,
    /// Attempts so far (`N`).
    pub tries: u32,
    /// Return address without angle brackets, after rewriting; empty for the null sender (`S`).
    pub sender: Bytes,
    /// The sender as given by the peer or on the command line, with what brackets it had; for `arg1=` and replies.
    pub sender_given: Bytes,
    /// The local user behind the sender, for `ctladdr=` and for what is done in the sender's name.
    pub sender_user: SenderUser,
    /// Recipients in the order of the queue file.
    pub recipients: Vec<Recipient>,
    /// Which of them lead to the same mailbox.
    pub routes: Routes,
    /// Header.
    pub headers: HeaderList,
    /// Size of the message in bytes as counted for `size=` and `pri=`.
    pub size_bytes: u64,
    /// Precedence class of the message.
    pub class: i64,
    /// Priority (`P`): lower is tried earlier.
    pub priority: i64,
    /// `BODY=` (`B`).
    pub body_type: Option<BodyType>,
    /// `RET=` (flags `n`, `d`).
    pub ret: Option<Ret>,
    /// `ENVID=` as xtext (`Z`).
    pub envid: Option<Bytes>,
    /// `AUTH=` as xtext (`A`).
    pub auth: Option<Bytes>,
    /// `BY=`: seconds from acceptance and mode letters (`!`).
    pub deliver_by: Option<(i64, Bytes)>,
    /// Why the message is held (`q`).
    pub quarantine: Option<Bytes>,
    /// Status of the whole message (`M`).
    pub message: Option<Bytes>,
    /// Why it was refused as a whole.
    pub refused: Option<Refused>,
    /// What it is.
    pub flags: Flags,
    /// Index of its queue group in the configuration.
    pub queue_group: usize,
    /// Macros of the session and the message (`$_`, `$r`, `$s`, `${daemon_flags}` are saved in the queue file).
    pub scope: Scope,
}

/// A message that nobody gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The reply that says so: code, enhanced code, words.
    pub line: Bytes,
    /// Its queue entry stays without recipients until the next queue run. Source: observed.
    pub leaves_entry: bool,
}

/// Properties of an envelope. The letters are those of the qf `F` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// `8`: the body has bytes above 127.
    pub has_8bit_body: bool,
    /// `b`: the header names other recipients, so `Bcc` is left out; without it an empty `Bcc:` is written.
    pub delete_bcc: bool,
    /// `r`: this is a DSN.
    pub is_response: bool,
    /// `s`: one of several made from one message.
    pub is_split: bool,
    /// `w`: the sender was told of the delay.
    pub warning_sent: bool,
    /// `n` without `d`: a report carries the header alone, because of the message's precedence.
    pub no_body_return: bool,
    /// Blanks separate addresses in its header (`OldStyleHeaders`).
    pub old_style: bool,
    /// A recipient was refused in the session, so that Received names none.
    pub had_refused_recipient: bool,
    /// Discarded by a ruleset: nothing more is done but a log line.
    pub is_discarded: bool,
}

impl Envelope {
    /// How many recipients count for `nrcpts=` and the priority: not what was replaced, repeated or has no route.
    pub fn counted_recipients(&self) -> usize {
        let counts = |r: &&Recipient| match r.state {
            State::Queued | State::Sent => true,
            State::Failed => r.route.is_some(),
            State::Expanded | State::Duplicate | State::Discarded => false,
        };
        self.recipients.iter().filter(counts).count()
    }

    /// How many hosts the message has passed, this one included.
    pub fn hops(&self) -> i64 {
        let trace = self.headers.iter().filter(|h| fields::has(&h.name, fields::TRACE)).count();
        i64::try_from(trace).unwrap_or(i64::MAX)
    }

    /// The recipient named by the sender, when it is only one; for `for` in `Received:`.
    pub fn only_named(&self) -> Option<&Recipient> {
        let mut named = self.recipients.iter().filter(|r| r.parent.is_none() && r.state != State::Duplicate);
        named.next().filter(|_| named.next().is_none() && !self.flags.is_response)
    }

    /// Takes the recipients for which `goes` is true out, with all they were expanded to; how many they were.
    pub fn remove_recipients(&mut self, goes: impl Fn(&Recipient) -> bool) -> usize {
        let mut count = 0;
        // New index of each recipient that stays.
        let mut places: Vec<Option<usize>> = Vec::with_capacity(self.recipients.len());
        let mut kept = Vec::with_capacity(self.recipients.len());
        for mut recipient in std::mem::take(&mut self.recipients) {
            let parent = recipient.parent.map(|at| places.get(at).copied().flatten());
            let is_named = goes(&recipient);
            count += usize::from(is_named);
            if is_named || parent == Some(None) {
                places.push(None);
                continue;
            }
            recipient.parent = parent.flatten();
            places.push(Some(kept.len()));
            kept.push(recipient);
        }
        self.recipients = kept;
        count
    }

    /// Takes recipients from `first` on out that say the same as others.
    pub fn drop_repeated(&mut self, first: usize) {
        let tail = self.recipients.get(first..).unwrap_or_default();
        if tail.iter().all(|r| r.state == State::Duplicate) {
            self.recipients.truncate(first);
        }
    }

    /// A new envelope without recipients.
    pub fn new(id: QueueId, created: UnixTime, scope: Scope) -> Self {
        Self {
            id,
            created,
            last_try: None,
            tries: 0,
            sender: Bytes::new(),
            sender_given: Bytes::new(),
            sender_user: SenderUser::Unknown,
            recipients: Vec::new(),
            routes: Routes::default(),
            headers: HeaderList::default(),
            size_bytes: 0,
            class: 0,
            priority: 0,
            body_type: None,
            ret: None,
            envid: None,
            auth: None,
            deliver_by: None,
            quarantine: None,
            message: None,
            refused: None,
            flags: Flags::default(),
            queue_group: 0,
            scope,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_recipient_stood_for_goes_with_it() {
        let id = QueueId::parse(b"6AM8Wwpk005225").unwrap();
        let mut envelope = Envelope::new(id, UnixTime(0), Scope::default());
        let add = |address: &'static str, parent| Recipient { parent, ..Recipient::new(address) };
        envelope.recipients =
            vec![add("list", None), add("a", Some(0)), add("b", Some(1)), add("c", None), add("d", Some(3))];
        assert_eq!(envelope.remove_recipients(|r| r.address == "list"), 1);
        let left: Vec<_> = envelope.recipients.iter().map(|r| (r.address.as_ref(), r.parent)).collect();
        assert_eq!(left, [(&b"c"[..], None), (b"d", Some(0))]);
    }
}
