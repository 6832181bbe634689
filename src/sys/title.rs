//! The title of the process, as ps(1) shows it.
#![allow(unsafe_code, reason = "the title stands where the kernel put the arguments, and nothing safe writes there")]

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

use super::{env, file};

/// The bytes between the first argument and the end of the environment, ours to write since [`take_over`].
struct Area(&'static [AtomicU8]);

static AREA: Mutex<Option<Area>> = Mutex::new(None);

/// Makes room for titles where the kernel put arguments and environment: the environment is copied elsewhere, arguments are
/// not to be read any more.
///
/// Only as one of the first things in `main`, while there is one thread and nothing keeps a pointer that getenv(3) gave. When
/// the place is not known, the title stays the command line.
pub fn take_over() {
    let Some((start, end)) = place() else { return };
    let variables: Vec<(OsString, OsString)> = env::vars();
    let Some(bytes) = end.checked_sub(start).filter(|bytes| (LEAST..=MOST).contains(bytes)) else { return };
    // A name that is none cannot be set again.
    let sound = |name: &OsString| !name.is_empty() && !name.as_bytes().contains(&b'=');
    for (name, _) in variables.iter().filter(|(name, _)| sound(name)) {
        // SAFETY: there is one thread, so nobody reads the environment meanwhile.
        unsafe { std::env::remove_var(name) };
    }
    for (name, value) in variables.iter().rev().filter(|(name, _)| sound(name)) {
        // SAFETY: as above.
        unsafe { std::env::set_var(name, value) };
    }
    // SAFETY: the kernel mapped [start, end) for this process, readable and writable, before `main`, and never unmaps it.
    // The environment has just been copied, and arguments are read through `env::args` before only; so nothing else of this
    // program refers to these bytes.
    let area = unsafe { std::slice::from_raw_parts(start as *const AtomicU8, bytes) };
    *lock() = Some(Area(area));
}

/// Sets the title; it is cut where the room ends. Without [`take_over`] nothing happens.
pub fn set(text: &[u8]) {
    if let Some(Area(area)) = &*lock() {
        fill(area, text);
    }
}

/// Text without NULs, cut, and nothing of what stood there before.
fn fill(area: &[AtomicU8], text: &[u8]) {
    // The last byte stays 0: readers of the arguments stop there.
    let room = area.len().saturating_sub(1);
    let text = text.iter().copied().filter(|byte| *byte != 0).take(room);
    let bytes = text.chain(std::iter::repeat(0));
    for (slot, byte) in area.iter().zip(bytes) {
        slot.store(byte, Ordering::Relaxed);
    }
}

fn lock() -> std::sync::MutexGuard<'static, Option<Area>> {
    AREA.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Start of the arguments and end of the environment behind them. Source: proc(5), `/proc/PID/stat` fields 48 to 51.
fn place() -> Option<(usize, usize)> {
    place_in(&String::from_utf8_lossy(&file::read("/proc/self/stat".as_ref(), STAT).ok()?))
}

fn place_in(text: &str) -> Option<(usize, usize)> {
    // The name of the program, field 2, may hold blanks and parentheses.
    let rest = text.rsplit_once(") ")?.1;
    let field = |number: usize| rest.split(' ').nth(number - 3)?.trim().parse::<usize>().ok();
    let (start, arguments_end, environment, end) = (field(48)?, field(49)?, field(50)?, field(51)?);
    let is_one_piece = start > 0 && start < arguments_end && arguments_end <= environment && environment <= end;
    is_one_piece.then_some((start, end))
}

/// Room below which a title says nothing, and above which something else is wrong. Bytes.
const LEAST: usize = 8;
const MOST: usize = 16 * 1024 * 1024;
/// Longest `/proc/self/stat`, bytes.
const STAT: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, SeekFrom};

    use super::*;

    /// What stands in this process's memory.
    fn memory(at: usize, length: usize) -> Vec<u8> {
        let mut memory = file::open_read("/proc/self/mem".as_ref()).unwrap();
        memory.seek(SeekFrom::Start(at as u64)).unwrap();
        let mut bytes = vec![0; length];
        memory.read_exact(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_kernel_tells_where_arguments_and_environment_are() {
        let (start, end) = place().unwrap();
        let read = |path: &str| file::read(path.as_ref(), MOST).unwrap();
        let (arguments, environment) = (read("/proc/self/cmdline"), read("/proc/self/environ"));
        assert!(!arguments.is_empty() && memory(start, arguments.len()) == arguments);
        assert!(memory(end - environment.len(), environment.len()) == environment);
        assert!(end - start >= arguments.len() + environment.len());
    }

    #[test]
    fn only_one_piece_of_memory_is_taken() {
        let stat = |last: &str| format!("7 (a) S (b) {}{last} 0\n", "1 ".repeat(45));
        assert_eq!(place_in(&stat("100 120 120 300")), Some((100, 300)));
        for last in ["0 0 0 0", "100 120 110 300", "100 100 120 300", "100 120 310 300", "100 120 120", ""] {
            assert_eq!(place_in(&stat(last)), None, "{last}");
        }
        assert_eq!(place_in("7 no name"), None);
    }

    #[test]
    fn a_title_is_cut_and_leaves_nothing_of_the_one_before() {
        let area: Vec<AtomicU8> = b"program\0-bd\0".iter().map(|byte| AtomicU8::new(*byte)).collect();
        let shown = |text: &[u8]| {
            fill(&area, text);
            area.iter().map(|slot| slot.load(Ordering::Relaxed)).collect::<Vec<u8>>()
        };
        assert_eq!(shown(b"accepting connections"), b"accepting c\0");
        assert_eq!(shown(b"a\0b"), b"ab\0\0\0\0\0\0\0\0\0\0");
        fill(&[], b"a");
    }
}
