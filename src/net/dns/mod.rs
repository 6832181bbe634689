//! Names and addresses.
//!
//! In: host names, addresses. Out: MX lists, addresses, canonical names, verified client names, records; or one [`Error`] that
//! tells "no such name" from "no such record" from "ask again later". Documents: RFC 1034, 1035, 5321 §5.1, 7505. Never:
//! blocks a thread, asks for longer than its settings say, knows which names are ours (the caller does).

pub mod cache;
pub mod hosts;
pub mod query;
pub mod resolver;
#[cfg(test)]
mod resolver_tests;
mod tlsa;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

use super::tls::dane::Record;
use crate::base::exit::Exit;
use crate::base::status::{Classify, Status};

pub use hickory_proto::rr::{RData, RecordType};
pub use resolver::Resolver;

/// Which addresses are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv6 first, then IPv4.
    Any,
    /// IPv4.
    Inet,
    /// IPv6.
    Inet6,
}

/// Where host names are looked up, in the order of the service switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The hosts file.
    Files,
    /// Name servers.
    Dns,
}

/// How names are looked up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Order of the sources; from the service switch file or [`services`].
    pub services: Vec<Service>,
    /// `HostsFile`.
    pub hosts_file: PathBuf,
    /// Name servers, search domains and options; normally `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
    /// Name servers instead of those in `resolv_conf`, with their port; for tests and tools.
    pub name_servers: Option<Vec<std::net::SocketAddr>>,
    /// `Timeout.resolver.retrans`: wait for one answer; `None` for the file's.
    pub retrans: Option<Duration>,
    /// `Timeout.resolver.retry`: rounds over all servers; `None` for the file's.
    pub retry: Option<u32>,
    /// `ResolverOptions` defnames: add the first search domain to names without a dot.
    pub default_names: bool,
    /// `ResolverOptions` dnsrch: try the search domains.
    pub search: bool,
    /// `ResolverOptions` HasWildcardMX: an MX record proves nothing when names are canonified.
    pub has_wildcard_mx: bool,
    /// `ResolverOptions` WorkAroundBrokenAAAA: a failed AAAA query counts as no address.
    pub work_around_broken_aaaa: bool,
    /// `ResolverOptions` use_dnssec: ask for signatures and note whether the server vouches for the answer.
    pub use_dnssec: bool,
    /// `DontExpandCnames`: canonify without following aliases.
    pub dont_expand_cnames: bool,
    /// Most answers kept.
    pub cache_entries: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            services: vec![Service::Dns, Service::Files],
            hosts_file: PathBuf::from("/etc/hosts"),
            resolv_conf: PathBuf::from("/etc/resolv.conf"),
            name_servers: None,
            retrans: None,
            retry: None,
            default_names: true,
            search: true,
            has_wildcard_mx: false,
            work_around_broken_aaaa: false,
            use_dnssec: false,
            dont_expand_cnames: false,
            cache_entries: 20_000,
        }
    }
}

/// Reads the `hosts` line of a service switch file; `None` when it has none.
///
/// Shape: `hosts dns files`, blanks or tabs between, `#` begins a comment; services that do not exist here are left out.
pub fn services(switch_file: &[u8]) -> Option<Vec<Service>> {
    switch_file.split(|b| *b == b'\n').find_map(|line| {
        let line = line.split(|b| *b == b'#').next()?;
        let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
        (words.next()? == b"hosts").then(|| {
            words
                .filter_map(|w| match w {
                    b"files" => Some(Service::Files),
                    b"dns" => Some(Service::Dns),
                    _ => None,
                })
                .collect()
        })
    })
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The name does not exist.
    NotFound,
    /// The name exists, but has no record of the type.
    NoData,
    /// No server gave an answer, or one said that it failed.
    Temporary,
    /// A server refused for good, or the name cannot be asked for.
    Permanent,
}

impl Error {
    /// The original's words for log lines and reports.
    pub fn words(&self) -> &'static str {
        match self {
            Self::NotFound => "host not found",
            Self::NoData => "no data known",
            Self::Temporary => "host name lookup failure",
            Self::Permanent => "non-recoverable error",
        }
    }

    /// `Name server: HOST: WORDS`, as `stat=` and reports give the reason.
    pub fn reason(&self, host: &[u8]) -> String {
        format!("Name server: {}: {}", crate::base::bytes::shown(host), self.words())
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.words())
    }
}

impl std::error::Error for Error {}

impl Classify for Error {
    fn status(&self) -> (u16, Status) {
        match self {
            Self::Temporary => (451, Status(4, 4, 3)),
            Self::NotFound | Self::NoData | Self::Permanent => (550, Status(5, 1, 2)),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Temporary => Exit::TEMPFAIL,
            Self::NotFound | Self::NoData | Self::Permanent => Exit::NOHOST,
        }
    }

    fn peer_text(&self) -> String {
        self.words().to_owned()
    }
}

/// A mail exchanger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mx {
    /// Preference; lower comes first.
    pub preference: u16,
    /// Name in lower case, a dot at the end.
    pub host: Bytes,
}

/// Mail exchangers of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MxAnswer {
    /// In order of preference, at random among equals.
    List(Vec<Mx>),
    /// No MX record: the host itself (search domain added, dot at the end) takes its mail.
    Host(Bytes),
    /// An alias without MX records: the name as asked is to be connected to.
    Alias,
    /// The null MX of RFC 7505: the host takes no mail.
    Null,
}

impl MxAnswer {
    /// Names to try in turn; `asked` stands in where the answer names none.
    pub fn names(&self, asked: &Bytes) -> Vec<Bytes> {
        match self {
            Self::List(list) => list.iter().map(|mx| mx.host.clone()).collect(),
            Self::Host(name) => vec![name.clone()],
            Self::Alias => vec![asked.clone()],
            Self::Null => Vec::new(),
        }
    }
}

/// A canonical name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// Name without a dot at the end; the `host` map appends one.
    pub name: Bytes,
    /// Seconds for which it may be kept.
    pub ttl: u32,
}

/// What is known of a client's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reverse {
    /// The name leads back to the address.
    Ok(Bytes),
    /// The name does not lead back to the address (`may be forged`).
    Forged(Bytes),
    /// The address has no name; mail shows `[ADDRESS]`.
    Fail,
    /// The lookup failed for now.
    Temporary,
}

impl Reverse {
    /// The value of `${client_resolve}`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ok(_) => "OK",
            Self::Forged(_) => "FORGED",
            Self::Fail => "FAIL",
            Self::Temporary => "TEMP",
        }
    }

    /// The name, when there is one.
    pub fn name(&self) -> Option<&Bytes> {
        match self {
            Self::Ok(name) | Self::Forged(name) => Some(name),
            Self::Fail | Self::Temporary => None,
        }
    }
}

/// One record of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Owner name, lower case, no dot at the end.
    pub name: Bytes,
    /// Content.
    pub data: RData,
    /// Seconds for which it may be kept.
    pub ttl: u32,
}

/// What is known of a host's TLSA records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsaAnswer {
    /// No signed answer leads to any: they do not count.
    Insecure,
    /// Signed records of this name; also when none of them can be used.
    Secure {
        /// The host, or the name that it is an alias of.
        name: Bytes,
        /// The records.
        records: Vec<Record>,
    },
    /// The question has no answer now, or a forged one.
    Failed,
}

/// Records of an answer, aliases in front.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Records {
    /// In the order of the answer.
    pub records: Vec<Found>,
    /// The server says that it checked signatures (AD bit).
    pub is_authentic: bool,
}

/// An address in the form log lines use: `198.51.100.1`, `IPv6:2001:db8:0:0:0:0:0:1` (or `::` when `compressed`).
pub fn shown_address(address: IpAddr, compressed: bool) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None if compressed => format!("IPv6:{v6}"),
            None => {
                let groups: Vec<String> = v6.segments().iter().map(|s| format!("{s:x}")).collect();
                format!("IPv6:{}", groups.join(":"))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_line_gives_the_order() {
        assert_eq!(services(b"aliases files\nhosts\tfiles dns nis # x\n"), Some(vec![Service::Files, Service::Dns]));
        assert_eq!(services(b"aliases files\n"), None);
    }

    #[test]
    fn addresses_are_shown_in_full_unless_asked() {
        let v6: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(shown_address(v6, false), "IPv6:2001:db8:0:0:0:0:0:1");
        assert_eq!(shown_address(v6, true), "IPv6:2001:db8::1");
        assert_eq!(shown_address("::ffff:192.0.2.1".parse().unwrap(), true), "192.0.2.1");
    }
}
