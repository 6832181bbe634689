//! `ServerSSLOptions`, `ClientSSLOptions`, and the answers of `tls_srv_features` and `tls_clt_features`.

use crate::base::table::nearest;
use crate::log::Priority;

/// One `SSL_OP_` name.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Name.
    pub name: &'static str,
    /// Bits in OpenSSL 3; 0 for names that lost their meaning.
    pub bits: u64,
}

/// Names in alphabetical order. Source: the original's table, values of OpenSSL 3.0 ssl.h.
#[rustfmt::skip]
pub static OPTIONS: &[Row] = &[
    row("SSL_OP_ALL",                                    0x80000850),
    row("SSL_OP_ALLOW_NO_DHE_KEX",                       0x400),
    row("SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION",      0x40000),
    row("SSL_OP_CIPHER_SERVER_PREFERENCE",               0x400000),
    row("SSL_OP_CISCO_ANYCONNECT",                       0x8000),
    row("SSL_OP_COOKIE_EXCHANGE",                        0x2000),
    row("SSL_OP_CRYPTOPRO_TLSEXT_BUG",                   0x80000000),
    row("SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS",            0x800),
    row("SSL_OP_ENABLE_MIDDLEBOX_COMPAT",                0x100000),
    row("SSL_OP_EPHEMERAL_RSA",                          0x0),
    row("SSL_OP_LEGACY_SERVER_CONNECT",                  0x4),
    row("SSL_OP_MICROSOFT_BIG_SSLV3_BUFFER",             0x0),
    row("SSL_OP_MICROSOFT_SESS_ID_BUG",                  0x0),
    row("SSL_OP_MSIE_SSLV2_RSA_PADDING",                 0x0),
    row("SSL_OP_NETSCAPE_CA_DN_BUG",                     0x0),
    row("SSL_OP_NETSCAPE_CHALLENGE_BUG",                 0x0),
    row("SSL_OP_NETSCAPE_DEMO_CIPHER_CHANGE_BUG",        0x0),
    row("SSL_OP_NETSCAPE_REUSE_CIPHER_CHANGE_BUG",       0x0),
    row("SSL_OP_NO_ANTI_REPLAY",                         0x1000000),
    row("SSL_OP_NO_COMPRESSION",                         0x20000),
    row("SSL_OP_NO_ENCRYPT_THEN_MAC",                    0x80000),
    row("SSL_OP_NO_QUERY_MTU",                           0x1000),
    row("SSL_OP_NO_RENEGOTIATION",                       0x40000000),
    row("SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION", 0x10000),
    row("SSL_OP_NO_SSLv2",                               0x0),
    row("SSL_OP_NO_SSLv3",                               0x2000000),
    row("SSL_OP_NO_TICKET",                              0x4000),
    row("SSL_OP_NO_TLSv1",                               0x4000000),
    row("SSL_OP_NO_TLSv1_1",                             0x10000000),
    row("SSL_OP_NO_TLSv1_2",                             0x8000000),
    row("SSL_OP_NO_TLSv1_3",                             0x20000000),
    row("SSL_OP_PKCS1_CHECK_1",                          0x0),
    row("SSL_OP_PKCS1_CHECK_2",                          0x0),
    row("SSL_OP_PRIORITIZE_CHACHA",                      0x200000),
    row("SSL_OP_SINGLE_DH_USE",                          0x0),
    row("SSL_OP_SINGLE_ECDH_USE",                        0x0),
    row("SSL_OP_SSLEAY_080_CLIENT_DH_BUG",               0x0),
    row("SSL_OP_SSLREF2_REUSE_CERT_TYPE_BUG",            0x0),
    row("SSL_OP_TLSEXT_PADDING",                         0x10),
    row("SSL_OP_TLS_BLOCK_PADDING_BUG",                  0x0),
    row("SSL_OP_TLS_D5_BUG",                             0x0),
    row("SSL_OP_TLS_ROLLBACK_BUG",                       0x800000),
];

const fn row(name: &'static str, bits: u64) -> Row {
    Row { name, bits }
}

/// `SSL_OP_ALL` without `SSL_OP_TLSEXT_PADDING`. Source: op guide, ServerSSLOptions.
pub const DEFAULT_OPTIONS: u64 = 0x8000_0840;

/// Reads an option list on top of `start`: names or numbers, blanks or commas between, `+` adds, `-` takes away.
///
/// Out: the bits, and the words that are neither (each with the nearest name, when one is near).
pub fn options(text: &[u8], start: u64) -> (u64, Vec<(String, Option<&'static str>)>) {
    let mut bits = start;
    let mut unknown = Vec::new();
    let words = text.split(|b| b.is_ascii_whitespace() || *b == b',').filter(|w| !w.is_empty());
    for word in words {
        let (adds, name) = match word.split_first() {
            Some((b'-', rest)) => (false, rest),
            Some((b'+', rest)) => (true, rest),
            _ => (true, word),
        };
        let name = String::from_utf8_lossy(name);
        let Some(value) = option(&name) else {
            unknown.push((name.to_string(), nearest(&name, OPTIONS.iter().map(|r| r.name))));
            continue;
        };
        bits = if adds { bits | value } else { bits & !value };
    }
    (bits, unknown)
}

fn option(name: &str) -> Option<u64> {
    if let Some(row) = OPTIONS.iter().find(|r| r.name.eq_ignore_ascii_case(name)) {
        return Some(row.bits);
    }
    match name.strip_prefix("0x").or_else(|| name.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None if name.starts_with('0') && name.len() > 1 => u64::from_str_radix(name, 8).ok(),
        None => name.parse().ok(),
    }
}

/// What a `tls_srv_features` or `tls_clt_features` ruleset asks for one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    /// `options`: bits to add.
    pub options: u64,
    /// `cipherlist`.
    pub cipher_list: Option<String>,
    /// `ciphersuites`.
    pub cipher_suites: Option<String>,
    /// `certfile` and `keyfile`, to be judged and read by the caller.
    pub identity: Option<(String, String)>,
    /// `servername`: the name to ask the server for; `hostname` stands for the name of the host.
    pub server_name: Option<String>,
    /// Flag `R`: revocation lists for every certificate of the chain.
    pub needs_crl: bool,
    /// Flags `C` and `c`: `TLSFallbacktoClear` for this connection.
    pub fallback_to_clear: Option<bool>,
    /// Flag `d`: no DANE.
    pub without_dane: bool,
}

/// Why a result is of no use; `{verify}` becomes CONFIG and TLS is off. Its text follows `tls_SIDE_features=` in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeaturesError {
    /// Shorter than `k=v` can be.
    #[error("too_short")]
    TooShort,
    /// No `=`.
    #[error("invalid_syntax, opt={0}")]
    Syntax(String),
    /// Not a key.
    #[error("unknown_option, opt={0}")]
    Unknown(String),
    /// No word of `ServerSSLOptions`.
    #[error("{0}, error=SSL_OP not found")]
    Option(String),
    /// One of two that belong together.
    #[error("only_one_of_CertFile/KeyFile_specified")]
    HalfIdentity,
}

impl FeaturesError {
    /// How the log takes it.
    pub fn priority(&self) -> Priority {
        if matches!(self, Self::Option(_)) { Priority::Warning } else { Priority::Info }
    }
}

/// Reads `key=value;key=value`, in quotes or not.
///
/// Errors: see [`FeaturesError`]. An empty text asks for nothing.
/// Source: op guide 5.1.4 (tls_srv_features); tls_options.tsv of the inventory.
pub fn features(text: &str) -> Result<Features, FeaturesError> {
    let mut found = Features::default();
    let (mut certificate, mut key) = (None, None);
    let text = text.trim().trim_matches('"');
    if !text.trim().is_empty() && text.trim().len() < 3 {
        return Err(FeaturesError::TooShort);
    }
    for item in text.split(';').map(str::trim).filter(|i| !i.is_empty()) {
        let Some((name, value)) = item.split_once('=') else { return Err(FeaturesError::Syntax(item.to_owned())) };
        let value = value.trim().trim_matches('"').to_owned();
        match name.trim().to_ascii_lowercase().as_str() {
            "options" => {
                let (bits, unknown) = options(value.as_bytes(), found.options);
                if let Some((word, _)) = unknown.into_iter().next() {
                    return Err(FeaturesError::Option(word));
                }
                found.options = bits;
            }
            "cipherlist" => found.cipher_list = Some(value),
            "ciphersuites" => found.cipher_suites = Some(value),
            "certfile" => certificate = Some(value),
            "keyfile" => key = Some(value),
            "servername" => found.server_name = Some(value),
            "flags" => {
                for flag in value.bytes() {
                    match flag {
                        b'R' => found.needs_crl = true,
                        b'C' => found.fallback_to_clear = Some(true),
                        b'c' => found.fallback_to_clear = Some(false),
                        b'd' => found.without_dane = true,
                        _ => {}
                    }
                }
            }
            _ => return Err(FeaturesError::Unknown(name.trim().to_owned())),
        }
    }
    found.identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => return Err(FeaturesError::HalfIdentity),
    };
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_words_add_and_take_away() {
        assert!(OPTIONS.is_sorted_by_key(|r| r.name));
        let (bits, unknown) = options(b"SSL_OP_NO_TLSv1 +SSL_OP_NO_TLSv1_1,-0x40 SSL_OP_NO_TLSv9", DEFAULT_OPTIONS);
        assert_eq!(bits, 0x8000_0800 | 0x0400_0000 | 0x1000_0000);
        assert_eq!(unknown.first().map(|u| u.0.as_str()), Some("SSL_OP_NO_TLSv9"));
    }

    #[test]
    fn features_need_both_halves_of_an_identity() {
        let f = features("Options=SSL_OP_NO_TLSv1_3; CipherList=HIGH ;flags=RC").unwrap();
        assert_eq!((f.options, f.cipher_list.as_deref()), (0x2000_0000, Some("HIGH")));
        assert!(f.needs_crl && f.fallback_to_clear == Some(true));
        assert_eq!(features("certfile=/x"), Err(FeaturesError::HalfIdentity));
        assert_eq!(features("bogus=1"), Err(FeaturesError::Unknown("bogus".into())));
        assert_eq!(features("bogus"), Err(FeaturesError::Syntax("bogus".into())));
        assert_eq!(features("a"), Err(FeaturesError::TooShort));
        assert_eq!(features("options=SSL_OP_NO_TLSv9"), Err(FeaturesError::Option("SSL_OP_NO_TLSv9".into())));
        assert_eq!(features("\"options=SSL_OP_NO_TLSv1_3\"").map(|f| f.options), Ok(0x2000_0000));
        assert_eq!((features(""), features("\"\"")), (Ok(Features::default()), Ok(Features::default())));
    }
}
