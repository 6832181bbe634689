//! What rulesets and options say about TLS and the data of a message, connection by connection.

use std::fs;

use openssl::ssl::{NameType, SslAcceptor, SslConnector, SslMethod, SslVerifyMode, SslVersion};

use crate::support::client::Client;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::{Sandbox, Site};
use crate::support::tls::Authority;
use crate::support::{LIMIT, until};

/// A transfer agent with keys whose ruleset answers what the file `answer` says.
struct Place {
    _sandbox: Sandbox,
    authority: Authority,
    site: Site,
}

impl Place {
    fn new(ruleset: &str, next_port: u16, lines: &str) -> Self {
        let sandbox = Sandbox::new();
        let authority = Authority::new(&sandbox.path("tls"));
        for name in ["a.test", "other.test", "client.test"] {
            authority.sign(name);
        }
        // What `tls_…` rulesets end with counts; the others resolve.
        let says = if ruleset.starts_with("tls_") { "$@" } else { "$#" };
        let rules =
            format!("Kanswer program /bin/cat\nS{ruleset}\nR$*\t$: $(answer @DIR@/answer $: $)\nR$+\t{says} $1\n");
        let lines = format!("O LogLevel=14\n{lines}{}{rules}", authority.options("a.test"));
        let site = sandbox.mta("a", next_port, &lines);
        site.write("answer", b"", 0o644);
        Self { _sandbox: sandbox, authority, site }
    }

    fn say(&self, answer: &str) {
        self.site.write("answer", answer.as_bytes(), 0o644);
    }

    fn path(&self, name: &str, end: &str) -> String {
        self.authority.path(name, end).display().to_string()
    }
}

/// A client of that highest version.
fn connector(version: SslVersion) -> SslConnector {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    connector.set_max_proto_version(Some(version)).unwrap();
    connector.build()
}

#[test]
fn keys_of_tls_srv_features_change_one_session() {
    let place = Place::new("tls_srv_features", 1, "");
    let _daemon = place.site.start();
    let begin = |answer: &str, version| {
        place.say(answer);
        Client::connect(place.site.port).start_tls_with(&connector(version))
    };
    let shown = |client: &Client| {
        let cipher = client.ssl().current_cipher().unwrap().name().to_owned();
        (client.ssl().version_str().to_owned(), cipher, client.certificate())
    };
    let certificate = |name: &str| fs::read(place.authority.path(name, "crt")).unwrap();
    let plain = shown(&begin("", SslVersion::TLS1_3));
    assert_eq!((plain.0.as_str(), plain.1.as_str()), ("TLSv1.3", "TLS_AES_256_GCM_SHA384"));
    assert_eq!(plain.2, certificate("a.test"));
    assert_eq!(shown(&begin("options=SSL_OP_NO_TLSv1_3", SslVersion::TLS1_3)).0, "TLSv1.2");
    let list = "ECDHE-ECDSA-AES128-GCM-SHA256";
    assert_eq!(shown(&begin(&format!("CipherList={list}"), SslVersion::TLS1_2)).1, list);
    let suite = "TLS_AES_128_GCM_SHA256";
    assert_eq!(shown(&begin(&format!("ciphersuites={suite}"), SslVersion::TLS1_3)).1, suite);
    let (crt, key) = (place.path("other.test", "crt"), place.path("other.test", "key"));
    let other = shown(&begin(&format!("certfile={crt};keyfile={key}"), SslVersion::TLS1_3));
    assert_eq!(other.2, certificate("other.test"));
    // What cannot be used: no TLS.
    for (answer, line) in [
        (format!("certfile={crt}"), "only_one_of_CertFile/KeyFile_specified"),
        ("bogus=1".to_owned(), "tls_srv_features=unknown_option, opt=bogus"),
        ("bogus".to_owned(), "tls_srv_features=invalid_syntax, opt=bogus"),
    ] {
        place.say(&answer);
        let reply = Client::connect(place.site.port).say("STARTTLS");
        assert!(reply.starts_with("454 "), "{answer}: {reply}");
        until(LIMIT, "it is told", || place.site.log().contains(line));
    }
    place.say("");
    Client::connect(place.site.port).start_tls();
    until(LIMIT, "it is told", || place.site.log().contains("tls_srv_features=empty"));
}

/// Flag `R`: without a revocation list for it a certificate does not verify.
#[test]
fn a_flag_of_tls_srv_features_asks_for_revocation_lists() {
    let place = Place::new("tls_srv_features", 1, "Kseen syslog\nScheck_mail\nR$*\t$: $(seen verify..$&{verify} $)\n");
    let _daemon = place.site.start();
    for (answer, word) in [("flags=C", "verify..OK"), ("flags=R", "verify..FAIL")] {
        place.say(answer);
        let mut client =
            Client::connect(place.site.port).start_tls_with(&place.authority.connector(Some("client.test")));
        client.expect("EHLO client.test", "250-");
        client.expect("MAIL FROM:<me@client.test>", "250 ");
        until(LIMIT, "it is seen", || place.site.log().contains(word));
    }
}

/// A next hop that notes the name it was asked for.
fn named_host(place: &Place) -> SslAcceptor {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_certificate_chain_file(place.authority.path("other.test", "crt")).unwrap();
    acceptor.set_private_key_file(place.authority.path("other.test", "key"), openssl::ssl::SslFiletype::PEM).unwrap();
    acceptor.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
    acceptor.set_servername_callback(|ssl, _| {
        let name = ssl.servername(NameType::HOST_NAME).unwrap_or("-").to_owned();
        NAMES.lock().unwrap().push(name);
        Ok(())
    });
    acceptor.build()
}

static NAMES: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

#[test]
fn keys_of_tls_clt_features_change_one_connection() {
    let port = crate::support::sandbox::free_port();
    let place = Place::new(
        "tls_clt_features",
        port,
        "O ConnectionCacheSize=0\nKseen syslog\nStls_server\nR$*\t$: $1 $| $(seen server..$&{verify}..$&{tls_version}..$&{cipher} $)\n",
    );
    let cf = fs::read_to_string(place.site.path("cf")).unwrap();
    let cf = cf.replace("$@ [127.0.0.1] $:", "$@ localhost $:").replace("F=mDFMuXa8", "F=mDFMuXa80");
    place.site.write("cf", cf.as_bytes(), 0o644);
    let next = FakeHost::with_tls_at(port, &[""], named_host(&place));
    let _daemon = place.site.start();
    let mut count = 0;
    let mut sent = |answer: &str| {
        place.say(answer);
        count += 1;
        let to = format!("u{count}@next.test");
        let reply = Client::connect(place.site.port).message("me@a.test", &[&to], b"Subject: x\r\n\r\nx\r\n");
        assert!(reply.starts_with("250 "), "{reply}");
        until(LIMIT, "the try is over", || place.site.log().contains(&format!("to=<{to}>")));
        place
            .site
            .log()
            .lines()
            .rfind(|line| line.contains("server.."))
            .unwrap()
            .split("server..")
            .nth(1)
            .unwrap()
            .to_owned()
    };
    assert_eq!(sent("servername=sni.test"), "OK..TLSv1.3..TLS_AES_256_GCM_SHA384");
    sent("servername=hostname");
    sent("");
    assert_eq!(*NAMES.lock().unwrap(), ["sni.test", "localhost", "-"], "{}", place.site.log());
    assert!(sent("options=SSL_OP_NO_TLSv1_3").contains("TLSv1.2"));
    assert!(sent("ciphersuites=TLS_AES_128_GCM_SHA256").ends_with("TLS_AES_128_GCM_SHA256"));
    let (crt, key) = (place.path("client.test", "crt"), place.path("client.test", "key"));
    assert_eq!(next.taken().last().unwrap().client.as_deref(), Some("a.test"));
    sent(&format!("certfile={crt};keyfile={key}"));
    assert_eq!(next.wait_for(6).last().unwrap().client.as_deref(), Some("client.test"));
    // What cannot be used: the server is spoken to without TLS, and rules see why.
    assert!(sent("bogus=1").starts_with("CONFIG"));
}

/// Flags `C` and `c`: whether a handshake that fails is followed by a try in clear.
#[test]
fn flags_of_tls_clt_features_choose_what_follows_a_broken_handshake() {
    for (option, answer, is_taken) in
        [("False", "flags=C", true), ("True", "flags=c", false), ("True", "", true), ("False", "", false)]
    {
        let broken =
            "S: 220 next.test ESMTP\nC: EHLO *\nS: 250-next.test\\250 STARTTLS\nC: STARTTLS\nS: 220 go\nhang up";
        let next = FakeHost::new(&[broken, ""]);
        let rules = "Kseen syslog\nStls_server\nR$*\t$: $1 $| $(seen server..$1 $)\nR$* $| $*\t$: $1\n";
        let place = Place::new("tls_clt_features", next.port, &format!("O TLSFallbacktoClear={option}\n{rules}"));
        place.say(answer);
        let _daemon = place.site.start();
        Client::connect(place.site.port).message("me@a.test", &["you@next.test"], b"Subject: x\r\n\r\nx\r\n");
        until(LIMIT, "the try is over", || place.site.log().contains("to=<you@next.test>"));
        assert_eq!(!next.taken().is_empty(), is_taken, "{option} {answer}: {}", place.site.log());
        // The second try says of itself that it is one in clear.
        assert_eq!(place.site.log().contains("server..CLEAR"), is_taken, "{option} {answer}: {}", place.site.log());
    }
}

#[test]
fn a_server_is_passed_over_while_clt_features_says_so() {
    let next = FakeHost::accepting();
    let place = Place::new("clt_features", next.port, "");
    place.say("temp");
    let _daemon = place.site.start();
    Client::connect(place.site.port).message("me@a.test", &["you@next.test"], b"Subject: x\r\n\r\nx\r\n");
    until(LIMIT, "the try is over", || place.site.log().contains("stat=Deferred: clt_features=TEMPFAIL"));
    assert!(place.site.log().contains("clt_features=TEMPFAIL, host=[127.0.0.1], status=skipped"));
    assert!(next.heard().is_empty());
    place.say("");
    until(LIMIT, "it goes out", || {
        place.site.run_queue();
        !next.acknowledged().is_empty()
    });
}

/// What `srv_features` says of certificates, and of line ends in a message.
#[test]
fn letters_of_srv_features_choose_certificates_and_line_ends() {
    let place = Place::new("srv_features", 1, "Kseen syslog\nScheck_mail\nR$*\t$: $(seen verify..$&{verify} $)\n");
    let _daemon = place.site.start();
    let mut count = 0;
    let mut data = |letters: &str, body: &[u8]| {
        place.say(letters);
        let mut client = Client::connect(place.site.port);
        count += 1;
        let user = format!("u{count}");
        client.open_data("me@client.test", &[&format!("{user}@a.test")]);
        client.send(&[b"Subject: x\r\n\r\n", body, b"\r\n.\r\n"].concat());
        let reply = client.reply();
        if reply.starts_with("250 ") {
            until(LIMIT, "it is in the mailbox", || !place.site.mailbox(&user).is_empty());
        }
        (reply, place.site.mailbox(&user))
    };
    for (letters, body, kept) in [
        ("g", &b"one\ntwo"[..], None),
        ("G", b"one\ntwo", Some("one\ntwo\n")),
        ("g2", b"one\ntwo", Some("one two\n")),
        ("u", b"one\rtwo", None),
        ("U", b"one\rtwo", Some("one\rtwo\n")),
        ("u2", b"one\rtwo", Some("one two\n")),
        // A variant of another number says nothing more.
        ("G3", b"one\ntwo", Some("one\ntwo\n")),
        // What looks like an end behind a line that ends otherwise is none.
        ("G", b"one\n.\r\ntwo", Some("two\n")),
    ] {
        let (reply, mailbox) = data(letters, body);
        match kept {
            None => assert!(reply.starts_with("421 4.5.0 Bare "), "{letters}: {reply}"),
            Some(text) => assert!(mailbox.ends_with(text), "{letters}: {reply} {mailbox:?}"),
        }
    }
    until(LIMIT, "it is told", || place.site.log().contains("srv_features: unknown variant G3"));
    for (letters, word) in [("v", "verify..OK"), ("V", "verify..NOT")] {
        place.say(letters);
        let mut client =
            Client::connect(place.site.port).start_tls_with(&place.authority.connector(Some("client.test")));
        client.expect("EHLO client.test", "250-");
        client.expect("MAIL FROM:<me@client.test>", "250 ");
        until(LIMIT, "it is seen", || place.site.log().contains(word));
    }
}

/// Modifiers `s` and `S` of a port, and options that are said and done for all of a side.
#[test]
fn ports_and_sides_have_settings_of_their_own() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    let (hidden, smtps) = (crate::support::sandbox::free_port(), crate::support::sandbox::free_port());
    let lines = format!(
        "O DaemonPortOptions=Name=H, Addr=127.0.0.1, Port={hidden}, M=S\n\
         O DaemonPortOptions=Name=S, Addr=127.0.0.1, Port={smtps}, M=s\nO DHParameters=x\nO LogLevel=14\n{}",
        authority.options("a.test")
    );
    let site = sandbox.mta("a", 1, &lines);
    let _daemon = site.start();
    let offers = |port| Client::connect(port).say("EHLO client.test").contains("STARTTLS");
    assert!(offers(site.port) && !offers(hidden));
    let mut client = Client::connect_silent(smtps).handshake();
    assert!(client.reply().starts_with("220 "));
    client.expect("EHLO client.test", "250-");
    until(LIMIT, "it is told", || site.log().contains("error: illegal value 'x' for DHParameters"));
}

/// `ClientSSLOptions`, where the server takes any version.
#[test]
fn options_of_the_client_side_choose_its_version() {
    for (line, version) in [("", "TLSv1.3"), ("O ClientSSLOptions=+SSL_OP_NO_TLSv1_3\n", "TLSv1.2")] {
        let sandbox = Sandbox::new();
        let authority = Authority::new(&sandbox.path("tls"));
        authority.sign("a.test");
        authority.sign("next.test");
        let next = FakeHost::with_tls(&[""], authority.acceptor("next.test"));
        let rules = "Kseen syslog\nStls_server\nR$*\t$: $1 $| $(seen server..$&{tls_version} $)\nR$* $| $*\t$: $1\n";
        let site = sandbox.mta("a", next.port, &format!("{line}{rules}{}", authority.options("a.test")));
        assert_eq!(site.submit(&["-odi", "-fme@a.test", "you@next.test"], b"Subject: x\n\nx\n").0, 0);
        assert!(site.log().contains(&format!("server..{version}\n")), "{line}: {}", site.log());
    }
}
