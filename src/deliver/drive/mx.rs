//! Names of next hops, from name servers.

use bytes::Bytes;

use super::agent::Load;
use super::attempt::Attempt;
use crate::base::bytes::shown;
use crate::base::domain::without_final_dot;
use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::deliver::hosts::{self, Names, Target};
use crate::deliver::outcome::{Outcome, Verdict};
use crate::macros::names as macro_names;
use crate::net::dns::{Error, Family};

/// Names to connect to for one host of `$h`; or the outcome that having none means, with the host for the log.
pub(super) async fn names(attempt: &Attempt, load: &Load, target: &Target) -> Result<Vec<Bytes>, Outcome> {
    let no_mx = target.is_literal || load.mailer().is_some_and(|m| m.has(b'0'));
    if no_mx {
        return Ok(vec![target.name.clone()]);
    }
    let site = &attempt.site;
    let answer = match site.resolver.mx(&target.name).await {
        Ok(answer) => answer,
        Err(error) => {
            let mut outcome = no_host(&error, &target.name);
            if outcome.verdict == Verdict::Failed {
                outcome.diagnostic = Some(Bytes::from_static(b"550 Host unknown"));
            }
            return Err(outcome);
        }
    };
    let is_loop_allowed = load.mailer().is_some_and(|m| m.has(b'k'));
    let is_own = |name: &[u8]| !is_loop_allowed && is_own(load, name);
    let has_address = async || {
        let families = [Family::Inet, Family::Inet6].into_iter();
        for family in families {
            if site.resolver.addresses(&target.name, family).await.is_ok_and(|found| !found.is_empty()) {
                return true;
            }
        }
        false
    };
    let is_tried = site.config.options.try_null_mx_list && has_address().await;
    match hosts::names(&answer, &target.name, is_own, is_tried) {
        Names::Use(names) => Ok(names),
        Names::Loop => {
            let text = format!("MX list for {} points back to {}", shown(&target.name), shown(&site.host));
            site.log.system_error(attempt.id(), "root", &text);
            let mut outcome = Outcome::failed(Exit::SOFTWARE, Status(5, 3, 5), "Local configuration error");
            outcome.reply_code = 554;
            outcome.transcript = Some(format!("554 5.0.0 {text}"));
            outcome.knows_exit_alone = true;
            outcome.server = Some(target.name.clone());
            Err(outcome)
        }
        Names::Null => {
            let mut outcome = Outcome::failed(Exit::UNAVAILABLE, Status(5, 1, 10), "Service unavailable");
            outcome.diagnostic = Some(Bytes::from_static(b"556 Host does not accept mail: MX 0 ."));
            outcome.server = Some(target.name.clone());
            outcome.told = Some((554, Status(5, 0, 0)));
            Err(outcome)
        }
    }
}

/// What it means that a name has no address.
pub(super) fn no_host(error: &Error, name: &[u8]) -> Outcome {
    let reason = error.reason(name);
    let mut outcome = match error {
        Error::Temporary => Outcome::deferred(Status(4, 4, 3), &reason),
        Error::NotFound | Error::NoData | Error::Permanent => {
            Outcome::failed(Exit::NOHOST, Status(5, 1, 2), format!("Host unknown ({reason})"))
        }
    };
    outcome.server = Some(Bytes::copy_from_slice(name));
    outcome
}

/// Whether the name is one of ours (`$=w`).
fn is_own(load: &Load, name: &[u8]) -> bool {
    let bare = without_final_dot(name);
    load.config.classes.contains(macro_names::HOST_LABEL, bare)
}
