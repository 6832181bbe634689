//! Lines about messages: which fields, in which order, how long.

use std::fmt::{self, Write as _};
use std::time::Duration;

use crate::base::bytes::shown;
use crate::base::time::clock_form;

/// A field of a `from=` line.
#[derive(Debug, Clone, Copy)]
pub struct FromRow {
    /// Name.
    pub name: &'static str,
    /// When it is there.
    pub when: &'static str,
}

/// Order of the fields of a `from=` line. Source: observed.
pub static FROM_FIELDS: &[FromRow] = &[
    FromRow { name: "from", when: "always" },
    FromRow { name: "size", when: "always" },
    FromRow { name: "class", when: "always" },
    FromRow { name: "nrcpts", when: "always" },
    FromRow { name: "msgid", when: "the message has one" },
    FromRow { name: "bodytype", when: "declared" },
    FromRow { name: "proto", when: "set" },
    FromRow { name: "daemon", when: "received by a daemon" },
    FromRow { name: "relay", when: "always" },
];

/// Order of the fields of a `to=` line. Source: observed.
pub static TO_FIELDS: &[FromRow] = &[
    FromRow { name: "to", when: "always" },
    FromRow { name: "ctladdr", when: "a controlling user is known" },
    FromRow { name: "delay", when: "always" },
    FromRow { name: "xdelay", when: "an attempt was made" },
    FromRow { name: "mailer", when: "one was chosen" },
    FromRow { name: "pri", when: "always" },
    FromRow { name: "relay", when: "network mailers, and mailers with a host part" },
    FromRow { name: "dsn", when: "a status is known" },
    FromRow { name: "quarantine", when: "the message is held" },
    FromRow { name: "reply", when: "the next hop refused" },
    FromRow { name: "stat", when: "always" },
];

/// Values of a `from=` line.
#[derive(Debug, Clone, Copy, Default)]
pub struct From<'a> {
    /// Sender as given, with what brackets it had.
    pub from: &'a [u8],
    /// Size in bytes.
    pub size_bytes: u64,
    /// Precedence.
    pub class: i64,
    /// Recipients.
    pub recipients: usize,
    /// Message-Id.
    pub message_id: &'a [u8],
    /// `7BIT`, `8BITMIME` or empty.
    pub body_type: &'a [u8],
    /// `$r`, or empty.
    pub protocol: &'a [u8],
    /// `${daemon_name}`, or empty.
    pub daemon: &'a [u8],
    /// `$_`: who sent it.
    pub relay: &'a [u8],
}

impl fmt::Display for From<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "from={}, size={}, class={}, nrcpts={}",
            text(cut(self.from, FROM)),
            self.size_bytes,
            self.class,
            self.recipients
        )?;
        optional(f, "msgid", cut(self.message_id, MESSAGE_ID))?;
        optional(f, "bodytype", self.body_type)?;
        optional(f, "proto", self.protocol)?;
        optional(f, "daemon", self.daemon)?;
        write!(f, ", relay={}", text(&shortened(self.relay, ADDRESS)))
    }
}

/// Values of a `to=` line.
#[derive(Debug, Clone, Copy, Default)]
pub struct To<'a> {
    /// Recipients that share the outcome.
    pub to: &'a [&'a [u8]],
    /// Controlling user: address, user number, group number.
    pub controller: Option<(&'a [u8], u32, u32)>,
    /// Time since the message was accepted.
    pub delay: Duration,
    /// Time of this attempt.
    pub attempt: Option<Duration>,
    /// Mailer, or empty.
    pub mailer: &'a [u8],
    /// Priority of the message.
    pub priority: i64,
    /// Next hop, or empty.
    pub relay: &'a [u8],
    /// Enhanced status code, or empty.
    pub dsn: &'a str,
    /// Why the message is held, or empty.
    pub quarantine: &'a [u8],
    /// Reply of the next hop, or empty.
    pub reply: &'a [u8],
    /// Outcome in words.
    pub stat: &'a [u8],
}

impl To<'_> {
    /// The line, or several when the recipients do not fit into one.
    ///
    /// Shape: `to=a,b, [more], delay=…` for all but the last. Source: observed.
    pub fn lines(&self) -> Vec<String> {
        let rest = self.rest();
        let room = LINE.saturating_sub(LINE_OVERHEAD + rest.len());
        let mut lines = Vec::new();
        let mut list = String::new();
        for address in self.to {
            let address = text(address).to_string();
            if !list.is_empty() && list.len() + 1 + address.len() > room {
                lines.push(format!("to={list}, [more]{rest}"));
                list.clear();
            }
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(&address);
        }
        lines.push(format!("to={list}{rest}"));
        lines
    }

    fn rest(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_rest(&mut out);
        out
    }

    fn write_rest(&self, out: &mut String) -> fmt::Result {
        if let Some((address, uid, gid)) = self.controller {
            write!(out, ", ctladdr={} ({uid}/{gid})", text(&shortened(address, CONTROLLER)))?;
        }
        write!(out, ", delay={}", clock_form(self.delay))?;
        if let Some(attempt) = self.attempt {
            write!(out, ", xdelay={}", clock_form(attempt))?;
        }
        optional(out, "mailer", self.mailer)?;
        // Observed: what is below nothing is shown as the largest number.
        write!(out, ", pri={}", if self.priority < 0 { i64::MAX } else { self.priority })?;
        optional(out, "relay", &shortened(self.relay, ADDRESS))?;
        optional(out, "dsn", self.dsn.as_bytes())?;
        optional(out, "quarantine", self.quarantine)?;
        optional(out, "reply", &shortened(self.reply, REPLY))?;
        write!(out, ", stat={}", text(&shortened(self.stat, STAT)))
    }
}

/// Values of a `STARTTLS=` line.
#[derive(Debug, Clone, Copy)]
pub struct Tls<'a> {
    /// `server` or `client`.
    pub side: &'a str,
    /// The peer.
    pub relay: &'a [u8],
    /// `TLSv1.3` and the like.
    pub version: &'a str,
    /// `${verify}`.
    pub verify: &'a str,
    /// Cipher.
    pub cipher: &'a str,
    /// Bits used and bits of the cipher.
    pub bits: (i32, i32),
}

impl fmt::Display for Tls<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "STARTTLS={}, relay={}, version={}, verify={}, cipher={}, bits={}/{}",
            self.side,
            text(self.relay),
            self.version,
            self.verify,
            self.cipher,
            self.bits.0,
            self.bits.1
        )
    }
}

/// Values of a line about a ruleset's decision.
#[derive(Debug, Clone, Copy, Default)]
pub struct RulesetDecision<'a> {
    /// Name of the ruleset.
    pub ruleset: &'a str,
    /// First argument.
    pub arg1: &'a [u8],
    /// Second argument.
    pub arg2: Option<&'a [u8]>,
    /// The peer.
    pub relay: &'a [u8],
    /// `reject=550 5.7.1 …`, `discard`, `quarantine=…`.
    pub decision: &'a [u8],
}

impl fmt::Display for RulesetDecision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ruleset={}, arg1={}", self.ruleset, text(&shortened(self.arg1, ADDRESS)))?;
        if let Some(arg2) = self.arg2 {
            write!(f, ", arg2={}", text(&shortened(arg2, ADDRESS)))?;
        }
        optional(f, "relay", self.relay)?;
        write!(f, ", {}", text(self.decision))
    }
}

/// Makes control characters, backslashes and bytes above 127 of a whole line visible.
///
/// Shape: `\n`, `\r`, `\t`, `\\`, others as `\ooo`. Source: observed. Text of the builders above may hold such characters
/// still; this is applied once, when a line is written.
pub fn visible(text: impl fmt::Display) -> String {
    let mut out = Visible(String::with_capacity(160));
    // Writing to a String cannot fail; a Display that fails leaves a cut line.
    let _ = write!(out, "{text}");
    out.0
}

struct Visible(String);

impl fmt::Write for Visible {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let mut rest = s;
        while let Some(at) = rest.bytes().position(|b| !(b' '..=b'~').contains(&b) || b == b'\\') {
            let (plain, tail) = rest.split_at(at);
            self.0.push_str(plain);
            let mut chars = tail.chars();
            match chars.next() {
                Some('\n') => self.0.push_str("\\n"),
                Some('\r') => self.0.push_str("\\r"),
                Some('\t') => self.0.push_str("\\t"),
                Some('\\') => self.0.push_str("\\\\"),
                // A byte that was no UTF-8, see `text`.
                Some(c @ '\u{F700}'..='\u{F7FF}') => write!(self.0, "\\{:03o}", u32::from(c) - 0xF700)?,
                Some(c) => {
                    let mut buffer = [0; 4];
                    for b in c.encode_utf8(&mut buffer).bytes() {
                        write!(self.0, "\\{b:03o}")?;
                    }
                }
                None => {}
            }
            rest = chars.as_str();
        }
        self.0.push_str(rest);
        Ok(())
    }
}

/// Foreign bytes inside a text that goes to [`visible`]: nothing is lost, also when they are no UTF-8.
pub fn text(bytes: &[u8]) -> Text<'_> {
    Text(bytes)
}

/// See [`text`].
#[derive(Debug, Clone, Copy)]
pub struct Text<'a>(&'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            for b in chunk.invalid() {
                // Private use characters carry single bytes through `str`; `visible` turns them back.
                f.write_char(char::from_u32(0xF700 + u32::from(*b)).unwrap_or(char::REPLACEMENT_CHARACTER))?;
            }
        }
        Ok(())
    }
}

/// Cuts a value in the middle, leaving as much of its beginning as of its end: `aaa...zzz`. Source: observed.
pub fn shortened(value: &[u8], limit: usize) -> Vec<u8> {
    if value.len() <= limit {
        return value.to_vec();
    }
    let half = limit.saturating_sub(3) / 2;
    [cut(value, half), b"...", value.get(value.len() - half..).unwrap_or_default()].concat()
}

/// The beginning of a value.
fn cut(value: &[u8], limit: usize) -> &[u8] {
    value.get(..limit).unwrap_or(value)
}

/// Text of a peer for a message to people; same as [`shown`].
pub fn for_people(bytes: &[u8]) -> String {
    shown(bytes).to_string()
}

fn optional(out: &mut impl fmt::Write, name: &str, value: &[u8]) -> fmt::Result {
    if value.is_empty() { Ok(()) } else { write!(out, ", {name}={}", text(value)) }
}

/// Longest line that syslog takes. Source: RFC 3164 §4.1.
const LINE: usize = 1024;
/// Room for the time stamp, tag and queue id.
const LINE_OVERHEAD: usize = 100;
const FROM: usize = 200;
const MESSAGE_ID: usize = 100;
const CONTROLLER: usize = 83;
const ADDRESS: usize = 203;
const REPLY: usize = 203;
const STAT: usize = 203;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_the_order_of_the_original() {
        let from = From {
            from: b"<a@b>",
            size_bytes: 61,
            recipients: 3,
            message_id: b"<m@h>",
            body_type: b"8BITMIME",
            protocol: b"ESMTP",
            daemon: b"MTA",
            relay: b"localhost [127.0.0.1]",
            ..From::default()
        };
        assert_eq!(
            from.to_string(),
            "from=<a@b>, size=61, class=0, nrcpts=3, msgid=<m@h>, bodytype=8BITMIME, proto=ESMTP, daemon=MTA, \
             relay=localhost [127.0.0.1]"
        );
        let to = To {
            to: &[b"<x@h>".as_slice(), b"<y@h>"],
            controller: Some((b"bob", 1002, 1002)),
            attempt: Some(Duration::from_secs(3)),
            delay: Duration::from_secs(90_000),
            mailer: b"esmtp",
            priority: 30014,
            relay: b"mx. [192.0.2.1]",
            dsn: "5.1.1",
            reply: b"550 5.1.1 no",
            stat: b"User unknown",
            ..To::default()
        };
        assert_eq!(
            to.lines(),
            ["to=<x@h>,<y@h>, ctladdr=bob (1002/1002), delay=1+01:00:00, xdelay=00:00:03, mailer=esmtp, pri=30014, \
              relay=mx. [192.0.2.1], dsn=5.1.1, reply=550 5.1.1 no, stat=User unknown"]
        );
    }

    #[test]
    fn a_priority_below_nothing_is_shown_as_the_largest_number() {
        for (priority, shown) in [(-119_923, "pri=9223372036854775807,"), (0, "pri=0,"), (30014, "pri=30014,")] {
            let lines = To { to: &[b"a"], priority, stat: b"queued", ..To::default() }.lines();
            assert!(lines[0].contains(shown), "{lines:?}");
        }
    }

    #[test]
    fn a_long_list_of_recipients_takes_several_lines() {
        let names: Vec<String> = (0..100).map(|n| format!("recipient{n:03}@example.test")).collect();
        let list: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
        let lines = To { to: &list, stat: b"Sent", ..To::default() }.lines();
        assert!(lines.len() > 2 && lines.iter().all(|l| l.len() < LINE), "{lines:?}");
        assert!(lines[0].contains(", [more], delay=") && !lines.last().unwrap().contains("[more]"));
        assert_eq!(lines.iter().map(|l| l.matches('@').count()).sum::<usize>(), 100);
    }

    #[test]
    fn bytes_of_every_kind_are_visible() {
        assert_eq!(visible(text(b"i\xa6\x9a \\ \t\n\x7f")), "i\\246\\232 \\\\ \\t\\n\\177");
        assert_eq!(visible("\u{e9}"), "\\303\\251");
    }

    #[test]
    fn a_long_value_keeps_both_ends() {
        let value = [b'a'; 300];
        let short = shortened(&value, 83);
        assert_eq!((short.len(), &short[39..44]), (83, &b"a...a"[..]));
    }
}
