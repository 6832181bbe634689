//! `hoststat` (`-bh`): what is known of hosts; `purgestat` (`-bH`): forgets what is old.

use std::io::Write;
use std::path::Path;

use super::sendmail::say;
use crate::base::exit::Exit;
use crate::base::time::UnixTime;
use crate::config::Config;
use crate::deliver::drive::host_status::{self, Known};
use crate::sys::file::facts_of;
use crate::sys::{clock, safefile};

/// Prints what is known of all hosts; nothing without a directory.
pub(super) fn list(config: &Config, out: &mut dyn Write) -> Exit {
    let Some(directory) = host_status::directory(config) else { return Exit::OK };
    let known = match host_status::list(&directory) {
        Ok(known) => known,
        Err(error) => return unusable(&directory, &error, out),
    };
    if known.is_empty() {
        return Exit::OK;
    }
    say(out, HEADING);
    let now = clock::now();
    for host in known {
        say(out, &line(&host, now, config.options.verbose));
    }
    Exit::OK
}

/// Removes what is older than `Timeout.hoststatus`.
pub(super) fn purge(config: &Config, out: &mut dyn Write) -> Exit {
    let Some(directory) = host_status::directory(config) else { return Exit::OK };
    let limit = i64::try_from(config.timeouts.hoststatus.as_secs()).unwrap_or(i64::MAX);
    match host_status::purge(&directory, UnixTime(clock::now().0.saturating_sub(limit))) {
        Ok(_) => Exit::OK,
        Err(error) => unusable(&directory, &error, out),
    }
}

/// Says that the directory cannot be used, and goes on without it.
pub(super) fn check(config: &mut Config, out: &mut dyn Write) {
    let Some(directory) = host_status::directory(config) else { return };
    let usable = match facts_of(&directory) {
        Ok(facts) if facts.is_directory() => Ok(()),
        Ok(_) => Err(std::io::Error::from_raw_os_error(libc::ENOTDIR)),
        Err(error) => Err(error),
    };
    if let Err(error) = usable {
        let name = config.options.host_status_directory.take().unwrap_or_default();
        let name = String::from_utf8_lossy(&name).into_owned();
        let why = safefile::error_text(&error);
        say(out, &format!("Warning: Cannot use HostStatusDirectory = {name}: {why}"));
        config.options.single_thread_delivery = false;
    }
}

fn unusable(directory: &Path, error: &std::io::Error, out: &mut dyn Write) -> Exit {
    say(out, &format!("{}: {}", directory.display(), safefile::error_text(error)));
    Exit::OSERR
}

/// One host. Source: observed.
fn line(known: &Known, now: UnixTime, verbose: bool) -> String {
    let Some(status) = &known.status else {
        return format!("{}: could not read status file", known.path.display());
    };
    let mark = if known.is_locked { '*' } else { ' ' };
    let words = status.words();
    let words = if verbose { words } else { words.chars().take(RESULT).collect() };
    format!("{mark}{:<39} {:>12} {words}", known.host, ago(now.0.saturating_sub(status.used.0).max(0)))
}

/// `00:03:27`, `100+00:00:00`.
fn ago(seconds: i64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days > 0 { format!("{days}+{clock}") } else { clock }
}

const HEADING: &str = " -------------- Hostname --------------- How long ago ---------Results---------";
/// Width of the last column.
const RESULT: usize = 25;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::host_status::HostStatus;

    #[test]
    fn lines_are_those_of_the_original() {
        let status = HostStatus { errno: 111, exit: Exit::TEMPFAIL, used: UnixTime(1000), ..HostStatus::default() };
        let known = Known {
            host: "mx.down.test".to_owned(),
            status: Some(status),
            is_locked: false,
            path: "/s/test./down./mx".into(),
        };
        assert_eq!(
            line(&known, UnixTime(1000 + 86_400 * 3 + 61), false),
            " mx.down.test                              3+00:01:01 Deferred: Connection refu"
        );
        assert_eq!(
            line(&known, UnixTime(1007), true),
            " mx.down.test                                00:00:07 Deferred: Connection refused"
        );
        let bad = Known { status: None, is_locked: true, ..known };
        assert_eq!(line(&bad, UnixTime(0), true), "/s/test./down./mx: could not read status file");
    }
}
