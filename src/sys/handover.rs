//! Listening sockets that a daemon leaves to the program it starts in its place.
#![allow(unsafe_code, reason = "a descriptor number from the environment becomes an owned descriptor")]

use std::ffi::OsString;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, FromRawFd as _, OwnedFd, RawFd};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{getsockopt, sockopt};

use super::env;

/// Sockets that go on listening, by address.
#[derive(Debug, Default)]
pub struct Handover(Vec<(SocketAddr, TcpListener)>);

impl Handover {
    /// What the program before this one, in the same process, left. Only as the first thing in `main`.
    ///
    /// The variable names the process, so that it means nothing to children; only sockets that listen are taken.
    pub fn take_over() -> (Self, Vec<RawFd>) {
        let Some(text) = env::var(VARIABLE).and_then(|value| value.into_string().ok()) else {
            return (Self::default(), Vec::new());
        };
        let mut words = text.split(' ');
        if words.next().and_then(|word| word.parse().ok()) != Some(std::process::id()) {
            return (Self::default(), Vec::new());
        }
        let mut fds: Vec<RawFd> = words.filter_map(|word| word.parse().ok()).filter(|fd| *fd > 2).collect();
        fds.sort_unstable();
        fds.dedup();
        let sockets: Vec<(SocketAddr, TcpListener)> = fds.into_iter().filter_map(adopt).collect();
        let kept = sockets.iter().map(|(_, socket)| socket.as_raw_fd()).collect();
        (Self(sockets), kept)
    }

    /// Adds a socket.
    pub fn push(&mut self, address: SocketAddr, socket: TcpListener) {
        self.0.push((address, socket));
    }

    /// The socket that listens on this address.
    pub fn take(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let at = self.0.iter().position(|(own, _)| *own == address)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes the sockets survive `exec`; gives the variable for the next program. Without sockets it still tells that the
    /// program goes on in this process.
    pub fn leave(self) -> io::Result<(OsString, OsString)> {
        let mut text = std::process::id().to_string();
        for (_, socket) in self.0 {
            fcntl(&socket, FcntlArg::F_SETFD(FdFlag::empty()))?;
            text.push(' ');
            text.push_str(&socket.as_raw_fd().to_string());
            // It belongs to the next program.
            std::mem::forget(socket);
        }
        Ok((VARIABLE.into(), text.into()))
    }
}

/// Whether this program was started in place of a daemon, by the daemon.
pub fn is_restarted() -> bool {
    let text = env::var(VARIABLE).and_then(|value| value.into_string().ok());
    text.is_some_and(|text| text.split(' ').next().and_then(|pid| pid.parse().ok()) == Some(std::process::id()))
}

fn adopt(fd: RawFd) -> Option<(SocketAddr, TcpListener)> {
    // SAFETY: nothing of this program has opened a descriptor yet, so nobody else owns this number; fcntl tells whether
    // it is open at all before it is owned.
    let is_open = unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0;
    if !is_open {
        return None;
    }
    // SAFETY: as above; it is open and has no other owner.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    if !getsockopt(&socket, sockopt::AcceptConn).unwrap_or(false) {
        return None;
    }
    fcntl(&socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).ok()?;
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true).ok()?;
    Some((listener.local_addr().ok()?, listener))
}

const VARIABLE: &str = "SENDMAIL_LISTENERS";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_found_by_address_and_named_with_the_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut handover = Handover::default();
        handover.push(address, listener);
        assert!(handover.take("127.0.0.1:1".parse().unwrap()).is_none());
        let listener = handover.take(address).unwrap();
        assert!(handover.is_empty());
        handover.push(address, listener);
        let (name, value) = handover.leave().unwrap();
        let value = value.into_string().unwrap();
        assert_eq!(name, VARIABLE);
        let (pid, fd) = value.split_once(' ').unwrap();
        assert_eq!(pid, std::process::id().to_string());
        let (again, socket) = adopt(fd.parse().unwrap()).unwrap();
        assert_eq!(again, address);
        drop(socket);
    }
}
