//! Whether one pattern matches all that another matches.

use crate::config::Symbol;

/// Whether every workspace that `special` matches is matched by `general`, as far as it can be proven from the two alone.
///
/// Equal patterns cover each other. Otherwise `general` may hold tokens, `$*`, `$+` and `$-` only: a part of `special` is
/// then an unknown run of tokens with a known least length, and the runs are parted among the operators.
/// Never: says yes where a class or a macro at run time decides.
pub(super) fn covers(general: &[Symbol], special: &[Symbol]) -> bool {
    if general == special {
        return true;
    }
    let plain = |symbol: &Symbol| {
        matches!(symbol, Symbol::Token(_) | Symbol::ZeroOrMore | Symbol::OneOrMore | Symbol::One | Symbol::Bar)
    };
    let known = |symbol: &Symbol| plain(symbol) || matches!(symbol, Symbol::InClass(_) | Symbol::NotInClass(_));
    general.iter().all(plain) && special.iter().all(known) && parted(general, special)
}

fn parted(general: &[Symbol], special: &[Symbol]) -> bool {
    let Some((operator, rest)) = general.split_first() else { return special.is_empty() };
    match operator {
        Symbol::ZeroOrMore => (0..=special.len()).any(|n| parted(rest, special.get(n..).unwrap_or_default())),
        Symbol::OneOrMore => (1..=special.len()).any(|n| {
            let (run, left) = special.split_at(n);
            run.iter().any(|symbol| *symbol != Symbol::ZeroOrMore) && parted(rest, left)
        }),
        _ => {
            let Some((first, left)) = special.split_first() else { return false };
            let same = match (operator, first) {
                (Symbol::One, Symbol::One | Symbol::Token(_) | Symbol::Bar) => true,
                (Symbol::Token(one), Symbol::Token(other)) => one.eq_ignore_ascii_case(other),
                (one, other) => one == other,
            };
            same && parted(rest, left)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macros::MacroId;

    fn symbols(text: &str) -> Vec<Symbol> {
        text.split(' ')
            .filter(|word| !word.is_empty())
            .map(|word| match word {
                "$*" => Symbol::ZeroOrMore,
                "$+" => Symbol::OneOrMore,
                "$-" => Symbol::One,
                "$=w" => Symbol::InClass(MacroId(119)),
                token => Symbol::Token(token.to_owned().into()),
            })
            .collect()
    }

    #[test]
    fn a_general_pattern_covers_special_ones() {
        for (general, special, covered) in [
            ("$*", "a @ b", true),
            ("$*", "", true),
            ("$+", "", false),
            ("$+", "$*", false),
            ("$+", "$* a", true),
            ("$+ @ $+", "$- @ $=w", true),
            ("$+ @ $+", "$* @ $+", false),
            ("$- @ $+", "$+ @ $+", false),
            ("$*", "$* < $+ >", true),
            ("A @ $*", "a @ b", true),
            ("$* @ $*", "a", false),
            ("$=w", "$=w", true),
            ("$* $=w", "$=w", false),
            ("$* . $*", "$* . $* . $*", true),
        ] {
            assert_eq!(covers(&symbols(general), &symbols(special)), covered, "{general} over {special}");
        }
    }
}
