//! Connections of deliveries that somebody watches: as many as `ConnectionCacheSize` says, each step shown.
//!
//! Source: observed (`-v` of messages and queue runs): a connection that makes room is the one used longest ago; at the end
//! the places are emptied from the last to the first.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedSender;

use super::pool::Place;
use crate::base::bytes::shown;
use crate::base::time::UnixTime;
use crate::smtp::client::drive::{Connection, Hooks};
use crate::sys::clock;

/// Open connections that wait in front of a watcher. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Slots(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    slots: Vec<Slot>,
}

struct Slot {
    /// `None` for a connection that ended by itself: its place is kept until another one needs it.
    kept: Option<(Place, Option<Connection>)>,
    /// Second of its last use.
    used: UnixTime,
}

impl Slots {
    /// The connection to a place, its server asked whether it is well; one that refused MAIL is asked later. Source: observed.
    pub(super) async fn take(&self, place: &Place, hooks: &mut impl Hooks) -> Option<Connection> {
        let mut connection = {
            let mut inner = self.0.lock().await;
            let slot = inner.slots.iter_mut().find(|s| s.kept.as_ref().is_some_and(|(at, _)| at == place))?;
            let (_, connection) = slot.kept.take()?;
            connection?
        };
        (connection.has_refused_mail() || connection.reset(hooks).await).then_some(connection)
    }

    /// Makes room for one more of at most `most`; gives the one that has to go, first one that is not open any more.
    pub(super) async fn make_room(&self, most: usize) -> Option<(Bytes, Option<Connection>)> {
        let mut inner = self.0.lock().await;
        let ended = inner.slots.iter_mut().find(|slot| matches!(slot.kept, Some((_, None))));
        if let Some((place, _)) = ended.and_then(|slot| slot.kept.take()) {
            return Some((place.host, None));
        }
        if inner.slots.len() < most || inner.slots.iter().any(|slot| slot.kept.is_none()) {
            return None;
        }
        // Of several of one second it is the last.
        let oldest = inner.slots.iter_mut().rev().min_by_key(|slot| slot.used)?;
        oldest.kept.take().map(|(place, connection)| (place.host, connection))
    }

    /// Keeps a connection, or the place of one that has ended.
    pub(super) async fn give(&self, place: Place, connection: Option<Connection>) {
        let mut inner = self.0.lock().await;
        let slot = Slot { kept: Some((place, connection)), used: clock::now() };
        match inner.slots.iter_mut().find(|slot| slot.kept.is_none()) {
            Some(free) => *free = slot,
            None => inner.slots.push(slot),
        }
    }

    /// Ends all of them before the eyes of the watcher.
    pub(super) async fn close(&self, watch: &UnboundedSender<Bytes>) {
        let slots = std::mem::take(&mut self.0.lock().await.slots);
        for (place, connection) in slots.into_iter().rev().filter_map(|slot| slot.kept) {
            // Nobody watching any more is no reason to stop.
            let _ = watch.send(closing(&place.host).into());
            if let Some(connection) = connection {
                connection.quit(&mut Watcher(watch.clone())).await;
            }
        }
    }
}

/// `Closing connection to mx1.remote.test.`: the host as it was asked for.
pub(super) fn closing(host: &[u8]) -> String {
    format!("Closing connection to {}", shown(host))
}

/// Shows a dialogue that belongs to no message.
pub(super) struct Watcher(pub(super) UnboundedSender<Bytes>);

impl Hooks for Watcher {
    fn sent(&mut self, line: &[u8]) {
        let mut text = BytesMut::from(&b">>> "[..]);
        text.extend_from_slice(line);
        let _ = self.0.send(text.freeze());
    }

    fn received(&mut self, line: &[u8]) {
        let _ = self.0.send(Bytes::copy_from_slice(line));
    }
}
