//! HELP, NOOP, VERB.

use super::session::{Action, Session};
use crate::base::bytes::shown;
use crate::base::status::Status;
use crate::macros::names;
use crate::smtp::help;

impl Session {
    pub(super) fn noop(&mut self, line: &[u8]) -> Action {
        let limit = u64::try_from(self.setting.config.options.max_noop_commands).unwrap_or(0);
        self.count(|c| &mut c.noop, limit, "NOOP");
        self.other(line, 250, Status(2, 0, 0), "OK")
    }

    pub(super) fn verb(&mut self, line: &[u8]) -> Action {
        if !self.allows_verb() {
            self.reply(502, Status(5, 7, 0), "Verbose unavailable");
            return Action::Read;
        }
        self.is_verbose = true;
        self.other(line, 250, Status(2, 0, 0), "Verbose mode")
    }

    pub(super) fn help(&mut self, topic: &[u8]) -> Action {
        let topic = topic.trim_ascii_end();
        let setting = std::sync::Arc::clone(&self.setting);
        let Some(file) = &setting.help else {
            let version = self.scope().text(names::VERSION);
            self.reply(502, Status(5, 3, 0), &format!("Sendmail {} -- HELP not implemented", shown(&version)));
            return Action::Read;
        };
        if let Some(mut lines) = help::lines(file, topic, self.scope()) {
            lines.push(b"End of HELP info".to_vec());
            self.replies.lines(214, Some(Status(2, 0, 0)), lines.iter().map(Vec::as_slice));
        } else {
            let topic = shown(help::shown_topic(topic)).to_string();
            self.reply(504, Status(5, 3, 0), &format!("HELP topic \"{topic}\" unknown"));
        }
        Action::Read
    }
}
