//! What may be chosen: one row an option, for the menu, the flags, the file of answers and the `.mc`.

/// Where an option stands in the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// 1: who may relay.
    Relay,
    /// 2: what is refused.
    Checks,
    /// 3: where mail goes, and tables.
    Routing,
    /// 4: security.
    Security,
    /// 4, 3: the files of STARTTLS.
    Files,
}

/// What an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Yes or no.
    Switch,
    /// One text; the default is in force until another is given, and an empty one stands for none.
    Text(&'static str),
    /// Words, separated by commas or blanks.
    Words,
    /// One of these; the first when nothing is said.
    OneOf(&'static [&'static str]),
}

/// What an option writes. `{}` is the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Lines of both files, in the part where they belong.
    Lines(Part, &'static str),
    /// Lines of `sendmail.cf` alone.
    Transfer(Part, &'static str),
    /// Of `sendmail.cf` alone: a line, when it is not empty, and one for each word.
    List(Part, &'static str, &'static str),
    /// The same as these options together.
    All(&'static [&'static str]),
    /// Other options ask for it.
    Nothing,
}

/// A part of an `.mc`, in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// `OSTYPE`.
    System,
    /// `define`s.
    Defines,
    /// `FEATURE`s and the macros that belong to them.
    Features,
    /// `LOCAL_RULESETS`.
    Rulesets,
}

/// An option.
#[derive(Debug)]
pub(super) struct Opt {
    /// Name of the flag and of the answer.
    pub(super) name: &'static str,
    /// Line of the menu.
    pub(super) text: &'static str,
    /// Where.
    pub(super) page: Page,
    /// What the answer is.
    pub(super) kind: Kind,
    /// What comes of it.
    pub(super) effect: Effect,
    /// The option without which it says nothing.
    pub(super) needs: Option<&'static str>,
}

const fn row(page: Page, name: &'static str, text: &'static str, kind: Kind, effect: Effect) -> Opt {
    Opt { name, text, page, kind, effect, needs: None }
}

const fn tls(name: &'static str, text: &'static str, kind: Kind, effect: Effect) -> Opt {
    Opt { name, text, page: Page::Files, kind, effect, needs: Some("starttls") }
}

/// The option of that name.
pub(super) fn find(name: &str) -> Option<&'static Opt> {
    OPTIONS.iter().find(|o| o.name == name)
}

/// Options of a page, in the order of its menu.
pub(super) fn on(page: Page) -> impl Iterator<Item = &'static Opt> {
    OPTIONS.iter().filter(move |o| o.page == page)
}

use Effect::{All, Lines, List, Nothing, Transfer};
use Kind::{OneOf, Switch, Text, Words};
use Page::{Checks, Relay, Routing, Security};
use Part::{Defines, Features, Rulesets, System};

/// Operating system of an `OSTYPE` where none is chosen.
const OSTYPE: &str = if cfg!(target_os = "freebsd") {
    "freebsd6"
} else if cfg!(target_os = "solaris") {
    "solaris8"
} else {
    "linux"
};

/// All of them. Source: HP Mailing Services Administrator's Guide (the options of `gen_cf`), cf/README.
#[rustfmt::skip]
pub(super) const OPTIONS: &[Opt] = &[
    row(Relay, "relay-on", "Relay On (for everybody; with unresolvable and unqualified senders)", Switch,
        All(&["accept-unresolvable-domains", "accept-unqualified-senders", "promiscuous-relay"])),
    row(Relay, "relay-off", "Relay OFF (the default; any other relay option wins)", Switch, Nothing),
    row(Relay, "relay-entire-domain", "Relay Entire Domain", Switch,
        Transfer(Features, "FEATURE(`relay_entire_domain')")),
    row(Relay, "relay-based-on-mx", "Relay based on MX", Switch, Transfer(Features, "FEATURE(`relay_based_on_MX')")),
    row(Relay, "relay-hosts-only", "Relay hosts only", Switch, Transfer(Features, "FEATURE(`relay_hosts_only')")),
    row(Relay, "relay-mail-from", "Relay mail from", Switch, Transfer(Features, "FEATURE(`relay_mail_from')")),
    row(Relay, "promiscuous-relay", "Promiscuous Relay", Switch, Transfer(Features, "FEATURE(`promiscuous_relay')")),
    row(Relay, "relay-domains", "Relay for these domains and networks", Words,
        List(Features, "", "RELAY_DOMAIN(`{}')")),

    row(Checks, "accept-unresolvable-domains", "Accept unresolvable domains", Switch,
        Transfer(Features, "FEATURE(`accept_unresolvable_domains')")),
    row(Checks, "accept-unqualified-senders", "Accept unqualified senders", Switch,
        Transfer(Features, "FEATURE(`accept_unqualified_senders')")),
    row(Checks, "access-db", "Access db", Switch, Transfer(Features, "FEATURE(`access_db')")),
    row(Checks, "dnsbl", "DNS Blackhole List: zones asked", Words, List(Features, "", "FEATURE(`dnsbl', `{}')")),
    row(Checks, "delay-checks", "Delay checks", Switch, Transfer(Features, "FEATURE(`delay_checks')")),

    row(Routing, "system", "Operating system (OSTYPE)", Text(OSTYPE), Lines(System, "OSTYPE(`{}')")),
    row(Routing, "local-domains", "Domains whose mail stays here", Words, List(Features, "", "LOCAL_DOMAIN(`{}')")),
    row(Routing, "smart-host", "Host that takes all other mail", Text(""), Transfer(Defines, "define(`SMART_HOST', `{}')")),
    row(Routing, "smart-host-port", "Port of that host, when it is not 25 (587 for a login)", Text(""),
        Transfer(Defines, "define(`RELAY_MAILER_ARGS', `TCP $h {}')")),
    row(Routing, "masquerade-as", "Domain that senders here are shown in", Text(""),
        Transfer(Features, "MASQUERADE_AS(`{}')")),
    row(Routing, "mailertable", "Mailertable", Switch, Transfer(Features, "FEATURE(`mailertable')")),
    row(Routing, "genericstable", "Genericstable: domains looked up in it", Words,
        List(Features, "FEATURE(`genericstable')", "GENERICS_DOMAIN(`{}')")),
    row(Routing, "virtusertable", "Virtusertable", Switch, Transfer(Features, "FEATURE(`virtusertable')")),
    row(Routing, "domaintable", "Domaintable", Switch, Transfer(Features, "FEATURE(`domaintable')")),
    row(Routing, "ldap-routing", "LDAP Routing: domains routed by it", Words,
        List(Features, "FEATURE(`ldap_routing')", "LDAPROUTE_DOMAIN(`{}')")),
    row(Routing, "ldap-defaults", "LDAP server and base (as: -h HOST -b BASE)", Text(""),
        Transfer(Defines, "define(`confLDAP_DEFAULT_SPEC', `{}')")),
    row(Routing, "no-default-msa", "No Default MSA (nothing listens on port 587)", Switch,
        Transfer(Features, "FEATURE(`no_default_msa')")),
    row(Routing, "send-only", "Send only (mail from other hosts is refused)", Switch, Transfer(Rulesets, SEND_ONLY)),
    row(Routing, "receive-only", "Receive only (mail to other hosts is refused)", Switch, Transfer(Rulesets, RECEIVE_ONLY)),
    row(Routing, "local-mailer", "What writes mailboxes (automatic: what the system has, else mail.local)",
        OneOf(&["automatic", "procmail", "mail.local", "system"]), Nothing),

    row(Security, "auth", "Login of clients (AUTH): mechanisms, as PLAIN LOGIN", Words,
        Lines(Defines, "define(`confAUTH_MECHANISMS', `{}')\nTRUST_AUTH_MECH(`{}')")),
    row(Security, "starttls", "STARTTLS", Switch, Nothing),

    tls("use-tls", "UseTLS (False: neither offered nor used)", OneOf(&["True", "False"]), Nothing),
    tls("ca-cert-path", "CACertPath", Text("/etc/mail/certs"), Lines(Defines, "define(`confCACERT_PATH', `{}')")),
    tls("ca-cert-file", "CACertFile", Text("/etc/mail/certs/cacert.pem"), Lines(Defines, "define(`confCACERT', `{}')")),
    tls("server-cert-file", "ServerCertFile", Text("/etc/mail/certs/servername-cert.pem"),
        Lines(Defines, "define(`confSERVER_CERT', `{}')")),
    tls("server-key-file", "ServerKeyFile", Text("/etc/mail/certs/servername-key.pem"),
        Lines(Defines, "define(`confSERVER_KEY', `{}')")),
    tls("client-cert-file", "ClientCertFile", Text("/etc/mail/certs/servername-cert.pem"),
        Lines(Defines, "define(`confCLIENT_CERT', `{}')")),
    tls("client-key-file", "ClientKeyFile", Text("/etc/mail/certs/servername-key.pem"),
        Lines(Defines, "define(`confCLIENT_KEY', `{}')")),
    tls("dont-blame-sendmail", "DontBlameSendmail", Text("GroupReadableKeyFile"),
        Lines(Defines, "define(`confDONT_BLAME_SENDMAIL', `{}')")),
    tls("rand-file", "RandFile (needed by nothing today)", Text(""), Lines(Defines, "define(`confRAND_FILE', `{}')")),
];

/// Connections from elsewhere are refused.
const SEND_ONLY: &str = "\
SLocal_check_relay
# This host sends mail and takes none: only its own programs may speak to it.
R$* $| 127.$-.$-.$-\t$@ OK
R$* $| IPv6:::1\t$@ OK
R$* $| 0\t\t$@ OK
R$* $| $*\t\t$#error $@ 5.7.1 $: \"550 This host sends mail only\"";

/// Recipients elsewhere are refused.
const RECEIVE_ONLY: &str = "\
Scheck_compat
# This host takes mail for its own users and passes none on.
R$* $| $*\t\t$: $>canonify $2
R$*\t\t\t$: $>parse $1
R$#local $*\t\t$@ OK
R$#error $*\t\t$@ OK
R$#discard $*\t\t$@ OK
R$*\t\t\t$#error $@ 5.7.1 $: \"550 This host receives mail only\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_what_they_refer_to_is_there() {
        for (at, option) in OPTIONS.iter().enumerate() {
            assert_eq!(OPTIONS.iter().position(|o| o.name == option.name), Some(at), "{}", option.name);
            let others = match option.effect {
                All(names) => names,
                _ => &[],
            };
            for name in others.iter().chain(option.needs.iter()) {
                assert!(find(name).is_some(), "{name}");
            }
        }
    }
}
