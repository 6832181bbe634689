//! All maps of a configuration, and what all classes do alike: keys folded, values completed, failures softened.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::answer::Answer;
use super::open::{AliasName, Backend, Map, Opener};
use super::userdb::UserDatabase;
use super::{arith, arpa, dequote, outside};
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::config::{Config, Diagnostic};
use crate::log::debug::Tracer;
use crate::log::{Id, Logger};
use crate::macros::{NameTable, Scope, names};
use crate::monitor::Port;
use crate::net::dns::Resolver;

/// Which map of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MapId(pub usize);

/// What maps ask of the rest of the program. What is not given makes the classes that need it fail for now.
#[derive(Debug, Clone, Default)]
pub struct Services {
    /// For `host`, `dns`, `bestmx`, and names in `socket`.
    pub resolver: Option<Resolver>,
    /// For `program`.
    pub port: Option<Port>,
    /// For `syslog`.
    pub log: Option<Logger>,
}

/// Every declared map, opened. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct MapSet {
    inner: Arc<Inner>,
    ignores_mode: bool,
}

#[derive(Debug, Default)]
struct Inner {
    maps: Vec<Map>,
    users: Option<UserDatabase>,
    names: NameTable,
    services: Services,
    said: Vec<AtomicBool>,
    complaints: Mutex<Vec<Complaint>>,
    complained: AtomicBool,
    /// Names of alias texts that no ruleset has seen.
    unchecked: Mutex<Vec<AliasName>>,
}

/// How long a `socket` map may take unless `-d` says otherwise.
const SOCKET: Duration = Duration::from_secs(30);
/// Deepest nesting of sequences.
const DEPTH: usize = 12;

/// Something to be told of a lookup.
#[derive(Debug)]
struct Complaint {
    text: String,
    /// A map could not be opened at its first use.
    is_of_opening: bool,
}

impl MapSet {
    /// Opens the maps of a configuration. Complaints about declarations come back here, with the line of the `K` line; those
    /// about files that cannot be opened are said at the first lookup ([`Self::take_complaints`]).
    pub fn open(config: &Config, services: Services) -> (Self, Vec<Diagnostic>) {
        let mut opener = Opener::new(config);
        opener.run();
        if let Some(tracer) = services.log.as_ref().map(Logger::tracer).filter(|tracer| tracer.is_on(38, 2)) {
            opener.maps.iter().for_each(|map| map.tell(tracer));
        }
        let unchecked = opener.maps.iter_mut().flat_map(|map| std::mem::take(&mut map.unchecked)).collect();
        let inner = Inner {
            said: opener.maps.iter().map(|_| AtomicBool::new(false)).collect(),
            maps: opener.maps,
            users: opener.users,
            names: config.names.clone(),
            services,
            complaints: Mutex::default(),
            complained: AtomicBool::new(false),
            unchecked: Mutex::new(unchecked),
        };
        (Self { inner: Arc::new(inner), ignores_mode: false }, opener.diagnostics)
    }

    /// The same maps, asked whatever `${deliveryMode}` says: test mode.
    #[must_use]
    pub fn undeferred(mut self) -> Self {
        self.ignores_mode = true;
        self
    }

    /// The map of that name, letter case aside.
    pub fn find(&self, name: &[u8]) -> Option<MapId> {
        self.inner.maps.iter().position(|map| map.name.eq_ignore_ascii_case(name)).map(MapId)
    }

    /// Names in the order of declaration.
    pub fn names(&self) -> impl Iterator<Item = &Bytes> {
        self.inner.maps.iter().map(|map| &map.name)
    }

    /// Whether lookups have something to look in; `/map` says `Map named "X" not open` otherwise.
    pub fn is_open(&self, id: MapId) -> bool {
        self.map(id).is_some_and(|map| !matches!(map.backend, Backend::Absent))
    }

    /// The byte that `-S` puts in place of blanks when a rule strings a key together.
    pub fn blank(&self, id: MapId) -> Option<u8> {
        let map = self.map(id)?;
        let dequotes = matches!(map.backend, Backend::Dequote(_));
        map.flags.character(b'S').or_else(|| map.flags.character(b's').filter(|_| dequotes))
    }

    /// What went wrong with maps since the last call: lines to be shown and logged, in the original's words.
    pub fn take_complaints(&self) -> Vec<String> {
        if !self.inner.complained.swap(false, Ordering::Relaxed) {
            return Vec::new();
        }
        let complaints = std::mem::take(&mut *self.inner.complaints.lock().unwrap_or_else(PoisonError::into_inner));
        complaints.into_iter().map(|complaint| complaint.text).collect()
    }

    /// Only those about maps that could not be opened; they come before anything else is said of a lookup.
    pub fn take_complaints_of_opening(&self) -> Vec<String> {
        let mut complaints = self.inner.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        complaints.extract_if(.., |complaint| complaint.is_of_opening).map(|complaint| complaint.text).collect()
    }

    /// Names of alias texts that serve in place of databases, once: whoever resolves addresses has to look at them.
    pub fn take_unchecked_names(&self) -> Vec<AliasName> {
        std::mem::take(&mut self.inner.unchecked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Values that the user database has for a field of a user; none without such a database.
    ///
    /// Errors: why it could not say.
    pub fn user_values(&self, user: &[u8], field: &str) -> Result<Vec<Bytes>, String> {
        self.inner.users.as_ref().map_or(Ok(Vec::new()), |users| users.values(user, field))
    }

    /// Looks `key` up as rules do where that needs no waiting; `None` when it does ([`Self::lookup`] then).
    ///
    /// Quotes are taken off the key (unless `-q`), `-D`, `-T` and `-t` have their effect. `args` are those of `$@`: `%1` and on
    /// in the value; `%0` is the key. A `macro` map sets its macro in `scope`.
    pub fn lookup_now(&self, id: MapId, key: &[u8], args: &[Bytes], scope: &mut Scope) -> Option<Answer> {
        let Some(map) = self.map(id) else { return Some(Answer::MISS) };
        if !self.ignores_mode && map.is_deferred(scope) {
            return Some(map.softened(key, Answer::Temporary("deferred".to_owned())));
        }
        let key = map.unquoted(key);
        let answer = self.ask_now(id, &key, args, scope)?;
        Some(map.softened(&key, answer))
    }

    /// Looks `key` up as rules do. Being dropped at an await loses only the answer.
    pub async fn lookup(&self, id: MapId, key: &[u8], args: &[Bytes], scope: &mut Scope) -> Answer {
        let Some(map) = self.map(id) else { return Answer::MISS };
        if !self.ignores_mode && map.is_deferred(scope) {
            return map.softened(key, Answer::Temporary("deferred".to_owned()));
        }
        let key = map.unquoted(key);
        let answer = self.ask(id, &key, args, scope).await;
        map.softened(&key, answer)
    }

    /// Looks up as `/map` of test mode does: the key as it is, failures as they are. `None` when it needs waiting.
    pub fn ask_now(&self, id: MapId, key: &[u8], args: &[Bytes], scope: &mut Scope) -> Option<Answer> {
        self.ask_within(id, key, args, scope, DEPTH)
    }

    /// See [`Self::ask_now`].
    pub async fn ask(&self, id: MapId, key: &[u8], args: &[Bytes], scope: &mut Scope) -> Answer {
        if let Some(answer) = self.ask_now(id, key, args, scope) {
            return answer;
        }
        let Some(map) = self.map(id) else { return Answer::MISS };
        let Backend::Sequence(members) = &map.backend else {
            let answer = self.wait(map, key, args, &scope.text(names::DOMAIN)).await;
            if let (Backend::Dns(_), Answer::Found(value)) = (&map.backend, &answer)
                // `-a.` puts a dot behind it.
                && let Ok(text) = std::str::from_utf8(value.strip_suffix(b".").unwrap_or(value))
                && text.parse::<std::net::Ipv4Addr>().is_ok()
            {
                scope.note_address(Bytes::copy_from_slice(text.as_bytes()));
            }
            return answer;
        };
        let mut result = Answer::NotFound(Exit::NOHOST);
        for member in members {
            // Boxed: a member may be a sequence itself.
            let answer = Box::pin(self.ask(MapId(*member), key, args, scope)).await;
            if let Some(answer) = settled(answer, &mut result) {
                return answer;
            }
        }
        result
    }

    fn map(&self, id: MapId) -> Option<&Map> {
        self.inner.maps.get(id.0)
    }

    fn ask_within(&self, id: MapId, key: &[u8], args: &[Bytes], scope: &mut Scope, depth: usize) -> Option<Answer> {
        let map = self.map(id)?;
        if !map.notices.is_empty() {
            self.complain(id, &map.notices);
        }
        let folded;
        let raw_key = if map.row.folds && !map.flags.has(b'f') && key.iter().any(u8::is_ascii_uppercase) {
            folded = key.to_ascii_lowercase();
            &folded
        } else {
            key
        };
        let raw = match &map.backend {
            Backend::Stored(stored) => stored.get(raw_key),
            Backend::Arith => return Some(arith::compute(key, args)),
            Backend::Arpa => found(arpa::reversed(key).map(Bytes::from), Exit::DATAERR),
            Backend::Dequote(space) => found(dequote::dequote(key, *space), Exit::OK),
            Backend::UserDb(field) => self.inner.users.as_ref().map_or(Answer::MISS, |users| users.get(raw_key, field)),
            Backend::Macro => return Some(self.set_macro(key, args, scope)),
            Backend::Null => Answer::NotFound(Exit::NOHOST),
            Backend::Regex(pattern) => match pattern.find(key, args) {
                Ok(value) => found(value, Exit::OK),
                Err(told) => {
                    self.say(told);
                    Answer::MISS
                }
            },
            Backend::Sequence(members) => {
                return self.sequence_now(members, key, args, scope, depth.checked_sub(1)?);
            }
            Backend::Syslog(priority) => {
                if let Some(log) = &self.inner.services.log {
                    let id = scope.text(names::QUEUE_ID);
                    let id = shown(&id).to_string();
                    let id = if id.is_empty() { Id::NoQueue } else { Id::Queue(&id) };
                    log.write_always(*priority, id, shown(key));
                }
                return Some(Answer::Found(Bytes::new()));
            }
            Backend::Closed(text) => {
                self.complain(id, std::slice::from_ref(text));
                Answer::Temporary(text.clone())
            }
            Backend::Absent => Answer::MISS,
            Backend::Host
            | Backend::BestMx
            | Backend::Dns(_)
            | Backend::Ldap(_)
            | Backend::User(_)
            | Backend::Program(..)
            | Backend::Socket(_) => return None,
        };
        Some(map.completed(key, args, raw))
    }

    fn sequence_now(
        &self,
        members: &[usize],
        key: &[u8],
        args: &[Bytes],
        scope: &mut Scope,
        depth: usize,
    ) -> Option<Answer> {
        let mut result = Answer::NotFound(Exit::NOHOST);
        for member in members {
            let answer = self.ask_within(MapId(*member), key, args, scope, depth)?;
            if let Some(answer) = settled(answer, &mut result) {
                return Some(answer);
            }
        }
        Some(result)
    }

    async fn wait(&self, map: &Map, key: &[u8], args: &[Bytes], domain: &[u8]) -> Answer {
        let resolver = self.inner.services.resolver.as_ref();
        let nobody = || Answer::Temporary("no name service".to_owned());
        let raw = match (&map.backend, resolver) {
            (Backend::Host, Some(resolver)) => {
                let answer = outside::host(resolver, key, domain).await;
                if answer.exit() == Exit::TEMPFAIL {
                    self.say(format!("{}: Name server timeout", shown(key)));
                }
                answer
            }
            (Backend::BestMx, Some(resolver)) => {
                outside::best_mx(resolver, key, domain, map.flags.character(b'z')).await
            }
            (Backend::Dns(records), Some(resolver)) => records.get(resolver, key).await,
            (Backend::Ldap(directory), _) => {
                let folded = if map.flags.has(b'f') { key.to_vec() } else { key.to_ascii_lowercase() };
                let name = shown(&map.name).to_string();
                let (answer, told) = directory.get(&name, &folded, args, map.flags.has(b'o')).await;
                if let Some(told) = told {
                    self.say(told);
                }
                answer
            }
            (Backend::User(column), _) => {
                let name = if map.flags.has(b'f') { key.to_vec() } else { key.to_ascii_lowercase() };
                outside::password(name, *column).await
            }
            (Backend::Program(command, place), _) => match &self.inner.services.port {
                Some(port) => outside::program(port, *place, command, key).await,
                None => Answer::Temporary("no way to run programs".to_owned()),
            },
            (Backend::Socket(endpoint), resolver) => {
                let limit = map.flags.number(b'd').and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
                let answer = endpoint.ask(resolver, &map.name, key, limit.map_or(SOCKET, Duration::from_secs)).await;
                if let Answer::Temporary(text) = &answer
                    && let Some(id) = self.find(&map.name)
                {
                    self.complain(id, std::slice::from_ref(text));
                }
                // A map that may be missing is missing when nobody serves it. Source: observed.
                if map.flags.has(b'o') && answer.exit() == Exit::TEMPFAIL { Answer::MISS } else { answer }
            }
            _ => nobody(),
        };
        map.completed(key, args, raw)
    }

    /// Class `macro`: the key names the macro, the first argument is its value; none makes it undefined.
    fn set_macro(&self, key: &[u8], args: &[Bytes], scope: &mut Scope) -> Answer {
        let name = key.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")).unwrap_or(key);
        // A name that the configuration never mentions can be read by nothing.
        if let Some(id) = self.inner.names.lookup(name) {
            match args.first() {
                Some(value) => scope.set(id, value.clone()),
                None => scope.unset(id),
            }
        }
        Answer::Found(Bytes::new())
    }

    fn say(&self, text: String) {
        self.inner
            .complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Complaint { text, is_of_opening: false });
        self.inner.complained.store(true, Ordering::Relaxed);
    }

    fn complain(&self, id: MapId, texts: &[String]) {
        if self.inner.said.get(id.0).is_some_and(|said| !said.swap(true, Ordering::Relaxed)) {
            let mut complaints = self.inner.complaints.lock().unwrap_or_else(PoisonError::into_inner);
            let texts = texts.iter().filter(|text| !text.is_empty()).cloned();
            complaints.extend(texts.map(|text| Complaint { text, is_of_opening: true }));
            self.inner.complained.store(true, Ordering::Relaxed);
        }
    }
}

fn found(value: Option<Bytes>, miss: Exit) -> Answer {
    value.map_or(Answer::NotFound(miss), Answer::Found)
}

/// Takes the answer of a member into the `result` of its sequence; returned when it ends the search.
fn settled(answer: Answer, result: &mut Answer) -> Option<Answer> {
    match answer {
        Answer::Found(_) => return Some(answer),
        Answer::NotFound(_) if matches!(result, Answer::Temporary(_)) => {}
        // A plain miss is no news.
        Answer::NotFound(Exit::OK) => {}
        other => *result = other,
    }
    None
}

impl Map {
    /// Debug output about the opening. Source: observed (category 38 from levels 2 and 4 on).
    fn tell(&self, tracer: &Tracer) {
        let (class, name, rest) = (self.row.name, shown(&self.name), shown(&self.flags.rest));
        match &self.backend {
            Backend::Regex(_) => tracer.say(38, 2, format_args!("regex_map_init: mapname '{name}', args '{rest}'")),
            Backend::Sequence(_) => tracer.say(38, 2, format_args!("seq_map_parse({name}, {rest})")),
            Backend::Stored(_) | Backend::Closed(_) => {
                let file = shown(self.flags.word()).to_string();
                tracer.say(38, 2, format_args!("{class}_map_open({name}, {file}, 0)"));
            }
            _ => {}
        }
        let file = Some(shown(self.flags.word()).to_string()).filter(|file| !file.is_empty());
        let state = if matches!(self.backend, Backend::Closed(_)) { "invalid" } else { "valid" };
        let file = file.unwrap_or_else(|| "NULL".to_owned());
        tracer.say(38, 4, format_args!("openmap()\t{class}:{name} {file}: {state}"));
    }

    /// `-D`: no lookup while messages are only queued.
    fn is_deferred(&self, scope: &Scope) -> bool {
        self.flags.has(b'D') && scope.text(names::DELIVERY_MODE) == "d"
    }

    /// The key as a rule means it: without quotes, unless `-q` or the class is about quotes.
    fn unquoted<'k>(&self, key: &'k [u8]) -> std::borrow::Cow<'k, [u8]> {
        if self.flags.has(b'q')
            || matches!(self.backend, Backend::Dequote(_))
            || !key.iter().any(|byte| matches!(byte, b'"' | b'\\'))
        {
            return key.into();
        }
        let mut out = Vec::with_capacity(key.len());
        let mut bytes = key.iter().copied();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' => out.extend(bytes.next()),
                b'"' => {}
                other => out.push(other),
            }
        }
        out.into()
    }

    /// `-T` makes a value of a temporary failure, `-t` a miss.
    fn softened(&self, key: &[u8], answer: Answer) -> Answer {
        match (answer, self.flags.text(b'T')) {
            (Answer::Temporary(_), Some(text)) => Answer::Instead([key, text].concat().into()),
            (Answer::Temporary(_), None) if self.flags.has(b't') => Answer::MISS,
            (other, _) => other,
        }
    }

    /// The value as it is handed out: the key itself with `-m`, arguments put in, `-a` text behind it.
    fn completed(&self, key: &[u8], args: &[Bytes], raw: Answer) -> Answer {
        let Answer::Found(value) = raw else { return raw };
        let takes_arguments = matches!(self.backend, Backend::Stored(_) | Backend::Program(..) | Backend::Socket(_));
        let value = match &self.backend {
            // A quoted text that lost its quotes is never the key again.
            Backend::Dequote(_) => value,
            _ if self.flags.has(b'm') => Bytes::copy_from_slice(key),
            _ if takes_arguments && value.contains(&b'%') => substituted(&value, key, args),
            _ => value,
        };
        match self.flags.text(b'a') {
            Some(text) if !text.is_empty() => Answer::Found([&value[..], text].concat().into()),
            _ => Answer::Found(value),
        }
    }
}

/// Puts the key in place of `%0` and arguments in place of `%1` to `%9`; `%%` is a percent sign, anything else stays.
fn substituted(value: &[u8], key: &[u8], args: &[Bytes]) -> Bytes {
    let mut out = Vec::with_capacity(value.len() + key.len());
    let mut bytes = value.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        match bytes.peek().copied() {
            Some(b'%') => out.push(b'%'),
            Some(b'0') => out.extend_from_slice(key),
            Some(digit @ b'1'..=b'9') => {
                out.extend_from_slice(args.get(usize::from(digit - b'1')).map_or(&[][..], |arg| arg));
            }
            _ => {
                out.push(b'%');
                continue;
            }
        }
        bytes.next();
    }
    out.into()
}

#[cfg(test)]
mod tests;
