//! A filter's part in a session, as a machine: which steps it is told, what its answers mean.

use bytes::Bytes;

use super::Decision;
use super::reply::Reply;
use super::stage::{self, Stage};
use super::wire::{self, Answer, Edit, Options, action, step};

/// How far a filter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Between messages.
    Open,
    /// Within a message.
    InMessage,
    /// It said its last word about the message.
    Done,
    /// It said its last word about the session; it is told of its end.
    Over,
    /// It failed; what `F=` says holds from here on.
    Failed,
    /// It failed, or was left out, and is not missed.
    Closed,
}

/// What a filter says to one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Go on.
    Continue,
    /// Nothing more needs to be asked about this message or session.
    Accept,
    /// No more of the body; elsewhere the same as going on.
    Skip,
    /// A word of its own for the session or message.
    Decided(Decision),
    /// Still at work (end of message).
    Progress,
    /// A change (end of message).
    Edit(Edit),
    /// An edit that is none: passed over.
    Nonsense,
    /// An answer that no step has: the filter fails from here on, though not for this step. Source: observed.
    Bogus(u8),
}

/// Why a filter's options are not taken, in the words of the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum Mismatch {
    #[error("negotiate: returned {} instead of O", char::from(*.0))]
    NotOptions(u8),
    #[error("negotiate: did not return valid info")]
    TooShort,
    #[error("negotiate: did not return enough info")]
    TooFew,
    #[error("negotiate: version {0} != MTA milter version {INTERNAL_VERSION}")]
    Version(u32),
    #[error("negotiate: filter abilities 0x{0:x} != MTA milter abilities 0x{all:x}", all = action::ALL)]
    Actions(u32),
    #[error("negotiate: protocol abilities 0x{0:x} != MTA milter abilities 0x{all:x}", all = step::ALL)]
    Steps(u32),
}

/// A filter's part in a session.
#[derive(Debug)]
pub struct Conversation {
    on_failure: Option<u8>,
    state: State,
    options: Options,
    /// Lists that the filter gave: stage and names.
    lists: Vec<(Stage, Bytes)>,
    skips_body: bool,
    /// A message is over, and neither HELO nor MAIL came since: no command that we do not know is told. Source: observed.
    is_between: bool,
    /// It refused the sender of this message, which counts as no message. Source: observed.
    has_refused_sender: bool,
}

impl Conversation {
    /// With the `F=` of the filter.
    pub fn new(on_failure: Option<u8>) -> Self {
        let (options, lists) = (Options::default(), Vec::new());
        Self {
            on_failure,
            state: State::Open,
            options,
            lists,
            skips_body: false,
            is_between: false,
            has_refused_sender: false,
        }
    }

    /// What we offer.
    pub fn offer() -> Vec<u8> {
        let all = Options { version: wire::VERSION, actions: action::ALL, steps: step::ALL };
        wire::packet(b'O', &wire::options(all))
    }

    /// Takes the filter's options.
    pub fn negotiated(&mut self, letter: u8, payload: &[u8]) -> Result<(), Mismatch> {
        if letter != b'O' {
            return Err(Mismatch::NotOptions(letter));
        }
        let Some((options, lists)) = wire::read_options(payload) else {
            return Err(if payload.len() < 4 { Mismatch::TooShort } else { Mismatch::TooFew });
        };
        // Source: observed: 0 and what is newer than ours are taken, 1 is not.
        if options.version == 1 {
            return Err(Mismatch::Version(options.version));
        }
        if options.actions & !action::ALL != 0 {
            return Err(Mismatch::Actions(options.actions));
        }
        if options.steps & !step::ALL != 0 {
            return Err(Mismatch::Steps(options.steps));
        }
        self.options = options;
        self.lists = lists.into_iter().filter_map(|(n, names)| Some((stage::of_list(n)?.stage, names))).collect();
        Ok(())
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether it takes part in what is going on.
    pub fn takes_part(&self) -> bool {
        matches!(self.state, State::Open | State::InMessage)
    }

    /// Whether there is a connection to end in order.
    pub fn is_connected(&self) -> bool {
        !matches!(self.state, State::Failed | State::Closed)
    }

    /// Whether it wants to be told of this stage.
    pub fn wants(&self, stage: Stage) -> bool {
        let row = stage.row();
        self.options.steps & row.unwanted == 0
            && self.options.version.max(2) >= row.since
            && !(stage == Stage::Body && self.skips_body)
            && !(stage == Stage::Unknown && self.is_between)
    }

    /// Whether it answers in this stage.
    pub fn answers(&self, stage: Stage) -> bool {
        self.options.steps & stage.row().no_reply == 0
    }

    /// Whether it asked for a bit of [`step`].
    pub fn has(&self, bit: u32) -> bool {
        self.options.steps & bit != 0
    }

    /// Whether it said that it would do this, a bit of [`action`].
    pub fn may(&self, bit: u32) -> bool {
        self.options.actions & bit != 0
    }

    /// The list of macros that it gave for a stage.
    pub fn list(&self, stage: Stage) -> Option<&Bytes> {
        self.lists.iter().find(|(known, _)| *known == stage).map(|(_, names)| names)
    }

    /// A message begins.
    pub fn begin_message(&mut self) {
        if matches!(self.state, State::Open | State::InMessage | State::Done) {
            self.state = State::InMessage;
        }
        self.skips_body = false;
        self.is_between = false;
        self.has_refused_sender = false;
    }

    /// HELO or EHLO came.
    pub fn greet(&mut self) {
        self.is_between = false;
    }

    /// The message is over, whatever became of it.
    pub fn end_message(&mut self) {
        if matches!(self.state, State::InMessage | State::Done) {
            self.state = State::Open;
            self.is_between = !self.has_refused_sender;
        }
    }

    /// It is not asked any more, and told of the end of the session if it is still there.
    pub fn leave(&mut self) {
        if self.is_connected() {
            self.state = State::Over;
        }
    }

    /// It fails. What its `F=` says to the step.
    pub fn fail(&mut self) -> Decision {
        self.state = if self.on_failure.is_some() { State::Failed } else { State::Closed };
        self.failure()
    }

    /// What a failed filter says to each step.
    pub fn failure(&self) -> Decision {
        if self.state != State::Failed {
            return Decision::Continue;
        }
        match self.on_failure {
            Some(b'R') => Decision::Reject,
            Some(b'T') => Decision::TempFail,
            Some(_) => Decision::Shutdown,
            None => Decision::Continue,
        }
    }

    /// Takes an answer to a step.
    pub fn take(&mut self, stage: Stage, answer: Answer) -> Outcome {
        match answer {
            Answer::Continue => {
                if stage == Stage::EndOfMessage {
                    self.state = State::Done;
                }
                Outcome::Continue
            }
            Answer::Accept => {
                self.finish(stage);
                Outcome::Accept
            }
            Answer::Reject => self.decide(stage, Decision::Reject),
            Answer::TempFail => self.decide(stage, Decision::TempFail),
            Answer::Discard => self.decide(stage, Decision::Discard),
            Answer::Reply(text) => {
                let is_good = Reply::parse(&text).is_some();
                let text = if is_good { text } else { Bytes::from_static(stage.row().default_reply.as_bytes()) };
                self.decide(stage, Decision::Reply(text))
            }
            // Words between the halves of the original, not for filters. Source: observed.
            Answer::Shutdown => Outcome::Bogus(b'4'),
            Answer::ConnectionFailure => Outcome::Bogus(b'f'),
            Answer::Skip if stage == Stage::EndOfMessage => Outcome::Bogus(b's'),
            Answer::Skip => {
                self.skips_body |= stage == Stage::Body;
                Outcome::Skip
            }
            Answer::Progress if stage == Stage::EndOfMessage => Outcome::Progress,
            Answer::Progress => Outcome::Bogus(b'p'),
            Answer::Edit(edit) if stage == Stage::EndOfMessage => Outcome::Edit(edit),
            Answer::Malformed(_) if stage == Stage::EndOfMessage => Outcome::Nonsense,
            Answer::Edit(edit) => Outcome::Bogus(edit.letter()),
            Answer::Malformed(letter) | Answer::Unknown(letter) => Outcome::Bogus(letter),
        }
    }

    fn decide(&mut self, stage: Stage, decision: Decision) -> Outcome {
        // A recipient's refusal is about this recipient alone; a client is not thrown away at HELO. Source: observed.
        self.has_refused_sender |= stage == Stage::Mail;
        let goes_on = match stage {
            Stage::Rcpt | Stage::Unknown => true,
            Stage::Helo => decision == Decision::Discard,
            _ => false,
        };
        if !goes_on {
            self.finish(stage);
        }
        Outcome::Decided(decision)
    }

    fn finish(&mut self, stage: Stage) {
        self.state = if stage.row().is_session { State::Over } else { State::Done };
    }
}

impl Edit {
    /// Its letter.
    pub fn letter(&self) -> u8 {
        match self {
            Self::AddHeader { .. } => b'h',
            Self::InsertHeader { .. } => b'i',
            Self::ChangeHeader { .. } => b'm',
            Self::AddRecipient(_) => b'+',
            Self::AddRecipientWith { .. } => b'2',
            Self::DeleteRecipient(_) => b'-',
            Self::ChangeSender { .. } => b'e',
            Self::Body(_) => b'b',
            Self::Quarantine(_) => b'q',
        }
    }

    /// The bit of [`action`] that a filter needs for it.
    pub fn action(&self) -> u32 {
        match self {
            Self::AddHeader { .. } | Self::InsertHeader { .. } => action::ADD_HEADERS,
            Self::ChangeHeader { .. } => action::CHANGE_HEADERS,
            Self::AddRecipient(_) => action::ADD_RECIPIENTS,
            Self::AddRecipientWith { .. } => action::ADD_RECIPIENTS_WITH_PARAMETERS,
            Self::DeleteRecipient(_) => action::DELETE_RECIPIENTS,
            Self::ChangeSender { .. } => action::CHANGE_SENDER,
            Self::Body(_) => action::CHANGE_BODY,
            Self::Quarantine(_) => action::QUARANTINE,
        }
    }

    /// The words about a filter that did not say it would do this. Source: observed.
    pub fn lie(&self) -> &'static str {
        match self {
            Self::AddHeader { .. } | Self::InsertHeader { .. } => {
                ": lied about adding headers, honoring request anyway"
            }
            Self::ChangeHeader { .. } => ": lied about changing headers, honoring request anyway",
            Self::AddRecipient(_) => " lied about adding recipients, honoring request anyway",
            Self::AddRecipientWith { .. } => " lied about adding recipients with parameters, honoring request anyway",
            Self::DeleteRecipient(_) => ": lied about removing recipients, honoring request anyway",
            Self::ChangeSender { .. } => " lied about changing sender, honoring request anyway",
            Self::Body(_) => ": lied about replacing body, rejecting request and tempfailing message",
            Self::Quarantine(_) => ": lied about quarantining, honoring request anyway",
        }
    }
}

/// The number that the original names as its own. Source: observed.
const INTERNAL_VERSION: u32 = 0x0100_0001;

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(options: Options) -> Conversation {
        let mut conversation = Conversation::new(Some(b'T'));
        conversation.negotiated(b'O', &wire::options(options)).unwrap();
        conversation
    }

    #[test]
    fn options_must_be_ones_that_were_offered() {
        let options = |version, actions, steps| wire::options(Options { version, actions, steps });
        for (letter, payload, words) in [
            (b'O', options(6, 0x1ff, 0), ""),
            (b'O', options(0, 0, 0x1f_ffff), ""),
            (b'O', options(7, 0, 0), ""),
            (b'O', options(1, 0, 0), "negotiate: version 1 != MTA milter version 16777217"),
            (b'O', options(6, 0xffff, 0), "negotiate: filter abilities 0xffff != MTA milter abilities 0x1ff"),
            (
                b'O',
                options(6, 0, 0x1000_0000),
                "negotiate: protocol abilities 0x10000000 != MTA milter abilities 0x1fffff",
            ),
            (b'O', vec![0], "negotiate: did not return valid info"),
            (b'O', options(6, 0, 0)[..8].to_vec(), "negotiate: did not return enough info"),
            (b'r', Vec::new(), "negotiate: returned r instead of O"),
        ] {
            let said = Conversation::new(None).negotiated(letter, &payload).err().map(|e| e.to_string());
            assert_eq!(said.unwrap_or_default(), words);
        }
    }

    #[test]
    fn stages_are_told_as_version_and_bits_say() {
        for (version, steps, stage, wanted) in [
            (2, 0, Stage::Mail, true),
            (2, 0, Stage::Unknown, false),
            (3, 0, Stage::Unknown, true),
            (3, 0, Stage::Data, false),
            (4, 0, Stage::Data, true),
            (0, 0, Stage::Body, true),
            (6, 0x4, Stage::Mail, false),
            (6, 0x10, Stage::Body, false),
            (6, 0x3ff, Stage::EndOfMessage, true),
        ] {
            assert_eq!(
                conversation(Options { version, actions: 0, steps }).wants(stage),
                wanted,
                "{version} {steps:x}"
            );
        }
        let silent = conversation(Options { version: 6, actions: 0, steps: 0x8000 });
        assert!(!silent.answers(Stage::Rcpt) && silent.answers(Stage::Mail));
    }

    #[test]
    fn last_words_hold_for_message_or_session() {
        for (stage, answer, state) in [
            (Stage::Connect, Answer::Accept, State::Over),
            (Stage::Helo, Answer::Reject, State::Over),
            (Stage::Helo, Answer::Discard, State::InMessage),
            (Stage::Mail, Answer::Accept, State::Done),
            (Stage::Rcpt, Answer::Accept, State::Done),
            (Stage::Rcpt, Answer::Reject, State::InMessage),
            (Stage::Data, Answer::Discard, State::Done),
            (Stage::Header, Answer::Reject, State::Done),
            (Stage::EndOfMessage, Answer::Continue, State::Done),
            (Stage::Body, Answer::Skip, State::InMessage),
        ] {
            let mut conversation = conversation(Options { version: 6, actions: 0, steps: 0 });
            conversation.begin_message();
            conversation.take(stage, answer);
            assert_eq!(conversation.state(), state, "{stage:?}");
        }
    }

    #[test]
    fn skip_lasts_until_the_next_message() {
        let mut conversation = conversation(Options { version: 6, actions: 0, steps: 0 });
        conversation.begin_message();
        conversation.take(Stage::Body, Answer::Skip);
        assert!(!conversation.wants(Stage::Body) && conversation.wants(Stage::EndOfMessage));
        conversation.end_message();
        conversation.begin_message();
        assert!(conversation.wants(Stage::Body));
    }

    #[test]
    fn unknown_commands_between_messages_are_not_told() {
        let mut conversation = conversation(Options { version: 6, actions: 0, steps: 0 });
        conversation.end_message();
        assert!(conversation.wants(Stage::Unknown), "no message came yet");
        conversation.begin_message();
        assert!(conversation.wants(Stage::Unknown));
        conversation.end_message();
        assert!(!conversation.wants(Stage::Unknown) && conversation.wants(Stage::Helo));
        conversation.greet();
        assert!(conversation.wants(Stage::Unknown));
        conversation.begin_message();
        conversation.take(Stage::Mail, Answer::Reject);
        conversation.end_message();
        assert!(conversation.wants(Stage::Unknown), "it had no message");
    }

    #[test]
    fn failures_say_what_the_configuration_says() {
        for (flag, decision, state) in [
            (None, Decision::Continue, State::Closed),
            (Some(b'R'), Decision::Reject, State::Failed),
            (Some(b'T'), Decision::TempFail, State::Failed),
            (Some(b'4'), Decision::Shutdown, State::Failed),
        ] {
            let mut conversation = Conversation::new(flag);
            assert_eq!(conversation.fail(), decision);
            assert_eq!((conversation.state(), conversation.failure()), (state, decision));
        }
    }

    #[test]
    fn edits_belong_to_the_end_of_the_message() {
        let mut conversation = conversation(Options { version: 6, actions: 0, steps: 0 });
        let edit = Edit::Quarantine(Bytes::new());
        assert_eq!(conversation.take(Stage::Body, Answer::Edit(edit.clone())), Outcome::Bogus(b'q'));
        assert_eq!(conversation.take(Stage::EndOfMessage, Answer::Edit(edit.clone())), Outcome::Edit(edit));
        assert_eq!(conversation.take(Stage::EndOfMessage, Answer::Malformed(b'h')), Outcome::Nonsense);
        assert_eq!(conversation.take(Stage::Rcpt, Answer::Unknown(b'?')), Outcome::Bogus(b'?'));
    }
}
