//! What a next hop must show before it gets mail, by the TLSA records of its host.

use bytes::Bytes;

use super::agent::Load;
use super::attempt::Attempt;
use super::hooks::Asking;
use crate::base::bytes::shown;
use crate::base::domain::without_final_dot;
use crate::base::status::Status;
use crate::deliver::outcome::Outcome;
use crate::log::{Level, Priority};
use crate::net::dns::TlsaAnswer;
use crate::net::tls::{Dane, Verify};
use crate::smtp::client::drive::Connection;

/// Records for `host`, a mail exchanger of `domain`; `None` when nothing signed says that there are any.
///
/// Errors: what it means that the question cannot be answered: the host is not spoken to now (RFC 7672 §2.1.1).
pub(super) async fn find(attempt: &Attempt, domain: &Bytes, host: &Bytes, port: u16) -> Result<Option<Dane>, Outcome> {
    let site = &attempt.site;
    if !site.config.options.dane {
        return Ok(None);
    }
    match site.resolver.tlsa(domain, host, port).await {
        TlsaAnswer::Insecure => Ok(None),
        TlsaAnswer::Secure { name, records } => {
            let text = |name: &[u8]| String::from_utf8_lossy(without_final_dot(name)).into_owned();
            let mut names = vec![text(domain), text(host)];
            let domain = text(&name);
            names.retain(|other| *other != domain);
            names.dedup();
            Ok(Some(Dane { domain, names, records }))
        }
        TlsaAnswer::Failed => {
            let text = format!("DANE: lookup of TLSA records failed, host={}", shown(host));
            site.log.write(Level::TLS, Priority::Warning, attempt.id(), text);
            let mut outcome = Outcome::deferred(Status(4, 7, 0), "DANE check failed");
            outcome.server = Some(host.clone());
            Err(outcome)
        }
    }
}

/// A connection that is open already, when these records let it be used; another one is closed.
pub(super) async fn fitting(
    attempt: &Attempt,
    load: &Load,
    known: Option<Connection>,
    dane: Option<&Dane>,
) -> Option<Connection> {
    let connection = known?;
    let fits = match dane {
        None => true,
        Some(dane) if dane.is_usable() => connection.verify() == Verify::Trusted,
        Some(_) => connection.tls().is_some(),
    };
    if fits {
        return Some(connection);
    }
    connection.quit(&mut Asking::new(attempt, load)).await;
    None
}
