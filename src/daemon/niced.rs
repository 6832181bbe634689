//! Queue runs of a lower priority (`NiceQueueRun`, `N=` of queue groups): runtimes whose threads are nicer than the daemon's.
//!
//! Mailers' programs that such a run starts inherit the value.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle};

use crate::sys::nice;

/// Runtimes by what is added to the nice value. Each begins when it is first asked for and lasts as long as the process.
#[derive(Debug)]
pub(super) struct Niced {
    /// Where everything else runs.
    main: Handle,
    /// The nice value there.
    base: i32,
    known: Mutex<BTreeMap<i32, Handle>>,
}

impl Niced {
    /// Runtimes beside this one, whose threads have the nice value of the thread that calls.
    pub(super) fn new(main: Handle) -> Self {
        Self { main, base: nice::own(), known: Mutex::default() }
    }

    /// Where work of no nice value of its own is spawned.
    pub(super) fn main(&self) -> &Handle {
        &self.main
    }

    /// Where work of that nice value is spawned.
    ///
    /// Not from within work of another value: threads begin with the value of the one that makes them, and only root gets
    /// back from there.
    pub(super) fn handle(&self, value: i32) -> io::Result<Handle> {
        if value <= 0 {
            return Ok(self.main.clone());
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = known.get(&value) {
            return Ok(handle.clone());
        }
        // Not added to what a thread has: its maker may be one of these threads.
        let wanted = self.base.saturating_add(value);
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
        Ok(handle)
    }
}

const WORKERS: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    /// The nice value of the thread that does the work, and of one that it has blocking work done by.
    async fn values() -> [i32; 2] {
        [nice::own(), tokio::task::spawn_blocking(nice::own).await.unwrap()]
    }

    #[test]
    fn a_niced_run_leaves_other_threads_alone() {
        let before = nice::own();
        assert!(before < 5, "to be run with a nice value below 5, not {before}");
        let main = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let niced = std::sync::Arc::new(Niced::new(main.handle().clone()));
        let of = |value: i32| niced.handle(value).unwrap();
        let there = main.block_on(async {
            [
                of(10).spawn(values()).await.unwrap(),
                of(3).spawn(values()).await.unwrap(),
                of(0).spawn(values()).await.unwrap(),
            ]
        });
        assert_eq!(there, [[before + 10; 2], [before + 3; 2], [before; 2]]);
        // Asked for by a thread that is nice already: nothing is added twice, and the main runtime stays what it is.
        let asks = std::sync::Arc::clone(&niced);
        let asked = of(10).spawn(async move { [asks.handle(12).unwrap(), asks.handle(0).unwrap()] });
        let [more, none] = main.block_on(asked).unwrap();
        let there = main.block_on(async { [more.spawn(values()).await.unwrap(), none.spawn(values()).await.unwrap()] });
        assert_eq!((there, nice::own()), ([[before + 12; 2], [before; 2]], before));
    }
}
