//! Names that belong to an alias: its owner, its bare address.

use bytes::Bytes;

use crate::address::quote::quoted;

/// The key of a local user in alias databases: in quotes when an address can have it only so.
///
/// Source: observed: the original leaves quotes in keys.
pub fn key(user: &[u8]) -> Bytes {
    let is_special =
        |b: &u8| b.is_ascii_whitespace() || matches!(b, b'(' | b')' | b'<' | b'>' | b',' | b';' | b':' | b'@');
    if user.starts_with(b"\"") || !user.iter().any(is_special) {
        return Bytes::copy_from_slice(user);
    }
    quoted(user)
}

/// The alias that names the owner of a list; `None` for owners of owners.
///
/// Source: delivery.md: requests for `owner-owner` stop there, `-request` addresses have no owner.
pub fn owner_key(user: &[u8]) -> Option<Bytes> {
    let lower = user.to_ascii_lowercase();
    if lower == b"owner-owner" {
        return None;
    }
    if lower.starts_with(b"owner-") || lower.ends_with(b"-request") {
        return Some(Bytes::from_static(b"owner-owner"));
    }
    Some([&b"owner-"[..], user].concat().into())
}

/// The return address that an owner alias means: its value when that is one plain address, else its own name.
pub fn owner(key: &Bytes, value: &Bytes) -> Bytes {
    let value = value.trim_ascii();
    let is_plain = !value.is_empty()
        && !value.starts_with(b"|")
        && !value.starts_with(b"/")
        && !value.starts_with(b":")
        && !value.iter().any(|b| matches!(b, b',' | b' ' | b'\t' | b'"' | b'\n'));
    if is_plain { Bytes::copy_from_slice(value) } else { key.clone() }
}

/// An address without angle brackets, phrase and comments.
pub fn bare(address: &[u8]) -> Bytes {
    let open = address.iter().position(|b| *b == b'<');
    let close = address.iter().rposition(|b| *b == b'>');
    match (open, close) {
        (Some(open), Some(close)) if open < close => {
            Bytes::copy_from_slice(address.get(open + 1..close).unwrap_or_default().trim_ascii())
        }
        _ => Bytes::copy_from_slice(address.trim_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_one_address_or_the_alias_itself() {
        let key = owner_key(b"list").unwrap();
        assert_eq!(key, "owner-list");
        for (value, want) in
            [("carol", "carol"), ("a, b", "owner-list"), ("\"|x y\"", "owner-list"), ("", "owner-list")]
        {
            assert_eq!(owner(&key, &Bytes::copy_from_slice(value.as_bytes())), want, "{value}");
        }
        assert_eq!(owner_key(b"owner-list").unwrap(), "owner-owner");
        assert!(owner_key(b"owner-owner").is_none());
    }

    #[test]
    fn keys_are_quoted_where_addresses_are() {
        assert_eq!(key(b"joe+x"), "joe+x");
        assert_eq!(key(b"quoted name"), "\"quoted name\"");
        assert_eq!(key(b"a \"b"), "\"a \\\"b\"");
        assert_eq!(key(b"\"a b\""), "\"a b\"");
    }

    #[test]
    fn brackets_go() {
        assert_eq!(bare(b"Joe <a@b> (x)"), "a@b");
        assert_eq!(bare(b" bob "), "bob");
    }
}
