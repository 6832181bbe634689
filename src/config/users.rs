//! Users and groups in values: `user`, `user:group`, names or numbers.
//!
//! What begins with a digit is a number, whatever follows it: `8x` is user 8, `0x8` as well. Source: observed.

use super::reader::Reader;
use super::values::UserSpec;

impl Reader<'_> {
    /// `user`, `user:group`, `user.group`, `user/group`; complains as `label: unknown user x`.
    pub(super) fn user_spec(&mut self, value: &[u8], label: &str) -> Option<UserSpec> {
        let end = value.iter().position(|b| matches!(b, b':' | b'.' | b'/')).unwrap_or(value.len());
        let (user, rest) = value.split_at_checked(end)?;
        let group = rest.get(1..).unwrap_or_default().trim_ascii();
        let number = number(user);
        let account = match number {
            Some(number) => self.outside.user_by_number(number),
            None => self.outside.user(user),
        };
        let mut spec = match (account, number) {
            (Some(account), _) => UserSpec { uid: account.uid, gid: account.gid, name: Some(account.name) },
            (None, Some(uid)) => UserSpec { uid, gid: self.config.options.default_user.gid, name: None },
            (None, None) => {
                self.error(format!("{label}: unknown user {}", shown(user)));
                return None;
            }
        };
        if !group.is_empty() {
            spec.gid = self.group(group, label)?;
        }
        Some(spec)
    }

    /// A user; the whole of `value` is the name.
    pub(super) fn user_alone(&mut self, value: &[u8], label: &str) -> Option<u32> {
        let found = number(value).or_else(|| self.outside.user(value).map(|account| account.uid));
        if found.is_none() {
            self.error(format!("{label}: unknown user {}", shown(value)));
        }
        found
    }

    /// A group; the whole of `name` is its name.
    pub(super) fn group(&mut self, name: &[u8], label: &str) -> Option<u32> {
        let found = number(name).or_else(|| self.outside.group(name));
        if found.is_none() {
            self.error(format!("{label}: unknown group {}", shown(name)));
        }
        found
    }
}

/// The number that text stands for when it begins with a digit: decimal, `0x` hexadecimal, `0` octal.
fn number(text: &[u8]) -> Option<u32> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let (digits, base) = match text {
        [b'0', b'x' | b'X', rest @ ..] if rest.first().is_some_and(u8::is_ascii_hexdigit) => (rest, 16),
        [b'0', rest @ ..] => (rest, 8),
        digits => (digits, 10),
    };
    let values = digits.iter().map_while(|b| char::from(*b).to_digit(base));
    Some(values.fold(0u32, |n, digit| n.wrapping_mul(base).wrapping_add(digit)))
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_with_a_digit_and_end_where_digits_end() {
        for (text, value) in [
            ("8", Some(8)),
            ("8x", Some(8)),
            ("0x8", Some(8)),
            ("010", Some(8)),
            ("0", Some(0)),
            ("4294967296", Some(0)),
            ("-1", None),
            ("mail", None),
            ("", None),
        ] {
            assert_eq!(number(text.as_bytes()), value, "{text}");
        }
    }
}
