//! AUTH: who we are for a server, and which mechanisms may be tried.

use crate::base::base64;
use crate::net::sasl::Who;

/// Who we are for a server, from the `authinfo` ruleset or `DefaultAuthInfo`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// `U:`, the user to act for; empty for the authenticated one.
    pub user: Vec<u8>,
    /// `I:`, the user who authenticates.
    pub identity: Vec<u8>,
    /// `P:`.
    pub password: Vec<u8>,
    /// `R:`.
    pub realm: Vec<u8>,
    /// `M:`, mechanisms to choose from, blank separated; empty for any.
    pub mechanisms: Vec<u8>,
}

/// As whom to log in cannot be said now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotNow;

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl Credentials {
    /// Mechanisms to try: those of the server that the credentials name, else that are allowed.
    pub fn candidates(&self, offered: &[String], allowed: &[String]) -> Vec<String> {
        let named = String::from_utf8_lossy(&self.mechanisms).into_owned();
        let named: Vec<&str> = named.split_ascii_whitespace().collect();
        let wanted = |name: &String| {
            if named.is_empty() {
                allowed.iter().any(|w| w.eq_ignore_ascii_case(name))
            } else {
                named.iter().any(|w| w.eq_ignore_ascii_case(name))
            }
        };
        offered.iter().filter(|name| wanted(name)).cloned().collect()
    }

    /// What the library asks for; each name stands in for the other. Source: observed (auth/client).
    pub fn who(&self) -> Who {
        let or = |first: &Vec<u8>, second: &Vec<u8>| if first.is_empty() { second.clone() } else { first.clone() };
        Who {
            user: or(&self.user, &self.identity),
            identity: or(&self.identity, &self.user),
            password: self.password.clone(),
            realm: self.realm.clone(),
        }
    }
}

/// The AUTH command, with what is said at once; an empty first response is `=`.
pub fn command(mechanism: &str, first: Option<&[u8]>) -> String {
    match first {
        None => format!("AUTH {mechanism}"),
        Some(b"") => format!("AUTH {mechanism} ="),
        Some(response) => format!("AUTH {mechanism} {}", base64::encode(response)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_narrow_what_is_tried() {
        let offered = ["DIGEST-MD5".to_owned(), "plain".to_owned(), "LOGIN".to_owned()];
        let allowed = ["DIGEST-MD5".to_owned(), "CRAM-MD5".to_owned()];
        let mut who = Credentials { user: b"u".into(), ..Credentials::default() };
        assert_eq!(who.candidates(&offered, &allowed), ["DIGEST-MD5"]);
        who.mechanisms = b"CRAM-MD5 LOGIN PLAIN".into();
        assert_eq!(who.candidates(&offered, &allowed), ["plain", "LOGIN"]);
        assert_eq!(who.who().identity, b"u");
    }

    #[test]
    fn the_command_says_what_there_is() {
        assert_eq!(command("LOGIN", None), "AUTH LOGIN");
        assert_eq!(command("EXTERNAL", Some(b"")), "AUTH EXTERNAL =");
        let first = b"smtpuser\0smtpuser\0pass word";
        assert_eq!(command("PLAIN", Some(first)), "AUTH PLAIN c210cHVzZXIAc210cHVzZXIAcGFzcyB3b3Jk");
    }
}
