//! SIGUSR1: what the daemon is doing, to the log.

use std::ffi::OsStr;

use super::engine::Engine;
use crate::base::bytes::shown;
use crate::log::{Id, Priority};
use crate::sys::file;

/// Writes the state, priority debug, whatever `LogLevel` is. Source: observed (frame and first lines).
pub(super) fn log(engine: &Engine) {
    for line in lines(engine) {
        engine.site.log.write_always(Priority::Debug, Id::NoQueue, line);
    }
}

fn lines(engine: &Engine) -> Vec<String> {
    let clients = engine.tasks.clients();
    let (running, waiting) = engine.lanes().counts();
    let mut lines = vec![
        format!("--- dumping state on user signal: $j = {} ---", shown(&engine.site.host)),
        format!("CurChildren = {}", clients.len()),
        engine.tasks.title(),
    ];
    lines.extend(clients.iter().map(|client| format!("SMTP session of {client}")));
    lines.push(format!("queue runs: {running} messages being tried, {waiting} waiting"));
    lines.push("--- open file descriptors: ---".to_owned());
    lines.extend(descriptors());
    lines.push("--- end of state dump ---".to_owned());
    lines
}

/// `  3: socket:[1234]`, in their order.
fn descriptors() -> Vec<String> {
    let Ok(directory) = file::Dir::open("/proc/self/fd".as_ref()) else { return Vec::new() };
    let name = |name: &OsStr| name.to_str()?.parse::<u32>().ok();
    let mut numbers: Vec<u32> = directory.entries().unwrap_or_default().iter().filter_map(|n| name(n)).collect();
    numbers.sort_unstable();
    let shown = |number: u32| {
        let target = directory.target(number.to_string()).ok()?;
        Some(format!("{number:>3}: {}", target.to_string_lossy()))
    };
    numbers.into_iter().filter_map(shown).collect()
}
