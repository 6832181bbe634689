//! Searches of `ldap` maps: the filter of a key, and what the answer of a server comes to.

use std::collections::VecDeque;

use bytes::Bytes;
use ldap3::Scope;
use ldap3::asn1::StructureTag;

use super::spec::{Attribute, Role, Spec};

/// One question to a server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Search {
    pub(crate) base: String,
    pub(crate) scope: Scope,
    pub(crate) filter: String,
    pub(crate) attributes: Vec<Attribute>,
}

/// An entry as the server sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, Vec<Vec<u8>>)>,
}

/// Searches that are to be made, and the answer as far as it has come.
#[derive(Debug)]
pub(crate) struct Collection<'s> {
    spec: &'s Spec,
    waiting: VecDeque<Search>,
    /// What was asked already, so that nothing is asked in circles.
    asked: Vec<Search>,
    text: Option<Vec<u8>>,
    entries: usize,
}

/// Most searches for one key: a directory must not keep a lookup busy for ever.
const SEARCHES: usize = 1000;

impl<'s> Collection<'s> {
    /// Begins with the search for a key.
    pub(crate) fn new(spec: &'s Spec, key: &[u8], arguments: &[Bytes]) -> Self {
        let first = Search {
            base: spec.base.clone(),
            scope: spec.scope,
            filter: filter(spec, key, arguments),
            attributes: spec.attributes.clone(),
        };
        Self { spec, waiting: [first].into(), asked: Vec::new(), text: None, entries: 0 }
    }

    /// The next search; `None` when all are made.
    pub(crate) fn next(&mut self) -> Option<Search> {
        loop {
            let search = self.waiting.pop_front()?;
            if self.asked.len() < SEARCHES && !self.asked.contains(&search) {
                self.asked.push(search.clone());
                return Some(search);
            }
        }
    }

    /// Takes what a search found.
    pub(crate) fn take(&mut self, search: &Search, entries: &[Entry]) {
        self.entries += entries.len();
        for entry in entries {
            for (name, values) in &entry.attributes {
                let Some(role) = role(&search.attributes, name, entry) else { continue };
                if role == Role::Normal {
                    self.append(name, values);
                    continue;
                }
                for value in values {
                    let value = String::from_utf8_lossy(value).into_owned();
                    self.waiting.extend(further(search, role, &value));
                }
            }
        }
    }

    /// The answer; `None` when nothing was found, or too much.
    pub(crate) fn answer(self) -> Option<Bytes> {
        if self.spec.single && self.entries > 1 { None } else { self.text.map(Bytes::from) }
    }

    fn append(&mut self, name: &str, values: &[Vec<u8>]) {
        if self.spec.names_only {
            return self.push(name.as_bytes());
        }
        for value in values {
            match self.spec.names {
                Some(between) => self.push(&[name.as_bytes(), &[between], value].concat()),
                None => self.push(value),
            }
        }
    }

    /// Without `-z` the first value is all there is.
    fn push(&mut self, value: &[u8]) {
        match (&mut self.text, self.spec.separator) {
            (None, _) => self.text = Some(value.to_vec()),
            (Some(text), Some(separator)) => {
                text.push(separator);
                text.extend_from_slice(value);
            }
            (Some(_), None) => {}
        }
    }
}

/// What an attribute of an entry is good for; nothing when it was not asked for, or the entry is of other classes.
fn role(wanted: &[Attribute], name: &str, entry: &Entry) -> Option<Role> {
    if wanted.is_empty() {
        return Some(Role::Normal);
    }
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    let row = wanted.iter().find(|attribute| is(&attribute.name) || attribute.name == "*")?;
    let classes = entry.attributes.iter().filter(|(name, _)| name.eq_ignore_ascii_case("objectClass"));
    let has = |class: &String| {
        classes.clone().flat_map(|(_, values)| values).any(|value| value.eq_ignore_ascii_case(class.as_bytes()))
    };
    (row.classes.is_empty() || row.classes.iter().any(has)).then_some(row.role)
}

/// The search that a value stands for.
fn further(search: &Search, role: Role, value: &str) -> Option<Search> {
    match role {
        Role::Normal => None,
        Role::Dn => Some(Search {
            base: value.to_owned(),
            scope: Scope::Base,
            filter: EVERYTHING.to_owned(),
            attributes: search.attributes.clone(),
        }),
        Role::Filter => {
            let filter = if value.starts_with('(') { value.to_owned() } else { format!("({value})") };
            Some(Search { filter, ..search.clone() })
        }
        Role::Url => url(value),
    }
}

const EVERYTHING: &str = "(objectClass=*)";

/// `ldap://host/base?attributes?scope?filter`; the host does not matter. Source: RFC 4516.
fn url(text: &str) -> Option<Search> {
    let (scheme, rest) = text.trim().trim_start_matches('<').trim_end_matches('>').split_once("://")?;
    if !scheme.to_ascii_lowercase().starts_with("ldap") {
        return None;
    }
    let (_, path) = rest.split_once('/')?;
    let mut parts = path.split('?').map(unescaped);
    let base = parts.next()?;
    let attributes = parts.next().unwrap_or_default();
    let scope = match parts.next().unwrap_or_default().as_str() {
        "one" => Scope::OneLevel,
        "sub" => Scope::Subtree,
        _ => Scope::Base,
    };
    let filter = parts.next().filter(|filter| !filter.is_empty()).unwrap_or_else(|| EVERYTHING.to_owned());
    let names = attributes.split(',').filter(|name| !name.is_empty());
    let attributes =
        names.map(|name| Attribute { name: name.to_owned(), role: Role::Normal, classes: Vec::new() }).collect();
    Some(Search { base, scope, filter, attributes })
}

fn unescaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        let digits = behind.get(..2).filter(|_| *byte == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(value) => {
                out.push(value);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => out.push(*byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The filter with the key and arguments put in: `%0` and `%1` to `%9` escaped, `%s` as it is.
fn filter(spec: &Spec, key: &[u8], arguments: &[Bytes]) -> String {
    let mut out = String::new();
    let mut bytes = spec.filter.iter().copied().peekable();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        let follows = bytes.peek().copied().filter(|_| byte == b'%');
        let put = match follows {
            Some(b's') => String::from_utf8_lossy(key).into_owned(),
            Some(b'0') => escaped(key),
            Some(b'%') => "%".to_owned(),
            Some(digit @ b'1'..=b'9') if spec.takes_arguments => {
                arguments.get(usize::from(digit - b'1')).map(|argument| escaped(argument)).unwrap_or_default()
            }
            _ => {
                plain.push(byte);
                continue;
            }
        };
        out.push_str(&String::from_utf8_lossy(&std::mem::take(&mut plain)));
        out.push_str(&put);
        bytes.next();
    }
    out.push_str(&String::from_utf8_lossy(&plain));
    let out = out.trim().to_owned();
    if out.starts_with('(') { out } else { format!("({out})") }
}

/// A text that means itself within a filter. Source: RFC 4515 §3.
fn escaped(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text {
        match byte {
            b'*' | b'(' | b')' | b'\\' | 0..=31 | 127.. => {
                out.push('\\');
                out.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')));
            }
            other => out.push(char::from(*other)),
        }
    }
    out
}

/// Reads an entry in the order of the server; `None` for what is none.
///
/// Shape: `[APPLICATION 4] { name, { { type, { value … } } … } }`. Source: RFC 4511 §4.5.2.
pub(crate) fn entry(tag: StructureTag) -> Option<Entry> {
    let mut parts = tag.match_id(4)?.expect_constructed()?.into_iter();
    let text = |tag: StructureTag| tag.expect_primitive().map(|raw| String::from_utf8_lossy(&raw).into_owned());
    let name = text(parts.next()?)?;
    let mut attributes = Vec::new();
    for attribute in parts.next()?.expect_constructed()? {
        let mut parts = attribute.expect_constructed()?.into_iter();
        let name = text(parts.next()?)?;
        let values = parts.next()?.expect_constructed()?;
        attributes.push((name, values.into_iter().filter_map(StructureTag::expect_primitive).collect()));
    }
    Some(Entry { name, attributes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::flags;
    use crate::sys::safefile::Judge;

    fn spec(line: &str) -> Spec {
        let (own, _) = flags::parse(line.as_bytes(), flags::LDAP);
        Spec::new("m", &own, &flags::parse(b"-b o=test", flags::LDAP).0, &Judge::default()).unwrap()
    }

    fn entry(rows: &[(&str, &[&str])]) -> Entry {
        let values = |values: &[&str]| values.iter().map(|value| value.as_bytes().to_vec()).collect();
        let attributes = rows.iter().map(|(name, list)| ((*name).to_owned(), values(list))).collect();
        Entry { name: "o=x".to_owned(), attributes }
    }

    fn answer(line: &str, entries: &[Entry]) -> Option<String> {
        let spec = spec(line);
        let mut collection = Collection::new(&spec, b"key", &[]);
        let search = collection.next().unwrap();
        collection.take(&search, entries);
        collection.answer().map(|text| String::from_utf8_lossy(&text).into_owned())
    }

    #[test]
    fn keys_are_escaped_where_they_are_data() {
        for (filter_text, key, arguments, wanted) in [
            ("-k (uid=%0)", "a*(b)\\", &[][..], "(uid=a\\2a\\28b\\29\\5c)"),
            ("-k (uid=%s)", "a*", &[], "(uid=a*)"),
            ("-k uid=%0", "\u{e4}", &[], "(uid=\\c3\\a4)"),
            ("-k (a=%1%%)", "k", &["x"], "(a=%1%)"),
            ("-K -k (&(a=%1)(b=%2)(c=%0))", "k", &["x*"], "(&(a=x\\2a)(b=)(c=k))"),
        ] {
            let arguments: Vec<Bytes> = arguments.iter().map(|a| Bytes::from((*a).to_owned())).collect();
            assert_eq!(filter(&spec(filter_text), key.as_bytes(), &arguments), wanted, "{filter_text}");
        }
    }

    #[test]
    fn answers_are_those_of_the_original() {
        let alice = entry(&[("objectClass", &["top", "person"]), ("cn", &["A"]), ("mail", &["a@a", "a@b"])]);
        let bob = entry(&[("mail", &["b@b"])]);
        for (line, entries, wanted) in [
            ("-k x -v mail", &[alice.clone()][..], Some("a@a")),
            ("-k x -v mail -z,", &[alice.clone(), bob.clone()], Some("a@a,a@b,b@b")),
            ("-k x -v mail,cn -z, -n", std::slice::from_ref(&alice), Some("cn,mail")),
            ("-k x -v mail,cn -z, -V=", std::slice::from_ref(&alice), Some("cn=A,mail=a@a,mail=a@b")),
            ("-k x -1 -v mail -z,", std::slice::from_ref(&alice), Some("a@a,a@b")),
            ("-k x -1 -v mail -z,", &[alice.clone(), bob.clone()], None),
            ("-k x -v mail:normal:PERSON -z,", &[alice.clone(), bob.clone()], Some("a@a,a@b")),
            ("-k x -v sn", std::slice::from_ref(&alice), None),
        ] {
            assert_eq!(answer(line, entries).as_deref(), wanted, "{line}");
        }
    }

    #[test]
    fn values_lead_to_further_searches_once() {
        let spec = spec("-k (cn=%0) -z, -v mail,member:DN,f:FILTER,u:URL");
        let mut collection = Collection::new(&spec, b"l", &[]);
        let first = collection.next().unwrap();
        let url = "ldap://h/ou=p%2Co=t?mail?sub?(uid=z)";
        let found = entry(&[("member", &["uid=a", "uid=a"]), ("f", &["(uid=b)", "cn=l"]), ("u", &[url, "x"])]);
        collection.take(&first, &[found]);
        let mut asked = Vec::new();
        while let Some(search) = collection.next() {
            asked.push(format!("{} {:?} {}", search.base, search.scope, search.filter));
        }
        // The filter that was the first search is not asked again.
        let wanted = ["uid=a Base (objectClass=*)", "o=test Subtree (uid=b)", "ou=p,o=t Subtree (uid=z)"];
        assert_eq!(asked, wanted);
    }
}
