//! Rules that can never match, because an earlier one takes all that they could take.

use super::Context;
use super::finding::Finding;
use super::pattern::covers;
use crate::address::scan::{self, Alphabet, Mode};
use crate::config::{Rule, Symbol};

/// Each rule by itself, and beside those before it.
pub(super) fn look(context: &Context<'_>, findings: &mut Vec<Finding>) {
    impossible(context, findings);
    let rulesets = &context.config.rulesets;
    for id in rulesets.known() {
        let rules = rulesets.rules(id);
        for (at, rule) in rules.iter().enumerate() {
            let Some(earlier) = rules.get(..at).and_then(|before| shadow(before, rule)) else { continue };
            let Some(line) = context.source.ending_at(rule.line) else { continue };
            let pattern = line.text.split(|b| *b == b'\t').next().unwrap_or_default();
            if context.source.is_made_by_library() && LIBRARY.iter().any(|known| known.as_bytes() == pattern) {
                continue;
            }
            let place = context.source.place(line, &format!("R{}", String::from_utf8_lossy(pattern)));
            let text = format!("this rule can never match: the rule of line {} takes all of it", earlier.line);
            findings
                .push(Finding::new("shadowed-rule", Some(place), text).fix("move it before that rule, or take it out"));
        }
    }
}

/// Tokens that no workspace holds: read under other operator characters than those that workspaces are cut by.
fn impossible(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let alphabet = Alphabet::new(&context.config.options.operator_chars);
    let rulesets = &context.config.rulesets;
    for rule in rulesets.known().flat_map(|id| rulesets.rules(id)) {
        for symbol in rule.lhs.iter() {
            let Symbol::Token(token) = symbol else { continue };
            let tokens =
                scan::prescan(token, &alphabet, Mode::Rule, None).map_or(1, |scanned| scanned.tokens.iter().count());
            let Some(line) = context.source.ending_at(rule.line).filter(|_| tokens > 1) else { continue };
            let shown = String::from_utf8_lossy(token).into_owned();
            let place = context.source.place(line, &shown);
            findings.push(
                Finding::new("impossible-token", Some(place), format!("\"{shown}\" is {tokens} tokens in a workspace"))
                    .fix("set OperatorChars before the first rule"),
            );
        }
    }
}

/// The earlier rule that leaves nothing for `rule`.
///
/// A rule that ends the ruleset when it matches takes all of its workspaces away, as long as no rule between the two changes the
/// workspace. A rule that is repeated until it matches no more leaves nothing to the very next one.
fn shadow<'r>(before: &'r [Rule], rule: &Rule) -> Option<&'r Rule> {
    if is_unreadable(rule) {
        return None;
    }
    let mut is_next = true;
    for earlier in before.iter().rev() {
        if is_unreadable(earlier) {
            return None;
        }
        let repeats = is_next && !matches!(earlier.rhs.first(), Some(Symbol::Colon));
        if (ends(earlier) || repeats) && covers(&earlier.lhs, &rule.lhs) {
            return Some(earlier);
        }
        if !ends(earlier) {
            return None;
        }
        is_next = false;
    }
    None
}

/// Whether a rule that matches is the last one of its ruleset: `$@` in front, or a mailer.
fn ends(rule: &Rule) -> bool {
    matches!(rule.rhs.first(), Some(Symbol::At | Symbol::Hash))
}

/// A rule that the reader complained about says nothing about others.
fn is_unreadable(rule: &Rule) -> bool {
    rule.lhs.is_empty() || rule.rhs.is_empty()
}

/// Rules of the configuration library that can never match and that nobody need mend. Source: observed.
static LIBRARY: &[&str] = &["<?> $*", "<> <> <$+> <$+ + $* @ $+> <>"];

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(line: u32, lhs: &[Symbol], rhs: &[Symbol]) -> Rule {
        Rule { line, lhs: lhs.into(), rhs: rhs.into() }
    }

    #[test]
    fn only_what_cannot_change_hides_a_rule() {
        use Symbol::{At, Colon, OneOrMore, ZeroOrMore};
        let token = |text: &str| Symbol::Token(text.to_owned().into());
        let a = rule(9, &[token("a")], &[token("b")]);
        let all_end = rule(1, &[ZeroOrMore], &[At, token("x")]);
        let changes = rule(2, &[token("b")], &[Colon, token("a")]);
        let returns = rule(2, &[token("b")], &[At, token("a")]);
        let once = rule(3, &[OneOrMore], &[Colon, token("a")]);
        let repeated = rule(3, &[token("a")], &[token("c")]);
        for (before, hidden) in [
            (vec![all_end.clone()], Some(1)),
            (vec![all_end.clone(), returns], Some(1)),
            (vec![all_end, changes.clone()], None),
            (vec![once], None),
            (vec![repeated.clone()], Some(3)),
            (vec![repeated, changes], None),
        ] {
            assert_eq!(shadow(&before, &a).map(|rule| rule.line), hidden, "{before:?}");
        }
    }
}
