//! `-bv`: says where addresses would go.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;

use super::sendmail::{Request, say};
use super::submission::{bare, log_caller, new_envelope};
use crate::address::list;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::status::{Classify as _, Status};
use crate::envelope::{Envelope, Recipient, State, Triple};
use crate::log::{Id, Level, Priority};
use crate::macros::names;
use crate::route::RouteError;
use crate::site::Site;

/// Verifies the addresses of the command line. The exit code is that of the last one that failed.
pub(super) fn run(request: &Request, site: &Arc<Site>, runtime: &tokio::runtime::Runtime, out: &mut dyn Write) -> Exit {
    if request.invocation.recipients.is_empty() && request.invocation.recipients_in_header {
        say(out, "No recipient addresses found in header");
        return Exit::OK;
    }
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
    let mut exit = sender.exit;
    let mut is_old_style = site.config.options.old_style_headers;
    for word in request.invocation.recipients.iter().filter(|word| !word.is_empty()) {
        is_old_style &= !list::is_new_style(word);
        let mut addresses = if is_old_style { list::split_old_style(word) } else { list::split(word) };
        if addresses.is_empty() {
            addresses.push(word.clone());
        }
        // The last one is looked at first. Source: observed.
        for address in addresses.into_iter().rev() {
            let failures = look_at(&address, request, site, runtime, &mut envelope, out);
            for failure in failures {
                // Where it leads as long as a name server does not answer. Source: observed.
                if let Some(waits) = &failure.waits {
                    say(out, &deliverable(site, &Recipient::new(failure.address.clone()), &waits.triple));
                    continue;
                }
                let id = Id::Queue(envelope.id.as_str());
                say(out, &failure.shown());
                site.log.write(Level::USER_ERROR, Priority::Notice, id, failure.shown());
                if failure.is_temporary() {
                    // Observed: it would be tried again, and the error mailer is what it has.
                    let address = shown(&failure.address);
                    let (host, user) = match failure.by_mailer.as_deref() {
                        Some((host, user)) => (shown(host).to_string(), shown(user).to_string()),
                        None => (failure.status.to_string(), format!("{} {}", failure.reply, failure.text)),
                    };
                    let line = format!("{address}... deliverable: mailer *error*, host {host}, user \"{user}\"");
                    say(out, &line);
                }
                if !failure.is_temporary() {
                    exit = failure.exit();
                }
            }
        }
    }
    for (recipient, triple) in in_order(&envelope) {
        say(out, &deliverable(site, recipient, triple));
    }
    exit
}

/// Expands an address; why it, or something that it stands for, leads nowhere.
fn look_at(
    address: &Bytes,
    request: &Request,
    site: &Arc<Site>,
    runtime: &tokio::runtime::Runtime,
    envelope: &mut Envelope,
    out: &mut dyn Write,
) -> Vec<RouteError> {
    let (found, expansion) = runtime.block_on(site.router.list(address, envelope));
    for (_, note) in expansion.notes.iter().filter(|_| request.invocation.is_verbose) {
        say(out, note);
    }
    let mut failures: Vec<RouteError> = expansion.failures.into_iter().map(|(_, failure)| failure).collect();
    if found.is_empty() && failures.is_empty() {
        // Known already, or nothing but itself.
        let (alone, _) = runtime.block_on(site.router.list(address, &mut new_envelope(request, site)));
        if alone.is_empty() {
            let text = "aliasing/forwarding loop broken";
            failures.push(RouteError::new(554, Status(5, 4, 6), Exit::USAGE, text));
        }
    }
    failures
}

/// Recipients by owner of the list that they came by, those without one first, and by host. Source: observed.
fn in_order(envelope: &Envelope) -> Vec<(&Recipient, &Triple)> {
    let found = envelope.recipients.iter().filter(|r| r.state == State::Queued);
    let mut found: Vec<(&Recipient, &Triple)> = found.filter_map(|r| Some((r, r.route.as_ref()?))).collect();
    found.sort_by(|(a, to_a), (b, to_b)| (&a.owner, &to_a.host).cmp(&(&b.owner, &to_b.host)));
    found
}

fn deliverable(site: &Site, recipient: &Recipient, triple: &Triple) -> String {
    let mailer = site.config.mailers.get(triple.mailer.0).map_or(&b""[..], |m| m.name.as_ref());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut line = format!("{}... deliverable: mailer {}", text(&recipient.address), text(mailer));
    if !triple.host.is_empty() {
        line += ", host ";
        line += &text(&triple.host);
    }
    // What needs its quotes or backslash is shown as it was written. Source: observed.
    let (address, user) = (&recipient.address, &triple.user);
    let is_written_so = match address.first() {
        Some(b'\\') => address.get(1..) == Some(user),
        Some(b'"') => user.contains(&b' ') && address.get(1..address.len().saturating_sub(1)) == Some(user),
        _ => false,
    };
    line + ", user " + &text(if is_written_so { address } else { user })
}
