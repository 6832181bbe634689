//! Listeners and the client side: what the program itself makes of the configuration.

use std::sync::Arc;

use super::causes::{Cause, Sides};
use crate::base::bytes::shown;
use crate::config::Config;
use crate::config::daemon_port::DaemonPort;
use crate::log::{Logger, Priority};
use crate::monitor::Port;
use crate::net::tls::Role;
use crate::site::Tls;
use crate::submit;

/// A listener, or the client side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Side {
    /// Name of the port, or `client`.
    pub(super) name: String,
    /// Port as the configuration has it; `None` for the client side.
    pub(super) port: Option<String>,
    /// Whether STARTTLS is offered, or used.
    pub(super) has_tls: bool,
    /// That in words.
    pub(super) text: String,
}

/// What came of building the contexts as the program builds them.
pub(super) struct Built {
    server: bool,
    client: bool,
    said: Vec<(Priority, String)>,
}

impl Built {
    /// Builds both.
    pub(super) fn try_with(config: &Arc<Config>) -> Self {
        let log = Logger::memory(LOUD);
        let port = Port::in_process(Arc::clone(config), log.clone());
        let tls = Tls::new(Arc::clone(config), port, log.clone());
        let server = listens(config) && !is_client_alone(config) && tls.server().is_some();
        Self { server, client: tls.client().is_some(), said: log.kept() }
    }

    /// What kept a side from being set up when no other cause says it.
    pub(super) fn unexplained(&self, config: &Config, causes: &mut Vec<Cause>) {
        for (role, sides) in [(Role::Server, Sides::SERVER), (Role::Client, Sides::CLIENT)] {
            let concerns = |c: &Cause| if role == Role::Server { c.sides.server } else { c.sides.client };
            let is_known = causes.iter().any(|c| concerns(c) && c.row.severity > crate::cmd::severity::Severity::Note);
            let start = format!("STARTTLS={}", role.word());
            let lines: Vec<&str> = self
                .said
                .iter()
                .filter_map(|(priority, line)| Some((priority, line.strip_prefix(&start)?)))
                .filter(|(priority, line)| **priority == Priority::Warning || line.starts_with(": "))
                .map(|(_, line)| line.trim_start_matches([',', ':', ' ']))
                .collect();
            if is_known || lines.is_empty() || !config.options.use_tls {
                continue;
            }
            let cause = Cause::new(
                "refused",
                sides,
                if role == Role::Server { "ServerCertFile" } else { "ClientCertFile" },
                lines.join("; "),
            );
            causes.push(cause.mend("mtail -e shows what the program says when it starts"));
        }
    }

    /// All sides.
    pub(super) fn sides(&self, config: &Config, causes: &[Cause]) -> Vec<Side> {
        let mut sides: Vec<Side> = Vec::new();
        if listens(config) {
            let default = [DaemonPort { name: "MTA".into(), ..DaemonPort::default() }];
            let ports = &config.options.daemon_port_options;
            let ports = if ports.is_empty() { &default[..] } else { ports };
            sides.extend(ports.iter().map(|port| self.listener(config, port)));
        }
        sides.push(self.client(config, causes));
        sides
    }

    fn listener(&self, config: &Config, port: &DaemonPort) -> Side {
        let has_tls = self.server && !port.modifiers.has(b'S');
        let asked = config.options.tls_srv_options.is_none_or(|letters| !letters.has(b'V'));
        let text = match (has_tls, port.modifiers.has(b's'), asked) {
            (false, ..) if is_client_alone(config) => {
                "STARTTLS is not offered; only the client side counts unless it is started with -bd".to_owned()
            }
            (false, ..) if !config.options.use_tls => "STARTTLS is not offered: UseTLS is False".to_owned(),
            (false, ..) if port.modifiers.has(b'S') => "STARTTLS is not offered: the port has modifier S".to_owned(),
            (false, ..) => "STARTTLS is not offered".to_owned(),
            (true, true, true) => "TLS from the first byte; clients are asked for a certificate".to_owned(),
            (true, true, false) => "TLS from the first byte; clients are not asked for a certificate".to_owned(),
            (true, false, true) => "STARTTLS is offered; clients are asked for a certificate".to_owned(),
            (true, false, false) => "STARTTLS is offered; clients are not asked for a certificate".to_owned(),
        };
        let decides = has_tls && config.ruleset(b"srv_features").is_some();
        let text = if decides { format!("{text}; srv_features may turn it off") } else { text };
        let usual = if config.options.use_msp { submit::PORT } else { 25 };
        let number = port.port.as_ref().map_or(usual.to_string(), |port| shown(port).to_string());
        Side { name: shown(&port.name).to_string(), port: Some(number), has_tls, text }
    }

    fn client(&self, config: &Config, causes: &[Cause]) -> Side {
        let is_of_pair = |c: &Cause| matches!(c.option, "ClientCertFile" | "ClientKeyFile");
        let hidden = causes.iter().any(|c| is_of_pair(c) && c.row.severity > crate::cmd::severity::Severity::Warning);
        let has_pair = !config.options.client_cert_file.is_empty() && !config.options.client_key_file.is_empty();
        let knows = config.options.ca_cert_file.is_some() || config.options.ca_cert_path.is_some();
        let text = match (self.client, has_pair && !hidden, knows) {
            (false, ..) if !config.options.use_tls => "STARTTLS is not used: UseTLS is False",
            (false, ..) => "STARTTLS is not used",
            (true, true, true) => "STARTTLS is used; our certificate is shown, servers are verified",
            (true, false, true) => "STARTTLS is used; no certificate is shown, servers are verified",
            (true, true, false) => {
                "STARTTLS is used; our certificate is shown, servers cannot be verified without CACertFile"
            }
            (true, false, false) => {
                "STARTTLS is used; no certificate is shown, servers cannot be verified without CACertFile"
            }
        };
        Side { name: "client".to_owned(), port: None, has_tls: self.client, text: text.to_owned() }
    }
}

/// Whether a daemon of this configuration has ports: the submission program only those that are named.
pub(super) fn listens(config: &Config) -> bool {
    !config.options.use_msp || !config.options.daemon_port_options.is_empty()
}

/// Whether it is a submission program whose listeners nobody set up for TLS. They are there with `-bd` alone.
pub(super) fn is_client_alone(config: &Config) -> bool {
    let options = &config.options;
    options.use_msp && options.server_cert_file.is_empty() && options.server_key_file.is_empty() && listens(config)
}

/// `LogLevel` at which every line about TLS is written.
const LOUD: i64 = 20;
