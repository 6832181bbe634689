//! How far a long piece of work has come, for whoever waits at a terminal.

use std::io::Write;
use std::time::{Duration, Instant};

/// Shown after a second, then a few times a second; wiped out at the end. Without a terminal nothing is shown.
#[derive(Debug)]
pub(super) struct Progress {
    program: String,
    next: Option<Instant>,
    ticks: u32,
    shown: bool,
}

const FIRST: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_millis(250);
/// Lines between two looks at the clock.
const LINES: u32 = 4096;

impl Progress {
    /// Begins; `terminal` says whether anybody sees it.
    pub(super) fn new(program: &str, terminal: bool) -> Self {
        let next = terminal.then(|| Instant::now() + FIRST);
        Self { program: program.to_owned(), next, ticks: 0, shown: false }
    }

    /// One line is done.
    pub(super) fn line(&mut self, number: u32, errors: &mut dyn Write) {
        self.ticks += 1;
        if self.ticks.is_multiple_of(LINES) {
            self.say(format_args!("{number} lines read"), errors);
        }
    }

    /// The work has come to another part.
    pub(super) fn say(&mut self, what: std::fmt::Arguments<'_>, errors: &mut dyn Write) {
        let Some(next) = self.next else { return };
        let now = Instant::now();
        if now >= next {
            self.next = Some(now + AGAIN);
            self.shown = true;
            // A terminal that went away needs no progress.
            let _ = write!(errors, "\r{}: {what}\x1b[K", self.program).and_then(|()| errors.flush());
        }
    }

    /// Wipes out what was shown.
    pub(super) fn end(&mut self, errors: &mut dyn Write) {
        if std::mem::take(&mut self.shown) {
            let _ = errors.write_all(b"\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_sees_it_and_nothing_stays() {
        for (terminal, seen) in [(false, ""), (true, "\rmakemap: 9 lines read\x1b[K\r\x1b[K")] {
            let mut progress = Progress::new("makemap", terminal);
            progress.next = progress.next.map(|_| Instant::now());
            let mut out = Vec::new();
            progress.say(format_args!("9 lines read"), &mut out);
            progress.end(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), seen);
        }
    }
}
