//! The schema that comes with the original: what `@LDAP` for a class and `ldap:` for aliases stand for.
//!
//! Entries belong to a cluster (`${sendmailMTACluster}`) or to this host (`$j`). Source: op guide 5.3; cf/README ("Using LDAP
//! for aliases, maps, and classes").

use crate::base::bytes::shown;
use crate::config::Config;
use crate::macros::names;

/// Flags of the map that has the words of a class.
pub(crate) fn class(config: &Config, name: &[u8]) -> String {
    let which = format!("(sendmailMTAClassName={}){}", shown(name), place(config));
    // Any blank parts the words.
    format!("-z\\n {}", flags("Class", "Class", &which))
}

/// Flags of the map that has the aliases.
pub(crate) fn aliases(config: &Config) -> String {
    let which = format!("(sendmailMTAAliasGrouping=aliases){}(sendmailMTAKey=%0)", place(config));
    format!("-z, {}", flags("AliasObject", "Alias", &which))
}

fn flags(object: &str, kind: &str, which: &str) -> String {
    format!(
        "-k (&(objectClass=sendmailMTA{object}){which}) -v sendmailMTA{kind}Value,\
         sendmailMTA{kind}Search:FILTER:sendmailMTA{object},sendmailMTA{kind}URL:URL:sendmailMTA{object}"
    )
}

fn place(config: &Config) -> String {
    let scope = config.scope();
    let cluster = config.names.lookup(b"sendmailMTACluster").map(|id| scope.text(id)).unwrap_or_default();
    format!("(|(sendmailMTACluster={})(sendmailMTAHost={}))", shown(&cluster), shown(&scope.text(names::HOST)))
}
