//! Settings of the resolver, from options and the service switch file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::config::Config;
use crate::net::dns::{self, Settings};
use crate::sys::safefile::{self, Purpose};

/// What `ResolverOptions`, `Timeout.resolver`, `HostsFile` and the service switch file ask for.
pub(super) fn settings(config: &Config) -> Settings {
    let options = &config.options;
    let mut settings = Settings {
        hosts_file: path(&options.hosts_file),
        retrans: config.timeouts.resolver_retrans.1.or(config.timeouts.resolver_retrans.0),
        retry: config.timeouts.resolver_retry.1.and_then(|n| u32::try_from(n).ok()),
        dont_expand_cnames: options.dont_expand_cnames,
        use_dnssec: options.dane,
        ..Settings::default()
    };
    // A switch file that is missing or says nothing of hosts leaves the built-in order.
    let (file, judge) = (path(&options.service_switch_file), super::judge(config));
    if let Ok(text) = safefile::read(&file, Purpose::ServiceSwitch, &judge, SWITCH_FILE_BYTES)
        && let Some(services) = dns::services(&text)
    {
        settings.services = services;
    }
    for word in &options.resolver_options {
        let (on, name) = match word.strip_prefix(b"-") {
            Some(name) => (false, name),
            None => (true, word.strip_prefix(b"+").unwrap_or(word)),
        };
        match name.to_ascii_lowercase().as_slice() {
            b"defnames" => settings.default_names = on,
            b"dnsrch" => settings.search = on,
            b"haswildcardmx" => settings.has_wildcard_mx = on,
            b"workaroundbrokenaaaa" => settings.work_around_broken_aaaa = on,
            b"use_dnssec" => settings.use_dnssec = on,
            _ => {}
        }
    }
    settings
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

const SWITCH_FILE_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_resolver_has_the_times_and_flags_of_the_options() {
        let mut config = Config::default();
        let found = settings(&config);
        assert_eq!((found.retrans, found.retry, found.use_dnssec), (None, None, false));
        assert!(found.search && found.default_names);
        // Timeout.resolver.retrans and its parts: what is normal counts, else what is first.
        config.timeouts.resolver_retrans = (Some(Duration::from_secs(3)), None);
        assert_eq!(settings(&config).retrans, Some(Duration::from_secs(3)));
        config.timeouts.resolver_retrans.1 = Some(Duration::from_secs(7));
        config.timeouts.resolver_retry = (Some(2), Some(4));
        config.options.dane = true;
        config.options.resolver_options = ["-dnsrch", "-DEFNAMES", "+HasWildcardMX"].map(Into::into).to_vec();
        let found = settings(&config);
        assert_eq!((found.retrans, found.retry), (Some(Duration::from_secs(7)), Some(4)));
        assert!(found.use_dnssec && found.has_wildcard_mx && !found.search && !found.default_names);
    }
}
