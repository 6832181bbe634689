//! The envelope sender of the command line: who it is, and whether it may be one.

use bytes::Bytes;
use tokio::runtime::Runtime;

use super::modes::Mode;
use super::sendmail::{Request, say};
use super::submission::reply;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::status::{Classify as _, Status};
use crate::config::MailerId;
use crate::envelope::Envelope;
use crate::log::{Id, Level, Priority};
use crate::route::{Owner, RouteError};
use crate::site::Site;

/// A sender that was looked at.
pub(super) struct Sender {
    /// The address; the caller's where the one given cannot be a sender.
    pub(super) address: Bytes,
    /// The mailer that it was resolved to.
    pub(super) mailer: Option<MailerId>,
    /// The user of this machine behind it.
    pub(super) owner: Option<Owner>,
    /// What is wrong with the one given.
    pub(super) exit: Exit,
}

/// Resolves the sender; an address that cannot be one is told, and the caller sends in its place. Source: observed.
pub(super) fn resolve(
    request: &Request,
    site: &Site,
    runtime: &Runtime,
    envelope: &Envelope,
    given: Bytes,
    out: &mut dyn std::io::Write,
) -> Sender {
    if given.is_empty() {
        return Sender { address: given, mailer: None, owner: None, exit: Exit::OK };
    }
    let mut scope = envelope.scope.clone();
    let mut mailer = None;
    let mut look = |address: &Bytes| match runtime.block_on(site.router.resolve_sender(address, &mut scope)) {
        Ok(found) if site.router.is_special(&found.triple) => {
            Err(RouteError::new(553, Status(5, 1, 8), Exit::USAGE, "Invalid sender address").at(address))
        }
        Ok(found) => {
            mailer = Some(found.triple.mailer);
            Ok(found.owner)
        }
        // Not known now: nothing is held against it.
        Err(error) if error.is_temporary() => Ok(None),
        Err(error) => Err(error),
    };
    let (address, owner, exit) = match look(&given) {
        Ok(owner) => (given, owner, Exit::OK),
        Err(error) => {
            let is_arpa = request.invocation.mode == Mode::Arpa;
            say(out, &if is_arpa { reply(&error) } else { error.shown() });
            let client = envelope.scope.text(crate::macros::names::CLIENT_INFO);
            let text = format!("setsender: {}: invalid or unparsable, received from {}", shown(&given), shown(&client));
            site.log.write(Level::SERIOUS, Priority::Notice, Id::Queue(envelope.id.as_str()), text);
            let caller = request.caller.name.clone();
            let owner = look(&caller).ok().flatten();
            (caller, owner, Exit::USAGE)
        }
    };
    let address = match runtime.block_on(site.router.sender_text(&address, &mut scope)) {
        Some(text) if !text.is_empty() => text,
        _ => address,
    };
    // Whoever is named with a backslash in front is nobody's name. Source: observed.
    let owner = owner.filter(|_| !address.starts_with(b"\\"));
    Sender { address, mailer, owner, exit }
}
