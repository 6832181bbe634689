//! AUTH: mechanisms that need no library.

use std::fmt::Write as _;

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

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// A mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// User and password in turn.
    Login,
}

impl Mechanism {
    /// The first of ours that the server offers and the credentials allow.
    pub fn choose(offered: &[String], credentials: &Credentials) -> Option<Self> {
        let allowed = |name: &str| {
            let mut words = credentials.mechanisms.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).peekable();
            words.peek().is_none() || words.any(|w| w.eq_ignore_ascii_case(name.as_bytes()))
        };
        [Self::Plain, Self::Login]
            .into_iter()
            .find(|m| offered.iter().any(|o| o.eq_ignore_ascii_case(m.name())) && allowed(m.name()))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }

    /// The AUTH command, with the first response where the mechanism has one.
    pub fn command(self, credentials: &Credentials) -> String {
        match self {
            Self::Login => "AUTH LOGIN".to_owned(),
            Self::Plain => {
                // Source: observed (auth/client): the user to act for is given even when it is the same.
                let user = if credentials.user.is_empty() { &credentials.identity } else { &credentials.user };
                let response = [user, credentials.authenticating(), &credentials.password].map(Vec::as_slice).join(&0);
                format!("AUTH PLAIN {}", base64(&response))
            }
        }
    }

    /// The answer to the challenge number `step` (from 0); `None` when none is expected.
    pub fn answer(self, step: usize, credentials: &Credentials) -> Option<String> {
        match (self, step) {
            (Self::Login, 0) => Some(base64(credentials.authenticating())),
            (Self::Login, 1) => Some(base64(&credentials.password)),
            _ => None,
        }
    }
}

impl Credentials {
    fn authenticating(&self) -> &Vec<u8> {
        if self.identity.is_empty() { &self.user } else { &self.identity }
    }
}

/// Source: RFC 4648 §4.
fn base64(data: &[u8]) -> String {
    let mut out = String::with_capacity(data.len().div_ceil(3) * 4);
    for chunk in data.chunks(3) {
        let mut three = [0; 3];
        three.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for n in 0..4 {
            let letter = ALPHABET.get((bits >> (18 - 6 * n) & 63) as usize).copied().unwrap_or(b'=');
            let _ = out.write_char(if n <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_those_of_the_original() {
        let who = Credentials {
            user: b"smtpuser".into(),
            identity: b"smtpuser".into(),
            password: b"pass word".into(),
            ..Credentials::default()
        };
        let offered = ["DIGEST-MD5".to_owned(), "plain".to_owned(), "LOGIN".to_owned()];
        assert_eq!(Mechanism::choose(&offered, &who), Some(Mechanism::Plain));
        let login = Credentials { mechanisms: b"CRAM-MD5 LOGIN".into(), ..who.clone() };
        assert_eq!(Mechanism::choose(&offered, &login), Some(Mechanism::Login));
        assert_eq!(Mechanism::choose(&["CRAM-MD5".to_owned()], &who), None);
        assert_eq!(Mechanism::Plain.command(&who), "AUTH PLAIN c210cHVzZXIAc210cHVzZXIAcGFzcyB3b3Jk");
        assert_eq!(Mechanism::Login.answer(1, &who).as_deref(), Some("cGFzcyB3b3Jk"));
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
