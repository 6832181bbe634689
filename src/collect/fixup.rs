//! Completing a header as the `H` lines of the configuration say, and what follows from it for the envelope.

use bytes::Bytes;
use jiff::tz::TimeZone;

use super::Collected;
use crate::address::list;
use crate::config::Config;
use crate::config::values::NoRecipientAction;
use crate::envelope::complete::{self, complete_header, priority};
use crate::envelope::{BodyType, Envelope, Notify};
use crate::message::{Header, HeaderList, HeaderValue, fields};

/// Takes a collected message into the envelope and completes its header.
///
/// Before: sender and recipients are known; `envelope.scope` holds the macros of the session (`$_ $r $s $j $v $x` and so on).
/// After: header, size, class, priority and flags are final. Macros are expanded now, but for fields that depend on the
/// delivery (`Return-Path: <$g>`), which stay templates.
pub fn complete(envelope: &mut Envelope, collected: Collected, config: &Config, zone: &TimeZone) {
    envelope.size_bytes = collected.size_bytes;
    envelope.flags.has_8bit_body |= collected.has_8bit;
    envelope.headers = collected.headers;
    // 8 bits in the header of a MIME message declare it. Source: observed.
    let is_mime = envelope.headers.first("MIME-Version").is_some();
    if envelope.body_type.is_none() && is_mime && envelope.headers.iter().any(|h| !h.text().is_ascii()) {
        envelope.body_type = Some(BodyType::EightBitMime);
    }
    if wants_receipts(&envelope.headers, config) {
        ask_for_receipts(envelope);
    }
    unfold_from(&mut envelope.headers, config);
    envelope.flags.old_style = config.options.old_style_headers && is_old_style(&envelope.headers);
    complete_header(envelope, config, zone);
    envelope.flags.delete_bcc = names_recipients(&envelope.headers);
    add_recipient_field(envelope, config);
    envelope.class = complete::class(&envelope.headers, config);
    // What nobody asked to have back is not returned whole.
    envelope.flags.no_body_return |= envelope.class < 0;
    envelope.priority = priority(envelope, config);
}

/// Whether the header asks for receipts in a way that `RrtImpliesDsn` makes a request for status notifications.
pub fn wants_receipts(headers: &HeaderList, config: &Config) -> bool {
    config.options.rrt_implies_dsn && headers.iter().any(|h| fields::has(&h.name, fields::RECEIPT))
}

/// Has the sender told what becomes of each recipient, where nothing else was said. Source: op guide 5.6; observed.
pub fn ask_for_receipts(envelope: &mut Envelope) {
    for recipient in envelope.recipients.iter_mut().filter(|r| !r.notify.is_given) {
        recipient.notify = Notify { is_given: true, success: true, failure: true, delay: true };
    }
}

/// `SingleLineFromHeader`: a folded `From:` becomes one line.
fn unfold_from(headers: &mut HeaderList, config: &Config) {
    if !config.options.single_line_from_header {
        return;
    }
    for header in headers.iter_mut().filter(|h| h.is("From")) {
        let text: Vec<u8> = header.text().iter().map(|b| if *b == b'\n' { b' ' } else { *b }).collect();
        header.value = HeaderValue::Text(text.into());
    }
}

/// Whether no field of addresses has a comma, a bracket or a comment.
fn is_old_style(headers: &HeaderList) -> bool {
    let mut lists = headers.iter().filter(|h| fields::has(&h.name, fields::SENDER | fields::RECIPIENT));
    !lists.any(|h| list::is_new_style(h.text()))
}

/// Texts of the fields that `-t` takes recipients from, in order: the `Resent-` ones when there are any.
pub fn recipient_fields(headers: &HeaderList) -> Vec<Bytes> {
    let is_resent = headers.iter().any(|h| fields::has(&h.name, fields::RESENT));
    headers
        .iter()
        .filter(|h| {
            let bits = fields::bits(&h.name);
            bits & fields::RECIPIENT != 0 && (bits & fields::RESENT != 0) == is_resent
        })
        .map(|h| Bytes::copy_from_slice(h.text()))
        .collect()
}

/// Whether the header names recipients besides blind copies.
fn names_recipients(headers: &HeaderList) -> bool {
    headers.iter().any(|h| fields::bits(&h.name) & (fields::RECIPIENT | fields::BCC) == fields::RECIPIENT)
}

/// `NoRecipientAction` for a header that names nobody. Source: op guide 5.6; observed.
fn add_recipient_field(envelope: &mut Envelope, config: &Config) {
    if envelope.headers.iter().any(|h| fields::has(&h.name, fields::RECIPIENT)) {
        return;
    }
    let (name, per_recipient) = match config.options.no_recipient_action {
        NoRecipientAction::None => return,
        NoRecipientAction::AddBcc => return envelope.headers.push(Header::new("Bcc", "  ")),
        NoRecipientAction::AddToUndisclosed => {
            return envelope.headers.push(Header::new("To", " undisclosed-recipients:;"));
        }
        NoRecipientAction::AddTo => ("To", true),
        NoRecipientAction::AddApparentlyTo => ("Apparently-To", true),
    };
    for recipient in envelope.recipients.iter().rev().filter(|r| per_recipient && r.is_primary) {
        envelope.headers.push(Header::new(name, [b" ", recipient.address.as_ref()].concat()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::letters::LetterSet;
    use crate::base::time::UnixTime;
    use crate::collect::{Collector, Limits};
    use crate::config::HeaderRule;
    use crate::envelope::{QueueId, Recipient};
    use crate::macros::{NameTable, Scope, Template, names};
    use crate::message::Condition;

    fn config() -> Config {
        let mut config = Config::default();
        let mut table = NameTable::default();
        for (condition, name, text) in [
            ("P", "Return-Path", " <$g>"),
            ("", "Received", " $?sfrom $s $.by $j id $i$?u\n\tfor $u; $|;\n\t$.$b"),
            ("D", "Resent-Date", " $a"),
            ("D", "Date", " $a"),
            ("F", "Resent-From", " $?x$x <$g>$|$g$."),
            ("F", "From", " $?x$x <$g>$|$g$."),
            ("x", "Full-Name", " $x"),
            ("M", "Resent-Message-Id", " <$t.$i@$j>"),
            ("M", "Message-Id", " <$t.$i@$j>"),
        ] {
            let condition = match condition {
                "" => Condition::Always,
                letters => Condition::MailerFlags(LetterSet::from_bytes(letters.as_bytes())),
            };
            let template = Some(Template::parse(text.as_bytes(), &mut table));
            config.headers.push(HeaderRule { name: name.into(), condition, template, check: None });
        }
        config.precedences = vec![("bulk".into(), -60), ("special-delivery".into(), 100)];
        config
    }

    fn envelope(recipients: &[&'static str]) -> Envelope {
        let mut scope = Scope::default();
        scope.set(names::HOST, "mta.example.test");
        let id = QueueId::parse(b"6AM8Wwpk005225").unwrap();
        let mut envelope = Envelope::new(id, UnixTime(1_795_334_727), scope);
        envelope.sender = "root".into();
        envelope.recipients = recipients.iter().map(|r| Recipient::new(*r)).collect();
        envelope
    }

    fn completed(text: &str, config: &Config, recipients: &[&'static str]) -> Envelope {
        let (mut collector, mut body) = (Collector::new(Limits::default()), Vec::new());
        collector.feed(text.as_bytes(), &mut body);
        let mut envelope = envelope(recipients);
        complete(&mut envelope, collector.finish(&mut body), config, &TimeZone::UTC);
        envelope
    }

    fn lines(envelope: &Envelope) -> Vec<String> {
        let shown = |h: &Header| {
            let text = match &h.value {
                HeaderValue::Text(text) => String::from_utf8_lossy(text).into_owned(),
                HeaderValue::Template(_) => " <late>".to_owned(),
            };
            let letters = match &h.condition {
                Condition::MailerFlags(letters) => letters.to_string(),
                _ => String::new(),
            };
            format!("{letters}?{}:{text}", String::from_utf8_lossy(&h.name))
        };
        envelope.headers.iter().map(shown).collect()
    }

    const RECEIVED: &str =
        "?Received: by mta.example.test id 6AM8Wwpk005225\n\tfor alice; Sun, 22 Nov 2026 08:05:27 GMT";
    const ID: &str = "<202611220805.6AM8Wwpk005225@mta.example.test>";

    #[test]
    fn eight_bits_in_the_header_of_a_mime_message_declare_it() {
        for (text, body_type) in [
            ("MIME-Version: 1.0\nSubject: gr\u{fc}\n\nx\n", Some(BodyType::EightBitMime)),
            ("Subject: gr\u{fc}\n\nx\n", None),
            ("MIME-Version: 1.0\nSubject: x\n\ngr\u{fc}\n", None),
        ] {
            assert_eq!(completed(text, &config(), &["alice"]).body_type, body_type, "{text}");
        }
    }

    #[test]
    fn receipts_are_asked_for_where_the_option_says_so() {
        let mut config = config();
        let text = "Return-Receipt-To: a@b\nSubject: x\n\n";
        assert!(!completed(text, &config, &["bob"]).recipients[0].notify.is_given);
        config.options.rrt_implies_dsn = true;
        let notify = completed(text, &config, &["bob"]).recipients[0].notify;
        assert!(notify.is_given && notify.success && notify.failure && notify.delay);
        assert!(!completed("Subject: x\n\n", &config, &["bob"]).recipients[0].notify.is_given);
    }

    #[test]
    fn missing_fields_stand_in_front_in_the_order_of_the_configuration() {
        let envelope = completed("Subject: x\n\nb\n", &config(), &["alice"]);
        assert_eq!(
            lines(&envelope),
            [
                "P?Return-Path: <late>",
                RECEIVED,
                "D?Date: Sun, 22 Nov 2026 08:05:27 GMT",
                "F?From: root",
                &format!("M?Message-Id: {ID}"),
                "?Subject: x",
            ]
        );
        assert_eq!((envelope.size_bytes, envelope.priority), (14, 30_014));
    }

    #[test]
    fn a_field_that_says_nothing_this_time_stays_and_an_empty_one_does_not() {
        let mut config = config();
        config.headers.clear();
        let mut table = NameTable::default();
        for (name, text) in [("X-None", ""), ("X-Blank", " "), ("X-If", " $?{nosuch}set$.")] {
            let template = Some(Template::parse(text.as_bytes(), &mut table));
            let rule = HeaderRule { name: name.into(), condition: Condition::Always, template, check: None };
            config.headers.push(rule);
        }
        assert_eq!(lines(&completed("\nb\n", &config, &["alice"])), ["?X-If: "]);
    }

    #[test]
    fn given_fields_stay_where_they_are() {
        let text =
            "Return-Path: <z@z>\nDate: then\nFrom: \nFull-Name: Fn\nMESSAGE-ID: <mine@x>\nReceived: from a\n\nb\n";
        let envelope = completed(text, &config(), &["alice"]);
        assert_eq!(
            lines(&envelope),
            [
                "P?Return-Path: <late>",
                RECEIVED,
                "F?From: Fn <root>",
                "?Return-Path: <z@z>",
                "?Date: then",
                "x?Full-Name: Fn",
                "?MESSAGE-ID: <mine@x>",
                "?Received: from a",
            ]
        );
    }

    #[test]
    fn resent_fields_are_completed_when_there_is_one() {
        let envelope = completed("Resent-To: alice\nTo: them\nFrom: x\n\n", &config(), &["alice"]);
        let date = "Sun, 22 Nov 2026 08:05:27 GMT";
        assert_eq!(
            lines(&envelope)[2..],
            [
                format!("D?Resent-Date: {date}"),
                format!("D?Date: {date}"),
                "F?Resent-From: root".to_owned(),
                format!("M?Resent-Message-Id: {ID}"),
                format!("M?Message-Id: {ID}"),
                "?Resent-To: alice".to_owned(),
                "?To: them".to_owned(),
                "?From: x".to_owned(),
            ]
        );
        assert_eq!(recipient_fields(&envelope.headers), [" alice"]);
    }

    #[test]
    fn blind_copies_are_marked_for_deletion_when_others_are_named() {
        for (text, expected) in
            [("Bcc: c\n\n", false), ("To: a\nBcc: c\n\n", true), ("Subject: x\n\n", false), ("To:  \n\n", true)]
        {
            assert_eq!(completed(text, &config(), &["alice"]).flags.delete_bcc, expected, "{text:?}");
        }
    }

    #[test]
    fn a_header_without_recipients_gets_what_the_option_says() {
        for (action, expected) in [
            (NoRecipientAction::None, &[][..]),
            (NoRecipientAction::AddTo, &["?To: x@down.test", "?To: alice"]),
            (NoRecipientAction::AddApparentlyTo, &["?Apparently-To: x@down.test", "?Apparently-To: alice"]),
            (NoRecipientAction::AddBcc, &["?Bcc:  "]),
            (NoRecipientAction::AddToUndisclosed, &["?To: undisclosed-recipients:;"]),
        ] {
            let mut config = config();
            config.options.no_recipient_action = action;
            let envelope = completed("X: y\n\nb\n", &config, &["alice", "x@down.test"]);
            let lines = lines(&envelope);
            let at = lines.iter().position(|l| l == "?X: y").unwrap();
            assert_eq!(lines[at + 1..], *expected, "{action:?}");
        }
    }

    #[test]
    fn precedence_makes_class_and_priority() {
        let envelope = completed("To: alice\nPrecedence: Bulk\n\nb\n", &config(), &["alice", "bob"]);
        assert_eq!((envelope.class, envelope.flags.no_body_return), (-60, true));
        assert_eq!(envelope.priority, 30 + 60 * 1800 + 2 * 30_000);
    }
}
