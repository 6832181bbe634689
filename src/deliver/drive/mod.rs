//! Performs deliveries.

mod agent;
mod attempt;
mod compat;
mod dane;
mod dead_letter;
mod file;
mod hooks;
pub mod host_status;
mod mx;
mod network;
mod pool;
mod program;
mod reports;
mod shown;
mod source;

pub use dead_letter::head as dead_letter_head;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;

use crate::base::exit::Exit;
use crate::config::Timeouts;
use crate::deliver::retry;
use crate::envelope::Envelope;
use crate::queue;
use crate::queue::drive::{Body, Held};
use crate::site::Site;
use crate::sys::clock;

/// Delivers messages of one site; keeps connections open between them. Cheap to clone; make one per process and site.
#[derive(Clone)]
pub struct Courier {
    site: Arc<Site>,
    pool: pool::Pool,
    timeouts: Arc<Timeouts>,
    hosts: host_status::HostFiles,
    /// Connections kept before a watcher's eyes from message to message; `None`: each message closes its own.
    shown: Option<shown::Slots>,
}

impl Courier {
    /// For a site.
    pub fn new(site: &Arc<Site>) -> Self {
        let timeouts = Arc::new(site.config.timeouts.clone());
        let hosts = host_status::HostFiles::new(&site.config);
        Self {
            site: Arc::clone(site),
            pool: pool::Pool::new(site.log.traffic().cloned()),
            timeouts,
            hosts,
            shown: None,
        }
    }

    /// For a run of messages that one caller watches; ended by [`Courier::close_shown`].
    pub fn watched(site: &Arc<Site>) -> Self {
        Self { shown: Some(shown::Slots::default()), ..Self::new(site) }
    }

    /// Ends connections that wait, before the eyes of whoever watches.
    pub async fn close_shown(&self, watch: &UnboundedSender<Bytes>) {
        if let Some(slots) = &self.shown {
            slots.close(watch).await;
        }
    }

    /// Tries every recipient that is still to be sent, and brings the queue up to date.
    ///
    /// What was delivered is marked in the queue file every `CheckpointInterval` recipients; any error keeps the entry.
    /// Dropped before it returns: the message stays in the queue as last marked.
    ///
    /// Connections that it opens are its own: those of queue runs go on to the next message.
    pub async fn attempt(&self, job: Job) -> Report {
        if job.is_from_queue {
            return Box::pin(attempt::attempt(self, job)).await;
        }
        let own = Self { pool: self.pool.of_somebody(), ..self.clone() };
        let report = Box::pin(attempt::attempt(&own, job)).await;
        own.pool.release().await;
        report
    }

    /// Keeps a message that a queue run has come to and that is quarantined: it becomes a file that runs pass over.
    ///
    /// Source: observed. Only a run that asks for quarantined messages (`-qQ`) delivers them.
    pub async fn keep_quarantined(&self, held: Held, mut envelope: Envelope) -> Result<(), queue::Error> {
        envelope.priority = retry::priority_of_rerun(&self.site.config, &envelope);
        envelope.last_try = Some(clock::now());
        self.site.spool()?.update(held, &envelope).await.map(drop)
    }

    /// The same for a session that waits for it: the session's connections wait for its next message until
    /// [`Courier::end_session`].
    pub async fn attempt_in(&self, session: u64, job: Job) -> Report {
        let own = Self { pool: self.pool.of(session), ..self.clone() };
        Box::pin(attempt::attempt(&own, job)).await
    }

    /// The session has no further messages.
    pub async fn end_session(&self, session: u64) {
        self.pool.of(session).release().await;
    }

    /// Says QUIT on connections that wait. Before the program ends, or when another site takes over.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A message to be tried now.
#[derive(Debug)]
pub struct Job {
    /// Its place in the queue, locked.
    pub held: Held,
    /// Its envelope.
    pub envelope: Envelope,
    /// Its body.
    pub body: Body,
    /// It was read from the queue, not accepted just now.
    pub is_from_queue: bool,
    /// It is tried because a queue run asked for it by id, sender, recipient or host, not just for all: mail that `F=%`
    /// holds goes, too.
    pub is_selected: bool,
    /// Who is told of failures.
    pub reports: Reports,
    /// Gets the lines that `-v` shows (`bob... Sent`, `>>> MAIL …`), without line ends; `None` for nobody.
    pub watch: Option<UnboundedSender<Bytes>>,
    /// The message that it is a part of, for one that was split.
    pub whole: Option<Whole>,
}

/// What a part of a message takes over from it.
#[derive(Debug)]
pub struct Whole {
    /// What was said until it was split, for reports.
    pub transcript: Vec<u8>,
    /// It came from the queue.
    pub is_from_queue: bool,
}

/// Who is told of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reports {
    /// The sender, by a DSN.
    ByMail,
    /// The sender, by a DSN; those whom nothing is wrong with wait for the next queue run.
    ByMailAlone,
    /// The caller, from the [`Report`] (`ErrorMode` p, q and w of a user at the command line).
    ToCaller,
}

/// What came of an attempt.
#[derive(Debug)]
pub struct Report {
    /// The envelope as it stands now.
    pub envelope: Envelope,
    /// Nothing is left in the queue.
    pub is_done: bool,
    /// Code for a calling program: of the last failure, else [`Exit::OK`].
    pub exit: Exit,
    /// Where reports went that could not be delivered: `MAILER-DAEMON... Saved message in /var/lib/dead.letter`.
    pub letters: Vec<String>,
}
