//! Queue runs.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::engine::Engine;
use super::lanes::{Lanes, Task};
use crate::config::Config;
use crate::config::queue_group::QueueGroup;
use crate::envelope::QueueId;
use crate::log::Id;
use crate::queue::Entry;

/// Ends when every message that carries a part of it was tried.
pub(super) type Token = mpsc::Sender<()>;

/// Lanes as the configuration bounds them.
pub(super) fn lanes(config: &Config) -> Lanes<Token> {
    let most = at_a_time(config);
    let groups = groups(config).iter().map(|limits| limits.runners.unwrap_or(most)).collect();
    Lanes::new(most, PER_HOST.min(most), groups)
}

/// Begins to try messages in order, as many at a time as the configuration allows. The answer is how many are new, and what
/// ends when all of those were tried.
pub(super) fn start(engine: &Arc<Engine>, entries: Vec<Entry>) -> (usize, mpsc::Receiver<()>) {
    let (token, over) = mpsc::channel(1);
    let new = engine.lanes().add(entries, &token);
    dispatch(engine);
    (new, over)
}

/// Starts whatever may start now. In the main runtime only, where runtimes of other nice values may be made.
fn dispatch(engine: &Arc<Engine>) {
    if *engine.stopping().borrow() {
        engine.lanes().clear();
        return;
    }
    loop {
        // Not in the loop's head, where the lock would be held during the start.
        let next = engine.lanes().next();
        let Some(Task { id, host, group, token }) = next else { return };
        let nice = groups(&engine.site.config).get(group).map_or(0, |limits| limits.nice);
        let turn = Turn { engine: Arc::clone(engine), id, host, group, _token: token };
        let work = async move {
            Box::pin(turn.engine.try_queued(&turn.id)).await;
        };
        match engine.niced.handle(nice) {
            Ok(handle) => engine.spawn_on(&handle, work),
            Err(error) => {
                engine.site.log.system_error(Id::NoQueue, "root", format!("queue run: nice {nice}: {error}"));
                engine.spawn(work);
            }
        }
    }
}

/// A message being tried. Dropped, also by a panic: the next one may start.
struct Turn {
    engine: Arc<Engine>,
    id: QueueId,
    host: Bytes,
    group: usize,
    _token: Token,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.engine.lanes().finished(&self.id, &self.host, self.group);
        let engine = Arc::clone(&self.engine);
        // This may be a thread of a nice value of its own.
        self.engine.spawn(async move { dispatch(&engine) });
    }
}

/// Messages tried at a time: `MaxQueueChildren`, else `MaxRunnersPerQueue` when it is more than one.
fn at_a_time(config: &Config) -> usize {
    let of = |n: i64| usize::try_from(n).ok().filter(|n| *n > 0);
    let runners = of(config.options.max_runners_per_queue).filter(|n| *n > 1);
    of(config.options.max_queue_children).or(runners).unwrap_or(RUNNERS).min(MOST_RUNNERS)
}

/// What bounds the runs of a queue group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// `J=`, else `MaxQueueRunSize`; 0 for any.
    pub(super) jobs: usize,
    /// `R=0`: it is run only when it is asked for.
    pub(super) is_idle: bool,
    /// Messages tried at a time: `R=`, and one without `F=f`; `None` where nothing is said.
    pub(super) runners: Option<usize>,
    /// `N=`, else what `NiceQueueRun` was at that line; of the default group `NiceQueueRun`.
    pub(super) nice: i32,
}

/// The groups in their order; one without a `Q` line.
pub(super) fn groups(config: &Config) -> Vec<Limits> {
    let number = |n: i64| usize::try_from(n).unwrap_or(0);
    let jobs = number(config.options.max_queue_run_size);
    let nice = i32::try_from(config.options.nice_queue_run).unwrap_or(0);
    if config.queue_groups.is_empty() {
        return vec![Limits { jobs, is_idle: false, runners: None, nice }];
    }
    let of = |group: &QueueGroup| Limits {
        jobs: group.jobs.map_or(jobs, number),
        is_idle: group.runners == Some(0),
        runners: group.runners.map(|runners| if group.flags.has(b'f') { number(runners).max(1) } else { 1 }),
        nice: group.nice.unwrap_or(nice),
    };
    config.queue_groups.iter().map(of).collect()
}

/// Number of the queue group of that name.
pub(super) fn group(config: &Config, name: &[u8]) -> Option<usize> {
    config.queue_groups.iter().position(|g| g.name.eq_ignore_ascii_case(name))
}

/// Messages tried at a time when nothing is configured.
const RUNNERS: usize = 100;
/// Messages of one host tried at a time.
const PER_HOST: usize = 20;
/// Bound whatever is configured.
const MOST_RUNNERS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_bound_a_run() {
        let mut config = Config::default();
        assert_eq!(at_a_time(&config), RUNNERS);
        config.options.max_runners_per_queue = 5;
        assert_eq!(at_a_time(&config), 5);
        config.options.max_queue_children = 3;
        assert_eq!(at_a_time(&config), 3);
    }

    #[test]
    fn a_group_has_runners_and_a_nice_value_of_its_own() {
        let mut config = Config::default();
        config.options.nice_queue_run = 4;
        assert_eq!(groups(&config), [Limits { jobs: 0, is_idle: false, runners: None, nice: 4 }]);
        let mut group = QueueGroup::new(b"mqueue", Bytes::new());
        config.queue_groups.push(group.clone());
        (group.runners, group.nice) = (Some(3), Some(0));
        config.queue_groups.push(group.clone());
        group.flags.insert(b'f');
        group.nice = Some(7);
        config.queue_groups.push(group);
        let found: Vec<_> = groups(&config).iter().map(|limits| (limits.runners, limits.nice)).collect();
        // Several runners want flag f. Source: observed.
        assert_eq!(found, [(None, 4), (Some(1), 0), (Some(3), 7)]);
    }
}
