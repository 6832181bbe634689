//! Verification that finds out and stops nothing: rulesets decide what a result means.

use std::sync::{Mutex, OnceLock};

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslRef};
use openssl::x509::{X509StoreContext, X509StoreContextRef, X509VerifyResult};

/// Where a connection keeps the first fault of the chain.
#[derive(Clone, Copy)]
pub(super) struct Tolerance {
    connection: Index<X509StoreContext, SslRef>,
    first: Index<Ssl, First>,
}

type First = Mutex<Option<X509VerifyResult>>;

/// One place for all contexts: places are never given back.
static FIRST: OnceLock<Index<Ssl, First>> = OnceLock::new();

impl Tolerance {
    pub(super) fn new() -> Result<Self, ErrorStack> {
        let first = if let Some(first) = FIRST.get() {
            *first
        } else {
            let made = Ssl::new_ex_index()?;
            *FIRST.get_or_init(|| made)
        };
        Ok(Self { connection: X509StoreContext::ssl_idx()?, first })
    }

    /// Gives a connection its place.
    pub(super) fn prepare(self, ssl: &mut Ssl) {
        ssl.set_ex_data(self.first, First::default());
    }

    /// The callback: every certificate passes. Going on after a fault leads to others that follow from it; the first one is
    /// the result, as when verification stops there. Source: observed (verifymsg).
    pub(super) fn pass(self, is_good: bool, chain: &mut X509StoreContextRef) -> bool {
        if is_good {
            return true;
        }
        let found = chain.error();
        let place = chain.ex_data(self.connection).and_then(|ssl| ssl.ex_data(self.first));
        let first = place.and_then(|place| place.lock().ok().map(|mut first| *first.get_or_insert(found)));
        chain.set_error(first.unwrap_or(found));
        true
    }
}
