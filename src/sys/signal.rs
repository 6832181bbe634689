//! Signals outside of the asynchronous runtime.
#![allow(unsafe_code, reason = "installing a signal handler is unsafe in nix; the handlers here only set a flag")]

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::Pid;

/// Makes writes to a closed connection return `EPIPE`.
pub fn ignore_broken_pipes() -> io::Result<()> {
    set(Signal::SIGPIPE, SigHandler::SigIgn)
}

/// Ignores a signal.
pub fn ignore(signal: Signal) -> io::Result<()> {
    set(signal, SigHandler::SigIgn)
}

/// Gives a signal its default effect again.
pub fn restore(signal: Signal) -> io::Result<()> {
    set(signal, SigHandler::SigDfl)
}

/// Notes SIGTERM and SIGINT from now on; [`stop_requested`] tells. System calls that wait return `EINTR`.
pub fn note_stop() -> io::Result<()> {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        set(signal, SigHandler::Handler(note))?;
    }
    Ok(())
}

/// Whether SIGTERM or SIGINT came since [`note_stop`].
pub fn stop_requested() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Unblocks every signal: what a parent blocked would stay blocked over exec.
pub fn unblock_all() -> io::Result<()> {
    SigSet::empty().thread_set_mask().map_err(io::Error::from)
}

/// Sends a signal to a process.
pub fn send(pid: u32, signal: Signal) -> io::Result<()> {
    let pid = i32::try_from(pid).map_err(|_| io::ErrorKind::InvalidInput)?;
    nix::sys::signal::kill(Pid::from_raw(pid), signal).map_err(io::Error::from)
}

/// Whether a process of that number exists.
pub fn is_alive(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    pid > 0 && nix::sys::signal::kill(Pid::from_raw(pid), None) != Err(nix::errno::Errno::ESRCH)
}

static STOP: AtomicBool = AtomicBool::new(false);

extern "C" fn note(_: libc::c_int) {
    STOP.store(true, Ordering::Relaxed);
}

fn set(signal: Signal, handler: SigHandler) -> io::Result<()> {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: the only handler of this file stores to an atomic, which is async-signal-safe.
    unsafe { sigaction(signal, &action) }?;
    Ok(())
}
