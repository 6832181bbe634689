//! Classes that ask others: name servers, the password database, programs, sockets. All of them wait.

use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::answer::Answer;
use super::flags::Flags;
use crate::base::bytes::{shown, starts_with_ignore_case};
use crate::base::exit::Exit;
use crate::base::limits;
use crate::monitor::Port;
use crate::monitor::request::MapProgram;
use crate::net::dns::{Error, Family, MxAnswer, RData, RecordType, Resolver, Reverse, Service, shown_address};
use crate::sys::host::service_port;
use crate::sys::safefile;
use crate::sys::spawn::Ended;
use crate::sys::user;

/// A miss of a name.
const NO_HOST: Answer = Answer::NotFound(Exit::NOHOST);

fn failed(error: &Error) -> Answer {
    if error.words().is_empty() || matches!(error, Error::Temporary) {
        return Answer::Temporary(error.to_string());
    }
    NO_HOST
}

/// Class `host`: the canonical name of a host, or the name of `[address]`. `domain` is `$m`.
pub(crate) async fn host(resolver: &Resolver, key: &[u8], domain: &[u8]) -> Answer {
    if let Some(inner) = key.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) {
        let inner = if starts_with_ignore_case(inner, b"IPv6:") { inner.get(5..).unwrap_or_default() } else { inner };
        let address = std::str::from_utf8(inner).ok().and_then(|text| text.parse::<IpAddr>().ok());
        let Some(address) = address else { return NO_HOST };
        return match resolver.reverse(address).await {
            Reverse::Ok(name) | Reverse::Forged(name) => Answer::Found(name),
            Reverse::Fail => NO_HOST,
            Reverse::Temporary => Answer::Temporary("host name lookup failure".to_owned()),
        };
    }
    match resolver.canonify(key, domain).await {
        Ok(canonical) => Answer::Found(canonical.name),
        Err(error) => failed(&error),
    }
}

/// Class `bestmx`: the best mail exchanger, or all of them with a delimiter. `domain` is `$m`.
pub(crate) async fn best_mx(resolver: &Resolver, key: &[u8], domain: &[u8], delimiter: Option<u8>) -> Answer {
    match resolver.bracketed(key, domain).await {
        Some(Ok(name)) => return Answer::Found(name),
        Some(Err(Error::Temporary)) => return Answer::Temporary("host name lookup failure".to_owned()),
        Some(Err(_)) => return Answer::MISS,
        None => {}
    }
    if !resolver.settings().services.contains(&Service::Dns) {
        return Answer::MISS;
    }
    let asked = Bytes::copy_from_slice(key);
    match resolver.mx(key).await {
        // Source: observed.
        Ok(MxAnswer::Null) => Answer::NotFound(Exit::UNAVAILABLE),
        Ok(MxAnswer::Alias) => Answer::MISS,
        Ok(answer) => joined(answer.names(&asked).into_iter(), delimiter, usize::MAX).unwrap_or(Answer::MISS),
        Err(Error::Temporary) => Answer::Temporary("host name lookup failure".to_owned()),
        Err(_) => NO_HOST,
    }
}

fn joined(values: impl Iterator<Item = Bytes>, delimiter: Option<u8>, limit: usize) -> Option<Answer> {
    let Some(delimiter) = delimiter else { return values.into_iter().next().map(Answer::Found) };
    let mut out = Vec::new();
    let mut any = false;
    for value in values.take(limit) {
        if any {
            out.push(delimiter);
        }
        any = true;
        out.extend_from_slice(&value);
    }
    any.then(|| Answer::Found(out.into()))
}

/// What a `dns` map asks for.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    kind: RecordType,
    domain: Option<Bytes>,
    delimiter: Option<u8>,
    limit: usize,
}

/// Record types of `dns` maps.
static TYPES: &[(&str, RecordType)] = &[
    ("A", RecordType::A),
    ("AAAA", RecordType::AAAA),
    ("CNAME", RecordType::CNAME),
    ("MX", RecordType::MX),
    ("NS", RecordType::NS),
    ("PTR", RecordType::PTR),
    ("SRV", RecordType::SRV),
    ("TLSA", RecordType::TLSA),
    ("TXT", RecordType::TXT),
];

impl Records {
    /// From the flags; errors in the original's words.
    pub(crate) fn new(name: &str, flags: &Flags) -> Result<Self, Vec<String>> {
        let missing = format!("dns map {name}: missing -R type");
        let Some(text) = flags.text(b'R') else { return Err(vec![missing]) };
        let row = TYPES.iter().find(|(known, _)| text.eq_ignore_ascii_case(known.as_bytes()));
        let Some((_, kind)) = row else {
            return Err(vec![format!("dns map {name}: wrong type {}", shown(text)), missing]);
        };
        // More than one is counted from 0. Source: observed (`-Z1` gives one value, `-Z2` three, `-Z5` six).
        let limit = match flags.number(b'Z').and_then(|n| usize::try_from(n).ok()) {
            None | Some(0) => usize::MAX,
            Some(1) => 1,
            Some(more) => more.saturating_add(1),
        };
        Ok(Self { kind: *kind, domain: flags.text(b'B').cloned(), delimiter: flags.character(b'z'), limit })
    }

    /// The records' contents: the first, or all of them with a delimiter.
    pub(crate) async fn get(&self, resolver: &Resolver, key: &[u8]) -> Answer {
        let name = match &self.domain {
            Some(domain) => [key, b".", domain].concat(),
            None => key.to_vec(),
        };
        match resolver.records(&name, self.kind).await {
            Ok(found) => {
                let values = found.records.iter().filter(|r| r.data.record_type() == self.kind);
                joined(values.map(|r| content(&r.data)), self.delimiter, self.limit).unwrap_or(NO_HOST)
            }
            Err(error) => failed(&error),
        }
    }
}

/// A record's content as a map value.
fn content(data: &RData) -> Bytes {
    let name = |text: String| Bytes::from(text.trim_end_matches('.').to_owned());
    match data {
        RData::A(address) => shown_address(IpAddr::V4(address.0), false).into(),
        RData::AAAA(address) => shown_address(IpAddr::V6(address.0), false).into(),
        RData::MX(mx) => name(mx.exchange.to_string()),
        RData::SRV(srv) => {
            let target = srv.target.to_string();
            format!("{} {} {} {}", srv.priority, srv.weight, srv.port, target.trim_end_matches('.')).into()
        }
        RData::TXT(txt) => txt.txt_data.concat().into(),
        other => name(other.to_string()),
    }
}

/// Which column of a password entry a `user` map returns.
pub(crate) fn user_column(name: &str, flags: &Flags) -> Result<usize, String> {
    let Some(text) = flags.text(b'v') else { return Ok(0) };
    let names = ["name", "passwd", "uid", "gid", "gecos", "dir", "shell"];
    names
        .iter()
        .position(|known| text.as_ref() == known.as_bytes())
        .ok_or_else(|| format!("User map {name}: unknown column name {}", shown(text)))
}

/// Class `user`: a column of a password entry.
pub(crate) async fn password(key: Vec<u8>, column: usize) -> Answer {
    let found = tokio::task::spawn_blocking(move || user::by_name(&key)).await;
    let account = match found {
        Ok(Ok(Some(account))) => account,
        Ok(Ok(None)) => return Answer::NotFound(Exit::NOUSER),
        Ok(Err(e)) => return Answer::Temporary(format!("password database: {e}")),
        Err(e) => return Answer::Temporary(e.to_string()),
    };
    Answer::Found(match column {
        0 => account.name.clone(),
        // Hashes stand in the shadow file; the password database itself says this.
        1 => Bytes::from_static(b"x"),
        2 => account.uid.to_string().into(),
        3 => account.gid.to_string().into(),
        4 => Bytes::copy_from_slice(&account.gecos),
        5 => Bytes::copy_from_slice(account.home.as_os_str().as_bytes()),
        _ => Bytes::copy_from_slice(account.shell.as_os_str().as_bytes()),
    })
}

/// Class `program`: the first line that a program prints; the key is its last argument. `map` is its place among K lines.
pub(crate) async fn program(port: &Port, map: usize, command: &[u8], key: &[u8]) -> Answer {
    let words = command.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let request = MapProgram {
        map,
        argv: words.map(Bytes::copy_from_slice).collect(),
        arguments: vec![Bytes::copy_from_slice(key)],
        limit: limits::MAP_VALUE,
    };
    let Ok(output) = port.run_map_program(request).await else { return Answer::NotFound(Exit::CONFIG) };
    match output.ended {
        // Source: observed: a program that prints nothing finds nothing.
        Ended::Exit(0) if output.text.is_empty() => Answer::MISS,
        Ended::Exit(0) => {
            let end = memchr::memchr(b'\n', &output.text).unwrap_or(output.text.len());
            // Source: observed (2,047 characters of a longer line).
            Answer::Found(output.text.slice(..end.min(limits::CF_LINE - 1)))
        }
        Ended::Exit(code) if Exit(code).is_temporary() => Answer::Temporary(format!("program ended with {code}")),
        Ended::Exit(code) => Answer::NotFound(Exit(code)),
        Ended::Signal(signal, _) => Answer::Temporary(format!("program was ended by signal {signal}")),
    }
}

/// Where a `socket` map connects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `inet:port@host`, `inet6:…`.
    Inet(u16, String),
    /// `local:path`, `unix:path`, or a path alone.
    Local(PathBuf),
}

impl Endpoint {
    /// Reads the argument of a `socket` map; what is wrong with it in the original's words.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let text = shown(text).to_string();
        let (kind, rest) = text.split_once(':').unwrap_or(("local", &text));
        match kind {
            "local" | "unix" => Ok(Self::Local(rest.into())),
            "inet" | "inet6" => {
                let (port, host) =
                    rest.split_once('@').ok_or_else(|| format!("bad address {rest} (expected port@host)"))?;
                let number = port.parse().ok().or_else(|| service_port(port));
                let number = number.ok_or_else(|| format!("unknown port name {port}"))?;
                Ok(Self::Inet(number, host.trim_start_matches('[').trim_end_matches(']').to_owned()))
            }
            _ => Err(format!("unknown socket type {kind}: Protocol not supported")),
        }
    }

    /// Class `socket`: one question, one answer.
    ///
    /// Shape: netstrings (`length:bytes,`): `map key`, then `OK value`, `NOTFOUND`, `TEMP why`, `TIMEOUT why`, `PERM why`.
    pub(crate) async fn ask(&self, resolver: Option<&Resolver>, map: &[u8], key: &[u8], limit: Duration) -> Answer {
        match tokio::time::timeout(limit, self.exchange(resolver, map, key)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(e)) => Answer::Temporary(
                self.told(&e).map_or_else(String::new, |why| format!("socket map \"{}\": {why}", shown(map))),
            ),
            Err(_) => Answer::Temporary(format!("socket map \"{}\": timeout", shown(map))),
        }
    }

    /// What went wrong, in the original's words; none when it says nothing.
    fn told(&self, error: &std::io::Error) -> Option<String> {
        match self {
            Self::Local(path) => {
                let path = path.display();
                Some(format!("local socket name {path} unsafe: {}", safefile::error_text(error)))
            }
            Self::Inet(_, host) if error.kind() == std::io::ErrorKind::NotFound => {
                Some(format!("Unknown host name {host}"))
            }
            Self::Inet(..) => None,
        }
    }

    async fn exchange(&self, resolver: Option<&Resolver>, map: &[u8], key: &[u8]) -> std::io::Result<Answer> {
        match self {
            Self::Local(path) if path.as_os_str().is_empty() => Err(std::io::Error::from_raw_os_error(libc::ENOENT)),
            Self::Local(path) => converse(tokio::net::UnixStream::connect(Path::new(path)).await?, map, key).await,
            Self::Inet(port, host) => {
                let address = match (host.parse::<IpAddr>(), resolver) {
                    (Ok(address), _) => address,
                    (Err(_), Some(resolver)) => {
                        let found = resolver.addresses(host.as_bytes(), Family::Any).await;
                        let found = found.map_err(|_| std::io::ErrorKind::NotFound)?;
                        *found.first().ok_or(std::io::ErrorKind::NotFound)?
                    }
                    (Err(_), None) => return Err(std::io::ErrorKind::NotFound.into()),
                };
                converse(tokio::net::TcpStream::connect((address, *port)).await?, map, key).await
            }
        }
    }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, map: &[u8], key: &[u8]) -> std::io::Result<Answer> {
    let question = [map, b" ", key].concat();
    let mut request = format!("{}:", question.len()).into_bytes();
    request.extend_from_slice(&question);
    request.push(b',');
    stream.write_all(&request).await?;
    stream.flush().await?;
    let mut length = 0usize;
    for _ in 0..8 {
        match stream.read_u8().await? {
            digit @ b'0'..=b'9' => length = length * 10 + usize::from(digit - b'0'),
            b':' if length <= limits::MAP_VALUE => {
                let mut reply = vec![0; length];
                stream.read_exact(&mut reply).await?;
                let end = stream.read_u8().await?;
                return if end == b',' { Ok(verdict(&reply)) } else { Err(std::io::ErrorKind::InvalidData.into()) };
            }
            _ => break,
        }
    }
    Err(std::io::ErrorKind::InvalidData.into())
}

fn verdict(reply: &[u8]) -> Answer {
    let (word, rest) = match reply.iter().position(|byte| *byte == b' ') {
        Some(at) => (reply.get(..at).unwrap_or_default(), reply.get(at + 1..).unwrap_or_default()),
        None => (reply, &b""[..]),
    };
    match word {
        b"OK" => Answer::Found(Bytes::copy_from_slice(rest)),
        b"NOTFOUND" => Answer::MISS,
        b"PERM" => Answer::NotFound(Exit::UNAVAILABLE),
        _ => Answer::Temporary(String::from_utf8_lossy(reply).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_have_three_forms() {
        for (text, endpoint) in [
            ("inet:99@127.0.0.1", Ok(Endpoint::Inet(99, "127.0.0.1".into()))),
            ("inet6:smtp@[::1]", Ok(Endpoint::Inet(25, "::1".into()))),
            ("local:/x", Ok(Endpoint::Local("/x".into()))),
            ("unix:", Ok(Endpoint::Local("".into()))),
            ("foo", Ok(Endpoint::Local("foo".into()))),
            ("inet:x@127.0.0.1", Err("unknown port name x".to_owned())),
            ("inet:9", Err("bad address 9 (expected port@host)".to_owned())),
            ("foo:9@127.0.0.1", Err("unknown socket type foo: Protocol not supported".to_owned())),
        ] {
            assert_eq!(Endpoint::parse(text.as_bytes()), endpoint, "{text}");
        }
    }

    #[test]
    fn socket_verdicts() {
        assert_eq!(verdict(b"OK a b"), Answer::Found("a b".into()));
        assert_eq!(verdict(b"NOTFOUND"), Answer::MISS);
        assert!(matches!(verdict(b"TEMP x"), Answer::Temporary(_)));
    }

    #[test]
    fn a_socket_map_speaks_netstrings() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (ours, mut theirs) = tokio::io::duplex(64);
            let serve = async {
                let mut asked = [0; 10];
                theirs.read_exact(&mut asked).await.unwrap();
                assert_eq!(&asked, b"7:map key,");
                theirs.write_all(b"8:OK value,").await.unwrap();
            };
            let (answer, ()) = tokio::join!(converse(ours, b"map", b"key"), serve);
            assert_eq!(answer.unwrap(), Answer::Found("value".into()));
        });
    }
}
