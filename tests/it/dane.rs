//! TLSA records of a next hop, from a resolver that vouches for them.

use openssl::hash::{MessageDigest, hash};

use crate::support::client::Client;
use crate::support::daemon::Daemon;
use crate::support::fake_dns::{A, Entry, FakeDns, MX, TLSA, name};
use crate::support::fake_host::FakeHost;
use crate::support::private_etc::with_etc;
use crate::support::sandbox::Sandbox;
use crate::support::tls::Authority;
use crate::support::{LIMIT, until};

/// Which record the server has.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Records {
    None,
    /// 3 1 1, of its own key.
    OwnKey,
    /// 2 0 1, of the authority.
    Authority,
    /// 3 1 1, of another key.
    Another,
    /// 3 1 1 of another key, and its own.
    Both,
    /// 1 1 1: a usage that does not count for mail.
    OfNoUse,
}

struct Outcome {
    log: String,
    /// Whether it arrived, and encrypted.
    taken: Option<bool>,
}

/// Sends a message to a domain whose exchanger has such records.
fn send(records: Records, vouches: bool, has_starttls: bool) -> Option<Outcome> {
    send_under("", records, vouches, has_starttls)
}

/// The same under more lines.
fn send_under(lines: &str, records: Records, vouches: bool, has_starttls: bool) -> Option<Outcome> {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    let own = authority.sign_as("mail.next.test", crate::support::tls::Wish::default());
    let another = Authority::named(&sandbox.path("another"), "ca", "Another");
    let next = if has_starttls {
        FakeHost::with_tls(&[""], authority.acceptor("mail.next.test"))
    } else {
        FakeHost::accepting()
    };
    let key = |certificate: &openssl::x509::X509| certificate.public_key().unwrap().public_key_to_der().unwrap();
    let record = |head: [u8; 3], of: &[u8]| [&head[..], &hash(MessageDigest::sha256(), of).unwrap()].concat();
    let tlsa = match records {
        Records::None => vec![],
        Records::OwnKey => vec![record([3, 1, 1], &key(&own))],
        Records::Authority => vec![record([2, 0, 1], &authority.certificate().to_der().unwrap())],
        Records::Another => vec![record([3, 1, 1], &key(another.certificate()))],
        Records::Both => vec![record([3, 1, 1], &key(another.certificate())), record([3, 1, 1], &key(&own))],
        Records::OfNoUse => vec![record([1, 1, 1], &key(another.certificate()))],
    };
    let mut entries: Vec<Entry> = vec![
        ("next.test".to_owned(), MX, [&[0, 5][..], &name("mail.next.test")].concat()),
        ("mail.next.test".to_owned(), A, vec![127, 0, 0, 1]),
    ];
    entries.extend(tlsa.into_iter().map(|data| (format!("_{}._tcp.mail.next.test", next.port), TLSA, data)));
    let mta =
        sandbox.mta("a", next.port, &format!("O DANE=True\nO LogLevel=14\n{}{lines}", authority.options("a.test")));
    let cf = std::fs::read_to_string(mta.path("cf")).unwrap();
    mta.write("cf", cf.replace("$@ [127.0.0.1] $:", "$@ $2 $:").as_bytes(), 0o644);
    let mut command = mta.command();
    command.args(["-bD", "-q1h"]);
    if !crate::support::sandbox::is_root() {
        return with_etc(&command, &mta.dir, &[]).map(|_| unreachable!("only root has an /etc of its own"));
    }
    let dns = FakeDns::start(entries, vouches);
    let resolv = format!("nameserver {}\noptions timeout:2 attempts:2 trust-ad\n", dns.address);
    let command = with_etc(&command, &mta.dir, &[("resolv.conf", &resolv), ("hosts", "127.0.0.1 localhost\n")])?;
    let _daemon = Daemon::start(command, mta.port);
    let reply = Client::connect(mta.port).message("me@a.test", &["you@next.test"], b"Subject: x\r\n\r\nx\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
    until(LIMIT, "the try is over", || mta.log().contains(" dsn="));
    let taken = next.acknowledged().first().map(|taken| taken.is_encrypted);
    Some(Outcome { log: mta.log(), taken })
}

#[test]
fn records_decide_whom_mail_is_given_to() {
    for (records, vouches, has_starttls, word, taken) in [
        (Records::OwnKey, true, true, "verify=TRUSTED", Some(true)),
        (Records::Authority, true, true, "verify=TRUSTED", Some(true)),
        (Records::Both, true, true, "verify=TRUSTED", Some(true)),
        (Records::Another, true, true, "verify=DANE_FAIL", None),
        // Never in clear.
        (Records::OwnKey, true, false, "stat=Deferred", None),
        // Nobody vouches: as without records.
        (Records::Another, false, true, "verify=OK", Some(true)),
        (Records::Another, false, false, "stat=Sent", Some(false)),
        (Records::None, true, true, "verify=OK", Some(true)),
        (Records::None, true, false, "stat=Sent", Some(false)),
        // Signed, and none that counts: TLS, with whomever.
        (Records::OfNoUse, true, true, "stat=Sent", Some(true)),
        (Records::OfNoUse, true, false, "stat=Deferred", None),
    ] {
        let case = format!("{records:?}, vouched for: {vouches}, STARTTLS: {has_starttls}");
        let Some(outcome) = send(records, vouches, has_starttls) else { return };
        assert_eq!(outcome.taken, taken, "{case}: {}", outcome.log);
        assert!(outcome.log.contains(word), "{case}: {word} in {}", outcome.log);
    }
}

/// Letter `D` of `clt_features` and flag `d` of `tls_clt_features`: records of this server do not count.
#[test]
fn rules_let_a_server_go_without_records() {
    for lines in ["Sclt_features\nR$*\t$# D\n", "Stls_clt_features\nR$*\t$@ flags=d\n"] {
        let Some(outcome) = send_under(lines, Records::Another, true, true) else { return };
        assert_eq!(outcome.taken, Some(true), "{lines}: {}", outcome.log);
    }
}
