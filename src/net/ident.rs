//! Asking a client's host who opened a connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

/// User name that the ident server on the peer's host gives for the connection `peer` → `local`; `None` without an answer.
///
/// Shape: `PEERPORT, OURPORT` CR LF; answer `PEERPORT, OURPORT : USERID : SYSTEM[, CHARSET] : USER`.
/// Source: RFC 1413. Never: waits longer than `limit` in all, or believes control characters.
pub async fn ask(peer: SocketAddr, local: SocketAddr, limit: Duration) -> Option<String> {
    tokio::time::timeout(limit, dialogue(peer, local)).await.ok().flatten()
}

async fn dialogue(peer: SocketAddr, local: SocketAddr) -> Option<String> {
    let socket = if peer.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.ok()?;
    socket.bind(SocketAddr::new(local.ip(), 0)).ok()?;
    let mut stream = socket.connect(SocketAddr::new(peer.ip(), PORT)).await.ok()?;
    stream.write_all(format!("{}, {}\r\n", peer.port(), local.port()).as_bytes()).await.ok()?;
    let mut answer = Vec::with_capacity(256);
    let mut limited = stream.take(LONGEST);
    while !answer.contains(&b'\n') {
        if limited.read_buf(&mut answer).await.ok()? == 0 {
            break;
        }
    }
    user(&answer, peer.port(), local.port())
}

/// The user in an answer, when it is about these ports.
fn user(answer: &[u8], peer_port: u16, our_port: u16) -> Option<String> {
    let line = answer.split(|b| matches!(b, b'\r' | b'\n')).next()?;
    let mut parts = line.splitn(4, |b| *b == b':');
    let ports = std::str::from_utf8(parts.next()?).ok()?;
    let (theirs, ours) = ports.split_once(',')?;
    if theirs.trim().parse() != Ok(peer_port) || ours.trim().parse() != Ok(our_port) {
        return None;
    }
    if !parts.next()?.trim_ascii().eq_ignore_ascii_case(b"USERID") {
        return None;
    }
    let system = parts.next()?.trim_ascii();
    // "OTHER" says that the string is no user name.
    if system.get(..5).is_some_and(|s| s.eq_ignore_ascii_case(b"OTHER")) {
        return None;
    }
    let user: String = parts
        .next()?
        .trim_ascii()
        .iter()
        .filter(|b| (b'!'..=b'~').contains(b) && !b"<>()@\"\\,;".contains(b))
        .map(|b| char::from(*b))
        .collect();
    (!user.is_empty()).then_some(user)
}

const PORT: u16 = 113;
const LONGEST: u64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_about_the_same_ports_counts() {
        for (line, expected) in [
            ("1025 , 25 : USERID : UNIX : joe\r\n", Some("joe")),
            ("1025,25:USERID:UNIX,US-ASCII: joe (x)\r\n", Some("joex")),
            ("1026 , 25 : USERID : UNIX : joe\r\n", None),
            ("1025 , 25 : ERROR : NO-USER\r\n", None),
            ("1025 , 25 : USERID : OTHER : 12ab\r\n", None),
            ("", None),
        ] {
            assert_eq!(user(line.as_bytes(), 1025, 25).as_deref(), expected, "{line}");
        }
    }
}
