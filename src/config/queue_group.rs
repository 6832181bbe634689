//! `Q` lines.

use std::time::Duration;

use bytes::Bytes;

use super::mailer::{Equates, line_name};
use super::reader::{DEFAULT_GROUP, Reader};
use crate::base::bytes::leading_number;
use crate::base::letters::LetterSet;
use crate::base::limits;

/// A queue group.
#[derive(Debug, Clone)]
pub struct QueueGroup {
    /// Name; `mqueue` for the default one.
    pub name: Bytes,
    /// `P=`: directory, may end in `*`.
    pub path: Bytes,
    /// `F=`.
    pub flags: LetterSet,
    /// `N=`; `None` for what `NiceQueueRun` says.
    pub nice: Option<i32>,
    /// `I=`.
    pub interval: Option<Duration>,
    /// `R=`.
    pub runners: Option<i64>,
    /// `J=`.
    pub jobs: Option<i64>,
    /// `r=`: recipients per envelope; 0 for any.
    pub recipients: i64,
}

impl Reader<'_> {
    /// `Qname, P=path, F=flags, …`.
    pub(super) fn queue_line(&mut self, text: &[u8]) {
        let text = self.expand(text);
        let (name, rest) = line_name(&text);
        if name.is_empty() {
            return self.error("name required for queue".to_owned());
        }
        let directory = self.config.options.queue_directory.clone().unwrap_or_default();
        let shown = String::from_utf8_lossy(name).into_owned();
        let known = self.config.queue_groups.iter().find(|g| g.name.as_ref() == name);
        // An option set below does not reach it. Source: observed.
        let nice = i32::try_from(self.config.options.nice_queue_run).unwrap_or(0);
        let new = || QueueGroup { nice: Some(nice), ..QueueGroup::new(name, directory) };
        let mut group = known.cloned().unwrap_or_else(new);
        let mut equates = Equates(rest);
        while let Some(equate) = equates.next_equate() {
            let Ok((letter, value)) = equate else {
                return self.error(format!("queue {shown}: `=' expected"));
            };
            let number = leading_number(&value);
            match letter {
                b'P' if value.is_empty() => self.error(format!("queue {shown}: empty path name")),
                b'P' => group.path = value.into(),
                b'F' => group.flags = LetterSet::from_bytes(&value),
                b'N' => group.nice = Some(i32::try_from(number.max(0)).unwrap_or(0)),
                b'I' => group.interval = self.interval(&value, b'm'),
                b'R' => group.runners = Some(number),
                b'J' => group.jobs = Some(number),
                b'r' => group.recipients = number.max(0),
                other => self.error(format!("Q{shown}: unknown queue equate {}=", char::from(other))),
            }
        }
        // One that says where it is needs no other. Source: observed.
        if group.path.is_empty() {
            return self.error("QueueDir must be defined before queue groups".to_owned());
        }
        if let Some(runners) = group.runners.filter(|runners| *runners > 1 && !group.flags.has(b'f')) {
            self.note(format!(
                "Warning: Q={shown}: R={runners}: multiple queue runners specified\n\tbut flag 'f' is not set"
            ));
        }
        let groups = &mut self.config.queue_groups;
        // The default group is there, declared or not.
        let declared = groups.iter().filter(|g| g.name.as_ref() != DEFAULT_GROUP).count() + 1;
        match groups.iter_mut().find(|g| g.name.as_ref() == name) {
            Some(slot) => *slot = group,
            None if name == DEFAULT_GROUP || declared < limits::QUEUE_GROUPS => groups.push(group),
            None => self.error(format!("too many queue groups defined ({} max)", limits::QUEUE_GROUPS)),
        }
    }
}

impl QueueGroup {
    /// A group with nothing but a name and a directory.
    pub fn new(name: &[u8], path: Bytes) -> Self {
        Self {
            name: Bytes::copy_from_slice(name),
            path,
            flags: LetterSet::EMPTY,
            nice: None,
            interval: None,
            runners: None,
            jobs: None,
            recipients: 0,
        }
    }
}
