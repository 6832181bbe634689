//! The agent that appends to files.

use bytes::Bytes;

use super::agent::{Delivered, Load};
use super::attempt::Attempt;
use super::program::identity;
use super::source::{self, Source};
use crate::base::exit::Exit;
use crate::base::status::{Classify, Status};
use crate::config::Mailer;
use crate::deliver::outcome::Outcome;
use crate::envelope::Recipient;
use crate::monitor::{AppendAsUser, Appending};

/// Appends the message to the file that the recipient names.
pub(super) async fn deliver(attempt: &mut Attempt, load: &Load) -> Delivered {
    let mut results = Vec::new();
    for index in &load.recipients {
        let (Some(mailer), Some(recipient)) = (load.mailer(), attempt.envelope.recipients.get(*index).cloned()) else {
            continue;
        };
        let outcome = append(attempt, load, mailer, &recipient).await;
        results.push((vec![*index], outcome));
    }
    Delivered { relay: load.host.clone(), results }
}

async fn append(attempt: &mut Attempt, load: &Load, mailer: &Mailer, recipient: &Recipient) -> Outcome {
    let mut scope = load.scope.clone();
    scope.set(crate::macros::names::RCPT_USER, super::agent::user_of(recipient));
    let path: Bytes = mailer.argv.get(1).map(|path| path.expand(&scope).into()).unwrap_or_default();
    let is_builtin = mailer.name.eq_ignore_ascii_case(b"*file*");
    let request = AppendAsUser {
        path,
        mailer: (!is_builtin).then_some(load.id),
        controller: identity(load, recipient.controller.as_ref()),
    };
    let appending = match attempt.site.port.append_as_user(request).await {
        Ok(appending) => appending,
        Err(error) => {
            let (_, status) = error.status();
            return if error.is_temporary() {
                Outcome::deferred(status, &error.to_string())
            } else {
                Outcome::of_program(Exit::CANTCREAT.0, mailer)
            };
        }
    };
    let source = source::for_local(attempt, load, mailer, &scope).await;
    match write(appending, source, &mailer.eol).await {
        Ok((Exit::OK, _)) => Outcome::of_program(0, mailer),
        // Why the file cannot be used is not told (observed).
        Ok((exit, _)) => Outcome::of_program(exit.0, mailer),
        Err(error) => Outcome::deferred(Status(4, 3, 0), &error.to_string()),
    }
}

/// Dropped, or ended by a body that cannot be read: the file stays as it was.
async fn write(mut appending: Appending, mut source: Source, eol: &[u8]) -> std::io::Result<(Exit, Bytes)> {
    while let Some(block) = source.next().await? {
        // A refusal closes the pipe; the end says why.
        if appending.write(&block).await.is_err() {
            return appending.finish().await;
        }
    }
    if appending.write(eol).await.is_err() {
        return appending.finish().await;
    }
    appending.finish().await
}
