//! HELO and EHLO.

use bytes::Bytes;

use super::counters::MOST_HELO;
use super::filter;
use super::session::{Action, Session, Step};
use crate::base::bytes::shown;
use crate::base::status::Status;
use crate::log::{Level, Priority};
use crate::macros::names;
use crate::policy::Refusal;

impl Session {
    pub(super) fn helo(&mut self, argument: &[u8], extended: bool) -> Action {
        let verb = if extended { "EHLO" } else { "HELO" };
        let name = argument.trim_ascii_end();
        // Set before the name is looked at; observed.
        self.set_protocol(extended);
        let takes_all = self.setting.config.options.allow_bogus_helo;
        if !takes_all && name.is_empty() {
            self.reply(501, Status(5, 0, 0), &format!("{verb} requires domain address"));
            return Action::Read;
        }
        if name.len() > LONGEST_NAME || !(takes_all || is_domain(name)) {
            self.reply(501, Status(5, 0, 0), "Invalid domain name");
            return Action::Read;
        }
        self.helo_name = Bytes::copy_from_slice(name);
        self.step = Step::Helo { extended };
        if self.features.has(b'F') { self.hello(extended, false) } else { Action::Probe }
    }

    /// The reply, after early talkers were looked for.
    pub(super) fn hello(&mut self, extended: bool, early: bool) -> Action {
        self.step = Step::Command;
        let verb = if extended { "EHLO" } else { "HELO" };
        self.abandon(verb);
        if early {
            return self.reject_early(verb);
        }
        self.count(|c| &mut c.helo, MOST_HELO, "HELO/EHLO");
        self.greeted = true;
        let name = self.helo_shown();
        self.scope().set(names::HELO, name);
        self.set_protocol(extended);
        if self.asks_filters() {
            let name = self.helo_name.clone();
            return self.ask_filters(filter::Told::Helo { extended }, filter::Call::Helo(name));
        }
        self.say_hello(extended)
    }

    pub(super) fn say_hello(&mut self, extended: bool) -> Action {
        // Source: observed; a name that is not there is not remarked upon.
        let name = self.helo_name.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let is_bogus = !name.is_empty() && !is_domain(name);
        let words = if is_bogus { "accepting invalid domain name" } else { "pleased to meet you" };
        let hello = format!("{} Hello {}, {words}", shown(&self.setting.host), shown(&self.client.described));
        if !extended {
            self.replies.plain(250, hello);
            return Action::Read;
        }
        let mut lines = vec![hello];
        if self.refusal.is_some() {
            lines.push("ENHANCEDSTATUSCODES".to_owned());
        } else {
            lines.extend(self.offer().lines());
        }
        self.replies.lines(250, None, lines.iter().map(String::as_bytes));
        Action::Read
    }

    /// `$s`: the name that was given; of several words the first, and the client's own name where that cannot be one.
    /// Source: observed.
    fn helo_shown(&mut self) -> Bytes {
        let first = self.helo_name.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        if !first.is_empty() && !is_domain(first) {
            return self.scope().text(names::CLIENT_NAME);
        }
        self.helo_name.slice_ref(first)
    }

    /// Talking before the reply: this and all that matters is refused from here on.
    pub(super) fn reject_early(&mut self, verb: &str) -> Action {
        let client = shown(&self.client.described).to_string();
        let line = format!("rejecting server {verb} from {client} due to traffic before response");
        self.note(Level::SYSTEM_ERROR, Priority::Info, line);
        self.refusal = Some(Refusal::new(550, Status(5, 0, 0), "Command rejected"));
        self.reply(554, Status(5, 5, 0), "SMTP protocol error");
        Action::Read
    }

    /// `$r`: SMTP, ESMTP, ESMTPS, ESMTPA, ESMTPSA.
    pub(super) fn set_protocol(&mut self, extended: bool) {
        let name = match (extended, self.is_tls, self.is_authenticated) {
            (true, true, true) => "ESMTPSA",
            (true, true, false) => "ESMTPS",
            (true, false, true) => "ESMTPA",
            (true, false, false) => "ESMTP",
            // Source: observed: HELO leaves the letters out.
            (false, ..) => "SMTP",
        };
        self.scope().set(names::PROTOCOL, name);
    }
}

/// Whether a name may stand in HELO. Source: observed.
fn is_domain(name: &[u8]) -> bool {
    name.len() <= LONGEST_NAME && name.iter().all(|b| b.is_ascii_alphanumeric() || b"[].-_#:".contains(b))
}

/// Source: limits (MAXNAME).
const LONGEST_NAME: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters_digits_and_a_few_signs() {
        for (name, good) in [
            ("a_b.test", true),
            ("[IPv6:::1]", true),
            ("-", true),
            (".", true),
            ("two words", false),
            ("bad<name>", false),
            ("foo,bar", false),
            ("a\tb", false),
        ] {
            assert_eq!(is_domain(name.as_bytes()), good, "{name}");
        }
        assert!(is_domain(&[b'h'; 256]));
        assert!(!is_domain(&[b'h'; 257]));
    }
}
