//! Names that a certificate of a mail host may have.

use std::net::IpAddr;

use super::Error;

/// Whether a name is an address, or a domain name as peers will look for it.
///
/// Shape: labels of letters, digits and hyphens, two at least, none longer than 63, 253 bytes in all; the first may be `*`.
/// Source: RFC 1123 §2.1, RFC 6125 §6.4.3.
pub(super) fn check(name: &str) -> Result<(), Error> {
    let wrong = |why: &str| Err(Error::Missing(format!("{name:?} is no name of a host: {why}")));
    if name.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    if !name.is_ascii() {
        return wrong("write the form that DNS has, with xn--");
    }
    if name.contains('@') || name.contains('/') || name.contains(':') {
        return wrong("no address, no URL, no port; the name alone");
    }
    if name.len() > LONGEST_NAME {
        return wrong("it is too long");
    }
    let labels: Vec<&str> = name.split('.').collect();
    if labels.len() < 2 {
        return wrong("a name with its domain is needed");
    }
    let numeric = labels.last().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    let labels =
        if labels.first() == Some(&"*") && labels.len() > 2 { labels.get(1..).unwrap_or_default() } else { &labels };
    if numeric || !labels.iter().all(|label| is_label(label)) {
        return wrong("labels of letters, digits and hyphens between dots are needed");
    }
    Ok(())
}

fn is_label(label: &str) -> bool {
    let allowed = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    allowed && !label.is_empty() && label.len() <= LONGEST_LABEL && !label.starts_with('-') && !label.ends_with('-')
}

const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts_are_told_from_others() {
        let long = format!("{}.test", "a".repeat(64));
        for name in
            ["mx.example.org", "MX-1.example.org", "*.example.org", "192.0.2.1", "2001:db8::1", "xn--mller-kva.example"]
        {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "mx",
            "mx..org",
            ".example.org",
            "mx.example.org.",
            "mx example.org",
            "me@example.org",
            "*.org",
            "a.*.org",
            "https://mx.example.org",
            "mx.example.org:25",
            "-a.example.org",
            "a-.example.org",
            "m_x.example.org",
            "m\u{fc}ller.example",
            "192.0.2.300",
            "a\nb.example.org",
            &long,
        ] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
