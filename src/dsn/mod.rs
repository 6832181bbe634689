//! Delivery status notifications.
//!
//! In: an envelope with outcomes, the transcript of its attempt. Out: whether someone must be told, and the report as a
//! message. Documents: RFC 3461, RFC 3464, RFC 3462. Never: sends anything itself.
//!
//! The way: [`decide::check_age`] after an attempt, [`decide::decide`], then for each report [`compose::compose`]; the header
//! is completed by [`crate::envelope::complete`], the body written from its parts.

pub mod compose;
pub mod decide;
mod status;
mod text;

pub use compose::{Composed, Facts, Part, compose};
pub use decide::{Age, Kind, Report, check_age, decide, return_address};
