//! Connections that wait for another message, and hosts that are known to be down.
//!
//! A connection is kept for a moment only ([`KEPT`], or `ConnectionCacheTimeout` when that is shorter): long enough for a
//! stream of mail to one next hop, short enough that no server notices.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::config::MailerId;
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

/// Idle connections of a process. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    idle: HashMap<Place, Vec<(Instant, Connection)>>,
    count: usize,
    down: HashMap<Place, (Instant, Trouble)>,
}

/// Hooks of a farewell: nobody listens.
struct Silent;

impl Hooks for Silent {}

impl Pool {
    /// A connection that is still alive.
    pub(super) async fn take(&self, place: &Place) -> Option<Connection> {
        loop {
            let mut connection = {
                let mut inner = self.lock();
                let (_, connection) = inner.idle.get_mut(place)?.pop()?;
                inner.count -= 1;
                connection
            };
            if connection.is_alive().await {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next message; says QUIT when there is no room or after a while without use.
    pub(super) async fn give(&self, place: Place, mut connection: Connection, limit: Duration) {
        let kept = limit.min(KEPT);
        if kept.is_zero() || self.lock().count >= MOST || !connection.is_alive().await {
            connection.quit(&mut Silent).await;
            return;
        }
        let since = clock::monotonic();
        {
            let mut inner = self.lock();
            inner.count += 1;
            inner.idle.entry(place.clone()).or_default().push((since, connection));
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
            inner.idle.drain().flat_map(|(_, list)| list).map(|(_, connection)| connection).collect()
        };
        for connection in all {
            connection.quit(&mut Silent).await;
        }
    }

    /// Why the host could not be reached a moment ago.
    pub(super) fn trouble(&self, place: &Place, limit: Duration) -> Option<Trouble> {
        let inner = self.lock();
        let (at, trouble) = inner.down.get(place)?;
        (clock::monotonic().duration_since(*at) < limit.min(DOWN)).then(|| trouble.clone())
    }

    /// Remembers that a host could not be reached, or that it was.
    pub(super) fn note(&self, place: &Place, trouble: Option<&Trouble>) {
        let mut inner = self.lock();
        match trouble {
            Some(trouble) => {
                if inner.down.len() >= MOST_DOWN {
                    inner.down.clear();
                }
                inner.down.insert(place.clone(), (clock::monotonic(), trouble.clone()));
            }
            None if inner.down.is_empty() => {}
            None => {
                inner.down.remove(place);
            }
        }
    }

    async fn retire(&self, place: &Place, since: Instant) {
        let connection = {
            let mut inner = self.lock();
            let Some(list) = inner.idle.get_mut(place) else { return };
            let Some(at) = list.iter().position(|(kept, _)| *kept == since) else { return };
            let (_, connection) = list.remove(at);
            if list.is_empty() {
                inner.idle.remove(place);
            }
            inner.count -= 1;
            connection
        };
        connection.quit(&mut Silent).await;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Longest time without use.
const KEPT: Duration = Duration::from_millis(300);
/// Most idle connections.
const MOST: usize = 200;
/// Longest time for which a host counts as down without another try.
const DOWN: Duration = Duration::from_secs(5);
/// Most hosts remembered as down.
const MOST_DOWN: usize = 10_000;
