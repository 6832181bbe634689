//! What is known about the other side after a handshake.

use std::fmt::Write as _;

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::ssl::{SslRef, SslVerifyMode};
use openssl::x509::{X509, X509NameRef, X509VerifyResult};

use super::Role;
use crate::sys::openssl_extra;

/// The word in `${verify}`. Source: op guide (`${verify}`); tls_options.tsv of the inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[rustfmt::skip]
pub enum Verify {
    /// Verified.
    Ok,
    /// No certificate presented.
    No,
    /// No certificate asked for.
    Not,
    /// Presented, not verified.
    Fail,
    /// STARTTLS was not performed.
    None,
    /// A temporary error occurred.
    Temp,
    /// The SMTP dialogue went wrong.
    Protocol,
    /// The settings for this peer cannot be used.
    Config,
    /// The handshake failed.
    Software,
    /// Turned off to try again in clear.
    Clear,
    /// Verified by DANE.
    Trusted,
    /// No TLSA record of the server matches what it showed.
    DaneFail,
    /// TLSA records ask for TLS, which cannot be had now.
    DaneTemp,
    /// TLSA records ask for TLS, which is not offered.
    DaneNoTls,
}

impl Verify {
    /// TLSA records forbid to go on.
    pub fn is_against_dane(self) -> bool {
        matches!(self, Self::DaneFail | Self::DaneTemp | Self::DaneNoTls)
    }

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::No => "NO",
            Self::Not => "NOT",
            Self::Fail => "FAIL",
            Self::None => "NONE",
            Self::Temp => "TEMP",
            Self::Protocol => "PROTOCOL",
            Self::Config => "CONFIG",
            Self::Software => "SOFTWARE",
            Self::Clear => "CLEAR",
            Self::Trusted => "TRUSTED",
            Self::DaneFail => "DANE_FAIL",
            Self::DaneTemp => "DANE_TEMP",
            Self::DaneNoTls => "DANE_NOTLS",
        }
    }
}

/// Values of the TLS macros. Texts are in the `+XX` form already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// `${tls_version}`, such as `TLSv1.3`.
    pub version: String,
    /// `${cipher}`.
    pub cipher: String,
    /// `${cipher_bits}`: effective key length.
    pub cipher_bits: i32,
    /// `${alg_bits}`: key length of the algorithm.
    pub algorithm_bits: i32,
    /// `${verify}`.
    pub verify: Verify,
    /// Why, in the library's words (`verifymsg=`).
    pub verify_message: String,
    /// `${cert_subject}`; empty without a certificate.
    pub cert_subject: String,
    /// `${cert_issuer}`.
    pub cert_issuer: String,
    /// `${cn_subject}`.
    pub cn_subject: String,
    /// `${cn_issuer}`.
    pub cn_issuer: String,
    /// `${cert_md5}`, or `${cert_fp}` when an algorithm is set.
    pub fingerprint: String,
    /// DNS names of the certificate, for `{cert_altnames}`.
    pub alternative_names: Vec<String>,
    /// The session was resumed from an earlier one.
    pub is_resumed: bool,
    /// Lines about fields that could not be used (`field=cn_subject, status=…`), to be written behind `relay=`.
    pub complaints: Vec<String>,
}

impl PeerInfo {
    /// `STARTTLS=server, relay=HOST, version=…, verify=…, cipher=…, bits=…/…`.
    pub fn summary(&self, role: Role, relay: &str) -> String {
        format!(
            "STARTTLS={}, relay={relay}, version={}, verify={}, cipher={}, bits={}/{}",
            role.word(),
            self.version,
            self.verify.word(),
            self.cipher,
            self.cipher_bits,
            self.algorithm_bits
        )
    }

    /// `STARTTLS=server, cert-subject=…, cert-issuer=…, verifymsg=…`, for `LogLevel` 14.
    pub fn details(&self, role: Role) -> String {
        format!(
            "STARTTLS={}, cert-subject={}, cert-issuer={}, verifymsg={}",
            role.word(),
            self.cert_subject,
            self.cert_issuer,
            self.verify_message
        )
    }

    /// Reads it from a finished handshake; `by_dane` when TLSA records were to be matched.
    pub(super) fn read(ssl: &SslRef, by_dane: bool, fingerprint_algorithm: MessageDigest, wants_names: bool) -> Self {
        let result = ssl.verify_result();
        let certificate = ssl.peer_certificate();
        let asked = !ssl.is_server() || ssl.verify_mode().contains(SslVerifyMode::PEER);
        let bits = ssl.current_cipher().map(openssl::ssl::SslCipherRef::bits);
        let mut info = Self {
            version: ssl.version_str().to_owned(),
            cipher: ssl.current_cipher().map_or("(NONE)", |c| c.name()).to_owned(),
            cipher_bits: bits.as_ref().map_or(0, |b| b.secret),
            algorithm_bits: bits.as_ref().map_or(0, |b| b.algorithm),
            verify: match by_dane {
                true if result == X509VerifyResult::OK && openssl_extra::has_dane_match(ssl) => Verify::Trusted,
                true => Verify::DaneFail,
                false => verdict(result, certificate.is_some(), asked),
            },
            verify_message: result.error_string().to_owned(),
            cert_subject: String::new(),
            cert_issuer: String::new(),
            cn_subject: String::new(),
            cn_issuer: String::new(),
            fingerprint: String::new(),
            alternative_names: Vec::new(),
            is_resumed: ssl.session_reused(),
            complaints: Vec::new(),
        };
        if let Some(certificate) = certificate {
            info.describe(&certificate, fingerprint_algorithm, wants_names);
        }
        info
    }

    fn describe(&mut self, certificate: &X509, algorithm: MessageDigest, wants_names: bool) {
        self.cert_subject = whole_name(certificate.subject_name());
        self.cert_issuer = whole_name(certificate.issuer_name());
        self.cn_subject = self.common_name(certificate.subject_name(), "cn_subject");
        self.cn_issuer = self.common_name(certificate.issuer_name(), "cn_issuer");
        if let Ok(digest) = certificate.digest(algorithm) {
            self.fingerprint = colon_hex(&digest);
        }
        if wants_names {
            let names = certificate.subject_alt_names();
            self.alternative_names = names.iter().flatten().filter_map(|n| n.dnsname()).map(encoded).collect();
        }
    }

    /// The common name, or the original's stand-in when it cannot be used.
    fn common_name(&mut self, name: &X509NameRef, field: &str) -> String {
        let entry = name.entries_by_nid(Nid::COMMONNAME).next();
        let text = entry.and_then(|e| e.data().to_string().ok());
        let (stand_in, complaint) = match &text {
            None => ("BadCertificateUnknown", "failed to extract CN"),
            Some(cn) if cn.len() > LONGEST_CN => ("BadCertificateTooLong", "CN too long"),
            Some(cn) if cn.contains('\0') => ("BadCertificateContainsNUL", "CN contains NUL"),
            Some(cn) => return encoded(cn),
        };
        self.complaints.push(format!("field={field}, status={complaint}"));
        stand_in.to_owned()
    }
}

/// The word for a verification result.
fn verdict(result: X509VerifyResult, has_certificate: bool, asked: bool) -> Verify {
    match (has_certificate, asked) {
        (true, _) if result == X509VerifyResult::OK => Verify::Ok,
        (true, _) => Verify::Fail,
        (false, true) => Verify::No,
        (false, false) => Verify::Not,
    }
}

fn whole_name(name: &X509NameRef) -> String {
    openssl_extra::one_line(name).map_or_else(|_| "BadCertificateUnknown".to_owned(), |text| encoded(&text))
}

/// The form of certificate macros: blanks, controls, 8-bit characters and `<>()"+` as `+XX`.
///
/// Source: cf/README, "Certificates"; observed `/O=T/CN=Test+20CA`.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (b'!'..=b'~').contains(&byte) && !b"<>()\"+".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "+{byte:02X}");
        }
    }
    out
}

fn colon_hex(digest: &[u8]) -> String {
    let pairs: Vec<String> = digest.iter().map(|b| format!("{b:02X}")).collect();
    pairs.join(":")
}

/// Longest common name that is used, bytes. Source: observed status `CN too long`; macro values are bounded in the original.
const LONGEST_CN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_access_map_keys_write_them() {
        assert_eq!(encoded("/O=T/CN=Test CA (\u{fc}) <a+b>"), "/O=T/CN=Test+20CA+20+28+C3+BC+29+20+3Ca+2Bb+3E");
        assert_eq!(colon_hex(&[0, 0xab]), "00:AB");
    }
}
