//! What a session is given when it starts.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::letters::Modifiers;
use crate::config::Config;
use crate::config::values::DeliveryMode;

/// What all sessions of a listener share.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The configuration.
    pub config: Arc<Config>,
    /// Our name (`$j`).
    pub host: Bytes,
    /// `${daemon_name}`; empty on standard input.
    pub daemon: Bytes,
    /// Modifiers of the port.
    pub modifiers: Modifiers,
    /// Names of the filters that see what comes in here, in order.
    pub filters: Vec<Bytes>,
    /// When delivery happens for mail from here.
    pub delivery_mode: DeliveryMode,
    /// Text of the help file; `None` when it cannot be read.
    pub help: Option<Bytes>,
    /// Whether TLS begins with the first byte (`M=s`).
    pub is_smtps: bool,
    /// On standard input and output (`-bs`): no `check_relay`, no pause.
    pub is_stdio: bool,
}

/// Who is at the other end.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// Host name, or the address in brackets (`${client_name}`).
    pub name: Bytes,
    /// Address as `${client_addr}` shows it.
    pub address: Bytes,
    /// Address as the second argument of `check_relay`; the same, or `0` on standard input.
    pub described: Bytes,
}
