//! All maps of a configuration.

use std::sync::Arc;

use bytes::Bytes;

use super::answer::Answer;
use crate::config::{Config, Diagnostic};
use crate::macros::Scope;

/// Which map of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MapId(pub usize);

/// What maps ask of the rest of the program.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Services {}

/// Every declared map, opened. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct MapSet {
    maps: Arc<[Bytes]>,
}

impl MapSet {
    /// Opens the maps of a configuration. Complaints are in the original's words, with the line of the `K` line.
    pub fn open(config: &Config, _services: Services) -> (Self, Vec<Diagnostic>) {
        (Self { maps: config.maps.iter().map(|m| m.name.clone()).collect() }, Vec::new())
    }

    /// The map of that name, letter case aside.
    pub fn find(&self, name: &[u8]) -> Option<MapId> {
        self.maps.iter().position(|m| m.eq_ignore_ascii_case(name)).map(MapId)
    }

    /// Names in the order of declaration.
    pub fn names(&self) -> impl Iterator<Item = &Bytes> {
        self.maps.iter()
    }

    /// Looks `key` up where that needs no waiting; `None` when it does ([`Self::lookup`] then).
    ///
    /// `args` are those of `$@`: `%1` and on in the value; `%0` is the key. A `macro` map sets its macro in `scope`.
    pub fn lookup_now(&self, _id: MapId, _key: &[u8], _args: &[Bytes], _scope: &mut Scope) -> Option<Answer> {
        Some(Answer::Temporary("maps are not open".into()))
    }

    /// Looks `key` up. Being dropped at an await loses only the answer.
    pub async fn lookup(&self, id: MapId, key: &[u8], args: &[Bytes], scope: &mut Scope) -> Answer {
        match self.lookup_now(id, key, args, scope) {
            Some(answer) => answer,
            None => Answer::Temporary("maps are not open".into()),
        }
    }
}
