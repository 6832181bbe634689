//! Class `arith`: the key is the operator, the arguments are the numbers.

use bytes::Bytes;

use crate::base::exit::Exit;

use super::answer::Answer;

/// Computes; a result that is no number (division by zero, overflow) and an unknown operator are misses.
///
/// Source: observed: 64 bits, numbers as strtol(3) reads them with any prefix, junk counts as 0; fewer than two arguments
/// give EX_CONFIG. `r` draws a number from both bounds and those between.
pub(crate) fn compute(operator: &[u8], args: &[Bytes]) -> Answer {
    let [left, right, ..] = args else { return Answer::NotFound(Exit::CONFIG) };
    let (a, b) = (number(left), number(right));
    let result = match operator.first() {
        Some(b'+') => Some(a.wrapping_add(b)),
        Some(b'-') => Some(a.wrapping_sub(b)),
        Some(b'*') => Some(a.wrapping_mul(b)),
        Some(b'/') => a.checked_div(b),
        Some(b'%') => a.checked_rem(b),
        Some(b'|') => Some(a | b),
        Some(b'&') => Some(a & b),
        Some(b'l') => return truth(a < b),
        Some(b'=') => return truth(a == b),
        Some(b'r') => Some(random(a, b)),
        _ => None,
    };
    result.map_or(Answer::MISS, |n| Answer::Found(n.to_string().into()))
}

fn truth(value: bool) -> Answer {
    Answer::Found(Bytes::from_static(if value { b"TRUE" } else { b"FALSE" }))
}

fn random(a: i64, b: i64) -> i64 {
    let (low, high) = (a.min(b), a.max(b));
    let mut raw = [0; 8];
    crate::sys::posix::random(&mut raw);
    let range = i128::from(high) - i128::from(low) + 1;
    let offset = i128::from(u64::from_ne_bytes(raw)) % range;
    i64::try_from(i128::from(low) + offset).unwrap_or(low)
}

/// A number with a C prefix: `0x`, `0`, none.
fn number(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let (base, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', rest @ ..] => (8, rest),
        other => (10, other),
    };
    let digits = digits.iter().map_while(|byte| char::from(*byte).to_digit(base));
    let value = digits.fold(0i64, |n, d| n.saturating_mul(i64::from(base)).saturating_add(i64::from(d)));
    if negative { value.saturating_neg() } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_give_numbers_or_truth() {
        for (operator, a, b, value) in [
            ("+", "0x10", "010", Some("24")),
            ("+", "1", "x", Some("1")),
            ("-", "1", "5", Some("-4")),
            ("/", "7", "2", Some("3")),
            ("/", "7", "0", None),
            ("%", "7", "0", None),
            ("l", "1", "2", Some("TRUE")),
            ("=", "1", "2", Some("FALSE")),
            ("r", "5", "5", Some("5")),
            ("?", "5", "5", None),
        ] {
            let args = [Bytes::from(a), Bytes::from(b)];
            let expected = value.map_or(Answer::MISS, |v| Answer::Found(v.into()));
            assert_eq!(compute(operator.as_bytes(), &args), expected, "{operator} {a} {b}");
        }
        assert_eq!(compute(b"+", &[]), Answer::NotFound(Exit::CONFIG));
    }
}
