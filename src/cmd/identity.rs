//! What `-d0` shows: version, what is built in, the names of this machine.

use super::modes::Role;
use crate::base::bytes::shown;
use crate::config::{Config, VERSION};
use crate::log::debug::Tracer;
use crate::macros::{MacroId, names};

/// The lines from before the configuration is read.
pub(super) fn before(debug: &Tracer) {
    let say = |text: &str| debug.say(0, 1, text);
    if !debug.is_on(0, 1) {
        return;
    }
    say(&format!("Version {VERSION}"));
    say(&format!(" Implementation: {} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")));
    say(&wrapped(" Compiled with:", FEATURES));
    if debug.is_on(0, 10) {
        say(&format!("     Conf file:\t{} (default for MSP)", Role::Submission.path().display()));
        say(&format!("     Conf file:\t{} (default for MTA)", Role::Transfer.path().display()));
        say(&format!("      Pid file:\t{} (default)", crate::daemon::PID_FILE));
    }
    if debug.is_on(0, 14) {
        say(&format!("       OpenSSL: linked   {:#010x}", openssl::version::number()));
    }
}

/// The lines from behind it.
pub(super) fn after(debug: &Tracer, config: &Config) {
    let say = |text: &str| debug.say(0, 1, text);
    if !debug.is_on(0, 1) {
        return;
    }
    let scope = config.scope();
    let text = |id| shown(&scope.text(id)).to_string();
    let (short, node) = (text(letter(b'w')), text(letter(b'k')));
    if debug.is_on(0, 4) {
        say(&format!("Canonical name: {}", text(names::HOST)));
        say(&format!(" UUCP nodename: {node}"));
        say(&format!("\ta.k.a.: {short}"));
        let literals = config.classes.members(letter(b'w')).filter(|name| name.starts_with(b"["));
        let mut literals: Vec<String> = literals.map(|name| shown(name).to_string()).collect();
        // Loopback addresses last.
        literals.sort_by_key(|name| (name.starts_with("[127.") || name.ends_with(":1]"), name.clone()));
        for name in &literals {
            say(&format!("\ta.k.a.: {name}"));
        }
    }
    if debug.is_on(0, 10) {
        let pid_file = config.options.pid_file.as_ref().map(|template| shown(&template.expand(&scope)).to_string());
        say(&format!("     Conf file:\t{} (selected)", config.path.display()));
        say(&format!("      Pid file:\t{} (selected)", pid_file.unwrap_or_else(|| crate::daemon::PID_FILE.to_owned())));
    }
    say("\n============ SYSTEM IDENTITY (after readcf) ============");
    say(&format!("      (short domain name) $w = {short}"));
    say(&format!("  (canonical domain name) $j = {}", text(names::HOST)));
    say(&format!("         (subdomain name) $m = {}", text(names::DOMAIN)));
    say(&format!("              (node name) $k = {node}"));
    say("========================================================\n");
}

fn letter(letter: u8) -> MacroId {
    MacroId(u16::from(letter))
}

/// Words behind a title, lines continued behind two tabs. Source: observed.
fn wrapped(title: &str, words: &[&str]) -> String {
    let mut text = title.to_owned();
    let (mut column, mut limit) = (title.len(), FIRST_LINE);
    for word in words {
        if column + 1 + word.len() > limit {
            text += "\n\t\t";
            (column, limit) = (TWO_TABS - 1, LINE);
        } else {
            text.push(' ');
        }
        text += word;
        column += 1 + word.len();
    }
    text
}

/// What is built in, in the original's words.
const FEATURES: &[&str] = &[
    "CDB",
    "DANE",
    "DNSMAP",
    "IPV6_FULL",
    "LDAPMAP",
    "LOG",
    "MAP_REGEX",
    "MATCHGECOS",
    "MILTER",
    "MIME7TO8",
    "MIME8TO7",
    "NAMED_BIND",
    "NETINET",
    "NETINET6",
    "NETUNIX",
    "NEWDB=5.3",
    "PIPELINING",
    "SASLv2",
    "SOCKETMAP",
    "STARTTLS",
    "TLS_EC",
    "USERDB",
];
const FIRST_LINE: usize = 70;
const LINE: usize = 79;
const TWO_TABS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_wrapped_as_the_original_s() {
        let words = [
            "DNSMAP",
            "IPV6_FULL",
            "LDAPMAP",
            "LDAP_NETWORK_TIMEOUT",
            "LDAP_REFERRALS",
            "LOG",
            "MAP_REGEX",
            "MATCHGECOS",
            "MAXDAEMONS=64",
            "MILTER",
            "MIME7TO8",
            "MIME8TO7",
        ];
        assert_eq!(
            wrapped(" Compiled with:", &words),
            " Compiled with: DNSMAP IPV6_FULL LDAPMAP LDAP_NETWORK_TIMEOUT\n\
             \t\tLDAP_REFERRALS LOG MAP_REGEX MATCHGECOS MAXDAEMONS=64 MILTER\n\t\tMIME7TO8 MIME8TO7"
        );
    }
}
