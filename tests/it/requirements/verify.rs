//! Section 6: values of `${verify}`.

use std::fs;

use super::*;
use crate::support::tls::Wish;

/// What the rules and the log saw of a delivery.
pub(super) struct Seen {
    pub log: String,
    pub taken: Vec<crate::support::fake_host::Taken>,
    /// Whether the message waits in the queue.
    pub waits: bool,
}

/// Delivers to a host that answers STARTTLS so; `tls_server` writes `seen.VERIFY` to the log. Both the first try and a queue run.
pub(super) fn seen_by_rules(answer: impl Fn(&Place) -> &'static str, lines: &str) -> Seen {
    let place = Place::new();
    place.authority.sign("next.test");
    let answer = answer(&place);
    let script = format!("S: 220 next.test ESMTP\nC: EHLO *\nS: 250-next.test\\250 STARTTLS\nC: STARTTLS\n{answer}\n");
    let next = FakeHost::with_tls(&[&script, ""], place.authority.acceptor("next.test"));
    let rules = format!("{SEEN}Stls_server\nR$*\t$: $(seen seen.$1 $) $1\n{lines}");
    let running = place.run("a", next.port, &format!("O LogLevel=14\n{}{rules}", place.authority.options("a.test")));
    send(&running);
    running.wait_for_log("seen.");
    until(LIMIT, "the try is over", || running.site.log().contains(" dsn="));
    let waits = !running.site.log().contains("stat=Sent");
    if waits {
        until(LIMIT, "it rests in the queue", || running.site.mailq().contains("you@next.test"));
    }
    Seen { log: running.site.log(), taken: next.taken(), waits }
}

/// Makes what a client shows.
type Make<'a> = &'a dyn Fn(&Place) -> SslConnector;

/// What the server side finds about a client with a certificate made so.
fn verdict(make: impl Fn(&Place) -> SslConnector) -> (String, String) {
    let place = Place::new();
    let connector = make(&place);
    let rules = format!("{SEEN}Stls_client\nR$* $| $*\t$: $(seen seen.$1.$2 $) $1\n");
    let running = place.run_tls(&format!("O LogLevel=14\n{rules}"));
    let shown = running.receives(&connector);
    (shown, running.site.log())
}

#[test]
fn r6_1_ok_for_a_verified_certificate() {
    let (shown, log) = verdict(|place| place.authority.connector(Some("client.test")));
    assert!(shown.contains("verify=OK)"), "{shown}");
    assert!(log.contains("seen.OK.STARTTLS") && log.contains("verify=OK"), "{log}");
}

#[test]
fn r6_2_no_when_none_is_shown() {
    let (shown, log) = verdict(|place| place.authority.connector(None));
    assert!(shown.contains("verify=NO)"), "{shown}");
    assert!(log.contains("seen.NO.STARTTLS") && log.contains("verify=NO"), "{log}");
}

#[test]
fn r6_3_fail_for_certificates_that_do_not_verify() {
    let stranger = |place: &Place| {
        let other = Authority::named(&place.sandbox.path("stranger"), "ca", "Stranger");
        other.sign("client.test");
        other.connector(Some("client.test"))
    };
    let own = |days| {
        move |place: &Place| {
            place.authority.sign_as("client.test", Wish { days, ..Wish::default() });
            place.authority.connector(Some("client.test"))
        }
    };
    let self_signed = |place: &Place| {
        let other = Authority::named(&place.sandbox.path("self"), "client.test", "client.test");
        fs::write(other.path("client.test", "key"), other.key().private_key_to_pem_pkcs8().unwrap()).unwrap();
        other.connector(Some("client.test"))
    };
    let cases: [(Make<'_>, &str); 4] = [
        (&stranger, "unable to get local issuer certificate"),
        (&own((-9, -2)), "certificate has expired"),
        (&own((2, 9)), "certificate is not yet valid"),
        (&self_signed, "self-signed certificate"),
    ];
    for (make, message) in cases {
        let (shown, log) = verdict(make);
        assert!(shown.contains("verify=FAIL)"), "{message}: {shown}");
        assert!(
            log.contains("seen.FAIL.STARTTLS") && log.contains(&format!("verifymsg={message}")),
            "{message}: {log}"
        );
    }
}

#[test]
fn r6_4_none_in_clear_and_no_tls_in_the_header() {
    let place = Place::new();
    let rules = format!("{SEEN}Stls_server\nR$*\t$: $(seen server.$1 $) $1\n");
    let next = FakeHost::accepting();
    let running = place.run("a", next.port, &format!("{}{rules}", place.authority.options("a.test")));
    let mut client = Client::connect(running.site.port);
    let reply = client.message("me@a.test", &["you@a.test", "you@next.test"], b"Subject: x\r\n\r\nclear\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
    until(LIMIT, "it is in the mailbox", || running.site.mailbox("you").contains("clear"));
    let shown = running.site.mailbox("you");
    assert!(!shown.contains("version=") && shown.contains(" with ESMTP id "), "{shown}");
    next.wait_for(1);
    running.wait_for_log("server.NONE");
}

#[test]
fn r6_5_temp_after_454() {
    let seen = seen_by_rules(|_| "S: 454 4.7.0 TLS not available", "");
    assert!(seen.log.contains("seen.TEMP"), "{}", seen.log);
    assert!(!seen.taken.is_empty() && !seen.taken[0].is_encrypted, "mail goes on in clear unless rules forbid it");
}

#[test]
fn r6_6_protocol_after_an_answer_that_is_none() {
    let seen = seen_by_rules(|_| "S: 354 what", "");
    assert!(seen.log.contains("seen.PROTOCOL"), "{}", seen.log);
    // A refusal for good is no fault of the protocol. Source: observed.
    let seen = seen_by_rules(|_| "S: 501 5.5.2 no", "");
    assert!(seen.log.contains("seen.NONE") && seen.log.contains("stat=Sent"), "{}", seen.log);
}

#[test]
fn r6_7_software_after_a_broken_handshake_and_no_mail_in_clear() {
    for answer in ["S: 220 go ahead\nhang up", "S: 220 go ahead\\250 junk\nhang up"] {
        let seen = seen_by_rules(|_| answer, "");
        assert!(seen.log.contains("seen.SOFTWARE"), "{answer}: {}", seen.log);
        assert!(seen.taken.is_empty() && seen.waits, "{answer}: {}", seen.log);
    }
    let seen = seen_by_rules(|_| "S: 220 go ahead\nhang up", "O TLSFallbacktoClear=true\n");
    assert!(seen.log.contains("seen.CLEAR") || seen.log.contains("stat=Sent"), "{}", seen.log);
    assert!(seen.taken.iter().any(|taken| !taken.is_encrypted && taken.is_acknowledged), "{}", seen.log);
}

#[test]
fn r6_8_other_values_have_their_words() {
    use sendmail::net::tls::Verify;
    let words = [
        (Verify::Ok, "OK"),
        (Verify::No, "NO"),
        (Verify::Not, "NOT"),
        (Verify::Fail, "FAIL"),
        (Verify::None, "NONE"),
        (Verify::Temp, "TEMP"),
        (Verify::Protocol, "PROTOCOL"),
        (Verify::Config, "CONFIG"),
        (Verify::Software, "SOFTWARE"),
        (Verify::Clear, "CLEAR"),
        (Verify::Trusted, "TRUSTED"),
        (Verify::DaneFail, "DANE_FAIL"),
    ];
    for (value, word) in words {
        assert_eq!(value.word(), word);
    }
    // NOT: nobody asked.
    let place = Place::new();
    let running = place.run_tls("O TLSSrvOptions=V\n");
    let shown = place.receives(&running, Some("client.test"));
    assert!(shown.contains("verify=NOT)"), "{shown}");
}
