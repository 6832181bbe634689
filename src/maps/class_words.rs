//! Classes whose words come out of a map: `F{Name}key@class:arguments`.
//!
//! The map is opened under the class's name, asked once, and closed. Source: op guide 5.3; observed (messages, exit codes,
//! words are parted by blanks).

use bytes::Bytes;

use super::ldap::schema;
use super::{Answer, MapId, MapSet, Services, classes};
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::config::diagnostic::Severity;
use crate::config::maps::MapDeclaration;
use crate::config::{ClassLookup, Config, Diagnostic, Options};

/// Adds the words to their classes; what went wrong, in the order of lines.
pub fn fill(config: &mut Config) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for lookup in std::mem::take(&mut config.class_lookups) {
        let (words, mut found) = ask(config, &lookup);
        for word in words.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            config.classes.add(lookup.class, word);
        }
        findings.append(&mut found);
        config.class_lookups.push(lookup);
    }
    findings
}

/// The value that the lookup finds, empty when it finds none.
fn ask(config: &Config, lookup: &ClassLookup) -> (Bytes, Vec<Diagnostic>) {
    let name = config.names.name(lookup.class);
    let failure = |text: String, exit| Diagnostic {
        path: Some(config.path.clone()),
        line: lookup.line,
        text,
        severity: Severity::Error,
        exit,
    };
    if classes::find(&lookup.map_class).is_none() {
        let text = format!("fileclass: F{{{}}}: class {} not available", shown(&name), shown(&lookup.map_class));
        return (Bytes::new(), vec![failure(text, Exit::SOFTWARE)]);
    }
    let lookup = &with_schema(config, lookup, &name);
    let (maps, mut findings) = MapSet::open(&with_this_map(config, lookup, &name), Services::default());
    findings.retain(|finding| finding.line == lookup.line);
    let Some(id) = maps.find(&name).filter(|id| maps.is_open(*id)) else { return (Bytes::new(), findings) };
    let answer = maps.ask_now(id, &lookup.key, &[], &mut config.scope());
    match answer.or_else(|| waited(&maps, id, &lookup.key, config)) {
        Some(Answer::Found(value)) => return (value, findings),
        Some(Answer::NotFound(_) | Answer::Instead(_)) => {}
        Some(Answer::Temporary(_)) | None => {
            findings.extend(maps.take_complaints().into_iter().map(|text| failure(text, Exit::OSERR)));
            if !lookup.optional {
                let text = format!("fileclass: F{{{}}}: map open failed", shown(&name));
                findings.push(failure(text, Exit::OSERR));
            }
        }
    }
    (Bytes::new(), findings)
}

/// The answer of a map that must wait for others. The configuration may be read where a runtime is at work already, so this
/// one has a thread of its own.
fn waited(maps: &MapSet, id: MapId, key: &[u8], config: &Config) -> Option<Answer> {
    let ask = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        Some(runtime.block_on(maps.ask(id, key, &[], &mut config.scope())))
    };
    std::thread::scope(|scope| scope.spawn(ask).join().ok().flatten())
}

/// `@LDAP` alone means the schema that comes with the original.
fn with_schema(config: &Config, lookup: &ClassLookup, name: &[u8]) -> ClassLookup {
    if lookup.map_class != "ldap" || !lookup.arguments.is_empty() {
        return lookup.clone();
    }
    ClassLookup { arguments: schema::class(config, name).into(), ..lookup.clone() }
}

/// A configuration in which that map alone is declared.
fn with_this_map(config: &Config, lookup: &ClassLookup, name: &Bytes) -> Config {
    let declaration = MapDeclaration {
        name: name.clone(),
        class: lookup.map_class.clone(),
        arguments: lookup.arguments.clone(),
        line: lookup.line,
    };
    let options = Options { alias_file: Vec::new(), ..config.options.clone() };
    Config { path: config.path.clone(), options, maps: vec![declaration], ..Config::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macros::MacroId;

    #[test]
    fn words_come_out_of_a_map_and_faults_are_placed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words");
        #[allow(clippy::disallowed_methods, reason = "the test makes the file")]
        std::fs::write(&path, "foo one two\nbar three\n").unwrap();
        let text = format!("-k0 -v1 {}", path.display());
        for (key, class, arguments, words, said) in [
            ("foo", "text", text.as_str(), 1, vec![]),
            ("nosuch", "text", text.as_str(), 0, vec![]),
            ("foo", "b@hash", "/x", 0, vec!["fileclass: F{X}: class b@hash not available"]),
            ("foo", "hash", "", 0, vec!["No file name for hash map X"]),
        ] {
            let lookup = ClassLookup {
                class: MacroId(u16::from(b'X')),
                key: Bytes::copy_from_slice(key.as_bytes()),
                map_class: Bytes::copy_from_slice(class.as_bytes()),
                arguments: Bytes::copy_from_slice(arguments.as_bytes()),
                optional: false,
                line: 7,
            };
            let mut config = Config { class_lookups: vec![lookup], ..Config::default() };
            // A folder for tests may lie below one that others write to.
            config.options.dont_blame_sendmail.0 = u64::MAX;
            let found = fill(&mut config);
            let texts: Vec<&str> = found.iter().map(|finding| finding.text.as_str()).collect();
            assert_eq!(texts, said, "{key}@{class}:{arguments}");
            assert!(found.iter().all(|finding| finding.line == 7));
            assert_eq!(config.classes.members(MacroId(u16::from(b'X'))).count(), words, "{key}");
        }
    }
}
