//! Declarations of `ldap` maps: flags of the `K` line, with those of `LDAPDefaultSpec` behind them.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use ldap3::{DerefAliases, Scope};

use crate::base::bytes::shown;
use crate::maps::flags::{self, Flags};
use crate::sys::safefile::{self, Judge, Purpose};

/// What a map asks for, and whom.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    /// Servers, tried in order.
    pub(crate) servers: Vec<String>,
    /// As messages name them.
    pub(crate) shown: String,
    /// Name and password of the bind; `None` binds as nobody.
    pub(crate) bind: Option<(String, String)>,
    pub(crate) base: String,
    pub(crate) scope: Scope,
    pub(crate) aliases: DerefAliases,
    pub(crate) filter: Bytes,
    /// `-K`: arguments stand in the filter.
    pub(crate) takes_arguments: bool,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) separator: Option<u8>,
    /// `-V`: between name and value.
    pub(crate) names: Option<u8>,
    /// `-n`: names alone.
    pub(crate) names_only: bool,
    /// `-1`: more than one entry is none.
    pub(crate) single: bool,
    pub(crate) most: i32,
    pub(crate) time: Duration,
    pub(crate) connect: Duration,
}

/// An attribute that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Object classes, one of which an entry must have; any when empty.
    pub(crate) classes: Vec<String>,
}

/// What the values of an attribute are. Source: op guide 6.5.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Part of the answer.
    Normal,
    /// Names of entries that are asked the same.
    Dn,
    /// Filters of further searches.
    Filter,
    /// Addresses of further searches.
    Url,
}

/// Flags that an option may set for all maps.
const DEFAULTS: &[u8] = b"1HKMPRVZbcdhlnprsw";
/// Longest wait for a connection and for an answer unless `-c` and `-l` say otherwise.
const CONNECT: Duration = Duration::from_secs(30);
const TIME: Duration = Duration::from_secs(60);

impl Spec {
    /// From the flags of a map and the value of `LDAPDefaultSpec`; errors in the original's words.
    pub(crate) fn new(name: &str, own: &Flags, defaults: &Flags, judge: &Judge) -> Result<Self, String> {
        let text = |letter: u8| {
            let default = || defaults.text(letter).filter(|_| DEFAULTS.contains(&letter));
            own.text(letter).or_else(default).map(|text| String::from_utf8_lossy(text).into_owned())
        };
        let number = |letter: u8| text(letter).map(|text| crate::base::bytes::leading_number(text.as_bytes()));
        let seconds = |letter: u8, usual| {
            number(letter).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0).map_or(usual, Duration::from_secs)
        };
        let choice = |letter: u8| text(letter).map(|text| text.to_ascii_lowercase());
        let scope = match choice(b's').as_deref() {
            Some("base") => Scope::Base,
            Some("one") => Scope::OneLevel,
            None | Some("sub") => Scope::Subtree,
            Some(other) => return Err(format!("Scope must be [base|one|sub] (not {other}) in map {name}")),
        };
        let aliases = match choice(b'r').as_deref() {
            None | Some("never") => DerefAliases::Never,
            Some("always") => DerefAliases::Always,
            Some("search") => DerefAliases::Searching,
            Some("find") => DerefAliases::Finding,
            Some(other) => {
                return Err(format!("Deref must be [never|always|search|find] (not {other}) in map {name}"));
            }
        };
        if let Some(version) = number(b'w').filter(|version| !(2..=3).contains(version)) {
            let bound = if version < 2 { "is lower than min of 2" } else { "exceeds max of 3" };
            return Err(format!("LDAP version {version} {bound} in map {name}"));
        }
        let (hosts, uris) = (text(b'h'), text(b'H'));
        if hosts.is_some() && uris.is_some() {
            return Err(format!("Can not specify both an LDAP host and an LDAP URI in map {name}"));
        }
        let port = number(b'p').unwrap_or(389);
        let shown = uris.clone().or(hosts.clone()).unwrap_or_else(|| "localhost".to_owned());
        let servers = match uris {
            Some(uris) => uris.split_ascii_whitespace().map(ToOwned::to_owned).collect(),
            None => shown.split_ascii_whitespace().map(|host| server(host, port)).collect(),
        };
        let Some(filter) = own.text(b'k').filter(|filter| !filter.is_empty()) else {
            return Err(format!("No filter given in map {name}"));
        };
        Ok(Self {
            servers,
            shown,
            bind: bind(name, choice(b'M').as_deref(), text(b'd'), text(b'P').as_deref(), judge)?,
            base: text(b'b').unwrap_or_default(),
            scope,
            aliases,
            filter: filter.clone(),
            takes_arguments: text(b'K').is_some(),
            attributes: attributes(name, own.text(b'v'))?,
            separator: own.character(b'z'),
            names: text(b'V').and_then(|text| text.bytes().next()),
            names_only: text(b'n').is_some(),
            single: text(b'1').is_some(),
            most: number(b'Z').and_then(|n| i32::try_from(n).ok()).filter(|n| *n > 0).unwrap_or(0),
            time: seconds(b'l', TIME),
            connect: seconds(b'c', CONNECT),
        })
    }
}

/// What is wrong with `LDAPDefaultSpec` itself.
pub(crate) fn check_defaults(defaults: &Flags, unknown: &[u8]) -> Vec<String> {
    let mut told: Vec<_> =
        unknown.iter().map(|letter| format!("Illegal option {} map O LDAPDefaultSpec", char::from(*letter))).collect();
    for (letter, what) in [(b'k', "LDAP search filter"), (b'v', "requested LDAP attributes")] {
        if defaults.has(letter) {
            told.push(format!("readcf: option LDAPDefaultSpec: Do not set the {what}"));
        }
    }
    if defaults.has(b'h') && defaults.has(b'H') {
        told.push("Can not specify both an LDAP host and an LDAP URI in map O LDAPDefaultSpec".to_owned());
    }
    told
}

/// Reads `LDAPDefaultSpec`; the second value holds the letters that are no flags.
pub(crate) fn defaults(spec: &[u8]) -> (Flags, Vec<u8>) {
    flags::parse(spec, flags::LDAP)
}

fn server(host: &str, port: i64) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(name, _)| !name.contains(':') || name.ends_with(']'));
    if has_port { format!("ldap://{host}") } else { format!("ldap://{host}:{port}") }
}

fn bind(
    map: &str,
    method: Option<&str>,
    name: Option<String>,
    secret: Option<&str>,
    judge: &Judge,
) -> Result<Option<(String, String)>, String> {
    match method.map(|method| method.strip_prefix("ldap_auth_").unwrap_or(method)) {
        Some("none") => return Ok(None),
        None | Some("simple") => {}
        Some("krbv4") => return Err(format!("LDAP map {map}: Kerberos 4 is not supported")),
        Some(other) => {
            return Err(format!("Method for binding must be [none|simple|krbv4] (not {other}) in map {map}"));
        }
    }
    let password = match secret {
        None => String::new(),
        Some(path) => {
            let path = Path::new(std::ffi::OsStr::from_bytes(path.as_bytes()));
            let opened = safefile::open(path, Purpose::AuthInfo, judge);
            let text = opened.and_then(|mut opened| Ok(crate::sys::file::read_limited(&mut opened.file, SECRET)?));
            let text = text.map_err(|e| format!("LDAP map: cannot open secret {}: {e}", path.display()))?;
            let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
            String::from_utf8_lossy(line).into_owned()
        }
    };
    Ok(name.filter(|name| !name.is_empty()).map(|name| (name, password)))
}

/// Largest file with a password, bytes.
const SECRET: usize = 8192;

/// `name[:TYPE[:class|class…]]`, separated by commas.
fn attributes(map: &str, list: Option<&Bytes>) -> Result<Vec<Attribute>, String> {
    let mut found = Vec::new();
    for item in list.map(|list| list.split(|byte| *byte == b',')).into_iter().flatten() {
        let item = String::from_utf8_lossy(item.trim_ascii()).into_owned();
        let mut parts = item.splitn(3, ':');
        let name = parts.next().unwrap_or_default().trim();
        if name.is_empty() {
            continue;
        }
        let role = match parts.next().map(|role| role.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "normal") => Role::Normal,
            Some("dn") => Role::Dn,
            Some("filter") => Role::Filter,
            Some("url") => Role::Url,
            Some(other) => {
                return Err(format!("Unknown attribute type ({}) in {map}", shown(other.as_bytes())));
            }
        };
        let classes = parts.next().into_iter().flat_map(|list| list.split('|')).map(|c| c.trim().to_owned());
        let classes = classes.filter(|class| !class.is_empty()).collect();
        found.push(Attribute { name: name.to_owned(), role, classes });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(line: &str, defaults_line: &str) -> Result<Spec, String> {
        let (own, _) = flags::parse(line.as_bytes(), flags::LDAP);
        Spec::new("m", &own, &defaults(defaults_line.as_bytes()).0, &Judge::default())
    }

    #[test]
    fn flags_of_the_map_go_before_those_of_the_option() {
        let found = spec(
            "-k \"(a=%0 b)\" -v mail,x:DN:p|q,y:url -z, -s one -V: -1",
            "-H \"ldap://one ldapi://%2Fx\" -b o=x -s base -Z 5 -l 7 -k (no) -n",
        )
        .unwrap();
        assert_eq!(found.servers, ["ldap://one", "ldapi://%2Fx"]);
        assert_eq!((found.base.as_str(), found.scope, found.most), ("o=x", Scope::OneLevel, 5));
        assert_eq!((found.filter.as_ref(), found.separator, found.names), (&b"(a=%0 b)"[..], Some(b','), Some(b':')));
        assert!(found.single && found.names_only && !found.takes_arguments);
        assert_eq!(found.time, Duration::from_secs(7));
        let attribute = |name: &str, role, classes: &[&str]| Attribute {
            name: name.to_owned(),
            role,
            classes: classes.iter().map(ToString::to_string).collect(),
        };
        let wanted = [
            attribute("mail", Role::Normal, &[]),
            attribute("x", Role::Dn, &["p", "q"]),
            attribute("y", Role::Url, &[]),
        ];
        assert_eq!(found.attributes, wanted);
        assert_eq!(spec("-k x -h \"a b:1\" -p 3", "").unwrap().servers, ["ldap://a:3", "ldap://b:1"]);
        assert_eq!(spec("-k x", "").unwrap().servers, ["ldap://localhost:389"]);
    }

    #[test]
    fn faults_are_told_in_the_original_words() {
        for (line, text) in [
            ("", "No filter given in map m"),
            ("-k x -H ldap://a -h b", "Can not specify both an LDAP host and an LDAP URI in map m"),
            ("-k x -s foo", "Scope must be [base|one|sub] (not foo) in map m"),
            ("-k x -r foo", "Deref must be [never|always|search|find] (not foo) in map m"),
            ("-k x -M foo", "Method for binding must be [none|simple|krbv4] (not foo) in map m"),
            ("-k x -P /nosuch", "LDAP map: cannot open secret /nosuch: No such file or directory"),
            ("-k x -v a,b:foo", "Unknown attribute type (foo) in m"),
            ("-k x -w x", "LDAP version 0 is lower than min of 2 in map m"),
        ] {
            assert_eq!(spec(line, "").unwrap_err(), text, "{line}");
        }
        let (flags, unknown) = defaults(b"-k (a=b) -v c -Q");
        assert_eq!(
            check_defaults(&flags, &unknown),
            [
                "Illegal option Q map O LDAPDefaultSpec",
                "readcf: option LDAPDefaultSpec: Do not set the LDAP search filter",
                "readcf: option LDAPDefaultSpec: Do not set the requested LDAP attributes",
            ]
        );
    }
}
