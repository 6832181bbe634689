//! Triples: what ruleset 0 and the checks return behind `$#`.

use bytes::Bytes;

use super::symbol::symbols;
use super::workspace::View;

/// Mailer, host and user as the rules name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Behind `$#`.
    pub mailer: Bytes,
    /// Behind `$@`; hosts to try in turn stand parted by colons in it.
    pub host: Option<Bytes>,
    /// Behind `$:`, words joined with `BlankSub`.
    pub user: Option<Bytes>,
    /// The user part with words joined by blanks: texts of the error mailer.
    pub user_words: Bytes,
}

/// Why a workspace is no triple. Texts are the original's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResolutionError {
    /// It does not begin with `$#`.
    #[error("buildaddr: no net")]
    NoTriple,
    /// Nothing behind `$#`.
    #[error("buildaddr: no mailer")]
    NoMailer,
}

impl Resolution {
    /// Takes a workspace apart.
    pub fn from_view(view: View<'_>) -> Result<Self, ResolutionError> {
        let ids: Vec<_> = view.symbols().collect();
        if ids.first() != Some(&symbols::HASH) {
            return Err(ResolutionError::NoTriple);
        }
        let mailer = view.part(1, 2).iter().next().filter(|_| ids.get(1).is_some_and(|id| *id != symbols::HASH));
        let Some(mailer) = mailer else { return Err(ResolutionError::NoMailer) };
        let user_at = ids.iter().position(|id| *id == symbols::COLON);
        let host_end = user_at.unwrap_or(ids.len());
        let host = (ids.get(2) == Some(&symbols::AT)).then(|| Bytes::from(view.part(3, host_end).join()));
        let user = user_at.map(|at| view.part(at + 1, ids.len()));
        let words = user.map(|u| u.join_with(b' ')).unwrap_or_default();
        Ok(Self {
            mailer: Bytes::copy_from_slice(mailer),
            host,
            user: user.map(|u| u.join().into()),
            user_words: words.into(),
        })
    }
}
