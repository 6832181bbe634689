//! Macros that tell of a message and of the moment.

use bytes::Bytes;
use jiff::tz::TimeZone;

use super::{BodyType, Envelope, Notify};
use crate::base::bytes::trim;
use crate::base::date;
use crate::base::time::UnixTime;
use crate::macros::{Scope, names};

/// Sets `$a $b $d $t ${time}`: the moment, until a message has a date of its own.
pub fn set_moment(scope: &mut Scope, now: UnixTime, zone: &TimeZone) {
    let text = Bytes::from(date::rfc822(now, zone));
    scope.set(names::DATE, text.clone());
    scope.set(names::NOW, text);
    scope.set(names::NOW_CTIME, date::ctime(now, zone));
    scope.set(names::TIMESTAMP, date::compact(now));
    scope.set(names::TIME, now.0.to_string());
}

impl Envelope {
    /// Sets what is known once the header is here: `$a $c $i ${envid} ${msg_id} ${msg_size}`. Source: observed.
    pub fn tell_message(&mut self) {
        // Of several the last counts. Source: observed.
        let field = |name| self.headers.last(name).map(|h| Bytes::copy_from_slice(trim(h.text())));
        let (date, message_id) = (field("date"), field("message-id"));
        let hops = self.hops();
        let scope = &mut self.scope;
        for (id, value) in [(names::DATE, date), (names::MSG_ID, message_id), (names::ENVID, self.envid.clone())] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                scope.set(id, value);
            }
        }
        let given = scope.text(names::HOP_COUNT);
        let given = std::str::from_utf8(&given).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        scope.set(names::HOP_COUNT, hops.max(given).to_string());
        scope.set(names::QUEUE_ID, self.id.as_str().to_owned());
        scope.set(names::MSG_SIZE, self.size_bytes.to_string());
    }

    /// Sets what is known when it is delivered: `${ntries}`, `${bodytype}`, `${nrcpts}`. Source: observed.
    pub fn tell_attempt(&mut self) {
        let body = if self.flags.has_8bit_body { BodyType::EightBitMime } else { BodyType::SevenBit };
        self.scope.set(names::BODYTYPE, body.word());
        self.scope.set(names::NTRIES, self.tries.to_string());
        self.scope.set(names::NRCPTS, self.recipients.iter().filter(|r| r.is_primary).count().to_string());
    }
}

impl BodyType {
    /// As `BODY=` and `${bodytype}` have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::SevenBit => "7BIT",
            Self::EightBitMime => "8BITMIME",
        }
    }
}

impl Notify {
    /// As `NOTIFY=` and `${dsn_notify}` have it; empty when nothing was asked for.
    pub fn words(self) -> String {
        let words = [(self.success, "SUCCESS"), (self.failure, "FAILURE"), (self.delay, "DELAY")];
        let words: Vec<&str> = words.iter().filter(|(is_asked, _)| *is_asked).map(|(_, word)| *word).collect();
        match (self.is_given, words.is_empty()) {
            (false, _) => String::new(),
            (true, true) => "NEVER".to_owned(),
            (true, false) => words.join(","),
        }
    }
}
