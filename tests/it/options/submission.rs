//! Options of messages that programs submit, and of what becomes of them.

use super::*;
use crate::support::fake_host::FakeHost;

/// What the next hop gets of a message sent under these lines.
fn passed_on(lines: &str, args: &[&str], message: &[u8]) -> crate::support::fake_host::Taken {
    let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
    let site = sandbox.mta("a", next.port, lines);
    send(&site, args, message);
    next.wait_for(1).remove(0)
}

/// What the mailbox of `you` gets.
fn kept(lines: &str, args: &[&str], message: &[u8]) -> String {
    let (_sandbox, site) = alone(lines);
    send(&site, &[args, &["you@a.test"]].concat(), message);
    site.mailbox("you")
}

#[test]
fn a_lone_dot_ends_the_input_unless_dots_are_ignored() {
    for (lines, has_rest) in [("", false), ("O IgnoreDots=true\n", true)] {
        let (_sandbox, site) = alone(lines);
        assert_eq!(run(&site, &["-odi", "you@a.test"], b"Subject: x\n\none\n.\ntwo\n").0, 0);
        assert_eq!(site.mailbox("you").contains("two"), has_rest, "{lines:?}");
    }
}

#[test]
fn lines_in_front_of_the_header_and_folds_are_kept_or_go() {
    let old = b"From old@x.test Sun Nov 22 08:05:27 2026\nSubject: x\n\nx\n";
    assert!(!kept("", &[], old).contains("old@x.test"));
    assert!(kept("O SaveFromLine=true\n", &[], old).contains("old@x.test"));
    let folded = b"From: Some One\n\t<me@a.test>\nSubject: a\n\tb\n\nx\n";
    assert!(kept("", &[], folded).contains("From: Some One\n\t<me@a.test>\n"));
    let unfolded = kept("O SingleLineFromHeader=true\n", &[], folded);
    assert!(
        unfolded.contains("From: Some One \t<me@a.test>\n") && unfolded.contains("Subject: a\n\tb\n"),
        "{unfolded}"
    );
}

#[test]
fn a_header_without_recipients_gets_one() {
    for (value, line) in [
        ("none", None),
        ("add-to", Some("To: you@a.test\n")),
        ("add-apparently-to", Some("Apparently-To: you@a.test\n")),
        ("add-bcc", Some("Bcc:")),
        ("add-to-undisclosed", Some("To: undisclosed-recipients:")),
    ] {
        let text = kept(&format!("O NoRecipientAction={value}\n"), &[], b"Subject: x\n\nx\n");
        match line {
            Some(line) => assert!(text.contains(line), "{value}: {text}"),
            None => assert!(!text.contains("To: ") && !text.contains("Bcc"), "{text}"),
        }
    }
}

#[test]
fn addresses_of_old_headers_are_parted_by_blanks() {
    for (lines, expected) in [("", 0), ("O OldStyleHeaders=true\n", 2)] {
        let (_sandbox, site) = alone(lines);
        run(&site, &["-odq", "-t"], b"To: one@next.test two@next.test\nSubject: x\n\nx\n");
        let names = site.queue_files("qf");
        let files = names.iter().map(|name| std::fs::read(site.path("queue").join(name)).unwrap());
        let found: usize = files.map(|text| String::from_utf8_lossy(&text).matches("\nRPFD:").count()).sum();
        assert_eq!(found, expected, "{lines:?}");
    }
    // The last of a list goes first. Source: observed.
    let (_sandbox, site) = alone("");
    run(&site, &["-odq", "-t"], b"To: one@next.test, two@next.test\nSubject: x\n\nx\n");
    let text = only_control_file(&site);
    assert!(text.find("RPFD:two@next.test") < text.find("RPFD:one@next.test"), "{text}");
}

#[test]
fn phrases_are_quoted_for_the_characters_of_the_option() {
    let message = b"From: J. o!p <me@next.test>\nSubject: x\n\nx\n";
    for (lines, from) in [
        ("", "From: \"J. o!p\" <me@next.test>"),
        ("O MustQuoteChars=%\n", "From: J. o!p <me@next.test>"),
        ("O MustQuoteChars=!\n", "From: \"J. o!p\" <me@next.test>"),
    ] {
        let text = passed_on(lines, &["you@next.test"], message).text();
        assert!(text.contains(from), "{lines:?}: {text}");
    }
}

#[test]
fn blanks_of_addresses_become_the_character_of_the_option() {
    for (lines, sender) in [("O BlankSub=.\n", "<a.b@next.test>"), ("O BlankSub=_\n", "<a_b@next.test>")] {
        let taken = passed_on(lines, &["-f", "a b@next.test", "you@next.test"], b"Subject: x\n\nx\n");
        assert!(taken.sender.contains(sender), "{lines:?}: {}", taken.sender);
    }
}

#[test]
fn a_mailbox_begins_with_the_line_of_the_option() {
    let (_sandbox, site) = alone("O UnixFromLine=From $g in $j\n");
    let text = std::fs::read_to_string(site.path("cf")).unwrap().replace("F=lsDFMAPXn9", "F=lsDFMAPX9");
    site.write("cf", text.as_bytes(), 0o644);
    send(&site, &["-fme@a.test", "you@a.test"], b"Subject: x\n\nx\n");
    assert!(site.mailbox("you").starts_with("From me@a.test in a.test\n"), "{}", site.mailbox("you"));
}

#[test]
fn eight_bits_are_converted_declared_or_passed() {
    let bare = b"Subject: x\n\ncaf\xe9\n";
    let script = "S: 220 next.test ESMTP\nC: EHLO *\nS: 250 next.test\nC: MAIL *\nS: 250 ok\nC: RCPT *\nS: 250 ok\nC: DATA\nS: 354 go\nC: message\nS: 250 taken\nC: QUIT\nS: 221 bye";
    for (lines, takes_8bit, args, parts) in [
        ("O EightBitMode=pass8\n", true, &[][..], &[][..]),
        ("O EightBitMode=pass8\n", false, &[], &[]),
        ("O EightBitMode=pass8\n", false, &["-B8BITMIME"], &["charset=unknown-8bit", "Content-Transfer-Encoding: "]),
        (
            "O EightBitMode=mimefy\nO DefaultCharSet=x-mine\n",
            true,
            &[],
            &["charset=x-mine", "Content-Transfer-Encoding: 8bit"],
        ),
        ("O EightBitMode=mimefy\n", false, &[], &["charset=unknown-8bit", "X-MIME-Autoconverted: from 8bit to "]),
    ] {
        let sandbox = Sandbox::new();
        let next = if takes_8bit { FakeHost::accepting() } else { FakeHost::new(&[script]) };
        let site = sandbox.mta("a", next.port, lines);
        let text = std::fs::read_to_string(site.path("cf")).unwrap().replace("F=mDFMuXa8", "F=mDFMuXa");
        site.write("cf", text.as_bytes(), 0o644);
        send(&site, &[args, &["you@next.test"]].concat(), bare);
        let taken = next.wait_for(1).remove(0);
        let text = taken.text();
        assert!(parts.iter().all(|part| text.contains(part)), "{lines:?} {args:?}: {text}");
        assert_eq!(text.contains("MIME-Version: 1.0"), !parts.is_empty(), "{lines:?} {args:?}: {text}");
        let is_declared = lines.contains("mimefy") && takes_8bit;
        assert_eq!(taken.sender.contains("BODY=8BITMIME"), is_declared, "{lines:?}: {}", taken.sender);
    }
    let (_sandbox, site) = alone("O EightBitMode=strict\n");
    let (_, printed) = run(&site, &["-odi", "-fyou@a.test", "them@a.test"], bare);
    assert_eq!(printed, "Eight bit data not allowed\n");
    assert_eq!(site.mailbox("them"), "");
    assert!(site.mailbox("you").contains("554 5.6.1 Eight bit data not allowed"), "{}", site.mailbox("you"));
}

#[test]
fn delivery_waits_or_not_as_the_mode_says() {
    for (lines, args, is_delivered) in [
        ("O DeliveryMode=interactive\n", &[][..], true),
        ("O DeliveryMode=queue\n", &[], false),
        ("O DeliveryMode=deferred\n", &[], false),
        // With -v, or the option of the same effect, somebody waits. Source: observed.
        ("O DeliveryMode=queue\n", &["-v"], true),
        ("O DeliveryMode=queue\nO Verbose=true\n", &[], true),
    ] {
        let (_sandbox, site) = alone(lines);
        let (exit, printed) = run(&site, &[args, &["you@a.test"]].concat(), b"Subject: x\n\nx\n");
        assert_eq!((exit, site.mailbox("you").contains("Subject: x")), (0, is_delivered), "{lines:?} {args:?}");
        let is_shown = printed.contains("you@a.test... Sent");
        assert_eq!(is_shown, lines.contains("Verbose") || !args.is_empty(), "{lines:?}: {printed}");
    }
    let (_sandbox, site) = alone("O DeliveryMode=background\n");
    assert_eq!(run(&site, &["you@a.test"], b"Subject: x\n\nx\n"), (0, String::new()));
    crate::support::until(crate::support::LIMIT, "it is delivered", || site.mailbox("you").contains("Subject: x"));
}

#[test]
fn expensive_mailers_wait_for_a_queue_run() {
    for (lines, args, waits) in
        [("", &[][..], false), ("O HoldExpensive=true\n", &[], true), ("O HoldExpensive=true\n", &["-v"], false)]
    {
        let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
        let site = sandbox.mta("a", next.port, lines);
        let text = std::fs::read_to_string(site.path("cf")).unwrap().replace("F=mDFMuXa8", "F=mDFMuXa8e");
        site.write("cf", text.as_bytes(), 0o644);
        run(&site, &[&["-odi"], args, &["you@next.test"]].concat(), b"Subject: x\n\nx\n");
        assert_eq!(next.taken().is_empty(), waits, "{lines:?} {args:?}");
        if waits {
            site.run_queue();
            next.wait_for(1);
        }
    }
}

#[test]
fn macros_show_the_modifiers_of_direct_submission() {
    for (lines, args, flags) in [
        ("", &[][..], "X-Flags: c u\n"),
        ("", &["-G"], "X-Flags: CC f\n"),
        ("O DirectSubmissionModifiers=fc\n", &[], "X-Flags: f c\n"),
    ] {
        let text = kept(&format!("HX-Flags: ${{daemon_flags}}\n{lines}"), args, b"Subject: x\n\nx\n");
        assert!(text.contains(flags), "{lines:?}: {text}");
    }
}

#[test]
fn mime_fields_are_cut_at_their_length() {
    let message = format!(
        "MIME-Version: 1.0\nContent-Type: text/plain; name=\"{}\"\nContent-Description: {}\nSubject: x\n\nx\n",
        "n".repeat(300),
        "d".repeat(400)
    );
    let whole = kept("", &[], message.as_bytes());
    assert!(whole.contains(&"n".repeat(300)) && whole.contains(&"d".repeat(400)));
    let cut = kept("O MaxMimeHeaderLength=200/100\n", &[], message.as_bytes());
    assert!(!cut.contains(&"n".repeat(101)) && !cut.contains(&"d".repeat(201)), "{cut}");
    assert!(cut.contains("Subject: x"));
}

#[test]
fn precedence_recipients_and_tries_make_the_priority() {
    let message = b"Subject: x\nPrecedence: bulk\n\nx\n";
    let priority = |lines: &str| {
        let next =
            FakeHost::new(&["S: 220 next.test ESMTP\nC: EHLO *\nS: 250 next.test\nC: MAIL *\nS: 451 later\nhang up"]);
        let sandbox = Sandbox::new();
        let site = sandbox.mta("a", next.port, &format!("Pbulk=-60\n{lines}"));
        run(&site, &["-odq", "one@next.test", "two@next.test"], message);
        let value = |site: &Site| {
            let text = only_control_file(site);
            let line = text.lines().find_map(|line| line.strip_prefix('P'));
            line.unwrap().parse::<i64>().unwrap()
        };
        let queued = value(&site);
        site.run_queue();
        (queued, value(&site) - queued)
    };
    let size = i64::try_from(message.len()).unwrap();
    let (plain, retry) = priority("");
    assert_eq!(retry, 90_000);
    assert_eq!(priority("O RecipientFactor=7\n").0, plain - 2 * 30_000 + 2 * 7);
    assert_eq!(priority("O ClassFactor=11\n").0, plain - 60 * 1800 + 60 * 11);
    assert_eq!(priority("O RetryFactor=13\n").1, 13);
    assert!((plain - 60 * 1800 - 2 * 30_000 - size).abs() < size);
}

#[test]
fn dates_are_in_the_zone_of_the_option() {
    let zone = |lines: &str, tz: Option<&str>| {
        let (_sandbox, site) = alone(lines);
        let mut command = site.command();
        command.args(["-odi", "you@a.test"]).env_remove("TZ");
        if let Some(tz) = tz {
            command.env("TZ", tz);
        }
        assert_eq!(finished(command, b"Subject: x\n\nx\n").0, 0);
        let text = site.mailbox("you");
        let date = text.lines().find(|line| line.starts_with("Date: ")).unwrap_or_default().to_owned();
        date.split_once(" +").or(date.split_once(" -")).map(|(_, zone)| zone[..4].to_owned()).unwrap_or(date)
    };
    assert_eq!(zone("O TimeZoneSpec=XST-3\n", None), "0300");
    assert_eq!(zone("O TimeZoneSpec=XST-3\n", Some("YST-5")), "0300");
    assert_eq!(zone("O TimeZoneSpec=\n", Some("YST-5")), "0500");
    assert_ne!(zone("", Some("YST-5")), "0500", "what the caller has counts when it is asked for");
}
