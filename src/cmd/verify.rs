//! `-bv`: says where addresses would go.

use std::io::Write;
use std::sync::Arc;

use super::sendmail::{Request, say};
use super::submission::{bare, log_caller, new_envelope};
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::status::{Classify as _, Status};
use crate::log::{Id, Level, Priority};
use crate::macros::names;
use crate::route::{Resolved, RouteError};
use crate::site::Site;

/// Verifies the addresses of the command line. The exit code is that of the last one that failed.
pub(super) fn run(request: &Request, site: &Arc<Site>, runtime: &tokio::runtime::Runtime, out: &mut dyn Write) -> Exit {
    if request.invocation.recipients.is_empty() {
        say(out, "Recipient names must be specified");
        return Exit::USAGE;
    }
    let mut envelope = new_envelope(request, site);
    envelope.scope.unset(names::DAEMON_FLAGS);
    log_caller(site, &envelope);
    let sender = request.invocation.sender.as_ref().map_or_else(|| request.caller.name.clone(), |given| bare(given));
    let sender = super::sender::resolve(request, site, runtime, &envelope, sender, out);
    // Whom `MeToo` leaves out.
    envelope.sender =
        request.invocation.sender.as_ref().map_or_else(|| request.caller.name.clone(), |given| bare(given));
    let mut direct = Vec::new();
    let mut expanded = Vec::new();
    let mut exit = sender.exit;
    for address in request.invocation.recipients.iter().filter(|address| !address.is_empty()) {
        let (found, mut failures) = runtime.block_on(site.router.list(address, &mut envelope));
        if found.is_empty() && failures.is_empty() {
            // Known already, or nothing but itself.
            let (alone, _) = runtime.block_on(site.router.list(address, &mut new_envelope(request, site)));
            if alone.is_empty() {
                let text = "aliasing/forwarding loop broken";
                failures.push(RouteError::new(554, Status(5, 4, 6), Exit::USAGE, text));
            }
        }
        for failure in failures {
            say(out, &failure.shown());
            let id = Id::Queue(envelope.id.as_str());
            site.log.write(Level::USER_ERROR, Priority::Notice, id, failure.shown());
            if failure.is_temporary() {
                // Observed: it would be tried again, and the error mailer is what it has.
                let host = failure.status;
                let (address, reply, text) = (shown(&failure.address), failure.reply, &failure.text);
                say(out, &format!("{address}... deliverable: mailer *error*, host {host}, user \"{reply} {text}\""));
            } else {
                exit = failure.exit();
            }
        }
        let is_itself = matches!(found.as_slice(), [one] if one.address == address);
        (if is_itself { &mut direct } else { &mut expanded }).extend(found);
    }
    // Later ones stand in front of earlier ones to the same host; an expansion comes in that order already.
    direct.reverse();
    for resolved in by_host(direct).into_iter().chain(by_host(expanded)) {
        say(out, &deliverable(site, &resolved));
    }
    exit
}

/// The original's queue of recipients is sorted by host.
fn by_host(mut found: Vec<Resolved>) -> Vec<Resolved> {
    found.sort_by(|a, b| a.triple.host.cmp(&b.triple.host));
    found
}

fn deliverable(site: &Site, resolved: &Resolved) -> String {
    let mailer = site.config.mailers.get(resolved.triple.mailer.0).map_or(&b""[..], |m| m.name.as_ref());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut line = format!("{}... deliverable: mailer {}", text(&resolved.address), text(mailer));
    if !resolved.triple.host.is_empty() {
        line += ", host ";
        line += &text(&resolved.triple.host);
    }
    line + ", user " + &text(&resolved.triple.user)
}
