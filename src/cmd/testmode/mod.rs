//! Address test mode (`-bt`): rulesets, maps, mailers and macros, asked line by line.
//!
//! Source: op guide 2.7 (`-bt`), sendmail(8); observed (words and order of every line).

mod address;
mod define;
mod output;
mod show;

use std::future::Future as _;
use std::io::{BufReader, Read, Write};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::runtime::Runtime;

use self::output::Output;
use crate::address::scan::Mode;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::config::Config;
use crate::envelope::QueueId;
use crate::log::debug::Tracer;
use crate::log::{Id, Level, Priority};
use crate::macros::{NameTable, Scope, names};
use crate::rewrite::drive::Rewriter;
use crate::rewrite::print::{Both, Levels, Printer};
use crate::rewrite::{Messages, Workspace};
use crate::route::Kind;
use crate::site::Site;
use crate::smtp::help;
use crate::sys::safefile::{self, Purpose};

/// A line of test mode by its first characters.
struct Row {
    /// What the line begins with.
    word: &'static str,
    /// Performs it; the text is everything behind the word.
    run: fn(&mut TestMode<'_>, &[u8]),
}

/// Lines that begin with `/`; names are told by their first word, letter case aside.
static SLASH: &[Row] = &[
    Row { word: "canon", run: |mode, text| mode.canon(text) },
    Row { word: "expand", run: |mode, text| mode.expand(text) },
    Row { word: "map", run: |mode, text| mode.map(text) },
    Row { word: "mx", run: |mode, text| mode.mx(text) },
    Row { word: "parse", run: |mode, text| mode.parse(text) },
    Row { word: "try", run: |mode, text| mode.try_mailer(text) },
    Row { word: "tryflags", run: |mode, text| mode.try_flags(text) },
];

/// What a session knows.
pub(super) struct TestMode<'a> {
    site: &'a Site,
    runtime: &'a Runtime,
    /// The configuration, with what `.D` and `.C` changed.
    config: Config,
    names: NameTable,
    rewriter: Rewriter,
    scope: Scope,
    workspace: Workspace,
    output: Output<'a>,
    /// What `/try` and `/parse` take an address for.
    kind: Kind,
    /// Levels of `-d`.
    tracer: Arc<Tracer>,
    /// Lines are shown as they are read, in place of a prompt (`-v`).
    echoes: bool,
    /// Queue id of log lines.
    id: QueueId,
    exit: Exit,
}

/// Serves lines until `/quit` or the end of input.
pub fn run(site: &Arc<Site>, runtime: &Runtime, id: QueueId, input: impl Read, out: &mut dyn Write) -> Exit {
    let config = Config::clone(&site.config);
    let mut mode = TestMode {
        site,
        runtime,
        names: config.names.clone(),
        rewriter: Rewriter::new(Arc::clone(site.rewriter.program()), site.maps.clone().undeferred()),
        scope: config.scope(),
        workspace: site.rewriter.workspace(),
        output: Output::new(out),
        kind: Kind::ENVELOPE_RECIPIENT,
        tracer: Arc::clone(site.log.tracer()),
        echoes: site.start.is_verbose,
        id,
        exit: Exit::OK,
        config,
    };
    let sender = [site.start.user.as_ref(), b"@localhost"].concat();
    mode.scope.set(names::CLIENT_INFO, sender);
    mode.scope.set(names::QUEUE_ID, mode.id.as_str().to_owned());
    mode.scope.set(names::ADDR_TYPE, mode.kind.addr_type());
    mode.output.line("ADDRESS TEST MODE (ruleset 3 NOT automatically invoked)");
    mode.output.line("Enter <ruleset> <address>");
    mode.serve(&mut BufReader::with_capacity(INPUT, input));
    mode.output.flush();
    mode.exit
}

/// Bytes read at once.
const INPUT: usize = 64 * 1024;
/// Longest line; what is longer is read as several.
const LINE: usize = 2047;

impl TestMode<'_> {
    fn serve(&mut self, input: &mut BufReader<impl Read>) {
        let mut line = Vec::new();
        loop {
            if !self.echoes {
                self.output.text(b"> ");
            }
            if !self.read_line(input, &mut line) {
                return;
            }
            if self.echoes {
                self.output.text(b"> ");
                self.output.text(&line);
                self.output.end();
            }
            if self.line(&line).is_none() {
                return;
            }
        }
    }

    /// One line without its end; false at the end of input. Whoever types sees everything before input is waited for.
    fn read_line(&mut self, input: &mut BufReader<impl Read>, line: &mut Vec<u8>) -> bool {
        use std::io::BufRead as _;
        line.clear();
        loop {
            if input.buffer().is_empty() {
                self.output.flush();
            }
            let Ok(chunk) = input.fill_buf() else { return false };
            if chunk.is_empty() {
                return !line.is_empty();
            }
            let end = memchr::memchr(b'\n', chunk);
            let taken = end.unwrap_or(chunk.len()).min(LINE.saturating_sub(line.len()));
            line.extend_from_slice(chunk.get(..taken).unwrap_or_default());
            let done = end == Some(taken) || line.len() >= LINE;
            input.consume(taken + usize::from(end == Some(taken)));
            if done {
                return true;
            }
        }
    }

    /// Performs a line; nothing at `/quit`.
    fn line(&mut self, line: &[u8]) -> Option<()> {
        let Some((first, rest)) = line.split_first() else { return Some(()) };
        match first {
            b'#' => {}
            b'?' => self.help(),
            b'.' => self.dot(line, rest),
            b'=' => self.equals(line, rest),
            b'-' => self.dash(line, rest),
            b'$' => self.dollar(rest),
            b'/' => return self.slash(rest),
            _ => self.rulesets(line),
        }
        Some(())
    }

    fn slash(&mut self, rest: &[u8]) -> Option<()> {
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let (word, argument) = rest.split_at_checked(end).unwrap_or((rest, b""));
        if word.is_empty() {
            self.output.line("Usage: /[canon|map|mx|parse|try|tryflags]");
        } else if word.eq_ignore_ascii_case(b"quit") {
            return None;
        } else if let Some(row) = SLASH.iter().find(|r| r.word.as_bytes().eq_ignore_ascii_case(word)) {
            (row.run)(self, argument);
        } else {
            self.output.text(b"Unknown \"/\" command /");
            self.output.shown(word);
            self.output.end();
        }
        Some(())
    }

    fn dash(&mut self, line: &[u8], rest: &[u8]) {
        if rest.is_empty() {
            return self.output.line("Usage: -d{debug arguments}");
        }
        let Some(spec) = rest.strip_prefix(b"d") else {
            self.output.text(b"Unknown \"-\" command ");
            self.output.shown(line);
            return self.output.end();
        };
        self.tracer.add(spec);
    }

    /// The section of the help file about test mode.
    fn help(&mut self) {
        use std::os::unix::ffi::OsStrExt as _;
        let path = self.config.options.help_file.clone();
        let text = path
            .as_ref()
            .map(|path| std::path::Path::new(std::ffi::OsStr::from_bytes(path)))
            .and_then(|path| safefile::read(path, Purpose::Help, &self.site.judge(), HELP).ok())
            .unwrap_or_default();
        let Some(lines) = help::lines(&text, b"-bt", &self.scope) else {
            let version = self.scope.text(names::VERSION);
            self.output.text(b"Sendmail ");
            self.output.text(&version);
            return self.output.line(" -- HELP not implemented");
        };
        if help::version(&text) < help::VERSION {
            let path = shown(&path.unwrap_or_default()).to_string();
            let id = Id::Queue(self.id.as_str());
            let text = format!("{path} too old (require version {})", help::VERSION);
            self.site.log.write(Level::SYSTEM_ERROR, Priority::Warning, id, text);
        }
        for line in lines {
            self.output.text(&line);
            self.output.end();
        }
        self.output.line("End of HELP info");
    }

    /// Says and logs what is wrong; the exit code tells of it.
    pub(super) fn fault(&mut self, text: &str) {
        self.output.line(text);
        self.log_fault(text);
    }

    fn log_fault(&mut self, text: &str) {
        self.site.log.system_error(Id::Queue(self.id.as_str()), &shown(&self.site.start.user).to_string(), text);
        self.exit = Exit::SOFTWARE;
    }

    /// Applies a ruleset to the workspace; the exit code is not OK when something was said.
    fn apply(&mut self, ruleset: crate::config::RulesetId) -> Exit {
        if self.tracer.is_any() {
            // What other parts say goes out by itself.
            self.output.flush();
        }
        let levels = Levels::of(&self.tracer);
        let printer = Printer { out: self.output.buffer(), names: &self.names, levels, is_test: true };
        let mut faults = Messages::default();
        let mut trace = Both(&mut faults, printer);
        let applied = self.rewriter.apply(ruleset, &mut self.workspace, &mut self.scope, &mut trace);
        // Most evaluations wait for nothing, and then need no runtime.
        let exit = {
            let mut applied = pin!(applied);
            match applied.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(exit) => exit,
                Poll::Pending => self.runtime.block_on(applied),
            }
        };
        for fault in faults.0 {
            self.log_fault(&fault);
        }
        self.output.flush_if_full();
        exit
    }

    /// Puts an address in the workspace, with complaints; the bytes used, or nothing when it has no tokens.
    fn load(&mut self, address: &[u8], mode: Mode, delimiter: Option<u8>) -> Option<usize> {
        let (used, complaints) = match self.workspace.load(address, mode, delimiter) {
            Ok((used, complaints)) => (Some(used), complaints),
            Err(error) => (None, error.0),
        };
        for complaint in complaints {
            self.complain(address, &complaint.to_string());
        }
        used
    }
}

/// Most of a help file that is read, bytes.
const HELP: usize = 256 * 1024;

/// The words of a line: the first, and everything behind the blanks that follow it.
fn first_word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, b""));
    (word, rest.trim_ascii_start())
}

fn owned(text: &[u8]) -> Bytes {
    Bytes::copy_from_slice(text)
}
