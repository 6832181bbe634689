//! Who is at the other end, as rulesets and headers name it.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::Server;
use crate::macros::{Scope, names};
use crate::net::dns::{Reverse, shown_address};
use crate::net::ident;
use crate::policy::rates::Counts;
use crate::site::connection::Interface;
use crate::smtp::server::setting::Client;

/// Addresses and counts of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The client; `None` on standard input.
    pub remote: Option<SocketAddr>,
    /// Our end.
    pub local: Option<SocketAddr>,
    /// Its rates.
    pub counts: Counts,
}

/// Finds out the client's name and sets the macros of the connection.
pub(super) async fn describe(server: &Server, peer: &Peer, scope: &mut Scope) -> Client {
    let Some(remote) = peer.remote else { return local_user(server, scope) };
    let config = &server.site.config;
    let compressed = config.options.use_compressed_ipv6_addresses;
    let ip = canonical(remote.ip());
    let address = shown_address(ip, compressed);
    let limit = config.timeouts.ident;
    let reverse = server.site.resolver.reverse(ip).await;
    let ident = match peer.local {
        Some(local) if !limit.is_zero() => ident::ask(remote, local, limit).await,
        _ => None,
    };
    let bracketed = format!("[{address}]");
    let name = match &reverse {
        Reverse::Ok(name) => String::from_utf8_lossy(name).into_owned(),
        _ => bracketed.clone(),
    };
    let mut described = match (&reverse, reverse.name()) {
        (Reverse::Forged(_), Some(name)) => format!("{} {bracketed} (may be forged)", String::from_utf8_lossy(name)),
        (_, Some(name)) => format!("{} {bracketed}", String::from_utf8_lossy(name)),
        (_, None) => bracketed,
    };
    if let Some(user) = ident {
        described = format!("{user}@{described}");
    }
    scope.set(names::CLIENT_NAME, name.clone());
    scope.set(names::CLIENT_ADDR, address.clone());
    scope.set(names::CLIENT_PORT, remote.port().to_string());
    scope.set(names::CLIENT_PTR, reverse.name().cloned().unwrap_or_else(|| Bytes::from(format!("[{address}]"))));
    scope.set(names::CLIENT_RESOLVE, reverse.word());
    scope.set(names::CLIENT_RATE, peer.counts.client_rate.to_string());
    scope.set(names::CLIENT_CONNECTIONS, peer.counts.client_connections.to_string());
    scope.set(names::TOTAL_RATE, peer.counts.total_rate.to_string());
    scope.set(names::CLIENT_INFO, described.clone());
    scope.set(names::HELO, name.clone());
    set_daemon(server, scope, compressed);
    if let Some(local) = peer.local {
        set_interface(server, local, scope).await;
    }
    Client { name: name.into(), address: address.into(), described: described.into() }
}

fn local_user(server: &Server, scope: &mut Scope) -> Client {
    let user = String::from_utf8_lossy(&server.site.start.user).into_owned();
    // `localhost [0]` in lines about the session, the user in `$_`; observed.
    scope.set(names::CLIENT_ADDR, "0");
    scope.set(names::CLIENT_INFO, format!("{user}@localhost"));
    scope.set(names::HELO, "localhost");
    set_flags(server, scope);
    Client {
        name: Bytes::from_static(b"localhost"),
        address: Bytes::from_static(b"0"),
        described: Bytes::from_static(b"localhost [0]"),
    }
}

fn set_daemon(server: &Server, scope: &mut Scope, compressed: bool) {
    scope.set(names::DAEMON_NAME, server.setting.daemon.clone());
    if let Some(bound) = server.bound {
        scope.set(names::DAEMON_ADDR, shown_address(bound.ip(), compressed));
        scope.set(names::DAEMON_PORT, bound.port().to_string());
        scope.set(names::DAEMON_FAMILY, if bound.is_ipv6() { "inet6" } else { "inet" });
    }
    set_flags(server, scope);
}

/// `${if_addr}` and its kin: our end of the connection, never of the loopback interface. Source: observed.
async fn set_interface(server: &Server, local: SocketAddr, scope: &mut Scope) {
    let Some(interface) = Interface::of(&server.site, local).await else { return };
    scope.set(names::IF_ADDR, interface.address);
    scope.set(names::IF_FAMILY, interface.family);
    scope.set(names::IF_NAME, interface.name);
}

/// `${daemon_flags}`: letters with blanks between, capitals doubled.
fn set_flags(server: &Server, scope: &mut Scope) {
    scope.set(names::DAEMON_FLAGS, server.setting.modifiers.as_flags());
}

fn canonical(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}
