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

/// Whether the library may read a configuration file or a plugin; it goes on without one that it may not.
fn is_safe(path: &Path, judge: &Judge, log: &Logger) -> bool {
    let Err(why) = judged(path, judge) else { return true };
    let text = format!("error: safesasl({}) failed: {why}", path.display());
    // Source: observed (log/levels).
    log.write(Level(10), Priority::Warning, Id::None, text);
    false
}

/// Errors: what is wrong with the file. Its mode counts for root too. Source: observed.
fn judged(path: &Path, judge: &Judge) -> Result<(), String> {
    let facts = safefile::check(path, Purpose::Sasl, judge).map_err(|refusal| refusal.to_string())?;
    let facts = facts.ok_or("No such file or directory")?;
    if facts.is_readable_by(judge.uid, user::effective_gid()) { Ok(()) } else { Err("Permission denied".to_owned()) }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::sys::file;

    #[test]
    fn the_library_reads_what_nobody_else_may_change_and_we_may_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("Sendmail.conf");
        file::create(&path, 0o644).unwrap();
        let sticky_is_safe = 1 << 32;
        let judge = Judge { uid: user::effective_uid(), dont_blame: sticky_is_safe, trusted_uid: None };
        let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        for (dir_mode, mode, wanted) in [
            (0o755, 0o644, None),
            (0o755, 0o664, None),
            (0o755, 0o600, None),
            (0o755, 0o646, Some("World writable file")),
            (0o755, 0o044, Some("Permission denied")),
            (0o775, 0o644, Some("Group writable directory")),
            (0o757, 0o644, Some("World writable directory")),
        ] {
            set(dir.path(), dir_mode);
            set(&path, mode);
            assert_eq!(judged(&path, &judge).err().as_deref(), wanted, "{dir_mode:o} {mode:o}");
        }
        set(dir.path(), 0o755);
        assert_eq!(judged(&dir.path().join("gone"), &judge).unwrap_err(), "No such file or directory");
    }
}
