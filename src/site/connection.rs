//! A connection as macros tell of it: our end, and what the other showed.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::Site;
use crate::base::time::UnixTime;
use crate::config::Options;
use crate::macros::{Scope, names};
use crate::net::dns::{Reverse, shown_address};
use crate::net::tls::PeerInfo;
use crate::sys::clock;

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
        let name = if let Some(name) = site.own_names.of(ip, clock::now()) {
            name
        } else {
            let reverse = site.resolver.reverse(ip).await;
            let name = reverse.name().cloned().unwrap_or_else(|| Bytes::from(format!("[{address}]")));
            // While name servers do not answer, not every connection waits for them.
            let age = if reverse == Reverse::Temporary { RETRY_SECONDS } else { AGE_SECONDS };
            site.own_names.keep(ip, clock::now(), age, name.clone());
            name
        };
        Some(Self { address, family: if ip.is_ipv6() { INET6 } else { INET }, name })
    }
}

/// Names of our own addresses, so that not every connection asks for one.
#[derive(Debug, Default)]
pub struct OwnNames(Mutex<HashMap<IpAddr, Known>>);

#[derive(Debug)]
struct Known {
    since: UnixTime,
    /// For how long it counts.
    age_seconds: i64,
    name: Bytes,
}

impl OwnNames {
    fn of(&self, ip: IpAddr, now: UnixTime) -> Option<Bytes> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { since, age_seconds, name } = known.get(&ip)?;
        (since.0 <= now.0 && now.0 - since.0 < *age_seconds).then(|| name.clone())
    }

    fn keep(&self, ip: IpAddr, now: UnixTime, age_seconds: i64, name: Bytes) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A machine has a handful; one with a whole network begins anew.
        if known.len() >= ADDRESSES && !known.contains_key(&ip) {
            known.clear();
        }
        known.insert(ip, Known { since: now, age_seconds, name });
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

/// For how long a name is taken for that of the address.
const AGE_SECONDS: i64 = 3600;
/// The same of one that could not be looked up.
const RETRY_SECONDS: i64 = 60;
/// Most addresses whose names are kept.
const ADDRESSES: usize = 256;
/// `AF_INET`.
const INET: &str = "2";
/// `AF_INET6`.
const INET6: &str = "10";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_our_addresses_are_kept_for_a_while_and_are_few() {
        let names = OwnNames::default();
        let ip =
            |last: usize| IpAddr::from([10, 0, u8::try_from(last / 256).unwrap(), u8::try_from(last % 256).unwrap()]);
        let start = UnixTime(1_000_000);
        assert_eq!(names.of(ip(0), start), None);
        names.keep(ip(0), start, AGE_SECONDS, Bytes::from_static(b"a.test"));
        for (after, is_known) in [(0, true), (AGE_SECONDS - 1, true), (AGE_SECONDS, false), (-1, false)] {
            let known = names.of(ip(0), UnixTime(start.0 + after));
            assert_eq!(known.as_deref(), is_known.then_some(&b"a.test"[..]), "{after}");
        }
        assert_eq!(names.of(ip(1), start), None);
        for last in 1..=2 * ADDRESSES {
            names.keep(ip(last), start, RETRY_SECONDS, Bytes::from_static(b"b.test"));
            assert!(names.0.lock().unwrap().len() <= ADDRESSES);
            assert_eq!(names.of(ip(last), start).as_deref(), Some(&b"b.test"[..]));
            assert_eq!(names.of(ip(last), UnixTime(start.0 + RETRY_SECONDS)), None);
        }
    }
}
