//! Rulesets that say yes or no: `check_*`, `tls_*`, `srv_features` and the like.
//!
//! In: a moment of a session and its arguments. Out: a verdict. Documents: op guide 5.1.4. Never: speaks to a peer.
