//! A name server's answers: the question is repeated, what follows is the input's. Names are resolved in every way there is.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use sendmail::net::dns::{Family, RecordType, Resolver, Service, Settings};
use tokio::net::UdpSocket;

use super::input::Input;

pub fn run(bytes: &[u8]) {
    super::tls::run(async {
        let Ok(socket) = UdpSocket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await else { return };
        let Ok(address) = socket.local_addr() else { return };
        let mut input = Input(bytes);
        let choices = input.byte();
        let settings = Settings {
            services: vec![Service::Dns],
            hosts_file: "/nonexistent".into(),
            resolv_conf: "/nonexistent".into(),
            name_servers: Some(vec![address]),
            retrans: Some(Duration::from_millis(100)),
            retry: Some(1),
            default_names: false,
            search: false,
            has_wildcard_mx: choices & 1 != 0,
            use_dnssec: choices & 2 != 0,
            dont_expand_cnames: choices & 4 != 0,
            ..Settings::default()
        };
        let rest = input.0.to_vec();
        let serving = tokio::spawn(async move { serve(&socket, &rest).await });
        let resolver = Resolver::new(settings);
        let name = b"host.example.";
        match choices >> 4 {
            0..4 => {
                if let Ok(answer) = resolver.mx(name).await {
                    let _ = answer.names(&name.as_slice().into());
                }
            }
            4..7 => drop(resolver.canonify(name, b"example.com").await),
            7..10 => drop(resolver.addresses(name, Family::Any).await),
            10..12 => {
                let found = resolver.reverse(IpAddr::from([192, 0, 2, 1])).await;
                let _ = (found.name(), found.word());
            }
            _ => {
                let kinds = [RecordType::TXT, RecordType::SRV, RecordType::TLSA, RecordType::CNAME, RecordType::NS];
                for kind in kinds {
                    drop(resolver.records(name, kind).await);
                }
            }
        }
        serving.abort();
    });
}

/// Answers each question with the next part of `bytes`: flags, counts of the three sections, their bytes.
async fn serve(socket: &UdpSocket, bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut question = [0; 1500];
    while let Ok((count, from)) = socket.recv_from(&mut question).await {
        // Behind the head stands one name, its type and class.
        let name_end = question.get(12..count).and_then(|rest| rest.iter().position(|byte| *byte == 0));
        let Some(end) = name_end.map(|at| 12 + at + 5).filter(|end| *end <= count) else { continue };
        let mut answer = question[..2].to_vec();
        answer.extend([0x80 | input.byte() & 0x07, 0x80 | input.byte() & 0x2f, 0, 1]);
        for _ in 0..3 {
            answer.extend([0, input.byte() % 6]);
        }
        answer.extend_from_slice(&question[12..end]);
        let length = input.below(300);
        answer.extend_from_slice(input.bytes(length));
        if socket.send_to(&answer, from).await.is_err() {
            return;
        }
    }
}
