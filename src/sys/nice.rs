//! The scheduling priority of a thread. On Linux it belongs to the thread, and what a thread starts begins with it.
//!
//! Source: getpriority(2), "C library/kernel differences".
#![allow(unsafe_code, reason = "getpriority(2) and setpriority(2) have no safe wrapper")]

/// The nice value of the calling thread.
pub fn own() -> i32 {
    // SAFETY: no memory is touched. It cannot fail for the caller itself.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

/// Sets the nice value of the calling thread. A value that the caller has no right to changes nothing.
pub fn set(value: i32) {
    // SAFETY: as above.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, value) };
}
