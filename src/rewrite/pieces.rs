//! Which parts of a result stand in it just as in the pattern, and so need not be put together.
//!
//! With the pattern `$* < @ $+ . >` the result `$1 < @ $2 . > x` is one piece of the workspace and a token.

use super::program::Piece;
use crate::config::Symbol;

/// Part of a result: places in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A symbol that is put there.
    Plain(usize),
    /// A piece of the workspace.
    Piece(Piece),
}

/// Cuts a result into parts.
pub(crate) fn parts(lhs: &[Symbol], rhs: &[Symbol]) -> Vec<Part> {
    let wildcards: Vec<usize> = (0..lhs.len()).filter(|n| lhs.get(*n).is_some_and(Symbol::is_wildcard)).collect();
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(symbol) = rhs.get(at) {
        let number = if let Symbol::Parameter(n) = symbol { usize::from(*n).checked_sub(1) } else { None };
        let place = number.and_then(|n| wildcards.get(n));
        let (Some(number), Some(place)) = (number, place) else {
            // `$0` and what is out of bounds stands for nothing.
            if !matches!(symbol, Symbol::Parameter(_)) {
                parts.push(Part::Plain(at));
            }
            at += 1;
            continue;
        };
        let free = parts.iter().rev().take_while(|part| matches!(part, Part::Plain(_))).count();
        let (piece, behind) = piece(lhs, rhs, number, *place, at, free);
        parts.truncate(parts.len() - usize::from(piece.before));
        parts.push(Part::Piece(piece));
        at = behind;
    }
    parts
}

/// The longest piece around the parameter at `at`, with `free` symbols before it, and where the result goes on.
fn piece(lhs: &[Symbol], rhs: &[Symbol], number: usize, place: usize, at: usize, free: usize) -> (Piece, usize) {
    let same = |(pattern, result): &(&Symbol, &Symbol)| pattern == result && is_exact(pattern);
    let before = lhs.get(..place).unwrap_or_default().iter().rev();
    let before = before.zip(rhs.get(..at).unwrap_or_default().iter().rev().take(free));
    let before = before.take_while(same).count();
    let (mut last, mut after, mut behind) = (number, 0, at + 1);
    for symbol in lhs.get(place + 1..).unwrap_or_default() {
        match rhs.get(behind) {
            Some(Symbol::Parameter(n)) if symbol.is_wildcard() && usize::from(*n) == last + 2 => {
                last += 1;
                after = 0;
            }
            Some(result) if same(&(symbol, result)) => after += 1,
            _ => break,
        }
        behind += 1;
    }
    let small = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
    (Piece { first: small(number), before: small(before), last: small(last), after: small(after) }, behind)
}

/// Whether what matches a symbol of a pattern is that symbol, letter case and all.
fn is_exact(symbol: &Symbol) -> bool {
    match symbol {
        Symbol::Token(text) => !text.iter().any(u8::is_ascii_alphabetic),
        Symbol::Bar | Symbol::Hash => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn symbols(text: &str) -> Vec<Symbol> {
        text.split_whitespace()
            .map(|word| match word {
                "$*" => Symbol::ZeroOrMore,
                "$@" => Symbol::At,
                "$|" => Symbol::Bar,
                _ => match word.strip_prefix('$') {
                    Some(digit) => Symbol::Parameter(digit.parse().unwrap()),
                    None => Symbol::Token(Bytes::copy_from_slice(word.as_bytes())),
                },
            })
            .collect()
    }

    #[test]
    fn what_stands_in_both_sides_is_one_piece() {
        for (lhs, rhs, shown) in [
            ("$* < @ $* . >", "$1 < @ $2 . > x", "0:0-2:1 x"),
            ("< $* > $*", "< $1 > < $2 >", "1:0-1:0 < 0:1-0:1 >"),
            ("$* @ $*", "$2 @ $1", "0:1-0:1 @ 0:0-0:0"),
            ("$* x $*", "$1 x $2", "0:0-0:0 x 0:1-0:1"),
            ("$* $| $*", "$1 $| $2 $0", "0:0-0:1"),
            ("$* $@ $*", "$1 $2", "0:0-0:0 0:1-0:1"),
            ("< @ $*", "@ $1 < @ $1", "1:0-0:0 2:0-0:0"),
            ("$* . $*", "$1 . $1", "0:0-1:0 0:0-0:0"),
            ("$* < $*", "$1 < $1 < $2", "0:0-1:0 0:0-0:1"),
            ("$* < $* < $*", "$1 < $3", "0:0-1:0 0:2-0:2"),
            ("$*", "$1 $2", "0:0-0:0"),
        ] {
            let (lhs, rhs) = (symbols(lhs), symbols(rhs));
            let words: Vec<String> = parts(&lhs, &rhs)
                .iter()
                .map(|part| match part {
                    Part::Plain(at) => match &rhs[*at] {
                        Symbol::Token(text) => String::from_utf8_lossy(text).into_owned(),
                        other => format!("{other:?}"),
                    },
                    Part::Piece(p) => format!("{}:{}-{}:{}", p.before, p.first, p.after, p.last),
                })
                .collect();
            assert_eq!(words.join(" "), shown);
        }
    }
}
