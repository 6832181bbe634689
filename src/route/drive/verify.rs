//! Lists of addresses that VRFY and EXPN ask about.

use bytes::Bytes;

use super::{Router, rules};
use crate::address::list;
use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::envelope::{Envelope, Triple};
use crate::macros::Scope;
use crate::route::recipient::{Special, same, unescaped};
use crate::route::{Depth, Resolved, RouteError};

impl Router {
    /// Who a list names (VRFY); aliases stand for themselves. Blanks separate its addresses when `is_old`.
    ///
    /// Errors: the first address that cannot be parsed, else the last one that is nobody's. Source: observed.
    pub async fn verify(&self, text: &[u8], is_old: bool, scope: &mut Scope) -> Result<Vec<Resolved>, RouteError> {
        let mut found: Vec<Resolved> = Vec::new();
        for address in self.addresses(text, is_old, scope).await?.iter().rev() {
            let resolved = self.resolve(address, Depth::Mailbox, scope).await?;
            if let Some(special) = self.special(&resolved.triple) {
                let text = format!("Cannot mail directly to {}", special.plural());
                return Err(RouteError::new(550, Status(5, 7, 1), Exit::USAGE, text).at(address));
            }
            if !found.iter().any(|known| same(&self.config, &known.triple, &resolved.triple)) {
                found.push(resolved);
            }
        }
        Ok(found)
    }

    /// What a list expands to (EXPN): the recipients that would be delivered to. Errors: as [`Self::verify`].
    pub async fn expand_list(
        &self,
        text: &[u8],
        is_old: bool,
        envelope: &mut Envelope,
    ) -> Result<Vec<Resolved>, RouteError> {
        let mut found = Vec::new();
        let mut scope = envelope.scope.clone();
        for address in self.addresses(text, is_old, &mut scope).await?.iter().rev() {
            let (listed, expansion) = self.list(address, envelope).await;
            if let Some((_, fault)) = expansion.failures.into_iter().next() {
                return Err(fault);
            }
            found.extend(listed);
        }
        for resolved in &mut found {
            // Delivery knows the user, the list shows how it was written.
            let given = self.triple(&resolved.address, false, &mut scope).await.ok();
            if let Some(rules::Parsed { triple, .. }) = given.filter(|given| unescaped(&given.triple.user).0) {
                resolved.triple.user = triple.user;
            }
        }
        Ok(found)
    }

    /// The addresses of a list, all of which have a triple.
    async fn addresses(&self, text: &[u8], is_old: bool, scope: &mut Scope) -> Result<Vec<Bytes>, RouteError> {
        let addresses = if is_old { list::split_at_blanks(text) } else { list::split(text) };
        let addresses: Vec<Bytes> = addresses.iter().map(|one| one.slice_ref(one.trim_ascii_end())).collect();
        for address in &addresses {
            self.check_listed(address).map_err(|error| error.or_at(address))?;
            self.triple(address, false, scope).await.map_err(|error| error.or_at(address))?;
        }
        Ok(addresses)
    }

    fn special(&self, triple: &Triple) -> Option<Special> {
        self.config.mailers.get(triple.mailer.0).and_then(|mailer| Special::of_mailer(&mailer.name))
    }
}
