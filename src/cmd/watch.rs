//! Delivery with somebody watching: what `-v` shows, as it happens.

use std::io::Write;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::sendmail::say;
use crate::base::bytes::shown;
use crate::deliver::drive::{self, Job, Report};
use crate::site::Site;

/// Tries a message; its lines go to `out` when `verbose`.
pub(super) fn attempt(site: &Arc<Site>, runtime: &Runtime, job: Job, verbose: bool, out: &mut dyn Write) -> Report {
    let (sender, mut lines) = mpsc::unbounded_channel();
    let job = Job { watch: verbose.then_some(sender), ..job };
    let report = runtime.block_on(async {
        let work = drive::attempt(site, job);
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                Some(line) = lines.recv() => say(out, &shown(&line).to_string()),
                report = &mut work => break report,
            }
        }
    });
    while let Ok(line) = lines.try_recv() {
        say(out, &shown(&line).to_string());
    }
    report
}
