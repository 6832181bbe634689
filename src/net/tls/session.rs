//! What differs from the context for one connection.

use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslRef, SslVerifyMode};
use openssl::x509::X509;
use openssl::x509::verify::X509VerifyFlags;

use super::Identity;
use super::context::first_reason;
use super::dane::Dane;
use super::tolerance::Tolerance;
use crate::sys::openssl_extra;

/// Settings of one connection: from `srv_features`, `tls_srv_features`, `tls_clt_features`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionSettings {
    /// `SSL_OP_…` bits to add.
    pub options: u64,
    /// Cipher list instead of the context's.
    pub cipher_list: Option<String>,
    /// TLS 1.3 suites instead of the context's.
    pub cipher_suites: Option<String>,
    /// Certificate and key instead of the context's.
    pub identity: Option<Identity>,
    /// Whether to ask the client for a certificate, when not as the context says (`srv_features` `V` and `v`).
    pub ask_certificate: Option<bool>,
    /// Revocation lists are needed for every certificate of the chain.
    pub needs_crl: bool,
    /// Name to ask the server for (SNI).
    pub server_name: Option<String>,
    /// TLSA records that the server must match.
    pub dane: Option<Dane>,
    /// TLSA records of this server do not count (`tls_clt_features` flag `d`).
    pub without_dane: bool,
    /// `TLSFallbacktoClear` for this server, when not as the option says (flags `C` and `c`).
    pub fallback_to_clear: Option<bool>,
}

impl SessionSettings {
    /// Applies them. Errors: what could not be set, as the log shows it (`SSL_set_cipher_list(X) failed`).
    pub(super) fn apply(&self, ssl: &mut Ssl, tolerance: Tolerance) -> Result<(), String> {
        openssl_extra::set_session_options(ssl, self.options);
        if let Some(list) = &self.cipher_list {
            ssl.set_cipher_list(list).map_err(|_| format!("SSL_set_cipher_list({list}) failed"))?;
        }
        if let Some(suites) = &self.cipher_suites {
            ssl.set_ciphersuites(suites).map_err(|_| format!("SSL_set_ciphersuites({suites}) failed"))?;
        }
        if let Some(identity) = &self.identity {
            set_identity(ssl, identity)?;
        }
        if self.needs_crl {
            let flags = X509VerifyFlags::CRL_CHECK | X509VerifyFlags::CRL_CHECK_ALL;
            ssl.param_mut().set_flags(flags).map_err(|e| failed("X509_VERIFY_PARAM_set_flags", &e))?;
        }
        match self.ask_certificate {
            Some(true) => {
                ssl.set_verify_callback(SslVerifyMode::PEER, move |is_good, chain| tolerance.pass(is_good, chain));
            }
            Some(false) => ssl.set_verify(SslVerifyMode::NONE),
            None => {}
        }
        Ok(())
    }
}

fn set_identity(ssl: &mut SslRef, identity: &Identity) -> Result<(), String> {
    let chain = X509::stack_from_pem(&identity.certificate.pem).map_err(|e| failed("SSL_use_certificate_file", &e))?;
    let mut chain = chain.into_iter();
    let Some(own) = chain.next() else { return Err("error=SSL_use_certificate_file".to_owned()) };
    ssl.set_certificate(&own).map_err(|e| failed("SSL_use_certificate_file", &e))?;
    for more in chain {
        ssl.add_chain_cert(more).map_err(|e| failed("SSL_use_certificate_file", &e))?;
    }
    // A callback that gives nothing: an encrypted key fails at once, nobody is asked.
    let key = PKey::private_key_from_pem_callback(&identity.key.pem, |_| Ok(0))
        .map_err(|e| failed("SSL_use_PrivateKey_file", &e))?;
    ssl.set_private_key(&key).map_err(|e| failed("SSL_use_PrivateKey_file", &e))
}

fn failed(call: &str, stack: &openssl::error::ErrorStack) -> String {
    format!("error={call}, reason={}", first_reason(stack))
}
