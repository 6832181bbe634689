//! What is known of a host from earlier deliveries, kept in a file for each host.
//!
//! Shape: a letter and a value a line, ended by a lone dot: `V0` version, `E` error number of the connection, `H` error of the
//! name server, `S` exit code (0: the host is well), `D` enhanced code, `R` last reply, `U` second of the last use.
//! Source: observed (files of the original, `hoststat`).

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::outcome::{Outcome, Verdict};
use super::refusal;
use super::settled;
use crate::base::bytes::{leading_number, shown};
use crate::base::domain::without_final_dot;
use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::base::time::UnixTime;
use crate::smtp::client::{Phase, Reply, Settled, Trouble};

/// State of a host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostStatus {
    /// Error number of the connection; 0 for none.
    pub errno: i32,
    /// Error of the name server as `h_errno` has it; 0 for none.
    pub name_error: i32,
    /// Exit code: 0 when the host is well.
    pub exit: Exit,
    /// Enhanced code of the last message.
    pub status: Option<Status>,
    /// Last reply.
    pub reply: Option<Bytes>,
    /// Last use.
    pub used: UnixTime,
}

impl HostStatus {
    /// Reads a file. `None` for one that is no host status.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut found = Self::default();
        let mut lines = text.split(|b| *b == b'\n');
        if lines.next() != Some(b"V0") {
            return None;
        }
        for line in lines {
            let Some((letter, value)) = line.split_first() else { continue };
            let number = || i32::try_from(leading_number(value)).unwrap_or(0);
            match letter {
                b'.' => return Some(found),
                b'E' => found.errno = number(),
                b'H' => found.name_error = number(),
                b'S' => found.exit = Exit(u8::try_from(leading_number(value)).unwrap_or(0)),
                b'D' => found.status = Status::parse_prefix(value).map(|(status, _)| status),
                b'R' => found.reply = Some(Bytes::copy_from_slice(value)),
                b'U' => found.used = UnixTime(leading_number(value)),
                _ => {}
            }
        }
        None
    }

    /// The file's text.
    pub fn render(&self) -> Vec<u8> {
        let mut out = format!("V0\nE{}\nH{}\nS{}\n", self.errno, self.name_error, self.exit.0).into_bytes();
        if let Some(status) = self.status {
            out.extend_from_slice(format!("D{status}\n").as_bytes());
        }
        if let Some(reply) = &self.reply {
            out.push(b'R');
            // A peer chose the words: they stay one line.
            out.extend(reply.iter().map(|b| if b.is_ascii_control() { b' ' } else { *b }));
            out.push(b'\n');
        }
        out.extend_from_slice(format!("U{}\n.\n", self.used.0).as_bytes());
        out
    }

    /// After a connection that was of no use; `None` when that says nothing about the host.
    pub fn of_trouble(trouble: &Trouble, host: &Bytes, used: UnixTime) -> Option<Self> {
        let lost = |phase: Phase, errno| Self {
            errno,
            exit: Exit::TEMPFAIL,
            status: Some(if phase == Phase::Connect { Status(4, 4, 1) } else { Status(4, 4, 2) }),
            reply: is_in_message(phase)
                .then(|| Bytes::from(format!("451 4.4.1 reply: read error from {}", shown(host)))),
            used,
            ..Self::default()
        };
        match trouble {
            Trouble::Broken { phase, errno } => Some(lost(*phase, errno.unwrap_or(libc::ECONNRESET))),
            Trouble::Timeout(phase) => Some(lost(*phase, libc::ETIMEDOUT)),
            Trouble::Refused { phase, reply, .. } if *phase != Phase::Auth => Some(Self {
                exit: if phase.is_lasting(reply.code) { Exit::UNAVAILABLE } else { Exit::TEMPFAIL },
                status: Some(settled::trouble(trouble, host).status),
                reply: Some(reply.log_form().into()),
                used,
                ..Self::default()
            }),
            Trouble::Refused { .. }
            | Trouble::Garbage(_)
            | Trouble::Ruleset(_)
            | Trouble::Handshake(_)
            | Trouble::Name(_)
            | Trouble::Loop
            | Trouble::NoHost
            | Trouble::NoMechanism
            | Trouble::NoLogin
            | Trouble::OutOfTime => None,
        }
    }

    /// After a transaction: what was said to the message, or to MAIL, counts; what was said to recipients does not.
    ///
    /// `emptied` is the answer to the dot of a message that nobody was taken for. Source: observed.
    pub fn of_settled(settled: &[Settled], emptied: Option<&Reply>, host: &Bytes, used: UnixTime) -> Option<Self> {
        let well = |reply: &Reply| {
            let status = reply.status().filter(|s| s.0 == 2).unwrap_or(Status(2, 0, 0));
            Self { status: Some(status), reply: Some(reply.log_form().into()), used, ..Self::default() }
        };
        let refused = |phase: Phase, reply: &Reply| {
            // A server that has no room for this message is well.
            let is_unwell = phase == Phase::DataFinal && !phase.is_lasting(reply.code) && reply.code != 452;
            Self {
                exit: if is_unwell { Exit::TEMPFAIL } else { Exit::OK },
                status: Some(refusal::meaning(phase, reply, true).status),
                reply: Some(reply.log_form().into()),
                used,
                ..Self::default()
            }
        };
        let taken =
            settled.iter().rev().find_map(|s| if let Settled::Accepted { reply, .. } = s { Some(reply) } else { None });
        if let Some(reply) = taken {
            return Some(well(reply));
        }
        let rank = |one: &&Settled| match one {
            Settled::Failed(_) | Settled::Unanswered(_) => 3,
            Settled::Refused { phase: Phase::Rcpt, .. } | Settled::Unsent(_) => 1,
            Settled::Refused { .. } => 2,
            Settled::Accepted { .. } | Settled::Ruleset(_) => 0,
        };
        match settled.iter().max_by_key(rank)? {
            Settled::Failed(trouble) | Settled::Unanswered(trouble) => Self::of_trouble(trouble, host, used),
            Settled::Refused { phase: Phase::DataInit, .. } => Some(Self { used, ..Self::default() }),
            Settled::Refused { phase: Phase::Mail, reply, .. } if reply.code == 421 => {
                Some(Self { used, ..Self::default() })
            }
            Settled::Refused { phase: Phase::Rcpt, .. } | Settled::Unsent(_) => Some(match emptied {
                Some(reply) if reply.class() == 2 => well(reply),
                Some(reply) => refused(Phase::DataFinal, reply),
                None => Self { used, ..Self::default() },
            }),
            Settled::Refused { phase, reply, .. } => Some(refused(*phase, reply)),
            Settled::Accepted { .. } | Settled::Ruleset(_) => None,
        }
    }

    /// The same of a server that left by itself: what it said to QUIT is its last word.
    #[must_use]
    pub fn with_farewell(mut self, farewell: Option<Bytes>) -> Self {
        if self.reply.as_ref().is_some_and(|reply| reply.starts_with(b"421")) {
            self.reply = farewell.or(self.reply);
        }
        self
    }

    /// What happens to mail for the host without another try; `None` when the host is well.
    pub fn outcome(&self, host: &Bytes) -> Option<Outcome> {
        if self.exit == Exit::OK {
            return None;
        }
        if !self.exit.is_temporary() {
            let text = self.exit.row().map_or("Service unavailable", |row| row.text);
            let mut outcome = Outcome::failed(self.exit, self.status.unwrap_or(Status(5, 0, 0)), text);
            outcome.told = Some((554, Status(5, 0, 0)));
            return Some(outcome);
        }
        let mut outcome = if self.errno != 0 {
            settled::trouble(&Trouble::Broken { phase: Phase::Connect, errno: Some(self.errno) }, host)
        } else if self.name_error != 0 {
            Outcome::deferred(Status(4, 4, 3), &format!("Name server: {}: host name lookup failure", shown(host)))
        } else {
            Outcome::deferred(Status(4, 0, 0), "")
        };
        debug_assert_eq!(outcome.verdict, Verdict::Deferred);
        if let Some(status) = self.status {
            outcome.status = status;
        }
        outcome.server = Some(host.clone());
        Some(outcome)
    }

    /// Whether it still counts.
    pub fn is_fresh(&self, now: UnixTime, limit: std::time::Duration) -> bool {
        !limit.is_zero() && now.since(self.used) <= limit
    }

    /// Its words in a list. Source: observed (`hoststat`).
    pub fn words(&self) -> String {
        if let Some(reply) = self.reply.as_ref().filter(|reply| !reply.is_empty()) {
            return shown(reply).to_string();
        }
        if self.errno != 0 {
            let text = std::io::Error::from_raw_os_error(self.errno).to_string();
            return format!("Deferred: {}", text.split(" (os error").next().unwrap_or(&text));
        }
        match self.exit.row() {
            Some(row) if row.reply < 500 => format!("{} Deferred", row.status),
            Some(row) => format!("{} {}", row.status, row.text),
            None => "OK".to_owned(),
        }
    }
}

/// Whether a reply in the middle of a message was waited for.
fn is_in_message(phase: Phase) -> bool {
    matches!(phase, Phase::Rcpt | Phase::DataInit | Phase::DataFinal)
}

/// Where a host's file lies below the directory: its labels from the right, each but the first a directory.
/// `None` for a name that cannot be one.
///
/// Shape: `mx1.remote.test.` is `test./remote./mx1`.
pub fn path_of(host: &[u8]) -> Option<(Vec<String>, String)> {
    let bare = host.strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]")).unwrap_or(host);
    let name = std::str::from_utf8(without_final_dot(bare)).ok()?.to_ascii_lowercase();
    let is_good = |label: &str| !label.is_empty() && !label.contains(|c: char| c == '/' || c.is_control());
    if name.is_empty() || !name.split('.').all(is_good) {
        return None;
    }
    let mut labels = name.split('.');
    let file = labels.next()?.to_owned();
    let directories: Vec<String> = labels.map(|label| format!("{label}.")).collect();
    Some((directories.into_iter().rev().collect(), file))
}

/// The host of a file.
pub fn host_of(directories: &[String], file: &str) -> String {
    let labels = directories.iter().rev().map(|label| label.trim_end_matches('.'));
    std::iter::once(file).chain(labels).collect::<Vec<_>>().join(".")
}

/// `HostStatusDirectory`; what is no absolute path lies in the queue directory.
pub fn directory(setting: &Path, queue: &Path) -> PathBuf {
    if setting.is_absolute() { setting.to_owned() } else { queue.join(setting) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::client::Reply;

    fn reply(text: &str) -> Reply {
        Reply { code: text[..3].parse().unwrap(), lines: vec![Bytes::copy_from_slice(text.as_bytes())] }
    }

    #[test]
    fn files_of_the_original_are_read_and_written() {
        for text in [
            "V0\nE0\nH0\nS0\nD2.0.0\nR250 2.0.0 sink took it\nU1795974025\n.\n",
            "V0\nE111\nH0\nS75\nD4.4.1\nU1795974024\n.\n",
            "V0\nE0\nH0\nS0\nU1795974088\n.\n",
            "V0\nE104\nH0\nS75\nD4.4.2\nR451 4.4.1 reply: read error from h12.test.\nU1795974089\n.\n",
        ] {
            assert_eq!(String::from_utf8(HostStatus::parse(text.as_bytes()).unwrap().render()).unwrap(), text);
        }
        for bad in ["", "garbage\n", "V0\nE0\n", "V1\n.\n"] {
            assert_eq!(HostStatus::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn what_happened_is_kept_as_the_original_keeps_it() {
        let host = Bytes::from_static(b"h.test.");
        assert_eq!(HostStatus::of_trouble(&Trouble::OutOfTime, &host, UnixTime(7)), None);
        let refused = |phase, text: &str| Settled::Refused { phase, command: Bytes::new(), reply: reply(text) };
        let greeting =
            |text: &str| Trouble::Refused { phase: Phase::Greeting, command: Bytes::new(), reply: reply(text) };
        for (settled, expected) in [
            (Settled::Accepted { reply: reply("250 2.0.0 ok"), rcpt: None }, "S0\nD2.0.0\nR250 2.0.0 ok\n"),
            (refused(Phase::Mail, "451 4.7.1 wait"), "S0\nD4.7.1\nR451 4.7.1 wait\n"),
            (refused(Phase::DataInit, "452 4.3.1 full"), "S0\n"),
            (refused(Phase::DataFinal, "451 later"), "S75\nD4.3.0\nR451 later\n"),
            (refused(Phase::DataFinal, "452 full"), "S0\nD4.3.1\nR452 full\n"),
            (refused(Phase::DataFinal, "554 spam"), "S0\nD5.0.0\nR554 spam\n"),
            (refused(Phase::Rcpt, "450 4.2.1 wait"), "S0\nU7\n"),
            (Settled::Failed(greeting("554 5.7.1 go")), "S69\nD5.5.0\nR554 5.7.1 go\n"),
            (Settled::Failed(Trouble::Timeout(Phase::Mail)), "S75\nD4.4.2\n"),
        ] {
            let kept = HostStatus::of_settled(std::slice::from_ref(&settled), None, &host, UnixTime(7)).unwrap();
            let text = String::from_utf8(kept.render()).unwrap();
            assert!(text.contains(expected), "{settled:?}: {text}");
        }
        let settled = [refused(Phase::DataFinal, "554 5.7.1 spam"), refused(Phase::Rcpt, "450 4.2.1 wait")];
        let kept = HostStatus::of_settled(&settled, None, &host, UnixTime(7)).unwrap();
        assert_eq!(kept.reply.as_deref(), Some(&b"554 5.7.1 spam"[..]), "recipients do not count");
        let kept =
            HostStatus::of_settled(&settled[1..], Some(&reply("250 2.0.0 took it")), &host, UnixTime(7)).unwrap();
        assert_eq!((kept.status, kept.words().as_str()), (Some(Status(2, 0, 0)), "250 2.0.0 took it"));
        let left = HostStatus::of_trouble(&greeting("421 busy"), &host, UnixTime(7)).unwrap();
        assert_eq!(left.with_farewell(Some("221 bye".into())).words(), "221 bye");
        let kept = kept.with_farewell(Some("221 bye".into()));
        assert_eq!(kept.words(), "250 2.0.0 took it");
    }

    #[test]
    fn a_host_that_is_down_needs_no_other_try() {
        let host = Bytes::from_static(b"h.test.");
        let down = HostStatus { errno: 111, exit: Exit::TEMPFAIL, status: Some(Status(4, 4, 1)), ..Default::default() };
        assert_eq!(down.outcome(&host).unwrap().text, "Deferred: Connection refused by h.test.");
        assert_eq!(down.words(), "Deferred: Connection refused");
        let busy = HostStatus { exit: Exit::TEMPFAIL, status: Some(Status(4, 5, 0)), ..Default::default() };
        assert_eq!(busy.outcome(&host).unwrap().text, "Deferred");
        assert_eq!(HostStatus::default().outcome(&host), None);
        assert_eq!(HostStatus::default().words(), "OK");
        let used = HostStatus { used: UnixTime(100), ..Default::default() };
        assert!(used.is_fresh(UnixTime(160), std::time::Duration::from_secs(60)));
        assert!(!used.is_fresh(UnixTime(161), std::time::Duration::from_secs(60)));
        assert!(!used.is_fresh(UnixTime(100), std::time::Duration::ZERO), "nothing is remembered");
    }

    #[test]
    fn names_lead_to_files_and_nowhere_else() {
        let path = |host: &str| path_of(host.as_bytes()).map(|(dirs, file)| format!("{}/{file}", dirs.join("/")));
        assert_eq!(path("MX1.remote.test.").as_deref(), Some("test./remote./mx1"));
        assert_eq!(path("[203.0.113.9]").as_deref(), Some("9./113./0./203"));
        for bad in ["", ".", "..", "a..b", "../../etc/passwd", "a/b.test", "\n.test"] {
            assert_eq!(path(bad), None, "{bad}");
        }
        assert_eq!(host_of(&["test.".to_owned(), "remote.".to_owned()], "mx1"), "mx1.remote.test");
    }
}
