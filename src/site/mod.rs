//! Everything loaded, in one value that all tasks share.
//!
//! In: a configuration and how the program was started. Out: a [`Site`]. Documents: ARCHITECTURE §2. Never: changes once
//! built; a reload builds another beside it.

use std::sync::Arc;

use bytes::Bytes;
use jiff::tz::TimeZone;

use crate::config::Config;
use crate::config::values::TimeZoneSpec;
use crate::macros::names;
use crate::route::drive::Router;

/// Configuration and services of a running program.
pub struct Site {
    /// The configuration.
    pub config: Arc<Config>,
    /// Routes addresses.
    pub router: Router,
    /// Zone of dates in headers and logs.
    pub zone: TimeZone,
    /// Our name (`$j`).
    pub host: Bytes,
    /// How the program was started.
    pub start: StartOptions,
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
    /// Whether another process may own the queue directory, so that queue files are written directly.
    pub shares_queue: bool,
}

/// What keeps a site from being loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `TimeZoneSpec` names no zone.
    #[error("unknown time zone {0}")]
    TimeZone(String),
}

/// Opens what the configuration names.
pub fn load(config: Config, start: StartOptions) -> Result<Arc<Site>, Error> {
    let config = Arc::new(config);
    let zone = zone(&config.options.time_zone_spec)?;
    let host = config.scope().text(names::HOST);
    let router = Router::new(Arc::clone(&config));
    Ok(Arc::new(Site { config, router, zone, host, start }))
}

fn zone(spec: &TimeZoneSpec) -> Result<TimeZone, Error> {
    match spec {
        TimeZoneSpec::System | TimeZoneSpec::Caller => Ok(TimeZone::system()),
        TimeZoneSpec::Named(name) => {
            let name = String::from_utf8_lossy(name);
            TimeZone::get(&name).or_else(|_| TimeZone::posix(&name)).map_err(|_| Error::TimeZone(name.into_owned()))
        }
    }
}
