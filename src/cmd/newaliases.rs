//! `newaliases`, `-bi`: rebuilds the alias databases.

use std::io::Write;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::sendmail::{Request, say};
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::status::Classify;
use crate::log::{Id, Level, Priority};
use crate::maps::aliases::{self, Checked, Name};
use crate::route::{Depth, alias, list};
use crate::site::Site;

/// Rebuilds all of them and says what they hold.
pub(super) fn run(request: &Request, site: &Arc<Site>, runtime: &Runtime, out: &mut dyn Write) -> Exit {
    let resolve = async |name: &[u8]| resolve(site, name).await;
    let check = async |targets: &[u8]| check(site, targets).await;
    let report = runtime.block_on(aliases::rebuild(&site.config, resolve, check));
    for line in &report.lines {
        say(out, line);
    }
    for error in &report.errors {
        site.log.system_error(Id::NoQueue, &String::from_utf8_lossy(&request.caller.name), error);
    }
    for (path, summary) in &report.built {
        let text = format!("alias database {} rebuilt by {}", path.display(), shown(&request.caller.name));
        site.log.write(Level::ALIAS_BUILT, Priority::Notice, Id::None, text);
        site.log.write(Level::ALIAS_BUILT, Priority::Info, Id::None, summary);
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
            Name::Local(alias::key(&found.triple.user))
        }
        Ok(_) => Name::NotLocal,
        Err(_) => Name::Illegal,
    }
}

/// What is wrong with the syntax of targets, when `CheckAliases` is set.
async fn check(site: &Site, targets: &[u8]) -> Checked {
    let mut checked = Checked::default();
    if !site.config.options.check_aliases {
        return checked;
    }
    for address in list::split(targets) {
        let mut scope = site.config.scope();
        // Whether the address leads anywhere is not asked: it may only not do so now.
        if let Err(error) = site.router.resolve(&address, Depth::Rulesets, &mut scope).await
            && !error.is_temporary()
        {
            // What the scanner finds is only told; what a ruleset refuses ends the program with a code.
            let exit = if error.exit == Exit::USAGE { Exit::OK } else { Exit::USAGE };
            checked.faults.push((format!("{}... {}", shown(&address), error.text), exit));
        }
        checked.last = Some(address);
    }
    checked
}
