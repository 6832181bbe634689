//! The resolver against a small name server in the same process.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, PTR, TLSA};
use hickory_proto::rr::{Name, Record};
use tokio::net::UdpSocket;

use super::{Error, Family, MxAnswer, RData, RecordType, Resolver, Reverse, Service, Settings, TlsaAnswer};
use crate::net::tls::dane;

const ZONE: &[(&str, &str, &str)] = &[
    ("foo.com", "A", "192.0.2.21"),
    ("foo.com", "MX", "20 backup.foo.com"),
    ("foo.com", "MX", "10 mx.foo.com"),
    ("sub.foo.com", "CNAME", "www.foo.com"),
    ("www.foo.com", "A", "192.0.2.24"),
    ("host1.example.com", "A", "192.0.2.25"),
    ("mx-only.example.org", "MX", "10 gate.example.net"),
    ("null.example", "MX", "0 ."),
    ("both.example", "A", "192.0.2.30"),
    ("both.example", "AAAA", "2001:db8::30"),
    ("30.2.0.192.in-addr.arpa", "PTR", "both.example"),
    ("31.2.0.192.in-addr.arpa", "PTR", "foo.com"),
    ("32.2.0.192.in-addr.arpa", "PTR", "servfail.example"),
    ("dane.signed", "MX", "10 mx.signed"),
    ("mx.signed", "A", "192.0.2.40"),
    ("_25._tcp.mx.signed", "TLSA", "3 1 1 abcd"),
    ("alias.signed", "CNAME", "mx.signed"),
    ("bare.signed", "A", "192.0.2.41"),
    ("broken.signed", "A", "192.0.2.42"),
    ("dane.unsigned", "MX", "10 mx.signed"),
    ("plain.unsigned", "A", "192.0.2.43"),
    ("_25._tcp.plain.unsigned", "TLSA", "3 1 1 abcd"),
];

fn name(text: &str) -> Name {
    Name::from_str(&format!("{}.", text.trim_end_matches('.'))).unwrap()
}

fn data(kind: &str, value: &str) -> RData {
    match kind {
        "A" => RData::A(A(value.parse().unwrap())),
        "AAAA" => RData::AAAA(AAAA(value.parse().unwrap())),
        "CNAME" => RData::CNAME(CNAME(name(value))),
        "PTR" => RData::PTR(PTR(name(value))),
        "TLSA" => {
            let data = value.rsplit(' ').next().unwrap().as_bytes().to_vec();
            RData::TLSA(TLSA::new(CertUsage::DaneEe, Selector::Spki, Matching::Sha256, data))
        }
        _ => {
            let (preference, host) = value.split_once(' ').unwrap();
            RData::MX(MX::new(preference.parse().unwrap(), name(host)))
        }
    }
}

fn answer(request: &[u8]) -> Vec<u8> {
    let request = Message::from_vec(request).unwrap();
    let query = request.queries[0].clone();
    let mut reply = Message::new(request.id, MessageType::Response, OpCode::Query);
    reply.metadata.recursion_available = true;
    let mut at = query.name().to_string().trim_end_matches('.').to_owned();
    // What a server that checks signatures does with good ones, and with bad ones.
    reply.metadata.authentic_data = at.ends_with("signed") && !at.ends_with("unsigned");
    if at.ends_with("servfail.example") || at == "_25._tcp.broken.signed" {
        reply.metadata.response_code = ResponseCode::ServFail;
    }
    let mut exists = false;
    loop {
        let here: Vec<_> = ZONE.iter().filter(|(n, _, _)| *n == at).collect();
        exists |= !here.is_empty();
        let wanted = query.query_type().to_string();
        for (_, kind, value) in here.iter().filter(|(_, k, _)| *k == wanted || *k == "CNAME") {
            reply.answers.push(Record::from_rdata(name(&at), 300, data(kind, value)));
        }
        match here.iter().find(|(_, k, _)| *k == "CNAME") {
            Some((_, _, target)) => at = (*target).to_owned(),
            None => break,
        }
    }
    if !exists && reply.metadata.response_code == ResponseCode::NoError {
        reply.metadata.response_code = ResponseCode::NXDomain;
    }
    reply.add_query(query);
    reply.to_vec().unwrap()
}

/// A name server; also counts the questions it got.
async fn server() -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((len, peer)) = socket.recv_from(&mut buffer).await {
            counter.fetch_add(1, Ordering::Relaxed);
            let _ = socket.send_to(&answer(&buffer[..len]), peer).await;
        }
    });
    (address, count)
}

fn settings(server: SocketAddr, directory: &std::path::Path) -> Settings {
    let hosts = directory.join("hosts");
    std::fs::File::create(&hosts)
        .and_then(|mut f| std::io::Write::write_all(&mut f, b"127.0.0.1 localhost\n192.0.2.50 h1.canon.example h1\n"))
        .unwrap();
    let resolv_conf = directory.join("resolv.conf");
    std::fs::File::create(&resolv_conf)
        .and_then(|mut f| std::io::Write::write_all(&mut f, b"search example.com\nnameserver 127.0.0.1\n"))
        .unwrap();
    let name_servers = Some(vec![server]);
    Settings { hosts_file: hosts, resolv_conf, name_servers, retry: Some(2), ..Settings::default() }
}

#[tokio::test]
async fn canonical_names_are_those_of_the_original() {
    let (server, _) = server().await;
    let directory = tempfile::tempdir().unwrap();
    let resolver = Resolver::new(settings(server, directory.path()));
    for (asked, expected) in [
        ("FOO.Com", Ok("FOO.Com")),
        ("sub.foo.com", Ok("www.foo.com")),
        ("Host1", Ok("Host1.example.com")),
        ("mx-only.example.org", Ok("mx-only.example.org")),
        ("h1", Ok("h1.canon.example")),
        ("localhost", Ok("localhost.example.com")),
        ("www.foo.com.", Ok("www.foo.com")),
        ("h1.example.com", Ok("h1.canon.example")),
        ("LocalHost.Example.com.", Ok("localhost.example.com")),
        ("localhost.example.org", Err(Error::NotFound)),
        ("h1.canon.example.example.com", Err(Error::NotFound)),
        ("nosuch.example", Err(Error::NotFound)),
        ("a..b", Err(Error::NotFound)),
        ("servfail.example", Err(Error::Temporary)),
    ] {
        let found = resolver
            .canonify(asked.as_bytes(), b"example.com")
            .await
            .map(|c| String::from_utf8(c.name.to_vec()).unwrap());
        assert_eq!(found.as_deref().map_err(Clone::clone), expected, "{asked}");
    }
}

#[tokio::test]
async fn brackets_stand_for_a_host_or_an_address() {
    let (server, _) = server().await;
    let directory = tempfile::tempdir().unwrap();
    let resolver = Resolver::new(settings(server, directory.path()));
    for (asked, expected) in [
        ("foo.com", None),
        ("[foo.com", Some(Err(Error::NotFound))),
        ("[foo.com]", Some(Ok("foo.com."))),
        ("[sub.foo.com]:25", Some(Ok("www.foo.com."))),
        ("[h1]x", Some(Ok("h1.canon.example."))),
        ("[192.0.2.30]", Some(Ok("[192.0.2.30]"))),
        ("[IPv6:2001:db8::1]", Some(Ok("[IPv6:2001:db8::1]"))),
        ("[nosuch.example]", Some(Err(Error::NotFound))),
    ] {
        let found = resolver.bracketed(asked.as_bytes(), b"example.com").await;
        let found = found.map(|found| found.map(|name| String::from_utf8(name.to_vec()).unwrap()));
        assert_eq!(found, expected.map(|e| e.map(str::to_owned)), "{asked}");
    }
}

#[tokio::test]
async fn mail_exchangers_come_in_order() {
    let (server, _) = server().await;
    let directory = tempfile::tempdir().unwrap();
    let resolver = Resolver::new(settings(server, directory.path()));
    let names = |answer: MxAnswer| answer.names(&Bytes::from_static(b"asked"));
    assert_eq!(names(resolver.mx(b"foo.com").await.unwrap()), ["mx.foo.com.", "backup.foo.com."]);
    assert_eq!(names(resolver.mx(b"host1").await.unwrap()), ["host1.example.com."]);
    assert_eq!(resolver.mx(b"sub.foo.com").await, Ok(MxAnswer::Alias));
    assert_eq!(resolver.mx(b"null.example").await, Ok(MxAnswer::Null));
    assert_eq!(resolver.mx(b"nosuch.example").await, Err(Error::NotFound));
    assert_eq!(resolver.mx(b"servfail.example").await, Err(Error::Temporary));
    assert_eq!(resolver.mx(b"[192.0.2.1]").await, Ok(MxAnswer::Host(Bytes::from_static(b"[192.0.2.1]"))));
}

#[tokio::test]
async fn addresses_and_client_names_are_checked_both_ways() {
    let (server, _) = server().await;
    let directory = tempfile::tempdir().unwrap();
    let resolver = Resolver::new(settings(server, directory.path()));
    let all = resolver.addresses(b"both.example.", Family::Any).await.unwrap();
    assert_eq!(all, ["2001:db8::30".parse::<IpAddr>().unwrap(), "192.0.2.30".parse().unwrap()]);
    assert_eq!(resolver.addresses(b"foo.com.", Family::Inet6).await, Err(Error::NoData));
    assert_eq!(resolver.addresses(b"nosuch.example.", Family::Any).await, Err(Error::NotFound));
    assert_eq!(resolver.addresses(b"servfail.example.", Family::Any).await, Err(Error::Temporary));
    for (address, expected) in [
        ("192.0.2.30", Reverse::Ok(Bytes::from_static(b"both.example"))),
        ("192.0.2.31", Reverse::Forged(Bytes::from_static(b"foo.com"))),
        ("192.0.2.32", Reverse::Temporary),
        ("192.0.2.99", Reverse::Fail),
        ("127.0.0.1", Reverse::Ok(Bytes::from_static(b"localhost"))),
    ] {
        assert_eq!(resolver.reverse(address.parse().unwrap()).await, expected, "{address}");
    }
}

#[tokio::test]
async fn tlsa_records_count_when_every_answer_on_the_way_is_vouched_for() {
    let (server, _) = server().await;
    let directory = tempfile::tempdir().unwrap();
    let resolver = Resolver::new(Settings { use_dnssec: true, ..settings(server, directory.path()) });
    let record = dane::Record { usage: 3, selector: 1, matching: 1, data: Bytes::from_static(b"abcd") };
    let secure = TlsaAnswer::Secure { name: Bytes::from_static(b"mx.signed"), records: vec![record] };
    for (domain, host, expected) in [
        ("dane.signed", "mx.signed.", secure.clone()),
        ("mx.signed.", "mx.signed.", secure.clone()),
        ("alias.signed", "alias.signed", secure),
        ("bare.signed", "bare.signed", TlsaAnswer::Insecure),
        ("dane.unsigned", "mx.signed.", TlsaAnswer::Insecure),
        ("plain.unsigned", "plain.unsigned.", TlsaAnswer::Insecure),
        ("broken.signed", "broken.signed", TlsaAnswer::Failed),
        ("servfail.example", "mx.signed.", TlsaAnswer::Failed),
    ] {
        assert_eq!(resolver.tlsa(domain.as_bytes(), host.as_bytes(), 25).await, expected, "{domain} {host}");
    }
}

#[tokio::test]
async fn an_answer_is_asked_for_once() {
    let (server, count) = server().await;
    let directory = tempfile::tempdir().unwrap();
    let resolver = Resolver::new(settings(server, directory.path()));
    for _ in 0..5 {
        resolver.records(b"foo.com.", RecordType::A).await.unwrap();
    }
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_noticed_at_once() {
    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let patient = Settings { retrans: Some(Duration::from_secs(600)), ..settings(closed, directory.path()) };
    let resolver = Resolver::new(patient);
    let asked = tokio::time::timeout(Duration::from_secs(30), resolver.mx(b"foo.com")).await;
    assert_eq!(asked, Ok(Err(Error::Temporary)));
}

#[tokio::test]
async fn without_name_servers_in_the_switch_files_alone_count() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let files = Settings { services: vec![Service::Files], ..settings(nowhere, directory.path()) };
    let resolver = Resolver::new(files);
    assert_eq!(resolver.mx(b"foo.com").await, Ok(MxAnswer::Host(Bytes::from_static(b"foo.com"))));
    assert_eq!(resolver.canonify(b"foo.com", b"example.com").await, Err(Error::NotFound));
    assert_eq!(resolver.addresses(b"h1", Family::Any).await.unwrap(), ["192.0.2.50".parse::<IpAddr>().unwrap()]);
}
