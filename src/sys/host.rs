//! Names and addresses of this machine, and the system's own resolution of names (hosts file and all).
#![allow(unsafe_code, reason = "getaddrinfo(3) with its canonical name and getnameinfo(3) have no safe wrapper")]

use std::ffi::{CStr, CString};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ptr;

use nix::net::if_::InterfaceFlags;
use socket2::SockAddr;

/// The name that gethostname(2) gives.
pub fn name() -> io::Result<String> {
    Ok(nix::unistd::gethostname()?.to_string_lossy().into_owned())
}

/// An address of a network interface that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Name of the interface.
    pub name: String,
    /// Its address.
    pub address: IpAddr,
    /// Whether it is a loopback interface.
    pub is_loopback: bool,
}

/// Addresses of all interfaces that are up.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let mut found = Vec::new();
    for entry in nix::ifaddrs::getifaddrs()? {
        let Some(address) = entry.address else { continue };
        let ip = if let Some(v4) = address.as_sockaddr_in() {
            IpAddr::V4(v4.ip())
        } else if let Some(v6) = address.as_sockaddr_in6() {
            IpAddr::V6(v6.ip())
        } else {
            continue;
        };
        if entry.flags.contains(InterfaceFlags::IFF_UP) {
            found.push(Interface {
                name: entry.interface_name,
                address: ip,
                is_loopback: entry.flags.contains(InterfaceFlags::IFF_LOOPBACK),
            });
        }
    }
    Ok(found)
}

/// The canonical name of a host as the system's resolver gives it; `None` when it knows no such host. Blocks.
pub fn canonical_name(host: &str) -> Option<String> {
    let host = CString::new(host).ok()?;
    let hints = libc::addrinfo {
        ai_flags: libc::AI_CANONNAME,
        ai_family: libc::AF_UNSPEC,
        ai_socktype: libc::SOCK_STREAM,
        ai_protocol: 0,
        ai_addrlen: 0,
        ai_addr: ptr::null_mut(),
        ai_canonname: ptr::null_mut(),
        ai_next: ptr::null_mut(),
    };
    let mut list: *mut libc::addrinfo = ptr::null_mut();
    // SAFETY: `host` and `hints` live over the call; `list` is written only on success.
    if unsafe { libc::getaddrinfo(host.as_ptr(), ptr::null(), &raw const hints, &raw mut list) } != 0 || list.is_null()
    {
        return None;
    }
    // SAFETY: `list` is a valid list until it is freed below; the name, when present, is a C string inside it.
    let name = unsafe {
        let canonical = (*list).ai_canonname;
        (!canonical.is_null()).then(|| CStr::from_ptr(canonical).to_string_lossy().into_owned())
    };
    // SAFETY: `list` came from getaddrinfo and is not used afterwards.
    unsafe { libc::freeaddrinfo(list) };
    name
}

/// Addresses of a host as the system's resolver gives them; none when it knows no such host. Blocks.
pub fn addresses(host: &str) -> Vec<IpAddr> {
    use std::net::ToSocketAddrs as _;
    let mut found: Vec<IpAddr> = (host, 0).to_socket_addrs().into_iter().flatten().map(|a| a.ip()).collect();
    found.dedup();
    found
}

/// The name of an address as the system's resolver gives it; `None` when it has none. Blocks.
pub fn reverse_name(address: IpAddr) -> Option<String> {
    let socket = SockAddr::from(SocketAddr::new(address, 0));
    let mut buffer = [0u8; 1025];
    let length = libc::socklen_t::try_from(buffer.len()).ok()?;
    // SAFETY: pointers and lengths describe `socket` and `buffer`; no service name is asked for.
    let result = unsafe {
        libc::getnameinfo(
            socket.as_ptr().cast(),
            socket.len(),
            buffer.as_mut_ptr().cast(),
            length,
            ptr::null_mut(),
            0,
            libc::NI_NAMEREQD,
        )
    };
    if result != 0 {
        return None;
    }
    CStr::from_bytes_until_nul(&buffer).ok().map(|name| name.to_string_lossy().into_owned())
}

/// Number of a TCP service, as services(5) names it or as digits.
pub fn service_port(name: &str) -> Option<u16> {
    name.parse().ok().or_else(|| named_port(name, libc::SOCK_STREAM))
}

/// Number of a UDP service, as services(5) names it.
pub fn datagram_port(name: &str) -> Option<u16> {
    named_port(name, libc::SOCK_DGRAM)
}

fn named_port(name: &str, kind: libc::c_int) -> Option<u16> {
    let name = CString::new(name).ok()?;
    let hints = libc::addrinfo {
        ai_flags: 0,
        ai_family: libc::AF_INET,
        ai_socktype: kind,
        ai_protocol: 0,
        ai_addrlen: 0,
        ai_addr: ptr::null_mut(),
        ai_canonname: ptr::null_mut(),
        ai_next: ptr::null_mut(),
    };
    let mut list: *mut libc::addrinfo = ptr::null_mut();
    // SAFETY: `name` and `hints` live over the call; `list` is written only on success.
    if unsafe { libc::getaddrinfo(ptr::null(), name.as_ptr(), &raw const hints, &raw mut list) } != 0 || list.is_null()
    {
        return None;
    }
    // SAFETY: the family asked for is AF_INET, so the address of the first entry is a sockaddr_in.
    let port = unsafe {
        let address: *const libc::sockaddr_in = (*list).ai_addr.cast();
        u16::from_be(ptr::read_unaligned(address).sin_port)
    };
    // SAFETY: `list` came from getaddrinfo and is not used afterwards.
    unsafe { libc::freeaddrinfo(list) };
    Some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_an_interface() {
        assert!(!name().unwrap().is_empty());
        assert!(interfaces().unwrap().iter().any(|i| i.is_loopback));
    }

    #[test]
    fn a_port_may_be_a_number() {
        assert_eq!(service_port("2525"), Some(2525));
        assert_eq!(service_port("no such service"), None);
    }
}
