//! Where the mail log is.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::sys::file;

/// A log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A file.
    File(PathBuf),
    /// The journal of systemd.
    Journal,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Journal => f.write_str("the journal"),
        }
    }
}

/// Looks below `root`: what syslog's configuration names for mail, then the usual places, then the journal.
pub(super) fn find(root: &Path) -> Option<Place> {
    let below = |path: &str| root.join(path.trim_start_matches('/'));
    let named = configurations(root).into_iter().flat_map(|path| {
        let text = file::read_following(&path, LIMIT).unwrap_or_default();
        mail_files(&String::from_utf8_lossy(&text))
    });
    let usual = PLACES.iter().map(|path| (*path).to_owned());
    let files =
        named.chain(usual).map(|path| below(&path)).find(|path| file::facts_of(path).is_ok_and(|f| f.is_regular()));
    let journal = || file::facts_of(&below(JOURNALCTL)).is_ok().then_some(Place::Journal);
    files.map(Place::File).or_else(journal)
}

fn configurations(root: &Path) -> Vec<PathBuf> {
    let mut parts: Vec<PathBuf> = Vec::new();
    if let Ok(directory) = file::Dir::open(&root.join("etc/rsyslog.d")) {
        let names = directory.entries().unwrap_or_default();
        parts.extend(names.into_iter().map(|name| root.join("etc/rsyslog.d").join(name)));
    }
    parts.retain(|path| path.extension().is_some_and(|e| e == "conf"));
    parts.sort();
    [root.join("etc/rsyslog.conf"), root.join("etc/syslog.conf")].into_iter().chain(parts).collect()
}

/// Files that take mail lines of priority info: `mail.*  -/var/log/mail.log`, `mail.debug /var/adm/syslog/mail.log`.
///
/// Source: syslog.conf(5). Lines for errors alone (`mail.err`) are passed over: the log holds all.
fn mail_files(configuration: &str) -> Vec<String> {
    let lines = configuration.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let (selectors, action) = line.split_once(char::is_whitespace)?;
            let takes = |selector: &str| {
                let (facilities, priority) = selector.split_once('.').unwrap_or((selector, ""));
                let of_mail = facilities.split(',').any(|facility| facility == "mail");
                of_mail && ["*", "info", "debug", "notice", ""].contains(&priority.trim_start_matches(['=', '!']))
            };
            let path = action.trim().trim_start_matches('-').split(';').next()?.trim();
            (selectors.split(';').any(takes) && path.starts_with('/')).then(|| path.to_owned())
        })
        .collect()
}

/// Where systems keep it when syslog does not tell: Debian, Red Hat and FreeBSD, HP-UX, Solaris, old ones.
pub(super) const PLACES: &[&str] = &[
    "/var/log/mail.log",
    "/var/log/maillog",
    "/var/adm/syslog/mail.log",
    "/var/log/syslog",
    "/var/adm/messages",
    "/var/log/messages",
];
/// Shows the journal.
pub(super) const JOURNALCTL: &str = "/usr/bin/journalctl";
const LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syslog_names_the_log() {
        let text = "# mail.* /no\nauth,authpriv.*\t/var/log/auth.log\n*.*;mail.none -/var/log/syslog\n\
            mail.err /var/log/mail.err\nmail.*\t\t-/var/log/mail.log\nmail,news.debug /var/adm/mail;format\nmail.* @loghost\n";
        assert_eq!(mail_files(text), ["/var/log/mail.log", "/var/adm/mail"]);
    }

    #[test]
    fn what_syslog_names_comes_before_the_usual_places_and_those_before_the_journal() {
        let tmp = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = tmp.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            file::replace(&path, text.as_bytes(), 0o600).unwrap();
            path
        };
        assert_eq!(find(tmp.path()), None);
        put("usr/bin/journalctl", "");
        assert_eq!(find(tmp.path()), Some(Place::Journal));
        let usual = put("var/log/maillog", "");
        assert_eq!(find(tmp.path()), Some(Place::File(usual.clone())));
        put("etc/rsyslog.d/50-default.conf", "mail.* -/srv/log/mail\n");
        assert_eq!(find(tmp.path()), Some(Place::File(usual)), "a log that is not there yet");
        let named = put("srv/log/mail", "");
        assert_eq!(find(tmp.path()), Some(Place::File(named)));
    }
}
