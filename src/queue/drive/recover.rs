//! What lies in the queue directories: lists for runs, and what a crash left behind.

use std::collections::HashSet;
use std::time::Duration;

use super::commit::step;
use super::{Directory, Spool};
use crate::base::time::UnixTime;
use crate::envelope::QueueId;
use crate::queue::{Entry, Error, Kind, order};

/// A file that belongs to no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Queue directory.
    pub directory: usize,
    /// File name.
    pub name: String,
    /// Whether it was removed; a body without control file is kept for an hour first.
    pub is_removed: bool,
}

/// All that was found.
pub type Leftovers = Vec<Leftover>;

impl Spool {
    /// [`Spool::scan`] for a thread that may block. A directory that cannot be read counts as empty.
    pub fn scan_now(&self) -> Vec<Entry> {
        (0..self.inner.directories.len()).flat_map(|directory| self.scan_directory(directory)).collect()
    }

    /// [`Spool::scan_now`] for one directory, in its order.
    pub fn scan_directory(&self, directory: usize) -> Vec<Entry> {
        let mut entries = self.names_of(directory);
        for entry in &mut entries {
            entry.summary = self.summary(entry);
        }
        entries
    }

    /// Control files of a directory by name alone, without reading them.
    pub fn names_of(&self, index: usize) -> Vec<Entry> {
        let Ok(directory) = self.directory(index) else { return Vec::new() };
        let group = self.group_of(index);
        let names = directory.place('q').names().unwrap_or_default();
        let entry = |(kind, id)| Entry { id, group, directory: index, kind, summary: None };
        names.iter().filter_map(|name| control_name(name)).map(entry).collect()
    }

    /// Looks for what a crash left: temporary control files, and bodies without control file. To be called at the start of
    /// a daemon.
    ///
    /// Temporaries that nobody has locked are removed with their bodies: a writer that stood between creating and locking
    /// fails then, and its client tries again. Other bodies without control file are removed when they are an hour old.
    pub async fn recover(&self) -> Result<Leftovers, Error> {
        self.run(|spool| {
            let mut found = Vec::new();
            let mut abandoned = HashSet::new();
            for (index, directory) in spool.inner.directories.iter().enumerate() {
                abandoned_controls(index, directory, &mut found, &mut abandoned)?;
            }
            // A body may lie in another directory than its control file: all of them are known before any body goes.
            let mut controls = HashSet::new();
            for directory in &spool.inner.directories {
                let names = step("read", "qf", directory.place('q').names())?;
                controls.extend(names.iter().filter_map(|name| owner(name, &["qf", "hf", "Qf", "tf"])));
            }
            for (index, directory) in spool.inner.directories.iter().enumerate() {
                lone_bodies(index, directory, &controls, &abandoned, &mut found)?;
            }
            Ok(found)
        })
        .await
    }

    fn summary(&self, entry: &Entry) -> Option<order::Summary> {
        let look = self.look(entry).ok()??;
        // One that its writer has only created says nothing.
        (!look.control.is_empty()).then(|| order::Summary::scan(&look.control, look.modified))
    }
}

/// Removes temporary control files that nobody has locked.
fn abandoned_controls(
    index: usize,
    directory: &Directory,
    found: &mut Leftovers,
    abandoned: &mut HashSet<QueueId>,
) -> Result<(), Error> {
    for name in step("read", "tf", directory.place('q').names())? {
        let Some(id) = owner(&name, &["tf"]) else { continue };
        let is_free = directory.open_file(&name, true).is_ok_and(|file| file.try_lock().is_ok());
        let is_removed = is_free && directory.remove(&name).is_ok();
        found.push(Leftover { directory: index, name, is_removed });
        if is_removed {
            abandoned.insert(id);
        }
    }
    Ok(())
}

/// Removes bodies that no control file in any directory belongs to.
fn lone_bodies(
    index: usize,
    directory: &Directory,
    controls: &HashSet<QueueId>,
    abandoned: &HashSet<QueueId>,
    found: &mut Leftovers,
) -> Result<(), Error> {
    for name in step("read", "df", directory.place('d').names())? {
        let Some(id) = owner(&name, &["df"]) else { continue };
        // Or one that came after the look at the control files.
        let has_control = || ['q', 'h', 'Q', 't'].iter().any(|l| directory.stat(&format!("{l}f{id}")).is_ok());
        if !controls.contains(&id) && !has_control() {
            let is_old = abandoned.contains(&id) || age(directory, &name, UnixTime(now())) > ORPHAN;
            let is_removed = is_old && directory.remove(&name).is_ok();
            found.push(Leftover { directory: index, name, is_removed });
        }
    }
    Ok(())
}

/// The id in a name that begins with one of these.
fn owner(name: &str, letters: &[&str]) -> Option<QueueId> {
    let id = letters.iter().find_map(|letters| name.strip_prefix(letters))?;
    QueueId::parse(id.as_bytes())
}

fn age(directory: &Directory, name: &str, now: UnixTime) -> Duration {
    directory.stat(name).map_or(Duration::ZERO, |s| now.since(UnixTime(s.st_mtime)))
}

/// Kind and id of a control file's name.
fn control_name(name: &str) -> Option<(Kind, QueueId)> {
    let (letters, id) = name.split_at_checked(2)?;
    let kind = match letters {
        "qf" => Kind::Normal,
        "hf" => Kind::Quarantined,
        "Qf" => Kind::Lost,
        _ => return None,
    };
    Some((kind, QueueId::parse(id.as_bytes())?))
}

/// Seconds since the epoch.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// How long a body without control file is kept.
const ORPHAN: Duration = Duration::from_secs(3600);
