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
