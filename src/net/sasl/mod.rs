//! SASL for both sides, by the system's library.
//!
//! In: what the configuration allows, responses of clients, challenges of servers. Out: mechanisms to offer, challenges,
//! responses, who was authenticated. Documents: RFC 4422, RFC 4954; op guide 5.6 (`AuthMechanisms`, `AuthOptions`,
//! `AuthMaxBits`, `AuthRealm`). Never: decides what an authenticated user may do (rulesets do), blocks a runtime thread.
//!
//! *Security layer*: encryption that a mechanism brings itself (DIGEST-MD5). The server takes it when the client asks for
//! it; as a client we ask for the strongest that `AuthMaxBits` allows.

mod cyrus;

use std::net::SocketAddr;

use crate::base::letters::LetterSet;
use crate::sys::sasl::{
    FORWARD_SECRECY, Judge, MUTUAL, NO_ACTIVE, NO_ANONYMOUS, NO_DICTIONARY, NO_PLAINTEXT, PASS_CREDENTIALS,
};
pub use crate::sys::sasl::{Failure, Step};

pub use cyrus::{Authenticator, ClientExchange, Exchange, Who};

/// What the configuration says.
#[derive(Clone)]
pub struct Settings {
    /// Our name (`$j`).
    pub host: String,
    /// `AuthRealm`.
    pub realm: Option<String>,
    /// `AuthMechanisms`, in the order of the offer.
    pub allowed: Vec<String>,
    /// `AuthOptions`.
    pub options: LetterSet,
    /// `AuthMaxBits`; no limit when `None`.
    pub max_bits: Option<u32>,
    /// Judges configuration files of the library.
    pub judge: Judge,
}

impl Settings {
    /// Mechanisms that are allowed when the configuration names none. Source: op guide (AuthMechanisms).
    pub const DEFAULT_MECHANISMS: &'static str = "EXTERNAL GSSAPI KERBEROS_V4 DIGEST-MD5 CRAM-MD5";

    /// `AuthOptions` as bits of the library. Under TLS a password is not in clear.
    fn flags(&self, is_encrypted: bool) -> u32 {
        let letters = self.options.iter();
        letters.fold(0, |flags, letter| {
            flags
                | match letter {
                    b'a' => NO_ACTIVE,
                    b'c' => PASS_CREDENTIALS,
                    b'd' => NO_DICTIONARY,
                    b'f' => FORWARD_SECRECY,
                    b'm' => MUTUAL,
                    b'p' if !is_encrypted => NO_PLAINTEXT,
                    b'y' => NO_ANONYMOUS,
                    _ => 0,
                }
        })
    }
}

/// What is around an exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Our end.
    pub local: Option<SocketAddr>,
    /// The other end.
    pub remote: Option<SocketAddr>,
    /// Bits of TLS; 0 without.
    pub tls_bits: u32,
    /// Subject of the client's verified certificate: it may use EXTERNAL.
    pub subject: Option<String>,
}

/// What a server offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// The library has mechanisms at all; without any there is no AUTH.
    pub is_available: bool,
    /// All of them.
    pub available: Vec<String>,
    /// Those of them that are allowed, in that order.
    pub mechanisms: Vec<String>,
}

impl Offer {
    fn new(available: Vec<String>, allowed: &[String]) -> Self {
        let has = |name: &&String| available.iter().any(|a| a.eq_ignore_ascii_case(name));
        let mechanisms = allowed.iter().filter(has).cloned().collect();
        Self { is_available: !available.is_empty(), available, mechanisms }
    }

    /// The name of a mechanism that a client asks for, when it is offered.
    pub fn find(&self, name: &[u8]) -> Option<&str> {
        self.mechanisms.iter().find(|m| m.as_bytes().eq_ignore_ascii_case(name)).map(String::as_str)
    }
}

/// Who was authenticated, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authenticated {
    /// The user whose secret was checked (`${auth_authen}`).
    pub user: Vec<u8>,
    /// `${auth_type}`.
    pub mechanism: String,
    /// Bits of the security layer (`${auth_ssf}`); 0 for none.
    pub bits: u32,
}

/// A step of a server's exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The client is to answer this.
    Challenge(Vec<u8>),
    /// It is who it says.
    Done(Authenticated),
    /// It is not, or cannot show it.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// A step of a client's exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// AUTH with this mechanism, and what is said with it.
    Begin(String, Option<Vec<u8>>),
    /// The answer to a challenge.
    Answer(Vec<u8>),
    /// Nothing can be said: no mechanism fits, or the server sent what it must not.
    Impossible(Failure),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(options: &[u8]) -> Settings {
        Settings {
            host: "mta.example.test".into(),
            realm: None,
            allowed: vec!["LOGIN".into(), "PLAIN".into(), "EXTERNAL".into()],
            options: LetterSet::from_bytes(options),
            max_bits: None,
            judge: std::sync::Arc::new(|_| true),
        }
    }

    #[test]
    fn passwords_in_clear_need_tls_only_with_p() {
        assert_eq!(settings(b"p y A").flags(false), NO_PLAINTEXT | NO_ANONYMOUS);
        assert_eq!(settings(b"p y A").flags(true), NO_ANONYMOUS);
        assert_eq!(settings(b"").flags(false), 0);
    }

    #[test]
    fn the_offer_has_the_order_of_what_is_allowed() {
        let offer = Offer::new(vec!["PLAIN".into(), "LOGIN".into(), "NTLM".into()], &settings(b"").allowed);
        assert_eq!(offer.mechanisms, ["LOGIN", "PLAIN"]);
        assert_eq!((offer.find(b"plain"), offer.find(b"NTLM")), (Some("PLAIN"), None));
        assert!(!Offer::new(Vec::new(), &settings(b"").allowed).is_available);
    }

    #[tokio::test]
    async fn a_verified_certificate_is_enough_for_external() {
        let authenticator = Authenticator::new(settings(b"y"));
        let plain = authenticator.offer(&Surroundings::default()).await.unwrap();
        assert_eq!(plain.find(b"EXTERNAL"), None);
        let around = Surroundings { tls_bits: 256, subject: Some("/CN=client".to_owned()), ..Surroundings::default() };
        assert_eq!(authenticator.offer(&around).await.unwrap().find(b"external"), Some("EXTERNAL"));
        let (exchange, answer) = authenticator.begin(&around, "EXTERNAL".to_owned(), Some(Vec::new())).await;
        let Answer::Done(who) = answer else { panic!("{answer:?}") };
        assert_eq!((who.user.as_slice(), who.mechanism.as_str(), who.bits), (&b"/CN=client"[..], "EXTERNAL", 0));
        assert!(exchange.is_some());
    }
}
