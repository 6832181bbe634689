//! AUTH from options.

use std::path::Path;
use std::sync::Arc;

use crate::base::bytes::shown;
use crate::config::Config;
use crate::log::{Id, Level, Logger, Priority};
use crate::macros::names;
use crate::net::sasl::{Authenticator, Settings};
use crate::sys::safefile::{self, Judge, Purpose, error_text};
use crate::sys::user::Identity;

/// Who authenticates clients, and us with servers.
pub(super) fn authenticator(config: &Config, log: &Logger) -> Authenticator {
    let options = &config.options;
    let allowed = options.auth_mechanisms.as_ref().map(|m| shown(m).to_string());
    let allowed = allowed.as_deref().unwrap_or(Settings::DEFAULT_MECHANISMS);
    let words = allowed.split(|c: char| c.is_ascii_whitespace() || c == ',').filter(|w| !w.is_empty());
    let text = |value: &bytes::Bytes| shown(value).to_string();
    let dont_blame = options.dont_blame_sendmail.0;
    let log = log.clone();
    Authenticator::new(Settings {
        host: text(&config.scope().text(names::HOST)),
        realm: options.auth_realm.as_ref().map(text),
        allowed: words.map(str::to_owned).collect(),
        options: options.auth_options.unwrap_or_default(),
        max_bits: options.auth_max_bits.and_then(|bits| u32::try_from(bits).ok()),
        judge: Arc::new(move |path| is_safe(path, dont_blame, &log)),
    })
}

/// Whether the library may read a configuration file or a plugin; it goes on without one that it may not.
fn is_safe(path: &Path, dont_blame: u64, log: &Logger) -> bool {
    // Who we are when the library asks: `RunAsUser` comes after the configuration.
    let own = Identity::own().map_err(|error| error_text(&error));
    let Err(why) = own.and_then(|own| judged(path, dont_blame, &own)) else { return true };
    let text = format!("error: safesasl({}) failed: {why}", path.display());
    // Source: observed (log/levels).
    log.write(Level(10), Priority::Warning, Id::None, text);
    false
}

/// Errors: what is wrong with the file. Its mode counts for root too. Source: observed.
fn judged(path: &Path, dont_blame: u64, user: &Identity) -> Result<(), String> {
    let judge = Judge { uid: user.uid, dont_blame, trusted_uid: None };
    let facts = safefile::check(path, Purpose::Sasl, &judge).map_err(|refusal| refusal.to_string())?;
    let facts = facts.ok_or("No such file or directory")?;
    if facts.is_readable_by(user) { Ok(()) } else { Err("Permission denied".to_owned()) }
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
        let own = Identity::own().unwrap();
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
            assert_eq!(judged(&path, sticky_is_safe, &own).err().as_deref(), wanted, "{dir_mode:o} {mode:o}");
        }
        set(dir.path(), 0o755);
        assert_eq!(judged(&dir.path().join("gone"), sticky_is_safe, &own).unwrap_err(), "No such file or directory");
        // Another user's, who does not get it by being root.
        set(&path, 0o600);
        let other = Identity::without_groups(own.uid + 1, own.gid + 1);
        assert_eq!(judged(&path, sticky_is_safe, &other).unwrap_err(), "Permission denied");
        let member = Identity { groups: vec![file::facts_of(&path).unwrap().gid], ..other };
        set(&path, 0o640);
        assert_eq!(judged(&path, sticky_is_safe, &member), Ok(()));
    }
}
