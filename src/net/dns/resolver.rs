//! The resolver: services in order, search domains, aliases.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hickory_proto::rr::Name;

use super::cache::Cache;
use super::hosts::Hosts;
use super::query::{Answer, Servers};
use super::{Canonical, Error, Family, Mx, MxAnswer, RData, RecordType, Records, Reverse, Service, Settings};
use crate::base::bytes::shown;
use crate::base::domain::without_final_dot;
use crate::log::debug::Tracer;
use crate::sys::{file, host};

/// Answers questions about names. Cloning shares the cache.
#[derive(Debug, Clone)]
pub struct Resolver(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    answers: Cache<(Name, RecordType), Answer>,
    servers: Mutex<Loaded<Servers>>,
    hosts: Mutex<Loaded<Hosts>>,
    tracer: Arc<Tracer>,
}

/// What a file says, read again when the file has changed.
#[derive(Debug)]
struct Loaded<T> {
    value: Option<Arc<T>>,
    stamp: Option<(i64, u64, u64)>,
    looked: Option<Instant>,
}

impl<T> Default for Loaded<T> {
    fn default() -> Self {
        Self { value: None, stamp: None, looked: None }
    }
}

impl Resolver {
    /// A resolver; reads its files when first asked, and again when they change.
    pub fn new(settings: Settings) -> Self {
        Self::traced(settings, Arc::default())
    }

    /// The same, with debug output of category 8.
    pub fn traced(settings: Settings, tracer: Arc<Tracer>) -> Self {
        let answers = Cache::new(settings.cache_entries);
        Self(Arc::new(Inner { settings, answers, servers: Mutex::default(), hosts: Mutex::default(), tracer }))
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Forgets every answer.
    pub fn clear(&self) {
        self.0.answers.clear();
    }

    /// Mail exchangers of a host. Search domains are tried as for any name.
    ///
    /// Errors: [`Error::NotFound`] when there is no such host at all, [`Error::Temporary`].
    pub async fn mx(&self, host: &[u8]) -> Result<MxAnswer, Error> {
        if !self.0.settings.services.contains(&Service::Dns) || literal(host).is_some() {
            return Ok(MxAnswer::Host(Bytes::copy_from_slice(host)));
        }
        self.0.tracer.say(8, 2, format_args!("getmxrr({})", shown(host)));
        let (name, result) = self.search(host, RecordType::MX).await?;
        let records = match result {
            Ok(records) => records,
            Err(Error::NoData) => {
                let found = with_dot(&name);
                // A name that is the one asked for keeps its letter case.
                let asked = without_final_dot(host);
                let same = found.strip_suffix(b".").is_some_and(|bare| bare.eq_ignore_ascii_case(asked));
                return Ok(MxAnswer::Host(if same { [asked, b"."].concat().into() } else { found }));
            }
            Err(error) => return Err(error),
        };
        let mut list: Vec<Mx> = Vec::new();
        for found in &records.records {
            let RData::MX(mx) = &found.data else { continue };
            let host = with_dot(&mx.exchange);
            match list.iter_mut().find(|known| known.host == host) {
                Some(known) => known.preference = known.preference.min(mx.preference),
                None => list.push(Mx { preference: mx.preference, host }),
            }
        }
        Ok(ordered(list))
    }

    /// Addresses of a host, or the address in a literal (`[192.0.2.1]`, `[IPv6:…]`). The hosts file comes first, as the
    /// C library has it.
    pub async fn addresses(&self, name: &[u8], family: Family) -> Result<Vec<IpAddr>, Error> {
        if let Some(address) = literal(name) {
            return if wanted(address, family) { Ok(vec![address]) } else { Err(Error::NoData) };
        }
        let key = without_final_dot(name).to_ascii_lowercase();
        let local: Vec<IpAddr> = self.hosts().addresses(&key).iter().copied().filter(|a| wanted(*a, family)).collect();
        if !local.is_empty() {
            return Ok(local);
        }
        if !self.0.settings.services.contains(&Service::Dns) {
            return Err(Error::NotFound);
        }
        let v6 = async {
            if family == Family::Inet { Err(Error::NoData) } else { self.records(name, RecordType::AAAA).await }
        };
        let v4 = async {
            if family == Family::Inet6 { Err(Error::NoData) } else { self.records(name, RecordType::A).await }
        };
        let (v6, v4) = tokio::join!(v6, v4);
        joined(v6, v4, self.0.settings.work_around_broken_aaaa)
    }

    /// The canonical name of a host, as `$[ $]` gives it: letters as typed, aliases followed, search domains added.
    ///
    /// `domain` is what `$m` says: in the hosts file a name without a dot is one of that domain.
    /// Source: engine_semantics §5; observed (`/canon`, `-d8`): AAAA, A, then MX for each candidate.
    pub async fn canonify(&self, name: &[u8], domain: &[u8]) -> Result<Canonical, Error> {
        let mut failure = Error::NotFound;
        for service in &self.0.settings.services {
            let found = match service {
                Service::Files => self.canonify_by_file(name, domain),
                Service::Dns => self.canonify_by_dns(name).await,
            };
            match found {
                Ok(found) => return Ok(found),
                Err(Error::Temporary) => failure = Error::Temporary,
                Err(_) => {}
            }
        }
        Err(failure)
    }

    /// What stands for `[host]` in place of a mail exchanger: an address as it is, a name in its canonical form with a dot.
    /// What follows the bracket does not count. `None`: there are no brackets. Source: observed (`/mx`, `bestmx`).
    pub async fn bracketed(&self, host: &[u8], domain: &[u8]) -> Option<Result<Bytes, Error>> {
        let inner = host.strip_prefix(b"[")?;
        let Some(end) = memchr::memchr(b']', inner) else { return Some(Err(Error::NotFound)) };
        if literal(host.get(..end + 2)?).is_some() {
            return Some(Ok(Bytes::copy_from_slice(host)));
        }
        let found = self.canonify(inner.get(..end)?, domain).await;
        Some(found.map(|canonical| [&canonical.name[..], b"."].concat().into()))
    }

    fn canonify_by_file(&self, name: &[u8], domain: &[u8]) -> Result<Canonical, Error> {
        let key = without_final_dot(name).to_ascii_lowercase();
        let hosts = self.hosts();
        // `localhost.example.com` is `localhost` where example.com is our domain. Source: observed.
        let short = || {
            let at = memchr::memchr(b'.', &key)?;
            let ours = !domain.is_empty() && key.get(at + 1..)?.eq_ignore_ascii_case(domain);
            if ours { hosts.canonical(key.get(..at)?) } else { None }
        };
        let found = hosts.canonical(&key).or_else(short).ok_or(Error::NotFound)?;
        // A name that is not qualified gets our domain. Source: observed (`localhost` becomes localhost.example.com).
        let name = if domain.is_empty() || found.contains(&b'.') {
            found.clone()
        } else {
            Bytes::from([found.as_ref(), b".", domain].concat())
        };
        Ok(Canonical { name, ttl: 0 })
    }

    async fn canonify_by_dns(&self, name: &[u8]) -> Result<Canonical, Error> {
        let servers = self.servers();
        let mut failure = Error::NotFound;
        let tries_mx = !self.0.settings.has_wildcard_mx;
        self.0.tracer.say(8, 2, format_args!("dns_getcanonname({}, trymx={})", shown(name), i32::from(tries_mx)));
        for candidate in self.candidates(name, &servers)? {
            match self.canonical_of(&candidate, &servers).await {
                Ok(found) => {
                    self.0.tracer.say(8, 5, format_args!("dns_getcanonname: {}", shown(&found.name)));
                    return Ok(found);
                }
                Err(Error::Temporary) => return Err(Error::Temporary),
                Err(Error::NoData) => failure = Error::NoData,
                Err(_) => {}
            }
        }
        Err(failure)
    }

    /// Follows aliases from a candidate until there is an address or a mail exchanger.
    async fn canonical_of(&self, candidate: &Candidate, servers: &Servers) -> Result<Canonical, Error> {
        let mut name = candidate.name.clone();
        let mut shown = candidate.shown.clone();
        let mut ttl = u32::MAX;
        for _ in 0..MOST_ALIASES {
            let (v6, v4) =
                tokio::join!(self.ask(&name, RecordType::AAAA, servers), self.ask(&name, RecordType::A, servers));
            let mut missing = Error::NoData;
            let mut target = None;
            for (kind, result) in [(RecordType::AAAA, v6), (RecordType::A, v4)] {
                self.tell_try(&name, kind, &result);
                let records = match result {
                    Ok(records) => records,
                    Err(Error::Temporary) if kind == RecordType::AAAA && self.0.settings.work_around_broken_aaaa => {
                        continue;
                    }
                    Err(Error::Temporary) => return Err(Error::Temporary),
                    Err(error) => {
                        missing = error;
                        continue;
                    }
                };
                ttl = records.records.iter().map(|r| r.ttl).fold(ttl, u32::min);
                if let Some(end) = alias_end(&records, &name) {
                    target = Some(end);
                } else if records.records.iter().any(|r| r.data.record_type() == kind) {
                    return Ok(Canonical { name: shown, ttl });
                }
            }
            let Some(end) = target else {
                if missing == Error::NotFound || self.0.settings.has_wildcard_mx {
                    return Err(missing);
                }
                let records = self.ask(&name, RecordType::MX, servers).await;
                self.tell_try(&name, RecordType::MX, &records);
                let records = records?;
                ttl = records.records.iter().map(|r| r.ttl).fold(ttl, u32::min);
                return Ok(Canonical { name: shown, ttl });
            };
            if self.0.settings.dont_expand_cnames {
                return Ok(Canonical { name: shown, ttl });
            }
            shown = text(&end);
            name = end;
        }
        Err(Error::NotFound)
    }

    /// Debug output about one question of a canonical name. Source: observed.
    fn tell_try(&self, name: &Name, kind: RecordType, result: &Result<Arc<Records>, Error>) {
        let tracer = &self.0.tracer;
        if !tracer.is_on(8, 5) {
            return;
        }
        tracer.say(8, 5, format_args!("dns_getcanonname: trying {} ({kind})", shown(&with_dot(name))));
        let is_there = result.as_ref().is_ok_and(|found| found.records.iter().any(|r| r.data.record_type() == kind));
        match result {
            Ok(_) if is_there => tracer.say(8, 8, "\tYES"),
            Ok(_) => tracer.say(8, 8, "\tNO: no data known"),
            Err(error) => tracer.say(8, 8, format_args!("\tNO: {error}")),
        }
    }

    /// The name of a client, checked against its addresses.
    pub async fn reverse(&self, address: IpAddr) -> Reverse {
        let address = address.to_canonical();
        let name = match self.pointer(address).await {
            Ok(name) => name,
            Err(Error::Temporary) => return Reverse::Temporary,
            Err(_) => return Reverse::Fail,
        };
        let family = if address.is_ipv4() { Family::Inet } else { Family::Inet6 };
        let absolute = if name.contains(&b'.') { Bytes::from([&name[..], b"."].concat()) } else { name.clone() };
        match self.addresses(&absolute, family).await {
            Ok(addresses) if addresses.contains(&address) => Reverse::Ok(name),
            Err(Error::Temporary) => Reverse::Temporary,
            Ok(_) | Err(_) => Reverse::Forged(name),
        }
    }

    /// The first name of an address, unchecked.
    async fn pointer(&self, address: IpAddr) -> Result<Bytes, Error> {
        if let Some(name) = self.hosts().name(address) {
            return Ok(name.clone());
        }
        if !self.0.settings.services.contains(&Service::Dns) {
            return Err(Error::NotFound);
        }
        let servers = self.servers();
        let records = self.ask(&Name::from(address), RecordType::PTR, &servers).await?;
        let mut names = records.records.iter().filter_map(|r| match &r.data {
            RData::PTR(name) => Some(text(name)),
            _ => None,
        });
        names.find(|name| is_host_name(name)).ok_or(Error::NotFound)
    }

    /// Records of a type; a name without a dot at the end is searched for as the C library does.
    pub async fn records(&self, name: &[u8], kind: RecordType) -> Result<Arc<Records>, Error> {
        let (_, result) = self.search(name, kind).await?;
        let records = result?;
        if records.records.iter().any(|r| r.data.record_type() == kind) { Ok(records) } else { Err(Error::NoData) }
    }

    /// Tries candidates in turn until one exists; the result is that one's.
    async fn search(&self, name: &[u8], kind: RecordType) -> Result<(Name, Result<Arc<Records>, Error>), Error> {
        let servers = self.servers();
        let mut failure = Error::NotFound;
        let mut exists = None;
        for candidate in self.candidates(name, &servers)? {
            match self.ask(&candidate.name, kind, &servers).await {
                Ok(records) => return Ok((candidate.name, Ok(records))),
                Err(Error::NoData) => exists = exists.or(Some(candidate.name)),
                Err(Error::Temporary) => {
                    failure = Error::Temporary;
                    break;
                }
                Err(_) => {}
            }
        }
        match exists {
            Some(name) if failure != Error::Temporary => Ok((name, Err(Error::NoData))),
            _ => Err(failure),
        }
    }

    /// Names to ask for. Source: observed (`-d8`): a name with a dot as it is and then in each domain, others only there.
    fn candidates(&self, name: &[u8], servers: &Servers) -> Result<Vec<Candidate>, Error> {
        let settings = &self.0.settings;
        let is_absolute = name.ends_with(b".");
        let bare = without_final_dot(name);
        let plain = parsed(bare)?;
        let dots = memchr::memchr_iter(b'.', bare).count();
        let as_is = Candidate { name: plain, shown: Bytes::copy_from_slice(bare) };
        if is_absolute && dots > 0 {
            return Ok(vec![as_is]);
        }
        let domains: &[Name] = match (settings.search, settings.default_names) {
            (true, _) => &servers.search,
            (false, true) if dots == 0 => servers.search.get(..1).unwrap_or_default(),
            _ => &[],
        };
        let in_domains = domains.iter().filter_map(|domain| {
            let shown = Bytes::from([bare, b".", &text(domain)].concat());
            parsed(&shown).ok().map(|name| Candidate { name, shown })
        });
        if domains.is_empty() || dots >= servers.ndots.max(1) {
            return Ok(std::iter::once(as_is).chain(in_domains).collect());
        }
        let mut all: Vec<Candidate> = in_domains.collect();
        if dots > 0 {
            all.push(as_is);
        }
        Ok(all)
    }

    async fn ask(&self, name: &Name, kind: RecordType, servers: &Servers) -> Result<Arc<Records>, Error> {
        let key = (name.to_lowercase(), kind);
        if let Some(known) = self.0.answers.get(&key, Instant::now()) {
            return known.result;
        }
        let answer = servers.ask(&key.0, kind).await?;
        self.0.answers.put(key, answer.clone(), answer.ttl, Instant::now());
        answer.result
    }

    fn servers(&self) -> Arc<Servers> {
        let settings = &self.0.settings;
        load(&self.0.servers, &settings.resolv_conf, |content| {
            // Other servers may answer otherwise.
            self.0.answers.clear();
            Servers::new(content, own_domain(), settings)
        })
    }

    fn hosts(&self) -> Arc<Hosts> {
        load(&self.0.hosts, &self.0.settings.hosts_file, Hosts::parse)
    }
}

/// A name to ask for, and how it is shown when it is the one.
struct Candidate {
    name: Name,
    shown: Bytes,
}

/// The value made of a file, looked at again once a second; a file that cannot be read counts as empty.
fn load<T>(slot: &Mutex<Loaded<T>>, path: &Path, make: impl FnOnce(&[u8]) -> T) -> Arc<T> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    let is_fresh = slot.looked.is_some_and(|at| now.duration_since(at) < LOOK_AGAIN);
    if let (true, Some(value)) = (is_fresh, &slot.value) {
        return Arc::clone(value);
    }
    slot.looked = Some(now);
    let mut input = file::open_read_following(path);
    let facts = input.as_ref().ok().and_then(|open| file::facts(open).ok());
    let stamp = facts.map(|f| (f.modified.0, f.bytes, f.inode));
    if let Some(value) = slot.value.as_ref().filter(|_| slot.stamp == stamp) {
        return Arc::clone(value);
    }
    let content = input.as_mut().ok().and_then(|open| file::read_limited(open, LARGEST_FILE).ok());
    let value = Arc::new(make(&content.unwrap_or_default()));
    slot.stamp = stamp;
    slot.value = Some(Arc::clone(&value));
    value
}

/// The domain of the host's own name, searched when `resolv.conf` names none. Source: resolv.conf(5); observed.
fn own_domain() -> Option<Name> {
    let own = host::name().ok()?;
    let (_, domain) = own.split_once('.')?;
    parsed(domain.as_bytes()).ok()
}

/// A name from its text. Errors: [`Error::NotFound`] for labels that are empty or too long: no such name can exist.
fn parsed(name: &[u8]) -> Result<Name, Error> {
    if name.is_empty() {
        return Err(Error::NotFound);
    }
    let mut parsed = Name::from_labels(name.split(|b| *b == b'.')).map_err(|_| Error::NotFound)?;
    parsed.set_fqdn(true);
    Ok(parsed)
}

/// A name as text in lower case, without a dot at the end.
pub(super) fn text(name: &Name) -> Bytes {
    let mut out = Vec::with_capacity(name.len());
    for (n, label) in name.iter().enumerate() {
        if n > 0 {
            out.push(b'.');
        }
        out.extend(label.iter().map(u8::to_ascii_lowercase));
    }
    Bytes::from(out)
}

fn with_dot(name: &Name) -> Bytes {
    Bytes::from([&text(name)[..], b"."].concat())
}

/// The address in `[192.0.2.1]`, `[IPv6:2001:db8::1]` or `[2001:db8::1]`.
fn literal(name: &[u8]) -> Option<IpAddr> {
    let inner = without_final_dot(name).strip_prefix(b"[")?.strip_suffix(b"]")?;
    let inner = std::str::from_utf8(inner).ok()?;
    match inner.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:")) {
        Some(_) => inner.get(5..)?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => inner.parse().ok(),
    }
}

fn wanted(address: IpAddr, family: Family) -> bool {
    match family {
        Family::Any => true,
        Family::Inet => address.is_ipv4(),
        Family::Inet6 => address.is_ipv6(),
    }
}

/// Letters, digits, `-`, `_` and dots: names that may go into logs, headers and rulesets.
fn is_host_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

/// Both families in one list, IPv6 first; what failed for now counts only when the other gave nothing.
fn joined(
    v6: Result<Arc<Records>, Error>,
    v4: Result<Arc<Records>, Error>,
    ignores_v6_failure: bool,
) -> Result<Vec<IpAddr>, Error> {
    let mut seen = HashSet::new();
    let all: Vec<IpAddr> = [&v6, &v4]
        .into_iter()
        .flatten()
        .flat_map(|records| records.records.iter())
        .filter_map(|found| match &found.data {
            RData::A(a) => Some(IpAddr::V4(Ipv4Addr::from(*a))),
            RData::AAAA(aaaa) => Some(IpAddr::V6(Ipv6Addr::from(*aaaa))),
            _ => None,
        })
        .filter(|address| seen.insert(*address))
        .collect();
    if !all.is_empty() {
        return Ok(all);
    }
    match (v6, v4) {
        (Err(Error::Temporary), _) if !ignores_v6_failure => Err(Error::Temporary),
        (_, Err(Error::Temporary)) => Err(Error::Temporary),
        (Err(Error::NotFound), Err(Error::NotFound | Error::NoData)) | (Err(Error::NoData), Err(Error::NotFound)) => {
            Err(Error::NotFound)
        }
        _ => Err(Error::NoData),
    }
}

/// Where the aliases of an answer lead from `name`; `None` when it is no alias.
fn alias_end(records: &Records, name: &Name) -> Option<Name> {
    let mut at = name.clone();
    let mut moved = false;
    for _ in 0..MOST_ALIASES {
        let here = text(&at);
        let next = records.records.iter().find_map(|found| match &found.data {
            RData::CNAME(target) if found.name == here => Some(target.0.clone()),
            _ => None,
        });
        let Some(next) = next else { break };
        at = next;
        moved = true;
    }
    moved.then_some(at)
}

/// In order of preference, at random among equals. Source: RFC 5321 §5.1; RFC 7505.
fn ordered(mut list: Vec<Mx>) -> MxAnswer {
    match list.as_slice() {
        [] => return MxAnswer::Alias,
        [only] if only.host.as_ref() == b"." => return MxAnswer::Null,
        _ => {}
    }
    let state = RandomState::new();
    list.retain(|mx| mx.host.as_ref() != b".");
    list.sort_by_cached_key(|mx| {
        let mut weight = state.build_hasher();
        weight.write(&mx.host);
        (mx.preference, weight.finish())
    });
    MxAnswer::List(list)
}

/// Longest chain of aliases followed.
const MOST_ALIASES: usize = 10;
/// Files are looked at again after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Largest file read, bytes.
const LARGEST_FILE: usize = 4 << 20;
