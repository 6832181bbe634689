//! Listening sockets, and outgoing ones before they connect.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::Path;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::file;

/// What a listening socket is made with. Source: op guide, `DaemonPortOptions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Address and port.
    pub address: SocketAddr,
    /// Connections that wait to be accepted.
    pub backlog: i32,
    /// Send buffer, bytes; `None` for the system's.
    pub send_buffer_bytes: Option<usize>,
    /// Receive buffer, bytes; `None` for the system's.
    pub receive_buffer_bytes: Option<usize>,
    /// IPv6 sockets take no IPv4 connections.
    pub v6_only: bool,
}

impl Listen {
    /// With the system's buffers and the backlog that the original asks for.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, backlog: 10, send_buffer_bytes: None, receive_buffer_bytes: None, v6_only: false }
    }
}

/// Opens a listening socket, non-blocking, with address reuse.
pub fn listen(request: &Listen) -> io::Result<TcpListener> {
    let socket = stream_socket(request.address, request.send_buffer_bytes, request.receive_buffer_bytes)?;
    socket.set_reuse_address(true)?;
    if request.address.is_ipv6() {
        socket.set_only_v6(request.v6_only)?;
    }
    socket.bind(&request.address.into())?;
    socket.listen(request.backlog.max(1))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Opens a listening socket in the file system with these permission bits; a socket that nobody listens on is replaced.
pub fn listen_local(path: &Path, mode: u32, backlog: i32) -> io::Result<UnixListener> {
    let address = SockAddr::unix(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    if file::facts_of(path).is_ok_and(|f| f.is_socket()) && socket.connect(&address).is_err() {
        file::unlink(path)?;
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let former = file::set_umask(0o777 & !mode);
    let bound = socket.bind(&address);
    file::set_umask(former);
    bound?;
    socket.listen(backlog.max(1))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// A socket for an outgoing connection, non-blocking, bound to `from` when that is given (`ClientPortOptions`).
pub fn outgoing(
    to: SocketAddr,
    from: Option<SocketAddr>,
    send_buffer_bytes: Option<usize>,
    receive_buffer_bytes: Option<usize>,
) -> io::Result<Socket> {
    let socket = stream_socket(to, send_buffer_bytes, receive_buffer_bytes)?;
    if let Some(from) = from {
        socket.set_reuse_address(true)?;
        socket.bind(&from.into())?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn stream_socket(address: SocketAddr, send: Option<usize>, receive: Option<usize>) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if let Some(bytes) = send {
        socket.set_send_buffer_size(bytes)?;
    }
    if let Some(bytes) = receive {
        socket.set_recv_buffer_size(bytes)?;
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd as _;

    /// How many connections may wait at a listener, as the system tells.
    #[allow(unsafe_code, reason = "TCP_INFO has no safe wrapper")]
    fn queue_of(listener: &TcpListener) -> i32 {
        let mut info = std::mem::MaybeUninit::<libc::tcp_info>::zeroed();
        let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).unwrap();
        // SAFETY: the buffer has the length that is given, any bytes make a `tcp_info`, and the descriptor is open.
        let info = unsafe {
            let into = info.as_mut_ptr().cast();
            assert_eq!(
                libc::getsockopt(listener.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, into, &raw mut length),
                0
            );
            info.assume_init()
        };
        // That is what this member means for a listener.
        i32::try_from(info.tcpi_sacked).unwrap()
    }

    #[test]
    fn a_listener_takes_a_connection() {
        let listener = listen(&Listen::at("127.0.0.1:0".parse().unwrap())).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        listener.set_nonblocking(false).unwrap();
        assert_eq!(listener.accept().unwrap().1, client.local_addr().unwrap());
    }

    #[test]
    fn a_listener_has_the_queue_and_the_buffers_that_are_asked_for() {
        for backlog in [1, 10] {
            let listener = listen(&Listen { backlog, ..Listen::at("127.0.0.1:0".parse().unwrap()) }).unwrap();
            assert_eq!(queue_of(&listener), backlog);
        }
        let request = Listen {
            send_buffer_bytes: Some(30_000),
            receive_buffer_bytes: Some(20_000),
            ..Listen::at("127.0.0.1:0".parse().unwrap())
        };
        let listener = listen(&request).unwrap();
        let socket = socket2::SockRef::from(&listener);
        // The system takes twice as much, for its own needs.
        assert_eq!(socket.send_buffer_size().unwrap(), 2 * 30_000);
        assert_eq!(socket.recv_buffer_size().unwrap(), 2 * 20_000);
    }

    #[test]
    fn a_dead_local_socket_is_replaced() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("s");
        drop(listen_local(&path, 0o600, 5).unwrap());
        let live = listen_local(&path, 0o600, 5).unwrap();
        assert!(listen_local(&path, 0o600, 5).is_err());
        drop(live);
    }
}
