//! Queue runs.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::engine::Engine;
use crate::config::Config;
use crate::queue::Entry;

/// Tries messages in order, as many at a time as the configuration allows; returns when all were tried.
pub(super) async fn run(engine: &Arc<Engine>, entries: Vec<Entry>) {
    let permits = Arc::new(Semaphore::new(at_a_time(&engine.site.config)));
    let mut stop = engine.stopping();
    for entry in entries {
        let permit = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            permit = Arc::clone(&permits).acquire_owned() => permit,
        };
        let worker = Arc::clone(engine);
        engine.spawn(async move {
            Box::pin(worker.try_queued(&entry.id)).await;
            drop(permit);
        });
    }
    let all = u32::try_from(at_a_time(&engine.site.config)).unwrap_or(u32::MAX);
    // Closed never: all permits back means that every message was tried.
    let _ = permits.acquire_many(all).await;
}

/// Messages tried at a time: `MaxQueueChildren`, else `MaxRunnersPerQueue` when it is more than one.
fn at_a_time(config: &Config) -> usize {
    let of = |n: i64| usize::try_from(n).ok().filter(|n| *n > 0);
    let runners = of(config.options.max_runners_per_queue).filter(|n| *n > 1);
    of(config.options.max_queue_children).or(runners).unwrap_or(RUNNERS).min(MOST_RUNNERS)
}

/// Number of the queue group of that name.
pub(super) fn group(config: &Config, name: &[u8]) -> Option<usize> {
    config.queue_groups.iter().position(|g| g.name.eq_ignore_ascii_case(name))
}

/// Messages tried at a time when nothing is configured.
const RUNNERS: usize = 20;
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
}
