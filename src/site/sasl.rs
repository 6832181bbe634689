//! AUTH from options.

use std::path::Path;
use std::sync::Arc;

use crate::base::bytes::shown;
use crate::config::Config;
use crate::log::{Id, Level, Logger, Priority};
use crate::macros::names;
use crate::net::sasl::{Authenticator, Settings};
use crate::sys::safefile::{self, Judge, Purpose};
use crate::sys::user;

/// Who authenticates clients, and us with servers.
pub(super) fn authenticator(config: &Config, log: &Logger) -> Authenticator {
    let options = &config.options;
    let allowed = options.auth_mechanisms.as_ref().map(|m| shown(m).to_string());
    let allowed = allowed.as_deref().unwrap_or(Settings::DEFAULT_MECHANISMS);
    let words = allowed.split(|c: char| c.is_ascii_whitespace() || c == ',').filter(|w| !w.is_empty());
    let text = |value: &bytes::Bytes| shown(value).to_string();
    let judge = Judge { uid: user::effective_uid(), dont_blame: options.dont_blame_sendmail.0, trusted_uid: None };
    let log = log.clone();
    Authenticator::new(Settings {
        host: text(&config.scope().text(names::HOST)),
        realm: options.auth_realm.as_ref().map(text),
        allowed: words.map(str::to_owned).collect(),
        options: options.auth_options.unwrap_or_default(),
        max_bits: options.auth_max_bits.and_then(|bits| u32::try_from(bits).ok()),
        judge: Arc::new(move |path| is_safe(path, &judge, &log)),
    })
}

/// Whether the library may read a configuration file.
fn is_safe(path: &Path, judge: &Judge, log: &Logger) -> bool {
    let why = match safefile::check(path, Purpose::Configuration, judge) {
        Ok(Some(_)) => return true,
        Ok(None) => "No such file or directory".to_owned(),
        Err(refusal) => refusal.to_string(),
    };
    let text = format!("error: safesasl({}) failed: {why}", path.display());
    // Source: observed (log/levels).
    log.write(Level(10), Priority::Warning, Id::None, text);
    false
}
