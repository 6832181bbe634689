//! What the names of header fields mean.

use std::fs;

use crate::support::sandbox::{Sandbox, Site};

/// What becomes of a field on its way out.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Way {
    /// Its addresses are rewritten as those of senders.
    Sender,
    /// As those of recipients; `-t` sends to them.
    Recipient,
    /// The same, and it goes without them.
    Blind,
    /// It needs a flag of the mailer.
    Flag,
    /// It goes as it is.
    Plain,
}
use Way::{Blind, Flag, Plain, Recipient, Sender};

/// A name, its way, whether an `H` line adds another one, and whether it counts as a hop. Source: observed.
const FIELDS: &[(&str, Way, bool, bool)] = &[
    ("resent-sender", Sender, false, false),
    ("resent-from", Sender, false, false),
    ("resent-reply-to", Sender, false, false),
    ("sender", Sender, false, false),
    ("from", Sender, false, false),
    ("reply-to", Sender, false, false),
    ("errors-to", Sender, false, false),
    ("full-name", Flag, false, false),
    ("return-receipt-to", Plain, false, false),
    ("delivery-receipt-to", Plain, false, false),
    ("disposition-notification-to", Sender, false, false),
    ("to", Recipient, false, false),
    ("resent-to", Recipient, false, false),
    ("cc", Recipient, false, false),
    ("resent-cc", Recipient, false, false),
    ("bcc", Blind, false, false),
    ("resent-bcc", Blind, false, false),
    ("apparently-to", Recipient, false, false),
    ("message-id", Plain, false, false),
    ("resent-message-id", Plain, false, false),
    ("date", Plain, false, false),
    ("resent-date", Plain, false, false),
    ("received", Plain, true, true),
    ("x400-received", Plain, true, true),
    ("via", Plain, true, true),
    ("mail-from", Plain, true, true),
    ("comments", Plain, true, false),
    ("return-path", Flag, true, false),
    ("content-transfer-encoding", Plain, false, false),
    ("content-type", Plain, false, false),
    ("content-length", Flag, false, false),
    ("subject", Plain, false, false),
    ("x-authentication-warning", Plain, true, false),
];

/// Mail goes to a file of the recipient's name, header addresses marked on their way.
fn site(sandbox: &Sandbox, name: &str, lines: &str) -> Site {
    let rules = "STagS\nR$*\t$: snd. $1\nSTagR\nR$*\t$: rcp. $1\n";
    let site = sandbox.mta(name, 1, &format!("Cwx.test y.test\n{lines}{rules}"));
    let cf = fs::read_to_string(site.path("cf")).unwrap();
    let start = cf.find("HReceived:").unwrap();
    let end = cf.find("# what stands in angle brackets").unwrap();
    let cf = format!("{}{}", &cf[..start], &cf[end..]);
    let cf = cf.replace("F=lsDFMAPXn9:|/, S=AddDomain", "F=lsn, S=0/TagS, R=0/TagR");
    site.write("cf", cf.as_bytes(), 0o644);
    site
}

fn send(site: &Site, args: &[&str], message: &str) -> i32 {
    site.submit(&[&["-odi", "-oi", "-fme"], args].concat(), message.as_bytes()).0
}

/// All fields, each with an address made of its name.
fn all_fields(domain: &str) -> String {
    FIELDS.iter().fold(String::new(), |text, (name, ..)| text + &format!("{name}: {name}@{domain}\n"))
}

#[test]
fn addresses_in_a_field_are_rewritten_as_its_name_says() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox, "a", "");
    assert_eq!(send(&site, &["you"], &format!("{}\nx\n", all_fields("x.test"))), 0);
    let shown = site.mailbox("you");
    for (name, way, ..) in FIELDS {
        let line = shown.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        let wanted = match way {
            Sender => Some(format!("snd.{name}@x.test")),
            Recipient => Some(format!("rcp.{name}@x.test")),
            Plain => Some(format!("{name}@x.test")),
            Blind | Flag => None,
        };
        assert_eq!(line, wanted.as_deref(), "{name}: {shown}");
    }
}

#[test]
fn recipients_are_taken_from_the_fields_that_name_them() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox, "a", "");
    // Whoever sends a message on names the recipients in its own fields.
    for resent in [false, true] {
        for (name, ..) in FIELDS.iter().filter(|(name, ..)| name.starts_with("resent-") == resent) {
            let _ = send(&site, &["-t"], &format!("{name}: {name}\nsubject: to whom\n\nx\n"));
        }
    }
    for (name, way, ..) in FIELDS {
        let is_wanted = matches!(way, Recipient | Blind);
        assert_eq!(!site.mailbox(name).is_empty(), is_wanted, "{name}: {}", site.mailbox(name));
        assert!(*way != Blind || !site.mailbox(name).contains(&format!("{name}: {name}")), "{}", site.mailbox(name));
    }
}

#[test]
fn lines_of_the_configuration_add_what_is_missing_or_add_it_always() {
    let sandbox = Sandbox::new();
    let lines = FIELDS.iter().fold(String::new(), |text, (name, way, ..)| {
        text + &format!("H{}{name}: new@y.test\n", if *way == Flag { "?l?" } else { "" })
    });
    let site = site(&sandbox, "a", &format!("O MaxHopCount=99\n{lines}"));
    assert_eq!(send(&site, &["given"], &format!("{}\nx\n", all_fields("x.test"))), 0);
    assert_eq!(send(&site, &["lacking"], "x-own: 1\n\nx\n"), 0);
    assert_eq!(send(&site, &["resent"], "resent-from: me\n\nx\n"), 0);
    let count = |user: &str, name: &str| {
        site.mailbox(user).lines().filter(|line| line.starts_with(&format!("{name}:"))).count()
    };
    for (name, way, always, _) in FIELDS.iter().filter(|(_, way, ..)| *way != Blind) {
        // One that needs a flag takes the place of what was given.
        assert_eq!(
            count("given", name),
            1 + usize::from(*always && *way != Flag),
            "{name}, {way:?}: {}",
            site.mailbox("given")
        );
        // What belongs to sending on is added to what is sent on alone.
        assert_eq!(count("lacking", name), usize::from(!name.starts_with("resent-")), "{name}");
        assert_eq!(count("resent", name), 1, "{name}: {}", site.mailbox("resent"));
    }
}

#[test]
fn fields_of_the_trace_count_as_hops() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox, "a", "O MaxHopCount=3\n");
    for (name, _, _, is_hop) in FIELDS {
        let exit = send(&site, &["hops"], &format!("{}\nx\n", format!("{name}: by a\n").repeat(5)));
        assert_eq!(exit != 0, *is_hop, "{name}");
    }
}

/// Fields that the header ends with.
#[test]
fn what_follows_a_text_or_message_field_is_body() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox, "a", "");
    for name in ["text", "message", "x-other"] {
        let to = format!("to-{name}");
        assert_eq!(send(&site, &[&to], &format!("subject: x\n{name}: one\nx-after: two\n\nx\n")), 0);
        let shown = site.mailbox(&to);
        let ends = shown.starts_with(&format!("subject: x\n\n{name}: one\nx-after: two\n\nx\n"));
        assert_eq!(ends, name != "x-other", "{shown}");
    }
}

#[test]
fn reports_and_receipts_go_where_fields_say() {
    let sandbox = Sandbox::new();
    let site = site(&sandbox, "a", "O UseErrorsTo=True\nO RrtImpliesDsn=True\n");
    send(&site, &["nosuch"], "errors-to: complaints\n\nx\n");
    let before = site.mailbox("me").matches("(to mailbox)").count();
    assert!(site.mailbox("complaints").contains("nosuch"), "{}", site.mailbox("complaints"));
    for (at, name) in ["return-receipt-to", "delivery-receipt-to"].iter().enumerate() {
        send(&site, &["you"], &format!("{name}: me\n\nx\n"));
        assert_eq!(
            site.mailbox("me").matches("(to mailbox)").count(),
            before + at + 1,
            "{name}: {}",
            site.mailbox("me")
        );
    }
    send(&site, &["you"], "disposition-notification-to: me\n\nx\n");
    assert_eq!(site.mailbox("me").matches("(to mailbox)").count(), before + 2);
}
