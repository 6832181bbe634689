//! Refusals: reply code, enhanced code, words.

use std::fmt;

use bytes::Bytes;

use crate::address::shortened_bytes;
use crate::base::exit::Exit;
use crate::base::status::{Classify, Status};
use crate::config::Options;

/// A no, as a peer and the log read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Three-digit reply code.
    pub code: u16,
    /// Enhanced code.
    pub status: Status,
    /// Words behind the codes.
    pub text: Bytes,
}

impl Refusal {
    /// From its parts.
    pub fn new(code: u16, status: Status, text: impl Into<Bytes>) -> Self {
        Self { code, status, text: text.into() }
    }

    /// Reads `$#error $@ host $: user` of a check ruleset.
    ///
    /// Shape of `user`: `[CODE ][D.D.D ]words`. Without a code the refusal is `553 5.3.0`, whatever `host` says; with a code
    /// but no enhanced code, `host` counts when it is one, else the class of the code with `.0.0`. Source: observed.
    pub fn from_error(host: &[u8], user: &[u8]) -> Self {
        if user.is_empty() {
            return Self::new(554, Status(5, 3, 5), "buildaddr: no user");
        }
        let Some((code, words)) = reply_code(user) else {
            return Self::new(553, Status(5, 3, 0), user.to_vec());
        };
        if let Some((status, rest)) = Status::parse_prefix(words) {
            return Self::new(code, status, rest.trim_ascii_start().to_vec());
        }
        let class = u8::try_from(code / 100).unwrap_or(5);
        let status = match Status::parse_prefix(host) {
            Some((status, [])) => status,
            _ => Status(class, 0, 0),
        };
        Self::new(code, status, words.to_vec())
    }

    /// The same for now alone where `SoftBounce` has it so.
    #[must_use]
    pub fn softened(mut self, options: &Options) -> Self {
        if options.soft_bounce && (500..600).contains(&self.code) {
            self.code -= 100;
            self.status.0 = 4;
        }
        self
    }

    /// Whether trying again makes sense.
    pub fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// Whether the address it is about stands before the words: 550, 553, 450, 250 and 252, and what a rule without a user gives.
    /// Source: observed, for each code.
    pub fn names_address(&self) -> bool {
        matches!(self.code, 550 | 553 | 450 | 250 | 252) || (self.code, self.status) == (554, Status(5, 3, 5))
    }

    /// The lines of the reply, one for each line of the words; the address stands in the first.
    pub fn lines(&self, about: &[u8]) -> Vec<Vec<u8>> {
        if !self.text.contains(&b'\n') {
            return vec![self.line(about)];
        }
        let count = self.text.split(|b| *b == b'\n').count();
        let one = |(at, text): (usize, &[u8])| {
            let about = if at == 0 { about } else { b"" };
            let mut line = Self::new(self.code, self.status, self.text.slice_ref(text)).line(about);
            if let Some(separator) = line.get_mut(3).filter(|_| at + 1 < count) {
                *separator = b'-';
            }
            line
        };
        self.text.split(|b| *b == b'\n').enumerate().map(one).collect()
    }

    /// The reply line without its end: `550 5.7.1 <a@b>... words`; `about` is empty when it is about no address.
    pub fn line(&self, about: &[u8]) -> Vec<u8> {
        let mut line = format!("{:03} {} ", self.code, self.status).into_bytes();
        if !about.is_empty() && self.names_address() {
            line.extend_from_slice(&shortened_bytes(about));
            line.extend_from_slice(b"... ");
        }
        line.extend_from_slice(&self.text);
        line
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {} {}", self.code, self.status, crate::base::bytes::shown(&self.text))
    }
}

impl Classify for Refusal {
    fn status(&self) -> (u16, Status) {
        (self.code, self.status)
    }

    fn exit(&self) -> Exit {
        if Self::is_temporary(self) { Exit::TEMPFAIL } else { Exit::UNAVAILABLE }
    }

    fn peer_text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// `550 ` at the start: three digits and a blank; any other form is no code.
fn reply_code(text: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = text.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((code, rest.strip_prefix(b" ")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_refusals_are_for_now_alone() {
        for (soft_bounce, code, line) in [
            (false, 550, "550 5.7.1 x"),
            (true, 550, "450 4.7.1 x"),
            (true, 450, "450 5.7.1 x"),
            (true, 250, "250 5.7.1 x"),
        ] {
            let options = Options { soft_bounce, ..Options::default() };
            let refusal = Refusal::new(code, Status(5, 7, 1), "x").softened(&options);
            assert_eq!(String::from_utf8(refusal.line(b"")).unwrap(), line, "{soft_bounce} {code}");
        }
    }

    #[test]
    fn codes_come_from_the_text_then_from_the_host_part() {
        for (host, user, line) in [
            ("", "no code at all", "553 5.3.0 <a>... no code at all"),
            ("4.7.9", "dsn only temp", "553 5.3.0 <a>... dsn only temp"),
            ("TEMPFAIL", "452 temp", "452 4.0.0 temp"),
            ("5.1.1", "450 4.2.2 both", "450 4.2.2 <a>... both"),
            ("", "553 5.5.5 code and dsn", "553 5.5.5 <a>... code and dsn"),
            ("4.1.1", "550 mixed", "550 4.1.1 <a>... mixed"),
            ("5.7.1", "550-5.7.1 dashed", "553 5.3.0 <a>... 550-5.7.1 dashed"),
            ("5.7.1", "250 2.0.0 fine", "250 2.0.0 <a>... fine"),
            ("5.7.1", "550 ", "550 5.7.1 <a>... "),
            ("5.7.1", "550", "553 5.3.0 <a>... 550"),
            ("4.7.1", "421 go away now", "421 4.7.1 go away now"),
            ("5.7.1", "571 plain", "571 5.7.1 plain"),
            ("5.7.1", "551 moved", "551 5.7.1 moved"),
            ("NOHOST", "", "554 5.3.5 <a>... buildaddr: no user"),
        ] {
            let refusal = Refusal::from_error(host.as_bytes(), user.as_bytes());
            assert_eq!(String::from_utf8(refusal.line(b"<a>")).unwrap(), line, "{host} {user}");
        }
        assert_eq!(Refusal::from_error(b"", b"550 x").line(b""), b"550 5.0.0 x");
        assert_eq!(Refusal::from_error(b"", b"550 x").line(&[b'a'; 300]).len(), "550 5.0.0 ... x".len() + 203);
        let two = Refusal::new(550, Status(5, 7, 1), "one\ntwo").lines(b"<a>");
        assert_eq!(two, [&b"550-5.7.1 <a>... one"[..], b"550 5.7.1 two"]);
    }
}
