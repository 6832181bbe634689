//! Section 4: the dialogue.

use super::*;

#[test]
fn r4_1_the_greeting_is_that_of_the_configuration() {
    let place = Place::new();
    let running = place.run("a", 1, "DZ8.13.3\nO SmtpGreetingMessage=$j Sendmail $v/$Z; $b\n");
    let greeting = Client::connect_silent(running.site.port).reply();
    let (start, end) = greeting.split_once("; ").unwrap();
    assert!(start.starts_with("220 a.test ESMTP Sendmail ") && start.ends_with("/8.13.3"), "{greeting}");
    assert!(end.len() > 25 && end.contains(" 20"), "a date: {greeting}");
}

#[test]
fn r4_2_the_list_has_the_words_and_the_order_of_the_original() {
    let place = Place::new();
    let running = place.run_tls("O AuthMechanisms=DIGEST-MD5 CRAM-MD5 EXTERNAL\n");
    let mut client = Client::connect(running.site.port);
    let reply = client.say("EHLO client.test");
    let words = |reply: &str| -> Vec<String> {
        let words = reply.lines().skip(1).map(|line| line[4..].split_whitespace().next().unwrap().to_owned());
        words.filter(|word| word != "AUTH").collect()
    };
    let expected = [
        "ENHANCEDSTATUSCODES",
        "PIPELINING",
        "EXPN",
        "VERB",
        "8BITMIME",
        "SIZE",
        "DSN",
        "ETRN",
        "STARTTLS",
        "DELIVERBY",
        "HELP",
    ];
    assert_eq!(words(&reply), expected);
    assert!(reply.starts_with("250-a.test Hello ") && reply.contains(", pleased to meet you"), "{reply}");
    let auth = |reply: &str| reply.lines().find(|line| line[4..].starts_with("AUTH")).unwrap_or_default().to_owned();
    if auth(&reply).is_empty() {
        println!("no SASL mechanisms on this machine: the AUTH line was not looked at");
        return;
    }
    assert!(!auth(&reply).contains("EXTERNAL"), "{reply}");
    let at = |word: &str| reply.find(word).unwrap();
    assert!(at("250-ETRN") < at("250-AUTH") && at("250-AUTH") < at("250-STARTTLS"), "{reply}");
    let mut client = client.start_tls_with(&place.authority.connector(Some("client.test")));
    let reply = client.say("EHLO client.test");
    assert!(!reply.contains("STARTTLS") && auth(&reply).contains("EXTERNAL"), "{reply}");
}

#[test]
fn r4_3_quit_is_answered_in_the_words_of_the_original() {
    let place = Place::new();
    let running = place.run("a", 1, "");
    assert_eq!(Client::connect(running.site.port).say("QUIT"), "221 2.0.0 a.test closing connection");
}

#[test]
fn r4_4_a_454_to_starttls_is_temporary() {
    let seen = verify::seen_by_rules(|_| "S: 454 4.7.0 TLS not available", "");
    assert!(seen.log.contains("seen.TEMP") && seen.log.contains("stat=Sent"), "{}", seen.log);
    let demand = "R$*\t$#error $@ 4.7.0 $: \"454 TLS is wanted\"\n";
    let seen = verify::seen_by_rules(|_| "S: 454 4.7.0 TLS not available", demand);
    let line = "dsn=4.7.0, reply=454 4.7.0 TLS not available, stat=Deferred: 454 4.7.0 TLS is wanted";
    assert!(seen.log.contains(line) && seen.waits, "{}", seen.log);
}

#[test]
fn r4_5_one_port_serves_clear_and_encrypted_sessions() {
    let place = Place::new();
    let running = place.run_tls("");
    let reply =
        Client::connect(running.site.port).message("me@client.test", &["plain@a.test"], b"Subject: x\r\n\r\nclear\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
    until(LIMIT, "it is in the mailbox", || running.site.mailbox("plain").contains("clear"));
    assert!(!running.site.mailbox("plain").contains("version="), "{}", running.site.mailbox("plain"));
    assert!(place.receives(&running, None).contains("version=TLSv1.3"));
}

#[test]
fn r4_6_a_client_upgrades_when_it_is_offered_and_only_then() {
    for is_offered in [true, false] {
        let place = Place::new();
        let next = if is_offered { tls_host(&place.authority) } else { FakeHost::accepting() };
        let running = place.run("a", next.port, &place.authority.options("a.test"));
        send(&running);
        assert_eq!(next.wait_for(1)[0].is_encrypted, is_offered);
    }
    // What was said in clear behind STARTTLS is not heard, and all state is new.
    let place = Place::new();
    let running = place.run_tls("");
    let mut client = Client::connect(running.site.port);
    client.expect("MAIL FROM:<evil@client.test>", "250 ");
    client.expect("STARTTLS", "503 5.5.0 TLS not permitted during a mail transaction");
    client.expect("RSET", "250 ");
    client.send(b"STARTTLS\r\nRCPT TO:<you@a.test>\r\n");
    assert_eq!(client.reply(), "220 2.0.0 Ready to start TLS");
    let mut client = client.handshake();
    client.expect("RCPT TO:<you@a.test>", "503 ");
    client.expect("EHLO client.test", "250-");
    client.expect("RCPT TO:<you@a.test>", "503 ");
}
