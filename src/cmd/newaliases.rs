//! `newaliases`, `-bi`: rebuilds the alias databases.

use std::io::Write;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::sendmail::{Request, say};
use crate::base::exit::Exit;
use crate::log::Id;
use crate::maps::aliases::{self, Name};
use crate::route::Depth;
use crate::site::Site;

/// Rebuilds all of them and says what they hold.
pub(super) fn run(request: &Request, site: &Arc<Site>, runtime: &Runtime, out: &mut dyn Write) -> Exit {
    let program = String::from_utf8_lossy(&request.invocation.program);
    let report =
        runtime.block_on(aliases::rebuild(&site.config, &program, async |name: &[u8]| resolve(site, name).await));
    for line in &report.lines {
        say(out, line);
    }
    for error in &report.errors {
        site.log.system_error(Id::NoQueue, &String::from_utf8_lossy(&request.caller.name), error);
    }
    report.exit
}

/// What the name of an alias is as the address of a recipient.
async fn resolve(site: &Site, name: &[u8]) -> Name {
    if name.trim_ascii().is_empty() {
        return Name::Illegal;
    }
    let mut scope = site.config.scope();
    match site.router.resolve(name, Depth::Rulesets, &mut scope).await {
        Ok(found) if site.config.mailers.get(found.triple.mailer.0).is_some_and(|m| m.has(b'A')) => {
            Name::Local(found.triple.user)
        }
        Ok(_) => Name::NotLocal,
        Err(_) => Name::Illegal,
    }
}
