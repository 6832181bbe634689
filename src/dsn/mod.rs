//! Delivery status notifications.
//!
//! In: an envelope with outcomes. Out: whether someone must be told, and the report as a message. Documents: RFC 3461,
//! RFC 3464, RFC 3462. Never: sends anything itself.
