//! AUTH.

use bytes::Bytes;

use super::counters::MOST_AUTH;
use super::session::{Action, Input, Session, Step};
use crate::base::base64;
use crate::base::bytes::shown;
use crate::base::status::Status;
use crate::log::{Level, Priority, line};
use crate::macros::names;
use crate::net::sasl::{Answer, Authenticated, Offer};

/// Where AUTH stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// The library is asked.
    Asked,
    /// The client is to answer.
    Challenged,
    /// The security layer is switched on.
    Securing,
}

/// An AUTH command under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Auth {
    /// As the client wrote it.
    mechanism: String,
    at: At,
    /// Whom the client says it is, for the log; `None` before its first response.
    claimed: Option<Bytes>,
}

impl Session {
    /// What the library offers under the present circumstances; asked anew after STARTTLS.
    pub fn set_mechanisms(&mut self, offer: Offer) {
        self.mechanisms = offer;
    }

    /// Whether the next line is a response to a challenge.
    pub fn is_challenged(&self) -> bool {
        matches!(&self.step, Step::Auth(Auth { at: At::Challenged, .. }))
    }

    /// Whether AUTH is there at all.
    pub(super) fn has_auth(&self) -> bool {
        let is_off = self.setting.modifiers.has(b'A') && !self.features.has(b'a') || self.features.has(b'A');
        self.mechanisms.is_available && !is_off
    }

    /// Mechanisms that EHLO names.
    pub(super) fn offered_mechanisms(&self) -> Vec<String> {
        self.mechanisms.mechanisms.iter().filter(|name| self.may_use(name)).cloned().collect()
    }

    /// `srv_features` `c`: a plain password needs encryption around it.
    fn may_use(&self, mechanism: &str) -> bool {
        let is_plain = ["PLAIN", "LOGIN"].iter().any(|plain| mechanism.eq_ignore_ascii_case(plain));
        !is_plain || self.is_tls || !self.features.has(b'c')
    }

    /// Whether MAIL waits for AUTH. Source: observed (`M=aA` needs what it does not offer).
    pub(super) fn needs_auth(&self) -> bool {
        let is_asked = self.setting.modifiers.has(b'a') && !self.features.has(b'L') || self.features.has(b'l');
        is_asked && !self.is_authenticated
    }

    pub(super) fn auth(&mut self, argument: &[u8]) -> Action {
        if !self.has_auth() {
            self.reply(503, Status(5, 3, 3), "AUTH not available");
            return Action::Read;
        }
        if self.is_authenticated {
            self.reply(503, Status(5, 5, 0), "Already Authenticated");
            return Action::Read;
        }
        if self.transaction.as_ref().is_some_and(|t| t.is_open) {
            self.reply(503, Status(5, 5, 0), "AUTH not permitted during a mail transaction");
            return Action::Read;
        }
        if self.filtering.is_temporary {
            self.note_temporary("AUTH", argument);
            self.reply(454, Status(4, 3, 0), "Please try again later");
            return Action::Read;
        }
        self.count(|c| &mut c.auth, MOST_AUTH, "AUTH");
        let argument = argument.trim_ascii_start();
        let end = argument.iter().position(u8::is_ascii_whitespace).unwrap_or(argument.len());
        let (name, rest) = argument.split_at_checked(end).unwrap_or((argument, b""));
        if name.is_empty() {
            self.reply(501, Status(5, 5, 2), "AUTH mechanism must be specified");
            return Action::Read;
        }
        let mechanism = self.mechanisms.find(name).filter(|mechanism| self.may_use(mechanism)).map(str::to_owned);
        let Some(mechanism) = mechanism else {
            let name = name.get(..LONGEST_NAME).unwrap_or(name);
            self.reply(504, Status(5, 3, 3), &format!("AUTH mechanism {} not available", shown(name)));
            return Action::Read;
        };
        match first_response(rest.trim_ascii_start()) {
            Ok(response) => {
                let claimed = response.as_ref().map(|r| claimed_name(&mechanism, r));
                self.step = Step::Auth(Auth { mechanism: shown(name).to_string(), at: At::Asked, claimed });
                Action::Authenticate { mechanism, response }
            }
            Err(text) => {
                let (text, relay) = (shown(text).to_string(), shown(&self.client.described).to_string());
                let line = format!("AUTH decode64 error [1 for \"{text}\"], relay={relay}");
                self.note(Level(5), Priority::Warning, line);
                self.reply(501, Status(5, 5, 4), &format!("cannot BASE64 decode '{text}'"));
                Action::Read
            }
        }
    }

    pub(super) fn auth_on(&mut self, auth: Auth, input: Input<'_>) -> Action {
        match (auth.at, input) {
            (At::Asked, Input::Auth(answer)) => self.answered(auth, answer),
            (At::Challenged, Input::Line(text)) => self.response(auth, text),
            (At::Challenged, Input::TooLong(bytes)) => self.too_long(bytes),
            (At::Securing, Input::Secured) => Action::Read,
            (_, input) => self.confused(&Step::Auth(auth), &input),
        }
    }

    fn response(&mut self, auth: Auth, text: &[u8]) -> Action {
        if text == b"*" {
            self.reply(501, Status(5, 0, 0), "AUTH aborted");
            return Action::Read;
        }
        let Some(response) = base64::decode(text) else {
            self.reply(501, Status(5, 5, 4), &format!("cannot decode AUTH parameter {}", shown(text)));
            return Action::Read;
        };
        let claimed = auth.claimed.unwrap_or_else(|| claimed_name(&auth.mechanism, &response));
        self.step = Step::Auth(Auth { at: At::Asked, claimed: Some(claimed), mechanism: auth.mechanism });
        Action::Continue(response)
    }

    fn answered(&mut self, auth: Auth, answer: Answer) -> Action {
        match answer {
            Answer::Challenge(challenge) => {
                self.replies.plain(334, base64::encode(&challenge));
                self.step = Step::Auth(Auth { at: At::Challenged, ..auth });
                Action::Read
            }
            Answer::Done(who) => self.authenticated(auth, &who),
            Answer::Failed { failure } => {
                let line = format!(
                    "AUTH failure ({}): {failure}, user={}, relay={}",
                    auth.mechanism,
                    line::text(&auth.claimed.unwrap_or_default()),
                    shown(&self.client.described),
                );
                self.note(Level::AUTH, Priority::Warning, line);
                if failure.is_temporary() {
                    self.reply(454, Status(4, 5, 4), "Temporary authentication failure");
                } else {
                    self.reply(535, Status(5, 7, 0), "authentication failed");
                }
                Action::Read
            }
        }
    }

    fn authenticated(&mut self, auth: Auth, who: &Authenticated) -> Action {
        self.is_authenticated = true;
        let user = Bytes::copy_from_slice(&who.user);
        let line = format!(
            "AUTH=server, relay={}, authid={}, mech={}, bits={}",
            shown(&self.client.described),
            line::text(user.get(..LONGEST_USER).unwrap_or(&user)),
            auth.mechanism,
            who.bits,
        );
        self.note_without_id(Level::AUTH, Priority::Info, line);
        let (mechanism, bits) = (who.mechanism.clone(), who.bits.to_string());
        let scope = self.scope();
        scope.set(names::AUTH_AUTHEN, user);
        scope.set(names::AUTH_TYPE, mechanism);
        scope.set(names::AUTH_SSF, bits);
        self.set_protocol(true);
        self.reply(235, Status(2, 0, 0), "OK Authenticated");
        if who.bits == 0 {
            return Action::Read;
        }
        self.step = Step::Auth(Auth { at: At::Securing, ..auth });
        Action::Secure
    }

    /// TLS began: what was authenticated before does not count.
    pub(super) fn forget_auth(&mut self) {
        self.is_authenticated = false;
        for id in [names::AUTH_AUTHEN, names::AUTH_TYPE, names::AUTH_SSF, names::AUTH_AUTHOR] {
            self.scope().unset(id);
        }
    }
}

/// Response behind the mechanism: none, `=` for an empty one, else base64. Errors: the text that is none.
fn first_response(text: &[u8]) -> Result<Option<Vec<u8>>, &[u8]> {
    match text {
        b"" => Ok(None),
        b"=" => Ok(Some(Vec::new())),
        text => base64::decode(text).map(Some).ok_or(text),
    }
}

/// Whom a client says it is, from its first response: `PLAIN` and `LOGIN` give `authorization/authentication` or the name alone,
/// the others what is known of their form. Source: observed.
fn claimed_name(mechanism: &str, response: &[u8]) -> Bytes {
    let until = |end: u8, text: &[u8]| text.split(|b| *b == end).next().unwrap_or_default().to_vec();
    let mut name = match mechanism.to_ascii_uppercase().as_str() {
        "PLAIN" | "LOGIN" => {
            let mut names = response.split(|b| *b == 0);
            match (names.next(), names.next()) {
                (Some(b"") | None, name) => name.unwrap_or_default().to_vec(),
                (Some(acts_for), Some(name)) => [acts_for, b"/", name].concat(),
                (Some(name), None) => name.to_vec(),
            }
        }
        "CRAM-MD5" => until(b' ', response),
        "DIGEST-MD5" => response.strip_prefix(b"username=\"").map(|rest| until(b'"', rest)).unwrap_or_default(),
        _ => Vec::new(),
    };
    name.truncate(LONGEST_CLAIM);
    name.into()
}

/// How much of the name that a client gives is logged when it is not believed. Source: observed.
const LONGEST_CLAIM: usize = 64;
/// How much of the name of an unknown mechanism is said. Source: observed.
const LONGEST_NAME: usize = 32;
/// How much of a user's name is logged.
const LONGEST_USER: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_response_may_be_empty_or_missing() {
        assert_eq!(first_response(b""), Ok(None));
        assert_eq!(first_response(b"="), Ok(Some(Vec::new())));
        assert_eq!(first_response(b"YWxpY2U="), Ok(Some(b"alice".to_vec())));
        assert_eq!(first_response(b"YWxpY2U= "), Err(&b"YWxpY2U= "[..]));
        assert_eq!(first_response(b"???"), Err(&b"???"[..]));
    }

    #[test]
    fn the_name_in_the_log_is_what_the_client_said() {
        for (mechanism, response, name) in [
            ("PLAIN", &b"\0alice\0wrong"[..], "alice"),
            ("PLAIN", b"bob\0alice\0wrong\0more", "bob/alice"),
            ("PLAIN", b"foo", "foo"),
            ("PLAIN", b"x\0\0pw", "x/"),
            ("PLAIN", b"\0\0pw", ""),
            ("login", b"al ice", "al ice"),
            ("CRAM-MD5", b"alice 1234", "alice"),
            ("CRAM-MD5", b" alice 1234", ""),
            ("digest-md5", b"username=\"alice\",realm=\"x\"", "alice"),
            ("DIGEST-MD5", b"username=\"alice", "alice"),
            ("DIGEST-MD5", b"realm=\"x\",username=\"alice\"", ""),
            ("SCRAM-SHA-1", b"n,,n=alice,r=x", ""),
        ] {
            assert_eq!(claimed_name(mechanism, response), name, "{mechanism} {response:?}");
        }
        assert_eq!(claimed_name("PLAIN", &[[b'z'; 62].as_slice(), b"\0alice\0p"].concat()).len(), 64);
    }
}
