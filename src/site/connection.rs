//! A connection as macros tell of it: our end, and what the other showed.

use std::net::SocketAddr;

use bytes::Bytes;

use super::Site;
use crate::config::Options;
use crate::macros::{Scope, names};
use crate::net::dns::shown_address;
use crate::net::tls::PeerInfo;

/// Address, family and name of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its address.
    pub address: String,
    /// Number of the address family.
    pub family: &'static str,
    /// The name of the address; the address in brackets when it has none.
    pub name: Bytes,
}

impl Interface {
    /// What is known of a local address; nothing of the loopback interface. Source: observed.
    pub async fn of(site: &Site, local: SocketAddr) -> Option<Self> {
        let ip = local.ip().to_canonical();
        if ip.is_loopback() {
            return None;
        }
        let address = shown_address(ip, site.config.options.use_compressed_ipv6_addresses);
        let name = site.resolver.reverse(ip).await.name().cloned();
        let name = name.unwrap_or_else(|| Bytes::from(format!("[{address}]")));
        Some(Self { address, family: if ip.is_ipv6() { INET6 } else { INET }, name })
    }
}

/// Sets the macros of an encrypted connection.
pub fn tell_tls(scope: &mut Scope, info: &PeerInfo, options: &Options) {
    scope.set(names::TLS_VERSION, info.version.clone());
    scope.set(names::CIPHER, info.cipher.clone());
    scope.set(names::CIPHER_BITS, info.cipher_bits.to_string());
    scope.set(names::ALG_BITS, info.algorithm_bits.to_string());
    scope.set(names::VERIFY, info.verify.word());
    scope.set(names::CERT_SUBJECT, info.cert_subject.clone());
    scope.set(names::CERT_ISSUER, info.cert_issuer.clone());
    scope.set(names::CN_SUBJECT, info.cn_subject.clone());
    scope.set(names::CN_ISSUER, info.cn_issuer.clone());
    let fingerprint = if options.cert_fingerprint_algorithm.is_some() { names::CERT_FP } else { names::CERT_MD5 };
    scope.set(fingerprint, info.fingerprint.clone());
    if options.set_cert_altnames {
        scope.set(names::CERT_ALTNAMES, info.alternative_names.join(":"));
    }
}

/// `AF_INET`.
const INET: &str = "2";
/// `AF_INET6`.
const INET6: &str = "10";
