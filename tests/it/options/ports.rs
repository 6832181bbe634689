//! `DaemonPortOptions` and `ClientPortOptions`.

use std::net::TcpListener;

use super::*;
use crate::support::client::Client;
use crate::support::daemon::Daemon;
use crate::support::fake_host::FakeHost;
use crate::support::fake_milter::FakeMilter;
use crate::support::sandbox::free_port;
use crate::support::tls::Authority;
use crate::support::{LIMIT, until};

const MESSAGE: &[u8] = b"Subject: x\r\n\r\nx\r\n";
/// A field that tells by which port a message came.
const SHOWN: &str = "HX-Port: ${daemon_name} ${daemon_port} ${daemon_addr} ${daemon_family} flags=${daemon_flags}\n";

/// A running agent with another port under these keys, `Port=` and `Addr=127.0.0.1` included.
fn with_port(keys: &str, lines: &str, next_port: u16) -> (Sandbox, Site, Daemon, u16) {
    let (sandbox, other) = (Sandbox::new(), free_port());
    let port = format!("O DaemonPortOptions=Port={other}, Addr=127.0.0.1, {keys}\n");
    let site = sandbox.mta("a", next_port, &format!("{port}{SHOWN}{lines}"));
    let daemon = site.start();
    (sandbox, site, daemon, other)
}

/// The mailbox after a message by that port.
fn shown(site: &Site, port: u16) -> String {
    let reply = Client::connect(port).message("me@client.test", &["you@a.test"], MESSAGE);
    assert!(reply.starts_with("250"), "{reply}");
    until(LIMIT, "it is in the mailbox", || site.mailbox("you").contains("Subject: x"));
    site.mailbox("you")
}

#[test]
fn a_port_has_the_name_number_and_modifiers_of_its_line() {
    let (_sandbox, site, _daemon, port) = with_port("Name=Other, M=cfruC", "", 1);
    let text = shown(&site, port);
    assert!(text.contains(&format!("X-Port: Other {port} 127.0.0.1 inet flags=c f r u CC\n")), "{text}");
    // A second line without a name is called by its number.
    let (_sandbox, site, _daemon, port) = with_port("M=", "", 1);
    assert!(shown(&site, port).contains(&format!("X-Port: Daemon1 {port} ")), "{}", site.mailbox("you"));
}

#[test]
fn a_port_may_be_of_the_other_family_and_address() {
    let other = free_port();
    let line = format!("O DaemonPortOptions=Name=Six, Family=inet6, Addr=::1, Port={other}\n");
    let line = format!("{line}O DaemonPortOptions=Name=Far, Addr=127.0.0.7, Port={other}\n");
    let sandbox = Sandbox::new();
    let site = sandbox.mta("a", 1, &line);
    let _daemon = site.start();
    assert!(std::net::TcpStream::connect(("127.0.0.7", other)).is_ok());
    assert!(std::net::TcpStream::connect(("127.0.0.1", other)).is_err());
    match TcpListener::bind("[::1]:0") {
        Ok(_) => assert!(std::net::TcpStream::connect(("::1", other)).is_ok()),
        Err(error) => println!("no IPv6 here: {error}"),
    }
}

#[test]
fn addresses_of_the_other_family_are_shown_in_full_or_short() {
    if let Err(error) = TcpListener::bind("[::1]:0") {
        println!("LEFT OUT: no IPv6 here: {error}");
        return;
    }
    for (lines, shown) in [
        ("O UseCompressedIPv6Addresses=true\n", "X-Client: <IPv6:::1>"),
        ("O UseCompressedIPv6Addresses=false\n", "X-Client: <IPv6:0:0:0:0:0:0:0:1>"),
    ] {
        let other = free_port();
        let line = format!("O DaemonPortOptions=Family=inet6, Addr=::1, Port={other}\nHX-Client: <${{client_addr}}>\n");
        let sandbox = Sandbox::new();
        let site = sandbox.mta("a", 1, &format!("{line}{lines}"));
        let _daemon = site.start();
        let mut client = Client::over(std::net::TcpStream::connect(("::1", other)).unwrap());
        client.expect("EHLO client.test", "250");
        let reply = client.message("me@client.test", &["you@a.test"], MESSAGE);
        assert!(reply.starts_with("250"), "{reply}");
        until(LIMIT, "it is in the mailbox", || site.mailbox("you").contains("Subject: x"));
        assert!(site.mailbox("you").contains(shown), "{lines:?}: {}", site.mailbox("you"));
    }
}

#[test]
fn names_in_certificates_of_clients_are_shown_when_asked_for() {
    for (lines, shown) in [("", "X-Names: <>"), ("O SetCertAltnames=true\n", "X-Names: <client.test>")] {
        let sandbox = Sandbox::new();
        let authority = Authority::new(&sandbox.path("tls"));
        authority.sign("a.test");
        authority.sign("client.test");
        let keys = authority.options("a.test");
        let site = sandbox.mta("a", 1, &format!("{keys}HX-Names: <${{cert_altnames}}>\n{lines}"));
        let _daemon = site.start();
        let mut client = Client::connect(site.port).start_tls_with(&authority.connector(Some("client.test")));
        client.expect("EHLO client.test", "250");
        client.message("me@client.test", &["you@a.test"], MESSAGE);
        until(LIMIT, "it is in the mailbox", || site.mailbox("you").contains("Subject: x"));
        assert!(site.mailbox("you").contains(shown), "{lines:?}: {}", site.mailbox("you"));
    }
}

#[test]
fn the_key_exchange_of_old_versions_needs_parameters() {
    for (value, has_exchange) in [("2", true), ("none", false)] {
        let sandbox = Sandbox::new();
        let authority = Authority::new(&sandbox.path("tls"));
        authority.sign_as("a.test", crate::support::tls::Wish { rsa_bits: Some(2048), ..Default::default() });
        let keys = authority.options("a.test");
        let site = sandbox.mta("a", 1, &format!("{keys}O DHParameters={value}\n"));
        let _daemon = site.start();
        let address = format!("127.0.0.1:{}", site.port);
        let mut command = Command::new("openssl");
        command.args(["s_client", "-starttls", "smtp", "-tls1_2", "-cipher", "DHE-RSA-AES256-GCM-SHA384"]);
        command.args(["-connect", &address]);
        let (_, printed) = finished(command, b"");
        assert_eq!(printed.contains("Cipher is DHE-RSA-AES256-GCM-SHA384"), has_exchange, "{value}: {printed}");
    }
}

#[test]
fn filters_and_the_mode_of_delivery_are_those_of_the_port() {
    let filter = FakeMilter::new(&[]);
    let line = format!("Xm1, S=inet:{}@127.0.0.1\n", filter.port);
    let (_sandbox, site, _daemon, port) = with_port("Name=Other, InputMailFilters=m1", &line, 1);
    shown(&site, site.port);
    assert_eq!(filter.told(), [""; 0], "the first port asks nobody");
    Client::connect(port).message("me@client.test", &["them@a.test"], MESSAGE);
    assert!(filter.told().iter().any(|line| line.contains("them@a.test")), "{:?}", filter.told());

    let (_sandbox, site, _daemon, port) = with_port("DeliveryMode=queue", "", 1);
    shown(&site, site.port);
    let reply = Client::connect(port).message("me@client.test", &["them@a.test"], MESSAGE);
    assert!(reply.starts_with("250"), "{reply}");
    assert_eq!(site.queue_files("qf").len(), 1);
    assert_eq!(site.mailbox("them"), "");
}

#[test]
fn a_port_takes_as_many_connections_as_its_line_says() {
    let (_sandbox, site, _daemon, port) = with_port("Name=Other, children=1", "", 1);
    let _one = Client::connect(port);
    until(LIMIT, "the refusal is logged", || {
        site.log().contains("rejecting connections on daemon Other: 1 children, max 1")
    });
    assert!(Client::try_connect(port).is_none());
    let _both = (Client::connect(site.port), Client::connect(site.port));
}

#[test]
fn modifiers_turn_parts_of_the_dialogue_on_and_off() {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("tls"));
    authority.sign("a.test");
    let keys = authority.options("a.test");
    let (_sandbox, site, _daemon, port) = with_port("M=ES", &keys, 1);
    let offer = |port| Client::connect(port).say("EHLO client.test");
    assert!(offer(site.port).contains("ETRN") && offer(site.port).contains("STARTTLS"));
    assert!(!offer(port).contains("ETRN") && !offer(port).contains("STARTTLS"));
    Client::connect(port).expect("ETRN a.test", "502 ");
    Client::connect(port).expect("STARTTLS", "503 5.5.0 ");
    // `s`: TLS from the first byte.
    let (_sandbox, _site, _daemon, port) = with_port("M=s", &keys, 1);
    let mut client = Client::connect_silent(port).handshake();
    assert!(client.reply().starts_with("220 "));
    // `O`: the daemon does without a port that it cannot have.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let sandbox = Sandbox::new();
    let line = format!("O DaemonPortOptions=Name=Gone, Addr=127.0.0.1, Port={port}, M=O\n");
    let site = sandbox.mta("a", 1, &line);
    let _daemon = site.start();
    until(LIMIT, "it is told", || site.log().contains("daemon Gone: optional socket disabled"));
}

#[test]
fn mail_leaves_from_the_address_that_the_options_say() {
    let source = |keys: &str, lines: &str, address: &str| {
        let (sandbox, next, other) = (Sandbox::new(), FakeHost::accepting(), free_port());
        let port = format!("O DaemonPortOptions=Port={other}, Addr={address}, {keys}\n");
        let site = sandbox.mta("a", next.port, &format!("{port}{lines}"));
        let _daemon = site.start();
        let stream = std::net::TcpStream::connect((address, other)).unwrap();
        let mut client = Client::over(stream);
        client.expect("EHLO client.test", "250");
        let reply = client.message("me@client.test", &["you@next.test"], MESSAGE);
        assert!(reply.starts_with("250"), "{reply}");
        next.wait_for(1)[0].peer.unwrap()
    };
    assert_eq!(source("M=", "", "127.0.0.6").ip().to_string(), "127.0.0.1");
    let from = free_port();
    let client = format!("O ClientPortOptions=Name=Out, Addr=127.0.0.8, Port={from}, Family=inet\n");
    assert_eq!(source("M=", &client, "127.0.0.6").to_string(), format!("127.0.0.8:{from}"));
}

#[test]
fn rules_see_the_modifiers_of_the_client() {
    let (sandbox, next) = (Sandbox::new(), FakeHost::accepting());
    let lines = "O ClientPortOptions=Family=inet, M=hA\nO LogLevel=12\nKseen syslog\nSrewritten\nR$*\t$: $(seen flags=$&{client_flags} $) $1\n";
    let site = sandbox.mta("a", next.port, lines);
    let text =
        std::fs::read_to_string(site.path("cf")).unwrap().replace("F=mDFMuXa8, S=AddDomain", "F=mDFMuXa8, S=rewritten");
    site.write("cf", text.as_bytes(), 0o644);
    send(&site, &["you@next.test"], b"Subject: x\n\nx\n");
    assert!(site.log().contains("h AA"), "{}", site.log());
}
