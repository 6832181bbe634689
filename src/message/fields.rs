//! Header fields that mean something to a mail transfer agent, one row each.

/// What a field is to us.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Name in small letters.
    pub name: &'static str,
    /// Its properties, a sum of the constants below.
    pub bits: u32,
}

/// Names addresses of senders: rewritten with the sender rulesets.
pub const SENDER: u32 = 0x0001;
/// Names recipients: collected by `-t`, rewritten with the recipient rulesets.
pub const RECIPIENT: u32 = 0x0002;
/// A `Resent-` field.
pub const RESENT: u32 = 0x0004;
/// The configuration's field is added even when the message has one.
pub const ADD_ALWAYS: u32 = 0x0008;
/// Written by every host on the way: counts as a hop.
pub const TRACE: u32 = 0x0010;
/// Written only when the mailer has the flag that the configuration's `H` line asks for.
pub const NEEDS_FLAG: u32 = 0x0020;
/// Ends the header.
pub const END: u32 = 0x0040;
/// Blind copies: never shown to others.
pub const BCC: u32 = 0x0080;
/// Macros in it are expanded for each delivery, not when the message is collected.
pub const LATE: u32 = 0x0100;
/// Asks for a receipt.
pub const RECEIPT: u32 = 0x0200;
/// Where errors go.
pub const ERRORS_TO: u32 = 0x0400;
/// `Content-Transfer-Encoding`.
pub const ENCODING: u32 = 0x0800;
/// `Content-Type`.
pub const CONTENT_TYPE: u32 = 0x1000;
/// Free text, which may hold encoded words.
pub const TEXT: u32 = 0x2000;

/// All fields with a meaning, sorted by name. Source: observed (the original's own table).
#[rustfmt::skip]
pub static FIELDS: &[Row] = &[
    row("apparently-to",               RECIPIENT),
    row("bcc",                         RECIPIENT | BCC),
    row("cc",                          RECIPIENT),
    row("comments",                    ADD_ALWAYS | TEXT),
    row("content-length",              NEEDS_FLAG),
    row("content-transfer-encoding",   ENCODING),
    row("content-type",                CONTENT_TYPE),
    row("date",                        0),
    row("delivery-receipt-to",         RECEIPT),
    row("disposition-notification-to", SENDER),
    row("errors-to",                   SENDER | ERRORS_TO),
    row("from",                        SENDER),
    row("full-name",                   NEEDS_FLAG),
    row("mail-from",                   ADD_ALWAYS | TRACE),
    row("message",                     END),
    row("message-id",                  0),
    row("received",                    ADD_ALWAYS | TRACE),
    row("reply-to",                    SENDER),
    row("resent-bcc",                  RECIPIENT | RESENT | BCC),
    row("resent-cc",                   RECIPIENT | RESENT),
    row("resent-date",                 RESENT),
    row("resent-from",                 SENDER | RESENT),
    row("resent-message-id",           RESENT),
    row("resent-reply-to",             SENDER | RESENT),
    row("resent-sender",               SENDER | RESENT),
    row("resent-to",                   RECIPIENT | RESENT),
    row("return-path",                 ADD_ALWAYS | NEEDS_FLAG | LATE),
    row("return-receipt-to",           RECEIPT),
    row("sender",                      SENDER),
    row("subject",                     TEXT),
    row("text",                        END),
    row("to",                          RECIPIENT),
    row("via",                         ADD_ALWAYS | TRACE),
    row("x-authentication-warning",    ADD_ALWAYS),
    row("x400-received",               ADD_ALWAYS | TRACE),
];

const fn row(name: &'static str, bits: u32) -> Row {
    Row { name, bits }
}

/// Properties of a field, letter case aside; 0 for one without a row.
pub fn bits(name: &[u8]) -> u32 {
    let mut small = [0u8; 32];
    let Some(small) = small.get_mut(..name.len()) else { return 0 };
    small.copy_from_slice(name);
    small.make_ascii_lowercase();
    FIELDS
        .binary_search_by(|row| row.name.as_bytes().cmp(small))
        .ok()
        .and_then(|at| FIELDS.get(at))
        .map_or(0, |row| row.bits)
}

/// Whether the field has one of the properties.
pub fn has(name: &[u8], wanted: u32) -> bool {
    bits(name) & wanted != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_found_in_any_case() {
        assert!(FIELDS.is_sorted_by(|a, b| a.name < b.name));
        assert!(FIELDS.iter().all(|row| row.name.len() <= 32));
        assert!(has(b"RECEIVED", TRACE) && has(b"Resent-Bcc", BCC) && !has(b"X-To", RECIPIENT));
        assert_eq!(bits(&[b'x'; 100]), 0);
    }
}
