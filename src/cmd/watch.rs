//! Delivery with somebody watching: what `-v` shows, as it happens.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::sendmail::say;
use crate::base::bytes::shown;
use crate::deliver::drive::{Courier, Job, Report};
use crate::envelope::Envelope;
use crate::queue::Error;
use crate::queue::drive::Held;
use crate::site::Site;

/// Delivers the messages of one caller.
pub(super) struct Watch<'a> {
    courier: Courier,
    runtime: &'a Runtime,
    verbose: bool,
}

impl<'a> Watch<'a> {
    /// Steps are shown when `verbose`.
    pub(super) fn new(site: &Arc<Site>, runtime: &'a Runtime, verbose: bool) -> Self {
        let courier = if verbose { Courier::watched(site) } else { Courier::new(site) };
        Self { courier, runtime, verbose }
    }

    /// Tries a message; its lines go to `out`.
    pub(super) fn attempt(&self, job: Job, out: &mut dyn Write) -> Report {
        let (sender, mut lines) = mpsc::unbounded_channel();
        let job = Job { watch: self.verbose.then_some(sender), ..job };
        self.runtime.block_on(shown_while(self.courier.attempt(job), &mut lines, out))
    }

    /// Keeps a quarantined message.
    pub(super) fn keep_quarantined(&self, held: Held, envelope: Envelope) -> Result<(), Error> {
        self.runtime.block_on(self.courier.keep_quarantined(held, envelope))
    }

    /// Ends connections that wait for another message.
    pub(super) fn close(self, out: &mut dyn Write) {
        let (sender, mut lines) = mpsc::unbounded_channel();
        let work = async {
            self.courier.close_shown(&sender).await;
            self.courier.close().await;
        };
        self.runtime.block_on(shown_while(work, &mut lines, out));
    }
}

/// Does the work; what is said meanwhile goes to `out`.
async fn shown_while<T>(work: impl Future<Output = T>, lines: &mut UnboundedReceiver<Bytes>, out: &mut dyn Write) -> T {
    tokio::pin!(work);
    let result = loop {
        tokio::select! {
            biased;
            Some(line) = lines.recv() => say(out, &shown(&line).to_string()),
            result = &mut work => break result,
        }
    };
    while let Ok(line) = lines.try_recv() {
        say(out, &shown(&line).to_string());
    }
    result
}
