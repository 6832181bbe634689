//! Options of a session with a client.

use super::*;

#[test]
fn allow_bogus_helo_takes_any_name() {
    play("", "C: HELO a_b!\nS: 501 5.0.0 Invalid domain name\nC: HELO\nS: 501 5.0.0 HELO requires domain address");
    play(
        "O AllowBogusHELO=true\n",
        "C: HELO a_b!\nS: 250 \nS~ accepting invalid domain name\nC: HELO\nS: 250 \nC: HELO fine.test\nS~ pleased to meet you",
    );
}

#[test]
fn bad_recipients_end_a_session_when_they_are_many() {
    let bad = "C: RCPT TO:<x@no.test>\nS: 550 5.1.2\n";
    let good = "C: RCPT TO:<you@a.test>\nS: 250 2.1.5\n";
    let over = "C: RCPT TO:<x@no.test>\nS: 421 4.7.0 a.test Too many bad recipients; closing connection";
    let start = "C: HELO client.test\nC: MAIL FROM:<me@client.test>\nS: 250\n";
    play("", &format!("{start}{}", bad.repeat(5)));
    play("O BadRcptShutdown=2\n", &format!("{start}{bad}{bad}{over}"));
    // All must be bad, unless a share is given. Source: observed.
    play("O BadRcptShutdown=2\n", &format!("{start}{good}{}", bad.repeat(4)));
    let share = "O BadRcptShutdown=2\nO BadRcptShutdownGood=70\n";
    play(share, &format!("{start}{good}{bad}{bad}{bad}{over}"));
    play("O BadRcptShutdown=2\nO BadRcptShutdownGood=20\n", &format!("{start}{}{bad}{bad}{over}", good.repeat(4)));
}

#[test]
fn sizes_have_limits() {
    play("", "C: EHLO client.test\nS~ SIZE\nS! SIZE 2000\nC: MAIL FROM:<me@client.test> SIZE=3000\nS: 250");
    play(
        "O MaxMessageSize=2000\n",
        "C: EHLO client.test\nS~ SIZE 2000\nC: MAIL FROM:<me@client.test> SIZE=3000\nS: 552 5.2.3\nC: MAIL FROM:<me@client.test> SIZE=1000\nS: 250",
    );
    let message = [b"Subject: x\r\n\r\n".to_vec(), b"0123456\r\n".repeat(300)].concat();
    let header = [b"X-Long: ".to_vec(), b"0123456\r\n ".repeat(300), b"x\r\n\r\nbody\r\n".to_vec()].concat();
    for (lines, text, reply) in [
        ("", &message, "250"),
        ("O MaxMessageSize=2000\n", &message, "552 5.2.3 Message exceeds maximum fixed size"),
        ("", &header, "250"),
        ("O MaxHeadersLength=2000\n", &header, "552 5.6.0 Headers too large (2000 max)"),
    ] {
        let (_sandbox, site) = alone(lines);
        let got = Dialogue::start(&site, &["-odq"]).message("MAIL FROM:<me@client.test>", "you@a.test", text);
        assert!(got.starts_with(reply), "{lines:?}: {got}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_or_cleared() {
    let nul = b"Subject: x\r\n\r\na\0b\r\n";
    let high = b"Subject: x\r\n\r\ncaf\xe9\r\n";
    let plain = "MAIL FROM:<me@client.test>";
    let declared = "MAIL FROM:<me@client.test> BODY=8BITMIME";
    for (lines, mail, message, reply, kept) in [
        ("", plain, &nul[..], "250", "a\0b\n"),
        ("O RejectNUL=true\n", plain, nul, "554 5.6.1 NUL byte not allowed", ""),
        ("", plain, high, "250", "caf\u{fffd}\n"),
        ("O SevenBitInput=true\n", plain, high, "250", "cafi\n"),
        // What is declared counts for more. Source: observed.
        ("O SevenBitInput=true\n", declared, high, "250", "caf\u{fffd}\n"),
        ("O EightBitMode=pass8\n", plain, high, "250", "caf\u{fffd}\n"),
        ("O EightBitMode=strict\n", plain, high, "554 5.6.1 Eight bit data not allowed", ""),
        ("O EightBitMode=strict\n", declared, high, "250", "caf\u{fffd}\n"),
    ] {
        let (_sandbox, site) = alone(lines);
        let mut dialogue = Dialogue::start(&site, &["-odq"]);
        dialogue.say(b"EHLO client.test");
        let got = dialogue.message(mail, "you@a.test", message);
        assert!(got.starts_with(reply), "{lines:?}: {got}");
        let bodies = site.queue_files("df");
        let body = bodies.first().map(|name| std::fs::read(site.path("queue").join(name)).unwrap());
        assert_eq!(String::from_utf8_lossy(&body.unwrap_or_default()), kept, "{lines:?}");
    }
}

#[test]
fn soft_bounce_refuses_for_now() {
    let script = |code: &str, class: &str| {
        format!(
            "C: HELO client.test\nC: MAIL FROM:<me@client.test>\nC: RCPT TO:<x@no.test>\nS: {code} {class}.1.2\nC: FOO\nS: {}",
            { if class == "4" { "400 4.5.1" } else { "500 5.5.1" } }
        )
    };
    play("", &script("550", "5"));
    play("O SoftBounce=true\n", &script("450", "4"));
}

#[test]
fn recipients_of_a_message_are_counted() {
    let script = "C: HELO client.test\nC: MAIL FROM:<me@client.test>\nC: RCPT TO:<one@a.test>\nS: 250\nC: RCPT TO:<two@a.test>\n";
    play("", &format!("{script}S: 250"));
    play("O MaxRecipientsPerMessage=1\n", &format!("{script}S: 452 4.5.3 Too many recipients"));
}

#[test]
fn deliver_by_has_a_least_time_and_can_be_off() {
    let mail = "C: MAIL FROM:<me@client.test> BY=60;R\n";
    play("", &format!("C: EHLO client.test\nS~ DELIVERBY\n{mail}S: 250"));
    play("O DeliverByMin=120\n", &format!("C: EHLO client.test\nS~ DELIVERBY 120\n{mail}S: 555 5.5.2"));
    play(
        "O DeliverByMin=-1\n",
        &format!("C: EHLO client.test\nS! DELIVERBY\n{mail}S: 555 5.5.4 BY parameter unrecognized"),
    );
}

#[test]
fn the_first_words_are_the_configured_ones() {
    play("", "S: 220 a.test ESMTP test");
    play("O SmtpGreetingMessage=$j says hello\n", "S: 220 a.test ESMTP says hello");
    play("", "C: HELP\nS: 502 5.3.0");
    let (_sandbox, site) = alone("O HelpFile=help\n");
    site.write("help", b"#vers\t2\nsmtp\tHelp of $j\n", 0o644);
    let text = std::fs::read_to_string(site.path("cf")).unwrap();
    site.write(
        "cf",
        text.replace("HelpFile=help", &format!("HelpFile={}", site.path("help").display())).as_bytes(),
        0o644,
    );
    let reply = Dialogue::start(&site, &[]).say(b"HELP");
    assert!(reply.contains("214") && reply.contains("Help of a.test"), "{reply}");
}

#[test]
fn privacy_options_close_parts_of_the_dialogue() {
    let greeted = "C: HELO client.test\nS: 250\n";
    for (flag, script, open, closed) in [
        ("needmailhelo", "C: MAIL FROM:<me@client.test>\n", "250", "503 5.0.0 Polite people say HELO first"),
        ("needexpnhelo", "C: EXPN you\n", "250", "503 5.0.0 I demand that you introduce yourself first"),
        ("needvrfyhelo", "C: VRFY you\n", "25", "503 5.0.0 I demand that you introduce yourself first"),
        ("noexpn", "C: HELO client.test\nC: EXPN you\n", "250", "502 5.7.0 Sorry, we do not allow this operation"),
        ("novrfy", "C: HELO client.test\nC: VRFY you\n", "252 2.1.5", "252 2.5.2 Cannot VRFY user"),
        ("noverb", "C: HELO client.test\nC: VERB\n", "250", "502 5.7.0 Verbose unavailable"),
        ("noetrn", "C: HELO client.test\nC: ETRN a.test\n", "25", "502 5.7.0 Sorry, we do not allow this operation"),
    ] {
        play("", &format!("{script}S: {open}"));
        play("O PrivacyOptions=public\n", &format!("{script}S: {open}"));
        play(&format!("O PrivacyOptions={flag}\n"), &format!("{script}S: {closed}"));
        if flag.starts_with("need") {
            play(&format!("O PrivacyOptions={flag}\n"), &format!("{greeted}{script}S: {open}"));
        }
        let is_in_goaway = flag != "noetrn";
        let start = if flag.contains("vrfy") { "252 2.5.2 Cannot VRFY user" } else { "50" };
        play("O PrivacyOptions=goaway\n", &format!("{script}S: {}", if is_in_goaway { start } else { open }));
    }
    let notify = "C: EHLO client.test\nC: MAIL FROM:<me@client.test>\nC: RCPT TO:<you@a.test> NOTIFY=SUCCESS\n";
    play("", &format!("C: EHLO client.test\nS~ DSN\n{notify}S: 250"));
    play("O PrivacyOptions=noreceipts\n", "C: EHLO client.test\nS! DSN");
}
