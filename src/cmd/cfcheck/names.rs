//! Macros and classes that are used and never defined.

use std::collections::HashSet;

use super::Context;
use super::finding::Finding;
use super::references::{self, Use};
use crate::config::Symbol;
use crate::macros::names;

/// Names the first use of each.
pub(super) fn look(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let defined = Defined::of(context);
    let mut said: HashSet<(bool, Vec<u8>)> = HashSet::new();
    for line in &context.source.lines {
        for reference in references::scan(&line.text) {
            let is_class = reference.what == Use::Class;
            let known = match reference.what {
                Use::Test => continue,
                Use::Class => defined.classes.contains(&reference.name),
                Use::Macro => defined.macros.contains(&reference.name),
            };
            if known || !said.insert((is_class, reference.name.clone())) {
                continue;
            }
            let place = Some(context.source.place(line, &reference.shown));
            let name = String::from_utf8_lossy(&reference.name).into_owned();
            let braced = if reference.name.len() == 1 { name.clone() } else { format!("{{{name}}}") };
            findings.push(if is_class {
                Finding::new("undefined-class", place, format!("class {name} is used and never defined"))
                    .fix(format!("define it with a C{braced} or F{braced} line"))
            } else {
                Finding::new("undefined-macro", place, format!("macro {name} is used and never defined"))
                    .fix(format!("define it with a D{braced} line"))
            });
        }
    }
}

/// What is defined somewhere, by the file or by the program.
struct Defined {
    macros: HashSet<Vec<u8>>,
    classes: HashSet<Vec<u8>>,
}

impl Defined {
    fn of(context: &Context<'_>) -> Self {
        let own = names::SHORT.iter().chain(names::LONG).map(|row| row.name.as_bytes().to_vec());
        let mut macros: HashSet<Vec<u8>> = own.collect();
        let mut classes: HashSet<Vec<u8>> = CLASSES.iter().map(|name| name.as_bytes().to_vec()).collect();
        for line in &context.source.lines {
            let into = match line.kind {
                b'D' => &mut macros,
                b'C' | b'F' => &mut classes,
                _ => continue,
            };
            if let Some((name, _)) = references::name(&line.text) {
                into.insert(name);
            }
        }
        if context.source.is_made_by_library() {
            macros.extend(LIBRARY_MACROS.iter().map(|name| name.as_bytes().to_vec()));
            classes.extend(LIBRARY_CLASSES.iter().map(|name| name.as_bytes().to_vec()));
        }
        macros.extend(set_by_rules(context));
        macros.extend(tested(context));
        Self { macros, classes }
    }
}

/// Names that rules give to maps as keys: a map of class `macro` sets the macro `{Name}`.
fn set_by_rules(context: &Context<'_>) -> HashSet<Vec<u8>> {
    let mut found = HashSet::new();
    let rulesets = &context.config.rulesets;
    for rule in rulesets.known().flat_map(|id| rulesets.rules(id)) {
        for symbol in rule.rhs.iter() {
            let Symbol::Token(token) = symbol else { continue };
            let name = token.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")).unwrap_or(token);
            found.insert(name.to_vec());
        }
    }
    found
}

/// Names that are asked for with `$?x`: whoever asks knows that they may be unset.
fn tested(context: &Context<'_>) -> HashSet<Vec<u8>> {
    let references = context.source.lines.iter().flat_map(|line| references::scan(&line.text));
    references.filter(|reference| reference.what == Use::Test).map(|reference| reference.name).collect()
}

/// Classes that the program has. Source: op guide 5.3; observed.
static CLASSES: &[&str] = &[
    "b",
    "cert_altnames",
    "checkMIMEFieldHeaders",
    "checkMIMEHeaders",
    "checkMIMETextHeaders",
    "e",
    "k",
    "m",
    "n",
    "persistentMacros",
    "q",
    "s",
    "t",
    "w",
];

/// Macros that files of the configuration library use whether or not a feature has set them. Source: observed.
static LIBRARY_MACROS: &[&str] = &["H", "U", "V", "W", "X", "Y"];

/// The same for classes.
static LIBRARY_CLASSES: &[&str] =
    &["Canonify", "E", "L", "LDAPRouteEquiv", "M", "N", "TrustAuthMech", "U", "V", "VirtHost", "W", "X", "Y", "Z"];
