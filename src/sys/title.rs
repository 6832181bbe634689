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
    let Some(Area(area)) = &*lock() else { return };
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
    let text = file::read("/proc/self/stat".as_ref(), STAT).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
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
    use super::*;

    #[test]
    fn the_kernel_tells_where_arguments_and_environment_are() {
        let (start, end) = place().unwrap();
        assert!(end > start && end - start < MOST);
        // Another thread's environment is not to be touched here: without an area a title is no news.
        set(b"sendmail: accepting connections");
    }
}
