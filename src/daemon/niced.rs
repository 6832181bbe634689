//! Queue runs of a lower priority (`NiceQueueRun`, `N=` of queue groups): runtimes whose threads are nicer than the daemon's.
//!
//! Mailers' programs that such a run starts inherit the value.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle};

use crate::sys::nice;

/// Runtimes by what is added to the nice value. Each begins when it is first asked for and lasts as long as the process.
#[derive(Debug, Default)]
pub(super) struct Niced(Mutex<BTreeMap<i32, Handle>>);

impl Niced {
    /// Where work of that nice value is spawned; `None` for the runtime that asks.
    pub(super) fn handle(&self, value: i32) -> io::Result<Option<Handle>> {
        if value <= 0 {
            return Ok(None);
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = known.get(&value) {
            return Ok(Some(handle.clone()));
        }
        // Not added to what a thread has: its maker may be one of these threads.
        let wanted = nice::own().saturating_add(value);
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .enable_all()
            .thread_name(format!("queue run {value}"))
            .on_thread_start(move || nice::set(wanted))
            .build()?;
        let handle = runtime.handle().clone();
        known.insert(value, handle.clone());
        // Dropping it would wait for its threads; the end of the process does not.
        std::mem::forget(runtime);
        Ok(Some(handle))
    }
}

const WORKERS: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_niced_run_leaves_other_threads_alone() {
        let niced = Niced::default();
        assert!(niced.handle(0).unwrap().is_none());
        let before = nice::own();
        let handle = niced.handle(3).unwrap().unwrap();
        let there = handle.block_on(async {
            let of_worker = tokio::spawn(async { nice::own() }).await.unwrap();
            let of_helper =
                tokio::spawn(async { tokio::task::spawn_blocking(nice::own).await.unwrap() }).await.unwrap();
            [of_worker, of_helper]
        });
        assert_eq!((there, nice::own()), ([(before + 3).min(19); 2], before));
    }
}
