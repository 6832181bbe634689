//! Address test mode (`-bt`): rulesets, maps, mailers and macros, asked line by line.
//!
//! Source: op guide 2.7 (`-bt`), sendmail(8); observed (words and order of every line).

mod address;
mod define;
mod output;
mod show;
mod trace;

use std::future::Future as _;
use std::io::{BufReader, Read, Write};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::runtime::Runtime;

use self::output::Output;
use self::trace::Trace;
use crate::address::scan::Mode;
use crate::base::bytes::trim;
use crate::base::exit::Exit;
use crate::config::Config;
use crate::macros::{NameTable, Scope, names};
use crate::rewrite::Workspace;
use crate::rewrite::drive::Rewriter;
use crate::route::Kind;
use crate::site::Site;

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
    /// Level of `-d21`: how much is told about rules.
    rule_level: u32,
}

/// Serves lines until `/quit` or the end of input.
pub fn run(site: &Arc<Site>, runtime: &Runtime, rule_level: u32, input: impl Read, out: &mut dyn Write) -> Exit {
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
        rule_level,
        config,
    };
    let sender = [site.start.user.as_ref(), b"@localhost"].concat();
    mode.scope.set(names::CLIENT_INFO, sender);
    mode.scope.set(names::ADDR_TYPE, mode.kind.addr_type());
    mode.output.line("ADDRESS TEST MODE (ruleset 3 NOT automatically invoked)");
    mode.output.line("Enter <ruleset> <address>");
    mode.serve(&mut BufReader::with_capacity(INPUT, input));
    mode.output.flush();
    Exit::OK
}

/// Bytes read at once.
const INPUT: usize = 64 * 1024;
/// Longest line; what is longer is read as several.
const LINE: usize = 2047;

impl TestMode<'_> {
    fn serve(&mut self, input: &mut BufReader<impl Read>) {
        let mut line = Vec::new();
        loop {
            self.output.text(b"> ");
            if !self.read_line(input, &mut line) {
                return;
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
        let Some(spec) = rest.strip_prefix(b"d") else {
            self.output.text(b"Unknown \"-\" command ");
            self.output.shown(line);
            return self.output.end();
        };
        for part in spec.split(|b| *b == b',') {
            let text = String::from_utf8_lossy(trim(part)).into_owned();
            let (category, level) = text.split_once('.').unwrap_or((&text, "1"));
            let (from, to) = category.split_once('-').unwrap_or((category, category));
            let covers = |n: &str| n.parse::<u32>().unwrap_or(0);
            if category.is_empty() || (covers(from)..=covers(to)).contains(&21) {
                self.rule_level = level.parse().unwrap_or(1);
            }
        }
    }

    /// The section of the help file about test mode.
    fn help(&mut self) {
        use std::os::unix::ffi::OsStrExt as _;
        let path = self.config.options.help_file.clone();
        let text = path
            .and_then(|p| crate::sys::file::read(std::path::Path::new(std::ffi::OsStr::from_bytes(&p)), HELP).ok())
            .unwrap_or_default();
        let mut found = false;
        for line in text.split(|b| *b == b'\n') {
            if let Some(words) = line.strip_prefix(b"-bt\t") {
                found = true;
                self.output.text(words);
                self.output.end();
            }
        }
        if !found {
            let version = self.scope.text(names::VERSION);
            self.output.text(b"Sendmail ");
            self.output.text(&version);
            self.output.line(" -- HELP not implemented");
        }
    }

    /// Applies a ruleset to the workspace; the exit code is not OK when something was said.
    fn apply(&mut self, ruleset: crate::config::RulesetId) -> Exit {
        let mut trace = Trace { output: &mut self.output, names: &self.names, level: self.rule_level };
        let applied = self.rewriter.apply(ruleset, &mut self.workspace, &mut self.scope, &mut trace);
        // Most evaluations wait for nothing, and then need no runtime.
        let mut applied = pin!(applied);
        match applied.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(exit) => exit,
            Poll::Pending => self.runtime.block_on(applied),
        }
    }

    /// Puts an address in the workspace, with complaints; the bytes used, or nothing when it has no tokens.
    fn load(&mut self, address: &[u8], mode: Mode, delimiter: Option<u8>) -> Option<usize> {
        let (used, complaints) = match self.workspace.load(address, mode, delimiter) {
            Ok((used, complaints)) => (Some(used), complaints),
            Err(error) => (None, error.0),
        };
        for complaint in complaints {
            self.prefix(address);
            self.output.line(&complaint.to_string());
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
