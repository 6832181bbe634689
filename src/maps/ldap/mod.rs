//! Class `ldap`: searches in a directory.
//!
//! In: a key. Out: values of attributes, put together as the flags say. Documents: op guide 5.9 (flags), 6.5 (recursion);
//! observed against a directory (order of values, words of errors). Never: writes to the directory; follows referrals.
//!
//! A map keeps its connection, shared by all that ask at once; one that broke is made anew with the next question.

pub(crate) mod schema;
pub(crate) mod search;
pub(crate) mod spec;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, SearchOptions, SearchResult};
use tokio::sync::Mutex;

use self::search::{Collection, Entry, Search};
use self::spec::Spec;
use super::answer::Answer;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::limits;
use crate::sys::clock;

/// A map of the class.
#[derive(Debug)]
pub(crate) struct Directory {
    spec: Spec,
    connection: Mutex<Kept>,
    /// Nobody answered the last time, which was told then.
    silent: AtomicBool,
}

/// The connection, and how the last try to make one failed.
#[derive(Debug, Default)]
struct Kept {
    connection: Option<Connection>,
    failed: Option<(Instant, String)>,
}

struct Connection {
    ldap: Ldap,
    /// The runtime that drives it: a handle is of no use in another one.
    runtime: tokio::runtime::Id,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

/// Why there is no answer.
enum Fault {
    /// Nobody could be asked.
    Connect(String),
    /// The question makes no sense.
    Filter,
    /// The server says so.
    Result(String),
}

impl Directory {
    /// Not connected yet.
    pub(crate) fn new(spec: Spec) -> Self {
        Self { spec, connection: Mutex::default(), silent: AtomicBool::new(false) }
    }

    /// Asks for a key; the second value is what is to be told. `optional` makes a directory that nobody answers for an empty one.
    pub(crate) async fn get(
        &self,
        name: &str,
        key: &[u8],
        arguments: &[Bytes],
        optional: bool,
    ) -> (Answer, Option<String>) {
        let told = match self.ask(key, arguments).await {
            Ok(Some(value)) if value.len() > limits::MAP_VALUE => {
                return (Answer::Temporary(format!("{name}: value too long")), None);
            }
            Ok(Some(value)) => return (Answer::Found(value), None),
            Ok(None) => return (Answer::NotFound(Exit::NOHOST), None),
            Err(Fault::Connect(_)) if optional => return (Answer::MISS, None),
            Err(Fault::Connect(why)) => {
                let why = if why.is_empty() { why } else { format!(": {why}") };
                let text = format!("ldap_init/ldap_bind failed to {} in map {name}{why}", self.spec.shown);
                let is_new = !self.silent.swap(true, Ordering::Relaxed);
                return (Answer::Temporary(text.clone()), is_new.then_some(text));
            }
            Err(Fault::Filter) => format!("Error in ldap_search in map {name}: Bad search filter"),
            Err(Fault::Result(why)) => {
                format!("Error getting LDAP results, map={name}, name={}: {why}", shown(key))
            }
        };
        (Answer::Temporary(told.clone()), Some(told))
    }

    async fn ask(&self, key: &[u8], arguments: &[Bytes]) -> Result<Option<Bytes>, Fault> {
        let mut collection = Collection::new(&self.spec, key, arguments);
        while let Some(search) = collection.next() {
            let entries = self.search(&search).await?;
            collection.take(&search, &entries);
        }
        Ok(collection.answer())
    }

    async fn search(&self, search: &Search) -> Result<Vec<Entry>, Fault> {
        // A connection that the server closed meanwhile shows only when it is used.
        for again in [true, false] {
            let mut ldap = self.connected().await?;
            let options =
                SearchOptions::new().deref(self.spec.aliases).sizelimit(self.spec.most).typesonly(self.spec.names_only);
            ldap.with_search_options(options).with_timeout(self.spec.time);
            let mut names: Vec<&str> = search.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
            if search.attributes.iter().any(|attribute| !attribute.classes.is_empty()) {
                names.push("objectClass");
            }
            if names.is_empty() {
                names.push("*");
            }
            match ldap.search(&search.base, search.scope, &search.filter, names).await {
                Ok(SearchResult(found, result)) if result.rc == 0 => {
                    let is_entry = |row: &ldap3::ResultEntry| !row.is_ref() && !row.is_intermediate();
                    return Ok(found.into_iter().filter(is_entry).filter_map(|row| search::entry(row.0)).collect());
                }
                Ok(SearchResult(_, result)) => return Err(Fault::Result(words(result.rc))),
                Err(LdapError::FilterParsing) => return Err(Fault::Filter),
                Err(LdapError::Timeout { .. }) => return Err(Fault::Result("Timed out".to_owned())),
                Err(error) => {
                    self.connection.lock().await.connection = None;
                    if !again {
                        return Err(Fault::Result(error.to_string()));
                    }
                }
            }
        }
        Err(Fault::Connect(String::new()))
    }

    /// The connection there is, or a new one, bound. Those who wait while a try fails have failed with it: each would wait
    /// for all before him otherwise.
    async fn connected(&self) -> Result<Ldap, Fault> {
        let runtime = tokio::runtime::Handle::current().id();
        let asked = clock::monotonic();
        let mut kept = self.connection.lock().await;
        if let Some((_, why)) = kept.failed.as_ref().filter(|(at, _)| *at >= asked) {
            return Err(Fault::Connect(why.clone()));
        }
        if let Some(connection) = kept.connection.as_mut()
            && connection.runtime == runtime
            && !connection.ldap.is_closed()
        {
            return Ok(connection.ldap.clone());
        }
        *kept = Kept::default();
        let mut failed = String::new();
        for server in &self.spec.servers {
            match self.connect(server).await {
                Ok(ldap) => {
                    self.silent.store(false, Ordering::Relaxed);
                    kept.connection = Some(Connection { ldap: ldap.clone(), runtime });
                    return Ok(ldap);
                }
                Err(why) => failed = why,
            }
        }
        kept.failed = Some((clock::monotonic(), failed.clone()));
        Err(Fault::Connect(failed))
    }

    /// Errors: why not, in words.
    async fn connect(&self, server: &str) -> Result<Ldap, String> {
        let connect = async {
            let settings = LdapConnSettings::new().set_conn_timeout(self.spec.connect);
            let (connection, mut ldap) = LdapConnAsync::with_settings(settings, server).await?;
            tokio::spawn(async move {
                // Its end is seen by whoever asks next.
                let _ = connection.drive().await;
            });
            if let Some((name, password)) = &self.spec.bind {
                ldap.simple_bind(name, password).await?.success()?;
            }
            Ok::<_, LdapError>(ldap)
        };
        match tokio::time::timeout(self.spec.connect, connect).await {
            Ok(Ok(ldap)) => Ok(ldap),
            Ok(Err(LdapError::Io { source })) => Err(crate::sys::safefile::error_text(&source)),
            Ok(Err(LdapError::LdapResult { result })) => Err(words(result.rc)),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("Connection timed out".to_owned()),
        }
    }
}

/// Words for a result code. Source: RFC 4511 appendix A.
fn words(code: u32) -> String {
    let text = match code {
        1 => "Operations error",
        2 => "Protocol error",
        3 => "Time limit exceeded",
        4 => "Size limit exceeded",
        8 => "Strong(er) authentication required",
        10 => "Referral",
        11 => "Administrative limit exceeded",
        13 => "Confidentiality required",
        17 => "Undefined attribute type",
        18 => "Inappropriate matching",
        32 => "No such object",
        33 => "Alias problem",
        34 => "Invalid DN syntax",
        48 => "Inappropriate authentication",
        49 => "Invalid credentials",
        50 => "Insufficient access",
        51 => "Server is busy",
        52 => "Server is unavailable",
        53 => "Server is unwilling to perform",
        other => return format!("error {other}"),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::maps::flags;
    use crate::sys::safefile::Judge;

    #[tokio::test]
    async fn who_waits_for_a_try_that_fails_makes_no_other() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let line = format!("-h 127.0.0.1 -p {} -k uid=%0 -d cn=x", listener.local_addr().unwrap().port());
        let (own, _) = flags::parse(line.as_bytes(), flags::LDAP);
        let spec = Spec::new("m", &own, &flags::parse(b"", flags::LDAP).0, &Judge::default()).unwrap();
        let directory = Directory::new(spec);
        let asked = async { tokio::join!(directory.get("m", b"a", &[], false), directory.get("m", b"b", &[], false)) };
        let closing = tokio::task::spawn_blocking(move || {
            drop(listener.accept().unwrap());
            listener
        });
        let (one, other) = asked.await;
        assert!(matches!((one.0, other.0), (Answer::Temporary(_), Answer::Temporary(_))));
        let listener = closing.await.unwrap();
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "a second connection");
    }
}
