//! Stages of a session as filters see them.

use super::wire::step;

/// A stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table says what each is")]
pub enum Stage {
    Connect,
    Helo,
    Mail,
    Rcpt,
    Data,
    Unknown,
    Header,
    EndOfHeader,
    Body,
    EndOfMessage,
}

/// A stage's place in the protocol.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The stage.
    pub stage: Stage,
    /// Name in log lines.
    pub name: &'static str,
    /// Letter of its command.
    pub command: u8,
    /// Bit of a filter that does not want to be told.
    pub unwanted: u32,
    /// Bit of a filter that gives no answer.
    pub no_reply: u32,
    /// First version of the protocol that has it.
    pub since: u32,
    /// Its list of macros: the name behind `Milter.macros.`, and the number by which a filter names it.
    pub macros: Option<(&'static str, u32)>,
    /// Whether a refusal is about the session, not about a message.
    pub is_session: bool,
    /// What stands for a filter's own reply that is none.
    pub default_reply: &'static str,
}

/// All stages, in the order of a session. Source: libmilter's manual (`xxfi_negotiate`, `smfi_setsymlist`); observed.
#[rustfmt::skip]
pub static STAGES: &[Row] = &[
    Row { stage: Stage::Connect, name: "connect", command: b'C', unwanted: 0x1, no_reply: 0x1000, since: 2, macros: Some(("connect", 0)), is_session: true, default_reply: "554 Command rejected" },
    Row { stage: Stage::Helo, name: "helo", command: b'H', unwanted: 0x2, no_reply: 0x2000, since: 2, macros: Some(("helo", 1)), is_session: true, default_reply: "550 Command rejected" },
    Row { stage: Stage::Mail, name: "mail", command: b'M', unwanted: 0x4, no_reply: 0x4000, since: 2, macros: Some(("envfrom", 2)), is_session: false, default_reply: "550 5.7.1 Command rejected" },
    Row { stage: Stage::Rcpt, name: "rcpt", command: b'R', unwanted: 0x8, no_reply: 0x8000, since: 2, macros: Some(("envrcpt", 3)), is_session: false, default_reply: "550 5.7.1 Command rejected" },
    Row { stage: Stage::Data, name: "data", command: b'T', unwanted: 0x200, no_reply: 0x1_0000, since: 4, macros: Some(("data", 4)), is_session: false, default_reply: "550 5.7.1 Command rejected" },
    Row { stage: Stage::Unknown, name: "unknown", command: b'U', unwanted: 0x100, no_reply: 0x2_0000, since: 3, macros: None, is_session: false, default_reply: "550 5.7.1 Command rejected" },
    Row { stage: Stage::Header, name: "header", command: b'L', unwanted: 0x20, no_reply: 0x80, since: 2, macros: None, is_session: false, default_reply: "554 5.7.1 Command rejected" },
    Row { stage: Stage::EndOfHeader, name: "eoh", command: b'N', unwanted: 0x40, no_reply: 0x4_0000, since: 2, macros: Some(("eoh", 6)), is_session: false, default_reply: "554 5.7.1 Command rejected" },
    Row { stage: Stage::Body, name: "body", command: b'B', unwanted: 0x10, no_reply: 0x8_0000, since: 2, macros: None, is_session: false, default_reply: "554 5.7.1 Command rejected" },
    Row { stage: Stage::EndOfMessage, name: "eom", command: b'E', unwanted: 0, no_reply: 0, since: 2, macros: Some(("eom", 5)), is_session: false, default_reply: "554 5.7.1 Command rejected" },
];

impl Stage {
    /// Its row.
    pub fn row(self) -> &'static Row {
        STAGES.iter().find(|r| r.stage == self).unwrap_or(&STAGES[0])
    }
}

/// Stage of a list of macros, by the number that filters use.
pub fn of_list(number: u32) -> Option<&'static Row> {
    STAGES.iter().find(|r| r.macros.is_some_and(|(_, n)| n == number))
}

/// Bits of all stages and of [`step`].
pub fn all_bits() -> u32 {
    STAGES.iter().fold(step::SKIP | step::REFUSED_RECIPIENTS | step::LEADING_SPACE, |bits, row| {
        bits | row.unwanted | row.no_reply
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::milter;
    use crate::milter::wire::COMMANDS;

    #[test]
    fn every_stage_has_its_row_command_and_list() {
        assert_eq!(all_bits(), step::ALL);
        for (at, row) in STAGES.iter().enumerate() {
            assert_eq!(row.stage as usize, at);
            assert!(COMMANDS.iter().any(|c| c.letter == row.command), "{}", row.name);
        }
        let mut lists: Vec<&str> = STAGES.iter().filter_map(|r| r.macros.map(|(name, _)| name)).collect();
        let mut known = milter::STAGES.to_vec();
        lists.sort_unstable();
        known.sort_unstable();
        assert_eq!(lists, known);
    }
}
