//! Answers: what was chosen, kept in a small file and applied again.
//!
//! Shape of the file: lines `NAME = ANSWER`, `#` begins a comment. Switches are `yes` or `no`; words are separated by commas
//! or blanks.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::options::{self, Kind, OPTIONS, Opt};
use crate::base::table::nearest;
use crate::sys::file;

/// Why an answer is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// There is no option of that name.
    #[error("no option is called {0}{hint}", hint = meant(.0))]
    Unknown(String),
    /// The line is no `NAME = ANSWER`.
    #[error("{0:?} is no NAME = ANSWER")]
    NoAnswer(String),
    /// A switch is yes or no.
    #[error("{0} is yes or no, not {1:?}")]
    NoSwitch(&'static str, String),
    /// Another answer than those.
    #[error("{0} is one of {list}, not {1:?}", list = .2.join(", "))]
    NotOneOf(&'static str, String, &'static [&'static str]),
    /// What m4 would not take as text.
    #[error("{0} cannot hold {1:?}: m4 quotes by ` and '")]
    Quotes(&'static str, char),
    /// A port stands with the host, where a colon parts hosts.
    #[error("{0} is a host (several: host1:host2); the port {1} is the answer of {0}-port")]
    Port(&'static str, String),
}

fn meant(name: &str) -> String {
    nearest(name, OPTIONS.iter().map(|o| o.name)).map(|n| format!("; {n} is")).unwrap_or_default()
}

/// What was chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answers {
    given: BTreeMap<&'static str, String>,
}

impl Answers {
    /// Reads a file; none is as good as an empty one.
    ///
    /// Errors: the file cannot be read; else every line that is no answer, as `FILE:LINE: why`.
    pub(super) fn read(path: &Path) -> io::Result<Result<Self, Vec<String>>> {
        let text = match file::read_following(path, LARGEST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other?,
        };
        let (answers, faults) = Self::parse(&String::from_utf8_lossy(&text));
        if faults.is_empty() {
            return Ok(Ok(answers));
        }
        let place = |(line, fault)| format!("{}:{line}: {fault}", path.display());
        Ok(Err(faults.into_iter().map(place).collect()))
    }

    /// Answers of a text, and what is wrong in it with the number of the line.
    pub(super) fn parse(text: &str) -> (Self, Vec<(usize, Fault)>) {
        let (mut answers, mut faults) = (Self::default(), Vec::new());
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let done = match line.split_once('=') {
                Some((name, answer)) => answers.set(name.trim(), answer.trim()),
                None => Err(Fault::NoAnswer(line.to_owned())),
            };
            if let Err(fault) = done {
                faults.push((number + 1, fault));
            }
        }
        (answers, faults)
    }

    /// Notes an answer.
    pub(super) fn set(&mut self, name: &str, answer: &str) -> Result<(), Fault> {
        let option = options::find(name).ok_or_else(|| Fault::Unknown(name.to_owned()))?;
        if let Some(c) = answer.chars().find(|c| matches!(c, '`' | '\'') || c.is_control()) {
            return Err(Fault::Quotes(option.name, c));
        }
        if option.name == "smart-host"
            && let Some((_, port)) = answer.rsplit_once(':')
            && !port.is_empty()
            && port.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(Fault::Port(option.name, port.to_owned()));
        }
        let kept = match option.kind {
            Kind::Switch => match answer.to_ascii_lowercase().as_str() {
                "yes" | "y" | "true" | "on" => "yes".to_owned(),
                "no" | "n" | "false" | "off" => "no".to_owned(),
                _ => return Err(Fault::NoSwitch(option.name, answer.to_owned())),
            },
            Kind::Text(_) => answer.to_owned(),
            Kind::Words => words(answer).collect::<Vec<_>>().join(", "),
            Kind::OneOf(choices) => match choices.iter().find(|c| c.eq_ignore_ascii_case(answer)) {
                Some(choice) => (*choice).to_owned(),
                None => return Err(Fault::NotOneOf(option.name, answer.to_owned(), choices)),
            },
        };
        self.given.insert(option.name, kept);
        Ok(())
    }

    /// Whether a switch is on, or a text or words are there.
    pub(super) fn is_on(&self, option: &Opt) -> bool {
        match option.kind {
            Kind::Switch => self.given.get(option.name).is_some_and(|a| a == "yes"),
            _ => !self.text(option).is_empty(),
        }
    }

    /// Whether the option of that name is on; `false` when there is none.
    pub(super) fn has(&self, name: &str) -> bool {
        options::find(name).is_some_and(|option| self.is_on(option))
    }

    /// The answer, or what stands when none was given.
    pub(super) fn text(&self, option: &Opt) -> &str {
        let default = match option.kind {
            Kind::Switch => "no",
            Kind::Text(default) => default,
            Kind::Words => "",
            Kind::OneOf(choices) => choices.first().copied().unwrap_or_default(),
        };
        self.given.get(option.name).map_or(default, String::as_str)
    }

    /// The file's text.
    pub(super) fn render(&self) -> String {
        let lines = OPTIONS.iter().filter_map(|o| Some(format!("{} = {}\n", o.name, self.given.get(o.name)?)));
        format!(
            "# Answers of gencf(8). It reads them when it starts and writes them when one is changed.\n{}",
            lines.collect::<String>()
        )
    }

    /// Writes the file anew.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        file::replace(path, self.render().as_bytes(), 0o644)
    }
}

/// Words of an answer.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', '\t']).filter(|word| !word.is_empty())
}

/// Largest file of answers, bytes.
const LARGEST: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut answers = Answers::default();
        for (name, answer) in [
            ("relay-hosts-only", "Yes"),
            ("dnsbl", "bl.one.test  bl.two.test,"),
            ("smart-host", "relay.example.test"),
            ("use-tls", "false"),
            ("starttls", "on"),
        ] {
            answers.set(name, answer).unwrap();
        }
        let text = answers.render();
        assert!(text.ends_with(
            "\nrelay-hosts-only = yes\ndnsbl = bl.one.test, bl.two.test\nsmart-host = relay.example.test\nstarttls = yes\n\
             use-tls = False\n"
        ));
        assert_eq!(Answers::parse(&text), (answers, vec![]));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let (_, faults) = Answers::parse(
            "# x\nstartls = yes\n\nauth\naccess-db = perhaps\nsmart-host = a'b\nuse-tls = 1\nsmart-host = a.test:587\n",
        );
        let told: Vec<String> = faults.iter().map(|(line, fault)| format!("{line}: {fault}")).collect();
        assert_eq!(
            told,
            [
                "2: no option is called startls; starttls is",
                "4: \"auth\" is no NAME = ANSWER",
                "5: access-db is yes or no, not \"perhaps\"",
                "6: smart-host cannot hold '\\'': m4 quotes by ` and '",
                "7: use-tls is one of True, False, not \"1\"",
                "8: smart-host is a host (several: host1:host2); the port 587 is the answer of smart-host-port",
            ]
        );
    }
}
