//! Rulesets that say yes or no: `check_*`, `tls_*`, `srv_features` and the like.
//!
//! In: a moment of a session or attempt and its arguments. Out: a verdict. Documents: op guide 5.1.4. Never: speaks to a
//! peer.
//!
//! *Refusal*: a reply code, an enhanced code and words, as a `$#error` of a ruleset gives them.

pub mod drive;
pub mod features;
pub mod hooks;
pub mod rates;
pub mod refusal;
pub mod verdict;

pub use features::Features;
pub use hooks::Hook;
pub use refusal::Refusal;
pub use verdict::Verdict;
