//! The queue as `mailq` shows it.
//!
//! Lists read control files leniently, line by line: what is damaged is shown as far as it goes.

use jiff::tz::TimeZone;

use crate::base::bytes::{leading_number, split_once};
use crate::base::date;
use crate::base::time::UnixTime;

/// What is known of a message besides its control file.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Queue id.
    pub id: &'a [u8],
    /// Character behind the id, see [`Mark`].
    pub mark: Mark,
    /// Size of the body; -1 when there is none.
    pub size: i64,
    /// What is said between the id and its mark, when the body is missing.
    pub complaint: Option<&'a str>,
}

/// Character behind a queue id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Waits for its turn.
    None,
    /// Somebody works on it.
    Locked,
    /// Was tried less than `MinQueueAge` ago.
    Recent,
    /// Waits for a lower load.
    Load,
    /// Set aside.
    Lost,
}

impl Mark {
    fn letter(self) -> u8 {
        match self {
            Self::None => b' ',
            Self::Locked => b'*',
            Self::Recent => b'-',
            Self::Load => b'X',
            Self::Lost => b'?',
        }
    }
}

/// The line above the entries of a directory.
pub fn heading(verbose: bool) -> &'static str {
    if verbose {
        "-----Q-ID----- --Size-- -Priority- ---Q-Time--- --------Sender/Recipient--------\n"
    } else {
        "-----Q-ID----- --Size-- -----Q-Time----- ------------Sender/Recipient-----------\n"
    }
}

/// One message. Source: observed (cli/bp, queue/qf-all-fields and others).
pub fn entry(out: &mut Vec<u8>, facts: &Facts<'_>, control: &[u8], zone: &TimeZone, verbose: bool) {
    // As wide as an id of the original's older versions.
    out.extend(std::iter::repeat_n(b' ', 13usize.saturating_sub(facts.id.len())));
    out.extend_from_slice(facts.id);
    out.extend_from_slice(facts.complaint.unwrap_or_default().as_bytes());
    out.push(facts.mark.letter());
    if !control.split(|b| *b == b'\n').any(|line| line.starts_with(b"T") || line.starts_with(b"S")) {
        out.extend_from_slice(b" (no control file)\n");
        return;
    }
    let fields = Fields { priority: i64::from(i32::MAX), ..Fields::default() };
    let mut lister = Lister { out, facts, zone, verbose, fields, has_sender: false };
    for line in control.split(|b| *b == b'\n') {
        lister.line(line);
        if line == b"." {
            break;
        }
    }
    if lister.has_sender {
        lister.out.push(b'\n');
        lister.recipient_message();
    } else {
        lister.out.push(b'\n');
    }
}

struct Lister<'a> {
    out: &'a mut Vec<u8>,
    facts: &'a Facts<'a>,
    zone: &'a TimeZone,
    verbose: bool,
    fields: Fields<'a>,
    has_sender: bool,
}

#[derive(Default)]
struct Fields<'a> {
    created: i64,
    priority: i64,
    body: &'a [u8],
    reason: &'a [u8],
    message: &'a [u8],
    is_warned: bool,
}

impl<'a> Lister<'a> {
    fn line(&mut self, line: &'a [u8]) {
        let Some((letter, value)) = line.split_first() else { return };
        match letter {
            b'T' => self.fields.created = leading_number(value),
            b'P' => self.fields.priority = leading_number(value),
            b'B' => self.fields.body = value,
            b'q' => self.fields.reason = value,
            b'M' => self.fields.message = value,
            b'F' => self.fields.is_warned = value.contains(&b'w'),
            b'S' => self.sender(value),
            b'C' if self.verbose && self.has_sender => {
                self.out.extend_from_slice(b"\n\t\t\t\t\t\t(---");
                self.out.extend_from_slice(value);
                self.out.extend_from_slice(b"---)");
            }
            b'R' => self.recipient(value),
            _ => {}
        }
    }

    fn sender(&mut self, sender: &[u8]) {
        let ctime = date::ctime(UnixTime(self.fields.created), self.zone);
        let wide = self.verbose;
        let head = if wide {
            let warned = if self.fields.is_warned { '+' } else { ' ' };
            let (size, priority) = (self.facts.size, self.fields.priority);
            let time = ctime.get(4..16).unwrap_or_default();
            format!("{size:8} {priority:10}{warned}{time} ")
        } else {
            let time = ctime.get(..16).unwrap_or_default();
            format!("{:8} {time} ", self.facts.size)
        };
        self.out.extend_from_slice(head.as_bytes());
        self.out.extend_from_slice(cut(sender, if wide { 78 } else { 39 }));
        let long = if wide { 100 } else { 60 };
        if !self.fields.reason.is_empty() {
            self.out.extend_from_slice(b"\n     QUARANTINE: ");
            self.out.extend_from_slice(cut(self.fields.reason, long));
        }
        if !self.fields.body.is_empty() || !self.fields.message.is_empty() {
            self.out.extend_from_slice(b"\n    ");
            self.out.extend(std::iter::repeat_n(b' ', 10usize.saturating_sub(self.fields.body.len())));
            self.out.extend_from_slice(cut(self.fields.body, 10));
        }
        if !self.fields.message.is_empty() {
            self.out.extend_from_slice(b"   (");
            self.out.extend_from_slice(cut(self.fields.message, long));
            self.out.push(b')');
        }
        self.fields.message = b"";
        self.has_sender = true;
    }

    fn recipient(&mut self, value: &[u8]) {
        let address = split_once(value, b':')
            .filter(|(flags, _)| flags.iter().all(u8::is_ascii_uppercase))
            .map_or(value, |(_, address)| address);
        if self.verbose {
            self.out.extend_from_slice(b"\n\t\t\t\t\t\t");
            self.out.extend_from_slice(cut(address, 71));
            if !self.fields.message.is_empty() {
                self.out.push(b'\n');
                self.recipient_message();
                // The next recipient begins its own line.
                self.out.pop();
            }
        } else {
            self.out.extend_from_slice(b"\n\t\t\t\t\t ");
            self.out.extend_from_slice(cut(address, 38));
        }
    }

    fn recipient_message(&mut self) {
        if self.verbose && !self.fields.message.is_empty() {
            self.out.extend_from_slice(b"\t\t (");
            self.out.extend_from_slice(cut(self.fields.message, 100));
            self.out.extend_from_slice(b")\n");
        }
        self.fields.message = b"";
    }
}

fn cut(text: &[u8], length: usize) -> &[u8] {
    text.get(..length).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(control: &str, mark: Mark, size: i64, verbose: bool) -> String {
        let facts = Facts { id: b"6AM8Wwpk005225", mark, size, complaint: None };
        let mut out = Vec::new();
        entry(&mut out, &facts, control.as_bytes(), &TimeZone::UTC, verbose);
        String::from_utf8(out).unwrap()
    }

    const WHOLE: &str =
        "V8\nT1795334727\nP30000\nB8BITMIME\nMwhole\nFws\nSa@b\nCalice:1:2:l\nMown\nRPFD:c@d\nRPFD:e\n.\n";

    #[test]
    fn entries_look_as_the_original_shows_them() {
        let plain = "V8\nT1795334727\nP30000\nFs\nSa@b\nRPFD:c@d\n.\n";
        for (control, mark, verbose, expected) in [
            (plain, Mark::None, false, "6AM8Wwpk005225       10 Sun Nov 22 08:05 a@b\n\t\t\t\t\t c@d\n"),
            (plain, Mark::Lost, false, "6AM8Wwpk005225?      10 Sun Nov 22 08:05 a@b\n\t\t\t\t\t c@d\n"),
            (plain, Mark::None, true, "6AM8Wwpk005225       10      30000 Nov 22 08:05 a@b\n\t\t\t\t\t\tc@d\n"),
            (
                WHOLE,
                Mark::Locked,
                false,
                "6AM8Wwpk005225*      10 Sun Nov 22 08:05 a@b\n      8BITMIME   (whole)\n\t\t\t\t\t c@d\n\t\t\t\t\t e\n",
            ),
            (
                WHOLE,
                Mark::None,
                true,
                "6AM8Wwpk005225       10      30000+Nov 22 08:05 a@b\n      8BITMIME   (whole)\n\
                 \t\t\t\t\t\t(---alice:1:2:l---)\n\t\t\t\t\t\tc@d\n\t\t (own)\n\t\t\t\t\t\te\n",
            ),
            ("", Mark::None, false, "6AM8Wwpk005225  (no control file)\n"),
            ("V1\nbad", Mark::Lost, false, "6AM8Wwpk005225? (no control file)\n"),
            ("V8\nT1000\nP10\n.\n", Mark::None, false, "6AM8Wwpk005225 \n"),
        ] {
            assert_eq!(listed(control, mark, 10, verbose), expected, "{control:?} {verbose}");
        }
    }

    #[test]
    fn a_quarantined_message_shows_its_reason() {
        let control = "V8\nT1795334727\nP1\nB7BIT\nqtoo bad\nMmm\nFs\nSa@b\n.\n";
        assert_eq!(
            listed(control, Mark::None, -1, false),
            "6AM8Wwpk005225       -1 Sun Nov 22 08:05 a@b\n     QUARANTINE: too bad\n          7BIT   (mm)\n"
        );
    }
}
