//! Connections that wait for another message, and hosts that are known to be down.
//!
//! A connection belongs to whoever opened it: an SMTP session that delivers what it takes while the client waits, one
//! message with its reports, or the queue runs together. Its owner may use it again; others only while many messages go to
//! that host, so that a stream of mail needs few connections and single messages look as those of a process of their own.
//! Source: op guide 5.6 (ConnectionCacheSize, ConnectionCacheTimeout).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::config::MailerId;
use crate::log::traffic::{Sign, Traffic};
use crate::smtp::client::Trouble;
use crate::smtp::client::drive::{Connection, Hooks};
use crate::sys::clock;

/// Where a connection goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// Mailer: another one may speak differently.
    pub(super) mailer: MailerId,
    /// Host as asked for.
    pub(super) host: Bytes,
    /// Port.
    pub(super) port: u16,
}

/// Whose connections those are.
pub(super) type Owner = u64;

/// Idle connections of a process, as one owner sees them. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Pool {
    inner: Arc<Mutex<Inner>>,
    owner: Owner,
    traffic: Option<Arc<Traffic>>,
}

#[derive(Default)]
struct Inner {
    idle: HashMap<Place, Vec<Idle>>,
    count: usize,
    down: HashMap<(Place, Owner), (Instant, Trouble)>,
    uses: HashMap<Place, Uses>,
    last_owner: Owner,
}

/// A connection that waits.
struct Idle {
    since: Instant,
    owner: Owner,
    connection: Connection,
}

/// Messages to a host within one span of time, and within the one before.
struct Uses {
    begin: Instant,
    now: u32,
    before: u32,
}

/// Hooks of a farewell: nobody listens but the traffic log.
struct Farewell(Option<Arc<Traffic>>);

impl Hooks for Farewell {
    fn sent(&mut self, line: &[u8]) {
        if let Some(traffic) = &self.0 {
            traffic.lines(Sign::Out, line);
        }
    }

    fn received(&mut self, line: &[u8]) {
        if let Some(traffic) = &self.0 {
            traffic.lines(Sign::In, line);
        }
    }
}

impl Pool {
    /// The same connections for another owner.
    pub(super) fn of(&self, owner: Owner) -> Self {
        Self { inner: Arc::clone(&self.inner), owner, traffic: self.traffic.clone() }
    }

    /// The same connections for an owner that never was.
    pub(super) fn of_somebody(&self) -> Self {
        let owner = {
            let mut inner = self.lock();
            inner.last_owner += 1;
            inner.last_owner
        };
        self.of(owner | PRIVATE)
    }

    /// An empty pool whose farewells a traffic log sees.
    pub(super) fn new(traffic: Option<Arc<Traffic>>) -> Self {
        Self { traffic, ..Self::default() }
    }

    fn farewell(&self) -> Farewell {
        Farewell(self.traffic.clone())
    }

    /// A connection that is still alive.
    pub(super) async fn take(&self, place: &Place) -> Option<Connection> {
        let is_busy = self.lock().uses(place);
        loop {
            let mut connection = {
                let mut inner = self.lock();
                let list = inner.idle.get_mut(place)?;
                let own = list.iter().rposition(|idle| idle.owner == self.owner);
                let at = own.or_else(|| list.len().checked_sub(1).filter(|_| is_busy))?;
                let idle = list.swap_remove(at);
                inner.count -= 1;
                idle.connection
            };
            if connection.is_alive().await {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next message; says QUIT when there is no room or after a while without use.
    pub(super) async fn give(&self, place: Place, mut connection: Connection, limit: Duration) {
        let kept = if self.owner == SHARED { limit.min(KEPT) } else { limit };
        if kept.is_zero() || self.lock().count >= MOST || !connection.is_alive().await {
            connection.quit(&mut self.farewell()).await;
            return;
        }
        let since = clock::monotonic();
        self.put(place, Idle { since, owner: self.owner, connection }, kept);
    }

    /// The owner needs its connections no more: those to hosts that many messages go to wait for others.
    pub(super) async fn release(&self) {
        let mut over = Vec::new();
        let mut left = Vec::new();
        {
            let mut inner = self.lock();
            let mut idle = std::mem::take(&mut inner.idle);
            for (place, list) in &mut idle {
                let is_busy = inner.is_busy(place);
                for found in list.extract_if(.., |idle| idle.owner == self.owner) {
                    if is_busy { left.push((place.clone(), found)) } else { over.push(found.connection) }
                }
            }
            idle.retain(|_, list| !list.is_empty());
            inner.idle = idle;
            inner.count -= over.len() + left.len();
            inner.down.retain(|(_, owner), _| *owner != self.owner);
        }
        for (place, idle) in left {
            let since = clock::monotonic();
            self.put(place, Idle { since, owner: SHARED, ..idle }, KEPT);
        }
        for connection in over {
            connection.quit(&mut self.farewell()).await;
        }
    }

    fn put(&self, place: Place, idle: Idle, kept: Duration) {
        let since = idle.since;
        {
            let mut inner = self.lock();
            inner.count += 1;
            inner.idle.entry(place.clone()).or_default().push(idle);
        }
        let pool = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(kept).await;
            pool.retire(&place, since).await;
        });
    }

    /// Ends every connection.
    pub(super) async fn close(&self) {
        let all: Vec<Connection> = {
            let mut inner = self.lock();
            inner.count = 0;
            inner.idle.drain().flat_map(|(_, list)| list).map(|idle| idle.connection).collect()
        };
        for connection in all {
            connection.quit(&mut self.farewell()).await;
        }
    }

    /// Why the host could not be reached a moment ago.
    pub(super) fn trouble(&self, place: &Place, limit: Duration) -> Option<Trouble> {
        let inner = self.lock();
        let owners = [Some(self.owner), inner.is_busy(place).then_some(SHARED)];
        let mut known = owners.into_iter().flatten().filter_map(|owner| inner.down.get(&(place.clone(), owner)));
        let now = clock::monotonic();
        known.find(|(at, _)| now.duration_since(*at) < limit.min(DOWN)).map(|(_, trouble)| trouble.clone())
    }

    /// Remembers that a host could not be reached, or that it was.
    pub(super) fn note(&self, place: &Place, trouble: Option<&Trouble>) {
        let mut inner = self.lock();
        for owner in [self.owner, SHARED] {
            match trouble {
                Some(trouble) => {
                    if inner.down.len() >= MOST_DOWN {
                        inner.down.clear();
                    }
                    inner.down.insert((place.clone(), owner), (clock::monotonic(), trouble.clone()));
                }
                None if inner.down.is_empty() => {}
                None => {
                    inner.down.remove(&(place.clone(), owner));
                }
            }
        }
    }

    async fn retire(&self, place: &Place, since: Instant) {
        let connection = {
            let mut inner = self.lock();
            let Some(list) = inner.idle.get_mut(place) else { return };
            let Some(at) = list.iter().position(|idle| idle.since == since) else { return };
            let idle = list.remove(at);
            if list.is_empty() {
                inner.idle.remove(place);
            }
            inner.count -= 1;
            idle.connection
        };
        connection.quit(&mut self.farewell()).await;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Counts a message to a host; true when many go there.
    fn uses(&mut self, place: &Place) -> bool {
        let now = clock::monotonic();
        if self.uses.len() >= MOST_DOWN {
            self.uses.retain(|_, uses| now.duration_since(uses.begin) < SPAN);
        }
        let uses = self.uses.entry(place.clone()).or_insert(Uses { begin: now, now: 0, before: 0 });
        uses.turn(now);
        uses.now = uses.now.saturating_add(1);
        uses.is_many()
    }

    fn is_busy(&self, place: &Place) -> bool {
        let now = clock::monotonic();
        self.uses.get(place).is_some_and(|uses| now.duration_since(uses.begin) < SPAN * 2 && uses.is_many())
    }
}

impl Uses {
    /// Begins another span when the last is over.
    fn turn(&mut self, now: Instant) {
        let age = now.duration_since(self.begin);
        if age >= SPAN {
            let is_next = age < SPAN * 2;
            *self = Self { begin: now, now: 0, before: if is_next { self.now } else { 0 } };
        }
    }

    fn is_many(&self) -> bool {
        self.now.max(self.before) >= MANY
    }
}

/// Owner of what everybody may use: queue runs.
const SHARED: Owner = 0;
/// Owners that the pool names itself.
const PRIVATE: Owner = 1 << 63;
/// Messages within [`SPAN`] that make a stream.
const MANY: u32 = 10;
/// Span of time in which messages to a host are counted.
const SPAN: Duration = Duration::from_secs(1);
/// Longest time without use, for connections that nobody owns.
const KEPT: Duration = Duration::from_millis(300);
/// Most idle connections.
const MOST: usize = 200;
/// Longest time for which a host counts as down without another try.
const DOWN: Duration = Duration::from_secs(5);
/// Most hosts remembered as down.
const MOST_DOWN: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { mailer: MailerId(1), host: Bytes::from_static(b"mx.test."), port: 25 }
    }

    #[test]
    fn trouble_is_its_owner_s_until_many_messages_go_there() {
        let pool = Pool::default();
        let (a, b) = (pool.of_somebody(), pool.of_somebody());
        let limit = Duration::from_secs(60);
        a.note(&place(), Some(&Trouble::NoHost));
        assert_eq!(a.trouble(&place(), limit), Some(Trouble::NoHost));
        assert_eq!(b.trouble(&place(), limit), None);
        for _ in 0..MANY {
            b.lock().uses(&place());
        }
        assert_eq!(b.trouble(&place(), limit), Some(Trouble::NoHost));
        a.note(&place(), None);
        assert_eq!(b.trouble(&place(), limit), None);
    }

    #[test]
    fn a_stream_is_one_by_its_last_two_spans() {
        let begin = clock::monotonic();
        let mut uses = Uses { begin, now: MANY, before: 0 };
        assert!(uses.is_many());
        uses.turn(begin + SPAN);
        assert!(uses.is_many());
        uses.turn(begin + SPAN * 2);
        assert!(!uses.is_many());
    }
}
