//! Everything loaded: configuration, compiled rules, maps, TLS contexts, resolver, queue. One `Arc`, replaced as a whole.
//!
//! In: a configuration and how the program was started. Out: a [`Site`]. Documents: op guide 2.5. Never: changes once
//! loaded; a reload builds another beside it.

pub mod connection;
mod resolver;
mod sasl;
mod space;
mod tls;

use std::sync::Arc;

use bytes::Bytes;
use jiff::tz::TimeZone;

use crate::config::values::TimeZoneSpec;
use crate::config::{Config, Diagnostic};
use crate::log::debug::Tracer;
use crate::log::statistics::{Event, Statistics};
use crate::log::traffic::Traffic;
use crate::log::{Id, Level, Logger, Priority};
use crate::macros::{Scope, names};
use crate::maps::{MapSet, Services};
use crate::monitor::Port;
use crate::net::dns::Resolver;
use crate::net::sasl::Authenticator;
use crate::policy::drive::Policy;
use crate::queue;
use crate::queue::drive::Spool;
use crate::rewrite::Program;
use crate::rewrite::drive::Rewriter;
use crate::route::drive::Router;
use crate::sys::safefile::Judge;
use crate::sys::{clock, user};

use connection::OwnNames;
pub use space::Shortage;
pub use tls::Tls;

/// Configuration and services of a running program.
pub struct Site {
    /// The configuration.
    pub config: Arc<Config>,
    /// The log.
    pub log: Logger,
    /// Maps by name.
    pub maps: MapSet,
    /// Runs rulesets.
    pub rewriter: Rewriter,
    /// What needs privileges is asked here.
    pub port: Port,
    /// Asks check rulesets.
    pub policy: Policy,
    /// Routes addresses.
    pub router: Router,
    /// Asks name servers.
    pub resolver: Resolver,
    /// Names of our own addresses.
    pub own_names: OwnNames,
    /// TLS contexts of both sides.
    pub tls: Tls,
    /// Authenticates clients, and us with servers.
    pub sasl: Authenticator,
    /// Counters of `StatusFile`.
    pub statistics: Statistics,
    /// The queue; `None` for modes that need none (`-bt`, `-bv`).
    pub queue: Option<Spool>,
    /// Zone of dates in headers and logs.
    pub zone: TimeZone,
    /// Our name (`$j`).
    pub host: Bytes,
    /// How the program was started.
    pub start: StartOptions,
}

impl Site {
    /// The queue. Errors: [`queue::Error::Closed`] when the mode has none.
    pub fn spool(&self) -> Result<&Spool, queue::Error> {
        self.queue.as_ref().ok_or(queue::Error::Closed)
    }

    /// How files that the configuration names are judged.
    pub fn judge(&self) -> Judge {
        judge(&self.config)
    }

    /// Counts something of a message for the mailer that its sender was resolved to.
    pub fn count_of_sender(&self, scope: &Scope, event: impl FnOnce(usize) -> Event) {
        let mailer = self.config.mailer(&scope.text(names::MAIL_MAILER));
        if let Some(mailer) = mailer.or_else(|| self.config.mailer(b"local")) {
            self.statistics.count(event(mailer.0));
        }
    }

    /// Adds what was counted to `StatusFile`. When that fails the log tells twice. Source: observed.
    pub fn post_statistics(&self) {
        let Err(text) = self.statistics.post() else { return };
        for _ in 0..2 {
            self.log.write(Level::STATISTICS, Priority::Info, Id::None, format!("poststats: {text}"));
        }
    }
}

/// How the program was started.
#[derive(Debug, Clone, Default)]
pub struct StartOptions {
    /// Letter of the mode (`-b`), for `${opMode}`.
    pub mode: u8,
    /// Name of the user who started it.
    pub user: Bytes,
    /// Number of that user.
    pub uid: u32,
    /// Group of that user.
    pub gid: u32,
    /// Syslog tag (`-L`).
    pub log_tag: Bytes,
    /// Whether the submission queue is worked on (`-Ac`).
    pub is_submission: bool,
    /// Whether recipients see every step (`-v`).
    pub is_verbose: bool,
    /// Whether aliases are left alone (`-n`).
    pub without_aliases: bool,
    /// Whether the mode needs no queue, so that its directories are not opened.
    pub without_queue: bool,
    /// Debug output (`-d`).
    pub tracer: Arc<Tracer>,
    /// The traffic log (`-X`).
    pub traffic: Option<Arc<Traffic>>,
}

/// What keeps a site from being loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A queue directory cannot be used.
    #[error(transparent)]
    Queue(#[from] queue::Error),
}

/// Opens what the configuration names. The diagnostics are those of maps; the site is complete in spite of them.
pub fn load(config: Config, start: StartOptions) -> Result<(Arc<Site>, Vec<Diagnostic>), Error> {
    let config = Arc::new(config);
    let zone = match &config.options.time_zone_spec {
        TimeZoneSpec::System => clock::system_zone(),
        TimeZoneSpec::Caller => clock::caller_zone(),
        TimeZoneSpec::Named(name) => clock::named_zone(name),
    };
    let host = config.scope().text(names::HOST);
    let resolver = Resolver::traced(resolver::settings(&config), Arc::clone(&start.tracer));
    let queue = if start.without_queue { None } else { Some(Spool::open(&config, zone.clone())?) };
    let tag = if start.log_tag.is_empty() { "sendmail".into() } else { String::from_utf8_lossy(&start.log_tag) };
    let log = Logger::syslog(&tag, zone.clone(), config.options.log_level)
        .with_tracer(Arc::clone(&start.tracer))
        .with_traffic(start.traffic.clone());
    if queue.is_some() {
        // Engines are gone; what the original says of having none.
        let text = "engine=(null), path=(null), ispre=1, pre=0, initialized=0";
        log.write(Level::ENGINE, Priority::Debug, Id::None, text);
    }
    let port = Port::in_process(Arc::clone(&config), log.clone());
    let services = Services { resolver: Some(resolver.clone()), port: Some(port.clone()), log: Some(log.clone()) };
    let (maps, diagnostics) = MapSet::open(&config, services);
    let rewriter = Rewriter::new(Arc::new(Program::compile(&config)), maps.clone())
        .traced(Arc::clone(&start.tracer), config.names.clone());
    let policy = Policy::new(&config, rewriter.clone());
    let mut router = Router::new(Arc::clone(&config), rewriter.clone(), port.clone(), log.clone());
    if start.without_aliases {
        router.leave_aliases();
    }
    let tls = Tls::new(Arc::clone(&config), port.clone(), log.clone());
    let sasl = sasl::authenticator(&config, &log);
    let statistics = if start.without_queue { Statistics::default() } else { statistics(&config) };
    let site = Site {
        config,
        log,
        maps,
        rewriter,
        port,
        policy,
        router,
        resolver,
        own_names: OwnNames::default(),
        tls,
        sasl,
        statistics,
        queue,
        zone,
        host,
        start,
    };
    Ok((Arc::new(site), diagnostics))
}

/// Counters for the file of `StatusFile`.
fn statistics(config: &Config) -> Statistics {
    config.status_file().map_or_else(Statistics::default, |path| Statistics::new(path, judge(config)))
}

/// How files that the configuration names are judged.
fn judge(config: &Config) -> Judge {
    let options = &config.options;
    Judge { uid: user::effective_uid(), dont_blame: options.dont_blame_sendmail.0, trusted_uid: options.trusted_user }
}
