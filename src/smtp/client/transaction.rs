//! One message to one server: MAIL, RCPT, DATA, and what came of each recipient.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

use super::{Capabilities, Phase, Reply, Trouble};
use crate::envelope::recipient::Notify;
use crate::envelope::{BodyType, Ret};

/// What is to be sent. Addresses are in their final form, without angle brackets.
#[derive(Debug, Clone, Default)]
pub struct Transaction {
    /// Envelope sender; empty for the null sender.
    pub sender: Bytes,
    /// Size of the message as it will be written, bytes; 0 when unknown.
    pub size: u64,
    /// `BODY=`, when the message is marked.
    pub body: Option<BodyType>,
    /// `ENVID=`, in xtext.
    pub envelope_id: Option<Bytes>,
    /// `RET=`.
    pub ret: Option<Ret>,
    /// `AUTH=`, in xtext or `<>`.
    pub auth: Option<Bytes>,
    /// `BY=`.
    pub deliver_by: Option<Bytes>,
    /// Recipients in the order in which they are sent.
    pub recipients: Vec<Recipient>,
}

/// A recipient of a transaction.
#[derive(Debug, Clone, Default)]
pub struct Recipient {
    /// Address.
    pub address: Bytes,
    /// `NOTIFY=`.
    pub notify: Notify,
    /// `ORCPT=`, `type;address` in xtext.
    pub original: Option<Bytes>,
}

/// What came of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The server took the message for it.
    Accepted {
        /// What it said to the message.
        reply: Reply,
        /// What it said to the recipient.
        rcpt: Option<Bytes>,
    },
    /// The server refused, for now or for good as its code says.
    Refused {
        /// What was answered like that.
        phase: Phase,
        /// The last command sent before, as DSNs quote it.
        command: Bytes,
        /// The reply.
        reply: Reply,
    },
    /// A ruleset of ours (`tls_rcpt`) refused; its reply.
    Ruleset(Bytes),
    /// It was not sent any more: the server had left with this reply.
    Unsent(Reply),
    /// The connection failed before there was an answer; to be tried again.
    Failed(Trouble),
    /// The connection failed while another recipient was asked for.
    Unanswered(Trouble),
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// Begin.
    Start,
    /// A reply came.
    Reply(Reply),
    /// The message was written, the final dot too.
    Written,
    /// The connection is of no use any more.
    Trouble(Trouble),
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Send these lines at once, and wait for one reply.
    Send(Bytes, Phase),
    /// Wait for another reply.
    Wait(Phase),
    /// Write the message and the dot.
    Write,
    /// All recipients are settled.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Rset,
    Mail,
    /// Commands sent and answered.
    Rcpt {
        sent: usize,
        answered: usize,
    },
    Data,
    Body,
    /// The dot was sent although nobody takes the message.
    EmptyFinal,
    Final,
    /// RSET was sent: the transaction came to nothing.
    LastReset,
    Done,
}

/// The machine.
#[derive(Debug)]
pub struct Session {
    transaction: Transaction,
    pipelining: bool,
    is_lmtp: bool,
    /// RSET goes first: another transaction came before.
    resets: bool,
    mail: Bytes,
    dsn: bool,
    state: State,
    settled: Vec<Option<Settled>>,
    /// Recipients to be sent, in order.
    todo: Vec<usize>,
    /// Recipients that the server has taken and not yet answered for, in order.
    taken: VecDeque<(usize, Bytes)>,
    command: Bytes,
    data_is_sent: bool,
    needs_reset: bool,
    is_broken: bool,
    unclaimed: Option<Reply>,
    /// The server is left, although it did not ask for that.
    parts: bool,
    /// What the server said to RSET behind the refusals.
    afterwards: Option<Reply>,
    /// What it said to the dot of an empty message.
    emptied: Option<Reply>,
    /// A recipient that was refused by itself with the last reply.
    refused: Option<usize>,
}

impl Session {
    /// Before MAIL. Recipients that are settled already (`tls_rcpt`) are given as such and left out.
    pub fn new(
        transaction: Transaction,
        settled: Vec<Option<Settled>>,
        capabilities: &Capabilities,
        is_lmtp: bool,
        resets: bool,
    ) -> Self {
        let mail = mail_line(&transaction, capabilities);
        let mut settled = settled;
        settled.resize_with(transaction.recipients.len(), || None);
        Self {
            mail,
            transaction,
            pipelining: capabilities.pipelining,
            is_lmtp,
            resets,
            dsn: capabilities.dsn,
            state: State::Start,
            settled,
            todo: Vec::new(),
            taken: VecDeque::new(),
            command: Bytes::new(),
            data_is_sent: false,
            needs_reset: resets,
            is_broken: false,
            unclaimed: None,
            parts: false,
            afterwards: None,
            emptied: None,
            refused: None,
        }
    }

    /// One step.
    pub fn on(&mut self, input: Input) -> Action {
        match (self.state, input) {
            (_, Input::Trouble(trouble)) => self.broken(&trouble),
            (State::Start, Input::Start) => self.start(),
            // What RSET answers does not matter; MAIL shows whether the server is well.
            (State::Rset, Input::Reply(reply)) if reply.code != 421 => {
                self.state = State::Mail;
                if self.pipelining {
                    return Action::Wait(Phase::Mail);
                }
                Action::Send(line(&self.mail), Phase::Mail)
            }
            (State::Rset | State::Mail, Input::Reply(reply)) => self.answered_mail(&reply),
            (State::Rcpt { sent, answered }, Input::Reply(reply)) => self.answered_rcpt(sent, answered, reply),
            (State::Data, Input::Reply(reply)) => self.answered_data(&reply),
            (State::Body, Input::Written) => {
                self.state = State::Final;
                Action::Wait(Phase::DataFinal)
            }
            (State::Final, Input::Reply(reply)) => self.answered_dot(&reply),
            (State::EmptyFinal, Input::Reply(reply)) => {
                self.needs_reset = false;
                self.unclaimed = Some(reply.clone()).filter(Reply::shows_refusal);
                self.emptied = Some(reply);
                self.done()
            }
            (State::LastReset, Input::Reply(reply)) => {
                self.is_broken |= reply.code == 421;
                self.afterwards = Some(reply);
                self.done()
            }
            _ => self.broken(&Trouble::Garbage(Phase::Mail)),
        }
    }

    /// What came of each recipient, and whether the connection may carry another transaction.
    ///
    /// A recipient without an answer counts as failed for now.
    pub fn results(self) -> (Vec<Settled>, bool) {
        let unanswered = || Settled::Failed(Trouble::Broken { phase: Phase::Mail, errno: None });
        let is_reusable = !self.is_broken && !self.parts && self.state == State::Done;
        (self.settled.into_iter().map(|s| s.unwrap_or_else(unanswered)).collect(), is_reusable)
    }

    /// A refusal of DATA, or of the message, that came when the server had taken nobody.
    pub fn unclaimed(&mut self) -> Option<Reply> {
        self.unclaimed.take()
    }

    /// What the server said to RSET when nothing had come of the message.
    pub fn afterwards(&mut self) -> Option<Reply> {
        self.afterwards.take()
    }

    /// What the server said to the dot of a message that it had taken nobody for.
    pub fn emptied(&mut self) -> Option<Reply> {
        self.emptied.take()
    }

    /// The recipient that was refused by itself just now, and how.
    pub fn refused(&mut self) -> Option<(usize, &Settled)> {
        let n = self.refused.take()?;
        self.settled.get(n).and_then(Option::as_ref).map(|settled| (n, settled))
    }

    /// Whether the server stands within a transaction, so that QUIT should not be the next word.
    pub fn needs_reset(&self) -> bool {
        self.needs_reset && !self.is_broken
    }

    fn start(&mut self) -> Action {
        self.todo = self.pending().collect();
        if self.settled.is_empty() {
            return self.done();
        }
        self.command = self.mail.clone();
        self.needs_reset = true;
        if !self.resets {
            self.state = State::Mail;
            return Action::Send(line(&self.mail), Phase::Mail);
        }
        self.state = State::Rset;
        let mut lines = BytesMut::from(&b"RSET\r\n"[..]);
        if self.pipelining {
            put_line(&mut lines, &self.mail);
        }
        Action::Send(lines.freeze(), Phase::Rset)
    }

    /// Recipients that are still to be sent.
    fn pending(&self) -> impl Iterator<Item = usize> {
        let settled = &self.settled;
        (0..settled.len()).filter(|n| settled.get(*n).is_some_and(Option::is_none))
    }

    fn answered_mail(&mut self, reply: &Reply) -> Action {
        if reply.class() != 2 {
            self.needs_reset = false;
            return self.refuse_all(Phase::Mail, reply);
        }
        if self.todo.is_empty() {
            return self.done();
        }
        self.send_recipients(0)
    }

    /// Sends as many RCPTs as may be outstanding, and DATA behind the last of them when the server pipelines.
    fn send_recipients(&mut self, from: usize) -> Action {
        let most = if self.pipelining { MOST_OUTSTANDING } else { 1 };
        let end = self.todo.len().min(from + most);
        let mut lines = BytesMut::new();
        for n in self.todo.get(from..end).unwrap_or_default() {
            if let Some(recipient) = self.transaction.recipients.get(*n) {
                self.command = rcpt_line(recipient, self.dsn);
                put_line(&mut lines, &self.command);
            }
        }
        if self.pipelining && end == self.todo.len() {
            lines.put_slice(b"DATA\r\n");
            self.command = Bytes::from_static(b"DATA");
            self.data_is_sent = true;
        }
        self.state = State::Rcpt { sent: end, answered: from };
        Action::Send(lines.freeze(), Phase::Rcpt)
    }

    fn answered_rcpt(&mut self, sent: usize, answered: usize, reply: Reply) -> Action {
        if let Some(n) = self.todo.get(answered).copied() {
            if reply.class() == 2 {
                self.taken.push_back((n, reply.log_form().into()));
            } else if reply.code == 421 && !self.data_is_sent {
                // The server leaves: nothing more is said but QUIT. Source: observed.
                self.settle(
                    n,
                    Settled::Refused { phase: Phase::Rcpt, command: self.command.clone(), reply: reply.clone() },
                );
                self.needs_reset = false;
                for unsent in self.todo.split_off(sent) {
                    self.settle(unsent, Settled::Unsent(reply.clone()));
                }
                return self.refuse_all(Phase::Mail, &reply);
            } else {
                self.refused = Some(n);
                self.settle(n, Settled::Refused { phase: Phase::Rcpt, command: self.command.clone(), reply });
            }
        }
        let answered = answered + 1;
        self.state = State::Rcpt { sent, answered };
        if answered < sent {
            return Action::Wait(Phase::Rcpt);
        }
        if self.data_is_sent {
            self.state = State::Data;
            return Action::Wait(Phase::DataInit);
        }
        if sent < self.todo.len() {
            return self.send_recipients(sent);
        }
        if self.taken.is_empty() {
            return self.reset();
        }
        self.state = State::Data;
        self.data_is_sent = true;
        self.command = Bytes::from_static(b"DATA");
        Action::Send(Bytes::from_static(b"DATA\r\n"), Phase::DataInit)
    }

    fn answered_data(&mut self, reply: &Reply) -> Action {
        match (reply.code, self.taken.is_empty()) {
            (300..=399, false) => {
                self.state = State::Body;
                Action::Write
            }
            // Nobody was taken, yet the server waits for a message: it gets an empty one. Source: observed.
            (300..=399, true) => {
                self.state = State::EmptyFinal;
                Action::Send(Bytes::from_static(b".\r\n"), Phase::DataFinal)
            }
            (_, true) => {
                self.unclaimed = Some(reply.clone()).filter(Reply::shows_refusal);
                self.is_broken |= reply.code == 421;
                if self.is_broken { self.done() } else { self.reset() }
            }
            (_, false) => {
                // After a temporary refusal QUIT comes at once, after another RSET. Source: observed (queue/deferred-4xx).
                self.parts = reply.class() == 4;
                self.needs_reset = false;
                let done = self.refuse_all(Phase::DataInit, reply);
                if self.parts { done } else { self.reset() }
            }
        }
    }

    /// SMTP answers once for all, LMTP once for each that was taken.
    fn answered_dot(&mut self, reply: &Reply) -> Action {
        let count = if self.is_lmtp { 1.min(self.taken.len()) } else { self.taken.len() };
        let answered: Vec<(usize, Bytes)> = self.taken.drain(..count).collect();
        for (n, rcpt) in answered {
            let settled = if reply.class() == 2 {
                Settled::Accepted { reply: reply.clone(), rcpt: Some(rcpt) }
            } else {
                Settled::Refused { phase: Phase::DataFinal, command: self.command.clone(), reply: reply.clone() }
            };
            self.settle(n, settled);
        }
        if self.taken.is_empty() {
            self.needs_reset = false;
            return self.done();
        }
        Action::Wait(Phase::DataFinal)
    }

    /// Nothing came of it: the server is told at once. Source: observed.
    fn reset(&mut self) -> Action {
        self.needs_reset = false;
        self.state = State::LastReset;
        Action::Send(Bytes::from_static(b"RSET\r\n"), Phase::Rset)
    }

    fn refuse_all(&mut self, phase: Phase, reply: &Reply) -> Action {
        self.is_broken |= reply.code == 421;
        let todo: Vec<usize> = self.pending().collect();
        for n in todo {
            let command = self.command.clone();
            self.settle(n, Settled::Refused { phase, command, reply: reply.clone() });
        }
        self.done()
    }

    fn broken(&mut self, trouble: &Trouble) -> Action {
        self.is_broken = true;
        if let (State::Rcpt { answered, .. }, Trouble::Broken { errno, .. }) = (self.state, trouble) {
            let later = self.todo.get(answered + 1..).unwrap_or_default().to_vec();
            for n in later {
                self.settle(n, Settled::Unanswered(trouble.clone()));
            }
            let taken: Vec<usize> = self.taken.iter().map(|(n, _)| *n).collect();
            let lost = Trouble::Broken { phase: Phase::DataInit, errno: *errno };
            for n in taken {
                self.settle(n, Settled::Failed(lost.clone()));
            }
        }
        let todo: Vec<usize> = self.pending().collect();
        for n in todo {
            self.settle(n, Settled::Failed(trouble.clone()));
        }
        self.done()
    }

    fn settle(&mut self, n: usize, settled: Settled) {
        if let Settled::Refused { reply, .. } = &settled {
            self.is_broken |= reply.code == 421;
        }
        if let Some(place) = self.settled.get_mut(n) {
            *place = Some(settled);
        }
    }

    fn done(&mut self) -> Action {
        self.state = State::Done;
        Action::Done
    }
}

fn line(text: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(text.len() + 2);
    put_line(&mut out, text);
    out.freeze()
}

fn put_line(out: &mut BytesMut, line: &[u8]) {
    out.put_slice(line);
    out.put_slice(b"\r\n");
}

/// `MAIL From:<A> SIZE=… BODY=… ENVID=… RET=… AUTH=… BY=…`, each only where the server knows it. Source: observed.
fn mail_line(transaction: &Transaction, server: &Capabilities) -> Bytes {
    let mut line = [b"MAIL From:<", &transaction.sender[..], b">"].concat();
    let mut add = |name: &str, value: &[u8]| {
        line.extend_from_slice(name.as_bytes());
        line.extend_from_slice(value);
    };
    if server.size.is_some() && transaction.size > 0 {
        add(" SIZE=", transaction.size.to_string().as_bytes());
    }
    if let (true, Some(body)) = (server.eight_bit_mime, transaction.body) {
        add(" BODY=", if body == BodyType::EightBitMime { b"8BITMIME" } else { b"7BIT" });
    }
    if server.dsn {
        if let Some(id) = &transaction.envelope_id {
            add(" ENVID=", id);
        }
        if let Some(ret) = transaction.ret {
            add(" RET=", if ret == Ret::Full { b"FULL" } else { b"HDRS" });
        }
    }
    if let (false, Some(auth)) = (server.auth.is_empty(), &transaction.auth) {
        add(" AUTH=", auth);
    }
    if let (true, Some(by)) = (server.deliver_by.is_some(), &transaction.deliver_by) {
        add(" BY=", by);
    }
    Bytes::from(clean(line))
}

/// `RCPT To:<A> NOTIFY=… ORCPT=…`, the parameters only where the server knows DSN.
fn rcpt_line(recipient: &Recipient, dsn: bool) -> Bytes {
    let mut line = [b"RCPT To:<", &recipient.address[..], b">"].concat();
    let notify = recipient.notify;
    if dsn && notify.is_given {
        line.extend_from_slice(format!(" NOTIFY={}", notify.words()).as_bytes());
    }
    if let (true, Some(original)) = (dsn, &recipient.original) {
        line.extend_from_slice(b" ORCPT=");
        line.extend_from_slice(original);
    }
    Bytes::from(clean(line))
}

/// A line end within an address must not begin another command.
fn clean(mut line: Vec<u8>) -> Vec<u8> {
    line.retain(|b| !matches!(b, b'\r' | b'\n' | 0));
    line
}

/// Most RCPTs without an answer; their replies must fit into what the kernel buffers.
const MOST_OUTSTANDING: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn server(words: &str) -> Capabilities {
        Capabilities {
            is_extended: true,
            pipelining: words.contains('P'),
            size: words.contains('S').then_some(0),
            eight_bit_mime: words.contains('8'),
            dsn: words.contains('D'),
            ..Capabilities::default()
        }
    }

    fn message(recipients: &[&str]) -> Transaction {
        let recipients = recipients
            .iter()
            .map(|a| Recipient { address: Bytes::copy_from_slice(a.as_bytes()), ..Recipient::default() })
            .collect();
        Transaction { sender: Bytes::from_static(b"a@b"), size: 25, recipients, ..Transaction::default() }
    }

    /// Plays replies; `close` breaks the connection. Out: what was sent (batches apart), outcomes, whether it may be reused.
    fn play(mut session: Session, replies: &[&str]) -> (String, Vec<String>, bool) {
        let mut sent = String::new();
        let mut replies = replies.iter();
        let mut input = Input::Start;
        loop {
            let action = session.on(input);
            if let Action::Send(lines, _) = &action {
                let shown = String::from_utf8_lossy(lines).trim_end().replace("\r\n", "|");
                sent.extend(["[", &shown, "]"]);
            }
            input = match action {
                Action::Done => break,
                Action::Write => {
                    sent += "<body>";
                    Input::Written
                }
                Action::Send(..) | Action::Wait(_) => match *replies.next().expect("a reply is waited for") {
                    "close" => Input::Trouble(Trouble::Broken { phase: Phase::Rcpt, errno: None }),
                    text => Input::Reply(Reply {
                        code: text[..3].parse().unwrap(),
                        lines: vec![Bytes::copy_from_slice(text.as_bytes())],
                    }),
                },
            };
        }
        assert_eq!(replies.next(), None, "replies left");
        let (settled, reusable) = session.results();
        let shown = settled.iter().map(|s| match s {
            Settled::Accepted { reply, .. } => format!("ok {}", reply.code),
            Settled::Refused { phase, reply, command } => {
                format!("{phase:?} {} {}", reply.code, String::from_utf8_lossy(command))
            }
            Settled::Ruleset(reply) => format!("rule {}", String::from_utf8_lossy(reply)),
            Settled::Unsent(reply) => format!("unsent {}", reply.code),
            Settled::Failed(trouble) => format!("failed {}", trouble.is_temporary()),
            Settled::Unanswered(_) => "unanswered".to_owned(),
        });
        (sent, shown.collect(), reusable)
    }

    fn smtp(recipients: &[&str], words: &str) -> Session {
        Session::new(message(recipients), Vec::new(), &server(words), false, false)
    }

    /// Recipients, what the server can do, its replies; what is sent behind MAIL, the outcomes, whether it may be reused.
    type Case<'a> = (&'a [&'a str], &'a str, &'a [&'a str], &'a str, &'a [&'a str], bool);

    fn check(cases: &[Case]) {
        for (recipients, words, replies, sent, settled, reusable) in cases {
            let (heard, came, again) = play(smtp(recipients, words), replies);
            assert_eq!(heard, format!("[MAIL From:<a@b>]{sent}"), "{replies:?}");
            assert_eq!(came, *settled, "{replies:?}");
            assert_eq!(again, *reusable, "{replies:?}");
        }
    }

    #[test]
    fn dialogues_go_as_the_original_s() {
        check(&[
            (
                &["x", "y"],
                "P",
                &["250 ok", "250 ok", "451 4.2.0 wait", "354 go", "250 took it"],
                "[RCPT To:<x>|RCPT To:<y>|DATA]<body>",
                &["ok 250", "Rcpt 451 DATA"],
                true,
            ),
            (
                &["x", "y"],
                "",
                &["250 ok", "250 ok", "550 no", "354 go", "250 took it"],
                "[RCPT To:<x>][RCPT To:<y>][DATA]<body>",
                &["ok 250", "Rcpt 550 RCPT To:<y>"],
                true,
            ),
            (
                &["x"],
                "P",
                &["250 ok", "450 later", "354 go", "250 took it"],
                "[RCPT To:<x>|DATA][.]",
                &["Rcpt 450 DATA"],
                true,
            ),
            (
                &["x"],
                "P",
                &["250 ok", "550 no", "503 no", "250 reset"],
                "[RCPT To:<x>|DATA][RSET]",
                &["Rcpt 550 DATA"],
                true,
            ),
            (&["x"], "", &["250 ok", "550 no", "250 reset"], "[RCPT To:<x>][RSET]", &["Rcpt 550 RCPT To:<x>"], true),
            (
                &["x"],
                "",
                &["250 ok", "250 ok", "554 no", "250 reset"],
                "[RCPT To:<x>][DATA][RSET]",
                &["DataInit 554 DATA"],
                true,
            ),
            (
                &["x", "y"],
                "P",
                &["451 greylisted"],
                "",
                &["Mail 451 MAIL From:<a@b>", "Mail 451 MAIL From:<a@b>"],
                true,
            ),
            (&["x"], "P", &["250 ok", "250 ok", "452 full"], "[RCPT To:<x>|DATA]", &["DataInit 452 DATA"], false),
            (
                &["x", "y", "z"],
                "",
                &["250 ok", "250 ok", "421 bye"],
                "[RCPT To:<x>][RCPT To:<y>]",
                &["Mail 421 RCPT To:<y>", "Rcpt 421 RCPT To:<y>", "unsent 421"],
                false,
            ),
            (
                &["x"],
                "P",
                &["250 ok", "250 ok", "354 go", "550 content"],
                "[RCPT To:<x>|DATA]<body>",
                &["DataFinal 550 DATA"],
                true,
            ),
        ]);
    }

    #[test]
    fn a_refusal_that_is_meant_for_nobody_is_remembered() {
        for (replies, expected) in [
            (&["250 ok", "550 no", "503 no", "250 reset"][..], Some("503 no")),
            (&["250 ok", "550 no", "354 go", "554 content"], Some("554 content")),
            (&["250 ok", "550 no", "354 go", "250 took it"], None),
            (&["250 ok", "250 ok", "354 go", "554 content"], None),
        ] {
            let mut session = smtp(&["x"], "P");
            let mut replies = replies.iter();
            let mut input = Input::Start;
            loop {
                input = match session.on(input) {
                    Action::Done => break,
                    Action::Write => Input::Written,
                    _ => {
                        let text = replies.next().expect("a reply is waited for");
                        let lines = vec![Bytes::copy_from_slice(text.as_bytes())];
                        Input::Reply(Reply { code: text[..3].parse().unwrap(), lines })
                    }
                };
            }
            assert_eq!(session.unclaimed().map(|reply| reply.log_form()).as_deref(), expected);
        }
    }

    #[test]
    fn a_server_that_goes_away_loses_nobody() {
        check(&[
            (&["x"], "P", &["421 bye"], "", &["Mail 421 MAIL From:<a@b>"], false),
            (
                &["x", "y"],
                "P",
                &["250 ok", "550 no", "close"],
                "[RCPT To:<x>|RCPT To:<y>|DATA]",
                &["Rcpt 550 DATA", "failed true"],
                false,
            ),
            (
                &["x", "y", "z"],
                "P",
                &["250 ok", "250 ok", "close"],
                "[RCPT To:<x>|RCPT To:<y>|RCPT To:<z>|DATA]",
                &["failed true", "failed true", "unanswered"],
                false,
            ),
            (
                &["x"],
                "P",
                &["250 ok", "250 ok", "354 go", "close"],
                "[RCPT To:<x>|DATA]<body>",
                &["failed true"],
                false,
            ),
            (
                &["x"],
                "P",
                &["250 ok", "250 ok", "250 what", "250 reset"],
                "[RCPT To:<x>|DATA][RSET]",
                &["DataInit 250 DATA"],
                true,
            ),
            (
                &["x"],
                "P",
                &["250 ok", "550 no", "503 no", "421 bye"],
                "[RCPT To:<x>|DATA][RSET]",
                &["Rcpt 550 DATA"],
                false,
            ),
            (
                &["x"],
                "P",
                &["250 ok", "250 ok", "399 go", "250 took it"],
                "[RCPT To:<x>|DATA]<body>",
                &["ok 250"],
                true,
            ),
        ]);
    }

    #[test]
    fn lmtp_answers_for_each_recipient_that_was_taken() {
        let session = Session::new(message(&["x", "y", "z"]), Vec::new(), &server("P"), true, false);
        let replies = ["250 ok", "250 ok", "550 no", "250 ok", "354 go", "250 x", "452 full"];
        let (_, came, reusable) = play(session, &replies);
        assert_eq!(came, ["ok 250", "Rcpt 550 DATA", "DataFinal 452 DATA"]);
        assert!(reusable);
    }

    #[test]
    fn another_transaction_begins_with_rset() {
        let again = |words| Session::new(message(&["x"]), Vec::new(), &server(words), false, true);
        let replies = ["250 reset", "250 ok", "250 ok", "354 go", "250 took it"];
        assert_eq!(play(again("P"), &replies).0, "[RSET|MAIL From:<a@b>][RCPT To:<x>|DATA]<body>");
        assert_eq!(play(again(""), &replies).0, "[RSET][MAIL From:<a@b>][RCPT To:<x>][DATA]<body>");
        let (_, came, reusable) = play(again("P"), &["421 idle too long"]);
        assert_eq!((came[0].as_str(), reusable), ("Mail 421 MAIL From:<a@b>", false));
    }

    #[test]
    fn parameters_go_only_to_servers_that_know_them() {
        let mut full = message(&["x"]);
        full.body = Some(BodyType::EightBitMime);
        full.envelope_id = Some(Bytes::from_static(b"e1"));
        full.ret = Some(Ret::Headers);
        full.recipients[0].notify = Notify { is_given: true, success: true, failure: true, delay: false };
        full.recipients[0].original = Some(Bytes::from_static(b"rfc822;o@x.test"));
        let session = |words| Session::new(full.clone(), Vec::new(), &server(words), false, false);
        let replies = ["250 ok", "550 no", "250 reset"];
        assert_eq!(
            play(session("S8D"), &replies).0,
            "[MAIL From:<a@b> SIZE=25 BODY=8BITMIME ENVID=e1 RET=HDRS][RCPT To:<x> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o@x.test][RSET]"
        );
        assert_eq!(play(session(""), &replies).0, "[MAIL From:<a@b>][RCPT To:<x>][RSET]");
    }

    #[test]
    fn recipients_refused_by_our_rules_are_not_sent() {
        let settled = vec![None, Some(Settled::Ruleset(Bytes::from_static(b"454 4.7.0 weak")))];
        let session = Session::new(message(&["x", "y"]), settled, &server("P"), false, false);
        let (sent, came, _) = play(session, &["250 ok", "250 ok", "354 go", "250 took it"]);
        assert_eq!(sent, "[MAIL From:<a@b>][RCPT To:<x>|DATA]<body>");
        assert_eq!(came, ["ok 250", "rule 454 4.7.0 weak"]);
        let settled = vec![Some(Settled::Ruleset(Bytes::from_static(b"454 4.7.0 weak")))];
        let session = Session::new(message(&["y"]), settled, &server("P"), false, false);
        let (sent, _, reusable) = play(session, &["250 ok"]);
        assert_eq!((sent.as_str(), reusable), ("[MAIL From:<a@b>]", true));
    }

    #[test]
    fn many_recipients_go_in_portions_and_line_ends_start_no_command() {
        let names: Vec<String> = (0..250).map(|n| format!("u{n}\r\nDATA")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut replies = vec!["250 ok"; 251];
        replies.extend(["354 go", "250 took it"]);
        let (sent, came, _) = play(smtp(&names, "P"), &replies);
        assert_eq!(sent.matches('[').count(), 4);
        assert_eq!(sent.matches("|DATA]").count(), 1);
        assert_eq!(came.iter().filter(|c| *c == "ok 250").count(), 250);
    }
}
