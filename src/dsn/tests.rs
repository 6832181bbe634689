use std::time::Duration;

use super::*;
use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::config::timeouts::ByPrecedence;
use crate::dsn::{Age, Kind, check_age, decide};
use crate::envelope::recipient::Success;
use crate::envelope::{Ret, State};
use crate::macros::{NameTable, Template};

const NOW: UnixTime = UnixTime(1_795_334_727);
const ZONE: &str = "CET-1";

/// A message from `sender` with the header of the golden files.
fn message(sender: &'static str, client: &'static str, received: &str, from: &str, subject: &str) -> Envelope {
    let mut scope = Scope::default();
    scope.set(names::CLIENT_INFO, client);
    if client.contains('[') {
        scope.set(names::PROTOCOL, "ESMTP");
    }
    let mut envelope = Envelope::new(QueueId::parse(b"6AM8Wwpk005225").unwrap(), NOW, scope);
    envelope.sender = sender.trim_matches(['<', '>']).into();
    envelope.sender_given = sender.into();
    envelope.flags.delete_bcc = true;
    let date = "Sun, 22 Nov 2026 09:05:27 +0100";
    let return_path = Template::parse(b" <$g>", &mut NameTable::default());
    let mut field = Header::new("Return-Path", "");
    field.value = HeaderValue::Template(return_path);
    envelope.headers.push(field);
    for (name, text) in [
        ("Received", format!(" {received}; {date}").replace(";; ", ";\n\t")),
        ("Date", format!(" {date}")),
        ("From", format!(" {from}")),
        ("Full-Name", " Alice Example".to_owned()),
        ("Message-Id", " <202611220805.6AM8Wwpk005225@mta.example.test>".to_owned()),
        ("Subject", format!(" {subject}")),
        ("Bcc", " hidden".to_owned()),
    ] {
        envelope.headers.push(Header::new(name, text));
    }
    envelope
}

fn local(received: &str, subject: &str) -> Envelope {
    let received =
        format!("(from root@localhost)\n\tby mta.example.test (8.17.1.9/8.17.1.9) id 6AM8Wwpk005225{received}");
    message("alice", "root@localhost", &received, "Alice Example <alice>", subject)
}

fn remote(rcpt: &str, subject: &str) -> Envelope {
    let received = format!(
        "from client.example.net (localhost [127.0.0.1])\n\tby mta.example.test (8.17.1.9/8.17.1.9) with ESMTP id \
         6AM8Wwpk005225\n\tfor {rcpt}"
    );
    let from = "Alice Example <alice@example.test>";
    message("<alice@example.test>", "localhost [127.0.0.1]", &received, from, subject)
}

fn recipient(address: &'static str, state: State, status: Status, reply: &'static str, mta: &'static str) -> Recipient {
    let mut recipient = Recipient::new(address);
    let bare = address.trim_matches(['<', '>']);
    let host = if bare.contains('@') { "" } else { "@mta.example.test" };
    recipient.final_recipient = Some(format!("RFC822; {bare}{host}").into());
    recipient.state = state;
    recipient.status = Some(status);
    recipient.remote_reply = (!reply.is_empty()).then(|| reply.into());
    recipient.remote_mta = (!mta.is_empty()).then(|| mta.into());
    recipient
}

fn config() -> Config {
    let mut config = Config::default();
    config.options.send_mime_errors = true;
    config.timeouts.queuewarn = ByPrecedence::all(Duration::from_secs(5));
    config
}

/// Reports made for the envelope, each from its `To:` field on, the original's body being `body`.
fn reports(envelope: &mut Envelope, config: &Config, now: UnixTime, transcript: &str, body: &str) -> Vec<String> {
    let zone = TimeZone::posix(ZONE).unwrap();
    let mut transcript = transcript.as_bytes().to_vec();
    let age = check_age(envelope, &config.timeouts, now, &mut transcript);
    let host = b"mta.example.test";
    let facts = Facts {
        config,
        scope: &Scope::default(),
        host,
        zone: &zone,
        now: NOW,
        is_from_queue: false,
        error_header: None,
    };
    let id = QueueId::parse(b"6AM8Wwpk005226").unwrap();
    let to = [crate::dsn::return_address(envelope)];
    decide(envelope, age, &to, Exit::OK, config, facts.scope)
        .iter()
        .map(|report| {
            let made = compose(report, envelope, &transcript, id.clone(), &facts);
            assert!(made.envelope.flags.is_response && made.envelope.sender.is_empty());
            let mut text: Vec<u8> = Vec::new();
            for h in &made.envelope.headers {
                text.extend_from_slice(&[h.name.as_ref(), b":", h.text(), b"\n"].concat());
            }
            text.push(b'\n');
            for part in made.body {
                match part {
                    Part::Text(bytes) => text.extend_from_slice(&bytes),
                    Part::Original => text.extend_from_slice(body.as_bytes()),
                }
            }
            String::from_utf8(text).unwrap().trim_end().to_owned() + "\n"
        })
        .collect()
}

fn golden(text: &'static str) -> &'static str {
    text.split_once('\n').unwrap().1
}

#[test]
fn nothing_in_a_transcript_looks_like_the_beginning_of_a_message() {
    let mut envelope = local(";", "prog");
    envelope.recipients = vec![recipient("prog", State::Failed, Status(5, 0, 0), "", "")];
    let made = reports(&mut envelope, &config(), NOW, "From here on\n\n>From there\n554 5.0.0 no\n", "From body\n");
    let wanted = "follows -----\n>From here on\n\n>From there\n554 5.0.0 no\n\n--";
    assert!(made[0].contains(wanted) && made[0].contains("\nFrom body\n"), "{}", made[0]);
}

#[test]
fn several_failures_stand_in_one_report() {
    let mut envelope = local(";", "big");
    envelope.recipients = vec![recipient("nosuch", State::Failed, Status(5, 1, 1), "550 5.1.1 User unknown", "")];
    for address in ["x@remote.test", "y@remote.test", "z@remote.test"] {
        let mta = "mx1.remote.test.";
        envelope.recipients.push(recipient(address, State::Failed, Status(5, 1, 1), "550 5.1.1 nope", mta));
    }
    envelope.recipients.push(recipient("ok@remote.test", State::Sent, Status(2, 0, 0), "", ""));
    let transcript = "550 5.1.1 nosuch... User unknown\n... while talking to mx1.remote.test.:\n>>> DATA\n\
        <<< 550 5.1.1 nope\n550 5.1.1 z@remote.test... User unknown\n<<< 550 5.1.1 nope\n\
        550 5.1.1 y@remote.test... User unknown\n<<< 550 5.1.1 nope\n550 5.1.1 x@remote.test... User unknown\n";
    let body = "line of the body\n".repeat(300);
    let made = reports(&mut envelope, &config(), NOW, transcript, &body);
    assert_eq!(made, [golden(include_str!("../../tests/golden/dsn/failures"))]);
}

#[test]
fn a_report_that_comes_back_names_who_made_it() {
    let mut envelope = local(";", "Returned mail");
    (envelope.sender, envelope.sender_given) = (Bytes::new(), Bytes::new());
    envelope.flags.is_response = true;
    envelope.scope.set(names::DAEMON_USER, "MAILER-DAEMON");
    let from = Template::parse(b" <$g>", &mut NameTable::default());
    let mut field = Header::new("From", "");
    (field.value, field.is_default) = (HeaderValue::Template(from), true);
    envelope.headers.push(field);
    envelope.recipients = vec![recipient("nosuch", State::Failed, Status(5, 1, 1), "550 5.1.1 User unknown", "")];
    let made = reports(&mut envelope, &config(), NOW, "", "body\n");
    for field in ["\nReturn-Path: <MAILER-DAEMON>\n", "\nFrom: <MAILER-DAEMON>\n"] {
        assert!(made[0].contains(field), "{}", made[0]);
    }
}

#[test]
fn a_warning_is_sent_once() {
    let mut envelope = local(";", "slow");
    envelope.headers.push(Header::new("To", " x@down.test"));
    for address in ["y@down.test", "x@down.test"] {
        envelope.recipients.push(recipient(address, State::Queued, Status(4, 4, 1), "", "mx.down.test."));
    }
    let transcript = "x@down.test,y@down.test... Deferred: Connection refused by mx.down.test.\n";
    let later = UnixTime(NOW.0 + 6);
    let made = reports(&mut envelope, &config(), later, transcript, "body\n");
    assert_eq!(made, [golden(include_str!("../../tests/golden/dsn/warning"))]);
    assert_eq!(envelope.message.as_deref(), Some(&b"Warning: could not send message for past 5 seconds"[..]));
    assert!(reports(&mut envelope, &config(), later, transcript, "body\n").is_empty());
}

#[test]
fn a_message_that_is_too_old_comes_back() {
    let mut config = config();
    config.timeouts.queuereturn = ByPrecedence::all(Duration::from_secs(5));
    let mut envelope = local("\n\tfor x@down.test", "old");
    envelope.headers.push(Header::new("To", " x@down.test"));
    envelope.recipients.push(recipient("x@down.test", State::Queued, Status(4, 4, 1), "", "mx.down.test"));
    let transcript = "x@down.test... Deferred: Connection refused by mx.down.test.\n";
    let made = reports(&mut envelope, &config, UnixTime(NOW.0 + 6), transcript, "body\n");
    assert_eq!(made, [golden(include_str!("../../tests/golden/dsn/expired"))]);
}

#[test]
fn the_header_alone_comes_back_when_asked() {
    let mut envelope = remote("<x@remote.test>", "ret HDRS");
    envelope.ret = Some(Ret::Headers);
    envelope.envid = Some("env-HDRS".into());
    let mut failed = recipient("<x@remote.test>", State::Failed, Status(5, 1, 1), "550 5.1.1 nope", "mx1.remote.test");
    failed.original = Some("rfc822;orig@first.test".into());
    failed.notify = Notify { is_given: true, success: false, failure: true, delay: false };
    envelope.recipients.push(failed);
    let transcript = "... while talking to mx1.remote.test.:\n>>> DATA\n<<< 550 5.1.1 nope\n\
        550 5.1.1 <x@remote.test>... User unknown\n";
    let made = reports(&mut envelope, &config(), NOW, transcript, "secret body\n");
    assert_eq!(made, [golden(include_str!("../../tests/golden/dsn/headers"))]);
}

#[test]
fn a_receipt_tells_of_success() {
    let mut envelope = remote("<bob@example.test>", "to bob@example.test");
    envelope.envid = Some("e1".into());
    let mut sent = recipient("<bob@example.test>", State::Sent, Status(2, 1, 5), "", "");
    sent.original = Some("rfc822;o@x.test".into());
    sent.notify = Notify { is_given: true, success: true, failure: true, delay: false };
    sent.success = Some(Success::Delivered);
    envelope.recipients.push(sent);
    let transcript = "<bob@example.test>... Successfully delivered\n";
    let made = reports(&mut envelope, &config(), NOW, transcript, "body\n");
    let expected = golden(include_str!("../../tests/golden/dsn/receipt"));
    // The original shows the address that its mailer was given; ours has it from the final recipient.
    let expected = expected.replace("rfc822; bob@mta.example.test", "rfc822; bob@example.test");
    assert_eq!(made, [expected]);
}

#[test]
fn a_receipt_with_a_header_of_8_bits_says_so() {
    let mut envelope = remote("<bob@example.test>", "gr\u{fc}n");
    envelope.flags.has_8bit_body = true;
    let mut sent = recipient("<bob@example.test>", State::Sent, Status(2, 1, 5), "", "");
    sent.notify = Notify { is_given: true, success: true, failure: true, delay: false };
    sent.success = Some(Success::Delivered);
    envelope.recipients.push(sent);
    let made = reports(&mut envelope, &config(), NOW, "", "body\n");
    assert_eq!(made[0].matches("\nContent-Transfer-Encoding: 8bit\n").count(), 2, "{}", made[0]);
}

#[test]
fn the_postmaster_gets_a_copy_of_failures() {
    let mut config = config();
    config.options.postmaster_copy = Some(Template::literal("carol"));
    let mut envelope = local("\n\tfor x@nosuchhost.test", "copy");
    let reply = "550 Host unknown";
    envelope.recipients.push(recipient("x@nosuchhost.test", State::Failed, Status(5, 1, 2), reply, "nosuchhost.test"));
    let transcript = "550 5.1.2 x@nosuchhost.test... Host unknown (Name server: nosuchhost.test: host not found)\n";
    let made = reports(&mut envelope, &config, NOW, transcript, "secret body\n");
    let [to_sender, copy] = made.as_slice() else { panic!("two reports") };
    assert!(to_sender.contains("secret body") && to_sender.starts_with("To: alice\n"));
    assert_eq!(copy, golden(include_str!("../../tests/golden/dsn/copy")));
    envelope.flags.is_response = true;
    assert_eq!(reports(&mut envelope, &config, NOW, transcript, "x\n").len(), 1, "of a report there is no copy");
}

#[test]
fn without_mime_the_message_follows_the_words() {
    let mut config = config();
    config.options.send_mime_errors = false;
    let mut envelope = local("\n\tfor x@nosuchhost.test", "f");
    let reply = "550 Host unknown";
    envelope.recipients.push(recipient("x@nosuchhost.test", State::Failed, Status(5, 1, 2), reply, "nosuchhost.test"));
    let transcript = "550 5.1.2 x@nosuchhost.test... Host unknown (Name server: nosuchhost.test: host not found)\n";
    let made = reports(&mut envelope, &config, NOW, transcript, "body\n");
    assert_eq!(made, [golden(include_str!("../../tests/golden/dsn/plain"))]);
}

#[test]
fn who_is_told_follows_notify_and_sender() {
    let given = |success, failure, delay| Notify { is_given: true, success, failure, delay };
    for (notify, sender, can_return, age, expected) in [
        (Notify::default(), "<a@b>", true, Age::Fine, &[Kind::Failure][..]),
        (given(false, false, false), "<a@b>", true, Age::Fine, &[]),
        (given(true, false, false), "<a@b>", true, Age::Fine, &[]),
        (Notify::default(), "<>", true, Age::Fine, &[Kind::Postmaster]),
        (Notify::default(), "<a@b>", false, Age::Fine, &[Kind::Postmaster]),
    ] {
        let mut envelope = message(sender, "x", "", "", "");
        let mut failed = recipient("c@d", State::Failed, Status(5, 0, 0), "", "");
        failed.notify = notify;
        envelope.recipients.push(failed);
        let to = if can_return { vec![crate::dsn::return_address(&envelope)] } else { Vec::new() };
        let kinds: Vec<Kind> =
            decide(&envelope, age, &to, Exit::OK, &config(), &Scope::default()).iter().map(|r| r.kind).collect();
        assert_eq!(kinds, expected, "{notify:?} {sender}");
    }
}
