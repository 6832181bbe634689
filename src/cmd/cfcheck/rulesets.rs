//! Rulesets that are called and missing, or there and never called.

use std::collections::HashSet;

use super::Context;
use super::finding::Finding;
use crate::base::table::nearest;
use crate::config::{Rule, RulesetId, Symbol};
use crate::policy::hooks::HOOKS;

/// Calls without a ruleset, and rulesets without a call.
pub(super) fn look(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let declared = declared(context);
    missing(context, &declared, findings);
    mailers(context, findings);
    unreachable(context, &declared, findings);
}

/// Rulesets that an `S` line begins.
fn declared(context: &Context<'_>) -> HashSet<RulesetId> {
    let names = context.source.of_kind(b'S').map(|line| line.text.trim_ascii());
    names.filter_map(|name| context.config.ruleset(first_word(name))).collect()
}

fn first_word(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

fn missing(context: &Context<'_>, declared: &HashSet<RulesetId>, findings: &mut Vec<Finding>) {
    let mut said = HashSet::new();
    let rulesets = &context.config.rulesets;
    for rule in rulesets.known().flat_map(|id| rulesets.rules(id)) {
        for called in calls(rule) {
            let Called::Name(name) = called else { continue };
            let is_there = context.config.ruleset(name).is_some_and(|id| declared.contains(&id));
            let Some(line) = context.source.ending_at(rule.line).filter(|_| !is_there) else { continue };
            let shown = String::from_utf8_lossy(name).into_owned();
            if said.insert(shown.clone()) {
                let place = context.source.place(line, &shown);
                findings.push(
                    Finding::new(
                        "missing-ruleset",
                        Some(place),
                        format!("ruleset {shown} is called and never declared"),
                    )
                    .fix(format!("declare it with a line \"S{shown}\", or call another")),
                );
            }
        }
    }
}

/// Mailers that rules for addresses name. What check rulesets name behind `$#` need be none; `discard` is theirs alone.
fn mailers(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let rulesets = &context.config.rulesets;
    let mut waiting = vec![RulesetId(0), RulesetId(5)];
    let (mut reached, mut said) = (HashSet::new(), HashSet::new());
    while let Some(id) = waiting.pop() {
        if !reached.insert(id) {
            continue;
        }
        for rule in rulesets.rules(id) {
            waiting.extend(calls(rule).filter_map(|called| match called {
                Called::Name(name) => context.config.ruleset(name),
                Called::Unknown => None,
            }));
            let [Symbol::Hash, Symbol::Token(name), ..] = &*rule.rhs else { continue };
            let is_there = context.config.mailer(name).is_some() || name.eq_ignore_ascii_case(ERROR_MAILER);
            let Some(line) = context.source.ending_at(rule.line).filter(|_| !is_there) else { continue };
            let shown = String::from_utf8_lossy(name).into_owned();
            if said.insert(shown.to_ascii_lowercase()) {
                let place = context.source.place(line, &shown);
                let finding = Finding::new("undeclared-mailer", Some(place), format!("mailer {shown} has no M line"));
                let known: Vec<String> =
                    context.config.mailers.iter().map(|m| String::from_utf8_lossy(&m.name).into_owned()).collect();
                if shown.eq_ignore_ascii_case("discard") {
                    findings.push(finding.fix("discard in a check_* ruleset, or name another mailer"));
                    continue;
                }
                findings.push(match nearest(&shown, known.iter().map(String::as_str)) {
                    Some(near) => finding.fix(format!("is it {near}?")),
                    None => finding.fix(format!("declare it with a line \"M{shown}, P=…\", or name another")),
                });
            }
        }
    }
}

/// What `$#` may name without an `M` line, in any case of letters.
const ERROR_MAILER: &[u8] = b"error";

fn unreachable(context: &Context<'_>, declared: &HashSet<RulesetId>, findings: &mut Vec<Finding>) {
    let rulesets = &context.config.rulesets;
    let mut waiting: Vec<RulesetId> = roots(context);
    let mut reached: HashSet<RulesetId> = HashSet::new();
    while let Some(id) = waiting.pop() {
        if !reached.insert(id) {
            continue;
        }
        for called in rulesets.rules(id).iter().flat_map(calls) {
            match called {
                Called::Name(name) => waiting.extend(context.config.ruleset(name)),
                // Which one is known at run time only: it may be any.
                Called::Unknown => return,
            }
        }
    }
    for id in declared.iter().filter(|id| !reached.contains(*id) && !rulesets.rules(**id).is_empty()) {
        let name = String::from_utf8_lossy(&rulesets.name(*id)).into_owned();
        let line = context
            .source
            .of_kind(b'S')
            .find(|line| context.config.ruleset(first_word(line.text.trim_ascii())).is_some_and(|other| other == *id));
        let place = line.map(|line| context.source.whole(line));
        findings.push(Finding::new("unreachable-ruleset", place, format!("ruleset {name} is called from nowhere")));
    }
}

/// Rulesets that the program, mailers and headers call.
fn roots(context: &Context<'_>) -> Vec<RulesetId> {
    let config = context.config;
    let own = (0..=5).map(RulesetId).chain(HOOKS.iter().filter_map(|row| config.ruleset(row.name.as_bytes())));
    let of_mailers = config.mailers.iter().flat_map(|mailer| {
        [mailer.sender.envelope, mailer.sender.header, mailer.recipient.envelope, mailer.recipient.header]
    });
    let of_headers = config.headers.iter().filter_map(|header| header.check).map(|(id, _)| id);
    own.chain(of_mailers.flatten()).chain(of_headers).collect()
}

/// A name may stand in quotes.
fn unquoted(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(name)
}

/// What stands behind a `$>`.
enum Called<'a> {
    Name(&'a [u8]),
    Unknown,
}

fn calls(rule: &Rule) -> impl Iterator<Item = Called<'_>> {
    rule.rhs.windows(2).filter_map(|pair| match pair {
        [Symbol::Call, Symbol::Token(name)] => Some(Called::Name(unquoted(name))),
        [Symbol::Call, _] => Some(Called::Unknown),
        _ => None,
    })
}
