//! Alias files, flags of maps, templates, TLS options and features.

use std::sync::Arc;

use sendmail::macros::{MacroId, MacroTable, NameTable, Scope, Template, Value};
use sendmail::maps::{alias_file, flags};
use sendmail::net::tls::features;

pub fn run(bytes: &[u8]) {
    for entry in alias_file::entries(bytes) {
        let (name, value) = entry.parts();
        assert!(name.len() + value.len() <= bytes.len() + 2);
    }
    let (read, word) = flags::parse(bytes, &[]);
    let _ = (read.has(b'o'), read.text(b'a'), read.character(b'z'), read.number(b'k'), read.word());
    assert!(word.len() <= bytes.len());

    let mut names = NameTable::default();
    let mut complaints = Vec::new();
    let template = Template::parse_with(bytes, &mut names, &mut complaints);
    let source = template.source(&names);
    let again = Template::parse(&source, &mut names);
    // Other names are shown with a sign in their place.
    if bytes.is_ascii() {
        assert_eq!(again.source(&names), source, "a template that reads otherwise than it is written");
    }
    // Values that name themselves and each other.
    let mut macros = MacroTable::new();
    for letter in b"abc" {
        macros.insert(MacroId(u16::from(*letter)), Value::Template(Arc::new(template.clone())));
    }
    if template.pieces().len() < 4 {
        let _ = template.expand(&Scope::new(Arc::new(macros)));
    }
    let _ = features::options(bytes, 0);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = features::features(text);
    }
}
