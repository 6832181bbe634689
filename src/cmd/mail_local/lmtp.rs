//! LMTP on standard input and output. Source: RFC 2033; replies as observed.

use std::io::{self, BufRead, BufReader, Read, Write};

use bytes::Bytes;

use super::mailbox;
use super::spool::Message;
use super::{Failure, Settings};
use crate::base::exit::Exit;
use crate::sys::{clock, host};

/// Serves the dialogue until QUIT or the end of the input.
pub(super) fn serve(settings: &Settings, input: impl Read, output: impl Write) -> Exit {
    let host = host::name().unwrap_or_else(|_| "localhost".to_owned());
    let mut session = Session {
        settings,
        host,
        input: BufReader::with_capacity(64 * 1024, input),
        output: io::BufWriter::new(output),
        was_greeted: false,
        sender: None,
        recipients: Vec::new(),
    };
    match session.run() {
        Ok(()) => Exit::OK,
        Err(_) => Exit::TEMPFAIL,
    }
}

struct Session<'a, R: Read, W: Write> {
    settings: &'a Settings,
    host: String,
    input: BufReader<R>,
    output: io::BufWriter<W>,
    was_greeted: bool,
    sender: Option<Bytes>,
    recipients: Vec<Bytes>,
}

impl<R: Read, W: Write> Session<'_, R, W> {
    fn run(&mut self) -> io::Result<()> {
        self.reply(&format!("220 {} LMTP ready", self.host))?;
        let mut line = Vec::new();
        loop {
            // With PIPELINING replies go out together, when nothing more is there to be read.
            if self.input.buffer().is_empty() {
                self.output.flush()?;
            }
            line.clear();
            if self.input.by_ref().take(COMMAND).read_until(b'\n', &mut line)? == 0 {
                return self.output.flush();
            }
            if !line.ends_with(b"\n") {
                self.skip_line()?;
                self.reply(SYNTAX)?;
                continue;
            }
            let command = line.strip_suffix(b"\n").unwrap_or(&line);
            let command = command.strip_suffix(b"\r").unwrap_or(command).trim_ascii_end();
            if command.eq_ignore_ascii_case(b"QUIT") {
                self.reply("221 2.0.0 Bye")?;
                return self.output.flush();
            }
            self.command(command)?;
        }
    }

    fn command(&mut self, command: &[u8]) -> io::Result<()> {
        let verb = command.split(|b| *b == b' ').next().unwrap_or_default();
        let rest = command.get(verb.len()..).unwrap_or_default().trim_ascii();
        match verb.to_ascii_uppercase().as_slice() {
            b"LHLO" if !rest.is_empty() => self.lhlo(),
            b"MAIL" if has_prefix(rest, b"FROM:") => self.mail(rest.get(5..).unwrap_or_default()),
            b"RCPT" if has_prefix(rest, b"TO:") => self.rcpt(rest.get(3..).unwrap_or_default()),
            b"DATA" if rest.is_empty() => self.data(),
            b"RSET" if rest.is_empty() => {
                self.reset();
                self.reply("250 2.0.0 Ok")
            }
            b"NOOP" => self.reply("250 2.0.0 Ok"),
            b"VRFY" if !rest.is_empty() => self.reply("252 2.3.3 Try RCPT to attempt delivery"),
            _ => self.reply(SYNTAX),
        }
    }

    fn lhlo(&mut self) -> io::Result<()> {
        if self.was_greeted {
            let text = format!("503 5.5.1 {} Duplicate LHLO", self.host);
            return self.reply(&text);
        }
        self.was_greeted = true;
        let host = self.host.clone();
        self.reply(&format!("250-{host}"))?;
        if !self.settings.is_7bit {
            self.reply("250-8BITMIME")?;
        }
        self.reply("250-ENHANCEDSTATUSCODES")?;
        self.reply("250 PIPELINING")
    }

    fn mail(&mut self, argument: &[u8]) -> io::Result<()> {
        if self.sender.is_some() {
            return self.reply("503 5.5.1 Nested MAIL command");
        }
        let Some(path) = bracketed(argument) else { return self.reply(PARAMETERS) };
        self.sender = Some(Bytes::copy_from_slice(path));
        self.reply("250 2.5.0 Ok")
    }

    fn rcpt(&mut self, argument: &[u8]) -> io::Result<()> {
        if self.sender.is_none() {
            return self.reply("503 5.5.1 Need MAIL command");
        }
        let Some(path) = bracketed(argument) else { return self.reply(PARAMETERS) };
        let name = if self.settings.keeps_domain { path } else { local_part(path) };
        match mailbox::account(name) {
            Ok(_) => {
                self.recipients.push(Bytes::copy_from_slice(name));
                self.reply("250 2.1.5 Ok")
            }
            Err(failure) if failure.is_temporary() => self.reply("451 4.3.0 User database failure; retry later"),
            Err(_) => self.reply("550 5.1.1 User unknown"),
        }
    }

    fn data(&mut self) -> io::Result<()> {
        if self.recipients.is_empty() {
            return self.reply("503 5.5.1 No recipients");
        }
        self.reply("354 Go ahead")?;
        self.output.flush()?;
        let sender = self.sender.clone().unwrap_or_default();
        let mut message = Message::new(&sender, clock::now(), &clock::caller_zone());
        let complete = self.take_data(&mut message)?;
        if !complete {
            return Ok(());
        }
        let message = message.and_then(|mut message| message.end().map(|()| message));
        for name in std::mem::take(&mut self.recipients) {
            let result = match &message {
                Ok(message) => mailbox::deliver(self.settings, &name, message),
                Err(_) => Err(Failure { code: "451 4.3.0", text: "Unable to open temporary file".to_owned() }),
            };
            let shown = name.escape_ascii();
            match result {
                Ok(()) => self.reply(&format!("250 2.1.5 {shown} Ok"))?,
                Err(failure) => self.reply(&format!("{} {}", failure.code, failure.text.escape_default()))?,
            }
        }
        self.reset();
        Ok(())
    }

    /// Takes lines up to the dot. False when the input ended before: then nothing may be delivered.
    fn take_data(&mut self, message: &mut io::Result<Message>) -> io::Result<bool> {
        let mut line = Vec::new();
        let mut at_start = true;
        loop {
            line.clear();
            if self.input.by_ref().take(DATA_PART).read_until(b'\n', &mut line)? == 0 {
                return Ok(false);
            }
            if at_start && matches!(line.as_slice(), b".\r\n" | b".\n") {
                return Ok(true);
            }
            let is_whole = line.ends_with(b"\n");
            if line.ends_with(b"\r\n") {
                line.truncate(line.len() - 2);
                line.push(b'\n');
            } else if !is_whole && line.ends_with(b"\r") {
                // The newline that belongs to it is the next byte.
                let mut next = [0u8; 1];
                if self.input.read(&mut next)? == 0 {
                    return Ok(false);
                }
                if next == *b"\n" {
                    line.pop();
                }
                line.push(next[0]);
            }
            let text = if at_start { line.strip_prefix(b".").unwrap_or(&line) } else { &line };
            at_start = line.ends_with(b"\n");
            if let Ok(stored) = message
                && let Err(e) = stored.line(text)
            {
                *message = Err(e);
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        self.input.skip_until(b'\n').map(|_| ())
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    fn reply(&mut self, text: &str) -> io::Result<()> {
        write!(self.output, "{text}\r\n")
    }
}

fn has_prefix(text: &[u8], prefix: &[u8]) -> bool {
    crate::base::bytes::starts_with_ignore_case(text, prefix)
}

/// What stands between angle brackets; parameters behind them do not matter here.
fn bracketed(argument: &[u8]) -> Option<&[u8]> {
    let inner = argument.trim_ascii_start().strip_prefix(b"<")?;
    let end = inner.iter().rposition(|b| *b == b'>')?;
    inner.get(..end)
}

/// What stands before the last `@`, source route left out.
fn local_part(path: &[u8]) -> &[u8] {
    let path = match path.strip_prefix(b"@") {
        Some(_) => path.splitn(2, |b| *b == b':').nth(1).unwrap_or_default(),
        None => path,
    };
    match path.iter().rposition(|b| *b == b'@') {
        Some(at) => path.get(..at).unwrap_or_default(),
        None => path,
    }
}

const SYNTAX: &str = "500 5.5.2 Syntax error";
const PARAMETERS: &str = "501 5.5.4 Syntax error in parameters";
const COMMAND: u64 = 4096;
const DATA_PART: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::file::Dir;
    use crate::sys::user;

    fn talk(settings: &Settings, input: &[u8]) -> Vec<String> {
        let mut out = Vec::new();
        assert_eq!(serve(settings, input, &mut out), Exit::OK);
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with("\r\n"));
        text.split("\r\n").skip(1).filter(|l| !l.is_empty()).map(ToOwned::to_owned).collect()
    }

    fn here() -> (tempfile::TempDir, Settings, String) {
        let tmp = tempfile::tempdir().unwrap();
        let settings = Settings { directory: Some(tmp.path().to_owned()), is_lmtp: true, ..Settings::default() };
        let name = user::by_uid(user::effective_uid()).unwrap().unwrap().name;
        (tmp, settings, String::from_utf8(name.to_vec()).unwrap())
    }

    #[test]
    fn replies_are_those_of_the_original() {
        let (_tmp, settings, own) = here();
        for (command, reply) in [
            ("FOO", "500 5.5.2 Syntax error"),
            ("LHLO", "500 5.5.2 Syntax error"),
            ("EHLO x", "500 5.5.2 Syntax error"),
            ("NOOP", "250 2.0.0 Ok"),
            ("VRFY root", "252 2.3.3 Try RCPT to attempt delivery"),
            ("RSET", "250 2.0.0 Ok"),
            ("DATA", "503 5.5.1 No recipients"),
            ("RCPT TO:<root>", "503 5.5.1 Need MAIL command"),
            ("MAIL FROM:a@b", "501 5.5.4 Syntax error in parameters"),
            ("QUIT", "221 2.0.0 Bye"),
        ] {
            assert_eq!(talk(&settings, format!("{command}\r\n").as_bytes()), [reply], "{command}");
        }
        let script = format!(
            "LHLO x\r\nLHLO x\r\nMAIL FROM:<a@b> SIZE=5\r\nMAIL FROM:<c@d>\r\nRCPT TO:<{own}@h>\r\nRCPT TO:<no.such>\r\n"
        );
        let host = host::name().unwrap();
        assert_eq!(
            talk(&settings, script.as_bytes()),
            [
                &format!("250-{host}"),
                "250-8BITMIME",
                "250-ENHANCEDSTATUSCODES",
                "250 PIPELINING",
                &format!("503 5.5.1 {host} Duplicate LHLO"),
                "250 2.5.0 Ok",
                "503 5.5.1 Nested MAIL command",
                "250 2.1.5 Ok",
                "550 5.1.1 User unknown",
            ]
        );
    }

    #[test]
    fn each_recipient_gets_a_reply_and_dots_are_undone() {
        let (tmp, settings, own) = here();
        let script = format!(
            "MAIL FROM:<>\r\nRCPT TO:<{own}>\r\nRCPT TO:<{own}+x@h>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\nFrom me\r\n.\r\nQUIT\r\n"
        );
        let replies = talk(&settings, script.as_bytes());
        assert_eq!(
            replies[4..],
            [format!("250 2.1.5 {own} Ok"), format!("250 2.1.5 {own}+x Ok"), "221 2.0.0 Bye".into()]
        );
        let text = Dir::open(tmp.path()).unwrap().read(&own, 10_000).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.starts_with("From MAILER-DAEMON ") && text.ends_with("\nSubject: x\n\n.dot\nFrom me\n\n"),
            "{text}"
        );
        assert_eq!(text.matches("Subject").count(), 2);
    }

    #[test]
    fn a_message_without_its_dot_is_not_delivered() {
        let (tmp, settings, own) = here();
        for end in ["", "\r\n", "\r\n.", "\r\n.\r"] {
            let script = format!("MAIL FROM:<a>\r\nRCPT TO:<{own}>\r\nDATA\r\ntext{end}");
            assert_eq!(talk(&settings, script.as_bytes()).len(), 3, "{end:?}");
        }
        assert!(Dir::open(tmp.path()).unwrap().entries().unwrap().is_empty());
    }

    #[test]
    fn long_lines_and_long_commands_are_taken() {
        let (tmp, settings, own) = here();
        let long = "x".repeat(200_000);
        let script = format!("NOOP {long}\r\nMAIL FROM:<a>\r\nRCPT TO:<{own}>\r\nDATA\r\n{long}\r\n.\r\n");
        let replies = talk(&settings, script.as_bytes());
        assert_eq!(
            replies,
            ["500 5.5.2 Syntax error", "250 2.5.0 Ok", "250 2.1.5 Ok", "354 Go ahead", &format!("250 2.1.5 {own} Ok")]
        );
        let text = Dir::open(tmp.path()).unwrap().read(&own, 1 << 20).unwrap();
        assert!(text.ends_with(&[long.as_bytes(), b"\n\n"].concat()));
    }
}
