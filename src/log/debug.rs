//! Debug categories of `-d`, and where their lines go. Source: TRACEFLAGS of the original (category and area).

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A debug category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Number.
    pub category: u8,
    /// What is shown.
    pub about: &'static str,
}

const fn row(category: u8, about: &'static str) -> Row {
    Row { category, about }
}

/// Categories by number. Those that no code of ours asks for are accepted and show nothing.
#[rustfmt::skip]
pub static CATEGORIES: &[Row] = &[
    row(0, "version, build, configuration; 4: our own name; 15: configuration; 44: memory; 101: stop at once"),
    row(1, "sender and start options"), row(2, "end of the program"), row(3, "load average"), row(4, "free space"),
    row(5, "timed events"), row(6, "returned mail"), row(7, "queue file names"), row(8, "name server"),
    row(9, "ident and daemon lookups"), row(10, "delivery"), row(11, "openings of mailers"), row(12, "sender domain"),
    row(13, "delivery steps, full addresses"), row(14, "commas in headers"), row(15, "network requests"),
    row(16, "outgoing connections"), row(17, "MX lists"), row(18, "SMTP client"), row(19, "SMTP server"),
    row(20, "address parsing"), row(21, "rewriting"), row(22, "prescan"), row(23, "stack of calls"),
    row(24, "addresses built"), row(25, "recipient lists"), row(26, "recipients"), row(27, "aliasing"),
    row(28, "user database"), row(29, "fuzzy matching of users"), row(30, "collecting"), row(31, "header definitions"),
    row(32, "collected header"), row(33, "cracked addresses"), row(34, "header output"), row(35, "macros"),
    row(36, "symbols"), row(37, "options and classes"), row(38, "maps"), row(39, "hashed names"), row(40, "queueing"),
    row(41, "queue order"), row(42, "connection cache"), row(43, "MIME conversion"), row(44, "file checks"),
    row(45, "envelopes"), row(46, "queue file transfer"), row(47, "effective user"), row(48, "rule set checks"),
    row(49, "host name checks"), row(50, "dropping envelopes"), row(51, "queue locking"), row(52, "detaching"),
    row(53, "closing files"), row(54, "error handling"), row(55, "locking"), row(56, "persistent host status"),
    row(57, "string bounds"), row(58, "buffered files"), row(59, "extended load average"), row(60, "map lookups"),
    row(61, "host lookups"), row(62, "file descriptors"), row(63, "queue processes"), row(64, "milters"),
    row(65, "permission checks"), row(66, "domain"), row(68, "unused"), row(69, "queue scheduling"),
    row(70, "queue scheduling"), row(72, "unused"), row(73, "shared memory"), row(75, "signals"), row(80, "content length"),
    row(81, "sun"), row(83, "collect timeouts"), row(84, "delivery timeouts"), row(85, "dprintf map"), row(87, "VERIFY"),
    row(89, "conf"), row(90, "unused"), row(91, "connection cache order"), row(92, "sender logging"),
    row(93, "maillock"), row(94, "test hooks"), row(95, "AUTH"), row(96, "TLS"), row(97, "server TLS"),
    row(98, "timers"), row(99, "stay in the foreground"),
];

/// Levels of the debug categories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debug {
    levels: [u16; 256],
    any: bool,
}

impl Default for Debug {
    fn default() -> Self {
        Self { levels: [0; 256], any: false }
    }
}

impl Debug {
    /// Adds what an option says: `21.5`, `21-25.9,40`, or nothing, which is `0-99.1`.
    ///
    /// Shape: comma or blank separated `first[-last][.level]`; the level is 1 when missing. Named categories
    /// (`ANSI`, `leak_q.2`) are accepted and show nothing.
    pub fn add(&mut self, text: &[u8]) {
        let text = if text.trim_ascii().is_empty() { b"0-99.1" } else { text };
        for part in text.split(|b| matches!(b, b',' | b' ' | b'\t')).filter(|p| !p.is_empty()) {
            let (range, level) = match memchr::memchr(b'.', part) {
                Some(at) => (part.get(..at).unwrap_or_default(), number(part.get(at + 1..).unwrap_or_default())),
                None => (part, Some(1)),
            };
            let (first, last) = match memchr::memchr(b'-', range) {
                Some(at) => {
                    (number(range.get(..at).unwrap_or_default()), number(range.get(at + 1..).unwrap_or_default()))
                }
                None => (number(range), number(range)),
            };
            let (Some(first), Some(last), Some(level)) = (first, last, level) else { continue };
            for slot in self.levels.iter_mut().take(usize::from(last).saturating_add(1)).skip(usize::from(first)) {
                *slot = level;
            }
            self.any |= level > 0;
        }
    }

    /// Whether the category is on at this level.
    pub fn is_on(&self, category: u8, level: u16) -> bool {
        self.any && self.levels.get(usize::from(category)).is_some_and(|l| *l >= level)
    }

    /// Level of a category, 0 when it is off.
    pub fn level(&self, category: u8) -> u16 {
        self.levels.get(usize::from(category)).copied().unwrap_or(0)
    }

    /// Whether any category is on.
    pub fn is_any(&self) -> bool {
        self.any
    }

    /// Categories that are on, for `-d0` output.
    pub fn summary(&self) -> String {
        let mut out = String::new();
        for row in CATEGORIES {
            let level = self.levels.get(usize::from(row.category)).copied().unwrap_or(0);
            if level > 0 {
                // Writing to a String cannot fail.
                let _ = writeln!(out, "{}.{level} {}", row.category, row.about);
            }
        }
        out
    }
}

/// Writes the lines of the categories that are on. Costs one read of a flag while none is.
#[derive(Default)]
pub struct Tracer {
    any: AtomicBool,
    levels: Mutex<Debug>,
    out: Mutex<Output>,
}

/// Where debug output goes.
#[derive(Default)]
enum Output {
    /// Standard output.
    #[default]
    Standard,
    /// The file of `-D`.
    File(File),
    /// Memory, for tests.
    Memory(Vec<u8>),
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").field("levels", &self.levels).finish_non_exhaustive()
    }
}

impl Tracer {
    /// A tracer of these levels; its lines go to `file`, else to standard output.
    pub fn new(levels: Debug, file: Option<File>) -> Self {
        let out = file.map_or(Output::Standard, Output::File);
        Self { any: AtomicBool::new(levels.any), levels: Mutex::new(levels), out: Mutex::new(out) }
    }

    /// A tracer that keeps what it is told; [`Tracer::kept`] gives it back. For tests.
    pub fn memory(levels: &[u8]) -> Self {
        let tracer = Self::default();
        tracer.add(levels);
        *lock(&tracer.out) = Output::Memory(Vec::new());
        tracer
    }

    /// Changes levels (`-d` in test mode).
    pub fn add(&self, text: &[u8]) {
        let mut levels = lock(&self.levels);
        levels.add(text);
        self.any.store(levels.any, Ordering::Relaxed);
    }

    /// Whether any category is on.
    pub fn is_any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Whether the category is on at this level.
    pub fn is_on(&self, category: u8, level: u16) -> bool {
        self.is_any() && lock(&self.levels).is_on(category, level)
    }

    /// Level of a category, 0 when it is off.
    pub fn level(&self, category: u8) -> u16 {
        if self.is_any() { lock(&self.levels).level(category) } else { 0 }
    }

    /// Writes a line when the category is on at this level.
    pub fn say(&self, category: u8, level: u16, text: impl fmt::Display) {
        if self.is_on(category, level) {
            self.write(format!("{text}\n").as_bytes());
        }
    }

    /// Writes text as it is. Whoever does not read it is not told.
    pub fn write(&self, text: &[u8]) {
        match &mut *lock(&self.out) {
            Output::Standard => {
                let mut out = io::stdout();
                let _ = out.write_all(text).and_then(|()| out.flush());
            }
            Output::File(file) => drop(file.write_all(text)),
            Output::Memory(kept) => kept.extend_from_slice(text),
        }
    }

    /// What a tracer made by [`Tracer::memory`] was told.
    pub fn kept(&self) -> Vec<u8> {
        match &*lock(&self.out) {
            Output::Memory(kept) => kept.clone(),
            _ => Vec::new(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn number(text: &[u8]) -> Option<u16> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_levels_and_the_empty_form() {
        let mut debug = Debug::default();
        assert!(!debug.is_on(0, 1) && !debug.is_any());
        debug.add(b"21-23.5,40");
        for (category, level, on) in
            [(21, 5, true), (22, 6, false), (23, 1, true), (40, 1, true), (40, 2, false), (24, 1, false)]
        {
            assert_eq!(debug.is_on(category, level), on, "{category}.{level}");
        }
        let mut all = Debug::default();
        all.add(b"");
        assert!(all.is_on(0, 1) && all.is_on(99, 1) && !all.is_on(100, 1));
    }

    #[test]
    fn words_and_nonsense_change_nothing() {
        let mut debug = Debug::default();
        debug.add(b"leak_q.2,ANSI,9999999.1,5.");
        assert_eq!(debug, Debug::default());
    }

    #[test]
    fn lines_of_categories_that_are_off_are_not_written() {
        let tracer = Tracer::memory(b"27.2");
        tracer.say(27, 1, "alias(list)");
        tracer.say(27, 3, "too deep");
        tracer.say(60, 1, "another");
        tracer.add(b"27.0");
        tracer.say(27, 1, "no more");
        assert_eq!(tracer.kept(), b"alias(list)\n");
    }

    #[test]
    fn categories_are_sorted() {
        assert!(CATEGORIES.is_sorted_by_key(|r| r.category));
    }
}
