//! Performs deliveries.

mod agent;
mod attempt;
mod compat;
mod file;
mod mx;
mod network;
mod program;
mod reports;
mod source;

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;

pub use attempt::attempt;

use crate::base::exit::Exit;
use crate::envelope::Envelope;
use crate::queue::drive::{Body, Held};

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
    /// Who is told of failures.
    pub reports: Reports,
    /// Gets the lines that `-v` shows (`bob... Sent`, `>>> MAIL …`), without line ends; `None` for nobody.
    pub watch: Option<UnboundedSender<Bytes>>,
}

/// Who is told of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reports {
    /// The sender, by a DSN.
    ByMail,
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
    /// What a caller shows its user: `bob... User unknown`.
    pub messages: Vec<String>,
}
